#include "runtime/column/chunks.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace couler::column {

namespace {

constexpr std::size_t kFirstChunk = std::size_t{64} << 10;  // small files need little memory
constexpr std::size_t kChunk = std::size_t{512} << 10;

}  // namespace

bool Chunks::advance(std::size_t keepFrom) {
  const std::size_t kept = size_ - keepFrom;
  const std::size_t wanted = buffer_ == nullptr
                                 ? kFirstChunk
                                 : std::max(kChunk, std::min(kept * 2, kept + (kChunk << 6U)));
  // One byte more than is read: `append` may need it.
  if (buffer_ != nullptr && buffer_.use_count() == 1 && buffer_->size() > wanted) {
    std::memmove(buffer_->data(), buffer_->data() + keepFrom, kept);
  } else {
    std::shared_ptr<Buffer> next = Buffer::make(wanted + 1);
    if (!next) {
      error_ = StreamError{fmt::format("{}: out of memory", path_)};
      return false;
    }
    if (kept > 0) std::memcpy(next->data(), buffer_->data() + keepFrom, kept);
    buffer_ = std::move(next);
  }
  size_ = kept;
  const std::size_t capacity = buffer_->size() - 1;
  while (size_ < capacity) {
    const std::size_t got = from_->read(buffer_->as<char>() + size_, capacity - size_);
    if (got == 0) {
      ended_ = true;
      error_ = from_->error();
      break;
    }
    size_ += got;
  }
  return !error_;
}

void Chunks::append(char c) { buffer_->as<char>()[size_++] = c; }

}  // namespace couler::column

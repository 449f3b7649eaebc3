#include <algorithm>
#include <new>
#include <utility>

#include "runtime/jit/helpers.h"

namespace couler::jit {

char* Arena::take(std::size_t bytes) noexcept {
  constexpr std::size_t kChunk = std::size_t{256} << 10;
  if (!chunk_ || static_cast<std::size_t>(free_.end - free_.at) < bytes) {
    try {
      if (chunk_ && free_.at > begin_) full_.push_back(chunk_);
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
    const std::size_t size = std::max(kChunk, bytes);
    chunk_ = column::Buffer::make(size);
    begin_ = chunk_ ? chunk_->as<char>() : nullptr;
    free_ = {begin_, begin_ == nullptr ? nullptr : begin_ + size};
    if (!chunk_) return nullptr;
  }
  char* taken = free_.at;
  free_.at += bytes;
  return taken;
}

std::vector<std::shared_ptr<const column::Buffer>> Arena::give() {
  if (chunk_ && free_.at > begin_) full_.push_back(chunk_);
  chunk_ = nullptr;
  begin_ = nullptr;
  free_ = {};
  return std::exchange(full_, {});
}

void Arena::reuse() {
  full_.clear();
  free_.at = begin_;
}

}  // namespace couler::jit

#include "runtime/column/buffer.h"

#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

namespace couler::column {

namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kSlack = 64;

}  // namespace

std::shared_ptr<Buffer> Buffer::make(std::size_t bytes) {
  if (bytes > PTRDIFF_MAX - kSlack) return nullptr;
  void* memory = ::operator new(bytes + kSlack, std::align_val_t{kAlignment}, std::nothrow);
  if (memory == nullptr) return nullptr;
  std::memset(static_cast<std::byte*>(memory) + bytes, 0, kSlack);
  return wrap(memory, bytes, std::shared_ptr<const void>(memory, [](const void* p) {
                ::operator delete(const_cast<void*>(p), std::align_val_t{kAlignment});
              }));
}

std::shared_ptr<Buffer> Buffer::wrap(const void* data, std::size_t bytes,
                                     std::shared_ptr<const void> owner) {
  auto buffer = std::make_shared<Buffer>();
  buffer->data_ = static_cast<std::byte*>(const_cast<void*>(data));
  buffer->size_ = bytes;
  buffer->owner_ = std::move(owner);
  return buffer;
}

}  // namespace couler::column

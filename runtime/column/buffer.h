#pragma once

#include <cstddef>
#include <memory>

/// Memory of columns.
namespace couler::column {

/// A block of bytes, aligned to 64 and readable (not writable) 64 bytes past its end, so that
/// vectorised loops need no tail. Filled once, then shared and never changed.
class Buffer {
 public:
  /// Null when there is no memory.
  [[nodiscard]] static std::shared_ptr<Buffer> make(std::size_t bytes);
  /// Memory that someone else owns and `owner` keeps: a mapped file, a library's buffer. The 64
  /// bytes after it must be readable, too.
  [[nodiscard]] static std::shared_ptr<Buffer> wrap(const void* data, std::size_t bytes,
                                                    std::shared_ptr<const void> owner);

  [[nodiscard]] std::byte* data() { return data_; }
  [[nodiscard]] const std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  template <class T>
  [[nodiscard]] T* as() {
    return reinterpret_cast<T*>(data_);
  }
  template <class T>
  [[nodiscard]] const T* as() const {
    return reinterpret_cast<const T*>(data_);
  }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::shared_ptr<const void> owner_;
};

}  // namespace couler::column

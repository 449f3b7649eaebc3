#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace couler {

/// Memory that is freed all at once. Objects must need no destructor.
class Arena {
 public:
  Arena() = default;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  template <class T, class... Args>
  T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T), alignof(T))) T{std::forward<Args>(args)...};
  }

  /// Copies `items` into the arena.
  template <class T>
  std::span<T> copy(const std::vector<T>& items) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (items.empty()) return {};
    T* first = static_cast<T*>(allocate(sizeof(T) * items.size(), alignof(T)));
    std::uninitialized_copy(items.begin(), items.end(), first);
    return {first, items.size()};
  }

  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* first = static_cast<char*>(allocate(text.size(), 1));
    std::copy(text.begin(), text.end(), first);
    return {first, text.size()};
  }

  /// Bytes handed out so far.
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  static constexpr std::size_t kBlock = std::size_t{1} << 16;

  void* allocate(std::size_t size, std::size_t align) {
    std::size_t at = (offset_ + align - 1) & ~(align - 1);
    if (blocks_.empty() || at + size > capacity_) {
      capacity_ = std::max(kBlock, size);
      blocks_.push_back(std::make_unique<std::byte[]>(capacity_));  // aligned for max_align_t
      at = 0;
    }
    offset_ = at + size;
    used_ += size;
    return blocks_.back().get() + at;
  }

  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::size_t offset_ = 0;
  std::size_t capacity_ = 0;
  std::size_t used_ = 0;
};

}  // namespace couler

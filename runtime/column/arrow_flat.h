#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

/// Reading of flatbuffers that may be damaged: each access is checked against the bytes there are.
namespace couler::column::arrow {

class FlatTable;

/// A vector of a flatbuffer. Empty where it is absent or damaged.
class FlatVector {
 public:
  FlatVector() = default;
  FlatVector(std::string_view bytes, std::size_t at, std::size_t count)
      : bytes_(bytes), at_(at), count_(count) {}
  [[nodiscard]] std::size_t size() const { return count_; }
  /// Element i, as a table.
  [[nodiscard]] std::optional<FlatTable> table(std::size_t i) const;
  /// Element i, as a struct; pre: the vector was asked for with its size.
  template <class T>
  [[nodiscard]] T get(std::size_t i) const {
    T value{};
    std::memcpy(&value, bytes_.data() + at_ + i * sizeof(T), sizeof(T));
    return value;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  std::size_t count_ = 0;
};

class FlatTable {
 public:
  [[nodiscard]] static std::optional<FlatTable> root(std::string_view bytes) {
    return FlatTable::at(bytes, 0);
  }
  /// The table that the offset at `place` leads to.
  [[nodiscard]] static std::optional<FlatTable> at(std::string_view bytes, std::size_t place) {
    const std::optional<std::size_t> start = follow(bytes, place);
    if (!start) return std::nullopt;
    const auto back = load<std::int32_t>(bytes, *start);
    if (!back) return std::nullopt;
    const std::int64_t vtable = static_cast<std::int64_t>(*start) - *back;
    if (vtable < 0 || vtable + 4 > static_cast<std::int64_t>(bytes.size())) return std::nullopt;
    const auto size = load<std::uint16_t>(bytes, static_cast<std::size_t>(vtable));
    if (!size || *size < 4 || static_cast<std::size_t>(vtable) + *size > bytes.size()) {
      return std::nullopt;
    }
    return FlatTable(bytes, *start, static_cast<std::size_t>(vtable), *size);
  }

  [[nodiscard]] bool has(int field) const { return place(field) != 0; }
  template <class T>
  [[nodiscard]] T get(int field, T otherwise) const {
    const std::size_t there = place(field);
    return there == 0 ? otherwise : load<T>(bytes_, there).value_or(otherwise);
  }
  [[nodiscard]] std::optional<FlatTable> table(int field) const {
    const std::size_t there = place(field);
    return there == 0 ? std::nullopt : at(bytes_, there);
  }
  /// Of elements of `width` bytes: 4 for tables.
  [[nodiscard]] FlatVector vector(int field, std::size_t width) const {
    const std::size_t there = place(field);
    if (there == 0) return {};
    const std::optional<std::size_t> start = follow(bytes_, there);
    const auto count = start ? load<std::uint32_t>(bytes_, *start) : std::nullopt;
    if (!count || (bytes_.size() - *start - 4) / width < *count) return {};
    return {bytes_, *start + 4, *count};
  }
  [[nodiscard]] std::string_view string(int field) const {
    const std::size_t there = place(field);
    if (there == 0) return {};
    const std::optional<std::size_t> start = follow(bytes_, there);
    const auto count = start ? load<std::uint32_t>(bytes_, *start) : std::nullopt;
    if (!count || bytes_.size() - *start - 4 < *count) return {};
    return bytes_.substr(*start + 4, *count);
  }

 private:
  FlatTable(std::string_view bytes, std::size_t start, std::size_t vtable, std::size_t size)
      : bytes_(bytes), start_(start), vtable_(vtable), vtableSize_(size) {}
  template <class T>
  static std::optional<T> load(std::string_view bytes, std::size_t at) {
    if (at > bytes.size() || bytes.size() - at < sizeof(T)) return std::nullopt;
    T value{};
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    return value;
  }
  static std::optional<std::size_t> follow(std::string_view bytes, std::size_t at) {
    const auto offset = load<std::uint32_t>(bytes, at);
    if (!offset || *offset == 0 || bytes.size() - at <= *offset) return std::nullopt;
    return at + *offset;
  }
  /// Where the value of a field lies; 0: absent.
  [[nodiscard]] std::size_t place(int field) const {
    const std::size_t entry = 4 + 2 * static_cast<std::size_t>(field);
    if (entry + 2 > vtableSize_) return 0;
    const auto offset = load<std::uint16_t>(bytes_, vtable_ + entry);
    return !offset || *offset == 0 ? 0 : start_ + *offset;
  }

  std::string_view bytes_;
  std::size_t start_;
  std::size_t vtable_;
  std::size_t vtableSize_;
};

inline std::optional<FlatTable> FlatVector::table(std::size_t i) const {
  return i < count_ ? FlatTable::at(bytes_, at_ + 4 * i) : std::nullopt;
}

}  // namespace couler::column::arrow

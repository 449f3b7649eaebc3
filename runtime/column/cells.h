#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "ir/value.h"
#include "runtime/column/batch.h"

/// The text of one cell as a value of its column.
namespace couler::column {

enum class CellStatus : std::uint8_t { Ok, NotOfType, OutOfRange, NotACase };

/// The cases of an enum by name.
class CaseIndex {
 public:
  explicit CaseIndex(const std::vector<std::string>& cases);
  /// Index of the case, or -1. `text` is readable 8 bytes from its start.
  [[nodiscard]] std::int32_t find(std::string_view text) const {
    const std::uint64_t head = headOf(text);
    for (std::int32_t at = first_[slotOf(head, text.size())]; at >= 0;) {
      const Case& found = cases_[static_cast<std::size_t>(at)];
      if (found.head == head && found.name == text) return at;
      at = found.next;
    }
    return -1;
  }

 private:
  struct Case {
    std::uint64_t head;
    std::string name;
    std::int32_t next;
  };
  static constexpr std::size_t kSlots = 256;
  static std::uint64_t headOf(std::string_view text) {
    std::uint64_t head = 0;
    if (text.empty()) return 0;
    std::memcpy(&head, text.data(), sizeof head);
    return text.size() >= 8 ? head : head & ((std::uint64_t{1} << (8 * text.size())) - 1);
  }
  static std::size_t slotOf(std::uint64_t head, std::size_t size) {
    return static_cast<std::size_t>(((head ^ size) * 0x9E3779B97F4A7C15U) >> 56U);
  }
  std::vector<Case> cases_;
  std::array<std::int32_t, kSlots> first_;
};

// The plain forms that most cells have. Each needs 16 readable bytes from `p`, and false means that
// the text may still be a value: the read functions below decide.
[[nodiscard]] bool plainTimestamp(const char* p, std::size_t size, std::int64_t& out);

namespace detail {

inline constexpr std::uint64_t kZeros = 0x3030303030303030U;

inline std::uint64_t load8(const char* p) {
  std::uint64_t word = 0;
  std::memcpy(&word, p, sizeof word);
  return word;
}
/// Eight bytes of 0 to 9, the first in the lowest: their decimal value; false if one is not.
inline bool decimal8(std::uint64_t word, std::uint64_t& out) {
  if (((word | (word + 0x7676767676767676U)) & 0x8080808080808080U) != 0) return false;
  word = word * 10 + (word >> 8U);  // pairs, in every other byte
  out = ((word & 0x000000FF000000FFU) * 0x000F424000000064U +
         ((word >> 16U) & 0x000000FF000000FFU) * 0x0000271000000001U) >>
        32U;
  return true;
}
/// The `size` (1 to 8) digits at `p`.
inline bool digits(const char* p, std::size_t size, std::uint64_t& out) {
  return decimal8((load8(p) ^ kZeros) << (64 - 8 * size), out);
}
inline constexpr std::array<double, 17> kPowers = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16};

}  // namespace detail

static_assert(std::endian::native == std::endian::little);

/// Up to 16 digits and a sign.
[[nodiscard]] inline bool plainInt(const char* p, std::size_t size, std::int64_t& out) {
  if (size == 0) return false;
  const bool negative = *p == '-';
  if (negative) {
    ++p;
    --size;
  }
  std::uint64_t low = 0;
  if (size - 1 < 8) {
    if (!detail::digits(p, size, low)) return false;
  } else if (size - 1 < 16) {
    std::uint64_t high = 0;
    if (!detail::digits(p, size - 8, high) || !detail::digits(p + (size - 8), 8, low)) return false;
    low += high * 100'000'000;
  } else {
    return false;
  }
  const auto value = static_cast<std::int64_t>(low);
  out = negative ? -value : value;
  return true;
}

/// Up to 15 digits with a point among them, and a sign. Exact: an integer below 2^53 divided by a
/// power of ten below 10^23 is rounded once (Clinger 1990).
[[nodiscard]] inline bool plainFloat(const char* p, std::size_t size, double& out) {
  if (size == 0) return false;
  const bool negative = *p == '-';
  if (negative) {
    ++p;
    --size;
  }
  constexpr std::uint64_t kPoints = 0x2E2E2E2E2E2E2E2EU;
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHighs = 0x8080808080808080U;
  const auto points = [](std::uint64_t word) {
    word ^= kPoints;
    return (word - kOnes) & ~word & kHighs;  // its lowest bit is right
  };
  std::uint64_t mantissa = 0;
  std::size_t fraction = 0;
  if (size - 1 < 8) {
    std::uint64_t word = detail::load8(p);
    const std::uint64_t found = points(word) & (~std::uint64_t{0} >> (64 - 8 * size));
    if (found != 0) {
      const auto at = static_cast<std::size_t>(std::countr_zero(found)) / 8;
      if (size == 1) return false;
      const std::uint64_t before = (std::uint64_t{1} << (8 * at)) - 1;
      word = (word & before) | ((word >> 8U) & ~before);
      --size;
      fraction = size - at;
    }
    if (!detail::decimal8((word ^ detail::kZeros) << (64 - 8 * size), mantissa)) return false;
  } else if (size - 1 < 16) {
    std::uint64_t low = detail::load8(p);
    std::uint64_t high = detail::load8(p + 8);
    const std::uint64_t inLow = points(low);
    const std::uint64_t inHigh = points(high) & (~std::uint64_t{0} >> (128 - 8 * size));
    if (inLow != 0) {
      const auto at = static_cast<std::size_t>(std::countr_zero(inLow)) / 8;
      const std::uint64_t before = (std::uint64_t{1} << (8 * at)) - 1;
      low = (low & before) | (((low >> 8U) | (high << 56U)) & ~before);
      high >>= 8U;
      --size;
      fraction = size - at;
    } else if (inHigh != 0) {
      const auto at = static_cast<std::size_t>(std::countr_zero(inHigh)) / 8;
      const std::uint64_t before = (std::uint64_t{1} << (8 * at)) - 1;
      high = (high & before) | ((high >> 8U) & ~before);
      --size;
      fraction = size - at - 8;
    }
    if (size > 15) return false;
    low ^= detail::kZeros;
    high ^= detail::kZeros;
    std::uint64_t last = 0;
    if (size > 8) {  // move the digits up against the end of the sixteen bytes
      const std::size_t shift = 128 - 8 * size;
      last = shift == 0 ? high : (high << shift) | (low >> (64 - shift));
      low <<= shift;
    } else {
      last = low;
      low = 0;
    }
    std::uint64_t tail = 0;
    if (!detail::decimal8(low, mantissa) || !detail::decimal8(last, tail)) return false;
    mantissa = mantissa * 100'000'000 + tail;
  } else {
    return false;
  }
  const double value = static_cast<double>(mantissa) / detail::kPowers[fraction];
  out = negative ? -value : value;
  return true;
}

// Every form.
[[nodiscard]] CellStatus readBool(std::string_view text, std::uint8_t& out);
[[nodiscard]] CellStatus readInt(std::string_view text, std::int64_t& out);
[[nodiscard]] CellStatus readFloat(std::string_view text, double& out);
[[nodiscard]] CellStatus readTimestamp(std::string_view text, std::int64_t& out);
[[nodiscard]] CellStatus readDuration(std::string_view text, std::int64_t& out);
[[nodiscard]] CellStatus readSize(std::string_view text, std::int64_t& out);
/// Whether the text of a column that is not of strings says that there is no value: empty, `NA`,
/// `N/A`, `null`, `NULL`.
[[nodiscard]] bool meansMissing(std::string_view text);

}  // namespace couler::column

#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace couler {

/// Offset of the first byte that is not well-formed UTF-8 (no surrogates, no overlong forms), or
/// nothing. O(bytes).
[[nodiscard]] std::optional<std::size_t> findInvalidUtf8(std::string_view text);

/// Appends a code point, at most U+10FFFF, as UTF-8.
void appendUtf8(std::string& out, char32_t code);

/// A byte of UTF-8 that goes on with a code point, not the first of one.
[[nodiscard]] constexpr bool isUtf8Tail(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}
/// Code points of UTF-8, which for most text are the columns that a person sees. O(bytes).
[[nodiscard]] std::size_t countCodePoints(std::string_view text);
/// Byte offset of code point `n`, or the end. O(bytes before it).
[[nodiscard]] std::size_t codePointOffset(std::string_view text, std::uint64_t n);
/// `text`, or as much of it as makes `most` code points with a `…` behind it.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t most);

/// An ASCII control character, DEL among them.
[[nodiscard]] constexpr bool isControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// The escapes that the language, JSON and the graph's text form have in common: `\n`, `\r`, `\t`,
/// `\"` and `\\`. The letter behind the backslash that stands for `c`; 0: there is none.
[[nodiscard]] constexpr char escapeLetter(char c) {
  switch (c) {
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '"':
    case '\\':
      return c;
    default:
      return 0;
  }
}
/// The way back: what a backslash and `letter` stand for; 0: nothing.
[[nodiscard]] constexpr char unescapeLetter(char letter) {
  for (const char c : {'\n', '\r', '\t', '"', '\\'}) {
    if (escapeLetter(c) == letter) return c;
  }
  return 0;
}

/// The candidate nearest to `word`, where it is near enough to be a slip of the pen:
/// Damerau–Levenshtein distance (optimal string alignment) at most 1 up to 4 letters, 2 up to 8, 3
/// above; equal but for case counts as 1. Ties go to the earlier candidate.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 const std::vector<std::string_view>& candidates);

/// `text` as a JSON string literal, quotes included; non-ASCII stays UTF-8.
[[nodiscard]] std::string jsonQuote(std::string_view text);

/// `3 things`, `1 thing`.
[[nodiscard]] std::string countOf(std::size_t n, std::string_view singular);

/// Seconds as people read them: `340 ms`, `12.3 s`, `4 min 10 s`, `2 h 5 min`.
[[nodiscard]] std::string humanSeconds(double seconds);
/// Bytes in binary units: `512 B`, `1.5 MiB`.
[[nodiscard]] std::string humanBytes(std::uint64_t bytes);

}  // namespace couler

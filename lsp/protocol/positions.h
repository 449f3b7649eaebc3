#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

namespace couler::lsp {

/// A place as the protocol counts: both from 0; `character` in UTF-16 code units, or in bytes where
/// client and server agreed on `utf-8`.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t character = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};
struct Range {
  Position start, end;
};
enum class Encoding : std::uint8_t { Utf16, Utf8 };

/// Where the lines of a text begin; they end with `\n`, `\r\n` or `\r`. Holds no text: it is given
/// the one that it was made of. O(bytes) to make, O(log lines + bytes of a line) to ask.
class Lines {
 public:
  explicit Lines(std::string_view text);
  [[nodiscard]] std::size_t count() const { return starts_.size(); }
  [[nodiscard]] std::uint32_t start(std::uint32_t line) const { return starts_[line]; }
  /// Byte offset of a position. One past the end of a line is its end, without the line break; past
  /// the last line, the end of the text; within a code point, its start.
  [[nodiscard]] std::uint32_t offset(std::string_view text, Position at, Encoding encoding) const;
  [[nodiscard]] Position position(std::string_view text, std::uint32_t offset,
                                  Encoding encoding) const;

 private:
  std::vector<std::uint32_t> starts_;
};

}  // namespace couler::lsp

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace couler::lsp {

/// Pieces of a text as an editor needs them: quick, of any text, however broken. What is right is
/// the parser's business.
struct Piece {
  enum class Kind : std::uint8_t {
    Word,
    Number,
    String,   ///< without its interpolations: `"a {`, `} b"` are two, with the pieces between
    Raw,      ///< `"""…"""`
    Comment,
    Doc,
    Mark  ///< one character, or one of `->`, `|>`, `..`, `...`, `?.`, `??`, `==`, `!=`, `<=`, `>=`, `**`
  };
  Kind kind{};
  bool open = false;  ///< String, Raw: not closed here; a String, because the line ends or it goes on
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  [[nodiscard]] std::string_view in(std::string_view text) const {
    return text.substr(begin, end - begin);
  }
};

/// All pieces of the text up to `to`, in order. O(to).
[[nodiscard]] std::vector<Piece> scan(std::string_view text, std::uint32_t to = 0xffffffffU);

[[nodiscard]] constexpr bool isWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace couler::lsp

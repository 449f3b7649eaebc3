#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Tokens of the text form. Private to ir/.
namespace couler::ir::text {

enum class TokenKind : std::uint8_t {
  End,
  Word,    ///< `step`, `count-2.3`
  Number,  ///< `12`, `-0.5e-7`
  String,  ///< `"…"`, escapes \" \\ \n \r \t \xHH
  Node,    ///< `%12`
  Punct,   ///< one of ( ) { } [ ] < > : , = ?
  Bad      ///< what no token begins with, or a string without its end
};

struct Token {
  TokenKind kind = TokenKind::End;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// Reads one token after the other; white space and `//` comments separate them. O(bytes).
class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}
  Token next();
  [[nodiscard]] std::string_view spelling(const Token& token) const {
    return source_.substr(token.begin, token.end - token.begin);
  }

 private:
  void skipBlank();
  std::string_view source_;
  std::uint32_t at_ = 0;
};

/// The content of a String token; nothing when an escape is wrong.
[[nodiscard]] std::optional<std::string> unquote(std::string_view spelling);
/// Appends `content` as a String token; the inverse of `unquote`, for any bytes.
void appendQuoted(std::string& out, std::string_view content);

}  // namespace couler::ir::text

#include "ir/text_lexer.h"

#include "ir/text_words.h"
#include "support/text.h"

namespace couler::ir::text {

namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

void Lexer::skipBlank() {
  while (at_ < source_.size()) {
    const char c = source_[at_];
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      ++at_;
    } else if (c == '/' && source_.substr(at_, 2) == "//") {
      const std::size_t end = source_.find('\n', at_);
      at_ = static_cast<std::uint32_t>(end == std::string_view::npos ? source_.size() : end);
    } else {
      return;
    }
  }
}

Token Lexer::next() {
  skipBlank();
  Token token{TokenKind::End, at_, at_};
  if (at_ >= source_.size()) return token;
  const auto peek = [&](std::uint32_t ahead) {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  };
  const char first = source_[at_];
  if (isWordStart(first)) {
    token.kind = TokenKind::Word;
    while (isWordPart(peek(0))) ++at_;
  } else if (isDigit(first) || (first == '-' && isDigit(peek(1)))) {
    token.kind = TokenKind::Number;
    ++at_;
    while (isDigit(peek(0)) || peek(0) == '.') ++at_;
    if (peek(0) == 'e') {
      ++at_;
      if (peek(0) == '-' || peek(0) == '+') ++at_;
      while (isDigit(peek(0))) ++at_;
    }
  } else if (first == '%' && isDigit(peek(1))) {
    token.kind = TokenKind::Node;
    ++at_;
    while (isDigit(peek(0))) ++at_;
  } else if (first == '"') {
    token.kind = TokenKind::Bad;
    ++at_;
    while (at_ < source_.size() && source_[at_] != '\n') {
      const char c = source_[at_++];
      if (c == '\\' && at_ < source_.size() && source_[at_] != '\n') ++at_;
      if (c == '"') {
        token.kind = TokenKind::String;
        break;
      }
    }
  } else {
    constexpr std::string_view kPuncts = "(){}[]<>:,=?";
    token.kind = kPuncts.find(first) != std::string_view::npos ? TokenKind::Punct : TokenKind::Bad;
    ++at_;
  }
  token.end = at_;
  return token;
}

std::optional<std::string> unquote(std::string_view spelling) {
  if (spelling.size() < 2) return std::nullopt;
  spelling = spelling.substr(1, spelling.size() - 2);
  std::string content;
  content.reserve(spelling.size());
  for (std::size_t i = 0; i < spelling.size(); ++i) {
    if (spelling[i] != '\\') {
      content += spelling[i];
      continue;
    }
    if (++i == spelling.size()) return std::nullopt;
    if (const char c = unescapeLetter(spelling[i]); c != 0) {
      content += c;
      continue;
    }
    if (spelling[i] != 'x' || i + 2 >= spelling.size()) return std::nullopt;
    const int high = hexDigit(spelling[i + 1]);
    const int low = hexDigit(spelling[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    content += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return content;
}

void appendQuoted(std::string& out, std::string_view content) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : content) {
    if (const char letter = escapeLetter(c); letter != 0) {
      out += '\\';
      out += letter;
    } else if (isControl(c)) {
      const auto byte = static_cast<unsigned char>(c);
      out += "\\x";
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace couler::ir::text

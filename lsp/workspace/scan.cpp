#include "lsp/workspace/scan.h"

#include <algorithm>
#include <array>

namespace couler::lsp {
namespace {

constexpr std::array<std::string_view, 11> kLongMarks = {"...", "->", "|>", "..", "?.", "??",
                                                         "==",  "!=", "<=", ">=", "**"};

class Scanner {
 public:
  Scanner(std::string_view text, std::uint32_t to)
      : text_(text.substr(0, std::min<std::size_t>(to, text.size()))) {}

  std::vector<Piece> run() {
    while (at_ < text_.size()) one();
    return std::move(pieces_);
  }

 private:
  void add(Piece::Kind kind, std::size_t begin, bool open = false) {
    pieces_.push_back(
        {kind, open, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_)});
  }
  [[nodiscard]] bool starts(std::string_view with) const {
    return text_.substr(at_).starts_with(with);
  }

  void one() {
    const std::size_t begin = at_;
    const char c = text_[at_];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at_;
    } else if (starts("//")) {
      const bool doc = starts("///") && !starts("////");
      at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
      add(doc ? Piece::Kind::Doc : Piece::Kind::Comment, begin);
    } else if (starts("\"\"\"")) {
      const std::size_t end = text_.find("\"\"\"", at_ + 3);
      at_ = end == std::string_view::npos ? text_.size() : end + 3;
      add(Piece::Kind::Raw, begin, end == std::string_view::npos);
    } else if (c == '"' || starts("r\"")) {
      const bool regex = c != '"';
      at_ += regex ? 2 : 1;
      string(begin, !regex);
    } else if (c >= '0' && c <= '9') {
      while (at_ < text_.size() &&
             (isWordByte(text_[at_]) || (text_[at_] == '.' && at_ + 1 < text_.size() &&
                                         text_[at_ + 1] >= '0' && text_[at_ + 1] <= '9'))) {
        ++at_;
      }
      add(Piece::Kind::Number, begin);
    } else if (isWordByte(c)) {
      while (at_ < text_.size() && isWordByte(text_[at_])) ++at_;
      add(Piece::Kind::Word, begin);
    } else {
      mark(begin);
    }
  }

  void mark(std::size_t begin) {
    const char c = text_[at_];
    if (c == '}' && !braces_.empty() && braces_.back() == 0) {
      braces_.pop_back();  // the end of an interpolation: the string goes on
      ++at_;
      return string(begin, true);
    }
    if (!braces_.empty() && c == '{') ++braces_.back();
    if (!braces_.empty() && c == '}') --braces_.back();
    at_ += 1;
    for (const std::string_view longer : kLongMarks) {
      if (text_.substr(begin).starts_with(longer)) {
        at_ = begin + longer.size();
        break;
      }
    }
    add(Piece::Kind::Mark, begin);
  }

  /// From behind the quote, or the brace, up to the next interpolation or the end.
  void string(std::size_t begin, bool interpolates) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n' || c == '\r') break;
      ++at_;
      if (c == '"') return add(Piece::Kind::String, begin);
      if (c == '\\' && at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') {
        at_ += starts("u{") ? 2 : 1;  // the brace of `\u{1F600}` begins no interpolation
      }
      if (c == '{' && interpolates) {
        braces_.push_back(0);
        return add(Piece::Kind::String, begin);
      }
    }
    add(Piece::Kind::String, begin, true);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::uint32_t> braces_;  // by open interpolation: braces open in it
  std::vector<Piece> pieces_;
};

}  // namespace

std::vector<Piece> scan(std::string_view text, std::uint32_t to) { return Scanner(text, to).run(); }

}  // namespace couler::lsp

#include "lsp/workspace/script_scan.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "lsp/workspace/scan.h"

namespace couler::lsp {
namespace {

using Kind = ScriptPiece::Kind;

constexpr std::array<std::string_view, 35> kPythonWords = {
    "False",  "None",   "True",  "and",    "as",   "assert", "async",  "await",    "break",
    "class",  "continue", "def", "del",    "elif", "else",   "except", "finally",  "for",
    "from",   "global", "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
    "or",     "pass",   "raise", "return", "try",  "while",  "with",   "yield"};
constexpr std::array<std::string_view, 16> kShellWords = {
    "if", "then", "else", "elif", "fi", "for", "while", "until",
    "do", "done", "case", "esac", "in", "return", "exit", "export"};

template <class Words>
bool isOne(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}
bool isDigit(char c) { return c >= '0' && c <= '9'; }

class ScriptScanner {
 public:
  explicit ScriptScanner(std::string_view text) : text_(text) {}
  std::vector<ScriptPiece> take() { return std::move(pieces_); }

 protected:
  [[nodiscard]] bool more() const { return at_ < text_.size(); }
  [[nodiscard]] bool starts(std::string_view with) const {
    return text_.substr(at_).starts_with(with);
  }
  [[nodiscard]] char before(std::size_t at) const { return at == 0 ? '\n' : text_[at - 1]; }
  void add(Kind kind, std::size_t begin) {
    if (at_ > begin)
      pieces_.push_back({kind, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_)});
  }
  void comment() {
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
    add(Kind::Comment, begin);
  }
  std::string_view word() {
    const std::size_t begin = at_;
    while (more() && isWordByte(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  void number() {
    const std::size_t begin = at_;
    while (more() && (isWordByte(text_[at_]) || text_[at_] == '.')) ++at_;
    add(Kind::Number, begin);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<ScriptPiece> pieces_;
};

class PythonScanner : public ScriptScanner {
 public:
  using ScriptScanner::ScriptScanner;

  void run() { code('\0'); }

 private:
  static constexpr int kDeepest = 8;  // interpolations within interpolations

  /// Up to `close` outside of brackets, which stays; `\0`: to the end.
  void code(char close) {
    std::size_t depth = 0;
    std::size_t params = 0;  // depth of the parentheses behind `def`; 0: not in them
    while (more()) {
      const char c = text_[at_];
      if (close != '\0' && depth == 0 && c == close) return;
      if (c == '#' && close == '\0') {
        comment();
      } else if (c == '"' || c == '\'') {
        string(at_, "");
      } else if (isDigit(c)) {
        number();
      } else if (isWordByte(c)) {
        name(depth > 0 && depth != params);
      } else {
        if (c == '(' || c == '[' || c == '{') ++depth;
        if (c == '(' && std::exchange(defines_, false)) params = depth;
        if ((c == ')' || c == ']' || c == '}') && depth > 0 && depth-- == params) params = 0;
        ++at_;
      }
    }
  }

  /// `inCall`: where `name=` is the name of an argument.
  void name(bool inCall) {
    const std::size_t begin = at_;
    const std::string_view found = word();
    const bool quoted = more() && (text_[at_] == '"' || text_[at_] == '\'');
    if (quoted && found.size() <= 2 &&
        found.find_first_not_of("rRbBfFuU") == std::string_view::npos) {
      return string(begin, found);
    }
    if (isOne(kPythonWords, found)) {
      defines_ = found == "def";
      return add(Kind::Keyword, begin);
    }
    if (before(begin) == '.') return;  // a member
    if (inCall) {
      const std::size_t next = text_.find_first_not_of(" \t", at_);
      if (next != std::string_view::npos && text_[next] == '=' &&
          text_.substr(next + 1, 1) != "=")
        return;
    }
    add(Kind::Name, begin);
  }

  /// From its quote, or the first of its letters, which begin at `begin`.
  void string(std::size_t begin, std::string_view letters) {
    const bool raw = letters.find_first_of("rR") != std::string_view::npos;
    const bool interpolates = letters.find_first_of("fF") != std::string_view::npos;
    const char quote = text_[at_];
    const std::string end(starts(std::string(3, quote)) ? 3 : 1, quote);
    at_ += end.size();
    while (more()) {
      const char c = text_[at_];
      if (starts(end)) {
        at_ += end.size();
        break;
      }
      if (end.size() == 1 && c == '\n') break;  // open
      if (c == '\\' && !raw && at_ + 1 < text_.size()) {
        at_ += 2;
      } else if (interpolates && (starts("{{") || starts("}}"))) {
        at_ += 2;
      } else if (interpolates && c == '{' && deep_ < kDeepest) {
        ++at_;
        add(Kind::String, begin);
        ++deep_;
        code('}');
        --deep_;
        begin = at_;
      } else {
        ++at_;
      }
    }
    add(Kind::String, begin);
  }

  int deep_ = 0;
  bool defines_ = false;  // between `def` and its parentheses
};

class ShellScanner : public ScriptScanner {
 public:
  using ScriptScanner::ScriptScanner;

  void run() {
    while (more()) {
      const char c = text_[at_];
      if (c == '#' && (at_ == 0 || std::string_view(" \t\n;(").find(before(at_)) != std::string_view::npos)) {
        comment();
      } else if (c == '\\') {
        at_ = std::min(at_ + 2, text_.size());
      } else if (c == '\'') {
        const std::size_t begin = at_;
        const std::size_t end = text_.find('\'', at_ + 1);
        at_ = end == std::string_view::npos ? text_.size() : end + 1;
        add(Kind::String, begin);
      } else if (c == '"') {
        quoted();
      } else if (c == '$') {
        variable();
      } else if (starts("((")) {
        arithmetic();
      } else if (starts("<<")) {
        document();
      } else if (c == '\n') {
        ++at_;
        bodies();
      } else if (isWordByte(c)) {
        plain();
      } else {
        ++at_;
      }
    }
  }

 private:
  /// `$name`, `${name…}`, `$((…))`; what stands in `$(…)` is read on as it comes.
  void variable() {
    ++at_;
    if (starts("((") && deep_ < kDeepest) {
      ++deep_;
      arithmetic();
      --deep_;
      return;
    }
    const bool braces = starts("{");
    if (braces) ++at_;
    if (braces && starts("#")) ++at_;  // its length
    if (!more() || !isWordByte(text_[at_]) || isDigit(text_[at_])) return;
    const std::size_t begin = at_;
    (void)word();
    add(Kind::Name, begin);
  }

  void arithmetic() {
    at_ += 2;
    while (more() && !starts("))")) {
      if (text_[at_] == '$') {
        variable();
      } else if (isDigit(text_[at_])) {
        number();
      } else if (isWordByte(text_[at_])) {
        const std::size_t begin = at_;
        (void)word();
        add(Kind::Name, begin);
      } else {
        ++at_;
      }
    }
    at_ = std::min(at_ + 2, text_.size());
  }

  void quoted() {
    std::size_t begin = at_++;
    while (more() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        at_ = std::min(at_ + 2, text_.size());
      } else if (text_[at_] == '$') {
        add(Kind::String, begin);
        variable();
        begin = at_;
      } else {
        ++at_;
      }
    }
    if (more()) ++at_;
    add(Kind::String, begin);
  }

  /// A word outside of quotes: `name=`, one behind `for` or `read`, a word of the shell's.
  void plain() {
    const std::size_t begin = at_;
    const bool first = std::string_view(" \t\n;|&({`").find(before(begin)) != std::string_view::npos;
    const std::string_view found = word();
    const bool number = !found.empty() && isDigit(found[0]);
    const bool set = first && (starts("=") || starts("+="));
    const bool named = previous_ == "for" || previous_ == "read" || previous_ == "export";
    const bool ends = !more() || std::string_view(" \t\n;|&)").find(text_[at_]) != std::string_view::npos;
    if (number) {
      if (first && ends) add(Kind::Number, begin);
    } else if (set || named) {
      add(Kind::Name, begin);
    } else if (first && ends && isOne(kShellWords, found)) {
      add(Kind::Keyword, begin);
    }
    previous_ = found;
  }

  /// `<<END`: the lines behind this one, up to END, are text.
  void document() {
    at_ += 2;
    if (starts("<")) {  // `<<<`
      ++at_;
      return;
    }
    if (starts("-")) ++at_;
    while (more() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    const bool literal = more() && (text_[at_] == '\'' || text_[at_] == '"' || text_[at_] == '\\');
    if (literal) ++at_;
    const std::string_view end = word();
    if (literal && more() && (text_[at_] == '\'' || text_[at_] == '"')) ++at_;
    if (!end.empty()) documents_.push_back({end, literal});
  }
  void bodies() {
    for (const Document& one : std::exchange(documents_, {})) {
      std::size_t begin = at_;
      while (more()) {
        const std::size_t newline = std::min(text_.find('\n', at_), text_.size());
        std::string_view line = text_.substr(at_, newline - at_);
        const std::size_t indent = std::min(line.find_first_not_of(" \t"), line.size());
        if (line.substr(indent) == one.end) break;
        while (at_ < newline) {
          if (text_[at_] == '$' && !one.literal) {
            add(Kind::String, begin);
            variable();
            begin = at_;
          } else {
            ++at_;
          }
        }
        if (more()) ++at_;
      }
      add(Kind::String, begin);
      at_ = std::min(text_.find('\n', at_), text_.size());
    }
  }

  struct Document {
    std::string_view end;
    bool literal;
  };
  static constexpr int kDeepest = 8;  // arithmetic within arithmetic
  std::vector<Document> documents_;
  std::string_view previous_;
  int deep_ = 0;
};

}  // namespace

std::vector<ScriptPiece> scanScript(syntax::RunKind language, std::string_view text) {
  if (language == syntax::RunKind::Python) {
    PythonScanner scanner(text);
    scanner.run();
    return scanner.take();
  }
  ShellScanner scanner(text);
  scanner.run();
  return scanner.take();
}

}  // namespace couler::lsp

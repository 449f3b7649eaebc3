#include "frontend/parse/brackets.h"

#include <algorithm>
#include <string>

#include <antlr4-runtime.h>

#include "frontend/parse/words.h"
#include "grammar/CoulerLexer.h"

namespace couler::parse {
namespace {

using L = grammar::CoulerLexer;

bool matches(std::uint16_t opener, std::uint16_t closer) {
  return (opener == L::OpOpenParen && closer == L::OpCloseParen) ||
         (opener == L::OpOpenSquare && closer == L::OpCloseSquare) ||
         ((opener == L::OpOpenBrace || opener == L::InterpOpen) && closer == L::OpCloseBrace);
}

bool isBrace(std::uint16_t type) { return type == L::OpOpenBrace || type == L::InterpOpen; }

bool balanced(const std::vector<Tok>& tokens) {
  std::vector<std::uint16_t> open;
  for (const Tok& t : tokens) {
    if (isOpener(t.type)) {
      open.push_back(t.type);
    } else if (isCloser(t.type)) {
      if (open.empty() || !matches(open.back(), t.type)) return false;
      open.pop_back();
    } else if (t.newline &&
               (t.type == L::KwLet || t.type == L::KwReturn || t.type == L::KwFinally) &&
               !open.empty() && !isBrace(open.back())) {
      return false;
    }
  }
  return open.empty();
}

/// Columns of white space before the first token of the line that `at` is in.
std::uint32_t indentOf(std::string_view text, std::uint32_t at) {
  std::size_t start = at;
  while (start > 0 && text[start - 1] != '\n') --start;
  std::size_t end = start;
  while (end < text.size() && (text[end] == ' ' || text[end] == '\t')) ++end;
  return static_cast<std::uint32_t>(end - start);
}

class Matcher {
 public:
  Matcher(const std::vector<Tok>& tokens, std::string_view text, bool byIndent)
      : tokens_(tokens), text_(text), byIndent_(byIndent) {
    faults_.unclosed.assign(tokens.size(), false);
    faults_.stray.assign(tokens.size(), false);
    faults_.latest.assign(tokens.size(), static_cast<std::uint32_t>(tokens.size()));
  }

  BracketFaults run() {
    for (std::uint32_t i = 0; i < tokens_.size(); ++i) {
      const Tok& t = tokens_[i];
      if (isOpener(t.type)) {
        open_.push_back(i);
      } else if (isCloser(t.type)) {
        close(i);
      } else if (t.newline &&
                 (t.type == L::KwLet || t.type == L::KwReturn || t.type == L::KwFinally)) {
        while (!open_.empty() && !isBrace(tokens_[open_.back()].type)) dropTop(i);
      }
    }
    braceLeft_ = std::any_of(open_.begin(), open_.end(),
                             [&](std::uint32_t at) { return tokens_[at].type == L::OpOpenBrace; });
    while (!open_.empty()) dropTop(static_cast<std::uint32_t>(tokens_.size()));
    return std::move(faults_);
  }
  [[nodiscard]] bool braceLeft() const { return braceLeft_; }

 private:
  void dropTop(std::uint32_t before) {
    faults_.unclosed[open_.back()] = true;
    faults_.latest[open_.back()] = before;
    open_.pop_back();
  }

  void close(std::uint32_t i) {
    const Tok& t = tokens_[i];
    if (byIndent_ && t.type == L::OpCloseBrace && t.newline) closeDeeper(i);
    for (std::size_t depth = open_.size(); depth-- > 0;) {
      const std::uint16_t opener = tokens_[open_[depth]].type;
      if (matches(opener, t.type)) {
        while (open_.size() > depth + 1) dropTop(i);
        open_.pop_back();
        return;
      }
      // A parenthesis is not looked for beyond the braces it stands in.
      if (isBrace(opener) && t.type != L::OpCloseBrace) break;
    }
    faults_.stray[i] = true;
  }

  /// A `}` that stands further left than the line of the innermost `{` belongs to an outer one.
  void closeDeeper(std::uint32_t i) {
    const std::uint32_t indent = indentOf(text_, tokens_[i].begin);
    const bool outer = std::any_of(open_.begin(), open_.end(), [&](std::uint32_t at) {
      return isBrace(tokens_[at].type) && indentOf(text_, tokens_[at].begin) == indent;
    });
    if (!outer) return;
    while (!open_.empty() && !(isBrace(tokens_[open_.back()].type) &&
                               indentOf(text_, tokens_[open_.back()].begin) <= indent)) {
      dropTop(i);
    }
  }

  const std::vector<Tok>& tokens_;
  std::string_view text_;
  bool byIndent_;
  std::vector<std::uint32_t> open_;
  BracketFaults faults_;
  bool braceLeft_ = false;
};

std::string_view mateOf(std::uint16_t opener) {
  return opener == L::OpOpenParen ? ")" : opener == L::OpOpenSquare ? "]" : "}";
}

}  // namespace

BracketFaults matchBrackets(const std::vector<Tok>& tokens, ErrorLog& log) {
  if (balanced(tokens)) return {};
  Matcher plain(tokens, log.text(), false);
  BracketFaults faults = plain.run();
  if (plain.braceLeft()) faults = Matcher(tokens, log.text(), true).run();
  const std::string_view text = log.text();
  for (std::uint32_t i = 0; i < tokens.size(); ++i) {
    const Tok& t = tokens[i];
    const Span at = log.span(t.begin, t.end);
    if (faults.unclosed[i]) {
      Diagnostic d = diagnose<Diag::UnclosedBracket>(at, text.substr(t.begin, t.end - t.begin));
      const std::uint32_t end = faults.latest[i];
      if (end > i + 1) {
        const Tok& last = tokens[end - 1];
        d.label(log.span(last.end, last.end), fmt::format("`{}` expected by here", mateOf(t.type)));
      }
      log.report(std::move(d));
    } else if (faults.stray[i]) {
      log.report(diagnose<Diag::UnmatchedBracket>(at, text.substr(t.begin, t.end - t.begin))
                     .fix("delete it", at, ""));
    }
  }
  return faults;
}

}  // namespace couler::parse

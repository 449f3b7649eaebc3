#include <string>
#include <utility>

#include <antlr4-runtime.h>

#include "frontend/parse/layout_internal.h"
#include "grammar/CoulerLexer.h"
#include "support/text.h"

namespace couler::parse {

using L = grammar::CoulerLexer;

namespace {

bool isJoinWord(std::uint16_t type) {
  return type == L::KwLeft || type == L::KwSemi || type == L::KwAnti;
}

}  // namespace

void Layout::retag(Tok& t) {
  if (isReservedWord(t.type)) {
    if (prev() == L::OpDot || prev() == L::OpQuestionDot) t.type = L::Ident;
    return;
  }
  if (t.type != L::Ident || prev() == L::OpDot || prev() == L::OpQuestionDot) return;
  if (prev() == L::LitInt || prev() == L::LitFloat) {
    if (!t.newline && isUnit(text(t)) && rawType(1) != L::OpColon) {
      t.type = L::Unit;
      return;
    }
  }
  const Open& o = top();
  if (isBracePlace(o.place) && atItemStart()) {
    t.type = itemWord(t);
  } else if (endsOperand(prev()) || prev() == L::OpGreater || prev() == L::OpQuestion) {
    t.type = infixWord(t);
  } else if (prev() == L::KwRun && sameLine(1) && isPlainOperand(rawType(1))) {
    t.type = scriptWord(t);
  } else if ((prev() == L::KwGroup || prev() == L::KwOrder) && text(t) == "by") {
    t.type = L::KwBy;
  } else if (isJoinWord(prev()) && text(t) == "join") {
    t.type = L::KwJoin;
  } else if (prev() == L::KwPrior && text(t) == "from") {
    t.type = L::KwFrom;
  }
  if (t.type == L::Ident && text(t) == "tune" && rawType(1) == L::Ident && sameLine(1)) {
    t.type = L::KwTune;
  }
}

std::uint16_t Layout::itemWord(Tok& t) {
  const std::string_view word = text(t);
  const std::uint16_t after = rawType(1);
  const auto from = [&](std::span<const Word> table) -> std::uint16_t {
    const std::uint16_t type = find(table, word);
    return type != 0 ? type : misspelledItem(t, table);
  };
  switch (top().place) {
    case Place::Task:
      return from(taskWords());
    case Place::Transform:
      return after == L::OpAssign ? std::uint16_t{L::Ident} : from(transformWords());
    case Place::Labeler: {
      static constexpr Word kVote[] = {{"vote", L::KwVote}};
      return from(kVote);
    }
    case Place::Test:
      if (word == "expect") return L::KwExpect;
      return blockWord(t);
    case Place::Block:
      return blockWord(t);
    default:
      return L::Ident;
  }
}

std::uint16_t Layout::misspelled(Tok& first) {
  const std::string_view word = text(first);
  if ((word == "def" || word == "function" || word == "func" || word == "fun") &&
      rawType(1) == L::Ident) {
    log_.report(
        diagnose<Diag::ForeignFunction>(span(first), word).fix("write `fn`", span(first), "fn"));
    first.repaired = true;
    return L::KwFn;
  }
  const auto near = nearest(word, texts(declarationWords()));
  if (!near) return 0;
  log_.report(diagnose<Diag::MisspelledWord>(span(first), word, *near)
                  .fix(fmt::format("write `{}`", *near), span(first), *near));
  first.repaired = true;
  return find(declarationWords(), *near);
}

std::uint16_t Layout::misspelledItem(Tok& t, std::span<const Word> table) {
  const auto near = nearest(text(t), texts(table));
  if (!near) return L::Ident;
  log_.report(diagnose<Diag::MisspelledWord>(span(t), text(t), *near)
                  .fix(fmt::format("write `{}`", *near), span(t), *near));
  t.repaired = true;
  return find(table, *near);
}

/// At the start of a statement: an assignment, or a misspelled word, or a plain name.
std::uint16_t Layout::blockWord(Tok& t) {
  const std::string_view word = text(t);
  if (rawType(1) == L::OpAssign || rawType(1) == L::SlipColonEqual) {
    Diagnostic d = diagnose<Diag::AssignWithoutLet>(span(t), word);
    if (!declaredBefore(word)) {
      d.fix("write `let`", log_.span(t.begin, t.begin), "let ");
    } else {
      d.note("a value is named once: give the new one a name of its own");
    }
    log_.report(std::move(d));
    Tok let{t.begin, t.begin, L::KwLet, t.newline, true};
    emit(let);
    top().item = L::KwLet;
    t.newline = false;
    return L::Ident;
  }
  if (!sameLine(1)) return L::Ident;
  if ((word == "var" || word == "const" || word == "val" || word == "auto") &&
      rawType(1) == L::Ident) {
    log_.report(diagnose<Diag::ForeignLet>(span(t), word).fix("write `let`", span(t), "let"));
    t.repaired = true;
    return L::KwLet;
  }
  const bool spaceBeforeParen = rawType(1) == L::OpOpenParen && raw(1)->begin > t.end;
  if (word == "tune" || (!isPlainOperand(rawType(1)) && !spaceBeforeParen)) return L::Ident;
  std::vector<std::string_view> words = texts(statementWords());
  if (top().place == Place::Test) words.emplace_back("expect");
  const auto near = nearest(word, words);
  // `retrun (a: 1)` looks like a call; it is none when nothing in the file is called that.
  if (!near || (spaceBeforeParen && (*near != "return" || calledInFile(word)))) return L::Ident;
  log_.report(diagnose<Diag::MisspelledWord>(span(t), word, *near)
                  .fix(fmt::format("write `{}`", *near), span(t), *near));
  t.repaired = true;
  return *near == "expect" ? std::uint16_t{L::KwExpect} : find(statementWords(), *near);
}

bool Layout::declaredBefore(std::string_view word) const {
  for (std::size_t i = 0; i < at_; ++i) {
    if (raw_[i].type == L::Ident && text(raw_[i]) == word &&
        ((i > 0 && (raw_[i - 1].type == L::KwLet || raw_[i - 1].type == L::KwFor ||
                    raw_[i - 1].type == L::KwLoop)) ||
         raw_[i + 1].type == L::OpColon)) {
      return true;
    }
  }
  return false;
}

bool Layout::calledInFile(std::string_view word) const {
  const std::string call = std::string(word) + "(";
  return log_.text().find(call) != std::string_view::npos;
}

std::uint16_t Layout::scriptWord(Tok& t) {
  const std::string_view word = text(t);
  if (word == "sh") return L::KwSh;
  if (word == "python") return L::KwPython;
  const bool shell = word == "bash" || word == "shell" || word == "zsh";
  const bool python = word == "python3" || word == "py" || word == "python2";
  Diagnostic d = diagnose<Diag::UnknownScriptLanguage>(span(t), word);
  if (shell || python) {
    const char* ours = shell ? "sh" : "python";
    d.fix(fmt::format("write `{}`", ours), span(t), ours);
  }
  log_.report(std::move(d));
  t.repaired = true;
  return shell ? L::KwSh : L::KwPython;
}

bool Layout::beginsPrior(const Tok& t) const {
  return text(t) == "prior" && rawType(1) == L::Ident && sameLine(1);
}

/// After an operand a name can only be one of these words.
std::uint16_t Layout::infixWord(const Tok& t) {
  Open& o = top();
  const std::string_view word = text(t);
  if (o.loops > 0 && word == "max") return L::KwMax;
  if (o.tune) {
    if (word == "maximize") return L::KwMaximize;
    if (word == "minimize") return L::KwMinimize;
    if (word == "using") return L::KwUsing;
    if (beginsPrior(t)) return L::KwPrior;
  }
  switch (o.place) {
    case Place::Top:
    case Place::Imports:
      if (word == "as" && decl_ == L::KwImport) return L::KwAs;
      break;
    case Place::Labeler:
      if (word == "when" && prev(1) == L::KwVote) return L::KwWhen;
      if (word == "as") return L::KwAs;
      break;
    case Place::Schema:
      if (word == "where" && !o.where) return L::KwWhere;
      if (word == "from" && !o.where && rawType(1) == L::LitString) return L::KwFrom;
      break;
    case Place::Transform:
      if (word == "without" && o.item == L::OpSpread) return L::KwWithout;
      if (word == "on" && (o.item == L::KwJoin || isJoinWord(o.item))) return L::KwOn;
      if (word == "asc" && o.item == L::KwOrder) return L::KwAsc;
      if (word == "desc" && o.item == L::KwOrder) return L::KwDesc;
      break;
    default:
      break;
  }
  return L::Ident;
}

}  // namespace couler::parse

#include <string>
#include <utility>

#include <antlr4-runtime.h>

#include "frontend/parse/layout_internal.h"
#include "grammar/CoulerLexer.h"
#include "support/text.h"

namespace couler::parse {

using L = grammar::CoulerLexer;

void Layout::place(Tok t) {
  Open& o = top();
  if (o.item == 0 || atItemStart()) o.item = t.type;
  switch (t.type) {
    case L::OpOpenParen:
    case L::OpOpenSquare:
    case L::OpOpenBrace:
    case L::InterpOpen:
      open(t);
      return;
    case L::OpCloseParen:
    case L::OpCloseSquare:
    case L::OpCloseBrace:
      close(t);
      return;
    case L::OpAssign:
      assign(t);
      return;
    case L::OpComma:
      emitAs(t, o.after ? L::AfterComma : L::OpComma);
      return;
    case L::OpLess:
      emitAs(t, beginsTypeArgument() ? L::TypeOpen : L::OpLess);
      return;
    case L::SlipAnd:
      foreign(t, L::KwAnd, "and");
      return;
    case L::SlipOr:
      foreign(t, L::KwOr, "or");
      return;
    case L::SlipNot:
      foreign(t, L::KwNot, "not ");
      return;
    case L::SlipColonEqual:
      log_.report(diagnose<Diag::ColonEquals>(span(t)).fix("write `=`", span(t), "="));
      emitAs(t, L::OpAssign);
      return;
    case L::KwIf:
    case L::KwUntil:
    case L::KwWhere:
    case L::KwWhen:
    case L::KwExpect:
      o.condition = true;
      if (t.type == L::KwWhere) o.where = true;
      if (t.type != L::KwIf || !missingComma(t)) emit(t);
      return;
    case L::KwLoop:
      ++o.loops;
      break;
    case L::KwMax:
      --o.loops;
      break;
    case L::KwTune:
      o.tune = true;
      break;
    case L::KwAfter:
      o.after = o.place == Place::Block;
      break;
    case L::Ident:
      if (prev() == L::OpCloseBrace && elseWord(t)) return;
      break;
    default:
      break;
  }
  if (isPlainOperand(t.type)) {
    if (t.type == L::Ident && (prev() == L::LitInt || prev() == L::LitFloat) && unknownUnit(t))
      return;
    if (missingComma(t)) return;
  }
  emit(t);
}

void Layout::foreign(Tok t, std::uint16_t type, std::string_view ours) {
  std::string word(ours);
  if (word.back() == ' ') word.pop_back();
  const bool tight = type != L::KwNot && (out_.empty() || out_.back().end == t.begin || !raw(1) ||
                                          raw(1)->begin == t.end);
  Diagnostic d = diagnose<Diag::ForeignOperator>(span(t), text(t), word);
  d.fix(fmt::format("write `{}`", word), span(t), tight ? " " + word + " " : std::string(ours));
  log_.report(std::move(d));
  t.repaired = true;
  emitAs(t, type);
}

void Layout::assign(Tok t) {
  Open& o = top();
  if (o.place == Place::Top) value_ = true;
  if (o.condition && o.place != Place::Params && prev(1) != L::KwLoop) {
    log_.report(diagnose<Diag::AssignInCondition>(span(t)).fix("write `==`", span(t), "=="));
    t.repaired = true;
    emitAs(t, L::OpEqual);
    return;
  }
  const std::uint16_t before = prev(1);
  const bool afterName =
      prev() == L::Ident && (before == L::OpComma || before == L::Term ||
                             before == L::OpOpenParen || out_.size() == bodyStart_ + 1);
  if (afterName &&
      (o.place == Place::Call || o.place == Place::Group || o.place == Place::Settings)) {
    const Tok& name = out_.back();
    log_.report(diagnose<Diag::EqualsAfterName>(span(t), text(name), text(name))
                    .fix("write `:`", log_.span(name.end, t.end), ":"));
    t.repaired = true;
    emitAs(t, L::OpColon);
    return;
  }
  emit(t);
}

/// `read<Comment>(…)`: one type, and a parenthesis at once.
bool Layout::beginsTypeArgument() const {
  if (prev() != L::Ident) return false;
  int depth = 1;
  for (std::size_t ahead = 1; ahead < 24; ++ahead) {
    switch (rawType(ahead)) {
      case L::Ident:
      case L::OpDot:
      case L::OpQuestion:
        break;
      case L::OpLess:
        ++depth;
        break;
      case L::OpGreater:
        if (--depth == 0) {
          return rawType(ahead + 1) == L::OpOpenParen && raw(ahead + 1)->begin == raw(ahead)->end;
        }
        break;
      default:
        return false;
    }
  }
  return false;
}

bool Layout::elseWord(Tok t) {
  const std::string_view word = text(t);
  if (word == "elif" || word == "elseif" || word == "elsif") {
    log_.report(
        diagnose<Diag::ElseIfInOneWord>(span(t), word).fix("write `else if`", span(t), "else if"));
    t.repaired = true;
    emitAs(t, L::KwElse);
    insert(L::KwIf);
    top().condition = true;
    return true;
  }
  if (t.newline || (rawType(1) != L::OpOpenBrace && rawType(1) != L::KwIf)) return false;
  const auto near = nearest(word, {"else"});
  if (!near) return false;
  log_.report(
      diagnose<Diag::MisspelledWord>(span(t), word, *near).fix("write `else`", span(t), "else"));
  t.repaired = true;
  emitAs(t, L::KwElse);
  return true;
}

bool Layout::unknownUnit(const Tok& t) {
  if (t.newline || rawType(1) == L::OpColon || t.type != L::Ident) return false;
  const std::string_view word = text(t);
  const std::vector<std::string_view> units(unitWords().begin(), unitWords().end());
  std::optional<std::string> near = nearest(word, units);
  static constexpr std::pair<std::string_view, std::string_view> kLong[] = {
      {"sec", "s"},      {"secs", "s"},      {"second", "s"}, {"seconds", "s"}, {"mins", "min"},
      {"minute", "min"}, {"minutes", "min"}, {"m", "min"},    {"hour", "h"},    {"hours", "h"},
      {"hr", "h"},       {"hrs", "h"},       {"day", "d"},    {"days", "d"},    {"byte", "B"},
      {"bytes", "B"},    {"Ki", "KiB"},      {"Mi", "MiB"},   {"Gi", "GiB"},    {"Ti", "TiB"},
      {"K", "KiB"},      {"M", "MiB"},       {"G", "GiB"},    {"T", "TiB"},     {"KB", "kB"}};
  for (const auto& [foreignName, ours] : kLong) {
    if (word == foreignName) near = ours;
  }
  if (!near && t.begin != out_.back().end) return false;
  Diagnostic d = diagnose<Diag::UnknownUnit>(span(t), word);
  if (near) d.fix(fmt::format("write `{}`", *near), span(t), *near);
  d.note("durations: us ms s min h d; sizes: B kB MB GB TB KiB MiB GiB TiB");
  log_.report(std::move(d));
  out_.back().type = L::Bad;
  out_.back().end = t.end;
  out_.back().repaired = true;
  return true;
}

/// Two operands in a row inside a list, a call, …: reports, and puts the comma there.
bool Layout::missingComma(const Tok& t) {
  const Place p = top().place;
  const bool braces = p == Place::Settings || p == Place::Enum || p == Place::Imports;
  if (p != Place::Call && p != Place::Square && p != Place::Params && !braces) return false;
  if (braces && t.newline) return false;
  if (p == Place::Call && top().space && t.type == L::KwIf) return false;
  const bool field = t.type == L::Ident && rawType(1) == L::OpColon &&
                     (prev() == L::OpGreater || prev() == L::OpQuestion) && p == Place::Params;
  if (!endsOperand(prev()) && !field) return false;
  if (t.type == L::Bad || prev() == L::Bad || prev() == L::OpCloseBrace) return false;
  if (p == Place::Params && !field && (t.type != L::Ident || rawType(1) != L::OpColon))
    return false;
  const std::uint32_t end = out_.back().end;
  log_.report(diagnose<Diag::MissingComma>(log_.span(end, end), text(t))
                  .fix("insert `,`", log_.span(end, end), ","));
  insert(L::OpComma);
  emit(t);
  return true;
}

}  // namespace couler::parse

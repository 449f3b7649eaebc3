#include "frontend/parse/layout.h"

#include <antlr4-runtime.h>

#include "frontend/parse/layout_internal.h"
#include "grammar/CoulerLexer.h"

namespace couler::parse {

using L = grammar::CoulerLexer;

Slice Layout::run() {
  takeDocs();
  faults_ = matchBrackets(raw_, log_);
  open_.push_back({});
  out_.reserve(raw_.size() + raw_.size() / 8 + 1);
  if (!raw_.empty()) begin();
  for (; at_ < raw_.size(); ++at_) step(raw_[at_]);
  while (open_.size() > 1) closeVirtually();
  for (; doc_ < docsBefore_.size(); ++doc_) {  // before nothing
    slice_.docs.push_back(
        {static_cast<std::uint32_t>(out_.size()), docsBefore_[doc_].second, false});
  }
  const std::uint32_t end = out_.empty() ? 0 : out_.back().end;
  out_.push_back({end, end, kEndOfSlice, true, false});
  slice_.tokens = std::move(out_);
  return std::move(slice_);
}

/// Moves doc comments out of the stream, to the token that follows them.
void Layout::takeDocs() {
  std::vector<Tok> kept;
  kept.reserve(raw_.size());
  DocRun run;
  for (const Tok& t : raw_) {
    if (t.type == L::DocComment) {
      run.lines.push_back(span(t));
      continue;
    }
    kept.push_back(t);
    if (!run.lines.empty()) {
      kept.back().newline = true;
      docsBefore_.emplace_back(static_cast<std::uint32_t>(kept.size() - 1), std::move(run.lines));
      run.lines.clear();
    }
  }
  if (!run.lines.empty()) {
    docsBefore_.emplace_back(static_cast<std::uint32_t>(kept.size()), std::move(run.lines));
  }
  raw_ = std::move(kept);
}

void Layout::begin() {
  Tok& first = raw_[0];
  if (first.type == L::Ident || first.type == L::KwFor || first.type == L::KwIf) {
    const std::string_view word = text(first);
    std::uint16_t type = find(declarationWords(), word);
    if (type == 0 && sameLine(1) && (rawType(1) == L::Ident || rawType(1) == L::LitString)) {
      type = misspelled(first);
    }
    if (type != 0) first.type = type;
  }
  slice_.isDeclaration = find(declarationWords(), text(first)) != 0 || first.repaired;
  std::size_t kind = 0;
  if (first.type == L::KwVolatile && raw_.size() > 1 && text(raw_[1]) == "task") {
    raw_[1].type = L::KwTask;
    kind = 1;
  }
  decl_ = raw_[kind].type;
}

bool Layout::atItemStart() const {
  const std::uint16_t p = prev();
  // Keys of a transform have commas between them, its statements have not.
  const bool comma = p == L::OpComma && open_.back().place != Place::Transform;
  return p == L::Term || comma || out_.size() == bodyStart_;
}

void Layout::step(Tok t) {
  if (doc_ < docsBefore_.size() && docsBefore_[doc_].first == at_) pendingDoc_ = true;
  if (faults_.any()) {
    closeUnclosed(t);
    if (faults_.stray[at_]) return;
  }
  if (t.type == L::OpSemi && isBracePlace(top().place)) {
    pendingTerm_ = true;
    return;
  }
  if (t.newline && isBracePlace(top().place) && !pendingTerm_ && endsItem(t)) pendingTerm_ = true;
  if (pendingTerm_) endItem(t);
  retag(t);
  if (t.type == L::KwIn && prev() == L::OpColon) top().space = true;
  if (t.type == L::OpComma) top().space = false;
  if (pendingDoc_) {
    slice_.docs.push_back(
        {static_cast<std::uint32_t>(out_.size()), docsBefore_[doc_].second, false});
    ++doc_;
    pendingDoc_ = false;
  }
  place(t);
}

/// Whether the newline before `t` ends a statement or item.
bool Layout::endsItem(const Tok& t) {
  const Open& o = top();
  switch (t.type) {
    case L::OpPipe:
    case L::OpDot:
    case L::OpQuestionDot:
    case L::KwElse:
    case L::KwUntil:
    case L::KwAfter:
      return false;
    case L::KwLet:
    case L::KwReturn:
    case L::KwFinally:
      return true;
    case L::Ident: {
      const std::string_view word = text(t);
      if (o.tune && (word == "maximize" || word == "minimize" || word == "using")) return false;
      if (o.tune && beginsPrior(t)) return false;
      if (o.loops > 0 && word == "max" && rawType(1) != L::OpAssign) return false;
      if (o.place == Place::Labeler && (word == "when" || word == "as")) return false;
      if ((word == "elif" || word == "elseif") && prev() == L::OpCloseBrace) return false;
      if ((o.place == Place::Settings || o.place == Place::Schema) && rawType(1) == L::OpColon &&
          prev() != L::OpComma) {
        return true;
      }
      break;
    }
    default:
      break;
  }
  if (prev() == L::OpGreater && o.place == Place::Schema && !o.where) return true;
  return !goesOn(prev());
}

void Layout::endItem(const Tok& t) {
  pendingTerm_ = false;
  Open& o = top();
  o.condition = o.tune = o.after = o.where = false;
  o.loops = 0;
  o.item = 0;
  if (out_.size() == bodyStart_ || prev() == L::Term || t.type == L::OpCloseBrace) return;
  insert(L::Term);
  out_.back().repaired = false;
}

void Layout::closeUnclosed(const Tok& t) {
  while (open_.size() > 1 && top().unclosed) {
    const bool endOfLine = t.newline && !isBracePlace(top().place) && !goesOn(prev());
    if (at_ < top().latest && !endOfLine) break;
    closeVirtually();
  }
}

void Layout::closeVirtually() {
  const std::uint16_t opener = top().opener;
  leave();
  insert(opener == L::OpOpenParen    ? L::OpCloseParen
         : opener == L::OpOpenSquare ? L::OpCloseSquare
         : opener == L::InterpOpen   ? L::InterpClose
                                     : L::OpCloseBrace);
  pendingTerm_ = false;
}

void Layout::open(Tok t) {
  Open o;
  o.opener = t.type;
  o.place = placeOf(t);
  if (o.place == Place::Group) o.condition = top().condition;
  if (t.type == L::OpOpenBrace) top().condition = false;
  if (faults_.any() && faults_.unclosed[at_]) {
    o.unclosed = true;
    o.latest = faults_.latest[at_];
  }
  emit(t);
  open_.push_back(o);
  bodyStart_ = out_.size();
  starts_.push_back(bodyStart_);
}

Place Layout::placeOf(const Tok& t) {
  const Open& o = top();
  switch (t.type) {
    case L::InterpOpen:
      return Place::Interp;
    case L::OpOpenSquare:
      return Place::Square;
    case L::OpOpenParen:
      if (o.place == Place::Top && !value_) return Place::Params;
      if (prev() == L::OpArrow) return Place::Params;
      if ((o.place == Place::Params || o.place == Place::Schema) &&
          (prev() == L::OpColon || prev() == L::OpLess)) {
        return Place::Params;
      }
      return endsOperand(prev()) || prev() == L::OpGreater ? Place::Call : Place::Group;
    default:
      break;
  }
  if (o.place == Place::Top && !value_) {
    switch (decl_) {
      case L::KwTask:
      case L::KwVolatile:
        return Place::Task;
      case L::KwSchema:
        return Place::Schema;
      case L::KwEnum:
        return Place::Enum;
      case L::KwTransform:
        return Place::Transform;
      case L::KwLabeler:
        return Place::Labeler;
      case L::KwTest:
        return Place::Test;
      case L::KwImport:
        return Place::Imports;
      default:
        return Place::Block;
    }
  }
  if (decl_ == L::KwTarget && o.place == Place::Top) return Place::Settings;
  if ((o.place == Place::Task || o.place == Place::Transform) &&
      (o.item == L::KwResources || o.item == L::KwEnv || o.item == L::KwRetry)) {
    return Place::Settings;
  }
  return Place::Block;
}

void Layout::close(Tok t) {
  if (open_.size() == 1) return;  // cannot be: the stray ones are gone
  const bool interp = top().opener == L::InterpOpen;
  leave();
  emitAs(t, interp ? std::uint16_t{L::InterpClose} : t.type);
}

void Layout::leave() {
  open_.pop_back();
  starts_.pop_back();
  bodyStart_ = starts_.empty() ? kNowhere : starts_.back();
  pendingTerm_ = false;
}

Slice layOut(std::vector<Tok> raw, ErrorLog& log) { return Layout(std::move(raw), log).run(); }

bool beginsDeclaration(const Tok& first, const Tok& second, const Tok& third, std::string_view text,
                       bool strict) {
  const auto word = [&](const Tok& t) { return text.substr(t.begin, t.end - t.begin); };
  if (first.type != L::Ident && first.type != L::KwImport && first.type != L::KwFn) return false;
  const std::uint16_t type = find(declarationWords(), word(first));
  if (type == 0 || second.newline) return false;
  const bool name = second.type == L::Ident;
  switch (type) {
    case L::KwImport:
      return second.type == L::LitString || name;
    case L::KwTest:
      return second.type == L::LitString;
    case L::KwVolatile:
      return name && word(second) == "task";
    case L::KwEnum:
    case L::KwSchema:
      return name && (!strict || third.type == L::OpOpenBrace);
    case L::KwTarget:
      return name && (!strict || third.type == L::OpAssign);
    default:
      return name && (!strict || third.type == L::OpOpenParen);
  }
}

bool continuesDeclaration(const Tok& before, const Tok& tok, std::string_view text) {
  if (goesOn(before.type) && before.type != L::OpGreater) return true;
  switch (tok.type) {
    case L::OpOpenBrace:
    case L::OpArrow:
    case L::OpAssign:
    case L::OpPipe:
    case L::OpDot:
    case L::OpQuestionDot:
    case L::KwElse:
    case L::KwUntil:
    case L::OpCloseParen:
    case L::OpCloseSquare:
    case L::OpCloseBrace:
      return true;
    case L::Ident: {
      const std::string_view word = text.substr(tok.begin, tok.end - tok.begin);
      return word == "maximize" || word == "minimize" || word == "using" || word == "prior";
    }
    default:
      return false;
  }
}

}  // namespace couler::parse

#include "frontend/parse/layout.h"

#include <string>
#include <utility>

#include <antlr4-runtime.h>

#include "frontend/parse/brackets.h"
#include "frontend/parse/words.h"
#include "grammar/CoulerLexer.h"
#include "support/text.h"

namespace couler::parse {
namespace {

using L = grammar::CoulerLexer;

/// What a bracket holds; decides what newlines and words mean in it.
enum class Place : std::uint8_t {
  Top,
  Params,
  Call,
  Group,
  Square,
  Interp,
  Block,
  Task,
  Schema,
  Transform,
  Labeler,
  Test,
  Settings,
  Enum,
  Imports
};

bool isBracePlace(Place p) { return p >= Place::Block; }

struct Open {
  Place place = Place::Top;
  std::uint16_t opener = 0;
  std::uint32_t latest = 0;  ///< an unclosed bracket ends before this raw token
  bool unclosed = false;
  bool condition = false;  ///< after `if`, `until`, `where`, …: `=` cannot be meant
  int loops = 0;           ///< how many `loop` wait for their `max`
  bool tune = false;       ///< after `tune`
  bool after = false;      ///< commas go on with the names after `after`
  bool where = false;      ///< this column has had its `where`
  std::uint16_t item = 0;  ///< first token of the statement or item
};

class Layout {
 public:
  Layout(std::vector<Tok> raw, ErrorLog& log) : raw_(std::move(raw)), log_(log) {}

  Slice run() {
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

 private:
  // ---- helpers

  Open& top() { return open_.back(); }
  [[nodiscard]] std::uint16_t prev(std::size_t back = 0) const {
    return out_.size() > back ? out_[out_.size() - 1 - back].type : std::uint16_t{0};
  }
  [[nodiscard]] const Tok* raw(std::size_t ahead) const {
    return at_ + ahead < raw_.size() ? &raw_[at_ + ahead] : nullptr;
  }
  [[nodiscard]] std::uint16_t rawType(std::size_t ahead) const {
    const Tok* t = raw(ahead);
    return t == nullptr ? kEndOfSlice : t->type;
  }
  [[nodiscard]] bool sameLine(std::size_t ahead) const {
    const Tok* t = raw(ahead);
    return t != nullptr && !t->newline;
  }
  [[nodiscard]] std::string_view text(const Tok& t) const {
    return log_.text().substr(t.begin, t.end - t.begin);
  }
  [[nodiscard]] Span span(const Tok& t) const { return log_.span(t.begin, t.end); }
  void emit(Tok t) { out_.push_back(t); }
  void emitAs(Tok t, std::uint16_t type) {
    t.type = type;
    out_.push_back(t);
  }
  /// A token that is not in the source.
  void insert(std::uint16_t type) {
    const std::uint32_t end = out_.back().end;
    out_.push_back({end, end, type, false, true});
  }
  [[nodiscard]] bool atItemStart() const {
    const std::uint16_t p = prev();
    return p == L::Term || p == L::OpComma || out_.size() == bodyStart_;
  }

  /// Moves doc comments out of the stream, to the token that follows them.
  void takeDocs() {
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

  // ---- the declaration's first word

  void begin() {
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

  std::uint16_t misspelled(Tok& first) {
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

  // ---- one token

  void step(Tok t) {
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
    if (pendingDoc_) {
      slice_.docs.push_back(
          {static_cast<std::uint32_t>(out_.size()), docsBefore_[doc_].second, false});
      ++doc_;
      pendingDoc_ = false;
    }
    place(t);
  }

  /// Whether the newline before `t` ends a statement or item.
  bool endsItem(const Tok& t) {
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

  void endItem(const Tok& t) {
    pendingTerm_ = false;
    Open& o = top();
    o.condition = o.tune = o.after = o.where = false;
    o.loops = 0;
    o.item = 0;
    if (out_.size() == bodyStart_ || prev() == L::Term || t.type == L::OpCloseBrace) return;
    insert(L::Term);
    out_.back().repaired = false;
  }

  // ---- brackets that nothing closes

  void closeUnclosed(const Tok& t) {
    while (open_.size() > 1 && top().unclosed) {
      const bool endOfLine = t.newline && !isBracePlace(top().place) && !goesOn(prev());
      if (at_ < top().latest && !endOfLine) break;
      closeVirtually();
    }
  }

  void closeVirtually() {
    const std::uint16_t opener = top().opener;
    leave();
    insert(opener == L::OpOpenParen    ? L::OpCloseParen
           : opener == L::OpOpenSquare ? L::OpCloseSquare
           : opener == L::InterpOpen   ? L::InterpClose
                                       : L::OpCloseBrace);
    pendingTerm_ = false;
  }

  // ---- words by their place

  void retag(Tok& t) {
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
    }
    if (t.type == L::Ident && text(t) == "tune" && rawType(1) == L::Ident && sameLine(1)) {
      t.type = L::KwTune;
    }
  }

  std::uint16_t itemWord(Tok& t) {
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

  std::uint16_t misspelledItem(Tok& t, std::span<const Word> table) {
    const auto near = nearest(text(t), texts(table));
    if (!near) return L::Ident;
    log_.report(diagnose<Diag::MisspelledWord>(span(t), text(t), *near)
                    .fix(fmt::format("write `{}`", *near), span(t), *near));
    t.repaired = true;
    return find(table, *near);
  }

  /// At the start of a statement: an assignment, or a misspelled word, or a plain name.
  std::uint16_t blockWord(Tok& t) {
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

  [[nodiscard]] bool declaredBefore(std::string_view word) const {
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

  [[nodiscard]] bool calledInFile(std::string_view word) const {
    const std::string call = std::string(word) + "(";
    return log_.text().find(call) != std::string_view::npos;
  }

  std::uint16_t scriptWord(Tok& t) {
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

  /// After an operand a name can only be one of these words.
  std::uint16_t infixWord(const Tok& t) {
    Open& o = top();
    const std::string_view word = text(t);
    if (o.loops > 0 && word == "max") return L::KwMax;
    if (o.tune) {
      if (word == "maximize") return L::KwMaximize;
      if (word == "minimize") return L::KwMinimize;
      if (word == "using") return L::KwUsing;
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
        break;
      case Place::Transform:
        if (word == "without" && o.item == L::OpSpread) return L::KwWithout;
        if (word == "on" && o.item == L::KwJoin) return L::KwOn;
        break;
      default:
        break;
    }
    return L::Ident;
  }

  // ---- where it goes

  void place(Tok t) {
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

  void foreign(Tok t, std::uint16_t type, std::string_view ours) {
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

  void assign(Tok t) {
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
  bool beginsTypeArgument() const {
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

  bool elseWord(Tok t) {
    const std::string_view word = text(t);
    if (word == "elif" || word == "elseif" || word == "elsif") {
      log_.report(diagnose<Diag::ElseIfInOneWord>(span(t), word)
                      .fix("write `else if`", span(t), "else if"));
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

  bool unknownUnit(const Tok& t) {
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
  bool missingComma(const Tok& t) {
    const Place p = top().place;
    const bool braces = p == Place::Settings || p == Place::Enum || p == Place::Imports;
    if (p != Place::Call && p != Place::Square && p != Place::Params && !braces) return false;
    if (braces && t.newline) return false;
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

  void open(Tok t) {
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

  Place placeOf(const Tok& t) {
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
    if (o.place == Place::Task &&
        (o.item == L::KwResources || o.item == L::KwEnv || o.item == L::KwRetry)) {
      return Place::Settings;
    }
    return Place::Block;
  }

  void close(Tok t) {
    if (open_.size() == 1) return;  // cannot be: the stray ones are gone
    const bool interp = top().opener == L::InterpOpen;
    leave();
    emitAs(t, interp ? std::uint16_t{L::InterpClose} : t.type);
  }

  void leave() {
    open_.pop_back();
    starts_.pop_back();
    bodyStart_ = starts_.empty() ? kNowhere : starts_.back();
    pendingTerm_ = false;
  }

  static constexpr std::size_t kNowhere = ~std::size_t{0};

  std::vector<Tok> raw_;
  ErrorLog& log_;
  BracketFaults faults_;
  std::size_t at_ = 0;
  std::vector<Tok> out_;
  std::vector<Open> open_;
  std::vector<std::size_t> starts_;
  std::size_t bodyStart_ = kNowhere;  ///< where the innermost bracket's content begins in out_
  bool pendingTerm_ = false;
  bool pendingDoc_ = false;
  bool value_ = false;  ///< past the `=` of a fn or target
  std::uint16_t decl_ = 0;
  std::vector<std::pair<std::uint32_t, std::vector<Span>>> docsBefore_;
  std::size_t doc_ = 0;
  Slice slice_;
};

}  // namespace

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
      return word == "maximize" || word == "minimize" || word == "using";
    }
    default:
      return false;
  }
}

}  // namespace couler::parse

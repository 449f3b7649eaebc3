#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "frontend/parse/brackets.h"
#include "frontend/parse/layout.h"
#include "frontend/parse/words.h"

/// What the files of `layOut` share; no part of its interface (frontend/parse/layout.h).
namespace couler::parse {

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

[[nodiscard]] inline bool isBracePlace(Place p) { return p >= Place::Block; }

struct Open {
  Place place = Place::Top;
  std::uint16_t opener = 0;
  std::uint32_t latest = 0;  ///< an unclosed bracket ends before this raw token
  bool unclosed = false;
  bool condition = false;  ///< after `if`, `until`, `where`, …: `=` cannot be meant
  int loops = 0;           ///< how many `loop` wait for their `max`
  bool tune = false;       ///< after `tune`
  bool space = false;      ///< in an argument `name: in …`, which may have an `if`
  bool after = false;      ///< commas go on with the names after `after`
  bool where = false;      ///< this column has had its `where`
  std::uint16_t item = 0;  ///< first token of the statement or item
};

/// One declaration on its way from raw tokens to a slice. For one use.
class Layout {
 public:
  Layout(std::vector<Tok> raw, ErrorLog& log) : raw_(std::move(raw)), log_(log) {}
  Slice run();

 private:
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

  // layout.cpp: items and brackets
  void takeDocs();
  void begin();
  [[nodiscard]] bool atItemStart() const;
  void step(Tok t);
  bool endsItem(const Tok& t);
  void endItem(const Tok& t);
  void closeUnclosed(const Tok& t);
  void closeVirtually();
  void open(Tok t);
  Place placeOf(const Tok& t);
  void close(Tok t);
  void leave();

  // layout_words.cpp: what words mean by their place
  void retag(Tok& t);
  std::uint16_t itemWord(Tok& t);
  std::uint16_t misspelled(Tok& first);
  std::uint16_t misspelledItem(Tok& t, std::span<const Word> table);
  std::uint16_t blockWord(Tok& t);
  [[nodiscard]] bool declaredBefore(std::string_view word) const;
  [[nodiscard]] bool calledInFile(std::string_view word) const;
  std::uint16_t scriptWord(Tok& t);
  std::uint16_t infixWord(const Tok& t);
  /// `prior from` behind a `tune`: no statement begins with two names in a row.
  [[nodiscard]] bool beginsPrior(const Tok& t) const;

  // layout_slips.cpp: where a token goes, and what is put right on the way
  void place(Tok t);
  void foreign(Tok t, std::uint16_t type, std::string_view ours);
  void assign(Tok t);
  bool beginsTypeArgument() const;
  bool elseWord(Tok t);
  bool unknownUnit(const Tok& t);
  bool missingComma(const Tok& t);

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

}  // namespace couler::parse

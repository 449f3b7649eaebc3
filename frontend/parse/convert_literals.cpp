#include <algorithm>
#include <cmath>
#include <limits>

#include "frontend/parse/convert.h"
#include "frontend/parse/literals.h"
#include "frontend/parse/slice_parser.h"
#include "grammar/CoulerParser.h"

namespace couler::parse {

using P = grammar::CoulerParser;
using namespace syntax;

Expr* Converter::token(const Tok& t) {
  const Span at = span(t);
  switch (t.type) {
    case P::Ident: {
      auto* e = make<NameExpr>(ExprKind::Name, at);
      e->name = name(t);
      if (!oursFor(e->name.text).empty()) foreign_.push_back(e);
      return e;
    }
    case P::KwTrue:
    case P::KwFalse: {
      auto* e = make<BoolExpr>(ExprKind::Bool, at);
      e->value = t.type == P::KwTrue;
      return e;
    }
    case P::KwNone:
      return make<NoneExpr>(ExprKind::None, at);
    case P::LitString: {
      auto* e = make<StringExpr>(ExprKind::String, at);
      e->parts = tree_.arena.copy(std::vector<StringPart>{textPart(t.begin + 1, t.end - 1)});
      return e;
    }
    case P::LitRaw: {
      auto* e = make<RawStringExpr>(ExprKind::RawString, at);
      e->text = tree_.arena.copy(dedent(log_.text().substr(t.begin + 3, t.end - t.begin - 6)));
      return e;
    }
    case P::LitRegex: {
      auto* e = make<RegexExpr>(ExprKind::Regex, at);
      e->pattern = log_.text().substr(t.begin + 2, t.end - t.begin - 3);
      return e;
    }
    default:
      return errorExpr(at);
  }
}

StringPart Converter::textPart(std::uint32_t begin, std::uint32_t end) {
  std::string_view written = log_.text().substr(begin, end - begin);
  if (written.find('\\') != std::string_view::npos) {
    written = tree_.arena.copy(unescape(written, begin, log_));
  }
  return {written, nullptr, log_.span(begin, end)};
}

Expr* Converter::string(Context* c) {
  auto* e = make<StringExpr>(ExprKind::String, span(c));
  std::vector<StringPart> parts;
  for (std::size_t i = 1; i + 1 < c->children.size(); ++i) {
    const Tok* t = token(c->children[i]);
    if (t == nullptr) {
      Expr* inner = expr(c->children[i]);
      deepen(e, depthOf(inner));
      parts.push_back({{}, inner, span(context(c->children[i]))});
    } else if (t->type == P::StringText) {
      parts.push_back(textPart(t->begin, t->end));
    }
  }
  e->parts = tree_.arena.copy(parts);
  return e;
}

/// A number, perhaps with a unit, perhaps after a minus (which matters only for the least int).
Expr* Converter::number(Context* c, bool negative) {
  const Tok& digits = *token(c->children[0]);
  const Tok* unit = c->children.size() > 1 ? token(c->children[1]) : nullptr;
  const std::string_view written = text(digits);
  const Span at = span(c);
  const bool isInt = digits.type == P::LitInt;
  std::int64_t integer = 0;
  double value = 0;
  bool malformed = false;
  bool large = false;
  if (isInt) {
    const IntLiteral read = readInt(written);
    const std::uint64_t limit =
        std::uint64_t{std::numeric_limits<std::int64_t>::max()} + (negative ? 1 : 0);
    malformed = read.malformed;
    large = !malformed && (!read.value || *read.value > limit);
    if (!malformed && !large) {
      integer = negative ? static_cast<std::int64_t>(0 - *read.value)
                         : static_cast<std::int64_t>(*read.value);
      value = static_cast<double>(integer);
    }
  } else {
    const std::optional<double> read = readFloat(written);
    malformed = !read;
    large = read && std::isinf(*read);
    value = read.value_or(0);
  }
  if (malformed) {
    log_.report(diagnose<Diag::MalformedNumber>(span(digits), written));
    return errorExpr(at);
  }
  if (large) {
    log_.report(diagnose<Diag::NumberTooLarge>(span(digits), written));
    return errorExpr(at);
  }
  if (unit != nullptr) {
    auto* e = make<QuantityExpr>(ExprKind::Quantity, at);
    e->number = value;
    e->isInt = isInt;
    e->integer = integer;
    e->unit = name(*unit);
    return e;
  }
  if (isInt) {
    auto* e = make<IntExpr>(ExprKind::Int, at);
    e->value = integer;
    return e;
  }
  auto* e = make<FloatExpr>(ExprKind::Float, at);
  e->value = value;
  return e;
}

Expr* Converter::list(Context* c) {
  std::vector<ListItem> items;
  std::vector<MapEntry> entries;
  bool isMap = type(c->children[1]) == P::OpColon;
  std::uint32_t below = 0;
  Span odd;
  for (Node* child : c->children) {
    if (token(child) != nullptr) continue;
    Context* item = context(child);
    const bool spread = type(item->children[0]) == P::OpSpread;
    const bool entry = item->children.size() == 3;
    Expr* firstExpr = expr(item->children[spread ? 1 : 0]);
    below = std::max(below, depthOf(firstExpr));
    if (items.empty() && entries.empty()) isMap = entry;
    if (entry != isMap && !odd.valid()) odd = span(item);
    if (entry) {
      Expr* value = expr(item->children[2]);
      below = std::max(below, depthOf(value));
      entries.push_back({firstExpr, value});
    } else {
      items.push_back({firstExpr, spread});
    }
  }
  if (odd.valid()) {
    log_.report(diagnose<Diag::MixedListAndMap>(
                    odd, isMap ? "an entry of a map needs a key" : "an item of a list has no key")
                    .note("a map is written `[\"a\": 1, \"b\": 2]`, a list `[1, 2]`"));
    return errorExpr(span(c));
  }
  Expr* result = nullptr;
  if (isMap) {
    auto* e = make<MapExpr>(ExprKind::Map, span(c));
    e->entries = tree_.arena.copy(entries);
    result = e;
  } else {
    auto* e = make<ListExpr>(ExprKind::List, span(c));
    e->items = tree_.arena.copy(items);
    result = e;
  }
  deepen(result, below);
  return result;
}

}  // namespace couler::parse

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "frontend/parse/convert.h"
#include "frontend/parse/literals.h"
#include "frontend/parse/slice_parser.h"
#include "grammar/CoulerParser.h"

namespace couler::parse {

using P = grammar::CoulerParser;
using namespace syntax;

namespace {

bool isComparison(std::uint16_t type) {
  switch (type) {
    case P::OpEqual:
    case P::OpNotEqual:
    case P::OpLess:
    case P::OpLessEqual:
    case P::OpGreater:
    case P::OpGreaterEqual:
    case P::KwIn:
      return true;
    default:
      return false;
  }
}

BinaryOp binaryOp(std::uint16_t type) {
  switch (type) {
    case P::KwOr:
      return BinaryOp::Or;
    case P::KwAnd:
      return BinaryOp::And;
    case P::OpEqual:
      return BinaryOp::Equal;
    case P::OpNotEqual:
      return BinaryOp::NotEqual;
    case P::OpLess:
      return BinaryOp::Less;
    case P::OpLessEqual:
      return BinaryOp::LessEqual;
    case P::OpGreater:
      return BinaryOp::Greater;
    case P::OpGreaterEqual:
      return BinaryOp::GreaterEqual;
    case P::KwIn:
      return BinaryOp::In;
    case P::OpCoalesce:
      return BinaryOp::Coalesce;
    case P::OpRange:
      return BinaryOp::Range;
    case P::OpPlus:
      return BinaryOp::Add;
    case P::OpMinus:
      return BinaryOp::Subtract;
    case P::OpStar:
      return BinaryOp::Multiply;
    case P::OpSlash:
      return BinaryOp::Divide;
    case P::KwDiv:
      return BinaryOp::IntDivide;
    case P::OpPercent:
      return BinaryOp::Remainder;
    case P::OpPower:
      return BinaryOp::Power;
    default:
      return BinaryOp::Pipe;
  }
}

}  // namespace

template <class T>
T* Converter::make(ExprKind kind, Span at) {
  T* e = tree_.arena.make<T>();
  e->kind = kind;
  e->span = at;
  e->id = tree_.exprCount++;
  depth_.push_back(1);
  return e;
}

/// Notes that `e` has something `below` levels deep under it.
void Converter::deepen(Expr* e, std::uint32_t below) {
  depth_[e->id] = std::max(depth_[e->id], below + 1);
}

Expr* Converter::errorExpr(Span at) { return make<ErrorExpr>(ExprKind::Error, at); }

Expr* Converter::expr(Node* node) {
  Context* c = context(node);
  std::vector<Context*> spine;  // outermost first
  while (c->children.size() > 1 && rule(c->children[0]) == P::RuleExpr) {
    spine.push_back(c);
    c = context(c->children[0]);
  }
  Expr* e = primary(c);
  bool compares = false;
  bool tooLong = false;
  for (std::size_t i = spine.size(); i-- > 0;) {
    const std::uint16_t op = type(spine[i]->children[1]);
    if (!tooLong && depthOf(e) >= kMaxTreeDepth) {
      log_.report(diagnose<Diag::ChainTooLong>(e->span, kMaxTreeDepth)
                      .note("name parts of it with `let`, or put the operands into a list"));
      tooLong = true;
    }
    if (tooLong) continue;
    if (op == P::KwAfter || op == P::AfterComma) {
      std::size_t end = i;  // `after a, b, c` is one level for each name
      while (op == P::KwAfter && end > 0 && type(spine[end - 1]->children[1]) == P::AfterComma)
        --end;
      e = after(e, {spine.begin() + static_cast<std::ptrdiff_t>(end),
                    spine.begin() + static_cast<std::ptrdiff_t>(i) + 1});
      i = end;
      compares = false;
      continue;
    }
    e = extend(e, spine[i], compares);
    compares = isComparison(op);
  }
  return tooLong ? errorExpr(span(context(node))) : e;
}

Expr* Converter::primary(Context* c) {
  if (const Tok* t = token(c->children[0])) {
    switch (t->type) {
      case P::LitInt:
      case P::LitFloat:
        return number(c, false);
      case P::StringOpen:
        return string(c);
      case P::OpMinus:
      case P::KwTry:
      case P::KwNot:
        return prefix(c);
      default:
        return token(*t);
    }
  }
  Context* inner = context(c->children[0]);
  switch (inner->getRuleIndex()) {
    case P::RuleArgs:
      return group(inner);
    case P::RuleList:
      return list(inner);
    case P::RuleIfExpr:
      return ifExpr(inner);
    case P::RuleForExpr:
      return forExpr(inner);
    case P::RuleLoopExpr:
      return loopExpr(inner);
    default:
      return tuneExpr(inner);
  }
}

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

Expr* Converter::prefix(Context* c) {
  const Tok& op = *token(c->children[0]);
  Context* inner = context(c->children[1]);
  if (op.type == P::OpMinus && inner->children.size() == 1 &&
      type(inner->children[0]) == P::LitInt &&
      readInt(text(first(inner))).value == std::uint64_t{1} << 63U) {
    Expr* least = number(inner, true);
    least->span = span(c);
    return least;
  }
  Expr* operand = expr(inner);
  Expr* result = nullptr;
  if (op.type == P::KwTry) {
    auto* e = make<TryExpr>(ExprKind::Try, span(c));
    e->operand = operand;
    result = e;
  } else {
    auto* e = make<UnaryExpr>(ExprKind::Unary, span(c));
    e->op = op.type == P::OpMinus ? UnaryOp::Negate : UnaryOp::Not;
    e->operand = operand;
    result = e;
  }
  deepen(result, depthOf(operand));
  return result;
}

Expr* Converter::extend(Expr* left, Context* c, bool leftCompares) {
  const Span at = span(c);
  Node* second = c->children[1];
  const Tok* op = token(second);
  if (op == nullptr) return call(left, context(second), nullptr, at);
  switch (op->type) {
    case P::OpDot:
    case P::OpQuestionDot: {
      auto* e = make<MemberExpr>(ExprKind::Member, at);
      e->object = left;
      e->member = name(*token(c->children[2]));
      e->optional = op->type == P::OpQuestionDot;
      deepen(e, depthOf(left));
      return e;
    }
    case P::OpOpenSquare: {
      Expr* index = expr(c->children[2]);
      auto* e = make<IndexExpr>(ExprKind::Index, at);
      e->object = left;
      e->index = index;
      deepen(e, std::max(depthOf(left), depthOf(index)));
      return e;
    }
    case P::TypeOpen:
      return call(left, context(c->children[4]), typeExpr(context(c->children[2])), at);
    default:
      return binary(left, c, leftCompares);
  }
}

/// `levels`: one for each name after `after`, the last first.
Expr* Converter::after(Expr* operand, std::span<Context* const> levels) {
  const Tok& word = *token(levels.back()->children[1]);
  if (word.type != P::KwAfter) {
    log_.report(diagnose<Diag::SyntaxError>(
        span(word), "expected an operator or the end of the line, found `,`"));
    return errorExpr(span(levels.front()));
  }
  std::vector<Expr*> items;
  std::uint32_t below = depthOf(operand);
  for (std::size_t i = levels.size(); i-- > 0;) {
    items.push_back(expr(levels[i]->children[2]));
    below = std::max(below, depthOf(items.back()));
  }
  auto* e = make<AfterExpr>(ExprKind::After, span(levels.front()));
  e->operand = operand;
  e->after = tree_.arena.copy(items);
  deepen(e, below);
  return e;
}

Expr* Converter::binary(Expr* left, Context* c, bool leftCompares) {
  const Tok& op = *token(c->children[1]);
  Expr* right = expr(c->children[2]);
  if (leftCompares && isComparison(op.type)) {
    Context* middle = context(context(c->children[0])->children[2]);
    const Span place = log_.span(op.begin, op.begin);
    log_.report(diagnose<Diag::ChainedComparison>(span(op)).fix(
        "compare twice", place,
        fmt::format("and {} ", log_.text().substr(first(middle).begin,
                                                  last(middle).end - first(middle).begin))));
    return errorExpr(span(c));
  }
  auto* e = make<BinaryExpr>(ExprKind::Binary, span(c));
  e->op = binaryOp(op.type);
  e->opSpan = span(op);
  e->left = left;
  e->right = right;
  deepen(e, std::max(depthOf(left), depthOf(right)));
  return e;
}

CallExpr* Converter::call(Expr* callee, Context* args, TypeExpr* typeArgument, Span at,
                          bool inTune) {
  const std::span<Argument> arguments_ = arguments(args, true, inTune);
  auto* e = make<CallExpr>(ExprKind::Call, at);
  e->callee = callee;
  e->args = arguments_;
  e->parens = span(args);
  e->typeArgument = typeArgument;
  deepen(e, depthOf(callee));
  for (const Argument& a : arguments_) deepen(e, depthOf(a.value));
  return e;
}

std::span<Argument> Converter::arguments(Context* args, bool inCall, bool inTune) {
  std::vector<Argument> result;
  for (Node* child : args->children) {
    if (token(child) != nullptr) continue;
    Context* c = context(child);
    Argument a{};
    a.span = span(c);
    const std::uint16_t start = type(c->children[0]);
    if (start == P::OpSpread) {
      a.spread = true;
      log_.report(diagnose<Diag::MisplacedSpread>(span(*token(c->children[0])),
                                                  inCall ? "a call" : "a record"));
    } else if (c->children.size() > 1) {
      a.name = name(*token(c->children[0]));
      if (const Tok* in = token(c->children[2])) {
        a.inSpace = true;
        if (!inTune) log_.report(diagnose<Diag::MisplacedSpace>(span(*in)));
      }
    }
    a.value = expr(c->children.back());
    result.push_back(a);
  }
  return tree_.arena.copy(result);
}

/// `( … )` that is no call: a parenthesis or a record.
Expr* Converter::group(Context* c) {
  std::size_t count = 0;
  Context* only = nullptr;
  for (Node* child : c->children) {
    if (token(child) != nullptr) continue;
    ++count;
    only = context(child);
  }
  const bool comma =
      c->children.size() > 2 && type(c->children[c->children.size() - 2]) == P::OpComma;
  if (count == 1 && !comma && only->children.size() == 1) return expr(only->children[0]);
  const std::span<Argument> fields = arguments(c, false, false);
  for (const Argument& a : fields) {
    if (!a.name.text.empty() || a.spread) continue;
    log_.report(diagnose<Diag::UnnamedField>(a.span).note(
        "a record is written `(a: 1, b: 2)`, a list `[1, 2]`"));
    return errorExpr(span(c));
  }
  auto* e = make<RecordExpr>(ExprKind::Record, span(c));
  e->fields = fields;
  for (const Argument& a : fields) deepen(e, depthOf(a.value));
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

std::uint32_t Converter::blockDepth(const Block* b) const {
  std::uint32_t below = 0;
  if (b == nullptr) return 0;
  for (const Stmt* s : b->statements) {
    switch (s->kind) {
      case StmtKind::Let:
        below = std::max(below, depthOf(static_cast<const LetStmt*>(s)->value));
        break;
      case StmtKind::Expr:
        below = std::max(below, depthOf(static_cast<const ExprStmt*>(s)->value));
        break;
      case StmtKind::Return:
        below = std::max(below, depthOf(static_cast<const ReturnStmt*>(s)->value));
        break;
      case StmtKind::Finally:
        below = std::max(below, blockDepth(static_cast<const FinallyStmt*>(s)->body));
        break;
    }
  }
  return below;
}

/// `if c {…} else if d {…} else {…}` is flat in the grammar and nested in the tree.
Expr* Converter::ifExpr(Context* c) {
  struct Arm {
    std::uint32_t begin;
    Expr* condition;
    Block* then;
  };
  std::vector<Arm> arms;
  Block* otherwise = nullptr;
  for (std::size_t i = 0; i < c->children.size(); ++i) {
    const Tok* t = token(c->children[i]);
    if (t == nullptr) continue;
    if (t->type == P::KwIf) {
      Expr* condition = expr(c->children[i + 1]);
      arms.push_back({t->begin, condition, block(context(c->children[i + 2]))});
    } else if (rule(c->children[i + 1]) == P::RuleBlock) {
      otherwise = block(context(c->children[i + 1]));
    }
  }
  const std::uint32_t end = last(c).end;
  if (arms.size() > kMaxTreeDepth) {
    log_.report(
        diagnose<Diag::ChainTooLong>(log_.span(arms[0].begin, arms[0].begin + 2), kMaxTreeDepth));
    return errorExpr(span(c));
  }
  Expr* result = nullptr;
  for (std::size_t i = arms.size(); i-- > 0;) {
    auto* e = make<IfExpr>(ExprKind::If, log_.span(arms[i].begin, end));
    e->condition = arms[i].condition;
    e->then = arms[i].then;
    if (result != nullptr) {
      auto* only = tree_.arena.make<ExprStmt>();
      only->kind = StmtKind::Expr;
      only->span = result->span;
      only->value = result;
      auto* inner = tree_.arena.make<Block>();
      inner->span = result->span;
      inner->statements = tree_.arena.copy(std::vector<Stmt*>{only});
      otherwise = inner;
    }
    e->otherwise = otherwise;
    deepen(e, std::max({depthOf(e->condition), blockDepth(e->then), blockDepth(otherwise)}));
    result = e;
  }
  return result;
}

Expr* Converter::forExpr(Context* c) {
  Expr* items = expr(c->children[3]);
  Block* body = block(context(c->children[4]));
  auto* e = make<ForExpr>(ExprKind::For, span(c));
  e->variable = name(*token(c->children[1]));
  if (!oursFor(e->variable.text).empty()) declared_.push_back(e->variable.text);
  e->items = items;
  e->body = body;
  deepen(e, std::max(depthOf(items), blockDepth(body)));
  return e;
}

Expr* Converter::loopExpr(Context* c) {
  Expr* start = expr(c->children[3]);
  Expr* max = expr(c->children[5]);
  Block* body = block(context(c->children[6]));
  Expr* until = expr(c->children[8]);
  auto* e = make<LoopExpr>(ExprKind::Loop, span(c));
  e->state = name(*token(c->children[1]));
  e->start = start;
  e->max = max;
  e->body = body;
  e->until = until;
  deepen(e, std::max({depthOf(start), depthOf(max), blockDepth(body), depthOf(until)}));
  return e;
}

Expr* Converter::tuneExpr(Context* c) {
  std::size_t i = 1;
  Expr* callee = token(*token(c->children[i++]));
  if (type(c->children[i]) == P::OpDot) {
    auto* member = make<MemberExpr>(ExprKind::Member, {});
    const Tok& t = *token(c->children[i + 1]);
    member->span = cover(callee->span, span(t));
    member->object = callee;
    member->member = name(t);
    member->optional = false;
    deepen(member, depthOf(callee));
    callee = member;
    i += 2;
  }
  Context* args = context(c->children[i++]);
  CallExpr* called = call(callee, args, nullptr, cover(callee->span, span(args)), true);
  auto* e = make<TuneExpr>(ExprKind::Tune, span(c));
  e->call = called;
  e->maximize = type(c->children[i]) == P::KwMaximize;
  e->objective = name(*token(c->children[i + 1]));
  i += 2;
  if (i < c->children.size()) {
    e->algorithm = name(*token(c->children[i + 1]));
    if (i + 2 < c->children.size()) {
      e->settings = arguments(context(c->children[i + 2]), true, false);
    }
  }
  deepen(e, depthOf(called));
  for (const Argument& a : e->settings) deepen(e, depthOf(a.value));
  return e;
}

Block* Converter::block(Context* c) {
  std::vector<Stmt*> statements;
  for (Node* child : c->children) {
    if (token(child) == nullptr) statements.push_back(stmt(context(child)));
  }
  auto* b = tree_.arena.make<Block>();
  b->span = span(c);
  b->statements = tree_.arena.copy(statements);
  return b;
}

Stmt* Converter::stmt(Context* c) {
  const Tok* t = token(c->children[0]);
  if (t == nullptr) {
    if (rule(c->children[0]) == P::RuleLetStmt) return letStmt(context(c->children[0]));
    auto* s = tree_.arena.make<ExprStmt>();
    s->kind = StmtKind::Expr;
    s->span = span(c);
    s->value = expr(c->children[0]);
    return s;
  }
  if (t->type == P::KwFinally) {
    auto* s = tree_.arena.make<FinallyStmt>();
    s->kind = StmtKind::Finally;
    s->span = span(c);
    s->body = block(context(c->children[1]));
    return s;
  }
  auto* s = tree_.arena.make<ReturnStmt>();
  s->kind = StmtKind::Return;
  s->span = span(c);
  s->value = c->children.size() > 1 ? expr(c->children[1]) : nullptr;
  return s;
}

Stmt* Converter::letStmt(Context* c) {
  auto* s = tree_.arena.make<LetStmt>();
  s->kind = StmtKind::Let;
  s->span = span(c);
  s->name = name(*token(c->children[1]));
  if (!oursFor(s->name.text).empty()) declared_.push_back(s->name.text);
  s->type = type(c->children[2]) == P::OpColon ? typeExpr(context(c->children[3])) : nullptr;
  s->value = expr(c->children.back());
  return s;
}

}  // namespace couler::parse

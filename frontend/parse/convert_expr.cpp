#include <algorithm>
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
  for (const Argument& a : arguments_) deepen(e, std::max(depthOf(a.value), depthOf(a.when)));
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
      // `Comment(...other, stars: 3)`: the checker knows whether a row is made.
      const bool mayBeRow = inCall && !inTune && result.empty();
      if (!mayBeRow) {
        log_.report(diagnose<Diag::MisplacedSpread>(span(*token(c->children[0])),
                                                    inCall ? "a call" : "a record"));
      }
    } else if (c->children.size() > 1) {
      a.name = name(*token(c->children[0]));
      if (const Tok* in = token(c->children[2])) {
        a.inSpace = true;
        if (!inTune) log_.report(diagnose<Diag::MisplacedSpace>(span(*in)));
      }
    }
    const bool when = a.inSpace && c->children.size() > 4;
    a.value = expr(when ? c->children[3] : c->children.back());
    if (when) a.when = expr(c->children.back());
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

}  // namespace couler::parse

#include "runtime/jit/graph.h"

#include <algorithm>

#include "runtime/jit/lower_rules.h"
#include "runtime/jit/patterns.h"

namespace couler::jit {

using ir::Builtin;

namespace {
constexpr std::size_t kMaxExprs = 4000;
constexpr std::uint32_t kMaxDepth = 300;
}  // namespace

ExprId Graph::add(Expr expr) {
  std::uint32_t depth = 0;
  bool operandNone = false;
  bool dates = expr.code == Code::Apply && isDatePart(expr.op);
  for (const ExprId id : expr.operands) {
    depth = std::max(depth, facts_[id].depth + 1);
    operandNone = operandNone || facts_[id].none;
    dates = dates || facts_[id].dates;
    expr.fails = expr.fails || at(id).fails;
    expr.cost = expr.cost || at(id).cost;
  }
  if (depth > kMaxDepth || program_.exprs.size() >= kMaxExprs) refuse("an expression so large");
  expr.heavy = isHeavy(expr, program_.exprs);
  expr.dear = isDear(expr, program_);
  expr.cost = expr.cost || expr.heavy;
  const bool takesNone =
      expr.lifted || expr.code != Code::Apply || knowsNone(expr.op) || expr.via == Via::Any;
  expr.fails = expr.code != Code::Try &&
               (expr.fails || canFail(expr, program_.exprs) || (operandNone && !takesNone) ||
                (expr.code == Code::Select && facts_[expr.operands[0]].none));
  const bool none = isMaybeNone(expr, operandNone);
  const std::string key = lineOf(expr);
  const auto [it, added] = ids_.try_emplace(key, static_cast<ExprId>(program_.exprs.size()));
  if (added) {
    program_.exprs.push_back(std::move(expr));
    facts_.push_back({depth, none, dates});
  }
  return it->second;
}

bool Graph::isMaybeNone(const Expr& expr, bool operandNone) const {
  const auto operand = [&](std::size_t i) { return facts_[expr.operands[i]].none; };
  switch (expr.code) {
    case Code::Column:
      return program_.inputs[expr.index].optional;
    case Code::Outer:
      return outerOptional_[expr.index];
    case Code::None:
    case Code::Try:
      return true;
    case Code::Select:
      return operand(1) || operand(2);
    case Code::Apply:
      if (expr.op == Builtin::Coalesce || expr.op == Builtin::CoalesceOptional ||
          ((expr.op == Builtin::And || expr.op == Builtin::Or) && !expr.lifted)) {
        return operand(1);
      }
      return (expr.lifted && operandNone) || expr.op == Builtin::Find ||
             expr.op == Builtin::Extract;
    case Code::Const:
    case Code::Same:
      break;
  }
  return false;
}

ExprId Graph::column(std::uint32_t field, Kind kind, bool optional) {
  auto& inputs = program_.inputs;
  const auto it = std::find_if(inputs.begin(), inputs.end(),
                               [&](const Program::Input& in) { return in.field == field; });
  const auto index = static_cast<std::uint32_t>(it - inputs.begin());
  if (it == inputs.end()) inputs.push_back({field, kind, optional});
  return add({.code = Code::Column, .kind = kind, .index = index});
}

ExprId Graph::outer(std::size_t index, Kind kind, bool optional) {
  if (outerOptional_.size() <= index) outerOptional_.resize(index + 1);
  outerOptional_[index] = optional;
  return add({.code = Code::Outer, .kind = kind, .index = static_cast<std::uint32_t>(index)});
}

ExprId Graph::integer(std::int64_t n) {
  return add({.code = Code::Const, .kind = Kind::Int, .bits = n});
}
ExprId Graph::boolean(bool b) {
  return add({.code = Code::Const, .kind = Kind::Bool, .bits = b ? 1 : 0});
}
ExprId Graph::text(std::string content) {
  auto& literals = program_.literals;
  auto it = std::find(literals.begin(), literals.end(), content);
  if (it == literals.end()) it = literals.insert(literals.end(), content);
  const auto index = static_cast<std::uint32_t>(it - literals.begin());
  return add({.code = Code::Const, .kind = Kind::String, .index = index, .text = content});
}
ExprId Graph::none(Kind kind) { return add({.code = Code::None, .kind = kind}); }

void Graph::agree(ExprId& a, ExprId& b) {
  a = coerced(a, at(b).kind);
  b = coerced(b, at(a).kind);
  if (at(a).kind != at(b).kind) refuse("values of two kinds");
}

ExprId Graph::coerced(ExprId id, Kind kind) { return at(id).code == Code::None ? none(kind) : id; }

ExprId Graph::select(ExprId condition, ExprId then, ExprId otherwise) {
  agree(then, otherwise);
  const Kind kind = at(then).kind;
  return add({.code = Code::Select, .kind = kind, .operands = {condition, then, otherwise}});
}

ExprId Graph::binary(Builtin op, ExprId a, ExprId b, bool lifted) {
  Expr expr = {.code = Code::Apply,
               .op = op,
               .lifted = lifted && (mayBeNone(a) || mayBeNone(b)),
               .kind = Kind::Bool,
               .operands = {a, b}};
  expr.via = viaOf(expr, program_.exprs);
  if (expr.via != Via::Inline) refuse("`{}` of such operands", ir::info(op).name);
  return add(std::move(expr));
}

ExprId Graph::isOneOf(ExprId x, const std::vector<ExprId>& items, bool lifted) {
  const auto same = [&](ExprId item) {
    return add({.code = Code::Same, .kind = Kind::Bool, .operands = {x, item}});
  };
  // Of an empty list, only whether x has an error is left.
  ExprId any = items.empty() ? binary(Builtin::And, same(x), boolean(false)) : same(items[0]);
  for (const ExprId item : items) {
    if (at(item).fails || at(item).kind != at(x).kind) refuse("`in` a list of such items");
    if (item != items[0]) any = binary(Builtin::Or, any, same(item));
  }
  if (!lifted || !mayBeNone(x)) return any;
  return select(binary(Builtin::NotEqual, x, none(at(x).kind)), any, none(Kind::Bool));
}

ExprId Graph::power(ExprId base, std::int64_t exponent, bool lifted) {
  const auto times = [&](ExprId a, ExprId b) {
    return add({.code = Code::Apply,
                .op = Builtin::MulInt,
                .lifted = lifted,
                .kind = Kind::Int,
                .operands = {a, b}});
  };
  std::optional<ExprId> result;
  ExprId square = base;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = result ? times(*result, square) : square;
    if (exponent > 1) square = times(square, square);
  }
  return *result;
}

namespace {

ExprId anyOf(Graph& graph, ExprId subject, const std::vector<PlainPattern>& forms, bool lifted) {
  std::optional<ExprId> any;
  for (const PlainPattern& form : forms) {
    const Builtin op = form.fromStart && form.toEnd ? Builtin::Equal
                       : form.fromStart             ? Builtin::StartsWith
                       : form.toEnd                 ? Builtin::EndsWith
                                                    : Builtin::Contains;
    ExprId found = 0;
    if (op == Builtin::Equal && lifted) {
      // `==` knows none as a value; a pattern does not.
      found =
          graph.select(graph.binary(Builtin::NotEqual, subject, graph.none(Kind::String)),
                       graph.binary(op, subject, graph.text(form.text)), graph.none(Kind::Bool));
    } else {
      found = graph.binary(op, subject, graph.text(form.text), lifted);
    }
    any = any ? graph.binary(Builtin::Or, *any, found, lifted) : found;
  }
  return *any;
}

}  // namespace

std::optional<ExprId> Graph::matches(ExprId subject, ExprId pattern, bool lifted) {
  const std::string text = at(pattern).text;
  const auto plain = plainAlternatives(text);
  if (plain && plain->size() == 1) return anyOf(*this, subject, *plain, lifted);
  const std::uint32_t number = automaton(text);
  const bool cheap = number != 0 && program_.automata[number - 1].isCheap();
  if (plain && !cheap) return anyOf(*this, subject, *plain, lifted);
  if (number == 0) return std::nullopt;
  const ExprId found = add({.code = Code::Apply,
                            .op = Builtin::Matches,
                            .lifted = lifted,
                            .kind = Kind::Bool,
                            .automaton = number,
                            .operands = {subject, pattern}});
  return cheap ? found : withRequired(subject, text, found, lifted);
}

/// Most rows are told apart by a text that every match has.
ExprId Graph::withRequired(ExprId subject, const std::string& pattern, ExprId found, bool lifted) {
  const std::string needed = requiredText(pattern);
  if (needed.empty() || (mayBeNone(subject) && !lifted)) return found;
  const ExprId has = binary(Builtin::Contains, subject, text(needed), lifted);
  return binary(Builtin::And, has, found, lifted);
}

std::uint32_t Graph::automaton(const std::string& pattern) {
  const auto [it, added] = automata_.try_emplace(pattern, 0);
  if (!added) return it->second;
  std::optional<Automaton> made = automatonOf(pattern);
  if (!made) return 0;
  program_.automata.push_back(std::move(*made));
  return it->second = static_cast<std::uint32_t>(program_.automata.size());
}

}  // namespace couler::jit

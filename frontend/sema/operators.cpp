// Operators: through the one table of built-ins.
#include <algorithm>
#include <array>

#include "frontend/sema/checker.h"
#include "frontend/syntax/print.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

const ir::BuiltinMatch* Checker::match(std::string_view name, std::span<const TypeId> args) {
  std::u32string key;
  key.reserve(args.size() + 1);
  const auto [group, isNew] =
      builtinGroups_.try_emplace(name, static_cast<std::uint32_t>(builtinGroups_.size()));
  key.push_back(group->second);
  for (const TypeId arg : args) key.push_back(arg.index());
  const auto [it, isFresh] = matches_.try_emplace(std::move(key));
  if (isFresh) it->second = ir::matchBuiltin(name, args, types());
  return it->second ? &*it->second : nullptr;
}

TypeId Checker::finishOperator(const Expr& expr, std::string_view name, Span at,
                               std::span<const TypeId> operands, Phase phase) {
  for (const TypeId operand : operands) {
    if (isError(operand)) return set(expr, TypeTable::kError, phase);
  }
  if (const ir::BuiltinMatch* found = match(name, operands)) {
    ExprInfo& info = file_->exprs[expr.id];
    info.builtin = found->id;
    info.hasBuiltin = true;
    return set(expr, found->result, phase);
  }
  if (lifts()) {
    std::vector<TypeId> there(operands.begin(), operands.end());
    const ir::BuiltinMatch* found = strip(there) ? match(name, there) : nullptr;
    if (found != nullptr) {
      ExprInfo& info = file_->exprs[expr.id];
      info.builtin = found->id;
      info.hasBuiltin = info.lifted = true;
      return set(expr, types().optional(found->result), phase);
    }
  }
  std::string list;
  for (const TypeId operand : operands) {
    list += fmt::format("{}`{}`", list.empty() ? "" : " and ", print(operand));
  }
  Diagnostic diagnostic = diagnose<Diag::OperatorTypes>(at, name == "[]" ? "[…]" : name, list);
  bool maybeNone = false;
  bool wholeStep = false;
  int quantities = 0;
  int numbers = 0;
  int strings = 0;
  for (const TypeId operand : operands) {
    const IrKind kind = types().kind(operand);
    maybeNone |= kind == IrKind::Optional;
    wholeStep |= kind == IrKind::Record;
    quantities += kind == IrKind::Duration || kind == IrKind::Size;
    numbers += kind == IrKind::Int || kind == IrKind::Float;
    strings += kind == IrKind::String;
  }
  if (maybeNone) {
    diagnostic.note(
        "a value that may be none needs a default first, as in `(x ?? 0)`, or "
        "`if x != none { … }` round it");
  } else if (wholeStep) {
    diagnostic.note("a step gives the record of its outputs: take one, as in `step.name`");
  } else if (quantities == 1 && numbers == 1) {
    diagnostic.note("a bare number has no unit: write one, as in `30 s` or `4 GiB`");
  } else if (quantities == 2) {
    diagnostic.note("durations and sizes do not mix");
  } else if (strings == 1 && name == "+") {
    diagnostic.note("to put a value into text, write `\"text {value}\"`");
  } else if (name == "==" || name == "!=") {
    diagnostic.note("only values of one type can be equal");
  }
  report(std::move(diagnostic));
  return set(expr, TypeTable::kError, phase);
}

TypeId Checker::checkUnary(const UnaryExpr& expr) {
  const TypeId operand[] = {check(expr.operand)};
  const Phase phase = phaseOf(expr.operand);
  return finishOperator(expr, expr.op == UnaryOp::Not ? "not" : "-", expr.span, operand, phase);
}

TypeId Checker::checkBinary(const BinaryExpr& expr) {
  if (expr.left == nullptr || expr.right == nullptr) {
    return set(expr, TypeTable::kError, Phase::Compile);
  }
  const bool compares = expr.op >= BinaryOp::Equal && expr.op <= BinaryOp::In;
  TypeId left;
  TypeId right;
  if (compares && isFreeName(expr.left)) {
    // Perhaps a bare enum case; the other side tells which enum.
    if (isFreeName(expr.right)) {
      left = check(expr.left);
      right = check(expr.right, left);
    } else {
      right = check(expr.right);
      TypeId wanted = right;
      if (expr.op == BinaryOp::In && types().kind(right) == IrKind::List) {
        wanted = types()[right].element;
      }
      left = check(expr.left, wanted);
    }
  } else {
    left = info(*expr.left).type;
    switch (expr.op) {
      case BinaryOp::And:
      case BinaryOp::Or: {
        const std::size_t facts = facts_.size();
        addFacts(expr.left, expr.op == BinaryOp::And);
        right = check(expr.right);
        facts_.resize(facts);
        break;
      }
      case BinaryOp::Coalesce: {
        const TypeId inner = types().kind(left) == IrKind::Optional ? types()[left].element : left;
        right = check(expr.right, isError(inner) ? TypeId{} : inner);
        break;
      }
      case BinaryOp::In:
        right = check(expr.right, isError(left) ? TypeId{} : types().list(left));
        break;
      case BinaryOp::Pipe:
        return checkPipe(expr, left);
      default:
        right = check(expr.right, isError(left) ? TypeId{} : left);
        break;
    }
  }
  const Phase phase = std::max(phaseOf(expr.left), phaseOf(expr.right));
  const TypeId operands[] = {left, right};
  if ((expr.op == BinaryOp::Equal || expr.op == BinaryOp::NotEqual) && left != right) {
    // `class == "spam"`: say which case was meant rather than that the types differ.
    const bool leftEnum = types().kind(left) == IrKind::Enum;
    const Expr* text = leftEnum ? expr.right : expr.left;
    const TypeId want = leftEnum ? left : right;
    if (types().kind(want) == IrKind::Enum && text->kind == ExprKind::String &&
        rewriteAs(text, want)) {
      mismatch(text, want, TypeTable::kString, nullptr);
      return set(expr, TypeTable::kBool, phase);
    }
  }
  warnNeverNone(expr);
  return finishOperator(expr, syntax::spelling(expr.op), expr.span, operands, phase);
}

/// `n == none` and `n ?? 0` where n is an int: always the same.
void Checker::warnNeverNone(const BinaryExpr& expr) {
  const Expr* value = nullptr;
  if (expr.op == BinaryOp::Coalesce) {
    value = expr.left;
  } else if (expr.op == BinaryOp::Equal || expr.op == BinaryOp::NotEqual) {
    if (expr.right->kind == ExprKind::None) value = expr.left;
    if (expr.left->kind == ExprKind::None) value = expr.right;
  }
  if (value == nullptr) return;
  const TypeId type = info(*value).type;
  const IrKind kind = types().kind(type);
  if (kind == IrKind::Optional || kind == IrKind::None || kind == IrKind::Error) return;
  Diagnostic diagnostic = diagnose<Diag::AlwaysThere>(value->span, print(type));
  if (expr.op == BinaryOp::Coalesce) diagnostic.note("the default after `??` is never taken");
  report(std::move(diagnostic));
}

TypeId Checker::checkPipe(const BinaryExpr& expr, TypeId left) {
  const Expr* right = expr.right;
  CallParts parts{{}, right->span};
  const Expr* callee = right;
  if (right->kind == ExprKind::Call) {
    const auto& call = *static_cast<const CallExpr*>(right);
    callee = call.callee;
    parts.args = call.args;
    if (callee != nullptr) parts.callee = callee->span;
  }
  const auto poison = [&] {
    checkArgumentsAnyway(parts.args);
    return set(expr, TypeTable::kError, Phase::Run);
  };
  SymbolId symbol;
  if (callee != nullptr && callee->kind == ExprKind::Name) {
    const Name& name = static_cast<const NameExpr*>(callee)->name;
    symbol = useTop(name.text);
    if (!symbol.valid() && !findLocal(name.text).valid() && !builtins_.contains(name.text)) {
      unknownName("transform", name, visibleNames(true, {}));
      return poison();
    }
  } else if (callee != nullptr && callee->kind == ExprKind::Member) {
    const auto& member = *static_cast<const MemberExpr*>(callee);
    if (member.object != nullptr && member.object->kind == ExprKind::Name) {
      const Name& space = static_cast<const NameExpr*>(member.object)->name;
      const SymbolId module = findTop(fileId_, space.text);
      if (module.valid() && program_->at(module).kind == SymbolKind::Namespace) {
        useTop(space.text);
        file_->exprs[member.object->id].symbol = module;
        symbol = memberOf(module, member.member, "transform");
        if (!symbol.valid()) return poison();
      }
    }
  }
  if (symbol.valid() && (extra(symbol).poisoned || isError(left) ||
                         program_->at(symbol).kind == SymbolKind::Labeler)) {
    return poison();
  }
  if (!symbol.valid() || program_->at(symbol).kind != SymbolKind::Transform) {
    if (isError(left)) return poison();
    Diagnostic diagnostic = diagnose<Diag::PipeNeedsTransform>(
        right->span, symbol.valid() ? describe(symbol) : fmt::format("`{}`", text(right->span)));
    if (symbol.valid()) diagnostic.label(program_->at(symbol).declared, "declared here");
    report(std::move(diagnostic).note("other things are called: `f(rows)`"));
    return poison();
  }
  file_->exprs[callee->id].symbol = symbol;
  return checkTransformCall(expr, parts, symbol, expr.left);
}

}  // namespace couler::sema

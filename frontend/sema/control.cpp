// if, for, loop, try, after.
#include <algorithm>

#include "frontend/sema/checker.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

TypeId Checker::checkIf(const IfExpr& expr, TypeId expected, bool used) {
  checkAs(expr.condition, TypeTable::kBool);
  const std::size_t facts = facts_.size();
  addFacts(expr.condition, true);
  const BlockValue then = checkBlock(expr.then, expected, used);
  facts_.resize(facts);
  BlockValue otherwise{TypeTable::kNone, Phase::Compile, nullptr};
  if (expr.otherwise != nullptr) {
    addFacts(expr.condition, false);
    otherwise = checkBlock(expr.otherwise, expected, used);
    facts_.resize(facts);
  }
  const Phase phase = std::max({phaseOf(expr.condition), then.phase, otherwise.phase});
  if (isError(then.type) || isError(otherwise.type)) return set(expr, TypeTable::kError, phase);
  if (!used) return set(expr, TypeTable::kNone, phase);
  if (const auto both = types().join(then.type, otherwise.type)) return set(expr, *both, phase);
  if (expected.valid() && types().accepts(expected, then.type) &&
      types().accepts(expected, otherwise.type)) {
    return set(expr, expected, phase);
  }
  Diagnostic diagnostic =
      diagnose<Diag::BranchTypes>(expr.span, print(then.type), print(otherwise.type));
  if (then.value != nullptr) {
    diagnostic.label(then.value->span, fmt::format("this is `{}`", print(then.type)));
  }
  if (otherwise.value != nullptr) {
    diagnostic.label(otherwise.value->span, fmt::format("this is `{}`", print(otherwise.type)));
  }
  report(std::move(diagnostic));
  return set(expr, TypeTable::kError, phase);
}

TypeId Checker::checkFor(const ForExpr& expr, TypeId expected, bool used) {
  const TypeId items = check(expr.items);
  Phase phase = phaseOf(expr.items);
  TypeId item = TypeTable::kError;
  if (types().kind(items) == IrKind::List) {
    item = types()[items].element;
  } else if (!isError(items)) {
    Diagnostic diagnostic = diagnose<Diag::NotAList>(expr.items->span, print(items));
    if (types().kind(items) == IrKind::Map) {
      diagnostic.note(fmt::format("go over its keys: `keys({})`", text(expr.items->span)));
    } else if (items == TypeTable::kInt) {
      diagnostic.note(fmt::format("to count, write `0..{}`", text(expr.items->span)));
    } else if (types().kind(items) == IrKind::Optional) {
      diagnostic.note("it may be none: give a default, as in `xs ?? []`");
    }
    report(std::move(diagnostic));
  }
  TypeId wanted;
  if (expected.valid() && types().kind(expected) == IrKind::List) {
    wanted = types()[expected].element;
  }
  pushScope();
  const SymbolId variable = declareLocal(SymbolKind::LoopVariable, expr.variable, item, phase);
  extra(variable).origin = expr.items;
  file_->declared[&expr] = variable;
  const BlockValue body = checkBlock(expr.body, wanted, used);
  popScope();
  phase = std::max(phase, body.phase);
  if (isError(body.type)) return set(expr, TypeTable::kError, phase);
  TypeId element = body.type;
  if (wanted.valid() && !isError(wanted) && types().accepts(wanted, element)) element = wanted;
  return set(expr, types().list(element), phase);
}

TypeId Checker::checkLoop(const LoopExpr& expr, TypeId expected) {
  const TypeId start = check(expr.start, expected);
  checkAs(expr.max, TypeTable::kInt);
  needPhase(expr.max, Phase::Submit, "the maximum of a `loop`");
  const TypeId state =
      expected.valid() && !isError(start) && types().accepts(expected, start) ? expected : start;
  // What the body gives is known only after it, so the state is taken to be as late as it can be.
  const bool mayHaveSteps = place_ == Place::Workflow || place_ == Place::Finally;
  Phase phase = mayHaveSteps ? Phase::Run : phaseOf(expr.start);
  pushScope();
  const SymbolId variable = declareLocal(SymbolKind::LoopVariable, expr.state, state, phase);
  extra(variable).origin = expr.start;
  file_->declared[&expr] = variable;
  pushScope();
  const BlockValue body = checkBlock(expr.body, state, true, false);
  if (!isError(body.type)) {
    if (body.value != nullptr) {
      fits(body.value, state, body.type);
    } else if (!isError(state)) {
      report(diagnose<Diag::TypeMismatch>(expr.body->span, print(state), print(body.type))
                 .note("the last expression of the body is the next state"));
    }
  }
  if (expr.until != nullptr) checkAs(expr.until, TypeTable::kBool);
  popScope();
  popScope();
  phase = std::max({phase, body.phase, phaseOf(expr.until)});
  return set(expr, state, phase);
}

TypeId Checker::checkTry(const TryExpr& expr, TypeId expected, bool used) {
  const TypeId type = check(expr.operand, expected, used);
  const Phase phase = std::max(phaseOf(expr.operand), Phase::Compile);
  if (isError(type)) return set(expr, type, phase);
  return set(expr, types().optional(type), phase);
}

TypeId Checker::checkAfter(const AfterExpr& expr) {
  const TypeId type = check(expr.operand);
  const Expr* call = expr.operand;
  while (call != nullptr && call->kind == ExprKind::Try) {
    call = static_cast<const TryExpr*>(call)->operand;
  }
  bool isStep = false;
  if (call != nullptr && call->kind == ExprKind::Call) {
    const auto it = file_->calls.find(call->id);
    if (it != file_->calls.end() && it->second.callee.valid()) {
      const SymbolKind kind = program_->at(it->second.callee).kind;
      isStep = kind == SymbolKind::Task || kind == SymbolKind::Workflow ||
               (kind == SymbolKind::Transform && it->second.form == CallBinding::Form::Call);
    }
    if (it != file_->calls.end()) {
      isStep |= it->second.form == CallBinding::Form::Read ||
                it->second.form == CallBinding::Form::Write ||
                it->second.form == CallBinding::Form::Drift;
    }
  }
  if (!isStep && !isError(type)) {
    report(diagnose<Diag::AfterNeedsCall>(expr.operand->span));
  }
  Phase phase = phaseOf(expr.operand);
  for (const Expr* other : expr.after) {
    const TypeId waited = check(other);
    if (!isError(waited) && phaseOf(other) != Phase::Run) {
      report(diagnose<Diag::AfterWaitsForNothing>(other->span)
                 .note("name what a step gave, as in `let x = step(…)` and `… after x`"));
    }
  }
  if (isStep) phase = Phase::Run;
  return set(expr, type, phase);
}

}  // namespace couler::sema

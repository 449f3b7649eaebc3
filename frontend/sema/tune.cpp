// `tune`: the call, its spaces and what is maximized; how it searches is in tune_settings.cpp.
#include <algorithm>

#include "frontend/sema/checker.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

namespace {

constexpr std::string_view kSpaceNote = "a space is a range, `2..8`, a range with even ratios, `log(0.001 .. 0.1)`, or a list";

const Argument* firstUnnamedOnly(const CallExpr& call) {
  return call.args.size() == 1 && call.args[0].name.text.empty() && !call.args[0].spread
             ? &call.args[0]
             : nullptr;
}

const BinaryExpr* asRange(const Expr* expr) {
  if (expr == nullptr || expr->kind != ExprKind::Binary) return nullptr;
  const auto* binary = static_cast<const BinaryExpr*>(expr);
  return binary->op == BinaryOp::Range ? binary : nullptr;
}

/// `log(a .. b)`: its range.
const BinaryExpr* asLogRange(const Expr* expr) {
  if (expr == nullptr || expr->kind != ExprKind::Call) return nullptr;
  const auto& call = *static_cast<const CallExpr*>(expr);
  if (call.callee == nullptr || call.callee->kind != ExprKind::Name) return nullptr;
  if (static_cast<const NameExpr*>(call.callee)->name.text != "log") return nullptr;
  const Argument* only = firstUnnamedOnly(call);
  return only == nullptr ? nullptr : asRange(only->value);
}

}  // namespace

SymbolId Checker::tunedCallee(const Expr& callee) {
  SymbolId symbol;
  const Name* name = nullptr;
  if (callee.kind == ExprKind::Name) {
    name = &static_cast<const NameExpr&>(callee).name;
    symbol = useTop(name->text);
  } else if (callee.kind == ExprKind::Member) {
    const auto& member = static_cast<const MemberExpr&>(callee);
    const auto& space = static_cast<const NameExpr&>(*member.object);
    const SymbolId top = findTop(fileId_, space.name.text);
    if (!top.valid() || program_->at(top).kind != SymbolKind::Namespace) {
      unknownName("module", space.name, {});
      return {};
    }
    useTop(space.name.text);
    file_->exprs[space.id].symbol = top;
    symbol = memberOf(top, member.member, "task or workflow");
    if (!symbol.valid()) return {};
    file_->exprs[member.id].symbol = symbol;
  }
  if (!symbol.valid()) {
    if (name != nullptr) unknownName("task or workflow", *name, visibleNames(true, {}));
    return {};
  }
  const SymbolKind kind = program_->at(symbol).kind;
  if (kind == SymbolKind::Task || kind == SymbolKind::Workflow) return symbol;
  if (!extra(symbol).poisoned) {
    report(diagnose<Diag::TuneCallee>(callee.span, program_->at(symbol).name, kindWord(kind))
               .label(program_->at(symbol).declared, "declared here"));
  }
  return {};
}

void Checker::checkRangeSpace(TuneSpace& space, Span at) {
  checkAs(space.low, space.type);
  checkAs(space.high, space.type);
  const auto low = literalNumber(space.low);
  const auto high = literalNumber(space.high);
  if (low && high && *low >= *high) {
    Diagnostic diagnostic = diagnose<Diag::EmptySpace>(at);
    diagnostic.note(*low == *high ? "a range does not have its end in it"
                                  : "the lower bound of a range comes first");
    report(std::move(diagnostic));
  } else if (space.log && low && *low <= 0) {
    report(diagnose<Diag::LogSpace>(space.low->span));
  }
}

void Checker::checkSpace(TuneSpace& space, const FieldInfo& param) {
  const Expr* value = space.arg->value;
  TypeId inner = param.type;
  if (types().kind(inner) == IrKind::Optional) inner = types()[inner].element;
  space.type = inner;
  const BinaryExpr* range = asRange(value);
  if (range == nullptr) range = asLogRange(value);
  if (range == nullptr) {
    if (value->kind == ExprKind::List && static_cast<const ListExpr*>(value)->items.empty()) {
      report(diagnose<Diag::EmptySpace>(value->span));
      set(*value, TypeTable::kError, Phase::Compile);
      return;
    }
    const TypeId found = check(value, types().list(inner));
    if (isError(found) || isError(inner)) return;
    if (types().kind(found) == IrKind::List) {
      (void)fits(value, types().list(inner), found, &param);
    } else {
      report(diagnose<Diag::TypeMismatch>(value->span, print(types().list(inner)), print(found))
                 .note(std::string(kSpaceNote)));
    }
    return;
  }
  space.log = range != value;
  space.low = range->left;
  space.high = range->right;
  if (inner == TypeTable::kInt || inner == TypeTable::kFloat) {
    checkRangeSpace(space, value->span);
  } else {
    check(space.low);
    check(space.high);
    if (!isError(inner)) {
      report(diagnose<Diag::SpaceType>(value->span, print(inner))
                 .label(program_->at(param.symbol).declared, "declared here")
                 .note("give the values to try as a list"));
    }
  }
  const Phase phase = std::max(phaseOf(space.low), phaseOf(space.high));
  set(*range, types().list(inner), phase);
  set(*value, types().list(inner), phase);
}

/// A condition sees the values of the spaces before its own.
void Checker::checkSpaceConditions(SymbolId callee, TunePlan& plan) {
  const Signature& signature = *program_->at(callee).signature;
  const Decl* decl = owner_.valid() ? program_->at(owner_).decl : nullptr;
  pushScope();
  for (TuneSpace& space : plan.spaces) {
    const FieldInfo& param = signature.params[space.param];
    const Expr* value = param.syntax == nullptr ? nullptr : param.syntax->value;
    const FileId home = program_->at(callee).file;
    const bool hasDefault =
        value != nullptr && program_->info(home, *value).phase == Phase::Compile;
    if (space.arg->when != nullptr) {
      checkAs(space.arg->when, TypeTable::kBool);
      if (types().kind(param.type) == IrKind::Optional) {
        space.type = param.type;
      } else if (!hasDefault && !isError(param.type)) {
        report(diagnose<Diag::ConditionalDefault>(space.arg->name.span, param.name)
                   .label(program_->at(param.symbol).declared, "declared here"));
      }
    }
    const Phase phase = plan.method == TuneMethod::Tpe ? Phase::Run : phaseOf(space.arg->value);
    space.symbol = addSymbol(SymbolKind::LoopVariable, space.arg->name, decl, fileId_, space.type,
                             phase);
    bindLocal(space.symbol);
  }
  popScope();
}

bool Checker::checkObjective(const TuneExpr& expr, SymbolId callee, TunePlan& plan) {
  const std::vector<FieldInfo>& outputs = program_->at(callee).signature->outputs;
  const std::string_view name = program_->at(callee).name;
  plan.objective = outputs.size();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].name == expr.objective.text) plan.objective = i;
  }
  if (plan.objective == outputs.size()) {
    unknownName(fmt::format("output of `{}`", name), expr.objective, namesOf(outputs));
    return false;
  }
  const FieldInfo& output = outputs[plan.objective];
  if (isError(output.type)) return false;
  if (output.type == TypeTable::kInt || output.type == TypeTable::kFloat) return true;
  report(diagnose<Diag::TuneObjective>(expr.objective.span, output.name, print(output.type),
                                       expr.maximize ? "maximized" : "minimized")
             .label(program_->at(output.symbol).declared, "declared here")
             .note("it must be an `int` or a `float`"));
  return false;
}

/// The best trial's outputs, its `params`, and a row for each trial: `trials`.
TypeId Checker::tunedType(const TuneExpr& expr, SymbolId callee, TunePlan& plan) {
  const Signature& signature = *program_->at(callee).signature;
  const std::string_view name = program_->at(callee).name;
  bool ok = true;
  const auto taken = [&](std::string_view kind, const FieldInfo& field) {
    report(diagnose<Diag::TuneName>(expr.call->callee->span, kind, field.name, name)
               .label(program_->at(field.symbol).declared, "declared here"));
    ok = false;
  };
  std::vector<ir::TypeField> point;
  std::vector<ir::TypeField> trial{{"trial", TypeTable::kInt}};
  for (const TuneSpace& space : plan.spaces) {
    const FieldInfo& param = signature.params[space.param];
    if (param.name == "trial") taken("parameter", param);
    point.push_back({std::string(param.name), space.type});
    trial.push_back(point.back());
  }
  if (plan.resource >= 0) {
    const FieldInfo& param = signature.params[static_cast<std::size_t>(plan.resource)];
    trial.push_back({std::string(param.name), TypeTable::kInt});
  }
  std::vector<ir::TypeField> result;
  for (const FieldInfo& output : signature.outputs) {
    if (output.name == "params" || output.name == "trials" || output.name == "trial") {
      taken("output", output);
    }
    result.push_back({std::string(output.name), output.type});
    const bool large = types().holds(output.type, IrKind::File) ||
                       types().holds(output.type, IrKind::Dir) ||
                       types().holds(output.type, IrKind::Table);
    // A workflow may give back what it was given under the name of a parameter.
    const bool repeated = std::any_of(trial.begin(), trial.end(), [&](const ir::TypeField& field) {
      return field.name == output.name;
    });
    if (!large && !repeated) {
      trial.push_back({std::string(output.name), types().optional(output.type)});
    }
  }
  plan.point = types().record(std::move(point));
  plan.trial = types().record(std::move(trial));
  result.push_back({"params", plan.point});
  result.push_back({"trials", types().list(plan.trial)});
  return ok ? types().record(std::move(result)) : TypeTable::kError;
}

TypeId Checker::checkTune(const TuneExpr& expr) {
  const CallExpr& call = *expr.call;
  const SymbolId callee = tunedCallee(*call.callee);
  TunePlan plan;
  const TuneMethodSpec* method = checkTuneSettings(expr, callee, plan);
  if (!callee.valid()) {
    for (const Argument& arg : call.args) {
      if (!arg.inSpace) check(arg.value);
    }
    checkPrior(expr, method, plan);
    set(call, TypeTable::kError, Phase::Run);
    return set(expr, TypeTable::kError, Phase::Run);
  }
  const Signature& signature = *program_->at(callee).signature;
  set(call, signature.result, Phase::Run);
  if (place_ != Place::Workflow && place_ != Place::Finally) {
    report(diagnose<Diag::StepOutsideWorkflow>(call.callee->span,
                                               kindWord(program_->at(callee).kind),
                                               program_->at(callee).name, placeOf(place_))
               .note("steps are made by workflows alone"));
    method = nullptr;
  }
  CallBinding binding;
  binding.callee = callee;
  Phase phase = Phase::Compile;
  CallParts parts{call.args, call.callee->span};
  parts.tune = &plan;
  bind(parts, signature.params, binding, phase);
  for (TuneSpace& space : plan.spaces) checkSpace(space, signature.params[space.param]);
  checkSpaceConditions(callee, plan);
  checkPrior(expr, method, plan);
  const bool anySpace = std::any_of(call.args.begin(), call.args.end(),
                                    [](const Argument& arg) { return arg.inSpace; });
  if (!anySpace) {
    report(diagnose<Diag::NothingToTune>(call.span)
               .note("write `name: in space` for a parameter to search; " + std::string(kSpaceNote)));
  }
  if (method != nullptr && plan.method == TuneMethod::Grid && !plan.settings.contains("points")) {
    for (const TuneSpace& space : plan.spaces) {
      const bool isRange = space.low != nullptr && (space.type == TypeTable::kInt ||
                                                     space.type == TypeTable::kFloat);
      if (!isRange || (space.type == TypeTable::kInt && !space.log)) continue;
      report(diagnose<Diag::GridRange>(space.arg->value->span, space.arg->name.text)
                 .note("write `using grid(points: 5)`, or list the values"));
    }
  }
  file_->calls[call.id] = std::move(binding);
  if (program_->at(callee).kind == SymbolKind::Workflow) {
    callSites_.push_back({fileId_, &call, owner_, callee});
  }
  const bool good = checkObjective(expr, callee, plan) && method != nullptr && anySpace;
  const TypeId type = good ? tunedType(expr, callee, plan) : TypeTable::kError;
  file_->tunes[expr.id] = std::move(plan);
  return set(expr, type, Phase::Run);
}

}  // namespace couler::sema

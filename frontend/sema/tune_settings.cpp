// How a `tune` searches: the settings of its method, and what proposes its first points.
#include <algorithm>

#include "frontend/sema/checker.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

void Checker::checkTuneNumber(const Expr* value, const SettingSpec& spec) {
  checkAs(value, TypeTable::kInt);
  const auto number = literalNumber(value);
  if (number && (*number < 0 || (*number == 0 && spec.positive)) && spec.name != "seed") {
    report(
        diagnose<Diag::SettingValue>(value->span, spec.name, *number < 0 ? "below zero" : "zero"));
  }
  if (number && *number == 1 && spec.name == "reduction") {
    report(diagnose<Diag::SettingValue>(value->span, spec.name, "1, which stops no trial"));
  }
  if (spec.type == SettingType::Int) {
    needPhase(value, Phase::Compile, fmt::format("`{}`", spec.name));
  }
}

/// The index of the parameter or output that a setting names; -1 when there is none (reported).
std::ptrdiff_t Checker::tunedName(const Expr* value, const SettingSpec& spec, SymbolId callee) {
  const bool isParam = spec.type == SettingType::Parameter;
  const Signature& signature = *program_->at(callee).signature;
  const std::vector<FieldInfo>& fields = isParam ? signature.params : signature.outputs;
  set(*value, TypeTable::kString, Phase::Compile);
  const std::string_view kind = isParam ? "parameter" : "output";
  if (value->kind != ExprKind::Name) {
    report(diagnose<Diag::AshaName>(value->span, text(value->span), spec.name,
                                    fmt::format("it is not the name of a{} {}",
                                                isParam ? "" : "n", kind)));
    return -1;
  }
  const Name& name = static_cast<const NameExpr*>(value)->name;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name.text) return static_cast<std::ptrdiff_t>(i);
  }
  unknownName(fmt::format("{} of `{}`", kind, program_->at(callee).name), name, namesOf(fields));
  return -1;
}

void Checker::checkAshaNames(SymbolId callee, TunePlan& plan) {
  const Signature& signature = *program_->at(callee).signature;
  const auto refuse = [&](std::string_view setting, const FieldInfo& field, std::string why) {
    report(diagnose<Diag::AshaName>(plan.settings.at(setting)->span, field.name, setting, why)
               .label(program_->at(field.symbol).declared, "declared here"));
  };
  if (plan.resource >= 0) {
    const FieldInfo& param = signature.params[static_cast<std::size_t>(plan.resource)];
    if (!isError(param.type) && param.type != TypeTable::kInt) {
      refuse("resource", param, fmt::format("it is a `{}`, not an `int`", print(param.type)));
      plan.resource = -1;
    }
  }
  const auto given = [&](std::string_view name) { return plan.settings.contains(name); };
  for (const auto& [one, other] : {std::pair{"resume", "checkpoint"}, {"checkpoint", "resume"}}) {
    if (!given(one) || given(other)) continue;
    report(diagnose<Diag::MissingArgument>(plan.settings.at(one)->span, "asha",
                                           fmt::format("`{}`", other))
               .note("a rung passes the `checkpoint` output of the one before to the `resume` "
                     "parameter"));
  }
  if (plan.resume < 0 || plan.checkpoint < 0) return;
  const FieldInfo& param = signature.params[static_cast<std::size_t>(plan.resume)];
  const FieldInfo& output = signature.outputs[static_cast<std::size_t>(plan.checkpoint)];
  if (isError(param.type) || isError(output.type)) return;
  if (types().kind(param.type) != IrKind::Optional) {
    refuse("resume", param,
           fmt::format("the first rung has none to give, and it is a `{}`, not a `{}?`",
                       print(param.type), print(param.type)));
  } else if (!types().accepts(param.type, output.type)) {
    refuse("checkpoint", output,
           fmt::format("it is a `{}`, and `{}` a `{}`", print(output.type), param.name,
                       print(param.type)));
  }
}

/// `name(setting: value, …)`: `take` gets what is a setting and its value.
void Checker::checkClause(
    const TuneClause& clause, std::string_view name, std::span<const SettingSpec> specs,
    std::string_view example, const std::function<void(const SettingSpec&, const Expr*)>& take) {
  std::vector<const Name*> seen;
  for (const Argument& arg : clause.settings) {
    if (arg.value == nullptr) continue;
    if (arg.spread || arg.name.text.empty()) {
      report(diagnose<Diag::SettingValue>(arg.span, name, "given a value without a name")
                 .note(fmt::format("write it as `{}({})`", name, example)));
      check(arg.value);
      continue;
    }
    const SettingSpec* spec =
        checkKey(arg.name, fmt::format("setting of `{}`", name), specs, seen);
    if (spec != nullptr) {
      take(*spec, arg.value);
    } else if (arg.value->kind != ExprKind::Name) {
      check(arg.value);
    }
  }
  std::string missing;
  for (const SettingSpec& spec : specs) {
    const bool given = std::any_of(seen.begin(), seen.end(),
                                   [&](const Name* one) { return one->text == spec.name; });
    if (!spec.required || given) continue;
    missing += fmt::format("{}`{}`", missing.empty() ? "" : ", ", spec.name);
  }
  if (!missing.empty()) report(diagnose<Diag::MissingArgument>(clause.name.span, name, missing));
}

const TuneMethodSpec* Checker::checkTuneSettings(const TuneExpr& expr, SymbolId callee,
                                                 TunePlan& plan) {
  const auto methods = tuneMethods();
  const TuneMethodSpec* method = methods.data();  // without `using`: grid
  if (!expr.method.name.text.empty()) {
    const auto found = std::find_if(methods.begin(), methods.end(), [&](const TuneMethodSpec& m) {
      return m.name == expr.method.name.text;
    });
    method = found == methods.end() ? nullptr : &*found;
  }
  if (method == nullptr) {
    unknownName("way to search", expr.method.name, namesOf(methods),
                "there are `grid`, `random`, `sobol`, `asha` and `tpe`");
    return nullptr;
  }
  plan.method = method->method;
  checkClause(expr.method, method->name, method->settings, "trials: 16",
              [&](const SettingSpec& spec, const Expr* value) {
                plan.settings.emplace(spec.name, value);
                if (spec.type == SettingType::Count || spec.type == SettingType::Int) {
                  checkTuneNumber(value, spec);
                } else if (callee.valid()) {
                  const std::ptrdiff_t index = tunedName(value, spec, callee);
                  (spec.name == "resource" ? plan.resource
                   : spec.name == "resume" ? plan.resume
                                           : plan.checkpoint) = index;
                }
              });
  const Expr* low = plan.settings.contains("min") ? plan.settings.at("min") : nullptr;
  const Expr* high = plan.settings.contains("max") ? plan.settings.at("max") : nullptr;
  if (low != nullptr && high != nullptr && literalNumber(low) && literalNumber(high) &&
      *literalNumber(high) < *literalNumber(low)) {
    report(diagnose<Diag::SettingValue>(high->span, "max", "less than `min`")
               .label(low->span, "this is `min`"));
  }
  if (callee.valid()) checkAshaNames(callee, plan);
  return method;
}

/// What a model is asked with is known before the run: the card, and the spaces.
void Checker::checkPrior(const TuneExpr& expr, const TuneMethodSpec* method, TunePlan& plan) {
  const Name& name = expr.prior.name;
  if (name.text.empty()) return;
  const auto priors = tunePriors();
  const auto prior = std::find_if(priors.begin(), priors.end(),
                                  [&](const PriorSpec& p) { return p.name == name.text; });
  if (prior == priors.end()) {
    unknownName("prior", name, namesOf(priors), "there is `card`");
    for (const Argument& arg : expr.prior.settings) check(arg.value);
    return;
  }
  if (method != nullptr && plan.method == TuneMethod::Grid) {
    report(diagnose<Diag::PriorOfGrid>(name.span).note(
        "`random`, `sobol`, `asha` and `tpe` begin with the points of a prior"));
  }
  checkClause(expr.prior, prior->name, prior->settings, "data: \"…\", model: \"…\"",
              [&](const SettingSpec& spec, const Expr* value) {
                plan.card.emplace(spec.name, value);
                checkSetting(value, spec);
              });
  for (const TuneSpace& space : plan.spaces) {
    needPhase(space.arg->value, Phase::Compile, "a space of which a prior chooses");
  }
}

}  // namespace couler::sema

// Targets and the settings of tasks; declarations that cannot be compiled yet.
#include <algorithm>

#include "frontend/sema/checker.h"
#include "frontend/sema/walk.h"
#include "support/text.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

std::optional<double> literalNumber(const Expr* expr) {
  bool negative = false;
  while (expr != nullptr && expr->kind == ExprKind::Unary &&
         static_cast<const UnaryExpr*>(expr)->op == UnaryOp::Negate) {
    negative = !negative;
    expr = static_cast<const UnaryExpr*>(expr)->operand;
  }
  if (expr == nullptr) return std::nullopt;
  double value = 0;
  if (expr->kind == ExprKind::Int) {
    value = static_cast<double>(static_cast<const IntExpr*>(expr)->value);
  } else if (expr->kind == ExprKind::Float) {
    value = static_cast<const FloatExpr*>(expr)->value;
  } else if (expr->kind == ExprKind::Quantity) {
    const auto* quantity = static_cast<const QuantityExpr*>(expr);
    value = quantity->isInt ? static_cast<double>(quantity->integer) : quantity->number;
  } else {
    return std::nullopt;
  }
  return negative ? -value : value;
}

namespace {

std::string_view plainText(const Expr* expr) {
  if (expr->kind != ExprKind::String) return {};
  const auto parts = static_cast<const StringExpr*>(expr)->parts;
  return parts.size() == 1 && parts[0].expr == nullptr ? parts[0].text : std::string_view{};
}

}  // namespace

const SettingSpec* Checker::checkKey(const Name& key, std::string_view kind,
                                     std::span<const SettingSpec> specs,
                                     std::vector<const Name*>& seen) {
  const auto spec = std::find_if(specs.begin(), specs.end(),
                                 [&](const SettingSpec& s) { return s.name == key.text; });
  if (spec == specs.end()) {
    std::vector<std::string_view> names;
    std::string all;
    for (const SettingSpec& one : specs) {
      names.push_back(one.name);
      all += fmt::format("{}`{}`", all.empty() ? "" : ", ", one.name);
    }
    unknownName(kind, key, names, "there are " + all);
    return nullptr;
  }
  const auto same = std::find_if(seen.begin(), seen.end(),
                                 [&](const Name* other) { return other->text == key.text; });
  if (same != seen.end()) {
    report(diagnose<Diag::RepeatedArgument>(key.span, key.text)
               .label((*same)->span, "first given here"));
    return nullptr;
  }
  seen.push_back(&key);
  return &*spec;
}

void Checker::checkConstant(const Expr* value, TypeId want, std::string_view what) {
  const std::string_view place = std::exchange(secretPlace_, "is part of a setting");
  checkAs(value, want);
  secretPlace_ = place;
  needPhase(value, Phase::Compile, what);
}

void Checker::checkSetting(const Expr* value, const SettingSpec& spec) {
  if (value == nullptr) return;
  const std::string what = fmt::format("`{}`", spec.name);
  const auto number = literalNumber(value);
  if (number && (*number < 0 || (*number == 0 && spec.positive))) {
    report(
        diagnose<Diag::SettingValue>(value->span, spec.name, *number < 0 ? "below zero" : "zero"));
  }
  switch (spec.type) {
    case SettingType::Bool:
      return checkConstant(value, TypeTable::kBool, what);
    case SettingType::Int:
      return checkConstant(value, TypeTable::kInt, what);
    case SettingType::Number:
      return checkConstant(value, TypeTable::kFloat, what);
    case SettingType::String:
      return checkConstant(value, TypeTable::kString, what);
    case SettingType::Duration:
      return checkConstant(value, TypeTable::kDuration, what);
    case SettingType::Size:
      return checkConstant(value, TypeTable::kSize, what);
    case SettingType::StringList:
      return checkConstant(value, types().list(TypeTable::kString), what);
    case SettingType::StringMap:
      return checkConstant(value, types().map(TypeTable::kString), what);
    case SettingType::IntList:
      return checkConstant(value, types().list(TypeTable::kInt), what);
    case SettingType::FailureClasses:
      return checkFailureClasses(value, spec.name);
    case SettingType::Count:
    case SettingType::Parameter:
    case SettingType::Output:
      return;  // of `tune` only
    case SettingType::ContainerTool: {
      checkConstant(value, TypeTable::kString, what);
      const std::string_view tool = plainText(value);
      if (value->kind == ExprKind::String && tool != "podman" && tool != "docker") {
        report(diagnose<Diag::SettingValue>(value->span, spec.name,
                                            "neither \"podman\" nor \"docker\""));
      }
      return;
    }
    case SettingType::ObjectStore: {
      const auto* call = static_cast<const CallExpr*>(value);
      if (value->kind == ExprKind::Call && call->callee != nullptr &&
          call->callee->kind == ExprKind::Name &&
          static_cast<const NameExpr*>(call->callee)->name.text == "s3") {
        return checkS3(*call);
      }
      if (value->kind != ExprKind::Error) {
        report(diagnose<Diag::SettingValue>(value->span, spec.name, "no object store")
                   .note("write it as `s3(bucket: \"name\")`"));
      }
      return;
    }
  }
}

void Checker::checkFailureClasses(const Expr* value, std::string_view name) {
  if (value->kind != ExprKind::List) {
    if (value->kind != ExprKind::Error) {
      report(diagnose<Diag::SettingValue>(value->span, name, "no list of kinds of failure")
                 .note("write it as `[transient, oom, timeout, exit]`, or fewer of these"));
    }
    return;
  }
  const std::vector<std::string_view> classes(failureClasses().begin(), failureClasses().end());
  for (const ListItem& item : static_cast<const ListExpr*>(value)->items) {
    if (item.value == nullptr || item.value->kind == ExprKind::Error) continue;
    if (item.spread || item.value->kind != ExprKind::Name) {
      report(diagnose<Diag::SettingValue>(item.value->span, name, "no kind of failure here")
                 .note("there are `transient`, `oom`, `timeout` and `exit`"));
      continue;
    }
    const Name& word = static_cast<const NameExpr*>(item.value)->name;
    if (std::find(classes.begin(), classes.end(), word.text) == classes.end()) {
      unknownName("kind of failure", word, classes,
                  "there are `transient`, `oom`, `timeout` and `exit`");
    }
    set(*item.value, TypeTable::kString, Phase::Compile);
  }
  set(*value, types().list(TypeTable::kString), Phase::Compile);
}

void Checker::checkS3(const CallExpr& call) {
  std::vector<const Name*> seen;
  std::vector<ir::TypeField> fields{{"kind", TypeTable::kString}};
  for (const Argument& arg : call.args) {
    if (arg.spread || arg.name.text.empty()) {
      report(diagnose<Diag::SettingValue>(arg.span, "s3", "given a value without a name")
                 .note("write it as `s3(bucket: \"name\")`"));
      continue;
    }
    const SettingSpec* spec = checkKey(arg.name, "setting of `s3`", s3Settings(), seen);
    if (spec == nullptr) continue;
    checkSetting(arg.value, *spec);
    fields.push_back({std::string(arg.name.text), TypeTable::kString});
  }
  for (const SettingSpec& spec : s3Settings()) {
    const bool given = std::any_of(seen.begin(), seen.end(),
                                   [&](const Name* name) { return name->text == spec.name; });
    if (spec.required && !given) {
      report(
          diagnose<Diag::MissingArgument>(call.callee->span, "s3", fmt::format("`{}`", spec.name)));
    }
  }
  set(call, types().record(std::move(fields)), Phase::Compile);
}

void Checker::checkTarget(const TargetDecl& target) {
  place_ = Place::Attribute;
  owner_ = {};
  const EngineSpec* engine = findEngine(target.engine.text);
  if (engine == nullptr) {
    const auto planned = plannedEngines();
    if (std::find(planned.begin(), planned.end(), target.engine.text) != planned.end()) {
      report(diagnose<Diag::EngineNotBuilt>(target.engine.span, target.engine.text)
                 .note("built are `local`, `argo` and `katib`"));
      return;
    }
    std::vector<std::string_view> names;
    for (const EngineSpec& one : engineTable()) names.push_back(one.name);
    unknownName("engine", target.engine, names, "built are `local`, `argo` and `katib`");
    return;
  }
  std::vector<const Name*> seen;
  const std::string kind = fmt::format("setting of `{}`", engine->name);
  for (const Setting& setting : target.settings) {
    const SettingSpec* spec = checkKey(setting.key, kind, engine->settings, seen);
    if (spec != nullptr) checkSetting(setting.value, *spec);
  }
}

void Checker::checkUnbuilt(const LabelerDecl& labeler) {
  notBuilt(labeler.name.span, "a labeler");
  // What it names counts as used, and its types must exist.
  resolveType(labeler.param.type);
  resolveType(labeler.result);
  std::vector<const Expr*> open;
  for (const Vote& vote : labeler.votes) {
    if (vote.when != nullptr) open.push_back(vote.when);
  }
  while (!open.empty()) {
    const Expr* expr = open.back();
    open.pop_back();
    if (expr->kind == ExprKind::Name) useTop(static_cast<const NameExpr*>(expr)->name.text);
    forEachChild(expr, [&](const Expr* child) { open.push_back(child); });
  }
}

}  // namespace couler::sema

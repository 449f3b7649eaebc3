// `prior from card(…)`: a node that stands for the points that a model proposes.
#include "frontend/lower/tune_lowering.h"

namespace couler::lower {

using namespace syntax;
using ir::Builtin;
using ir::TypeTable;

namespace {

constexpr std::int64_t kUsualPoints = 4;
constexpr std::int64_t kMostPoints = 32;

ir::Value text(std::string_view words) { return std::string(words); }

ir::Value docOf(const sema::FieldInfo& field) {
  return text(field.syntax == nullptr ? std::string_view() : field.syntax->doc);
}

}  // namespace

NodeId Lowerer::TuneLowering::bound(const Expr& expr, TypeId type) {
  if (plan_.card.empty()) return l_.lowerAs(expr, type);
  std::optional<ir::Value> value = l_.constant(l_.file_, expr, type);
  return l_.constNode(value ? std::move(*value) : ir::Value(), type, expr.span);
}

NodeId Lowerer::TuneLowering::prior() {
  const auto given = [&](std::string_view name, TypeId type, ir::Value absent) {
    const auto found = plan_.card.find(name);
    if (found == plan_.card.end()) return absent;
    return l_.constant(l_.file_, *found->second, type).value_or(std::move(absent));
  };
  const ir::Value points = given("points", TypeTable::kInt, kUsualPoints);
  if (const auto found = plan_.card.find("points"); found != plan_.card.end()) {
    const std::int64_t count = *points.as<std::int64_t>();
    l_.checkSetting(found->second, count >= 1 && count <= kMostPoints, "points",
                    fmt::format("must be from 1 to {}", kMostPoints));
  }
  const TypeId param = types().record({{"doc", TypeTable::kString}, {"when", TypeTable::kString}});
  ir::ListItems params;
  for (const sema::TuneSpace& space : plan_.spaces) {
    const Expr* when = space.arg->when;
    params.push_back(ir::Value::record(
        {{"doc", docOf(signature_.params[space.param])},
         {"when", text(when == nullptr ? std::string_view() : l_.sources_.text(when->span))}}));
  }
  const TypeId type = types().record({{"name", TypeTable::kString},
                                      {"doc", TypeTable::kString},
                                      {"objective", TypeTable::kString},
                                      {"objective_doc", TypeTable::kString},
                                      {"maximize", TypeTable::kBool},
                                      {"data", TypeTable::kString},
                                      {"model", TypeTable::kString},
                                      {"points", TypeTable::kInt},
                                      {"params", types().list(param)}});
  const sema::FieldInfo& objective = signature_.outputs[plan_.objective];
  ir::Value card = ir::Value::record({{"name", text(callee_.name)},
                                      {"doc", text(callee_.decl->doc)},
                                      {"objective", text(objective.name)},
                                      {"objective_doc", docOf(objective)},
                                      {"maximize", expr_.maximize},
                                      {"data", given("data", TypeTable::kString, text(""))},
                                      {"model", given("model", TypeTable::kString, text(""))},
                                      {"points", points},
                                      {"params", ir::Value::list(std::move(params))}});
  std::vector<NodeId> operands{sample_, l_.constNode(std::move(card), type, span_)};
  operands.insert(operands.end(), spaces_.begin(), spaces_.end());
  return op(Builtin::TunePrior, pointList(), operands);
}

}  // namespace couler::lower

#include "passes/plan_copy.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

NodeId PlanCopier::param(NodeId old, RegionId to) {
  const Node node = module_.at(old);
  const std::string name(node.name.valid() ? module_.at(node.name) : std::string_view());
  const NodeId fresh = module_.addParam(to, node.type, name, node.span, node.phase);
  copies_.emplace(old, fresh);
  return fresh;
}

NodeId PlanCopier::node(NodeId old, RegionId to) {
  const Node node = module_.at(old);
  std::vector<NodeId> operands;
  for (const NodeId operand : std::as_const(module_).operands(node)) {
    operands.push_back(copies_.at(operand));
  }
  const NodeId fresh = module_.add(to, node.payload, node.type, operands, {}, node.span, node.name);
  copies_.emplace(old, fresh);
  // Apart from the node, since nodes move as bodies are copied.
  Payload payload = node.payload;
  std::visit(Overloaded{[&](For& x) { x.body = body(x.body, fresh); },
                        [&](Loop& x) { x.body = body(x.body, fresh); },
                        [&](Try& x) { x.body = body(x.body, fresh); },
                        [&](If& x) {
                          x.then = body(x.then, fresh);
                          x.otherwise = body(x.otherwise, fresh);
                        },
                        [&](Rows& x) { x.body = body(x.body, fresh); }, [](auto&) {}},
             payload);
  module_.at(fresh).payload = payload;
  module_.updateAttributes(fresh);
  return fresh;
}

void PlanCopier::nodes(RegionId from, RegionId to) {
  for (const NodeId old : std::vector<NodeId>(module_.at(from).nodes)) {
    if (!std::holds_alternative<std::monostate>(module_.at(old).payload)) node(old, to);
  }
}

RegionId PlanCopier::openBody(RegionId from, NodeId owner) {
  const RegionId to = module_.addRegion(owner);
  for (const NodeId old : std::vector<NodeId>(module_.at(from).params)) param(old, to);
  nodes(from, to);
  return to;
}

RegionId PlanCopier::body(RegionId from, NodeId owner) {
  if (!from.valid()) return from;
  const RegionId to = openBody(from, owner);
  for (const NodeId result : std::vector<NodeId>(module_.at(from).results)) {
    module_.at(to).results.push_back(copies_.at(result));
  }
  return to;
}

void tellApart(std::vector<ParamDef>& params) {
  std::unordered_set<std::string> names;
  for (ParamDef& param : params) {
    const std::string name = param.name;
    for (int n = 2; !names.insert(param.name).second; ++n) {
      param.name = fmt::format("{}_{}", name, n);
    }
  }
}

std::string uniqueTaskName(const Module& module, const std::string& base) {
  std::string name = base;
  const auto taken = [&] {
    return std::any_of(module.tasks.begin(), module.tasks.end(),
                       [&](const TaskDef& task) { return task.name == name; });
  };
  for (int n = 2; taken(); ++n) name = fmt::format("{}-{}", base, n);
  return name;
}

}  // namespace couler::passes

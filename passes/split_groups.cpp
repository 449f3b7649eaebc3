// Groups: steps that an engine runs from one template of the workflow that they are in.
#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "passes/outline.h"
#include "passes/split_graph.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

constexpr double kInputs = 0.97;  // of those that a template of the engine takes
constexpr double kBody = 1e9;     // it takes any number of values; its tasks are counted apart

const FuncDef* calledWorkflow(const Module& module, const Node& node) {
  const auto* call = std::get_if<Call>(&node.payload);
  if (call == nullptr || module.at(call->callee).kind != FuncKind::Workflow) return nullptr;
  return &module.at(call->callee);
}

}  // namespace

bool isTask(const Module& module, NodeId id) {
  std::vector<NodeId> left{id};
  while (!left.empty()) {
    const Node& node = module.at(left.back());
    left.pop_back();
    if (std::holds_alternative<Step>(node.payload) || calledWorkflow(module, node) != nullptr) {
      return true;
    }
    for (const RegionId inner : module.regionsOf(node)) {
      left.insert(left.end(), module.at(inner).nodes.begin(), module.at(inner).nodes.end());
    }
  }
  return false;
}

std::vector<RegionId> crowdedBodies(const Module& module, std::int64_t tasks) {
  std::vector<RegionId> found;
  std::vector<RegionId> left{module.at(module.entry).body};
  std::set<RegionId> seen;
  while (!left.empty()) {
    const RegionId body = left.back();
    left.pop_back();
    if (!seen.insert(body).second) continue;
    std::int64_t has = 0;
    for (const NodeId id : module.at(body).nodes) {
      const Node& node = module.at(id);
      for (const RegionId inner : module.regionsOf(node)) left.push_back(inner);
      if (const FuncDef* callee = calledWorkflow(module, node)) left.push_back(callee->body);
      has += isTask(module, id) ? 1 : 0;
    }
    if (has > tasks) found.push_back(body);
  }
  std::reverse(found.begin(), found.end());
  return found;
}

std::size_t group(Module& module, const Context& context, const EngineLimits& limits, RegionId body,
                  SplitPlan& plan) {
  spellOutLists(module, body);
  BodyGraph whole = graphOf(module, context, {}, body, Outlined::Group);
  for (StepGraph::Vertex& vertex : whole.graph.vertices) {
    // What is counted as bytes are values that a group takes.
    vertex.bytes = vertex.inputs;
    vertex.templates = 0;
    vertex.steps = vertex.tasks;
    if (vertex.tasks > limits.tasks) return 0;
  }
  whole.graph.groupBytes.clear();
  PartLimits of;
  of.steps = of.parentTasks = limits.tasks;
  of.bytes = static_cast<std::int64_t>(kInputs * static_cast<double>(limits.inputs));
  of.handOver.linkBytes = 1;
  of.parentShare = kBody;
  const Partition made = partition(whole.graph, of, plan.workers);
  if (made.parts == 0) return 0;
  plan.seconds = makespan(whole.graph, made, plan.workers);
  plan.secondsWhole = makespan(whole.graph, plan.workers);
  std::string name = module.at(module.entry).name;
  for (const FuncDef& func : module.funcs) {
    if (func.body == body) name = func.name;
  }
  if (const NodeId owner = module.at(body).owner; owner.valid()) {
    name += '-';
    name += labelOf(module, owner);
  }
  outline(module, body, name, whole.partOfNodes(made, module.nodes.size()), made.parts,
          Outlined::Group);
  return made.parts;
}

}  // namespace couler::passes

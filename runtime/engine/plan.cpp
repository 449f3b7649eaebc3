#include "runtime/engine/plan.h"

#include <unordered_set>

#include "ir/eval.h"

namespace couler::runtime {
namespace {

bool compound(const ir::Node& node) {
  return std::holds_alternative<ir::For>(node.payload) ||
         std::holds_alternative<ir::If>(node.payload) ||
         std::holds_alternative<ir::Loop>(node.payload) ||
         std::holds_alternative<ir::Try>(node.payload);
}

/// Lists of users as offsets and one flat array.
void flatten(std::vector<std::pair<std::uint32_t, std::uint32_t>>& edges, std::size_t slots,
             std::vector<std::uint32_t>& from, std::vector<std::uint32_t>& users) {
  from.assign(slots + 1, 0);
  for (const auto& [slot, user] : edges) ++from[slot + 1];
  for (std::size_t i = 1; i <= slots; ++i) from[i] += from[i - 1];
  users.resize(edges.size());
  std::vector<std::uint32_t> at(from.begin(), from.end() - 1);
  for (const auto& [slot, user] : edges) users[at[slot]++] = user;
}

}  // namespace

Plans::Plans(const ir::Module& module)
    : module_(module),
      slotOf_(module.nodes.size(), 0),
      parent_(module.regions.size()),
      plans_(module.regions.size()) {
  for (std::uint32_t i = 0; i < module.regions.size(); ++i) {
    const ir::NodeId owner = module.regions[i].owner;
    if (owner.valid()) parent_[i] = module.at(owner).region;
  }
  for (const ir::FuncDef& func : module.funcs) {
    if (func.finally.valid()) parent_[func.finally.index()] = func.body;
  }
  for (const ir::Region& region : module.regions) {
    std::uint32_t slot = 0;
    for (const ir::NodeId id : region.params) slotOf_[id.index()] = slot++;
    for (const ir::NodeId id : region.nodes) {
      if (!std::holds_alternative<std::monostate>(module.at(id).payload))
        slotOf_[id.index()] = slot++;
    }
  }
}

bool Plans::inlineNode(ir::NodeId node) const { return captures_.contains(node); }

const std::vector<ir::NodeId>& Plans::captures(ir::NodeId node) const {
  return captures_.find(node)->second;
}

void Plans::collectCaptures(ir::NodeId node) {
  std::vector<ir::RegionId> regions = module_.regionsOf(module_.at(node));
  for (std::size_t i = 0; i < regions.size(); ++i) {
    for (const ir::NodeId inner : module_.at(regions[i]).nodes) {
      for (const ir::RegionId nested : module_.regionsOf(module_.at(inner)))
        regions.push_back(nested);
    }
  }
  const std::unordered_set<ir::RegionId> inside(regions.begin(), regions.end());
  std::unordered_set<ir::NodeId> seen;
  std::vector<ir::NodeId>& captured = captures_[node];
  const auto use = [&](ir::NodeId used) {
    if (!inside.contains(module_.at(used).region) && seen.insert(used).second) {
      captured.push_back(used);
    }
  };
  for (const ir::RegionId region : regions) {
    for (const ir::NodeId inner : module_.at(region).nodes) {
      for (const ir::NodeId operand : module_.operands(module_.at(inner))) use(operand);
    }
    for (const ir::NodeId result : module_.at(region).results) use(result);
  }
}

const RegionPlan& Plans::of(ir::RegionId region) {
  std::unique_ptr<RegionPlan>& plan = plans_[region.index()];
  if (!plan) plan = make(region);
  return *plan;
}

std::unique_ptr<RegionPlan> Plans::make(ir::RegionId id) {
  auto plan = std::make_unique<RegionPlan>();
  const ir::Region& region = module_.at(id);
  plan->region = id;
  plan->params = static_cast<std::uint32_t>(region.params.size());
  plan->slots = region.params;
  for (const ir::NodeId node : region.nodes) {
    if (!std::holds_alternative<std::monostate>(module_.at(node).payload))
      plan->slots.push_back(node);
  }
  plan->pending.assign(plan->slots.size() + 1, 0);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> values;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> orders;
  const auto use = [&](std::uint32_t user, ir::NodeId used, bool order) {
    ++plan->pending[user];
    const ir::RegionId home = module_.at(used).region;
    if (home == id) {
      (order ? orders : values).emplace_back(slotOf(used), user);
      return;
    }
    std::uint32_t up = 0;
    for (ir::RegionId at = id; at.valid() && at != home; at = parentOf(at)) ++up;
    plan->outer.push_back({user, up, slotOf(used), order});
  };
  for (std::uint32_t slot = plan->params; slot < plan->exit(); ++slot) {
    const ir::NodeId node = plan->slots[slot];
    const ir::Node& n = module_.at(node);
    if (std::holds_alternative<ir::Step>(n.payload)) ++plan->steps;
    const ir::Call* call = std::get_if<ir::Call>(&n.payload);
    const bool workflow =
        call != nullptr && module_.at(call->callee).kind == ir::FuncKind::Workflow;
    // A called workflow starts at once: each of its steps waits for the arguments that it uses.
    if (!workflow) {
      for (const ir::NodeId operand : module_.operands(n)) use(slot, operand, false);
    }
    for (const ir::NodeId before : module_.order(n)) use(slot, before, true);
    if (compound(n) && ir::isEvaluable(module_, node)) {
      collectCaptures(node);
      for (const ir::NodeId captured : captures(node)) use(slot, captured, false);
    }
  }
  for (const ir::NodeId result : region.results) use(plan->exit(), result, false);
  flatten(values, plan->slots.size(), plan->valueFrom_, plan->valueUsers_);
  flatten(orders, plan->slots.size(), plan->orderFrom_, plan->orderUsers_);
  return plan;
}

}  // namespace couler::runtime

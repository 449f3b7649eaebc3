#include "ir/verify_internal.h"

namespace couler::ir {

bool Verifier::enter(std::vector<Frame>& stack, RegionId id, NodeId owner, std::size_t which) {
  if (owned_[id.index()]) {
    problem("region {} belongs to two", id.index());
    return false;
  }
  owned_[id.index()] = true;
  const Region& region = m_.at(id);
  if (region.owner != owner) problem("region {} names another owner", id.index());
  for (std::size_t i = 0; i < region.params.size(); ++i) {
    const NodeId param = region.params[i];
    const Param* payload = m_.payload<Param>(param);
    if (payload == nullptr || payload->index != i || m_.at(param).region != id) {
      problem("{} is not parameter {} of region {}", say(param), i, id.index());
    }
    if (place(param)) visible_[param.index()] = true;
  }
  ++nameStamp_;
  for (const NodeId node : region.nodes) verifyName(node);
  stack.push_back({id, 0, owner, which});
  return true;
}

bool Verifier::place(NodeId id) {
  if (placed_[id.index()]) {
    problem("{} stands in two places", say(id));
    return false;
  }
  placed_[id.index()] = true;
  return true;
}

void Verifier::verifyName(NodeId id) {
  const Node& node = m_.at(id);
  const bool isStep = std::holds_alternative<Step>(node.payload);
  const Call* call = std::get_if<Call>(&node.payload);
  const bool isCall = call != nullptr && m_.at(call->callee).kind == FuncKind::Workflow;
  if (!isStep && !isCall) return;
  if (!node.name.valid()) return problem("{} has no name", say(id));
  std::uint32_t& seen = nameSeen_[node.name.index()];
  if (seen == nameStamp_) problem("two steps of one region are named `{}`", m_.at(node.name));
  seen = nameStamp_;
}

void Verifier::walk(RegionId root, std::span<const NodeId> outerParams, Inside inside) {
  for (const NodeId param : outerParams) visible_[param.index()] = true;
  std::vector<Frame> stack;
  enter(stack, root, {}, 0);
  while (!stack.empty()) {
    Frame& frame = stack.back();
    const Region& region = m_.at(frame.region);
    if (frame.next < region.nodes.size()) {
      const NodeId id = region.nodes[frame.next];
      const Node& node = m_.at(id);
      if (std::holds_alternative<std::monostate>(node.payload)) {
        ++frame.next;
        continue;
      }
      if (!place(id)) {
        ++frame.next;
        continue;
      }
      if (node.region != frame.region) problem("{} names another region", say(id));
      verifyOperands(id, inside);
      const std::vector<RegionId> owns = m_.regionsOf(node);
      if (!owns.empty() && enter(stack, owns.front(), id, 0)) continue;
      finish(id, stack.back());
      continue;
    }
    for (const NodeId id : region.results) {
      if (!visible_[id.index()])
        problem("a result of region {} is not visible", frame.region.index());
    }
    const Frame done = frame;
    for (const NodeId id : region.nodes) visible_[id.index()] = false;
    for (const NodeId id : region.params) visible_[id.index()] = false;
    stack.pop_back();
    if (!done.owner.valid()) continue;
    const std::vector<RegionId> owns = m_.regionsOf(m_.at(done.owner));
    if (done.ownerRegion + 1 < owns.size() &&
        enter(stack, owns[done.ownerRegion + 1], done.owner, done.ownerRegion + 1)) {
      continue;
    }
    finish(done.owner, stack.back());
  }
  for (const NodeId param : outerParams) visible_[param.index()] = false;
}

/// The node's bodies are done: its own rules, then others may use it.
void Verifier::finish(NodeId id, Frame& frame) {
  verifyNode(id);
  visible_[id.index()] = true;
  ++frame.next;
}

void Verifier::verifyOperands(NodeId id, Inside inside) {
  const Node& node = m_.at(id);
  for (const NodeId operand : m_.operands(node)) {
    if (!visible_[operand.index()])
      problem("{} uses {}, which it cannot see", say(id), say(operand));
  }
  for (const NodeId operand : m_.order(node)) {
    if (!visible_[operand.index()]) {
      problem("{} is after {}, which it cannot see", say(id), say(operand));
    }
  }
  if (inside == Inside::Steps) return;
  const Call* call = std::get_if<Call>(&node.payload);
  if (std::holds_alternative<Step>(node.payload) ||
      (call != nullptr && m_.at(call->callee).kind == FuncKind::Workflow)) {
    problem("{} stands where only expressions may", say(id));
  }
}

}  // namespace couler::ir

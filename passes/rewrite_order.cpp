#include <algorithm>
#include <utility>

#include "passes/rewrite.h"

// `after` through rewriting. What is after a call or a `for` is, once that has gone, after its last
// steps; and the steps of a call that is itself `after` something wait for that: those suffice that
// no other step of the call comes before.
namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

/// Nodes that run steps; the others are only values between them.
bool runsSteps(const Module& module, const Node& node) {
  if (const Call* call = std::get_if<Call>(&node.payload)) {
    return module.at(call->callee).kind == FuncKind::Workflow;
  }
  return std::holds_alternative<Step>(node.payload) || std::holds_alternative<For>(node.payload) ||
         std::holds_alternative<If>(node.payload) || std::holds_alternative<Loop>(node.payload) ||
         std::holds_alternative<Try>(node.payload);
}

}  // namespace

void Rewriter::noteSpan(const Frame& frame) {
  if (!orderUsed_[frame.owner.index()]) return;
  Leaves& leaves = spans_[frame.owner.index()];
  leaves.span = {frame.firstNew, static_cast<std::uint32_t>(module_.nodes.size()), frame.to};
  leaves.nodes.clear();
  leaves.known = false;
}

/// The steps of a span that no other step of it waits for.
void Rewriter::findLeaves(NewSpan span, std::vector<NodeId>& into) const {
  std::vector<bool> waitedFor(span.end - span.first, false);
  for (std::uint32_t i = span.end; i-- > span.first;) {
    const Node& node = module_.nodes[i];
    const bool runs = runsSteps(module_, node);
    if (runs && !waitedFor[i - span.first] && node.region == span.region) into.push_back(NodeId{i});
    if (!runs && !waitedFor[i - span.first]) continue;
    for (const auto& list : {module_.operands(node), module_.order(node)}) {
      for (const NodeId id : list) {
        if (id.index() >= span.first && id.index() < span.end) {
          waitedFor[id.index() - span.first] = true;
        }
      }
    }
  }
  std::reverse(into.begin(), into.end());
}

void Rewriter::mapOrderOf(NodeId old, std::vector<NodeId>& into) {
  const auto found = spans_.find(old.index());
  if (found == spans_.end()) {
    if (env(old).kind == Ref::Kind::Node) into.push_back(NodeId{env(old).index});
    return;
  }
  Leaves& leaves = found->second;
  if (!leaves.known) {
    leaves.known = true;
    findLeaves(leaves.span, leaves.nodes);
  }
  into.insert(into.end(), leaves.nodes.begin(), leaves.nodes.end());
}

void Rewriter::mapOrder(const Node& old) {
  order_.clear();
  for (std::uint32_t i = 0; i < old.orderCount; ++i) {
    mapOrderOf(oldOperand(old, old.operandCount + i), order_);
  }
  const std::uint32_t context = stack_.back().context;
  const bool isStep =
      std::holds_alternative<Step>(old.payload) || std::holds_alternative<Call>(old.payload);
  if (context != kNone && isStep) {
    const OrderContext& inherited = contexts_[context];
    const auto covered = [&](NodeId id) { return isCovered(id, inherited.firstNew); };
    if (std::none_of(operands_.begin(), operands_.end(), covered) &&
        std::none_of(order_.begin(), order_.end(), covered)) {
      order_.insert(order_.end(), inherited_.begin() + inherited.begin,
                    inherited_.begin() + inherited.begin + inherited.count);
    }
  }
  if (order_.empty()) return;
  std::sort(order_.begin(), order_.end());
  order_.erase(std::unique(order_.begin(), order_.end()), order_.end());
  std::vector<NodeId> used(operands_);
  std::sort(used.begin(), used.end());
  std::erase_if(order_,
                [&](NodeId id) { return std::binary_search(used.begin(), used.end(), id); });
}

/// What the steps of an inlined call wait for: the call's own `after`, and what its caller's steps
/// wait for where that does not cover it.
std::uint32_t Rewriter::newContext(const Node& call) {
  const std::uint32_t outer = stack_.back().context;
  std::vector<NodeId> waits;
  for (std::uint32_t i = 0; i < call.orderCount; ++i) {
    mapOrderOf(oldOperand(call, call.operandCount + i), waits);
  }
  if (waits.empty()) return outer;
  if (outer != kNone) {
    const OrderContext inherited = contexts_[outer];
    if (std::none_of(waits.begin(), waits.end(),
                     [&](NodeId id) { return isCovered(id, inherited.firstNew); })) {
      waits.insert(waits.end(), inherited_.begin() + inherited.begin,
                   inherited_.begin() + inherited.begin + inherited.count);
    }
  }
  contexts_.push_back({static_cast<std::uint32_t>(inherited_.size()),
                       static_cast<std::uint32_t>(waits.size()),
                       static_cast<std::uint32_t>(module_.nodes.size())});
  inherited_.insert(inherited_.end(), waits.begin(), waits.end());
  return static_cast<std::uint32_t>(contexts_.size() - 1);
}

void Rewriter::noteCovered(NodeId fresh) {
  const std::uint32_t context = stack_.empty() ? kNone : stack_.back().context;
  const std::size_t at = fresh.index() - oldNodes_;
  if (context == kNone) return;
  if (covered_.size() <= at) covered_.resize(std::max(at + 1, module_.nodes.size() - oldNodes_));
  const Node& node = module_.at(fresh);
  const std::uint32_t firstNew = contexts_[context].firstNew;
  bool covered = runsSteps(module_, node);
  for (const NodeId id : std::as_const(module_).operands(node)) {
    covered = covered || isCovered(id, firstNew);
  }
  covered_[at] = covered;
}

}  // namespace couler::passes

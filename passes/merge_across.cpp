#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "passes/merge.h"

// Equal steps in bodies that are apart, as of the trials of a search that all prepare the same
// data. One of them is done before, in the body around them; it fails, where it does, only those
// that use it.
namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

class AcrossBodies {
 public:
  AcrossBodies(Module& module, std::vector<std::pair<NodeId, NodeId>>& merged)
      : module_(module), merged_(merged) {}

  bool run(RegionId root) {
    number(root);
    if (regions_.size() == 1) return false;
    const std::size_t before = merged_.size();
    for (std::vector<NodeId>& same : steps_) {
      if (same.size() > 1) share(same);
    }
    if (merged_.size() == before) return false;
    redirect();
    return true;
  }

 private:
  using Key = std::vector<std::uint64_t>;

  [[nodiscard]] bool isBranch(NodeId id) const {
    return module_.payload<If>(id) != nullptr || module_.payload<Try>(id) != nullptr;
  }

  /// Equal numbers, equal values, wherever both are there. A body of a loop is none of those looked
  /// into here: what is in it differs by turn.
  void number(RegionId root) {
    struct Frame {
      RegionId region;
      std::size_t next = 0;
    };
    for (const NodeId param : module_.at(root).params) fresh(param);
    std::vector<Frame> stack{{root}};
    regions_.insert(root);
    while (!stack.empty()) {
      Frame& frame = stack.back();
      const std::vector<NodeId>& nodes = module_.at(frame.region).nodes;
      if (frame.next == nodes.size()) {
        stack.pop_back();
        continue;
      }
      const NodeId id = nodes[frame.next++];
      const Node& node = module_.at(id);
      if (std::holds_alternative<std::monostate>(node.payload)) continue;
      place(id, node);
      if (!isBranch(id)) continue;
      std::vector<RegionId> inner = module_.regionsOf(node);
      std::reverse(inner.begin(), inner.end());
      for (const RegionId region : inner) {
        regions_.insert(region);
        stack.push_back({region});
      }
    }
  }

  void fresh(NodeId id) { numbers_.emplace(id, next_++); }

  /// What tells values apart: kind, content, type and the numbers of what it is made of; empty:
  /// nothing is like it.
  [[nodiscard]] Key keyOf(const Node& node) {
    Key key;
    if (const auto* constant = std::get_if<Const>(&node.payload)) {
      key = {1, constant->value.index(), node.type.index()};
    } else if (const auto* op = std::get_if<Op>(&node.payload)) {
      key = {2, static_cast<std::uint64_t>(op->op), node.type.index()};
    } else if (const auto* field = std::get_if<Field>(&node.payload)) {
      key = {3, field->name.index(), node.type.index(), field->ofEach ? 1U : 0U,
             field->optional ? 1U : 0U};
    } else if (const auto* step = std::get_if<Step>(&node.payload)) {
      const TaskDef& task = module_.at(step->task);
      if (task.isVolatile || !task.cache || node.orderCount != 0) return {};
      key = {4, step->task.index()};
    } else {
      return {};
    }
    for (const NodeId operand : std::as_const(module_).operands(node)) {
      const auto [known, outside] = numbers_.try_emplace(operand, next_);
      if (outside) ++next_;
      key.push_back(known->second);
    }
    return key;
  }

  void place(NodeId id, const Node& node) {
    Key key = keyOf(node);
    if (key.empty()) return fresh(id);
    const auto [known, added] = known_.try_emplace(std::move(key), next_);
    if (added) ++next_;
    numbers_.emplace(id, known->second);
    if (!std::holds_alternative<Step>(node.payload)) return;
    const auto [at, first] = stepsOf_.try_emplace(known->second, steps_.size());
    if (first) steps_.emplace_back();
    steps_[at->second].push_back(id);
  }

  // ---- where bodies stand
  [[nodiscard]] std::vector<RegionId> around(RegionId region) const {  // from the inside
    std::vector<RegionId> path{region};
    for (NodeId owner = module_.at(region).owner; owner.valid() && isBranch(owner);) {
      path.push_back(module_.at(owner).region);
      owner = module_.at(path.back()).owner;
    }
    return path;
  }
  [[nodiscard]] bool within(RegionId inner, RegionId outer) const {
    const std::vector<RegionId> path = around(inner);
    return std::find(path.begin(), path.end(), outer) != path.end();
  }
  /// Whether it runs whenever `home` does, as far as what stands before it in a `try` lets it.
  [[nodiscard]] bool alwaysRuns(NodeId id, RegionId home) const {
    for (RegionId at = module_.at(id).region; at != home;) {
      const NodeId owner = module_.at(at).owner;
      if (module_.payload<Try>(owner) == nullptr) return false;
      at = module_.at(owner).region;
    }
    return true;
  }

  [[nodiscard]] bool holdsSteps(NodeId id) const {
    const Node& node = module_.at(id);
    if (std::holds_alternative<Step>(node.payload) || std::holds_alternative<Call>(node.payload))
      return true;
    for (const RegionId inner : module_.regionsOf(node)) {
      const std::vector<NodeId>& nodes = module_.at(inner).nodes;
      if (std::any_of(nodes.begin(), nodes.end(), [&](NodeId each) { return holdsSteps(each); }))
        return true;
    }
    return false;
  }
  /// Whether its body has no other steps: what is left would be a `try` or `if` of nothing.
  [[nodiscard]] bool isAlone(NodeId id) const {
    if (!module_.at(module_.at(id).region).owner.valid()) return false;
    const std::vector<NodeId>& nodes = module_.at(module_.at(id).region).nodes;
    return std::none_of(nodes.begin(), nodes.end(),
                        [&](NodeId other) { return other != id && holdsSteps(other); });
  }
  /// Whether it is all that a `try` does, which then may go as a whole.
  [[nodiscard]] bool isAttempt(NodeId id) const {
    const Region& region = module_.at(module_.at(id).region);
    return module_.payload<Try>(region.owner) != nullptr && region.results[0] == id &&
           !isAlone(region.owner);
  }

  /// `same`: equal steps in their order.
  void share(std::vector<NodeId>& same) {
    std::erase_if(same, [&](NodeId id) { return isAlone(id) && !isAttempt(id); });
    if (same.size() < 2) return;
    RegionId home = module_.at(same[0]).region;
    for (const NodeId id : same) {
      while (!within(module_.at(id).region, home)) home = module_.at(module_.at(home).owner).region;
    }
    const auto isDirect = [&](NodeId id) { return module_.at(id).region == home; };
    const auto direct = std::find_if(same.begin(), same.end(), isDirect);
    if (direct == same.begin()) return useInstead(same, *direct, home);
    const bool runs =
        std::any_of(same.begin(), same.end(), [&](NodeId id) { return alwaysRuns(id, home); });
    if (!runs || !liftable(same[0], home)) return;
    // What is added stands at the end, and belongs before what the first one stands in.
    const std::size_t end = module_.at(home).nodes.size();
    NodeId stands = same[0];
    while (!isDirect(stands)) stands = module_.at(module_.at(stands).region).owner;
    if (direct != same.end()) {
      useInstead(same, copyOf(same[0], home, home, module_.at(*direct).name), home);
    } else {
      attemptOnce(same, home);
    }
    std::vector<NodeId>& nodes = module_.at(home).nodes;
    const auto at = std::find(nodes.begin(), nodes.end(), stands);
    std::rotate(at, nodes.begin() + static_cast<std::ptrdiff_t>(end), nodes.end());
  }

  /// One step of the body around them, without which that body fails as well.
  void useInstead(const std::vector<NodeId>& same, NodeId step, RegionId home) {
    for (const NodeId id : same) {
      if (id == step || (module_.at(id).region != home && isAlone(id))) continue;
      same_[id] = step;
      module_.at(id).payload = std::monostate{};
      if (id != same[0]) merged_.emplace_back(id, step);
    }
  }

  /// One in a `try` of its own.
  void attemptOnce(const std::vector<NodeId>& same, RegionId home) {
    const Node step = module_.at(same[0]);
    const NodeId shared =
        module_.add(home, Try{}, module_.types.optional(step.type), {}, {}, step.span);
    const RegionId body = module_.addRegion(shared);
    const NodeId made = copyOf(same[0], home, body, step.name);
    module_.at(body).results = {made};
    module_.at(shared).payload = Try{body};
    module_.updateAttributes(shared);
    regions_.insert(body);
    for (const NodeId id : same) {
      if (id != same[0]) merged_.emplace_back(id, made);
      if (isAlone(id)) {
        Region& attempted = module_.at(module_.at(id).region);
        const NodeId attempt = attempted.owner;
        attempted = Region();
        same_[attempt] = shared;
        module_.at(attempt).payload = std::monostate{};
        module_.at(id).payload = std::monostate{};
        continue;
      }
      module_.at(id).payload = Op{Builtin::Unwrap};
      module_.at(id).name = {};
      module_.setEdges(id, {{shared}}, {});
      module_.updateAttributes(id);
    }
  }

  NodeId copyOf(NodeId id, RegionId home, RegionId to, NameId name) {
    const Node step = module_.at(id);
    std::map<NodeId, NodeId> copies;
    std::vector<NodeId> operands;
    for (const NodeId operand : operandsOf(id))
      operands.push_back(lifted(operand, home, to, copies));
    return module_.add(to, step.payload, step.type, operands, {}, step.span, name);
  }

  [[nodiscard]] std::vector<NodeId> operandsOf(NodeId id) const {
    const auto edges = std::as_const(module_).operands(module_.at(id));
    return {edges.begin(), edges.end()};
  }
  [[nodiscard]] bool isVisible(NodeId id, RegionId home) const {
    const RegionId region = module_.at(id).region;
    return within(home, region) || !regions_.contains(region);
  }
  [[nodiscard]] bool isPure(NodeId id) const {
    return module_.payload<Const>(id) != nullptr || module_.payload<Op>(id) != nullptr ||
           module_.payload<Field>(id) != nullptr;
  }

  /// Whether all that the step is made of stands in `home` or around it, or can be made again
  /// there.
  [[nodiscard]] bool liftable(NodeId step, RegionId home) const {
    std::vector<NodeId> left = operandsOf(step);
    for (std::size_t looked = 0; !left.empty(); ++looked) {
      if (looked > kMostCopied) return false;
      const NodeId id = left.back();
      left.pop_back();
      if (isVisible(id, home)) continue;
      if (!isPure(id)) return false;
      for (const NodeId operand : operandsOf(id)) left.push_back(operand);
    }
    return true;
  }
  /// As deep as expressions nest, at most `kMostCopied`.
  NodeId lifted(NodeId id, RegionId home, RegionId body, std::map<NodeId, NodeId>& copies) {
    if (isVisible(id, home)) return id;
    if (const auto found = copies.find(id); found != copies.end()) return found->second;
    std::vector<NodeId> operands;
    for (const NodeId operand : operandsOf(id))
      operands.push_back(lifted(operand, home, body, copies));
    const Node old = module_.at(id);
    return copies
        .emplace(id, module_.add(body, old.payload, old.type, operands, {}, old.span, old.name))
        .first->second;
  }

  /// Edges lead to the nodes that stay.
  void redirect() {
    if (same_.empty()) return;
    const auto now = [&](NodeId& id) {
      if (const auto found = same_.find(id); found != same_.end()) id = found->second;
    };
    std::vector<RegionId> left(regions_.begin(), regions_.end());
    while (!left.empty()) {
      Region& region = module_.at(left.back());
      left.pop_back();
      std::erase_if(region.nodes, [&](NodeId id) {
        return std::holds_alternative<std::monostate>(module_.at(id).payload);
      });
      for (NodeId& id : region.results) now(id);
      for (const NodeId id : region.nodes) {
        Node& node = module_.at(id);
        for (NodeId& operand : module_.operands(node)) now(operand);
        for (NodeId& before : module_.order(node)) now(before);
        if (isBranch(id)) continue;  // their bodies are among `regions_`
        for (const RegionId inner : module_.regionsOf(node)) left.push_back(inner);
      }
    }
  }

  static constexpr std::size_t kMostCopied = 1000;
  Module& module_;
  std::vector<std::pair<NodeId, NodeId>>& merged_;
  std::set<RegionId> regions_;  ///< looked into
  std::map<NodeId, std::uint64_t> numbers_;
  std::map<Key, std::uint64_t> known_;
  std::map<std::uint64_t, std::size_t> stepsOf_;
  std::vector<std::vector<NodeId>> steps_;  ///< equal ones, in their order
  std::map<NodeId, NodeId> same_;
  std::uint64_t next_ = 0;
};

}  // namespace

bool mergeAcross(Module& module, RegionId root, std::vector<std::pair<NodeId, NodeId>>& merged) {
  return AcrossBodies(module, merged).run(root);
}

}  // namespace couler::passes

#include <algorithm>
#include <utility>

#include "passes/merge.h"
#include "passes/passes.h"
#include "support/id_table.h"
#include "support/text.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

class Merger {
 public:
  explicit Merger(Module& module) : module_(module), same_(module.nodes.size()) {
    for (std::size_t i = 0; i < same_.size(); ++i) same_[i] = NodeId{i};
  }

  bool run(Context& context) {
    for (const TaskDef& task : module_.tasks) mergeBody(task.exprs);
    for (const FuncDef& func : module_.funcs) {
      mergeBody(func.body);
      if (func.finally.valid()) mergeBody(func.finally);
    }
    mergeApart();
    Span at;
    if (module_.entry.valid()) at = module_.at(module_.entry).span;
    if (values_ != 0)
      context.diags.take(diagnose<Diag::NodesMerged>(at, countOf(values_, "value")));
    reportSteps(context);
    return values_ != 0 || !steps_.empty();
  }

 private:
  void mergeApart() {
    const bool branches =
        std::any_of(module_.nodes.begin(), module_.nodes.end(), [](const Node& node) {
          return std::holds_alternative<If>(node.payload) ||
                 std::holds_alternative<Try>(node.payload);
        });
    if (!branches) return;
    std::vector<RegionId> roots;
    for (const FuncDef& func : module_.funcs) {
      if (func.kind != FuncKind::Workflow) continue;
      roots.push_back(func.body);
      if (func.finally.valid()) roots.push_back(func.finally);
    }
    for (const Node& node : module_.nodes) {
      if (const For* loop = std::get_if<For>(&node.payload)) roots.push_back(loop->body);
      if (const Loop* loop = std::get_if<Loop>(&node.payload)) roots.push_back(loop->body);
    }
    std::vector<std::pair<NodeId, NodeId>> merged;
    for (const RegionId root : roots) mergeAcross(module_, root, merged);
    for (const auto& [gone, kept] : merged) steps_.push_back(kept);
  }

  void reportSteps(Context& context) {
    std::stable_sort(steps_.begin(), steps_.end());
    for (std::size_t i = 0; i < steps_.size();) {
      std::size_t end = i;
      while (end < steps_.size() && steps_[end] == steps_[i]) ++end;
      const Node& kept = module_.at(steps_[i]);
      context.diags.take(
          diagnose<Diag::StepsMerged>(kept.span, countOf(end - i, "step"), module_.at(kept.name)));
      i = end;
    }
  }

  /// A body, then the bodies inside it between the nodes before and after them: a node is looked at
  /// after all that it can use.
  void mergeBody(RegionId root) {
    struct Frame {
      RegionId region;
      std::size_t next = 0;
      std::size_t kept = 0;
    };
    std::vector<Frame> stack{{root}};
    while (!stack.empty()) {
      Frame& frame = stack.back();
      std::vector<NodeId>& nodes = module_.at(frame.region).nodes;
      if (frame.next == nodes.size()) {
        nodes.resize(frame.kept);
        for (NodeId& id : module_.at(frame.region).results) id = same_[id.index()];
        stack.pop_back();
        continue;
      }
      const NodeId id = nodes[frame.next++];
      if (std::holds_alternative<std::monostate>(module_.at(id).payload)) continue;
      useMerged(module_.at(id));
      if (merge(id)) continue;
      nodes[frame.kept++] = id;
      if (!ownsBodies(module_.at(id))) continue;
      for (const RegionId inner : module_.regionsOf(module_.at(id))) stack.push_back({inner});
    }
  }

  static bool ownsBodies(const Node& node) {
    return std::holds_alternative<For>(node.payload) || std::holds_alternative<If>(node.payload) ||
           std::holds_alternative<Loop>(node.payload) || std::holds_alternative<Try>(node.payload) ||
           std::holds_alternative<Rows>(node.payload);
  }

  /// Edges lead to the nodes that stay; `after` is a set.
  void useMerged(Node& node) {
    for (NodeId& id : module_.operands(node)) id = same_[id.index()];
    if (node.orderCount == 0) return;
    const std::span<NodeId> order = module_.order(node);
    for (NodeId& id : order) id = same_[id.index()];
    std::sort(order.begin(), order.end());
    const auto end = std::unique(order.begin(), order.end());
    node.orderCount = static_cast<std::uint32_t>(end - order.begin());
  }

  /// A rule of a read is known by its name, which another one would lose.
  [[nodiscard]] bool isRule(const Node& node) const {
    if (!node.name.valid()) return false;
    const NodeId owner = module_.at(node.region).owner;
    const Rows* rows = owner.valid() ? module_.payload<Rows>(owner) : nullptr;
    return rows != nullptr && rows->op == RowsOp::Read;
  }

  /// What tells nodes of one kind apart, or nothing where nodes of the kind never merge.
  [[nodiscard]] std::optional<std::uint64_t> keyOf(const Node& node) const {
    if (isRule(node)) return std::nullopt;
    const auto tagged = [](std::uint64_t kind, std::uint64_t key) { return (kind << 60U) | key; };
    return std::visit(
        Overloaded{[&](const Const& c) -> std::optional<std::uint64_t> {
                     return tagged(1, c.value.index());
                   },
                   [&](const Op& op) -> std::optional<std::uint64_t> {
                     return tagged(2, (static_cast<std::uint64_t>(op.op) << 1U) |
                                          (op.lifted ? 1U : 0U));
                   },
                   [&](const Field& f) -> std::optional<std::uint64_t> {
                     return tagged(3, (std::uint64_t{f.name.index()} << 2U) | (f.ofEach ? 2U : 0U) |
                                          (f.optional ? 1U : 0U));
                   },
                   [&](const Step& s) -> std::optional<std::uint64_t> {
                     // `cache false` asks for each step to run, as `volatile` does.
                     const TaskDef& task = module_.at(s.task);
                     if (task.isVolatile || !task.cache) return std::nullopt;
                     return tagged(4, s.task.index());
                   },
                   [&](const Call& c) -> std::optional<std::uint64_t> {
                     if (module_.at(c.callee).kind != FuncKind::Fn) return std::nullopt;
                     return tagged(5, c.callee.index());
                   },
                   [](const auto&) -> std::optional<std::uint64_t> { return std::nullopt; }},
        node.payload);
  }

  bool merge(NodeId id) {
    const Node& node = module_.at(id);
    const auto key = keyOf(node);
    if (!key) return false;
    const std::span<const NodeId> edges = edgesOf(node);
    const auto hash = [&] {
      Mixer mixer;
      mixer.add(*key);
      mixer.add((std::uint64_t{node.region.index()} << 32U) | node.type.index());
      for (const NodeId edge : edges) mixer.add(edge.index());
      return mixer.finish();
    };
    const Const* constant = std::get_if<Const>(&node.payload);
    NearTable& table = constant != nullptr ? constants_ : others_;
    std::uint32_t home = constant != nullptr ? constant->value.index() : 0;
    for (const NodeId edge : edges) home = std::max(home, edge.index());
    const std::uint32_t first = table.find(home, hash, [&](std::uint32_t otherIndex) {
      const Node& other = module_.nodes[otherIndex];
      const std::span<const NodeId> others = edgesOf(other);
      return other.region == node.region && other.type == node.type &&
             other.operandCount == node.operandCount && keyOf(other) == key &&
             std::equal(edges.begin(), edges.end(), others.begin(), others.end());
    });
    if (first == NearTable::kEmpty) {
      table.add(home, id.index(), hash);
      return false;
    }
    same_[id.index()] = NodeId{first};
    if (std::holds_alternative<Step>(node.payload)) {
      steps_.emplace_back(first);
    } else {
      ++values_;
    }
    module_.at(id).payload = std::monostate{};
    return true;
  }

  [[nodiscard]] std::span<const NodeId> edgesOf(const Node& node) const {
    return {module_.operandPool.data() + node.firstOperand,
            std::size_t{node.operandCount} + node.orderCount};
  }

  Module& module_;
  std::vector<NodeId> same_;  ///< the node that stays, by node
  NearTable constants_;       ///< home: the value
  NearTable others_;          ///< home: the latest of their edges
  std::uint64_t values_ = 0;
  std::vector<NodeId> steps_;  ///< for each step that went, the one that stays
};

}  // namespace

bool mergeCommon(Module& module, Context& context) { return Merger(module).run(context); }

}  // namespace couler::passes

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "passes/body_shapes.h"
#include "passes/holders.h"
#include "passes/merge.h"
#include "passes/passes.h"
#include "support/id_table.h"
#include "support/text.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

class Merger {
 public:
  explicit Merger(Module& module) : module_(module), same_(module.nodes.size()), shapes_(module) {
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
    for (const auto& [span, what] : blocks_) {
      context.diags.take(diagnose<Diag::NodesMerged>(span, what));
    }
    reportSteps(context);
    return values_ != 0 || !steps_.empty() || !blocks_.empty();
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
    // A block that went took steps along that others had merged into.
    std::erase_if(steps_, [&](NodeId id) { return module_.payload<Step>(id) == nullptr; });
    std::sort(steps_.begin(), steps_.end());
    for (std::size_t i = 0; i < steps_.size();) {
      std::size_t end = i;
      while (end < steps_.size() && steps_[end] == steps_[i]) ++end;
      const Node& kept = module_.at(steps_[i]);
      context.diags.take(
          diagnose<Diag::StepsMerged>(kept.span, countOf(end - i, "step"), module_.at(kept.name)));
      if (context.decisions != nullptr) {
        context.decisions->push_back(
            {Decision::Kind::Merged, std::string(module_.at(kept.name)), end - i});
      }
      i = end;
    }
  }

  void count(const Node& node, NodeId kept) {
    const auto block = [&](std::string what) { blocks_.emplace_back(node.span, std::move(what)); };
    std::visit(
        Overloaded{[&](const Step&) { steps_.push_back(kept); },
                   [&](const Call& call) {
                     const FuncDef& callee = module_.at(call.callee);
                     if (callee.kind == FuncKind::Fn) {
                       ++values_;
                     } else {
                       block("this call of `" + callee.name + "`");
                     }
                   },
                   [&](const For&) { block("this `for`"); }, [&](const If&) { block("this `if`"); },
                   [&](const Loop&) { block("this `loop`"); },
                   [&](const Try&) { block("this `try`"); }, [&](const auto&) { ++values_; }},
        node.payload);
  }

  /// A node is looked at after all that it can use, and the bodies inside it are done before it.
  void mergeBody(RegionId root) {
    struct Frame {
      RegionId region;
      std::size_t next = 0;
      std::size_t kept = 0;
      NodeId owner = {};  ///< whose bodies are being done
    };
    std::vector<Frame> stack{{root}};
    while (!stack.empty()) {
      Frame& frame = stack.back();
      Region& region = module_.at(frame.region);
      if (frame.owner.valid()) {
        const NodeId owner = std::exchange(frame.owner, {});
        if (merge(owner)) {
          erase(owner);
        } else {
          region.nodes[frame.kept++] = owner;
        }
        continue;
      }
      if (frame.next == region.nodes.size()) {
        region.nodes.resize(frame.kept);
        for (NodeId& id : region.results) id = same_[id.index()];
        if (region.owner.valid()) {
          shapes_.add(frame.region, [this](const Node& node) { return keyOf(node); });
        }
        stack.pop_back();
        continue;
      }
      const NodeId id = region.nodes[frame.next++];
      if (std::holds_alternative<std::monostate>(module_.at(id).payload)) continue;
      useMerged(module_.at(id));
      if (const std::vector<RegionId> bodies = module_.regionsOf(module_.at(id)); !bodies.empty()) {
        frame.owner = id;
        for (const RegionId inner : bodies) stack.push_back({inner});
      } else if (merge(id)) {
        module_.at(id).payload = std::monostate{};
      } else {
        region.nodes[frame.kept++] = id;
      }
    }
  }

  /// With all that is inside it.
  void erase(NodeId owner) {
    std::vector<NodeId> going{owner};
    while (!going.empty()) {
      const NodeId id = going.back();
      going.pop_back();
      for (const RegionId body : module_.regionsOf(module_.at(id))) {
        for (std::vector<NodeId>* list : {&module_.at(body).params, &module_.at(body).nodes}) {
          going.insert(going.end(), list->begin(), list->end());
        }
        module_.at(body) = {};
      }
      module_.at(id).payload = std::monostate{};
    }
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
                     if (runsAlways(module_.at(s.task))) return std::nullopt;
                     return tagged(4, s.task.index());
                   },
                   [&](const Call& c) -> std::optional<std::uint64_t> {
                     const bool runs = module_.at(c.callee).kind == FuncKind::Workflow;
                     if (runs && runsAlways(c.callee)) return std::nullopt;
                     return tagged(5, c.callee.index());
                   },
                   [&](const For& x) { return keyOf(6, x.body, {}); },
                   [&](const If& x) { return keyOf(7, x.then, x.otherwise); },
                   [&](const Loop& x) { return keyOf(8, x.body, {}); },
                   [&](const Try& x) { return keyOf(9, x.body, {}); },
                   [](const auto&) -> std::optional<std::uint64_t> { return std::nullopt; }},
        node.payload);
  }

  [[nodiscard]] std::optional<std::uint64_t> keyOf(std::uint64_t kind, RegionId body,
                                                   RegionId other) const {
    const std::uint32_t first = shapes_.of(body);
    const std::uint32_t second = other.valid() ? shapes_.of(other) : 0;
    if (first == BodyShapes::kNone || second == BodyShapes::kNone) return std::nullopt;
    const std::uint64_t both = (std::uint64_t{first} << 28U) | (second + (other.valid() ? 1U : 0U));
    return (kind << 60U) | both;
  }

  /// Whether something in a workflow is never merged.
  [[nodiscard]] bool runsAlways(FuncId workflow) const {
    if (!unmerged_) {
      unmerged_ = findHolders(module_, [&](const Node& node) {
        const Step* step = std::get_if<Step>(&node.payload);
        return step != nullptr && runsAlways(module_.at(step->task));
      });
    }
    return unmerged_->funcs[workflow.index()];
  }
  /// `cache false` asks for each step to run, as `volatile` does.
  static bool runsAlways(const TaskDef& task) { return task.isVolatile || !task.cache; }

  /// Whether a node before it is equal, which is then the one that stays.
  bool merge(NodeId id) {
    const Node& node = module_.at(id);
    const auto key = keyOf(node);
    if (!key) return false;
    const std::span<const NodeId> edges = edgesOf(node);
    const std::vector<RegionId> bodies = module_.regionsOf(node);
    const auto hash = [&] {
      Mixer mixer;
      mixer.add(*key);
      mixer.add((std::uint64_t{node.region.index()} << 32U) | node.type.index());
      for (const NodeId edge : edges) mixer.add(edge.index());
      for (const RegionId body : bodies) {
        for (const NodeId used : shapes_.captures(body)) mixer.add(used.index());
      }
      return mixer.finish();
    };
    const Const* constant = std::get_if<Const>(&node.payload);
    NearTable& table = constant != nullptr ? constants_ : others_;
    std::uint32_t home = constant != nullptr ? constant->value.index() : 0;
    for (const NodeId edge : edges) home = std::max(home, edge.index());
    for (const RegionId body : bodies) {
      for (const NodeId used : shapes_.captures(body)) home = std::max(home, used.index());
    }
    const std::uint32_t first = table.find(home, hash, [&](std::uint32_t otherIndex) {
      const Node& other = module_.nodes[otherIndex];
      const std::span<const NodeId> others = edgesOf(other);
      return other.region == node.region && other.type == node.type &&
             other.operandCount == node.operandCount && keyOf(other) == key &&
             std::equal(edges.begin(), edges.end(), others.begin(), others.end()) &&
             sameCaptures(bodies, module_.regionsOf(other));
    });
    if (first == NearTable::kEmpty) {
      table.add(home, id.index(), hash);
      return false;
    }
    same_[id.index()] = NodeId{first};
    count(node, NodeId{first});
    return true;
  }

  [[nodiscard]] bool sameCaptures(const std::vector<RegionId>& bodies,
                                  const std::vector<RegionId>& others) const {
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      const auto used = shapes_.captures(bodies[i]);
      const auto also = shapes_.captures(others[i]);
      if (!std::equal(used.begin(), used.end(), also.begin(), also.end())) return false;
    }
    return true;
  }

  [[nodiscard]] std::span<const NodeId> edgesOf(const Node& node) const {
    return {module_.operandPool.data() + node.firstOperand,
            std::size_t{node.operandCount} + node.orderCount};
  }

  Module& module_;
  std::vector<NodeId> same_;  ///< the node that stays, by node
  BodyShapes shapes_;
  mutable std::optional<Holders> unmerged_;  ///< once asked for
  NearTable constants_;                      ///< home: the value
  NearTable others_;                         ///< home: the latest of what they use
  std::uint64_t values_ = 0;
  std::vector<NodeId> steps_;  ///< for each step that went, the one that stays
  std::vector<std::pair<Span, std::string>> blocks_;  ///< calls, `for`s and the like that went
};

}  // namespace

bool mergeCommon(Module& module, Context& context) { return Merger(module).run(context); }

}  // namespace couler::passes

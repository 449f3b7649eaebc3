// How long a workflow takes once it is cut: its steps, and those of the parts and groups that it
// calls, in one graph.
#include <utility>
#include <vector>

#include "passes/split_graph.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

class Flattener {
 public:
  Flattener(const Module& module, const Context& context) : module_(module), context_(context) {
    vertexOf_.assign(module.nodes.size(), kNone);
  }

  StepGraph run(RegionId body) {
    flatten(body, kNone);
    return std::move(graph_);
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffffU;

  /// Gives all vertices of the body. `begin`: what they wait for.
  std::vector<std::uint32_t> flatten(RegionId body, std::uint32_t begin) {
    std::vector<std::uint32_t> made;
    for (const NodeId param : module_.at(body).params) vertexOf_[param.index()] = begin;
    for (const NodeId id : module_.at(body).nodes) {
      const Node& node = module_.at(id);
      if (std::holds_alternative<std::monostate>(node.payload)) continue;
      const auto* call = std::get_if<Call>(&node.payload);
      if (call == nullptr || module_.at(call->callee).outlined == Outlined::No) {
        const std::uint32_t vertex = add(secondsOf(module_, context_, id));
        connect(id, vertex, begin);
        vertexOf_[id.index()] = vertex;
        made.push_back(vertex);
        continue;
      }
      // It begins when all that it takes is there, and gives what it gives when all of it has
      // ended.
      const std::uint32_t start = add(0);
      connect(id, start, begin);
      const std::vector<std::uint32_t> inside = flatten(module_.at(call->callee).body, start);
      const std::uint32_t end = add(0);
      for (const std::uint32_t vertex : inside) graph_.edges.push_back({vertex, end});
      vertexOf_[id.index()] = end;
      made.push_back(end);
    }
    return made;
  }

  std::uint32_t add(double seconds) {
    graph_.vertices.emplace_back().seconds = seconds;
    return static_cast<std::uint32_t>(graph_.vertices.size() - 1);
  }

  void connect(NodeId id, std::uint32_t to, std::uint32_t begin) {
    const std::size_t first = graph_.edges.size();
    std::vector<NodeId> left{id};
    const auto use = [&](NodeId value) {
      const std::uint32_t from = vertexOf_[value.index()];
      if (from != kNone) graph_.edges.push_back({from, to});
    };
    while (!left.empty()) {
      const Node& node = module_.at(left.back());
      left.pop_back();
      for (const NodeId used : module_.operands(node)) use(used);
      for (const NodeId before : module_.order(node)) use(before);
      for (const RegionId region : module_.regionsOf(node)) {
        left.insert(left.end(), module_.at(region).nodes.begin(), module_.at(region).nodes.end());
        for (const NodeId result : module_.at(region).results) use(result);
      }
    }
    if (graph_.edges.size() == first && begin != kNone) graph_.edges.push_back({begin, to});
  }

  const Module& module_;
  const Context& context_;
  StepGraph graph_;
  std::vector<std::uint32_t> vertexOf_;  ///< by node
};

}  // namespace

double secondsOf(const Module& module, const Context& context, NodeId id) {
  double seconds = 0;
  std::vector<NodeId> left{id};
  while (!left.empty()) {
    const NodeId at = left.back();
    left.pop_back();
    const Node& node = module.at(at);
    if (const auto* step = std::get_if<Step>(&node.payload)) {
      const auto known = module.costs.find(at);
      if (known != module.costs.end()) {
        seconds += known->second.seconds;
        continue;
      }
      const auto measured =
          context.measured
              ? context.measured(node.name.valid() ? module.at(node.name)
                                                   : std::string_view(module.at(step->task).name))
              : std::nullopt;
      seconds += measured ? measured->seconds : 1;
    }
    addInside(module, node, left);
  }
  return seconds;
}

double makespan(const Module& module, const Context& context, std::uint32_t workers) {
  return makespan(Flattener(module, context).run(module.at(module.entry).body), workers);
}

}  // namespace couler::passes

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "passes/outline.h"
#include "passes/partition.h"
#include "passes/passes.h"
#include "support/text.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

constexpr double kMargin = 0.97;        // of the limit, at first: references between parts are not in the estimate
constexpr int kTries = 6;               // cuts that are emitted and measured
constexpr std::int64_t kScalarBytes = 16;
constexpr std::int64_t kTextBytes = 64;
constexpr std::int64_t kFileBytes = std::int64_t{1} << 20;
constexpr std::uint32_t kNone = 0xffffffffU;

/// The entry's body as a graph of steps: what is not copied is a vertex; what no backend can hand from one
/// workflow to another keeps its maker and its users in one vertex.
class GraphMaker {
 public:
  GraphMaker(const Module& module, const Context& context, const EmittedSizes& sizes)
      : module_(module), context_(context), sizes_(sizes), body_(module.at(module.entry).body) {}

  void run() {
    vertexOf_.assign(module_.nodes.size(), kNone);
    countUsers();
    for (const NodeId id : module_.at(body_).nodes) {
      const Node& node = module_.at(id);
      if (std::holds_alternative<std::monostate>(node.payload) || isCopied(node) || isResult(id)) continue;
      vertexOf_[id.index()] = static_cast<std::uint32_t>(nodes_.size());
      nodes_.push_back(id);
      graph_.vertices.push_back(vertex(id));
    }
    graph_.groupBytes = sizes_.ofTask;
    graph_.groupBytes.resize(module_.tasks.size());
    root_.resize(nodes_.size());
    std::iota(root_.begin(), root_.end(), 0U);
    edgeTo_.assign(nodes_.size(), kNone);
    for (std::uint32_t v = 0; v < nodes_.size(); ++v) connect(v);
    if (joined_) contract();
  }

  [[nodiscard]] const StepGraph& graph() const { return graph_; }
  /// By node of the module.
  [[nodiscard]] std::vector<std::uint32_t> partOfNodes(const Partition& partition) const {
    std::vector<std::uint32_t> part(module_.nodes.size(), kParent);
    for (std::uint32_t v = 0; v < nodes_.size(); ++v) {
      part[nodes_[v].index()] = partition.part[joined_ ? merged_[v] : v];
    }
    return part;
  }

 private:
  void countUsers() {
    users_.assign(module_.nodes.size(), 0);
    for (const Node& node : module_.nodes) {
      if (std::holds_alternative<std::monostate>(node.payload)) continue;
      for (const NodeId used : module_.operands(node)) ++users_[used.index()];
    }
  }
  /// The record of outputs, which stays with the parent.
  [[nodiscard]] bool isResult(NodeId id) const {
    const std::vector<NodeId>& results = module_.at(body_).results;
    return std::holds_alternative<Op>(module_.at(id).payload) && users_[id.index()] == 0 &&
           std::find(results.begin(), results.end(), id) != results.end();
  }

  StepGraph::Vertex vertex(NodeId id) {
    StepGraph::Vertex vertex;
    vertex.bytes = sizeOf(sizes_.ofNode, id.index());
    vertex.steps = 0;
    vertex.seconds = 0;
    vertex.group = static_cast<std::uint32_t>(module_.tasks.size());  // none
    if (const auto* step = std::get_if<Step>(&module_.at(id).payload)) {
      vertex.steps = 1;
      vertex.seconds = secondsOf(id);
      vertex.group = static_cast<std::uint32_t>(step->task.index());
      return vertex;
    }
    std::unordered_set<std::uint32_t> tasks;
    std::vector<NodeId> left{id};
    while (!left.empty()) {
      const NodeId at = left.back();
      left.pop_back();
      const Node& node = module_.at(at);
      if (const auto* step = std::get_if<Step>(&node.payload)) {
        ++vertex.steps;
        vertex.seconds += secondsOf(at);
        if (tasks.insert(step->task.index()).second) {
          vertex.bytes += sizeOf(sizes_.ofTask, step->task.index());
        }
      } else if (const auto* call = std::get_if<Call>(&node.payload)) {
        const FuncDef& callee = module_.at(call->callee);
        if (callee.kind == FuncKind::Fn) continue;
        for (const RegionId region : {callee.body, callee.finally}) {
          if (!region.valid()) continue;
          left.insert(left.end(), module_.at(region).nodes.begin(), module_.at(region).nodes.end());
        }
      }
      for (const RegionId region : module_.regionsOf(node)) {
        left.insert(left.end(), module_.at(region).nodes.begin(), module_.at(region).nodes.end());
      }
    }
    return vertex;
  }
  static std::int64_t sizeOf(const std::vector<std::int64_t>& sizes, std::size_t index) {
    return index < sizes.size() ? sizes[index] : 0;
  }
  [[nodiscard]] double secondsOf(NodeId id) const {
    const auto known = module_.costs.find(id);
    if (known != module_.costs.end()) return known->second.seconds;
    if (!context_.measured) return 1;
    const Node& node = module_.at(id);
    const auto measured = context_.measured(
        node.name.valid() ? module_.at(node.name)
                          : std::string_view(module_.at(std::get<Step>(node.payload).task).name));
    return measured ? measured->seconds : 1;
  }

  /// The edges that lead to a vertex, from all that its node and what is inside that use.
  void connect(std::uint32_t v) {
    first_ = graph_.edges.size();
    std::vector<NodeId>& left = scratch_;
    left.assign(1, nodes_[v]);
    while (!left.empty()) {
      const NodeId at = left.back();
      left.pop_back();
      const Node& node = module_.at(at);
      if (std::holds_alternative<std::monostate>(node.payload)) continue;
      for (const NodeId used : module_.operands(node)) edge(used, v, true);
      for (const NodeId before : module_.order(node)) edge(before, v, false);
      for (const RegionId region : module_.regionsOf(node)) {
        left.insert(left.end(), module_.at(region).nodes.begin(), module_.at(region).nodes.end());
        for (const NodeId result : module_.at(region).results) edge(result, v, true);
      }
    }
  }
  void edge(NodeId value, std::uint32_t to, bool carries) {
    NodeId maker = value;
    while (std::holds_alternative<Field>(module_.at(maker).payload) && module_.at(maker).region == body_) {
      maker = module_.operands(module_.at(maker))[0];
    }
    const std::uint32_t from = vertexOf_[maker.index()];
    if (from == kNone || from == to) return;
    const std::int64_t bytes = carries ? bytesOf(value, maker) : 0;
    std::uint32_t& known = edgeTo_[from];
    if (known != kNone && known >= first_ && known < graph_.edges.size() &&
        graph_.edges[known].from == from) {
      graph_.edges[known].bytes += bytes;
    } else {
      known = static_cast<std::uint32_t>(graph_.edges.size());
      graph_.edges.push_back({from, to, bytes});
    }
    if (carries && !crosses(value, maker)) unite(from, to);
  }

  [[nodiscard]] bool holdsFiles(TypeId type) const {
    return module_.types.holds(type, TypeKind::File) || module_.types.holds(type, TypeKind::Dir);
  }
  /// Whether a value can go from one workflow to another: all but files, and files that a step itself makes, whose
  /// place has a name before they are made.
  [[nodiscard]] bool crosses(NodeId value, NodeId maker) const {
    const TypeId type = module_.at(value).type;
    if (!holdsFiles(type)) return true;
    const TypeKind kind = module_.types.kind(type);
    if (kind != TypeKind::File && kind != TypeKind::Dir) return false;
    const auto* field = std::get_if<Field>(&module_.at(value).payload);
    return field != nullptr && !field->ofEach && !field->optional &&
           std::holds_alternative<Step>(module_.at(maker).payload) &&
           module_.operands(module_.at(value))[0] == maker;
  }
  [[nodiscard]] std::int64_t bytesOf(NodeId value, NodeId maker) const {
    const auto known = module_.costs.find(maker);
    const TypeId type = module_.at(value).type;
    if (holdsFiles(type)) {
      return known != module_.costs.end() && known->second.measured ? known->second.bytesOut : kFileBytes;
    }
    switch (module_.types.kind(type)) {
      case TypeKind::Bool:
      case TypeKind::Int:
      case TypeKind::Float:
      case TypeKind::Duration:
      case TypeKind::Size:
      case TypeKind::Enum:
        return kScalarBytes;
      default:
        return kTextBytes;
    }
  }

  std::uint32_t rootOf(std::uint32_t v) {
    while (root_[v] != v) v = root_[v] = root_[root_[v]];
    return v;
  }
  void unite(std::uint32_t a, std::uint32_t b) {
    root_[rootOf(a)] = rootOf(b);
    joined_ = true;
  }

  /// One vertex for those that hang together, and for all that are between these.
  void contract() {
    const std::vector<std::uint32_t> order = componentsOf();  // by vertex, first ones first
    merged_ = order;
    StepGraph smaller;
    smaller.groupBytes = graph_.groupBytes;
    std::uint32_t count = 0;
    for (const std::uint32_t c : order) count = std::max(count, c + 1);
    smaller.vertices.assign(count, {0, 0, 0, static_cast<std::uint32_t>(module_.tasks.size())});
    std::vector<std::uint32_t> members(count, 0);
    for (std::uint32_t v = 0; v < order.size(); ++v) {
      const StepGraph::Vertex& from = graph_.vertices[v];
      StepGraph::Vertex& to = smaller.vertices[order[v]];
      to.seconds += from.seconds;
      to.bytes += from.bytes;
      to.steps += from.steps;
      if (members[order[v]]++ == 0) {
        to.group = from.group;
      } else if (from.group != to.group && from.group < graph_.groupBytes.size()) {
        to.bytes += graph_.groupBytes[from.group];
      }
    }
    for (const StepGraph::Edge& edge : graph_.edges) {
      if (order[edge.from] != order[edge.to]) {
        smaller.edges.push_back({order[edge.from], order[edge.to], edge.bytes});
      }
    }
    graph_ = std::move(smaller);
  }

  /// Strongly connected components (Tarjan 1972, without recursion) of the graph whose vertices are the roots,
  /// numbered so that edges lead from lower to higher.
  std::vector<std::uint32_t> componentsOf() {
    const std::size_t vertices = nodes_.size();
    std::vector<std::vector<std::uint32_t>> out(vertices);
    for (const StepGraph::Edge& edge : graph_.edges) {
      const std::uint32_t from = rootOf(edge.from);
      const std::uint32_t to = rootOf(edge.to);
      if (from != to) out[from].push_back(to);
    }
    std::vector<std::uint32_t> index(vertices, kNone), low(vertices, 0), component(vertices, kNone), stack;
    std::vector<std::pair<std::uint32_t, std::size_t>> path;
    std::uint32_t next = 0, components = 0;
    for (std::uint32_t start = 0; start < vertices; ++start) {
      if (rootOf(start) != start || index[start] != kNone) continue;
      path.emplace_back(start, 0);
      while (!path.empty()) {
        const std::uint32_t v = path.back().first;
        if (path.back().second == 0 && index[v] == kNone) {
          index[v] = low[v] = next++;
          stack.push_back(v);
        }
        if (path.back().second < out[v].size()) {
          const std::uint32_t to = out[v][path.back().second++];
          if (index[to] == kNone) {
            path.emplace_back(to, 0);
          } else if (component[to] == kNone) {
            low[v] = std::min(low[v], index[to]);
          }
          continue;
        }
        path.pop_back();
        if (!path.empty()) low[path.back().first] = std::min(low[path.back().first], low[v]);
        if (low[v] != index[v]) continue;
        for (bool last = false; !last; stack.pop_back()) {
          last = stack.back() == v;
          component[stack.back()] = components;
        }
        ++components;
      }
    }
    std::vector<std::uint32_t> result(vertices);
    for (std::uint32_t v = 0; v < vertices; ++v) result[v] = components - 1 - component[rootOf(v)];
    return result;
  }

  const Module& module_;
  const Context& context_;
  const EmittedSizes& sizes_;
  RegionId body_;
  StepGraph graph_;
  std::vector<NodeId> nodes_;             ///< by vertex, before any were joined
  std::vector<std::uint32_t> vertexOf_;   ///< by node
  std::vector<std::uint32_t> users_;      ///< by node
  std::vector<std::uint32_t> edgeTo_;     ///< by vertex: its last edge
  std::vector<std::uint32_t> root_;       ///< by vertex: union-find
  std::vector<std::uint32_t> merged_;     ///< by vertex: the one that it became
  std::vector<NodeId> scratch_;
  std::size_t first_ = 0;
  bool joined_ = false;
};

class Splitter {
 public:
  Splitter(Module& module, Context& context) : module_(module), context_(context), limits_(*context.limits) {}

  bool run() {
    const auto whole = limits_.measure(module_);
    if (!whole || whole->documents.empty()) return false;
    const std::int64_t bytes = whole->documents[0].bytes;
    steps_ = countSteps(module_, module_.at(module_.entry).body);
    if (context_.splitPlan != nullptr) {
      *context_.splitPlan = {};
      context_.splitPlan->parts.push_back({module_.at(module_.entry).name, steps_, bytes});
      context_.splitPlan->bytes = bytes;
    }
    if (!over(bytes, steps_)) return false;
    GraphMaker maker(module_, context_, *whole);
    maker.run();
    PartLimits part;
    part.steps = limits_.steps;
    part.baseBytes = whole->base;
    part.callBytes = limits_.callBytes;
    double room = kMargin;
    double best = ratio(bytes, steps_);
    std::optional<Module> made;
    SplitPlan plan;
    for (int i = 0; i < kTries; ++i) {
      part.bytes = static_cast<std::int64_t>(room * static_cast<double>(limits_.bytes));
      const Partition partition = passes::partition(maker.graph(), part, plan.workers);
      if (partition.parts == 0) break;
      Module cut = module_;
      outline(cut, maker.partOfNodes(partition), partition.parts);
      const auto sizes = limits_.measure(cut);
      if (!sizes) break;
      SplitPlan now = planOf(cut, *sizes, maker.graph(), partition);
      double worst = 0;
      for (const SplitPlan::Part& p : now.parts) worst = std::max(worst, ratio(p.bytes, p.steps));
      if (worst < best) {
        best = worst;
        made = std::move(cut);
        plan = std::move(now);
      }
      if (worst <= 1) break;
      room *= std::min(0.95, 0.98 / worst);
    }
    if (!made) return false;
    plan.bytes = bytes;
    module_ = std::move(*made);
    const FuncDef& entry = module_.at(module_.entry);
    context_.diags.take(diagnose<Diag::WorkflowSplit>(
        entry.span, entry.name, countOf(plan.parts.size() - 1, "part"), humanBytes(static_cast<std::uint64_t>(bytes)),
        fmt::format("{} and {} between parts, makespan x {:.2f} on {} workers",
                    countOf(static_cast<std::size_t>(plan.valuesCut), "value"),
                    humanBytes(static_cast<std::uint64_t>(plan.bytesCut)),
                    plan.secondsWhole > 0 ? plan.seconds / plan.secondsWhole : 1, plan.workers)));
    if (context_.splitPlan != nullptr) *context_.splitPlan = std::move(plan);
    return true;
  }

 private:
  [[nodiscard]] double ratio(std::int64_t bytes, std::int64_t steps) const {
    double most = 0;
    if (limits_.bytes > 0) most = static_cast<double>(bytes) / static_cast<double>(limits_.bytes);
    if (limits_.steps > 0) {
      most = std::max(most, static_cast<double>(steps) / static_cast<double>(limits_.steps));
    }
    return most;
  }
  [[nodiscard]] bool over(std::int64_t bytes, std::int64_t steps) const { return ratio(bytes, steps) > 1; }

  /// Tasks that a workflow of the engine has; a called part counts as one.
  static std::int64_t countSteps(const Module& module, RegionId body) {
    std::int64_t steps = 0;
    std::vector<RegionId> left{body};
    while (!left.empty()) {
      const RegionId region = left.back();
      left.pop_back();
      for (const NodeId id : module.at(region).nodes) {
        const Node& node = module.at(id);
        if (std::holds_alternative<Step>(node.payload)) ++steps;
        if (const auto* call = std::get_if<Call>(&node.payload)) {
          const FuncDef& callee = module.at(call->callee);
          if (callee.isPart) {
            ++steps;
          } else if (callee.kind == FuncKind::Workflow) {
            left.push_back(callee.body);
            if (callee.finally.valid()) left.push_back(callee.finally);
          }
        }
        for (const RegionId inner : module.regionsOf(node)) left.push_back(inner);
      }
    }
    return steps;
  }

  SplitPlan planOf(const Module& cut, const EmittedSizes& sizes, const StepGraph& graph,
                   const Partition& partition) const {
    SplitPlan plan;
    SplitPlan::Part parent;
    for (const EmittedSizes::Document& document : sizes.documents) {
      const FuncDef& func = cut.at(document.func);
      SplitPlan::Part part{func.name, countSteps(cut, func.body), document.bytes};
      if (func.isPart) {
        plan.parts.push_back(std::move(part));
        plan.valuesCut += static_cast<std::int64_t>(cut.types[func.result].fields.size());
      } else {
        parent = std::move(part);
      }
    }
    plan.parts.push_back(std::move(parent));
    plan.bytesCut = cutBytes(graph, partition);
    plan.seconds = makespan(graph, partition, plan.workers);
    plan.secondsWhole = makespan(graph, plan.workers);
    return plan;
  }

  Module& module_;
  Context& context_;
  const EngineLimits& limits_;
  std::int64_t steps_ = 0;
};

}  // namespace

bool split(Module& module, Context& context) {
  if (context.limits == nullptr || !module.entry.valid()) return false;
  return Splitter(module, context).run();
}

}  // namespace couler::passes

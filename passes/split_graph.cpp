#include "passes/split_graph.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "passes/outline.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

constexpr std::int64_t kScalarBytes = 16;
constexpr std::int64_t kTextBytes = 64;
constexpr std::int64_t kFileBytes = std::int64_t{1} << 20;
constexpr std::uint32_t kNone = 0xffffffffU;

class GraphMaker {
 public:
  GraphMaker(const Module& module, const Context& context, const EmittedSizes& sizes, RegionId body,
             Outlined into)
      : module_(module),
        context_(context),
        sizes_(sizes),
        body_(body),
        into_(into),
        result_(resultOf(module, body)),
        texts_(module, body),
        wholeLists_(wholeLists(module, body)) {}

  BodyGraph run() {
    vertexOf_.assign(module_.nodes.size(), kNone);
    for (const NodeId id : module_.at(body_).nodes) {
      const Node& node = module_.at(id);
      if (std::holds_alternative<std::monostate>(node.payload) || isCopied(node) || id == result_)
        continue;
      vertexOf_[id.index()] = static_cast<std::uint32_t>(nodes_.size());
      nodes_.push_back(id);
      graph_.vertices.push_back(vertex(id));
    }
    graph_.groupBytes = sizes_.ofTask;
    graph_.groupBytes.resize(module_.tasks.size());
    root_.resize(nodes_.size());
    std::iota(root_.begin(), root_.end(), 0U);
    edgeTo_.assign(nodes_.size(), kNone);
    around_.assign(module_.regions.size(), false);
    for (RegionId region = body_; region.valid();) {
      around_[region.index()] = true;
      const NodeId owner = module_.at(region).owner;
      region = owner.valid() ? module_.at(owner).region : RegionId();
    }
    for (std::uint32_t v = 0; v < nodes_.size(); ++v) connect(v);
    countValues();
    BodyGraph made;
    if (joined_) {
      made.vertex = contract();
    } else {
      made.vertex.resize(nodes_.size());
      std::iota(made.vertex.begin(), made.vertex.end(), 0U);
    }
    made.graph = std::move(graph_);
    made.nodes = std::move(nodes_);
    return made;
  }

 private:
  StepGraph::Vertex vertex(NodeId id) {
    StepGraph::Vertex vertex;
    if (wholeLists_[id.index()]) {
      vertex.bytes = 0;  // its text stands with those who make the items
    } else if (texts_.isOp(id)) {
      vertex.bytes = texts_.own(id);
    } else {
      vertex.bytes = texts_.without(id, sizeOf(sizes_.ofNode, id.index()));
    }
    vertex.values = 0;
    vertex.steps = 0;
    vertex.tasks = 0;
    vertex.templates = sizeOf(sizes_.templates, id.index());
    vertex.seconds = secondsOf(module_, context_, id);
    vertex.group = static_cast<std::uint32_t>(module_.tasks.size());  // none
    if (const auto* step = std::get_if<Step>(&module_.at(id).payload)) {
      vertex.steps = vertex.tasks = 1;
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
        if (tasks.insert(step->task.index()).second) {
          vertex.bytes += sizeOf(sizes_.ofTask, step->task.index());
          ++vertex.templates;
        }
      } else if (const auto* call = std::get_if<Call>(&node.payload);
                 call != nullptr && module_.at(call->callee).outlined == Outlined::Part) {
        ++vertex.steps;  // only the parent runs parts
        vertex.stays = true;
        continue;
      }
      addInside(module_, node, left);
    }
    vertex.tasks = std::min<std::int64_t>(vertex.steps, 1);
    // What it gives lies where the workflow puts it, not a group.
    const bool isFor = std::holds_alternative<For>(module_.at(id).payload);
    vertex.stays =
        vertex.stays || (into_ == Outlined::Group && isFor && holdsFiles(module_.at(id).type));
    return vertex;
  }
  static std::int64_t sizeOf(const std::vector<std::int64_t>& sizes, std::size_t index) {
    return index < sizes.size() ? sizes[index] : 0;
  }
  /// The edges that lead to a vertex, from all that its node and what is inside that use.
  void connect(std::uint32_t v) {
    first_ = graph_.edges.size();
    chooses_ = chooses(nodes_[v]);
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
    while (std::holds_alternative<Field>(module_.at(maker).payload) &&
           module_.at(maker).region == body_) {
      maker = module_.operands(module_.at(maker))[0];
    }
    const std::uint32_t from = vertexOf_[maker.index()];
    if (from == kNone && carries && around_[module_.at(maker).region.index()] &&
        !std::holds_alternative<Const>(module_.at(maker).payload) &&
        module_.types.kind(module_.at(maker).type) != TypeKind::Record) {
      ++graph_.vertices[to].inputs;
    }
    if (from == kNone || from == to) return;
    const std::int64_t bytes = carries ? bytesOf(value, maker) : 0;
    const bool inList = wholeLists_[nodes_[to].index()];  // comes from its part as a list
    if (inList) graph_.vertices[from].bytes += texts_.reference(value);
    const std::uint32_t values = carries && !inList ? 1 : 0;
    std::uint32_t& known = edgeTo_[from];
    if (known != kNone && known >= first_ && known < graph_.edges.size() &&
        graph_.edges[known].from == from) {
      graph_.edges[known].bytes += bytes;
      graph_.edges[known].values += values;
    } else {
      known = static_cast<std::uint32_t>(graph_.edges.size());
      graph_.edges.push_back({from, to, bytes, values});
    }
    if (carries && (!crosses(value, maker) || chooses_)) unite(from, to);
  }

  /// How many values of each vertex others use: its fields, or itself.
  void countValues() {
    for (const NodeId id : module_.at(body_).nodes) {
      const auto* field = std::get_if<Field>(&module_.at(id).payload);
      if (field == nullptr) continue;
      const std::uint32_t of = vertexOf_[module_.operands(module_.at(id))[0].index()];
      if (of != kNone) ++graph_.vertices[of].values;
    }
    for (StepGraph::Vertex& vertex : graph_.vertices) vertex.values = std::max(vertex.values, 1U);
  }

  [[nodiscard]] bool holdsFiles(TypeId type) const {
    return module_.types.holds(type, TypeKind::File) || module_.types.holds(type, TypeKind::Dir);
  }
  /// Whether a value can go from one workflow to another: all but files, and files that a step
  /// itself makes, whose place has a name before they are made.
  [[nodiscard]] bool crosses(NodeId value, NodeId maker) const {
    const TypeId type = module_.at(value).type;
    if (!holdsFiles(type)) return true;
    // Steps of other bodies run more than once, or may not run.
    const bool once = body_ == module_.at(module_.entry).body ||
                      (into_ == Outlined::Group && !module_.at(body_).owner.valid());
    if (!once) return false;
    const TypeKind kind = module_.types.kind(type);
    if (kind != TypeKind::File && kind != TypeKind::Dir) return false;
    const auto* field = std::get_if<Field>(&module_.at(value).payload);
    return field != nullptr && !field->ofEach && !field->optional &&
           std::holds_alternative<Step>(module_.at(maker).payload) &&
           module_.operands(module_.at(value))[0] == maker;
  }
  /// Whether a node gives one of the files that it takes: it must know where they are.
  [[nodiscard]] bool chooses(NodeId id) const {
    const Node& node = module_.at(id);
    if (!holdsFiles(node.type)) return false;
    const auto* op = std::get_if<Op>(&node.payload);
    return (std::holds_alternative<If>(node.payload) && !isTask(module_, id)) ||
           (op != nullptr && op->op != Builtin::MakeList && op->op != Builtin::MakeRecord);
  }
  [[nodiscard]] std::int64_t bytesOf(NodeId value, NodeId maker) const {
    const auto known = module_.costs.find(maker);
    const TypeId type = module_.at(value).type;
    if (holdsFiles(type)) {
      return known != module_.costs.end() && known->second.measured ? known->second.bytesOut
                                                                    : kFileBytes;
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

  /// One vertex for those that hang together, and for all that are between these. Gives the new
  /// ones.
  std::vector<std::uint32_t> contract() {
    std::vector<std::uint32_t> order = componentsOf();  // by vertex, first ones first
    StepGraph smaller;
    smaller.groupBytes = graph_.groupBytes;
    std::uint32_t count = 0;
    for (const std::uint32_t c : order) count = std::max(count, c + 1);
    StepGraph::Vertex none;
    none.seconds = 0;
    none.steps = none.tasks = 0;
    none.group = static_cast<std::uint32_t>(module_.tasks.size());
    none.values = 0;
    smaller.vertices.assign(count, none);
    std::vector<std::uint32_t> members(count, 0);
    for (std::uint32_t v = 0; v < order.size(); ++v) {
      const StepGraph::Vertex& from = graph_.vertices[v];
      StepGraph::Vertex& to = smaller.vertices[order[v]];
      to.seconds += from.seconds;
      to.bytes += from.bytes;
      to.steps += from.steps;
      to.tasks += from.tasks;
      to.templates += from.templates;
      to.inputs += from.inputs;
      to.values += from.values;
      to.stays = to.stays || from.stays;
      if (members[order[v]]++ == 0) {
        to.group = from.group;
      } else if (from.group != to.group && from.group < graph_.groupBytes.size()) {
        to.bytes += graph_.groupBytes[from.group];
        ++to.templates;
      }
    }
    for (const StepGraph::Edge& edge : graph_.edges) {
      if (order[edge.from] != order[edge.to]) {
        smaller.edges.push_back({order[edge.from], order[edge.to], edge.bytes, edge.values});
      }
    }
    std::stable_sort(smaller.edges.begin(), smaller.edges.end(),
                     [](const auto& a, const auto& b) { return a.to < b.to; });
    graph_ = std::move(smaller);
    return order;
  }

  /// Strongly connected components (Tarjan 1972, without recursion) of the graph whose vertices are
  /// the roots, numbered so that edges lead from lower to higher.
  std::vector<std::uint32_t> componentsOf() {
    const std::size_t vertices = nodes_.size();
    std::vector<std::vector<std::uint32_t>> out(vertices);
    for (const StepGraph::Edge& edge : graph_.edges) {
      const std::uint32_t from = rootOf(edge.from);
      const std::uint32_t to = rootOf(edge.to);
      if (from != to) out[from].push_back(to);
    }
    std::vector<std::uint32_t> index(vertices, kNone), low(vertices, 0), component(vertices, kNone),
        stack;
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
  Outlined into_;
  NodeId result_;
  Texts texts_;
  std::vector<bool> wholeLists_;
  StepGraph graph_;
  std::vector<NodeId> nodes_;            ///< by vertex, before any were joined
  std::vector<std::uint32_t> vertexOf_;  ///< by node
  std::vector<std::uint32_t> edgeTo_;    ///< by vertex: its last edge
  std::vector<bool> around_;             ///< by region: the body, or one that it stands in
  std::vector<std::uint32_t> root_;      ///< by vertex: union-find
  std::vector<NodeId> scratch_;
  std::size_t first_ = 0;  ///< of the edges to the vertex that is being connected
  bool chooses_ = false;   ///< whether that does
  bool joined_ = false;
};

}  // namespace

Texts::Texts(const Module& module, RegionId body)
    : module_(module), own_(module.nodes.size(), 0), all_(module.nodes.size(), 0) {
  for (const NodeId id : module.at(body).nodes) {
    if (!isOp(id)) continue;
    std::int64_t own = kReference / 2;
    std::int64_t more = 0;
    for (const NodeId operand : module.operands(module.at(id))) {
      const NodeId made = maker(operand);
      (isOp(made) ? more : own) += isOp(made) ? all_[made.index()] : reference(operand);
    }
    own_[id.index()] = own;
    all_[id.index()] = std::min(own + more, kMost);
  }
}

NodeId Texts::maker(NodeId id) const {
  while (std::holds_alternative<Field>(module_.at(id).payload))
    id = module_.operands(module_.at(id))[0];
  return id;
}

bool Texts::isOp(NodeId id) const { return std::holds_alternative<Op>(module_.at(id).payload); }

std::int64_t Texts::reference(NodeId id) const {
  const Node& node = module_.at(id);
  if (std::holds_alternative<Const>(node.payload)) return kReference / 4;
  const auto* field = std::get_if<Field>(&node.payload);
  if (field == nullptr) return kReference;
  const Node& maker = module_.at(module_.operands(node)[0]);
  const std::size_t name = maker.name.valid() ? module_.at(maker.name).size() : 8;
  return kReference + static_cast<std::int64_t>(name + module_.at(field->name).size());
}

std::int64_t Texts::without(NodeId id, std::int64_t bytes) const {
  for (const NodeId operand : module_.operands(module_.at(id))) {
    const NodeId made = maker(operand);
    if (!isOp(made)) continue;
    bytes = std::max<std::int64_t>(bytes - all_[made.index()], kReference) + kReference;
  }
  return bytes;
}

std::vector<std::uint32_t> BodyGraph::partOfNodes(const Partition& partition,
                                                  std::size_t count) const {
  std::vector<std::uint32_t> part(count, kParent);
  for (std::size_t i = 0; i < nodes.size(); ++i) part[nodes[i].index()] = partition.part[vertex[i]];
  return part;
}

BodyGraph graphOf(const Module& module, const Context& context, const EmittedSizes& sizes,
                  RegionId body, Outlined into) {
  return GraphMaker(module, context, sizes, body, into).run();
}

void addInside(const Module& module, const Node& node, std::vector<NodeId>& to) {
  const auto add = [&](RegionId region) {
    if (!region.valid()) return;
    to.insert(to.end(), module.at(region).nodes.begin(), module.at(region).nodes.end());
  };
  const auto* call = std::get_if<Call>(&node.payload);
  if (call != nullptr && module.at(call->callee).kind == FuncKind::Workflow) {
    add(module.at(call->callee).body);
    add(module.at(call->callee).finally);
  }
  for (const RegionId region : module.regionsOf(node)) add(region);
}

NodeId resultOf(const Module& module, RegionId body) {
  if (module.at(body).results.size() != 1) return {};
  const NodeId result = module.at(body).results[0];
  if (!std::holds_alternative<Op>(module.at(result).payload)) return {};
  for (const NodeId id : module.at(body).nodes) {
    for (const NodeId used : module.operands(module.at(id))) {
      if (used == result) return {};
    }
  }
  return result;
}

}  // namespace couler::passes

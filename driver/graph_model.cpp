#include "driver/graph_model.h"

#include <algorithm>
#include <memory>
#include <unordered_map>

#include <fmt/format.h>

namespace couler::driver {
namespace {

constexpr std::size_t kMaxBoxes = 5000;  // beyond, called workflows stay closed
constexpr std::size_t kMaxDepth = 400;   // of clusters; the walk recurses over them
constexpr std::size_t kJoinAbove = 16;   // a value made of more boxes goes through a dot

/// Which boxes a value comes from; of a record, per field too.
struct Flow {
  using Boxes = std::vector<std::uint32_t>;
  std::shared_ptr<const Boxes> boxes;
  std::shared_ptr<const std::map<std::string, Flow, std::less<>>> fields;
  std::shared_ptr<const Boxes> ends;  ///< what to wait for where the value comes from nowhere

  [[nodiscard]] const Boxes& from() const {
    static const Boxes kNone;
    return boxes ? *boxes : kNone;
  }
  [[nodiscard]] const Boxes& waits() const { return !from().empty() || !ends ? from() : *ends; }
};

/// One body of a function, drawn once for each call of it.
struct Instance {
  std::unordered_map<std::uint32_t, Flow> flows;
  std::string prefix;  ///< "sub." inside the call `sub`
};

class Maker {
 public:
  explicit Maker(const ir::Module& module) : module_(module) {}

  Graph make() {
    graph_.clusters.push_back({"", 0});
    const ir::FuncDef& workflow = module_.at(module_.entry);
    const ir::Region& body = module_.at(workflow.body);
    Instance instance;
    for (std::size_t i = 0; i < body.params.size(); ++i) {
      const ir::ParamDef& param = workflow.params[i];
      const std::string type = module_.types.print(param.type);
      const auto box = add({Graph::Kind::Input, param.name, type,
                            fmt::format("input {}: {}", param.name, type), "", 0});
      instance.flows[body.params[i].index()] = single(box);
    }
    const Flow result = region(workflow.body, instance, 0, 1);
    const auto bodyEnd = static_cast<std::uint32_t>(graph_.boxes.size());
    if (workflow.finally.valid()) {
      const std::uint32_t cluster = addCluster("finally", 0);
      const Flow last = joined(leaves({0, 0}, bodyEnd), 0);
      const Mark begin = mark();
      region(workflow.finally, instance, cluster, 1);
      order(last.from(), roots(begin, boxCount()));
    }
    outputs(workflow, result);
    prune();
    return std::move(graph_);
  }

 private:
  std::uint32_t boxCount() const { return static_cast<std::uint32_t>(graph_.boxes.size()); }

  std::uint32_t add(Graph::Box box) {
    graph_.boxes.push_back(std::move(box));
    return boxCount() - 1;
  }
  std::uint32_t addCluster(std::string title, std::uint32_t parent) {
    graph_.clusters.push_back({std::move(title), parent});
    return static_cast<std::uint32_t>(graph_.clusters.size() - 1);
  }
  void connect(const Flow::Boxes& from, std::uint32_t to, bool orderOnly) {
    for (const std::uint32_t box : from) {
      if (box != to) graph_.edges.push_back({box, to, orderOnly});
    }
  }
  void order(const Flow::Boxes& from, const Flow::Boxes& to) {
    for (const std::uint32_t box : to) connect(from, box, true);
  }
  static Flow single(std::uint32_t box) {
    return {std::make_shared<Flow::Boxes>(1, box), nullptr, nullptr};
  }

  /// The boxes as one value; a dot stands for them where they are many.
  Flow joined(Flow::Boxes boxes, std::uint32_t cluster) {
    std::sort(boxes.begin(), boxes.end());
    boxes.erase(std::unique(boxes.begin(), boxes.end()), boxes.end());
    if (boxes.size() > kJoinAbove) {
      const std::uint32_t dot =
          add({Graph::Kind::Join, "", "", fmt::format("{} values", boxes.size()), "", cluster});
      connect(boxes, dot, false);
      return single(dot);
    }
    return {std::make_shared<Flow::Boxes>(std::move(boxes)), nullptr, nullptr};
  }

  Flow unite(std::span<const ir::NodeId> ids, Instance& instance, std::uint32_t cluster) {
    if (ids.size() == 1) {
      Flow flow = instance.flows[ids[0].index()];
      flow.fields = nullptr;
      return flow;
    }
    Flow::Boxes all;
    for (const ir::NodeId id : ids) {
      const auto& from = instance.flows[id.index()].from();
      all.insert(all.end(), from.begin(), from.end());
    }
    return joined(std::move(all), cluster);
  }

  /// How far the drawing is. An edge is added after both its boxes, so the edges among the boxes
  /// made since are among the edges made since.
  struct Mark {
    std::uint32_t box;
    std::size_t edge;
  };
  Mark mark() const { return {boxCount(), graph_.edges.size()}; }

  /// Boxes made from `since` up to `end` into which, or out of which, no edge of that range leads.
  Flow::Boxes extremes(const Mark& since, std::uint32_t end, bool incoming) const {
    const std::uint32_t begin = since.box;
    std::vector<bool> inner(end - begin, false);
    for (std::size_t i = since.edge; i < graph_.edges.size(); ++i) {
      const Graph::Edge& edge = graph_.edges[i];
      if (edge.from < begin || edge.from >= end || edge.to < begin || edge.to >= end) continue;
      inner[(incoming ? edge.to : edge.from) - begin] = true;
    }
    Flow::Boxes result;
    for (std::uint32_t box = begin; box < end; ++box) {
      if (!inner[box - begin] && graph_.boxes[box].kind != Graph::Kind::Input)
        result.push_back(box);
    }
    return result;
  }
  Flow::Boxes roots(const Mark& begin, std::uint32_t end) const {
    return extremes(begin, end, true);
  }
  Flow::Boxes leaves(const Mark& begin, std::uint32_t end) const {
    return extremes(begin, end, false);
  }

  Flow region(ir::RegionId id, Instance& instance, std::uint32_t cluster, std::size_t depth) {
    const ir::Region& body = module_.at(id);
    for (const ir::NodeId node : body.nodes)
      instance.flows[node.index()] = flowOf(node, instance, cluster, depth);
    Flow result;
    Flow::Boxes all;
    for (const ir::NodeId node : body.results) {
      const Flow& flow = instance.flows[node.index()];
      if (body.results.size() == 1) return flow;
      all.insert(all.end(), flow.from().begin(), flow.from().end());
      if (!result.fields) result.fields = flow.fields;
    }
    const auto fields = result.fields;
    result = joined(std::move(all), cluster);
    result.fields = fields;
    return result;
  }

  Flow flowOf(ir::NodeId id, Instance& instance, std::uint32_t cluster, std::size_t depth) {
    const ir::Node& node = module_.at(id);
    const auto operands = module_.operands(node);
    return std::visit(
        ir::Overloaded{
            [](std::monostate) { return Flow(); }, [](const ir::Const&) { return Flow(); },
            [&](const ir::Param&) { return instance.flows[id.index()]; },
            [&](const ir::Op& op) { return ofOp(op, node, instance, cluster); },
            [&](const ir::Field& field) { return ofField(field, operands[0], instance); },
            [&](const ir::Step& step) { return ofStep(step, node, instance, cluster); },
            [&](const ir::Call& call) { return ofCall(call, node, instance, cluster, depth); },
            [&](const ir::For& loop) {
              const ir::NodeId item = module_.at(loop.body).params[0];
              return inCluster(loop.body, "for each" + spaced(item), node, {operands[0]}, instance,
                               cluster, depth);
            },
            [&](const ir::Loop& loop) {
              std::string title = "loop" + spaced(module_.at(loop.body).params[0]);
              if (const ir::Value* max = module_.constant(operands[1])) {
                title += fmt::format(", at most {}", ir::toText(*max));
              }
              return inCluster(loop.body, title, node, {operands[0]}, instance, cluster, depth);
            },
            [&](const ir::Try& attempt) {
              return inCluster(attempt.body, "try", node, {}, instance, cluster, depth);
            },
            [&](const ir::If& choice) {
              return ofIf(choice, operands[0], instance, cluster, depth);
            },
            [](const ir::Rows&) { return Flow(); }},
        node.payload);
  }

  std::string spaced(ir::NodeId param) const {
    const ir::NameId name = module_.at(param).name;
    return name.valid() ? " " + std::string(module_.at(name)) : std::string();
  }

  Flow ofOp(const ir::Op& op, const ir::Node& node, Instance& instance, std::uint32_t cluster) {
    const auto operands = module_.operands(node);
    Flow result = unite(operands, instance, cluster);
    const ir::Type& type = module_.types[node.type];
    if (op.op == ir::Builtin::MakeRecord && type.fields.size() == operands.size()) {
      std::map<std::string, Flow, std::less<>> fields;
      for (std::size_t i = 0; i < operands.size(); ++i)
        fields[type.fields[i].name] = instance.flows[operands[i].index()];
      result.fields =
          std::make_shared<const std::map<std::string, Flow, std::less<>>>(std::move(fields));
    }
    return result;
  }

  Flow ofField(const ir::Field& field, ir::NodeId object, Instance& instance) {
    Flow flow = instance.flows[object.index()];
    if (flow.fields) {
      const auto at = flow.fields->find(module_.at(field.name));
      if (at != flow.fields->end()) return at->second;
    }
    return flow;
  }

  Flow ofStep(const ir::Step& step, const ir::Node& node, Instance& instance,
              std::uint32_t cluster) {
    const ir::TaskDef& task = module_.at(step.task);
    const std::string name = node.name.valid() ? std::string(module_.at(node.name)) : task.name;
    std::string tooltip = fmt::format("step {}: task {} -> {}", instance.prefix + name, task.name,
                                      module_.types.print(task.result));
    if (!task.doc.empty()) tooltip += "\n" + task.doc;
    const std::uint32_t box = add({Graph::Kind::Step, name, task.name == name ? "" : task.name,
                                   std::move(tooltip), stepPath(instance.prefix + name), cluster});
    for (const ir::NodeId operand : module_.operands(node))
      connect(instance.flows[operand.index()].from(), box, false);
    for (const ir::NodeId other : module_.order(node))
      connect(instance.flows[other.index()].waits(), box, true);
    return single(box);
  }

  Flow ofCall(const ir::Call& call, const ir::Node& node, Instance& instance, std::uint32_t cluster,
              std::size_t depth) {
    const ir::FuncDef& callee = module_.at(call.callee);
    const auto operands = module_.operands(node);
    if (callee.kind == ir::FuncKind::Fn) return unite(operands, instance, cluster);
    const std::string name = node.name.valid() ? std::string(module_.at(node.name)) : callee.name;
    const Mark begin = mark();
    Flow result;
    if (depth >= kMaxDepth || graph_.boxes.size() >= kMaxBoxes) {
      const std::uint32_t box =
          add({Graph::Kind::Step, name, "workflow " + callee.name, "workflow " + callee.name,
               stepPath(instance.prefix + name), cluster});
      for (const ir::NodeId operand : operands)
        connect(instance.flows[operand.index()].from(), box, false);
      result = single(box);
    } else {
      Instance inner;
      inner.prefix = instance.prefix + name + ".";
      const ir::Region& body = module_.at(callee.body);
      for (std::size_t i = 0; i < operands.size() && i < body.params.size(); ++i) {
        inner.flows[body.params[i].index()] = instance.flows[operands[i].index()];
      }
      const std::string title = name == callee.name ? name : name + ": " + callee.name;
      const std::uint32_t child = addCluster(title, cluster);
      result = region(callee.body, inner, child, depth + 1);
      if (callee.finally.valid()) {
        const Mark last = mark();
        region(callee.finally, inner, addCluster("finally", child), depth + 1);
        const Flow ended = joined(leaves(begin, last.box), child);
        order(ended.from(), roots(last, boxCount()));
      }
    }
    return ordered(node, begin, std::move(result), instance);
  }

  /// Adds the `after` edges of a node that made the boxes from `begin` on.
  Flow ordered(const ir::Node& node, const Mark& begin, Flow result, Instance& instance) {
    const std::uint32_t end = boxCount();
    for (const ir::NodeId other : module_.order(node)) {
      order(instance.flows[other.index()].waits(), roots(begin, end));
    }
    if (result.from().empty() && end > begin.box) {
      result.ends = std::make_shared<Flow::Boxes>(leaves(begin, end));
    }
    return result;
  }

  Flow inCluster(ir::RegionId body, std::string title, const ir::Node& node,
                 const std::vector<ir::NodeId>& args, Instance& instance, std::uint32_t cluster,
                 std::size_t depth) {
    const Mark begin = mark();
    const auto& params = module_.at(body).params;
    for (std::size_t i = 0; i < args.size() && i < params.size(); ++i) {
      instance.flows[params[i].index()] = instance.flows[args[i].index()];
    }
    const std::uint32_t child = addCluster(std::move(title), cluster);
    return ordered(node, begin, region(body, instance, child, depth + 1), instance);
  }

  Flow ofIf(const ir::If& choice, ir::NodeId condition, Instance& instance, std::uint32_t cluster,
            std::size_t depth) {
    const Mark begin = mark();
    Flow::Boxes all;
    const auto branch = [&](ir::RegionId id, const char* title) {
      if (!id.valid()) return;
      const Flow flow = region(id, instance, addCluster(title, cluster), depth + 1);
      all.insert(all.end(), flow.from().begin(), flow.from().end());
    };
    branch(choice.then, "if so");
    branch(choice.otherwise, "else");
    const Flow decides = instance.flows[condition.index()];
    const std::uint32_t end = boxCount();
    if (end == begin.box) {
      all.insert(all.end(), decides.from().begin(), decides.from().end());
      return joined(std::move(all), cluster);
    }
    const Flow::Boxes first = roots(begin, end);
    const std::uint32_t pill =
        add({Graph::Kind::Choice, "if", "", "the condition of an if", "", cluster});
    connect(decides.from(), pill, false);
    order({pill}, first);
    if (!choice.otherwise.valid()) all.push_back(pill);
    Flow result = joined(std::move(all), cluster);
    if (result.from().empty()) result.ends = std::make_shared<Flow::Boxes>(leaves(begin, end));
    return result;
  }

  void outputs(const ir::FuncDef& workflow, const Flow& result) {
    const ir::Type& type = module_.types[workflow.result];
    for (const ir::TypeField& field : type.fields) {
      const std::string text = module_.types.print(field.type);
      const std::uint32_t box = add({Graph::Kind::Output, field.name, text,
                                     fmt::format("output {}: {}", field.name, text), "", 0});
      const Flow* flow = &result;
      if (result.fields) {
        const auto at = result.fields->find(field.name);
        if (at != result.fields->end()) flow = &at->second;
      }
      connect(flow->from(), box, false);
    }
  }

  /// Drops clusters without boxes and edges that stand twice.
  void prune() {
    std::vector<bool> used(graph_.clusters.size(), false);
    used[0] = true;
    for (const Graph::Box& box : graph_.boxes) {
      for (std::uint32_t c = box.cluster; !used[c]; c = graph_.clusters[c].parent) used[c] = true;
    }
    std::vector<std::uint32_t> moved(graph_.clusters.size(), 0);
    std::vector<Graph::Cluster> kept;
    for (std::size_t c = 0; c < graph_.clusters.size(); ++c) {
      if (!used[c]) continue;
      moved[c] = static_cast<std::uint32_t>(kept.size());
      kept.push_back({graph_.clusters[c].title, moved[graph_.clusters[c].parent]});
    }
    graph_.clusters = std::move(kept);
    for (Graph::Box& box : graph_.boxes) box.cluster = moved[box.cluster];
    auto& edges = graph_.edges;
    std::sort(edges.begin(), edges.end(), [](const Graph::Edge& a, const Graph::Edge& b) {
      return std::tie(a.from, a.to, a.orderOnly) < std::tie(b.from, b.to, b.orderOnly);
    });
    const auto same = [](const Graph::Edge& a, const Graph::Edge& b) {
      return a.from == b.from && a.to == b.to;
    };
    edges.erase(std::unique(edges.begin(), edges.end(), same), edges.end());
  }

  const ir::Module& module_;
  Graph graph_;
};

/// In double quotes for dot and mermaid.
std::string dotQuote(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result + "\"";
}

std::string mermaidQuote(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        result += "#quot;";
        break;
      case '<':
        result += "#lt;";
        break;
      case '>':
        result += "#gt;";
        break;
      case '#':
        result += "#35;";
        break;
      case '&':
        result += "#amp;";
        break;
      case '`':
        result += "#96;";
        break;
      case '\n':
        result += ' ';
        break;
      default:
        result += c;
    }
  }
  return result + "\"";
}

/// Opens and closes clusters round their boxes, children inside parents.
template <class Open, class Box, class Close>
void walkClusters(const Graph& graph, const Open& open, const Box& box, const Close& close) {
  std::vector<std::vector<std::uint32_t>> children(graph.clusters.size());
  std::vector<std::vector<std::uint32_t>> boxes(graph.clusters.size());
  for (std::uint32_t c = 1; c < graph.clusters.size(); ++c)
    children[graph.clusters[c].parent].push_back(c);
  for (std::uint32_t b = 0; b < graph.boxes.size(); ++b) boxes[graph.boxes[b].cluster].push_back(b);
  struct Entry {
    std::uint32_t cluster;
    std::size_t depth;
    bool closes;
  };
  std::vector<Entry> stack{{0, 0, false}};
  while (!stack.empty()) {
    const Entry entry = stack.back();
    stack.pop_back();
    if (entry.closes) {
      close(entry.depth);
      continue;
    }
    if (entry.cluster != 0) {
      open(entry.cluster, entry.depth);
      stack.push_back({entry.cluster, entry.depth, true});
    }
    for (const std::uint32_t b : boxes[entry.cluster]) box(b, entry.depth + 1);
    for (auto c = children[entry.cluster].rbegin(); c != children[entry.cluster].rend(); ++c) {
      stack.push_back({*c, entry.depth + 1, false});
    }
  }
}

}  // namespace

std::string stepPath(std::string_view name) {
  std::string result;
  while (!name.empty()) {
    const std::size_t dot = name.find('.');
    const std::string_view part = name.substr(0, dot);
    if (part.find_first_not_of("0123456789") != std::string_view::npos) {
      if (!result.empty()) result += '.';
      result += part;
    }
    name = dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
  }
  return result;
}

Graph graphOf(const ir::Module& module) {
  if (!module.entry.valid()) return {{}, {{"", 0}}, {}};
  return Maker(module).make();
}

std::string dotText(const Graph& graph) {
  std::string text =
      "digraph workflow {\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n"
      "  graph [fontname=\"sans-serif\", style=rounded];\n";
  walkClusters(
      graph,
      [&](std::uint32_t c, std::size_t depth) {
        text +=
            fmt::format("{}subgraph cluster_{} {{\n{}  label={};\n", std::string(2 * depth, ' '), c,
                        std::string(2 * depth, ' '), dotQuote(graph.clusters[c].title));
      },
      [&](std::uint32_t b, std::size_t depth) {
        const Graph::Box& box = graph.boxes[b];
        std::string label = dotQuote(box.title);
        if (!box.detail.empty()) {
          label.pop_back();
          label += "\\n" + dotQuote(box.detail).substr(1);
        }
        std::string_view shape;
        switch (box.kind) {
          case Graph::Kind::Input:
          case Graph::Kind::Output:
            shape = ", shape=ellipse, style=solid";
            break;
          case Graph::Kind::Choice:
            shape = ", shape=diamond, style=solid";
            break;
          case Graph::Kind::Join:
            shape = ", shape=point";
            break;
          case Graph::Kind::Step:
            break;
        }
        text += fmt::format("{}n{} [label={}{}];\n", std::string(2 * depth, ' '), b, label, shape);
      },
      [&](std::size_t depth) { text += std::string(2 * depth, ' ') + "}\n"; });
  for (const Graph::Edge& edge : graph.edges) {
    text += fmt::format("  n{} -> n{}{};\n", edge.from, edge.to,
                        edge.orderOnly ? " [style=dashed]" : "");
  }
  return text + "}\n";
}

std::string mermaidText(const Graph& graph) {
  std::string text = "flowchart TD\n";
  walkClusters(
      graph,
      [&](std::uint32_t c, std::size_t depth) {
        text += fmt::format(
            "{}subgraph c{} [{}]\n", std::string(2 * depth, ' '), c,
            mermaidQuote(graph.clusters[c].title.empty() ? " " : graph.clusters[c].title));
      },
      [&](std::uint32_t b, std::size_t depth) {
        const Graph::Box& box = graph.boxes[b];
        std::string label = mermaidQuote(box.title);
        if (!box.detail.empty()) {
          label.pop_back();
          label += "<br>" + mermaidQuote(box.detail).substr(1);
        }
        std::string_view open = "[";
        std::string_view shut = "]";
        switch (box.kind) {
          case Graph::Kind::Input:
          case Graph::Kind::Output:
            open = "([", shut = "])";
            break;
          case Graph::Kind::Choice:
            open = "{", shut = "}";
            break;
          case Graph::Kind::Join:
            open = "((", shut = "))";
            label = "\" \"";
            break;
          case Graph::Kind::Step:
            break;
        }
        text += fmt::format("{}n{}{}{}{}\n", std::string(2 * depth, ' '), b, open, label, shut);
      },
      [&](std::size_t depth) { text += std::string(2 * depth, ' ') + "end\n"; });
  for (const Graph::Edge& edge : graph.edges) {
    text += fmt::format("  n{} {} n{}\n", edge.from, edge.orderOnly ? "-.->" : "-->", edge.to);
  }
  return text;
}

}  // namespace couler::driver

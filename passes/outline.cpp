#include "passes/outline.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "passes/partition.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

/// Letters, digits and `_`, so that it may be a field of a record wherever it is read.
std::string plainName(std::string_view text) {
  std::string name(text);
  for (char& c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!plain) c = '_';
  }
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) name.insert(0, "v");
  return name;
}

class Outliner {
 public:
  Outliner(Module& module, const std::vector<std::uint32_t>& part, std::uint32_t parts)
      : module_(module), part_(part), body_(module.at(module.entry).body), parts_(parts) {}

  std::vector<FuncId> run() {
    const std::size_t known = module_.nodes.size();
    entrys_.assign(known, false);
    standsHere_.resize(known);
    standsIn_.assign(known, kParent);
    standsInParent_.resize(known);
    for (const NodeId id : module_.at(body_).nodes) entrys_[id.index()] = true;
    for (const NodeId id : module_.at(body_).params) entrys_[id.index()] = true;
    const std::vector<NodeId> nodes = std::exchange(module_.at(body_).nodes, {});
    std::vector<std::vector<NodeId>> members(parts_ + 1);  // the parent's are the last
    for (const NodeId id : nodes) {
      const Node& node = module_.at(id);
      if (std::holds_alternative<std::monostate>(node.payload) || isCopied(node)) continue;
      members[std::min(homeOf(id), parts_)].push_back(id);
    }
    begin();
    for (const std::vector<NodeId>& home : members) {
      for (const NodeId id : home) move(id);
    }
    std::vector<NodeId> results;
    for (const NodeId result : std::vector<NodeId>(module_.at(body_).results)) {
      results.push_back(use(result, kParent));
    }
    module_.at(body_).results = std::move(results);
    end();
    for (const NodeId id : nodes) {  // copied, and no more used where it was
      if (isCopied(module_.at(id)) && !standsInParent_[id.index()].valid()) {
        module_.at(id).payload = std::monostate{};
      }
    }
    sortParent();
    std::vector<FuncId> funcs;
    for (const Part& made : made_) funcs.push_back(made.func);
    return funcs;
  }

 private:
  struct Output {
    NodeId value;  ///< as it is in the entry
    bool isField;  ///< of its maker
    TypeField field;
  };
  struct Part {
    FuncId func;
    RegionId body;
    NodeId call;
    std::vector<NodeId> operands;  ///< of the call; a param that stands for a part: invalid
    std::vector<std::uint32_t> from;  ///< by param: the part whose result it is, or kParent
    std::vector<NodeId> order;
    std::vector<std::uint32_t> after;  ///< parts that must have ended
    std::vector<Output> outputs;
    std::unordered_set<std::string> names;       ///< of params
    std::unordered_set<std::string> fieldNames;  ///< of outputs
    std::map<std::uint32_t, NodeId> results;     ///< by part: the param
  };

  void begin() {
    std::unordered_set<std::string> taken;
    for (const FuncDef& func : module_.funcs) taken.insert(func.name);
    const std::string entry = module_.at(module_.entry).name;
    const Span span = module_.at(module_.entry).span;
    for (std::uint32_t p = 0; p < parts_; ++p) {
      Part& part = made_.emplace_back();
      FuncDef func;
      func.name = fmt::format("{}-part-{}", entry, p + 1);
      while (!taken.insert(func.name).second) func.name += '~';
      func.kind = FuncKind::Workflow;
      func.isPart = true;
      func.span = span;
      func.body = part.body = module_.addRegion();
      part.func = FuncId{module_.funcs.size()};
      module_.funcs.push_back(std::move(func));
      // Its result is known when all has moved; the call stands for it until then.
      part.call = module_.add(body_, Call{part.func}, TypeTable::kError, {}, {}, span,
                              module_.intern(fmt::format("part-{}", p + 1)));
    }
    module_.at(body_).nodes.clear();
  }

  [[nodiscard]] std::uint32_t homeOf(NodeId id) const { return part_[id.index()]; }
  [[nodiscard]] RegionId regionOf(std::uint32_t home) const {
    return home == kParent ? body_ : made_[home].body;
  }
  void move(NodeId id) {
    const std::uint32_t home = homeOf(id);
    rewire(id, home);
    std::vector<RegionId> inner = module_.regionsOf(module_.at(id));
    while (!inner.empty()) {
      const RegionId region = inner.back();
      inner.pop_back();
      for (const NodeId node : std::vector<NodeId>(module_.at(region).nodes)) {
        rewire(node, home);
        for (const RegionId more : module_.regionsOf(module_.at(node))) inner.push_back(more);
      }
      for (std::size_t i = 0; i < module_.at(region).results.size(); ++i) {
        const NodeId result = module_.at(region).results[i];
        if (moves(result)) {
          const NodeId made = use(result, home);
          module_.at(region).results[i] = made;
        }
      }
    }
    module_.at(id).region = regionOf(home);
    module_.at(regionOf(home)).nodes.push_back(id);
  }

  /// Whether an operand may be another where it is used from.
  [[nodiscard]] bool moves(NodeId id) const {
    return id.index() < entrys_.size() && entrys_[id.index()];
  }

  void rewire(NodeId id, std::uint32_t home) {
    if (std::holds_alternative<std::monostate>(module_.at(id).payload)) return;
    const std::uint32_t operands = module_.at(id).operandCount;
    for (std::uint32_t i = 0; i < operands; ++i) {
      const NodeId operand = module_.operands(module_.at(id))[i];
      if (!moves(operand)) continue;
      const NodeId made = use(operand, home);
      module_.operands(module_.at(id))[i] = made;
    }
    if (module_.at(id).orderCount == 0) return;
    std::vector<NodeId> order;
    bool same = true;
    const auto before = std::as_const(module_).order(module_.at(id));
    for (const NodeId first : std::vector<NodeId>(before.begin(), before.end())) {
      const NodeId made = moves(first) ? waitFor(first, home) : first;
      same = same && made == first;
      if (made.valid()) order.push_back(made);
    }
    if (same) return;
    std::sort(order.begin(), order.end());
    order.erase(std::unique(order.begin(), order.end()), order.end());
    const auto now = std::as_const(module_).operands(module_.at(id));
    module_.setEdges(id, std::vector<NodeId>(now.begin(), now.end()), order);
  }

  /// What a node at `home` waits for in the place of `first`; invalid where the call of its part does.
  NodeId waitFor(NodeId first, std::uint32_t home) {
    while (std::holds_alternative<Field>(module_.at(first).payload)) {
      first = std::as_const(module_).operands(module_.at(first))[0];
    }
    const Node& node = module_.at(first);
    if (std::holds_alternative<Const>(node.payload) || std::holds_alternative<ir::Param>(node.payload)) {
      return {};
    }
    const std::uint32_t from = homeOf(first);
    if (from == home) return first;
    if (home == kParent) return made_[from].call;
    if (from == kParent) {
      made_[home].order.push_back(first);
    } else {
      made_[home].after.push_back(from);
    }
    return {};
  }

  /// The node that stands for `id`, a node or parameter of the entry's body, at `home`.
  NodeId use(NodeId id, std::uint32_t home) {
    if (!moves(id)) return id;
    const Node node = module_.at(id);
    const bool isParam = std::holds_alternative<ir::Param>(node.payload);
    const bool isField = std::holds_alternative<Field>(node.payload);
    if (isParam && home == kParent) return id;
    if (!isParam && !isCopied(node) && homeOf(id) == home) return id;
    if (const NodeId known = standing(id, home); known.valid()) return known;
    NodeId made;
    if (std::holds_alternative<Const>(node.payload)) {
      made = home == kParent ? keep(id) : copy(id, {}, home);
    } else if (!isField || isCut(std::as_const(module_).operands(node)[0], home)) {
      made = across(isField ? std::as_const(module_).operands(node)[0] : id, id, home);
    } else {
      const NodeId operand = use(std::as_const(module_).operands(node)[0], home);
      made = home == kParent ? keep(id) : copy(id, operand, home);
      module_.operands(module_.at(made))[0] = operand;
    }
    if (home == kParent) {
      standsInParent_[id.index()] = made;
    } else {
      standsHere_[id.index()] = made;
      standsIn_[id.index()] = home;
    }
    return made;
  }
  [[nodiscard]] NodeId standing(NodeId id, std::uint32_t home) const {
    if (home == kParent) return standsInParent_[id.index()];
    return standsIn_[id.index()] == home ? standsHere_[id.index()] : NodeId();
  }
  /// Whether the maker of a field is at another home.
  [[nodiscard]] bool isCut(NodeId maker, std::uint32_t home) const {
    if (!moves(maker) || isCopied(module_.at(maker))) return false;
    if (std::holds_alternative<ir::Param>(module_.at(maker).payload)) return home != kParent;
    return homeOf(maker) != home;
  }

  NodeId keep(NodeId id) {
    module_.at(body_).nodes.push_back(id);
    return id;
  }
  NodeId copy(NodeId id, NodeId operand, std::uint32_t home) {
    const Node node = module_.at(id);
    const std::vector<NodeId> operands(operand.valid() ? 1 : 0, operand);
    return module_.add(regionOf(home), node.payload, node.type, operands, {}, node.span, node.name);
  }

  /// `value` (that is `maker`, or a field of it) at another home than its maker's.
  NodeId across(NodeId maker, NodeId value, std::uint32_t home) {
    const bool isParam = std::holds_alternative<ir::Param>(module_.at(maker).payload);
    const std::uint32_t from = isParam ? kParent : homeOf(maker);
    if (from == kParent) return parameter(value, home);
    const std::string field = give(from, maker, value);
    const NodeId record = home == kParent ? made_[from].call : resultOf(from, home);
    const TypeId type = module_.at(value).type;
    const Span span = module_.at(value).span;
    const NodeId operands[] = {record};
    const NodeId made = module_.add(regionOf(home), Field{module_.intern(field)}, TypeTable::kError,
                                    operands, {}, span);
    module_.at(made).type = type;
    return made;
  }

  /// The field of `from`'s result that is `value`.
  const std::string& give(std::uint32_t from, NodeId maker, NodeId value) {
    std::string& known = gives_[value];
    if (!known.empty()) return known;
    std::string name = plainName(labelOf(maker));
    if (value != maker) {
      name += '_';
      name += plainName(module_.at(std::get<Field>(module_.at(value).payload).name));
    }
    Part& part = made_[from];
    known = unique(std::move(name), part.fieldNames);
    part.outputs.push_back({value, value != maker, {known, module_.at(value).type}});
    return known;
  }

  [[nodiscard]] std::string labelOf(NodeId id) const {
    const Node& node = module_.at(id);
    if (node.name.valid()) return std::string(module_.at(node.name));
    if (const auto* step = std::get_if<Step>(&node.payload)) return module_.at(step->task).name;
    if (const auto* call = std::get_if<Call>(&node.payload)) return module_.at(call->callee).name;
    return "value";
  }

  static std::string unique(std::string name, std::unordered_set<std::string>& taken) {
    if (taken.insert(name).second) return name;
    for (std::size_t n = 2;; ++n) {
      std::string next = fmt::format("{}_{}", name, n);
      if (taken.insert(next).second) return next;
    }
  }

  NodeId addParam(std::uint32_t home, TypeId type, std::string name, NodeId operand,
                  std::uint32_t from, Phase phase) {
    Part& part = made_[home];
    name = unique(std::move(name), part.names);
    const Span span = module_.at(module_.entry).span;
    ParamDef& def = module_.at(part.func).params.emplace_back();
    def.name = name;
    def.type = type;
    def.span = span;
    part.operands.push_back(operand);
    part.from.push_back(from);
    return module_.addParam(part.body, type, name, span, phase);
  }
  NodeId parameter(NodeId value, std::uint32_t home) {
    const Node node = module_.at(value);
    std::string name;
    if (const auto* field = std::get_if<Field>(&node.payload)) {
      const NodeId of = std::as_const(module_).operands(node)[0];
      name = plainName(labelOf(of)) + '_' + plainName(module_.at(field->name));
    } else {
      name = plainName(labelOf(value));
    }
    return addParam(home, node.type, std::move(name), use(value, kParent), kParent, node.phase);
  }
  NodeId resultOf(std::uint32_t from, std::uint32_t home) {
    NodeId& known = made_[home].results[from];
    if (!known.valid()) {
      const NodeId made = addParam(home, TypeTable::kError, fmt::format("part_{}", from + 1), {},
                                   from, Phase::Run);
      made_[home].results[from] = made;
      return made;
    }
    return known;
  }

  /// Gives the parts their results and the calls their operands.
  void end() {
    for (Part& part : made_) {
      std::vector<TypeField> fields;
      std::vector<NodeId> values;
      for (const Output& output : part.outputs) {
        fields.push_back(output.field);
        if (!output.isField) {
          values.push_back(output.value);
          continue;
        }
        const Node field = module_.at(output.value);
        const NodeId operands[] = {std::as_const(module_).operands(field)[0]};
        values.push_back(module_.add(part.body, field.payload, field.type, operands, {}, field.span));
      }
      const TypeId type = module_.types.record(std::move(fields));
      module_.at(part.func).result = type;
      module_.at(part.call).type = type;
      const NodeId record = module_.add(part.body, Op{Builtin::MakeRecord}, type, values, {},
                                        module_.at(module_.entry).span);
      module_.at(part.body).results.push_back(record);
    }
    for (Part& part : made_) {
      for (const auto& [from, param] : part.results) {
        const TypeId type = module_.at(made_[from].func).result;
        module_.at(param).type = type;
        module_.at(part.func).params[std::get<ir::Param>(module_.at(param).payload).index].type = type;
      }
      for (std::size_t i = 0; i < part.operands.size(); ++i) {
        if (part.from[i] != kParent) part.operands[i] = made_[part.from[i]].call;
      }
      for (const std::uint32_t first : part.after) {
        if (!part.results.contains(first)) part.order.push_back(made_[first].call);
      }
      std::sort(part.order.begin(), part.order.end());
      part.order.erase(std::unique(part.order.begin(), part.order.end()), part.order.end());
      module_.setEdges(part.call, part.operands, part.order);
      module_.at(body_).nodes.push_back(part.call);
      module_.updateAttributes(part.call);
    }
  }

  /// The parent's nodes, each after what it uses, else in the order of their ids.
  void sortParent() {
    std::vector<NodeId>& nodes = module_.at(body_).nodes;
    std::unordered_map<NodeId, std::uint32_t> waits;
    std::unordered_map<NodeId, std::vector<NodeId>> then;
    for (const NodeId id : nodes) waits[id] = 0;
    const auto wait = [&](NodeId id, NodeId first) {
      if (first == id || !waits.contains(first)) return;
      ++waits[id];
      then[first].push_back(id);
    };
    for (const NodeId id : nodes) {
      std::vector<NodeId> left{id};
      while (!left.empty()) {
        const NodeId at = left.back();
        left.pop_back();
        for (const NodeId used : std::as_const(module_).operands(module_.at(at))) wait(id, used);
        for (const NodeId first : std::as_const(module_).order(module_.at(at))) wait(id, first);
        for (const RegionId region : module_.regionsOf(module_.at(at))) {
          for (const NodeId inner : module_.at(region).nodes) left.push_back(inner);
          for (const NodeId result : module_.at(region).results) wait(id, result);
        }
      }
    }
    std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
    for (const NodeId id : nodes) {
      if (waits[id] == 0) ready.push(id);
    }
    std::vector<NodeId> sorted;
    sorted.reserve(nodes.size());
    while (!ready.empty()) {
      const NodeId id = ready.top();
      ready.pop();
      sorted.push_back(id);
      for (const NodeId next : then[id]) {
        if (--waits[next] == 0) ready.push(next);
      }
    }
    nodes = std::move(sorted);
  }

  Module& module_;
  const std::vector<std::uint32_t>& part_;
  RegionId body_;
  std::uint32_t parts_;
  std::vector<bool> entrys_;  ///< by node: of the entry's body, or a parameter of it
  std::vector<Part> made_;
  // By node: what stands for it in the part at hand (`standsIn_`), and in the parent.
  std::vector<NodeId> standsHere_, standsInParent_;
  std::vector<std::uint32_t> standsIn_;
  std::unordered_map<NodeId, std::string> gives_;  ///< by value: its field
};

}  // namespace

bool isCopied(const Node& node) {
  return std::holds_alternative<Const>(node.payload) || std::holds_alternative<Field>(node.payload);
}

std::vector<FuncId> outline(Module& module, const std::vector<std::uint32_t>& part,
                            std::uint32_t parts) {
  return Outliner(module, part, parts).run();
}

}  // namespace couler::passes

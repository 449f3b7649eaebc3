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

constexpr std::size_t kItemsAtOnce = 250;  // of a list that goes from part to part

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
  Outliner(Module& module, RegionId body, const std::string& name,
           const std::vector<std::uint32_t>& part, std::uint32_t parts, Outlined into)
      : module_(module), part_(part), body_(body), parts_(parts), name_(name), into_(into) {}

  std::vector<FuncId> run() {
    const std::size_t known = module_.nodes.size();
    moves_.assign(known, false);
    standsHere_.resize(known);
    standsIn_.assign(known, kParent);
    standsInParent_.resize(known);
    given_.assign(known, false);
    for (const NodeId id : module_.at(body_).nodes) moves_[id.index()] = true;
    for (const NodeId id : module_.at(body_).params) moves_[id.index()] = given_[id.index()] = true;
    for (NodeId owner = module_.at(body_).owner; owner.valid();
         owner = module_.at(module_.at(owner).region).owner) {
      const Region& outer = module_.at(module_.at(owner).region);
      for (const std::vector<NodeId>* ids : {&outer.nodes, &outer.params}) {
        for (const NodeId id : *ids) moves_[id.index()] = given_[id.index()] = true;
      }
    }
    wholeLists_ = wholeLists(module_, body_);
    inPart_ = std::any_of(module_.funcs.begin(), module_.funcs.end(), [this](const FuncDef& func) {
      return func.body == body_ && func.outlined == Outlined::Part;
    });
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
    std::vector<NodeId> values;  ///< as they are in the entry: steps and such, or fields of these
    bool isList;                 ///< of these; else it is the one value
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
    std::map<std::pair<std::uint32_t, std::string>, NodeId> taken;  ///< by group and field
  };

  void begin() {
    std::unordered_set<std::string> taken;
    for (const FuncDef& func : module_.funcs) taken.insert(func.name);
    const Span span = module_.at(module_.entry).span;
    const std::string_view kind = into_ == Outlined::Part ? "part" : "group";
    for (std::uint32_t p = 0; p < parts_; ++p) {
      Part& part = made_.emplace_back();
      FuncDef func;
      func.name = fmt::format("{}-{}-{}", name_, kind, p + 1);
      while (!taken.insert(func.name).second) func.name += '-';
      func.kind = FuncKind::Workflow;
      func.outlined = into_;
      func.span = span;
      func.body = part.body = module_.addRegion();
      part.func = FuncId{module_.funcs.size()};
      module_.funcs.push_back(std::move(func));
      // Its result is known when all has moved; the call stands for it until then.
      part.call = module_.add(body_, Call{part.func}, TypeTable::kError, {}, {}, span,
                              module_.intern(fmt::format("{}-{}", kind, p + 1)));
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
    return id.index() < moves_.size() && moves_[id.index()];
  }

  void rewire(NodeId id, std::uint32_t home) {
    if (std::holds_alternative<std::monostate>(module_.at(id).payload)) return;
    if (id.index() < wholeLists_.size() && wholeLists_[id.index()]) gather(id, home);
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

  /// Puts a list together from lists that other parts make of items that follow each other.
  void gather(NodeId id, std::uint32_t home) {
    const auto given = std::as_const(module_).operands(module_.at(id));
    const std::vector<NodeId> items(given.begin(), given.end());
    const Node list = module_.at(id);
    std::vector<NodeId> lists, own;
    const auto flush = [&] {
      if (own.empty()) return;
      for (NodeId& item : own) item = use(item, home);
      lists.push_back(module_.add(regionOf(home), list.payload, list.type, own, {}, list.span));
      own.clear();
    };
    for (std::size_t i = 0; i < items.size();) {
      const std::uint32_t from = makerOf(items[i], home);
      std::size_t end = i + 1;
      while (end < items.size() && end - i < kItemsAtOnce && makerOf(items[end], home) == from)
        ++end;
      const auto run = std::span(items).subspan(i, end - i);
      i = end;
      if (from == home || run.size() == 1) {
        own.insert(own.end(), run.begin(), run.end());
        continue;
      }
      flush();
      const std::string name = unique(plainName(labelOf(module_, id)), made_[from].fieldNames);
      made_[from].outputs.push_back({{run.begin(), run.end()}, true, {name, list.type}});
      lists.push_back(taken(from, home, name, list.type, list.span));
    }
    if (lists.empty()) return;
    flush();
    module_.at(id).payload = Op{Builtin::SpreadList};
    module_.setEdges(id, lists, {});
  }
  /// The part that makes an item of a list, or a field that the item is; `home` where that is the
  /// parent.
  [[nodiscard]] std::uint32_t makerOf(NodeId item, std::uint32_t home) const {
    if (std::holds_alternative<Field>(module_.at(item).payload)) {
      item = std::as_const(module_).operands(module_.at(item))[0];
    }
    if (!moves(item) || isCopied(module_.at(item)) || given_[item.index()]) return home;
    return homeOf(item) == kParent ? home : homeOf(item);
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
    const bool isGiven = given_[id.index()];
    const bool isField = std::holds_alternative<Field>(node.payload);
    if (isGiven && home == kParent) return id;
    if (!isGiven && !isCopied(node) && homeOf(id) == home) return id;
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
    if (given_[maker.index()]) return home != kParent;
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
    const std::uint32_t from = given_[maker.index()] ? kParent : homeOf(maker);
    if (from == kParent && isBundle(maker) && value != maker) return ofBundle(maker, value, home);
    if (from == kParent) return parameter(value, home);
    return taken(from, home, give(from, maker, value), module_.at(value).type,
                 module_.at(value).span);
  }
  /// Whether a parameter of a part's body is all that another part gives.
  [[nodiscard]] bool isBundle(NodeId id) const {
    return into_ == Outlined::Group && inPart_ && module_.payload<ir::Param>(id) != nullptr &&
           module_.at(id).region == body_ &&
           module_.types.kind(module_.at(id).type) == TypeKind::Record;
  }
  /// A field of such a one in a group, which takes it whole; a file by itself.
  NodeId ofBundle(NodeId maker, NodeId value, std::uint32_t home) {
    const Node node = module_.at(value);
    if (module_.types.holds(node.type, TypeKind::File) ||
        module_.types.holds(node.type, TypeKind::Dir)) {
      return parameter(value, home);
    }
    const NodeId whole[] = {use(maker, home)};
    return module_.add(regionOf(home), node.payload, node.type, whole, {}, node.span);
  }
  /// At `home`, what another part gives by that name.
  NodeId taken(std::uint32_t from, std::uint32_t home, const std::string& field, TypeId type,
               Span span) {
    const bool files =
        module_.types.holds(type, TypeKind::File) || module_.types.holds(type, TypeKind::Dir);
    if (into_ == Outlined::Part || home == kParent || !files) {
      return fieldOf(from, home, field, type, span);
    }
    NodeId& known = made_[home].taken[{from, field}];
    if (!known.valid()) {
      known = addParam(home, type, field, fieldOf(from, kParent, field, type, span), kParent,
                       Phase::Run);
    }
    return known;
  }
  /// At `home`, a field of what another part gives.
  NodeId fieldOf(std::uint32_t from, std::uint32_t home, const std::string& field, TypeId type,
                 Span span) {
    const NodeId operands[] = {home == kParent ? made_[from].call : resultOf(from, home)};
    const NodeId made = module_.add(regionOf(home), Field{module_.intern(field)}, TypeTable::kError,
                                    operands, {}, span);
    module_.at(made).type = type;
    return made;
  }

  /// The field of `from`'s result that is `value`.
  const std::string& give(std::uint32_t from, NodeId maker, NodeId value) {
    std::string& known = gives_[value];
    if (!known.empty()) return known;
    std::string name = plainName(labelOf(module_, maker));
    if (value != maker) {
      name += '_';
      name += plainName(module_.at(std::get<Field>(module_.at(value).payload).name));
    }
    Part& part = made_[from];
    known = unique(std::move(name), part.fieldNames);
    part.outputs.push_back({{value}, false, {known, module_.at(value).type}});
    return known;
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
      name = plainName(labelOf(module_, of)) + '_' + plainName(module_.at(field->name));
    } else {
      name = plainName(labelOf(module_, value));
    }
    return addParam(home, node.type, std::move(name), use(value, kParent), kParent, node.phase);
  }
  NodeId resultOf(std::uint32_t from, std::uint32_t home) {
    NodeId& known = made_[home].results[from];
    if (!known.valid()) {
      const NodeId made =
          addParam(home, TypeTable::kError,
                   fmt::format("{}_{}", into_ == Outlined::Part ? "part" : "group", from + 1), {},
                   from, Phase::Run);
      made_[home].results[from] = made;
      return made;
    }
    return known;
  }

  /// Gives the parts their results and the calls their operands.
  void end() {
    const Span span = module_.at(module_.entry).span;
    for (Part& part : made_) {
      std::vector<TypeField> fields;
      std::vector<NodeId> values;
      for (const Output& output : part.outputs) {
        fields.push_back(output.field);
        std::vector<NodeId> made;
        for (const NodeId value : output.values) {
          const Node node = module_.at(value);
          if (!std::holds_alternative<Field>(node.payload)) {
            made.push_back(value);
            continue;
          }
          const NodeId operands[] = {std::as_const(module_).operands(node)[0]};
          made.push_back(module_.add(part.body, node.payload, node.type, operands, {}, node.span));
        }
        values.push_back(!output.isList ? made[0]
                                        : module_.add(part.body, Op{Builtin::MakeList},
                                                      output.field.type, made, {}, span));
      }
      const TypeId type = module_.types.record(std::move(fields));
      module_.at(part.func).result = type;
      module_.at(part.call).type = type;
      const NodeId record = module_.add(part.body, Op{Builtin::MakeRecord}, type, values, {}, span);
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

  /// The parent's nodes, each after what it uses; parts come before others, as `makespan` has it,
  /// and these in the order of their ids.
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
    std::unordered_set<NodeId> calls;
    for (const Part& part : made_) calls.insert(part.call);
    using Placed = std::pair<bool, NodeId>;
    std::priority_queue<Placed, std::vector<Placed>, std::greater<>> ready;
    const auto push = [&](NodeId id) { ready.emplace(!calls.contains(id), id); };
    for (const NodeId id : nodes) {
      if (waits[id] == 0) push(id);
    }
    std::vector<NodeId> sorted;
    sorted.reserve(nodes.size());
    while (!ready.empty()) {
      const NodeId id = ready.top().second;
      ready.pop();
      sorted.push_back(id);
      for (const NodeId next : then[id]) {
        if (--waits[next] == 0) push(next);
      }
    }
    nodes = std::move(sorted);
  }

  Module& module_;
  const std::vector<std::uint32_t>& part_;
  RegionId body_;
  std::uint32_t parts_;
  std::string name_;
  Outlined into_;
  bool inPart_ = false;
  std::vector<bool> moves_;  ///< by node: it may be another where it is used from
  std::vector<bool> given_;  ///< by node: a parameter of the body, or a value of one around it
  std::vector<Part> made_;
  // By node: what stands for it in the part at hand (`standsIn_`), and in the parent.
  std::vector<NodeId> standsHere_, standsInParent_;
  std::vector<std::uint32_t> standsIn_;
  std::unordered_map<NodeId, std::string> gives_;  ///< by value: its field
  std::vector<bool> wholeLists_;
};

}  // namespace

bool isCopied(const Node& node) {
  return std::holds_alternative<Const>(node.payload) || std::holds_alternative<Field>(node.payload);
}

std::string labelOf(const Module& module, NodeId id) {
  const Node& node = module.at(id);
  if (node.name.valid()) return std::string(module.at(node.name));
  if (const auto* step = std::get_if<Step>(&node.payload)) return module.at(step->task).name;
  if (const auto* call = std::get_if<Call>(&node.payload)) return module.at(call->callee).name;
  if (std::holds_alternative<For>(node.payload)) return "for";
  if (std::holds_alternative<If>(node.payload)) return "if";
  if (std::holds_alternative<Loop>(node.payload)) return "loop";
  return std::holds_alternative<Try>(node.payload) ? "try" : "value";
}

std::vector<FuncId> outline(Module& module, RegionId body, const std::string& name,
                            const std::vector<std::uint32_t>& part, std::uint32_t parts,
                            Outlined into) {
  return Outliner(module, body, name, part, parts, into).run();
}

}  // namespace couler::passes

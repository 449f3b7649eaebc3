#include "ir/module.h"

#include <algorithm>
#include <utility>

namespace couler::ir {

TypeId fileRangeType(TypeTable& types) {
  std::vector<TypeField> fields;
  for (const char* name : {"head", "from", "to", "row", "line"}) {
    fields.push_back({name, TypeTable::kInt});
  }
  return types.record(std::move(fields));
}

const Value* Module::constant(NodeId id) const {
  const Const* found = payload<Const>(id);
  return found != nullptr ? &at(found->value) : nullptr;
}

std::vector<RegionId> Module::regionsOf(const Node& node) const {
  std::vector<RegionId> result;
  const auto take = [&](RegionId id) {
    if (id.valid()) result.push_back(id);
  };
  std::visit(Overloaded{[](std::monostate) {}, [](const Const&) {}, [](const Param&) {},
                        [](const Op&) {}, [](const Field&) {}, [](const Step&) {},
                        [](const Call&) {}, [&](const For& x) { take(x.body); },
                        [&](const If& x) {
                          take(x.then);
                          take(x.otherwise);
                        },
                        [&](const Loop& x) { take(x.body); }, [&](const Try& x) { take(x.body); },
                        [&](const Rows& x) { take(x.body); }},
             node.payload);
  return result;
}

NameId Module::intern(std::string_view name) {
  // Open addressing over the names themselves.
  constexpr std::uint32_t kEmpty = 0xffffffffU;
  const std::hash<std::string_view> hash;
  const auto slotOf = [&](std::string_view text) {
    const std::size_t mask = nameSlots_.size() - 1;
    std::size_t at = hash(text) & mask;
    while (nameSlots_[at] != kEmpty && names_[nameSlots_[at]] != text) at = (at + 1) & mask;
    return at;
  };
  if ((interned_.size() + 1) * 2 > nameSlots_.size()) {
    nameSlots_.assign(std::max<std::size_t>(64, nameSlots_.size() * 2), kEmpty);
    for (const NameId id : interned_) nameSlots_[slotOf(names_[id.index()])] = id.index();
  }
  const std::size_t at = slotOf(name);
  if (nameSlots_[at] == kEmpty) {
    nameSlots_[at] = static_cast<std::uint32_t>(names_.size());
    interned_.emplace_back(names_.size());
    names_.emplace_back(name);
  }
  return NameId{nameSlots_[at]};
}

ConstId Module::intern(Value value) {
  const std::size_t hash = hashOf(value);
  const auto [first, last] = constantIndex_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    if (identical(at(it->second), value)) return it->second;
  }
  const ConstId id{static_cast<std::uint32_t>(constants_.size())};
  constants_.push_back(std::move(value));
  constantIndex_.emplace(hash, id);
  return id;
}

RegionId Module::addRegion(NodeId owner) {
  const RegionId id{static_cast<std::uint32_t>(regions.size())};
  regions.emplace_back().owner = owner;
  return id;
}

NodeId Module::addParam(RegionId region, TypeId type, std::string_view name, Span span,
                        Phase phase) {
  const NodeId id{static_cast<std::uint32_t>(nodes.size())};
  Node node;
  node.payload = Param{static_cast<std::uint32_t>(at(region).params.size())};
  node.type = type;
  node.region = region;
  if (!name.empty()) node.name = intern(name);
  node.span = span;
  node.footprint = Footprint::Pointwise;
  node.phase = phase;
  nodes.push_back(std::move(node));
  at(region).params.push_back(id);
  return id;
}

NodeId Module::add(RegionId region, Payload payload, TypeId type, std::span<const NodeId> operands,
                   std::span<const NodeId> order, Span span, NameId name) {
  const NodeId id{static_cast<std::uint32_t>(nodes.size())};
  Node node;
  node.payload = std::move(payload);
  node.type = type;
  node.region = region;
  node.name = name;
  node.span = span;
  nodes.push_back(std::move(node));
  setEdges(id, operands, order);
  at(region).nodes.push_back(id);
  updateAttributes(id);
  return id;
}

NodeId Module::addConst(RegionId region, Value value, TypeId type, Span span) {
  return add(region, Const{intern(std::move(value))}, type, {}, {}, span);
}

void Module::setEdges(NodeId id, std::span<const NodeId> operands, std::span<const NodeId> order) {
  // The lists may lie in the pool itself, which is about to grow.
  std::vector<NodeId> all(operands.begin(), operands.end());
  all.insert(all.end(), order.begin(), order.end());
  Node& node = at(id);
  node.firstOperand = static_cast<std::uint32_t>(operandPool.size());
  node.operandCount = static_cast<std::uint32_t>(operands.size());
  node.orderCount = static_cast<std::uint32_t>(order.size());
  operandPool.insert(operandPool.end(), all.begin(), all.end());
}

std::vector<ConstId> Module::keepConstants(const std::vector<bool>& used) {
  std::vector<ConstId> fresh(constants_.size());
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < constants_.size(); ++i) {
    if (!used[i]) continue;
    if (next != i) constants_[next] = std::move(constants_[i]);
    fresh[i] = ConstId{next++};
  }
  if (next == constants_.size()) return fresh;
  constants_.resize(next);
  std::erase_if(constantIndex_, [&](const auto& row) { return !used[row.second.index()]; });
  for (auto& [hash, id] : constantIndex_) id = fresh[id.index()];
  return fresh;
}

std::optional<FuncId> Module::findFunc(std::string_view name) const {
  const auto it = std::find_if(funcs.begin(), funcs.end(),
                               [&](const FuncDef& func) { return func.name == name; });
  if (it == funcs.end()) return std::nullopt;
  return FuncId{static_cast<std::uint32_t>(it - funcs.begin())};
}

const TargetDef* Module::findTarget(std::string_view name) const {
  const auto it = std::find_if(targets.begin(), targets.end(),
                               [&](const TargetDef& target) { return target.name == name; });
  return it == targets.end() ? nullptr : &*it;
}

}  // namespace couler::ir

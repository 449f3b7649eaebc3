#include <algorithm>
#include <map>
#include <utility>

#include "passes/outline.h"
#include "passes/split_graph.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

bool isMakeList(const Node& node) {
  const auto* op = std::get_if<Op>(&node.payload);
  return op != nullptr && op->op == Builtin::MakeList;
}

/// Erases those of `ids` that nothing uses.
void eraseUnused(Module& module, const std::vector<NodeId>& ids) {
  if (ids.empty()) return;
  std::vector<bool> used(module.nodes.size(), false);
  for (const Node& node : module.nodes) {
    if (std::holds_alternative<std::monostate>(node.payload)) continue;
    for (const NodeId operand : std::as_const(module).operands(node)) used[operand.index()] = true;
    for (const NodeId before : std::as_const(module).order(node)) used[before.index()] = true;
  }
  for (const Region& region : module.regions) {
    for (const NodeId result : region.results) used[result.index()] = true;
  }
  for (const NodeId id : ids) {
    if (!used[id.index()]) module.at(id).payload = std::monostate{};
  }
}

}  // namespace

void spellOutLists(Module& module, RegionId body) {
  std::map<std::pair<NodeId, NameId>, NodeId> fields;  // by maker
  std::vector<bool> placed(module.nodes.size(), false);
  std::vector<NodeId> lists;  // that fields were taken of
  const std::vector<NodeId> nodes = std::exchange(module.at(body).nodes, {});
  for (const NodeId id : nodes) {
    const auto* field = std::get_if<Field>(&module.at(id).payload);
    if (field != nullptr && !field->ofEach && !field->optional) {
      fields.emplace(std::pair(std::as_const(module).operands(module.at(id))[0], field->name), id);
    }
  }
  for (const NodeId id : nodes) {
    placed[id.index()] = true;
    const auto* each = std::get_if<Field>(&module.at(id).payload);
    if (each == nullptr || !each->ofEach || each->optional) {
      module.at(body).nodes.push_back(id);
      continue;
    }
    const NodeId list = std::as_const(module).operands(module.at(id))[0];
    const TypeId type = module.types[module.at(id).type].element;
    if (!isMakeList(module.at(list)) || type == TypeTable::kError) {
      module.at(body).nodes.push_back(id);
      continue;
    }
    const NameId name = each->name;
    const auto made = std::as_const(module).operands(module.at(list));
    const std::vector<NodeId> makers(made.begin(), made.end());
    std::vector<NodeId> items;
    for (const NodeId maker : makers) {
      NodeId& item = fields[{maker, name}];
      if (!item.valid() || (item.index() < placed.size() && !placed[item.index()])) {
        item = module.add(body, Field{name}, type, {&maker, 1}, {}, module.at(id).span);
      }
      items.push_back(item);
    }
    module.at(id).payload = Op{Builtin::MakeList};
    module.setEdges(id, items, {});
    module.updateAttributes(id);
    module.at(body).nodes.push_back(id);
    lists.push_back(list);
  }
  eraseUnused(module, lists);
}

std::vector<bool> wholeLists(const Module& module, RegionId body) {
  std::vector<bool> whole(module.nodes.size(), false);
  for (const NodeId id : module.at(body).nodes) {
    const TypeId type = module.at(id).type;
    whole[id.index()] = isMakeList(module.at(id)) && !module.types.holds(type, TypeKind::File) &&
                        !module.types.holds(type, TypeKind::Dir);
  }
  std::vector<NodeId> left = module.at(body).nodes;  // and what is inside these
  while (!left.empty()) {
    const Node& user = module.at(left.back());
    left.pop_back();
    if (std::holds_alternative<std::monostate>(user.payload)) continue;
    for (const RegionId inner : module.regionsOf(user)) {
      left.insert(left.end(), module.at(inner).nodes.begin(), module.at(inner).nodes.end());
    }
    const bool taken = std::holds_alternative<Step>(user.payload) ||
                       std::holds_alternative<For>(user.payload) ||
                       std::holds_alternative<Op>(user.payload);
    if (taken) continue;
    for (const NodeId used : module.operands(user)) whole[used.index()] = false;
  }
  return whole;
}

}  // namespace couler::passes

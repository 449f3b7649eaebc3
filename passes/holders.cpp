#include "passes/holders.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

// From the nodes outwards, and on to the callers of the functions that hold one, until nothing is
// new: no recursion.
Holders findHolders(const Module& module, const std::function<bool(const Node&)>& is) {
  Holders found;
  found.regions.assign(module.regions.size(), false);
  found.funcs.assign(module.funcs.size(), false);
  std::vector<FuncId> funcOf(module.regions.size());
  for (std::size_t i = 0; i < module.funcs.size(); ++i) {
    const FuncDef& func = module.funcs[i];
    funcOf[func.body.index()] = FuncId{i};
    if (func.finally.valid()) funcOf[func.finally.index()] = FuncId{i};
  }
  std::vector<std::vector<NodeId>> callers(module.funcs.size());
  std::vector<RegionId> pending;
  const auto mark = [&](RegionId region) {
    if (region.index() >= found.regions.size() || found.regions[region.index()]) return;
    found.regions[region.index()] = true;
    pending.push_back(region);
  };
  for (std::size_t i = 0; i < module.nodes.size(); ++i) {
    const Node& node = module.nodes[i];
    if (std::holds_alternative<std::monostate>(node.payload)) continue;
    if (is(node)) mark(node.region);
    if (const Call* call = std::get_if<Call>(&node.payload)) {
      callers[call->callee.index()].emplace_back(i);
    }
  }
  while (!pending.empty()) {
    const RegionId region = pending.back();
    pending.pop_back();
    const NodeId owner = module.at(region).owner;
    if (owner.valid()) {
      mark(module.at(owner).region);
      continue;
    }
    const FuncId func = funcOf[region.index()];
    if (!func.valid() || found.funcs[func.index()]) continue;
    found.funcs[func.index()] = true;
    for (const NodeId caller : callers[func.index()]) mark(module.at(caller).region);
  }
  return found;
}

}  // namespace couler::passes

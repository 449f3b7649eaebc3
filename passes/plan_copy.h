#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "ir/module.h"

/// Copying plans of steps over tables, for passes that make other plans of them.
namespace couler::passes {

class PlanCopier {
 public:
  explicit PlanCopier(ir::Module& module) : module_(module) {}

  /// What stands for a node; pre: copied or set.
  [[nodiscard]] ir::NodeId of(ir::NodeId old) const { return copies_.at(old); }
  void set(ir::NodeId old, ir::NodeId fresh) { copies_[old] = fresh; }
  /// Makes a parameter of `to` like `old`.
  ir::NodeId param(ir::NodeId old, ir::RegionId to);
  /// Copies a node with all that it owns; pre: what it uses is copied or set. Bodies of plans nest
  /// as expressions do.
  ir::NodeId node(ir::NodeId old, ir::RegionId to);
  /// All nodes of a body.
  void nodes(ir::RegionId from, ir::RegionId to);
  /// The body as one of `owner`, without its results; then all of it.
  ir::RegionId openBody(ir::RegionId from, ir::NodeId owner);
  ir::RegionId body(ir::RegionId from, ir::NodeId owner);

 private:
  ir::Module& module_;
  std::unordered_map<ir::NodeId, ir::NodeId> copies_;
};

/// Gives parameters of equal names other names: `rows`, `rows_2`.
void tellApart(std::vector<ir::ParamDef>& params);
/// `base`, or `base-2` and so on where a task has that name. O(tasks).
[[nodiscard]] std::string uniqueTaskName(const ir::Module& module, const std::string& base);

}  // namespace couler::passes

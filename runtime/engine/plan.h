#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "ir/module.h"

/// What the executor needs to know of a region, worked out once however often the region runs.
namespace couler::runtime {

/// A use of a node of an enclosing region.
struct OuterUse {
  std::uint32_t user = 0;  ///< slot here
  std::uint32_t up = 0;    ///< how many regions out
  std::uint32_t slot = 0;  ///< slot there
  bool order = false;      ///< waits for its end, not for its value
};

/// Slots are the parameters, then the nodes in order, then one for the region's exit, which waits
/// for the results. `users(s)` are the slots that wait for slot s, once for each use.
struct RegionPlan {
  ir::RegionId region;
  std::uint32_t params = 0;
  std::vector<ir::NodeId> slots;       ///< without the exit
  std::vector<std::uint32_t> pending;  ///< by slot, exit included: how many uses it waits for
  std::vector<OuterUse> outer;
  std::uint32_t steps = 0;  ///< steps among the nodes, without those of nested regions

  [[nodiscard]] std::uint32_t exit() const { return static_cast<std::uint32_t>(slots.size()); }
  [[nodiscard]] std::span<const std::uint32_t> valueUsers(std::uint32_t slot) const {
    return {valueUsers_.data() + valueFrom_[slot], valueFrom_[slot + 1] - valueFrom_[slot]};
  }
  [[nodiscard]] std::span<const std::uint32_t> orderUsers(std::uint32_t slot) const {
    return {orderUsers_.data() + orderFrom_[slot], orderFrom_[slot + 1] - orderFrom_[slot]};
  }

  std::vector<std::uint32_t> valueFrom_, valueUsers_, orderFrom_, orderUsers_;
};

class Plans {
 public:
  explicit Plans(const ir::Module& module);

  [[nodiscard]] const RegionPlan& of(ir::RegionId region);
  [[nodiscard]] std::uint32_t slotOf(ir::NodeId node) const { return slotOf_[node.index()]; }
  /// The region whose nodes this one may use beside its own; invalid for a body.
  [[nodiscard]] ir::RegionId parentOf(ir::RegionId region) const { return parent_[region.index()]; }
  /// Whether a node is evaluated as a whole: no step inside, and no region to make frames for.
  [[nodiscard]] bool inlineNode(ir::NodeId node) const;
  /// Nodes outside that the regions of an inline node use.
  [[nodiscard]] const std::vector<ir::NodeId>& captures(ir::NodeId node) const;

 private:
  std::unique_ptr<RegionPlan> make(ir::RegionId region);
  void collectCaptures(ir::NodeId node);

  const ir::Module& module_;
  std::vector<std::uint32_t> slotOf_;
  std::vector<ir::RegionId> parent_;
  std::vector<std::unique_ptr<RegionPlan>> plans_;
  std::unordered_map<ir::NodeId, std::vector<ir::NodeId>> captures_;  // of inline compound nodes
};

}  // namespace couler::runtime

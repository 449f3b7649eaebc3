#pragma once

#include <cstdint>
#include <vector>

#include "ir/module.h"
#include "passes/partition.h"
#include "passes/pass.h"

/// A body as the graph that `split` cuts.
namespace couler::passes {

/// What the text of lists and expressions comes to, about: it is written where they are used, but
/// parts of them can be made elsewhere.
class Texts {
 public:
  Texts(const ir::Module& module, ir::RegionId body);
  [[nodiscard]] bool isOp(ir::NodeId id) const;
  /// Of an expression without those that it is made of.
  [[nodiscard]] std::int64_t own(ir::NodeId id) const { return own_[id.index()]; }
  /// Of a use of a value.
  [[nodiscard]] std::int64_t reference(ir::NodeId id) const;
  /// `bytes` of a node less what its operands come to, with a reference in place of each.
  [[nodiscard]] std::int64_t without(ir::NodeId id, std::int64_t bytes) const;

 private:
  static constexpr std::int64_t kReference = 40;
  static constexpr std::int64_t kMost = std::int64_t{1} << 40;
  [[nodiscard]] ir::NodeId maker(ir::NodeId id) const;  ///< of what may be a field

  const ir::Module& module_;
  std::vector<std::int64_t> own_, all_;  ///< by node
};

struct BodyGraph {
  StepGraph graph;
  std::vector<ir::NodeId>
      nodes;  ///< that are vertices, in their order; constants and fields go with their users
  std::vector<std::uint32_t> vertex;  ///< by index into `nodes`: several may be one

  /// By node of the module, as `outline` takes it.
  [[nodiscard]] std::vector<std::uint32_t> partOfNodes(const Partition& partition,
                                                       std::size_t count) const;
};

/// What no backend can hand from one part or group to another keeps its maker and its users in one
/// vertex. `sizes` are of the whole module. O((V + E) log V).
[[nodiscard]] BodyGraph graphOf(const ir::Module& module, const Context& context,
                                const EmittedSizes& sizes, ir::RegionId body, ir::Outlined into);

/// Adds the nodes right inside one: of its bodies, and of the workflow that it calls.
void addInside(const ir::Module& module, const ir::Node& node, std::vector<ir::NodeId>& to);

/// What a node takes, with all inside it: as measured, else a second a step.
[[nodiscard]] double secondsOf(const ir::Module& module, const Context& context, ir::NodeId id);

/// Of the entry on so many workers. A part or group that it calls, or that one of these does,
/// begins when all that it takes is there, and gives what it gives when all of it has ended. O((V +
/// E) log V).
[[nodiscard]] double makespan(const ir::Module& module, const Context& context,
                              std::uint32_t workers);

/// Whether a node is a task of its body: a step, or what has steps in it.
[[nodiscard]] bool isTask(const ir::Module& module, ir::NodeId id);

/// Bodies that have more tasks than a template of the engine holds, each after those in it.
[[nodiscard]] std::vector<ir::RegionId> crowdedBodies(const ir::Module& module, std::int64_t tasks);

/// Puts what is in a body into groups, with at most so many tasks in each and in the body. Gives
/// how many there are: 0 where that can't be. `plan` has the makespan.
std::size_t group(ir::Module& module, const Context& context, const EngineLimits& limits,
                  ir::RegionId body, SplitPlan& plan);

/// Makes the list of a field of each item of a list that is made item by item one that is made so,
/// too.
void spellOutLists(ir::Module& module, ir::RegionId body);

/// The record of outputs at the end of the entry, which stays with the parent; else invalid.
[[nodiscard]] ir::NodeId resultOf(const ir::Module& module, ir::RegionId body);

}  // namespace couler::passes

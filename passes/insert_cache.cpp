#include <algorithm>
#include <vector>

#include "ir/cache_policy.h"
#include "passes/passes.h"
#include "support/text.h"

// Which steps' outputs to keep after a run, where there is not room for all (docs/cache.md).
namespace couler::passes {

namespace {

// Of a step that no run has measured.
constexpr double kSeconds = 60;
constexpr double kFileBytes = 64 << 20;
constexpr double kFolderBytes = 256 << 20;

class Planner {
 public:
  Planner(ir::Module& module, Context& context)
      : module_(module), context_(context), entryOf_(module.nodes.size(), kNone) {}

  bool run() {
    const ir::RegionId body = module_.at(module_.entry).body;
    for (const ir::NodeId id : module_.at(body).nodes) add(id);
    if (costs_.empty()) return false;
    addOutputs(module_.at(body).results);
    const double steps = static_cast<double>(costs_.size());
    for (std::uint32_t i = 0; i < model_.size(); ++i) {
      model_[i].invalid = ir::staleChance(0, 0, std::min(1.0, model_[i].invalid / steps));
    }
    decide();
    return true;
  }

 private:
  static constexpr std::uint32_t kNone = 0xffffffffU;

  /// As the engine names a step of the entry's body.
  std::string_view nameOf(const ir::Node& node) const {
    if (node.name.valid()) return module_.at(node.name);
    return module_.at(std::get<ir::Step>(node.payload).task).name;
  }

  ir::Cost costOf(const ir::Node& node, const ir::TaskDef& task) const {
    if (context_.measured) {
      if (const auto cost = context_.measured(nameOf(node))) return *cost;
    }
    ir::Cost cost;
    cost.seconds = kSeconds;
    double bytes = 0;
    for (const ir::OutputDef& output : task.outputs) {
      if (output.from != ir::OutputFrom::Path) continue;
      bytes += module_.types.holds(output.type, ir::TypeKind::Dir) ? kFolderBytes : kFileBytes;
    }
    cost.bytesOut = static_cast<std::int64_t>(bytes);
    return cost;
  }

  void use(ir::NodeId id) {
    if (entryOf_[id.index()] != kNone) inputs_.push_back(entryOf_[id.index()]);
  }

  /// All that the regions of a node use from outside counts as read by the node.
  void useInside(const ir::Node& node) {
    std::vector<ir::RegionId> regions = module_.regionsOf(node);
    for (std::size_t i = 0; i < regions.size(); ++i) {
      for (const ir::NodeId inner : module_.at(regions[i]).nodes) {
        for (const ir::NodeId operand : module_.operands(module_.at(inner))) use(operand);
        for (const ir::RegionId deeper : module_.regionsOf(module_.at(inner))) {
          regions.push_back(deeper);
        }
      }
      for (const ir::NodeId result : module_.at(regions[i]).results) use(result);
    }
  }

  void add(ir::NodeId id) {
    const ir::Node& node = module_.at(id);
    if (std::holds_alternative<std::monostate>(node.payload)) return;
    inputs_.clear();
    for (const ir::NodeId operand : module_.operands(node)) use(operand);
    useInside(node);
    std::sort(inputs_.begin(), inputs_.end());
    inputs_.erase(std::unique(inputs_.begin(), inputs_.end()), inputs_.end());
    const auto* step = std::get_if<ir::Step>(&node.payload);
    if (step == nullptr && inputs_.size() < 2) {  // its input, if any, stands for it
      entryOf_[id.index()] = inputs_.empty() ? kNone : inputs_.front();
      return;
    }
    ir::CacheEntry entry;
    entry.present = false;
    for (const std::uint32_t input : inputs_) entry.invalid += model_[input].invalid;
    if (step != nullptr) {
      const ir::TaskDef& task = module_.at(step->task);
      const ir::Cost cost = costOf(node, task);
      entry.seconds = cost.seconds;
      entry.bytes = static_cast<double>(cost.bytesOut);
      entry.present = task.cache && !task.isVolatile;
      entry.pinned = cost.bytesOut == 0;
      costs_.emplace_back(id, cost);
      entry.invalid = std::min(entry.invalid + 1, static_cast<double>(costs_.size()));
    }
    entryOf_[id.index()] = model_.add(entry, inputs_);
  }

  /// Somebody reads what the workflow gives; the store keeps the steps behind it in any case.
  void addOutputs(const std::vector<ir::NodeId>& results) {
    inputs_.clear();
    for (const ir::NodeId result : results) use(result);
    ir::CacheEntry outputs;
    outputs.present = false;
    for (const std::uint32_t input : inputs_) outputs.invalid += model_[input].invalid;
    model_.add(outputs, inputs_);
    std::vector<bool> seen(model_.size(), false);
    for (std::vector<std::uint32_t> todo = inputs_; !todo.empty();) {
      const std::uint32_t next = todo.back();
      todo.pop_back();
      if (seen[next]) continue;
      seen[next] = true;
      if (model_[next].present) {
        model_[next].pinned = true;
      } else {
        todo.insert(todo.end(), model_.inputs(next).begin(), model_.inputs(next).end());
      }
    }
  }

  void decide() {
    const double budget = static_cast<double>(*context_.cacheBudget);
    CachePlan plan;
    plan.withAll = ir::expectedSeconds(model_);
    std::vector<bool> dropped(model_.size(), false);
    std::size_t drops = 0;
    for (const std::uint32_t victim :
         ir::chooseVictims(context_.cachePolicy, model_, budget)) {
      model_[victim].present = false;
      dropped[victim] = true;
      ++drops;
    }
    plan.seconds = ir::expectedSeconds(model_);
    for (std::size_t i = 0; i < model_.size(); ++i) model_[i].present = false;
    plan.withNone = ir::expectedSeconds(model_);
    for (auto& [id, cost] : costs_) {
      cost.drop = dropped[entryOf_[id.index()]];
      module_.costs.insert_or_assign(module_.costs.end(), id, cost);
    }
    context_.diags.take(diagnose<Diag::CachePlanned>(
        module_.at(module_.entry).span, humanBytes(*context_.cacheBudget),
        countOf(costs_.size() - drops, "step"), countOf(drops, "step"), humanSeconds(plan.seconds),
        humanSeconds(plan.withNone), humanSeconds(plan.withAll)));
    if (context_.cachePlan != nullptr) *context_.cachePlan = plan;
  }

  ir::Module& module_;
  Context& context_;
  ir::CacheModel model_;  ///< `invalid` is, until all are there, about how many steps lead to it
  std::vector<std::uint32_t> entryOf_;                  ///< by node
  std::vector<std::pair<ir::NodeId, ir::Cost>> costs_;  ///< of the steps, in order
  std::vector<std::uint32_t> inputs_;
};

}  // namespace

bool insertCache(ir::Module& module, Context& context) {
  if (!context.cacheBudget || !module.entry.valid()) return false;
  return Planner(module, context).run();
}

}  // namespace couler::passes

#include <unordered_set>

#include "runtime/engine/executor.h"

namespace couler::runtime {

void Executor::eachLive(const std::function<void(const ir::Value&)>& take) const {
  const auto one = [&](const ir::EvalResult& result) {
    if (const auto* value = std::get_if<ir::Value>(&result)) take(*value);
  };
  std::vector<ir::RegionId> inner;
  std::unordered_set<ir::RegionId> inside;
  for (std::uint32_t id = 0; id < frames_.size(); ++id) {
    const Frame& frame = frames_[id];
    if (frame.plan == nullptr) continue;
    const auto use = [&](ir::NodeId node) {
      const Cell& from = cell(id, node);
      if (from.known) one(from.value);
    };
    // A `finally` may come yet, and uses parameters only.
    for (std::uint32_t slot = 0; slot < frame.plan->params; ++slot) one(frame.cells[slot].value);
    for (const ir::NodeId result : module_.at(frame.plan->region).results) use(result);
    for (std::uint32_t slot = frame.plan->params; slot < frame.plan->exit(); ++slot) {
      if (frame.cells[slot].ended) continue;
      const ir::Node& node = module_.at(frame.plan->slots[slot]);
      for (const ir::NodeId operand : module_.operands(node)) use(operand);
      if (frame.cells[slot].known) one(frame.cells[slot].value);
      inner = module_.regionsOf(node);
      if (inner.empty()) continue;
      for (std::size_t i = 0; i < inner.size(); ++i) {
        for (const ir::NodeId nested : module_.at(inner[i]).nodes) {
          for (const ir::RegionId deeper : module_.regionsOf(module_.at(nested))) {
            inner.push_back(deeper);
          }
        }
      }
      inside.clear();
      inside.insert(inner.begin(), inner.end());
      const auto useOuter = [&](ir::NodeId used) {
        if (!inside.contains(module_.at(used).region)) use(used);
      };
      for (const ir::RegionId region : inner) {
        for (const ir::NodeId nested : module_.at(region).nodes) {
          for (const ir::NodeId operand : module_.operands(module_.at(nested))) useOuter(operand);
        }
        for (const ir::NodeId result : module_.at(region).results) useOuter(result);
      }
    }
  }
  for (const auto& [token, compound] : compounds_) {
    take(compound.items);
    for (const ir::Value& result : compound.results) take(result);
  }
  one(result_);
}

}  // namespace couler::runtime

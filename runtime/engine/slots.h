#pragma once

#include <compare>
#include <cstdint>

#include "ir/module.h"

namespace couler::runtime {

/// What a step needs while it runs, or what there is.
struct Slots {
  std::int64_t cpu = 0;     ///< thousandths of a core
  std::int64_t memory = 0;  ///< bytes
  std::int64_t gpu = 0;
  bool alone = false;  ///< asks for more than there is: runs when nothing else does

  friend auto operator<=>(const Slots&, const Slots&) = default;

  [[nodiscard]] bool fits(const Slots& free) const {
    return cpu <= free.cpu && memory <= free.memory && gpu <= free.gpu;
  }
  void take(const Slots& other) {
    cpu -= other.cpu;
    memory -= other.memory;
    gpu -= other.gpu;
  }
  void give(const Slots& other) {
    cpu += other.cpu;
    memory += other.memory;
    gpu += other.gpu;
  }
};

/// What this machine has, or what the options say of it.
[[nodiscard]] Slots machineSlots(unsigned jobs, std::uint64_t memoryBytes);
/// What a step of `task` takes of `all`, with its memory multiplied by `memoryFactor`.
[[nodiscard]] Slots demandOf(const ir::TaskDef& task, std::int64_t memoryFactor, const Slots& all);

}  // namespace couler::runtime

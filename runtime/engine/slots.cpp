#include "runtime/engine/slots.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

namespace couler::runtime {

Slots machineSlots(unsigned jobs, std::uint64_t memoryBytes) {
  Slots all;
  if (jobs == 0) {
    cpu_set_t cores;
    jobs = sched_getaffinity(0, sizeof cores, &cores) == 0
               ? static_cast<unsigned>(CPU_COUNT(&cores))
               : static_cast<unsigned>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  }
  all.cpu = std::int64_t{jobs} * 1000;
  constexpr std::uint64_t kMost =
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  all.memory = memoryBytes != 0 ? static_cast<std::int64_t>(std::min(memoryBytes, kMost))
                                : std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  struct stat info{};
  while (stat(fmt::format("/dev/nvidia{}", all.gpu).c_str(), &info) == 0) ++all.gpu;
  return all;
}

Slots demandOf(const ir::TaskDef& task, std::int64_t memoryFactor, const Slots& all) {
  Slots demand;
  const double cpu = std::clamp(task.cpu, 0.0, 1e6);
  demand.cpu = std::max<std::int64_t>(1, std::llround(cpu * 1000));
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  demand.memory = task.memory > kMost / memoryFactor ? kMost : task.memory * memoryFactor;
  demand.gpu = task.gpu;
  demand.alone = !demand.fits(all);
  demand.cpu = std::min(demand.cpu, all.cpu);
  demand.memory = std::min(demand.memory, all.memory);
  demand.gpu = std::min(demand.gpu, all.gpu);
  return demand;
}

}  // namespace couler::runtime

// Simulates cache policies (ir/cache_policy.h) on the shapes of the paper's experiments and on real
// jobs, and prints two tables (docs/benchmarks.md):
//   within a run: the time that steps spend reading, beside that without a cache; a step's inputs
//     come at 2 GB/s from the cache, else at 0.1 GB/s; steps run in a random order.
//   across edits: the seconds computed in 25 cycles of one edit and one run that wants all sinks,
//     beside those without a cache. What an edit makes stale is dropped under every policy.
// Capacities are shares of the bytes of all artifacts. `cache_sim [SEEDS]`; ends with 1 where a
// target is missed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <numeric>
#include <random>

#include "bench/cache_scenarios.h"
#include "ir/cache_policy.h"

namespace couler::bench {
namespace {

using ir::CacheEntry;
using ir::CacheModel;
using ir::CachePolicy;

constexpr double kCached = 2e9, kRemote = 0.1e9;  // bytes a second
constexpr int kCycles = 25;

CacheModel modelOf(const SimWorkflow& flow) {
  CacheModel model;
  for (const SimStep& step : flow.steps) {
    CacheEntry entry;
    entry.bytes = step.bytes;
    entry.seconds = step.seconds;
    entry.present = false;
    model.add(entry, step.inputs);
  }
  return model;
}

double allBytes(const SimWorkflow& flow) {
  double sum = 0;
  for (const SimStep& step : flow.steps) sum += step.bytes;
  return sum;
}

void evict(CachePolicy policy, CacheModel& model, double budget) {
  for (const std::uint32_t i : ir::chooseVictims(policy, model, budget)) model[i].present = false;
}

std::vector<std::vector<std::uint32_t>> readersOf(const SimWorkflow& flow) {
  std::vector<std::vector<std::uint32_t>> readers(flow.steps.size());
  for (std::uint32_t i = 0; i < flow.steps.size(); ++i) {
    for (const std::uint32_t input : flow.steps[i].inputs) readers[input].push_back(i);
  }
  return readers;
}

/// Steps that have to run before `step` can, itself included.
std::size_t waitsFor(const SimWorkflow& flow, std::uint32_t step, const std::vector<bool>& ran,
                     std::vector<bool>& seen) {
  if (ran[step] || seen[step]) return 0;
  seen[step] = true;
  std::size_t sum = 1;
  for (const std::uint32_t input : flow.steps[step].inputs) sum += waitsFor(flow, input, ran, seen);
  return sum;
}

struct Share {
  double spent = 0, without = 0;
};

Share withinRun(const SimWorkflow& flow, CachePolicy policy, double capacity, std::uint32_t seed) {
  std::mt19937 random(seed * 31 + 7);
  const std::size_t n = flow.steps.size();
  const auto readers = readersOf(flow);
  std::vector<std::size_t> waits(n);
  std::vector<std::uint32_t> ready, order;
  for (std::uint32_t i = 0; i < n; ++i) {
    waits[i] = flow.steps[i].inputs.size();
    if (waits[i] == 0) ready.push_back(i);
  }
  while (!ready.empty()) {
    const std::size_t pick = random() % ready.size();
    const std::uint32_t step = ready[pick];
    ready[pick] = ready.back();
    ready.pop_back();
    order.push_back(step);
    for (const std::uint32_t reader : readers[step]) {
      if (--waits[reader] == 0) ready.push_back(reader);
    }
  }
  std::vector<double> place(n);
  for (std::size_t i = 0; i < n; ++i) place[order[i]] = static_cast<double>(i);
  const double budget = capacity * allBytes(flow);
  CacheModel model = modelOf(flow);
  std::vector<bool> ran(n, false);
  Share share;
  for (std::size_t now = 0; now < n; ++now) {
    const std::uint32_t step = order[now];
    for (const std::uint32_t input : flow.steps[step].inputs) {
      const double bytes = flow.steps[input].bytes;
      share.spent += bytes / (model[input].present ? kCached : kRemote);
      share.without += bytes / kRemote;
      ++model.use(input).uses;
      model.use(input).lastUse = static_cast<double>(now);
    }
    ran[step] = true;
    model[step].present = true;
    model.use(step).added = model.use(step).lastUse = static_cast<double>(now);
    for (std::uint32_t i = 0; i < n; ++i) {
      if (!ran[i]) continue;
      ir::CacheUse& use = model.use(i);
      use.remaining = 0;
      use.nextUse = std::numeric_limits<double>::infinity();
      model[i].seconds = model[i].bytes / kRemote;  // what a miss costs here
      for (const std::uint32_t reader : readers[i]) {
        if (ran[reader]) continue;
        std::vector<bool> seen(n, false);
        use.remaining += 1 / static_cast<double>(waitsFor(flow, reader, ran, seen));
        use.nextUse = std::min(use.nextUse, place[reader]);
      }
    }
    evict(policy, model, budget);
  }
  return share;
}

Share acrossEdits(const SimWorkflow& flow, CachePolicy policy, double capacity,
                  std::uint32_t seed) {
  std::mt19937 random(seed * 131 + 5);
  const std::size_t n = flow.steps.size();
  const auto readers = readersOf(flow);
  const double budget = capacity * allBytes(flow);
  CacheModel model = modelOf(flow);
  // As in the store: how often each was stale in the runs so far, and where little is known, the
  // share of the steps whose edit would make it so.
  std::vector<std::vector<bool>> before(n);
  std::vector<double> stale(n, 0), prior(n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    before[i].assign(n, false);
    before[i][i] = true;
    for (const std::uint32_t input : flow.steps[i].inputs) {
      for (std::size_t j = 0; j < n; ++j) before[i][j] = before[i][j] || before[input][j];
    }
    prior[i] = static_cast<double>(std::count(before[i].begin(), before[i].end(), true)) /
               static_cast<double>(n);
  }
  double editSum = 0;
  for (const SimStep& step : flow.steps) editSum += step.edits;
  Share share;
  double clock = 0;
  for (int cycle = 0; cycle <= kCycles; ++cycle) {
    if (cycle > 0) {
      double at = editSum * static_cast<double>(random()) / 4294967296.0;
      std::size_t edited = 0;
      while (edited + 1 < n && (at -= flow.steps[edited].edits) > 0) ++edited;
      for (std::size_t i = 0; i < n; ++i) {
        if (!before[i][edited]) continue;
        model[i].present = false;
        model.use(i).uses = 0;
        ++stale[i];
      }
    }
    for (std::size_t i = 0; i < n; ++i) {
      model[i].invalid = ir::staleChance(stale[i], cycle, prior[i]);
    }
    std::vector<bool> wanted(n, false), runs(n, false);
    for (std::size_t i = n; i-- > 0;) {
      wanted[i] = wanted[i] || readers[i].empty();
      if (!wanted[i]) continue;
      ++model.use(i).uses;
      model.use(i).lastUse = ++clock;
      runs[i] = !model[i].present;
      if (!runs[i]) continue;
      for (const std::uint32_t input : flow.steps[i].inputs) wanted[input] = true;
    }
    for (std::uint32_t i = 0; i < n; ++i) {
      if (cycle > 0) share.without += flow.steps[i].seconds;
      if (!runs[i]) continue;
      if (cycle > 0) share.spent += flow.steps[i].seconds;
      model[i].present = true;
      model.use(i).added = ++clock;
      // What is read later in this run is there in any case: it is made or was there.
      evict(policy, model, budget);
    }
  }
  return share;
}

using Simulate = Share (*)(const SimWorkflow&, CachePolicy, double, std::uint32_t);

double share(const std::vector<SimWorkflow>& flows, Simulate simulate, CachePolicy policy,
             double capacity) {
  double sum = 0;
  std::uint32_t seed = 0;
  for (const SimWorkflow& flow : flows) {
    const Share one = simulate(flow, policy, capacity, seed++);
    sum += one.without > 0 ? one.spent / one.without : 1;
  }
  return sum / static_cast<double>(flows.size());
}

struct Group {
  std::string name;
  std::vector<SimWorkflow> flows;
};

constexpr double kCapacities[] = {0.2, 0.35};

/// The table of one simulation; results by policy, capacity and group.
bool table(const char* title, const std::vector<Group>& groups, Simulate simulate,
           const std::vector<CachePolicy>& policies,
           const std::function<bool(std::size_t group, std::size_t capacity,
                                    const std::function<double(CachePolicy)>&)>& good) {
  std::printf("%s\n%-14s", title, "");
  for (const double capacity : kCapacities) {
    for (const Group& group : groups) std::printf(" %12.12s %2.0f%%", group.name.c_str(), capacity * 100);
  }
  std::printf("\n");
  std::vector<std::vector<double>> results;
  for (const CachePolicy policy : policies) {
    std::printf("%-14s", std::string(ir::word(policy)).c_str());
    results.emplace_back();
    for (const double capacity : kCapacities) {
      for (const Group& group : groups) {
        results.back().push_back(share(group.flows, simulate, policy, capacity));
        std::printf(" %16.3f", results.back().back());
      }
    }
    std::printf("\n");
  }
  bool ok = true;
  for (std::size_t c = 0; c < std::size(kCapacities); ++c) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const auto result = [&](CachePolicy policy) {
        const auto row = std::find(policies.begin(), policies.end(), policy) - policies.begin();
        return results[static_cast<std::size_t>(row)][c * groups.size() + g];
      };
      if (!good(g, c, result)) {
        std::printf("%s at %.0f %% misses its target\n", groups[g].name.c_str(), kCapacities[c] * 100);
        ok = false;
      }
    }
  }
  std::printf("\n");
  return ok;
}

int simulateAll(std::uint32_t seeds) {
  std::vector<Group> groups;
  for (const Scenario& scenario : kScenarios) {
    Group group{scenario.name, {}};
    for (std::uint32_t seed = 0; seed < seeds; ++seed) group.flows.push_back(draw(scenario, seed));
    groups.push_back(std::move(group));
  }
  const std::size_t drawn = groups.size();
  if (auto jobs = alibabaJobs(10); !jobs.empty()) {
    groups.push_back({"Alibaba hour", std::move(jobs)});
  } else {
    std::printf("Alibaba hour skipped: COULER_CORPORA does not have it\n");
  }
  const std::vector<CachePolicy> within = {
      CachePolicy::KeepAll, CachePolicy::Fifo,        CachePolicy::Lru,       CachePolicy::Lfu,
      CachePolicy::Gdsf,    CachePolicy::Eq6,         CachePolicy::Eq6Repaired,
      CachePolicy::Density, CachePolicy::Remaining, CachePolicy::Belady};
  const std::vector<CachePolicy> across = {
      CachePolicy::KeepAll, CachePolicy::Fifo, CachePolicy::Lru,         CachePolicy::Lfu,
      CachePolicy::Gdsf,    CachePolicy::Eq6,  CachePolicy::Eq6Repaired, CachePolicy::Density};
  bool ok = table("within a run: reading time, without a cache = 1", groups, withinRun, within,
                  [&](std::size_t, std::size_t, const auto& of) {
                    return of(CachePolicy::Remaining) <= 1.05 * of(CachePolicy::Belady);
                  });
  ok = table("across edits: seconds computed, without a cache = 1", groups, acrossEdits, across,
             [&](std::size_t group, std::size_t capacity, const auto& of) {
               return group >= drawn || of(CachePolicy::Density) <= (capacity == 0 ? 0.5 : 0.25);
             }) &&
       ok;
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace couler::bench

int main(int argc, char** argv) {
  const int seeds = argc > 1 ? std::atoi(argv[1]) : 60;
  return couler::bench::simulateAll(static_cast<std::uint32_t>(std::max(1, seeds)));
}

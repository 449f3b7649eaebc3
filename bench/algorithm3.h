#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "passes/partition.h"

/// The split of the Couler paper (Algorithm 3, arXiv:2403.07608), to compare with: parts in the order of a depth-first
/// walk, with its early end. As printed it never emits the last candidate, so that steps are lost; `flush` mends that.
namespace couler::bench {

struct Algorithm3 {
  passes::Partition partition;  ///< lost steps: `kParent`
  std::size_t lost = 0;
  bool cyclic = false;          ///< parts wait for each other, so no order of them runs
};

/// Whether the graph of the parts has a circle; steps in none are left out.
inline bool isCyclic(const passes::StepGraph& graph, const passes::Partition& partition) {
  std::vector<std::vector<std::uint32_t>> then(partition.parts);
  std::vector<std::size_t> waits(partition.parts, 0);
  for (const passes::StepGraph::Edge& edge : graph.edges) {
    const std::uint32_t from = partition.part[edge.from];
    const std::uint32_t to = partition.part[edge.to];
    if (from == to || from == passes::kParent || to == passes::kParent) continue;
    then[from].push_back(to);
    ++waits[to];
  }
  std::vector<std::uint32_t> ready;
  for (std::uint32_t p = 0; p < partition.parts; ++p) {
    if (waits[p] == 0) ready.push_back(p);
  }
  std::size_t done = 0;
  for (; !ready.empty(); ++done) {
    const std::uint32_t p = ready.back();
    ready.pop_back();
    for (const std::uint32_t next : then[p]) {
      if (--waits[next] == 0) ready.push_back(next);
    }
  }
  return done != partition.parts;
}

inline Algorithm3 algorithm3(const passes::StepGraph& graph, std::size_t steps, bool flush) {
  const auto count = static_cast<std::uint32_t>(graph.vertices.size());
  std::vector<std::vector<std::uint32_t>> out(count);
  for (const passes::StepGraph::Edge& edge : graph.edges) out[edge.from].push_back(edge.to);
  Algorithm3 result;
  result.partition.part.assign(count, passes::kParent);
  std::vector<bool> seen(count, false);
  std::vector<std::uint32_t> candidate;
  std::size_t left = count;
  const auto emit = [&] {
    for (const std::uint32_t v : candidate) result.partition.part[v] = result.partition.parts;
    if (!candidate.empty()) ++result.partition.parts;
    candidate.clear();
  };
  bool ended = false;
  std::vector<std::uint32_t> stack;
  for (std::uint32_t start = 0; start < count && !ended; ++start) {
    stack.assign(1, start);
    while (!stack.empty() && !ended) {
      const std::uint32_t v = stack.back();
      stack.pop_back();
      if (seen[v]) continue;
      if (left <= steps) {  // all that is left fits
        for (std::uint32_t u = 0; u < count; ++u) {
          if (!seen[u]) result.partition.part[u] = result.partition.parts;
        }
        ++result.partition.parts;
        ended = true;
        break;
      }
      seen[v] = true;
      --left;
      if (candidate.size() + 1 > steps) emit();
      candidate.push_back(v);
      stack.insert(stack.end(), out[v].rbegin(), out[v].rend());
    }
  }
  if (flush) emit();
  result.lost = static_cast<std::size_t>(
      std::count(result.partition.part.begin(), result.partition.part.end(), passes::kParent));
  result.cyclic = isCyclic(graph, result.partition);
  return result;
}

}  // namespace couler::bench

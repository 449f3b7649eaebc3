#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

/// Workflows for the simulation of cache policies.
namespace couler::bench {

struct SimStep {
  double seconds = 0;
  double bytes = 0;
  double edits = 1;  ///< how often it is what was edited, beside the others
  std::vector<std::uint32_t> inputs;
};
/// Inputs come before what reads them.
struct SimWorkflow {
  std::string name;
  std::vector<SimStep> steps;
};

/// A shape of the paper's experiments (arXiv 2403.07608, section VI.C): so many pods, of which so
/// many train a model. What is not published, sizes, times and edges, is drawn.
struct Scenario {
  const char* name;
  std::uint32_t pods, models;
};
inline constexpr Scenario kScenarios[] = {
    {"multimodal", 37, 19}, {"segmentation", 15, 8}, {"LM", 21, 11}};
[[nodiscard]] SimWorkflow draw(const Scenario& scenario, std::uint32_t seed);

/// The jobs of at least `least` tasks of the hour of Alibaba's trace under COULER_CORPORA, in the
/// file's order; none where it is absent. The trace has no sizes of outputs: memory times instances
/// stands for them.
[[nodiscard]] std::vector<SimWorkflow> alibabaJobs(std::size_t least);

}  // namespace couler::bench

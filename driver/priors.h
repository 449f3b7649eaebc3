#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ir/module.h"
#include "support/diagnostic.h"

/// `prior from card(…)`: before a run, the points that a model proposes become constants of the graph.
namespace couler::driver {

/// A search that has a prior.
struct Prior {
  std::string search;      ///< the task or workflow that is tuned
  std::size_t points = 0;  ///< 0: none
  std::string model;       ///< that proposed them; empty: none
  bool kept = false;       ///< by an earlier command, so that nothing was asked
};
/// Those that the entry reaches, in their order. Their points are what the store has kept for the same
/// question, else what the model of the environment answers, which is then kept. Where there is
/// neither, the search begins as without a prior; what went wrong is a warning.
[[nodiscard]] std::vector<Prior> takePriors(ir::Module& module, const std::string& store,
                                            DiagnosticSink& diags);

/// `train: the first 3 trials are points that gpt-4o proposed`, a line.
[[nodiscard]] std::string priorText(const Prior& prior);

}  // namespace couler::driver

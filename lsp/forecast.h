#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ir/module.h"
#include "support/source.h"

namespace couler::lsp {

/// What a run of a workflow would do now, as far as the history of runs tells.
struct Forecast {
  struct Step {
    Span at;            ///< its call
    bool runs = false;  ///< again, or perhaps: it waits for one that does
    double seconds = 0; ///< that it last took; negative: not known
  };
  std::string workflow;
  std::vector<Step> steps;
};

/// Asks the history of the folder that a program lies in; of the workflows that no other calls.
/// Makes and writes no file. Called on a thread of its own, where it may take its time; no other
/// asks `sources` for lines meanwhile.
using Foresee = std::function<std::vector<Forecast>(const std::string& path, const ir::Module& module,
                                                    const SourceManager& sources)>;

}  // namespace couler::lsp

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/engine/engine.h"

namespace couler::runtime {

enum class Foresight : std::uint8_t {
  Reused,  ///< the store has what it gives
  Runs,    ///< its inputs are known and the store has nothing for them
  Depends  ///< on the outputs of a step that runs
};

struct ForeseenStep {
  std::string step;  ///< `count.*` for the items of a list that only the run will know
  std::string task;
  ir::NodeId node;
  Foresight foresight{};
  std::string reason;  ///< may be empty
  double seconds = -1; ///< that it last took to run; negative: not known
};

/// Of a forecast: what is to run, or may have to.
struct ForeseenWork {
  std::size_t steps = 0;
  double seconds = 0;       ///< as last measured
  std::size_t unknown = 0;  ///< how many were never measured
};
[[nodiscard]] ForeseenWork workOf(const std::vector<ForeseenStep>& steps);

/// What `run` would do with these options, as far as it is known before anything runs. Starts no
/// process and makes no run; a store that does not exist yet stays so.
[[nodiscard]] std::vector<ForeseenStep> preview(const ir::Module& module, const RunOptions& options,
                                                DiagnosticSink& diags);

/// The same for one who looks often: it makes no file and writes none, reports nothing, and reads at
/// most so many bytes of files that no run has read as they are. Nothing where there is no store, or
/// more to read.
[[nodiscard]] std::optional<std::vector<ForeseenStep>> glance(const ir::Module& module,
                                                              const RunOptions& options,
                                                              std::uint64_t mostBytes);

}  // namespace couler::runtime

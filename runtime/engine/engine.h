#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/cache_policy.h"
#include "ir/module.h"
#include "support/diagnostic.h"

/// The embedded engine: runs a module here and now (docs/engine.md). One process, event driven; a
/// content-addressed store and a history under one folder.
namespace couler::runtime {

enum class StepState : std::uint8_t {
  Waiting,
  Running,
  Succeeded,
  Reused,
  Failed,
  Skipped /* an input failed */,
  Cancelled
};

/// Something that happened, for progress, `--events` and the report. Times are seconds since the
/// start of the run, wall clock.
struct Event {
  enum class Kind : std::uint8_t {
    RunStarted,
    StepStarted,
    StepRetrying,
    StepEnded,
    StepsAdded /* run-time fan-out */,
    Note,
    RunEnded
  };
  Kind kind{};
  double at = 0;
  std::string step;  ///< `sub.count.3`; empty for run events
  std::string task;
  StepState state{};
  std::int64_t attempt = 1;
  std::int64_t exitCode = 0;
  std::string failure;  ///< "oom", "timeout", "exit 3", …; empty on success
  std::string message;  ///< last lines of its output on failure; text of a Note
  double seconds = 0;   ///< wall time of the attempt
  double cpuSeconds = 0;
  std::uint64_t maxRssBytes = 0;
  std::uint64_t done = 0, total = 0;  ///< steps, so far
};

enum class ContainerMode : std::uint8_t { Host, Podman, Docker };

struct RunOptions {
  std::string storeDir = ".couler";
  std::string sourcePath;         ///< of the root file, for the history
  unsigned jobs = 0;              ///< 0: the machine's cores
  std::uint64_t memoryBytes = 0;  ///< 0: the machine's memory
  bool failFast = false;
  bool force = false;  ///< run every step, reuse none
  ContainerMode container = ContainerMode::Host;
  std::optional<std::uint64_t> cacheBudget;  ///< bytes that the store is to take at most
  ir::CachePolicy cachePolicy = ir::CachePolicy::Density;
  std::vector<std::pair<std::string, ir::Value>> inputs;  ///< of the entry workflow
  std::function<void(const Event&)> onEvent;
  std::string program;  ///< the file that a step which runs `couler` runs; empty: that of the PATH
  const std::atomic<bool>* cancel = nullptr;  ///< set by a signal: steps are ended, the run is kept
};

struct RunResult {
  std::int64_t runId = 0;
  bool ok = false;
  bool cancelled = false;
  std::optional<ir::Value> outputs;  ///< record; files are paths in the store
  std::uint64_t succeeded = 0, reused = 0, failed = 0, skipped = 0;
  std::uint64_t evicted = 0, evictedBytes = 0;  ///< results dropped to keep the budget, while it ran
  double seconds = 0;
};

/// Runs the entry workflow to its end. Problems of the run (a failing step, a full disk, a missing
/// input) are diagnostics CW07xx; nothing throws.
RunResult run(const ir::Module& module, const RunOptions& options, const SourceManager& sources,
              DiagnosticSink& diags);

}  // namespace couler::runtime

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/cache_policy.h"
#include "ir/module.h"
#include "support/diagnostic.h"
#include "support/source.h"

namespace couler::passes {

/// Seconds that the next run after an edit is expected to compute, as `insert-cache` decided, with
/// nothing kept, and with all.
struct CachePlan {
  double seconds = 0, withNone = 0, withAll = 0;
};

struct Context {
  DiagnosticSink& diags;  ///< remarks and errors
  bool keepSubWorkflows =
      false;  ///< `inline` leaves calls of workflows alone (fn calls it always inlines)
  /// The program's text, for places in what is made of it; null: it has none.
  const SourceManager* sources = nullptr;
  /// Bytes that what runs leave behind may take; nothing: `insert-cache` does nothing.
  std::optional<std::uint64_t> cacheBudget = {};
  ir::CachePolicy cachePolicy = ir::CachePolicy::Density;
  CachePlan* cachePlan = nullptr;  ///< filled by `insert-cache`; may be null
  /// What a step of this name took and made when it last ran, as far as that is known.
  std::function<std::optional<ir::Cost>(std::string_view step)> measured = {};
  /// About how many bytes of a file a part of a step over it reads; nothing: `shard` does nothing.
  std::optional<std::uint64_t> shardSize = {};
};

/// One optimisation. `run` changes the module in place and says whether it did; it reports what it
/// did, with numbers, as remarks (CW05xx). O((V+E) log V) or better.
struct Pass {
  std::string_view name;     ///< "merge-common"
  std::string_view summary;  ///< one line, for --help
  bool (*run)(ir::Module& module, Context& context);
};

/// All passes, in the order in which they run.
[[nodiscard]] std::span<const Pass> passTable();
[[nodiscard]] const Pass* findPass(std::string_view name);

struct PipelineOptions {
  std::vector<std::string> disabled;    ///< names; the caller has checked that they exist
  std::vector<std::string> printAfter;  ///< names, or "all"
  bool verify = false;                  ///< ir::verify after each pass; a failure is CW0500
};
struct PassTiming {
  std::string_view name;
  double cpuSeconds;
  bool changed;
};
struct PipelineResult {
  bool ok = true;
  std::vector<PassTiming> timings;
  std::string printed;  ///< of `printAfter`
};
PipelineResult runPipeline(ir::Module& module, Context& context, const PipelineOptions& options);

}  // namespace couler::passes

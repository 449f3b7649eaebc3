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
#include "passes/partition.h"
#include "support/diagnostic.h"
#include "support/source.h"

namespace couler::passes {

/// Seconds that the next run after an edit is expected to compute, as `insert-cache` decided, with
/// nothing kept, and with all.
struct CachePlan {
  double seconds = 0, withNone = 0, withAll = 0;
};

/// What a pass decided about a step of the entry that saves time when it runs.
struct Decision {
  enum class Kind : std::uint8_t {
    Merged,   ///< `times` equal ones do not run beside it
    Dropped,  ///< it does not run
    InParts   ///< it runs in parts, `parts`.0 and so on
  };
  Kind kind{};
  std::string step;
  std::size_t times = 0;
  std::string parts = {};
};

/// What an engine's backend makes of a module, in bytes and templates.
struct EmittedSizes {
  std::vector<std::int64_t> ofNode;  ///< by node of a body: what it adds, with all inside it
  std::vector<std::int64_t> templates;  ///< by node of a body: how many it adds, but those of tasks
  std::vector<std::int64_t> ofTask;  ///< by task: what its first step in a workflow adds to that
  std::int64_t base = 0;             ///< of a workflow without steps and outputs
  std::int64_t results = 0;          ///< of the entry's outputs
  struct Document {
    ir::FuncId func;  ///< the entry, or a part
    std::int64_t bytes = 0, templates = 0;
  };
  std::vector<Document> documents;
};

/// What one workflow of an engine may be; 0: anything.
struct EngineLimits {
  std::string_view engine;
  std::int64_t bytes = 0;
  std::int64_t steps = 0;
  std::int64_t templates = 0;  ///< one a task, a body and a group of steps
  std::int64_t tasks = 0;      ///< of one template: what is more is put into groups
  std::int64_t inputs = 0;     ///< values that one template takes
  HandOver handOver;
  /// Nothing where the engine cannot express the module at all.
  std::function<std::optional<EmittedSizes>(const ir::Module&)> measure;
};

/// What `split` made.
struct SplitPlan {
  struct Part {
    std::string name;
    std::int64_t steps = 0;
    std::int64_t bytes = 0;
    std::int64_t templates = 0;
  };
  std::vector<Part> parts;  ///< the parent is the last; alone: nothing was cut
  std::size_t groups = 0;   ///< templates that steps were put into
  std::int64_t bytes = 0;   ///< of the whole, before
  std::int64_t valuesCut = 0, bytesCut = 0;  ///< between parts; bytes where known, else guessed
  std::uint32_t workers = 32;
  double seconds = 0, secondsWhole = 0;  ///< predicted, on that many workers
};

/// What becomes of the searches that `tune` is made of (ir/search.h).
enum class Searches : std::uint8_t {
  Points,  ///< known points are tried by steps; what is decided between them, the engine evaluates
  Steps,   ///< what is decided between them is steps, too
  Whole    ///< they stay as they are, for an engine that searches itself
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
  /// Filled by `merge-common`, `drop-dead` and `shard`; may be null.
  std::vector<Decision>* decisions = nullptr;
  const EngineLimits* limits = nullptr;  ///< null: `split` does nothing
  SplitPlan* splitPlan = nullptr;        ///< filled by `split`; may be null
  /// What a step of this name took and made when it last ran, as far as that is known.
  std::function<std::optional<ir::Cost>(std::string_view step)> measured = {};
  /// About how many bytes of a file a part of a step over it reads; nothing: `shard` does nothing.
  std::optional<std::uint64_t> shardSize = {};
  /// Parameters of the entry that are large files. Where there are any, nobody asked for parts:
  /// `shard` cuts these alone, and only where what a part makes is small, since it adds up rows.
  std::vector<bool> largeInputs = {};
  Searches searches = Searches::Points;
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

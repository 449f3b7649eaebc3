#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/module.h"
#include "support/diagnostic.h"
#include "support/source.h"

namespace couler::passes {

struct Context {
  DiagnosticSink& diags;  ///< remarks and errors
  bool keepSubWorkflows =
      false;  ///< `inline` leaves calls of workflows alone (fn calls it always inlines)
  /// The program's text, for places in what is made of it; null: it has none.
  const SourceManager* sources = nullptr;
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

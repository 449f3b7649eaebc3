#include <algorithm>
#include <array>
#include <ctime>

#include "ir/print.h"
#include "ir/verify.h"
#include "passes/passes.h"

namespace couler::passes {

namespace {

constexpr std::array<Pass, 11> kPasses = {{
    {"fold", "evaluate what is known at compile time, and drop branches never taken", fold},
    {"inline", "put the bodies of functions and workflows in the place of their calls",
     inlineCalls},
    {"unroll", "put the iterations of a `for` over a known list in its place", unroll},
    {"merge-common", "make one of equal values, equal steps and equal blocks of steps",
     mergeCommon},
    {"lower-search", "make steps of what a search decides, for engines that cannot (never left out)",
     lowerSearch},
    {"fuse-tables", "make one step of two over tables when nothing else uses the rows between",
     fuseTables},
    {"shard", "run steps over large files in parts that are kept by their own content", shard},
    {"drop-dead", "drop steps and values that nothing uses", dropDead},
    {"insert-cache", "decide which outputs to keep within a budget", insertCache},
    {"lower-tables", "make steps over tables commands (never left out)", lowerTables},
    {"split", "cut a workflow over its engine's limits into parts that a parent runs", split},
}};

/// Passes everything on and remembers whether an error went by.
class ErrorWatch final : public DiagnosticSink {
 public:
  explicit ErrorWatch(DiagnosticSink& inner) : inner_(inner) {}
  void take(Diagnostic diagnostic) override {
    failed = failed || diagnostic.severity == Severity::Error;
    inner_.take(std::move(diagnostic));
  }
  bool failed = false;

 private:
  DiagnosticSink& inner_;
};

double cpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

bool listed(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::span<const Pass> passTable() { return kPasses; }

const Pass* findPass(std::string_view name) {
  const auto found = std::find_if(kPasses.begin(), kPasses.end(),
                                  [&](const Pass& pass) { return pass.name == name; });
  return found == kPasses.end() ? nullptr : &*found;
}

PipelineResult runPipeline(ir::Module& module, Context& context, const PipelineOptions& options) {
  PipelineResult result;
  ErrorWatch watch(context.diags);
  Context watched{watch,
                  context.keepSubWorkflows,
                  context.sources,
                  context.cacheBudget,
                  context.cachePolicy,
                  context.cachePlan,
                  context.decisions,
                  context.limits,
                  context.splitPlan,
                  context.measured,
                  context.shardSize,
                  context.largeInputs,
                  context.searches};
  for (const Pass& pass : kPasses) {
    if (listed(options.disabled, pass.name) && pass.run != lowerTables && pass.run != lowerSearch) {
      continue;
    }
    const double start = cpuSeconds();
    const bool changed = pass.run(module, watched);
    result.timings.push_back({pass.name, cpuSeconds() - start, changed});
    if (options.verify) {
      for (const std::string& problem : ir::verify(module)) {
        watch.take(diagnose<Diag::PassBrokeGraph>(Span{}, pass.name, problem));
      }
    }
    if (listed(options.printAfter, pass.name) || listed(options.printAfter, "all")) {
      result.printed += "// after " + std::string(pass.name) + "\n" + ir::print(module);
    }
    if (watch.failed) {
      result.ok = false;
      break;
    }
  }
  return result;
}

}  // namespace couler::passes

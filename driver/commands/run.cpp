#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include "driver/command.h"
#include "driver/console.h"
#include "driver/files.h"
#include "driver/local_target.h"
#include "driver/priors.h"
#include "driver/program.h"
#include "driver/shard_options.h"
#include "driver/progress.h"
#include "driver/report.h"
#include "driver/searches.h"
#include "driver/signals.h"
#include "passes/pass.h"
#include "runtime/engine/engine.h"
#include "support/text.h"

namespace couler::driver {
namespace {

ProgressMode progressMode(const Invocation& invocation) {
  if (invocation.has("events")) return ProgressMode::Json;
  if (invocation.has("quiet")) return ProgressMode::Quiet;
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  return ::isatty(STDERR_FILENO) == 1 && !dumb ? ProgressMode::Bar : ProgressMode::Lines;
}

/// As text on one line: what cannot stand there is written as in source.
std::string oneLine(const ir::Value& value) {
  std::string text = ir::toText(value);
  // Lists, maps and records are JSON, which has escaped it.
  if (value.as<ir::ListValue>() != nullptr || value.as<ir::MapValue>() != nullptr ||
      value.as<ir::RecordValue>() != nullptr) {
    return text;
  }
  for (const char c : text) {
    if (isControl(c)) return ir::toSource(value);
  }
  return text;
}

void printOutputs(const Invocation& invocation, const ir::Value& outputs,
                  const std::vector<SearchTable>& searches, Program& program) {
  const std::string path = invocation.value("outputs-json");
  if (path == "-") {
    printOut(ir::toJson(outputs) + "\n");
    return;
  }
  if (!path.empty()) {
    if (const std::string why = writeFile(path, ir::toJson(outputs) + "\n"); !why.empty()) {
      program.problems().take(diagnose<Diag::CannotWriteFile>({}, path, why));
    }
  }
  if (invocation.has("events")) {
    printOut("{\"event\":\"outputs\",\"outputs\":" + ir::toJson(outputs) + "}\n");
  } else if (outputs.as<ir::RecordValue>() != nullptr) {
    for (const auto& [name, value] : outputs.named()) {
      const auto table = std::find_if(searches.begin(), searches.end(),
                                      [&](const SearchTable& one) { return one.name == name; });
      printOut(table != searches.end() ? searchText(*table) : name + " = " + oneLine(value) + '\n');
    }
  }
}

std::string summary(const runtime::RunResult& result) {
  std::string text = fmt::format("run {} {}: {} run", result.runId,
                                 result.cancelled ? "stopped"
                                 : result.ok      ? "succeeded"
                                                  : "failed",
                                 countOf(result.succeeded + result.failed, "step"));
  if (result.reused != 0) text += fmt::format(", {} reused", result.reused);
  if (result.failed != 0) text += fmt::format(", {} failed", result.failed);
  if (result.skipped != 0) text += fmt::format(", {} skipped", result.skipped);
  if (result.evicted != 0) {
    text += fmt::format(", {} evicted ({})", countOf(result.evicted, "result"),
                        humanBytes(result.evictedBytes));
  }
  return text + ", " + humanSeconds(result.seconds) + "\n";
}

std::string now() {
  return fmt::format(
      "{:%Y-%m-%d %H:%M:%S} UTC",
      fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

struct Prepared {
  ir::Module module;
  Graph graph;  ///< as written; only for a report
  std::vector<Search> searches;
  runtime::RunOptions options;
};

/// Everything up to the run. Nothing when it is over already: `code` says how.
std::optional<Prepared> prepare(const Invocation& invocation, Program& program, int& code) {
  code = kUsage;
  const auto words = workflowWords(invocation, program.problems());
  const auto disabled = passNames(invocation, "disable-pass", program.problems());
  const auto jobs = numberOption(invocation, "jobs", 1, 100'000, 0, program.problems());
  auto cache = cacheOptions(invocation, "cache-budget", "cache-policy", program.problems());
  if (!words || !disabled || !jobs || !cache) return std::nullopt;
  code = kFailed;
  if (!program.check(invocation.words.front())) return std::nullopt;
  auto module = program.lower(words->workflow, true);
  if (!module) return std::nullopt;

  Prepared result;
  runtime::RunOptions& options = result.options;
  code = kUsage;
  if (invocation.has("target") &&
      !applyTarget(invocation.value("target"), *module, options, *cache, program.problems())) {
    return std::nullopt;
  }
  auto inputs = workflowInputs(invocation, *module, *words, true, program.problems());
  if (!inputs) return std::nullopt;
  code = kFailed;
  options.inputs = std::move(*inputs);
  options.sourcePath = invocation.words.front();
  if (invocation.has("jobs")) options.jobs = static_cast<unsigned>(*jobs);
  if (invocation.has("store")) options.storeDir = invocation.value("store");
  if (invocation.has("fail-fast")) options.failFast = true;
  options.force = invocation.has("force");
  std::error_code ignored;
  options.program = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  if (invocation.has("container")) options.container = containerMode(invocation.value("container"));

  for (const Prior& prior : takePriors(*module, options.storeDir, program.problems())) {
    const bool silent = invocation.has("quiet") || invocation.has("events");
    if (prior.points > 0 && !silent) printError(priorText(prior));
  }
  result.searches = searchesOf(*module);
  if (invocation.has("report")) result.graph = graphOf(*module);
  options.cacheBudget = cache->budget;
  options.cachePolicy = cache->policy.value_or(ir::CachePolicy::Density);
  passes::Context context{program.problems(), false, &program.sources()};
  planCache(options, module->at(module->entry).name, context);
  const ir::TargetDef* target =
      invocation.has("target") ? module->findTarget(invocation.value("target")) : nullptr;
  if (!planShards(invocation, *module, target, options.inputs, context)) {
    code = kUsage;
    return std::nullopt;
  }
  passes::PipelineOptions pipeline;
  pipeline.disabled = *disabled;
  if (!passes::runPipeline(*module, context, pipeline).ok || program.problems().hasErrors()) {
    return std::nullopt;
  }
  result.module = std::move(*module);
  return result;
}

void writeReport(const Invocation& invocation, const Prepared& prepared, ReportSteps& steps,
                 const runtime::RunResult& run, const std::string& startedAt, Program& program) {
  DiagnosticList ignored;  // a report without keys and logs is better than none
  const auto history = runtime::History::open(prepared.options.storeDir, ignored);
  steps.complete(history ? &*history : nullptr, run.runId);
  const ir::FuncDef& workflow = prepared.module.at(prepared.module.entry);
  ReportInput input;
  input.title = workflow.name;
  input.source = prepared.options.sourcePath;
  input.startedAt = startedAt;
  input.result = run;
  for (const ir::ParamDef& param : workflow.params) {
    const ir::Value* value = param.fallback.valid() ? &prepared.module.at(param.fallback) : nullptr;
    for (const auto& [name, given] : prepared.options.inputs) {
      if (name == param.name) value = &given;
    }
    if (value != nullptr) input.inputs.emplace_back(param.name, oneLine(*value));
  }
  input.graph = &prepared.graph;
  input.steps = &steps.steps();
  if (run.outputs) input.searches = searchTables(prepared.searches, *run.outputs);
  const std::string path = invocation.value("report");
  if (const std::string why = writeFile(path, reportHtml(input)); !why.empty()) {
    program.problems().take(diagnose<Diag::CannotWriteFile>({}, path, why));
  }
}

}  // namespace

int runRun(const Invocation& invocation) {
  Program program(invocation);
  int code = kOk;
  auto prepared = prepare(invocation, program, code);
  if (!prepared) {
    program.report();
    return code;
  }
  program.report();  // warnings stand before the progress

  const bool reports = invocation.has("report");
  Progress progress(progressMode(invocation), program.style().colour);
  ReportSteps steps;
  std::string firstFailed;
  prepared->options.onEvent = [&](const runtime::Event& event) {
    progress.take(event);
    if (firstFailed.empty() && event.kind == runtime::Event::Kind::StepEnded &&
        event.state == runtime::StepState::Failed) {
      firstFailed = event.step;
    }
    if (reports) steps.take(event);
  };
  prepared->options.cancel = &catchSignals();
  const std::string startedAt = now();
  const runtime::RunResult result =
      runtime::run(prepared->module, prepared->options, program.sources(), program.problems());
  progress.clear();
  const bool failed = !result.ok || program.problems().hasErrors();
  program.report();
  if (result.outputs) {
    const auto tables = searchTables(prepared->searches, *result.outputs);
    printOutputs(invocation, *result.outputs, tables, program);
  }
  if (reports) writeReport(invocation, *prepared, steps, result, startedAt, program);
  if (result.runId != 0 && !invocation.has("quiet") && !invocation.has("events")) {
    printError(summary(result));
    if (failed && !firstFailed.empty()) {
      printError(
          fmt::format("all that `{1}` wrote: couler logs {0} {1}\n", result.runId, firstFailed));
    }
  }
  const int written = program.finish();
  return failed ? kFailed : written;
}

}  // namespace couler::driver

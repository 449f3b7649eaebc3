#include <string>

#include <fmt/format.h>

#include "driver/command.h"
#include "driver/console.h"
#include "driver/program.h"
#include "runtime/store/history.h"
#include "support/text.h"

namespace couler::driver {
namespace {

std::string jsonLine(const runtime::RunRecord& run) {
  return fmt::format(
      "{{\"run\":{},\"source\":{},\"workflow\":{},\"status\":{},\"started\":{},\"seconds\":{:.3f},"
      "\"succeeded\":{},\"reused\":{},\"failed\":{},\"skipped\":{}}}\n",
      run.id, jsonQuote(run.source), jsonQuote(run.workflow), jsonQuote(run.status),
      jsonQuote(run.startedAt), run.seconds, run.succeeded, run.reused, run.failed, run.skipped);
}

}  // namespace

int runRuns(const Invocation& invocation) {
  DiagnosticList problems;
  const SourceManager none;
  const DiagnosticStyle style = styleOf(invocation);
  const auto limit = numberOption(invocation, "limit", 1, 1'000'000, 20, problems);
  if (!limit) {
    printDiagnostics(problems.sorted(), none, style);
    return kUsage;
  }
  const auto history = runtime::History::open(invocation.value("store", ".couler"), problems);
  if (!history) {
    printDiagnostics(problems.sorted(), none, style);
    return kFailed;
  }
  const bool json = invocation.has("json");
  const auto runs = history->runs(static_cast<std::size_t>(*limit));
  if (!json) {
    printOut(fmt::format("{:>5}  {:<11}  {:<20}  {:>12}  {:>6} {:>6} {:>6} {:>7}  {}\n", "run",
                         "status", "started", "time", "ran", "reused", "failed", "skipped",
                         "workflow"));
  }
  for (const runtime::RunRecord& run : runs) {
    if (json) {
      printOut(jsonLine(run));
      continue;
    }
    printOut(fmt::format("{:>5}  {:<11}  {:<20}  {:>12}  {:>6} {:>6} {:>6} {:>7}  {} ({})\n",
                         run.id, run.status, run.startedAt.substr(0, 19) + "Z",
                         humanSeconds(run.seconds), run.succeeded, run.reused, run.failed,
                         run.skipped, run.workflow, run.source));
  }
  return kOk;
}

}  // namespace couler::driver

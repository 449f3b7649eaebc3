#include <string>

#include <fmt/format.h>

#include "driver/command.h"
#include "driver/console.h"
#include "driver/files.h"
#include "driver/past.h"
#include "support/text.h"

namespace couler::driver {

int runLogs(const Invocation& invocation) {
  int code = kOk;
  const auto past = findRun(invocation, invocation.words.front(), code);
  if (!past) return code;
  if (invocation.words.size() == 1) {
    for (const runtime::StepRecord& step : past->steps) {
      printOut(fmt::format("{:<10} {:>12}  {}{}\n", step.status, humanSeconds(step.seconds),
                           step.step, step.failure.empty() ? "" : "  (" + step.failure + ")"));
    }
    return kOk;
  }
  DiagnosticList problems;
  const std::string& name = invocation.words[1];
  const runtime::StepRecord* step = findStep(*past, name, problems);
  std::string text;
  // One that ran and has no log printed nothing.
  const bool ran = step != nullptr && (step->status == "succeeded" || step->status == "failed");
  if (step != nullptr && step->logPath.empty() && !ran) {
    problems.take(diagnose<Diag::NoLog>(
        {}, name, past->run.id,
        "it was " + (step->status.empty() ? std::string("not run") : step->status)));
  } else if (step != nullptr && !step->logPath.empty()) {
    ReadResult read = readFile(step->logPath);
    if (!read.error.empty())
      problems.take(diagnose<Diag::NoLog>({}, name, past->run.id, read.error));
    text = std::move(read.text);
  }
  if (problems.hasErrors()) {
    const SourceManager none;
    printDiagnostics(problems.sorted(), none, styleOf(invocation));
    return kFailed;
  }
  printOut(text);
  return kOk;
}

}  // namespace couler::driver

#include <string>

#include <fmt/format.h>

#include "driver/command.h"
#include "driver/console.h"
#include "driver/past.h"

namespace couler::driver {

int runWhy(const Invocation& invocation) {
  int code = kOk;
  const auto past = findRun(invocation, invocation.value("run"), code);
  if (!past) return code;
  const std::string& name = invocation.words.front();
  DiagnosticList problems;
  const runtime::StepRecord* step = findStep(*past, name, problems);
  const auto why = step == nullptr ? std::nullopt : past->history.why(past->run.id, name);
  if (problems.hasErrors()) {
    const SourceManager none;
    printDiagnostics(problems.sorted(), none, styleOf(invocation));
    return kFailed;
  }
  if (!why) {
    printOut(fmt::format("step `{}` of run {}: {}\n", name, past->run.id, step->status));
    return kOk;
  }
  printOut(fmt::format("step `{}` of run {} was {}: {}\n", name, past->run.id,
                       why->reused ? "reused" : "run", why->reason));
  if (why->comparedRun != 0) printOut(fmt::format("compared with run {}\n", why->comparedRun));
  for (const std::string& change : why->changes) printOut(fmt::format("  {}\n", change));
  printOut("its key is made of\n");
  for (const runtime::KeyPart& part : past->history.keyParts(past->run.id, name)) {
    printOut(fmt::format("  {:<20} {}\n", part.name, part.value.empty() ? "-" : part.value));
  }
  return kOk;
}

}  // namespace couler::driver

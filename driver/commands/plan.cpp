#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "driver/command.h"
#include "driver/console.h"
#include "driver/program.h"
#include "passes/pass.h"
#include "runtime/engine/preview.h"
#include "support/text.h"

namespace couler::driver {
namespace {

std::string_view word(runtime::Foresight foresight) {
  switch (foresight) {
    case runtime::Foresight::Reused:
      return "reuse";
    case runtime::Foresight::Runs:
      return "run";
    case runtime::Foresight::Depends:
      break;
  }
  return "depends";
}

}  // namespace

int runPlan(const Invocation& invocation) {
  Program program(invocation);
  const auto words = workflowWords(invocation, program.problems());
  const auto disabled = passNames(invocation, "disable-pass", program.problems());
  if (!words || !disabled) return program.finish(kUsage);
  if (!program.check(invocation.words.front())) return program.finish();
  auto module = program.lower(words->workflow, true);
  if (!module) return program.finish();
  auto inputs = workflowInputs(invocation, *module, *words, true, program.problems());
  if (!inputs) return program.finish(kUsage);

  passes::Context context{program.problems(), false, &program.sources()};
  passes::PipelineOptions pipeline;
  pipeline.disabled = *disabled;
  if (!passes::runPipeline(*module, context, pipeline).ok || program.problems().hasErrors()) {
    return program.finish();
  }
  runtime::RunOptions options;
  options.inputs = std::move(*inputs);
  options.sourcePath = invocation.words.front();
  options.storeDir = invocation.value("store", ".couler");
  options.force = invocation.has("force");
  const std::string tool = invocation.value("container");
  if (tool == "podman") options.container = runtime::ContainerMode::Podman;
  if (tool == "docker") options.container = runtime::ContainerMode::Docker;
  const auto steps = runtime::preview(*module, options, program.problems());

  std::size_t width = 0;
  std::size_t counts[3] = {0, 0, 0};
  for (const runtime::ForeseenStep& step : steps)
    width = std::max(width, std::min<std::size_t>(step.step.size(), 40));
  for (const runtime::ForeseenStep& step : steps) {
    ++counts[static_cast<std::size_t>(step.foresight)];
    std::string line = fmt::format("{:<8}{:<{}}", word(step.foresight), step.step, width);
    if (step.task != step.step) line += "  " + step.task;
    if (!step.reason.empty()) line += "  (" + step.reason + ")";
    line.erase(line.find_last_not_of(' ') + 1);
    printOut(line + "\n");
  }
  printOut(fmt::format("{} to reuse, {} to run, {} that depend on those\n", counts[0], counts[1],
                       counts[2]));
  const runtime::ForeseenWork work = runtime::workOf(steps);
  if (work.steps > work.unknown) {
    printOut(fmt::format("at most {} of {} run: {}{} of work, as last measured\n", work.steps,
                         countOf(steps.size(), "step"), work.unknown == 0 ? "about " : "at least ",
                         humanSeconds(work.seconds)));
  }
  return program.finish();
}

}  // namespace couler::driver

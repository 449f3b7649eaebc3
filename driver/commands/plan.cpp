#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "driver/cache_options.h"
#include "driver/command.h"
#include "driver/console.h"
#include "driver/decisions.h"
#include "driver/engine_target.h"
#include "driver/local_target.h"
#include "driver/past_work.h"
#include "driver/priors.h"
#include "driver/program.h"
#include "driver/shard_options.h"
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

/// `keep: 1.5 MiB, 3.0 s to make`.
std::string decisionText(const ir::Cost& cost) {
  return fmt::format("{}: {}, {} to make{}", cost.drop ? "drop" : "keep",
                     humanBytes(static_cast<std::uint64_t>(cost.bytesOut)),
                     humanSeconds(cost.seconds), cost.measured ? "" : ", estimated");
}

void printPriors(const std::vector<Prior>& priors) {
  for (const Prior& prior : priors) printOut(priorText(prior));
}

/// What `couler build` would make of it for an engine elsewhere: one workflow, or parts.
int planParts(const Invocation& invocation, Program& program, ir::Module module,
              const Destination& where, const passes::PipelineOptions& pipeline,
              const Inputs& inputs) {
  backends::EmitOptions emitted;
  emitted.arguments = inputs;
  const passes::EngineLimits limits =
      limitsOf(*where.backend, where.target == nullptr ? "" : where.target->name, emitted);
  passes::SplitPlan plan;
  passes::Context context{program.problems(), false, &program.sources()};
  context.searches = searchesOn(where.backend);
  context.limits = &limits;
  context.splitPlan = &plan;
  if (!planShards(invocation, module, where.target, context)) return program.finish(kUsage);
  const passes::PipelineResult optimised = passes::runPipeline(module, context, pipeline);
  printError(optimised.printed);
  printTimings(invocation, optimised);
  if (!optimised.ok || program.problems().hasErrors()) return program.finish();
  std::size_t width = 0;
  for (const passes::SplitPlan::Part& part : plan.parts) width = std::max(width, part.name.size());
  for (const passes::SplitPlan::Part& part : plan.parts) {
    printOut(fmt::format("{:<{}}  {:>12}  {:>10}\n", part.name, width,
                         countOf(static_cast<std::size_t>(part.steps), "step"),
                         humanBytes(static_cast<std::uint64_t>(part.bytes))));
  }
  std::string most = fmt::format("{} takes {} and {}", where.backend->name,
                                 humanBytes(static_cast<std::uint64_t>(limits.bytes)),
                                 countOf(static_cast<std::size_t>(limits.steps), "step"));
  if (limits.tasks > 0)
    most += fmt::format(", {} tasks in each of {} templates", limits.tasks, limits.templates);
  const double longer = plan.secondsWhole > 0 ? plan.seconds / plan.secondsWhole : 1;
  const std::string groups = plan.groups == 0
                                 ? ""
                                 : fmt::format(", its steps in {}, makespan x {:.3f} on {} workers",
                                               countOf(plan.groups, "group"), longer, plan.workers);
  if (plan.parts.size() < 2) {
    printOut(fmt::format("one workflow{}: {}\n", groups, most));
  } else {
    printOut(fmt::format(
        "{} that the last runs, where one workflow would be {}: {}\n"
        "{} and {} go between them; makespan x {:.3f} on {} workers\n",
        countOf(plan.parts.size() - 1, "part"), humanBytes(static_cast<std::uint64_t>(plan.bytes)),
        most, countOf(static_cast<std::size_t>(plan.valuesCut), "value"),
        humanBytes(static_cast<std::uint64_t>(plan.bytesCut)), longer, plan.workers));
  }
  return program.finish();
}

}  // namespace

int runPlan(const Invocation& invocation) {
  Program program(invocation);
  const auto words = workflowWords(invocation, program.problems());
  const auto disabled = passNames(invocation, "disable-pass", program.problems());
  const auto printAfter = passNames(invocation, "print-after", program.problems());
  auto cache = cacheOptions(invocation, "cache-budget", "cache-policy", program.problems());
  if (!words || !disabled || !printAfter || !cache) return program.finish(kUsage);
  if (!program.check(invocation.words.front())) return program.finish();
  auto module = program.lower(words->workflow, true);
  if (!module) return program.finish();
  const std::string target = invocation.value("target");
  if (isElsewhere(target, *module)) {
    const auto where = destination(target, *module, program.problems());
    const auto given = workflowInputs(invocation, *module, *words, false, program.problems());
    if (!where || !given) return program.finish(kUsage);
    printPriors(takePriors(*module, invocation.value("store", ".couler"), program.problems()));
    passes::PipelineOptions pipeline;
    pipeline.disabled = *disabled;
    pipeline.printAfter = *printAfter;
    return planParts(invocation, program, std::move(*module), *where, pipeline, *given);
  }
  auto inputs = workflowInputs(invocation, *module, *words, true, program.problems());
  if (!inputs) return program.finish(kUsage);

  runtime::RunOptions options;
  if (invocation.has("target") &&
      !applyTarget(target, *module, options, *cache, program.problems())) {
    return program.finish(kUsage);
  }
  options.inputs = std::move(*inputs);
  options.sourcePath = invocation.words.front();
  if (invocation.has("store")) options.storeDir = invocation.value("store");
  options.force = invocation.has("force");
  options.cacheBudget = cache->budget;
  options.cachePolicy = cache->policy.value_or(ir::CachePolicy::Density);
  if (invocation.has("container")) options.container = containerMode(invocation.value("container"));

  const auto priors = takePriors(*module, options.storeDir, program.problems());

  passes::Context context{program.problems(), false, &program.sources()};
  passes::CachePlan kept;
  planCache(options, module->at(module->entry).name, context);
  context.cachePlan = &kept;
  context.measured =
      measuredCosts(options.storeDir, options.sourcePath, module->at(module->entry).name);
  std::vector<passes::Decision> decisions;
  context.decisions = &decisions;
  const ir::TargetDef* settings = target.empty() ? nullptr : module->findTarget(target);
  if (!planShards(invocation, *module, settings, options.inputs, context))
    return program.finish(kUsage);
  passes::PipelineOptions pipeline;
  pipeline.disabled = *disabled;
  pipeline.printAfter = *printAfter;
  const passes::PipelineResult optimised = passes::runPipeline(*module, context, pipeline);
  printError(optimised.printed);
  printTimings(invocation, optimised);
  if (!optimised.ok || program.problems().hasErrors()) return program.finish();
  const auto steps = runtime::preview(*module, options, program.problems());

  std::optional<PastWork> past;
  if (invocation.has("after")) {
    int code = kOk;
    past = PastWork::find(invocation, options.storeDir, code);
    if (!past) return code;
  }

  std::size_t width = 0;
  std::size_t counts[3] = {0, 0, 0};
  for (const runtime::ForeseenStep& step : steps)
    width = std::max(width, std::min<std::size_t>(step.step.size(), 40));
  for (const runtime::ForeseenStep& step : steps) {
    ++counts[static_cast<std::size_t>(step.foresight)];
    std::string line = fmt::format("{:<8}{:<{}}", word(step.foresight), step.step, width);
    if (step.task != step.step) line += "  " + step.task;
    if (!step.reason.empty()) line += "  (" + step.reason + ")";
    if (const auto cost = module->costs.find(step.node); cost != module->costs.end()) {
      line += "  " + decisionText(cost->second);
    }
    if (past) line += "  " + past->of(step.step);
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
  printPriors(priors);
  if (!module->costs.empty()) {
    printOut(fmt::format("within {}: a run after an edit is expected to compute {}; {} with nothing "
                         "kept, {} with all\n",
                         humanBytes(*options.cacheBudget), humanSeconds(kept.seconds),
                         humanSeconds(kept.withNone), humanSeconds(kept.withAll)));
  }
  printOut(decisionsText(decisions, context.measured, past ? &*past : nullptr));
  if (past) printOut(past->summary());
  const bool failed = program.problems().hasErrors();
  program.report(invocation.has("remarks"));
  return failed ? kFailed : kOk;
}

}  // namespace couler::driver

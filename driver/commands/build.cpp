#include <string>
#include <vector>

#include <fmt/format.h>

#include "backends/backend.h"
#include "driver/command.h"
#include "driver/console.h"
#include "driver/engine_target.h"
#include "driver/files.h"
#include "driver/print_stages.h"
#include "driver/priors.h"
#include "driver/program.h"
#include "driver/shard_options.h"
#include "frontend/syntax/print.h"
#include "ir/print.h"
#include "passes/pass.h"

namespace couler::driver {
namespace {

/// `out: a.cwl b.cwl`, escaped for make and ninja.
std::string makeRule(const std::string& output, const std::set<std::string>& files) {
  const auto escaped = [](const std::string& path) {
    std::string text;
    for (const char c : path) {
      if (c == ' ' || c == '#' || c == '\\') text += '\\';
      if (c == '$') text += '$';
      text += c;
    }
    return text;
  };
  std::string rule = escaped(output) + ":";
  for (const std::string& file : files) rule += " \\\n  " + escaped(file);
  return rule + "\n";
}

int writeManifest(const Destination& where, const ir::Module& module,
                  const backends::EmitOptions& options, const Invocation& invocation,
                  Program& program) {
  const bool validates = !invocation.has("no-validate");
  const auto problem = [&](const std::string& path, const std::string& why) {
    program.problems().take(diagnose<Diag::CannotWriteFile>({}, path, why));
    return program.finish();
  };
  if (!invocation.has("output")) {
    std::string text;
    if (!where.backend->emit(
            module, options, [&](std::string_view piece) { text += piece; }, program.problems()) ||
        (validates && !where.backend->validate(module, options, text, program.problems()))) {
      program.report();
      return kFailed;
    }
    printOut(text);
    return program.finish();
  }
  const std::string path = invocation.value("output");
  AtomicFile file(path);
  std::string kept;  // of what cannot be read back from a device
  const bool emitted = where.backend->emit(
      module, options,
      [&](std::string_view piece) {
        file.write(piece);
        if (!file.canReadBack() && validates) kept += piece;
      },
      program.problems());
  if (!emitted) {
    program.report();
    return kFailed;
  }
  if (validates && file.error().empty()) {
    const std::string_view text = file.canReadBack() ? file.readBack() : std::string_view(kept);
    if (file.error().empty() &&
        !where.backend->validate(module, options, text, program.problems())) {
      program.report();
      return kFailed;
    }
  }
  if (!file.commit()) return problem(path, file.error());
  return program.finish();
}

}  // namespace

int runBuild(const Invocation& invocation) {
  Program program(invocation);
  const auto words = workflowWords(invocation, program.problems());
  const auto disabled = passNames(invocation, "disable-pass", program.problems());
  const auto printAfter = passNames(invocation, "print-after", program.problems());
  if (!words || !disabled || !printAfter) return program.finish(kUsage);

  const std::string stage = invocation.value("print");
  const bool checked = program.check(invocation.words.front());
  if (invocation.has("depfile")) {
    const std::string path = invocation.value("depfile");
    const std::string why =
        writeFile(path, makeRule(invocation.value("output", "-"), program.filesRead()));
    if (!why.empty()) program.problems().take(diagnose<Diag::CannotWriteFile>({}, path, why));
  }
  if (stage == "syntax") {
    printOut(syntax::print(program.session().root(), true));
    return program.finish();
  }
  if (!checked) return program.finish();
  if (stage == "types") {
    printOut(typesText(program.sources(), program.session().check()));
    return program.finish();
  }
  auto module = program.lower(words->workflow, true);
  if (!module) return program.finish();
  if (stage == "ir") {
    printOut(ir::print(*module));
    return program.finish();
  }
  const bool printsPlan = stage == "plan";
  std::optional<Destination> where;
  if (!printsPlan || isElsewhere(invocation.value("target"), *module)) {
    where = destination(invocation.value("target"), *module, program.problems());
    if (!where) return program.finish(kUsage);
  }
  const auto inputs = workflowInputs(invocation, *module, *words, false, program.problems());
  if (!inputs) return program.finish(kUsage);

  for (const Prior& prior :
       takePriors(*module, invocation.value("store", ".couler"), program.problems())) {
    if (invocation.has("remarks")) printError(priorText(prior));
  }
  const std::string targetName = where && where->target != nullptr ? where->target->name : "";
  backends::EmitOptions options;
  options.arguments = *inputs;
  passes::Context context{program.problems(), false, &program.sources()};
  if (!planShards(invocation, *module, where ? where->target : nullptr, context)) {
    return program.finish(kUsage);
  }
  context.searches = searchesOn(where ? where->backend : nullptr);
  std::optional<passes::EngineLimits> limits;
  if (where && !invocation.has("no-split")) {
    context.limits = &limits.emplace(limitsOf(*where->backend, targetName, options));
  }
  passes::PipelineOptions pipeline;
  pipeline.disabled = *disabled;
  pipeline.printAfter = *printAfter;
  pipeline.verify = invocation.has("verify");
  const passes::PipelineResult result = passes::runPipeline(*module, context, pipeline);
  printError(result.printed);
  printTimings(invocation, result);
  if (!result.ok || program.problems().hasErrors()) {
    program.report(true);
    return kFailed;
  }
  program.report(invocation.has("remarks"));
  if (printsPlan) {
    printOut(ir::print(*module));
    return kOk;
  }
  // Found again by name: a pass may have moved the table.
  options.target = targetName.empty() ? nullptr : module->findTarget(targetName);
  return writeManifest(*where, *module, options, invocation, program);
}

}  // namespace couler::driver

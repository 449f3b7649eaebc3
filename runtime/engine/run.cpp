#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <fmt/format.h>

#include "runtime/engine/container.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/executor.h"
#include "runtime/engine/outputs.h"
#include "runtime/engine/secrets.h"
#include "runtime/engine/step_runner.h"
#include "support/text.h"

namespace couler::runtime {
namespace {

/// The arguments of the entry workflow, in the order of its parameters; false after an error.
bool bindInputs(const ir::Module& module, const RunOptions& options, std::vector<ir::Value>& values,
                DiagnosticSink& diags) {
  const ir::FuncDef& entry = module.at(module.entry);
  bool good = true;
  for (const auto& [name, value] : options.inputs) {
    const auto same = [&, &wanted = name](const ir::ParamDef& param) {
      return param.name == wanted;
    };
    if (std::none_of(entry.params.begin(), entry.params.end(), same)) {
      Diagnostic unknown = diagnose<Diag::RunInputUnknown>(entry.span, entry.name, name);
      std::vector<std::string_view> names;
      for (const ir::ParamDef& param : entry.params) names.push_back(param.name);
      if (const auto near = nearest(name, names))
        unknown.note(fmt::format("did you mean `{}`?", *near));
      diags.take(std::move(unknown));
      good = false;
    }
  }
  for (const ir::ParamDef& param : entry.params) {
    const auto given = std::find_if(options.inputs.begin(), options.inputs.end(),
                                    [&](const auto& input) { return input.first == param.name; });
    if (given != options.inputs.end()) {
      values.push_back(given->second);
    } else if (param.fallback.valid()) {
      values.push_back(module.at(param.fallback));
    } else if (module.types.kind(param.type) == ir::TypeKind::Optional) {
      values.emplace_back();
    } else {
      diags.take(diagnose<Diag::RunInputMissing>(param.span, entry.name, param.name));
      values.emplace_back();
      good = false;
    }
  }
  return good;
}

/// Gives the files of the inputs absolute paths and checks that they are there.
bool checkFiles(const ir::Module& module, std::vector<ir::Value>& values, DiagnosticSink& diags) {
  const ir::FuncDef& entry = module.at(module.entry);
  bool good = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto absolute = mapFiles(values[i], [&](const ir::FileRef& file) {
      ir::FileRef found{absolutePath(file.path), file.digest, file.isDir};
      struct stat info{};
      std::string why;
      if (stat(found.path.c_str(), &info) != 0) {
        why = fileError(errno, "read", found.path).message;
      } else if (S_ISDIR(info.st_mode) != found.isDir) {
        why = fmt::format("`{}` is {}", found.path,
                          found.isDir ? "a file, not a folder" : "a folder, not a file");
      }
      if (!why.empty()) {
        diags.take(
            diagnose<Diag::InputFileUnreadable>(entry.params[i].span, entry.params[i].name, why));
        good = false;
      }
      return std::optional(std::move(found));
    });
    if (absolute) values[i] = std::move(*absolute);
  }
  return good;
}

/// What the workflow is given beside defaults, for the history: a JSON object without secrets;
/// empty where it is long.
std::string inputsText(const ir::Module& module, const RunOptions& options,
                       const std::vector<ir::Value>& values) {
  constexpr std::size_t kMost = 64U << 10;
  const std::vector<ir::ParamDef>& params = module.at(module.entry).params;
  std::string text;
  for (std::size_t i = 0; i < params.size(); ++i) {
    const bool given = std::any_of(options.inputs.begin(), options.inputs.end(),
                                   [&](const auto& one) { return one.first == params[i].name; });
    if (!given || module.types.holds(params[i].type, ir::TypeKind::Secret)) continue;
    text += (text.empty() ? "{" : ",") + jsonQuote(params[i].name) + ":" + ir::toJson(values[i]);
    if (text.size() > kMost) return {};
  }
  return text.empty() ? text : text + "}";
}

bool usesImages(const ir::Module& module) {
  return std::any_of(module.tasks.begin(), module.tasks.end(),
                     [](const ir::TaskDef& task) { return !task.image.empty(); });
}

}  // namespace

RunResult run(const ir::Module& module, const RunOptions& options,
              const SourceManager& /* spans are all that is needed of the sources */,
              DiagnosticSink& diags) {
  RunResult result;
  if (!module.entry.valid()) {
    diags.take(diagnose<Diag::NothingToRun>({}));
    return result;
  }
  const ir::FuncDef& entry = module.at(module.entry);
  std::vector<ir::Value> inputs;
  bool good = bindInputs(module, options, inputs, diags);
  good = checkFiles(module, inputs, diags) && good;
  Secrets secrets;
  for (const ir::Value& input : inputs) good = secrets.read(input, diags) && good;
  if (options.container != ContainerMode::Host && usesImages(module)) {
    const std::string client(clientName(options.container));
    const char* path = getenv("PATH");
    if (findProgram(client, path == nullptr ? "" : path).empty()) {
      diags.take(diagnose<Diag::NoContainerProgram>({}, client)
                     .note("without containers, steps run on this machine as it is"));
      good = false;
    }
  }
  if (!good) return result;
  const std::unique_ptr<Store> store =
      Store::open(options.storeDir, options.sourcePath, entry.name, diags);
  if (!store) return result;
  result.runId = store->run();
  if (const std::string given = inputsText(module, options, inputs); !given.empty()) store->saveInputs(given);
  if (options.cacheBudget) store->setBudget(options.cachePolicy, *options.cacheBudget);
  std::optional<StepRunner> first;
  std::optional<Executor> last;
  first.emplace(module, options, *store, secrets, diags, StepRunner::Before{});
  last.emplace(module, *first, diags);
  last->start(inputs);
  Event event;
  event.kind = Event::Kind::RunStarted;
  event.total = last->totalSteps();
  first->emit(event);
  first->run(*last);
  std::uint64_t twice = 0;  // steps that ran, and were then reused
  while (first->startsAgain()) {
    const StepRunner::Before before = first->before();
    twice = before.counts.succeeded;
    store->dropReused();
    last.reset();
    first.emplace(module, options, *store, secrets, diags, before);
    last.emplace(module, *first, diags);
    last->start(inputs);
    first->run(*last);
  }
  StepRunner& runner = *first;
  Executor& executor = *last;

  RunCounts counts = runner.counts();
  counts.reused -= std::min(counts.reused, twice);
  result.cancelled = runner.cancelled();
  const bool broken = store->broken().has_value() || runner.aborted();
  const ir::Value* outputs = std::get_if<ir::Value>(&executor.result());
  result.ok = !result.cancelled && !broken && executor.finished() && !executor.failed() &&
              !runner.outputsLost() && outputs != nullptr;
  if (result.ok) result.outputs = *outputs;
  result.succeeded = counts.succeeded;
  result.reused = counts.reused;
  result.failed = counts.failed;
  result.skipped = counts.skipped;
  const RunStatus status = result.cancelled ? RunStatus::Cancelled
                           : result.ok      ? RunStatus::Succeeded
                                            : RunStatus::Failed;
  std::string made;
  if (result.ok) {
    eachObject(*outputs, store->objects(),
               [&](std::string_view path) { made.append(path).append(1, '\0'); });
  }
  result.evicted = runner.collected().results;
  result.evictedBytes = runner.collected().evictedBytes;
  store->endRun(status, counts, runner.now(), result.ok ? &made : nullptr);
  if (store->broken() && !broken) {
    // The last rows did not fit: the steps' own results were kept before.
    runner.reportBroken(*store->broken());
    result.ok = false;
    result.outputs.reset();
  }
  result.seconds = runner.now();
  event.kind = Event::Kind::RunEnded;
  event.state = result.ok          ? StepState::Succeeded
                : result.cancelled ? StepState::Cancelled
                                   : StepState::Failed;
  event.seconds = result.seconds;
  runner.emit(std::move(event));
  return result;
}

}  // namespace couler::runtime

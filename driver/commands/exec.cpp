#include <unistd.h>

#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "driver/command.h"
#include "driver/console.h"
#include "driver/files.h"
#include "driver/scratch.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "runtime/column/plan.h"
#include "runtime/jit/loader.h"

namespace couler::driver {
namespace {

int refuse(const Invocation& invocation, std::string_view why) {
  return complain(diagnose<Diag::PlanFailed>({}, why), kFailed, styleOf(invocation));
}

/// The plan: the one task of a module in text form.
std::optional<ir::Module> readPlan(const std::string& text, std::string& why) {
  SourceManager sources;
  DiagnosticList problems;
  auto module = ir::parseText(sources, sources.add("plan", text), problems);
  if (!module) {
    why = "the plan cannot be read: " + problems.all()[0].message;
    return std::nullopt;
  }
  const std::vector<std::string> broken = ir::verify(*module);
  if (!broken.empty()) {
    why = "the plan is not sound: " + broken[0];
    return std::nullopt;
  }
  if (module->tasks.size() != 1 || module->tasks[0].run != ir::RunKind::Table) {
    why = "the plan must be one task over tables";
    return std::nullopt;
  }
  return module;
}

/// The scalar parameters, from the JSON object `text`.
bool readValues(ir::Module& module, const std::string& text,
                std::vector<column::PlanInput>& inputs, std::string& why) {
  std::vector<ir::TypeField> fields;
  std::vector<std::size_t> places;
  const std::vector<ir::ParamDef>& params = module.tasks[0].params;
  for (std::size_t i = 0; i < params.size(); ++i) {
    const ir::TypeKind kind = module.types.kind(params[i].type);
    if (kind == ir::TypeKind::File || kind == ir::TypeKind::Table) continue;
    fields.push_back({params[i].name, params[i].type});
    places.push_back(i);
  }
  if (places.empty()) return true;
  const auto record = ir::fromJson(text, module.types.record(std::move(fields)), module.types, why);
  if (!record) return false;
  for (std::size_t i = 0; i < places.size(); ++i) {
    inputs[places[i]].value = record->named()[i].second;
  }
  return true;
}

std::string formatOf(const ir::Module& module, const ir::OutputDef& output) {
  const ir::Type& type = module.types[output.type];
  return type.kind == ir::TypeKind::File && !type.name.empty() ? type.name : "arrow";
}

}  // namespace

int runExec(const Invocation& invocation) {
  std::string why;
  std::optional<ir::Module> module = readPlan(invocation.value("plan"), why);
  if (!module) return refuse(invocation, why);
  const ir::TaskDef& task = module->tasks[0];
  std::vector<column::PlanInput> inputs(task.params.size());
  if (!readValues(*module, invocation.value("values"), inputs, why)) {
    return refuse(invocation, "the values do not fit the plan: " + why);
  }
  std::size_t next = 0;
  const std::vector<std::string>& words = invocation.words;
  for (std::size_t i = 0; i < task.params.size(); ++i) {
    const ir::TypeKind kind = module->types.kind(task.params[i].type);
    if (kind != ir::TypeKind::File && kind != ir::TypeKind::Table) continue;
    if (next < words.size()) inputs[i].path = words[next];
    ++next;
  }
  if (words.size() != next + task.outputs.size()) {
    return refuse(invocation, fmt::format("the plan takes {} files and makes {}; {} were named",
                                          next, task.outputs.size(), words.size()));
  }
  std::vector<column::PlanOutput> outputs;
  for (const ir::OutputDef& output : task.outputs) {
    outputs.push_back({words[next++], formatOf(*module, output)});
  }
  const Scratch scratch;
  if (scratch.path().empty()) return refuse(invocation, "there is no folder for temporary files");
  column::PlanOptions options;
  options.limits.folder = scratch.path();
  options.compile = [](const column::RowPlan& plan, std::string& reason) {
    return jit::jitKernel(plan, reason);
  };
  column::AnomalyLog anomalies;
  options.anomalies = &anomalies;
  const auto result = column::runPlan(*module, ir::TaskId{0U}, inputs, outputs, options);
  if (anomalies.total() != 0) printError(anomalies.text("the input"));
  if (invocation.has("anomalies")) {
    const std::string path = invocation.value("anomalies");
    if (const std::string problem = writeFile(path, anomalies.json() + "\n"); !problem.empty()) {
      return complain(diagnose<Diag::CannotWriteFile>({}, path, problem), kFailed,
                      styleOf(invocation));
    }
  }
  if (const auto* error = std::get_if<column::StreamError>(&result)) {
    for (const column::PlanOutput& output : outputs) ::unlink(output.path.c_str());
    return refuse(invocation, error->message);
  }
  const auto& done = std::get<column::PlanResult>(result);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (done.rows[i] < 0) continue;
    printError(fmt::format("{}: {} rows\n", task.outputs[i].name, done.rows[i]));
  }
  return kOk;
}

}  // namespace couler::driver

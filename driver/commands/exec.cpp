#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "driver/command.h"
#include "driver/console.h"
#include "driver/files.h"
#include "driver/scratch.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "runtime/column/cut.h"
#include "runtime/column/formats.h"
#include "runtime/column/plan.h"
#include "runtime/jit/loader.h"
#include "support/packed_text.h"
#include "support/text.h"

namespace couler::driver {
namespace {

constexpr std::int64_t kMostThreads = 256;
constexpr std::int64_t kLeastMemory = std::int64_t{1} << 20;

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

/// "tidy.cwl:7:13: " where `--places` says where the node at `at` of the plan stands in a program.
std::string placeOf(const ir::Module& module, Span at, const std::string& word) {
  const std::optional<std::string> places = unpackedText(word);
  if (!at.valid() || !places) return {};
  const auto node = std::find_if(module.nodes.begin(), module.nodes.end(),
                                 [&](const ir::Node& candidate) { return candidate.span == at; });
  const auto files = nlohmann::json::parse(*places, nullptr, false);
  if (node == module.nodes.end() || !files.is_object()) return {};
  for (const auto& [file, nodes] : files.items()) {
    if (!nodes.is_array()) continue;
    for (const auto& place : nodes) {
      const bool sound = place.is_array() && place.size() == 3 &&
                         std::all_of(place.begin(), place.end(), [](const auto& number) {
                           return number.is_number_unsigned();
                         });
      if (!sound || place[0] != node - module.nodes.begin()) continue;
      return fmt::format("{}:{}:{}: ", file, place[1].template get<std::uint64_t>(),
                         place[2].template get<std::uint64_t>());
    }
  }
  return {};
}

/// A file, a table or a list of tables: words name them.
bool isFiles(const ir::Module& module, const ir::ParamDef& param) {
  return module.types.holds(param.type, ir::TypeKind::File) ||
         module.types.holds(param.type, ir::TypeKind::Table);
}

/// The fields of both JSON objects as one; either may be empty.
std::string joined(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return a + b;
  const auto first = nlohmann::json::parse(a, nullptr, false);
  auto second = nlohmann::json::parse(b, nullptr, false);
  if (!first.is_object() || !second.is_object()) return a;
  second.update(first);
  return second.dump();
}

/// `--cut`: the ranges of a file.
int cut(const Invocation& invocation) {
  std::string why;
  const auto value = ir::fromText(invocation.value("cut"), ir::TypeTable::kSize, {}, why);
  const ir::Size* size = value ? value->as<ir::Size>() : nullptr;
  if (size == nullptr || size->bytes < 1) {
    return refuse(invocation, fmt::format("`--cut` takes a size such as `64MB`, not `{}`",
                                          invocation.value("cut")));
  }
  if (invocation.words.size() != 2) {
    return refuse(invocation, "`--cut` takes a file to read and one to make");
  }
  const std::string& path = invocation.words[0];
  const std::string format =
      invocation.has("format") ? invocation.value("format") : column::formatOfName(path);
  column::StreamError error;
  const auto ranges = column::cutFile(path, format, size->bytes, error);
  if (!ranges) return refuse(invocation, error.message);
  if (const std::string problem = writeFile(invocation.words[1], column::rangesText(*ranges));
      !problem.empty()) {
    return complain(diagnose<Diag::CannotWriteFile>({}, invocation.words[1], problem), kFailed,
                    styleOf(invocation));
  }
  printError(fmt::format("{}\n", countOf(ranges->size(), "range")));
  return kOk;
}

/// The scalar parameters, from the JSON object `text`.
bool readValues(ir::Module& module, const std::string& text,
                std::vector<column::PlanInput>& inputs, std::string& why) {
  std::vector<ir::TypeField> fields;
  std::vector<std::size_t> places;
  const std::vector<ir::ParamDef>& params = module.tasks[0].params;
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (isFiles(module, params[i])) continue;
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

/// What an option says, or else the variable of the environment that stands for it.
std::string settingOf(const Invocation& invocation, std::string_view option, const char* variable) {
  if (invocation.has(option)) return invocation.value(option);
  const char* set = std::getenv(variable);
  return set != nullptr ? set : "";
}

bool readLimits(const Invocation& invocation, column::Limits& limits, std::string& why) {
  const ir::TypeTable types;
  const std::string threads = settingOf(invocation, "threads", "COULER_THREADS");
  if (!threads.empty()) {
    const auto value = ir::fromText(threads, ir::TypeTable::kInt, types, why);
    const std::int64_t* count = value ? value->as<std::int64_t>() : nullptr;
    if (count == nullptr || *count < 1 || *count > kMostThreads) {
      why = fmt::format("the threads must be a number from 1 to {}, not `{}`", kMostThreads, threads);
      return false;
    }
    limits.threads = static_cast<std::size_t>(*count);
  }
  const std::string memory = settingOf(invocation, "memory", "COULER_MEMORY");
  if (!memory.empty()) {
    const auto value = ir::fromText(memory, ir::TypeTable::kSize, types, why);
    const ir::Size* size = value ? value->as<ir::Size>() : nullptr;
    if (size == nullptr || size->bytes < kLeastMemory) {
      why = fmt::format("the memory must be a size of at least 1 MiB, as `512 MiB`, not `{}`", memory);
      return false;
    }
    limits.memory = static_cast<std::size_t>(size->bytes);
  }
  return true;
}

/// The name of the file that the plan reads, where it is one.
std::string readFile(const ir::Module& module, const std::vector<column::PlanInput>& inputs) {
  std::string name;
  const std::vector<ir::ParamDef>& params = module.tasks[0].params;
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (module.types.kind(params[i].type) != ir::TypeKind::File) continue;
    if (!name.empty()) return "the input";
    name = inputs[i].path.substr(inputs[i].path.rfind('/') + 1);
  }
  return name.empty() ? "the input" : name;
}

std::string formatOf(const ir::Module& module, const ir::OutputDef& output) {
  const ir::Type& type = module.types[output.type];
  return type.kind == ir::TypeKind::File && !type.name.empty() ? type.name : "arrow";
}

}  // namespace

int runExec(const Invocation& invocation) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error with its name
  if (invocation.has("cut")) return cut(invocation);
  std::string why;
  const std::optional<std::string> text = unpackedText(invocation.value("plan"));
  if (!text) return refuse(invocation, "the plan cannot be read: it is damaged");
  std::optional<ir::Module> module = readPlan(*text, why);
  if (!module) return refuse(invocation, why);
  const ir::TaskDef& task = module->tasks[0];
  std::vector<column::PlanInput> inputs(task.params.size());
  const std::string values = joined(invocation.value("values"), invocation.value("range"));
  if (!readValues(*module, values, inputs, why)) {
    return refuse(invocation, "the values do not fit the plan: " + why);
  }
  std::size_t next = 0;
  const std::vector<std::string>& words = invocation.words;
  const auto files = static_cast<std::size_t>(
      std::count_if(task.params.begin(), task.params.end(),
                    [&](const ir::ParamDef& param) { return isFiles(*module, param); }));
  const std::size_t fixed = files + task.outputs.size();
  for (std::size_t i = 0; i < task.params.size(); ++i) {
    if (!isFiles(*module, task.params[i])) continue;
    if (module->types.kind(task.params[i].type) != ir::TypeKind::List) {
      if (next < words.size()) inputs[i].path = words[next];
      ++next;
      continue;
    }
    // A plan has one list at most: all words that are for nothing else.
    for (std::size_t left = words.size() + 1; left > fixed; --left) {
      if (next < words.size()) inputs[i].paths.push_back(words[next]);
      ++next;
    }
  }
  if (words.size() != next + task.outputs.size()) {
    return refuse(invocation, fmt::format("the plan takes {} files and makes {}; {} were named",
                                          next, task.outputs.size(), words.size()));
  }
  std::vector<column::PlanOutput> outputs;
  for (const ir::OutputDef& output : task.outputs) {
    outputs.push_back({words[next++], formatOf(*module, output)});
  }
  // Here, since an engine removes the folder of a step however it ends, and it is on the disk that
  // is to have room for the outputs.
  const Scratch scratch(".");
  if (scratch.path().empty()) return refuse(invocation, "there is no folder for temporary files");
  column::PlanOptions options;
  options.limits.folder = scratch.path();
  if (!readLimits(invocation, options.limits, why)) return refuse(invocation, why);
  std::atomic<bool> told = false;
  options.compile = [&](const column::RowPlan& plan, std::string& reason) {
    auto kernel = jit::jitKernel(plan, reason);
    std::string problem;
    if (!kernel && !jit::available(problem) && !told.exchange(true)) {
      printError(fmt::format("note: rows are evaluated, not compiled: {}\n", problem));
    }
    return kernel;
  };
  column::AnomalyLog anomalies;
  options.anomalies = &anomalies;
  const auto result = column::runPlan(*module, ir::TaskId{0U}, inputs, outputs, options);
  const bool failed = std::holds_alternative<column::StreamError>(result);
  if (anomalies.total() > (failed ? 1 : 0)) {  // of one alone the error tells all
    printError(anomalies.text(readFile(*module, inputs)));
  }
  if (invocation.has("anomalies")) {
    const std::string path = invocation.value("anomalies");
    if (const std::string problem = writeFile(path, anomalies.json() + "\n"); !problem.empty()) {
      return complain(diagnose<Diag::CannotWriteFile>({}, path, problem), kFailed,
                      styleOf(invocation));
    }
  }
  if (const auto* error = std::get_if<column::StreamError>(&result)) {
    return refuse(invocation,
                  placeOf(*module, error->at, invocation.value("places")) + error->message);
  }
  const auto& done = std::get<column::PlanResult>(result);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (done.rows[i] < 0) continue;
    printError(fmt::format("{}: {} rows\n", task.outputs[i].name, done.rows[i]));
  }
  return kOk;
}

}  // namespace couler::driver

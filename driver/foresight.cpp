#include "driver/foresight.h"

#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include "driver/program.h"
#include "passes/pass.h"
#include "runtime/engine/preview.h"
#include "runtime/store/history.h"

namespace couler::driver {
namespace {

constexpr std::size_t kMostWorkflows = 4;
constexpr std::uint64_t kMostBytes = 64U << 20;  // read in well under a second

std::string storeAbove(const std::string& path) {
  namespace fs = std::filesystem;
  if (!path.starts_with('/')) return {};
  for (fs::path folder = fs::path(path).parent_path();; folder = folder.parent_path()) {
    std::error_code ignored;
    if (fs::exists(folder / ".couler" / "history.db", ignored)) return (folder / ".couler").string();
    if (folder == folder.parent_path()) return {};
  }
}

/// Workflows that no other calls, in the order of the program.
std::vector<ir::FuncId> entries(const ir::Module& module) {
  if (module.entry.valid()) return {module.entry};
  std::set<ir::FuncId> called;
  for (const ir::Node& node : module.nodes) {
    if (const auto* call = std::get_if<ir::Call>(&node.payload)) called.insert(call->callee);
  }
  std::vector<ir::FuncId> result;
  for (std::size_t i = 0; i < module.funcs.size() && result.size() < kMostWorkflows; ++i) {
    const bool own = module.funcs[i].span.file == FileId{0U};
    if (module.funcs[i].kind == ir::FuncKind::Workflow && own && !called.contains(ir::FuncId{i}))
      result.emplace_back(i);
  }
  return result;
}

/// Those of the last run, and defaults; nothing where there is one without either.
std::optional<Inputs> knownInputs(const ir::Module& module, const std::string& path,
                                  const runtime::History& history) {
  const ir::FuncDef& workflow = module.at(module.entry);
  const auto text = history.lastInputs(path, workflow.name);
  const auto last = nlohmann::json::parse(text ? *text : "{}", nullptr, false);
  Inputs inputs;
  for (const ir::ParamDef& param : workflow.params) {
    const auto given = last.is_object() ? last.find(param.name) : last.end();
    std::string ignored;
    auto value = given == last.end()
                     ? std::nullopt
                     : ir::fromJson(given->dump(), param.type, module.types, ignored);
    if (value) {
      inputs.emplace_back(param.name, std::move(*value));
    } else if (!param.fallback.valid() &&
               module.types.kind(param.type) != ir::TypeKind::Optional) {
      return std::nullopt;
    }
  }
  return inputs;
}

}  // namespace

std::vector<lsp::Forecast> foresee(const std::string& path, const ir::Module& module,
                                   const SourceManager& sources) {
  std::vector<lsp::Forecast> result;
  runtime::RunOptions options;
  options.storeDir = storeAbove(path);
  options.sourcePath = path;
  if (options.storeDir.empty()) return result;
  const auto history = runtime::History::openToRead(options.storeDir);
  if (!history) return result;
  for (const ir::FuncId entry : entries(module)) {
    ir::Module one = module;
    one.entry = entry;
    auto inputs = knownInputs(one, path, *history);
    if (!inputs) continue;
    options.inputs = std::move(*inputs);
    DiagnosticList ignored;
    passes::Context context{ignored, false, &sources};
    if (!passes::runPipeline(one, context, {}).ok || ignored.hasErrors()) continue;
    const auto steps = runtime::glance(one, options, kMostBytes);
    if (!steps) continue;
    lsp::Forecast forecast{module.at(entry).name, {}};
    for (const runtime::ForeseenStep& step : *steps) {
      forecast.steps.push_back({one.at(step.node).span,
                                step.foresight != runtime::Foresight::Reused, step.seconds});
    }
    result.push_back(std::move(forecast));
  }
  return result;
}

}  // namespace couler::driver

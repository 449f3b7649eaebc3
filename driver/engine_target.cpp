#include "driver/engine_target.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "driver/program.h"

namespace couler::driver {
namespace {

std::string engineList() {
  std::string list;
  for (const backends::Backend& backend : backends::backendTable()) {
    list += (list.empty() ? "`" : ", `") + std::string(backend.name) + "`";
  }
  return list;
}

}  // namespace

std::optional<Destination> destination(const std::string& name, const ir::Module& module,
                                       DiagnosticSink& diags) {
  Destination result;
  if (name.empty()) {
    for (const ir::TargetDef& target : module.targets) {
      const auto* backend = backends::findBackend(target.engine);
      if (backend == nullptr) continue;
      if (result.target != nullptr) {
        diags.take(diagnose<Diag::WrongTarget>({}, fmt::format("which target: `{}` or `{}`?",
                                                               result.target->name, target.name))
                       .note("choose with `--target NAME`"));
        return std::nullopt;
      }
      result = {&target, backend};
    }
    if (result.backend != nullptr) return result;
    diags.take(diagnose<Diag::WrongTarget>({}, "the program declares no target to build for")
                   .note("name an engine with `--target`: " + engineList()));
    return std::nullopt;
  }
  result.target = module.findTarget(name);
  const std::string engine = result.target != nullptr ? result.target->engine : name;
  result.backend = backends::findBackend(engine);
  if (result.backend != nullptr) return result;
  if (engine == "local") {
    diags.take(
        diagnose<Diag::WrongTarget>({}, fmt::format("`{}` runs here and needs no manifest", name))
            .note("`couler run` runs it"));
    return std::nullopt;
  }
  std::vector<std::string_view> engines;
  for (const backends::Backend& backend : backends::backendTable()) engines.push_back(backend.name);
  (void)targetNamed(module, name, engines, diags);
  return std::nullopt;
}

bool isElsewhere(const std::string& name, const ir::Module& module) {
  const ir::TargetDef* target = module.findTarget(name);
  return backends::findBackend(target != nullptr ? target->engine : name) != nullptr;
}

passes::Searches searchesOn(const backends::Backend* backend) {
  if (backend == nullptr) return passes::Searches::Points;
  return backend->searches ? passes::Searches::Whole : passes::Searches::Steps;
}

passes::EngineLimits limitsOf(const backends::Backend& backend, const std::string& target,
                              const backends::EmitOptions& given) {
  passes::EngineLimits limits;
  const backends::Limits& of = backend.limits;
  limits.engine = backend.name;
  limits.bytes = of.bytes;
  limits.steps = of.steps;
  limits.templates = of.templates;
  limits.tasks = of.tasks;
  limits.inputs = of.inputs;
  limits.handOver = {of.callBytes, of.giveBytes, of.takeBytes, of.linkBytes, of.linkValues};
  limits.measure = [&backend, target, given](const ir::Module& module)
      -> std::optional<passes::EmittedSizes> {
    backends::EmitOptions options = given;
    options.target = target.empty() ? nullptr : module.findTarget(target);
    auto sizes = backend.measure(module, options);
    if (!sizes) return std::nullopt;
    passes::EmittedSizes result;
    result.ofNode = std::move(sizes->ofNode);
    result.templates = std::move(sizes->templates);
    result.ofTask = std::move(sizes->ofTask);
    result.base = sizes->base;
    result.results = sizes->results;
    for (const backends::Sizes::Document& document : sizes->documents) {
      result.documents.push_back({document.func, document.bytes, document.templates});
    }
    return result;
  };
  return limits;
}

}  // namespace couler::driver

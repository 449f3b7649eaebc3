#include "driver/local_target.h"

#include <fmt/format.h>

#include "driver/program.h"

namespace couler::driver {

runtime::ContainerMode containerMode(std::string_view tool) {
  if (tool == "podman") return runtime::ContainerMode::Podman;
  if (tool == "docker") return runtime::ContainerMode::Docker;
  return runtime::ContainerMode::Host;
}

/// The settings of a `local` target. False and a message when the target is none.
bool applyTarget(const std::string& name, const ir::Module& module, runtime::RunOptions& options,
                 CacheOptions& cache, DiagnosticSink& diags) {
  const ir::TargetDef* target = targetNamed(module, name, {}, diags);
  if (target == nullptr) return false;
  if (target->engine != "local") {
    diags.take(
        diagnose<Diag::WrongTarget>(
            target->span, fmt::format("target `{}` runs on `{}`, not here", name, target->engine))
            .note(fmt::format("`couler build --target {}` makes its manifest", name)));
    return false;
  }
  for (const auto& [key, id] : target->settings) {
    const ir::Value& value = module.at(id);
    if (const auto* jobs = value.as<std::int64_t>(); jobs != nullptr && key == "jobs") {
      options.jobs = static_cast<unsigned>(*jobs);
    } else if (const auto* memory = value.as<ir::Size>(); memory != nullptr && key == "memory") {
      options.memoryBytes = static_cast<std::uint64_t>(memory->bytes);
    } else if (const auto* failFast = value.as<bool>(); failFast != nullptr && key == "fail_fast") {
      options.failFast = *failFast;
    } else if (const auto* text = value.as<std::string>(); text != nullptr && key == "store") {
      options.storeDir = *text;
    } else if (text != nullptr && key == "container") {
      options.container = containerMode(*text);
    }
  }
  return applyCacheSettings(*target, module, cache, diags);
}

}  // namespace couler::driver

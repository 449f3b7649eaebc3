#pragma once

#include <optional>
#include <string>

#include "backends/backend.h"
#include "ir/module.h"
#include "passes/pass.h"
#include "support/diagnostic.h"

namespace couler::driver {

/// An engine elsewhere, and its settings.
struct Destination {
  const ir::TargetDef* target = nullptr;
  const backends::Backend* backend = nullptr;
};

/// The target or engine named; without a name the one target that is not run here.
[[nodiscard]] std::optional<Destination> destination(const std::string& name, const ir::Module& module,
                                                     DiagnosticSink& diags);

/// Whether a target's name, or an engine's, stands for an engine elsewhere.
[[nodiscard]] bool isElsewhere(const std::string& name, const ir::Module& module);

/// What becomes of searches there; `backend` is null for a run here.
[[nodiscard]] passes::Searches searchesOn(const backends::Backend* backend);

/// What `split` needs to know of an engine. `target`: the settings' name, found again in each module measured.
[[nodiscard]] passes::EngineLimits limitsOf(const backends::Backend& backend, const std::string& target,
                                            const backends::EmitOptions& given);

}  // namespace couler::driver

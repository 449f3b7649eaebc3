#pragma once

#include <string>
#include <string_view>

#include "driver/cache_options.h"
#include "ir/module.h"
#include "runtime/engine/engine.h"
#include "support/diagnostic.h"

namespace couler::driver {

[[nodiscard]] runtime::ContainerMode containerMode(std::string_view tool);

/// The settings of a `local` target. False and a message when the target is none.
bool applyTarget(const std::string& name, const ir::Module& module, runtime::RunOptions& options,
                 CacheOptions& cache, DiagnosticSink& diags);

}  // namespace couler::driver

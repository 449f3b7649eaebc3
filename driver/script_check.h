#pragma once

#include "frontend/scripts.h"

namespace couler::driver {

/// Asks `sh -n` and Python's own parser for syntax errors; neither carries anything out. Equal
/// scripts are asked about once. Where a program is absent, late or of another mind about what it
/// prints, it knows nothing.
[[nodiscard]] std::vector<std::optional<ScriptProblem>> checkScripts(
    const std::vector<Script>& scripts);

}  // namespace couler::driver

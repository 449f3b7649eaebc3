#pragma once

#include <optional>
#include <string_view>

#include "frontend/sema/program.h"
#include "ir/module.h"
#include "support/diagnostic.h"

namespace couler {

/// The graph of a checked program. Pre: `program` was checked without errors. Lowers every task,
/// fn, workflow, target and test that the root file declares or reaches; `entry` as in
/// Session::lower. Nothing after an error (a constant expression that fails, no entry, …).
[[nodiscard]] std::optional<ir::Module> lowerProgram(const SourceManager& sources,
                                                     const sema::Program& program,
                                                     std::string_view entry, bool needEntry,
                                                     DiagnosticSink& diags);

}  // namespace couler

#pragma once

#include <string>
#include <vector>

#include "ir/module.h"
#include "lsp/forecast.h"

namespace couler::driver {

/// What `couler plan` would say of the program's workflows, from the store that is nearest: `.couler`
/// in the program's folder, or in one above. Of those that no other workflow calls, and whose inputs
/// are known: they have defaults, or values from the last run.
[[nodiscard]] std::vector<lsp::Forecast> foresee(const std::string& path, const ir::Module& module,
                                                const SourceManager& sources);

}  // namespace couler::driver

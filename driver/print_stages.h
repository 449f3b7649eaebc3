#pragma once

#include <string>

#include "frontend/sema/program.h"
#include "support/source.h"

namespace couler::driver {

/// `--print types`: every name that the program's own files declare, with its type and the phase in
/// which its value is known, in order of place.
[[nodiscard]] std::string typesText(const SourceManager& sources, const sema::Program& program);

}  // namespace couler::driver

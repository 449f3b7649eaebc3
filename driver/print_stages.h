#pragma once

#include <string>

#include "frontend/sema/program.h"
#include "frontend/syntax/tree.h"
#include "support/source.h"

namespace couler::driver {

/// `--print syntax`: the declarations of a tree and all that is in them, one node a line, indented,
/// each with its place.
[[nodiscard]] std::string syntaxText(const SourceManager& sources, const syntax::Tree& tree);

/// `--print types`: every name that the program's own files declare, with its type and the phase in
/// which its value is known, in order of place.
[[nodiscard]] std::string typesText(const SourceManager& sources, const sema::Program& program);

}  // namespace couler::driver

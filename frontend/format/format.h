#pragma once

#include <string>

#include "frontend/syntax/tree.h"

namespace couler {

/// The one layout of a program: 4 spaces, 100 columns, comments kept where they were, one blank
/// line between declarations. `format(parse(format(x))) == format(x)`, and the tree is that of `x`.
/// Pre: `tree` parsed without errors.
[[nodiscard]] std::string formatTree(const SourceManager& sources, const syntax::Tree& tree);

}  // namespace couler

#pragma once

#include "lsp/protocol/convert.h"

namespace couler::lsp {

/// Changes that keep what a program means, for what is selected: `extract into a let`, `make a
/// parameter`, `inline`. Adds code actions to `actions`.
void addRefactorings(const View& view, std::uint32_t from, std::uint32_t to, Json& actions);

}  // namespace couler::lsp

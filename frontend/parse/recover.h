#pragma once

#include <cstddef>
#include <vector>

#include "frontend/parse/token.h"

namespace couler::parse {

/// Replaces the smallest statement, item or parameter round token `at` by `Bad`, keeping a name
/// that it gives (`let x = Bad`, `depth: Bad`), so that the rest of the declaration can be read and
/// the name is known. Docs move with their tokens. False when there is nothing smaller than the
/// whole declaration, or when that was replaced before.
bool replaceUnit(std::vector<Tok>& tokens, std::vector<DocRun>& docs, std::size_t at);

}  // namespace couler::parse

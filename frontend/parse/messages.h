#pragma once

#include <vector>

#include "frontend/parse/error_log.h"
#include "frontend/parse/slice_parser.h"
#include "frontend/parse/token.h"

namespace couler::parse {

/// A failure of the parser in our words. It stands at the end of the token before the hole, where
/// something is missing, and at the token itself, where something is too much.
[[nodiscard]] Diagnostic explain(const Failure& failure, const std::vector<Tok>& tokens,
                                 const ErrorLog& log, std::uint32_t maxDepth);

}  // namespace couler::parse

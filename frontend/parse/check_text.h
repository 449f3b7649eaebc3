#pragma once

#include <cstdint>
#include <optional>

#include "frontend/parse/error_log.h"
#include "frontend/parse/parse.h"

namespace couler::parse {

/// What can be said about a text before it is read: its size, its lines, its encoding, and that it
/// is no Common Workflow Language document. The byte at which the program begins (after a byte
/// order mark), or nothing when it must not be read. O(bytes).
[[nodiscard]] std::optional<std::uint32_t> checkText(ErrorLog& log, const ParseLimits& limits);

}  // namespace couler::parse

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "frontend/parse/error_log.h"
#include "frontend/parse/token.h"

namespace couler::parse {

/// What does not match among the brackets of a declaration.
struct BracketFaults {
  std::vector<bool> unclosed;         ///< by token: an opening bracket that nothing closes
  std::vector<bool> stray;            ///< by token: a closing bracket that closes nothing
  std::vector<std::uint32_t> latest;  ///< by token: an unclosed one ends before this token
  [[nodiscard]] bool any() const { return !unclosed.empty(); }
};

/// Reports what does not match. Where several brackets could be the one that is missing its mate,
/// indentation and words that only begin statements decide. O(tokens), no recursion.
[[nodiscard]] BracketFaults matchBrackets(const std::vector<Tok>& tokens, ErrorLog& log);

}  // namespace couler::parse

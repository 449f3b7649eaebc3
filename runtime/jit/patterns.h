#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What of a regular expression (RE2's syntax) is plain text.
namespace couler::jit {

inline constexpr std::size_t kInlineText =
    32;  ///< bytes of a literal searched for by code of its own

/// A regular expression that is plain text, maybe anchored.
struct PlainPattern {
  std::string text;
  bool fromStart = false;
  bool toEnd = false;
};
/// The alternatives of a pattern that has nothing but plain ones.
[[nodiscard]] std::optional<std::vector<PlainPattern>> plainAlternatives(std::string_view pattern);
/// A text that whatever matches a valid pattern contains; empty: none is known.
[[nodiscard]] std::string requiredText(std::string_view pattern);

}  // namespace couler::jit

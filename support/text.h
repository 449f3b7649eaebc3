#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace couler {

/// Offset of the first byte that is not well-formed UTF-8 (no surrogates, no overlong forms), or
/// nothing. O(bytes).
[[nodiscard]] std::optional<std::size_t> findInvalidUtf8(std::string_view text);

/// The candidate nearest to `word`, where it is near enough to be a slip of the pen:
/// Damerau–Levenshtein distance (optimal string alignment) at most 1 up to 4 letters, 2 up to 8, 3
/// above; equal but for case counts as 1. Ties go to the earlier candidate.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 const std::vector<std::string_view>& candidates);

/// `text` as a JSON string literal, quotes included; non-ASCII stays UTF-8.
[[nodiscard]] std::string jsonQuote(std::string_view text);

/// `3 things`, `1 thing`.
[[nodiscard]] std::string countOf(std::size_t n, std::string_view singular);

/// Seconds as people read them: `340 ms`, `12.3 s`, `4 min 10 s`, `2 h 5 min`.
[[nodiscard]] std::string humanSeconds(double seconds);
/// Bytes in binary units: `512 B`, `1.5 MiB`.
[[nodiscard]] std::string humanBytes(std::uint64_t bytes);

}  // namespace couler

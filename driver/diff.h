#pragma once

#include <string>
#include <string_view>

namespace couler::driver {

/// A unified diff with three lines of context; empty when the texts are equal. Myers' algorithm
/// ("An O(ND) Difference Algorithm", 1986); beyond 2,000 differences one block replaces the rest.
[[nodiscard]] std::string unifiedDiff(const std::string& name, std::string_view before,
                                      std::string_view after);

}  // namespace couler::driver

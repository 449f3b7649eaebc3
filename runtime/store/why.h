#pragma once

#include <string>
#include <vector>

#include "runtime/store/history.h"

namespace couler::runtime {

/// What differs between two keys, one line each, in the order of the new one's parts.
[[nodiscard]] std::vector<std::string> describeChanges(const std::vector<KeyPart>& was,
                                                       const std::vector<KeyPart>& is);
/// The one change that says most, for a line: "its script changed", "it reads `raw.csv`, whose
/// content changed", "`rate` changed from 0.5 to 0.7"; and how many more there are. Empty when
/// nothing differs.
[[nodiscard]] std::string smallestReason(const std::vector<KeyPart>& was,
                                         const std::vector<KeyPart>& is);

}  // namespace couler::runtime

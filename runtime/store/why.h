#pragma once

#include <string>
#include <vector>

#include "runtime/store/history.h"

namespace couler::runtime {

/// What differs between two keys, one line each, in the order of the new one's parts.
[[nodiscard]] std::vector<std::string> describeChanges(const std::vector<KeyPart>& was,
                                                       const std::vector<KeyPart>& is);

}  // namespace couler::runtime

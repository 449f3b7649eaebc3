#pragma once

#include <utility>
#include <vector>

#include "ir/module.h"

namespace couler::passes {

/// Makes one of equal steps in bodies of `if` and `try` that are apart, below the body `root`.
/// Appends each that went with the one that stays. O((V + E) log V) and what bodies nest.
bool mergeAcross(ir::Module& module, ir::RegionId root,
                 std::vector<std::pair<ir::NodeId, ir::NodeId>>& merged);

}  // namespace couler::passes

#pragma once

#include <string>
#include <vector>

#include "ir/module.h"

namespace couler::ir {

/// Everything that must hold of a module and does not: ids in range, each operand visible and
/// before its use, operand counts and types as the payload wants them, regions owned once, step
/// names unique within their region, names and types of task regions. Empty: it holds. O(nodes +
/// edges).
[[nodiscard]] std::vector<std::string> verify(const Module& module);

}  // namespace couler::ir

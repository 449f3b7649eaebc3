#pragma once

#include "ir/module.h"
#include "runtime/column/checks.h"

namespace couler::column {

/// Works out from a condition on rows whether it is a range of the check's column, as `x in 0..100`
/// and `x >= 0.0 and x < 1.0` are, or a list of its values: what breaks it then has a name.
void tellKind(const ir::Module& module, ir::NodeId condition, Check& check);

}  // namespace couler::column

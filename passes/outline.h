#pragma once

#include <cstdint>
#include <vector>

#include "ir/module.h"

namespace couler::passes {

/// Moves nodes of the entry's body into workflows of their own (FuncDef::isPart), which the entry then calls.
/// `part`: by node of the module, the part it goes to or `kParent`; of nodes of the entry's body alone, where
/// constants and fields are copied to whoever uses them, whatever stands for them. Pre: no way leads out of a part
/// and in again. What a part takes are parameters: the whole result of each part that it takes something of, and
/// each other value; what it gives is a record. A step that comes `after` one of another part waits for all of
/// that part. Nodes keep their ids and names. Gives the parts' functions. O((V + E) log V).
std::vector<ir::FuncId> outline(ir::Module& module, const std::vector<std::uint32_t>& part,
                                std::uint32_t parts);

/// Whether a node is copied to whoever uses it: a constant, or a field of something.
[[nodiscard]] bool isCopied(const ir::Node& node);

}  // namespace couler::passes

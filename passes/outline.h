#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/module.h"

namespace couler::passes {

/// Moves nodes of a body into workflows, parts or groups (FuncDef::outlined), named after `name`,
/// which the body then calls. `part`: by node of the module, the part it goes to or `kParent`; of
/// nodes of that body alone, where constants and fields are copied to whoever uses them, whatever
/// stands for them. Pre: no way leads out of a part and in again. What a part takes are parameters:
/// the whole result of each part that it takes something of, and each other value; a group takes
/// files by themselves, and the whole result of a part from the body of another. What it gives is a
/// record. A step that comes `after` one of another part waits for all of that part. Nodes keep
/// their ids and names. Gives the parts' functions. O((V + E) log V).
std::vector<ir::FuncId> outline(ir::Module& module, ir::RegionId body, const std::string& name,
                                const std::vector<std::uint32_t>& part, std::uint32_t parts,
                                ir::Outlined into = ir::Outlined::Part);

/// By node: the lists of a body that are made item by item, and only taken as a whole. `outline`
/// makes what items of one part follow each other a list there, so that one value goes from part to
/// part for many.
[[nodiscard]] std::vector<bool> wholeLists(const ir::Module& module, ir::RegionId body);

/// The name of a node in what is made of it: its own, or that of what it runs.
[[nodiscard]] std::string labelOf(const ir::Module& module, ir::NodeId id);

/// Whether a node is copied to whoever uses it: a constant, or a field of something.
[[nodiscard]] bool isCopied(const ir::Node& node);

}  // namespace couler::passes

#pragma once

#include <functional>
#include <vector>

#include "ir/module.h"

namespace couler::passes {

/// The bodies and functions that hold a node of some kind, in themselves, in what they own or in
/// what they call.
struct Holders {
  std::vector<bool> regions;  ///< by id, as `funcs`
  std::vector<bool> funcs;
};

/// O(nodes + calls).
[[nodiscard]] Holders findHolders(const ir::Module& module,
                                  const std::function<bool(const ir::Node&)>& is);

}  // namespace couler::passes

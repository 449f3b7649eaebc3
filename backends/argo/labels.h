#pragma once

#include <map>
#include <string_view>

#include "ir/module.h"

/// What tasks are called, before names are made labels of Kubernetes that differ.
namespace couler::backends::argo {

/// A node's own name, or that of what it runs. An `if`, `try`, `for` or `loop` without one has that
/// of the step in it, or what the names of its steps begin with, if that tells it from others of an
/// unrolled loop (`trial.3` of `trial.3.fitted` and `trial.3.judged`). O(nodes inside).
[[nodiscard]] std::string_view nameOf(const ir::Module& module, ir::NodeId id);

/// Whether there is an index in a name: an unrolled loop made others like it.
[[nodiscard]] bool isUnrolled(std::string_view name);

/// The last part of a step's path that is no index: `fitted` of `trial.3.fitted.0`.
[[nodiscard]] std::string_view lastPart(std::string_view path);

/// The names of a body's tasks. In the bodies of a node that was unrolled they are last parts,
/// where these differ, so that the bodies of all that it was unrolled to are the same.
class BodyNames {
 public:
  BodyNames(const ir::Module& module, ir::RegionId body);
  [[nodiscard]] std::string_view of(ir::NodeId id) const;

 private:
  const ir::Module& module_;
  bool short_ = false;
  std::map<std::string_view, int> times_;  ///< by last part
};

}  // namespace couler::backends::argo

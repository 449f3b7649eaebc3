#pragma once

#include <vector>

#include "runtime/jit/program.h"

namespace couler::jit {

/// A program's work as loops over the rows of a batch. What a loop computes is either all light,
/// and then the loop is vectorised, or has branches and calls.
struct Schedule {
  struct FilterLoop {
    bool vector = false;
    std::vector<std::uint32_t> steps;
    std::vector<ExprId> spills;  ///< heavy values that later loops use, for the rows kept
  };
  struct ProjectLoop {
    std::vector<std::uint32_t> outputs;
    std::vector<ExprId> checks;
  };
  std::vector<FilterLoop> filters;
  ProjectLoop vector;
  ProjectLoop scalar;
};
[[nodiscard]] Schedule scheduleOf(const Program& program);

/// Whether operand `i` matters only for some values of those before it.
[[nodiscard]] bool isLazy(const Expr& expr, std::size_t i);

}  // namespace couler::jit

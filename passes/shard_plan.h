#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "ir/module.h"

/// Which part of a step's plan can be done for ranges of a file one by one.
namespace couler::passes {

/// A step over a file of rows as two tasks: `part` over a range of the file, `combine` over the list
/// of what the parts make and whatever else the plan needs.
struct Split {
  ir::TaskId part, combine;
  std::size_t file = 0;                 ///< which parameter of the task is cut
  std::vector<std::size_t> inPart;      ///< parameters of the task that are the first of `part`,
                                        ///< before the range and its digest
  std::vector<std::size_t> inCombine;   ///< parameters of the task that follow the list
  bool addsUp = false;                  ///< a part makes a row a group, not a row a row
  std::string eachDoes, restDoes;       ///< "read, filter, group"
};

/// The type of what `couler exec --cut` gives for each range: (at: fileRangeType, digest: string).
[[nodiscard]] ir::TypeId rangeItemType(ir::TypeTable& types);

/// Splits the plan of a task over tables, and adds the two tasks to the module. Nothing where that
/// cannot be: `why` says so in words that follow "runs as a whole: ", or is empty where it reads no
/// file. What the plan makes is the same to the byte, whatever the ranges.
[[nodiscard]] std::optional<Split> splitPlan(ir::Module& module, ir::TaskId task, std::string& why);

}  // namespace couler::passes

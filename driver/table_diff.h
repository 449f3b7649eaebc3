#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/value.h"

namespace couler::driver {

/// Two lists of records, row by row and column by column: a line a row, those that differ marked,
/// with `found -> expected` in the cells that do. Nothing where one is no list of records (two empty
/// lists are equal, so they never come here). Shows the first 20 rows that differ, with the row
/// before each.
[[nodiscard]] std::optional<std::vector<std::string>> tableDiff(const ir::Value& found,
                                                                const ir::Value& expected);

}  // namespace couler::driver

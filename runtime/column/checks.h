#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/column/kernel.h"
#include "runtime/column/stream.h"

/// The constraints of a schema, checked on the rows of a read.
namespace couler::column {

struct Check {
  std::string column;
  std::string rule;     ///< as written
  bool unique = false;  ///< no two rows have the same value there; none is like no other
  bool listed = false;  ///< the condition lists the values of the column
  /// Where the condition is a range of the column: its ends. Infinite: it has none.
  std::optional<std::pair<double, double>> range;
};

/// `kernel` gives a bool column a check (true where none of its operands is known to break it).
/// Rows that break one are counted in `log`, then, by `onBad`, dropped, kept or an error, which
/// comes when the whole input has been looked at. Memory of a unique column: O(values).
[[nodiscard]] std::unique_ptr<Source> checkRows(std::unique_ptr<Source> in,
                                                std::unique_ptr<Kernel> kernel,
                                                std::vector<Check> checks, ir::BadRows onBad,
                                                std::string file, AnomalyLog& log);

}  // namespace couler::column

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "ir/builtins.h"
#include "runtime/column/batch.h"
#include "runtime/column/kernel.h"
#include "runtime/column/library/parquet_file.h"

/// The part of a plan's filters that a reader can decide by itself: comparisons of a column with a
/// constant, which have a result for every row.
namespace couler::column {

struct Condition {
  std::size_t field = 0;
  ir::Builtin op{};  ///< Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual
  /// Int, Timestamp, Duration and Size as the first; Enum: the case's index.
  std::variant<std::int64_t, double, std::string> constant;
  /// Rows without a value there stay: the filter, or what it looks at later, may want them.
  bool keepsNone = false;
};

/// All conditions hold for each row that the filters keep, and for each row that they fail on.
struct Predicate {
  std::vector<Condition> conditions;
  /// Fields that the conditions look at, by field.
  [[nodiscard]] std::vector<bool> fields(std::size_t count) const;
};

/// The comparisons that `plan`'s first filters begin with, up to one that may lack a result for a
/// row, or have an error there: from there on, no row may be left out.
[[nodiscard]] Predicate predicateOf(const RowPlan& plan);

/// The rows of a batch for which all conditions hold, in their order. Cost: about 1 ns a row and
/// condition.
void pickRows(const Predicate& predicate, const Schema& schema, const Batch& batch,
              std::vector<std::int32_t>& picked);

/// Whether no row of the part can meet the condition.
[[nodiscard]] bool excludes(const Condition& condition, const ValueRange& range);

}  // namespace couler::column

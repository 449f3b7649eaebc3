#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "runtime/column/operators.h"
#include "runtime/column/row_store.h"

/// Aggregates of many groups at once.
namespace couler::column {

/// Where rows of a batch belong.
struct RowGroups {
  Selection rows;
  std::span<const std::uint32_t> of;  ///< by row selected; GroupTable::kNone: left out
  std::size_t count = 0;              ///< of groups so far
  bool whole = true;                  ///< no row is left out
};

/// One aggregate, with a state for each group.
class AggregateColumn {
 public:
  virtual ~AggregateColumn() = default;
  /// Adds a batch's cells. False at a row that cannot be added (overflow).
  virtual bool add(const Column& column, const RowGroups& groups, RowError& error) = 0;
  /// The results of the groups first to first + count, as a column of the output.
  [[nodiscard]] virtual Column finish(std::size_t first, std::size_t count) const = 0;
  [[nodiscard]] virtual std::size_t bytes() const = 0;
};

/// `input`: the column aggregated (for AggCount one that is not looked at); `output`: of the result.
[[nodiscard]] std::unique_ptr<AggregateColumn> makeAggregate(const AggregateSpec& spec,
                                                             const Field& input,
                                                             const Field& output);

}  // namespace couler::column

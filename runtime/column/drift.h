#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "ir/drift.h"
#include "runtime/column/stream.h"

namespace couler::column {

/// Opens a table from its start, with those of its columns for which `wanted` is true, by the
/// table's fields (empty: all). Null and an error where it cannot be.
using TableOpener =
    std::function<std::unique_ptr<Source>(std::vector<bool> wanted, StreamError& error)>;

/// The drift between two tables, the same to the bit as ir::driftOf of their rows. Goes over each
/// twice where there are numbers: for their ranges, then for how many are where. Memory: what
/// columns of texts have of different values, of which at most 2^20 a column are told apart; beyond,
/// what is frequent stands for itself and the rest for one value, so that the distance is a lower
/// bound.
[[nodiscard]] std::variant<ir::Value, StreamError> driftOfTables(
    const TableOpener& recent, const TableOpener& before, const std::vector<std::string>& names,
    const std::vector<bool>& numeric);
/// The same, column by column.
[[nodiscard]] std::variant<std::vector<ir::ColumnDrift>, StreamError> driftOfColumns(
    const TableOpener& recent, const TableOpener& before, const std::vector<std::string>& names,
    const std::vector<bool>& numeric);

}  // namespace couler::column

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ir/module.h"
#include "runtime/column/kernel.h"
#include "runtime/column/stream.h"

/// Operators over streams of rows (docs/tables.md). Each means what ir/eval_rows.cpp says of it.
/// Those that must see many rows before they give one keep them in memory up to a limit and the
/// rest in files.
namespace couler::column {

/// What an operator may hold at once.
struct Limits {
  std::size_t memory = std::size_t{1} << 30;  ///< bytes, for each operator
  std::string folder;                         ///< for files; exists; each operator names its own
  std::uint64_t hashMask = ~std::uint64_t{0};  ///< the bits of hashes that count; for tests
  std::size_t threads = 1;                    ///< for each operator; the rows are the same
};

/// As many kernels as there are threads, all of one plan.
using Kernels = std::vector<std::unique_ptr<Kernel>>;

/// Rows passed through a kernel. `name` says where an error was: "clean, row 17: …".
[[nodiscard]] std::unique_ptr<Source> mapRows(std::unique_ptr<Source> in, Kernels kernels,
                                              Schema out, const std::string& name);
/// The columns `kept` of each row, then those that the kernel makes of it, which must not drop any.
[[nodiscard]] std::unique_ptr<Source> withKeys(std::unique_ptr<Source> in, Kernels kernels,
                                               const Schema& keys,
                                               const std::vector<std::uint32_t>& kept,
                                               const std::string& name);
/// Rows of `out` of which `in` has the columns `places`, in that order; the others are not there.
[[nodiscard]] std::unique_ptr<Source> placeColumns(std::unique_ptr<Source> in, Schema out,
                                                   std::vector<std::uint32_t> places);

struct AggregateSpec {
  ir::Builtin op{};     ///< AggSumInt, …
  double quantile = 0;  ///< AggQuantile
  Span at{};            ///< of its node
};
/// `in`: `keys` key columns, then a column an aggregate. Groups in the order of their first rows.
/// Cost: O(rows); memory O(groups).
[[nodiscard]] std::unique_ptr<Source> groupRows(std::unique_ptr<Source> in, std::size_t keys,
                                                std::vector<AggregateSpec> aggregates, Schema out,
                                                const Limits& limits, std::string name);
/// Rows that differ from all before them.
[[nodiscard]] std::unique_ptr<Source> distinctRows(std::unique_ptr<Source> in,
                                                   const Limits& limits, std::string name);
/// `in`: the columns of `out`, then `keys` keys. Stable. Cost: O(rows log rows); memory O(rows).
[[nodiscard]] std::unique_ptr<Source> sortRows(std::unique_ptr<Source> in, std::size_t keys,
                                               std::uint32_t descending, Schema out,
                                               const Limits& limits, std::string name);
/// The rows of the tables at `paths`, one after the other; each is opened when its rows are wanted.
[[nodiscard]] std::unique_ptr<Source> concatRows(
    Schema schema, std::vector<std::string> paths,
    std::function<std::unique_ptr<Source>(const std::string& path, StreamError& error)> open);
[[nodiscard]] std::unique_ptr<Source> limitRows(std::unique_ptr<Source> in, std::int64_t rows);
/// `left`, `right`: their columns, then `keys` keys each. In the order of the left rows, then of the
/// right ones. Cost: O(left + right + matches); memory O(right).
[[nodiscard]] std::unique_ptr<Source> joinRows(std::unique_ptr<Source> left,
                                               std::unique_ptr<Source> right, std::size_t keys,
                                               ir::JoinKind kind, Schema out, const Limits& limits,
                                               std::string name);

}  // namespace couler::column

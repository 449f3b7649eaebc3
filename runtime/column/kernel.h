#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/eval.h"
#include "ir/module.h"
#include "runtime/column/batch.h"
#include "runtime/column/stream.h"

/// Row expressions over batches: filters and maps one after the other, in one pass over the rows.
namespace couler::column {

/// What a kernel computes. For each row of the input: pass the stages, which may drop it or make
/// another row of it; then give the row itself or the results of a body for it.
struct RowPlan {
  const ir::Module* module = nullptr;
  Schema input;
  std::vector<ir::NodeId> stages;  ///< `Rows` nodes, each a Filter or a Map, in order
  /// The body whose results are the output's columns (the keys of a sort; keys and aggregated
  /// values of a group; constraints of a read); invalid: the row as the stages leave it.
  ir::RegionId results;
  std::uint32_t firstResult = 0;  ///< of `results`: those from here on,
  std::uint32_t resultCount = 0;  ///< so many
  std::uint32_t rowParam = 0;     ///< which parameter of `results` the row is (1: a join's right)
  Schema output;
  /// Values of nodes outside of the bodies: the plan's scalar parameters.
  std::vector<std::pair<ir::NodeId, ir::Value>> outer;
};

/// An expression without a value (overflow, division by zero, …) for a row.
struct RowError {
  std::int64_t row = 0;  ///< in its source, from 0
  std::string message;   ///< lower case, no full stop
  Span at;
  std::string where{};   ///< the operator of the plan, by its name; empty: it has none
};

/// "tidy, row 3: division by zero"; `where` for an error that does not say it itself.
[[nodiscard]] StreamError rowError(std::string_view where, std::int64_t row,
                                   const RowError& error);

class Kernel {
 public:
  virtual ~Kernel() = default;
  /// Computes `out` (columns of RowPlan::output; `rowIds`/`firstRow` of the rows kept). False when
  /// a row has an error: the first such row, all earlier ones being fine. The buffers of `out` may
  /// be those of `in`, where a column passes unchanged and no row was dropped.
  virtual bool run(const Batch& in, Batch& out, RowError& error) = 0;
};

/// Every expression, a row at a time, by the evaluator of ir/: about 1 us an operation.
[[nodiscard]] std::unique_ptr<Kernel> evaluatorKernel(RowPlan plan);

/// Columns of `plan.input` that the plan looks at, by field: what a reader need not read is false.
/// `wanted`: the columns looked at of a row that passes as it is; empty: all.
[[nodiscard]] std::vector<bool> columnsUsed(const RowPlan& plan, std::vector<bool> wanted = {});

}  // namespace couler::column

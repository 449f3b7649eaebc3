#pragma once

#include <optional>
#include <unordered_set>
#include <vector>

#include "ir/eval.h"

/// What the rows of a group come to. Private to ir/.
namespace couler::ir::eval {

/// One aggregate (`AggSumInt`, …) of one group. Nones are left out.
class Aggregate {
 public:
  /// `quantile`: which, from 0 to 1, for AggQuantile.
  explicit Aggregate(Builtin op, double quantile = 0) : op_(op), quantile_(quantile) {}
  /// An error (overflow), or nothing.
  std::optional<EvalError> add(const Value& value, Span at);
  [[nodiscard]] Value finish() const;

 private:
  struct Hash {
    std::size_t operator()(const Value& value) const { return hashOf(value); }
  };
  Builtin op_;
  double quantile_;
  std::int64_t count_ = 0;
  Value state_;  ///< the sum, the least, the first, … so far
  double mean_ = 0;
  double squares_ = 0;  ///< of the distances from the mean: Welford, The Art of Computer
                        ///< Programming, volume 2, section 4.2.2
  std::vector<double> values_;
  std::unordered_set<Value, Hash> distinct_;
};

/// The quantile of values in any order, between two of them by linear interpolation (Hyndman and
/// Fan's type 7, as numpy and pandas have it). NaN if one is. Pre: there are values.
[[nodiscard]] double quantileOf(std::vector<double> values, double q);

}  // namespace couler::ir::eval

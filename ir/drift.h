#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/types.h"
#include "ir/value.h"

/// How far the columns of two tables are apart, as TensorFlow Data Validation measures drift
/// (anomalies/metrics.cc of tensorflow/data-validation). Missing values count for nothing.
namespace couler::ir {

/// A column of texts, bools or enum cases: how often each value comes.
using Categories = std::map<std::string, std::int64_t>;

/// A column of numbers in ten buckets of equal width, made in two passes: `widen` with every value,
/// then `count` with every value.
class NumberBuckets {
 public:
  static constexpr std::size_t kBuckets = 10;
  struct Bucket {
    double low;
    double high;  ///< equal to `low`: all values there are the same
    std::int64_t count;
  };

  void widen(double x);
  void count(double x);
  /// Of finite values, those of width zero alone where all are equal.
  [[nodiscard]] std::vector<Bucket> buckets() const;
  [[nodiscard]] std::int64_t finite() const { return finite_; }
  [[nodiscard]] std::int64_t nan() const { return nan_; }
  [[nodiscard]] std::int64_t infinite() const { return infinite_; }
  [[nodiscard]] std::int64_t total() const { return finite_ + nan_ + infinite_; }

 private:
  [[nodiscard]] double edge(std::size_t i) const;
  double low_ = 0, high_ = 0;
  std::int64_t finite_ = 0, nan_ = 0, infinite_ = 0;
  std::array<std::int64_t, kBuckets> counts_{};
};

/// max over v of |n_a(v)/N_a - n_b(v)/N_b|. Of nothing and nothing 0, of nothing and something 1.
[[nodiscard]] double chebyshev(const Categories& a, const Categories& b);
/// The Jensen-Shannon divergence to the base 2, from 0 to 1: half of KL(P|M) and half of KL(Q|M)
/// with M = (P+Q)/2. Of nothing and nothing 0, of nothing and something 1.
[[nodiscard]] double jensenShannon(const Categories& a, const Categories& b);
/// The same over the union of the buckets' ends, each bucket's mass spread evenly in it; buckets of
/// no width are matched with their like alone, and NaN and infinite values with nothing.
[[nodiscard]] double jensenShannon(const NumberBuckets& a, const NumberBuckets& b);

struct ColumnDrift {
  std::string column;
  std::optional<double> linf;  ///< none of numbers
  double jsd = 0;
};
/// What `drift(…)` gives: `linf`, `jsd`: the greatest of all columns; `column`: the one that has the
/// greatest of either; `columns`.
[[nodiscard]] TypeId driftType(TypeTable& types);
[[nodiscard]] Value driftValue(const std::vector<ColumnDrift>& columns);

/// How drift sees a column of that type, optional or not.
enum class DriftKind : std::uint8_t { None, Category, Number };
[[nodiscard]] DriftKind driftKind(const TypeTable& types, TypeId column);

/// The drift between two lists of records; columns by name, and whether each is of numbers.
[[nodiscard]] Value driftOf(const ListItems& recent, const ListItems& before,
                            const std::vector<std::string>& names,
                            const std::vector<bool>& numeric);
/// A number, timestamp, duration or size as drift sees it.
[[nodiscard]] double driftNumber(const Value& value);

}  // namespace couler::ir

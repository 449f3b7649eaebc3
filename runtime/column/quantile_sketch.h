#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace couler::column {

/// Quantiles of a stream of numbers in bounded memory: the sketch of Karnin, Lang and Liberty,
/// "Optimal Quantile Approximation in Streams" (FOCS 2016). Exact for up to kExact values; beyond,
/// the rank of an answer is off by at most 0.01 of the count (by about 0.003 with a probability of
/// 99 %). The coin is a generator of fixed seed: equal streams give equal answers. About 50 KB.
class QuantileSketch {
 public:
  static constexpr std::size_t kExact = 2048;

  /// No NaN. O(1) each, amortised.
  void add(const double* values, std::size_t count);
  void merge(const QuantileSketch& other);
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] bool exact() const { return levels_.size() == 1; }

  /// What the sketch knows, sorted. O(size log size) to make.
  class View {
   public:
    /// The value below or at which `q` (0 to 1) of all are, between neighbours in proportion, as
    /// numpy's `quantile`. pre: the sketch has values.
    [[nodiscard]] double quantile(double q) const;
    /// How many are below `x`.
    [[nodiscard]] double below(double x) const;
    [[nodiscard]] bool empty() const { return values_.empty(); }

   private:
    friend class QuantileSketch;
    std::vector<double> values_;
    std::vector<std::int64_t> upTo_;  ///< how many are at or before values_[i]
  };
  [[nodiscard]] View view() const;

 private:
  void setDepth(std::size_t levels);
  void compress();
  [[nodiscard]] bool coin();

  std::vector<std::vector<double>> levels_ = std::vector<std::vector<double>>(1);
  std::vector<std::size_t> capacities_ = {kExact};  ///< by level
  std::int64_t count_ = 0;
  std::uint64_t random_ = 0x9E3779B97F4A7C15U;
};

}  // namespace couler::column

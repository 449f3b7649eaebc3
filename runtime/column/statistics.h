#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/column/batch.h"
#include "runtime/column/distinct_count.h"
#include "runtime/column/quantile_sketch.h"
#include "runtime/column/value_counts.h"

/// What the columns of a table hold, gathered in one pass and bounded memory (about 100 KB a column
/// of numbers, at most 5 MB one of texts): the statistics of TensorFlow Data Validation.
namespace couler::column {

inline constexpr std::size_t kBuckets = 10;
inline constexpr std::size_t kTop = 20;

/// From `low` to `high`: at `low` or above and below `high`, the last with `high`.
struct Bucket {
  double low = 0;
  double high = 0;
  double count = 0;
};

/// Of numbers, timestamps, durations (both in microseconds since 1970, or of them) and sizes
/// (bytes): the finite ones, if there are any.
struct NumberSummary {
  std::int64_t finite = 0;
  std::int64_t zeros = 0;
  std::int64_t nan = 0;
  std::int64_t infinite = 0;
  double mean = 0;
  double deviation = 0;  ///< of a sample; 0 for one value
  double min = 0;
  double median = 0;
  double max = 0;
  std::int64_t leastInt = 0;  ///< `min` and `max` exactly, where the column is not of floats
  std::int64_t greatestInt = 0;
  bool exact = true;  ///< else the median and all buckets are within 0.01 of the count
  std::vector<Bucket> widths;     ///< of equal width; one where all values are equal
  std::vector<Bucket> quantiles;  ///< of equal count
};

struct TextSummary {
  double meanLength = 0;  ///< in code points
  std::int64_t shortest = 0;  ///< bytes
  std::int64_t longest = 0;
  std::vector<std::pair<std::string, std::int64_t>> top;  ///< the most frequent first
  std::int64_t error = 0;  ///< the counts of `top` are too low by at most that
};

struct ColumnSummary {
  std::string name;
  Kind kind = Kind::Int;
  std::int64_t present = 0;
  std::int64_t missing = 0;
  std::int64_t distinct = 0;
  bool distinctExact = true;  ///< else an estimate with a standard error of 0.8 %
  std::int64_t trues = 0;     ///< Bool
  NumberSummary numbers;      ///< of kinds that are numbers in memory, but not Bool and Enum
  TextSummary texts;          ///< String and Enum
};

/// Whether a column of that kind has a NumberSummary.
[[nodiscard]] bool isNumeric(Kind kind);
[[nodiscard]] bool isTextual(Kind kind);

class ColumnStatistics {
 public:
  explicit ColumnStatistics(Field field);
  void add(const Column& column, std::int64_t rows);
  /// As if all that `other` was given had been given to this, too. pre: of the same field.
  void merge(const ColumnStatistics& other);
  [[nodiscard]] ColumnSummary summary() const;
  [[nodiscard]] const Field& field() const { return field_; }
  [[nodiscard]] std::int64_t present() const { return present_; }
  [[nodiscard]] std::int64_t missing() const { return missing_; }
  [[nodiscard]] const ValueCounts& texts() const { return texts_; }

 private:
  template <class T>
  void addNumbers(const T* values, const std::uint8_t* valid, std::int64_t rows);
  void addMoments(const double* values, std::size_t count);
  void mergeMoments(std::int64_t count, double mean, double squares);
  [[nodiscard]] NumberSummary numbers() const;

  Field field_;
  std::int64_t present_ = 0;
  std::int64_t missing_ = 0;
  std::int64_t trues_ = 0;
  std::int64_t zeros_ = 0, nan_ = 0, infinite_ = 0;
  double mean_ = 0, squares_ = 0;  ///< of the finite: their mean, and squares of what is off it
  double min_ = 0, max_ = 0;
  std::int64_t least_ = INT64_MAX, greatest_ = INT64_MIN;
  QuantileSketch sketch_;
  DistinctCount distinct_;
  ValueCounts texts_;
  std::vector<std::int64_t> cases_;  ///< Enum: how often each comes
};

class TableStatistics {
 public:
  explicit TableStatistics(const Schema& schema);
  /// A column without values in the batch was not asked for and is left as it is.
  void add(const Batch& batch);
  void merge(const TableStatistics& other);
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] const std::vector<ColumnStatistics>& columns() const { return columns_; }
  [[nodiscard]] std::vector<ColumnStatistics> takeColumns() { return std::move(columns_); }

 private:
  std::int64_t rows_ = 0;
  std::vector<ColumnStatistics> columns_;
};

}  // namespace couler::column

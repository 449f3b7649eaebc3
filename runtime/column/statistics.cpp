#include "runtime/column/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "support/text.h"

namespace couler::column {

namespace {

std::uint64_t bitsOf(std::int64_t x) { return static_cast<std::uint64_t>(x); }
std::uint64_t bitsOf(double x) {
  x += 0.0;  // -0 is 0
  std::uint64_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

/// Without half a letter at its end.
std::string wholeLetters(const ValueCounts::Item& item) {
  std::string text(item.text);
  if (!item.cut) return text;
  if (const auto bad = findInvalidUtf8(text)) text.resize(*bad);
  return text + "…";
}

}  // namespace

bool isNumeric(Kind kind) {
  return kind == Kind::Int || kind == Kind::Float || kind == Kind::Timestamp ||
         kind == Kind::Duration || kind == Kind::Size;
}
bool isTextual(Kind kind) { return kind == Kind::String || kind == Kind::Enum; }

ColumnStatistics::ColumnStatistics(Field field)
    : field_(std::move(field)), cases_(field_.cases.size(), 0) {}

void ColumnStatistics::mergeMoments(std::int64_t count, double mean, double squares) {
  // Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
  // variances" (1979). The sketch has counted the values already.
  const auto all = static_cast<double>(sketch_.count());
  const double part = static_cast<double>(count);
  const double off = mean - mean_;
  mean_ += off * part / all;
  squares_ += squares + off * off * part * (all - part) / all;
}

void ColumnStatistics::addMoments(const double* values, std::size_t count) {
  if (count == 0) return;
  std::array<double, 4> sums{}, low{}, high{}, squares{};
  low.fill(values[0]);
  high.fill(values[0]);
  const std::size_t fours = count / 4 * 4;
  for (std::size_t i = 0; i < fours; i += 4) {
    for (std::size_t k = 0; k < 4; ++k) {
      const double x = values[i + k];
      sums[k] += x;
      low[k] = x < low[k] ? x : low[k];
      high[k] = x > high[k] ? x : high[k];
    }
  }
  for (std::size_t i = fours; i < count; ++i) {
    sums[0] += values[i];
    low[0] = std::min(low[0], values[i]);
    high[0] = std::max(high[0], values[i]);
  }
  const double mean =
      ((sums[0] + sums[1]) + (sums[2] + sums[3])) / static_cast<double>(count);
  for (std::size_t i = 0; i < fours; i += 4) {
    for (std::size_t k = 0; k < 4; ++k) {
      const double off = values[i + k] - mean;
      squares[k] += off * off;
    }
  }
  for (std::size_t i = fours; i < count; ++i) {
    squares[0] += (values[i] - mean) * (values[i] - mean);
  }
  const double least = std::min({low[0], low[1], low[2], low[3]});
  const double most = std::max({high[0], high[1], high[2], high[3]});
  const bool first = sketch_.count() == 0;
  min_ = first ? least : std::min(min_, least);
  max_ = first ? most : std::max(max_, most);
  sketch_.add(values, count);
  mergeMoments(static_cast<std::int64_t>(count), mean,
               (squares[0] + squares[1]) + (squares[2] + squares[3]));
}

template <class T>
void ColumnStatistics::addNumbers(const T* values, const std::uint8_t* valid, std::int64_t rows) {
  std::array<double, 1024> finite;
  std::size_t count = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    if (valid != nullptr && valid[i] == 0) {
      ++missing_;
      continue;
    }
    ++present_;
    const T value = values[i];
    if constexpr (std::is_same_v<T, double>) {
      if (std::isnan(value)) {
        ++nan_;
        continue;
      }
      distinct_.add(spread(bitsOf(value)));
      if (std::isinf(value)) {
        ++infinite_;
        continue;
      }
    } else {
      distinct_.add(spread(bitsOf(value)));
      least_ = std::min(least_, value);
      greatest_ = std::max(greatest_, value);
    }
    zeros_ += value == 0 ? 1 : 0;
    finite[count++] = static_cast<double>(value);
    if (count == finite.size()) {
      addMoments(finite.data(), count);
      count = 0;
    }
  }
  addMoments(finite.data(), count);
}

void ColumnStatistics::add(const Column& column, std::int64_t rows) {
  const std::uint8_t* valid = column.valid ? column.valid->as<std::uint8_t>() : nullptr;
  if (field_.kind == Kind::Value) {
    if (!column.boxed) return;
    for (std::int64_t i = 0; i < rows; ++i) {
      ++((*column.boxed)[static_cast<std::size_t>(i)].isNone() ? missing_ : present_);
    }
    return;
  }
  if (!column.values) return;
  if (field_.kind == Kind::Float) {
    addNumbers(column.values->as<double>(), valid, rows);
    return;
  }
  if (isNumeric(field_.kind)) {
    addNumbers(column.values->as<std::int64_t>(), valid, rows);
    return;
  }
  std::int64_t there = rows;
  if (valid != nullptr) there = rows - std::count(valid, valid + rows, std::uint8_t{0});
  present_ += there;
  missing_ += rows - there;
  if (field_.kind == Kind::String) {
    texts_.add(column.values->as<Text>(), valid, rows);
    return;
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    if (valid != nullptr && valid[i] == 0) continue;
    if (field_.kind == Kind::Bool) {
      trues_ += column.values->as<std::uint8_t>()[i];
    } else {
      ++cases_[static_cast<std::size_t>(column.values->as<std::int32_t>()[i])];
    }
  }
}

void ColumnStatistics::merge(const ColumnStatistics& other) {
  const bool first = sketch_.count() == 0;
  present_ += other.present_;
  missing_ += other.missing_;
  trues_ += other.trues_;
  zeros_ += other.zeros_;
  nan_ += other.nan_;
  infinite_ += other.infinite_;
  least_ = std::min(least_, other.least_);
  greatest_ = std::max(greatest_, other.greatest_);
  if (other.sketch_.count() > 0) {
    min_ = first ? other.min_ : std::min(min_, other.min_);
    max_ = first ? other.max_ : std::max(max_, other.max_);
    sketch_.merge(other.sketch_);
    mergeMoments(other.sketch_.count(), other.mean_, other.squares_);
  }
  distinct_.merge(other.distinct_);
  texts_.merge(other.texts_);
  for (std::size_t i = 0; i < cases_.size(); ++i) cases_[i] += other.cases_[i];
}

NumberSummary ColumnStatistics::numbers() const {
  NumberSummary out;
  out.finite = sketch_.count();
  out.zeros = zeros_;
  out.nan = nan_;
  out.infinite = infinite_;
  if (out.finite == 0) return out;
  out.mean = mean_;
  if (out.finite > 1) out.deviation = std::sqrt(squares_ / static_cast<double>(out.finite - 1));
  out.min = min_;
  out.max = max_;
  if (field_.kind != Kind::Float) {
    out.leastInt = least_;
    out.greatestInt = greatest_;
  }
  out.exact = sketch_.exact();
  const QuantileSketch::View view = sketch_.view();
  // The ends are known; a sketch may have lost them.
  const auto quantile = [&](double q) {
    return q <= 0 ? min_ : q >= 1 ? max_ : std::clamp(view.quantile(q), min_, max_);
  };
  const auto total = static_cast<double>(out.finite);
  out.median = quantile(0.5);
  const std::size_t buckets = min_ == max_ ? 1 : kBuckets;
  double before = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    const bool last = i + 1 == buckets;
    const auto edge = [&](std::size_t k) {
      return std::lerp(min_, max_, static_cast<double>(k) / static_cast<double>(buckets));
    };
    const double upTo = last ? total : std::clamp(view.below(edge(i + 1)), before, total);
    out.widths.push_back({edge(i), edge(i + 1), upTo - before});
    before = upTo;
  }
  for (std::size_t i = 0; i < kBuckets; ++i) {
    constexpr double kPart = 1.0 / static_cast<double>(kBuckets);
    out.quantiles.push_back({quantile(static_cast<double>(i) * kPart),
                             i + 1 == kBuckets ? max_ : quantile(static_cast<double>(i + 1) * kPart),
                             total * kPart});
  }
  return out;
}

ColumnSummary ColumnStatistics::summary() const {
  ColumnSummary out;
  out.name = field_.name;
  out.kind = field_.kind;
  out.present = present_;
  out.missing = missing_;
  out.trues = trues_;
  out.distinct = distinct_.estimate();
  out.distinctExact = distinct_.exact();
  if (isNumeric(field_.kind)) out.numbers = numbers();
  if (field_.kind == Kind::Bool) {
    out.distinct = (trues_ > 0 ? 1 : 0) + (trues_ < present_ ? 1 : 0);
  }
  if (!isTextual(field_.kind)) return out;
  ValueCounts cases;
  for (std::size_t i = 0; i < cases_.size(); ++i) {
    if (cases_[i] > 0) cases.add(field_.cases[i], cases_[i]);
  }
  const ValueCounts& counts = field_.kind == Kind::Enum ? cases : texts_;
  out.distinct = counts.distinct();
  out.distinctExact = counts.exact();
  if (counts.count() > 0) {
    out.texts.meanLength =
        static_cast<double>(counts.letters()) / static_cast<double>(counts.count());
  }
  out.texts.shortest = counts.shortest();
  out.texts.longest = counts.longest();
  out.texts.error = counts.error();
  for (const ValueCounts::Item& item : counts.top(kTop)) {
    out.texts.top.emplace_back(wholeLetters(item), item.count);
  }
  return out;
}

TableStatistics::TableStatistics(const Schema& schema) {
  for (const Field& field : schema.fields) columns_.emplace_back(field);
}

void TableStatistics::add(const Batch& batch) {
  rows_ += batch.rows;
  for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].add(batch.columns[i], batch.rows);
}

void TableStatistics::merge(const TableStatistics& other) {
  rows_ += other.rows_;
  for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i].merge(other.columns_[i]);
}

}  // namespace couler::column

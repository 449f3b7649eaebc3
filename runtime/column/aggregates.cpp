#include "runtime/column/aggregates.h"

#include <algorithm>
#include <limits>

#include "ir/eval_aggregates.h"
#include "runtime/column/group_table.h"

namespace couler::column {

namespace {

using ir::Builtin;
/// Calls `visit(row, group)` for each row that is in a group and has a value.
template <class Visit>
void eachCell(const Column& column, const RowGroups& groups, Visit&& visit) {
  const std::uint32_t* of = groups.of.data();
  const std::size_t rows = groups.of.size();
  if (groups.whole && column.valid == nullptr) {
    if (groups.rows.rows == nullptr) {
      for (std::size_t i = 0; i < rows; ++i) visit(i, of[i]);
    } else {
      for (std::size_t i = 0; i < rows; ++i) visit(std::size_t{groups.rows.rows[i]}, of[i]);
    }
    return;
  }
  const std::uint8_t* valid = column.valid == nullptr ? nullptr : column.valid->as<std::uint8_t>();
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t row = groups.rows.at(i);
    if (of[i] == GroupTable::kNone || (valid != nullptr && valid[row] == 0)) continue;
    visit(row, of[i]);
  }
}

template <class T>
Column columnOf(const T* values, std::size_t count) {
  auto buffer = Buffer::make(count * sizeof(T));
  std::copy(values, values + count, buffer->as<T>());
  Column column;
  column.values = std::move(buffer);
  return column;
}

class Count final : public AggregateColumn {
 public:
  explicit Count(bool ofValues) : ofValues_(ofValues) {}
  bool add(const Column& column, const RowGroups& groups, RowError&) override {
    counts_.resize(groups.count);
    std::int64_t* counts = counts_.data();
    eachCell(ofValues_ ? column : Column{}, groups, [&](std::size_t, std::uint32_t g) { ++counts[g]; });
    return true;
  }
  [[nodiscard]] Column finish(std::size_t first, std::size_t count) const override {
    return columnOf(counts_.data() + first, count);
  }
  [[nodiscard]] std::size_t bytes() const override { return counts_.capacity() * 8; }

 private:
  bool ofValues_;
  std::vector<std::int64_t> counts_;
};

class SumInt final : public AggregateColumn {
 public:
  explicit SumInt(Builtin add) : add_(add) {}
  bool add(const Column& column, const RowGroups& groups, RowError& error) override {
    sums_.resize(groups.count);
    if (groups.of.empty()) return true;
    const std::int64_t* values = column.values->as<std::int64_t>();
    std::int64_t* sums = sums_.data();
    bool ok = true;
    eachCell(column, groups, [&](std::size_t i, std::uint32_t g) {
      const std::int64_t before = sums[g];
      if (!__builtin_add_overflow(before, values[i], &sums[g])) return;
      if (ok) error = failure(i, before, values[i]);
      ok = false;
    });
    return ok;
  }
  [[nodiscard]] Column finish(std::size_t first, std::size_t count) const override {
    return columnOf(sums_.data() + first, count);
  }
  [[nodiscard]] std::size_t bytes() const override { return sums_.capacity() * 8; }

 private:
  /// The evaluator has the words for it.
  [[nodiscard]] RowError failure(std::size_t row, std::int64_t a, std::int64_t b) const {
    const ir::EvalResult parts[] = {value(a), value(b)};
    const ir::EvalResult result = ir::apply(add_, parts, {});
    const ir::EvalError* why = std::get_if<ir::EvalError>(&result);
    return {static_cast<std::int64_t>(row), why != nullptr ? why->message : "overflow", {}};
  }
  [[nodiscard]] ir::Value value(std::int64_t n) const {
    if (add_ == Builtin::AddDuration) return ir::Duration{n};
    if (add_ == Builtin::AddSize) return ir::Size{n};
    return n;
  }
  Builtin add_;
  std::vector<std::int64_t> sums_;
};

class SumFloat final : public AggregateColumn {
 public:
  explicit SumFloat(bool mean) : mean_(mean) {}
  bool add(const Column& column, const RowGroups& groups, RowError&) override {
    sums_.resize(groups.count);
    if (mean_) counts_.resize(groups.count);
    if (groups.of.empty()) return true;
    const double* values = column.values->as<double>();
    double* sums = sums_.data();
    std::int64_t* counts = counts_.data();
    if (mean_) {
      eachCell(column, groups, [&](std::size_t i, std::uint32_t g) {
        sums[g] += values[i];
        ++counts[g];
      });
    } else {
      eachCell(column, groups, [&](std::size_t i, std::uint32_t g) { sums[g] += values[i]; });
    }
    return true;
  }
  [[nodiscard]] Column finish(std::size_t first, std::size_t count) const override {
    if (!mean_) return columnOf(sums_.data() + first, count);
    std::vector<double> means(count);
    auto valid = Buffer::make(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::int64_t n = counts_[first + i];
      valid->as<std::uint8_t>()[i] = n != 0 ? 1 : 0;
      means[i] = n != 0 ? sums_[first + i] / static_cast<double>(n) : 0;
    }
    Column column = columnOf(means.data(), count);
    column.valid = std::move(valid);
    return column;
  }
  [[nodiscard]] std::size_t bytes() const override {
    return (sums_.capacity() + counts_.capacity()) * 8;
  }

 private:
  bool mean_;
  std::vector<double> sums_;
  std::vector<std::int64_t> counts_;
};

template <class T, bool kLeast>
class Extreme final : public AggregateColumn {
 public:
  bool add(const Column& column, const RowGroups& groups, RowError&) override {
    const std::size_t known = values_.size();
    values_.resize(groups.count, kStart);
    // While no cell is missing each group has a value from its first row on.
    const bool whole = column.valid == nullptr && !groups.of.empty();
    if (!whole && there_.empty()) there_.assign(known, 1);
    const bool mark = !whole || !there_.empty();
    if (mark) there_.resize(groups.count);
    if (groups.of.empty()) return true;
    const T* given = column.values->as<T>();
    T* values = values_.data();
    std::uint8_t* there = there_.data();
    const auto put = [&](std::size_t i, std::uint32_t g) {
      const T value = given[i];
      const T now = values[g];
      // A NaN is neither less nor greater, and stays once it is there.
      const bool better = kLeast ? value < now : now < value;
      values[g] = better || value != value ? value : now;
    };
    if (mark) {
      eachCell(column, groups, [&](std::size_t i, std::uint32_t g) {
        put(i, g);
        there[g] = 1;
      });
    } else {
      eachCell(column, groups, put);
    }
    return true;
  }
  [[nodiscard]] Column finish(std::size_t first, std::size_t count) const override {
    auto values = Buffer::make(count * sizeof(T));
    auto valid = Buffer::make(count);
    bool all = true;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint8_t there = there_.empty() ? 1 : there_[first + i];
      values->template as<T>()[i] = there != 0 ? values_[first + i] : T{};
      valid->template as<std::uint8_t>()[i] = there;
      all = all && there != 0;
    }
    Column column;
    column.values = std::move(values);
    if (!all) column.valid = std::move(valid);
    return column;
  }
  [[nodiscard]] std::size_t bytes() const override {
    return values_.capacity() * sizeof(T) + there_.capacity();
  }

 private:
  using Bounds = std::numeric_limits<T>;
  static constexpr T kLowest = Bounds::has_infinity ? -Bounds::infinity() : Bounds::lowest();
  static constexpr T kHighest = Bounds::has_infinity ? Bounds::infinity() : Bounds::max();
  static constexpr T kStart = kLeast ? kHighest : kLowest;  // what is neither less nor greater
  std::vector<T> values_;
  std::vector<std::uint8_t> there_;  ///< empty: all
};

/// What is asked for rarely: by the evaluator's own aggregates, a value at a time.
class General final : public AggregateColumn {
 public:
  General(const AggregateSpec& spec, Field input, Field output)
      : fresh_(spec.op, spec.quantile), input_(std::move(input)), output_(std::move(output)) {}
  bool add(const Column& column, const RowGroups& groups, RowError& error) override {
    states_.resize(groups.count, fresh_);
    bool ok = true;
    eachCell(column, groups, [&](std::size_t row, std::uint32_t g) {
      if (!ok) return;
      const auto i = static_cast<std::int64_t>(row);
      const ir::Value value = valueAt(input_, column, i);
      if (const std::string* text = value.as<std::string>()) bytes_ += text->size();
      bytes_ += sizeof(ir::Value);
      if (const auto failure = states_[g].add(value, {})) {
        ok = false;
        error = {i, failure->message, {}};
      }
    });
    return ok;
  }
  [[nodiscard]] Column finish(std::size_t first, std::size_t count) const override {
    std::vector<ir::Value> rows;
    rows.reserve(count);
    for (std::size_t i = first; i < first + count; ++i) {
      rows.push_back(ir::Value::record({{output_.name, states_[i].finish()}}));
    }
    return batchOf(Schema{{output_}}, rows).columns[0];
  }
  [[nodiscard]] std::size_t bytes() const override {
    return bytes_ + states_.capacity() * sizeof(ir::eval::Aggregate);
  }

 private:
  ir::eval::Aggregate fresh_;
  Field input_;
  Field output_;
  std::vector<ir::eval::Aggregate> states_;
  std::size_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<AggregateColumn> makeAggregate(const AggregateSpec& spec, const Field& input,
                                               const Field& output) {
  const bool whole = widthOf(input.kind) == 8 && input.kind != Kind::Float;
  switch (spec.op) {
    case Builtin::AggCount:
      return std::make_unique<Count>(false);
    case Builtin::AggCountOf:
      return std::make_unique<Count>(true);
    case Builtin::AggSumInt:
      return std::make_unique<SumInt>(Builtin::AddInt);
    case Builtin::AggSumDuration:
      return std::make_unique<SumInt>(Builtin::AddDuration);
    case Builtin::AggSumSize:
      return std::make_unique<SumInt>(Builtin::AddSize);
    case Builtin::AggSumFloat:
      return std::make_unique<SumFloat>(false);
    case Builtin::AggMean:
      if (input.kind == Kind::Float) return std::make_unique<SumFloat>(true);
      break;
    case Builtin::AggMin:
      if (whole) return std::make_unique<Extreme<std::int64_t, true>>();
      if (input.kind == Kind::Float) return std::make_unique<Extreme<double, true>>();
      break;
    case Builtin::AggMax:
      if (whole) return std::make_unique<Extreme<std::int64_t, false>>();
      if (input.kind == Kind::Float) return std::make_unique<Extreme<double, false>>();
      break;
    default:
      break;
  }
  return std::make_unique<General>(spec, input, output);
}

}  // namespace couler::column

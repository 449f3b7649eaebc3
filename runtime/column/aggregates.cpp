#include "runtime/column/aggregates.h"

#include <algorithm>

#include "ir/eval_aggregates.h"
#include "runtime/column/group_table.h"

namespace couler::column {

namespace {

using ir::Builtin;
using Groups = std::vector<std::uint32_t>;

/// Calls `visit(row, group)` for each row that is in a group and has a value.
template <class Visit>
void eachCell(const Column& column, std::int64_t rows, const Groups& groups, Visit&& visit) {
  const std::uint8_t* valid = column.valid == nullptr ? nullptr : column.valid->as<std::uint8_t>();
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::uint32_t group = groups[static_cast<std::size_t>(i)];
    if (group == GroupTable::kNone || (valid != nullptr && valid[i] == 0)) continue;
    visit(i, group);
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
  bool add(const Column& column, std::int64_t rows, const Groups& groups, std::size_t count,
           RowError&) override {
    counts_.resize(count);
    if (ofValues_) {
      eachCell(column, rows, groups, [&](std::int64_t, std::uint32_t g) { ++counts_[g]; });
      return true;
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::uint32_t group = groups[static_cast<std::size_t>(i)];
      if (group != GroupTable::kNone) ++counts_[group];
    }
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
  bool add(const Column& column, std::int64_t rows, const Groups& groups, std::size_t count,
           RowError& error) override {
    sums_.resize(count);
    if (rows == 0) return true;
    const std::int64_t* values = column.values->as<std::int64_t>();
    bool ok = true;
    eachCell(column, rows, groups, [&](std::int64_t i, std::uint32_t g) {
      const std::int64_t before = sums_[g];
      if (!ok || !__builtin_add_overflow(before, values[i], &sums_[g])) return;
      ok = false;
      // The evaluator has the words for it.
      const ir::EvalResult parts[] = {value(before), value(values[i])};
      const ir::EvalResult result = ir::apply(add_, parts, {});
      const ir::EvalError* failure = std::get_if<ir::EvalError>(&result);
      error = {i, failure != nullptr ? failure->message : "overflow", {}};
    });
    return ok;
  }
  [[nodiscard]] Column finish(std::size_t first, std::size_t count) const override {
    return columnOf(sums_.data() + first, count);
  }
  [[nodiscard]] std::size_t bytes() const override { return sums_.capacity() * 8; }

 private:
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
  bool add(const Column& column, std::int64_t rows, const Groups& groups, std::size_t count,
           RowError&) override {
    sums_.resize(count);
    if (mean_) counts_.resize(count);
    if (rows == 0) return true;
    const double* values = column.values->as<double>();
    if (mean_) {
      eachCell(column, rows, groups, [&](std::int64_t i, std::uint32_t g) {
        sums_[g] += values[i];
        ++counts_[g];
      });
    } else {
      eachCell(column, rows, groups,
               [&](std::int64_t i, std::uint32_t g) { sums_[g] += values[i]; });
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

template <class T>
class Extreme final : public AggregateColumn {
 public:
  explicit Extreme(bool least) : least_(least) {}
  bool add(const Column& column, std::int64_t rows, const Groups& groups, std::size_t count,
           RowError&) override {
    values_.resize(count);
    there_.resize(count);
    if (rows == 0) return true;
    const T* values = column.values->as<T>();
    eachCell(column, rows, groups, [&](std::int64_t i, std::uint32_t g) {
      const T value = values[i];
      const T now = values_[g];
      // A NaN is neither less nor greater, and stays once it is there.
      const bool better = least_ ? value < now : now < value;
      if (there_[g] == 0 || value != value || (now == now && better)) values_[g] = value;
      there_[g] = 1;
    });
    return true;
  }
  [[nodiscard]] Column finish(std::size_t first, std::size_t count) const override {
    Column column = columnOf(values_.data() + first, count);
    auto valid = Buffer::make(count);
    std::copy_n(there_.data() + first, count, valid->as<std::uint8_t>());
    column.valid = std::move(valid);
    return column;
  }
  [[nodiscard]] std::size_t bytes() const override {
    return values_.capacity() * sizeof(T) + there_.capacity();
  }

 private:
  bool least_;
  std::vector<T> values_;
  std::vector<std::uint8_t> there_;
};

/// What is asked for rarely: by the evaluator's own aggregates, a value at a time.
class General final : public AggregateColumn {
 public:
  General(const AggregateSpec& spec, Field input, Field output)
      : fresh_(spec.op, spec.quantile), input_(std::move(input)), output_(std::move(output)) {}
  bool add(const Column& column, std::int64_t rows, const Groups& groups, std::size_t count,
           RowError& error) override {
    states_.resize(count, fresh_);
    bool ok = true;
    eachCell(column, rows, groups, [&](std::int64_t i, std::uint32_t g) {
      if (!ok) return;
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
    case Builtin::AggMax:
      if (whole) return std::make_unique<Extreme<std::int64_t>>(spec.op == Builtin::AggMin);
      if (input.kind == Kind::Float) {
        return std::make_unique<Extreme<double>>(spec.op == Builtin::AggMin);
      }
      break;
    default:
      break;
  }
  return std::make_unique<General>(spec, input, output);
}

}  // namespace couler::column

#include "ir/eval_aggregates.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/eval_internal.h"

namespace couler::ir::eval {

namespace {

bool isNan(const Value& value) {
  const double* x = value.as<double>();
  return x != nullptr && std::isnan(*x);
}

Value zeroOf(Builtin op) {
  switch (op) {
    case Builtin::AggSumFloat:
      return 0.0;
    case Builtin::AggSumDuration:
      return Duration{};
    case Builtin::AggSumSize:
      return Size{};
    default:
      return std::int64_t{0};
  }
}

}  // namespace

double quantileOf(std::vector<double> values, double q) {
  if (std::any_of(values.begin(), values.end(), [](double x) { return std::isnan(x); })) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double position = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(below),
                   values.end());
  const double low = values[below];
  const double part = position - static_cast<double>(below);
  if (part == 0) return low;
  const double high =
      *std::min_element(values.begin() + static_cast<std::ptrdiff_t>(below) + 1, values.end());
  return low == high ? low : low + part * (high - low);
}

std::optional<EvalError> Aggregate::add(const Value& value, Span at) {
  if (op_ == Builtin::AggCount) {
    ++count_;
    return std::nullopt;
  }
  if (value.isNone()) return std::nullopt;
  ++count_;
  const bool first = count_ == 1;
  const auto sum = [&](Builtin add) -> std::optional<EvalError> {
    const EvalResult parts[] = {first ? zeroOf(op_) : state_, value};
    EvalResult result = apply(add, parts, at);
    if (EvalError* error = std::get_if<EvalError>(&result)) return std::move(*error);
    state_ = std::move(std::get<Value>(result));
    return std::nullopt;
  };
  switch (op_) {
    case Builtin::AggSumInt:
      return sum(Builtin::AddInt);
    case Builtin::AggSumFloat:
      return sum(Builtin::AddFloat);
    case Builtin::AggSumDuration:
      return sum(Builtin::AddDuration);
    case Builtin::AggSumSize:
      return sum(Builtin::AddSize);
    case Builtin::AggMin:
    case Builtin::AggMax:
      if (first || isNan(value) || (!isNan(state_) && (op_ == Builtin::AggMin ? compare(value, state_) < 0
                                                           : compare(value, state_) > 0))) {
        state_ = value;
      }
      break;
    case Builtin::AggMean:
    case Builtin::AggStddev:
    case Builtin::AggQuantile: {
      const double* real = value.as<double>();
      const std::int64_t* whole = value.as<std::int64_t>();
      const double x = real != nullptr ? *real : whole != nullptr ? static_cast<double>(*whole) : 0;
      if (op_ == Builtin::AggQuantile) {
        values_.push_back(x);
      } else if (op_ == Builtin::AggMean) {
        mean_ += x;  // the sum, until the end
      } else {
        const double distance = x - mean_;
        mean_ += distance / static_cast<double>(count_);
        squares_ += distance * (x - mean_);
      }
      break;
    }
    case Builtin::AggFirst:
      if (first) state_ = value;
      break;
    case Builtin::AggLast:
      state_ = value;
      break;
    case Builtin::AggCountDistinct:
      distinct_.insert(value);
      break;
    default:
      break;
  }
  return std::nullopt;
}

Value Aggregate::finish() const {
  switch (op_) {
    case Builtin::AggCount:
    case Builtin::AggCountOf:
      return count_;
    case Builtin::AggCountDistinct:
      return static_cast<std::int64_t>(distinct_.size());
    case Builtin::AggMean:
      return count_ == 0 ? Value() : Value(mean_ / static_cast<double>(count_));
    case Builtin::AggStddev:
      return count_ < 2 ? Value() : Value(std::sqrt(squares_ / static_cast<double>(count_ - 1)));
    case Builtin::AggQuantile:
      return count_ == 0 ? Value() : Value(quantileOf(values_, quantile_));
    case Builtin::AggMin:
    case Builtin::AggMax:
    case Builtin::AggFirst:
    case Builtin::AggLast:
      return state_;
    default:
      return count_ == 0 ? zeroOf(op_) : state_;
  }
}

}  // namespace couler::ir::eval

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "ir/search.h"

namespace couler::ir::search {

namespace {

constexpr double kBelowOne = 1.0 - 0x1p-53;

/// The bounds between which an int is drawn: half a step beyond the values, so that each has its
/// share.
double lowEdge(const Dimension& d) { return d.kind == Dimension::Kind::Int ? d.low - 0.5 : d.low; }
double highEdge(const Dimension& d) {
  return d.kind == Dimension::Kind::Int ? d.high - 0.5 : d.high;
}

double between(const Dimension& d, double unit) {
  const double low = lowEdge(d);
  const double high = highEdge(d);
  if (d.log) return std::exp(std::log(low) + unit * (std::log(high) - std::log(low)));
  return low + unit * (high - low);
}

double unitOf(const Dimension& d, double value) {
  const double low = lowEdge(d);
  const double high = highEdge(d);
  const double unit = d.log ? std::log(value / low) / std::log(high / low)
                            : (value - low) / (high - low);
  return std::clamp(unit, 0.0, kBelowOne);
}

Value valueAt(const Dimension& d, double unit) {
  if (d.kind == Dimension::Kind::Choice) {
    const auto index = static_cast<std::uint64_t>(unit * static_cast<double>(d.count));
    return (*d.choices)[static_cast<std::size_t>(std::min(index, d.count - 1))];
  }
  const double value = between(d, unit);
  if (d.kind == Dimension::Kind::Float) {
    return std::clamp(value, d.low, std::nextafter(d.high, d.low));
  }
  return static_cast<std::int64_t>(std::clamp(std::round(value), d.low, d.high - 1));
}

std::optional<std::string> readBounds(const Value& space, Dimension& d) {
  const Value* low = space.field("low");
  const Value* high = space.field("high");
  const Value* log = space.field("log");
  if (low == nullptr || high == nullptr || log == nullptr) return "a space without bounds";
  d.log = log->as<bool>() != nullptr && *log->as<bool>();
  if (const std::int64_t* first = low->as<std::int64_t>()) {
    const std::int64_t* end = high->as<std::int64_t>();
    if (end == nullptr) return "a space with bounds of two types";
    d.kind = Dimension::Kind::Int;
    d.low = static_cast<double>(*first);
    d.high = static_cast<double>(*end);
    if (*first < *end) {
      d.count = static_cast<std::uint64_t>(*end) - static_cast<std::uint64_t>(*first);
    }
    // Where a double no longer tells whole numbers apart.
    if (std::abs(d.low) > 0x1p52 || std::abs(d.high) > 0x1p52) return "a range with bounds beyond 2^52";
  } else {
    const double* from = low->as<double>();
    const double* to = high->as<double>();
    if (from == nullptr || to == nullptr) return "a space with bounds of two types";
    d.kind = Dimension::Kind::Float;
    d.low = *from;
    d.high = *to;
    if (!std::isfinite(d.low) || !std::isfinite(d.high)) return "a range without end";
  }
  if (!(d.low < d.high)) {
    return fmt::format("an empty range: {} .. {}", toText(*low), toText(*high));
  }
  if (d.log && d.low <= 0) {
    return fmt::format("a logarithmic range that begins at {}", toText(*low));
  }
  return std::nullopt;
}

}  // namespace

std::variant<Space, std::string> Space::of(const Value& sample,
                                           std::span<const Value* const> spaces) {
  Space result;
  if (sample.as<RecordValue>() == nullptr || sample.named().size() != spaces.size()) {
    return "spaces that do not fit their names";
  }
  for (std::size_t i = 0; i < spaces.size(); ++i) {
    const std::string& name = sample.named()[i].first;
    Dimension d;
    if (spaces[i]->as<ListValue>() != nullptr) {
      d.kind = Dimension::Kind::Choice;
      d.choices = &spaces[i]->items();
      d.count = d.choices->size();
      if (d.count == 0) return fmt::format("`{}` is searched in an empty list", name);
    } else if (spaces[i]->as<RecordValue>() == nullptr) {
      return "a space that is none";
    } else if (const auto wrong = readBounds(*spaces[i], d)) {
      return fmt::format("`{}` is searched in {}", name, *wrong);
    }
    result.names_.push_back(name);
    result.dimensions_.push_back(d);
  }
  return result;
}

Value Space::record(std::span<const Value> values) const {
  NamedItems items;
  items.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) items.emplace_back(names_[i], values[i]);
  return Value::record(std::move(items));
}

Value Space::point(std::span<const double> place) const {
  std::vector<Value> values;
  values.reserve(place.size());
  for (std::size_t i = 0; i < place.size(); ++i) values.push_back(valueAt(dimensions_[i], place[i]));
  return record(values);
}

std::vector<double> Space::place(const Value& point) const {
  std::vector<double> result(dimensions_.size(), 0.5);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const Dimension& d = dimensions_[i];
    const Value* value = point.field(names_[i]);
    if (value == nullptr) continue;
    if (d.kind == Dimension::Kind::Choice) {
      const auto found = std::find(d.choices->begin(), d.choices->end(), *value);
      if (found == d.choices->end()) continue;
      result[i] = (static_cast<double>(found - d.choices->begin()) + 0.5) /
                  static_cast<double>(d.count);
    } else if (const double* real = value->as<double>()) {
      result[i] = unitOf(d, *real);
    } else if (const std::int64_t* whole = value->as<std::int64_t>()) {
      result[i] = unitOf(d, static_cast<double>(*whole));
    }
  }
  return result;
}

std::uint64_t Space::size() const {
  std::uint64_t size = 1;
  for (const Dimension& d : dimensions_) {
    if (__builtin_mul_overflow(size, d.count, &size)) return 0;
  }
  return size;
}

namespace {

std::vector<Value> gridValues(const Dimension& d, std::int64_t points) {
  if (d.kind == Dimension::Kind::Choice) return *d.choices;
  const bool whole = d.kind == Dimension::Kind::Int;
  const auto wanted = static_cast<std::uint64_t>(points);
  std::vector<Value> values;
  if (whole && (points == 0 || d.count <= wanted)) {
    const auto low = static_cast<std::int64_t>(d.low);
    for (std::uint64_t i = 0; i < d.count; ++i) values.emplace_back(low + static_cast<std::int64_t>(i));
    return values;
  }
  const double last = whole ? d.high - 1 : d.high;
  for (std::uint64_t i = 0; i < wanted; ++i) {
    const double part = wanted == 1 ? 0.5 : static_cast<double>(i) / static_cast<double>(wanted - 1);
    double value = d.log ? d.low * std::pow(last / d.low, part) : d.low + part * (last - d.low);
    value = std::clamp(value, d.low, last);
    if (!whole) {
      values.emplace_back(value);
      continue;
    }
    const auto next = static_cast<std::int64_t>(std::round(value));
    if (values.empty() || *values.back().as<std::int64_t>() != next) values.emplace_back(next);
  }
  return values;
}

}  // namespace

std::variant<std::vector<Value>, std::string> grid(const Space& space, std::int64_t points) {
  constexpr std::uint64_t kMost = 4'000'000;
  if (points < 0) return fmt::format("`points` is {}", points);
  std::uint64_t total = 1;
  std::vector<std::vector<Value>> values;
  for (std::size_t i = 0; i < space.dimensions_.size(); ++i) {
    const Dimension& d = space.dimensions_[i];
    if (d.kind == Dimension::Kind::Float && points == 0) {
      return fmt::format("`grid` needs `points` for `{}`", space.names_[i]);
    }
    const bool all = d.kind == Dimension::Kind::Choice || points == 0;
    const std::uint64_t most = all ? d.count : static_cast<std::uint64_t>(points);
    if (most > kMost) return fmt::format("a grid of more than {} points", kMost);
    values.push_back(gridValues(d, points));
    total *= values.back().size();
    if (total > kMost) return fmt::format("a grid of more than {} points", kMost);
  }
  std::vector<Value> result;
  result.reserve(static_cast<std::size_t>(total));
  std::vector<std::size_t> at(values.size(), 0);
  std::vector<Value> row(values.size());
  for (std::uint64_t n = 0; n < total; ++n) {
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = values[i][at[i]];
    result.push_back(space.record(row));
    for (std::size_t i = at.size(); i-- > 0;) {
      if (++at[i] < values[i].size()) break;
      at[i] = 0;
    }
  }
  return result;
}

}  // namespace couler::ir::search

#include "ir/drift.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace couler::ir {

namespace {

constexpr std::size_t kDriftText = 256;  // bytes of a text that tell it from others

/// Pairs of masses, one a bucket of both sides, that add up to 1 each.
class Divergence {
 public:
  void add(double p, double q) {
    const double m = (p + q) / 2;
    if (p > 0) sum_ += p * std::log2(p / m) / 2;
    if (q > 0) sum_ += q * std::log2(q / m) / 2;
  }
  [[nodiscard]] double value() const { return std::clamp(sum_, 0.0, 1.0); }

 private:
  double sum_ = 0;
};

std::int64_t totalOf(const Categories& of) {
  std::int64_t total = 0;
  for (const auto& [text, count] : of) total += count;
  return total;
}

/// `visit(share in a, share in b)` for each value of either, in their order.
template <class Visit>
void eachPair(const Categories& a, const Categories& b, Visit visit) {
  const auto totalA = static_cast<double>(totalOf(a));
  const auto totalB = static_cast<double>(totalOf(b));
  auto x = a.begin();
  auto y = b.begin();
  while (x != a.end() || y != b.end()) {
    const bool inA = y == b.end() || (x != a.end() && x->first <= y->first);
    const bool inB = x == a.end() || (y != b.end() && y->first <= x->first);
    visit(inA ? static_cast<double>(x->second) / totalA : 0.0,
          inB ? static_cast<double>(y->second) / totalB : 0.0);
    if (inA) ++x;
    if (inB) ++y;
  }
}

/// What part of the width from `low` to `high` that from `from` to `to` is. pre: low < high.
double shareOf(double from, double to, double low, double high) {
  const double width = high - low;
  if (std::isfinite(width)) return (to - from) / width;
  return (to / 2 - from / 2) / (high / 2 - low / 2);  // beyond what a double holds
}

/// The mass of `buckets` between two neighbours of the union of all ends.
double massWithin(const std::vector<NumberBuckets::Bucket>& buckets, double low, double high,
                  double total) {
  double mass = 0;
  for (const NumberBuckets::Bucket& bucket : buckets) {
    if (bucket.low == bucket.high || bucket.low > low || bucket.high < high) continue;
    mass += shareOf(low, high, bucket.low, bucket.high) * static_cast<double>(bucket.count) / total;
  }
  return mass;
}

double massAt(const std::vector<NumberBuckets::Bucket>& buckets, double point, double total) {
  double mass = 0;
  for (const NumberBuckets::Bucket& bucket : buckets) {
    if (bucket.low == point && bucket.high == point) {
      mass += static_cast<double>(bucket.count) / total;
    }
  }
  return mass;
}

/// What a table with nothing in it is from another.
std::optional<double> ofNothing(std::int64_t a, std::int64_t b) {
  if (a != 0 && b != 0) return std::nullopt;
  return a == b ? 0.0 : 1.0;
}

}  // namespace

void NumberBuckets::widen(double x) {
  if (!std::isfinite(x)) return;
  const bool first = finite_++ == 0;
  low_ = first ? x : std::min(low_, x);
  high_ = first ? x : std::max(high_, x);
}

double NumberBuckets::edge(std::size_t i) const {
  return std::lerp(low_, high_, static_cast<double>(i) / static_cast<double>(kBuckets));
}

void NumberBuckets::count(double x) {
  if (std::isnan(x)) {
    ++nan_;
  } else if (std::isinf(x)) {
    ++infinite_;
  } else {
    std::size_t at = 0;
    if (high_ > low_) {
      const double share = shareOf(low_, x, low_, high_);
      at = std::min(kBuckets - 1, static_cast<std::size_t>(share * static_cast<double>(kBuckets)));
      // The division is rounded, the ends decide.
      while (at > 0 && x < edge(at)) --at;
      while (at + 1 < kBuckets && x >= edge(at + 1)) ++at;
    }
    ++counts_[at];
  }
}

std::vector<NumberBuckets::Bucket> NumberBuckets::buckets() const {
  std::vector<Bucket> result;
  if (finite_ == 0) return result;
  if (low_ == high_) return {{low_, high_, finite_}};
  for (std::size_t i = 0; i < kBuckets; ++i) {
    result.push_back({edge(i), edge(i + 1), counts_[i]});
  }
  return result;
}

double chebyshev(const Categories& a, const Categories& b) {
  if (const auto known = ofNothing(totalOf(a), totalOf(b))) return *known;
  double worst = 0;
  eachPair(a, b, [&](double p, double q) { worst = std::max(worst, std::abs(p - q)); });
  return worst;
}

double jensenShannon(const Categories& a, const Categories& b) {
  if (const auto known = ofNothing(totalOf(a), totalOf(b))) return *known;
  Divergence divergence;
  eachPair(a, b, [&](double p, double q) { divergence.add(p, q); });
  return divergence.value();
}

double jensenShannon(const NumberBuckets& a, const NumberBuckets& b) {
  if (const auto known = ofNothing(a.total(), b.total())) return *known;
  const auto totalA = static_cast<double>(a.total());
  const auto totalB = static_cast<double>(b.total());
  const auto bucketsA = a.buckets();
  const auto bucketsB = b.buckets();
  std::set<double> ends;
  std::set<double> points;
  for (const auto* buckets : {&bucketsA, &bucketsB}) {
    for (const NumberBuckets::Bucket& bucket : *buckets) {
      if (bucket.low == bucket.high) {
        points.insert(bucket.low);
      } else {
        ends.insert({bucket.low, bucket.high});
      }
    }
  }
  Divergence divergence;
  for (auto low = ends.begin(); low != ends.end() && std::next(low) != ends.end(); ++low) {
    const double high = *std::next(low);
    divergence.add(massWithin(bucketsA, *low, high, totalA),
                   massWithin(bucketsB, *low, high, totalB));
  }
  for (const double point : points) {
    divergence.add(massAt(bucketsA, point, totalA), massAt(bucketsB, point, totalB));
  }
  for (const std::int64_t count : {a.nan(), a.infinite()}) {
    divergence.add(static_cast<double>(count) / totalA, 0);
  }
  for (const std::int64_t count : {b.nan(), b.infinite()}) {
    divergence.add(0, static_cast<double>(count) / totalB);
  }
  return divergence.value();
}

TypeId driftType(TypeTable& types) {
  const TypeId column = types.record({{"column", TypeTable::kString},
                                      {"linf", types.optional(TypeTable::kFloat)},
                                      {"jsd", TypeTable::kFloat}});
  return types.record({{"linf", TypeTable::kFloat},
                       {"jsd", TypeTable::kFloat},
                       {"column", TypeTable::kString},
                       {"columns", types.list(column)}});
}

Value driftValue(const std::vector<ColumnDrift>& columns) {
  double linf = 0;
  double jsd = 0;
  double most = -1;
  std::string worst;
  ListItems items;
  for (const ColumnDrift& one : columns) {
    linf = std::max(linf, one.linf.value_or(0));
    jsd = std::max(jsd, one.jsd);
    if (std::max(one.linf.value_or(0), one.jsd) > most) {
      most = std::max(one.linf.value_or(0), one.jsd);
      worst = one.column;
    }
    items.push_back(Value::record({{"column", Value(one.column)},
                                   {"linf", one.linf ? Value(*one.linf) : Value()},
                                   {"jsd", Value(one.jsd)}}));
  }
  return Value::record({{"linf", Value(linf)},
                        {"jsd", Value(jsd)},
                        {"column", Value(worst)},
                        {"columns", Value::list(std::move(items))}});
}

DriftKind driftKind(const TypeTable& types, TypeId column) {
  if (types.kind(column) == TypeKind::Optional) column = types[column].element;
  switch (types.kind(column)) {
    case TypeKind::Int:
    case TypeKind::Float:
    case TypeKind::Timestamp:
    case TypeKind::Duration:
    case TypeKind::Size:
      return DriftKind::Number;
    case TypeKind::Bool:
    case TypeKind::String:
    case TypeKind::Enum:
      return DriftKind::Category;
    default:
      return DriftKind::None;
  }
}

double driftNumber(const Value& value) {
  if (const auto* x = value.as<double>()) return *x;
  if (const auto* x = value.as<std::int64_t>()) return static_cast<double>(*x);
  if (const auto* x = value.as<Timestamp>()) return static_cast<double>(x->micros);
  if (const auto* x = value.as<Duration>()) return static_cast<double>(x->micros);
  const auto* x = value.as<Size>();
  return x == nullptr ? 0 : static_cast<double>(x->bytes);
}

Value driftOf(const ListItems& recent, const ListItems& before,
              const std::vector<std::string>& names, const std::vector<bool>& numeric) {
  std::vector<ColumnDrift> columns;
  for (std::size_t c = 0; c < names.size(); ++c) {
    const auto each = [&](const ListItems& rows, auto visit) {
      for (const Value& row : rows) {
        const Value* cell = row.field(names[c]);
        if (cell != nullptr && !cell->isNone()) visit(*cell);
      }
    };
    ColumnDrift drift{names[c], std::nullopt, 0};
    if (numeric[c]) {
      std::array<NumberBuckets, 2> of;
      std::size_t side = 0;
      for (const ListItems* rows : {&recent, &before}) {
        NumberBuckets& buckets = of[side++];
        each(*rows, [&](const Value& cell) { buckets.widen(driftNumber(cell)); });
        each(*rows, [&](const Value& cell) { buckets.count(driftNumber(cell)); });
      }
      drift.jsd = jensenShannon(of[0], of[1]);
    } else {
      std::array<Categories, 2> of;
      each(recent, [&](const Value& cell) { ++of[0][toText(cell).substr(0, kDriftText)]; });
      each(before, [&](const Value& cell) { ++of[1][toText(cell).substr(0, kDriftText)]; });
      drift.linf = chebyshev(of[0], of[1]);
      drift.jsd = jensenShannon(of[0], of[1]);
    }
    columns.push_back(std::move(drift));
  }
  return driftValue(columns);
}

}  // namespace couler::ir

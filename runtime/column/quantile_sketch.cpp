#include "runtime/column/quantile_sketch.h"

#include <algorithm>
#include <cmath>

namespace couler::column {

namespace {

constexpr std::size_t kLeast = 32;  // of a level: small enough to sort in registers and L1
constexpr double kShrink = 2.0 / 3;

}  // namespace

void QuantileSketch::setDepth(std::size_t levels) {
  levels_.resize(levels);
  capacities_.resize(levels);
  double capacity = static_cast<double>(kExact);
  for (std::size_t level = levels; level-- > 0; capacity *= kShrink) {
    capacities_[level] = std::max(kLeast, static_cast<std::size_t>(std::ceil(capacity)));
  }
}

bool QuantileSketch::coin() {
  random_ ^= random_ << 13U;  // Marsaglia, "Xorshift RNGs" (2003)
  random_ ^= random_ >> 7U;
  random_ ^= random_ << 17U;
  return (random_ >> 63U) != 0;
}

void QuantileSketch::add(const double* values, std::size_t count) {
  count_ += static_cast<std::int64_t>(count);
  while (count > 0) {
    std::vector<double>& lowest = levels_[0];
    const std::size_t room = capacities_[0] - std::min(capacities_[0], lowest.size());
    const std::size_t taken = std::min(room, count);
    lowest.insert(lowest.end(), values, values + taken);
    values += taken;
    count -= taken;
    if (count > 0) compress();
  }
}

/// Halves the levels that are full: every other value of a sorted one goes up and counts twice.
void QuantileSketch::compress() {
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    if (levels_[level].size() < capacities_[level]) continue;
    if (level + 1 == levels_.size()) setDepth(levels_.size() + 1);
    std::vector<double>& from = levels_[level];
    std::vector<double>& to = levels_[level + 1];
    if (level == 0) std::sort(from.begin(), from.end());
    const std::size_t pairs = from.size() / 2 * 2;
    const auto middle = static_cast<std::ptrdiff_t>(to.size());
    for (std::size_t i = coin() ? 1 : 0; i < pairs; i += 2) to.push_back(from[i]);
    std::inplace_merge(to.begin(), to.begin() + middle, to.end());
    from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(pairs));
  }
}

void QuantileSketch::merge(const QuantileSketch& other) {
  count_ += other.count_;
  if (other.levels_.size() > levels_.size()) setDepth(other.levels_.size());
  for (std::size_t level = 0; level < other.levels_.size(); ++level) {
    std::vector<double>& mine = levels_[level];
    const auto middle = static_cast<std::ptrdiff_t>(mine.size());
    mine.insert(mine.end(), other.levels_[level].begin(), other.levels_[level].end());
    if (level > 0) std::inplace_merge(mine.begin(), mine.begin() + middle, mine.end());
  }
  const auto isFull = [this] {
    for (std::size_t level = 0; level < levels_.size(); ++level) {
      if (levels_[level].size() > capacities_[level]) return true;
    }
    return false;
  };
  while (isFull()) compress();
}

QuantileSketch::View QuantileSketch::view() const {
  struct Weighted {
    double value;
    std::int64_t weight;
  };
  std::vector<Weighted> all;
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    for (const double value : levels_[level]) all.push_back({value, std::int64_t{1} << level});
  }
  std::sort(all.begin(), all.end(),
            [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
  View view;
  std::int64_t total = 0;
  for (const Weighted& each : all) {
    total += each.weight;
    if (!view.values_.empty() && view.values_.back() == each.value) {
      view.upTo_.back() = total;
      continue;
    }
    view.values_.push_back(each.value);
    view.upTo_.push_back(total);
  }
  return view;
}

double QuantileSketch::View::quantile(double q) const {
  const double place = std::clamp(q, 0.0, 1.0) * static_cast<double>(upTo_.back() - 1);
  const auto valueAt = [this](std::int64_t rank) {
    const auto it = std::upper_bound(upTo_.begin(), upTo_.end(), rank);
    return values_[static_cast<std::size_t>(std::min(it, upTo_.end() - 1) - upTo_.begin())];
  };
  const auto rank = static_cast<std::int64_t>(place);
  const double low = valueAt(rank);
  const double share = place - static_cast<double>(rank);
  if (share == 0) return low;
  const double high = valueAt(rank + 1);
  return low == high ? low : low * (1 - share) + high * share;
}

double QuantileSketch::View::below(double x) const {
  const auto it = std::lower_bound(values_.begin(), values_.end(), x);
  if (it == values_.begin()) return 0;
  return static_cast<double>(upTo_[static_cast<std::size_t>(it - values_.begin()) - 1]);
}

}  // namespace couler::column

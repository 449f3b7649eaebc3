#include "runtime/column/distinct_count.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace couler::column {

namespace {

constexpr std::size_t kSlots = DistinctCount::kExact * 2;

// Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (arXiv 1702.01284),
// section 2: an estimate without tables of corrections.
double sigma(double x) {
  if (x == 1) return INFINITY;
  double y = 1;
  double z = x;
  for (double before = -1; z != before;) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}
double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1;
  double z = 1 - x;
  for (double before = -1; z != before;) {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}

}  // namespace

void DistinctCount::insert(std::uint64_t hash) {
  if (hash == 0) {
    hasZero_ = true;
    return;
  }
  if (slots_.empty()) slots_.assign(kSlots, 0);
  std::size_t at = hash & (kSlots - 1);
  for (; slots_[at] != 0; at = (at + 1) & (kSlots - 1)) {
    if (slots_[at] == hash) return;
  }
  slots_[at] = hash;
  if (++used_ == kExact) toRegisters();
}

void DistinctCount::toRegisters() {
  registers_.assign(std::size_t{1} << kBits, 0);
  for (const std::uint64_t hash : slots_) {
    if (hash != 0) raise(hash);
  }
  if (hasZero_) raise(0);
  slots_ = {};
}

void DistinctCount::merge(const DistinctCount& other) {
  if (other.exact()) {
    for (const std::uint64_t hash : other.slots_) {
      if (hash != 0) add(hash);
    }
    if (other.hasZero_) add(0);
    return;
  }
  if (exact()) toRegisters();
  for (std::size_t i = 0; i < registers_.size(); ++i) {
    registers_[i] = std::max(registers_[i], other.registers_[i]);
  }
}

std::int64_t DistinctCount::estimate() const {
  if (exact()) return static_cast<std::int64_t>(used_) + (hasZero_ ? 1 : 0);
  constexpr unsigned kMost = 64 - kBits + 1;
  std::array<double, kMost + 1> ranks{};
  for (const std::uint8_t rank : registers_) ++ranks[std::min<std::size_t>(rank, kMost)];
  const auto m = static_cast<double>(registers_.size());
  double z = m * tau(1 - ranks[kMost] / m);
  for (unsigned k = kMost - 1; k >= 1; --k) z = 0.5 * (z + ranks[k]);
  z += m * sigma(ranks[0] / m);
  return std::llround(m * m / (2 * std::log(2.0) * z));
}

}  // namespace couler::column

// Random and Sobol points, and the estimator that learns from trials.
#include <algorithm>
#include <cmath>
#include <numbers>

#include <boost/random/sobol.hpp>

#include "ir/search.h"

namespace couler::ir::search {

namespace {

/// The finalizer of splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}
constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15U;

std::uint32_t reversed(std::uint32_t x) {
  x = ((x >> 1U) & 0x55555555U) | ((x & 0x55555555U) << 1U);
  x = ((x >> 2U) & 0x33333333U) | ((x & 0x33333333U) << 2U);
  x = ((x >> 4U) & 0x0f0f0f0fU) | ((x & 0x0f0f0f0fU) << 4U);
  return __builtin_bswap32(x);
}

/// A nested uniform scramble: each bit flips as the bits above it and the seed say.
std::uint32_t scrambled(std::uint32_t x, std::uint32_t seed) {
  x = reversed(x);
  x ^= x * 0x3d20adeaU;
  x += seed;
  x *= (seed >> 16U) | 1U;
  x ^= x * 0x05526c56U;
  x ^= x * 0x53a22864U;
  return reversed(x);
}

}  // namespace

Random::Random(std::uint64_t seed, std::uint64_t stream)
    : state_(mix(mix(seed + kGolden) + stream * kGolden + 1)) {}
std::uint64_t Random::next() { return mix(state_ += kGolden); }
double Random::unit() { return static_cast<double>(next() >> 11U) * 0x1p-53; }
double Random::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - unit()));
  return radius * std::cos(2 * std::numbers::pi * unit());
}

std::vector<std::vector<double>> randomPlaces(std::size_t dimensions, std::int64_t seed,
                                              std::uint64_t from, std::uint64_t to) {
  std::vector<std::vector<double>> places;
  for (std::uint64_t i = from; i < to; ++i) {
    Random random(static_cast<std::uint64_t>(seed), i);
    std::vector<double>& place = places.emplace_back();
    for (std::size_t d = 0; d < dimensions; ++d) place.push_back(random.unit());
  }
  return places;
}

std::vector<std::vector<double>> sobolPlaces(std::size_t dimensions, std::int64_t seed,
                                             std::uint64_t from, std::uint64_t to) {
  boost::random::sobol sequence(dimensions);
  // Boost leaves the first point out, the origin; with it any 2^k points from it on are in balance.
  if (from > 1) sequence.discard((from - 1) * dimensions);
  std::vector<std::vector<double>> places;
  for (std::uint64_t i = from; i < to; ++i) {
    std::vector<double>& place = places.emplace_back();
    for (std::size_t d = 0; d < dimensions; ++d) {
      const std::uint64_t bits = i == 0 ? 0 : sequence();
      const std::uint64_t key = Random(static_cast<std::uint64_t>(seed), d).next();
      const std::uint32_t word =
          scrambled(static_cast<std::uint32_t>(bits >> 32U), static_cast<std::uint32_t>(key >> 32U));
      place.push_back(word * 0x1p-32);
    }
  }
  return places;
}

std::vector<std::int64_t> startingRungs(std::int64_t brackets, std::int64_t rungs,
                                        std::int64_t reduction) {
  constexpr std::size_t kCycle = 25;
  std::vector<double> due(static_cast<std::size_t>(brackets), 0);
  std::vector<double> share(due.size());
  double total = 0;
  for (std::size_t b = 0; b < share.size(); ++b) {
    const auto rung = static_cast<double>(b);
    share[b] = std::pow(reduction, -rung) / (static_cast<double>(rungs) - rung);
    total += share[b];
  }
  std::vector<std::int64_t> cycle;
  for (std::size_t i = 0; i < kCycle; ++i) {
    for (std::size_t b = 0; b < due.size(); ++b) due[b] += share[b] / total;
    const auto next = std::max_element(due.begin(), due.end());
    *next -= 1;
    cycle.push_back(next - due.begin());
  }
  Random random(0, 0x6272616b);
  for (std::size_t i = kCycle; i-- > 1;) std::swap(cycle[i], cycle[random.next() % (i + 1)]);
  return cycle;
}

std::int64_t placesOn(std::int64_t rung, std::int64_t start, std::int64_t trials,
                      std::int64_t reduction) {
  std::int64_t places = rung < start ? 0 : trials;
  for (std::int64_t i = start; i < rung && places > 1; ++i) {
    places = places / reduction + (places % reduction == 0 ? 0 : 1);
  }
  return places;
}

}  // namespace couler::ir::search

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ir/search.h"

namespace couler::ir::search {

namespace {

constexpr std::size_t kCandidates = 32;
constexpr std::size_t kMostGood = 25;

double normalBelow(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

/// A mixture of one kernel a trial and one over the whole space: normal, cut off at the ends, for
/// ranges; mostly the trial's own value for choices.
class Mixture {
 public:
  Mixture(std::span<const Dimension> dimensions, std::vector<const std::vector<double>*> centres)
      : dimensions_(dimensions), centres_(std::move(centres)) {
    kernels_.resize(centres_.size() * dimensions_.size());
    for (std::size_t i = 0; i < dimensions_.size(); ++i) widen(i);
  }

  [[nodiscard]] std::vector<double> draw(Random& random) const {
    const auto pick = static_cast<std::size_t>(random.unit() *
                                               static_cast<double>(centres_.size() + 1));
    std::vector<double> place;
    for (std::size_t i = 0; i < dimensions_.size(); ++i) {
      const bool whole = pick >= centres_.size();
      if (dimensions_[i].kind == Dimension::Kind::Choice) {
        const bool keep = !whole && random.unit() >= stray();
        place.push_back(keep ? (*centres_[pick])[i] : random.unit());
      } else if (whole) {
        place.push_back(random.unit());
      } else {
        double x = -1;
        const double width = kernels_[pick * dimensions_.size() + i].width;
        while (x < 0 || x >= 1) x = (*centres_[pick])[i] + width * random.normal();
        place.push_back(x);
      }
    }
    return place;
  }

  /// The logarithm of the density.
  [[nodiscard]] double logDensity(std::span<const double> place) const {
    std::vector<double> terms{0};  // the whole space: density 1
    for (std::size_t k = 0; k < centres_.size(); ++k) {
      double sum = 0;
      for (std::size_t i = 0; i < dimensions_.size(); ++i) {
        const double mean = (*centres_[k])[i];
        if (dimensions_[i].kind == Dimension::Kind::Choice) {
          const auto count = static_cast<double>(dimensions_[i].count);
          const bool same = std::floor(mean * count) == std::floor(place[i] * count);
          sum += std::log(stray() + (same ? (1 - stray()) * count : 0));
        } else {
          const Kernel& kernel = kernels_[k * dimensions_.size() + i];
          const double z = (place[i] - mean) / kernel.width;
          sum += -0.5 * z * z - kernel.logShare;
        }
      }
      terms.push_back(sum);
    }
    const double most = *std::max_element(terms.begin(), terms.end());
    double total = 0;
    for (const double term : terms) total += std::exp(term - most);
    return most + std::log(total / static_cast<double>(terms.size()));
  }

 private:
  struct Kernel {
    double width;
    double logShare;  ///< of its norm and of how much of it lies inside
  };

  /// Gives each kernel half the way to the farther of its two neighbours as width in one dimension
  /// (Bergstra et al. take all of it, but of one dimension at a time), and not too little.
  void widen(std::size_t dimension) {
    const std::size_t n = centres_.size();
    std::vector<std::pair<double, std::size_t>> along;
    for (std::size_t k = 0; k < n; ++k) along.emplace_back((*centres_[k])[dimension], k);
    std::sort(along.begin(), along.end());
    const double least = 1 / std::min(100.0, static_cast<double>(n) + 2);
    for (std::size_t k = 0; k < n; ++k) {
      const double mean = along[k].first;
      double gap = n == 1 ? std::max(mean, 1 - mean) : 0;
      if (k > 0) gap = mean - along[k - 1].first;
      if (k + 1 < n) gap = std::max(gap, along[k + 1].first - mean);
      const double width = std::clamp(gap / 2, least, 1.0);
      const double inside = normalBelow((1 - mean) / width) - normalBelow(-mean / width);
      kernels_[along[k].second * dimensions_.size() + dimension] = {
          width, std::log(inside * width * std::sqrt(2 * std::numbers::pi))};
    }
  }
  /// How much of a kernel's weight other choices have.
  [[nodiscard]] double stray() const { return 1 / static_cast<double>(centres_.size() + 1); }

  std::span<const Dimension> dimensions_;
  std::vector<const std::vector<double>*> centres_;
  std::vector<Kernel> kernels_;  ///< a trial's beside each other
};

}  // namespace

std::vector<double> parzen(const Space& space, std::span<const Trial> trials, std::int64_t seed) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < trials.size(); ++i) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (!trials[a].loss || !trials[b].loss) return trials[a].loss.has_value() > trials[b].loss.has_value();
    return *trials[a].loss < *trials[b].loss;
  });
  const auto scored = static_cast<std::size_t>(std::count_if(
      trials.begin(), trials.end(), [](const Trial& trial) { return trial.loss.has_value(); }));
  const std::size_t good = std::min({scored, kMostGood, (scored + 4) / 5});
  std::vector<const std::vector<double>*> better;
  std::vector<const std::vector<double>*> others;
  for (std::size_t i = 0; i < order.size(); ++i) {
    (i < good ? better : others).push_back(&trials[order[i]].place);
  }
  const Mixture near(space.dimensions(), std::move(better));
  const Mixture far(space.dimensions(), std::move(others));
  std::vector<Value> tried;
  for (const Trial& trial : trials) tried.push_back(space.point(trial.place));

  Random random(static_cast<std::uint64_t>(seed), 0x747065 + trials.size());
  std::vector<double> best;
  double bestGain = 0;
  bool bestIsNew = false;
  const bool ends = space.size() != 0;
  // A space that is nearly used up needs more draws to find what is left.
  const std::size_t draws = ends ? kCandidates * 4 : kCandidates;
  std::size_t fresh = 0;
  for (std::size_t n = 0; n < draws && fresh < kCandidates; ++n) {
    std::vector<double> drawn = near.draw(random);
    const Value point = space.point(drawn);
    const std::vector<double> place = space.place(point);
    const bool isNew = !ends || std::find(tried.begin(), tried.end(), point) == tried.end();
    if (isNew) ++fresh;
    const double gain = near.logDensity(place) - far.logDensity(place);
    if (best.empty() || isNew > bestIsNew || (isNew == bestIsNew && gain > bestGain)) {
      best = place;
      bestGain = gain;
      bestIsNew = isNew;
    }
  }
  return best;
}

}  // namespace couler::ir::search

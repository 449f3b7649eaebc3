#include "ir/cache_policy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace couler::ir {
namespace {

constexpr double kGigabyte = 1e9;
constexpr double kPriorRuns = 3;
constexpr std::size_t kLayers = 3;           // Eq. 3 and 5: "within n layers", n not given
constexpr double kAlpha = 1.5, kBeta = 1.0;  // Eq. 6, as in the paper's experiments
/// Values are worked out again after each eviction where there are at most so many entries, else
/// so many times at most.
constexpr std::size_t kSmall = 256;
constexpr std::size_t kRounds = 12;

constexpr std::array<CachePolicyInfo, 11> kPolicies = {{
    {CachePolicy::Density, "density", "expected seconds saved by the next run, a byte", false},
    {CachePolicy::Remaining, "remaining", "uses left in this run times seconds, a byte", false},
    {CachePolicy::Eq6, "eq6", "the importance of Couler's paper, as printed", false},
    {CachePolicy::Eq6Repaired, "eq6-repaired", "the same with its signs turned", false},
    {CachePolicy::Lru, "lru", "the least recently used goes first", false},
    {CachePolicy::Fifo, "fifo", "the oldest goes first", false},
    {CachePolicy::Lfu, "lfu", "the least often used goes first", false},
    {CachePolicy::Gdsf, "gdsf", "uses times seconds, a byte", false},
    {CachePolicy::KeepAll, "keep-all", "nothing goes", false},
    {CachePolicy::None, "none", "all goes", false},
    {CachePolicy::Belady, "belady", "the farthest next use goes first", true},
}};

double density(double worth, const CacheEntry& entry) {
  return worth / std::max(entry.bytes, 1.0) * kGigabyte;
}

/// What reads each entry, as `CacheModel` has what each reads.
struct Readers {
  explicit Readers(const CacheModel& model) : first(model.size() + 1, 0) {
    for (std::size_t i = 0; i < model.size(); ++i) {
      for (const std::uint32_t input : model.inputs(i)) ++first[input + 1];
    }
    std::partial_sum(first.begin(), first.end(), first.begin());
    list.resize(first.back());
    std::vector<std::uint32_t> at(first.begin(), first.end() - 1);
    for (std::size_t i = 0; i < model.size(); ++i) {
      for (const std::uint32_t input : model.inputs(i)) {
        list[at[input]++] = static_cast<std::uint32_t>(i);
      }
    }
  }
  [[nodiscard]] std::span<const std::uint32_t> of(std::size_t i) const {
    return {list.data() + first[i], first[i + 1] - first[i]};
  }
  std::vector<std::uint32_t> first, list;
};

/// Eq. 3 to 6 for one entry. `repaired`: a direct consumer counts (1 + A instead of 1 - A), large
/// artifacts are worth less, and r is what is left to run instead of 1.
class Importance {
 public:
  Importance(const CacheModel& model, bool repaired)
      : model_(model), readers_(model), repaired_(repaired), seen_(model.size(), 0) {}

  double of(std::uint32_t u) {
    if (repaired_ && model_[u].remaining <= 0) return 0;  // dead
    const double reuse = reuseValue(u);
    const double size = std::exp(-model_[u].bytes / kGigabyte);
    return kAlpha * std::log1p(reconstruction(u)) + kBeta * reuse * reuse -
           (repaired_ ? 1 - size : size);
  }

 private:
  double degree(std::uint32_t i) const {
    return static_cast<double>(model_.inputs(i).size() + readers_.of(i).size());
  }

  /// L(u): over the steps before it within the layers, not past one that is present.
  double reconstruction(std::uint32_t u) {
    double sum = 0;
    walk(u, [&](std::uint32_t i, std::size_t) -> std::span<const std::uint32_t> {
      if (i != u && model_[i].present) return {};
      for (const std::uint32_t from : model_.inputs(i)) {
        sum += model_[from].seconds / 60 + degree(from) * degree(i);
      }
      return model_.inputs(i);
    });
    return sum;
  }

  double reuseValue(std::uint32_t u) {
    double sum = 0;
    walk(u, [&](std::uint32_t i, std::size_t hops) {
      if (i != u) {
        const double adjacent = hops == 1 ? 1 : 0;
        const double reused = repaired_ && model_[u].remaining <= 0 ? 0 : 1;
        sum += reused / static_cast<double>(hops) * (1 + (repaired_ ? adjacent : -adjacent));
      }
      return readers_.of(i);
    });
    return repaired_ ? std::min(sum, 2 * model_[u].remaining) : sum;
  }

  /// Breadth first from `u`, at most kLayers hops; `next` gives where to go on to.
  template <class Next>
  void walk(std::uint32_t u, Next&& next) {
    ++round_;
    level_.assign(1, u);
    seen_[u] = round_;
    for (std::size_t hops = 0; hops <= kLayers && !level_.empty(); ++hops) {
      after_.clear();
      for (const std::uint32_t i : level_) {
        for (const std::uint32_t other : next(i, hops)) {
          if (seen_[other] == round_) continue;
          seen_[other] = round_;
          after_.push_back(other);
        }
      }
      level_.swap(after_);
    }
  }

  const CacheModel& model_;
  Readers readers_;
  bool repaired_;
  std::uint32_t round_ = 0;
  std::vector<std::uint32_t> seen_, level_, after_;
};

}  // namespace

std::span<const CachePolicyInfo> cachePolicies() { return kPolicies; }

std::optional<CachePolicy> cachePolicy(std::string_view name) {
  for (const CachePolicyInfo& row : kPolicies) {
    if (row.name == name && !row.foreknows) return row.policy;
  }
  return std::nullopt;
}

std::string_view word(CachePolicy policy) {
  const auto* const row = std::find_if(kPolicies.begin(), kPolicies.end(),
                                       [&](const auto& info) { return info.policy == policy; });
  return row->name;
}

std::uint32_t CacheModel::add(const CacheEntry& entry, std::span<const std::uint32_t> inputs) {
  entries_.push_back(entry);
  inputs_.insert(inputs_.end(), inputs.begin(), inputs.end());
  first_.push_back(static_cast<std::uint32_t>(inputs_.size()));
  return static_cast<std::uint32_t>(entries_.size() - 1);
}

double CacheModel::bytes() const {
  double sum = 0;
  for (const CacheEntry& entry : entries_) sum += entry.present ? entry.bytes : 0;
  return sum;
}

std::vector<double> reconstructionSeconds(const CacheModel& model) {
  std::vector<double> seconds(model.size());
  std::vector<double> missing(model.size());  // what a reader has to make first
  for (std::size_t i = 0; i < model.size(); ++i) {
    seconds[i] = model[i].seconds;
    for (const std::uint32_t input : model.inputs(i)) seconds[i] += missing[input];
    missing[i] = model[i].present ? 0 : seconds[i];
  }
  return seconds;
}

std::vector<double> needChance(const CacheModel& model) {
  // Stale entries upstream make stale what is downstream, so the chance that `i` is stale and its
  // input is not is the difference of their chances.
  struct Input {  // side by side, since inputs are anywhere
    double unneeded = 1;  // no reader runs
    double invalid = 0;
  };
  std::vector<Input> of(model.size());
  for (std::size_t i = 0; i < model.size(); ++i) of[i].invalid = model[i].invalid;
  std::vector<double> need(model.size(), 0);
  for (std::size_t i = model.size(); i-- > 0;) {
    const bool sink = of[i].unneeded == 1;
    const double valid = 1 - model[i].invalid;
    // What nothing reads is wanted for itself.
    need[i] = sink ? valid : std::min(valid, 1 - of[i].unneeded);
    for (const std::uint32_t input : model.inputs(i)) {
      const double stale = std::max(0.0, model[i].invalid - of[input].invalid);
      const double runs = model[i].present ? stale : std::min(1.0, stale + need[i]);
      of[input].unneeded *= 1 - std::min(1.0, std::max(runs, 1e-9));
    }
  }
  return need;
}

double expectedSeconds(const CacheModel& model) {
  const std::vector<double> need = needChance(model);
  double sum = 0;
  for (std::size_t i = 0; i < model.size(); ++i) {
    const double again = model[i].present ? 0 : need[i];
    sum += model[i].seconds * std::min(1.0, model[i].invalid + again);
  }
  return sum;
}

double staleChance(double stale, double runs, double prior) {
  return (stale + kPriorRuns * prior) / (runs + kPriorRuns);
}

std::vector<double> cacheValues(CachePolicy policy, const CacheModel& model) {
  std::vector<double> values(model.size());
  const auto each = [&](auto&& value) {
    for (std::size_t i = 0; i < model.size(); ++i) values[i] = value(model[i], i);
  };
  switch (policy) {
    case CachePolicy::Density: {
      const std::vector<double> seconds = reconstructionSeconds(model);
      const std::vector<double> need = needChance(model);
      each([&](const CacheEntry& entry, std::size_t i) {
        return density(seconds[i] * need[i], entry);
      });
      break;
    }
    case CachePolicy::Remaining: {
      each([&](const CacheEntry& entry, std::size_t) {
        return density(entry.seconds * entry.remaining, entry);
      });
      break;
    }
    case CachePolicy::Eq6:
    case CachePolicy::Eq6Repaired: {
      Importance importance(model, policy == CachePolicy::Eq6Repaired);
      each([&](const CacheEntry& entry, std::size_t i) {
        return entry.present ? importance.of(static_cast<std::uint32_t>(i)) : 0;
      });
      break;
    }
    case CachePolicy::Lru:
      each([](const CacheEntry& entry, std::size_t) { return entry.lastUse; });
      break;
    case CachePolicy::Fifo:
      each([](const CacheEntry& entry, std::size_t) { return entry.added; });
      break;
    case CachePolicy::Lfu:
      each([](const CacheEntry& entry, std::size_t) { return entry.uses; });
      break;
    case CachePolicy::Gdsf:
      each([](const CacheEntry& entry, std::size_t) {
        return density(entry.uses * entry.seconds, entry);
      });
      break;
    case CachePolicy::Belady:
      each([](const CacheEntry& entry, std::size_t) { return -entry.nextUse; });
      break;
    case CachePolicy::KeepAll:
    case CachePolicy::None:
      break;
  }
  return values;
}

std::vector<std::uint32_t> chooseVictims(CachePolicy policy, const CacheModel& model,
                                         double budget) {
  std::vector<std::uint32_t> victims;
  if (policy == CachePolicy::KeepAll) return victims;
  if (policy == CachePolicy::None) budget = 0;
  CacheModel left = model;
  double excess = left.bytes() - budget;
  if (policy == CachePolicy::None) excess = std::numeric_limits<double>::infinity();
  // Only these values depend on what else is there.
  const bool moves = policy == CachePolicy::Density || policy == CachePolicy::Eq6 ||
                     policy == CachePolicy::Eq6Repaired;
  const double portion = model.size() <= kSmall ? 0 : excess / kRounds;
  std::vector<std::uint32_t> order;
  while (excess > 0) {
    const std::vector<double> values = cacheValues(policy, left);
    order.clear();
    for (std::uint32_t i = 0; i < left.size(); ++i) {
      if (left[i].present && !left[i].pinned) order.push_back(i);
    }
    if (order.empty()) break;
    const auto less = [&](std::uint32_t a, std::uint32_t b) {
      return values[a] != values[b] ? values[a] < values[b] : a < b;
    };
    // A heap: mostly few of many go.
    const auto greater = [&](std::uint32_t a, std::uint32_t b) { return less(b, a); };
    std::make_heap(order.begin(), order.end(), greater);
    double freed = 0;
    while (!order.empty() && excess > 0 && !(moves && freed > portion)) {
      std::pop_heap(order.begin(), order.end(), greater);
      const std::uint32_t i = order.back();
      order.pop_back();
      left[i].present = false;
      freed += left[i].bytes;
      excess -= left[i].bytes;
      victims.push_back(i);
      if (moves && portion == 0) break;
    }
  }
  // The last to go may have made more room than was wanted: what went before it may stay.
  for (std::size_t i = victims.size(); i-- > 0 && excess < 0;) {
    CacheEntry& entry = left[victims[i]];
    if (entry.bytes > -excess) continue;
    excess += entry.bytes;
    entry.present = true;
  }
  std::erase_if(victims, [&](std::uint32_t i) { return left[i].present; });
  return victims;
}

}  // namespace couler::ir

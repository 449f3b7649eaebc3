#include "ir/cache_policy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

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

double density(double worth, double bytes) { return worth / std::max(bytes, 1.0) * kGigabyte; }

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
    if (repaired_ && model_.use(u).remaining <= 0) return 0;  // dead
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
        const double reused = repaired_ && model_.use(u).remaining <= 0 ? 0 : 1;
        sum += reused / static_cast<double>(hops) * (1 + (repaired_ ? adjacent : -adjacent));
      }
      return readers_.of(i);
    });
    return repaired_ ? std::min(sum, 2 * model_.use(u).remaining) : sum;
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

/// Calls `take` with each entry, those made of it first, and the chance of `needChance`.
template <class Take>
void eachNeed(const CacheModel& model, Take&& take) {
  // Stale entries upstream make stale what is downstream, so the chance that `i` is stale and its
  // input is not is the difference of their chances.
  struct Input {          // side by side, since inputs are anywhere
    double unneeded = 1;  // no reader runs
    double invalid = 0;
  };
  std::vector<Input> of(model.size());
  for (std::size_t i = 0; i < model.size(); ++i) of[i].invalid = model[i].invalid;
  for (std::size_t i = model.size(); i-- > 0;) {
    const double invalid = model[i].invalid;
    const double valid = 1 - invalid;
    // What nothing reads is wanted for itself.
    const double need = of[i].unneeded == 1 ? valid : std::min(valid, 1 - of[i].unneeded);
    for (const std::uint32_t input : model.inputs(i)) {
      const double stale = std::max(0.0, invalid - of[input].invalid);
      const double runs = model[i].present ? stale : std::min(1.0, stale + need);
      of[input].unneeded *= 1 - std::min(1.0, std::max(runs, 1e-9));
    }
    take(i, need);
  }
}

bool mayGo(const CacheEntry& entry) { return entry.present && !entry.pinned; }

/// The entries that may go, in the order of their values. Mostly few of many go, so only about
/// `share` of them are sorted at first, by what a sample says.
class Queue {
 public:
  Queue(const CacheModel& model, const std::vector<double>& values, double share)
      : model_(model), values_(values) {
    std::vector<Item> sample;
    for (std::size_t i = 0; i < model.size(); i += 1 + model.size() / kSample) {
      if (mayGo(model[i])) sample.emplace_back(values[i], i);
    }
    const double at = kMargin * share * static_cast<double>(sample.size());
    if (model.size() > kSample && at < static_cast<double>(sample.size())) {
      const auto bound = sample.begin() + static_cast<std::ptrdiff_t>(at);
      std::nth_element(sample.begin(), bound, sample.end());
      bound_ = *bound;
    }
    collect({-std::numeric_limits<double>::infinity(), 0});
  }

  std::optional<std::uint32_t> next() {
    if (at_ == sorted_.size() && bound_ < kLast) {
      const Item from{bound_.first, bound_.second + 1};
      bound_ = kLast;
      collect(from);
    }
    if (at_ == sorted_.size()) return std::nullopt;
    return sorted_[at_++].second;
  }

 private:
  using Item = std::pair<double, std::uint32_t>;  // value, entry
  static constexpr Item kLast{std::numeric_limits<double>::infinity(), 0xffffffffU};
  static constexpr std::size_t kSample = 1024;
  static constexpr double kMargin = 1.25;

  /// Those from `from` to the bound.
  void collect(const Item& from) {
    sorted_.clear();
    at_ = 0;
    for (std::uint32_t i = 0; i < model_.size(); ++i) {
      const Item item{values_[i], i};
      if (item >= from && item <= bound_ && mayGo(model_[i])) sorted_.push_back(item);
    }
    std::sort(sorted_.begin(), sorted_.end());
  }

  const CacheModel& model_;
  const std::vector<double>& values_;
  Item bound_ = kLast;
  std::vector<Item> sorted_;
  std::size_t at_ = 0;
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
  for (std::size_t i = 0; i < model.size(); ++i) {
    double sum = model[i].seconds;
    for (const std::uint32_t input : model.inputs(i)) {
      if (!model[input].present) sum += seconds[input];  // has to be made first
    }
    seconds[i] = sum;
  }
  return seconds;
}

std::vector<double> needChance(const CacheModel& model) {
  std::vector<double> chance(model.size());
  eachNeed(model, [&](std::size_t i, double need) { chance[i] = need; });
  return chance;
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
    for (std::size_t i = 0; i < model.size(); ++i) values[i] = value(i, model.use(i));
  };
  switch (policy) {
    case CachePolicy::Density:
      values = reconstructionSeconds(model);
      eachNeed(model, [&](std::size_t i, double need) {
        values[i] = density(values[i] * need, model[i].bytes);
      });
      break;
    case CachePolicy::Remaining:
      each([&](std::size_t i, const CacheUse& use) {
        return density(model[i].seconds * use.remaining, model[i].bytes);
      });
      break;
    case CachePolicy::Eq6:
    case CachePolicy::Eq6Repaired: {
      Importance importance(model, policy == CachePolicy::Eq6Repaired);
      for (std::uint32_t i = 0; i < model.size(); ++i) {
        values[i] = model[i].present ? importance.of(i) : 0;
      }
      break;
    }
    case CachePolicy::Lru:
      each([](std::size_t, const CacheUse& use) { return use.lastUse; });
      break;
    case CachePolicy::Fifo:
      each([](std::size_t, const CacheUse& use) { return use.added; });
      break;
    case CachePolicy::Lfu:
      each([](std::size_t, const CacheUse& use) { return use.uses; });
      break;
    case CachePolicy::Gdsf:
      each([&](std::size_t i, const CacheUse& use) {
        return density(use.uses * model[i].seconds, model[i].bytes);
      });
      break;
    case CachePolicy::Belady:
      each([](std::size_t, const CacheUse& use) { return -use.nextUse; });
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
  double going = 0;  // bytes of all that may go
  for (std::size_t i = 0; i < left.size(); ++i) going += mayGo(left[i]) ? left[i].bytes : 0;
  double excess = left.bytes() - budget;
  if (policy == CachePolicy::None) excess = std::numeric_limits<double>::infinity();
  // Only these values depend on what else is there.
  const bool moves = policy == CachePolicy::Density || policy == CachePolicy::Eq6 ||
                     policy == CachePolicy::Eq6Repaired;
  const double portion = model.size() <= kSmall ? 0 : excess / kRounds;
  for (bool more = true; more && excess > 0;) {
    const std::vector<double> values = cacheValues(policy, left);
    Queue queue(left, values, (moves ? std::min(portion, excess) : excess) / std::max(going, 1.0));
    double freed = 0;
    more = false;
    while (excess > 0 && !(moves && freed > portion)) {
      const std::optional<std::uint32_t> next = queue.next();
      if (!next) break;
      left[*next].present = false;
      freed += left[*next].bytes;
      excess -= left[*next].bytes;
      going -= left[*next].bytes;
      victims.push_back(*next);
      more = true;
      if (moves && portion == 0) break;
    }
  }
  // The last to go may have made more room than was wanted: what went before it may stay.
  for (std::size_t i = victims.size(); i-- > 0 && excess < 0;) {
    const std::uint32_t victim = victims[i];
    if (left[victim].bytes > -excess) continue;
    excess += left[victim].bytes;
    left[victim].present = true;
  }
  std::erase_if(victims, [&](std::uint32_t i) { return left[i].present; });
  return victims;
}

}  // namespace couler::ir

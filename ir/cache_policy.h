#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// Which artifacts to keep where there is not room for all: pure functions over a small model of
/// costs. The store, the pass `insert-cache` and the simulation in bench/ use these very functions.
namespace couler::ir {

enum class CachePolicy : std::uint8_t {
  Density,      ///< expected seconds saved in the next run, a byte (across edits)
  Remaining,    ///< uses left in this run times the cost of a miss, a byte (within a run)
  Eq6,          ///< the importance of Couler's paper (arXiv 2403.07608, Eq. 3-6) as printed
  Eq6Repaired,  ///< the same with the signs of zeta and V turned, and r = uses left
  Lru,
  Fifo,
  Lfu,
  Gdsf,     ///< uses times seconds a byte, without ageing
  KeepAll,  ///< evicts nothing, whatever the budget
  None,     ///< keeps nothing that need not be kept
  Belady    ///< the farthest next use goes first; only a simulation knows it
};

struct CachePolicyInfo {
  CachePolicy policy;
  std::string_view name;
  std::string_view summary;
  bool foreknows;  ///< needs the future: no use outside a simulation
};
[[nodiscard]] std::span<const CachePolicyInfo> cachePolicies();
/// By name; nothing for one that foreknows.
[[nodiscard]] std::optional<CachePolicy> cachePolicy(std::string_view name);
[[nodiscard]] std::string_view word(CachePolicy policy);

/// What is known of one artifact: what a step made. Small, since to decide about many takes passes
/// over all.
struct CacheEntry {
  double bytes = 0;
  double seconds = 0;   ///< what a miss costs, given what the step reads
  double invalid = 0;   ///< chance that it is stale at the next run, 0 to 1; grows downstream
  bool present = true;  ///< false: known, but its bytes are not there
  bool pinned = false;  ///< stays
};

/// How it was used and will be, for the policies that ask.
struct CacheUse {
  double added = 0;      ///< when it was made; any clock
  double lastUse = 0;    ///< the same clock
  double uses = 0;       ///< how often it was read
  double remaining = 0;  ///< uses left in this run; a far one may count less
  double nextUse = 0;    ///< Belady: when it is read next; infinity for never
};

/// Artifacts and what they are made from. Inputs come before what is made of them.
class CacheModel {
 public:
  /// `inputs`: numbers of entries added before. Gives the entry's number.
  std::uint32_t add(const CacheEntry& entry, std::span<const std::uint32_t> inputs);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] CacheEntry& operator[](std::size_t i) { return entries_[i]; }
  [[nodiscard]] const CacheEntry& operator[](std::size_t i) const { return entries_[i]; }
  [[nodiscard]] std::span<const std::uint32_t> inputs(std::size_t i) const {
    return {inputs_.data() + first_[i], first_[i + 1] - first_[i]};
  }
  [[nodiscard]] CacheUse& use(std::size_t i) {
    if (uses_.size() <= i) uses_.resize(size());
    return uses_[i];
  }
  /// All zero where nothing was said of it.
  [[nodiscard]] CacheUse use(std::size_t i) const {
    return i < uses_.size() ? uses_[i] : CacheUse{};
  }
  /// Of all that are present.
  [[nodiscard]] double bytes() const;

 private:
  std::vector<CacheEntry> entries_;
  std::vector<CacheUse> uses_;
  std::vector<std::uint32_t> first_{0}, inputs_;
};

/// By entry: the seconds that it takes to make it again, with all before it that is not present.
/// What two paths share is counted twice. O(entries + inputs).
[[nodiscard]] std::vector<double> reconstructionSeconds(const CacheModel& model);
/// By entry: the chance that the next run reads its bytes: that it is valid then and something that
/// reads it is not, or is not present and needed itself. O(entries + inputs).
[[nodiscard]] std::vector<double> needChance(const CacheModel& model);
/// The seconds that the next run is expected to compute: what is stale, and what is valid, not
/// present and read. O(entries + inputs).
[[nodiscard]] double expectedSeconds(const CacheModel& model);
/// The chance of being stale at the next run, from how often that was so in `runs` reruns and, as
/// if seen in a few more, from `prior`: the share of the steps an edit of which would make it so.
[[nodiscard]] double staleChance(double stale, double runs, double prior);
/// By entry: the greater, the longer it stays. Density and Remaining: seconds a gigabyte; Lfu and
/// Fifo and the like: their own scale. O(entries + inputs), for Eq6 times the steps within 3 hops.
[[nodiscard]] std::vector<double> cacheValues(CachePolicy policy, const CacheModel& model);
/// What to evict, in order, so that what is present takes at most `budget` bytes; less when pinned
/// entries take more. Values are worked out again as entries go, as often as keeps this
/// O(n log n) for large models.
[[nodiscard]] std::vector<std::uint32_t> chooseVictims(CachePolicy policy, const CacheModel& model,
                                                       double budget);

}  // namespace couler::ir

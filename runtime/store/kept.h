#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ir/cache_policy.h"
#include "runtime/store/sqlite.h"
#include "support/hash.h"

/// What a store keeps of past steps, and what the history says about its worth (docs/cache.md).
namespace couler::runtime {

/// Why a result is not evicted, whatever its worth.
enum class Needed : std::uint8_t {
  No,
  Pinned,
  Output, /* of a workflow's last successful run */
  Resume, /* its workflow has not succeeded since a run that used it */
  Live    /* a step of the run under way reads it */
};

struct KeptResult {
  Digest key;
  std::string step;          ///< as its last user names it
  std::string task;
  std::string workflow;      ///< of that run
  std::int64_t madeBy = 0;   ///< run
  std::int64_t usedBy = 0;   ///< last run that had it
  std::int64_t usedAt = 0;   ///< when that began, milliseconds since 1970
  std::uint64_t bytes = 0;   ///< of its files and folders
  double seconds = 0;        ///< what making it took
  std::uint32_t uses = 0;    ///< runs that had it, the first included
  std::uint32_t readers = 0; ///< results made from it
  bool current = false;      ///< its step's last run had this key
  bool evicted = false;      ///< its files were dropped for room; what they were is known
  bool unstable = false;
  Needed needed{};
  double edited = 0;         ///< share of its step's reruns in which the key was another
  std::vector<std::string> objects;  ///< paths within objects/
};

/// Read at once: a pass over the history, about a second for a million rows. `results[i]` is entry
/// `i` of `model`: makers stand before what is made of them.
struct KeptTable {
  std::vector<KeptResult> results;
  ir::CacheModel model;
  std::unordered_map<Digest, std::uint32_t> byKey;
  /// Of the workflows' last successful runs.
  std::unordered_set<std::string> outputs;

  /// `ownRun`: one that is under way and says itself what it needs; 0: none.
  [[nodiscard]] static KeptTable read(Database& db, std::int64_t ownRun);
  /// Bytes of what is present; what two results share counts twice.
  [[nodiscard]] std::uint64_t bytes() const;
  void need(std::uint32_t entry, Needed why);
};

/// Paths within objects/ that encoded outputs name, and their bytes together.
struct NamedObjects {
  std::vector<std::string> paths;
  std::uint64_t bytes = 0;
};
[[nodiscard]] NamedObjects objectsIn(std::string_view outputs);

}  // namespace couler::runtime

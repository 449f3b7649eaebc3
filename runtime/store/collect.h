#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "ir/cache_policy.h"
#include "runtime/store/kept.h"
#include "runtime/store/locks.h"
#include "runtime/store/objects.h"
#include "support/diagnostic.h"

/// Takes away what a store need not keep. Results are marked as evicted in one transaction, and
/// their files deleted after it: whoever dies between leaves files that no result names, which the
/// next collection finds.
namespace couler::runtime {

struct Collected {
  std::uint64_t results = 0;       ///< evicted
  std::uint64_t evictedBytes = 0;  ///< of their files that nothing else needed
  std::uint64_t objects = 0;       ///< files and folders that no result named
  std::uint64_t objectBytes = 0;
  std::uint64_t left = 0;          ///< bytes of what is present
};

/// Marks `victims` (entries of `table`) and deletes their files, but for those that another present
/// result names, that are in `live` or an output of a last successful run. False when the database
/// could not be written.
bool evictResults(Database& db, const Objects& objects, KeptTable& table,
                  const std::vector<std::uint32_t>& victims,
                  const std::unordered_set<std::string>& live, Collected& collected);
/// Deletes what no present result names. `dry`: only counts.
void sweepObjects(const Objects& objects, const KeptTable& table, bool dry, Collected& collected);

/// The store of `couler cache`.
class StoreCache {
 public:
  /// Nothing and a message where there is no store or it cannot be used.
  static std::optional<StoreCache> open(const std::string& folder, DiagnosticSink& diags);

  [[nodiscard]] KeptTable read() { return KeptTable::read(*db_, 0); }
  /// Evicts down to the budget (nothing: evicts none) and sweeps. Nothing, and nothing done, when
  /// runs are under way: they may be about to use anything.
  [[nodiscard]] std::optional<Collected> collect(ir::CachePolicy policy,
                                                 std::optional<std::uint64_t> budget);
  /// What `collect` would do now.
  [[nodiscard]] Collected foresee(KeptTable& table, ir::CachePolicy policy,
                                  std::optional<std::uint64_t> budget) const;
  bool pin(const std::vector<Digest>& keys, bool on);
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  StoreCache() = default;

  std::unique_ptr<Database> db_;
  std::unique_ptr<Objects> objects_;
  LockFile runs_;
  std::string error_;
};

}  // namespace couler::runtime

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ir/cache_policy.h"
#include "runtime/store/collect.h"
#include "runtime/store/locks.h"
#include "runtime/store/objects.h"
#include "runtime/store/reused_rows.h"
#include "runtime/store/schema.h"
#include "runtime/store/sqlite.h"
#include "runtime/store/step_row.h"
#include "support/diagnostic.h"

namespace couler::runtime {

struct RunCounts {
  std::uint64_t succeeded = 0, reused = 0, failed = 0, skipped = 0;
};

/// What a step of some key gave before.
struct StoredResult {
  std::string outputs;  ///< see encodeOutputs in runtime/engine/outputs.h
  bool trusted =
      true;  ///< false: written before a crash of the machine, so its files are read once
  bool evicted = false;  ///< its files are not there; what they were is known
};

/// The writing side of a store: one a run. After a failed write `broken()` says why and everything
/// later is refused, so that a full disk ends a run once and clearly.
class Store {
 public:
  /// Opens or makes the store, takes a run id, marks dead runs as interrupted, and clears up after
  /// them. Null after an error (reported).
  static std::unique_ptr<Store> open(const std::string& folder, std::string_view source,
                                     std::string_view workflow, DiagnosticSink& diags);
  /// For a preview: no run is made, nothing is cleared up. Null where there is no store yet, and
  /// after an error (reported).
  static std::unique_ptr<Store> openToLook(const std::string& folder, DiagnosticSink& diags);

  /// For a glance: no file is made or written, and at most so many bytes of users' files are read
  /// whose digests are not known. Null where that does not work; nothing is reported.
  static std::unique_ptr<Store> openToRead(const std::string& folder, std::uint64_t mostBytes);
  /// Whether there was more to read than `openToRead` allowed.
  [[nodiscard]] bool gaveUp() const { return gaveUp_; }

  [[nodiscard]] std::int64_t run() const { return run_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const Objects& objects() const { return *objects_; }
  /// Of this run; neither may exist yet.
  [[nodiscard]] const std::string& workFolder() const { return work_; }
  [[nodiscard]] const std::string& logFolder() const { return logs_; }
  [[nodiscard]] const std::optional<FileError>& broken() const { return broken_; }

  /// Starts and ends a batch of reads: within it other runs' writes are not seen.
  void beginReads();
  void endReads();
  /// Says that about so many results will be asked for. Where the store has few others, they are
  /// read at once: a fifth of what a look-up of each costs, and about 150 bytes of memory a result.
  void expect(std::uint64_t steps);
  [[nodiscard]] std::optional<StoredResult> lookup(const Digest& key);
  /// Says that the files of an untrusted result were read and are right.
  void trust(const Digest& key);
  /// Forgets a result whose files are gone or changed; not one that another run wrote since.
  void forget(const Digest& key, const StoredResult& result);
  /// Says that making an evicted result again gave other bytes: it is no longer evicted but forgotten.
  void unstable(const Digest& key);
  /// At most one run at a time works on a key.
  bool claim(const Digest& key) { return claims_.tryLock(lockByte(key)); }
  void release(const Digest& key) { claims_.unlock(lockByte(key)); }

  /// Writes down what the run was given (schema.h).
  void saveInputs(std::string_view json);
  /// Writes the end of an attempt, and what it gave, in one transaction. `outputs` null: it failed,
  /// or may not be reused.
  void record(const StepRow& row, std::string_view parts, const std::string* outputs);
  /// Keeps a row for the next `flush`.
  void later(StepRow row);
  void flush();
  /// Forgets the reused steps that were not written yet: they will be looked up again.
  void dropReused() { reused_.clear(); }
  /// `outputs`: of the workflow, paths within objects/, a NUL behind each; null where it did not
  /// succeed. With a budget, evicts down to it.
  void endRun(RunStatus status, const RunCounts& counts, double seconds,
              const std::string* outputs);

  /// From now on what is kept is to take at most so many bytes.
  void setBudget(ir::CachePolicy policy, std::uint64_t bytes);
  /// What this result is made of goes before all others, where there is a budget.
  void dropFirst(const Digest& key) { dropFirst_.insert(key); }
  /// Whether it is time to shrink. O(1).
  [[nodiscard]] bool overBudget() const { return budget_ && present_ > shrinkAt_; }
  /// Evicts down to the budget, and nothing whose files are among `live` (paths within objects/).
  /// Nothing while other runs use the store, or after an error.
  std::optional<Collected> shrink(const std::unordered_set<std::string>& live);

  /// The digest of a user's file or folder, by path, size, times and inode where these did not
  /// change since it was last read. O(1) for a path that this run has asked for before.
  [[nodiscard]] std::variant<Digest, FileError> digestOf(const std::string& path, bool isDir);

 private:
  Store() = default;
  bool prepare();
  bool openDatabase(DiagnosticSink& diags);
  void clearDeadRuns();
  bool mayRead(std::uint64_t bytes);
  void fail(std::string_view doing);
  void insert(const StepRow& row);
  bool writePending();
  /// Writes down what the workflow gives, unless that is what its last run gave.
  bool saveOutputs(std::string_view objects);
  /// Where among `known_` a key is; its end if nowhere.
  std::size_t knownAt(const Digest& key) const;

  std::string folder_, work_, logs_;
  std::int64_t run_ = 0;
  std::string boot_;
  std::unique_ptr<Objects> objects_;
  LockFile claims_, runs_;
  Database db_;
  bool reading_ = false;
  Statement begin_, beginWrite_, commit_, rollback_, lookup_, trust_, forget_, insertStep_,
      insertReused_, unstable_, saveResult_, saveParts_, findFile_, saveFile_;
  /// Results that `expect` read, sorted by key; `outputs` from `from` on in `knownOutputs_`.
  struct Known {
    Digest key;
    std::int64_t run = 0;  // 0: not to be used any more
    std::size_t from = 0, size = 0;
    bool evicted = false;
  };
  std::vector<Known> known_;
  std::string knownOutputs_;
  std::vector<StepRow> pending_;
  ReusedRows reused_;
  std::unordered_map<std::string, Digest> digests_;
  std::unordered_set<std::int64_t> doubtful_;  // runs of an earlier boot that were never synced
  std::optional<FileError> broken_;
  std::optional<std::uint64_t> mayRead_;  // of an `openToRead`: bytes left
  bool gaveUp_ = false;
  /// What to evict of `table`, to get down to so many bytes.
  [[nodiscard]] std::vector<std::uint32_t> victims(const KeptTable& table,
                                                   std::uint64_t budget) const;

  std::optional<std::uint64_t> budget_;
  std::unordered_set<Digest> dropFirst_;
  ir::CachePolicy policy_ = ir::CachePolicy::Density;
  std::uint64_t present_ = 0, shrinkAt_ = 0;  // bytes
};

}  // namespace couler::runtime

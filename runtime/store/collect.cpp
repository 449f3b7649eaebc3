#include "runtime/store/collect.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include "runtime/store/files.h"
#include "runtime/store/store.h"

namespace couler::runtime {
namespace {

std::vector<std::string> entriesOf(const std::string& folder) {
  std::vector<std::string> names;
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) return names;
  while (const dirent* entry = readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

/// Bytes that go with a file or folder: those of a file with other names do not.
std::uint64_t bytesOf(const std::string& path) {
  struct stat info{};
  if (lstat(path.c_str(), &info) != 0) return 0;
  if (S_ISDIR(info.st_mode)) return bytesIn(path);
  return info.st_nlink > 1 ? 0 : static_cast<std::uint64_t>(info.st_size);
}

/// An object and the folders that it leaves empty.
void removeObject(const Objects& objects, const std::string& path) {
  const std::string full = objects.absolute(path);
  removeTree(full);
  const std::string home = full.substr(0, full.rfind('/'));
  if (rmdir(home.c_str()) == 0) rmdir(home.substr(0, home.rfind('/')).c_str());
}

std::unordered_set<std::string> namedBy(const KeptTable& table) {
  std::unordered_set<std::string> named = table.outputs;
  for (const KeptResult& result : table.results) {
    if (!result.evicted) named.insert(result.objects.begin(), result.objects.end());
  }
  return named;
}

}  // namespace

bool evictResults(Database& db, const Objects& objects, KeptTable& table,
                  const std::vector<std::uint32_t>& victims,
                  const std::unordered_set<std::string>& live, Collected& collected) {
  if (victims.empty()) return true;
  {
    // What once gave other bytes when it was made again is not promised a second time.
    Statement mark = db.prepare(
        "UPDATE results SET evicted = 1, outputs = CASE unstable WHEN 0 THEN outputs END"
        " WHERE key = ?");
    bool good = db.exec("BEGIN IMMEDIATE");
    for (const std::uint32_t victim : victims) {
      good = good && mark.bind(1, table.results[victim].key).run();
    }
    if (!good || !db.exec("COMMIT")) {
      db.exec("ROLLBACK");
      return false;
    }
  }
  for (const std::uint32_t victim : victims) {
    table.results[victim].evicted = true;
    table.model[victim].present = false;
  }
  const std::unordered_set<std::string> named = namedBy(table);
  for (const std::uint32_t victim : victims) {
    ++collected.results;
    for (const std::string& path : table.results[victim].objects) {
      if (named.contains(path) || live.contains(path)) continue;
      collected.evictedBytes += bytesOf(objects.absolute(path));
      removeObject(objects, path);
    }
  }
  return true;
}

void sweepObjects(const Objects& objects, const KeptTable& table, bool dry, Collected& collected) {
  const std::unordered_set<std::string> named = namedBy(table);
  for (const std::string& first : entriesOf(objects.folder())) {
    for (const std::string& rest : entriesOf(objects.folder() + '/' + first)) {
      const std::string home = first + '/' + rest;
      const std::vector<std::string> names = entriesOf(objects.absolute(home));
      for (const std::string& name : names) {
        const std::string path = home + '/' + name;
        if (named.contains(path)) continue;
        ++collected.objects;
        collected.objectBytes += bytesOf(objects.absolute(path));
        if (!dry) removeObject(objects, path);
      }
      if (names.empty() && !dry) removeObject(objects, home + "/-");
    }
  }
}

std::optional<StoreCache> StoreCache::open(const std::string& folder, DiagnosticSink& diags) {
  // As for a preview: upgrades a store of an older program, makes none.
  const auto store = Store::openToLook(folder, diags);
  if (!store) {
    if (access((absolutePath(folder) + "/history.db").c_str(), F_OK) != 0) {
      diags.take(diagnose<Diag::NoHistory>({}, folder).note("`couler run` makes one"));
    }
    return std::nullopt;
  }
  StoreCache cache;
  cache.db_ = std::make_unique<Database>();
  cache.objects_ = std::make_unique<Objects>(store->folder() + "/objects");
  const bool opened = cache.db_->open(store->folder() + "/history.db", false, false);
  if (!opened || cache.runs_.open(store->folder() + "/runs.lock") != 0) {
    diags.take(diagnose<Diag::StoreUnusable>({}, folder, cache.db_->error()));
    return std::nullopt;
  }
  return cache;
}

std::optional<Collected> StoreCache::collect(ir::CachePolicy policy,
                                             std::optional<std::uint64_t> budget) {
  if (!runs_.tryLock(kUseByte)) return std::nullopt;
  Collected collected;
  KeptTable table = read();
  std::vector<std::uint32_t> victims;
  if (budget) victims = ir::chooseVictims(policy, table.model, static_cast<double>(*budget));
  if (!evictResults(*db_, *objects_, table, victims, {}, collected)) {
    error_ = db_->error();
  } else {
    sweepObjects(*objects_, table, false, collected);
  }
  collected.left = table.bytes();
  runs_.unlock(kUseByte);
  return collected;
}

Collected StoreCache::foresee(KeptTable& table, ir::CachePolicy policy,
                              std::optional<std::uint64_t> budget) const {
  Collected collected;
  sweepObjects(*objects_, table, true, collected);
  if (budget) {
    for (const std::uint32_t victim :
         ir::chooseVictims(policy, table.model, static_cast<double>(*budget))) {
      ++collected.results;
      collected.evictedBytes += table.results[victim].bytes;
      table.results[victim].evicted = true;
    }
  }
  collected.left = table.bytes();
  return collected;
}

bool StoreCache::pin(const std::vector<Digest>& keys, bool on) {
  Statement statement = db_->prepare(on ? "INSERT OR IGNORE INTO pins(key) VALUES(?)"
                                        : "DELETE FROM pins WHERE key = ?");
  bool good = db_->exec("BEGIN IMMEDIATE");
  for (const Digest& key : keys) good = good && statement.bind(1, key).run();
  if (good && db_->exec("COMMIT")) return true;
  error_ = db_->error();
  db_->exec("ROLLBACK");
  return false;
}

}  // namespace couler::runtime

#include "runtime/store/store.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace couler::runtime {
namespace {

constexpr std::int64_t kKeepRuns = 50;
constexpr std::int64_t kKeepSeconds = 30 * 24 * 3600;
constexpr std::size_t kFlushRows = 20'000;
constexpr std::uint64_t kExpectFrom = 200;
/// A run at least this long ends with a sync, so that its results need no reading after a crash of
/// the machine. A shorter one is soon written by the kernel itself, and a sync would double its
/// time.
constexpr double kSyncSeconds = 5;
constexpr int kLongLog = 1000;  // pages; about 4 MB
constexpr std::uint64_t kShrinkParts = 20;  // of the budget: how much the store may grow at a time

std::int64_t nowMillis() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// Numbers that are names of entries in a folder.
std::vector<std::int64_t> numbersIn(const std::string& folder) {
  std::vector<std::int64_t> result;
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) return result;
  while (const dirent* entry = readdir(dir)) {
    char* end = nullptr;
    const long long number = std::strtoll(entry->d_name, &end, 10);
    if (number > 0 && *end == '\0') result.push_back(number);
  }
  closedir(dir);
  return result;
}

/// Of the files below a folder, up to a little more than `enough`; a file counts as one at least.
std::uint64_t bytesBelow(const std::string& folder, std::uint64_t enough) {
  constexpr std::uint64_t kEach = 1024;  // what finding and opening one takes
  std::uint64_t sum = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code ignored;
    const std::uintmax_t size = at->is_regular_file(ignored) ? at->file_size(ignored) : 0;
    sum += kEach + (ignored ? 0 : size);
    if (sum > enough) break;
  }
  return sum;
}

std::string bootId() {
  auto text = readFile("/proc/sys/kernel/random/boot_id", 4096);
  std::string* id = std::get_if<std::string>(&text);
  if (id == nullptr) return "unknown";
  while (!id->empty() && id->back() == '\n') id->pop_back();
  return std::move(*id);
}

}  // namespace

std::unique_ptr<Store> Store::open(const std::string& folder, std::string_view source,
                                   std::string_view workflow, DiagnosticSink& diags) {
  std::unique_ptr<Store> store(new Store);
  store->folder_ = absolutePath(folder);
  const auto unusable = [&](int code, const std::string& path) {
    if (code == ENOSPC || code == EDQUOT) {
      diags.take(diagnose<Diag::DiskFull>({}, folder));
    } else {
      diags.take(diagnose<Diag::StoreUnusable>({}, folder, fileError(code, "use", path).message));
    }
    return nullptr;
  };
  for (const char* part : {"/objects", "/work", "/logs"}) {
    const std::string path = store->folder_ + part;
    if (const int code = makeFolders(path)) return unusable(code, path);
  }
  store->objects_ = std::make_unique<Objects>(store->folder_ + "/objects");
  // Version control has no business in there.
  const std::string ignore = store->folder_ + "/.gitignore";
  if (access(ignore.c_str(), F_OK) != 0) {
    if (std::FILE* file = std::fopen(ignore.c_str(), "we")) {
      std::fputs("*\n", file);
      std::fclose(file);
    }
  }
  if (const int code = store->claims_.open(store->folder_ + "/claims.lock")) {
    return unusable(code, store->folder_ + "/claims.lock");
  }
  if (const int code = store->runs_.open(store->folder_ + "/runs.lock")) {
    return unusable(code, store->folder_ + "/runs.lock");
  }
  // One at a time: switching a new database to WAL does not wait for others that do so. No run has
  // the number 0.
  store->runs_.lock(0);
  const bool opened = store->openDatabase(diags);
  store->runs_.unlock(0);
  if (!opened) return nullptr;
  // Waits for a collection to end, and keeps others from beginning while the run lasts.
  store->runs_.lockShared(kUseByte);
  store->boot_ = bootId();
  const auto databaseError = [&] {
    if (store->db_.full()) {
      diags.take(diagnose<Diag::DiskFull>({}, folder));
    } else {
      diags.take(diagnose<Diag::StoreUnusable>({}, folder, store->db_.error()));
    }
    return nullptr;
  };
  if (!store->prepare()) return databaseError();
  store->clearDeadRuns();
  Statement add = store->db_.prepare(
      "INSERT INTO runs(source, workflow, status, started, boot) VALUES(?, ?, 0, ?, ?)");
  // The lock is taken within the transaction that makes the run visible, so no other process ever
  // sees a running run without its lock.
  const bool added =
      store->beginWrite_.run() &&
      add.bind(1, source).bind(2, workflow).bind(3, nowMillis()).bind(4, store->boot_).run();
  store->run_ = store->db_.lastRowId();
  if (!added || !store->runs_.tryLock(static_cast<std::uint64_t>(store->run_)) ||
      !store->commit_.run()) {
    return databaseError();
  }
  store->work_ = fmt::format("{}/work/{}", store->folder_, store->run_);
  store->logs_ = fmt::format("{}/logs/{}", store->folder_, store->run_);
  return store;
}

std::unique_ptr<Store> Store::openToLook(const std::string& folder, DiagnosticSink& diags) {
  std::unique_ptr<Store> store(new Store);
  store->folder_ = absolutePath(folder);
  store->objects_ = std::make_unique<Objects>(store->folder_ + "/objects");
  if (access((store->folder_ + "/history.db").c_str(), F_OK) != 0) return nullptr;
  if (!store->openDatabase(diags)) return nullptr;
  store->boot_ = bootId();
  if (!store->prepare()) {
    diags.take(diagnose<Diag::StoreUnusable>({}, folder, store->db_.error()));
    return nullptr;
  }
  Statement doubtful = store->db_.prepare("SELECT id FROM runs WHERE synced = 0 AND boot <> ?");
  doubtful.bind(1, store->boot_);
  while (doubtful.step() == Statement::Outcome::Row) store->doubtful_.insert(doubtful.integer(0));
  return store;
}

std::unique_ptr<Store> Store::openToRead(const std::string& folder, std::uint64_t mostBytes) {
  std::unique_ptr<Store> store(new Store);
  store->folder_ = absolutePath(folder);
  store->objects_ = std::make_unique<Objects>(store->folder_ + "/objects");
  store->mayRead_ = mostBytes;
  if (!store->db_.openToRead(store->folder_ + "/history.db")) return nullptr;
  Statement ask = store->db_.prepare("PRAGMA user_version");
  const bool ours = ask.valid() && ask.step() == Statement::Outcome::Row &&
                    ask.integer(0) == kSchemaVersion && store->prepare();
  return ours ? std::move(store) : nullptr;
}

/// Whether a glance has so many bytes left to read.
bool Store::mayRead(std::uint64_t bytes) {
  if (!mayRead_) return true;
  gaveUp_ = gaveUp_ || bytes > *mayRead_;
  if (!gaveUp_) *mayRead_ -= bytes;
  return !gaveUp_;
}

bool Store::openDatabase(DiagnosticSink& diags) {
  const std::string path = folder_ + "/history.db";
  const auto failed = [&] {
    if (db_.full()) {
      diags.take(diagnose<Diag::DiskFull>({}, folder_));
    } else {
      diags.take(diagnose<Diag::StoreUnusable>({}, folder_, path + ": " + db_.error()));
    }
    return false;
  };
  if (!db_.open(path, true, false)) return failed();
  if (!db_.exec(
          "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=8388608;"
          "PRAGMA mmap_size=268435456; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY;")) {
    return failed();
  }
  std::int64_t version = 0;
  {
    Statement ask = db_.prepare("PRAGMA user_version");
    if (!ask.valid() || ask.step() != Statement::Outcome::Row) return failed();
    version = ask.integer(0);
  }
  if (version > kSchemaVersion) {
    diags.take(diagnose<Diag::StoreNewer>({}, folder_)
                   .note(fmt::format("its layout is version {}, this program knows {}", version,
                                     kSchemaVersion)));
    return false;
  }
  if (version == kSchemaVersion) return db_.exec(kBeside) || failed();
  if (!db_.exec("BEGIN IMMEDIATE")) return failed();
  {
    // Another process may have done it meanwhile.
    Statement ask = db_.prepare("PRAGMA user_version");
    if (!ask.valid() || ask.step() != Statement::Outcome::Row) return failed();
    version = ask.integer(0);
  }
  const bool upgrades = version == 1 || version == 2;
  if (version < kSchemaVersion && (!db_.exec(kSchema) || (upgrades && !db_.exec(kUpgradeTo3)) ||
                                   !db_.exec(kBeside))) {
    failed();
    db_.exec("ROLLBACK");
    return false;
  }
  return db_.exec(fmt::format("PRAGMA user_version={}; COMMIT", kSchemaVersion).c_str()) ||
         failed();
}

bool Store::prepare() {
  begin_ = db_.prepare("BEGIN");
  beginWrite_ = db_.prepare("BEGIN IMMEDIATE");
  commit_ = db_.prepare("COMMIT");
  rollback_ = db_.prepare("ROLLBACK");
  lookup_ = db_.prepare("SELECT outputs, run, evicted FROM results WHERE key = ?");
  trust_ = db_.prepare("UPDATE results SET run = ? WHERE key = ?");
  forget_ = db_.prepare("UPDATE results SET outputs = NULL WHERE key = ? AND outputs = ?");
  unstable_ = db_.prepare("UPDATE results SET unstable = 1 WHERE key = ?");
  insertStep_ = db_.prepare(
      "INSERT INTO steps(run, seq, step, task, status, attempts, exit, failure, started, seconds, "
      "cpu,"
      " rss, key, log, after) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insertReused_ = db_.prepare("INSERT INTO reused(run, rows) VALUES(?, ?)");
  saveResult_ = db_.prepare(
      "INSERT INTO results(key, run, outputs, parts) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(key) DO "
      "UPDATE"
      " SET run = ?2, outputs = ?3, evicted = 0");
  saveParts_ = db_.prepare("INSERT OR IGNORE INTO results(key, run, parts) VALUES(?, ?, ?)");
  findFile_ = db_.prepare(
      "SELECT digest FROM files WHERE path = ? AND size = ? AND mtime = ? AND ctime = ? AND inode "
      "= ?");
  saveFile_ = db_.prepare(
      "INSERT OR REPLACE INTO files(path, size, mtime, ctime, inode, digest) VALUES(?, ?, ?, ?, ?, "
      "?)");
  for (const Statement* statement :
       {&begin_, &beginWrite_, &commit_, &rollback_, &lookup_, &trust_, &forget_, &unstable_, &insertStep_,
        &insertReused_, &saveResult_, &saveParts_, &findFile_, &saveFile_}) {
    if (!statement->valid()) return false;
  }
  return true;
}

void Store::clearDeadRuns() {
  // Marked first and cleared after: whoever dies between the two leaves folders of runs that are no
  // longer `running`, which the next one clears by their locks alone.
  std::vector<std::int64_t> dead;
  {
    Statement running = db_.prepare("SELECT id FROM runs WHERE status = 0");
    while (running.step() == Statement::Outcome::Row) {
      const std::int64_t id = running.integer(0);
      if (!runs_.heldElsewhere(static_cast<std::uint64_t>(id))) dead.push_back(id);
    }
  }
  if (!dead.empty()) {
    Statement mark = db_.prepare("UPDATE runs SET status = 4 WHERE id = ? AND status = 0");
    for (const std::int64_t id : dead) mark.bind(1, id).run();
  }
  {
    Statement doubtful = db_.prepare("SELECT id FROM runs WHERE synced = 0 AND boot <> ?");
    doubtful.bind(1, boot_);
    while (doubtful.step() == Statement::Outcome::Row) doubtful_.insert(doubtful.integer(0));
  }
  for (const std::int64_t id : numbersIn(folder_ + "/work")) {
    if (!runs_.heldElsewhere(static_cast<std::uint64_t>(id))) {
      removeTree(fmt::format("{}/work/{}", folder_, id));
    }
  }
  std::vector<std::int64_t> logs = numbersIn(folder_ + "/logs");
  std::sort(logs.begin(), logs.end(), std::greater<>());
  const std::int64_t now = nowMillis() / 1000;
  for (std::size_t i = kKeepRuns; i < logs.size(); ++i) {
    const std::string path = fmt::format("{}/logs/{}", folder_, logs[i]);
    struct stat info{};
    if (stat(path.c_str(), &info) == 0 && now - info.st_mtim.tv_sec > kKeepSeconds)
      removeTree(path);
  }
}

void Store::fail(std::string_view doing) {
  if (!broken_) {
    broken_ = FileError{db_.full() ? ENOSPC : EIO, fmt::format("{}: {}", doing, db_.error())};
  }
  rollback_.run();
}

void Store::saveInputs(std::string_view json) {
  Statement save = db_.prepare("INSERT OR REPLACE INTO inputs(run, json) VALUES(?, ?)");
  if (broken_ || !save.valid() || !save.bind(1, run_).bind(2, json).run()) fail("history");
}

void Store::beginReads() {
  if (!reading_) reading_ = begin_.run();
}

void Store::endReads() {
  if (reading_) commit_.run();
  reading_ = false;
}

void Store::expect(std::uint64_t steps) {
  if (steps < kExpectFrom) return;
  // As many as have ever succeeded; runs that died do not count, hence the limit.
  std::int64_t most = 0;
  {
    Statement count = db_.prepare("SELECT coalesce(sum(succeeded), 0) FROM runs");
    if (count.step() == Statement::Outcome::Row) most = count.integer(0);
  }
  const auto limit = static_cast<std::int64_t>(2 * steps);
  if (most == 0 || most > limit) return;
  Statement read = db_.prepare(
      "SELECT key, run, outputs, evicted FROM results WHERE outputs IS NOT NULL ORDER BY key"
      " LIMIT ?");
  read.bind(1, limit);
  known_.reserve(static_cast<std::size_t>(most));
  while (read.step() == Statement::Outcome::Row) {
    const std::string_view outputs = read.text(2);
    known_.push_back({read.digest(0), read.integer(1), knownOutputs_.size(), outputs.size(),
                      read.integer(3) != 0});
    knownOutputs_.append(outputs);
  }
}

std::size_t Store::knownAt(const Digest& key) const {
  const auto at = std::lower_bound(
      known_.begin(), known_.end(), key,
      [](const Known& known, const Digest& wanted) { return known.key < wanted; });
  return at != known_.end() && at->key == key ? static_cast<std::size_t>(at - known_.begin())
                                              : known_.size();
}

std::optional<StoredResult> Store::lookup(const Digest& key) {
  std::optional<StoredResult> result;
  const auto take = [&](std::string_view outputs, std::int64_t run, bool evicted) {
    const bool doubtful = !doubtful_.empty() && doubtful_.contains(run);
    result = StoredResult{std::string(outputs), !doubtful, evicted};
  };
  if (const std::size_t at = knownAt(key); at < known_.size() && known_[at].run != 0) {
    const Known& known = known_[at];
    take(std::string_view(knownOutputs_).substr(known.from, known.size), known.run, known.evicted);
    return result;
  }
  if (lookup_.bind(1, key).step() == Statement::Outcome::Row && !lookup_.isNull(0)) {
    take(lookup_.text(0), lookup_.integer(1), lookup_.integer(2) != 0);
  }
  lookup_.reset();
  return result;
}

void Store::trust(const Digest& key) {
  endReads();
  if (const std::size_t at = knownAt(key); at < known_.size()) known_[at].run = 0;
  if (!broken_ && !trust_.bind(1, run_).bind(2, key).run()) fail("history");
}

void Store::forget(const Digest& key, const StoredResult& result) {
  endReads();
  if (const std::size_t at = knownAt(key); at < known_.size()) known_[at].run = 0;
  if (!broken_ && !forget_.bind(1, key).bind(2, result.outputs).run()) fail("history");
}

void Store::unstable(const Digest& key) {
  endReads();
  if (!broken_ && !unstable_.bind(1, key).run()) fail("history");
}

void Store::insert(const StepRow& row) {
  insertStep_.bind(1, run_).bind(2, row.seq).bind(3, row.step).bind(4, row.task);
  insertStep_.bind(5, static_cast<std::int64_t>(row.status)).bind(6, row.attempts);
  insertStep_.bind(7, row.exitCode).bind(8, row.failure).bind(9, row.started).bind(10, row.seconds);
  insertStep_.bind(11, row.cpuSeconds).bind(12, static_cast<std::int64_t>(row.maxRssBytes));
  if (row.key) {
    insertStep_.bind(13, *row.key);
  } else {
    insertStep_.bindNull(13);
  }
  insertStep_.bind(14, std::int64_t{row.hasLog}).bind(15, row.after);
}

void Store::record(const StepRow& row, std::string_view parts, const std::string* outputs) {
  endReads();
  if (broken_) return;
  if (!beginWrite_.run()) return fail("history");
  insert(row);
  bool good = insertStep_.run();
  if (good && row.key) {
    if (outputs != nullptr) {
      if (const std::size_t at = knownAt(*row.key); at < known_.size()) known_[at].run = 0;
      if (budget_) present_ += objectsIn(*outputs).bytes;
      good = saveResult_.bind(1, *row.key).bind(2, run_).bind(3, *outputs).bind(4, parts).run();
    } else {
      good = saveParts_.bind(1, *row.key).bind(2, run_).bind(3, parts).run();
    }
  }
  if (!good || !commit_.run()) fail("history");
}

void Store::later(StepRow row) {
  if (row.status == RowStatus::Reused && row.key) {
    reused_.add(row);
  } else {
    pending_.push_back(std::move(row));
  }
  if (pending_.size() + reused_.count() >= kFlushRows) flush();
}

void Store::flush() {
  endReads();
  if (broken_ || (pending_.empty() && reused_.empty())) return;
  if (!beginWrite_.run() || !writePending() || !commit_.run()) return fail("history");
  pending_.clear();
  reused_.clear();
}

bool Store::writePending() {
  for (const StepRow& row : pending_) {
    insert(row);
    if (!insertStep_.run()) return false;
  }
  if (reused_.empty()) return true;
  return insertReused_.bind(1, run_).bindBlob(2, reused_.bytes()).run();
}

bool Store::saveOutputs(std::string_view objects) {
  Statement save = db_.prepare(
      "INSERT INTO last_outputs(source, workflow, objects) SELECT source, workflow, ? FROM runs"
      " WHERE id = ? ON CONFLICT DO UPDATE SET objects = excluded.objects"
      " WHERE objects <> excluded.objects");
  return save.valid() && save.bindBlob(1, objects).bind(2, run_).run();
}

void Store::endRun(RunStatus status, const RunCounts& counts, double seconds,
                   const std::string* outputs) {
  flush();
  // What failed steps left behind stays for people to look at, until the next run starts.
  if (status == RunStatus::Failed) {
    rmdir(work_.c_str());
  } else {
    removeTree(work_);
  }
  const bool sync = seconds >= kSyncSeconds && !broken_;
  if (sync) {
    // Objects first, then the rows that vouch for them.
    const Fd fd(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.valid()) syncfs(fd.get());
  }
  if (broken_) rollback_.run();
  Statement end = db_.prepare(
      "UPDATE runs SET status = ?, succeeded = ?, reused = ?, failed = ?, skipped = ?, seconds = ?"
      " WHERE id = ?");
  end.bind(1, static_cast<std::int64_t>(status));
  end.bind(2, static_cast<std::int64_t>(counts.succeeded));
  end.bind(3, static_cast<std::int64_t>(counts.reused));
  end.bind(4, static_cast<std::int64_t>(counts.failed));
  end.bind(5, static_cast<std::int64_t>(counts.skipped));
  end.bind(6, seconds).bind(7, run_);
  const bool saved = outputs == nullptr || saveOutputs(*outputs);
  if ((!end.run() || !saved) && !broken_) fail("history");
  if (sync) {
    // What earlier runs of this boot wrote is on the disk now as well.
    Statement mark = db_.prepare("UPDATE runs SET synced = 1 WHERE boot = ? AND synced = 0");
    mark.bind(1, boot_).run();
  }
  // Copying the log into the database takes syncs, which a short run should not wait for; opening
  // takes time by the log's length.
  if (sync || db_.logPages() >= kLongLog) db_.checkpoint();
  runs_.unlock(static_cast<std::uint64_t>(run_));
  // Where other runs go on, the last of those with a budget does it.
  if (budget_ && !broken_ && runs_.tryLock(kUseByte)) {
    KeptTable table = KeptTable::read(db_, 0);
    Collected collected;
    evictResults(db_, *objects_, table, victims(table, *budget_), {}, collected);
    sweepObjects(*objects_, table, false, collected);
  }
  runs_.unlock(kUseByte);
}

void Store::setBudget(ir::CachePolicy policy, std::uint64_t bytes) {
  policy_ = policy;
  budget_ = shrinkAt_ = bytes;
  Statement ask = db_.prepare("SELECT outputs FROM results WHERE outputs IS NOT NULL AND evicted = 0");
  present_ = 0;
  while (ask.valid() && ask.step() == Statement::Outcome::Row) {
    present_ += objectsIn(ask.text(0)).bytes;
  }
}

std::vector<std::uint32_t> Store::victims(const KeptTable& table, std::uint64_t budget) const {
  const auto bytes = static_cast<double>(budget);
  if (dropFirst_.empty()) return ir::chooseVictims(policy_, table.model, bytes);
  ir::CacheModel model = table.model;
  for (std::uint32_t i = 0; i < model.size(); ++i) {
    model[i].pinned = model[i].pinned || !dropFirst_.contains(table.results[i].key);
  }
  std::vector<std::uint32_t> first = ir::chooseVictims(policy_, model, bytes);
  for (std::uint32_t i = 0; i < model.size(); ++i) model[i].pinned = table.model[i].pinned;
  for (const std::uint32_t victim : first) model[victim].present = false;
  const std::vector<std::uint32_t> more = ir::chooseVictims(policy_, model, bytes);
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

std::optional<Collected> Store::shrink(const std::unordered_set<std::string>& live) {
  flush();
  if (broken_ || !budget_) return std::nullopt;
  // Not before it has grown by some more: each time costs a pass over the history.
  shrinkAt_ = present_ + *budget_ / kShrinkParts;
  if (!runs_.tryLock(kUseByte)) return std::nullopt;
  KeptTable table = KeptTable::read(db_, run_);
  for (std::uint32_t i = 0; i < table.results.size(); ++i) {
    const std::vector<std::string>& objects = table.results[i].objects;
    const auto lives = [&](const std::string& path) { return live.contains(path); };
    if (std::any_of(objects.begin(), objects.end(), lives)) table.need(i, Needed::Live);
  }
  // Below the budget by one part, so that it does not go over it with the next result.
  const std::vector<std::uint32_t> going = victims(table, *budget_ - *budget_ / kShrinkParts);
  Collected collected;
  if (!evictResults(db_, *objects_, table, going, live, collected)) fail("history");
  for (const std::uint32_t victim : going) {
    if (const std::size_t at = knownAt(table.results[victim].key); at < known_.size()) {
      known_[at].run = 0;
    }
  }
  runs_.lockShared(kUseByte);
  present_ = collected.left = table.bytes();
  shrinkAt_ = std::max(*budget_, present_ + *budget_ / kShrinkParts);
  return collected;
}

std::variant<Digest, FileError> Store::digestOf(const std::string& path, bool isDir) {
  if (const auto known = digests_.find(path); known != digests_.end()) return known->second;
  Digest digest;
  const auto tooMuch = [&] {
    return FileError{EFBIG, fmt::format("`{}` is too large for a glance", path)};
  };
  if (isDir) {
    if (mayRead_ && !mayRead(bytesBelow(path, *mayRead_))) return tooMuch();
    auto tree = hashTree(path);
    if (auto* error = std::get_if<FileError>(&tree)) return std::move(*error);
    digest = std::get<Tree>(tree).digest;
  } else {
    struct stat info{};
    if (stat(path.c_str(), &info) != 0) return fileError(errno, "read", path);
    if (!S_ISREG(info.st_mode)) {
      return FileError{EINVAL, fmt::format("`{}` is not a file", path)};
    }
    const std::int64_t mtime = mtimeNanos(info);
    const std::int64_t ctime = info.st_ctim.tv_sec * 1'000'000'000 + info.st_ctim.tv_nsec;
    const auto describe = [&](Statement& statement) {
      statement.bind(1, path).bind(2, std::int64_t{info.st_size}).bind(3, mtime).bind(4, ctime);
      statement.bind(5, static_cast<std::int64_t>(info.st_ino));
    };
    describe(findFile_);
    const bool found = findFile_.step() == Statement::Outcome::Row;
    if (found) digest = findFile_.digest(0);
    findFile_.reset();
    if (!found) {
      if (!mayRead(static_cast<std::uint64_t>(info.st_size))) return tooMuch();
      auto hashed = hashFile(path);
      if (auto* error = std::get_if<FileError>(&hashed)) return std::move(*error);
      digest = std::get<Digest>(hashed);
      // A file changed a moment ago may be changed again within one tick of its clock.
      if (nowMillis() - ctime / 1'000'000 > 1000 && !broken_ && !mayRead_) {
        endReads();
        describe(saveFile_);
        if (!saveFile_.bind(6, digest).run()) fail("history");
      }
    }
  }
  digests_.emplace(path, digest);
  return digest;
}

}  // namespace couler::runtime

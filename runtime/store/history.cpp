#include "runtime/store/history.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "ir/value.h"
#include "runtime/store/files.h"
#include "runtime/store/kept.h"
#include "runtime/store/locks.h"
#include "runtime/store/reused_rows.h"
#include "runtime/store/schema.h"
#include "runtime/store/sqlite.h"
#include "runtime/store/why.h"

namespace couler::runtime {
namespace {

/// How many runs back the time of a step is looked for.
constexpr std::int64_t kLastRuns = 30;

std::string timeText(std::int64_t millis) {
  return ir::timestampText(ir::Timestamp{millis / 1000 * 1'000'000});
}

std::vector<std::int64_t> numbersOf(std::string_view text) {
  std::vector<std::int64_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    std::int64_t number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc()) break;
    numbers.push_back(number);
    at = next < end ? next + 1 : end;
  }
  return numbers;
}

}  // namespace

struct History::Impl {
  std::string folder;
  mutable Database db;
  LockFile runs;
  bool hasLocks = false;

  RunRecord readRun(Statement& row) const {
    RunRecord record;
    record.id = row.integer(0);
    record.source = row.text(1);
    record.workflow = row.text(2);
    auto status = static_cast<RunStatus>(std::clamp<std::int64_t>(row.integer(3), 0, 4));
    // A run whose lock is free has died; the next run to start writes it down.
    if (status == RunStatus::Running && hasLocks &&
        !runs.heldElsewhere(static_cast<std::uint64_t>(record.id))) {
      status = RunStatus::Interrupted;
    }
    record.status = word(status);
    record.startedAt = timeText(row.integer(4));
    record.seconds = row.real(5);
    record.succeeded = static_cast<std::uint64_t>(row.integer(6));
    record.reused = static_cast<std::uint64_t>(row.integer(7));
    record.failed = static_cast<std::uint64_t>(row.integer(8));
    record.skipped = static_cast<std::uint64_t>(row.integer(9));
    if (status == RunStatus::Running || status == RunStatus::Interrupted) countSteps(record);
    return record;
  }

  /// A run that did not end wrote no counts: they are those of its rows.
  void countSteps(RunRecord& record) const {
    Statement count =
        db.prepare("SELECT status, count(*) FROM steps WHERE run = ? GROUP BY status");
    count.bind(1, record.id);
    while (count.step() == Statement::Outcome::Row) {
      const auto number = static_cast<std::uint64_t>(count.integer(1));
      switch (static_cast<RowStatus>(count.integer(0))) {
        case RowStatus::Succeeded:
          record.succeeded += number;
          break;
        case RowStatus::Reused:
          record.reused += number;
          break;
        case RowStatus::Failed:
          record.failed += number;
          break;
        case RowStatus::Skipped:
        case RowStatus::Cancelled:
          record.skipped += number;
          break;
      }
    }
    eachReused(record.id, [&](const StepRow&) {
      ++record.reused;
      return true;
    });
  }

  /// Calls `take` with each packed row of a run until it gives false.
  template <class Take>
  void eachReused(std::int64_t run, Take&& take) const {
    Statement ask = db.prepare("SELECT rows FROM reused WHERE run = ? ORDER BY id");
    if (!ask.valid()) return;  // an older store has none
    ask.bind(1, run);
    StepRow row;
    while (ask.step() == Statement::Outcome::Row) {
      ReusedReader reader(ask.text(0));
      while (reader.next(row)) {
        if (!take(row)) return;
      }
    }
  }

  /// The row of a step: its key and how it ended.
  struct Found {
    std::int64_t run = 0;
    Digest key;
    bool hasKey = false;
    RowStatus status{};
    std::string task;
  };
  std::optional<Found> find(std::int64_t run, std::string_view step) const {
    Statement ask = db.prepare("SELECT key, status, task FROM steps WHERE run = ? AND step = ?");
    if (ask.bind(1, run).bind(2, step).step() == Statement::Outcome::Row) {
      return Found{run, ask.digest(0), !ask.isNull(0), static_cast<RowStatus>(ask.integer(1)),
                   std::string(ask.text(2))};
    }
    return findReused(run, step);
  }
  std::optional<Found> findReused(std::int64_t run, std::string_view step) const {
    std::optional<Found> found;
    eachReused(run, [&](const StepRow& row) {
      if (row.step == step) found = Found{run, *row.key, true, row.status, row.task};
      return !found;
    });
    return found;
  }

  /// Calls `take` with the step as it was in earlier runs, the newest first, where it had a key,
  /// until it gives false.
  template <class Take>
  void eachEarlier(std::int64_t run, std::string_view step, Take&& take) const {
    Statement ask = db.prepare("SELECT id FROM runs WHERE id < ? ORDER BY id DESC");
    ask.bind(1, run);
    while (ask.step() == Statement::Outcome::Row) {
      const auto found = find(ask.integer(0), step);
      if (found && found->hasKey && !take(*found)) return;
    }
  }

  std::vector<KeyPart> parts(const Digest& key) const {
    std::vector<KeyPart> result;
    Statement ask = db.prepare("SELECT parts FROM results WHERE key = ?");
    if (ask.bind(1, key).step() != Statement::Outcome::Row) return result;
    const auto object = nlohmann::ordered_json::parse(ask.text(0), nullptr, false);
    if (!object.is_object()) return result;
    for (const auto& [name, value] : object.items()) {
      if (value.is_string()) result.push_back({name, value.get<std::string>()});
    }
    return result;
  }
};

History::History(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
History::History(History&&) noexcept = default;
History& History::operator=(History&&) noexcept = default;
History::~History() = default;

std::optional<History> History::open(const std::string& storeDir, DiagnosticSink& diags) {
  auto impl = std::make_unique<Impl>();
  impl->folder = absolutePath(storeDir);
  const std::string path = impl->folder + "/history.db";
  if (access(path.c_str(), F_OK) != 0) {
    diags.take(diagnose<Diag::NoHistory>({}, storeDir).note("`couler run` makes one"));
    return std::nullopt;
  }
  // Read and write where that is allowed: a reader of a WAL database takes part in its locking.
  if (!impl->db.open(path, false, access(path.c_str(), W_OK) != 0)) {
    diags.take(diagnose<Diag::StoreUnusable>({}, storeDir, impl->db.error()));
    return std::nullopt;
  }
  {
    Statement ask = impl->db.prepare("PRAGMA user_version");
    if (!ask.valid() || ask.step() != Statement::Outcome::Row) {
      diags.take(diagnose<Diag::StoreUnusable>({}, storeDir, impl->db.error()));
      return std::nullopt;
    }
    if (ask.integer(0) > kSchemaVersion) {
      diags.take(diagnose<Diag::StoreNewer>({}, storeDir)
                     .note(fmt::format("its layout is version {}, this program knows {}",
                                       ask.integer(0), kSchemaVersion)));
      return std::nullopt;
    }
    if (ask.integer(0) < 1) {
      diags.take(diagnose<Diag::NoHistory>({}, storeDir).note("`couler run` makes one"));
      return std::nullopt;
    }
  }
  const std::string locks = impl->folder + "/runs.lock";
  impl->hasLocks = access(locks.c_str(), W_OK) == 0 && impl->runs.open(locks) == 0;
  return History(std::move(impl));
}

std::optional<History> History::openToRead(const std::string& storeDir) {
  auto impl = std::make_unique<Impl>();
  impl->folder = absolutePath(storeDir);
  if (!impl->db.openToRead(impl->folder + "/history.db")) return std::nullopt;
  Statement ask = impl->db.prepare("PRAGMA user_version");
  const bool readable = ask.valid() && ask.step() == Statement::Outcome::Row &&
                        ask.integer(0) >= 1 && ask.integer(0) <= kSchemaVersion;
  if (!readable) return std::nullopt;
  ask = {};
  return History(std::move(impl));
}

std::vector<RunRecord> History::runs(std::size_t limit) const {
  std::vector<RunRecord> result;
  Statement ask = impl_->db.prepare(
      "SELECT id, source, workflow, status, started, seconds, succeeded, reused, failed, skipped"
      " FROM runs ORDER BY id DESC LIMIT ?");
  if (!ask.valid()) return result;
  constexpr std::size_t kMost = std::size_t{1} << 40;
  ask.bind(1, static_cast<std::int64_t>(std::min(limit, kMost)));
  while (ask.step() == Statement::Outcome::Row) result.push_back(impl_->readRun(ask));
  return result;
}

std::optional<RunRecord> History::run(std::int64_t id) const {
  Statement ask = impl_->db.prepare(
      "SELECT id, source, workflow, status, started, seconds, succeeded, reused, failed, skipped"
      " FROM runs WHERE id = ?");
  if (!ask.valid() || ask.bind(1, id).step() != Statement::Outcome::Row) return std::nullopt;
  return impl_->readRun(ask);
}

std::vector<StepRecord> History::steps(std::int64_t run) const {
  struct Numbered {
    std::int64_t seq;
    std::vector<std::int64_t> after;
    StepRecord record;
  };
  std::vector<Numbered> steps;
  const auto add = [&](std::int64_t seq, StepRecord record, std::string_view after) {
    steps.push_back({seq, numbersOf(after), std::move(record)});
  };
  Statement ask = impl_->db.prepare(
      "SELECT seq, step, task, status, attempts, exit, failure, started, seconds, cpu, rss, key, "
      "log,"
      " after FROM steps WHERE run = ? ORDER BY seq");
  if (!ask.valid()) return {};
  ask.bind(1, run);
  while (ask.step() == Statement::Outcome::Row) {
    StepRecord record;
    record.run = run;
    record.step = ask.text(1);
    record.task = ask.text(2);
    record.status = word(static_cast<RowStatus>(std::clamp<std::int64_t>(ask.integer(3), 0, 4)));
    record.attempts = ask.integer(4);
    record.exitCode = ask.integer(5);
    record.failure = ask.text(6);
    record.started = ask.real(7);
    record.seconds = ask.real(8);
    record.cpuSeconds = ask.real(9);
    record.maxRssBytes = static_cast<std::uint64_t>(ask.integer(10));
    if (!ask.isNull(11)) record.key = ask.digest(11).hex();
    if (ask.integer(12) != 0) {
      record.logPath =
          fmt::format("{}/logs/{}/{}.log", impl_->folder, run, fileNameOf(record.step));
    }
    add(ask.integer(0), std::move(record), ask.text(13));
  }
  impl_->eachReused(run, [&](const StepRow& row) {
    StepRecord record;
    record.run = run;
    record.step = row.step;
    record.task = row.task;
    record.status = word(row.status);
    record.started = row.started;
    record.key = row.key->hex();
    add(row.seq, std::move(record), row.after);
    return true;
  });
  const auto earlier = [](const Numbered& a, const Numbered& b) { return a.seq < b.seq; };
  std::sort(steps.begin(), steps.end(), earlier);
  std::vector<StepRecord> result;
  result.reserve(steps.size());
  for (Numbered& step : steps) {
    for (const std::int64_t seq : step.after) {
      // Those before it come first, so the name is where it was moved to.
      const auto at = std::lower_bound(steps.begin(), steps.end(), Numbered{seq, {}, {}}, earlier);
      const auto index = static_cast<std::size_t>(at - steps.begin());
      if (index < result.size() && at->seq == seq) {
        step.record.after.push_back(result[index].step);
      }
    }
    result.push_back(std::move(step.record));
  }
  return result;
}

std::vector<KeyPart> History::keyParts(std::int64_t run, std::string_view step) const {
  const auto found = impl_->find(run, step);
  if (!found || !found->hasKey) return {};
  return impl_->parts(found->key);
}

std::vector<KeyPart> History::keyParts(std::string_view hexKey) const {
  const auto key = Digest::fromHex(hexKey);
  return key ? impl_->parts(*key) : std::vector<KeyPart>{};
}

std::optional<std::string> History::lastInputs(std::string_view path,
                                               std::string_view workflow) const {
  Statement ask = impl_->db.prepare(
      "SELECT source, json FROM runs JOIN inputs ON inputs.run = runs.id WHERE workflow = ?"
      " ORDER BY id DESC LIMIT ?");
  if (!ask.valid()) return std::nullopt;  // an older store
  ask.bind(1, workflow).bind(2, kLastRuns);
  while (ask.step() == Statement::Outcome::Row) {
    std::string_view source = ask.text(0);
    while (source.starts_with("./")) source.remove_prefix(2);
    const bool part = path.ends_with(source) && path.size() > source.size() &&
                      path[path.size() - source.size() - 1] == '/';
    if (path == source || part) return std::string(ask.text(1));
  }
  return std::nullopt;
}

std::unordered_map<std::string, LastStep> History::lastSteps(std::string_view source,
                                                             std::string_view workflow) const {
  std::vector<std::pair<std::int64_t, RunStatus>> runs;
  for (const char* query :
       {"SELECT id, status FROM runs WHERE workflow = ? AND source = ? ORDER BY id DESC LIMIT ?",
        "SELECT id, status FROM runs WHERE workflow = ? AND ? <> '' ORDER BY id DESC LIMIT ?"}) {
    Statement ask = impl_->db.prepare(query);
    if (!ask.valid()) return {};
    ask.bind(1, workflow).bind(2, source).bind(3, kLastRuns);
    while (ask.step() == Statement::Outcome::Row) {
      runs.emplace_back(ask.integer(0), static_cast<RunStatus>(ask.integer(1)));
    }
    if (!runs.empty()) break;
  }
  std::unordered_map<std::string, LastStep> last;
  std::size_t untimed = 0;
  Statement ask = impl_->db.prepare(
      "SELECT steps.step, steps.key, steps.seconds, steps.status, results.outputs FROM steps"
      " LEFT JOIN results ON results.key = steps.key WHERE steps.run = ? AND steps.key IS NOT NULL");
  for (const auto& [id, status] : runs) {
    const std::int64_t run = id;
    ask.bind(1, run);
    while (ask.step() == Statement::Outcome::Row) {
      const auto [at, added] = last.try_emplace(std::string(ask.text(0)));
      LastStep& step = at->second;
      if (added) {
        step.key = ask.digest(1).hex();
        step.run = run;
      }
      // A failed attempt says nothing about how long it takes to succeed.
      if (static_cast<RowStatus>(ask.integer(3)) == RowStatus::Succeeded && step.seconds < 0) {
        if (!added) --untimed;
        step.seconds = ask.real(2);
        step.bytes = objectsIn(ask.text(4)).bytes;
      } else if (added) {
        ++untimed;
      }
    }
    ask.reset();
    impl_->eachReused(run, [&](const StepRow& row) {
      const auto [at, added] = last.try_emplace(row.step);
      if (added) {
        at->second.key = row.key->hex();
        at->second.run = run;
        ++untimed;
      }
      return true;
    });
    if (untimed == 0 && status == RunStatus::Succeeded) break;
  }
  return last;
}

std::optional<WhyRecord> History::why(std::int64_t run, std::string_view step) const {
  const auto found = impl_->find(run, step);
  if (!found) return std::nullopt;
  WhyRecord record;
  record.step = step;
  record.reused = found->status == RowStatus::Reused;
  if (!found->hasKey) {
    record.reason =
        "it did not run: a step that it needs did not succeed, or an input could not be read";
    return record;
  }
  // The last earlier time this step had a key, whichever: the same one, or another to compare with.
  std::optional<Impl::Found> before;
  bool ranWithThisKey = false;
  bool failedWithThisKey = false;
  impl_->eachEarlier(run, step, [&](const Impl::Found& row) {
    if (row.key != found->key) {
      before = row;
      return false;
    }
    const bool ended = row.status == RowStatus::Succeeded || row.status == RowStatus::Reused;
    ranWithThisKey = ranWithThisKey || ended;
    failedWithThisKey = failedWithThisKey || !ended;
    return true;
  });
  if (before) {
    record.comparedRun = before->run;
    record.changes = describeChanges(impl_->parts(before->key), impl_->parts(found->key));
  }
  if (record.reused) {
    record.reason = "nothing changed: a step with the same key had succeeded before";
  } else if (ranWithThisKey) {
    record.reason =
        "its key is as before, and results of it are not reused: the task is volatile or "
        "says `cache false`, the run was forced, or the stored files were gone or changed";
  } else if (failedWithThisKey) {
    record.reason = "it had not succeeded before with this key";
  } else if (!before) {
    record.reason = "it never ran before";
  } else if (record.changes.size() == 1) {
    record.reason = record.changes.front();
  } else if (record.changes.empty()) {
    record.reason = "its key changed";
  } else {
    record.reason =
        fmt::format("{}, and {} more changed", record.changes.front(), record.changes.size() - 1);
  }
  return record;
}

}  // namespace couler::runtime

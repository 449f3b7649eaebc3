#include "runtime/store/kept.h"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "runtime/store/objects.h"
#include "runtime/store/reused_rows.h"
#include "runtime/store/schema.h"

namespace couler::runtime {
namespace {

/// How an edit is taken back: that a key which a later one has replaced comes back at the next run.
constexpr double kReverts = 0.05;

struct Run {
  std::int64_t id = 0;
  std::int64_t started = 0;
  std::uint32_t workflow = 0;
  RunStatus status{};
};

/// A step of one workflow, over the runs.
struct Past {
  Digest last;
  double reruns = 0, changes = 0;
  bool seen = false;
};

struct Row {
  std::int64_t seq = 0;
  std::string step, task, after;
  bool made = false;
  double seconds = 0;
  Digest key;
};

class Reader {
 public:
  Reader(Database& db, std::int64_t ownRun) : db_(db), ownRun_(ownRun) {}

  KeptTable read() {
    readResults();
    readPins();
    readRuns();
    readOutputs();
    Statement rows = db_.prepare(
        "SELECT run, seq, step, task, seconds, key, after FROM steps"
        " WHERE status = 0 AND key IS NOT NULL ORDER BY run, seq");
    Statement packed = db_.prepare("SELECT run, rows FROM reused ORDER BY run, id");
    bool more = rows.valid() && rows.step() == Statement::Outcome::Row;
    bool morePacked = packed.valid() && packed.step() == Statement::Outcome::Row;
    for (const Run& run : runs_) {
      rows_.clear();
      for (; more && rows.integer(0) <= run.id; more = rows.step() == Statement::Outcome::Row) {
        if (rows.integer(0) != run.id) continue;
        rows_.push_back({rows.integer(1), std::string(rows.text(2)), std::string(rows.text(3)),
                         std::string(rows.text(6)), true, rows.real(4), rows.digest(5)});
      }
      for (; morePacked && packed.integer(0) <= run.id;
           morePacked = packed.step() == Statement::Outcome::Row) {
        if (packed.integer(0) != run.id) continue;
        ReusedReader reader(packed.text(1));
        StepRow row;
        while (reader.next(row)) {
          rows_.push_back({row.seq, row.step, row.task, row.after, false, 0, *row.key});
        }
      }
      std::stable_sort(rows_.begin(), rows_.end(),
                       [](const Row& a, const Row& b) { return a.seq < b.seq; });
      take(run);
    }
    leftOver();
    judge();
    return std::move(table_);
  }

 private:
  struct Found {
    std::string outputs;
    std::int64_t run = 0;
    bool evicted = false, unstable = false, pinned = false;
  };

  void readResults() {
    Statement ask = db_.prepare(
        "SELECT key, outputs, run, evicted, unstable FROM results WHERE outputs IS NOT NULL"
        " ORDER BY key");
    while (ask.valid() && ask.step() == Statement::Outcome::Row) {
      keys_.push_back(ask.digest(0));
      found_.emplace(keys_.back(), Found{std::string(ask.text(1)), ask.integer(2),
                                         ask.integer(3) != 0, ask.integer(4) != 0, false});
    }
  }

  void readPins() {
    Statement ask = db_.prepare("SELECT key FROM pins");
    while (ask.valid() && ask.step() == Statement::Outcome::Row) {
      if (const auto at = found_.find(ask.digest(0)); at != found_.end()) at->second.pinned = true;
    }
  }

  void readRuns() {
    Statement ask = db_.prepare(
        "SELECT id, runs.source, runs.workflow, status, started, last_outputs.workflow IS NULL"
        " FROM runs LEFT JOIN last_outputs USING(source, workflow) ORDER BY id");
    std::unordered_map<std::string, std::uint32_t> numbers;
    while (ask.valid() && ask.step() == Statement::Outcome::Row) {
      std::string name(ask.text(1));
      name.append(1, '\0').append(ask.text(2));
      const auto [at, added] =
          numbers.try_emplace(name, static_cast<std::uint32_t>(workflows_.size()));
      if (added) {
        workflows_.emplace_back(ask.text(2));
        unfinishedFrom_.push_back(0);
      }
      const auto status = static_cast<RunStatus>(std::clamp<std::int64_t>(ask.integer(3), 0, 4));
      runs_.push_back({ask.integer(0), ask.integer(4), at->second, status});
      if (runs_.back().id == ownRun_) continue;
      if (status == RunStatus::Succeeded) {
        lastGood_[at->second] = runs_.back().id;
        // An older program did not write its outputs down: all that it had stays.
        unfinishedFrom_[at->second] = ask.integer(5) != 0 ? runs_.back().id : 0;
      } else if (unfinishedFrom_[at->second] == 0) {
        // What the run before it had is what this one began from.
        const auto good = lastGood_.find(at->second);
        unfinishedFrom_[at->second] = good == lastGood_.end() ? 1 : good->second;
      }
    }
    pasts_.resize(workflows_.size());
  }

  void readOutputs() {
    Statement ask = db_.prepare("SELECT objects FROM last_outputs");
    while (ask.valid() && ask.step() == Statement::Outcome::Row) {
      for (std::string_view names = ask.text(0); !names.empty();) {
        const std::size_t size = std::min(names.find('\0'), names.size() - 1);
        table_.outputs.emplace(names.substr(0, size));
        names.remove_prefix(size + 1);
      }
    }
  }

  std::uint32_t entryOf(const Digest& key, const Found& found) {
    KeptResult result;
    result.key = key;
    NamedObjects named = objectsIn(found.outputs);
    result.objects = std::move(named.paths);
    result.bytes = named.bytes;
    result.evicted = found.evicted;
    result.unstable = found.unstable;
    result.madeBy = found.run;
    const auto entry = static_cast<std::uint32_t>(table_.results.size());
    table_.byKey.emplace(key, entry);
    if (found.pinned) result.needed = Needed::Pinned;
    const bool output = std::any_of(result.objects.begin(), result.objects.end(),
                                    [&](const auto& path) { return table_.outputs.contains(path); });
    if (output && result.needed == Needed::No) result.needed = Needed::Output;
    table_.results.push_back(std::move(result));
    return entry;
  }

  void take(const Run& run) {
    std::unordered_map<std::int64_t, std::uint32_t> bySeq;  // entries of this run
    const std::int64_t unfinished = unfinishedFrom_[run.workflow];
    for (const Row& row : rows_) {
      Past& past = pasts_[run.workflow][row.step];
      if (past.seen) {
        ++past.reruns;
        if (past.last != row.key) ++past.changes;
      }
      past.seen = true;
      past.last = row.key;
      const auto found = found_.find(row.key);
      if (found == found_.end()) continue;
      std::uint32_t entry = 0;
      const auto known = table_.byKey.find(row.key);
      if (known == table_.byKey.end()) {
        entry = entryOf(row.key, found->second);
        inputs_.clear();
        std::size_t before = 1;  // itself and, about, the steps before it
        const char* at = row.after.data();
        const char* const end = at + row.after.size();
        while (at < end) {
          std::int64_t seq = 0;
          const auto number = std::from_chars(at, end, seq);
          if (number.ec != std::errc()) break;
          at = number.ptr < end ? number.ptr + 1 : end;
          const auto input = bySeq.find(seq);
          if (input == bySeq.end() || input->second == entry) continue;
          inputs_.push_back(input->second);
          before += before_[input->second];
          ++table_.results[input->second].readers;
        }
        before_.push_back(std::min(before, rows_.size()));
        const std::uint32_t item = table_.model.add({}, inputs_);
        table_.model.use(item).added =
            static_cast<double>(run.id) + 1e-9 * static_cast<double>(row.seq);
      } else {
        entry = known->second;
      }
      bySeq.emplace(row.seq, entry);
      KeptResult& result = table_.results[entry];
      if (row.made) result.seconds = row.seconds;
      if (result.usedBy != run.id) ++result.uses;
      result.step = row.step;
      result.task = row.task;
      result.workflow = workflows_[run.workflow];
      result.usedBy = run.id;
      result.usedAt = run.started;
      users_[entry] = {run.workflow, rows_.size()};
      if (unfinished != 0 && run.id >= unfinished && run.id != ownRun_ &&
          result.needed == Needed::No) {
        result.needed = Needed::Resume;
      }
    }
  }

  /// Results of which the history has no row any more, or none yet.
  void leftOver() {
    for (const Digest& key : keys_) {
      if (table_.byKey.contains(key)) continue;
      entryOf(key, found_.at(key));
      before_.push_back(1);
      table_.model.add({}, {});
    }
  }

  void judge() {
    for (std::uint32_t i = 0; i < table_.results.size(); ++i) {
      KeptResult& result = table_.results[i];
      ir::CacheEntry& item = table_.model[i];
      item.bytes = static_cast<double>(result.bytes);
      item.seconds = result.seconds;
      ir::CacheUse& use = table_.model.use(i);
      use.lastUse = static_cast<double>(result.usedBy);
      use.uses = result.uses;
      item.present = !result.evicted;
      item.pinned = result.needed != Needed::No || result.bytes == 0;
      item.invalid = 1;
      const auto user = users_.find(i);
      if (user == users_.end()) continue;
      const Past& past = pasts_[user->second.workflow][result.step];
      result.current = past.last == result.key;
      result.edited = past.reruns > 0 ? past.changes / past.reruns : 0;
      const double prior =
          static_cast<double>(before_[i]) / static_cast<double>(std::max<std::size_t>(user->second.steps, 1));
      item.invalid = result.current ? ir::staleChance(past.changes, past.reruns, prior) : 1 - kReverts;
    }
  }

  struct User {
    std::uint32_t workflow = 0;
    std::size_t steps = 0;
  };

  Database& db_;
  std::int64_t ownRun_;
  KeptTable table_;
  std::vector<Digest> keys_;
  std::unordered_map<Digest, Found> found_;
  std::vector<Run> runs_;
  std::vector<std::string> workflows_;
  std::vector<std::int64_t> unfinishedFrom_;  // by workflow: run; 0: its last one succeeded
  std::unordered_map<std::uint32_t, std::int64_t> lastGood_;
  std::vector<std::unordered_map<std::string, Past>> pasts_;  // by workflow, by step
  std::unordered_map<std::uint32_t, User> users_;              // by entry
  std::vector<std::size_t> before_;                            // by entry
  std::vector<Row> rows_;
  std::vector<std::uint32_t> inputs_;
};

}  // namespace

KeptTable KeptTable::read(Database& db, std::int64_t ownRun) { return Reader(db, ownRun).read(); }

std::uint64_t KeptTable::bytes() const {
  std::uint64_t sum = 0;
  for (const KeptResult& result : results) sum += result.evicted ? 0 : result.bytes;
  return sum;
}

void KeptTable::need(std::uint32_t entry, Needed why) {
  results[entry].needed = why;
  model[entry].pinned = true;
}

NamedObjects objectsIn(std::string_view outputs) {
  NamedObjects named;
  const std::size_t end = std::min(outputs.find('\n'), outputs.size());
  std::string_view lines = outputs.substr(end);
  if (lines.empty()) return named;  // no files
  const auto json = nlohmann::json::parse(outputs.substr(0, end), nullptr, false);
  std::vector<const nlohmann::json*> todo{&json};
  while (!todo.empty()) {
    const nlohmann::json& next = *todo.back();
    todo.pop_back();
    if (next.is_structured()) {
      for (const auto& item : next) todo.push_back(&item);
    } else if (const auto* text = next.get_ptr<const std::string*>();
               text != nullptr && !Objects::digestOf(*text).empty()) {
      named.paths.push_back(*text);
    }
  }
  std::sort(named.paths.begin(), named.paths.end());
  while (!lines.empty()) {
    lines.remove_prefix(1);
    std::uint64_t bytes = 0;
    std::from_chars(lines.data(), lines.data() + lines.size(), bytes);
    named.bytes += bytes;
    lines.remove_prefix(std::min(lines.find('\n'), lines.size()));
  }
  return named;
}

}  // namespace couler::runtime

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// The database of a store. A change here that older programs cannot read raises kSchemaVersion.
namespace couler::runtime {

inline constexpr std::int64_t kSchemaVersion = 3;

enum class RunStatus : std::uint8_t { Running, Succeeded, Failed, Cancelled, Interrupted };
[[nodiscard]] constexpr std::string_view word(RunStatus status) {
  constexpr std::string_view kWords[] = {"running", "succeeded", "failed", "cancelled",
                                         "interrupted"};
  return kWords[static_cast<std::size_t>(status)];
}

enum class RowStatus : std::uint8_t { Succeeded, Reused, Failed, Skipped, Cancelled };
[[nodiscard]] constexpr std::string_view word(RowStatus status) {
  constexpr std::string_view kWords[] = {"succeeded", "reused", "failed", "skipped", "cancelled"};
  return kWords[static_cast<std::size_t>(status)];
}

// results: `outputs` is NULL where the step failed or may not be reused; `parts` is the key's parts
// as a JSON object. steps: one row an execution, `after` holds `seq`s. reused: executions that gave
// a stored result, many a row (runtime/store/reused_rows.h); up to version 1 they were in steps.
// results.evicted: the files of `outputs` were dropped for room, and are made again when a step
// needs them; results.unstable: that once gave other files, so the next time all of it is forgotten
// instead. last_outputs: of the last successful run of each workflow, the paths within objects/, a NUL
// behind each.
// files: digests of users' files.
inline constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS runs(
  id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, workflow TEXT NOT NULL,
  status INTEGER NOT NULL, started INTEGER NOT NULL, seconds REAL NOT NULL DEFAULT 0,
  succeeded INTEGER NOT NULL DEFAULT 0, reused INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0,
  boot TEXT NOT NULL, synced INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS steps(
  run INTEGER NOT NULL, seq INTEGER NOT NULL, step TEXT NOT NULL, task TEXT NOT NULL,
  status INTEGER NOT NULL, attempts INTEGER NOT NULL, exit INTEGER NOT NULL, failure TEXT NOT NULL,
  started REAL NOT NULL, seconds REAL NOT NULL, cpu REAL NOT NULL, rss INTEGER NOT NULL, key BLOB,
  log INTEGER NOT NULL, after TEXT NOT NULL, PRIMARY KEY(run, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reused(id INTEGER PRIMARY KEY, run INTEGER NOT NULL, rows BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS reused_run ON reused(run);
CREATE TABLE IF NOT EXISTS results(
  key BLOB PRIMARY KEY, run INTEGER NOT NULL, outputs TEXT, parts TEXT NOT NULL,
  evicted INTEGER NOT NULL DEFAULT 0, unstable INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS last_outputs(
  source TEXT NOT NULL, workflow TEXT NOT NULL, objects BLOB NOT NULL, PRIMARY KEY(source, workflow));
CREATE TABLE IF NOT EXISTS pins(key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files(
  path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL,
  inode INTEGER NOT NULL, digest BLOB NOT NULL) WITHOUT ROWID;
)sql";

/// What stands beside, for every database: an older program does not look at it. inputs: what a run
/// was given, as a JSON object; no secrets.
inline constexpr const char* kBeside = R"sql(
CREATE TABLE IF NOT EXISTS inputs(run INTEGER PRIMARY KEY, json TEXT NOT NULL);
)sql";

/// For a database of version 1 or 2, after kSchema.
inline constexpr const char* kUpgradeTo3 = R"sql(
ALTER TABLE results ADD COLUMN evicted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE results ADD COLUMN unstable INTEGER NOT NULL DEFAULT 0;
)sql";

}  // namespace couler::runtime

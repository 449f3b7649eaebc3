#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "support/diagnostic.h"

/// What `couler runs`, `logs`, `why` and the report read of past runs.
namespace couler::runtime {

struct RunRecord {
  std::int64_t id = 0;
  std::string source;  ///< path of the root file
  std::string workflow;
  std::string status;     ///< running, succeeded, failed, cancelled, interrupted
  std::string startedAt;  ///< RFC 3339, UTC
  double seconds = 0;
  std::uint64_t succeeded = 0, reused = 0, failed = 0, skipped = 0;
};
struct StepRecord {
  std::int64_t run = 0;
  std::string step;
  std::string task;
  std::string status;
  std::int64_t attempts = 0;
  std::int64_t exitCode = 0;
  std::string failure;
  double started = 0;  ///< seconds since the run's start
  double seconds = 0;
  double cpuSeconds = 0;
  std::uint64_t maxRssBytes = 0;
  std::string key;                 ///< hex; empty for a step that never got its inputs
  std::string logPath;             ///< absolute; empty for a reused step
  std::vector<std::string> after;  ///< steps whose outputs or end it waited for
};
/// One named part of a step's key: ("task text", hash or short text), ("input data", digest +
/// name), …
struct KeyPart {
  std::string name;
  std::string value;
};
/// Why a step ran, or would run.
struct WhyRecord {
  std::string step;
  bool reused = false;
  std::string reason;                ///< one line: "input `data` changed", "never ran before", …
  std::int64_t comparedRun = 0;      ///< run whose key it was compared with; 0: none
  std::vector<std::string> changes;  ///< one line each: "input `data`: was …, is …"
};

/// A step as the runs of its workflow last had it.
struct LastStep {
  std::string key;      ///< hex
  std::int64_t run = 0;
  double seconds = -1;  ///< that it last took to run; negative: not known
  std::uint64_t bytes = 0;  ///< of what it made
};

/// Reads a store's history. A missing or newer-versioned database is an error reported by `open`.
class History {
 public:
  static std::optional<History> open(const std::string& storeDir, DiagnosticSink& diags);
  /// The same, but no file is made or written, and nothing reported.
  static std::optional<History> openToRead(const std::string& storeDir);
  History(History&&) noexcept;
  History& operator=(History&&) noexcept;
  ~History();

  [[nodiscard]] std::vector<RunRecord> runs(std::size_t limit) const;  ///< newest first
  [[nodiscard]] std::optional<RunRecord> run(std::int64_t id) const;
  [[nodiscard]] std::vector<StepRecord> steps(std::int64_t run) const;  ///< in order of start
  [[nodiscard]] std::vector<KeyPart> keyParts(std::int64_t run, std::string_view step) const;
  /// What a key is made of; empty when it is not known.
  [[nodiscard]] std::vector<KeyPart> keyParts(std::string_view hexKey) const;
  /// Each step of the last runs of a workflow that had a key, by name. `source`: path of the root
  /// file; runs of another file count only where there is none of this one.
  [[nodiscard]] std::unordered_map<std::string, LastStep> lastSteps(std::string_view source,
                                                                    std::string_view workflow) const;
  /// What the last run of a workflow of that file was given, as a JSON object without secrets.
  /// `path` is absolute; a run may have been started with a part of it.
  [[nodiscard]] std::optional<std::string> lastInputs(std::string_view path,
                                                      std::string_view workflow) const;
  [[nodiscard]] std::optional<WhyRecord> why(std::int64_t run, std::string_view step) const;

 private:
  struct Impl;
  explicit History(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace couler::runtime

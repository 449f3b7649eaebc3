#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/store/schema.h"
#include "support/hash.h"

namespace couler::runtime {

/// One line of a run's history, as it is written.
struct StepRow {
  std::int64_t seq = 0;  ///< order of start within the run
  std::string step;
  std::string task;
  RowStatus status{};
  std::int64_t attempts = 0;
  std::int64_t exitCode = 0;
  std::string failure;
  double started = 0, seconds = 0, cpuSeconds = 0;
  std::uint64_t maxRssBytes = 0;
  std::optional<Digest> key;
  bool hasLog = false;
  std::string after;  ///< `seq`s, separated by spaces
};

}  // namespace couler::runtime

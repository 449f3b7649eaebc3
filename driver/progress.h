#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "ir/value.h"
#include "runtime/engine/engine.h"

namespace couler::driver {

enum class ProgressMode : std::uint8_t {
  Quiet,
  Lines,  ///< one line an event on standard error
  Bar,    ///< one line that is redrawn, on a terminal
  Json    ///< one JSON object an event on standard output
};

/// Shows what a run does while it does it.
class Progress {
 public:
  Progress(ProgressMode mode, bool colour) : mode_(mode), colour_(colour) {}

  void take(const runtime::Event& event);
  /// Removes the live line, so that other text may follow.
  void clear();

 private:
  void bar(const runtime::Event& event);
  void lines(const runtime::Event& event);
  void above(const std::string& line);

  ProgressMode mode_;
  bool colour_;
  std::set<std::string> running_;
  bool drawn_ = false;
};

/// One event as a line of JSON, newline included.
[[nodiscard]] std::string eventJson(const runtime::Event& event);

/// `succeeded`, `reused`, …
[[nodiscard]] std::string_view stateWord(runtime::StepState state);

}  // namespace couler::driver

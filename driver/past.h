#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/command.h"
#include "runtime/store/history.h"

namespace couler::driver {

/// A past run, looked up for `logs` and `why`.
struct PastRun {
  runtime::History history;
  runtime::RunRecord run;
  std::vector<runtime::StepRecord> steps;
};

/// Opens `--store` and finds a run by its number; `last` and the empty text are the newest. On any
/// problem it is printed and `code` says what the command ends with.
[[nodiscard]] std::optional<PastRun> findRun(const Invocation& invocation,
                                             const std::string& number, int& code);

/// The same in a store that no option names.
[[nodiscard]] std::optional<PastRun> findRun(const Invocation& invocation,
                                             const std::string& store, const std::string& number,
                                             int& code);

/// A step by name, or null with a message that offers the nearest name.
[[nodiscard]] const runtime::StepRecord* findStep(const PastRun& past, const std::string& name,
                                                  DiagnosticSink& diags);

}  // namespace couler::driver

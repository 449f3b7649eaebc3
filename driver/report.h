#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "driver/graph_model.h"
#include "driver/searches.h"
#include "ir/module.h"
#include "runtime/engine/engine.h"
#include "runtime/store/history.h"

namespace couler::driver {

/// One step of the run, as the report shows it.
struct ReportStep {
  std::string name;
  std::string task;
  runtime::StepState state = runtime::StepState::Waiting;
  std::int64_t attempts = 0;
  double started = 0;  ///< seconds since the run's start; of the first attempt
  double ended = 0;
  double cpuSeconds = 0;
  std::uint64_t maxRssBytes = 0;
  std::string failure;
  std::string key;
  std::string logTail;
};

/// Gathers a run's events.
class ReportSteps {
 public:
  void take(const runtime::Event& event);
  /// Adds keys and the ends of logs from the history (null: there is none).
  void complete(const runtime::History* history, std::int64_t run);
  [[nodiscard]] const std::vector<ReportStep>& steps() const { return steps_; }

 private:
  ReportStep& step(const runtime::Event& event);
  std::vector<ReportStep> steps_;
  std::map<std::string, std::size_t> index_;
};

struct ReportInput {
  std::string title;   ///< the workflow's name
  std::string source;  ///< path of the root file
  std::string startedAt;
  runtime::RunResult result;
  std::vector<std::pair<std::string, std::string>> inputs;  ///< name, value as text
  const Graph* graph = nullptr;
  const std::vector<ReportStep>* steps = nullptr;
  std::vector<SearchTable> searches;
};

/// One HTML page that needs nothing else: no network, no other file; readable without JavaScript.
/// O(steps log steps); a timeline of more than 500 steps shows how many ran at a time instead.
[[nodiscard]] std::string reportHtml(const ReportInput& input);

/// The style sheet that all pages share.
[[nodiscard]] std::string_view pageStyle();

/// `&`, `<`, `>`, quotes and control characters as entities.
[[nodiscard]] std::string escapeHtml(std::string_view text);

}  // namespace couler::driver

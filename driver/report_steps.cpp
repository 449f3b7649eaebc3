#include <algorithm>

#include "driver/files.h"
#include "driver/report.h"

namespace couler::driver {
namespace {

constexpr std::size_t kTailBytes = 4000;

/// The last lines of a log, at most kTailBytes.
std::string tailOf(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (text.size() <= kTailBytes) return text;
  std::size_t from = text.size() - kTailBytes;
  const std::size_t line = text.find('\n', from);
  if (line != std::string::npos) from = line + 1;
  return "…\n" + text.substr(from);
}

}  // namespace

ReportStep& ReportSteps::step(const runtime::Event& event) {
  const auto [at, isNew] = index_.try_emplace(event.step, steps_.size());
  if (isNew) {
    steps_.emplace_back();
    steps_.back().name = event.step;
    steps_.back().started = event.at;
  }
  ReportStep& result = steps_[at->second];
  if (!event.task.empty()) result.task = event.task;
  return result;
}

void ReportSteps::take(const runtime::Event& event) {
  if (event.step.empty()) return;
  using Kind = runtime::Event::Kind;
  if (event.kind != Kind::StepStarted && event.kind != Kind::StepRetrying &&
      event.kind != Kind::StepEnded)
    return;
  ReportStep& own = step(event);
  const bool ran =
      event.state == runtime::StepState::Succeeded || event.state == runtime::StepState::Failed ||
      event.state == runtime::StepState::Running || event.state == runtime::StepState::Cancelled;
  if (ran) own.attempts = std::max(own.attempts, event.attempt);
  own.state = event.state;
  own.ended = event.at;
  own.cpuSeconds = std::max(own.cpuSeconds, event.cpuSeconds);
  own.maxRssBytes = std::max(own.maxRssBytes, event.maxRssBytes);
  if (!event.failure.empty() || event.kind == Kind::StepEnded) own.failure = event.failure;
  if (!event.message.empty()) own.logTail = tailOf(event.message);
}

void ReportSteps::complete(const runtime::History* history, std::int64_t run) {
  if (history == nullptr) return;
  for (const runtime::StepRecord& record : history->steps(run)) {
    const auto at = index_.find(record.step);
    if (at == index_.end()) continue;
    ReportStep& own = steps_[at->second];
    own.key = record.key;
    if (own.task.empty()) own.task = record.task;
    if (record.logPath.empty()) continue;
    ReadResult log = readFile(record.logPath);
    if (log.error.empty() && !log.text.empty()) own.logTail = tailOf(std::move(log.text));
  }
}

}  // namespace couler::driver

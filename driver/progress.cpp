#include "driver/progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "driver/console.h"
#include "support/text.h"

namespace couler::driver {
namespace {

using runtime::Event;
using runtime::StepState;

std::size_t terminalWidth() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

std::string_view kindWord(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::RunStarted:
      return "run-started";
    case Event::Kind::StepStarted:
      return "step-started";
    case Event::Kind::StepRetrying:
      return "step-retrying";
    case Event::Kind::StepEnded:
      return "step-ended";
    case Event::Kind::StepsAdded:
      return "steps-added";
    case Event::Kind::Note:
      return "note";
    case Event::Kind::RunEnded:
      break;
  }
  return "run-ended";
}

/// Where a row is about one step's end, its colour: green, dim or red.
std::string_view stateColour(StepState state) {
  switch (state) {
    case StepState::Succeeded:
      return "\x1b[32m";
    case StepState::Failed:
      return "\x1b[31m";
    case StepState::Waiting:
    case StepState::Running:
    case StepState::Reused:
    case StepState::Skipped:
    case StepState::Cancelled:
      break;
  }
  return "\x1b[2m";
}

std::string endLine(const Event& event, bool colour) {
  std::string_view word = "ok";
  switch (event.state) {
    case StepState::Reused:
      word = "reused";
      break;
    case StepState::Failed:
      word = "FAILED";
      break;
    case StepState::Skipped:
      word = "skipped";
      break;
    case StepState::Cancelled:
      word = "stopped";
      break;
    case StepState::Waiting:
    case StepState::Running:
    case StepState::Succeeded:
      break;
  }
  const bool ran = event.state == StepState::Succeeded || event.state == StepState::Failed;
  std::string line = fmt::format("{}{:<8}{}{}", colour ? stateColour(event.state) : "", word,
                                 colour ? "\x1b[0m" : "", event.step);
  if (ran) line += "  " + humanSeconds(event.seconds);
  if (!event.failure.empty()) line += "  (" + event.failure + ")";
  return line;
}

}  // namespace

std::string_view stateWord(StepState state) {
  switch (state) {
    case StepState::Waiting:
      return "waiting";
    case StepState::Running:
      return "running";
    case StepState::Succeeded:
      return "succeeded";
    case StepState::Reused:
      return "reused";
    case StepState::Failed:
      return "failed";
    case StepState::Skipped:
      return "skipped";
    case StepState::Cancelled:
      break;
  }
  return "cancelled";
}

std::string eventJson(const Event& event) {
  std::string text =
      fmt::format("{{\"event\":\"{}\",\"at\":{:.6f}", kindWord(event.kind), event.at);
  const bool ofStep = !event.step.empty();
  if (ofStep) text += ",\"step\":" + jsonQuote(event.step);
  if (!event.task.empty()) text += ",\"task\":" + jsonQuote(event.task);
  if (ofStep) {
    text += fmt::format(",\"state\":\"{}\",\"attempt\":{}", stateWord(event.state), event.attempt);
  }
  if (event.kind == Event::Kind::StepEnded || event.kind == Event::Kind::StepRetrying) {
    text +=
        fmt::format(",\"exit\":{},\"seconds\":{:.6f},\"cpu_seconds\":{:.6f},\"max_rss_bytes\":{}",
                    event.exitCode, event.seconds, event.cpuSeconds, event.maxRssBytes);
  }
  if (!event.failure.empty()) text += ",\"failure\":" + jsonQuote(event.failure);
  if (!event.message.empty()) text += ",\"message\":" + jsonQuote(event.message);
  return text + fmt::format(",\"done\":{},\"total\":{}}}\n", event.done, event.total);
}

void Progress::take(const Event& event) {
  if (event.kind == Event::Kind::StepStarted) running_.insert(event.step);
  if (event.kind == Event::Kind::StepEnded) running_.erase(event.step);
  switch (mode_) {
    case ProgressMode::Quiet:
      break;
    case ProgressMode::Json:
      printOut(eventJson(event));
      (void)flushOut();  // a reader follows along
      break;
    case ProgressMode::Lines:
      lines(event);
      break;
    case ProgressMode::Bar:
      bar(event);
      break;
  }
}

void Progress::lines(const Event& event) {
  switch (event.kind) {
    case Event::Kind::StepStarted:
      printError(fmt::format("start   {}\n", event.step));
      break;
    case Event::Kind::StepRetrying:
      printError(
          fmt::format("retry   {}  attempt {} ({})\n", event.step, event.attempt, event.failure));
      break;
    case Event::Kind::StepEnded:
      printError(endLine(event, colour_) + "\n");
      break;
    case Event::Kind::Note:
      printError(fmt::format("note    {}\n", event.message));
      break;
    case Event::Kind::RunStarted:
    case Event::Kind::StepsAdded:
    case Event::Kind::RunEnded:
      break;
  }
}

void Progress::above(const std::string& line) {
  clear();
  printError(line + "\n");
}

void Progress::bar(const Event& event) {
  if (event.kind == Event::Kind::StepEnded &&
      (event.state == StepState::Failed || event.state == StepState::Cancelled)) {
    above(endLine(event, colour_));
  }
  if (event.kind == Event::Kind::StepRetrying) {
    above(fmt::format("retry   {}  attempt {} ({})", event.step, event.attempt, event.failure));
  }
  if (event.kind == Event::Kind::Note) above("note    " + event.message);
  if (event.kind == Event::Kind::RunEnded) {
    clear();
    return;
  }
  constexpr std::size_t kCells = 24;
  const std::size_t filled =
      event.total == 0 ? 0 : static_cast<std::size_t>(event.done * kCells / event.total);
  const std::string cells = std::string(filled, '=') + std::string(kCells - filled, ' ');
  std::string line =
      fmt::format("[{}] {}/{}  {}", cells, event.done, event.total, humanSeconds(event.at));
  std::string names;
  std::size_t shown = 0;
  const std::size_t width = terminalWidth();
  for (const std::string& step : running_) {
    if (line.size() + names.size() + step.size() + 12 > width) break;
    names += (names.empty() ? "  " : ", ") + step;
    ++shown;
  }
  if (shown < running_.size()) names += fmt::format(" +{}", running_.size() - shown);
  line += names;
  line.resize(std::min(line.size(), width - 1));
  printError("\r\x1b[K" + line);
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) printError("\r\x1b[K");
  drawn_ = false;
}

}  // namespace couler::driver

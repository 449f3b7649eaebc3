#include "driver/past_work.h"

#include <algorithm>

#include <fmt/format.h>

#include "driver/past.h"
#include "support/text.h"

namespace couler::driver {

std::optional<PastWork> PastWork::find(const Invocation& invocation, const std::string& storeDir,
                                       int& code) {
  auto run = findRun(invocation, storeDir, invocation.value("after"), code);
  if (!run) return std::nullopt;
  PastWork past;
  past.id_ = run->run.id;
  const auto last = run->history.lastSteps(run->run.source, run->run.workflow);
  for (const runtime::StepRecord& record : run->steps) {
    Step& step = past.steps_[record.step];
    step.status = record.status;
    step.reused = record.status == "reused";
    step.seconds = record.seconds;
    if (!step.reused) continue;
    const auto known = last.find(record.step);
    step.seconds = known == last.end() ? -1 : known->second.seconds;
  }
  return past;
}

std::string PastWork::of(std::string_view name) const {
  const auto found = steps_.find(name);
  std::string text = "not in it";
  if (found != steps_.end()) {
    const Step& step = found->second;
    if (step.reused) {
      text = step.seconds < 0 ? "reused" : "reused, saved " + humanSeconds(step.seconds);
    } else {
      text = step.status == "succeeded" ? "took " + humanSeconds(step.seconds) : step.status;
    }
  }
  return fmt::format("[run {}: {}]", id_, text);
}

std::string PastWork::ofParts(std::string_view parts) const {
  std::size_t ran = 0, all = 0;
  double spent = 0, saved = 0;
  for (;; ++all) {
    const auto found = steps_.find(fmt::format("{}.{}", parts, all));
    if (found == steps_.end()) break;
    const Step& step = found->second;
    ran += step.reused ? 0 : 1;
    (step.reused ? saved : spent) += std::max(0.0, step.seconds);
  }
  if (all == 0) return fmt::format("[run {}: not in parts]", id_);
  return fmt::format("[run {}: {} of {} ran in {}, the others saved {}]", id_, ran,
                     countOf(all, "part"), humanSeconds(spent), humanSeconds(saved));
}

std::string PastWork::summary() const {
  std::size_t ran = 0, reused = 0;
  double spent = 0, saved = 0;
  for (const auto& [_, step] : steps_) {
    reused += step.reused ? 1 : 0;
    ran += step.status == "succeeded" || step.status == "failed" ? 1 : 0;
    (step.reused ? saved : spent) += std::max(0.0, step.seconds);
  }
  const double all = spent + saved;
  return fmt::format(
      "run {}: {} ran and computed {}, {} reused and saved {}: {:.0f} % of the work\n", id_,
      countOf(ran, "step"), humanSeconds(spent), countOf(reused, "step"), humanSeconds(saved),
      all > 0 ? 100 * saved / all : 0);
}

}  // namespace couler::driver

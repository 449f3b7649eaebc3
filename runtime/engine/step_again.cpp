// Results whose files the store has evicted: their steps count as reused, and run after all, later
// on, when a step that runs reads what is not there.
#include <unordered_set>

#include <fmt/format.h>

#include "runtime/engine/outputs.h"
#include "runtime/engine/step_runner.h"

namespace couler::runtime {

void StepRunner::takeEvicted(StepRun& step, const StoredResult& stored, const ir::Value& value,
                             StepRow row) {
  const auto at = static_cast<std::uint32_t>(evicted_.size());
  evicted_.push_back(
      {step.node, step.context, step.arguments, step.key, std::move(row), stored.outputs});
  eachFile(value, [&](const ir::FileRef& file) { madeBy_.insert_or_assign(file.path, at); });
}

void StepRunner::present(const ir::Value& value) {
  if (madeBy_.empty()) return;
  eachFile(value, [&](const ir::FileRef& file) { madeBy_.erase(file.path); });
}

void StepRunner::makeAgain(std::uint32_t evicted) {
  const Evicted& result = evicted_[evicted];
  if (!inFlight_.try_emplace(result.key).second) return;
  const Id id = allocate();
  StepRun& step = steps_[id];
  step.again = evicted;
  step.node = result.node;
  step.context = result.context;
  step.arguments = result.arguments;
  step.key = result.key;
  step.reusable = true;
  step.seq = static_cast<std::uint32_t>(result.row.seq);
  step.stage = Stage::Asked;
  inbox_.push_back(id);
}

bool StepRunner::awaitFiles(const std::vector<ir::Value>& values, std::optional<Id> waiter,
                            std::string& lost) {
  if (madeBy_.empty()) return false;
  std::uint32_t first = kNotAgain;
  for (const ir::Value& value : values) {
    eachFile(value, [&](const ir::FileRef& file) {
      const auto found = madeBy_.find(file.path);
      if (found == madeBy_.end()) return;
      const Evicted& result = evicted_[found->second];
      if (result.failed) {
        lost = fmt::format(
            "what `{}` made is not in the store any more, and making it again did not succeed",
            result.row.step);
        return;
      }
      makeAgain(found->second);
      if (first == kNotAgain) first = found->second;
    });
  }
  if (first == kNotAgain || !lost.empty()) return false;
  if (waiter) {
    steps_[*waiter].stage = Stage::Following;
    inFlight_[evicted_[first].key].push_back(*waiter);
  }
  return true;
}

bool StepRunner::awaitInputs(Id id) {
  std::string lost;
  if (awaitFiles(steps_[id].arguments, id, lost)) return true;
  if (lost.empty()) return false;
  failEarly(id, std::move(lost));
  return true;
}

bool StepRunner::awaitOutputs() {
  const auto* outputs = std::get_if<ir::Value>(&executor_->result());
  if (outputs == nullptr || madeBy_.empty() || executor_->failed()) return false;
  std::string lost;
  const bool waits = awaitFiles({*outputs}, std::nullopt, lost);
  outputsLost_ = !lost.empty();
  return waits;
}

void StepRunner::madeAgain(Id id, const std::string& outputs, const ir::Value& value) {
  StepRun& step = steps_[id];
  Evicted& result = evicted_[step.again];
  result.made = true;
  --counts_.reused;
  present(value);
  if (outputs == result.outputs) return;
  // What has been reused of this run's steps was made from other files: everything is looked up
  // again, and what depends on these runs.
  store_.unstable(step.key);
  note(result.row.step,
       "made again, it gave other outputs than before: what depends on it runs again");
  restart_ = true;
}

void StepRunner::tellEvicted() {
  for (Evicted& result : evicted_) {
    if (!result.made) store_.later(std::move(result.row));
  }
  evicted_.clear();
}

void StepRunner::shrink() {
  std::unordered_set<std::string> live;
  const auto take = [&](const ir::Value& value) {
    eachObject(value, store_.objects(), [&](std::string_view path) { live.emplace(path); });
  };
  executor_->eachLive(take);
  for (const StepRun& step : steps_) {
    if (step.stage == Stage::Free) continue;
    for (const ir::Value& argument : step.arguments) take(argument);
  }
  const auto collected = store_.shrink(live);
  if (!collected) return;
  collected_.results += collected->results;
  collected_.evictedBytes += collected->evictedBytes;
}

}  // namespace couler::runtime

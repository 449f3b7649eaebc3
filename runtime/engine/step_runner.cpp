#include "runtime/engine/step_runner.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "runtime/engine/outputs.h"

extern char** environ;

namespace couler::runtime {
namespace {

/// How often a flag that another thread or a signal sets is looked at, and other runs' locks.
constexpr double kPollSeconds = 0.1;
constexpr double kElsewhereSeconds = 0.02;
constexpr double kKillSeconds = 5;
constexpr double kShowLogSeconds = 1;
/// How many steps may start before one that needs more than is free right now: after that, slots
/// are kept for it.
constexpr std::uint32_t kPassOver = 64;

std::string_view nameOfVariable(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

}  // namespace

bool StepRunner::Later::operator()(Id a, Id b) const {
  return runner->earlier(b, a);
}

bool StepRunner::earlier(Id a, Id b) const {
  const bool first = steps_[a].again != kNotAgain;
  const bool second = steps_[b].again != kNotAgain;
  if (first || second) return first && second ? steps_[a].again < steps_[b].again : first;
  return executor_->before(steps_[a].token, steps_[b].token);
}

StepRunner::StepRunner(const ir::Module& module, const RunOptions& options, Store& store,
                       const Secrets& secrets, DiagnosticSink& diags, const Before& before)
    : module_(module),
      options_(options),
      store_(store),
      secrets_(secrets),
      diags_(diags),
      commands_(module, options, store, secrets),
      logs_(store.logFolder()),
      folders_(store.workFolder()),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      begin_(before.begin),
      all_(machineSlots(options.jobs, options.memoryBytes)),
      free_(all_),
      nextSeq_(before.seq),
      counts_{before.counts.succeeded, 0, 0, 0},
      collected_(before.collected) {
  const std::vector<std::string>& hidden = secrets.variables();
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view name = nameOfVariable(*variable);
    // Of ours only what cannot change what a step makes.
    const bool speed = name == "COULER_THREADS" || name == "COULER_MEMORY";
    if (name.starts_with("COULER_") && !speed) continue;
    if (std::find(hidden.begin(), hidden.end(), name) == hidden.end())
      environment_.push_back(*variable);
  }
}

StepRunner::~StepRunner() {
  for (const Id id : running_) static_cast<void>(reap(steps_[id].process));
}

double StepRunner::now() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

void StepRunner::progress(Event& event) {
  event.done = counts_.succeeded + counts_.reused + counts_.failed + counts_.skipped;
  event.total = executor_ == nullptr ? 0 : executor_->totalSteps();
}

void StepRunner::emit(Event event) {
  if (!options_.onEvent) return;
  event.at = now();
  progress(event);
  options_.onEvent(event);
}

void StepRunner::note(std::string step, std::string text) {
  Event event;
  event.kind = Event::Kind::Note;
  event.step = std::move(step);
  event.message = std::move(text);
  emit(std::move(event));
}

StepRunner::Id StepRunner::allocate() {
  if (!freeIds_.empty()) {
    const Id id = freeIds_.back();
    freeIds_.pop_back();
    return id;
  }
  steps_.emplace_back();
  return static_cast<Id>(steps_.size() - 1);
}

void StepRunner::free(Id id) {
  const std::uint32_t generation = steps_[id].timers + 1;
  steps_[id] = StepRun{};
  steps_[id].timers = generation;
  freeIds_.push_back(id);
}

void StepRunner::ready(Token token, ir::NodeId node, std::vector<ir::Value> arguments) {
  const Id id = allocate();
  StepRun& step = steps_[id];
  step.token = token;
  step.node = node;
  step.context = &commands_.of(module_.payload<ir::Step>(node)->task);
  step.arguments = std::move(arguments);
  step.stage = Stage::Asked;
  inbox_.push_back(id);
}

std::uint32_t StepRunner::skipped(Token token, ir::NodeId node, bool cancelled) {
  StepRow row;
  row.seq = ++nextSeq_;
  row.step = executor_->stepName(token);
  row.task = module_.at(module_.payload<ir::Step>(node)->task).name;
  row.status = cancelled ? RowStatus::Cancelled : RowStatus::Skipped;
  row.started = now();
  row.after = executor_->after(token);
  ++counts_.skipped;
  emitEnd(row, 0);
  store_.later(std::move(row));
  return nextSeq_;
}

void StepRunner::run(Executor& executor) {
  executor_ = &executor;
  if (!options_.force) store_.expect(executor.totalSteps());
  runAll(executor);
  tellEvicted();
  folders_.clear();
}

void StepRunner::runAll(Executor& executor) {
  announced_ = executor.totalSteps();
  while (true) {
    if (!aborted_) executor.advance();
    if (executor.totalSteps() != announced_) {
      announced_ = executor.totalSteps();
      Event event;
      event.kind = Event::Kind::StepsAdded;
      emit(std::move(event));
    }
    if (const auto& broken = store_.broken(); broken && !aborted_) brokenStore(*broken);
    if (options_.cancel != nullptr && !cancelled_ && options_.cancel->load()) {
      cancelled_ = true;
      stopAll();
    }
    if (cancelled_ || aborted_ || restart_) {
      if (running_.empty()) return;
    } else {
      if (!inbox_.empty()) {
        drainInbox();
        continue;
      }
      if (executor.finished() && !awaitOutputs()) return;
      recheckElsewhere();
      schedule();
      // What could not be started, or was found done by another run, has moved the graph on.
      if (!inbox_.empty() || !executor.idle() || aborted_) continue;
    }
    wait();
    fireTimers();
  }
}

void StepRunner::drainInbox() {
  // In program order whatever the order in which they became ready: rows and notes come out alike.
  std::vector<Id> batch;
  batch.swap(inbox_);
  const auto before = [&](Id a, Id b) { return earlier(a, b); };
  // Mostly they come in order, and telling that is much cheaper than sorting.
  if (!std::is_sorted(batch.begin(), batch.end(), before)) {
    std::sort(batch.begin(), batch.end(), before);
  }
  store_.beginReads();
  for (const Id id : batch) {
    if (aborted_) break;
    look(id);
  }
  store_.endReads();
}

void StepRunner::look(Id id) {
  StepRun& step = steps_[id];
  const ir::TaskDef& task = *step.context->task;
  if (step.again != kNotAgain) {
    if (stopping_) {
      release(id);
      return free(id);
    }
    if (awaitInputs(id)) return;
    step.attempt = 1;
    return enqueue(id);
  }
  if (stopping_ && !executor_->inFinally(step.token)) {
    const Token token = step.token;
    const std::uint32_t seq = skipped(token, step.node, true);
    release(id);
    executor_->cancel(token, seq);
    return free(id);
  }
  if (step.seq == 0) {
    if (const auto error = commands_.resolve(*step.context, step.arguments)) {
      return failEarly(id, error->message);
    }
    const auto key = commands_.key(*step.context, step.arguments);
    if (const auto* error = std::get_if<ir::EvalError>(&key)) return failEarly(id, error->message);
    step.key = std::get<Digest>(key);
    step.reusable = task.cache && !task.isVolatile;
  }
  if (step.reusable && !options_.force) {
    if (reuse(step, id)) return;
    if (const auto first = inFlight_.find(step.key); first != inFlight_.end()) {
      step.stage = Stage::Following;
      first->second.push_back(id);
      return;
    }
  }
  if (awaitInputs(id)) return;
  if (step.reusable && !options_.force) inFlight_.try_emplace(step.key);
  step.attempt = 1;
  enqueue(id);
}

bool StepRunner::reuse(StepRun& step, Id id) {
  const auto stored = store_.lookup(step.key);
  if (!stored) return false;
  const ir::TaskDef& task = *step.context->task;
  Decoded decoded = decodeOutputs(stored->outputs, task.result, module_.types, store_.objects(),
                                  stored->trusted ? Look::Quick : Look::Thorough);
  const bool missing = stored->evicted && !decoded.value;
  if (missing) {
    if (step.again != kNotAgain) return false;
    decoded =
        decodeOutputs(stored->outputs, task.result, module_.types, store_.objects(), Look::No);
  }
  if (!decoded.value) {
    store_.forget(step.key, *stored);
    store_.beginReads();
    note(nameOf(step), fmt::format("{}, so the step runs again", decoded.problem));
    return false;
  }
  if (step.again != kNotAgain) {  // another run has made it
    present(*decoded.value);
    free(id);
    return true;
  }
  if (!stored->trusted && !missing) {
    store_.trust(step.key);
    store_.beginReads();
  }
  if (step.seq == 0) step.seq = ++nextSeq_;
  ++counts_.reused;
  if (goesFirst(step)) store_.dropFirst(step.key);
  StepRow row = rowOf(step, RowStatus::Reused);
  row.attempts = 0;
  emitEnd(row, 0);
  if (missing) {
    takeEvicted(step, *stored, *decoded.value, std::move(row));
  } else {
    present(*decoded.value);
    store_.later(std::move(row));
  }
  executor_->succeed(step.token, std::move(*decoded.value), step.seq);
  free(id);
  return true;
}

void StepRunner::enqueue(Id id) {
  StepRun& step = steps_[id];
  step.stage = Stage::Queued;
  step.slots = demandOf(*step.context->task, step.memoryFactor, all_);
  if (step.slots.alone && step.seq == 0) {
    note(nameOf(step), "it asks for more than this run may use, so it runs alone");
  }
  queues_.try_emplace(step.slots, Later{this}).first->second.push(id);
}

void StepRunner::schedule() {
  while (!aborted_ && startNext()) {
  }
}

bool StepRunner::startNext() {
  if (aloneRunning_) return false;
  // The first in program order of those that fit. One that does not fit and comes earlier lets only
  // so many pass.
  Queue* best = nullptr;
  Id earliest = 0;
  bool hasEarliest = false;
  for (auto& [slots, queue] : queues_) {
    if (queue.empty()) continue;
    const Id id = queue.top();
    if (!hasEarliest || Later{this}(earliest, id)) {
      earliest = id;
      hasEarliest = true;
    }
    const bool fits = slots.alone ? running_.empty() : slots.fits(free_);
    if (fits && (best == nullptr || Later{this}(best->top(), id))) best = &queue;
  }
  if (best == nullptr) return false;
  const Id id = best->top();
  if (id != earliest && ++steps_[earliest].passedOver > kPassOver) return false;
  best->pop();
  StepRun& step = steps_[id];
  const bool shared = step.reusable && !options_.force;
  if (shared && !step.claimed) {
    if (!store_.claim(step.key)) {
      step.stage = Stage::Elsewhere;
      elsewhere_.push_back(id);
      return true;
    }
    step.claimed = true;
    // Another run may have finished it since we looked.
    const Digest key = step.key;
    const auto followers = inFlight_.find(key);
    std::vector<Id> waiting;
    if (followers != inFlight_.end()) waiting = followers->second;
    if (reuse(step, id)) {
      store_.release(key);
      inFlight_.erase(key);
      for (const Id follower : waiting) {
        steps_[follower].stage = Stage::Asked;
        inbox_.push_back(follower);
      }
      return inbox_.empty();
    }
  }
  start(id);
  return inbox_.empty();
}

void StepRunner::recheckElsewhere() {
  if (elsewhere_.empty()) return;
  std::vector<Id> ids;
  ids.swap(elsewhere_);
  for (const Id id : ids) {
    StepRun& step = steps_[id];
    if (store_.claim(step.key)) {
      store_.release(step.key);
      enqueue(id);  // `startNext` claims it again and looks
    } else {
      elsewhere_.push_back(id);
    }
  }
}

void StepRunner::release(Id id) {
  StepRun& step = steps_[id];
  if (step.claimed) store_.release(step.key);
  step.claimed = false;
  const auto followers = inFlight_.find(step.key);
  if (!step.reusable || options_.force || followers == inFlight_.end()) return;
  for (const Id follower : followers->second) {
    steps_[follower].stage = Stage::Asked;
    inbox_.push_back(follower);
  }
  inFlight_.erase(followers);
}

void StepRunner::wait() {
  double seconds = -1;
  const auto atMost = [&](double limit) {
    if (seconds < 0 || limit < seconds) seconds = limit;
  };
  if (!timers_.empty()) atMost(std::max(0.0, timers_.top().at - now()));
  if (options_.cancel != nullptr) atMost(kPollSeconds);
  if (!elsewhere_.empty()) atMost(kElsewhereSeconds);
  if (!running_.empty()) atMost(kShowLogSeconds);
  epoll_event events[64];
  const int millis = seconds < 0 ? -1 : static_cast<int>(std::min(seconds * 1000 + 0.999, 1e6));
  const int count = epoll_wait(epoll_.get(), events, 64, millis);
  for (int i = 0; i < count; ++i) {
    const Id id = static_cast<Id>(events[i].data.u64 >> 1);
    const bool isPipe = (events[i].data.u64 & 1) != 0;
    if (steps_[id].stage != Stage::Running) continue;
    if (isPipe) {
      drainPipe(steps_[id], false);
    } else {
      onExit(id);
    }
  }
  const double time = now();
  if (time - lastLook_ >= kShowLogSeconds) {
    lastLook_ = time;
    for (const Id id : running_) logs_.show(steps_[id].log);  // for people who look while it runs
  }
}

void StepRunner::fireTimers() {
  const double time = now();
  while (!timers_.empty() && timers_.top().at <= time) {
    const Timer timer = timers_.top();
    timers_.pop();
    if (steps_[timer.id].timers == timer.generation) onTimer(timer);
  }
}

void StepRunner::onTimer(const Timer& timer) {
  StepRun& step = steps_[timer.id];
  switch (timer.kind) {
    case Timer::Kind::Timeout:
      step.timedOut = true;
      step.ended = true;
      signalGroup(step.process, SIGTERM);
      timers_.push({now() + kKillSeconds, timer.id, Timer::Kind::Kill, step.timers});
      break;
    case Timer::Kind::Kill:
      step.ended = true;
      signalGroup(step.process, SIGKILL);
      endContainer(step);
      break;
    case Timer::Kind::Resume:
      enqueue(timer.id);
      break;
  }
}

void StepRunner::stopAll() {
  for (const Id id : running_) {
    StepRun& step = steps_[id];
    endTimers(step);
    step.ended = true;
    signalGroup(step.process, SIGTERM);
    timers_.push({now() + kKillSeconds, id, Timer::Kind::Kill, step.timers});
  }
}

void StepRunner::cancelWaiting() {
  stopping_ = true;
  executor_->stopStarting();
  // Those that wait come back to `look`, which cancels them.
  for (auto& [slots, queue] : queues_) {
    for (; !queue.empty(); queue.pop()) inbox_.push_back(queue.top());
  }
  inbox_.insert(inbox_.end(), elsewhere_.begin(), elsewhere_.end());
  elsewhere_.clear();
  for (Id id = 0; id < steps_.size(); ++id) {
    if (steps_[id].stage == Stage::Pausing) {
      endTimers(steps_[id]);
      inbox_.push_back(id);
    }
  }
}

}  // namespace couler::runtime

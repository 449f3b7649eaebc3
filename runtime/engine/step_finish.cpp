#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/engine/container.h"
#include "runtime/engine/outputs.h"
#include "runtime/engine/step_runner.h"

namespace couler::runtime {
namespace {

constexpr std::size_t kTail = 4096;
constexpr std::size_t kShownLines = 12;
constexpr std::size_t kMostPrinted = std::size_t{64} << 20;

bool writeAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote < 0 && errno != EINTR) return false;
    if (wrote > 0) text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

}  // namespace

void StepRunner::drainPipe(StepRun& step, bool last) {
  if (!step.pipe.valid()) return;
  char buffer[16384];
  while (true) {
    const ssize_t got = read(step.pipe.get(), buffer, sizeof buffer);
    if (got > 0) {
      const std::string text = step.filter->feed({buffer, static_cast<std::size_t>(got)});
      if (!writeAll(step.log.file.get(), text))
        brokenStore(fileError(errno, "write", step.log.path));
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got == 0 || last) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, step.pipe.get(), nullptr);
    break;
  }
  if (last) step.pipe.reset();
}

std::string StepRunner::printedText(StepRun& step) {
  if (!step.printed.valid()) return {};
  struct stat info{};
  if (fstat(step.printed.get(), &info) != 0) return {};
  std::string text(std::min(static_cast<std::size_t>(info.st_size), kMostPrinted + 1), '\0');
  const ssize_t got = pread(step.printed.get(), text.data(), text.size(), 0);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  step.printed.reset();
  // The log has it as well, after what went to standard error.
  const std::string shown = step.filter ? step.filter->feed(text) : text;
  if (!writeAll(step.log.file.get(), shown)) brokenStore(fileError(errno, "write", step.log.path));
  return text;
}

void StepRunner::onExit(Id id) {
  StepRun& step = steps_[id];
  const Ending ending = reap(step.process);
  // Closing it is not enough: a process that is just being started may have it open for a moment
  // yet, and until then its event would come again, for whichever step has this id by then.
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, step.process.pidfd.get(), nullptr);
  step.process = Process{};
  running_.erase(id);
  free_.give(step.slots);
  if (step.slots.alone) aloneRunning_ = false;
  endTimers(step);
  step.cpuSeconds += ending.cpuSeconds;
  step.maxRssBytes = std::max(step.maxRssBytes, ending.maxRssBytes);
  drainPipe(step, true);
  const std::string printed = printedText(step);
  if (step.filter) {
    static_cast<void>(writeAll(step.log.file.get(), step.filter->finish()));
    step.filter.reset();
  }
  if (aborted_) return;
  if (cancelled_) {
    StepRow row = rowOf(step, RowStatus::Cancelled);
    row.exitCode = ending.exitCode;
    row.failure = "cancelled";
    row.hasLog = logs_.close(step.log);
    store_.record(row, partsOf(step), nullptr);
    const double seconds = now() - step.attemptStarted;
    release(id);
    free(id);
    emitEnd(row, seconds);
    return;
  }
  if (printed.size() > kMostPrinted) {
    return failAttempt(id,
                       {ir::FailureClass::Exit,
                        0,
                        fmt::format("it printed more than {} MiB, and standard output is an output",
                                    kMostPrinted >> 20),
                        {}});
  }
  if (ending.exitCode == 0 && !step.timedOut) {
    auto outputs =
        collectOutputs(module_, *step.context->task, step.folder, printed, store_.objects());
    if (auto* value = std::get_if<ir::Value>(&outputs)) return succeed(id, std::move(*value));
    FileError& error = std::get<FileError>(outputs);
    if (error.code != 0) return brokenStore(error);
    return failAttempt(
        id, {ir::FailureClass::Exit, 0, std::move(error.message), Logs::tail(step.log, kTail)});
  }
  Failure failure;
  failure.output = Logs::tail(step.log, kTail);
  failure.exitCode = ending.exitCode;
  failure.kind =
      classify({ending.exitCode, ending.signal, step.timedOut, step.ended, failure.output});
  switch (failure.kind) {
    case ir::FailureClass::Timeout:
      failure.reason =
          fmt::format("it took longer than {}", ir::durationText(step.context->task->timeout));
      break;
    case ir::FailureClass::Oom:
      failure.reason = fmt::format("out of memory (exit {})", ending.exitCode);
      break;
    default:
      failure.reason = ending.signal != 0 ? fmt::format("ended by signal {} ({})", ending.signal,
                                                        sigabbrev_np(ending.signal))
                                          : fmt::format("exit {}", ending.exitCode);
  }
  failAttempt(id, std::move(failure));
}

StepRow StepRunner::rowOf(const StepRun& step, RowStatus status) const {
  StepRow row;
  row.seq = step.seq;
  row.step = nameOf(step);
  row.task = step.context->task->name;
  row.status = status;
  row.attempts = step.attempt;
  row.started = step.started < 0 ? now() : step.started;
  row.seconds = step.started < 0 ? 0 : now() - step.started;
  row.cpuSeconds = step.cpuSeconds;
  row.maxRssBytes = step.maxRssBytes;
  row.key = step.key;
  row.after = step.again == kNotAgain ? executor_->after(step.token) : evicted_[step.again].row.after;
  return row;
}

void StepRunner::emitEnd(const StepRow& row, double seconds, std::string message) {
  if (!options_.onEvent) return;
  constexpr StepState kStates[] = {StepState::Succeeded, StepState::Reused, StepState::Failed,
                                   StepState::Skipped, StepState::Cancelled};
  Event event;
  event.kind = Event::Kind::StepEnded;
  event.step = row.step;
  event.task = row.task;
  event.state = kStates[static_cast<std::size_t>(row.status)];
  event.attempt = row.attempts;
  event.exitCode = row.exitCode;
  event.failure = row.failure;
  event.message = std::move(message);
  event.seconds = seconds;
  event.cpuSeconds = row.cpuSeconds;
  event.maxRssBytes = row.maxRssBytes;
  emit(std::move(event));
}

std::string StepRunner::partsOf(const StepRun& step) {
  return commands_.keyParts(*step.context, step.arguments);
}

void StepRunner::succeed(Id id, ir::Value outputs) {
  StepRun& step = steps_[id];
  StepRow row = rowOf(step, RowStatus::Succeeded);
  row.hasLog = logs_.close(step.log);
  const std::string encoded =
      step.reusable ? encodeOutputs(outputs, store_.objects()) : std::string();
  store_.record(row, partsOf(step), step.reusable ? &encoded : nullptr);
  if (store_.broken()) return;  // nothing is told that was not kept
  folders_.done(step.folder, step.container.empty());
  ++counts_.succeeded;
  if (goesFirst(step)) store_.dropFirst(step.key);
  if (step.again == kNotAgain) {
    present(outputs);
  } else {
    madeAgain(id, encoded, outputs);
  }
  emitEnd(row, now() - step.attemptStarted);
  release(id);
  if (step.again == kNotAgain) executor_->succeed(step.token, std::move(outputs), step.seq);
  free(id);
  if (store_.overBudget()) shrink();
}

void StepRunner::failAttempt(Id id, Failure failure) {
  StepRun& step = steps_[id];
  const ir::RetryPolicy& policy = step.context->task->retry;
  if (stopping_ || !retries(policy, failure, step.attempt)) return fail(id, failure);
  const double pause = backoffSeconds(policy, step.key, step.attempt);
  Event event;
  event.kind = Event::Kind::StepRetrying;
  event.step = nameOf(step);
  event.task = step.context->task->name;
  event.state = StepState::Waiting;
  event.attempt = step.attempt;
  event.exitCode = failure.exitCode;
  event.failure = failure.reason;
  event.message = lastLines(failure.output, kShownLines);
  event.seconds = now() - step.attemptStarted;
  if (failure.kind == ir::FailureClass::Oom && step.memoryFactor < (std::int64_t{1} << 20)) {
    step.memoryFactor *= 2;
  }
  ++step.attempt;
  step.stage = Stage::Pausing;
  endTimers(step);
  emit(std::move(event));
  if (pause <= 0) return enqueue(id);
  timers_.push({now() + pause, id, Timer::Kind::Resume, step.timers});
}

void StepRunner::fail(Id id, const Failure& failure) {
  StepRun& step = steps_[id];
  ++counts_.failed;
  if (step.seq == 0) step.seq = ++nextSeq_;
  const bool again = step.again != kNotAgain;
  if (again) {
    evicted_[step.again].failed = evicted_[step.again].made = true;
    --counts_.reused;
  }
  StepRow row = rowOf(step, RowStatus::Failed);
  row.exitCode = failure.exitCode;
  row.failure = failure.kind == ir::FailureClass::Exit
                    ? failure.reason
                    : fmt::format("{}: {}", word(failure.kind), failure.reason);
  const std::string logPath = step.log.path;
  row.hasLog = step.log.file.valid() && logs_.close(step.log);
  if (step.attempt == 0) row.key.reset();  // it never got that far
  store_.record(row, step.attempt == 0 ? "{}" : partsOf(step), nullptr);
  const std::string printed = lastLines(failure.output, kShownLines);
  const double seconds = step.attempt == 0 ? 0 : now() - step.attemptStarted;
  const Span at = module_.at(step.node).span;
  const std::string left = rmdir(step.folder.c_str()) == 0 ? std::string() : step.folder;
  release(id);
  const bool counts = again || executor_->fail(step.token, step.seq);
  free(id);
  if (counts) {
    Diagnostic diagnostic = diagnose<Diag::StepFailed>(at, row.step, row.failure);
    if (!printed.empty()) diagnostic.note("it printed last:\n" + printed);
    if (row.hasLog) diagnostic.note("log: " + logPath);
    if (!left.empty()) diagnostic.note("what it left behind, until the next run: " + left);
    struct statvfs space{};
    if (statvfs(store_.folder().c_str(), &space) == 0 && space.f_bavail == 0) {
      diagnostic.note("the disk that the store is on is full");
    }
    diags_.take(std::move(diagnostic));
  }
  emitEnd(row, seconds, printed);
  if (counts && options_.failFast && !stopping_) cancelWaiting();
}

void StepRunner::failEarly(Id id, std::string reason) {
  fail(id, {ir::FailureClass::Exit, 0, std::move(reason), {}});
}

void StepRunner::endContainer(const StepRun& step) {
  if (step.container.empty()) return;
  // The client is dead by now and passes no signal on.
  ProcessPlan plan;
  const std::string client(clientName(options_.container));
  plan.program = programPath(client, {});
  if (plan.program.empty()) return;
  plan.folder = "/";
  plan.argv = {client.c_str(), "kill", step.container.c_str(), nullptr};
  plan.environment = environmentFor({});
  plan.out = plan.err = step.log.file.get();
  const Process process = spawner_.start(plan);
  if (process.error == 0) {
    while (waitid(P_PID, static_cast<id_t>(process.pid), nullptr, WEXITED) < 0 && errno == EINTR) {
    }
  }
}

void StepRunner::brokenStore(const FileError& error) {
  if (aborted_) return;
  aborted_ = true;
  if (error.code == ENOSPC || error.code == EDQUOT) {
    diags_.take(diagnose<Diag::DiskFull>({}, store_.folder()).note(error.message));
  } else {
    diags_.take(diagnose<Diag::StoreWriteFailed>({}, error.message));
  }
  stopAll();
}

}  // namespace couler::runtime

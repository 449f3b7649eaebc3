#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/engine/container.h"
#include "runtime/engine/outputs.h"
#include "runtime/engine/step_runner.h"

namespace couler::runtime {
namespace {

constexpr std::size_t kMostWord = 128 * 1024;  // MAX_ARG_STRLEN of Linux

std::string startError(int code, const std::string& program, const StepCommand& command) {
  if (code == E2BIG) {
    for (const std::string& variable : command.variables) {
      if (variable.size() >= kMostWord) {
        return fmt::format(
            "the value of `{}` takes {} kB, and Linux gives a program at most 128 kB in one",
            variable.substr(0, variable.find('=')), variable.size() / 1024);
      }
    }
    return "its words and variables are more than Linux gives to a program";
  }
  return fileError(code, "start", program).message;
}

}  // namespace

std::string StepRunner::programPath(const std::string& word, const StepCommand& command) {
  for (std::size_t i = command.names.size(); i-- > 0;) {
    if (command.names[i] == "PATH")
      return findProgram(word, std::string_view(command.variables[i]).substr(5));
  }
  const auto [found, added] = programs_.try_emplace(word);
  if (added) {
    const char* path = getenv("PATH");
    found->second = findProgram(word, path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path);
  }
  return found->second;
}

bool StepRunner::start(Id id) {
  StepRun& step = steps_[id];
  const ir::TaskDef& task = *step.context->task;
  if (step.seq == 0) step.seq = ++nextSeq_;
  step.attemptStarted = now();
  if (step.started < 0) step.started = step.attemptStarted;
  auto folder = folders_.make(nameOf(step), step.attempt > 1);
  if (const auto* error = std::get_if<FileError>(&folder)) {
    brokenStore(*error);
    return false;
  }
  step.folder = std::get<std::string>(std::move(folder));
  auto made = commands_.command(*step.context, step.arguments, step.folder);
  if (const auto* error = std::get_if<ir::EvalError>(&made)) {
    fail(id, {ir::FailureClass::Exit, 0, error->message, {}});
    return false;
  }
  StepCommand& command = std::get<StepCommand>(made);
  if (!task.image.empty() && !step.context->inContainer && !imageNoted_) {
    imageNoted_ = true;
    note({}, fmt::format("images such as `{}` are not used: steps run on this machine as it is",
                         task.image));
  }
  if (step.context->inContainer) {
    step.container =
        fmt::format("couler-{}-{}-{}-{}", store_.run(), getpid(), step.seq, step.attempt);
    command.words =
        containerCommand({options_.container, step.container, task.image, step.folder,
                          store_.objects().folder(), command.inputs, command.names, &task},
                         command.words);
  }
  return launch(id, command);
}

std::vector<const char*> StepRunner::environmentFor(const StepCommand& command) const {
  std::vector<const char*> environment;
  environment.reserve(environment_.size() + command.variables.size() + 1);
  for (const char* inherited : environment_) {
    const std::string_view text = inherited;
    const std::string_view name = text.substr(0, text.find('='));
    if (std::find(command.names.begin(), command.names.end(), name) == command.names.end()) {
      environment.push_back(inherited);
    }
  }
  for (const std::string& variable : command.variables) environment.push_back(variable.c_str());
  environment.push_back(nullptr);
  return environment;
}

bool StepRunner::launch(Id id, const StepCommand& command) {
  StepRun& step = steps_[id];
  const ir::TaskDef& task = *step.context->task;
  if (!step.log.file.valid()) {
    if (const int code = logs_.open(nameOf(step), step.log)) {
      brokenStore(fileError(code, "write", step.log.path));
      return false;
    }
  } else {
    const std::string line = fmt::format("--- attempt {} ---\n", step.attempt);
    static_cast<void>(!write(step.log.file.get(), line.data(), line.size()));
  }
  ProcessPlan plan;
  plan.program = programPath(command.words.front(), command);
  plan.folder = step.folder.c_str();
  plan.argv.reserve(command.words.size() + 1);
  for (const std::string& word : command.words) plan.argv.push_back(word.c_str());
  plan.argv.push_back(nullptr);
  plan.environment = environmentFor(command);
  plan.out = plan.err = step.log.file.get();
  Fd writeEnd;
  if (!command.secrets.empty()) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      fail(id, {ir::FailureClass::Transient, 0, fileError(errno, "make", "a pipe").message, {}});
      return false;
    }
    step.pipe = Fd(ends[0]);
    writeEnd = Fd(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    step.filter = std::make_unique<SecretFilter>(command.secrets);
    plan.out = plan.err = ends[1];
  }
  if (step.context->needsStdout) {
    step.printed = Fd(memfd_create("couler-stdout", MFD_CLOEXEC));
    plan.out = step.printed.get();
  }
  if (plan.program.empty()) {
    step.process.error = ENOENT;
  } else {
    step.process = spawner_.start(plan);
  }
  if (step.process.error != 0) {
    Failure failure;
    failure.exitCode = step.process.error == ENOENT ? 127 : 126;
    failure.reason = startError(step.process.error, command.words.front(), command);
    // Too many processes or too little memory right now: another time it may well start.
    if (step.process.error == EAGAIN || step.process.error == ENOMEM) {
      failure.kind = ir::FailureClass::Transient;
    }
    failAttempt(id, std::move(failure));
    return false;
  }
  step.stage = Stage::Running;
  step.timedOut = false;
  step.ended = false;
  running_.insert(id);
  free_.take(step.slots);
  aloneRunning_ = step.slots.alone;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = std::uint64_t{id} << 1;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, step.process.pidfd.get(), &event);
  if (step.pipe.valid()) {
    event.data.u64 |= 1;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, step.pipe.get(), &event);
  }
  endTimers(step);
  if (task.timeout.micros > 0) {
    timers_.push({step.attemptStarted + static_cast<double>(task.timeout.micros) * 1e-6, id,
                  Timer::Kind::Timeout, step.timers});
  }
  if (options_.onEvent) {
    Event started;
    started.kind = Event::Kind::StepStarted;
    started.step = nameOf(step);
    started.task = task.name;
    started.state = StepState::Running;
    started.attempt = step.attempt;
    emit(std::move(started));
  }
  return true;
}

}  // namespace couler::runtime

#include "runtime/engine/process.h"

#include <cerrno>
#include <csignal>
#include <string_view>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace couler::runtime {
namespace {

constexpr std::size_t kStack = std::size_t{64} << 10;

struct ChildStart {
  const ProcessPlan* plan;
  int null;
  pid_t parent;
  const sigset_t* signals;
  volatile int error;  // written by the child in our own memory
};

/// Runs in the child, which shares this process's memory until it execs: system calls only. Never
/// returns, so AddressSanitizer must not mark its stack, which the next child uses again.
__attribute__((no_sanitize("address"))) int runChild(void* argument) {
  auto* start = static_cast<ChildStart*>(argument);
  const ProcessPlan& plan = *start->plan;
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != start->parent) _exit(127);  // it died before the line above
  // A handler is reset by exec; an ignored signal would stay ignored.
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGPIPE, &standard, nullptr);
  if (dup2(start->null, 0) < 0 || dup2(plan.out, 1) < 0 || dup2(plan.err, 2) < 0 ||
      chdir(plan.folder) != 0) {
    start->error = errno;
    _exit(127);
  }
  syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
  sigprocmask(SIG_SETMASK, start->signals, nullptr);
  // execve takes pointers to non-const for old code's sake and changes nothing.
  execve(plan.program.c_str(), const_cast<char* const*>(plan.argv.data()),
         const_cast<char* const*>(plan.environment.data()));
  start->error = errno;
  _exit(127);
}

double secondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

Spawner::Spawner() : null_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  void* stack =
      mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack != MAP_FAILED) stack_ = stack;
}

Spawner::~Spawner() {
  if (stack_ != nullptr) munmap(stack_, kStack);
}

Process Spawner::start(const ProcessPlan& plan) {
  Process process;
  if (stack_ == nullptr || !null_.valid()) {
    process.error = ENOMEM;
    return process;
  }
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // No handler of ours may run in the child, where it would see our memory.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  ChildStart start{&plan, null_.get(), getpid(), &before, 0};
  int pidfd = -1;
  const pid_t pid = clone(runChild, static_cast<char*>(stack_) + kStack,
                          CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &start, &pidfd);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    process.error = error;
    return process;
  }
  process.pid = pid;
  process.pidfd = Fd(pidfd);
  if (start.error != 0) {
    process.error = start.error;
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    process.pid = -1;
    process.pidfd.reset();
  }
  return process;
}

Ending reap(const Process& process) {
  // While the leader is not waited for, its number cannot be given to another group.
  kill(-process.pid, SIGKILL);
  Ending ending;
  int status = 0;
  rusage usage{};
  while (wait4(process.pid, &status, 0, &usage) < 0) {
    if (errno != EINTR) return ending;
  }
  if (WIFSIGNALED(status)) {
    ending.signal = WTERMSIG(status);
    ending.exitCode = 128 + ending.signal;
  } else {
    ending.exitCode = WEXITSTATUS(status);
  }
  ending.cpuSeconds = secondsOf(usage.ru_utime) + secondsOf(usage.ru_stime);
  ending.maxRssBytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  return ending;
}

void signalGroup(const Process& process, int signal) {
  if (process.pid > 0) kill(-process.pid, signal);
}

std::string findProgram(std::string_view program, std::string_view path) {
  if (program.empty()) return {};
  if (program.find('/') != std::string_view::npos) return std::string(program);
  while (true) {
    const std::size_t colon = path.find(':');
    std::string_view folder = path.substr(0, colon);
    if (folder.empty()) folder = ".";
    std::string candidate(folder);
    candidate.append(1, '/').append(program);
    struct stat info{};
    if (stat(candidate.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
        access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
    if (colon == std::string_view::npos) return {};
    path.remove_prefix(colon + 1);
  }
}

}  // namespace couler::runtime

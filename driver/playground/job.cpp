#include "driver/playground/job.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "driver/files.h"

namespace couler::driver {
namespace {

using runtime::Fd;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kLongestLine = std::size_t{1} << 20;

struct Pipe {
  Fd read, write;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    read = Fd(ends[0]);
    write = Fd(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  }
};

/// One of the two streams, taken apart into lines.
class LineReader {
 public:
  explicit LineReader(const Fd& fd) : fd_(fd.get()) {}
  [[nodiscard]] int fd() const { return open_ ? fd_ : -1; }

  /// What has come, at most one buffer of it; nothing when there is no more for now.
  bool read(std::vector<std::string>& lines) {
    char buffer[1 << 16];
    const ssize_t got = open_ ? ::read(fd_, buffer, sizeof buffer) : 0;
    if (got < 0) {
      open_ = errno == EAGAIN || errno == EINTR;
      return errno == EINTR;
    }
    if (got == 0) {
      open_ = false;
      if (!rest_.empty()) lines.push_back(std::exchange(rest_, {}));
      return false;
    }
    std::string_view bytes(buffer, static_cast<std::size_t>(got));
    for (std::size_t end; (end = bytes.find('\n')) != std::string_view::npos;) {
      lines.push_back(rest_.append(bytes.substr(0, end)));
      rest_.clear();
      bytes.remove_prefix(end + 1);
    }
    rest_.append(bytes);
    if (rest_.size() > kLongestLine) lines.push_back(std::exchange(rest_, {}));
    return true;
  }

 private:
  int fd_;
  bool open_ = true;
  std::string rest_;
};

}  // namespace

Job::Job(std::vector<std::string> words, std::string folder, Hooks hooks)
    : hooks_(std::move(hooks)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_(
          [this, words = std::move(words), folder = std::move(folder)] { work(words, folder); }) {}

Job::~Job() {
  cancel();
  thread_.join();
}

void Job::cancel() { (void)::eventfd_write(wake_.get(), 1); }

void Job::work(const std::vector<std::string>& words, const std::string& folder) {
  // Started on this thread: the process dies with the thread that started it.
  std::error_code ignored;
  runtime::ProcessPlan plan;
  plan.program = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  plan.argv.push_back("couler");
  for (const std::string& word : words) plan.argv.push_back(word.c_str());
  plan.argv.push_back(nullptr);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    plan.environment.push_back(*variable);
  }
  plan.environment.push_back(nullptr);
  plan.folder = folder.c_str();
  Pipe out;
  Pipe err;
  plan.out = out.write.get();
  plan.err = err.write.get();
  runtime::Spawner spawner;
  runtime::Process process;
  process.error = out.write.valid() && err.write.valid() && wake_.valid() ? 0 : EMFILE;
  if (process.error == 0) process = spawner.start(plan);
  out.write.reset();
  err.write.reset();
  int code = 127;
  if (process.error != 0) {
    hooks_.lines("err", {"couler: cannot be started: " + systemMessage(process.error)});
  } else {
    code = follow(process, out.read, err.read);
  }
  ended_ = true;
  hooks_.ended(code);
}

int Job::follow(const runtime::Process& process, const Fd& out, const Fd& err) {
  LineReader readers[] = {LineReader(out), LineReader(err)};
  constexpr std::string_view kNames[] = {"out", "err"};
  bool cancelled = false;
  Clock::time_point killed;
  const auto stop = [&] {
    if (std::exchange(cancelled, true)) return;
    runtime::signalGroup(process, SIGTERM);
    killed = Clock::now() + std::chrono::seconds(5);
  };
  const auto pass = [&](std::size_t which) {
    std::vector<std::string> lines;
    const bool more = readers[which].read(lines);
    if (!lines.empty() && !hooks_.lines(kNames[which], std::move(lines))) stop();
    return more;
  };
  while (true) {
    pollfd ready[] = {{readers[0].fd(), POLLIN, 0},
                      {readers[1].fd(), POLLIN, 0},
                      {process.pidfd.get(), POLLIN, 0},
                      {cancelled ? -1 : wake_.get(), POLLIN, 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(killed - Clock::now());
    if (cancelled && left.count() <= 0) runtime::signalGroup(process, SIGKILL);
    const int wait = cancelled ? std::max(static_cast<int>(left.count()), 100) : -1;
    if (::poll(ready, std::size(ready), wait) < 0) continue;
    for (std::size_t i = 0; i < 2; ++i) {
      if (ready[i].revents != 0) pass(i);
    }
    if (ready[3].revents != 0) stop();
    if (ready[2].revents == 0) continue;
    const int code =
        runtime::reap(process).exitCode;  // before the rest is read: nothing adds to it
    for (std::size_t i = 0; i < 2; ++i) {
      while (pass(i)) {
      }
    }
    return code;
  }
}

}  // namespace couler::driver

#include "driver/filter_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/engine/process.h"
#include "runtime/store/files.h"

namespace couler::driver {
namespace {

using runtime::Fd;
using Clock = std::chrono::steady_clock;

struct Pipe {
  Fd read, write;
  bool open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read = Fd(ends[0]);
    write = Fd(ends[1]);
    return true;
  }
};

/// A file without a name that holds the text: read by the child as its standard input, at its own
/// pace.
Fd fileOf(std::string_view text) {
  Fd file(memfd_create("input", MFD_CLOEXEC));
  while (file.valid() && !text.empty()) {
    const ssize_t n = write(file.get(), text.data(), text.size());
    if (n <= 0) return {};
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (file.valid()) lseek(file.get(), 0, SEEK_SET);
  return file;
}

/// A folder such as `.` in the PATH is the choice of whoever made the folder.
std::string wholeFolders(std::string_view path) {
  std::string whole;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find(':'), path.size());
    if (path.starts_with('/')) whole += (whole.empty() ? "" : ":") + std::string(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return whole;
}

/// What a pipe holds now goes to `to`. False at its end.
bool drain(int fd, std::string& to) {
  std::array<char, 1 << 14> buffer;
  const ssize_t n = read(fd, buffer.data(), buffer.size());
  if (n > 0) to.append(buffer.data(), static_cast<std::size_t>(n));
  return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

}  // namespace

std::optional<FilterResult> filterThrough(const std::vector<std::string>& argv,
                                          std::string_view input, std::chrono::milliseconds most) {
  const char* path = std::getenv("PATH");
  const std::string folders = wholeFolders(path == nullptr ? "" : path);
  const std::string program =
      folders.empty() ? folders : runtime::findProgram(argv.front(), folders);
  Fd in = fileOf(input);
  Pipe out, err;
  if (program.empty() || !in.valid() || !out.open() || !err.open()) return std::nullopt;

  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, err.write.get(), 2);
  posix_spawn_file_actions_addchdir_np(&actions, "/");
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A group of its own, so that what it may have started is ended with it.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t child = -1;
  const int error =
      posix_spawn(&child, program.c_str(), &actions, &attributes, words.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return std::nullopt;
  out.write = Fd();
  err.write = Fd();

  FilterResult result;
  const Clock::time_point end = Clock::now() + most;
  bool late = false;
  while (out.read.get() >= 0 || err.read.get() >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    late = left.count() <= 0;
    if (late) break;
    pollfd ready[2] = {{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}};
    if (poll(ready, 2, static_cast<int>(left.count())) < 0 && errno != EINTR) break;
    if (ready[0].revents != 0 && !drain(out.read.get(), result.out)) out.read = Fd();
    if (ready[1].revents != 0 && !drain(err.read.get(), result.err)) err.read = Fd();
  }
  if (late) kill(-child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (late || !WIFEXITED(status)) return std::nullopt;
  result.exitCode = WEXITSTATUS(status);
  return result;
}

}  // namespace couler::driver

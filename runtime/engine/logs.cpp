#include "runtime/engine/logs.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace couler::runtime {

bool Logs::makeFolder() {
  made_ = made_ || makeFolders(folder_) == 0;
  return made_;
}

int Logs::open(const std::string& step, Log& log) {
  log.path = folder_ + '/' + fileNameOf(step) + ".log";
  log.named = false;
  if (!spare_.empty()) {
    log.file = std::move(spare_.back());
    spare_.pop_back();
    return 0;
  }
  if (nameless_) {
    const std::string parent = folder_.substr(0, folder_.rfind('/'));
    log.file = Fd(::open(parent.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_APPEND, 0644));
    if (log.file.valid()) return 0;
    if (errno == ENOSPC || errno == EDQUOT || errno == EMFILE || errno == ENFILE) return errno;
    nameless_ = false;
  }
  if (!makeFolder()) return errno;
  log.file = Fd(::open(log.path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0644));
  if (!log.file.valid()) return errno;
  log.named = true;
  return 0;
}

bool Logs::show(Log& log) {
  struct stat info{};
  if (!log.file.valid() || fstat(log.file.get(), &info) != 0 || info.st_size == 0) return false;
  if (log.named) return true;
  if (!makeFolder()) return false;
  const std::string self = fmt::format("/proc/self/fd/{}", log.file.get());
  log.named = linkat(AT_FDCWD, self.c_str(), AT_FDCWD, log.path.c_str(), AT_SYMLINK_FOLLOW) == 0;
  return log.named;
}

bool Logs::close(Log& log) {
  const bool shown = show(log);
  if (!shown && log.named) unlink(log.path.c_str());
  if (!shown && !log.named && log.file.valid() && lseek(log.file.get(), 0, SEEK_END) == 0) {
    spare_.push_back(std::move(log.file));
  }
  log.file.reset();
  return shown;
}

std::string Logs::tail(const Log& log, std::size_t bytes) {
  struct stat info{};
  if (!log.file.valid() || fstat(log.file.get(), &info) != 0) return {};
  const auto size = static_cast<std::size_t>(info.st_size);
  const std::size_t from = size > bytes ? size - bytes : 0;
  std::string text(size - from, '\0');
  const ssize_t got = pread(log.file.get(), text.data(), text.size(), static_cast<off_t>(from));
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

}  // namespace couler::runtime

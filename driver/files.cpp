#include "driver/files.h"

#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace couler::driver {
namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 16;

/// A file over the size limit is to be an error like a full disk, not the end of the process.
class IgnoreFileSizeSignal {
 public:
  IgnoreFileSizeSignal() : before_(std::signal(SIGXFSZ, SIG_IGN)) {}
  ~IgnoreFileSizeSignal() {
    if (before_ != SIG_ERR) std::signal(SIGXFSZ, before_);
  }
  IgnoreFileSizeSignal(const IgnoreFileSizeSignal&) = delete;
  IgnoreFileSizeSignal& operator=(const IgnoreFileSizeSignal&) = delete;

 private:
  void (*before_)(int);
};

/// Returns 0 or an error number.
int readAll(int fd, std::string& text) {
  char chunk[1 << 16];
  while (true) {
    const ssize_t got = ::read(fd, chunk, sizeof chunk);
    if (got == 0) return 0;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    text.append(chunk, static_cast<std::size_t>(got));
  }
}

}  // namespace

std::string systemMessage(int number) {
  if (number == ENOENT) return "no such file or folder";
  if (number == EISDIR) return "is a folder";
  std::string text = std::strerror(number);
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

ReadResult readFile(const std::string& path) {
  ReadResult result;
  if (path == "-") {
    const int number = readAll(STDIN_FILENO, result.text);
    if (number != 0) result.error = systemMessage(number);
    return result;
  }
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    result.error = systemMessage(errno);
    return result;
  }
  const int number = readAll(fd, result.text);
  ::close(fd);
  if (number != 0) result.error = systemMessage(number);
  return result;
}

AtomicFile::AtomicFile(const std::string& path) : place_(path) {
  struct stat info{};
  mode_t mode = 0;
  if (::stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) {
      fail(EISDIR);
      return;
    }
    if (!S_ISREG(info.st_mode)) {
      fd_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
      if (fd_ < 0) fail(errno);
      return;
    }
    if (::access(path.c_str(), W_OK) != 0) {
      fail(errno);
      return;
    }
    mode = info.st_mode & 07777U;
  }
  std::error_code ignored;
  if (const auto real = std::filesystem::canonical(path, ignored); !ignored) place_ = real.string();
  const std::filesystem::path target(place_);
  std::string pattern =
      (target.parent_path() / ("." + target.filename().string() + ".XXXXXX")).string();
  fd_ = ::mkostemp(pattern.data(), O_CLOEXEC);
  if (fd_ < 0) {
    fail(errno);
    return;
  }
  temporary_ = pattern;
  if (mode == 0) {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    mode = 0666U & ~mask;
  }
  if (::fchmod(fd_, mode) != 0) fail(errno);
}

AtomicFile::~AtomicFile() {
  unmap();
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(int number) {
  if (error_.empty()) error_ = systemMessage(number);
}

void AtomicFile::write(std::string_view text) {
  if (text.size() >= kBuffer) {
    flush();
    put(text);
    return;
  }
  buffer_.append(text);
  if (buffer_.size() >= kBuffer) flush();
}

void AtomicFile::flush() {
  put(buffer_);
  buffer_.clear();
}

void AtomicFile::put(std::string_view text) {
  if (!error_.empty() || text.empty()) return;
  const IgnoreFileSizeSignal guard;
  while (!text.empty()) {
    const ssize_t put = ::write(fd_, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      fail(errno);
      break;
    }
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

std::string_view AtomicFile::readBack() {
  flush();
  unmap();
  if (!error_.empty() || temporary_.empty()) return {};
  // Mapped, since a manifest may be large: nobody else knows the file yet.
  const int fd = ::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info{};
  if (fd < 0 || ::fstat(fd, &info) != 0) {
    fail(errno);
  } else if (info.st_size != 0) {
    mappedSize_ = static_cast<std::size_t>(info.st_size);
    mapped_ = ::mmap(nullptr, mappedSize_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (mapped_ == MAP_FAILED) {
      mapped_ = nullptr;
      fail(errno);
    }
  }
  if (fd >= 0) ::close(fd);
  if (mapped_ == nullptr) return {};
  return {static_cast<const char*>(mapped_), mappedSize_};
}

void AtomicFile::unmap() {
  if (mapped_ != nullptr) ::munmap(mapped_, mappedSize_);
  mapped_ = nullptr;
}

bool AtomicFile::commit() {
  flush();
  unmap();
  if (!error_.empty()) return false;
  if (temporary_.empty()) {
    const int closed = ::close(fd_);
    fd_ = -1;
    if (closed != 0) fail(errno);
    return error_.empty();
  }
  if (::fsync(fd_) != 0) fail(errno);
  const int closed = ::close(fd_);
  fd_ = -1;
  if (closed != 0) fail(errno);
  if (!error_.empty()) return false;
  if (::rename(temporary_.c_str(), place_.c_str()) != 0) {
    fail(errno);
    return false;
  }
  temporary_.clear();
  return true;
}

std::string writeFile(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  return file.commit() ? std::string() : file.error();
}

}  // namespace couler::driver

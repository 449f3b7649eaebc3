#include "driver/scratch.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "driver/files.h"

namespace couler::driver {

Scratch::Scratch(const std::string& base) {
  const char* usual = std::getenv("TMPDIR");
  if (usual == nullptr || *usual == '\0') usual = "/tmp";
  for (const std::string& folder : {base, std::string(usual)}) {
    if (folder.empty()) continue;
    path_ = folder + "/couler-XXXXXX";
    if (::mkdtemp(path_.data()) != nullptr) return;
  }
  path_.clear();
}

Scratch::~Scratch() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

std::string Scratch::standardInput(std::string& why) const {
  if (path_.empty()) {
    why = "there is no folder for temporary files";
    return {};
  }
  const std::string path = path_ + "/standard input";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool ok = fd >= 0;
  std::vector<char> buffer(std::size_t{1} << 20);
  while (ok) {
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    ok = got > 0;
    for (ssize_t done = 0; ok && done < got;) {
      const ssize_t put =
          ::write(fd, buffer.data() + done, static_cast<std::size_t>(got - done));
      if (put < 0 && errno == EINTR) continue;
      ok = put >= 0;
      done += put;
    }
  }
  if (!ok) why = "standard input: " + systemMessage(errno);
  if (fd >= 0) ::close(fd);
  return ok ? path : std::string();
}

}  // namespace couler::driver

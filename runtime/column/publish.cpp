#include "runtime/column/publish.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

namespace couler::column {

std::string partOf(const std::string& path) { return fmt::format("{}.part-{}", path, ::getpid()); }

std::optional<StreamError> publish(const std::string& path) {
  const std::string part = partOf(path);
  if (::renameat2(AT_FDCWD, part.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
    return std::nullopt;
  }
  if (errno == EINVAL || errno == ENOSYS) {  // not every file system knows that
    if (::access(path.c_str(), F_OK) == 0) {
      errno = EEXIST;
    } else if (::rename(part.c_str(), path.c_str()) == 0) {
      return std::nullopt;
    }
  }
  return StreamError{fmt::format("{}: cannot be created: {}", path, std::strerror(errno))};
}

}  // namespace couler::column

#include "runtime/store/objects.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace couler::runtime {
namespace {

const timespec kObjectTimes[2] = {{kObjectTime, 0}, {kObjectTime, 0}};

bool untouched(const struct stat& info) {
  return info.st_mtim.tv_sec == kObjectTime && info.st_mtim.tv_nsec == 0;
}

/// Makes what a step wrote read-only and gives it the objects' time.
int seal(const std::string& path, const struct stat& info) {
  const mode_t mode = (info.st_mode & S_IXUSR) != 0 ? 0555 : 0444;
  if ((info.st_mode & 07777) != mode && chmod(path.c_str(), mode) != 0) return errno;
  return utimensat(AT_FDCWD, path.c_str(), kObjectTimes, 0) != 0 ? errno : 0;
}

/// Another name of the same content in `home`, untouched since it was stored; empty if none.
std::string twin(const std::string& home, const struct stat& wanted) {
  std::string found;
  DIR* dir = opendir(home.c_str());
  if (dir == nullptr) return found;
  while (const dirent* entry = readdir(dir)) {
    struct stat info{};
    const std::string path = home + '/' + entry->d_name;
    if (lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && untouched(info) &&
        info.st_size == wanted.st_size && (info.st_mode & S_IXUSR) == (wanted.st_mode & S_IXUSR)) {
      found = path;
      break;
    }
  }
  closedir(dir);
  return found;
}

/// Whether nothing in a stored folder was written to, added or removed, by times and sizes alone.
bool untouchedTree(const std::string& path, std::uint64_t bytes) {
  std::uint64_t seen = 0;
  std::vector<std::string> folders{path};
  while (!folders.empty()) {
    const std::string folder = std::move(folders.back());
    folders.pop_back();
    struct stat info{};
    if (lstat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || !untouched(info))
      return false;
    DIR* dir = opendir(folder.c_str());
    if (dir == nullptr) return false;
    bool good = true;
    while (const dirent* entry = readdir(dir)) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      const std::string full = folder + '/' + entry->d_name;
      if (lstat(full.c_str(), &info) != 0) {
        good = false;
      } else if (S_ISDIR(info.st_mode)) {
        folders.push_back(full);
      } else if (S_ISREG(info.st_mode)) {
        good = good && untouched(info);
        seen += static_cast<std::uint64_t>(info.st_size);
      }
    }
    closedir(dir);
    if (!good) return false;
  }
  return seen == bytes;
}

}  // namespace

Objects::Objects(std::string folder)
    : folder_(std::move(folder)), root_(open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}

std::string Objects::absolute(std::string_view path) const {
  std::string result;
  result.reserve(folder_.size() + 1 + path.size());
  result.append(folder_).append(1, '/').append(path);
  return result;
}

std::string_view Objects::relative(std::string_view path) const {
  const bool within = path.starts_with(folder_) && path.substr(folder_.size()).starts_with('/');
  return within ? path.substr(folder_.size() + 1) : std::string_view();
}

std::string Objects::digestOf(std::string_view path) {
  if (path.size() < 66 || path[2] != '/' || path[65] != '/') return {};
  std::string hex;
  hex.reserve(64);
  hex.append(path.substr(0, 2)).append(path.substr(3, 62));
  const bool good = std::all_of(hex.begin(), hex.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  return good ? hex : std::string();
}

int Objects::makeHome(const Digest& digest, std::string& home, bool& existed) const {
  const std::string hex = digest.hex();
  home = folder_ + '/' + hex.substr(0, 2) + '/' + hex.substr(2);
  existed = false;
  if (mkdir(home.c_str(), 0777) == 0) return 0;
  if (errno == ENOENT) return makeFolders(home);
  if (errno != EEXIST) return errno;
  existed = true;
  return 0;
}

std::variant<Object, FileError> Objects::publish(const std::string& from, bool isDir,
                                                 std::string_view name) const {
  return isDir ? publishFolder(from, name) : publishFile(from, name);
}

std::variant<Object, FileError> Objects::publishFile(std::string from,
                                                     std::string_view name) const {
  struct stat info{};
  if (lstat(from.c_str(), &info) != 0) return fileError(errno, "read", from);
  const bool others = S_ISLNK(info.st_mode) || info.st_nlink > 1;
  if (S_ISLNK(info.st_mode) && stat(from.c_str(), &info) != 0) {
    return fileError(errno, "follow the link", from);
  }
  if (!S_ISREG(info.st_mode)) {
    return FileError{EINVAL, fmt::format("`{}` is not a regular file", from)};
  }
  if (others) {
    std::string copy = from + ".couler-copy";
    if (const int code = copyFile(from, copy)) return fileError(code, "copy", from);
    unlink(from.c_str());
    from = std::move(copy);
  }
  const auto hashed = hashFile(from);
  if (const auto* error = std::get_if<FileError>(&hashed)) return *error;
  const Digest digest = std::get<Digest>(hashed);
  std::string home;
  bool existed = false;
  if (const int code = makeHome(digest, home, existed)) return fileError(code, "make", home);
  const std::string to = home + '/' + std::string(name);
  Object object{to.substr(folder_.size() + 1), digest, static_cast<std::uint64_t>(info.st_size),
                false};
  if (existed) {
    if (check(object.path, object.bytes, false, false) == ObjectState::Good) {
      struct stat there{};
      if (stat(to.c_str(), &there) == 0 && (there.st_mode & S_IXUSR) == (info.st_mode & S_IXUSR)) {
        unlink(from.c_str());
        return object;
      }
    }
    // The same bytes under another name are kept once. The bytes of that name are read first:
    // they may be the corrupted ones.
    const std::string same = twin(home, info);
    if (!same.empty() && same != to) {
      const auto again = hashFile(same);
      const Digest* good = std::get_if<Digest>(&again);
      unlink(to.c_str());
      if (good != nullptr && *good == digest && link(same.c_str(), to.c_str()) == 0) {
        unlink(from.c_str());
        return object;
      }
    }
  }
  if (const int code = seal(from, info)) return fileError(code, "store", from);
  if (rename(from.c_str(), to.c_str()) != 0) return fileError(errno, "store", to);
  return object;
}

std::variant<Object, FileError> Objects::publishFolder(const std::string& from,
                                                       std::string_view name) const {
  struct stat info{};
  if (lstat(from.c_str(), &info) != 0) return fileError(errno, "read", from);
  if (!S_ISDIR(info.st_mode)) return FileError{ENOTDIR, fmt::format("`{}` is not a folder", from)};
  // Files that have another name elsewhere get bytes of their own before they are sealed.
  auto hashed = hashTree(from);
  if (auto* error = std::get_if<FileError>(&hashed)) return std::move(*error);
  const Tree& tree = std::get<Tree>(hashed);
  for (const TreeEntry& entry : tree.entries) {
    if (entry.kind != TreeEntry::Kind::File && entry.kind != TreeEntry::Kind::Program) continue;
    const std::string path = from + '/' + entry.path;
    struct stat file{};
    if (stat(path.c_str(), &file) != 0) return fileError(errno, "read", path);
    if (file.st_nlink > 1) {
      const std::string copy = path + ".couler-copy";
      if (const int code = copyFile(path, copy)) return fileError(code, "copy", path);
      if (rename(copy.c_str(), path.c_str()) != 0) return fileError(errno, "store", path);
    }
    if (const int code = seal(path, file)) return fileError(code, "store", path);
  }
  for (const TreeEntry& entry : tree.entries) {
    if (entry.kind != TreeEntry::Kind::Folder) continue;
    utimensat(AT_FDCWD, (from + '/' + entry.path).c_str(), kObjectTimes, 0);
  }
  std::string home;
  bool existed = false;
  if (const int code = makeHome(tree.digest, home, existed)) return fileError(code, "make", home);
  const std::string to = home + '/' + std::string(name);
  Object object{to.substr(folder_.size() + 1), tree.digest, tree.bytes, true};
  if (existed && check(object.path, object.bytes, true, true) == ObjectState::Good) {
    removeTree(from);
    return object;
  }
  if (rename(from.c_str(), to.c_str()) != 0) {
    if (errno != ENOTEMPTY && errno != EEXIST) return fileError(errno, "store", to);
    // A changed folder stands there: out of the way first. Who reads it keeps its open files.
    const std::string aside = from + ".couler-old";
    if (rename(to.c_str(), aside.c_str()) != 0 || rename(from.c_str(), to.c_str()) != 0) {
      return fileError(errno, "store", to);
    }
    removeTree(aside);
  }
  utimensat(AT_FDCWD, to.c_str(), kObjectTimes, 0);
  return object;
}

ObjectState Objects::check(const std::string& path, std::uint64_t bytes, bool isDir,
                           bool thorough) const {
  struct stat info{};
  const int found = root_.valid()
                        ? fstatat(root_.get(), path.c_str(), &info, AT_SYMLINK_NOFOLLOW)
                        : lstat(absolute(path).c_str(), &info);
  if (found != 0) return ObjectState::Missing;
  if (isDir != S_ISDIR(info.st_mode) || (!isDir && !S_ISREG(info.st_mode))) {
    return ObjectState::Changed;
  }
  if (!isDir && static_cast<std::uint64_t>(info.st_size) != bytes) return ObjectState::Changed;
  if (!thorough && !isDir && untouched(info)) return ObjectState::Good;
  const std::string full = absolute(path);
  if (!thorough && isDir && untouchedTree(full, bytes)) return ObjectState::Good;
  const std::string wanted = digestOf(path);
  if (isDir) {
    const auto tree = hashTree(full);
    const Tree* listed = std::get_if<Tree>(&tree);
    return listed != nullptr && listed->digest.hex() == wanted ? ObjectState::Good
                                                               : ObjectState::Changed;
  }
  const auto digest = hashFile(full);
  const Digest* read = std::get_if<Digest>(&digest);
  if (read == nullptr || read->hex() != wanted) return ObjectState::Changed;
  utimensat(AT_FDCWD, full.c_str(), kObjectTimes, 0);  // good after all: quick the next time
  return ObjectState::Good;
}

}  // namespace couler::runtime

#include "runtime/store/files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sendfile.h>
#include <unistd.h>

namespace couler::runtime {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;

/// Names in a folder but `.` and `..`, sorted bytewise.
int listFolder(const std::string& path, std::vector<std::string>& names) {
  DIR* dir = opendir(path.c_str());
  if (dir == nullptr) return errno;
  for (errno = 0; const dirent* entry = readdir(dir); errno = 0) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  const int code = errno;
  closedir(dir);
  std::sort(names.begin(), names.end());
  return code;
}

std::string readLink(const std::string& path, const struct stat& info) {
  std::string target(static_cast<std::size_t>(std::max<off_t>(info.st_size, 4096)) + 1, '\0');
  const ssize_t length = readlink(path.c_str(), target.data(), target.size());
  target.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
  return target;
}

}  // namespace

FileError fileError(int code, std::string_view doing, std::string_view path) {
  return {code, fmt::format("cannot {} `{}`: {}", doing, path,
                            std::error_code(code, std::generic_category()).message())};
}

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

std::int64_t mtimeNanos(const struct stat& info) {
  return info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
}

std::variant<Digest, FileError> hashFile(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid()) return fileError(errno, "read", path);
  Hasher hasher;
  char small[16384];  // most outputs fit: no allocation for them
  std::unique_ptr<char[]> large;
  char* buffer = small;
  std::size_t capacity = sizeof small;
  while (true) {
    const ssize_t got = read(fd.get(), buffer, capacity);
    if (got < 0) {
      if (errno == EINTR) continue;
      return fileError(errno, "read", path);
    }
    if (got == 0) return hasher.finish();
    hasher.update({buffer, static_cast<std::size_t>(got)});
    if (static_cast<std::size_t>(got) == capacity && !large) {
      large = std::make_unique<char[]>(kChunk);
      buffer = large.get();
      capacity = kChunk;
    }
  }
}

std::variant<Tree, FileError> hashTree(const std::string& path) {
  Tree tree;
  std::vector<std::string> open{""};  // relative folders still to list
  while (!open.empty()) {
    const std::string folder = std::move(open.back());
    open.pop_back();
    const std::string absolute = folder.empty() ? path : path + '/' + folder;
    std::vector<std::string> names;
    if (const int code = listFolder(absolute, names)) return fileError(code, "list", absolute);
    for (const std::string& name : names) {
      TreeEntry entry;
      entry.path = folder.empty() ? name : folder + '/' + name;
      const std::string full = path + '/' + entry.path;
      struct stat info{};
      if (lstat(full.c_str(), &info) != 0) return fileError(errno, "read", full);
      if (S_ISDIR(info.st_mode)) {
        entry.kind = TreeEntry::Kind::Folder;
        open.push_back(entry.path);
      } else if (S_ISLNK(info.st_mode)) {
        entry.kind = TreeEntry::Kind::Link;
        entry.target = readLink(full, info);
      } else if (S_ISREG(info.st_mode)) {
        const bool program = (info.st_mode & S_IXUSR) != 0;
        entry.kind = program ? TreeEntry::Kind::Program : TreeEntry::Kind::File;
        auto digest = hashFile(full);
        if (auto* error = std::get_if<FileError>(&digest)) return std::move(*error);
        entry.digest = std::get<Digest>(digest);
        entry.size = static_cast<std::uint64_t>(info.st_size);
        tree.bytes += entry.size;
      } else {
        return FileError{EINVAL, fmt::format("`{}` is neither a file, a folder nor a link", full)};
      }
      tree.entries.push_back(std::move(entry));
    }
  }
  std::sort(tree.entries.begin(), tree.entries.end(),
            [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; });
  Hasher hasher;
  hasher.field("couler tree 1");
  for (const TreeEntry& entry : tree.entries) {
    hasher.field(static_cast<std::uint64_t>(entry.kind));
    hasher.field(entry.path);
    hasher.field(entry.kind == TreeEntry::Kind::Link ? entry.target : entry.digest.hex());
  }
  tree.digest = hasher.finish();
  return tree;
}

std::uint64_t bytesIn(const std::string& folder) {
  std::uint64_t bytes = 0;
  std::vector<std::string> open{folder};
  while (!open.empty()) {
    const std::string at = std::move(open.back());
    open.pop_back();
    std::vector<std::string> names;
    listFolder(at, names);
    for (const std::string& name : names) {
      std::string full = at + '/' + name;
      struct stat info{};
      if (lstat(full.c_str(), &info) != 0) continue;
      if (S_ISDIR(info.st_mode)) {
        open.push_back(std::move(full));
      } else if (S_ISREG(info.st_mode)) {
        bytes += static_cast<std::uint64_t>(info.st_size);
      }
    }
  }
  return bytes;
}

std::variant<std::string, FileError> readFile(const std::string& path, std::uint64_t limit) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid()) return fileError(errno, "read", path);
  std::string text;
  char buffer[16384];
  while (true) {
    const ssize_t got = read(fd.get(), buffer, sizeof buffer);
    if (got < 0) {
      if (errno == EINTR) continue;
      return fileError(errno, "read", path);
    }
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > limit) {
      return FileError{EFBIG, fmt::format("`{}` is larger than {} bytes", path, limit)};
    }
  }
}

int copyFile(const std::string& from, const std::string& to) {
  const Fd in(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in.valid()) return errno;
  struct stat info{};
  if (fstat(in.get(), &info) != 0) return errno;
  const mode_t mode = (info.st_mode & S_IXUSR) != 0 ? 0755 : 0644;
  const Fd out(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!out.valid()) return errno;
  while (true) {
    const ssize_t sent = sendfile(out.get(), in.get(), nullptr, kChunk);
    if (sent == 0) return 0;
    if (sent < 0 && errno != EINTR) return errno;
  }
}

void removeTree(const std::string& path) {
  if (unlink(path.c_str()) == 0 || (errno != EISDIR && errno != EPERM)) return;
  // Folders in the order found; removed in reverse, so children go before parents.
  std::vector<std::string> folders{path};
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const std::string folder = folders[i];
    std::vector<std::string> names;
    int code = listFolder(folder, names);
    if (code == EACCES && chmod(folder.c_str(), 0700) == 0) code = listFolder(folder, names);
    for (const std::string& name : names) {
      std::string full = folder + '/' + name;
      if (unlink(full.c_str()) == 0) continue;
      if (errno == EACCES) {  // the folder itself was made read-only
        chmod(folder.c_str(), 0700);
        if (unlink(full.c_str()) == 0) continue;
      }
      if (errno == EISDIR || errno == EPERM) folders.push_back(std::move(full));
    }
  }
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) rmdir(folder->c_str());
}

int makeFolders(const std::string& path) {
  if (mkdir(path.c_str(), 0777) == 0) return 0;
  if (errno != ENOENT) {
    struct stat info{};
    const int code = errno;
    return code == EEXIST && stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) ? 0 : code;
  }
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (mkdir(part.c_str(), 0777) != 0 && errno != EEXIST) return errno;
  }
  if (mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) return errno;
  return 0;
}

std::string_view baseName(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos || path.size() == 1 ? path : path.substr(slash + 1);
}

std::string absolutePath(std::string_view path) {
  std::error_code ignored;
  std::string result =
      std::filesystem::absolute(std::filesystem::path(path), ignored).lexically_normal().string();
  while (result.size() > 1 && result.back() == '/') result.pop_back();
  return result;
}

std::string fileNameOf(const std::string& step) {
  constexpr std::size_t kLongest = 180;
  std::string name = step;
  const auto odd = [](char c) { return c == '/' || c == '\0'; };
  if (name.size() > kLongest || std::any_of(name.begin(), name.end(), odd)) {
    // What was lost comes back as a hash, so that two names stay two.
    const std::string hash = hashText(step).hex().substr(0, 16);
    std::replace_if(name.begin(), name.end(), odd, '_');
    name = name.substr(0, kLongest) + '~' + hash;
  }
  return name;
}

}  // namespace couler::runtime

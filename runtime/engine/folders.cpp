#include "runtime/engine/folders.h"

#include <cerrno>
#include <cstdio>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace couler::runtime {
namespace {

constexpr std::size_t kMostSpare = 64;

}  // namespace

std::variant<std::string, FileError> Folders::make(const std::string& step, bool again) {
  std::string folder = parent_ + '/' + fileNameOf(step);
  for (int i = 2;; ++i) {
    int code = place(folder);
    if (code == ENOENT && makeFolders(parent_) == 0) code = place(folder);
    if (code == 0) return folder;
    if (code != EEXIST) return fileError(code, "make", folder);
    if (again && i == 2) {
      removeTree(folder);
    } else {
      folder = fmt::format("{}/{}~{}", parent_, fileNameOf(step), i);
    }
  }
}

int Folders::place(const std::string& folder) {
  if (!spare_.empty()) {
    const std::string spare = std::move(spare_.back());
    spare_.pop_back();
    // Never onto another folder: one that is empty would be replaced, and a step may run in it.
    if (renameat2(AT_FDCWD, spare.c_str(), AT_FDCWD, folder.c_str(), RENAME_NOREPLACE) == 0) {
      return 0;
    }
    rmdir(spare.c_str());
  }
  if (mkdir(folder.c_str(), 0777) != 0) return errno;
  struct stat info{};
  if (!known_ && stat(folder.c_str(), &info) == 0) {
    known_ = true;
    mode_ = info.st_mode;
    size_ = info.st_size;
  }
  return 0;
}

bool Folders::cleared(const std::string& folder) const {
  struct stat info{};
  if (!known_ || lstat(folder.c_str(), &info) != 0 || info.st_mode != mode_ ||
      info.st_size != size_) {
    return false;
  }
  DIR* dir = opendir(folder.c_str());
  if (dir == nullptr) return false;
  bool empty = true;
  while (const dirent* entry = readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    // The values of outputs, which have been read.
    empty = empty && name.starts_with(".couler-") && unlinkat(dirfd(dir), entry->d_name, 0) == 0;
  }
  closedir(dir);
  return empty;
}

void Folders::done(const std::string& folder, bool reusable) {
  if (reusable && spare_.size() < kMostSpare && cleared(folder)) {
    spare_.push_back(folder);
  } else {
    removeTree(folder);
  }
}

void Folders::clear() {
  for (const std::string& folder : spare_) rmdir(folder.c_str());
  spare_.clear();
}

}  // namespace couler::runtime

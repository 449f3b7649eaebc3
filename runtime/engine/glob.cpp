#include <algorithm>
#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "runtime/engine/executor.h"
#include "runtime/store/files.h"

namespace couler::runtime {
namespace {

constexpr std::size_t kMostFiles = 1'000'000;

bool isPattern(const std::string& part) { return part.find_first_of("*?[") != std::string::npos; }

std::string joined(const std::string& folder, const std::string& name) {
  if (folder.empty()) return name;
  return folder.back() == '/' ? folder + name : folder + '/' + name;
}

bool isFolder(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::vector<std::string> namesIn(const std::string& folder) {
  std::vector<std::string> names;
  DIR* dir = opendir(folder.empty() ? "." : folder.c_str());
  if (dir == nullptr) return names;
  while (const dirent* entry = readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  closedir(dir);
  return names;
}

/// `folder` and all folders below that are not hidden and not reached by a link.
void addFoldersBelow(const std::string& folder, std::set<std::string>& into) {
  std::vector<std::string> open{folder};
  while (!open.empty()) {
    const std::string at = std::move(open.back());
    open.pop_back();
    if (!into.insert(at).second) continue;
    for (const std::string& name : namesIn(at)) {
      struct stat info{};
      const std::string path = joined(at, name);
      if (name[0] != '.' && lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
        open.push_back(path);
      }
    }
  }
}

}  // namespace

ir::EvalResult globFiles(const std::string& pattern, const std::string& folder, Span at) {
  if (pattern.empty()) return ir::EvalError{"`glob` was given an empty pattern", at};
  std::vector<std::string> parts;
  for (std::size_t from = 0; from <= pattern.size();) {
    const std::size_t slash = std::min(pattern.find('/', from), pattern.size());
    if (slash > from) parts.push_back(pattern.substr(from, slash - from));
    from = slash + 1;
  }
  std::set<std::string> found{pattern[0] == '/' ? "/" : folder};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    std::set<std::string> next;
    for (const std::string& path : found) {
      if (parts[i] == "**") {
        addFoldersBelow(path, next);
        continue;
      }
      if (!isPattern(parts[i])) {
        std::string candidate = joined(path, parts[i]);
        struct stat info{};
        if (lstat(candidate.c_str(), &info) == 0) next.insert(std::move(candidate));
        continue;
      }
      for (const std::string& name : namesIn(path)) {
        if (fnmatch(parts[i].c_str(), name.c_str(), FNM_PERIOD) != 0) continue;
        std::string candidate = joined(path, name);
        if (last || isFolder(candidate)) next.insert(std::move(candidate));
      }
      if (next.size() > kMostFiles) {
        return ir::EvalError{"`glob` matches more than a million files", at};
      }
    }
    found = std::move(next);
  }
  // A pattern that ends in `**` means the files at any depth.
  if (!parts.empty() && parts.back() == "**") {
    std::set<std::string> next;
    for (const std::string& path : found) {
      for (const std::string& name : namesIn(path)) {
        if (name[0] != '.') next.insert(joined(path, name));
      }
    }
    found = std::move(next);
  }
  std::vector<std::string> paths;
  for (const std::string& path : found) {
    struct stat info{};
    if (stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode))
      paths.push_back(absolutePath(path));
  }
  std::sort(paths.begin(), paths.end());
  ir::ListItems items;
  for (std::string& path : paths) items.emplace_back(ir::FileRef{std::move(path), "", false});
  return ir::Value::list(std::move(items));
}

}  // namespace couler::runtime

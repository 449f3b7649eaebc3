#include "driver/playground/project.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace couler::driver {

namespace fs = std::filesystem;

std::vector<std::string> programsOf(const Project& project) {
  constexpr std::size_t kMost = 2000;
  constexpr int kDeepest = 8;
  std::vector<std::string> names;
  std::error_code failed;
  fs::recursive_directory_iterator at(project.folder, fs::directory_options::skip_permission_denied,
                                      failed);
  for (; !failed && at != fs::recursive_directory_iterator() && names.size() < kMost;
       at.increment(failed)) {
    const fs::path& path = at->path();
    const std::string name = path.filename().string();
    std::error_code ignored;
    if (at->is_directory(ignored)) {
      const bool passed = name.starts_with('.') || name == "node_modules";
      if (passed || !project.below || at.depth() >= kDeepest) at.disable_recursion_pending();
    } else if ((path.extension() == ".cwl" || path.extension() == ".couler") &&
               at->is_regular_file(ignored)) {
      names.push_back(path.lexically_relative(project.folder).string());
    }
  }
  std::sort(names.begin(), names.end());
  if (!project.first.empty()) {  // also where its name ends in something else
    std::erase(names, project.first);
    names.insert(names.begin(), project.first);
  }
  return names;
}

}  // namespace couler::driver

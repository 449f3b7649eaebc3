#pragma once

#include <string>
#include <variant>
#include <vector>

#include <sys/types.h>

#include "runtime/store/files.h"

namespace couler::runtime {

/// The private folders that steps run in, below work/<run>/. One that a step left empty is used
/// again under the next step's name: removing a folder takes some file systems milliseconds.
class Folders {
 public:
  explicit Folders(std::string parent) : parent_(std::move(parent)) {}
  ~Folders() { clear(); }
  Folders(const Folders&) = delete;
  Folders& operator=(const Folders&) = delete;

  /// An empty folder for a step, made with its parents. `again`: what an earlier attempt left under
  /// its name goes.
  [[nodiscard]] std::variant<std::string, FileError> make(const std::string& step, bool again);
  /// Takes back the folder of a step that has succeeded. `reusable`: as long as it is as it was
  /// made.
  void done(const std::string& folder, bool reusable);
  /// Removes those kept for later steps.
  void clear();

 private:
  /// Gives `folder` the name of a spare one or makes it; an error number.
  int place(const std::string& folder);
  /// Removes what the engine itself had put there; whether the folder is as it was made.
  [[nodiscard]] bool cleared(const std::string& folder) const;

  std::string parent_;
  std::vector<std::string> spare_;
  bool known_ = false;  // what a new folder looks like:
  mode_t mode_ = 0;
  off_t size_ = 0;
};

}  // namespace couler::runtime

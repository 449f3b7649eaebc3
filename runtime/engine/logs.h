#pragma once

#include <string>
#include <vector>

#include "runtime/store/files.h"

namespace couler::runtime {

/// Where one step's output goes. It has no name, and so costs nothing, until there is something in
/// it.
struct Log {
  Fd file;
  std::string path;  ///< where it goes when there is something in it
  bool named = false;
};

/// Logs of one run, logs/<run>/<step>.log.
class Logs {
 public:
  explicit Logs(std::string folder) : folder_(std::move(folder)) {}

  /// 0 or an error number.
  [[nodiscard]] int open(const std::string& step, Log& log);
  /// Gives the log its name if anything is in it. True when it has one now.
  bool show(Log& log);
  /// Ends it; an empty one's file is used again.
  bool close(Log& log);
  /// Its last bytes.
  [[nodiscard]] static std::string tail(const Log& log, std::size_t bytes);

 private:
  bool makeFolder();
  std::string folder_;
  bool made_ = false;
  bool nameless_ = true;  // until the file system says it cannot
  std::vector<Fd> spare_;
};

}  // namespace couler::runtime

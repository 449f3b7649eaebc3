#pragma once

#include <string>

namespace couler::driver {

/// A folder of our own for what does not fit in memory; removed with all in it.
class Scratch {
 public:
  /// In `base`; where that cannot be, and where it is empty, in $TMPDIR or /tmp.
  explicit Scratch(const std::string& base = {});
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  /// Empty: there is none.
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Standard input, copied to a file there: readers of tables go over a file more than once.
  /// Empty on an error, which `why` then tells.
  [[nodiscard]] std::string standardInput(std::string& why) const;

 private:
  std::string path_;
};

}  // namespace couler::driver

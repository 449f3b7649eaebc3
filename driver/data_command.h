#pragma once

#include <string>

#include "driver/command.h"
#include "driver/scratch.h"

/// What the commands over data files share.
namespace couler::driver {

/// Ends the command: a table cannot be read or made.
[[nodiscard]] int refuseData(const Invocation& invocation, const std::string& why);
/// To `-o`, or standard output. Gives `code`, or that of a failure.
[[nodiscard]] int deliver(const Invocation& invocation, const std::string& text, int code);

/// A file that the command line names; `-` is standard input, which is copied.
class DataFile {
 public:
  explicit DataFile(const std::string& word);
  /// Why there is no such file to read; empty: there may be.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// As messages call it.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// A message about `path` as one about `name`.
  [[nodiscard]] std::string about(std::string message) const;

 private:
  Scratch scratch_;
  std::string path_;
  std::string name_;
  std::string problem_;
};

}  // namespace couler::driver

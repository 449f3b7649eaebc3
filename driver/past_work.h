#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "driver/command.h"

namespace couler::driver {

/// What a past run took and saved, for `plan --after`.
class PastWork {
 public:
  /// Of the run that `--after` names. On any problem it is printed and `code` says what the command
  /// ends with.
  static std::optional<PastWork> find(const Invocation& invocation, const std::string& storeDir,
                                      int& code);
  /// `[run 7: took 3.0 s]`
  [[nodiscard]] std::string of(std::string_view step) const;
  /// `[run 7: 2 of 19 parts ran in 0.9 s, the others saved 7.4 s]`, of the steps `parts`.0 and so
  /// on.
  [[nodiscard]] std::string ofParts(std::string_view parts) const;
  /// A line about the whole run.
  [[nodiscard]] std::string summary() const;

 private:
  struct Step {
    bool reused = false;
    std::string status;
    double seconds = 0;  ///< that it took; reused: when it last ran; negative: not known
  };
  std::int64_t id_ = 0;
  std::map<std::string, Step, std::less<>> steps_;
};

}  // namespace couler::driver

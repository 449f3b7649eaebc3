#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace couler::driver {

/// What a program of the PATH printed, given `input` on its standard input.
struct FilterResult {
  int exitCode = 0;
  std::string out, err;
};
/// `argv` is a vector: no shell reads it. Runs in `/`, looked up in folders of the PATH with whole
/// names only, and is killed after `most`. Nothing where there is none, or it did not end by itself.
[[nodiscard]] std::optional<FilterResult> filterThrough(const std::vector<std::string>& argv,
                                                        std::string_view input,
                                                        std::chrono::milliseconds most);

}  // namespace couler::driver

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace couler::column {

/// What to say when a file has no column `name`, only `names`: the nearest, or what there is.
[[nodiscard]] std::string absentColumn(std::string_view name,
                                       const std::vector<std::string>& names);

}  // namespace couler::column

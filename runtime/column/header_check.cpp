#include "runtime/column/header_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "support/text.h"

namespace couler::column {

std::string absentColumn(std::string_view name, const std::vector<std::string>& names) {
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  if (const auto near = nearest(name, candidates)) {
    return fmt::format("the header has no column `{}`; it has `{}`: rename one of them to match",
                       name, *near);
  }
  constexpr std::size_t kListed = 12;
  const auto listed = static_cast<std::ptrdiff_t>(std::min(kListed, names.size()));
  return fmt::format(
      "the header has no column `{}`; it has {}{}: add the column to the file or take it out of "
      "the "
      "schema",
      name, fmt::join(names.begin(), names.begin() + listed, ", "),
      names.size() > kListed ? ", …" : "");
}

}  // namespace couler::column

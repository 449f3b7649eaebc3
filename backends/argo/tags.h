#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace couler::backends::argo {

/// A variable that a tag or an expression reads: `tasks.a.outputs.parameters.x` and
/// `tasks['a'].outputs.parameters['x']` alike.
struct TagRef {
  std::string text;
  std::vector<std::string> parts;
};
struct TagScan {
  std::vector<TagRef> refs;
  std::string error;  ///< of the last bad tag; empty: none
};

/// The variables of all `{{…}}` and `{{=…}}` in `text`.
[[nodiscard]] TagScan scanTags(std::string_view text);
/// The variables of a bare expression. Functions, closures (`#`) and what is in quotes are none.
[[nodiscard]] TagScan scanExpression(std::string_view text);

}  // namespace couler::backends::argo

#pragma once

#include <string>
#include <string_view>

/// Paths as text: this layer does no I/O, so links are not followed.
namespace couler {

/// Without `.`, empty parts and, as far as they go, `..`: `./a//b/../c` is `a/c`; "" is ".".
[[nodiscard]] std::string normalPath(std::string_view path);
/// What `relative`, written in `file`, names; normalised. An absolute path stays what it is.
[[nodiscard]] std::string joinPath(std::string_view file, std::string_view relative);

}  // namespace couler

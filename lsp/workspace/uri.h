#pragma once

#include <string>
#include <string_view>

namespace couler::lsp {

/// The path of a `file:` URI, normalised (RFC 8089, percent-encoding undone); of any other URI, such
/// as `untitled:Untitled-1`, the URI itself.
[[nodiscard]] std::string pathOf(std::string_view uri);
/// The way back; bytes other than letters, digits and `-._~/` are percent-encoded.
[[nodiscard]] std::string uriOf(std::string_view path);

/// Whether a file of that name may be a program: `.cwl`, `.couler`.
[[nodiscard]] bool isProgram(std::string_view name);

}  // namespace couler::lsp

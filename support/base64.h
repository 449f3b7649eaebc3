#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace couler {

/// Base64 with padding, on one line (RFC 4648 section 4). O(bytes).
[[nodiscard]] std::string encodeBase64(std::string_view bytes);
/// The bytes again; nothing where `text` is not such base64. O(text).
[[nodiscard]] std::optional<std::string> decodeBase64(std::string_view text);

}  // namespace couler

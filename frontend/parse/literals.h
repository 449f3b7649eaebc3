#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "frontend/parse/error_log.h"

namespace couler::parse {

/// What `"""` … `"""` means, given what stands between the quotes: CRLF is LF; a first line and a
/// last line of white space only are gone; and so is the white space that all other lines begin
/// with.
[[nodiscard]] std::string dedent(std::string_view inner);

/// Resolves the escapes of string text that begins at byte `at` of the file. Reports unknown ones
/// and keeps them as they stand.
[[nodiscard]] std::string unescape(std::string_view written, std::uint32_t at, ErrorLog& log);

/// `10_000`; nothing when `_` stands wrong (`malformed`) or the value needs more than 64 bits.
struct IntLiteral {
  std::optional<std::uint64_t> value;
  bool malformed = false;
};
[[nodiscard]] IntLiteral readInt(std::string_view written);
[[nodiscard]] std::optional<double> readFloat(std::string_view written);

}  // namespace couler::parse

#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Long texts as words of a command. Linux takes no word or variable of 128 KiB or more, and some engines
/// write a word down as base64 once more.
namespace couler {

/// Longer texts are packed.
inline constexpr std::size_t kPlainText = std::size_t{32} << 10;

/// The text itself while it is short, else `zstd:` and base64 of what Zstandard (RFC 8878) makes of it. Pre: the
/// text does not begin with `zstd:`. O(text).
[[nodiscard]] std::string packedText(std::string text);
/// The text again; nothing where the word is damaged or stands for more than 1 GiB.
[[nodiscard]] std::optional<std::string> unpackedText(std::string_view word);

}  // namespace couler

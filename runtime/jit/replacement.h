#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace couler::jit {

/// A replacement that looks at one byte at a time: of each of some characters by another text, or
/// of each run of them.
struct Replacement {
  static constexpr std::size_t kMostWith = 8;

  enum Role : std::uint8_t { kStays, kReplaced, kDropped };  ///< kDropped: the rest of a character
  std::array<Role, 256> roles{};
  bool runs = false;
  std::string with;

  /// The bytes that a text of `size` may need to become another, some of them for a while.
  [[nodiscard]] std::size_t room(std::size_t size) const {
    return size * (with.size() > 1 ? with.size() : 1) + kMostWith;
  }
  /// The end of what it makes of a text. O(bytes).
  char* apply(std::string_view text, char* to) const;
};

/// `replace`: a part of one ASCII character.
[[nodiscard]] std::optional<Replacement> replacementOf(std::string_view part,
                                                       std::string_view with);
/// `replace_all`: a pattern that is a set of characters, or runs of it, where the set has all or
/// none of those beyond ASCII.
[[nodiscard]] std::optional<Replacement> replacementOfAll(std::string_view pattern,
                                                          std::string_view with);

}  // namespace couler::jit

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace couler::jit {

/// A deterministic automaton over the bytes of a text: whether a regular expression matches
/// somewhere in it. With as few states as there can be.
struct Automaton {
  static constexpr std::uint32_t kMostStates = 250;

  std::array<std::uint8_t, 256> classOf{};  ///< bytes that no state tells apart
  std::uint32_t classes = 0;
  std::uint32_t states = 0;  ///< 0 is the first
  std::vector<std::uint8_t> next;  ///< by state and class
  std::vector<bool> accepts;       ///< by state, at the end of the text
  std::vector<bool> settled;       ///< by state: no byte leads out of it

  [[nodiscard]] std::uint32_t step(std::uint32_t state, std::uint8_t byte) const {
    return next[state * classes + classOf[byte]];
  }
};

/// Nothing where the pattern has what parseRegex does not know, or takes too many states: it is then
/// RE2's. Some 10 to 100 us.
[[nodiscard]] std::optional<Automaton> automatonOf(std::string_view pattern);

/// All that it is, as text.
[[nodiscard]] std::string canonicalText(const Automaton& automaton);

}  // namespace couler::jit

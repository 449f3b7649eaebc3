#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace couler::jit {

struct Regex;

/// What some expressions are: so many bytes one after the other, each of some ranges.
struct ByteSequence {
  static constexpr std::size_t kMostTests = 16;  ///< ranges of all bytes

  using Range = std::pair<std::uint8_t, std::uint8_t>;
  std::vector<std::vector<Range>> bytes;
  bool fromStart = false;
  bool toEnd = false;
};

/// A deterministic automaton over the bytes of a text: whether a regular expression matches
/// somewhere in it. With as few states as there can be.
struct Automaton {
  static constexpr std::uint32_t kMostStates = 250;
  static constexpr std::uint32_t kShiftStates = 10;  ///< so many that a word holds a step of each

  std::array<std::uint8_t, 256> classOf{};  ///< bytes that no state tells apart
  std::uint32_t classes = 0;
  std::uint32_t states = 0;              ///< 0 is the first
  std::vector<std::uint8_t> next;        ///< by state and class
  std::vector<bool> accepts;             ///< by state, at the end of the text
  std::vector<bool> settled;             ///< by state: no byte leads out of it
  std::optional<ByteSequence> sequence;  ///< the same, if it is one

  /// Whether it takes a few cycles a text or a byte, not more.
  [[nodiscard]] bool isCheap() const { return sequence.has_value() || states <= kShiftStates; }
  [[nodiscard]] std::uint32_t step(std::uint32_t state, std::uint8_t byte) const {
    return next[state * classes + classOf[byte]];
  }
};

/// Nothing where the pattern has what parseRegex does not know, or takes too many states: it is
/// then RE2's. Some 10 to 100 us.
[[nodiscard]] std::optional<Automaton> automatonOf(std::string_view pattern);

/// The sequence of bytes that an expression is.
[[nodiscard]] std::optional<ByteSequence> sequenceOf(const Regex& regex);

/// All that it is, as text.
[[nodiscard]] std::string canonicalText(const Automaton& automaton);

}  // namespace couler::jit

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

/// Regular expressions as trees: that part of RE2's syntax
/// (https://github.com/google/re2/wiki/Syntax) whose meaning is taken over exactly. Whether
/// something matches is what a tree tells: groups are gone.
namespace couler::jit {

struct Regex {
  enum class Form : std::uint8_t { Class, Sequence, Choice, Repeat, Assert };
  enum class Place : std::uint8_t { TextStart, TextEnd, LineStart, LineEnd, WordEdge, NoWordEdge };
  using Range = std::pair<char32_t, char32_t>;

  Form form = Form::Sequence;   ///< of no parts: nothing, which matches everywhere
  std::vector<Range> ranges{};  ///< Class: sorted, apart
  std::vector<Regex> parts{};   ///< Repeat: one
  int least = 0;                ///< Repeat
  int most = -1;                ///< Repeat; -1: any number
  bool lazy = false;            ///< Repeat: may prefer fewer
  Place place{};                ///< Assert
};

/// Nothing where the pattern is malformed or has what is not known here.
[[nodiscard]] std::optional<Regex> parseRegex(std::string_view pattern);

}  // namespace couler::jit

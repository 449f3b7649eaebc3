#pragma once

#include <cstdint>
#include <vector>

#include "support/source.h"

namespace couler::parse {

/// One token: a range of bytes in the file and what it is (`CoulerLexer::…`). No text, no ANTLR.
struct Tok {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint16_t type = 0;
  bool newline = false;   ///< a line ends between the token before and this one
  bool repaired = false;  ///< stands for something else or nothing; the reason has been reported
};

/// End of a slice; ANTLR's own end mark does not fit in `Tok::type`.
constexpr std::uint16_t kEndOfSlice = 0xffff;

/// The doc comment lines before a token: `tokens[before]` is what they describe.
struct DocRun {
  std::uint32_t before = 0;
  std::vector<Span> lines;
  bool used = false;
};

}  // namespace couler::parse

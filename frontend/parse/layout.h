#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "frontend/parse/error_log.h"
#include "frontend/parse/token.h"

namespace couler::parse {

/// The tokens of one top-level declaration, ready for the grammar. Ends in `kEndOfSlice`.
struct Slice {
  std::vector<Tok> tokens;
  std::vector<DocRun> docs;
  bool isDeclaration = false;  ///< false: begins with nothing that could declare anything
};

/// Turns the raw tokens of one declaration into what the grammar reads (grammar/README.md):
/// newlines and `;` that end something become `Term`, words get their meaning from their place,
/// brackets are made to match, and slips from other languages are reported and put right, so that
/// one slip costs one message. O(tokens).
[[nodiscard]] Slice layOut(std::vector<Tok> raw, ErrorLog& log);

/// Whether `first`, at the start of a line, begins a declaration. Inside brackets (`strict`) more
/// evidence is asked for, since the words are no reserved ones.
[[nodiscard]] bool beginsDeclaration(const Tok& first, const Tok& second, const Tok& third,
                                     std::string_view text, bool strict);

/// Whether a token at the start of a line outside all brackets goes on with what stands before it.
[[nodiscard]] bool continuesDeclaration(const Tok& before, const Tok& tok, std::string_view text);

}  // namespace couler::parse

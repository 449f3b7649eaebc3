#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "frontend/syntax/tree.h"

namespace couler::lsp {

/// Pieces of a script, as far as an editor needs them: quick, of any text, however broken.
struct ScriptPiece {
  enum class Kind : std::uint8_t {
    Comment,
    String,  ///< without what it interpolates: `f"a {`, `} b"` are two, with the pieces between
    Number,
    Keyword,
    Name  ///< of a variable: no member, and no name of an argument; in sh without its `$`
  };
  Kind kind{};
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// In order of place. O(bytes). Pre: `language` is Sh or Python.
[[nodiscard]] std::vector<ScriptPiece> scanScript(syntax::RunKind language, std::string_view text);

}  // namespace couler::lsp

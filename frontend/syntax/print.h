#pragma once

#include <string>

#include "frontend/syntax/tree.h"

namespace couler::syntax {

/// The tree as text, one node a line, two spaces a level: what `--print syntax` shows and the
/// goldens hold. Names what is there and its values, no places unless asked for, so that two
/// layouts of one program print the same.
[[nodiscard]] std::string print(const Tree& tree, bool withSpans = false);

/// The operator as written: `+`, `div`, `|>`.
[[nodiscard]] std::string_view spelling(BinaryOp op);
[[nodiscard]] std::string_view kindName(ExprKind kind);
[[nodiscard]] std::string_view kindName(DeclKind kind);

}  // namespace couler::syntax

#pragma once

#include <optional>
#include <string>

#include "lsp/workspace/snapshot.h"

namespace couler::lsp {

/// A call whose parentheses are open at a place.
struct OpenCall {
  std::string callee;        ///< `train`, `text.trim`
  std::size_t argument = 0;  ///< commas before the place
  std::string name;          ///< of the argument there, if it is named
  bool atStart = false;      ///< nothing of the argument stands there yet
  std::uint32_t open = 0;    ///< offset of the parenthesis
};
/// From the text alone, so that it works while it is being typed.
[[nodiscard]] std::optional<OpenCall> openCallAt(std::string_view text, std::uint32_t offset);
/// What the callee's name means at a place; invalid: nothing of the program.
[[nodiscard]] sema::SymbolId calleeNamed(const Snapshot& snapshot, std::string_view name,
                                         std::uint32_t offset);
/// The smallest expression of the root file that holds a place; null: none does.
[[nodiscard]] const syntax::Expr* innermostAt(const Snapshot& snapshot, std::uint32_t offset);
/// All expressions of a file, parents before what is in them.
void forEachExpr(const syntax::Tree& tree, const std::function<void(const syntax::Expr&)>& visit);

}  // namespace couler::lsp

#pragma once

#include <functional>
#include <string>

#include "lsp/workspace/snapshot.h"

namespace couler::lsp {

/// A statement and the block that it stands in.
struct StatementAt {
  const syntax::Stmt* stmt = nullptr;
  const syntax::Block* block = nullptr;
  /// Of it and those around it, from the outermost: the names of their `let`s, else their numbers.
  /// What stands elsewhere may change and it stays the same.
  std::string path;
};
/// The innermost statement of a body that holds a place; a null `stmt`: none does.
[[nodiscard]] StatementAt statementAt(const syntax::Block* body, std::uint32_t at);
/// All statements of a body, those of blocks within them behind them.
void forEachStatement(const syntax::Block* body,
                      const std::function<void(const StatementAt&)>& visit);
/// Its expression; null: it has none.
[[nodiscard]] const syntax::Expr* valueOf(const syntax::Stmt& stmt);

}  // namespace couler::lsp

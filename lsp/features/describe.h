#pragma once

#include <string>

#include "lsp/workspace/snapshot.h"

namespace couler::lsp {

/// What a symbol is, in one line of the language: `task train(rate: float = 0.1) -> (model: file)`.
[[nodiscard]] std::string declarationText(const Snapshot& snapshot, sema::SymbolId symbol);
/// Its doc comment; empty: none.
[[nodiscard]] std::string docOf(const Snapshot& snapshot, sema::SymbolId symbol);
/// Whether the checker knows that type.
[[nodiscard]] bool known(const Snapshot& snapshot, ir::TypeId type);
/// Of rows, or what has rows in it: their columns, one a line; empty for all else.
[[nodiscard]] std::string schemaText(const Snapshot& snapshot, ir::TypeId type);
/// The protocol's SymbolKind.
[[nodiscard]] int symbolKindOf(sema::SymbolKind kind);
/// The same for completion items.
[[nodiscard]] int completionKindOf(sema::SymbolKind kind);
/// `(data: file, rate: float = 0.1)`.
[[nodiscard]] std::string paramsText(const Snapshot& snapshot,
                                     const std::vector<sema::FieldInfo>& fields);
/// The innermost symbols that a name at this place may mean, by scope: locals, parameters, then the
/// file's own and imported names.
[[nodiscard]] std::vector<sema::SymbolId> visibleAt(const Snapshot& snapshot, std::uint32_t offset);
/// The declaration that holds a place of the root file, or null.
[[nodiscard]] const syntax::Decl* declAt(const Snapshot& snapshot, std::uint32_t offset);

}  // namespace couler::lsp

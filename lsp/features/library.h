#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lsp/protocol/convert.h"
#include "lsp/workspace/names.h"

namespace couler::lsp {

/// A declaration that could be imported.
struct Importable {
  std::string from;  ///< as in an import: `std.text`, `"./tasks.cwl"`
  std::string name;
  std::string declaration;  ///< `fn capitalise(text: string) -> string`
  std::string doc;          ///< with where it comes from
  sema::SymbolKind kind = sema::SymbolKind::Fn;
};
/// The functions of the standard library. Made when first asked for.
[[nodiscard]] const std::vector<Importable>& libraryNames();
/// One of another program, for the file at `path`.
[[nodiscard]] Importable importable(const ExportedName& name, std::string_view path);

/// The edit that imports it: one name more in an import that is there, or an import behind the
/// others. `text` is the document as it is now, which differs from the snapshot's where something is
/// being typed.
[[nodiscard]] Json importEdit(const View& view, std::string_view text, const Importable& what);

}  // namespace couler::lsp

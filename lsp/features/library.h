#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lsp/protocol/convert.h"

namespace couler::lsp {

/// A function of the standard library.
struct LibraryName {
  std::string module, name;
  std::string declaration;  ///< `fn capitalise(text: string) -> string`
  std::string doc;          ///< with the module that it comes from
};
/// All of them. Made when first asked for.
[[nodiscard]] const std::vector<LibraryName>& libraryNames();

/// The edit that imports it: one name more in an import that is there, or an import behind the others. `text` is the document as it is now,
/// which differs from the snapshot's where something is being typed.
[[nodiscard]] Json importEdit(const View& view, std::string_view text, const LibraryName& what);

}  // namespace couler::lsp

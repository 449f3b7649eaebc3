#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frontend/sema/program.h"

namespace couler::lsp {

/// A declaration that another program may import.
struct ExportedName {
  std::string path;  ///< of its file
  std::string name;
  sema::SymbolKind kind{};
  std::string head;  ///< `task train(data: file, rate: float = 0.1) -> (model: file)`
};

/// In order of place, by the text alone, however broken; nothing of what is no program. O(bytes).
[[nodiscard]] std::vector<ExportedName> exportedNames(const std::string& path,
                                                      std::string_view text);

}  // namespace couler::lsp

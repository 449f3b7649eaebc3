#pragma once

#include <memory>
#include <vector>

#include "frontend/sema/program.h"
#include "support/diagnostic.h"

namespace couler::sema {

/// One parsed file and where its imports lead. `edges` are in the order of the ImportDecls.
struct LoadedFile {
  const syntax::Tree* tree = nullptr;
  std::vector<ImportEdge> edges;
};

/// Checks names, types, phases and secrets of the whole program; reports everything it finds and
/// goes on. `files[i]` is the file with FileId i (a null tree for one that could not be parsed).
/// O(size of the program).
[[nodiscard]] std::unique_ptr<Program> check(const SourceManager& sources,
                                             const std::vector<LoadedFile>& files, FileId root,
                                             DiagnosticSink& diags);

}  // namespace couler::sema

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frontend/sema/program.h"
#include "support/diagnostic.h"

namespace couler::sema {

/// One parsed file and where its imports lead. `edges` are in the order of the ImportDecls.
struct LoadedFile {
  const syntax::Tree* tree = nullptr;
  std::vector<ImportEdge> edges;
};

/// The first bytes of a file, at most `kMaxHeader`; nothing where it cannot be read.
using FileStart = std::function<std::optional<std::string>(const std::string& path)>;
inline constexpr std::size_t kMaxHeader = std::size_t{64} << 10;

/// Checks names, types, phases and secrets of the whole program; reports everything it finds and
/// goes on. `files[i]` is the file with FileId i (a null tree for one that could not be parsed).
/// `fileStart`, where there is one, is asked for the header of each CSV file that a `read` names by
/// a literal. O(size of the program).
[[nodiscard]] std::unique_ptr<Program> check(const SourceManager& sources,
                                             const std::vector<LoadedFile>& files, FileId root,
                                             DiagnosticSink& diags,
                                             FileStart fileStart = {});

}  // namespace couler::sema

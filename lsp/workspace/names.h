#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
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

/// The files below some folders that may be programs: at most `most`, sorted. Hidden folders and
/// `node_modules` are passed over.
[[nodiscard]] std::vector<std::string> programsBelow(const std::vector<std::string>& folders,
                                                     std::size_t most);

/// What the programs below some folders export, as they are on the disk. Reads those that changed.
class NameIndex {
 public:
  [[nodiscard]] std::vector<ExportedName> update(const std::vector<std::string>& folders);

 private:
  struct File {
    std::filesystem::file_time_type changed;
    std::uintmax_t size = 0;
    std::vector<ExportedName> names;
  };
  std::map<std::string, File> files_;
};

}  // namespace couler::lsp

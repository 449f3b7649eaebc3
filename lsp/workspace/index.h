#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/syntax/tree.h"
#include "lsp/protocol/positions.h"
#include "lsp/workspace/names.h"
#include "lsp/workspace/snapshot.h"

namespace couler::lsp {

/// The workspace at one moment: its folders and what is open.
struct Workspace {
  std::vector<std::string> roots;
  Overlay open;
  Encoding encoding = Encoding::Utf16;
};

/// Raised by another thread when an answer is not wanted any more.
using Stop = std::atomic<bool>;
struct Stopped {};

/// A state of a file on the disk: another state has another stamp. All 0: it is not there.
struct Stamp {
  std::uint64_t inode = 0;
  std::int64_t size = 0, modified = 0, changed = 0;  // times in ns
  friend auto operator<=>(const Stamp&, const Stamp&) = default;
};
[[nodiscard]] Stamp stampOf(const std::string& path);

/// What the programs of a workspace declare and import and which words stand in them, so that a
/// question about all of them reads few. A kilobyte a file. Goes by the stamps of files and so
/// needs no watcher.
class Index {
 public:
  struct Declared {
    std::string name;
    syntax::DeclKind kind;
    Range range;  ///< of the name
  };
  struct Import {
    std::string target;   ///< the path that it leads to
    std::string written;  ///< as it stands there
    Range range;
  };
  struct File {
    Stamp stamp;
    std::shared_ptr<const std::string> open;  ///< the text in the editor; null: the disk's counts
    bool listed = false;  ///< in a folder of the workspace or open; else only imported
    std::vector<Declared> declared;
    std::vector<ExportedName> exported;
    std::vector<Import> imports;
    std::vector<std::uint32_t> words;  ///< hashes, in order
  };

  /// Brings it up to date. O(files), and what has changed is parsed. Throws Stopped.
  void update(const Workspace& workspace, const Stop& stop);
  /// By path, so in a fixed order.
  [[nodiscard]] const std::map<std::string, File>& files() const { return files_; }
  /// The listed files in which a word stands (rarely one more) and which can mean by it a name that
  /// the file at `path` declares: that file, and what imports it, directly or not.
  [[nodiscard]] std::vector<std::string> mentioning(std::string_view word,
                                                    std::string_view path) const;
  /// What the listed files export.
  [[nodiscard]] std::vector<ExportedName> names() const;
  /// A number for a file with all that it imports: another when one of them is another. O(imports).
  [[nodiscard]] std::uint64_t state(const std::string& path) const;

 private:
  const File& take(const std::string& path, const Workspace& workspace, bool listed);

  std::map<std::string, File> files_;
};

}  // namespace couler::lsp

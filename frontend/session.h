#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/parse/parse.h"
#include "frontend/syntax/tree.h"
#include "ir/module.h"
#include "support/diagnostic.h"

namespace couler {

namespace sema {
struct Program;
}

/// Reads a file for the compiler: its text, or why not ("is a directory", "no such file", …). This
/// layer does no I/O of its own.
struct LoadedText {
  std::optional<std::string> text;
  std::string error;
};
using SourceLoader = std::function<LoadedText(const std::string& path)>;

/// Source file to verified graph; what the command, the server and the tests all use. One Session
/// compiles one program: a root file, or several, and what they import. Each stage goes on over errors, so all
/// mistakes of a program come out of one run; `lower` makes a module only when there were none.
class Session {
 public:
  Session(SourceLoader loader, DiagnosticSink& diags);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Parses a root file and all that it imports; called again, before `check`, one more. False when
  /// it could not be read at all (reported). Import paths are relative to the importing file.
  bool load(const std::string& rootPath);
  /// How to look at the header of a data file that the program names: the first bytes of the file
  /// at a path, at most sema::kMaxHeader (64 KiB). Without it none is looked at.
  void setFileStart(std::function<std::optional<std::string>(const std::string& path)> fileStart);
  /// Names, types, phases, secrets of every loaded file. Pre: loaded.
  const sema::Program& check();
  /// The graph of the root file's program; nothing after any error. Runs `check` if needed. `entry`
  /// names the workflow to run; empty takes the one that no other calls (CW04xx when not exactly
  /// one and `needEntry`).
  std::optional<ir::Module> lower(std::string_view entry, bool needEntry);

  [[nodiscard]] SourceManager& sources();
  [[nodiscard]] const syntax::Tree& root() const;
  [[nodiscard]] std::vector<const syntax::Tree*> trees() const;
  [[nodiscard]] const ParseStats& stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The text of a module of the standard library ("text" for `std.text`), or nothing.
[[nodiscard]] std::optional<std::string_view> stdlibText(std::string_view module);
[[nodiscard]] std::vector<std::string_view> stdlibModules();

}  // namespace couler

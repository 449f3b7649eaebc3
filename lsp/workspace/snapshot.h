#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/sema/program.h"
#include "frontend/session.h"
#include "lsp/protocol/positions.h"
#include "support/diagnostic.h"

namespace couler::lsp {

/// The texts of the open documents, by path; files that are not open are read from the disk.
using Overlay = std::map<std::string, std::shared_ptr<const std::string>, std::less<>>;

/// A place where a name stands that means a symbol.
struct Occurrence {
  Span span;
  sema::SymbolId symbol;
  bool declares = false;
};

/// One file and all that it imports, parsed and checked: what the compiler would say of it. Does not
/// change once made, so many requests of one thread may read it.
class Snapshot {
 public:
  /// `path` is read by way of `overlay`. Never fails: what is wrong is in `diagnostics`.
  Snapshot(const std::string& path, Overlay overlay, std::int64_t version);
  /// Of the first of `paths`, as many as make a program of about half a megabyte, at least one.
  /// What they import is read once for all. Their names mean what they mean in each alone;
  /// `diagnostics` are of all, and there is no `module`.
  [[nodiscard]] static std::vector<Snapshot> together(std::span<const std::string> paths,
                                                      const Overlay& overlay);
  Snapshot(Snapshot&&) = default;
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  /// The same with another text of its own.
  [[nodiscard]] Snapshot with(std::string text) const;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::int64_t version() const { return version_; }  ///< of the root document
  [[nodiscard]] bool loaded() const { return root_.valid(); }
  [[nodiscard]] double seconds() const { return work_->seconds; }  ///< that it took to make
  [[nodiscard]] const SourceManager& sources() const { return work_->session.sources(); }
  [[nodiscard]] const sema::Program& program() const { return *work_->program; }
  [[nodiscard]] const std::vector<Diagnostic>& diagnostics() const { return work_->diagnostics; }
  [[nodiscard]] FileId root() const { return root_; }
  [[nodiscard]] std::size_t files() const { return sources().count(); }
  [[nodiscard]] const syntax::Tree& tree(FileId file) const { return *program().files[file.index()].tree; }
  [[nodiscard]] std::string_view text() const { return sources().text(root()); }
  [[nodiscard]] const Lines& lines(FileId file) const { return work_->lines[file.index()]; }
  /// Whether the file is one of the standard library's, which has no place on the disk.
  [[nodiscard]] bool builtIn(FileId file) const;
  [[nodiscard]] bool reads(std::string_view path) const;

  /// All names of a file, in order of place. Made when first asked for.
  [[nodiscard]] const std::vector<Occurrence>& occurrences(FileId file) const;
  /// The name at a place: the one that holds it or ends there.
  [[nodiscard]] const Occurrence* at(FileId file, std::uint32_t offset) const;
  /// The graph, where the program has no errors; for what needs more than the checker knows.
  [[nodiscard]] const std::optional<ir::Module>& module() const { return work_->module; }

 private:
  /// What snapshots made together have in common.
  struct Work {
    explicit Work(Overlay texts);
    void check();

    Overlay overlay;
    DiagnosticList list;
    Session session;
    const sema::Program* program = nullptr;
    std::optional<ir::Module> module;
    std::vector<Diagnostic> diagnostics;
    std::vector<Lines> lines;
    std::vector<std::optional<std::vector<Occurrence>>> occurrences;  // by file
    double seconds = 0;
  };
  Snapshot(std::string path, std::int64_t version, FileId root, std::shared_ptr<Work> work);

  std::string path_;
  std::int64_t version_;
  FileId root_;  // invalid: it could not be read
  std::shared_ptr<Work> work_;
};

/// All names of a file that mean a symbol, in order of place (occurrences.cpp). O(tree + scripts).
[[nodiscard]] std::vector<Occurrence> findOccurrences(const sema::Program& program,
                                                      std::string_view text, FileId file);

/// Where a place of an old text is in a new one, if one piece of it was replaced; inside that piece,
/// its start. O(bytes) once, then O(1).
class TextShift {
 public:
  TextShift(std::string_view before, std::string_view after);
  [[nodiscard]] std::uint32_t forward(std::uint32_t offset) const;
  [[nodiscard]] std::uint32_t back(std::uint32_t offset) const;

 private:
  std::uint32_t prefix_, beforeEnd_, afterEnd_;
};

}  // namespace couler::lsp

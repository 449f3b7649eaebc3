#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "frontend/parse/parse.h"
#include "frontend/sema/check.h"
#include "support/diagnostic.h"

/// A program that is checked in a test: a root text and, beside it, files by name or on disk.
namespace couler::sema {

class CheckedProgram {
 public:
  /// Imports are looked up in `files`, then in `folder`; `std.x` in `files` as "std.x".
  explicit CheckedProgram(const std::string& text, std::map<std::string, std::string> files = {},
                          std::filesystem::path folder = {})
      : files_(std::move(files)), folder_(std::move(folder)) {
    load("root.cwl", text);
    for (std::size_t i = 0; i < trees_.size(); ++i) loadImports(i);
    std::vector<LoadedFile> loaded;
    for (std::size_t i = 0; i < trees_.size(); ++i) loaded.push_back({trees_[i].get(), edges_[i]});
    program_ = check(sources_, loaded, FileId(0U), diags_);
  }

  [[nodiscard]] const SourceManager& sources() const { return sources_; }
  [[nodiscard]] const Program& program() const { return *program_; }
  [[nodiscard]] const syntax::Tree& tree(std::size_t file = 0) const { return *trees_[file]; }
  [[nodiscard]] std::size_t fileCount() const { return trees_.size(); }
  [[nodiscard]] std::vector<Diagnostic> diagnostics() const { return diags_.sorted(); }
  [[nodiscard]] std::size_t errorCount() const { return diags_.errorCount(); }
  /// `CW0301 expected …` of each, one a line.
  [[nodiscard]] std::string summary() const {
    std::string text;
    for (const Diagnostic& one : diagnostics()) {
      const LineColumn at = sources_.lineColumn(one.at.file, one.at.begin);
      text += one.code() + " " + std::to_string(at.line) + ":" + std::to_string(at.column) + " " +
              one.message + "\n";
    }
    return text;
  }

 private:
  void load(const std::string& path, const std::string& text) {
    const FileId id = sources_.add(path, text);
    byPath_[path] = id;
    trees_.push_back(parseFile(sources_, id, diags_));
    edges_.emplace_back();
  }

  void loadImports(std::size_t file) {
    const std::vector<syntax::Decl*> decls = trees_[file]->decls;
    for (const syntax::Decl* decl : decls) {
      if (decl->kind != syntax::DeclKind::Import) continue;
      const auto* import = static_cast<const syntax::ImportDecl*>(decl);
      std::string path =
          import->isStd ? "std." + std::string(import->path) : std::string(import->path);
      if (path.starts_with("./")) path = path.substr(2);
      if (!byPath_.contains(path)) {
        if (const auto it = files_.find(path); it != files_.end()) {
          load(path, it->second);
        } else if (std::ifstream in(folder_ / path, std::ios::binary); !folder_.empty() && in) {
          load(path, {std::istreambuf_iterator<char>(in), {}});
        }
      }
      const auto found = byPath_.find(path);
      edges_[file].push_back({import, found == byPath_.end() ? FileId{} : found->second});
    }
  }

  std::map<std::string, std::string> files_;
  std::filesystem::path folder_;
  SourceManager sources_;
  DiagnosticList diags_;
  std::vector<std::unique_ptr<syntax::Tree>> trees_;
  std::vector<std::vector<ImportEdge>> edges_;
  std::map<std::string, FileId> byPath_;
  std::unique_ptr<Program> program_;
};

}  // namespace couler::sema

#include "frontend/session.h"

#include <cassert>
#include <deque>
#include <unordered_map>
#include <utility>

#include "frontend/lower/lower.h"
#include "frontend/sema/check.h"
#include "frontend/session_paths.h"
#include "ir/verify.h"
#include "stdlib_data.h"
#include "support/text.h"

namespace couler {

std::string normalPath(std::string_view path) {
  const bool absolute = path.starts_with('/');
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (part != ".." || !absolute) {
      parts.push_back(part);
    }
  }
  std::string result = absolute ? "/" : "";
  for (const std::string_view part : parts) {
    if (!result.empty() && result.back() != '/') result += '/';
    result += part;
  }
  return result.empty() ? "." : result;
}

std::string joinPath(std::string_view file, std::string_view relative) {
  const std::size_t slash = file.rfind('/');
  if (relative.starts_with('/') || slash == std::string_view::npos) return normalPath(relative);
  return normalPath(std::string(file.substr(0, slash + 1)) + std::string(relative));
}

std::optional<std::string_view> stdlibText(std::string_view module) {
  for (const auto& [stem, text] : stdlib_data::files()) {
    if (stem == module) return text;
  }
  return std::nullopt;
}

std::vector<std::string_view> stdlibModules() {
  std::vector<std::string_view> names;
  for (const auto& file : stdlib_data::files()) names.push_back(file.first);
  return names;
}

namespace {

/// Passes everything on and counts the errors, which decide whether there is a graph to make.
class CountingSink final : public DiagnosticSink {
 public:
  explicit CountingSink(DiagnosticSink& to) : to_(to) {}
  void take(Diagnostic diagnostic) override {
    if (diagnostic.severity == Severity::Error) ++errors;
    to_.take(std::move(diagnostic));
  }
  std::size_t errors = 0;

 private:
  DiagnosticSink& to_;
};

}  // namespace

struct Session::Impl {
  Impl(SourceLoader load, DiagnosticSink& sink) : loader(std::move(load)), diags(sink) {}

  SourceLoader loader;
  CountingSink diags;
  SourceManager sources;
  std::vector<std::unique_ptr<syntax::Tree>> trees;  ///< by FileId
  std::vector<sema::LoadedFile> files;               ///< by FileId
  std::unordered_map<std::string, FileId> known;     ///< by path; invalid: cannot be loaded
  std::unique_ptr<sema::Program> program;
  ParseStats stats;
  sema::FileStart fileStart;

  FileId add(std::string path, std::string text) {
    const FileId id = sources.add(std::move(path), std::move(text));
    ParseStats one;
    trees.push_back(parseFile(sources, id, diags, {}, &one));
    stats.tokens += one.tokens;
    stats.declarations += one.declarations;
    stats.llFallbacks += one.llFallbacks;
    files.push_back({trees.back().get(), {}});
    return id;
  }

  FileId importFile(const syntax::ImportDecl& decl, FileId from) {
    // The brackets keep a folder of the user's named `std` apart from the library.
    const std::string path = decl.isStd ? "<std>/" + std::string(decl.path) + ".cwl"
                                        : joinPath(sources.path(from), decl.path);
    const auto [it, isNew] = known.try_emplace(path);
    if (decl.isStd) {
      if (isNew) {
        const std::optional<std::string_view> text = stdlibText(decl.path);
        if (text) it->second = add(path, std::string(*text));
      }
      if (!it->second.valid()) reportUnknownModule(decl);
      return it->second;
    }
    if (!isNew) {
      if (!it->second.valid()) {
        diags.take(diagnose<Diag::CannotImport>(decl.pathSpan, decl.path, "it cannot be read"));
      }
      return it->second;
    }
    LoadedText loaded = loader(path);
    if (!loaded.text) {
      diags.take(diagnose<Diag::CannotImport>(decl.pathSpan, decl.path, loaded.error)
                     .note(fmt::format("looked for `{}`", path)));
      return {};
    }
    const FileId id = add(path, std::move(*loaded.text));
    known[path] = id;
    return id;
  }

  void reportUnknownModule(const syntax::ImportDecl& decl) {
    const std::vector<std::string_view> modules = stdlibModules();
    Diagnostic diagnostic = diagnose<Diag::UnknownStdModule>(decl.pathSpan, decl.path);
    if (const auto near = nearest(decl.path, modules)) {
      diagnostic.note(fmt::format("did you mean `std.{}`?", *near));
    } else {
      std::string list;
      for (const std::string_view name : modules) {
        list += (list.empty() ? "`std." : ", `std.") + std::string(name) + "`";
      }
      diagnostic.note("there is " + list);
    }
    diags.take(std::move(diagnostic));
  }
};

Session::Session(SourceLoader loader, DiagnosticSink& diags)
    : impl_(std::make_unique<Impl>(std::move(loader), diags)) {}
Session::~Session() = default;

bool Session::load(const std::string& rootPath) {
  const std::string path = normalPath(rootPath);
  if (const auto at = impl_->known.find(path); at != impl_->known.end() && at->second.valid()) {
    return true;
  }
  LoadedText loaded = impl_->loader(rootPath);
  if (!loaded.text) {
    impl_->diags.take(diagnose<Diag::CannotReadFile>({}, rootPath, loaded.error));
    return false;
  }
  const std::size_t first = impl_->files.size();
  impl_->known[path] = impl_->add(path, std::move(*loaded.text));
  // Breadth first, so that file numbers, and with them the order of messages, follow the distance
  // from the root. `files` grows while this goes on.
  for (std::size_t i = first; i < impl_->files.size(); ++i) {
    const syntax::Tree* tree = impl_->files[i].tree;
    if (tree == nullptr) continue;
    std::vector<sema::ImportEdge> edges;
    for (const syntax::Decl* decl : tree->decls) {
      if (decl->kind != syntax::DeclKind::Import) continue;
      const auto& import = static_cast<const syntax::ImportDecl&>(*decl);
      edges.push_back({&import, impl_->importFile(import, FileId{i})});
    }
    impl_->files[i].edges = std::move(edges);
  }
  return true;
}

void Session::setFileStart(sema::FileStart fileStart) {
  impl_->fileStart = std::move(fileStart);
}

const sema::Program& Session::check() {
  if (impl_->program == nullptr) {
    impl_->program =
        sema::check(impl_->sources, impl_->files, FileId{0U}, impl_->diags, impl_->fileStart);
  }
  return *impl_->program;
}

std::optional<ir::Module> Session::lower(std::string_view entry, bool needEntry) {
  const sema::Program& program = check();
  if (impl_->diags.errors != 0) return std::nullopt;
  std::optional<ir::Module> module =
      lowerProgram(impl_->sources, program, entry, needEntry, impl_->diags);
  if (impl_->diags.errors != 0) return std::nullopt;
  assert(!module || ir::verify(*module).empty());
  return module;
}

SourceManager& Session::sources() { return impl_->sources; }
const syntax::Tree& Session::root() const { return *impl_->trees.front(); }
std::vector<const syntax::Tree*> Session::trees() const {
  std::vector<const syntax::Tree*> result;
  for (const auto& tree : impl_->trees) result.push_back(tree.get());
  return result;
}
const ParseStats& Session::stats() const { return impl_->stats; }

}  // namespace couler

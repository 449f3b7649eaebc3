#include "frontend/sema/check.h"

#include "frontend/sema/checker.h"

namespace couler::sema {

using namespace syntax;

Checker::Checker(const SourceManager& sources, const std::vector<LoadedFile>& files, FileId root,
                 DiagnosticSink& diags, FileStart fileStart)
    : sources_(sources),
      loaded_(files),
      diags_(diags),
      fileStart_(std::move(fileStart)),
      program_(std::make_unique<Program>()) {
  program_->root = root;
  program_->files.resize(files.size());
  top_.resize(files.size());
  isStd_.assign(files.size(), false);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Tree* tree = files[i].tree;
    program_->files[i].tree = tree;
    if (tree == nullptr) continue;
    ExprInfo unknown;
    unknown.type = TypeTable::kError;
    program_->files[i].exprs.assign(tree->exprCount, unknown);
  }
  for (const std::string_view name : ir::callableNames()) builtins_.insert(name);
}

void Checker::enter(FileId file) {
  fileId_ = file;
  file_ = &program_->files[file.index()];
}

void Checker::report(Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::Error) sawErrors_ = true;
  diags_.take(std::move(diagnostic));
}

void Checker::notBuilt(Span at, std::string_view what) {
  report(
      diagnose<Diag::NotBuilt>(at, what).note("the syntax is read, but no engine can run it yet"));
}

std::unique_ptr<Program> Checker::run() {
  for (std::size_t i = 0; i < loaded_.size(); ++i) {
    if (loaded_[i].tree != nullptr) declareTopLevel(FileId(i));
  }
  for (std::size_t i = 0; i < loaded_.size(); ++i) {
    if (loaded_[i].tree != nullptr) importInto(FileId(i));
  }
  reportImportCycles();

  // Schemas first: the types of parameters name them. (Columns name no schemas.)
  eachDecl([&](const Decl* decl, SymbolId symbol) {
    if (decl->kind == DeclKind::Schema && symbol.valid()) declareSchema(symbol);
    if (decl->kind == DeclKind::Error) sawErrors_ = true;
  });
  checkInOrder();
  eachDecl([&](const Decl* decl, SymbolId symbol) {
    switch (decl->kind) {
      case DeclKind::Schema:
        if (!symbol.valid()) return;
        checkDefaults(symbol);
        return checkColumns(symbol);
      case DeclKind::Fn:
        return symbol.valid() ? checkDefaults(symbol) : void();
      case DeclKind::Task:
        if (!symbol.valid()) return;
        checkDefaults(symbol);
        return checkTask(symbol);
      case DeclKind::Workflow:
        if (!symbol.valid()) return;
        checkDefaults(symbol);
        return checkWorkflow(symbol);
      case DeclKind::Transform:
        return symbol.valid() ? checkDefaults(symbol) : void();
      case DeclKind::Labeler:
        return checkUnbuilt(*static_cast<const LabelerDecl*>(decl));
      case DeclKind::Target:
        return checkTarget(*static_cast<const TargetDecl*>(decl));
      case DeclKind::Test:
        return checkTest(*static_cast<const TestDecl*>(decl));
      case DeclKind::Import:
      case DeclKind::Enum:
      case DeclKind::Error:
        return;
    }
  });
  reportRecursion();
  propagateNeeds();
  reportSecrets();
  reportUnused();

  for (std::size_t i = 0; i < loaded_.size(); ++i) {
    for (const auto& [name, entry] : top_[i]) program_->files[i].names.emplace(name, entry.symbol);
  }
  return std::move(program_);
}

std::unique_ptr<Program> check(const SourceManager& sources, const std::vector<LoadedFile>& files,
                               FileId root, DiagnosticSink& diags, FileStart fileStart) {
  return Checker(sources, files, root, diags, std::move(fileStart)).run();
}

}  // namespace couler::sema

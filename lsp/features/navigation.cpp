#include <algorithm>

#include "frontend/session_paths.h"
#include "lsp/features/describe.h"
#include "lsp/features/features.h"
#include "lsp/workspace/uri.h"

namespace couler::lsp {

using sema::SymbolId;
using sema::SymbolKind;

namespace {

const Occurrence* nameAt(const View& view, const Json& params) {
  return view.snapshot().at(view.snapshot().root(),
                            view.offset(positionIn(params.value("position", Json()))));
}

/// The import whose path holds the place, and the file that it names.
const syntax::ImportDecl* importAt(const Snapshot& snapshot, std::uint32_t offset) {
  const syntax::Decl* decl = declAt(snapshot, offset);
  if (decl == nullptr || decl->kind != syntax::DeclKind::Import) return nullptr;
  const auto* import = static_cast<const syntax::ImportDecl*>(decl);
  const bool within = import->pathSpan.begin <= offset && offset <= import->pathSpan.end;
  return within ? import : nullptr;
}

std::optional<FileId> importedFile(const Snapshot& snapshot, const syntax::ImportDecl& import) {
  const std::string path = import.isStd
                               ? "<std>/" + std::string(import.path) + ".cwl"
                               : joinPath(snapshot.sources().path(snapshot.root()), import.path);
  for (std::size_t i = 0; i < snapshot.files(); ++i) {
    if (snapshot.sources().path(FileId{i}) == path) return FileId{i};
  }
  return std::nullopt;
}

}  // namespace

Json definition(const View& view, const Json& params) {
  const Snapshot& snapshot = view.snapshot();
  const std::uint32_t offset = view.offset(positionIn(params.value("position", Json())));
  if (const Occurrence* found = snapshot.at(snapshot.root(), offset)) {
    const sema::Symbol& symbol = snapshot.program().at(found->symbol);
    if (symbol.kind == SymbolKind::Namespace && symbol.file.valid() && !found->declares) {
      return view.location({symbol.file, 0, 0});
    }
    if (symbol.declared.valid()) return view.location(symbol.declared);
  }
  if (const syntax::ImportDecl* import = importAt(snapshot, offset)) {
    if (const auto file = importedFile(snapshot, *import)) return view.location({*file, 0, 0});
  }
  return nullptr;
}

/// Of a task, its program; of all else, where it is declared.
Json implementation(const View& view, const Json& params) {
  const Occurrence* found = nameAt(view, params);
  if (found != nullptr) {
    const sema::Symbol& symbol = view.snapshot().program().at(found->symbol);
    if (symbol.kind == SymbolKind::Task) {
      const auto& task = static_cast<const syntax::TaskDecl&>(*symbol.decl);
      if (task.runSpan.valid()) return view.location(task.runSpan);
    }
  }
  return definition(view, params);
}

Json typeDefinition(const View& view, const Json& params) {
  const Snapshot& snapshot = view.snapshot();
  const Occurrence* found = nameAt(view, params);
  if (found == nullptr) return nullptr;
  const sema::Program& program = snapshot.program();
  ir::TypeId type = program.at(found->symbol).type;
  while (type.valid() && program.types[type].element.valid()) type = program.types[type].element;
  if (!type.valid()) return nullptr;
  for (const sema::Symbol& symbol : program.symbols) {
    const bool declares = symbol.kind == SymbolKind::Enum || symbol.kind == SymbolKind::Schema ||
                          symbol.kind == SymbolKind::Transform;
    const ir::TypeKind kind = program.types.kind(type);
    const bool nominal = kind == ir::TypeKind::Enum || kind == ir::TypeKind::Schema;
    if (declares && nominal && symbol.type == type && symbol.declared.valid()) {
      return view.location(symbol.declared);
    }
  }
  return nullptr;
}

Json documentHighlight(const View& view, const Json& params) {
  const Snapshot& snapshot = view.snapshot();
  const Occurrence* found = nameAt(view, params);
  if (found == nullptr) return nullptr;
  Json result = Json::array();
  for (const Occurrence& one : snapshot.occurrences(snapshot.root())) {
    if (one.symbol != found->symbol) continue;
    // Text, read, write.
    result.push_back({{"range", toJson(view.range(one.span))}, {"kind", one.declares ? 3 : 2}});
  }
  return result;
}

std::optional<SymbolPlace> symbolAt(const View& view, const Json& params) {
  const Occurrence* found = nameAt(view, params);
  if (found == nullptr) return std::nullopt;
  const Snapshot& snapshot = view.snapshot();
  const sema::Symbol& symbol = snapshot.program().at(found->symbol);
  if (!symbol.declared.valid()) return std::nullopt;
  return SymbolPlace{std::string(snapshot.sources().path(symbol.declared.file)), symbol.declared,
                     std::string(symbol.name)};
}

std::vector<Occurrence> placesOf(const Snapshot& snapshot, FileId file, const SymbolPlace& symbol) {
  std::vector<Occurrence> result;
  if (!snapshot.loaded()) return result;
  for (const Occurrence& one : snapshot.occurrences(file)) {
    const Span declared = snapshot.program().at(one.symbol).declared;
    if (declared.valid() && declared.begin == symbol.declared.begin &&
        declared.end == symbol.declared.end &&
        snapshot.sources().path(declared.file) == symbol.path) {
      result.push_back(one);
    }
  }
  return result;
}

Json prepareRename(const View& view, const Json& params) {
  const Occurrence* found = nameAt(view, params);
  if (found == nullptr) return nullptr;
  const Snapshot& snapshot = view.snapshot();
  const sema::Symbol& symbol = snapshot.program().at(found->symbol);
  if (!symbol.declared.valid() || snapshot.builtIn(symbol.declared.file)) return nullptr;
  return {{"range", toJson(view.range(found->span))},
          {"placeholder", std::string(snapshot.sources().text(found->span))}};
}

}  // namespace couler::lsp

// Who calls a task, and whom a workflow calls.
#include <map>

#include "lsp/features/describe.h"
#include "lsp/features/features.h"

namespace couler::lsp {

using sema::SymbolId;
using sema::SymbolKind;

namespace {

bool callable(SymbolKind kind) {
  return kind == SymbolKind::Task || kind == SymbolKind::Workflow || kind == SymbolKind::Fn ||
         kind == SymbolKind::Transform;
}

/// Its declaration says again which symbol is meant.
std::optional<Json> item(const View& view, SymbolId id) {
  const Snapshot& snapshot = view.snapshot();
  const sema::Symbol& symbol = snapshot.program().at(id);
  if (!symbol.declared.valid() || symbol.decl == nullptr) return std::nullopt;
  return Json{{"name", symbol.name},
              {"kind", symbolKindOf(symbol.kind)},
              {"uri", view.uri(symbol.declared.file)},
              {"range", toJson(view.range(symbol.decl->span))},
              {"selectionRange", toJson(view.range(symbol.declared))},
              {"data",
               {{"path", snapshot.sources().path(symbol.declared.file)},
                {"begin", symbol.declared.begin},
                {"end", symbol.declared.end}}}};
}

/// The symbol whose declaration holds a place of the file.
SymbolId declaredAround(const Snapshot& snapshot, FileId file, std::uint32_t offset) {
  for (const syntax::Decl* decl : snapshot.tree(file).decls) {
    if (decl->span.begin > offset || offset >= decl->span.end) continue;
    const auto& declared = snapshot.program().files[file.index()].declared;
    const auto found = declared.find(decl);
    return found == declared.end() ? SymbolId{} : found->second;
  }
  return {};
}

}  // namespace

Json prepareCallHierarchy(const View& view, const Json& params) {
  const Snapshot& snapshot = view.snapshot();
  const Occurrence* found = snapshot.at(
      snapshot.root(), view.offset(positionIn(params.value("position", Json()))));
  if (found == nullptr || !callable(snapshot.program().at(found->symbol).kind)) return nullptr;
  const auto made = item(view, found->symbol);
  return made ? Json::array({*made}) : Json();
}

std::optional<SymbolPlace> symbolOfItem(const Json& item) {
  const Json data = item.is_object() ? item.value("data", Json()) : Json();
  if (!data.is_object()) return std::nullopt;
  SymbolPlace place;
  place.path = data.value("path", "");
  place.declared = {FileId{0U}, data.value("begin", 0U), data.value("end", 0U)};
  place.name = item.value("name", "");
  return place;
}

void addCallers(const View& view, const SymbolPlace& symbol, Json& result) {
  const Snapshot& snapshot = view.snapshot();
  std::map<std::uint32_t, std::pair<SymbolId, Json>> callers;  // by symbol
  for (const Occurrence& one : placesOf(snapshot, snapshot.root(), symbol)) {
    const SymbolId around = declaredAround(snapshot, snapshot.root(), one.span.begin);
    if (one.declares || !around.valid() || !callable(snapshot.program().at(around).kind)) continue;
    auto& [id, ranges] = callers[static_cast<std::uint32_t>(around.index())];
    id = around;
    ranges.push_back(toJson(view.range(one.span)));
  }
  for (auto& [key, caller] : callers) {
    if (const auto from = item(view, caller.first)) {
      result.push_back({{"from", *from}, {"fromRanges", std::move(caller.second)}});
    }
  }
}

Json callees(const View& view, const SymbolPlace& symbol) {
  const Snapshot& snapshot = view.snapshot();
  Json result = Json::array();
  const SymbolId own = declaredAround(snapshot, snapshot.root(), symbol.declared.begin);
  if (!own.valid()) return result;
  const Span whole = snapshot.program().at(own).decl->span;
  std::map<std::uint32_t, std::pair<SymbolId, Json>> called;
  for (const Occurrence& one : snapshot.occurrences(snapshot.root())) {
    const bool inside = one.span.begin >= whole.begin && one.span.end <= whole.end;
    if (!inside || one.declares || !callable(snapshot.program().at(one.symbol).kind)) continue;
    auto& [id, ranges] = called[static_cast<std::uint32_t>(one.symbol.index())];
    id = one.symbol;
    ranges.push_back(toJson(view.range(one.span)));
  }
  for (auto& [key, callee] : called) {
    if (const auto to = item(view, callee.first)) {
      result.push_back({{"to", *to}, {"fromRanges", std::move(callee.second)}});
    }
  }
  return result;
}

}  // namespace couler::lsp

#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "frontend/parse/words.h"
#include "frontend/scripts.h"
#include "frontend/session_paths.h"
#include "lsp/features/describe.h"
#include "lsp/server.h"
#include "lsp/workspace/scan.h"
#include "lsp/workspace/script_scan.h"
#include "lsp/workspace/uri.h"

// Requests that look at more than one file: references, rename, symbols of the workspace. What the
// document itself says comes from its snapshot; the other files are the surveyor's.
namespace couler::lsp {

namespace {

constexpr std::size_t kMostSymbols = 1000;
constexpr std::size_t kReportsAtOnce = 100;  // of a workspace's diagnostics, to who takes parts

/// Whether no other file can name it.
bool isLocal(const Snapshot& snapshot, const SymbolPlace& symbol) {
  if (symbol.name.starts_with('_')) return true;
  for (const sema::Symbol& one : snapshot.program().symbols) {
    if (one.declared != symbol.declared) continue;
    return one.kind == sema::SymbolKind::Local || one.kind == sema::SymbolKind::LoopVariable ||
           one.kind == sema::SymbolKind::Namespace;
  }
  return false;
}

/// The other files in which the symbol may stand.
std::vector<std::string> othersThatMention(const Survey& survey, const SymbolPlace& symbol,
                                           const std::string& own) {
  std::vector<std::string> paths = survey.index.mentioning(symbol.name, symbol.path);
  std::erase(paths, own);
  return paths;
}

/// Whether the script of the task that declares the symbol has a variable of that name.
bool usedInScript(const Snapshot& snapshot, sema::SymbolId symbol, std::string_view name) {
  const syntax::Decl* decl = snapshot.program().at(symbol).decl;
  const FileId file = snapshot.program().at(symbol).file;
  if (decl == nullptr || decl->kind != syntax::DeclKind::Task) return false;
  for (const Script& script : scriptsOf(snapshot.tree(file))) {
    if (script.span.begin < decl->span.begin || script.span.end > decl->span.end) continue;
    for (const ScriptPiece& piece : scanScript(script.language, script.text)) {
      const bool variable = piece.kind == ScriptPiece::Kind::Name;
      if (variable && script.text.substr(piece.begin, piece.end - piece.begin) == name) return true;
    }
  }
  return false;
}

void addReferences(const View& view, const SymbolPlace& symbol, bool declaration, Json& result) {
  for (const Occurrence& one : placesOf(view.snapshot(), view.snapshot().root(), symbol)) {
    if (!one.declares || declaration) result.push_back(view.location(one.span));
  }
}

}  // namespace

Json Server::references(const Json& params, const Json& id, Document& document) {
  const Snapshot& snapshot = *document.snapshot;
  if (!snapshot.loaded()) return nullptr;
  const View own(snapshot, encoding_);
  const auto symbol = symbolAt(own, params);
  if (!symbol) return nullptr;
  const bool declaration = member(member(params, "context"), "includeDeclaration") == true;
  Json result = Json::array();
  addReferences(own, *symbol, declaration, result);
  if (isLocal(snapshot, *symbol)) return result;
  return survey(id, [=, path = snapshot.path()](const Survey& survey, const Part&) {
    Json all = result;
    survey.check(othersThatMention(survey, *symbol, path), [&](const Snapshot& other) {
      addReferences(View(other, survey.workspace.encoding), *symbol, declaration, all);
    });
    return all;
  });
}

std::string renameProblem(std::string_view name) {
  const bool word = !name.empty() && std::all_of(name.begin(), name.end(), isWordByte) &&
                    !(name[0] >= '0' && name[0] <= '9');
  if (!word) return fmt::format("`{}` is no name: letters, digits and `_` make one", name);
  if (parse::isReservedWord(name))
    return fmt::format("`{}` is a word of the language", name);
  return {};
}

namespace {

/// The edits of one file that give the symbol another name. Throws where that name is there
/// already: it would be meant instead, or mean this.
void addRenames(const View& view, const SymbolPlace& symbol, const std::string& name,
                Json& changes) {
  const Snapshot& snapshot = view.snapshot();
  const std::vector<Occurrence> places = placesOf(snapshot, snapshot.root(), symbol);
  if (places.empty()) return;
  std::set<sema::SymbolId> around;
  for (const Occurrence& one : places) {
    for (const sema::SymbolId id : visibleAt(snapshot, one.span.begin)) around.insert(id);
  }
  for (const sema::SymbolId id : around) {
    const sema::Symbol& other = snapshot.program().at(id);
    if (other.name == name && snapshot.sources().text(places.front().span) != name)
      throw std::runtime_error(fmt::format("`{}` is there already", name));
  }
  if (usedInScript(snapshot, places.front().symbol, name))
    throw std::runtime_error(fmt::format("the script has a `{}` of its own", name));
  Json edits = Json::array();
  for (const Occurrence& one : places) {
    // Under another name of an import it goes on as that.
    if (snapshot.sources().text(one.span) != symbol.name) continue;
    edits.push_back({{"range", toJson(view.range(one.span))}, {"newText", name}});
  }
  if (!edits.empty()) changes[view.uri(snapshot.root())] = std::move(edits);
}

}  // namespace

Json Server::rename(const Json& params, const Json& id, Document& document) {
  const std::string name = params.value("newName", "");
  if (const std::string problem = renameProblem(name); !problem.empty())
    throw std::runtime_error(problem);
  const Snapshot& snapshot = *document.snapshot;
  if (!snapshot.loaded()) return nullptr;
  const View own(snapshot, encoding_);
  const auto symbol = symbolAt(own, params);
  if (!symbol) return nullptr;
  if (symbol->path.starts_with('<'))
    throw std::runtime_error(fmt::format("`{}` is of the standard library", symbol->name));
  Json changes = Json::object();
  addRenames(own, *symbol, name, changes);
  if (isLocal(snapshot, *symbol)) return {{"changes", std::move(changes)}};
  return survey(id, [=, path = snapshot.path()](const Survey& survey, const Part&) {
    Json all = changes;
    survey.check(othersThatMention(survey, *symbol, path), [&](const Snapshot& other) {
      if (other.loaded()) addRenames(View(other, survey.workspace.encoding), *symbol, name, all);
    });
    return Json{{"changes", std::move(all)}};
  });
}

namespace {

/// How well a name fits what was typed: 0 the same, then its start, within, its letters in order;
/// nothing where it does not.
std::optional<int> fit(std::string_view name, std::string_view query) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  const auto same = [&](char a, char b) { return lower(a) == lower(b); };
  const auto at = std::search(name.begin(), name.end(), query.begin(), query.end(), same);
  if (at == name.begin()) return name.size() == query.size() ? 0 : 1;
  if (at != name.end()) return 2;
  auto next = query.begin();
  for (const char c : name) {
    if (next != query.end() && same(c, *next)) ++next;
  }
  return next == query.end() ? std::optional(3) : std::nullopt;
}

int symbolKindOf(syntax::DeclKind kind) {
  switch (kind) {
    case syntax::DeclKind::Enum:
      return 10;
    case syntax::DeclKind::Schema:
      return 23;  // Struct
    case syntax::DeclKind::Workflow:
      return 5;  // Class
    case syntax::DeclKind::Target:
      return 19;  // Object
    default:
      return 12;  // Function
  }
}

}  // namespace

Json Server::workspaceSymbol(const Json& params, const Json& id) {
  const std::string query = params.value("query", "");
  return survey(id, [query](const Survey& survey, const Part&) {
    struct Found {
      int rank;
      const std::string* path;
      const Index::Declared* declared;
    };
    std::vector<Found> found;
    for (const auto& [path, file] : survey.index.files()) {
      if (!file.listed) continue;
      for (const Index::Declared& one : file.declared) {
        if (const auto rank = fit(one.name, query)) found.push_back({*rank, &path, &one});
      }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Found& a, const Found& b) { return a.rank < b.rank; });
    if (found.size() > kMostSymbols) found.resize(kMostSymbols);
    Json result = Json::array();
    for (const Found& one : found) {
      result.push_back(
          {{"name", one.declared->name},
           {"kind", symbolKindOf(one.declared->kind)},
           {"location", {{"uri", uriOf(*one.path)}, {"range", toJson(one.declared->range)}}}});
    }
    return result;
  });
}

/// Of all files, open or not. A file of which the client has what would be said is not checked.
Json Server::workspaceDiagnostics(const Json& params, const Json& id) {
  std::map<std::string, Json> known;
  for (const Json& one : params.value("previousResultIds", Json::array())) {
    known[pathOf(one.value("uri", ""))] = one.value("value", "");
  }
  std::map<std::string, std::int64_t> versions;
  for (const auto& [path, document] : documents_) versions[path] = document.version;
  const Json token = params.value("partialResultToken", Json());
  return survey(id, [=, scripts = scripts_, revision = scriptsRevision_](const Survey& survey,
                                                                        const Part& part) {
    Json items = Json::array();
    const auto say = [&] {
      if (token.is_null()) return;
      part({{"token", token}, {"value", {{"items", std::exchange(items, Json::array())}}}});
    };
    for (const auto& [path, file] : survey.index.files()) {
      if (!file.listed) continue;
      if (*survey.stop) throw Stopped{};
      const auto version = versions.find(path);
      Json report{{"uri", uriOf(path)},
                  {"version", version == versions.end() ? Json() : Json(version->second)},
                  {"resultId", fmt::format("{}.{}", survey.index.state(path), revision)}};
      const auto before = known.find(path);
      if (before != known.end() && before->second == report["resultId"]) {
        report["kind"] = "unchanged";
      } else {
        const Snapshot snapshot(path, survey.workspace.open, 0);
        const View view(snapshot, survey.workspace.encoding);
        report["kind"] = "full";
        report["items"] = Json::array();
        const auto add = [&](const Diagnostic& one) {
          const bool own = !one.at.valid() || one.at.file == snapshot.root();
          if (own && one.severity != Severity::Remark)
            report["items"].push_back(diagnosticJson(view, one));
        };
        for (const Diagnostic& one : snapshot.diagnostics()) add(one);
        for (const Diagnostic& one : scriptWarnings(snapshot, scripts)) add(one);
      }
      items.push_back(std::move(report));
      if (items.size() == kReportsAtOnce) say();
    }
    say();
    return Json{{"items", std::move(items)}};
  });
}

Json Server::incomingCalls(const Json& params, const Json& id) {
  const auto symbol = symbolOfItem(params.value("item", Json()));
  if (!symbol) return nullptr;
  return survey(id, [=](const Survey& survey, const Part&) {
    Json result = Json::array();
    survey.check(survey.index.mentioning(symbol->name, symbol->path), [&](const Snapshot& one) {
      if (one.loaded()) addCallers(View(one, survey.workspace.encoding), *symbol, result);
    });
    return result;
  });
}

Json Server::outgoingCalls(const Json& params, const Json& id) {
  const auto symbol = symbolOfItem(params.value("item", Json()));
  if (!symbol || !symbol->path.starts_with('/')) return nullptr;
  return survey(id, [=](const Survey& survey, const Part&) -> Json {
    const Snapshot snapshot(symbol->path, survey.workspace.open, 0);
    if (!snapshot.loaded()) return nullptr;
    return callees(View(snapshot, survey.workspace.encoding), *symbol);
  });
}

/// `{svg}` of the workflow named, or of the one that no other calls; with `behind`, where the program
/// has errors and this is how it was before.
Json Server::drawGraph(const Json& params, Document& document) {
  if (!options_.draw || !document.drawn) return nullptr;
  const std::string name = params.value("workflow", "");
  const ir::Module& module = *document.drawn->module();
  const auto drawn = [&](const ir::Module& one) -> Json {
    return {{"svg", options_.draw(one)}, {"behind", document.drawn != document.snapshot}};
  };
  if (name.empty()) return module.entry.valid() ? drawn(module) : Json();
  for (std::size_t i = 0; i < module.funcs.size(); ++i) {
    if (module.funcs[i].kind != ir::FuncKind::Workflow || module.funcs[i].name != name) continue;
    ir::Module one = module;
    one.entry = ir::FuncId{i};
    return drawn(one);
  }
  return nullptr;
}

/// Imports of files and folders that are to be renamed, and of a renamed file itself.
Json Server::willRenameFiles(const Json& params, const Json& id) {
  std::map<std::string, std::string> moved;
  for (const Json& file : params.value("files", Json::array())) {
    moved[pathOf(file.value("oldUri", ""))] = pathOf(file.value("newUri", ""));
  }
  return survey(id, [moved](const Survey& survey, const Part&) -> Json {
    /// Where a path is afterwards: it, or a folder around it, is moved.
    const auto movedTo = [&](const std::string& path) {
      for (std::size_t end = path.size(); end != 0 && end != std::string::npos;
           end = path.rfind('/', end - 1)) {
        if (const auto at = moved.find(path.substr(0, end)); at != moved.end())
          return at->second + path.substr(end);
      }
      return path;
    };
    const auto relative = [](const std::string& from, const std::string& to) {
      std::string path = std::filesystem::path(to)
                             .lexically_relative(std::filesystem::path(from).parent_path())
                             .string();
      return path.starts_with(".") ? path : "./" + path;
    };
    Json changes = Json::object();
    for (const auto& [path, file] : survey.index.files()) {
      if (!file.listed) continue;
      const std::string own = movedTo(path);
      for (const Index::Import& import : file.imports) {
        const std::string target = movedTo(import.target);
        if (own == path && target == import.target) continue;
        const std::string made = relative(own, target);
        if (made == import.written || relative(path, import.target) == made) continue;
        changes[uriOf(path)].push_back(
            {{"range", toJson(import.range)}, {"newText", Json(made).dump()}});
      }
    }
    if (changes.empty()) return nullptr;
    return {{"changes", std::move(changes)}};
  });
}

}  // namespace couler::lsp

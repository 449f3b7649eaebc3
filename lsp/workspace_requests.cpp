#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "frontend/parse/parse.h"
#include "frontend/parse/words.h"
#include "frontend/scripts.h"
#include "frontend/session_paths.h"
#include "lsp/features/describe.h"
#include "lsp/server.h"
#include "lsp/workspace/names.h"
#include "lsp/workspace/scan.h"
#include "lsp/workspace/script_scan.h"
#include "lsp/workspace/uri.h"

// Requests that look at more than one file: references, rename, symbols of the workspace.
namespace couler::lsp {

namespace {

constexpr std::size_t kMostFiles = 20'000;
constexpr std::size_t kMostSymbols = 1000;

std::string textOf(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool mentions(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool begins = at == 0 || !isWordByte(text[at - 1]);
    const std::size_t end = at + word.size();
    if (begins && (end == text.size() || !isWordByte(text[end]))) return true;
  }
  return false;
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

}  // namespace

/// A file alone, for what its syntax tells.
struct Server::Parsed {
  std::unique_ptr<SourceManager> sources = std::make_unique<SourceManager>();
  std::unique_ptr<syntax::Tree> tree;

  [[nodiscard]] Range range(Span span, Encoding encoding) const {
    const std::string_view text = sources->text(span.file);
    const Lines lines(text);
    return {lines.position(text, span.begin, encoding), lines.position(text, span.end, encoding)};
  }
};

Server::Parsed Server::parsedFile(const std::string& path) const {
  const auto open = documents_.find(path);
  Parsed parsed;
  DiagnosticList ignored;
  const FileId file =
      parsed.sources->add(path, open == documents_.end() ? textOf(path) : *open->second.text);
  parsed.tree = parseFile(*parsed.sources, file, ignored);
  return parsed;
}

std::vector<std::string> Server::workspaceFiles() const {
  std::vector<std::string> files = programsBelow(roots_, kMostFiles);
  for (const auto& [path, document] : documents_) files.push_back(path);
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

/// Of all files in which the word stands, open or not. Those that are not open are read and checked
/// here and now: few mention a name.
std::vector<std::shared_ptr<const Snapshot>> Server::snapshotsThatMention(std::string_view word) {
  std::vector<std::shared_ptr<const Snapshot>> result;
  for (const std::string& path : workspaceFiles()) {
    const auto open = documents_.find(path);
    if (open != documents_.end()) {
      if (!mentions(*open->second.text, word)) continue;
      const bool current = open->second.snapshot &&
                           open->second.snapshot->version() == open->second.revision;
      result.push_back(current ? open->second.snapshot
                               : std::make_shared<const Snapshot>(path, overlay(), 0));
    } else if (mentions(textOf(path), word)) {
      result.push_back(std::make_shared<const Snapshot>(path, overlay(), 0));
    }
  }
  return result;
}

Json Server::references(const Json& params, Document& document) {
  if (!document.snapshot->loaded()) return nullptr;
  const auto symbol = symbolAt(View(*document.snapshot, encoding_), params);
  if (!symbol) return nullptr;
  const auto context = params.find("context");
  const bool declaration = context != params.end() && context->is_object() &&
                           context->value("includeDeclaration", false);
  Json result = Json::array();
  std::set<std::string> seen;
  for (const auto& snapshot : snapshotsThatMention(symbol->name)) {
    if (!snapshot->loaded()) continue;
    const View view(*snapshot, encoding_);
    for (const Occurrence& one : placesOf(*snapshot, snapshot->root(), *symbol)) {
      if (one.declares && !declaration) continue;
      Json location = view.location(one.span);
      if (seen.insert(location.dump()).second) result.push_back(std::move(location));
    }
  }
  return result;
}

std::string renameProblem(std::string_view name) {
  const bool word = !name.empty() && std::all_of(name.begin(), name.end(), isWordByte) &&
                    !(name[0] >= '0' && name[0] <= '9');
  if (!word) return fmt::format("`{}` is no name: letters, digits and `_` make one", name);
  if (parse::isReservedWord(name))
    return fmt::format("`{}` is a word of the language", name);
  return {};
}

Json Server::rename(const Json& params, Document& document) {
  const std::string name = params.value("newName", "");
  if (const std::string problem = renameProblem(name); !problem.empty())
    throw std::runtime_error(problem);
  if (!document.snapshot->loaded()) return nullptr;
  const View own(*document.snapshot, encoding_);
  const auto symbol = symbolAt(own, params);
  if (!symbol) return nullptr;
  Json changes = Json::object();
  for (const auto& snapshot : snapshotsThatMention(symbol->name)) {
    if (!snapshot->loaded()) continue;
    const View view(*snapshot, encoding_);
    const std::vector<Occurrence> places = placesOf(*snapshot, snapshot->root(), *symbol);
    if (places.empty()) continue;
    // A name that is there already would be meant instead, or mean this.
    std::set<sema::SymbolId> around;
    for (const Occurrence& one : places) {
      for (const sema::SymbolId id : visibleAt(*snapshot, one.span.begin)) around.insert(id);
    }
    for (const sema::SymbolId id : around) {
      const sema::Symbol& other = snapshot->program().at(id);
      if (other.name == name && snapshot->sources().text(places.front().span) != name)
        throw std::runtime_error(fmt::format("`{}` is there already", name));
    }
    if (usedInScript(*snapshot, places.front().symbol, name))
      throw std::runtime_error(fmt::format("the script has a `{}` of its own", name));
    for (const Occurrence& one : places) {
      // Under another name of an import it goes on as that.
      if (snapshot->sources().text(one.span) != symbol->name) continue;
      changes[view.uri(snapshot->root())].push_back(
          {{"range", toJson(view.range(one.span))}, {"newText", name}});
    }
  }
  return {{"changes", std::move(changes)}};
}

Json Server::workspaceSymbol(const Json& params) {
  const std::string query = params.value("query", "");
  // The letters of the query, in their order, whatever lies between.
  const auto matches = [&](std::string_view name) {
    std::size_t at = 0;
    for (const char c : name) {
      if (at < query.size() && std::tolower(static_cast<unsigned char>(c)) ==
                                   std::tolower(static_cast<unsigned char>(query[at])))
        ++at;
    }
    return at == query.size();
  };
  Json result = Json::array();
  for (const std::string& path : workspaceFiles()) {
    const Parsed parsed = parsedFile(path);
    for (const syntax::Decl* decl : parsed.tree->decls) {
      if (decl->name.text.empty() || !matches(decl->name.text)) continue;
      const Range range = parsed.range(decl->name.span, encoding_);
      const int kind = decl->kind == syntax::DeclKind::Enum       ? 10
                       : decl->kind == syntax::DeclKind::Schema   ? 23
                       : decl->kind == syntax::DeclKind::Workflow ? 5
                       : decl->kind == syntax::DeclKind::Target   ? 19
                                                                  : 12;
      result.push_back({{"name", decl->name.text},
                        {"kind", kind},
                        {"location", {{"uri", uriOf(path)}, {"range", toJson(range)}}}});
      if (result.size() >= kMostSymbols) return result;
    }
  }
  return result;
}

/// Of all files, open or not.
Json Server::workspaceDiagnostics() {
  Json items = Json::array();
  for (const std::string& path : workspaceFiles()) {
    const auto open = documents_.find(path);
    const bool current = open != documents_.end() && open->second.snapshot &&
                         open->second.snapshot->version() == open->second.revision;
    const auto snapshot = current ? open->second.snapshot
                                  : std::make_shared<const Snapshot>(path, overlay(), 0);
    const View view(*snapshot, encoding_);
    Json found = Json::array();
    const auto add = [&](const Diagnostic& one) {
      const bool own = !one.at.valid() || one.at.file == snapshot->root();
      if (own && one.severity != Severity::Remark) found.push_back(diagnosticJson(view, one));
    };
    for (const Diagnostic& one : snapshot->diagnostics()) add(one);
    for (const Diagnostic& one : scriptWarnings(*snapshot)) add(one);
    items.push_back({{"kind", "full"},
                     {"uri", uriOf(path)},
                     {"version", current ? Json(open->second.version) : Json()},
                     {"items", std::move(found)}});
  }
  return {{"items", std::move(items)}};
}

Json Server::incomingCalls(const Json& params) {
  const auto symbol = symbolOfItem(params.value("item", Json()));
  if (!symbol) return nullptr;
  Json result = Json::array();
  for (const auto& snapshot : snapshotsThatMention(symbol->name)) {
    if (snapshot->loaded()) addCallers(View(*snapshot, encoding_), *symbol, result);
  }
  return result;
}

Json Server::outgoingCalls(const Json& params) {
  const auto symbol = symbolOfItem(params.value("item", Json()));
  if (!symbol || !symbol->path.starts_with('/')) return nullptr;
  const Snapshot snapshot(symbol->path, overlay(), 0);
  if (!snapshot.loaded()) return nullptr;
  return callees(View(snapshot, encoding_), *symbol);
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

/// Imports of files that are to be renamed, and of a renamed file itself.
Json Server::willRenameFiles(const Json& params) {
  std::map<std::string, std::string> moved;
  for (const Json& file : params.value("files", Json::array())) {
    moved[pathOf(file.value("oldUri", ""))] = pathOf(file.value("newUri", ""));
  }
  const auto relative = [](const std::string& from, const std::string& to) {
    std::string path = std::filesystem::path(to)
                           .lexically_relative(std::filesystem::path(from).parent_path())
                           .string();
    return path.starts_with(".") ? path : "./" + path;
  };
  Json changes = Json::object();
  for (const std::string& path : workspaceFiles()) {
    const Parsed parsed = parsedFile(path);
    const auto own = moved.find(path);
    for (const syntax::Decl* decl : parsed.tree->decls) {
      if (decl->kind != syntax::DeclKind::Import) continue;
      const auto& import = static_cast<const syntax::ImportDecl&>(*decl);
      if (import.isStd || !import.pathSpan.valid()) continue;
      const std::string target = joinPath(path, import.path);
      const auto to = moved.find(target);
      if (to == moved.end() && own == moved.end()) continue;
      const std::string made = relative(own == moved.end() ? path : own->second,
                                        to == moved.end() ? target : to->second);
      if (made == import.path) continue;
      const Range range = parsed.range(import.pathSpan, encoding_);
      changes[uriOf(path)].push_back(
          {{"range", toJson(range)}, {"newText", Json(made).dump()}});
    }
  }
  if (changes.empty()) return nullptr;
  return {{"changes", std::move(changes)}};
}

}  // namespace couler::lsp

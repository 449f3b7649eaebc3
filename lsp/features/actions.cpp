#include <algorithm>

#include "lsp/features/features.h"
#include "lsp/features/refactor.h"
#include "support/text.h"

namespace couler::lsp {

using namespace syntax;

namespace {

bool wants(const Json& params, std::string_view kind) {
  const auto context = params.find("context");
  if (context == params.end() || !context->is_object()) return true;
  const auto only = context->find("only");
  if (only == context->end() || !only->is_array() || only->empty()) return true;
  return std::any_of(only->begin(), only->end(), [&](const Json& one) {
    if (!one.is_string()) return false;
    const auto& prefix = one.get_ref<const std::string&>();
    return kind == prefix || (kind.starts_with(prefix) && kind[prefix.size()] == '.');
  });
}

/// All imports, standard ones first, by path, each once, with its names in order.
std::optional<std::vector<Edit>> organised(const Snapshot& snapshot) {
  std::vector<const ImportDecl*> imports;
  for (const Decl* decl : snapshot.tree(snapshot.root()).decls) {
    if (decl->kind == DeclKind::Import) imports.push_back(static_cast<const ImportDecl*>(decl));
  }
  if (imports.size() < 1) return std::nullopt;
  // Only what stands together: what is between two imports stays where it is.
  const std::string_view text = snapshot.text();
  for (std::size_t i = 1; i < imports.size(); ++i) {
    const std::uint32_t end = imports[i - 1]->span.end;
    const std::string_view between = text.substr(end, imports[i]->span.begin - end);
    if (between.find_first_not_of(" \t\r\n") != std::string_view::npos) return std::nullopt;
  }
  std::vector<Span> unused;
  for (const Diagnostic& d : snapshot.diagnostics()) {
    if (d.id == Diag::UnusedImport && d.at.file == snapshot.root()) unused.push_back(d.at);
  }
  const auto isUnused = [&](Span within) {
    return std::any_of(unused.begin(), unused.end(), [&](const Span& at) {
      return within.begin <= at.begin && at.end <= within.end;
    });
  };
  struct Line {
    bool user;
    std::string path, text;
    bool operator<(const Line& other) const {
      return std::tie(user, path, text) < std::tie(other.user, other.path, other.text);
    }
    bool operator==(const Line& other) const { return text == other.text; }
  };
  std::vector<Line> lines;
  for (const ImportDecl* one : imports) {
    std::string line = one->isStd ? "import std." + std::string(one->path)
                                  : "import " + jsonQuote(one->path);
    std::vector<std::string> names;
    for (const ImportedName& name : one->names) {
      if (isUnused(cover(name.name.span, name.alias.span))) continue;
      names.push_back(std::string(name.name.text) +
                      (name.alias.text.empty() ? "" : " as " + std::string(name.alias.text)));
    }
    if (one->hasNames && names.empty() && one->alias.text.empty()) continue;
    if (!one->hasNames && isUnused(one->span)) continue;
    std::sort(names.begin(), names.end());
    for (std::size_t i = 0; i < names.size(); ++i) line += (i == 0 ? " { " : ", ") + names[i];
    if (!names.empty()) line += " }";
    if (!one->alias.text.empty()) line += " as " + std::string(one->alias.text);
    lines.push_back({!one->isStd, std::string(one->path), std::move(line)});
  }
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  std::string made;
  for (const Line& line : lines) made += (made.empty() ? "" : "\n") + line.text;
  const Span all = cover(imports.front()->span, imports.back()->span);
  if (made == snapshot.sources().text(all)) return std::nullopt;
  return std::vector<Edit>{{all, std::move(made)}};
}

}  // namespace

Json codeAction(const View& view, const Json& params, const std::vector<ExportedName>* names) {
  const Snapshot& snapshot = view.snapshot();
  Json result = Json::array();
  const Json range = params.value("range", Json::object());
  const std::uint32_t from = view.offset(positionIn(range.value("start", Json())));
  const std::uint32_t to = view.offset(positionIn(range.value("end", Json())));
  if (wants(params, "quickfix")) {
    for (const Diagnostic& diagnostic : snapshot.diagnostics()) {
      if (diagnostic.at.file != snapshot.root() || diagnostic.at.end < from || diagnostic.at.begin > to)
        continue;
      for (const Fix& fix : diagnostic.fixes) {
        result.push_back({{"title", fix.title},
                          {"kind", "quickfix"},
                          {"isPreferred", diagnostic.fixes.size() == 1},
                          {"diagnostics", {diagnosticJson(view, diagnostic)}},
                          {"edit", workspaceEdit(view, fix.edits)}});
      }
      addRepairs(view, diagnostic, names, result);
    }
  }
  if (wants(params, "refactor.extract") || wants(params, "refactor.inline") ||
      wants(params, "refactor.rewrite")) {
    Json more = Json::array();
    Refactoring(view, from, to, more).run();
    for (Json& one : more) {
      if (wants(params, one["kind"].get_ref<const std::string&>())) result.push_back(std::move(one));
    }
  }
  if (wants(params, "source.fixAll")) {
    std::vector<Edit> edits;
    for (const Diagnostic& diagnostic : snapshot.diagnostics()) {
      if (diagnostic.at.file != snapshot.root() || diagnostic.fixes.size() != 1) continue;
      const std::vector<Edit>& more = diagnostic.fixes.front().edits;
      // Each must leave the others alone.
      const bool apart = std::all_of(more.begin(), more.end(), [&](const Edit& a) {
        return std::all_of(edits.begin(), edits.end(), [&](const Edit& b) {
          return a.at.file != b.at.file || a.at.end < b.at.begin || b.at.end < a.at.begin;
        });
      });
      if (apart) edits.insert(edits.end(), more.begin(), more.end());
    }
    if (!edits.empty()) {
      result.push_back({{"title", "fix all that can be fixed"},
                        {"kind", "source.fixAll"},
                        {"edit", workspaceEdit(view, edits)}});
    }
  }
  if (wants(params, "source.organizeImports")) {
    if (const auto edits = organised(snapshot)) {
      result.push_back({{"title", "organise imports"},
                        {"kind", "source.organizeImports"},
                        {"edit", workspaceEdit(view, *edits)}});
    }
  }
  return result;
}

}  // namespace couler::lsp

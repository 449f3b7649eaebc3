#include "lsp/features/library.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "frontend/session.h"
#include "lsp/features/describe.h"
#include "support/text.h"

namespace couler::lsp {

const std::vector<Importable>& libraryNames() {
  static const std::vector<Importable> names = [] {
    std::string text = "couler 1\n\n";
    for (const std::string_view module : stdlibModules()) text += fmt::format("import std.{}\n", module);
    Overlay overlay;
    overlay.emplace("untitled:library", std::make_shared<const std::string>(text));
    const Snapshot library("untitled:library", overlay, 0);
    std::vector<Importable> result;
    for (std::size_t i = 0; i < library.files(); ++i) {
      const FileId file{i};
      if (!library.builtIn(file)) continue;
      std::string_view module = library.sources().path(file);  // `<std>/text.cwl`
      module.remove_prefix(module.find('/') + 1);
      module.remove_suffix(std::string_view(".cwl").size());
      for (const auto& [name, id] : library.program().files[i].names) {
        const bool own = id.valid() && library.program().at(id).declared.file == file;
        if (!own || name.starts_with('_')) continue;
        const std::string doc = docOf(library, id);
        result.push_back({fmt::format("std.{}", module), std::string(name),
                          declarationText(library, id),
                          fmt::format("{}{}Imports `std.{}`.", doc, doc.empty() ? "" : "\n\n", module),
                          library.program().at(id).kind});
      }
    }
    return result;
  }();
  return names;
}

Importable importable(const ExportedName& name, std::string_view path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::string relative = std::filesystem::path(name.path).lexically_relative(folder).string();
  if (!relative.starts_with(".")) relative = "./" + relative;
  return {jsonQuote(relative), name.name, name.head, fmt::format("Imports `{}`.", relative),
          name.kind};
}

Json importEdit(const View& view, std::string_view text, const Importable& what) {
  const Snapshot& snapshot = view.snapshot();
  std::uint32_t at = 0;
  std::string made;
  const syntax::Decl* last = nullptr;
  for (const syntax::Decl* decl : snapshot.tree(snapshot.root()).decls) {
    if (decl->kind != syntax::DeclKind::Import) continue;
    last = decl;
    const auto& import = static_cast<const syntax::ImportDecl&>(*decl);
    const std::string from =
        import.isStd ? fmt::format("std.{}", import.path) : jsonQuote(import.path);
    if (from != what.from || import.names.empty()) continue;
    const syntax::ImportedName& behind = import.names.back();
    at = (behind.alias.text.empty() ? behind.name : behind.alias).span.end;
    made = fmt::format(", {}", what.name);
    break;
  }
  if (made.empty()) {
    const std::size_t edition = std::min(snapshot.text().find('\n'), snapshot.text().size());
    at = last != nullptr ? last->span.end : static_cast<std::uint32_t>(edition);
    made = fmt::format("{}import {} {{ {} }}", last != nullptr ? "\n" : "\n\n", what.from, what.name);
  }
  const Position place = Lines(text).position(text, TextShift(snapshot.text(), text).forward(at), view.encoding());
  return {{"range", toJson(Range{place, place})}, {"newText", made}};
}

}  // namespace couler::lsp

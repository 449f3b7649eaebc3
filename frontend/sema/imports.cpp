// Imports: names and modules of other files.
#include <algorithm>

#include "frontend/sema/checker.h"
#include "support/text.h"

namespace couler::sema {

using namespace syntax;

namespace {

bool isIdentifier(std::string_view text) {
  const auto isLetter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (text.empty() || !isLetter(text[0])) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return isLetter(c) || (c >= '0' && c <= '9'); });
}

/// `train` of "./models/train.cwl".
std::string_view stemOf(std::string_view path) {
  path.remove_prefix(std::min(path.size(), path.find_last_of('/') + 1));
  return path.substr(0, path.find('.'));
}

}  // namespace

void Checker::bindImport(FileId file, const Name& as, SymbolId symbol) {
  const auto [it, isNew] =
      top_[file.index()].try_emplace(as.text, TopName{symbol, as.span, true, 0});
  if (!isNew) {
    report(diagnose<Diag::DuplicateName>(as.span, as.text)
               .label(it->second.declared, "first declared here"));
  }
}

std::vector<std::string_view> Checker::exportsOf(FileId file) const {
  std::vector<std::string_view> names;
  for (const auto& [name, entry] : top_[file.index()]) {
    if (!entry.imported && name[0] != '_') names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void Checker::importInto(FileId file) {
  enter(file);
  for (const ImportEdge& edge : loaded_[file.index()].edges) {
    const ImportDecl& decl = *edge.decl;
    const bool known = edge.target.valid() && edge.target.index() < loaded_.size() &&
                       loaded_[edge.target.index()].tree != nullptr;
    if (known && decl.isStd) isStd_[edge.target.index()] = true;
    const auto poison = [&](const Name& name) {
      const SymbolId symbol =
          addSymbol(SymbolKind::Namespace, name, &decl, fileId_, TypeTable::kError, Phase::Compile);
      extra(symbol).poisoned = true;
      return symbol;
    };
    for (const ImportedName& item : decl.names) {
      const Name& as = item.alias.text.empty() ? item.name : item.alias;
      if (!known) {
        bindImport(file, as, poison(as));
        continue;
      }
      const auto& there = top_[edge.target.index()];
      const auto it = there.find(item.name.text);
      const std::string_view path = sources_.path(edge.target);
      if (it == there.end() || it->second.imported) {
        Diagnostic diagnostic = diagnose<Diag::UnknownExport>(item.name.span, path, item.name.text);
        if (const auto near = nearest(item.name.text, exportsOf(edge.target))) {
          diagnostic.caret = fmt::format("did you mean `{}`?", *near);
          diagnostic.fix(
              fmt::format("write `{}`", *near), item.name.span,
              item.alias.text.empty() ? fmt::format("{} as {}", *near, item.name.text) : *near);
        }
        report(std::move(diagnostic));
        bindImport(file, as, poison(as));
      } else if (item.name.text[0] == '_') {
        report(diagnose<Diag::PrivateName>(item.name.span, item.name.text, path)
                   .label(it->second.declared, "declared here; the leading `_` makes it private"));
        bindImport(file, as, it->second.symbol);
      } else {
        bindImport(file, as, it->second.symbol);
      }
    }
    if (decl.hasNames && decl.alias.text.empty()) continue;
    Name as = decl.alias;
    if (as.text.empty()) {
      as = {decl.isStd ? decl.path.substr(decl.path.find_last_of('.') + 1) : stemOf(decl.path),
            decl.pathSpan};
      if (!isIdentifier(as.text)) {
        report(diagnose<Diag::ImportWithoutName>(decl.pathSpan, decl.path)
                   .note("name what it takes, `import \"…\" { name }`, or give it a name, "
                         "`import \"…\" as name`"));
        continue;
      }
    }
    if (!known) {
      bindImport(file, as, poison(as));
      continue;
    }
    const SymbolId symbol =
        addSymbol(SymbolKind::Namespace, as, &decl, edge.target, TypeTable::kError, Phase::Compile);
    file_->declared[&decl] = symbol;
    bindImport(file, as, symbol);
  }
}

void Checker::reportImportCycles() {
  // Depth-first with a stack of its own; each file that closes a circle is reported once.
  enum class Mark : std::uint8_t { New, Open, Done };
  struct Visit {
    std::uint32_t file;
    std::size_t edge = 0;
  };
  std::vector<Mark> marks(loaded_.size(), Mark::New);
  for (std::uint32_t first = 0; first < loaded_.size(); ++first) {
    if (marks[first] != Mark::New) continue;
    std::vector<Visit> path{{first}};
    marks[first] = Mark::Open;
    while (!path.empty()) {
      Visit& top = path.back();
      const auto& edges = loaded_[top.file].edges;
      if (top.edge == edges.size()) {
        marks[top.file] = Mark::Done;
        path.pop_back();
        continue;
      }
      const ImportEdge& edge = edges[top.edge++];
      if (!edge.target.valid() || edge.target.index() >= loaded_.size()) continue;
      const std::uint32_t next = edge.target.index();
      if (marks[next] == Mark::New) {
        marks[next] = Mark::Open;
        path.push_back({next});
      } else if (marks[next] == Mark::Open) {
        auto from = path.begin();
        while (from->file != next) ++from;
        std::string circle;
        for (auto it = from; it != path.end(); ++it) {
          circle += fmt::format("`{}` → ", sources_.path(FileId(it->file)));
        }
        circle += fmt::format("`{}`", sources_.path(FileId(next)));
        Diagnostic diagnostic = diagnose<Diag::ImportCycle>(edge.decl->pathSpan, circle);
        for (auto it = from; it + 1 < path.end(); ++it) {
          diagnostic.label(loaded_[it->file].edges[it->edge - 1].decl->pathSpan, "and here");
        }
        report(std::move(diagnostic).note("move what both need into a third file"));
      }
    }
  }
}

SymbolId Checker::memberOf(SymbolId space, const Name& member, std::string_view kind) {
  use(space);
  if (extra(space).poisoned) return {};
  const Symbol& module = program_->at(space);
  const auto& there = top_[module.file.index()];
  const auto it = there.find(member.text);
  if (it == there.end() || it->second.imported) {
    Diagnostic diagnostic = diagnose<Diag::UnknownName>(
        member.span, kind, fmt::format("{}.{}", module.name, member.text));
    if (const auto near = nearest(member.text, exportsOf(module.file))) {
      diagnostic.caret = fmt::format("did you mean `{}`?", *near);
      diagnostic.fix(fmt::format("write `{}`", *near), member.span, *near);
    }
    report(std::move(diagnostic));
    return {};
  }
  if (member.text[0] == '_') {
    report(diagnose<Diag::PrivateName>(member.span, member.text, sources_.path(module.file))
               .label(it->second.declared, "declared here; the leading `_` makes it private"));
  }
  use(it->second.symbol);
  return it->second.symbol;
}

}  // namespace couler::sema

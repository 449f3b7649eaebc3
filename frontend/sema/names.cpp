// Symbols, scopes, look-up, suggestions.
#include <algorithm>

#include "frontend/sema/checker.h"
#include "support/text.h"

namespace couler::sema {

using namespace syntax;

std::string_view kindWord(SymbolKind kind) {
  switch (kind) {
    case SymbolKind::Namespace:
      return "module";
    case SymbolKind::Enum:
      return "enum";
    case SymbolKind::EnumCase:
      return "enum case";
    case SymbolKind::Schema:
      return "schema";
    case SymbolKind::Fn:
      return "fn";
    case SymbolKind::Task:
      return "task";
    case SymbolKind::Workflow:
      return "workflow";
    case SymbolKind::Transform:
      return "transform";
    case SymbolKind::Labeler:
      return "labeler";
    case SymbolKind::Target:
      return "target";
    case SymbolKind::Param:
      return "parameter";
    case SymbolKind::Output:
      return "output";
    case SymbolKind::Local:
      return "local";
    case SymbolKind::LoopVariable:
      return "loop variable";
    case SymbolKind::Column:
      return "column";
    case SymbolKind::BuiltinFn:
      return "built-in function";
  }
  return "name";
}

SymbolId Checker::addSymbol(SymbolKind kind, const Name& name, const Decl* decl, FileId file,
                            TypeId type, Phase phase) {
  Symbol symbol;
  symbol.kind = kind;
  symbol.name = name.text;
  symbol.declared = name.span;
  symbol.decl = decl;
  symbol.file = file;
  symbol.type = type;
  symbol.phase = phase;
  program_->symbols.push_back(symbol);
  extras_.emplace_back();
  return SymbolId(program_->symbols.size() - 1);
}

Signature* Checker::addSignature(SymbolId symbol) {
  program_->signatures.push_back(std::make_unique<Signature>());
  return program_->at(symbol).signature = program_->signatures.back().get();
}

void Checker::declareTopLevel(FileId file) {
  enter(file);
  const auto kindOf = [](DeclKind kind) -> std::optional<SymbolKind> {
    switch (kind) {
      case DeclKind::Enum:
        return SymbolKind::Enum;
      case DeclKind::Schema:
        return SymbolKind::Schema;
      case DeclKind::Fn:
        return SymbolKind::Fn;
      case DeclKind::Task:
        return SymbolKind::Task;
      case DeclKind::Workflow:
        return SymbolKind::Workflow;
      case DeclKind::Transform:
        return SymbolKind::Transform;
      case DeclKind::Labeler:
        return SymbolKind::Labeler;
      case DeclKind::Target:
        return SymbolKind::Target;
      case DeclKind::Import:
      case DeclKind::Test:
      case DeclKind::Error:
        return std::nullopt;
    }
    return std::nullopt;
  };
  auto& names = top_[file.index()];
  names.reserve(file_->tree->decls.size());
  for (const Decl* decl : file_->tree->decls) {
    const std::optional<SymbolKind> kind = kindOf(decl->kind);
    if (!kind || decl->name.text.empty()) continue;
    const SymbolId id = addSymbol(*kind, decl->name, decl, file, TypeTable::kError, Phase::Compile);
    file_->declared[decl] = id;
    if ((*kind == SymbolKind::Enum || *kind == SymbolKind::Schema) &&
        isBuiltinType(decl->name.text)) {
      report(diagnose<Diag::ReservedTypeName>(decl->name.span, decl->name.text));
    }
    if (*kind == SymbolKind::Fn || *kind == SymbolKind::Task || *kind == SymbolKind::Workflow ||
        *kind == SymbolKind::Schema || *kind == SymbolKind::Transform ||
        *kind == SymbolKind::Labeler) {
      addSignature(id);
    }
    if (*kind == SymbolKind::Enum) declareEnumCases(id, *static_cast<const EnumDecl*>(decl));
    const auto [it, isNew] = names.try_emplace(decl->name.text, TopName{id, decl->name.span});
    if (!isNew) {
      report(diagnose<Diag::DuplicateName>(decl->name.span, decl->name.text)
                 .label(it->second.declared, "first declared here"));
    }
  }
}

void Checker::declareEnumCases(SymbolId symbol, const EnumDecl& decl) {
  ir::Type type;
  type.kind = ir::TypeKind::Enum;
  type.name = decl.name.text;
  type.origin = sources_.path(fileId_);
  std::unordered_map<std::string_view, Span> seen;
  for (const EnumCase& item : decl.cases) {
    const auto [it, isNew] = seen.try_emplace(item.name.text, item.name.span);
    if (isNew) {
      type.cases.emplace_back(item.name.text);
    } else {
      report(diagnose<Diag::DuplicateName>(item.name.span, item.name.text)
                 .label(it->second, "first declared here"));
    }
  }
  const TypeId id = types().intern(std::move(type));
  program_->at(symbol).type = id;
  nominal_.emplace(id, symbol);
  std::vector<SymbolId>& cases = cases_[symbol];
  for (const EnumCase& item : decl.cases) {
    const SymbolId one =
        addSymbol(SymbolKind::EnumCase, item.name, &decl, fileId_, id, Phase::Compile);
    file_->declared[&item] = one;
    cases.push_back(one);
  }
}

SymbolId Checker::findTop(FileId file, std::string_view name) const {
  const auto& names = top_[file.index()];
  const auto it = names.find(name);
  return it == names.end() ? SymbolId{} : it->second.symbol;
}

SymbolId Checker::useTop(std::string_view name) {
  auto& names = top_[fileId_.index()];
  const auto it = names.find(name);
  if (it == names.end()) return {};
  ++it->second.uses;
  use(it->second.symbol);
  return it->second.symbol;
}

SymbolId Checker::findLocal(std::string_view name) const {
  const auto it = locals_.find(name);
  return it == locals_.end() ? SymbolId{} : it->second;
}

void Checker::pushScope() { scopes_.push_back(bound_.size()); }

void Checker::popScope() {
  const std::size_t size = scopes_.back();
  scopes_.pop_back();
  while (bound_.size() > size) {
    const Binding& last = bound_.back();
    if (last.before.valid()) {
      locals_[last.name] = last.before;
    } else {
      locals_.erase(last.name);
    }
    bound_.pop_back();
  }
}

void Checker::bindLocal(SymbolId symbol) {
  const std::string_view name = program_->at(symbol).name;
  const auto [it, isNew] = locals_.try_emplace(name, symbol);
  bound_.push_back({name, isNew ? SymbolId{} : it->second});
  it->second = symbol;
}

SymbolId Checker::declareLocal(SymbolKind kind, const Name& name, TypeId type, Phase phase) {
  const Decl* decl = owner_.valid() ? program_->at(owner_).decl : nullptr;
  const SymbolId before = findLocal(name.text);
  if (before.valid() && !name.text.empty()) {
    const Symbol& other = program_->at(before);
    const std::size_t scope = scopes_.empty() ? 0 : scopes_.back();
    const bool sameScope =
        std::any_of(bound_.begin() + static_cast<std::ptrdiff_t>(scope), bound_.end(),
                    [&](const Binding& b) { return b.name == name.text; });
    Diagnostic diagnostic =
        sameScope ? diagnose<Diag::DuplicateName>(name.span, name.text)
                  : diagnose<Diag::ShadowedLocal>(name.span, name.text, kindWord(other.kind));
    report(std::move(diagnostic).label(other.declared, "first declared here"));
  }
  const SymbolId symbol = addSymbol(kind, name, decl, fileId_, type, phase);
  extra(symbol).ofBody = place_ != Place::Finally;
  // A column of a taken name: what follows means the first.
  if (!before.valid() || place_ != Place::Row) bindLocal(symbol);
  return symbol;
}

void Checker::unknownName(std::string_view kind, const Name& name,
                          const std::vector<std::string_view>& candidates, std::string hint) {
  Diagnostic diagnostic = diagnose<Diag::UnknownName>(name.span, kind, name.text);
  if (const auto near = nearest(name.text, candidates)) {
    diagnostic.caret = fmt::format("did you mean `{}`?", *near);
    diagnostic.fix(fmt::format("write `{}`", *near), name.span, *near);
  } else if (!hint.empty()) {
    diagnostic.note(std::move(hint));
  }
  report(std::move(diagnostic));
}

std::vector<std::string_view> Checker::visibleNames(bool callee, TypeId expected) {
  std::vector<std::string_view> names;
  if (++suggestions_ > kMaxSuggestions) return names;
  const auto callable = [](SymbolKind kind) {
    return kind == SymbolKind::Fn || kind == SymbolKind::Task || kind == SymbolKind::Workflow ||
           kind == SymbolKind::Schema || kind == SymbolKind::Transform;
  };
  if (!callee) {
    for (const auto& [name, symbol] : locals_) names.push_back(name);
    const ir::Type* type = expected.valid() ? &types()[expected] : nullptr;
    if (type != nullptr && type->kind == ir::TypeKind::Optional) type = &types()[type->element];
    if (type != nullptr && type->kind == ir::TypeKind::Enum) {
      for (const std::string& one : type->cases) names.push_back(one);
    }
  }
  for (const auto& [name, entry] : top_[fileId_.index()]) {
    const SymbolKind kind = program_->at(entry.symbol).kind;
    if (callee ? callable(kind) : kind == SymbolKind::Enum || kind == SymbolKind::Namespace) {
      names.push_back(name);
    }
  }
  if (callee) {
    names.insert(names.end(), builtins_.begin(), builtins_.end());
  }
  // The tables are unordered and ties go to the earlier name.
  std::sort(names.begin(), names.end());
  return names;
}

std::string Checker::describe(SymbolId symbol) const {
  const Symbol& one = program_->at(symbol);
  return fmt::format("{} `{}`", kindWord(one.kind), one.name);
}

}  // namespace couler::sema

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "frontend/session_paths.h"
#include "ir/builtins.h"
#include "lsp/features/calls.h"
#include "lsp/features/completer.h"
#include "lsp/features/describe.h"
#include "lsp/features/postfix.h"

namespace couler::lsp {

using sema::SymbolId;
using sema::SymbolKind;

namespace {

constexpr std::array<std::string_view, 14> kValueWords = {
    "and", "or", "not", "in", "div", "if", "for", "loop", "try", "true", "false", "none", "tune", "after"};

}  // namespace

void Completer::variables() {
  const syntax::Decl* decl = declAt(snapshot_, old_);
  if (decl == nullptr || decl->kind != syntax::DeclKind::Task) return;
  for (const SymbolId id : visibleAt(snapshot_, old_)) {
    const SymbolKind kind = program_.at(id).kind;
    if (kind == SymbolKind::Param || kind == SymbolKind::Output) add(id, 1);
  }
}

void Completer::members() {
  SymbolId head;
  for (const SymbolId id : visibleAt(snapshot_, old_)) {
    if (program_.at(id).name == place_.chain.front().name) {
      head = id;
      break;
    }
  }
  const auto& own = program_.files[snapshot_.root().index()].names;
  if (!head.valid()) {
    if (const auto at = own.find(place_.chain.front().name); at != own.end()) head = at->second;
  }
  if (!head.valid()) return;
  ir::TypeId type = typeOf(program_.at(head), place_.chain.front());
  for (std::size_t i = 1; i < place_.chain.size(); ++i) {
    const Place::Link& link = place_.chain[i];
    const sema::Symbol& symbol = program_.at(head);
    if (i == 1 && symbol.kind == SymbolKind::Namespace && symbol.file.valid()) {
      const auto& names = program_.files[symbol.file.index()].names;
      const auto at = names.find(link.name);
      if (at == names.end() || !at->second.valid()) return;
      type = typeOf(program_.at(at->second), link);
      continue;
    }
    const auto field = fieldType(type, link.name);
    if (!field) return;
    type = indexed(*field, link.indexes);
  }
  if (place_.chain.size() == 1) {
    const sema::Symbol& symbol = program_.at(head);
    if (symbol.kind == SymbolKind::Namespace && symbol.file.valid()) {
      for (const auto& [name, id] : program_.files[symbol.file.index()].names) {
        if (id.valid() && program_.at(id).declared.file == symbol.file && !name.starts_with('_'))
          add(id, 1, name);
      }
      return;
    }
    if (symbol.kind == SymbolKind::Enum) {
      for (const std::string& one : program_.types[symbol.type].cases) add(one, kEnumMember, symbol.name);
      return;
    }
  }
  if (const ir::TypeId row = rowOf(type); row.valid()) {
    for (const ir::TypeField& field : program_.types[row].fields) {
      add(field.name, kField, program_.types.print(field.type));
    }
  }
  postfix(type);
}

void Completer::postfix(ir::TypeId type) {
  if (!snippets_) return;
  const syntax::Decl* decl = declAt(snapshot_, old_);
  const std::size_t line = text_.find_last_of("\n;{", place_.begin);
  const std::size_t from = line == std::string_view::npos ? 0 : line + 1;
  PostfixPlace at;
  at.value = text_.substr(place_.begin, place_.word - 1 - place_.begin);
  at.type = type;
  at.called = place_.chain.back().called && place_.chain.back().indexes == 0;
  at.inWorkflow = decl != nullptr && decl->kind == syntax::DeclKind::Workflow;
  at.startsStatement =
      text_.substr(from, place_.begin - from).find_first_not_of(" \t") == std::string_view::npos;
  if (at.value.ends_with('?')) return;  // of `?.`
  const Lines lines(text_);
  const auto range = [&](std::uint32_t begin, std::uint32_t end) {
    return toJson(Range{lines.position(text_, begin, view_.encoding()),
                        lines.position(text_, end, view_.encoding())});
  };
  for (const Postfix& one : postfixes(snapshot_, at)) {
    Json& item = add(one.word, kSnippet, one.shown, 9);
    if (item.empty()) continue;
    item["insertTextFormat"] = 2;
    item["textEdit"] = {{"range", range(place_.word, offset_)}, {"newText", one.snippet}};
    item["additionalTextEdits"] = {
        {{"range", range(place_.begin, place_.word)}, {"newText", ""}}};
  }
}

ir::TypeId Completer::typeOf(const sema::Symbol& symbol, const Place::Link& link) const {
  ir::TypeId type = symbol.type;
  if (link.called && symbol.signature != nullptr) type = symbol.signature->result;
  return indexed(type, link.indexes);
}

ir::TypeId Completer::indexed(ir::TypeId type, std::size_t times) const {
  for (; times > 0 && type.valid(); --times) type = program_.types[type].element;
  return type;
}

ir::TypeId Completer::rowOf(ir::TypeId type) const {
  while (type.valid() && program_.types[type].element.valid() &&
         program_.types.kind(type) != ir::TypeKind::Map) {
    type = program_.types[type].element;
  }
  return type;
}

std::optional<ir::TypeId> Completer::fieldType(ir::TypeId type, std::string_view name) const {
  type = rowOf(type);
  if (!type.valid()) return std::nullopt;
  const auto at = program_.types.fieldIndex(type, name);
  if (!at) return std::nullopt;
  return program_.types[type].fields[*at].type;
}

void Completer::arguments() {
  if (!place_.call) return;
  const SymbolId callee = calleeNamed(snapshot_, place_.call->callee, old_);
  if (!callee.valid() || program_.at(callee).signature == nullptr) return;
  const sema::Signature& signature = *program_.at(callee).signature;
  if (place_.call->atStart) {
    for (const sema::FieldInfo& param : signature.params) {
      if (place_.given.contains(std::string(param.name))) continue;
      Json& item = add(fmt::format("{}:", param.name), kProperty, program_.types.print(param.type), 0);
      if (!item.empty()) item["insertText"] = fmt::format("{}: ", param.name);
    }
  }
  // The cases of an enum, where one is wanted.
  const sema::FieldInfo* wanted = nullptr;
  for (std::size_t i = 0; i < signature.params.size(); ++i) {
    const bool named = !place_.call->name.empty();
    if (named ? signature.params[i].name == place_.call->name : i == place_.call->argument)
      wanted = &signature.params[i];
  }
  if (wanted == nullptr || !wanted->type.valid()) return;
  ir::TypeId type = wanted->type;
  if (program_.types.kind(type) == ir::TypeKind::Optional) type = program_.types[type].element;
  for (const std::string& one : program_.types[type].cases) {
    add(one, kEnumMember, program_.types[type].name, 0);
  }
}

void Completer::values() {
  for (const SymbolId id : visibleAt(snapshot_, old_)) {
    const SymbolKind kind = program_.at(id).kind;
    const bool local = kind == SymbolKind::Local || kind == SymbolKind::Param ||
                       kind == SymbolKind::LoopVariable || kind == SymbolKind::Column;
    if (kind != SymbolKind::Target && kind != SymbolKind::Output) add(id, local ? 1 : 2);
  }
  for (const auto& [name, id] : program_.files[snapshot_.root().index()].names) {
    if (id.valid() && program_.at(id).kind != SymbolKind::Target) add(id, 2, name);
  }
  for (const std::string_view name : ir::callableNames()) {
    const auto rows = ir::overloads(name);
    Json& item = add(name, kFunction, fmt::format("{}{}", name, rows.front()->signature), 6);
    document(item, std::string(rows.front()->doc));
  }
  for (const std::string_view word : kValueWords) add(word, kKeyword, "", 7);
  library();
}

void Completer::library() {
  for (const Importable& one : libraryNames()) {
    if (ir::overloads(one.name).empty()) offer(one, 8);
  }
  workspace(false);
}

void Completer::workspace(bool types) {
  constexpr std::size_t kLeast = 2;
  constexpr std::size_t kMost = 100;
  const std::string_view typed = text_.substr(place_.word, offset_ - place_.word);
  if (names_ == nullptr || names_->empty()) return;
  incomplete_ = true;  // another letter brings others
  if (typed.size() < kLeast) return;
  std::size_t left = kMost;
  for (const ExportedName& one : *names_) {
    const bool alike = one.name.size() >= typed.size() &&
                       std::equal(typed.begin(), typed.end(), one.name.begin(), [](char a, char b) {
                         return std::tolower(static_cast<unsigned char>(a)) ==
                                std::tolower(static_cast<unsigned char>(b));
                       });
    if (!alike || one.path == snapshot_.path() || (types && !isType(one.kind))) continue;
    offer(importable(one, snapshot_.path()), 8);
    if (--left == 0) return;
  }
}

void Completer::offer(const Importable& one, int rank) {
  Json& item = add(one.name, completionKindOf(one.kind), one.declaration, rank);
  if (item.empty()) return;
  document(item, one.doc);
  item["additionalTextEdits"] = {importEdit(view_, text_, one)};
}

void Completer::exports() {
  // The file of the import that stands here.
  const std::string path = place_.head.starts_with("std.")
                               ? "<std>/" + place_.head.substr(4) + ".cwl"
                               : joinPath(snapshot_.sources().path(snapshot_.root()), place_.head);
  for (std::size_t i = 0; i < snapshot_.files(); ++i) {
    const FileId file{i};
    if (snapshot_.sources().path(file) != path) continue;
    for (const auto& [name, id] : program_.files[i].names) {
      if (id.valid() && program_.at(id).declared.file == file && !name.starts_with('_')) {
        Json& item = add(name, completionKindOf(program_.at(id).kind), declarationText(snapshot_, id));
        document(item, docOf(snapshot_, id));
      }
    }
  }
}

}  // namespace couler::lsp

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "frontend/parse/words.h"
#include "frontend/session.h"
#include "frontend/session_paths.h"
#include "ir/builtins.h"
#include "lsp/features/calls.h"
#include "lsp/features/completion_place.h"
#include "lsp/features/describe.h"
#include "lsp/features/features.h"
#include "lsp/features/library.h"

namespace couler::lsp {

using sema::SymbolId;
using sema::SymbolKind;

namespace {

constexpr std::array<std::string_view, 11> kSimpleTypes = {
    "bool", "int", "float", "string", "timestamp", "duration", "size", "secret", "file", "dir", "none"};
constexpr std::array<std::string_view, 3> kGenericTypes = {"list", "map", "table"};
constexpr std::array<std::string_view, 4> kFormats = {"csv", "jsonl", "arrow", "parquet"};
constexpr std::array<std::string_view, 14> kValueWords = {
    "and", "or", "not", "in", "div", "if", "for", "loop", "try", "true", "false", "none", "tune", "after"};

enum ItemKind : int {
  kFunction = 3,
  kField = 5,
  kModule = 9,
  kProperty = 10,
  kUnit = 11,
  kEnumItem = 13,
  kKeyword = 14,
  kSnippet = 15,
  kFile = 17,
  kEnumMember = 20,
  kStruct = 22
};

class Completer {
 public:
  Completer(const View& view, std::string_view text, std::uint32_t offset, bool snippets)
      : view_(view),
        snapshot_(view.snapshot()),
        program_(snapshot_.program()),
        text_(text),
        place_(placeAt(text, offset)),
        old_(TextShift(snapshot_.text(), text).back(offset)),
        snippets_(snippets) {}

  Json run() {
    using enum Place::What;
    switch (place_.what) {
      case Nothing:
        break;
      case Declaration:
        declarations();
        break;
      case Type:
        types();
        break;
      case Format:
        for (const std::string_view one : kFormats) add(one, kKeyword, "a file's format");
        types();
        break;
      case Member:
        members();
        break;
      case Unit:
        for (const std::string_view one : parse::unitWords()) add(one, kUnit, "unit");
        break;
      case Settings:
        settings();
        break;
      case Engine:
        for (const sema::EngineSpec& engine : sema::engineTable()) add(engine.name, kModule, "engine");
        break;
      case TuneMethod:
        for (const sema::TuneMethodSpec& one : sema::tuneMethods()) add(one.name, kFunction, "search");
        break;
      case TunePrior:
        for (const sema::PriorSpec& one : sema::tunePriors()) add(one.name, kFunction, "prior");
        break;
      case ImportPath:
        paths(true);
        break;
      case FilePath:
        paths(false);
        break;
      case ImportModule:
        add("std", kModule, "the standard library");
        break;
      case StdModule:
        for (const std::string_view one : stdlibModules()) add(one, kModule, "std");
        break;
      case ImportName:
        exports();
        break;
      case TaskBody:
        for (const parse::Word& word : parse::taskWords()) add(word.text, kKeyword, "");
        break;
      case TransformBody:
        for (const parse::Word& word : parse::transformWords()) add(word.text, kKeyword, "");
        values();
        break;
      case Statement:
        for (const parse::Word& word : parse::statementWords()) add(word.text, kKeyword, "");
        values();
        break;
      case Value:
        arguments();
        values();
        break;
    }
    return {{"isIncomplete", false}, {"items", std::move(items_)}};
  }

 private:
  Json& add(std::string_view label, int kind, std::string_view detail, int rank = 5) {
    static Json ignored;
    if (label.empty() || !seen_.emplace(label).second) return ignored = Json::object();
    Json item{{"label", label}, {"kind", kind}, {"sortText", fmt::format("{}{}", rank, label)}};
    if (!detail.empty()) item["detail"] = detail;
    items_.push_back(std::move(item));
    return items_.back();
  }
  void document(Json& item, std::string doc) {
    if (!doc.empty()) item["documentation"] = {{"kind", "markdown"}, {"value", std::move(doc)}};
  }
  void add(SymbolId id, int rank, std::string_view name = {}) {
    const sema::Symbol& symbol = program_.at(id);
    const std::string_view label = name.empty() ? symbol.name : name;
    if (label.starts_with('_') && symbol.declared.file != snapshot_.root()) return;
    Json& item = add(label, completionKindOf(symbol.kind), declarationText(snapshot_, id), rank);
    document(item, docOf(snapshot_, id));
    const bool callable = symbol.kind == SymbolKind::Task || symbol.kind == SymbolKind::Workflow ||
                          symbol.kind == SymbolKind::Fn;
    if (callable && snippets_ && !item.empty() && !place_.parenFollows) {
      item["insertTextFormat"] = 2;
      item["insertText"] = fmt::format("{}($0)", label);
      item["command"] = {{"title", "parameters"}, {"command", "editor.action.triggerParameterHints"}};
    }
  }

  void declarations() {
    struct Form {
      std::string_view word, body;
    };
    constexpr std::array<Form, 11> kForms = {{
        {"import", "import \"./$1.cwl\" { $0 }"},
        {"enum", "enum $1 { $0 }"},
        {"schema", "schema $1 {\n    $0\n}"},
        {"fn", "fn $1($2) = $0"},
        {"task", "task $1($2) -> ($3) {\n    run sh \"\"\"\n        $0\n        \"\"\"\n}"},
        {"volatile", "volatile task $1($2) -> ($3) {\n    run [\"$0\"]\n}"},
        {"workflow", "workflow $1($2) -> ($3) {\n    $0\n}"},
        {"transform", "transform $1(row: $2) {\n    $0\n}"},
        {"labeler", "labeler $1(row: $2) -> $3 {\n    $0\n}"},
        {"target", "target $1 = ${2:argo} {\n    $0\n}"},
        {"test", "test \"$1\" {\n    expect $0\n}"},
    }};
    for (const Form& form : kForms) {
      Json& item = add(form.word, snippets_ ? kSnippet : kKeyword, "");
      if (!snippets_) continue;
      item["insertTextFormat"] = 2;
      item["insertText"] = form.body;
    }
  }

  void types() {
    for (const std::string_view one : kSimpleTypes) add(one, kStruct, "type");
    for (const std::string_view one : kGenericTypes) {
      Json& item = add(one, kStruct, "type");
      if (!snippets_ || item.empty()) continue;
      item["insertTextFormat"] = 2;
      item["insertText"] = fmt::format("{}<$0>", one);
    }
    for (const auto& [name, id] : program_.files[snapshot_.root().index()].names) {
      if (!id.valid()) continue;
      const SymbolKind kind = program_.at(id).kind;
      if (kind == SymbolKind::Enum || kind == SymbolKind::Schema || kind == SymbolKind::Transform ||
          kind == SymbolKind::Namespace) {
        add(id, 1, name);
      }
    }
  }

  void settings() {
    std::span<const sema::SettingSpec> specs;
    if (place_.head == "resources") {
      specs = sema::resourceSettings();
    } else if (place_.head == "retry") {
      specs = sema::retrySettings();
    } else if (place_.head == "s3") {
      specs = sema::s3Settings();
    } else if (const sema::EngineSpec* engine = sema::findEngine(place_.head)) {
      specs = engine->settings;
    } else {
      for (const sema::TuneMethodSpec& one : sema::tuneMethods()) {
        if (one.name == place_.head) specs = one.settings;
      }
      for (const sema::PriorSpec& one : sema::tunePriors()) {
        if (one.name == place_.head) specs = one.settings;
      }
    }
    for (const sema::SettingSpec& one : specs) {
      Json& item = add(one.name, kProperty, one.doc);
      if (!item.empty()) item["insertText"] = std::string(one.name) + ": ";
    }
  }

  /// What a chain of names, calls and indexes is.
  void members() {
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
    type = rowOf(type);
    if (!type.valid()) return;
    const ir::Type& found = program_.types[type];
    for (const ir::TypeField& field : found.fields) {
      add(field.name, kField, program_.types.print(field.type));
    }
  }
  ir::TypeId typeOf(const sema::Symbol& symbol, const Place::Link& link) const {
    ir::TypeId type = symbol.type;
    if (link.called && symbol.signature != nullptr) type = symbol.signature->result;
    return indexed(type, link.indexes);
  }
  ir::TypeId indexed(ir::TypeId type, std::size_t times) const {
    for (; times > 0 && type.valid(); --times) type = program_.types[type].element;
    return type;
  }
  /// Of optionals, lists and tables, what is in them: `.` works on each.
  ir::TypeId rowOf(ir::TypeId type) const {
    while (type.valid() && program_.types[type].element.valid() &&
           program_.types.kind(type) != ir::TypeKind::Map) {
      type = program_.types[type].element;
    }
    return type;
  }
  std::optional<ir::TypeId> fieldType(ir::TypeId type, std::string_view name) const {
    type = rowOf(type);
    if (!type.valid()) return std::nullopt;
    const auto at = program_.types.fieldIndex(type, name);
    if (!at) return std::nullopt;
    return program_.types[type].fields[*at].type;
  }

  /// Arguments that the call has not got yet, by name.
  void arguments() {
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

  void values() {
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

  void library() {
    for (const LibraryName& one : libraryNames()) {
      if (!ir::overloads(one.name).empty()) continue;
      Json& item = add(one.name, kFunction, one.declaration, 8);
      if (item.empty()) continue;
      document(item, one.doc);
      item["additionalTextEdits"] = {importEdit(view_, text_, one)};
    }
  }

  void exports() {
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

  void paths(bool programs) {
    const std::string own(snapshot_.sources().path(snapshot_.root()));
    if (!own.starts_with('/')) return;
    const std::size_t slash = place_.head.rfind('/');
    const std::string typed = slash == std::string::npos ? "" : place_.head.substr(0, slash + 1);
    const std::string folder = joinPath(own, typed.empty() ? "." : typed);
    std::error_code error;
    std::size_t left = 500;  // a folder of a million files is no menu
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end && left > 0;
         at.increment(error), --left) {
      const std::string name = at->path().filename().string();
      const bool isFolder = at->is_directory(error);
      if (name.starts_with('.') || (programs && !isFolder && !name.ends_with(".cwl"))) continue;
      if (programs && at->path() == own) continue;
      add(isFolder ? name + "/" : name, isFolder ? 19 : kFile, "");
    }
  }

  const View& view_;
  const Snapshot& snapshot_;
  const sema::Program& program_;
  std::string_view text_;
  Place place_;
  std::uint32_t old_;  // the place in the snapshot's text
  bool snippets_;
  std::set<std::string, std::less<>> seen_;
  Json items_ = Json::array();
};

}  // namespace

Json completion(const View& view, std::string_view text, const Json& params, bool snippets) {
  const Lines lines(text);
  const std::uint32_t offset =
      lines.offset(text, positionIn(params.value("position", Json())), view.encoding());
  return Completer(view, text, offset, snippets).run();
}

Json completionOptions() {
  return {{"triggerCharacters", {".", "\"", "/", "<", "(", "{"}}, {"resolveProvider", false}};
}

}  // namespace couler::lsp

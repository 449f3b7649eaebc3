#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "frontend/parse/words.h"
#include "frontend/session.h"
#include "frontend/session_paths.h"
#include "lsp/features/completer.h"
#include "lsp/features/describe.h"
#include "lsp/workspace/uri.h"

namespace couler::lsp {

using sema::SymbolId;
using sema::SymbolKind;

namespace {

constexpr std::array<std::string_view, 11> kSimpleTypes = {
    "bool", "int", "float", "string", "timestamp", "duration", "size", "secret", "file", "dir", "none"};
constexpr std::array<std::string_view, 3> kGenericTypes = {"list", "map", "table"};
constexpr std::array<std::string_view, 4> kFormats = {"csv", "jsonl", "arrow", "parquet"};

}  // namespace

Completer::Completer(const View& view, std::string_view text, std::uint32_t offset, bool snippets,
                     const std::vector<ExportedName>* names)
    : view_(view),
      snapshot_(view.snapshot()),
      program_(snapshot_.program()),
      text_(text),
      offset_(offset),
      place_(placeAt(text, offset)),
      old_(TextShift(snapshot_.text(), text).back(offset)),
      snippets_(snippets),
      names_(names) {}

Json Completer::run() {
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
    case Script:
      variables();
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
  return {{"isIncomplete", incomplete_}, {"items", std::move(items_)}};
}

Json& Completer::add(std::string_view label, int kind, std::string_view detail, int rank) {
  static Json ignored;
  if (label.empty() || !seen_.emplace(label).second) return ignored = Json::object();
  Json item{{"label", label}, {"kind", kind}, {"sortText", fmt::format("{}{}", rank, label)}};
  if (!detail.empty()) item["detail"] = detail;
  items_.push_back(std::move(item));
  return items_.back();
}

void Completer::document(Json& item, std::string doc) {
  if (!doc.empty()) item["documentation"] = {{"kind", "markdown"}, {"value", std::move(doc)}};
}

void Completer::add(SymbolId id, int rank, std::string_view name) {
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

void Completer::declarations() {
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

void Completer::types() {
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
    if (isType(kind) || kind == SymbolKind::Namespace) add(id, 1, name);
  }
  workspace(true);
}

bool Completer::isType(SymbolKind kind) {
  return kind == SymbolKind::Enum || kind == SymbolKind::Schema || kind == SymbolKind::Transform;
}

void Completer::settings() {
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

void Completer::paths(bool programs) {
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
    if (name.starts_with('.') || (programs && !isFolder && !isProgram(name))) continue;
    if (programs && at->path() == own) continue;
    add(isFolder ? name + "/" : name, isFolder ? 19 : kFile, "");
  }
}

Json completion(const View& view, std::string_view text, const Json& params, bool snippets,
                const std::vector<ExportedName>* names) {
  const Lines lines(text);
  const std::uint32_t offset =
      lines.offset(text, positionIn(params.value("position", Json())), view.encoding());
  return Completer(view, text, offset, snippets, names).run();
}

Json completionOptions() {
  return {{"triggerCharacters", {".", "\"", "/", "<", "(", "{"}}, {"resolveProvider", true}};
}

}  // namespace couler::lsp

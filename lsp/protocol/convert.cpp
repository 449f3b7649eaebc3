#include "lsp/protocol/convert.h"

#include <algorithm>

#include "lsp/workspace/uri.h"

namespace couler::lsp {

const Json& member(const Json& object, const char* name) {
  static const Json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(name);
  return found == object.end() ? kNone : *found;
}

Json toJson(Position at) { return {{"line", at.line}, {"character", at.character}}; }
Json toJson(Range range) { return {{"start", toJson(range.start)}, {"end", toJson(range.end)}}; }

Position positionIn(const Json& object) {
  const auto number = [](const Json& at, const char* name) -> std::uint32_t {
    const auto found = at.find(name);
    if (found == at.end() || !found->is_number_integer()) return 0;
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(found->get<std::int64_t>(), 0, 0x7fffffff));
  };
  if (!object.is_object()) return {};
  return {number(object, "line"), number(object, "character")};
}

Range View::range(Span span) const {
  const std::string_view text = snapshot_.sources().text(span.file);
  const Lines& lines = snapshot_.lines(span.file);
  return {lines.position(text, span.begin, encoding_), lines.position(text, span.end, encoding_)};
}

std::string View::uri(FileId file) const {
  const std::string_view path = snapshot_.sources().path(file);
  if (!snapshot_.builtIn(file)) return uriOf(path);
  // `<std>/text.cwl`: text that the client asks the server for (`couler/standardModule`).
  return "couler-std:/" + std::string(path.substr(path.find('/') + 1));
}

Json View::location(Span span) const {
  return {{"uri", uri(span.file)}, {"range", toJson(range(span))}};
}

std::uint32_t View::offset(Position at) const {
  return snapshot_.lines(snapshot_.root()).offset(snapshot_.text(), at, encoding_);
}

Json diagnosticJson(const View& view, const Diagnostic& diagnostic) {
  Json json;
  json["range"] = diagnostic.at.valid() ? toJson(view.range(diagnostic.at)) : toJson(Range{});
  const bool hint = diagnostic.id == Diag::CommonWorkflowLanguage;
  json["severity"] = hint                                         ? 3
                     : diagnostic.severity == Severity::Error     ? 1
                     : diagnostic.severity == Severity::Warning   ? 2
                                                                  : 4;
  json["code"] = diagnostic.code();
  json["source"] = "couler";
  std::string message = diagnostic.message;
  if (!diagnostic.caret.empty()) message += "\n" + diagnostic.caret;
  for (const std::string& note : diagnostic.notes) message += "\n" + note;
  json["message"] = std::move(message);
  switch (diagnostic.id) {
    case Diag::UnusedImport:
    case Diag::UnusedLocal:
    case Diag::UnusedPrivate:
    case Diag::UnusedResult:
    case Diag::UnusedValue:
      json["tags"] = {1};  // unnecessary: shown faded
      break;
    default:
      break;
  }
  Json related = Json::array();
  for (const Label& label : diagnostic.labels) {
    if (!label.at.valid()) continue;
    related.push_back({{"location", view.location(label.at)}, {"message", label.text}});
  }
  if (!related.empty()) json["relatedInformation"] = std::move(related);
  return json;
}

Json workspaceEdit(const View& view, const std::vector<Edit>& edits) {
  Json changes = Json::object();
  for (const Edit& edit : edits) {
    changes[view.uri(edit.at.file)].push_back(
        {{"range", toJson(view.range(edit.at))}, {"newText", edit.text}});
  }
  return {{"changes", std::move(changes)}};
}

}  // namespace couler::lsp

#include <map>

#include <nlohmann/json.hpp>

#include "support/render.h"

namespace couler {
namespace {

using Json = nlohmann::ordered_json;

Json position(const SourceManager& sources, FileId file, std::uint32_t offset) {
  const LineColumn at = sources.lineColumn(file, offset);
  return {{"line", at.line}, {"column", at.column}, {"offset", offset}};
}

Json place(const SourceManager& sources, Span at) {
  if (!at.valid()) return {{"file", nullptr}, {"range", nullptr}};
  return {{"file", sources.path(at.file)},
          {"range",
           {{"start", position(sources, at.file, at.begin)},
            {"end", position(sources, at.file, at.end)}}}};
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json sarifRegion(const SourceManager& sources, Span at) {
  const LineColumn begin = sources.lineColumn(at.file, at.begin);
  const LineColumn end = sources.lineColumn(at.file, at.end);
  return {{"startLine", begin.line}, {"startColumn", begin.column}, {"endLine", end.line},
          {"endColumn", end.column}, {"byteOffset", at.begin},      {"byteLength", at.size()}};
}

Json sarifPlace(const SourceManager& sources, Span at) {
  return {{"artifactLocation", {{"uri", sources.path(at.file)}}},
          {"region", sarifRegion(sources, at)}};
}

Json sarifFix(const SourceManager& sources, const Fix& fix) {
  std::map<FileId, Json> changes;
  for (const Edit& edit : fix.edits) {
    Json& replacements = changes.emplace(edit.at.file, Json::array()).first->second;
    replacements.push_back({{"deletedRegion", sarifRegion(sources, edit.at)},
                            {"insertedContent", {{"text", edit.text}}}});
  }
  Json list = Json::array();
  for (auto& [file, replacements] : changes) {
    list.push_back({{"artifactLocation", {{"uri", sources.path(file)}}},
                    {"replacements", std::move(replacements)}});
  }
  return {{"description", {{"text", fix.title}}}, {"artifactChanges", std::move(list)}};
}

std::string_view sarifLevel(Severity severity) {
  return severity == Severity::Remark ? "note" : wordOf(severity);
}

}  // namespace

std::string renderJson(const std::vector<Diagnostic>& diagnostics, const SourceManager& sources) {
  std::string out;
  for (const Diagnostic& d : diagnostics) {
    Json row{{"code", d.code()}, {"severity", wordOf(d.severity)}};
    row.update(place(sources, d.at));
    row["message"] = d.message;
    row["labels"] = Json::array();
    if (!d.caret.empty()) {
      Json label = place(sources, d.at);
      label["text"] = d.caret;
      row["labels"].push_back(std::move(label));
    }
    for (const Label& l : d.labels) {
      Json label = place(sources, l.at);
      label["text"] = l.text;
      row["labels"].push_back(std::move(label));
    }
    row["notes"] = d.notes;
    row["fixes"] = Json::array();
    for (const Fix& fix : d.fixes) {
      Json edits = Json::array();
      for (const Edit& edit : fix.edits) {
        Json one = place(sources, edit.at);
        one["text"] = edit.text;
        edits.push_back(std::move(one));
      }
      row["fixes"].push_back({{"title", fix.title}, {"edits", std::move(edits)}});
    }
    out += dump(row) + "\n";
  }
  return out;
}

std::string renderSarif(const std::vector<Diagnostic>& diagnostics, const SourceManager& sources) {
  std::map<std::string, Json> rules;
  Json results = Json::array();
  for (const Diagnostic& d : diagnostics) {
    if (!rules.contains(d.code())) {
      for (const DiagInfo& info : diagnosticTable()) {
        if (info.id != d.id) continue;
        rules[d.code()] = {{"id", d.code()},
                           {"name", info.name},
                           {"defaultConfiguration", {{"level", sarifLevel(info.severity)}}}};
      }
    }
    Json result{{"ruleId", d.code()},
                {"level", sarifLevel(d.severity)},
                {"message", {{"text", d.message}}}};
    if (d.at.valid()) {
      result["locations"] = Json::array({Json{{"physicalLocation", sarifPlace(sources, d.at)}}});
    }
    for (const Label& l : d.labels) {
      if (!l.at.valid()) continue;
      result["relatedLocations"].push_back(
          {{"physicalLocation", sarifPlace(sources, l.at)}, {"message", {{"text", l.text}}}});
    }
    for (const Fix& fix : d.fixes) result["fixes"].push_back(sarifFix(sources, fix));
    results.push_back(std::move(result));
  }
  Json ruleList = Json::array();
  for (auto& [code, rule] : rules) ruleList.push_back(std::move(rule));
  const Json log{
      {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
      {"version", "2.1.0"},
      {"runs", Json::array({Json{{"tool", {{"driver", {{"name", "couler"}, {"rules", ruleList}}}}},
                                 {"columnKind", "unicodeCodePoints"},
                                 {"results", std::move(results)}}})}};
  return log.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace couler

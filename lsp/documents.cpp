#include <algorithm>

#include <fmt/format.h>

#include "lsp/server.h"
#include "lsp/workspace/uri.h"

// Documents: what the client has open, when it is analysed, what is found in it.
namespace couler::lsp {

namespace {

std::string uriIn(const Json& params) {
  const Json& uri = member(member(params, "textDocument"), "uri");
  return uri.is_string() ? uri.get<std::string>() : std::string();
}

}  // namespace

Server::Document* Server::find(const Json& params) {
  const auto at = documents_.find(pathOf(uriIn(params)));
  return at == documents_.end() ? nullptr : &at->second;
}

Overlay Server::overlay() const {
  Overlay result;
  for (const auto& [path, document] : documents_) result.emplace(path, document.text);
  return result;
}

Workspace Server::workspace() const { return {roots_, overlay(), encoding_}; }

bool Server::current(const Document& document) const {
  return document.snapshot && document.snapshot->version() == document.revision;
}

void Server::analyse(const std::string& path) {
  Document& document = documents_.at(path);
  document.revision = ++revision_;
  analyst_->order(path, overlay(), document.revision);
}

/// A file is another now: all documents that read it are to be looked at again.
void Server::changed(const std::string& path) {
  for (auto& [other, document] : documents_) {
    if (other != path && document.snapshot && document.snapshot->reads(path)) analyse(other);
  }
  // Last, so that it comes first.
  if (documents_.contains(path)) analyse(path);
}

void Server::didOpen(const Json& params) {
  const std::string uri = uriIn(params);
  const Json& text = member(member(params, "textDocument"), "text");
  if (uri.empty() || !text.is_string()) return;
  Document& document = documents_[pathOf(uri)];
  document.uri = uri;
  document.text = std::make_shared<const std::string>(text.get<std::string>());
  const Json& version = member(member(params, "textDocument"), "version");
  document.version = version.is_number_integer() ? version.get<std::int64_t>() : 0;
  changed(pathOf(uri));
}

void Server::didChange(const Json& params) {
  Document* document = find(params);
  const Json& changes = member(params, "contentChanges");
  if (document == nullptr || !changes.is_array()) return;
  std::string text = *document->text;
  for (const Json& change : changes) {
    const Json& with = member(change, "text");
    if (!with.is_string()) continue;
    const Json& range = member(change, "range");
    if (!range.is_object()) {
      text = with.get<std::string>();
      continue;
    }
    const Lines lines(text);
    const std::uint32_t begin = lines.offset(text, positionIn(member(range, "start")), encoding_);
    const std::uint32_t end = lines.offset(text, positionIn(member(range, "end")), encoding_);
    if (end < begin) continue;
    text.replace(begin, end - begin, with.get_ref<const std::string&>());
  }
  document->text = std::make_shared<const std::string>(std::move(text));
  const Json& version = member(member(params, "textDocument"), "version");
  if (version.is_number_integer()) document->version = version.get<std::int64_t>();
  changed(pathOf(document->uri));
}

void Server::didClose(const Json& params) {
  const std::string path = pathOf(uriIn(params));
  if (documents_.erase(path) == 0) return;
  analyst_->forget(path);
  tokens_.erase(path);
  for (const std::string& uri : published_[path]) {
    found_[uri].erase(path);
    Json all = Json::array();
    for (const auto& [from, list] : found_[uri]) {
      for (const Json& one : list) all.push_back(one);
    }
    notify("textDocument/publishDiagnostics", {{"uri", uri}, {"diagnostics", std::move(all)}});
  }
  published_.erase(path);
  changed(path);
  answerWaiting();
}

/// By URI; the document's own is always among them.
std::map<std::string, Json> Server::diagnosticsOf(const Snapshot& snapshot) const {
  std::map<std::string, Json> result;
  const std::string own = documents_.at(snapshot.path()).uri;
  result[own] = Json::array();
  const View view(snapshot, encoding_);
  const auto add = [&](const Diagnostic& one) {
    if (one.severity == Severity::Remark) return;
    const bool ownFile = !one.at.valid() || one.at.file == snapshot.root();
    result[ownFile ? own : view.uri(one.at.file)].push_back(diagnosticJson(view, one));
  };
  for (const Diagnostic& one : snapshot.diagnostics()) add(one);
  for (const Diagnostic& one : scriptWarnings(snapshot, scripts_)) add(one);
  return result;
}

/// What was found, to the client. A file that is open says itself what is wrong in it; one that is
/// not, by those that import it.
void Server::publish(const std::string& path) {
  const Document& document = documents_.at(path);
  std::map<std::string, Json> found = diagnosticsOf(*document.snapshot);
  std::set<std::string> before = std::move(published_[path]);
  std::set<std::string>& now = published_[path];
  for (auto& [uri, list] : found) {
    if (uri != document.uri && documents_.contains(pathOf(uri))) continue;
    now.insert(uri);
    before.erase(uri);
    found_[uri][path] = std::move(list);
  }
  const auto tell = [&](const std::string& uri) {
    Json all = Json::array();
    for (const auto& [from, list] : found_[uri]) {
      for (const Json& one : list) {
        // Two that import a file find the same in it.
        if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
      }
    }
    Json params{{"uri", uri}, {"diagnostics", std::move(all)}};
    if (uri == document.uri) params["version"] = document.version;
    notify("textDocument/publishDiagnostics", std::move(params));
  };
  for (const std::string& uri : now) tell(uri);
  for (const std::string& uri : before) {
    found_[uri].erase(path);
    tell(uri);
  }
}

std::string Server::resultId(const Document& document) const {
  return fmt::format("{}.{}", document.revision, scriptsRevision_);
}

Json Server::pullDiagnostics(const Json& params, Document& document) {
  const std::string id = resultId(document);
  const Json& previous = member(params, "previousResultId");
  if (previous == id) return {{"kind", "unchanged"}, {"resultId", id}};
  std::map<std::string, Json> found = diagnosticsOf(*document.snapshot);
  Json result{{"kind", "full"}, {"resultId", id}, {"items", std::move(found[document.uri])}};
  Json related = Json::object();
  for (auto& [uri, list] : found) {
    if (uri == document.uri || documents_.contains(pathOf(uri))) continue;
    related[uri] = {{"kind", "full"}, {"items", std::move(list)}};
  }
  if (!related.empty()) result["relatedDocuments"] = std::move(related);
  return result;
}

}  // namespace couler::lsp

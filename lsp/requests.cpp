#include <unordered_map>

#include <fmt/format.h>

#include "frontend/session.h"
#include "lsp/rpc/errors.h"
#include "lsp/server.h"

// Which function answers which request.
namespace couler::lsp {

Json Server::request(const std::string& method, const Json& params, const Json& id) {
  const auto refuse = [&](int code, std::string_view why) {
    fail(id, code, why);
    return answeredElsewhere();
  };
  if (method == "initialize") {
    return initialized_ ? refuse(kInvalidRequest, "`initialize` comes once") : initialize(params);
  }
  if (auto now = answerAtOnce(method, params, id)) return std::move(*now);
  Answer answer = answerTo(method, params, id);
  if (!answer.make) {
    return refuse(kMethodNotFound, fmt::format("there is no request `{}`", method));
  }
  return soon(params, id, answer.fresh, std::move(answer.make));
}

/// Those that wait for no analysis of a document.
std::optional<Json> Server::answerAtOnce(const std::string& method, const Json& params,
                                         const Json& id) {
  if (method == "shutdown") {
    shutDown_ = true;
    return Json();
  }
  if (method == "workspace/symbol") return workspaceSymbol(params, id);
  if (method == "workspace/diagnostic") return workspaceDiagnostics(params, id);
  if (method == "callHierarchy/incomingCalls") return incomingCalls(params, id);
  if (method == "callHierarchy/outgoingCalls") return outgoingCalls(params, id);
  if (method == "workspace/willRenameFiles") return willRenameFiles(params, id);
  if (method == "completionItem/resolve") return resolve(params);
  if (method == "couler/standardModule") {
    const auto text = stdlibText(params.value("module", ""));
    return text ? Json(*text) : Json();
  }
  // How a text is laid out is known from the text.
  using Layout = Json (*)(std::string_view text, Encoding encoding, const Json& params);
  static const std::unordered_map<std::string_view, Layout> kLayouts = {
      {"textDocument/formatting", formatting},
      {"textDocument/rangeFormatting", rangeFormatting},
      {"textDocument/onTypeFormatting", onTypeFormatting},
  };
  if (const auto layout = kLayouts.find(method); layout != kLayouts.end()) {
    const Document* document = find(params);
    return document == nullptr ? Json() : layout->second(*document->text, encoding_, params);
  }
  return std::nullopt;
}

Server::Answer Server::answerTo(const std::string& method, const Json& params, const Json& id) {
  static const std::unordered_map<std::string_view, Feature> kFeatures = {
      {"textDocument/hover", hover},
      {"textDocument/definition", definition},
      {"textDocument/declaration", definition},
      {"textDocument/typeDefinition", typeDefinition},
      {"textDocument/documentHighlight", documentHighlight},
      {"textDocument/documentSymbol", documentSymbol},
      {"textDocument/documentLink", documentLink},
      {"textDocument/foldingRange", foldingRange},
      {"textDocument/selectionRange", selectionRange},
      {"textDocument/prepareRename", prepareRename},
      {"textDocument/implementation", implementation},
      {"textDocument/prepareCallHierarchy", prepareCallHierarchy},
      {"textDocument/semanticTokens/range", semanticTokens},
  };
  /// From a snapshot that could be read.
  const auto of = [this](auto make) {
    return [this, make](Document& document) -> Json {
      if (!document.snapshot->loaded()) return nullptr;
      return make(document, View(*document.snapshot, encoding_));
    };
  };
  if (const auto row = kFeatures.find(method); row != kFeatures.end()) {
    return {of([feature = row->second, params](Document&, const View& view) {
      return feature(view, params);
    })};
  }
  if (method == "textDocument/diagnostic") {
    return {[this, params](Document& document) { return pullDiagnostics(params, document); }};
  }
  if (method == "couler/graph") {
    return {[this, params](Document& document) { return drawGraph(params, document); }};
  }
  if (method == "textDocument/references") {
    return {[this, params, id](Document& document) { return references(params, id, document); }};
  }
  if (method == "textDocument/rename") {
    return {[this, params, id](Document& document) { return rename(params, id, document); }};
  }
  if (method == "textDocument/inlayHint") {
    return {of([params](Document& document, const View& view) {
      return inlayHint(view, params, document.outlook);
    })};
  }
  if (method == "textDocument/codeLens") {
    return {of([](Document& document, const View& view) { return codeLens(view, document.outlook); })};
  }
  if (method == "textDocument/codeAction") {
    return {of([this, params](Document&, const View& view) {
      return codeAction(view, params, &names_);
    })};
  }
  if (method == "textDocument/completion") {
    return {of([this, params](Document& document, const View&) { return complete(document, params); }),
            Fresh::Any};
  }
  if (method == "textDocument/signatureHelp") {
    return {of([this, params](Document& document, const View& view) {
              Json result = signatureHelp(view, *document.text, params);
              if (!result.is_null() || document.sound == document.snapshot) return result;
              return signatureHelp(View(*document.sound, encoding_), *document.text, params);
            }),
            Fresh::Any};
  }
  const bool whole = method == "textDocument/semanticTokens/full";
  if (whole || method == "textDocument/semanticTokens/full/delta") {
    return {of([this, params, whole](Document& document, const View&) {
      return tokens(document, params, whole);
    })};
  }
  return {};
}

Json Server::complete(const Document& document, const Json& params) {
  const auto ask = [&](const Snapshot& snapshot) {
    return completion(View(snapshot, encoding_), *document.text, params, client_.snippets,
                      &names_);
  };
  Json result = ask(*document.snapshot);
  // What is being typed may have cost the parser the declaration around it.
  if (result["items"].empty() && document.sound != document.snapshot) result = ask(*document.sound);
  if (!client_.resolvesLater) return result;
  documentation_.clear();
  ++offered_;
  for (Json& item : result["items"]) {
    const auto text = item.find("documentation");
    if (text == item.end()) continue;
    item["data"] = {offered_, documentation_.size()};
    documentation_.push_back((*text)["value"].get<std::string>());
    item.erase(text);
  }
  return result;
}

/// An item with what `complete` left out of it; as it is, where others were offered since.
Json Server::resolve(Json item) const {
  const auto data = item.find("data");
  if (data == item.end() || !data->is_array() || data->size() != 2 || (*data)[0] != offered_ ||
      !(*data)[1].is_number_unsigned()) {
    return item;
  }
  const auto at = (*data)[1].get<std::size_t>();
  if (at < documentation_.size()) {
    item["documentation"] = {{"kind", "markdown"}, {"value", documentation_[at]}};
  }
  return item;
}

Json Server::tokens(Document& document, const Json& params, bool whole) {
  Json result = semanticTokens(View(*document.snapshot, encoding_), params);
  auto now = result["data"].get<std::vector<std::uint32_t>>();
  std::vector<std::uint32_t>& before = tokens_[document.snapshot->path()];
  if (!whole) result = {{"edits", semanticTokenEdits(before, now)}};
  before = std::move(now);
  result["resultId"] = std::to_string(document.revision);
  return result;
}

}  // namespace couler::lsp

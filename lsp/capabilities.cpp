#include <algorithm>

#include "lsp/server.h"
#include "lsp/workspace/uri.h"

// What client and server tell each other when they meet.
namespace couler::lsp {

Json Server::initialize(const Json& params) {
  initialized_ = true;
  const auto at = [](const Json& json, std::initializer_list<const char*> names) -> const Json* {
    const Json* found = &json;
    for (const char* name : names) {
      if (!found->is_object()) return nullptr;
      const auto next = found->find(name);
      if (next == found->end()) return nullptr;
      found = &*next;
    }
    return found;
  };
  const auto says = [&](std::initializer_list<const char*> names) {
    const Json* found = at(params, names);
    return found != nullptr && *found == true;
  };
  if (const Json* encodings = at(params, {"capabilities", "general", "positionEncodings"});
      encodings != nullptr && encodings->is_array()) {
    for (const Json& one : *encodings) {
      if (one == "utf-8") encoding_ = Encoding::Utf8;
    }
  }
  client_.snippets =
      says({"capabilities", "textDocument", "completion", "completionItem", "snippetSupport"});
  if (const Json* later = at(params, {"capabilities", "textDocument", "completion",
                                      "completionItem", "resolveSupport", "properties"});
      later != nullptr && later->is_array()) {
    client_.resolvesLater = std::find(later->begin(), later->end(), "documentation") != later->end();
  }
  client_.refreshesHints = says({"capabilities", "workspace", "inlayHint", "refreshSupport"});
  client_.refreshesLenses = says({"capabilities", "workspace", "codeLens", "refreshSupport"});
  client_.refreshesDiagnostics = says({"capabilities", "workspace", "diagnostics", "refreshSupport"});
  client_.watches =
      says({"capabilities", "workspace", "didChangeWatchedFiles", "dynamicRegistration"});
  if (const Json* trusted = at(params, {"initializationOptions", "trusted"}))
    client_.trusts = *trusted != false;
  if (const auto folders = params.find("workspaceFolders");
      folders != params.end() && folders->is_array()) {
    for (const Json& folder : *folders) {
      if (const Json* uri = at(folder, {"uri"}); uri != nullptr && uri->is_string())
        roots_.push_back(pathOf(uri->get<std::string>()));
    }
  } else if (const Json* root = at(params, {"rootUri"}); root != nullptr && root->is_string()) {
    roots_.push_back(pathOf(root->get<std::string>()));
  }
  const Json moved = {
      {"filters", {{{"pattern", {{"glob", "**/*.{cwl,couler}"}, {"matches", "file"}}}},
                   {{"pattern", {{"glob", "**"}, {"matches", "folder"}}}}}}};
  return {
      {"serverInfo", {{"name", "couler"}, {"version", options_.version}}},
      {"capabilities",
       {{"positionEncoding", encoding_ == Encoding::Utf8 ? "utf-8" : "utf-16"},
        {"textDocumentSync", {{"openClose", true}, {"change", 2}, {"save", true}}},
        {"diagnosticProvider", {{"interFileDependencies", true}, {"workspaceDiagnostics", true}}},
        {"completionProvider", completionOptions()},
        {"hoverProvider", true},
        {"signatureHelpProvider",
         {{"triggerCharacters", {"(", ","}}, {"retriggerCharacters", {")"}}}},
        {"definitionProvider", true},
        {"typeDefinitionProvider", true},
        {"implementationProvider", true},
        {"callHierarchyProvider", true},
        {"referencesProvider", true},
        {"documentHighlightProvider", true},
        {"renameProvider", {{"prepareProvider", true}}},
        {"documentSymbolProvider", true},
        {"workspaceSymbolProvider", true},
        {"semanticTokensProvider",
         {{"legend", semanticTokensLegend()}, {"full", {{"delta", true}}}, {"range", true}}},
        {"inlayHintProvider", true},
        {"codeLensProvider", Json::object()},
        {"codeActionProvider",
         {{"codeActionKinds", {"quickfix", "refactor.extract", "refactor.inline", "refactor.rewrite",
                               "source.fixAll", "source.organizeImports"}}}},
        {"foldingRangeProvider", true},
        {"selectionRangeProvider", true},
        {"documentLinkProvider", Json::object()},
        {"documentFormattingProvider", true},
        {"documentRangeFormattingProvider", true},
        {"documentOnTypeFormattingProvider",
         {{"firstTriggerCharacter", "}"}, {"moreTriggerCharacter", {"\n"}}}},
        {"workspace",
         {{"workspaceFolders", {{"supported", true}, {"changeNotifications", true}}},
          {"fileOperations", {{"willRename", moved}}}}}}}};
}

/// Asks the client to say when programs change that are not open, and when a run has ended.
void Server::watchFiles() {
  const Json watched = {{"watchers", {{{"globPattern", "**/*.{cwl,couler}"}},
                                      {{"globPattern", "**/.couler/history.db*"}}}}};
  call("client/registerCapability", {{"registrations",
                                      {{{"id", "files"},
                                        {"method", "workspace/didChangeWatchedFiles"},
                                        {"registerOptions", watched}}}}});
}

}  // namespace couler::lsp

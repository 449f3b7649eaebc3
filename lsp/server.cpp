#include "lsp/server.h"

#include <algorithm>
#include <exception>
#include <unordered_map>

#include <fmt/format.h>

#include "frontend/session.h"
#include "lsp/workspace/uri.h"

namespace couler::lsp {
namespace {

// JSON-RPC and the protocol's error codes.
constexpr int kParseError = -32700, kInvalidRequest = -32600, kMethodNotFound = -32601,
              kInternalError = -32603, kNotInitialized = -32002, kCancelled = -32800,
              kRequestFailed = -32803;

/// Bytes that are no UTF-8 (there are none but in what a user's file holds) become U+FFFD.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Discarded where it is none. What is nested too deep is left out: values are copied and destroyed
/// level by level on the stack.
Json parsed(std::string_view body) {
  constexpr int kMostDepth = 250;
  return Json::parse(
      body, [](int depth, Json::parse_event_t, Json&) { return depth < kMostDepth; }, false);
}

std::string replyBody(const Json& id, Json result) {
  return dump({{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}});
}
std::string failureBody(const Json& id, int code, std::string_view message) {
  return dump({{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}});
}
std::string noticeBody(std::string_view method, Json params) {
  return dump({{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}});
}

/// The result of a request that is answered later, or is already.
Json answeredElsewhere() { return Json(Json::value_t::discarded); }

}  // namespace

Server::Server(ServerOptions options, std::function<void(std::string)> send,
               std::function<void()> wake)
    : options_(std::move(options)), send_(std::move(send)), wake_(std::move(wake)) {
  analyst_ = std::make_unique<Analyst>([this](std::shared_ptr<const Snapshot> snapshot) {
    {
      const std::lock_guard lock(doneMutex_);
      done_.push_back(std::move(snapshot));
    }
    wake_();
  });
  surveyor_ = std::make_unique<Surveyor>();
}

Server::~Server() {
  analyst_.reset();
  surveyor_.reset();
}

void Server::reply(const Json& id, Json result) {
  if (!result.is_discarded()) send_(replyBody(id, std::move(result)));
}
void Server::fail(const Json& id, int code, std::string_view message) {
  send_(failureBody(id, code, message));
}
void Server::notify(std::string_view method, Json params) {
  send_(noticeBody(method, std::move(params)));
}

void Server::peek(std::string_view body) {
  if (body.size() > 1000 || body.find("$/cancelRequest") == std::string_view::npos) return;
  const Json message = Json::parse(body, nullptr, false);
  if (!message.is_object() || message.value("method", Json()) != "$/cancelRequest") return;
  const auto params = message.find("params");
  if (params == message.end() || !params->is_object() || !params->contains("id")) return;
  cancelled_.insert(dump((*params)["id"]));
}

void Server::take(std::string_view body) {
  const Json message = parsed(body);
  if (message.is_discarded()) return fail(nullptr, kParseError, "this is no JSON");
  if (!message.is_object()) return fail(nullptr, kInvalidRequest, "an object is wanted");
  const auto method = message.find("method");
  const auto id = message.find("id");
  if (method == message.end() || !method->is_string()) {
    // A reply to a request of ours needs no answer.
    if (id != message.end() && !message.contains("result") && !message.contains("error"))
      fail(*id, kInvalidRequest, "`method` is missing");
    return;
  }
  static const Json kNone = Json::object();
  const auto given = message.find("params");
  const Json& params = given == message.end() || !given->is_object() ? kNone : *given;
  const auto& name = method->get_ref<const std::string&>();
  if (id == message.end()) {
    try {
      notification(name, params);
    } catch (const std::exception& error) {
      notify("window/logMessage",
             {{"type", 1}, {"message", fmt::format("{}: {}", name, error.what())}});
    }
    return;
  }
  if (!id->is_number_integer() && !id->is_string())
    return fail(nullptr, kInvalidRequest, "`id` is neither a number nor a string");
  if (cancelled_.erase(dump(*id)) != 0) return fail(*id, kCancelled, "cancelled");
  if (shutDown_) return fail(*id, kInvalidRequest, "the server is shut down");
  if (!initialized_ && name != "initialize")
    return fail(*id, kNotInitialized, "`initialize` comes first");
  try {
    reply(*id, request(name, params, *id));
  } catch (const std::exception& error) {
    fail(*id, kInternalError, error.what());
  }
}

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
  if (const Json* encodings = at(params, {"capabilities", "general", "positionEncodings"});
      encodings != nullptr && encodings->is_array()) {
    for (const Json& one : *encodings) {
      if (one == "utf-8") encoding_ = Encoding::Utf8;
    }
  }
  if (const Json* snippets = at(params, {"capabilities", "textDocument", "completion",
                                         "completionItem", "snippetSupport"})) {
    snippets_ = *snippets == true;
  }
  if (const Json* watch = at(params, {"capabilities", "workspace", "didChangeWatchedFiles",
                                      "dynamicRegistration"})) {
    watches_ = *watch == true;
  }
  if (const auto folders = params.find("workspaceFolders");
      folders != params.end() && folders->is_array()) {
    for (const Json& folder : *folders) {
      if (const Json* uri = at(folder, {"uri"}); uri != nullptr && uri->is_string())
        roots_.push_back(pathOf(uri->get<std::string>()));
    }
  } else if (const Json* root = at(params, {"rootUri"}); root != nullptr && root->is_string()) {
    roots_.push_back(pathOf(root->get<std::string>()));
  }
  const Json moved = {{"filters", {{{"pattern", {{"glob", "**/*.cwl"}, {"matches", "file"}}}},
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
         {{"codeActionKinds", {"quickfix", "refactor.extract", "refactor.inline", "source.fixAll",
                               "source.organizeImports"}}}},
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

Json Server::request(const std::string& method, const Json& params, const Json& id) {
  if (method == "initialize") {
    if (!initialized_) return initialize(params);
    fail(id, kInvalidRequest, "`initialize` comes once");
    return answeredElsewhere();
  }
  if (method == "shutdown") {
    shutDown_ = true;
    return nullptr;
  }
  if (method == "workspace/symbol") return workspaceSymbol(params, id);
  if (method == "workspace/diagnostic") return workspaceDiagnostics(params, id);
  if (method == "callHierarchy/incomingCalls") return incomingCalls(params, id);
  if (method == "callHierarchy/outgoingCalls") return outgoingCalls(params, id);
  if (method == "workspace/willRenameFiles") return willRenameFiles(params, id);
  if (method == "couler/standardModule") {
    const auto text = stdlibText(params.value("module", ""));
    return text ? Json(*text) : Json();
  }

  struct Row {
    Feature feature;
    Fresh fresh;
  };
  static const std::unordered_map<std::string_view, Row> kFeatures = {
      {"textDocument/hover", {hover, Fresh::Wanted}},
      {"textDocument/definition", {definition, Fresh::Wanted}},
      {"textDocument/declaration", {definition, Fresh::Wanted}},
      {"textDocument/typeDefinition", {typeDefinition, Fresh::Wanted}},
      {"textDocument/documentHighlight", {documentHighlight, Fresh::Wanted}},
      {"textDocument/documentSymbol", {documentSymbol, Fresh::Wanted}},
      {"textDocument/documentLink", {documentLink, Fresh::Wanted}},
      {"textDocument/foldingRange", {foldingRange, Fresh::Wanted}},
      {"textDocument/selectionRange", {selectionRange, Fresh::Wanted}},
      {"textDocument/inlayHint", {inlayHint, Fresh::Wanted}},
      {"textDocument/codeLens", {codeLens, Fresh::Wanted}},
      {"textDocument/codeAction", {codeAction, Fresh::Wanted}},
      {"textDocument/prepareRename", {prepareRename, Fresh::Wanted}},
      {"textDocument/implementation", {implementation, Fresh::Wanted}},
      {"textDocument/prepareCallHierarchy", {prepareCallHierarchy, Fresh::Wanted}},
      {"textDocument/semanticTokens/range", {semanticTokens, Fresh::Wanted}},
  };
  std::function<Json(Document&)> answer;
  Fresh fresh = Fresh::Wanted;
  if (const auto row = kFeatures.find(method); row != kFeatures.end()) {
    fresh = row->second.fresh;
    answer = [this, feature = row->second.feature, params](Document& document) -> Json {
      const Snapshot& snapshot = *document.snapshot;
      if (!snapshot.loaded()) return nullptr;
      return feature(View(snapshot, encoding_), params);
    };
  } else if (method == "textDocument/completion") {
    fresh = Fresh::Any;
    answer = [this, params](Document& document) -> Json {
      if (!document.snapshot->loaded()) return nullptr;
      Json result = completion(View(*document.snapshot, encoding_), *document.text, params, snippets_);
      // What is being typed may have cost the parser the declaration around it.
      if (!result["items"].empty() || document.sound == document.snapshot) return result;
      return completion(View(*document.sound, encoding_), *document.text, params, snippets_);
    };
  } else if (method == "textDocument/signatureHelp") {
    fresh = Fresh::Any;
    answer = [this, params](Document& document) -> Json {
      if (!document.snapshot->loaded()) return nullptr;
      Json result = signatureHelp(View(*document.snapshot, encoding_), *document.text, params);
      if (!result.is_null() || document.sound == document.snapshot) return result;
      return signatureHelp(View(*document.sound, encoding_), *document.text, params);
    };
  } else if (method == "textDocument/formatting" || method == "textDocument/rangeFormatting" ||
             method == "textDocument/onTypeFormatting") {
    const Document* document = find(params);
    if (document == nullptr) return nullptr;
    if (method == "textDocument/formatting") return formatting(*document->text, encoding_);
    return method == "textDocument/rangeFormatting"
               ? rangeFormatting(*document->text, encoding_, params)
               : onTypeFormatting(*document->text, encoding_, params);
  } else if (method == "couler/graph") {
    answer = [this, params](Document& document) { return drawGraph(params, document); };
  } else if (method == "textDocument/semanticTokens/full") {
    answer = [this, params](Document& document) -> Json {
      if (!document.snapshot->loaded()) return nullptr;
      Json result = semanticTokens(View(*document.snapshot, encoding_), params);
      result["resultId"] = std::to_string(document.revision);
      tokens_[document.snapshot->path()] = result["data"].get<std::vector<std::uint32_t>>();
      return result;
    };
  } else if (method == "textDocument/semanticTokens/full/delta") {
    answer = [this, params](Document& document) -> Json {
      if (!document.snapshot->loaded()) return nullptr;
      const Json all = semanticTokens(View(*document.snapshot, encoding_), params);
      std::vector<std::uint32_t> now = all["data"].get<std::vector<std::uint32_t>>();
      std::vector<std::uint32_t>& before = tokens_[document.snapshot->path()];
      // One edit: what lies between the equal front and the equal rear.
      std::size_t front = 0;
      while (front < now.size() && front < before.size() && now[front] == before[front]) ++front;
      std::size_t rear = 0;
      while (rear + front < now.size() && rear + front < before.size() &&
             now[now.size() - rear - 1] == before[before.size() - rear - 1]) {
        ++rear;
      }
      Json edits = Json::array();
      if (front + rear < now.size() || front + rear < before.size()) {
        edits.push_back({{"start", front},
                         {"deleteCount", before.size() - front - rear},
                         {"data", std::vector<std::uint32_t>(
                                      now.begin() + static_cast<std::ptrdiff_t>(front),
                                      now.end() - static_cast<std::ptrdiff_t>(rear))}});
      }
      before = std::move(now);
      return {{"resultId", std::to_string(document.revision)}, {"edits", std::move(edits)}};
    };
  } else if (method == "textDocument/diagnostic") {
    answer = [this, params](Document& document) { return pullDiagnostics(params, document); };
  } else if (method == "textDocument/references") {
    answer = [this, params, id](Document& document) { return references(params, id, document); };
  } else if (method == "textDocument/rename") {
    answer = [this, params, id](Document& document) { return rename(params, id, document); };
  } else {
    fail(id, kMethodNotFound, fmt::format("there is no request `{}`", method));
    return answeredElsewhere();
  }
  return soon(params, id, fresh, std::move(answer));
}

void Server::notification(const std::string& method, const Json& params) {
  if (method == "exit") {
    exited_ = true;
  } else if (method == "$/cancelRequest") {
    const auto id = params.find("id");
    if (id == params.end()) return;
    cancelled_.erase(dump(*id));  // it was answered before, or is answered now
    for (auto one = waiting_.begin(); one != waiting_.end(); ++one) {
      if (one->id != *id) continue;
      fail(one->id, kCancelled, "cancelled");
      waiting_.erase(one);
      return;
    }
    for (auto one = surveys_.begin(); one != surveys_.end(); ++one) {
      if (one->first != *id) continue;
      *one->second = true;
      fail(*id, kCancelled, "cancelled");
      surveys_.erase(one);
      return;
    }
  } else if (!initialized_ || shutDown_) {
    return;
  } else if (method == "initialized") {
    if (watches_) watchPrograms();
  } else if (method == "textDocument/didOpen") {
    didOpen(params);
  } else if (method == "textDocument/didChange") {
    didChange(params);
  } else if (method == "textDocument/didClose") {
    didClose(params);
  } else if (method == "workspace/didChangeWatchedFiles") {
    for (const Json& change : params.value("changes", Json::array())) {
      changed(pathOf(change.value("uri", "")));
    }
  } else if (method == "workspace/didChangeWorkspaceFolders") {
    const Json event = params.value("event", Json::object());
    for (const Json& folder : event.value("removed", Json::array())) {
      std::erase(roots_, pathOf(folder.value("uri", "")));
    }
    for (const Json& folder : event.value("added", Json::array())) {
      roots_.push_back(pathOf(folder.value("uri", "")));
    }
    indexed_ = false;
  }
}

/// Asks the client to say when programs change that are not open.
void Server::watchPrograms() {
  const Json options = {{"watchers", {{{"globPattern", "**/*.cwl"}}}}};
  send_(dump({{"jsonrpc", "2.0"},
              {"id", "watch"},
              {"method", "client/registerCapability"},
              {"params",
               {{"registrations",
                 {{{"id", "programs"},
                   {"method", "workspace/didChangeWatchedFiles"},
                   {"registerOptions", options}}}}}}}));
}

/// An answer from the snapshot of a document: now, or when there is a new enough one.
Json Server::soon(const Json& params, const Json& id, Fresh fresh,
                  std::function<Json(Document&)> answer) {
  Document* document = find(params);
  if (document == nullptr) return nullptr;
  // A small document is analysed before anyone notices.
  const bool slow = document->snapshot && document->snapshot->seconds() > 0.015;
  if (current(*document) || (fresh == Fresh::Any && slow)) return answer(*document);
  waiting_.push_back({id, pathOf(document->uri), std::move(answer)});
  return answeredElsewhere();
}

/// An answer from the whole workspace, by the surveyor; `Part` sends a part of it.
Json Server::survey(const Json& id, std::function<Json(const Survey&, const Part&)> question) {
  indexed_ = true;
  const auto work = [this, id, question = std::move(question)](const Survey& survey) {
    const auto say = [&](std::string body, bool last) {
      {
        const std::lock_guard lock(doneMutex_);
        surveyed_.push_back({survey.stop, std::move(body), last});
      }
      wake_();
    };
    try {
      survey.index.update(survey.workspace, *survey.stop);
      Json result = question(
          survey, [&](Json params) { say(noticeBody("$/progress", std::move(params)), false); });
      say(replyBody(id, std::move(result)), true);
    } catch (const std::exception& error) {
      say(failureBody(id, kInternalError, error.what()), true);
    }
  };
  surveys_.emplace_back(id, surveyor_->ask(workspace(), work));
  return answeredElsewhere();
}

void Server::answerWaiting() {
  for (auto one = waiting_.begin(); one != waiting_.end();) {
    const auto at = documents_.find(one->path);
    const bool gone = at == documents_.end();
    if (!gone && !current(at->second)) {
      ++one;
      continue;
    }
    const Waiting waiting = std::move(*one);
    one = waiting_.erase(one);
    if (gone) {
      fail(waiting.id, kRequestFailed, "the document was closed");
      continue;
    }
    try {
      reply(waiting.id, waiting.answer(at->second));
    } catch (const std::exception& error) {
      fail(waiting.id, kInternalError, error.what());
    }
  }
}

void Server::idle() {
  std::vector<std::shared_ptr<const Snapshot>> done;
  std::vector<Surveyed> surveyed;
  {
    const std::lock_guard lock(doneMutex_);
    done.swap(done_);
    surveyed.swap(surveyed_);
  }
  for (Surveyed& one : surveyed) {
    const auto at = std::find_if(surveys_.begin(), surveys_.end(),
                                 [&](const auto& under) { return under.second == one.stop; });
    if (at == surveys_.end()) continue;  // cancelled
    if (one.last) surveys_.erase(at);
    send_(std::move(one.body));
  }
  for (const std::shared_ptr<const Snapshot>& snapshot : done) {
    const auto at = documents_.find(snapshot->path());
    if (at == documents_.end()) continue;
    Document& document = at->second;
    if (document.snapshot && document.snapshot->version() > snapshot->version()) continue;
    document.snapshot = snapshot;
    const auto& found = snapshot->diagnostics();
    const bool broken = std::any_of(found.begin(), found.end(), [&](const Diagnostic& one) {
      return static_cast<int>(one.id) < 200 && one.at.file == snapshot->root();
    });
    if (snapshot->loaded() && (!broken || !document.sound)) document.sound = snapshot;
    if (snapshot->version() == document.revision) publish(snapshot->path());
  }
  answerWaiting();
  if (!indexed_ && !documents_.empty() && !busy()) {
    // What is open has its messages; now the rest, so that the first question need not wait for it.
    indexed_ = true;
    surveyor_->ask(workspace(), [](const Survey& survey) {
      survey.index.update(survey.workspace, *survey.stop);
    });
  }
}

bool Server::busy() const {
  return !waiting_.empty() || !surveys_.empty() ||
         std::any_of(documents_.begin(), documents_.end(),
                     [&](const auto& one) { return !current(one.second); });
}

}  // namespace couler::lsp

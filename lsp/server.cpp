#include "lsp/server.h"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include "lsp/rpc/errors.h"
#include "lsp/workspace/uri.h"

namespace couler::lsp {
namespace {

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
  errands_ = std::make_unique<Errands>(options_.pause, wake_);
}

Server::~Server() {
  errands_.reset();
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

void Server::call(std::string_view method, Json params) {
  Json request{{"jsonrpc", "2.0"}, {"id", fmt::format("couler-{}", ++called_)}, {"method", method}};
  if (!params.is_null()) request["params"] = std::move(params);
  send_(dump(request));
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
    if (client_.watches) watchFiles();
  } else if (method == "textDocument/didOpen") {
    didOpen(params);
  } else if (method == "textDocument/didChange") {
    didChange(params);
  } else if (method == "textDocument/didClose") {
    didClose(params);
  } else if (method == "textDocument/didSave") {
    if (const Document* document = find(params)) ponder(*document);  // it may have run meanwhile
    if (indexed_) indexNames();
  } else if (method == "workspace/didChangeWatchedFiles") {
    for (const Json& change : params.value("changes", Json::array())) {
      const std::string path = pathOf(change.value("uri", ""));
      if (path.find("/.couler/") == std::string::npos) {
        changed(path);
      } else {  // a run has written its history
        for (const auto& [other, document] : documents_) ponder(document);
      }
    }
    if (indexed_) indexNames();
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
  std::optional<std::vector<ExportedName>> names;
  {
    const std::lock_guard lock(doneMutex_);
    done.swap(done_);
    surveyed.swap(surveyed_);
    names.swap(surveyedNames_);
  }
  if (names) {
    names_ = std::move(*names);
    indexing_ = false;
    if (std::exchange(indexAgain_, false)) indexNames();
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
    if (snapshot->module()) document.drawn = snapshot;
    if (snapshot->version() != document.revision) continue;
    publish(snapshot->path());
    ponder(document);
  }
  answerWaiting();
  for (const Errands::Landing& land : errands_->landed()) land();
  if (!indexed_ && !documents_.empty() && !answering()) {
    // What is open has its messages; now the rest, so that the first question need not wait for it.
    indexNames();
  }
}

bool Server::busy() const { return indexing_ || errands_->busy() || answering(); }

bool Server::answering() const {
  return !waiting_.empty() || !surveys_.empty() ||
         std::any_of(documents_.begin(), documents_.end(),
                     [&](const auto& one) { return !current(one.second); });
}

}  // namespace couler::lsp

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
  errands_ = std::make_unique<Errands>(options_.pause, wake_);
}

Server::~Server() {
  errands_.reset();
  analyst_.reset();
}

void Server::reply(const Json& id, Json result) {
  send_(dump({{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}}));
}
void Server::fail(const Json& id, int code, std::string_view message) {
  send_(dump({{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}}));
}
void Server::notify(std::string_view method, Json params) {
  send_(dump({{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}}));
}

void Server::call(std::string_view method) {
  const std::string id = fmt::format("couler-{}", ++called_);
  send_(dump({{"jsonrpc", "2.0"}, {"id", id}, {"method", method}}));
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
  const Json message = Json::parse(body, nullptr, false);
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
    bool answered = false;
    Json result = request(name, params, *id, answered);
    if (!answered) reply(*id, std::move(result));
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
  } else if (!initialized_ || shutDown_) {
    return;
  } else if (method == "textDocument/didOpen") {
    didOpen(params);
  } else if (method == "textDocument/didChange") {
    didChange(params);
  } else if (method == "textDocument/didClose") {
    didClose(params);
  } else if (method == "textDocument/didSave") {
    if (const Document* document = find(params)) ponder(*document);  // it may have run meanwhile
    indexNames();
  } else if (method == "workspace/didChangeWatchedFiles") {
    for (const Json& change : params.value("changes", Json::array())) {
      const std::string path = pathOf(change.value("uri", ""));
      if (path.find("/.couler/") == std::string::npos) {
        changed(path);
      } else {  // a run has written its history
        for (const auto& [other, document] : documents_) ponder(document);
      }
    }
    indexNames();
  } else if (method == "workspace/didChangeWorkspaceFolders") {
    const Json event = params.value("event", Json::object());
    for (const Json& folder : event.value("removed", Json::array())) {
      std::erase(roots_, pathOf(folder.value("uri", "")));
    }
    for (const Json& folder : event.value("added", Json::array())) {
      roots_.push_back(pathOf(folder.value("uri", "")));
    }
    indexNames();
  }
}

bool Server::later(const Json& params, const Json& id, Fresh fresh,
                   std::function<Json(Document&)> answer, Json& now) {
  Document* document = find(params);
  if (document == nullptr) {
    now = nullptr;
    return true;
  }
  const bool current = document->snapshot && document->snapshot->version() == document->revision;
  // A small document is analysed before anyone notices.
  const bool slow = document->snapshot && document->snapshot->seconds() > 0.015;
  if (current || (fresh == Fresh::Any && slow)) {
    now = answer(*document);
    return true;
  }
  waiting_.push_back({id, pathOf(document->uri), std::move(answer)});
  return false;
}

void Server::answerWaiting() {
  for (auto one = waiting_.begin(); one != waiting_.end();) {
    const auto at = documents_.find(one->path);
    const bool gone = at == documents_.end();
    const bool ready = !gone && at->second.snapshot &&
                       at->second.snapshot->version() == at->second.revision;
    if (!gone && !ready) {
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
  {
    const std::lock_guard lock(doneMutex_);
    done.swap(done_);
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
}

bool Server::busy() const {
  return !waiting_.empty() || errands_->busy() ||
         std::any_of(documents_.begin(), documents_.end(), [](const auto& one) {
           return !one.second.snapshot || one.second.snapshot->version() != one.second.revision;
         });
}

}  // namespace couler::lsp

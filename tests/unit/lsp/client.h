#pragma once

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "lsp/protocol/positions.h"
#include "lsp/server.h"
#include "lsp/workspace/scan.h"
#include "lsp/workspace/uri.h"

namespace couler::lsp::testing {

namespace fs = std::filesystem;

/// A client and its server in one process; each call returns when the server has nothing left to do.
class Client {
 public:
  /// `given` is what `initialize` says; null: it is not sent.
  explicit Client(Json capabilities = Json::object(), const std::string& root = "",
                  Json given = Json::object(), ServerOptions options = {})
      : server_(completed(std::move(options)),
                [this](std::string body) { received_.push_back(Json::parse(body)); },
                [this] {
                  const std::lock_guard lock(mutex_);
                  woken_ = true;
                  wake_.notify_one();
                }) {
    if (given.is_null()) return;
    given["capabilities"] = std::move(capabilities);
    if (!root.empty()) given["rootUri"] = uriOf(root);
    initialized_ = request("initialize", std::move(given));
    notify("initialized", Json::object());
  }

  static ServerOptions completed(ServerOptions options) {
    options.version = "test";
    options.draw = [](const ir::Module& module) { return "<svg>" + module.at(module.entry).name; };
    options.pause = std::chrono::milliseconds(0);
    return options;
  }

  Json request(const std::string& method, Json params) {
    const int id = ++lastId_;
    server_.take(Json{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}}.dump());
    settle();
    for (auto one = received_.begin(); one != received_.end(); ++one) {
      if (!one->contains("id") || (*one)["id"] != id) continue;
      Json message = std::move(*one);
      received_.erase(one);
      error_ = message.value("error", Json());
      return message.value("result", Json());
    }
    ADD_FAILURE() << method << " was not answered";
    return nullptr;
  }
  void notify(const std::string& method, Json params) {
    send(Json{{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}}.dump());
  }
  void send(const std::string& body) {
    server_.take(body);
    settle();
  }
  /// Without waiting for anything.
  void sendNow(const std::string& body) { server_.take(body); }
  int requestNow(const std::string& method, Json params) {
    const int id = ++lastId_;
    sendNow(Json{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}}.dump());
    return id;
  }
  Server& server() { return server_; }

  void open(const std::string& path, const std::string& text) {
    texts_[path] = text;
    notify("textDocument/didOpen",
           {{"textDocument",
             {{"uri", uriOf(path)}, {"languageId", "couler"}, {"version", 1}, {"text", text}}}});
  }
  /// Replaces all of it.
  void change(const std::string& path, const std::string& text) {
    texts_[path] = text;
    notify("textDocument/didChange",
           {{"textDocument", {{"uri", uriOf(path)}, {"version", ++version_}}},
            {"contentChanges", {{{"text", text}}}}});
  }
  Json at(const std::string& method, const std::string& path, Position place, Json more = Json::object()) {
    more["textDocument"] = {{"uri", uriOf(path)}};
    more["position"] = toJson(place);
    return request("textDocument/" + method, std::move(more));
  }
  /// `after`: the place behind that text.
  Json after(const std::string& method, const std::string& path, const std::string& after,
             Json more = Json::object()) {
    return at(method, path, place(path, after), std::move(more));
  }
  Json of(const std::string& method, const std::string& path, Json more = Json::object()) {
    more["textDocument"] = {{"uri", uriOf(path)}};
    return request("textDocument/" + method, std::move(more));
  }
  [[nodiscard]] Position place(const std::string& path, const std::string& after) const {
    const std::string& text = texts_.at(path);
    const std::size_t found = text.find(after);
    EXPECT_NE(found, std::string::npos) << after;
    return Lines(text).position(text, static_cast<std::uint32_t>(found + after.size()), Encoding::Utf16);
  }

  /// What was published last for a file.
  [[nodiscard]] Json diagnostics(const std::string& path) const {
    Json last = Json::array();
    for (const Json& one : received_) {
      if (one.value("method", "") != "textDocument/publishDiagnostics") continue;
      if (one["params"]["uri"] == uriOf(path)) last = one["params"]["diagnostics"];
    }
    return last;
  }
  std::vector<Json>& received() { return received_; }
  [[nodiscard]] const Json& error() const { return error_; }
  [[nodiscard]] const Json& initialized() const { return initialized_; }

  void settle() {
    server_.idle();
    while (server_.busy()) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return woken_; });
        woken_ = false;
      }
      server_.idle();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;
  std::vector<Json> received_;
  Json error_;
  Json initialized_;
  int lastId_ = 0;
  int version_ = 1;
  std::map<std::string, std::string> texts_;
  Server server_;  // last: it calls the others
};

/// A folder of a test's own.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "couler-lsp-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string write(const std::string& name, const std::string& text) const {
    const fs::path path = path_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  [[nodiscard]] std::string path() const { return path_.string(); }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

inline std::vector<std::string> labels(const Json& completion) {
  std::vector<std::string> result;
  for (const Json& item : completion.value("items", Json::array())) result.push_back(item["label"]);
  return result;
}

/// A text with the edits of a document made in it.
inline std::string edited(const std::string& text, const Json& edits) {
  struct Piece {
    std::uint32_t begin, end;
    std::string text;
  };
  const Lines lines(text);
  std::vector<Piece> pieces;
  for (const Json& edit : edits) {
    pieces.push_back(
        {lines.offset(text, positionIn(edit["range"]["start"]), Encoding::Utf16),
         lines.offset(text, positionIn(edit["range"]["end"]), Encoding::Utf16), edit["newText"]});
  }
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) { return a.begin > b.begin; });
  std::string result = text;
  for (const Piece& one : pieces) result.replace(one.begin, one.end - one.begin, one.text);
  return result;
}

}  // namespace couler::lsp::testing

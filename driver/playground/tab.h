#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "driver/playground/job.h"
#include "driver/playground/project.h"
#include "driver/scratch.h"
#include "lsp/server.h"

namespace couler::driver {

/// What stands behind one page: a language server, the program that is open, the command under way.
/// All talk is JSON-RPC; methods that begin with `playground/` are answered here, all others by the
/// language server. Knows nothing of the network.
class Tab {
 public:
  struct Hooks {
    /// A message to the page. `wait`: may block while the page is slow. False: the page is gone.
    std::function<bool(std::string body, bool wait)> send;
    /// Makes a file one that the page may fetch, and gives its address.
    std::function<std::string(const std::string& path)> publish;
    /// The last call, on the tab's thread.
    std::function<void()> ended;
  };
  /// `project` outlives it. The hooks are called on threads of its own.
  Tab(const Project& project, lsp::ServerOptions language, Hooks hooks);
  /// Ends the command that is under way, and waits for that.
  ~Tab();
  Tab(const Tab&) = delete;
  Tab& operator=(const Tab&) = delete;

  /// A message of the page. False: more have come than are answered; it is best to part.
  [[nodiscard]] bool take(std::string body);
  /// Ends all; `ended` is called when that is done.
  void close();

 private:
  using Json = lsp::Json;
  void work();
  bool answer(std::string_view body);
  Json request(std::string_view method, const Json& params);
  Json open(const Json& params);
  Json save(const Json& params);
  Json start(const Json& params);
  std::string placeOf(const std::string& name);
  bool notify(std::string_view method, Json params);

  const Project& project_;
  lsp::ServerOptions language_;
  Hooks hooks_;
  std::optional<Scratch> scratch_{std::in_place};
  std::string name_;   ///< of the program that is open
  std::string path_;   ///< where it lies
  std::string saved_;  ///< what we read there or wrote there last
  std::size_t jobs_ = 0;
  std::unique_ptr<Job> job_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::string> incoming_;
  std::size_t incomingBytes_ = 0;
  bool woken_ = false;
  bool closed_ = false;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace couler::driver

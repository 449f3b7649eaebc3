#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace couler::testing {

/// A chat-completions server on 127.0.0.1 that says what it is told to, and keeps what it is asked.
class FakeModel {
 public:
  FakeModel() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* address = reinterpret_cast<sockaddr*>(&at);
    if (::bind(socket_, address, size) != 0 || ::listen(socket_, 8) != 0) return;
    ::getsockname(socket_, address, &size);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeModel() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    ::close(socket_);
  }
  FakeModel(const FakeModel&) = delete;
  FakeModel& operator=(const FakeModel&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }

  /// The next answers: a model's words.
  void say(const std::string& words) {
    const nlohmann::json message{{"role", "assistant"}, {"content", words}};
    const nlohmann::json choice{{"index", 0}, {"finish_reason", "stop"}, {"message", message}};
    answer(200, nlohmann::json{{"choices", nlohmann::json::array({choice})}}.dump());
  }
  void answer(int status, const std::string& body, const std::string& header = {}) {
    const std::lock_guard hold(lock_);
    silent_ = false;
    response_ = "HTTP/1.1 " + std::to_string(status) + " x\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\nConnection: close\r\n" + header + "\r\n" + body;
  }
  /// Takes requests and never answers.
  void sayNothing() {
    const std::lock_guard hold(lock_);
    silent_ = true;
  }
  /// Head and body of each request.
  [[nodiscard]] std::vector<std::string> asked() {
    const std::lock_guard hold(lock_);
    return asked_;
  }

 private:
  static bool waitFor(int fd) {
    pollfd one{fd, POLLIN, 0};
    return ::poll(&one, 1, 20) > 0;
  }
  void serve() {
    while (!stop_) {
      if (!waitFor(socket_)) continue;
      const int client = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      const std::string request = read(client);
      std::string response;
      bool silent = false;
      {
        const std::lock_guard hold(lock_);
        asked_.push_back(request);
        response = response_;
        silent = silent_;
      }
      // Until the other side gives up.
      while (silent && !stop_ && !waitFor(client)) continue;
      for (std::size_t sent = 0; !silent && sent < response.size();) {
        const ssize_t n = ::send(client, response.data() + sent, response.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<std::size_t>(n);
      }
      ::close(client);
    }
  }
  std::string read(int client) const {
    std::string text;
    while (!stop_) {
      const std::size_t head = text.find("\r\n\r\n");
      const std::size_t length = text.find("Content-Length: ");
      if (head != std::string::npos && length < head &&
          text.size() >= head + 4 + std::stoul(text.substr(length + 16))) {
        break;
      }
      if (!waitFor(client)) continue;
      char piece[4096];
      const ssize_t n = ::read(client, piece, sizeof piece);
      if (n <= 0) break;
      text.append(piece, static_cast<std::size_t>(n));
    }
    return text;
  }

  int socket_;
  int port_ = 0;
  std::atomic<bool> stop_{false};
  std::mutex lock_;
  std::string response_;
  bool silent_ = true;
  std::vector<std::string> asked_;
  std::thread thread_;
};

}  // namespace couler::testing

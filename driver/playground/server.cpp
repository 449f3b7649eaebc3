#include "driver/playground/server.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <fmt/format.h>
#include <sys/random.h>

#include "driver/files.h"
#include "driver/playground/tab.h"

// All that knows Boost.Beast. One thread runs all that is here; what tabs call from theirs is said.
namespace couler::driver {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;
namespace websocket = beast::websocket;
using tcp = net::ip::tcp;
using beast::error_code;

constexpr std::size_t kMostTabs = 32;
constexpr std::size_t kMostConnections = 256;
constexpr std::size_t kLongestMessage = std::size_t{16} << 20;
constexpr std::size_t kRoom = std::size_t{1} << 20;  // of messages on their way: a command waits
constexpr std::size_t kMostRoom = std::size_t{64}
                                  << 20;  // a page that reads so little is parted with
constexpr std::uint32_t kLongestHeader = 16U << 10;
constexpr auto kPatience = std::chrono::seconds(20);  // for a request to come, an answer to go

/// 128 bits in base 16.
std::string secret() {
  std::uint8_t bytes[16];
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
    throw std::runtime_error("the system gives no random numbers");
  }
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

/// In a time that does not tell where they differ.
bool equalSecrets(std::string_view a, std::string_view b) {
  unsigned differ = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    differ |= static_cast<unsigned>(a[i] ^ b[i]);
  }
  return differ == 0;
}

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

std::string_view typeOf(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".txt", "text/plain; charset=utf-8"},
      {".svg", "image/svg+xml"}};
  for (const auto& [ending, type] : kTypes) {
    if (name.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

class Socket;

/// What all connections share.
struct Site {
  explicit Site(PlaygroundOptions given) : options(std::move(given)), acceptor(io) {}

  /// Called by tabs, on any thread.
  std::string publish(const std::string& path) {
    const std::lock_guard lock(mutex);
    std::string id = secret();
    reports[id] = path;
    return "/report/" + id;
  }

  PlaygroundOptions options;
  const std::string token = secret();
  std::set<std::shared_ptr<Socket>> sockets;
  std::set<beast::tcp_stream*> visits;
  std::size_t connections = 0;
  std::mutex mutex;
  std::map<std::string, std::string> reports;  // by secret: path
  net::io_context io{1};                       // behind what its handlers hold
  tcp::acceptor acceptor;
};

/// Counts a connection as long as it lives.
class Counted {
 public:
  explicit Counted(Site& site) : site_(site) { ++site_.connections; }
  ~Counted() { --site_.connections; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  Site& site_;
};

/// A page's connection, and its tab.
class Socket : public std::enable_shared_from_this<Socket> {
 public:
  Socket(Site& site, beast::tcp_stream stream)
      : site_(site),
        counted_(site),
        socket_(std::move(stream)),
        work_(net::make_work_guard(site.io)) {}

  void accept(const http::request<http::empty_body>& request) {
    beast::get_lowest_layer(socket_).expires_never();  // from here on the WebSocket's own limits
    // With pings, so that a page which only listens stays, and one that is gone does not.
    socket_.set_option(websocket::stream_base::timeout{kPatience, std::chrono::seconds(60), true});
    socket_.read_message_max(kLongestMessage);
    socket_.auto_fragment(false);
    site_.sockets.insert(shared_from_this());
    socket_.async_accept(request, [self = shared_from_this()](error_code failed) {
      failed ? self->close() : self->begin();
    });
  }

  /// Parts with the page. Its tab ends on its own thread, and then this does.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(gone_, true)) return;
      room_.notify_all();
    }
    beast::get_lowest_layer(socket_).close();
    tab_ ? tab_->close() : end();
  }

 private:
  void begin() {
    if (gone_) return;
    Tab::Hooks hooks;
    hooks.send = [this](std::string body, bool wait) { return send(std::move(body), wait); };
    hooks.publish = [this](const std::string& path) { return site_.publish(path); };
    hooks.ended = [this] { net::post(site_.io, [self = shared_from_this()] { self->end(); }); };
    tab_ = std::make_unique<Tab>(site_.options.project, site_.options.language, std::move(hooks));
    read();
  }

  void end() {
    tab_.reset();
    work_.reset();
    site_.sockets.erase(shared_from_this());
  }

  void read() {
    socket_.async_read(buffer_, [self = shared_from_this()](error_code failed, std::size_t) {
      if (failed || !self->socket_.got_text()) return self->close();
      const bool held =
          self->tab_ && self->tab_->take(beast::buffers_to_string(self->buffer_.data()));
      self->buffer_.clear();
      if (!held) return self->close();
      self->read();
    });
  }

  /// On a thread of the tab.
  bool send(std::string body, bool wait) {
    std::unique_lock lock(mutex_);
    if (wait) room_.wait(lock, [&] { return gone_ || queued_ < kRoom; });
    if (gone_) return false;
    queued_ += body.size();
    outgoing_.push_back(std::move(body));
    if (queued_ > kMostRoom) {
      net::post(site_.io, [self = shared_from_this()] { self->close(); });
      return false;
    }
    if (!std::exchange(writing_, true)) {
      net::post(site_.io, [self = shared_from_this()] { self->write(); });
    }
    return true;
  }

  void write() {
    {
      const std::lock_guard lock(mutex_);
      queued_ -= written_.size();
      written_.clear();
      room_.notify_all();
      writing_ = !gone_ && !outgoing_.empty();
      if (!writing_) return;
      written_ = std::move(outgoing_.front());
      outgoing_.pop_front();
    }
    socket_.text(true);
    socket_.async_write(net::buffer(written_),
                        [self = shared_from_this()](error_code failed, std::size_t) {
                          failed ? self->close() : self->write();
                        });
  }

  Site& site_;
  Counted counted_;
  websocket::stream<beast::tcp_stream> socket_;
  net::executor_work_guard<net::io_context::executor_type> work_;  // the tab still calls
  beast::flat_buffer buffer_;
  std::unique_ptr<Tab> tab_;
  std::string written_;

  std::mutex mutex_;
  std::condition_variable room_;
  std::deque<std::string> outgoing_;
  std::size_t queued_ = 0;
  bool writing_ = false;
  bool gone_ = false;
};

/// A connection that asks for files, and may become a page's.
class Visit : public std::enable_shared_from_this<Visit> {
 public:
  Visit(Site& site, tcp::socket socket) : site_(site), counted_(site), stream_(std::move(socket)) {
    site_.visits.insert(&stream_);
  }
  ~Visit() { site_.visits.erase(&stream_); }

  void read() {
    parser_.emplace();
    parser_->header_limit(kLongestHeader);
    stream_.expires_after(kPatience);
    http::async_read_header(
        stream_, buffer_, *parser_, [self = shared_from_this()](error_code failed, std::size_t) {
          if (failed == http::error::end_of_stream) return self->stream_.close();
          // Bytes that are no request get an answer, a connection that broke or slept gets none.
          const auto& malformed = http::make_error_code(http::error::bad_method).category();
          if (failed && failed.category() != malformed) return;
          if (failed || !self->parser_->is_done()) {  // or it has a body
            return self->answer(http::status::bad_request, "text/plain", "no request for here\n");
          }
          self->take();
        });
  }

 private:
  using Request = http::request<http::empty_body>;

  void take() {
    const Request& request = parser_->get();
    // A name that an attacker's DNS server gives this address is none of ours.
    const std::string_view host = view(request[http::field::host]);
    const auto port = site_.acceptor.local_endpoint().port();
    if (host != fmt::format("127.0.0.1:{}", port) && host != fmt::format("localhost:{}", port)) {
      return refuse("this is not the host's name");
    }
    const std::string_view target = view(request.target());
    const std::string_view path = target.substr(0, target.find('?'));
    if (path == "/session") return session(request, host, target.substr(path.size()));
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
      return answer(http::status::method_not_allowed, "text/plain", "only GET is served here\n");
    }
    if (path.starts_with("/report/")) return report(path.substr(8));
    const auto file =
        site_.options.page.find(std::string(path == "/" ? "index.html" : path.substr(1)));
    if (file == site_.options.page.end()) {
      return answer(http::status::not_found, "text/plain", "there is nothing here\n");
    }
    std::string body = file->second;
    const std::string nonce = secret();  // of the style sheets that the editor makes
    if (file->first == "index.html") {
      constexpr std::string_view kPlace = "{{nonce}}";
      const std::size_t at = body.find(kPlace);
      if (at != std::string::npos) body.replace(at, kPlace.size(), nonce);
    }
    answer(http::status::ok, typeOf(file->first), std::move(body),
           fmt::format("default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{}'; "
                       "img-src 'self' blob: data:; connect-src 'self' ws://{}; base-uri 'none'; "
                       "form-action 'none'; frame-ancestors 'none'",
                       nonce, host));
  }

  void session(const Request& request, std::string_view host, std::string_view query) {
    if (!websocket::is_upgrade(request)) {
      return answer(http::status::upgrade_required, "text/plain", "a WebSocket is wanted here\n");
    }
    if (view(request[http::field::origin]) != fmt::format("http://{}", host)) {
      return refuse("this page is of another origin");
    }
    constexpr std::string_view kName = "?token=";
    if (!query.starts_with(kName) || !equalSecrets(query.substr(kName.size()), site_.token)) {
      return refuse("the token is missing or another");
    }
    if (site_.sockets.size() >= kMostTabs) {
      return answer(http::status::service_unavailable, "text/plain", "too many pages are open\n");
    }
    std::make_shared<Socket>(site_, std::move(stream_))->accept(request);
  }

  /// A report holds what a program printed: it may run its own script, but as a page of no origin.
  void report(std::string_view id) {
    std::string path;
    {
      const std::lock_guard lock(site_.mutex);
      const auto at = site_.reports.find(std::string(id));
      if (at != site_.reports.end()) path = at->second;
    }
    ReadResult file = path.empty() ? ReadResult{{}, "gone"} : readFile(path);
    if (!file.error.empty()) {
      return answer(http::status::not_found, "text/plain",
                    "this report is gone: its page was closed\n");
    }
    answer(http::status::ok, typeOf(".html"), std::move(file.text),
           "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; "
           "script-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'");
  }

  void refuse(std::string_view why) {
    answer(http::status::forbidden, "text/plain", fmt::format("refused: {}\n", why));
  }

  void answer(http::status status, std::string_view type, std::string body,
              const std::string& policy = "default-src 'none'") {
    const Request& request = parser_->get();
    auto reply = std::make_shared<http::response<http::string_body>>(status, 11);
    reply->set(http::field::content_type, beast::string_view(type.data(), type.size()));
    reply->set("Content-Security-Policy", policy);
    reply->set("X-Content-Type-Options", "nosniff");
    reply->set("Referrer-Policy", "no-referrer");
    reply->set("Cross-Origin-Resource-Policy", "same-origin");
    reply->set("Cross-Origin-Opener-Policy", "same-origin");
    reply->set(http::field::cache_control, "no-store");
    reply->keep_alive(status == http::status::ok && request.keep_alive());
    reply->body() = std::move(body);
    reply->prepare_payload();
    if (request.method() == http::verb::head) reply->body().clear();
    stream_.expires_after(kPatience);
    http::async_write(stream_, *reply,
                      [self = shared_from_this(), reply](error_code failed, std::size_t) {
                        if (failed || reply->need_eof()) return self->stream_.close();
                        self->read();
                      });
  }

  Site& site_;
  Counted counted_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
};

void accept(Site& site) {
  site.acceptor.async_accept([&site](error_code failed, tcp::socket socket) {
    if (!site.acceptor.is_open()) return;
    if (!failed && site.connections < kMostConnections) {
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      std::make_shared<Visit>(site, std::move(socket))->read();
    }
    accept(site);
  });
}

}  // namespace

std::string servePlayground(PlaygroundOptions options) {
  Site site(std::move(options));
  error_code failed;
  const tcp::endpoint here(net::ip::address_v4::loopback(), site.options.port);
  site.acceptor.open(here.protocol(), failed);
  if (!failed) site.acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) site.acceptor.bind(here, failed);
  if (!failed) site.acceptor.listen(net::socket_base::max_listen_connections, failed);
  if (failed) return systemMessage(failed.value());

  net::signal_set signals(site.io, SIGINT, SIGTERM, SIGHUP);
  signals.async_wait([&](error_code stopped, int) {
    if (stopped) return;
    signals.clear();  // the next one ends the process
    site.acceptor.close();
    for (beast::tcp_stream* visit : site.visits) visit->close();
    const auto sockets = site.sockets;  // each takes itself out
    for (const std::shared_ptr<Socket>& socket : sockets) socket->close();
  });
  accept(site);
  site.options.ready(
      fmt::format("http://127.0.0.1:{}/#{}", site.acceptor.local_endpoint().port(), site.token));
  site.io.run();
  return {};
}

}  // namespace couler::driver

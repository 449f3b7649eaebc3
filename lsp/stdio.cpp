#include "lsp/stdio.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>

#include "lsp/rpc/message_reader.h"

namespace couler::lsp {
namespace {

bool writeAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      poll(&ready, 1, -1);
      continue;
    }
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

int serve(ServerOptions options, int in, int out) {
  int wake[2];
  if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0) return 1;
  bool writable = true;
  int code = 1;
  {
    Server server(
        std::move(options),
        [&](const std::string& body) { writable = writable && writeAll(out, framed(body)); },
        [&] { (void)!write(wake[1], "w", 1); });
    MessageReader reader;
    std::deque<std::string> bodies;
    std::array<char, 1 << 16> buffer;
    bool ended = false;
    while (writable && !server.exited() && !(ended && bodies.empty())) {
      pollfd ready[2] = {{ended ? -1 : in, POLLIN, 0}, {wake[0], POLLIN, 0}};
      // With messages at hand only look what else has come, so that a request sees its cancellation.
      if (poll(ready, 2, bodies.empty() ? -1 : 0) < 0 && errno != EINTR) break;
      if ((ready[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        const ssize_t n = read(in, buffer.data(), buffer.size());
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) ended = true;
        if (n > 0) reader.feed({buffer.data(), static_cast<std::size_t>(n)});
        while (auto body = reader.next()) {
          server.peek(*body);
          bodies.push_back(std::move(*body));
        }
        if (!reader.error().empty()) ended = true;
      }
      if ((ready[1].revents & POLLIN) != 0) {
        while (read(wake[0], buffer.data(), buffer.size()) > 0) {
        }
        server.idle();
      }
      if (!bodies.empty()) {
        server.take(bodies.front());
        bodies.pop_front();
      }
    }
    code = server.exited() ? server.exitCode() : 1;
  }
  close(wake[0]);
  close(wake[1]);
  return code;
}

}  // namespace couler::lsp

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "driver/playground/project.h"
#include "lsp/server.h"

namespace couler::driver {

struct PlaygroundOptions {
  Project project;
  lsp::ServerOptions language;
  std::map<std::string, std::string> page;  ///< its files by name; `index.html` is among them
  std::uint16_t port = 0;                   ///< 0: one that is free
  /// Called once it listens, with the address that opens a page.
  std::function<void(const std::string& address)> ready;
};

/// Serves pages on 127.0.0.1 until SIGINT or SIGTERM; a second one ends the process at once. Empty,
/// or why it cannot listen.
///
/// The address holds a secret in its fragment, which browsers send to no one; without it nothing
/// but the page's own files is given out. Names of other hosts (DNS rebinding) and pages of other
/// origins are refused.
[[nodiscard]] std::string servePlayground(PlaygroundOptions options);

}  // namespace couler::driver

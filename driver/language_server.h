#pragma once

#include "lsp/server.h"

namespace couler::driver {

/// What the command lends its language server: pictures of graphs, what the history foretells, what
/// other programs say of scripts.
[[nodiscard]] lsp::ServerOptions languageServer();

}  // namespace couler::driver

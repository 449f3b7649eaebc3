#pragma once

#include "lsp/server.h"

namespace couler::lsp {

/// Serves one client over two file descriptors until it says `exit` or goes away. Gives the code to
/// end with: 0 after `shutdown`, else 1.
int serve(ServerOptions options, int in, int out);

}  // namespace couler::lsp

#include <csignal>

#include "driver/command.h"
#include "lsp/stdio.h"

namespace couler::driver {

int runLsp(const Invocation& /*invocation*/) {
  std::signal(SIGPIPE, SIG_IGN);  // a client that is gone is the end, not a crash
  return lsp::serve({COULER_VERSION}, 0, 1);
}

}  // namespace couler::driver

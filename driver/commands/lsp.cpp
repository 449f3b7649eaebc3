#include <csignal>

#include "driver/command.h"
#include "driver/language_server.h"
#include "lsp/stdio.h"

namespace couler::driver {

int runLsp(const Invocation& /*invocation*/) {
  std::signal(SIGPIPE, SIG_IGN);  // a client that is gone is the end, not a crash
  return lsp::serve(languageServer(), 0, 1);
}

}  // namespace couler::driver

#include <csignal>

#include "driver/command.h"
#include "driver/foresight.h"
#include "driver/graph_model.h"
#include "driver/script_check.h"
#include "lsp/stdio.h"

namespace couler::driver {

int runLsp(const Invocation& /*invocation*/) {
  std::signal(SIGPIPE, SIG_IGN);  // a client that is gone is the end, not a crash
  const auto draw = [](const ir::Module& module) { return svgText(graphOf(module)); };
  return lsp::serve({COULER_VERSION, draw, foresee, checkScripts}, 0, 1);
}

}  // namespace couler::driver

#include "driver/language_server.h"

#include "driver/foresight.h"
#include "driver/graph_model.h"
#include "driver/script_check.h"

namespace couler::driver {

lsp::ServerOptions languageServer() {
  lsp::ServerOptions options;
  options.version = COULER_VERSION;
  options.draw = [](const ir::Module& module) { return svgText(graphOf(module)); };
  options.foresee = foresee;
  options.checkScripts = checkScripts;
  return options;
}

}  // namespace couler::driver

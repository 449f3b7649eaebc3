#include "driver/command.h"
#include "driver/console.h"

namespace couler::driver {

int runVersion(const Invocation& /*invocation*/) {
  printOut("couler " COULER_VERSION " (language edition 1)\n");
  return kOk;
}

}  // namespace couler::driver

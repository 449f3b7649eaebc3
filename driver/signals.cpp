#include "driver/signals.h"

#include <csignal>

namespace couler::driver {
namespace {

// A handler can reach nothing but a global.
std::atomic<bool> cancelled{false};  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void onStop(int number) {
  if (cancelled.exchange(true)) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
}

extern "C" void onPipe(int /*number*/) {}

void install(int number, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);  // no SA_RESTART: a waiting engine is to look at the flag
}

}  // namespace

const std::atomic<bool>& catchSignals() {
  install(SIGINT, onStop);
  install(SIGTERM, onStop);
  install(SIGPIPE, onPipe);
  return cancelled;
}

}  // namespace couler::driver

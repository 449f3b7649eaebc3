#pragma once

#include <atomic>

namespace couler::driver {

/// From here on SIGINT and SIGTERM set the flag; a second one ends the process at once. A closed
/// pipe becomes a write error, so that a run does not die with its reader. (Handlers, unlike
/// ignored signals, are not inherited by the steps' processes.)
const std::atomic<bool>& catchSignals();

}  // namespace couler::driver

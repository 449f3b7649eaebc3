#pragma once

#include <string>

#include "runtime/jit/engine.h"

namespace couler::jit {

/// The engine of the process, loaded on the first call; null, with a reason, where there is none.
[[nodiscard]] Engine* engine(std::string& why);
/// What tells one build of the library from another.
[[nodiscard]] const std::string& libraryStamp();

}  // namespace couler::jit

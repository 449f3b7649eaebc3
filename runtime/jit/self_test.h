#pragma once

#include <string>

#include "runtime/jit/engine.h"
#include "runtime/jit/object_cache.h"

namespace couler::jit {

/// Whether what the engine compiles runs on this processor and is right: a small program over rows
/// whose results are known. In a process of its own, which an instruction that the processor does
/// not have may end. The cache remembers where it went well. Some 10 ms of processor time; 0.1 ms
/// where it is remembered.
[[nodiscard]] bool passesSelfTest(Engine& engine, const ObjectCache& cache, std::string& why);

}  // namespace couler::jit

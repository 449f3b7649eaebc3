#pragma once

#include <memory>
#include <string>

#include "runtime/column/kernel.h"

/// Kernels compiled to machine code. LLVM is in a library of its own, which is loaded when it is
/// first asked for: `libcouler_jit.so`, in the folder that COULER_JIT_LIBRARY names, or
/// `../lib/couler/` from the program's, or beside the program.
namespace couler::jit {

/// Whether there is such a library for this machine and code that it makes gives the right results
/// (self_test.h). Loads it, some 5 ms the first time, and 10 ms more the first time on a machine.
[[nodiscard]] bool available(std::string& why);

/// One function for all stages and results of the plan. Null where an expression is not supported
/// or there is no library: `why` says which, and `evaluatorKernel` does it. Some 10 to 50 ms of
/// processor time; about 1 ms where the object cache has it (`COULER_JIT_CACHE`).
/// The kernel is for one thread at a time.
[[nodiscard]] std::unique_ptr<column::Kernel> jitKernel(column::RowPlan plan, std::string& why);

}  // namespace couler::jit

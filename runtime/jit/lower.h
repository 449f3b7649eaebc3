#pragma once

#include <memory>
#include <string>

#include "runtime/column/kernel.h"
#include "runtime/jit/program.h"

namespace couler::jit {

/// Whether rows of that built-in are compiled, at least with some operands.
[[nodiscard]] bool isSupported(ir::Builtin op);

/// The program of a plan, or null, and then `why` says what is not supported.
[[nodiscard]] std::unique_ptr<Program> lower(const column::RowPlan& plan, std::string& why);

}  // namespace couler::jit

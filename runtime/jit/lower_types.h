#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/types.h"
#include "ir/value.h"
#include "runtime/jit/program.h"

/// Types and values of the graph as compiled code has them.
namespace couler::jit {

/// Of a `T?`, that of T; nothing where no column holds it.
[[nodiscard]] std::optional<Kind> kindOf(const ir::TypeTable& types, ir::TypeId id);
/// Of an enum, or of an optional one.
[[nodiscard]] const std::vector<std::string>& casesOf(const ir::TypeTable& types, ir::TypeId id);
[[nodiscard]] Site::Cell cellOf(const ir::TypeTable& types, ir::TypeId id);

/// A value of a kind other than String, as it lies in a column; nothing where it is of another.
[[nodiscard]] std::optional<std::int64_t> bitsOf(const ir::Value& value, Kind kind,
                                                 const std::vector<std::string>& cases);

}  // namespace couler::jit

#pragma once

#include <optional>
#include <string>

#include "runtime/column/stream.h"

/// Files that get their names when they are whole.
namespace couler::column {

/// Where the file `path` is written until then: a process that is killed leaves nothing under the
/// name that was asked for.
[[nodiscard]] std::string partOf(const std::string& path);
/// Gives it its name, over none that is there.
[[nodiscard]] std::optional<StreamError> publish(const std::string& path);

}  // namespace couler::column

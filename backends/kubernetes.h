#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "backends/yaml_writer.h"
#include "ir/module.h"

/// How engines that run on Kubernetes write what is its own.
namespace couler::backends {

/// `$` doubled: Kubernetes expands `$(NAME)` in commands and environment values.
[[nodiscard]] std::string escapeDollar(std::string_view text);
/// CPU cores and bytes as quantities: `1500m`, `2`, `4Gi`, `1000`.
[[nodiscard]] std::string cpuQuantity(double cores);
[[nodiscard]] std::string bytesQuantity(std::int64_t bytes);
/// Whole seconds, rounded up, at least 1.
[[nodiscard]] std::int64_t wholeSeconds(ir::Duration duration);
/// `resources` of a container: what a task asks for it gets, and no more.
void writeResources(YamlWriter& w, const ir::TaskDef& task);

}  // namespace couler::backends

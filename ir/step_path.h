#pragma once

#include <string>
#include <string_view>

/// Names of steps in loops: `count.3` is `count` of the fourth turn of the loop around it, `sub.3.count.0` the
/// first `count` of the call `sub` in that turn. Indexes stand behind the name of what is in the loop, the outer
/// loop's first. A graph whose inner loop was unrolled has names with `*` in the place of the indexes that are not
/// known yet: `count.*.1`. A `*` belongs to the outermost loop that has none yet.
namespace couler::ir {

/// Appends `name` with each `*` in it replaced by the next of `indexes` (`.3.*.0`), then the indexes that are
/// left over. Cost: linear.
void appendStepPath(std::string& out, std::string_view name, std::string_view indexes);

/// `name` without the `.*` that it ends in: what the engine adds by itself.
[[nodiscard]] std::string_view withoutOpenEnd(std::string_view name);

}  // namespace couler::ir

#pragma once

#include "driver/command.h"
#include "driver/program.h"
#include "ir/module.h"
#include "passes/pass.h"
#include "support/diagnostic.h"

namespace couler::driver {

/// Readies `shard`: `--shard-size`, else the target's `shard_size` (`target` may be null); 0 is none.
/// False and a message when the option is no size.
bool planShards(const Invocation& invocation, const ir::Module& module, const ir::TargetDef* target,
                passes::Context& context);
/// The same for a run here and now: where neither says anything, large ones of the files that it is
/// given are cut. How large follows from the file alone, so that each machine makes the same graph.
bool planShards(const Invocation& invocation, const ir::Module& module, const ir::TargetDef* target,
                const Inputs& inputs, passes::Context& context);

}  // namespace couler::driver

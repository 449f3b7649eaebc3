#pragma once

#include "passes/pass.h"

/// The passes themselves, one file each; passes/pipeline.cpp has the table.
namespace couler::passes {

/// Evaluates what is known at compile time: operations and fields of constants, calls of `fn` with
/// constants, the branch that an `if` takes. Reports what has no value (CW0501), once.
bool fold(ir::Module& module, Context& context);

/// Puts the bodies of functions in the place of the calls that the entry leads to.
bool inlineCalls(ir::Module& module, Context& context);

/// Puts the iterations of each `for` over a list of known length in its place.
bool unroll(ir::Module& module, Context& context);

/// Makes one of equal nodes of a body: values, steps of one task with the same inputs, calls of one
/// workflow with the same inputs, and `for`, `if`, `loop` and `try` with equal bodies that use the
/// same. What holds a step that is `volatile` or says `cache false` stays. O(V + E), an edge
/// counted once for each body that it leads out of.
bool mergeCommon(ir::Module& module, Context& context);

/// Drops nodes whose values nobody needs, then tasks, functions, constants and names that are left
/// over.
bool dropDead(ir::Module& module, Context& context);

/// Makes one step of two over tables where only the second uses the rows of the first, which then
/// never reach a file.
bool fuseTables(ir::Module& module, Context& context);

/// Makes a step of the entry that reads a large file three: `cut` gives the ranges of the file, a
/// `for` over them does with each what it may do with rows one by one, the last puts their results
/// together and does the rest. Nothing without a size (docs/tables.md).
bool shard(ir::Module& module, Context& context);

/// Decides for each step of the entry whether its outputs are kept after a run or go first when the
/// store is to take less room (ir::Cost::drop), by what it costs to make them, what room they take
/// and how likely a run after an edit reads them. Nothing without a budget. O((V+E) log V).
bool insertCache(ir::Module& module, Context& context);

/// Makes steps of which trials go on and which is the best, which an evaluator decides elsewhere:
/// two small tasks in sh and awk. Nothing but with `Searches::Steps`. O(V + E).
bool lowerSearch(ir::Module& module, Context& context);

/// Makes steps over tables commands, `couler exec` with the plan's text among its words, and tables
/// the files that they are: engines know neither plans nor tables.
bool lowerTables(ir::Module& module, Context& context);

/// Makes several workflows of an entry that is over the limits of the engine: parts that a parent runs
/// (docs/split.md). Nothing without `Context::limits`, or where the whole is within them. Emits to measure, a few
/// times; else O((V + E) log V).
bool split(ir::Module& module, Context& context);

}  // namespace couler::passes

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/module.h"
#include "support/diagnostic.h"

namespace couler::ir {

/// The text form (docs/ir.md): stable, one node a line; parses back to an equal module.
/// Spans are left out; ids are renumbered in order of printing, so equal graphs print equal text.
[[nodiscard]] std::string print(const Module& module);

/// Reads the text form. Errors (CW0190 to CW0192) carry places in `file`, and so do the nodes that
/// are read; nothing on any error.
/// The result is not verified: call `verify`.
[[nodiscard]] std::optional<Module> parseText(const SourceManager& sources, FileId file,
                                              DiagnosticSink& diags);

/// The text of one task alone, with the types that it names: a module of itself. Comments and the
/// paths of files that declare types are left out, and so are resources, timeout and retries, so that
/// it changes only with what it does. Node
/// `%i` of it is `nodes[i]`, and NodeId{i} of the module that it reads back to. Pre: the task's
/// `exprs` call no function.
[[nodiscard]] std::string printTask(const Module& module, TaskId task,
                                    std::vector<NodeId>* nodes = nullptr);

}  // namespace couler::ir

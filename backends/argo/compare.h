#pragma once

#include "backends/argo/bundle.h"
#include "backends/backend.h"

namespace couler::backends::argo {

/// Whether a workflow and its parts do what the module says: the same steps with the same order, constants,
/// conditions, programs, images, retries, timeouts and resources. Looks at nothing of the emitter's
/// but the rule that names tasks. Each difference is CW0653.
[[nodiscard]] bool compareWithModule(const ir::Module& module, const EmitOptions& options,
                                     const Bundle& bundle, DiagnosticSink& diags);

/// What a target says for all tasks.
struct ForAllTasks {
  std::string image;    ///< of those that name none
  std::string memoize;  ///< the ConfigMap with earlier results; empty: none
};

/// The part of it that is about one task's container: `found` is the template.
[[nodiscard]] bool compareContainer(const ir::Module& module, const ir::TaskDef& task,
                                    const ForAllTasks& all, YamlNode found, DiagnosticSink& diags);

}  // namespace couler::backends::argo

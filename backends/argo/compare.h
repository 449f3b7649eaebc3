#pragma once

#include "backends/backend.h"
#include "backends/yaml_reader.h"

namespace couler::backends::argo {

/// Whether a manifest does what the module says: the same steps with the same order, constants,
/// conditions, programs, images, retries, timeouts and resources. Looks at nothing of the emitter's
/// but the rule that names tasks. Each difference is CW0653.
[[nodiscard]] bool compareWithModule(const ir::Module& module, const EmitOptions& options,
                                     const YamlDocument& document, DiagnosticSink& diags);

}  // namespace couler::backends::argo

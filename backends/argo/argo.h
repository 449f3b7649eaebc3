#pragma once

#include <string_view>

#include "backends/backend.h"

/// Argo Workflows, v3.5 and later (docs/backends/argo.md).
namespace couler::backends::argo {

/// The controller keeps a workflow, what ran of it included, in an object of at most 1 MiB of JSON
/// (MAX_WORKFLOW_SIZE;
/// https://argo-workflows.readthedocs.io/en/latest/offloading-large-workflows/). YAML is longer
/// than JSON by a third and more, which leaves the room for what is kept of each step (some 80
/// bytes when compressed).
///
/// Since v4.0 its resource definitions say that a workflow has at most 200 templates, one of these
/// 200 tasks and 500 parameters (pkg/apis/workflow/v1alpha1/workflow_types.go, MaxItems), which
/// Kubernetes enforces.
inline constexpr Limits kLimits{.bytes = std::int64_t{1} << 20,
                                .steps = 4000,
                                .templates = 200,
                                .tasks = 200,
                                .inputs = 500,
                                .callBytes = 1600,
                                .giveBytes = 70,
                                .takeBytes = 25,
                                .linkBytes = 300,
                                .linkValues = 500};

/// Writes one `Workflow` for the module's entry, after a `WorkflowTemplate` for each part. Streams: beside the present piece it holds a name
/// a step. O(nodes + edges + text).
bool emit(const ir::Module& module, const EmitOptions& options, const TextSink& out,
          DiagnosticSink& diags);

[[nodiscard]] std::optional<Sizes> measure(const ir::Module& module, const EmitOptions& options);

/// Reads a manifest by the rules of Argo's field reference, then compares it with the module.
bool validate(const ir::Module& module, const EmitOptions& options, std::string_view text,
              DiagnosticSink& diags);

/// The part of `validate` that needs no module: fields, names, references, parameters, tags. For
/// any manifest; never trusts the text.
bool validateManifest(std::string_view text, DiagnosticSink& diags);

}  // namespace couler::backends::argo

#pragma once

#include <string_view>

#include "backends/backend.h"

/// Argo Workflows, v3.5 and later (docs/backends/argo.md).
namespace couler::backends::argo {

/// Writes one `Workflow` for the module's entry. Streams: beside the present piece it holds a name
/// a step. O(nodes + edges + text).
bool emit(const ir::Module& module, const EmitOptions& options, const TextSink& out,
          DiagnosticSink& diags);

/// Reads a manifest by the rules of Argo's field reference, then compares it with the module.
bool validate(const ir::Module& module, const EmitOptions& options, std::string_view text,
              DiagnosticSink& diags);

/// The part of `validate` that needs no module: fields, names, references, parameters, tags. For
/// any manifest; never trusts the text.
bool validateManifest(std::string_view text, DiagnosticSink& diags);

}  // namespace couler::backends::argo

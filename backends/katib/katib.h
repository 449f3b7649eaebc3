#pragma once

#include <string_view>

#include "backends/backend.h"

/// Katib, v0.18 and later: a `tune` as an Experiment (docs/backends/katib.md).
namespace couler::backends::katib {

/// Kubernetes stores objects of at most 1.5 MiB.
inline constexpr Limits kLimits{.bytes = std::int64_t{3} << 19};

bool emit(const ir::Module& module, const EmitOptions& options, const TextSink& out,
          DiagnosticSink& diags);

[[nodiscard]] std::optional<Sizes> measure(const ir::Module& module, const EmitOptions& options);

/// Reads an Experiment by the fields of Katib's v1beta1 types, then compares it with the search of
/// the module.
bool validate(const ir::Module& module, const EmitOptions& options, std::string_view text,
              DiagnosticSink& diags);

/// The part of `validate` that needs no module: fields and references. For any Experiment.
bool validateExperiment(std::string_view text, DiagnosticSink& diags);

}  // namespace couler::backends::katib

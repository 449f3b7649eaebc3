#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/module.h"
#include "support/diagnostic.h"

namespace couler::backends {

/// Takes the emitted text piece by piece, so that a large manifest is never held whole.
using TextSink = std::function<void(std::string_view)>;

struct EmitOptions {
  const ir::TargetDef* target = nullptr;  ///< settings; null: the engine's defaults
  std::vector<std::pair<std::string, ir::Value>>
      arguments;  ///< workflow inputs given at build time
  /// The content of a file that the program names (`file("fit.py")`), for engines that carry it in
  /// the spec; nothing when it cannot be read. This layer does no I/O of its own.
  std::function<std::optional<std::string>(std::string_view path)> readFile;
};

/// One engine.
struct Backend {
  std::string_view name;       ///< "argo"
  std::string_view summary;    ///< one line, for --help
  std::string_view extension;  ///< "yaml"
  /// Turns a verified module into what the engine accepts. False after any error; each thing the
  /// engine cannot express is reported (CW06xx), never dropped. Same module, same bytes.
  bool (*emit)(const ir::Module& module, const EmitOptions& options, const TextSink& out,
               DiagnosticSink& diags);
  /// Reads emitted text back, independently of the emitter, and compares graph, data flow,
  /// parameters, conditions, retries and timeouts with the module. True when they agree; each
  /// difference is CW06xx.
  bool (*validate)(const ir::Module& module, const EmitOptions& options, std::string_view text,
                   DiagnosticSink& diags);
};

[[nodiscard]] std::span<const Backend> backendTable();
[[nodiscard]] const Backend* findBackend(std::string_view name);

}  // namespace couler::backends

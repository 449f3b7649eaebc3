#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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

/// What one object of an engine may be; 0: anything.
struct Limits {
  std::int64_t bytes = 0;
  std::int64_t steps = 0;
  std::int64_t templates = 0;
  std::int64_t tasks = 0;   ///< of one template
  std::int64_t inputs = 0;  ///< values that one template takes
  // What running parts and handing values over adds, about:
  std::int64_t callBytes = 0;  ///< to the parent, for a part
  std::int64_t giveBytes = 0;  ///< to a part, for a value that it gives
  std::int64_t takeBytes = 0;  ///< to a part, for a reference to a value of another
  std::int64_t linkBytes =
      0;  ///< to parent and part, for each `linkValues` that one takes of another
  std::int64_t linkValues = 1;
};

/// What a module comes to, in bytes and templates.
struct Sizes {
  std::vector<std::int64_t> ofNode;  ///< by node of a body: what it adds, with all inside it
  std::vector<std::int64_t> templates;  ///< by node of a body: how many it adds, but those of tasks
  std::vector<std::int64_t> ofTask;  ///< by task: what its first step in a workflow adds to that
  std::int64_t base = 0;             ///< of a workflow without steps and outputs
  std::int64_t results = 0;          ///< of the entry's outputs
  struct Document {
    ir::FuncId func;
    std::int64_t bytes = 0, templates = 0;
  };
  std::vector<Document> documents;  ///< the parts, then the entry
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
  Limits limits;
  /// The engine searches itself: a `tune` reaches it whole, not as the steps of its trials.
  bool searches = false;
  /// Emits to nowhere and measures. Nothing where `emit` has errors.
  std::optional<Sizes> (*measure)(const ir::Module& module, const EmitOptions& options);
};

[[nodiscard]] std::span<const Backend> backendTable();
[[nodiscard]] const Backend* findBackend(std::string_view name);

}  // namespace couler::backends

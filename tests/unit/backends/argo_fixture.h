#pragma once

#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "backends/argo/argo.h"
#include "backends/backend.h"
#include "frontend/session.h"
#include "passes/pass.h"
#include "support/render.h"

/// From source text to a manifest, in a test.
namespace couler::backends {

struct Manifest {
  bool ok = false;
  std::string text;
  std::string problems;  ///< `CW0601 …`, one a line
};

class Compiled {
 public:
  explicit Compiled(const std::string& body, bool runPasses = true, std::uint64_t shardSize = 0,
                    passes::Searches searches = passes::Searches::Steps)
      : session_([this](const std::string& path) { return load(path); }, diags_) {
    source_ = "couler 1\n" + body;
    if (!session_.load("main.cwl")) return;
    auto lowered = session_.lower("", true);
    if (!lowered) return;
    module_ = std::move(*lowered);
    if (runPasses) {
      passes::Context context{diags_};
      context.searches = searches;
      if (shardSize != 0) context.shardSize = shardSize;
      passes::PipelineOptions options;
      options.verify = true;
      passes::runPipeline(*module_, context, options);
    }
  }

  [[nodiscard]] std::string problems() const {
    std::string out;
    for (const Diagnostic& d : diags_.sorted()) {
      if (d.severity == Severity::Error) out += d.code() + " " + d.message + "\n";
    }
    return out;
  }
  [[nodiscard]] bool ready() const { return module_.has_value() && !diags_.hasErrors(); }
  [[nodiscard]] ir::Module& module() { return *module_; }

  EmitOptions options() {
    EmitOptions out;
    if (!module_->targets.empty()) out.target = &module_->targets.front();
    out.readFile = [this](std::string_view path) -> std::optional<std::string> {
      const auto found = files.find(std::string(path.substr(path.rfind('/') + 1)));
      return found == files.end() ? std::nullopt : std::optional(found->second);
    };
    return out;
  }

  Manifest emit() {
    Manifest out;
    DiagnosticList diags;
    out.ok = argo::emit(*module_, options(), [&](std::string_view t) { out.text += t; }, diags);
    out.problems = list(diags);
    return out;
  }

  /// What the validator has to say of `text`.
  std::string validate(std::string_view text) {
    DiagnosticList diags;
    const bool ok = argo::validate(*module_, options(), text, diags);
    EXPECT_EQ(ok, !diags.hasErrors());
    return list(diags);
  }

  static std::string list(const DiagnosticList& diags) {
    std::string out;
    for (const Diagnostic& d : diags.all()) out += d.code() + " " + d.message + "\n";
    return out;
  }

  std::map<std::string, std::string> files;

 private:
  LoadedText load(const std::string& path) const {
    if (path == "main.cwl") return {source_, {}};
    return {std::nullopt, "no such file"};
  }

  std::string source_;
  DiagnosticList diags_;
  Session session_;
  std::optional<ir::Module> module_;
};

}  // namespace couler::backends

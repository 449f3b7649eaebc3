#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "backends/argo/manifest.h"
#include "support/diagnostic.h"

/// A workflow as it was written: itself, or the parts that it runs and then itself.
namespace couler::backends::argo {

class Bundle {
 public:
  /// Reads all documents; false, and CW0650 or CW0651, where they are no workflow. Pre: `text` outlives this.
  [[nodiscard]] bool read(std::string_view text, DiagnosticSink& diags);
  /// What `checkFields` and `checkReferences` find in each, and whether parent and parts fit: each part within
  /// what Kubernetes stores, each template that submits a part giving all that it takes and taking only what it
  /// gives. Each misfit is CW0651 or CW0652.
  [[nodiscard]] bool check(DiagnosticSink& diags);

  [[nodiscard]] const Manifest& parent() const { return manifests_.back(); }
  [[nodiscard]] std::size_t parts() const { return manifests_.size() - 1; }
  /// After `check`: the part that a template of the parent submits, or null.
  [[nodiscard]] const Manifest* submittedBy(const Template& t) const;

 private:
  void submits(const Template& t, DiagnosticSink& diags);
  void takes(const Template& t, const Manifest& part, DiagnosticSink& diags);

  std::vector<std::string_view> texts_;
  std::deque<YamlDocument> documents_;
  std::deque<Manifest> manifests_;
  std::map<std::string_view, const Manifest*> named_;
  std::map<const Template*, const Manifest*> submitted_;
  std::deque<std::string> filled_;         ///< manifests of submissions, with their tags filled in
  std::deque<YamlDocument> submissions_;
  bool ok_ = true;
};

}  // namespace couler::backends::argo

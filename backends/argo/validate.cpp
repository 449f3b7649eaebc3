#include <string>

#include <fmt/format.h>

#include "backends/argo/argo.h"
#include "backends/argo/check.h"
#include "backends/argo/compare.h"
#include "support/text.h"

namespace couler::backends::argo {
namespace {

/// Limits that no manifest without aliases comes near: they are there for those who make small
/// texts stand for large ones.
YamlLimits limitsFor(std::string_view text) {
  YamlLimits limits;
  limits.bytes = std::size_t{1} << 31U;
  limits.nodes += text.size() / 16;
  return limits;
}

bool readManifest(std::string_view text, YamlDocument& document, DiagnosticSink& diags) {
  std::string error;
  if (!document.read(text, error, limitsFor(text))) {
    diags.take(diagnose<Diag::SpecUnreadable>({}, error));
    return false;
  }
  if (document.count() != 1) {
    diags.take(diagnose<Diag::SpecUnreadable>(
        {}, fmt::format("it has {}", countOf(document.count(), "document"))));
    return false;
  }
  const YamlNode root = document.root();
  const bool isWorkflow = root.isMap() && root["kind"].text() == "Workflow" &&
                          root["apiVersion"].text() == "argoproj.io/v1alpha1";
  if (!isWorkflow) {
    diags.take(diagnose<Diag::SpecField>({}, root.line(),
                                         root.isMap()
                                             ? "this is no `Workflow` of `argoproj.io/v1alpha1`"
                                             : "the manifest is no map"));
  }
  return isWorkflow;
}

bool check(YamlNode root, const Manifest& manifest, DiagnosticSink& diags) {
  const bool fields = checkFields(root, diags);
  return checkReferences(manifest, diags) && fields;
}

}  // namespace

bool validateManifest(std::string_view text, DiagnosticSink& diags) {
  YamlDocument document;
  if (!readManifest(text, document, diags)) return false;
  return check(document.root(), Manifest(document), diags);
}

bool validate(const ir::Module& module, const EmitOptions& options, std::string_view text,
              DiagnosticSink& diags) {
  YamlDocument document;
  if (!readManifest(text, document, diags)) return false;
  const Manifest manifest(document);
  const bool sound = check(document.root(), manifest, diags);
  return compareWithModule(module, options, manifest, diags) && sound;
}

}  // namespace couler::backends::argo

#include "backends/argo/argo.h"
#include "backends/argo/bundle.h"
#include "backends/argo/compare.h"

namespace couler::backends::argo {

bool validateManifest(std::string_view text, DiagnosticSink& diags) {
  Bundle bundle;
  return bundle.read(text, diags) && bundle.check(diags);
}

bool validate(const ir::Module& module, const EmitOptions& options, std::string_view text,
              DiagnosticSink& diags) {
  Bundle bundle;
  if (!bundle.read(text, diags)) return false;
  const bool sound = bundle.check(diags);
  return compareWithModule(module, options, bundle, diags) && sound;
}

}  // namespace couler::backends::argo

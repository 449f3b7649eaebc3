#pragma once

#include "backends/argo/manifest.h"
#include "support/diagnostic.h"

/// What can be wrong with any manifest, whatever it was made from. Nothing in it is trusted.
namespace couler::backends::argo {

/// Each field is one that Argo knows, with a value of the right shape. False after a CW0651.
[[nodiscard]] bool checkFields(YamlNode root, DiagnosticSink& diags);

/// Names, references, arguments, tags. False after a CW0651 or CW0652. O(text) but for manifests
/// that use what they do not directly depend on.
[[nodiscard]] bool checkReferences(const Manifest& manifest, DiagnosticSink& diags);

}  // namespace couler::backends::argo

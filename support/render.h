#pragma once

#include <string>
#include <vector>

#include "support/diagnostic.h"

namespace couler {

/// For people: message, source lines with carets, labels, notes, fixes; a count at the end.
/// `colour` adds ANSI escapes. Control characters in source text are shown as escapes; a line over
/// 200 columns is cut round the caret. Ends in a newline unless `diagnostics` is empty.
[[nodiscard]] std::string renderHuman(const std::vector<Diagnostic>& diagnostics,
                                      const SourceManager& sources, bool colour);

/// One JSON object per line: code, severity, file, range (line and column from 1, byte offsets),
/// message, labels, notes, fixes.
[[nodiscard]] std::string renderJson(const std::vector<Diagnostic>& diagnostics,
                                     const SourceManager& sources);

/// One SARIF 2.1.0 log (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), with fixes and the rules
/// that occur.
[[nodiscard]] std::string renderSarif(const std::vector<Diagnostic>& diagnostics,
                                      const SourceManager& sources);

}  // namespace couler

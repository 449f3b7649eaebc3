#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "driver/command.h"
#include "support/diagnostic.h"
#include "support/source.h"

namespace couler::driver {

/// Standard output. An error (a full disk, say) is kept and ends the command with 1.
void printOut(std::string_view text);
void printError(std::string_view text);
/// Flushes standard output; false when anything written to it was lost.
[[nodiscard]] bool flushOut();

enum class DiagnosticFormat : std::uint8_t { Human, Json, Sarif };

/// How this command line wants messages.
struct DiagnosticStyle {
  DiagnosticFormat format = DiagnosticFormat::Human;
  bool colour = false;
  bool machineToStdout = false;  ///< JSON and SARIF go to standard output, not error
};
[[nodiscard]] DiagnosticStyle styleOf(const Invocation& invocation);
[[nodiscard]] bool colourFor(const Invocation& invocation, int fd);

void printDiagnostics(const std::vector<Diagnostic>& diagnostics, const SourceManager& sources,
                      const DiagnosticStyle& style);
/// One message that has no place in any source; returns `code`.
int complain(Diagnostic diagnostic, int code, const DiagnosticStyle& style = {});

}  // namespace couler::driver

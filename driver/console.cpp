#include "driver/console.h"

#include <cstdio>
#include <cstdlib>

#include <unistd.h>

#include "support/render.h"

namespace couler::driver {
namespace {

bool outputLost =
    false;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): errno of stdout

}  // namespace

void printOut(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) outputLost = true;
}

void printError(std::string_view text) {
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

bool flushOut() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) outputLost = true;
  return !outputLost;
}

bool colourFor(const Invocation& invocation, int fd) {
  const std::string when = invocation.value("color", "auto");
  if (when != "auto") return when == "always";
  const char* none = std::getenv("NO_COLOR");  // https://no-color.org
  const char* term = std::getenv("TERM");
  return ::isatty(fd) == 1 && (none == nullptr || *none == 0) &&
         (term == nullptr || std::string_view(term) != "dumb");
}

DiagnosticStyle styleOf(const Invocation& invocation) {
  DiagnosticStyle style;
  const std::string format = invocation.value("diagnostics", "human");
  if (format == "json") style.format = DiagnosticFormat::Json;
  if (format == "sarif") style.format = DiagnosticFormat::Sarif;
  style.colour = colourFor(invocation, STDERR_FILENO);
  return style;
}

void printDiagnostics(const std::vector<Diagnostic>& diagnostics, const SourceManager& sources,
                      const DiagnosticStyle& style) {
  std::string text;
  switch (style.format) {
    case DiagnosticFormat::Human:
      text = renderHuman(diagnostics, sources, style.colour);
      break;
    case DiagnosticFormat::Json:
      text = renderJson(diagnostics, sources);
      break;
    case DiagnosticFormat::Sarif:
      text = renderSarif(diagnostics, sources);
      break;
  }
  if (style.machineToStdout && style.format != DiagnosticFormat::Human) {
    printOut(text);
  } else {
    printError(text);
  }
}

int complain(Diagnostic diagnostic, int code, const DiagnosticStyle& style) {
  const SourceManager none;
  printDiagnostics({std::move(diagnostic)}, none, style);
  return code;
}

}  // namespace couler::driver

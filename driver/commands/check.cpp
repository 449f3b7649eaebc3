#include <vector>

#include "driver/command.h"
#include "driver/console.h"
#include "driver/program.h"
#include "driver/script_check.h"

namespace couler::driver {
namespace {

void warnOfScripts(Program& program) {
  std::vector<Script> scripts;
  for (const syntax::Tree* tree : program.session().trees()) {
    const std::vector<Script> more = scriptsOf(*tree);
    scripts.insert(scripts.end(), more.begin(), more.end());
  }
  const auto found = checkScripts(scripts);
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    const std::string_view source = program.sources().text(scripts[i].span.file);
    if (found[i]) program.problems().take(scriptWarning(scripts[i], *found[i], source));
  }
}

}  // namespace

int runCheck(const Invocation& invocation) {
  const bool denyWarnings = invocation.has("deny-warnings");
  int code = kOk;
  // All messages of all files are one report: JSON and SARIF readers want one document.
  SourceManager all;
  std::vector<Diagnostic> shown;
  DiagnosticStyle style = styleOf(invocation);
  style.machineToStdout = true;
  for (const std::string& path : invocation.words) {
    Program program(invocation);
    if (program.check(path)) (void)program.lower("", false);
    if (invocation.has("scripts")) warnOfScripts(program);
    std::vector<FileId> moved;
    for (std::size_t i = 0; i < program.sources().count(); ++i) {
      const FileId id(i);
      moved.push_back(all.add(std::string(program.sources().path(id)),
                              std::string(program.sources().text(id))));
    }
    const auto move = [&](Span& span) {
      if (span.valid()) span.file = moved[span.file.index()];
    };
    for (Diagnostic diagnostic : program.problems().sorted()) {
      if (diagnostic.severity == Severity::Remark) continue;
      if (diagnostic.severity == Severity::Error || denyWarnings) code = kFailed;
      move(diagnostic.at);
      for (Label& label : diagnostic.labels) move(label.at);
      for (Fix& fix : diagnostic.fixes) {
        for (Edit& edit : fix.edits) move(edit.at);
      }
      shown.push_back(std::move(diagnostic));
    }
  }
  if (!shown.empty() || style.format != DiagnosticFormat::Human)
    printDiagnostics(shown, all, style);
  return code;
}

}  // namespace couler::driver

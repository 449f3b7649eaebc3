#include <string>

#include "driver/command.h"
#include "driver/console.h"
#include "driver/diff.h"
#include "driver/files.h"
#include "driver/program.h"
#include "frontend/format/format.h"
#include "frontend/parse/parse.h"

namespace couler::driver {
namespace {

int formatOne(const std::string& path, bool checkOnly, bool diffOnly,
              const DiagnosticStyle& style) {
  SourceManager sources;
  DiagnosticList problems;
  ReadResult read = readFile(path);
  if (!read.error.empty()) {
    return complain(diagnose<Diag::CannotReadFile>({}, path, read.error), kFailed, style);
  }
  const bool standardInput = path == "-";
  const std::string shown = standardInput ? std::string(kStandardInput) : path;
  const FileId file = sources.add(shown, read.text);
  const auto tree = parseFile(sources, file, problems);
  if (problems.hasErrors()) {
    printDiagnostics(problems.sorted(), sources, style);
    return kFailed;
  }
  const std::string text = formatTree(sources, *tree);
  const bool same = text == read.text;
  if (diffOnly) {
    printOut(unifiedDiff(shown, read.text, text));
    return checkOnly && !same ? kFailed : kOk;
  }
  if (checkOnly) {
    if (same) return kOk;
    return complain(
        diagnose<Diag::NotFormatted>({}, shown).note("`couler fmt " + path + "` mends it"), kFailed,
        style);
  }
  if (standardInput) {
    printOut(text);
    return kOk;
  }
  if (same) return kOk;
  if (const std::string problem = writeFile(path, text); !problem.empty()) {
    return complain(diagnose<Diag::CannotWriteFile>({}, path, problem), kFailed, style);
  }
  return kOk;
}

}  // namespace

int runFmt(const Invocation& invocation) {
  const DiagnosticStyle style = styleOf(invocation);
  int code = kOk;
  for (const std::string& path : invocation.words) {
    if (formatOne(path, invocation.has("check"), invocation.has("diff"), style) != kOk)
      code = kFailed;
  }
  return code;
}

}  // namespace couler::driver

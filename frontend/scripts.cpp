#include "frontend/scripts.h"

#include <algorithm>

#include <fmt/format.h>

#include "support/text.h"

namespace couler {
namespace {

/// Line `n` (from 1) of a text, without its end; nothing where it has fewer.
std::optional<std::string_view> lineAt(std::string_view text, std::uint32_t n) {
  for (; n > 1; --n) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

/// Where line `n` of the script is in the program. Lines lose their indentation and a first one of
/// white space only, so a line of the script is the end of one of the program.
Span spanOfLine(const Script& script, std::uint32_t n, std::string_view source) {
  constexpr std::uint32_t kQuotes = 3;
  const std::optional<std::string_view> line = lineAt(script.text, n);
  if (n == 0 || !line || script.span.size() < 2 * kQuotes) return script.span;
  const std::string_view inner =
      source.substr(script.span.begin + kQuotes, script.span.size() - 2 * kQuotes);
  const std::string_view first = inner.substr(0, inner.find('\n'));
  const bool dropped = first.size() < inner.size() &&
                       first.find_first_not_of(" \t\r") == std::string_view::npos;
  std::optional<std::string_view> written = lineAt(inner, n + (dropped ? 1 : 0));
  if (!written) return script.span;
  if (written->ends_with('\r')) written->remove_suffix(1);
  const auto end = static_cast<std::uint32_t>(written->data() + written->size() - source.data());
  return {script.span.file, end - static_cast<std::uint32_t>(std::min(line->size(), written->size())),
          end};
}

}  // namespace

std::vector<Script> scriptsOf(const syntax::Tree& tree) {
  using namespace syntax;
  std::vector<Script> scripts;
  for (const Decl* decl : tree.decls) {
    if (decl->kind != DeclKind::Task) continue;
    const auto& task = static_cast<const TaskDecl&>(*decl);
    const bool script = task.run == RunKind::Sh || task.run == RunKind::Python;
    if (!script || task.runBody == nullptr || task.runBody->kind != ExprKind::RawString) continue;
    scripts.push_back(
        {task.run, static_cast<const RawStringExpr*>(task.runBody)->text, task.runBody->span});
  }
  return scripts;
}

Diagnostic scriptWarning(const Script& script, const ScriptProblem& problem,
                         std::string_view source) {
  Span at = spanOfLine(script, problem.line, source);
  if (problem.line != 0 && problem.column != 0) {
    const std::uint32_t begin = std::min(at.begin + problem.column - 1, at.end);
    const std::uint32_t end = problem.endColumn > problem.column
                                  ? std::min(at.begin + problem.endColumn - 1, at.end)
                                  : begin;
    at = {at.file, begin, std::max(begin, end)};
  }
  const char* language = script.language == syntax::RunKind::Python ? "Python" : "sh";
  Diagnostic warning = diagnose<Diag::SyntaxError>(
      at, fmt::format("this {} script does not parse: {}", language, problem.message));
  // The language's own program here may be another than the one where the script runs.
  warning.severity = Severity::Warning;
  return warning;
}

}  // namespace couler

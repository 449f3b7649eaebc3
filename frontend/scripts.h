#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/syntax/tree.h"
#include "support/diagnostic.h"

/// The scripts of tasks, for programs that know their languages. The compiler reads none itself.
namespace couler {

struct Script {
  syntax::RunKind language{};  ///< Sh or Python
  std::string_view text;       ///< as it runs, without the indentation of the program
  Span span;                   ///< of the text in the program, quotes included
};
/// In order of place. O(declarations).
[[nodiscard]] std::vector<Script> scriptsOf(const syntax::Tree& tree);

/// Where a script does not parse. Lines and columns (in bytes) count from 1; column 0: all of the
/// line; line 0: all of the script.
struct ScriptProblem {
  std::uint32_t line = 0, column = 0, endColumn = 0;
  std::string message;
};
/// For each script what is wrong with it, or nothing; nothing for all where no program knows.
/// Carries none of them out.
using ScriptCheck =
    std::function<std::vector<std::optional<ScriptProblem>>(const std::vector<Script>& scripts)>;

/// The problem as a warning at its place in the program, whose text is `source`.
[[nodiscard]] Diagnostic scriptWarning(const Script& script, const ScriptProblem& problem,
                                       std::string_view source);

}  // namespace couler

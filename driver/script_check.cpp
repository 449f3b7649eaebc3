#include "driver/script_check.h"

#include <charconv>
#include <map>

#include <nlohmann/json.hpp>

#include "driver/filter_process.h"

namespace couler::driver {
namespace {

using Problems = std::map<std::string_view, std::optional<ScriptProblem>>;  // by script

constexpr std::chrono::milliseconds kMost{5000};

/// Columns are given in bytes: those of Python are of code points.
constexpr const char* kPython = R"python(
import ast, json, sys, warnings
warnings.simplefilter("ignore")
sys.stdin.reconfigure(encoding="utf-8")
found = []
for script in json.load(sys.stdin):
    problem = None
    try:
        ast.parse(script)
    except SyntaxError as error:
        lines = script.split("\n")
        number = error.lineno or 0
        line = lines[number - 1] if 0 < number <= len(lines) else ""
        def column(at):
            return len(line[:max(at - 1, 0)].encode()) + 1
        begin = column(error.offset) if error.offset else 0
        end = getattr(error, "end_offset", None) or 0
        same = getattr(error, "end_lineno", None) == number and end > 0
        problem = [number, begin, column(end) if same else 0, str(error.msg)]
    except Exception:
        pass
    found.append(problem)
json.dump(found, sys.stdout)
)python";

void askPython(Problems& scripts) {
  nlohmann::json texts = nlohmann::json::array();
  for (const auto& [text, problem] : scripts) texts.push_back(text);
  const auto said = filterThrough({"python3", "-I", "-S", "-c", kPython},
                                  texts.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace),
                                  kMost);
  if (!said || said->exitCode != 0) return;
  const auto found = nlohmann::json::parse(said->out, nullptr, false);
  if (!found.is_array() || found.size() != scripts.size()) return;
  std::size_t at = 0;
  for (auto& [text, problem] : scripts) {
    const nlohmann::json& one = found[at++];
    if (!one.is_array() || one.size() != 4 || !one[3].is_string()) continue;
    problem = ScriptProblem{one[0].get<std::uint32_t>(), one[1].get<std::uint32_t>(),
                            one[2].get<std::uint32_t>(), one[3].get<std::string>()};
  }
}

/// Of `sh: 3: Syntax error: …` (dash), `sh: line 3: …` (bash) or `sh: syntax error: …` (BusyBox).
ScriptProblem shellProblem(std::string_view said) {
  said = said.substr(0, said.find('\n'));
  ScriptProblem problem;
  const auto word = [&] {
    const std::size_t end = said.find(": ");
    const std::string_view first = said.substr(0, end);
    if (end == std::string_view::npos) return std::string_view();
    return first;
  };
  for (std::string_view first = word(); !first.empty(); first = word()) {
    std::string_view digits = first;
    if (digits.starts_with("line ")) digits.remove_prefix(5);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), problem.line);
    const bool number = error == std::errc() && end == digits.data() + digits.size();
    const bool name = first.find(' ') == std::string_view::npos;  // `sh`, `/bin/sh`
    if (!number && !name) break;
    said.remove_prefix(first.size() + 2);
    if (number) break;
  }
  problem.message = said;
  return problem;
}

void askShell(Problems& scripts) {
  for (auto& [text, problem] : scripts) {
    const auto said = filterThrough({"sh", "-n"}, text, kMost);
    if (!said) return;
    if (said->exitCode != 0 && !said->err.empty()) problem = shellProblem(said->err);
  }
}

}  // namespace

std::vector<std::optional<ScriptProblem>> checkScripts(const std::vector<Script>& scripts) {
  Problems python, shell;
  const auto of = [&](const Script& script) -> Problems& {
    return script.language == syntax::RunKind::Python ? python : shell;
  };
  for (const Script& script : scripts) of(script).try_emplace(script.text);
  if (!python.empty()) askPython(python);
  if (!shell.empty()) askShell(shell);
  std::vector<std::optional<ScriptProblem>> result;
  result.reserve(scripts.size());
  for (const Script& script : scripts) result.push_back(of(script).at(script.text));
  return result;
}

}  // namespace couler::driver

#include <string>
#include <variant>

#include <fmt/format.h>

#include "driver/command.h"
#include "driver/console.h"
#include "driver/program.h"
#include "driver/table_diff.h"
#include "ir/eval.h"

namespace couler::driver {
namespace {

struct Count {
  std::size_t passed = 0;
  std::size_t failed = 0;
};

/// The rows and cells in which two tables, or two rows, differ. False where they are neither.
bool noteTables(const ir::Op& op, const ir::EvalResult* left, const ir::EvalResult* right,
                Diagnostic& diagnostic) {
  if (op.op != ir::Builtin::Equal || left == nullptr || right == nullptr) return false;
  const auto* found = std::get_if<ir::Value>(left);
  const auto* expected = std::get_if<ir::Value>(right);
  if (found == nullptr || expected == nullptr) return false;
  const auto isRow = [](const ir::Value& value) { return value.as<ir::RecordValue>() != nullptr; };
  const bool rows = isRow(*found) && isRow(*expected);
  const auto diff = rows ? tableDiff(ir::Value::list({*found}), ir::Value::list({*expected}))
                         : tableDiff(*found, *expected);
  if (!diff) return false;
  std::string text = "left -> right; `+` only left, `-` only right";
  for (const std::string& line : *diff) text += "\n" + line;
  diagnostic.note(std::move(text));
  return true;
}

/// Both sides of a comparison that does not hold, from the node that made the result.
void noteSides(const ir::Module& module, ir::NodeId result,
               const std::function<const ir::EvalResult*(ir::NodeId)>& value,
               Diagnostic& diagnostic) {
  const auto* op = module.payload<ir::Op>(result);
  if (op == nullptr) return;
  const auto operands = module.operands(module.at(result));
  if (operands.size() != 2) return;
  if (noteTables(*op, value(operands[0]), value(operands[1]), diagnostic)) return;
  static constexpr std::string_view kSides[] = {"left side", "right side"};
  for (std::size_t i = 0; i < 2; ++i) {
    const ir::EvalResult* side = value(operands[i]);
    if (side == nullptr) continue;
    if (const auto* known = std::get_if<ir::Value>(side)) {
      diagnostic.note(fmt::format("{} is {}", kSides[i], ir::toSource(*known)));
    }
  }
}

/// A copy of the test's region whose results are also the operands of its comparisons, so that one
/// evaluation gives both sides.
void runOne(const ir::Module& original, const ir::TestDef& test, Program& program, Count& count) {
  ir::Module module = original;
  ir::Region& region = module.at(test.body);
  const std::vector<ir::NodeId> expectations = region.results;
  std::vector<ir::NodeId> wanted = expectations;
  for (const ir::NodeId id : expectations) {
    if (module.payload<ir::Op>(id) == nullptr) continue;
    const auto operands = module.operands(module.at(id));
    wanted.insert(wanted.end(), operands.begin(), operands.end());
  }
  region.results = wanted;
  const std::vector<ir::EvalResult> results = ir::evaluateRegion(module, test.body, {});
  const auto value = [&](ir::NodeId id) -> const ir::EvalResult* {
    for (std::size_t i = 0; i < wanted.size() && i < results.size(); ++i) {
      if (wanted[i] == id) return &results[i];
    }
    return nullptr;
  };
  bool held = true;
  for (std::size_t i = 0; i < expectations.size(); ++i) {
    const Span at = i < test.expectations.size() ? test.expectations[i] : test.span;
    const ir::EvalResult& result = results[i];
    const auto* known = std::get_if<ir::Value>(&result);
    const bool* truth = known != nullptr ? known->as<bool>() : nullptr;
    if (truth != nullptr && *truth) continue;
    held = false;
    Diagnostic diagnostic = diagnose<Diag::ExpectationFailed>(at, test.title);
    if (const auto* error = std::get_if<ir::EvalError>(&result)) {
      diagnostic.note(error->message);
      if (error->at.valid() && error->at != at) diagnostic.label(error->at, error->message);
    } else {
      noteSides(module, expectations[i], value, diagnostic);
    }
    program.problems().take(std::move(diagnostic));
  }
  ++(held ? count.passed : count.failed);
  if (program.style().format == DiagnosticFormat::Human) {
    printOut(fmt::format("{} {}\n", held ? "pass" : "FAIL", test.title));
  }
}

}  // namespace

int runTest(const Invocation& invocation) {
  Count count;
  bool broken = false;
  for (const std::string& path : invocation.words) {
    Program program(invocation);
    program.style().machineToStdout = true;
    if (program.check(path)) {
      if (const auto module = program.lower("", false)) {
        for (const ir::TestDef& test : module->tests) runOne(*module, test, program, count);
      } else {
        broken = true;
      }
    } else {
      broken = true;
    }
    program.report();
  }
  const std::string line = fmt::format("{} passed, {} failed\n", count.passed, count.failed);
  if (styleOf(invocation).format == DiagnosticFormat::Human) {
    printOut(line);
  } else {
    printError(line);
  }
  return broken || count.failed != 0 ? kFailed : kOk;
}

}  // namespace couler::driver

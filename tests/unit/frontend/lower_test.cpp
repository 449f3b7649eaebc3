#include "frontend/lower/lower.h"

#include <fstream>
#include <iterator>
#include <map>

#include <gtest/gtest.h>

#include "frontend/session.h"
#include "ir/eval.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "support/render.h"
#include "tests/support/golden.h"

namespace couler {
namespace {

const std::string kGolden = std::string(COULER_SOURCE_DIR) + "/tests/golden/lower/";

struct Lowered {
  DiagnosticList diags;
  std::optional<ir::Module> module;
  std::string messages;

  [[nodiscard]] std::string codes() const {
    std::string out;
    for (const Diagnostic& d : diags.sorted()) {
      if (d.severity == Severity::Error) out += (out.empty() ? "" : " ") + d.code();
    }
    return out;
  }
};

Lowered lower(const std::string& text, std::string_view entry = "", bool needEntry = false,
              const std::string& path = "main.cwl") {
  Lowered result;
  const auto load = [&](const std::string& wanted) -> LoadedText {
    if (wanted == path) return {text, ""};
    return {std::nullopt, "no such file"};
  };
  Session session(load, result.diags);
  EXPECT_TRUE(session.load(path));
  result.module = session.lower(entry, needEntry);
  result.messages = renderHuman(result.diags.sorted(), session.sources(), false);
  if (result.module) {
    const std::vector<std::string> problems = ir::verify(*result.module);
    EXPECT_TRUE(problems.empty()) << problems.front();
  }
  return result;
}

std::vector<std::string> stepNames(const ir::Module& module) {
  std::vector<std::string> names;
  for (const ir::Node& node : module.nodes) {
    const auto* call = std::get_if<ir::Call>(&node.payload);
    const bool isCall = call != nullptr && module.at(call->callee).kind == ir::FuncKind::Workflow;
    if (isCall || std::holds_alternative<ir::Step>(node.payload)) {
      names.emplace_back(module.at(node.name));
    }
  }
  return names;
}

class LowerGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(LowerGolden, GivesThisGraph) {
  DiagnosticList diags;
  const auto load = [](const std::string& path) -> LoadedText {
    std::ifstream in(kGolden + path, std::ios::binary);
    if (!in) return {std::nullopt, "no such file"};
    return {std::string(std::istreambuf_iterator<char>(in), {}), ""};
  };
  Session session(load, diags);
  ASSERT_TRUE(session.load(GetParam() + ".cwl"));
  const auto module = session.lower("", true);
  ASSERT_TRUE(module.has_value()) << renderHuman(diags.sorted(), session.sources(), false);
  const std::vector<std::string> problems = ir::verify(*module);
  EXPECT_TRUE(problems.empty()) << problems.front();
  testing::expectGolden("lower/" + GetParam() + ".ir", ir::print(*module));
  for (const ir::TestDef& test : module->tests) {
    for (const ir::EvalResult& result : ir::evaluateRegion(*module, test.body, {})) {
      ASSERT_TRUE(std::holds_alternative<ir::Value>(result)) << test.title;
      EXPECT_TRUE(std::get<ir::Value>(result) == ir::Value(true)) << test.title;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(All, LowerGolden,
                         ::testing::Values("steps", "values", "control", "settings", "clash",
                                           "tables", "tune"),
                         [](const auto& param) { return param.param; });

TEST(LowerTune, TrialsStartOnRungsThatThereAre) {
  const auto search = [](const std::string& settings) {
    return lower("couler 1\ntask t(x: int, n: int) -> (y: int = stdout) { run [\"t\", x, n] }\n"
                 "workflow w() -> (y: int) {\n  let best = tune t(x: in 0..9) maximize y using "
                 "asha(trials: 4, resource: n, " + settings + ")\n  return (y: best.y)\n}\n");
  };
  EXPECT_EQ(search("max: 9, brackets: 3").messages, "");
  const Lowered refused = search("max: 9, brackets: 4");
  EXPECT_EQ(refused.codes(), "CW0427");
  EXPECT_NE(refused.messages.find("must not be more than the rungs, 3"), std::string::npos)
      << refused.messages;
}

TEST(LowerTune, APriorIsAskedForSomePoints) {
  const auto search = [](const std::string& points) {
    return lower("couler 1\nfn times(n: int) -> int = 11 * n\ntask t(x: int) -> (y: int = stdout) { run [\"t\", x] }\n"
                 "workflow w() -> (y: int) {\n  let best = tune t(x: in 0..9) maximize y using random(trials: 4)"
                 " prior from card(data: \"d\", model: \"m\", points: " + points + ")\n  return (y: best.y)\n}\n");
  };
  EXPECT_EQ(search("times(2)").messages, "");
  const Lowered refused = search("times(3)");
  EXPECT_EQ(refused.codes(), "CW0427");
  EXPECT_NE(refused.messages.find("must be from 1 to 32"), std::string::npos) << refused.messages;
}

constexpr const char* kTask =
    "couler 1\ntask t(x: int = 0) -> (n: int = stdout) { run [\"t\", x] }\n";

TEST(Lower, TheWorkflowThatNoneCallsIsTheEntry) {
  const std::string text = std::string(kTask) +
                           "workflow inner() -> (n: int) { return t().n }\n"
                           "workflow outer() -> (n: int) { return inner().n }\n";
  const Lowered automatic = lower(text, "", true);
  ASSERT_TRUE(automatic.module) << automatic.messages;
  EXPECT_EQ(automatic.module->at(automatic.module->entry).name, "outer");
  const Lowered named = lower(text, "inner", true);
  ASSERT_TRUE(named.module);
  EXPECT_EQ(named.module->at(named.module->entry).name, "inner");
  const Lowered wrong = lower(text, "iner", true);
  EXPECT_EQ(wrong.codes(), "CW0425");
  EXPECT_NE(wrong.messages.find("did you mean `inner`?"), std::string::npos) << wrong.messages;
}

TEST(Lower, NoneOrSeveralEntries) {
  EXPECT_EQ(lower(kTask, "", true).codes(), "CW0423");
  const Lowered tasks = lower(kTask, "", false);
  ASSERT_TRUE(tasks.module);
  EXPECT_FALSE(tasks.module->entry.valid());
  const std::string two = std::string(kTask) +
                          "volatile task v() { run [\"v\"] }\n"
                          "workflow a() { v() }\nworkflow b() { v() }\n";
  const Lowered several = lower(two, "", true);
  EXPECT_EQ(several.codes(), "CW0424");
  EXPECT_NE(several.messages.find("workflow b"), std::string::npos) << several.messages;
  EXPECT_TRUE(lower(two, "", false).module.has_value());
  EXPECT_TRUE(lower(two, "b", true).module.has_value());
}

TEST(Lower, ConstantsThatFail) {
  EXPECT_EQ(lower("couler 1\nfn f(n: int = 1 div 0) -> int = n\n").codes(), "CW0426");
  EXPECT_EQ(
      lower("couler 1\nfn g(n: int) -> int = [1][n]\nfn f(n: int = g(4)) -> int = n\n").codes(),
      "CW0426");
  const Lowered chain = lower("couler 1\ntask t() { timeout 1 s * (2 - 2)\n run [\"t\"] }\n");
  EXPECT_EQ(chain.codes(), "CW0427") << chain.messages;
  EXPECT_EQ(lower("couler 1\ntask t() { retry 1 - 2\n run [\"t\"] }\n").codes(), "CW0427");
  EXPECT_EQ(
      lower("couler 1\ntask t() { retry 1 { exit_codes: [250 + 6] }\n run [\"t\"] }\n").codes(),
      "CW0427");
}

TEST(Lower, ConstantsMayCallFnsInAnyOrder) {
  // Each default needs a fn that is declared later and has such a default itself.
  const Lowered result = lower(R"(couler 1
fn a(n: int = b() + 1) -> int = n
fn b(n: int = c(c())) -> int = n * 2
fn c(n: int = 3) -> int = n + 1
task t(n: int = a()) { run ["t", n] }
)");
  ASSERT_TRUE(result.module) << result.messages;
  const ir::Module& module = *result.module;
  EXPECT_EQ(ir::toJson(module.at(module.tasks.at(0).params.at(0).fallback)), "11");
}

TEST(Lower, ConstantsThatNeedThemselves) {
  const Lowered result =
      lower("couler 1\nfn a(n: int = b()) -> int = n\nfn b(n: int = a()) -> int = n\n");
  EXPECT_FALSE(result.module.has_value());
  EXPECT_FALSE(result.codes().empty());
}

TEST(Lower, ConstantsThatWaitForEachOtherEnd) {
  std::string text = "couler 1\n";
  for (int i = 0; i < 2000; ++i) {
    const std::string next = "f" + std::to_string(i + 1);
    text += "fn f" + std::to_string(i) + "(n: int = " + next + "()) -> int = n\n";
  }
  text += "fn f2000() -> int = 1\n";
  const Lowered result = lower(text);
  EXPECT_FALSE(result.module.has_value());
  EXPECT_NE(result.codes().find("CW0426"), std::string::npos);
}

TEST(Lower, PathsCountFromTheSource) {
  const std::string text =
      "couler 1\ntask t(f: file = \"a.csv\", xs: list<file> = [file(\"../b.csv\")]) { run [\"t\", "
      "f, ...xs] }\n"
      "workflow w(name: string) {\n    t(f: file(name))\n    t(f: file(\"/abs/c\"), xs: "
      "glob(\"d/*\"))\n}\n";
  const Lowered result = lower(text, "", false, "flows/w.cwl");
  ASSERT_TRUE(result.module) << result.messages;
  const std::string printed = ir::print(*result.module);
  for (const char* part : {"file \"flows/a.csv\"", "file \"b.csv\"", "\"flows/\"",
                           "file \"/abs/c\"", "\"flows/d/*\""}) {
    EXPECT_NE(printed.find(part), std::string::npos) << part << "\n" << printed;
  }
}

TEST(Lower, AfterWaitsForEveryStepBehindAValue) {
  const Lowered result = lower(std::string(kTask) + R"(
workflow w() -> (n: int) {
    let a = t()
    let b = t()
    let sum = a.n + (if b.n > 0 { b.n } else { 1 })
    let all = for i in 0..2 { t(i).n }
    let last = t() after sum, all, a, b
    return last.n
}
)");
  ASSERT_TRUE(result.module) << result.messages;
  const ir::Module& module = *result.module;
  const ir::Node* last = nullptr;
  for (const ir::Node& node : module.nodes) {
    if (node.name.valid() && module.at(node.name) == "last") last = &node;
  }
  ASSERT_NE(last, nullptr);
  std::multimap<std::string, int> waits;
  for (const ir::NodeId id : module.order(*last)) {
    waits.emplace(std::string(module.at(module.at(id).name)), 1);
  }
  EXPECT_EQ(waits.size(), 3U);
  for (const char* name : {"a", "b", "all"}) EXPECT_EQ(waits.count(name), 1U) << name;
}

TEST(Lower, StepNamesAreStable) {
  const Lowered result = lower(std::string(kTask) + R"(
workflow w() -> (n: int) {
    let x = t(t().n)
    let y = if x.n > 0 { t(1).n } else { t(2).n }
    for x2 in 0..2 { let x_in = t(x2); x_in.n }
    return t(y).n
}
)");
  ASSERT_TRUE(result.module) << result.messages;
  EXPECT_EQ(stepNames(*result.module),
            (std::vector<std::string>{"t", "x", "t-2", "t-3", "x_in", "t-4"}));
}

TEST(Lower, LongFlatChains) {
  constexpr int kOperands = 1000;  // the parser takes 1024 in a row
  std::string sum = "couler 1\nfn f(n: int) -> int = n";
  for (int i = 0; i < kOperands; ++i) sum += " + " + std::to_string(i % 7);
  const Lowered result = lower(sum + "\n");
  ASSERT_TRUE(result.module) << result.messages.substr(0, 500);
  EXPECT_EQ(result.module->nodes.size(), 2U * kOperands + 1);

  constexpr int kItems = 100'000;
  std::string list = "couler 1\nfn f(x: int) -> list<float> = [x";
  for (int i = 1; i < kItems; ++i) list += ", " + std::to_string(i);
  const Lowered wide = lower(list + "]\n");
  ASSERT_TRUE(wide.module) << wide.messages.substr(0, 500);
  EXPECT_EQ(wide.module->nodes.back().operandCount, static_cast<std::uint32_t>(kItems));
}

TEST(Lower, LongChainsOfSteps) {
  constexpr int kLength = 20'000;
  std::string text = std::string(kTask) + "workflow w() -> (n: int) {\n    let s0 = t()\n";
  for (int i = 1; i < kLength; ++i) {
    const std::string before = "s" + std::to_string(i - 1);
    text += "    let s" + std::to_string(i) + " = t(" + before + ".n) after " + before + "\n";
  }
  const Lowered result = lower(text + "    return s" + std::to_string(kLength - 1) + ".n\n}\n");
  ASSERT_TRUE(result.module) << result.messages.substr(0, 500);
  EXPECT_EQ(stepNames(*result.module).size(), static_cast<std::size_t>(kLength));
}

TEST(Lower, NothingAfterAnError) {
  const Lowered result = lower("couler 1\nworkflow w() { missing() }\n");
  EXPECT_FALSE(result.module.has_value());
  EXPECT_EQ(result.codes(), "CW0201");
}

}  // namespace
}  // namespace couler

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/fixture.h"

// Merging equal blocks changes nothing of what a workflow gives: random workflows, with and
// without.
namespace couler::runtime::testing {
namespace {

constexpr const char* kTasks = R"cwl(
task add(a: int, b: int) -> (x: int) {
    run sh """
        x=$((a + b))
        """
}

task odd(a: int) -> (x: int) {
    run sh """
        [ $((a % 2)) -eq 1 ] || exit 3
        x=$a
        """
}

volatile task twice(a: int) -> (x: int) {
    run sh """
        x=$((a * 2))
        """
}

task never(a: int) -> (x: int) {
    cache false
    run sh """
        x=$a
        """
}

workflow guarded(n: int) -> (x: int) {
    let one = add(n, 1)
    finally {
        add(0, 0)
    }
    return (x: one.x)
}

workflow restless(n: int) -> (x: int) {
    let one = twice(n)
    finally {
        add(0, 0)
    }
    return (x: one.x)
}
)cwl";

/// Statements of few forms over few values, so that many are equal, or equal but for what they use.
std::string randomWorkflow(std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string text =
      "\nworkflow main(n: int, xs: list<int>) -> (out: list<int>) {\n"
      "    let v0 = guarded(n).x + restless(2).x\n";
  std::string values = "v0";
  const auto any = [&] { return std::vector<std::string>{"n", "2", "v0"}[random() % 3]; };
  constexpr std::size_t kStatements = 12;
  for (std::size_t i = 1; i < kStatements; ++i) {
    const std::string a = any();
    const std::string b = random() % 2 == 0 ? "n" : "2";
    std::string value;
    switch (random() % 9) {
      case 0:
        value = fmt::format("add({}, {}).x", a, b);
        break;
      case 1:
        value = fmt::format("guarded({}).x", a);
        break;
      case 2:
        text += fmt::format("    let l{} = for i in xs {{\n        add(i, {}).x\n    }}\n", i, a);
        value = fmt::format("sum(l{})", i);
        break;
      case 3:
        text += fmt::format(
            "    let l{0} = for i in xs {{\n        let inner = for j in xs {{\n"
            "            if j > i {{ add(j, {1}).x }} else {{ {2}(j).x }}\n        }}\n"
            "        sum(inner) + {1}\n    }}\n",
            i, a, random() % 3 == 0 ? "never" : "guarded");
        value = fmt::format("sum(l{})", i);
        break;
      case 4:
        value = fmt::format("if n > xs[0] {{ add({}, 1).x }} else {{ 7 }}", b);
        break;
      case 5:
        value = fmt::format("loop s = {} max 3 {{\n        add(s, {}).x\n    }} until s > 9", a, b);
        break;
      case 6:
        text += fmt::format("    let t{} = try odd({})\n", i, a);
        value = fmt::format("t{}?.x ?? {}", i, b);
        break;
      case 7:
        value = fmt::format("{}({}).x", random() % 2 == 0 ? "twice" : "never", a);
        break;
      default:
        value = fmt::format("restless({}).x", a);
        break;
    }
    text += fmt::format("    let v{} = {}\n", i, value);
    values += fmt::format(", v{}", i);
  }
  return text + "    return (out: [" + values + "])\n}\n";
}

class MergeTest : public EngineTest {
 protected:
  struct Outcome {
    std::string outputs;
    std::map<std::string, std::size_t> runs;  ///< of the tasks that are never merged
  };
  Outcome outcome(const std::string& text, bool merge, std::set<std::string>& merged) {
    const auto program = compile(folder / "test.cwl", text);
    if (!program->module) return {};
    passes::Context context{program->diags};
    passes::PipelineOptions pipeline;
    pipeline.verify = true;
    if (!merge) pipeline.disabled = {"merge-common"};
    EXPECT_TRUE(passes::runPipeline(*program->module, context, pipeline).ok) << text;
    for (const Diagnostic& diagnostic : program->diags.all()) {
      const std::string& message = diagnostic.message;
      if (message.find("merged this ") == 0)
        merged.insert(message.substr(12, message.find(" with") - 12));
    }
    std::filesystem::remove_all(folder / "store");
    run(*program);
    EXPECT_TRUE(result.ok) << text << messages();
    Outcome made;
    made.outputs = result.outputs ? ir::toJson(*result.outputs) : "";
    for (const Event& event : events) {
      const bool always = event.task == "twice" || event.task == "never";
      if (event.kind == Event::Kind::StepEnded && always) ++made.runs[event.task];
    }
    return made;
  }
};

TEST_F(MergeTest, EqualBlocksGiveWhatEachGave) {
  options.inputs = {{"n", std::int64_t{3}},
                    {"xs", ir::Value::list({std::int64_t{1}, std::int64_t{4}})}};
  options.jobs = 4;
  std::set<std::string> merged, none;
  for (std::uint32_t seed = 0; seed < 12; ++seed) {
    const std::string text = kTasks + randomWorkflow(seed);
    const Outcome whole = outcome(text, false, none);
    const Outcome less = outcome(text, true, merged);
    EXPECT_EQ(whole.outputs, less.outputs) << "seed " << seed << text;
    EXPECT_EQ(whole.runs, less.runs) << "seed " << seed << text;
  }
  EXPECT_EQ(none, std::set<std::string>{});
  EXPECT_EQ(merged,
            (std::set<std::string>{"`for`", "`if`", "`loop`", "`try`", "call of `guarded`"}));
}

}  // namespace
}  // namespace couler::runtime::testing

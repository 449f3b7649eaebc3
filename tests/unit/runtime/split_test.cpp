#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ir/print.h"
#include "ir/verify.h"
#include "passes/outline.h"
#include "passes/partition.h"
#include "passes/passes.h"
#include "passes/split_graph.h"
#include "tests/support/step_graphs.h"
#include "tests/unit/runtime/fixture.h"

// A workflow cut into parts gives what the whole gives: the same outputs, and the same steps by name, each once.
namespace couler::runtime {
namespace {

class SplitRun : public testing::EngineTest {
 protected:
  /// An engine that takes at most so many steps.
  static passes::EngineLimits limitsOf(std::int64_t steps) {
    passes::EngineLimits limits;
    limits.engine = "small";
    limits.steps = steps;
    limits.measure = [](const ir::Module& module) {
      passes::EmittedSizes sizes;
      for (std::size_t i = 0; i < module.funcs.size(); ++i) {
        if (module.funcs[i].outlined == ir::Outlined::Part)
          sizes.documents.push_back({ir::FuncId{i}, 1});
      }
      sizes.documents.push_back({module.entry, 1});
      return std::optional(sizes);
    };
    return limits;
  }
  passes::SplitPlan split(ir::Module& module, std::int64_t steps) {
    passes::SplitPlan plan;
    DiagnosticList said;
    const passes::EngineLimits limits = limitsOf(steps);
    passes::Context context{said};
    context.limits = &limits;
    context.splitPlan = &plan;
    EXPECT_TRUE(passes::split(module, context));
    EXPECT_EQ(ir::verify(module), std::vector<std::string>{});
    for (const passes::SplitPlan::Part& part : plan.parts) EXPECT_LE(part.steps, steps) << part.name;
    return plan;
  }
  /// Puts what has more tasks than so many into groups.
  static void group(ir::Module& module, std::int64_t tasks) {
    DiagnosticList said;
    passes::EngineLimits limits = limitsOf(0);
    limits.tasks = tasks;
    limits.inputs = 30;
    passes::Context context{said};
    context.limits = &limits;
    EXPECT_TRUE(passes::split(module, context));
    EXPECT_EQ(ir::verify(module), std::vector<std::string>{});
    EXPECT_TRUE(std::any_of(module.funcs.begin(), module.funcs.end(), [](const ir::FuncDef& func) {
      return func.outlined == ir::Outlined::Group;
    }));
    EXPECT_TRUE(passes::crowdedBodies(module, tasks).empty());
  }
  struct Outcome {
    std::string outputs;
    ir::Value values;
    std::map<std::string, StepState> states;
  };
  Outcome runIn(ir::Module module, const std::string& store) {
    events.clear();
    diags.clear();
    RunOptions used = options;
    used.storeDir = folder / store;
    used.jobs = 2;
    used.sourcePath = folder / "test.cwl";
    used.onEvent = [this](const Event& event) { events.push_back(event); };
    SourceManager sources;
    result = runtime::run(module, used, sources, diags);
    EXPECT_TRUE(result.ok) << messages();
    if (!result.outputs) return {};
    return {ir::toJson(*result.outputs), *result.outputs, states()};
  }
  void expectSame(const ir::Module& whole, ir::Module cut, std::int64_t steps) {
    const passes::SplitPlan plan = split(cut, steps);
    EXPECT_GT(plan.parts.size(), 1U);
    expectSameRuns(whole, cut);
  }
  void expectSameInGroups(const couler::testing::Shape& shape, std::int64_t steps,
                          std::int64_t tasks) {
    SCOPED_TRACE(shape.name);
    const ir::Module module = couler::testing::moduleOf(shape, "");
    ir::Module cut = module;
    passes::EngineLimits limits = limitsOf(steps);
    limits.tasks = tasks;
    limits.inputs = 2 * tasks;
    DiagnosticList said;
    passes::Context context{said};
    context.limits = &limits;
    EXPECT_TRUE(passes::split(cut, context));
    EXPECT_EQ(ir::verify(cut), std::vector<std::string>{});
    for (const char* store : {"whole", "parts"}) std::filesystem::remove_all(folder / store);
    expectSameRuns(module, cut);
  }
  void expectSameRuns(const ir::Module& whole, const ir::Module& cut) {
    const Outcome one = runIn(whole, "whole");
    const Outcome other = runIn(cut, "parts");
    EXPECT_EQ(one.outputs, other.outputs);
    EXPECT_EQ(one.states, other.states);
    // Cut or not, a step has one key: nothing runs again in the store of the other.
    const Outcome again = runIn(cut, "whole");
    EXPECT_EQ(again.outputs, one.outputs);
    for (const auto& [step, state] : again.states) EXPECT_EQ(state, StepState::Reused) << step;
  }
};

TEST_F(SplitRun, EveryShapeGivesTheSame) {
  for (const couler::testing::Shape& shape :
       {couler::testing::fanOut(60), couler::testing::pipelines(8, 6), couler::testing::layered(6, 8),
        couler::testing::randomGraph(60, 1), couler::testing::randomGraph(60, 2),
        couler::testing::randomGraph(60, 3), couler::testing::diamonds(60)}) {
    SCOPED_TRACE(shape.name);
    const ir::Module module = couler::testing::moduleOf(shape, "");
    expectSame(module, module, 20);
  }
}

constexpr const char* kMixed = R"(
task number(n: int) -> (x: int, note: file = "note.txt") {
    run sh """
        x=$((n * 2))
        echo "note $n" > "$note"
        """
}
task sum(a: int, b: int) -> (x: int) {
    run sh """
        x=$((a + b))
        """
}
task joined(notes: list<file>) -> (text: string = stdout) {
    run ["cat", ...notes]
}
volatile task log(what: string) {
    run ["echo", what]
}
workflow main(start: int = 3, word: string = "end") -> (total: int, some: int?, list: list<int>, text: string, note: file) {
    let a = number(start)
    let b = number(a.x + 1)
    let first = log(word)
    let c = sum(a.x, b.x) after first
    let d = sum(c.x, start)
    let big = if d.x > 5 {
        let inner = sum(d.x, b.x)
        inner.x
    } else {
        0
    }
    let some = try sum(d.x, a.x)
    let each = for i in 0..b.x {
        let one = sum(i, c.x)
        one.x
    }
    let last = loop state = (round: 0, x: big) max 4 {
        let now = sum(state.x, c.x)
        (round: state.round + 1, x: now.x)
    } until state.x > 40
    let e = sum(last.x, length(each))
    let f = number(e.x)
    let g = joined([f.note, a.note])
    let h = sum(e.x, f.x)
    finally {
        log("ended: {status}")
    }
    return (total: h.x, some: some?.x, list: each, text: g.text + word, note: b.note)
}
)";

// Hundreds of steps with Argo's kind of limits: parts, and groups in them.
TEST_F(SplitRun, LargeShapesGiveTheSame) {
  for (const couler::testing::Shape& shape :
       {couler::testing::fanOut(400), couler::testing::pipelines(40, 10),
        couler::testing::layered(20, 20), couler::testing::randomGraph(450),
        couler::testing::diamonds(400)}) {
    expectSameInGroups(shape, 150, 60);
  }
}
// As many steps as COULER_LARGE says; 100,000 take some minutes for each shape.
TEST_F(SplitRun, VeryLargeShapesGiveTheSame) {
  const char* given = std::getenv("COULER_LARGE");
  if (given == nullptr) GTEST_SKIP() << "runs with COULER_LARGE=100000, the number of steps";
  const auto steps = static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10));
  for (const couler::testing::Shape& shape :
       {couler::testing::layered(100, steps / 100), couler::testing::randomGraph(steps)}) {
    expectSameInGroups(shape, 4000, 200);
  }
}

TEST_F(SplitRun, GroupsOfEveryShapeGiveTheSame) {
  for (const couler::testing::Shape& shape :
       {couler::testing::fanOut(60), couler::testing::layered(6, 8),
        couler::testing::randomGraph(60, 1), couler::testing::diamonds(60)}) {
    SCOPED_TRACE(shape.name);
    const ir::Module module = couler::testing::moduleOf(shape, "");
    ir::Module grouped = module;
    group(grouped, 12);
    expectSameRuns(module, grouped);
    ir::Module both = module;
    passes::EngineLimits limits = limitsOf(25);
    limits.tasks = 10;
    limits.inputs = 30;
    DiagnosticList said;
    passes::Context context{said};
    context.limits = &limits;
    EXPECT_TRUE(passes::split(both, context));
    EXPECT_EQ(ir::verify(both), std::vector<std::string>{});
    expectSameRuns(module, both);
  }
}

TEST_F(SplitRun, ConditionsLoopsFilesAndFinallyInGroups) {
  const auto program = testing::compile(folder / "test.cwl", kMixed, true);
  ASSERT_TRUE(program->module.has_value());
  ir::Module grouped = *program->module;
  group(grouped, 8);
  const Outcome one = runIn(*program->module, "whole");
  const Outcome other = runIn(grouped, "groups");
  EXPECT_EQ(one.states, other.states);
  for (const char* name : {"total", "some", "list", "text"}) {
    EXPECT_TRUE(*one.values.field(name) == *other.values.field(name)) << name;
  }
}

TEST_F(SplitRun, ConditionsLoopsFilesAndFinally) {
  options.inputs = {};
  const auto program = testing::compile(folder / "test.cwl", kMixed, true);
  ASSERT_TRUE(program->module.has_value());
  ir::Module cut = *program->module;
  const passes::SplitPlan plan = split(cut, 6);
  EXPECT_GT(plan.parts.size(), 2U);
  const Outcome one = runIn(*program->module, "whole");
  const std::string note = content("note");
  const Outcome other = runIn(cut, "parts");
  EXPECT_EQ(content("note"), note);
  EXPECT_EQ(one.states, other.states);
  for (const char* name : {"total", "some", "list", "text"}) {
    EXPECT_TRUE(*one.values.field(name) == *other.values.field(name)) << name;
  }
}

// Bodies that are over the limits by themselves are cut, too, and lists go from part to part as
// lists.
TEST_F(SplitRun, BodiesAndLists) {
  std::string steps = "        let s0 = sum(first.x, base.x)\n";
  for (int i = 1; i < 30; ++i) {
    steps += fmt::format("        let s{0} = sum(s{1}.x, s{2}.x)\n", i, i - 1, i / 2);
  }
  const std::string program = R"cwl(
task number(n: int) -> (x: int) {
    run sh "x=$((n * 2))"
}
task sum(a: int, b: int) -> (x: int) {
    run sh "x=$(( (a + b) % 1009 ))"
}
task total(xs: list<int>) -> (text: string = stdout) {
    run ["echo", ...xs]
}
workflow main(start: int = 1) -> (each: list<int>, chosen: int, last: int, all: list<int>, total: string) {
    let base = number(start)
    let each = for i in 0..base.x {
        let first = number(i)
)cwl" + steps + R"cwl(        s29.x
    }
    let chosen = if base.x > 1 {
        let first = number(7)
)cwl" + steps + R"cwl(        s29.x
    } else {
        0
    }
    let last = loop state = (round: 0, x: chosen) max 2 {
        let first = number(state.x)
)cwl" + steps + R"cwl(        (round: state.round + 1, x: s29.x)
    } until state.x > 5000
    let wide = for i in 0..40 { number(start + i + 500) }
    let sums = for i in 0..40 { sum(wide[i].x, wide[(i + 1) % 40].x) }
    let all = total(sums.x)
    return (each: each, chosen: chosen, last: last.x, all: wide.x, total: all.text)
}
)cwl";
  const auto compiled = testing::compile(folder / "test.cwl", program, true);
  ASSERT_TRUE(compiled->module.has_value());
  ir::Module cut = *compiled->module;
  const std::size_t funcs = cut.funcs.size();
  const passes::SplitPlan plan = split(cut, 20);
  EXPECT_GT(plan.parts.size(), 8U);
  EXPECT_GT(cut.funcs.size(), funcs + 8);
  expectSameRuns(*compiled->module, cut);
  ir::Module grouped = *compiled->module;
  group(grouped, 12);
  for (const char* store : {"whole", "parts"}) std::filesystem::remove_all(folder / store);
  expectSameRuns(*compiled->module, grouped);
}

// Algorithm 3 of the paper is in bench/; here, what partition promises.
TEST(Partition, PartsAreAcyclicAndHaveEachStepOnce) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const couler::testing::Shape shape = couler::testing::randomGraph(450, seed);
    passes::StepGraph graph;
    for (std::uint32_t v = 0; v < shape.size(); ++v) {
      graph.vertices.push_back({shape.seconds[v], 300, 1, 0, 1, false});
      for (const std::uint32_t before : shape.before[v]) graph.edges.push_back({before, v, 8, 1});
    }
    graph.groupBytes = {1000};
    const passes::Partition cut = passes::partition(graph, {0, 100, 0, 0, {}, 1});
    ASSERT_EQ(cut.part.size(), shape.size());
    std::vector<std::int64_t> steps(cut.parts, 0);
    std::int64_t parent = cut.parts;
    for (const std::uint32_t part : cut.part) ++(part == passes::kParent ? parent : steps[part]);
    EXPECT_LE(parent, 100);
    for (const std::int64_t count : steps) {
      EXPECT_LE(count, 100);
      EXPECT_GT(count, 0);
    }
    // It ends only when no part waits for itself, by whatever way.
    EXPECT_GT(passes::makespan(graph, cut, 32), 0);
    double work = 0;
    for (const double seconds : shape.seconds) work += seconds;
    EXPECT_GE(passes::makespan(graph, cut, 32) * 32, work - 1e-6);
  }
}

}  // namespace
}  // namespace couler::runtime

#include <random>
#include <set>

#include "ir/verify.h"
#include "tests/unit/runtime/fixture.h"

namespace couler::runtime::testing {
namespace {

using ir::TypeTable;

/// A module of one workflow, made node by node.
class Graph {
 public:
  Graph() {
    const ir::TypeId nothing = module.types.record({});
    task("ok", "exit 0");
    task("bad", "exit 1");
    ir::FuncDef func;
    func.name = "main";
    func.body = module.addRegion();
    func.result = nothing;
    module.funcs.push_back(func);
    module.entry = ir::FuncId(0U);
    body = func.body;
  }
  ir::NodeId step(std::uint32_t task, std::int64_t n, const std::vector<ir::NodeId>& after) {
    const ir::NodeId number = module.addConst(body, n, TypeTable::kInt);
    return module.add(body, ir::Step{ir::TaskId(task)}, module.tasks[task].result, {{number}},
                      after, {}, module.intern("s" + std::to_string(n)));
  }
  RunResult run(const RunOptions& options, DiagnosticSink& diags) {
    const ir::NodeId result =
        module.add(body, ir::Op{ir::Builtin::MakeRecord}, module.funcs[0].result, {});
    module.at(body).results = {result};
    EXPECT_EQ(ir::verify(module), std::vector<std::string>{});
    return runtime::run(module, options, SourceManager(), diags);
  }
  ir::Module module;
  ir::RegionId body;

 private:
  void task(const std::string& name, const std::string& script) {
    ir::TaskDef task;
    task.name = name;
    task.params = {{"n", TypeTable::kInt, {}, "", {}}};
    task.result = module.types.record({});
    task.exprs = module.addRegion();
    const ir::NodeId n = module.addParam(task.exprs, TypeTable::kInt, "n", {}, ir::Phase::Run);
    for (const std::string& word :
         {std::string("sh"), std::string("-c"), script, std::string("-")}) {
      task.argv.push_back(
          {static_cast<std::uint32_t>(module.at(task.exprs).results.size()), false});
      const ir::NodeId node = module.addConst(task.exprs, word, TypeTable::kString);
      module.at(task.exprs).results.push_back(node);
    }
    task.argv.push_back({static_cast<std::uint32_t>(module.at(task.exprs).results.size()), false});
    module.at(task.exprs).results.push_back(n);
    module.tasks.push_back(task);
  }
};

TEST(GraphTest, EveryStepStartsAfterWhatItNeedsHasEnded) {
  for (unsigned seed = 0; seed < 8; ++seed) {
    std::mt19937 random(seed);
    Graph graph;
    std::vector<ir::NodeId> steps;
    std::vector<std::set<std::size_t>> needs;
    for (std::size_t i = 0; i < 30; ++i) {
      std::set<std::size_t> mine;
      for (std::size_t k = random() % 4; k > 0 && i > 0; --k) mine.insert(random() % i);
      std::vector<ir::NodeId> after;
      for (const std::size_t other : mine) after.push_back(steps[other]);
      const bool bad = seed % 2 == 1 && random() % 8 == 0;
      steps.push_back(graph.step(bad ? 1 : 0, static_cast<std::int64_t>(i), after));
      needs.push_back(std::move(mine));
    }
    TempFolder folder;
    RunOptions options;
    options.storeDir = folder / "store";
    options.jobs = 1 + seed % 4;
    std::map<std::string, StepState> ended;
    std::size_t running = 0;
    options.onEvent = [&](const Event& event) {
      if (event.kind == Event::Kind::StepStarted) {
        EXPECT_LE(++running, options.jobs);
        for (const std::size_t other : needs[std::stoul(event.step.substr(1))]) {
          EXPECT_EQ(ended["s" + std::to_string(other)], StepState::Succeeded) << event.step;
        }
      } else if (event.kind == Event::Kind::StepEnded) {
        if (event.state != StepState::Skipped) --running;
        EXPECT_TRUE(ended.emplace(event.step, event.state).second) << event.step;
      }
    };
    DiagnosticList diags;
    graph.run(options, diags);
    EXPECT_EQ(ended.size(), 30U);
    for (std::size_t i = 0; i < 30; ++i) {
      bool skipped = false;
      for (const std::size_t other : needs[i]) {
        skipped = skipped || ended["s" + std::to_string(other)] != StepState::Succeeded;
      }
      EXPECT_EQ(ended["s" + std::to_string(i)] == StepState::Skipped, skipped) << i;
    }
    // The history knows the same edges.
    const auto history = History::open(folder / "store", diags);
    ASSERT_TRUE(history.has_value());
    for (const StepRecord& step : history->steps(1)) {
      std::set<std::string> wanted;
      for (const std::size_t other : needs[std::stoul(step.step.substr(1))])
        wanted.insert("s" + std::to_string(other));
      EXPECT_EQ(std::set<std::string>(step.after.begin(), step.after.end()), wanted) << step.step;
    }
  }
}

TEST(GraphTest, ALongChainNeedsNoStack) {
  Graph graph;
  ir::NodeId last = graph.step(1, 0, {});
  constexpr std::int64_t kSteps = 100'000;
  for (std::int64_t i = 1; i < kSteps; ++i) last = graph.step(0, i, {last});
  TempFolder folder;
  RunOptions options;
  options.storeDir = folder / "store";
  DiagnosticList diags;
  const RunResult result = graph.run(options, diags);
  EXPECT_EQ(result.failed, 1U);
  EXPECT_EQ(result.skipped, static_cast<std::uint64_t>(kSteps - 1));
  EXPECT_EQ(diags.all().size(), 1U);
}

TEST(GraphTest, StepsStartInProgramOrder) {
  Graph graph;
  for (std::int64_t i = 0; i < 20; ++i) graph.step(0, i, {});
  TempFolder folder;
  RunOptions options;
  options.storeDir = folder / "store";
  options.jobs = 1;
  std::vector<std::string> started;
  options.onEvent = [&](const Event& event) {
    if (event.kind == Event::Kind::StepStarted) started.push_back(event.step);
  };
  DiagnosticList diags;
  graph.run(options, diags);
  ASSERT_EQ(started.size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(started[i], "s" + std::to_string(i));
}

}  // namespace
}  // namespace couler::runtime::testing

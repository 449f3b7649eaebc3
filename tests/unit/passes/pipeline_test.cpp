#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ir/print.h"
#include "ir/verify.h"
#include "passes/pass.h"
#include "passes/rewrite.h"
#include "tests/support/layers.h"

namespace couler::passes {
namespace {

using ir::FuncDef;
using ir::FuncId;
using ir::FuncKind;
using ir::Module;
using ir::Node;
using ir::NodeId;
using ir::Phase;
using ir::RegionId;
using ir::TaskDef;
using ir::TaskId;
using ir::TypeTable;
using ir::Value;

struct Outcome {
  PipelineResult result;
  DiagnosticList diags;
};

void runAll(Module& module, Outcome& outcome, PipelineOptions options = {}) {
  options.verify = true;
  Context context{outcome.diags};
  outcome.result = runPipeline(module, context, options);
}

std::size_t steps(const Module& module) {
  return static_cast<std::size_t>(std::count_if(
      module.nodes.begin(), module.nodes.end(),
      [](const Node& node) { return std::holds_alternative<ir::Step>(node.payload); }));
}

/// A task `t(a: int) -> (x: int)`.
TaskId addTask(Module& m) {
  TaskDef def;
  def.name = "t";
  def.run = ir::RunKind::Sh;
  def.script = "x=1\n";
  def.params.push_back({"a", TypeTable::kInt, {}, {}, {}, {}});
  ir::OutputDef output;
  output.name = "x";
  output.type = TypeTable::kInt;
  def.outputs.push_back(output);
  def.result = m.types.record({{"x", TypeTable::kInt}});
  def.exprs = m.addRegion();
  m.addParam(def.exprs, TypeTable::kInt, "a", {}, Phase::Run);
  m.tasks.push_back(def);
  return TaskId{m.tasks.size() - 1};
}

TEST(Pipeline, TableAndLookUp) {
  std::vector<std::string_view> names;
  for (const Pass& pass : passTable()) names.push_back(pass.name);
  EXPECT_EQ(names, (std::vector<std::string_view>{
                       "fold", "inline", "unroll", "merge-common", "lower-search", "fuse-tables",
                       "shard", "drop-dead", "insert-cache", "lower-tables", "split"}));
  EXPECT_EQ(findPass("unroll"), &passTable()[2]);
  EXPECT_EQ(findPass("unrol"), nullptr);
}

TEST(Pipeline, DisabledAndPrinted) {
  Module module = testing::layeredModule(2, 20);
  Outcome outcome;
  PipelineOptions options;
  options.disabled = {"unroll"};
  options.printAfter = {"fold"};
  runAll(module, outcome, options);
  EXPECT_TRUE(outcome.result.ok);
  EXPECT_EQ(outcome.result.timings.size(), passTable().size() - 1);
  EXPECT_EQ(outcome.result.printed.rfind("// after fold\ncouler-ir 1\n", 0), 0U);
  EXPECT_EQ(steps(module), 2U);
}

TEST(Pipeline, LayersUnrollToExactEdges) {
  constexpr std::int64_t kLayers = 4;
  constexpr std::int64_t kWidth = 50;
  Module module = testing::layeredModule(kLayers, kWidth);
  ASSERT_EQ(ir::verify(module), std::vector<std::string>{});
  Outcome outcome;
  runAll(module, outcome);
  ASSERT_TRUE(outcome.result.ok);
  EXPECT_EQ(steps(module), static_cast<std::size_t>(kLayers * kWidth));
  EXPECT_EQ(module.funcs.size(), 1U);
  std::size_t checked = 0;
  for (const Node& node : module.nodes) {
    if (!std::holds_alternative<ir::Step>(node.payload)) continue;
    const std::string name(module.at(node.name));
    const std::int64_t layer = std::stoll(name.substr(1));
    const std::int64_t i = std::stoll(name.substr(name.find('.') + 1));
    if (layer == 0) continue;
    const std::array<std::int64_t, 3> from{i, (i * 7 + 1) % kWidth, (i * 13 + 5) % kWidth};
    for (std::size_t k = 0; k < from.size(); ++k) {
      const Node& field = module.at(module.operands(node)[k]);
      ASSERT_TRUE(std::holds_alternative<ir::Field>(field.payload));
      const Node& source = module.at(module.operands(field)[0]);
      EXPECT_EQ(module.at(source.name),
                "l" + std::to_string(layer - 1) + "." + std::to_string(from[k]));
      ++checked;
    }
  }
  EXPECT_EQ(checked, static_cast<std::size_t>(3 * (kLayers - 1) * kWidth));
}

TEST(Pipeline, GraphGrowsInProportionToTheSteps) {
  const auto sizes = [](std::int64_t width) {
    Module module = testing::layeredModule(10, width);
    Outcome outcome;
    runAll(module, outcome);
    EXPECT_TRUE(outcome.result.ok);
    return std::pair{module.nodes.size(), module.operandPool.size()};
  };
  const auto [nodes, edges] = sizes(1000);
  const auto [moreNodes, moreEdges] = sizes(4000);
  EXPECT_LT(moreNodes, 4 * nodes + 100);
  EXPECT_LT(moreEdges, 4 * edges + 100);
}

TEST(Pipeline, LongChainsNeedNoStack) {
  Module m;
  const TaskId task = addTask(m);
  FuncDef func;
  func.name = "chain";
  func.body = m.addRegion();
  func.result = m.tasks[0].result;
  NodeId value = m.addConst(func.body, Value(std::int64_t{0}), TypeTable::kInt);
  NodeId step;
  for (int i = 0; i < 100000; ++i) {
    step = m.add(func.body, ir::Step{task}, func.result, {&value, 1}, {}, {},
                 m.intern(std::string_view("s" + std::to_string(i))));
    value = m.add(func.body, ir::Field{m.intern(std::string_view("x")), false, false},
                  TypeTable::kInt, {&step, 1});
  }
  m.at(func.body).results = {step};
  m.funcs.push_back(func);
  m.entry = FuncId{0U};
  Outcome outcome;
  runAll(m, outcome);
  EXPECT_TRUE(outcome.result.ok);
  EXPECT_EQ(steps(m), 100000U);
}

/// `f0` calls `f1`, which calls `f2`, …; the last runs one step.
Module callChain(int length) {
  Module m;
  const TaskId task = addTask(m);
  for (int i = 0; i < length; ++i) {
    FuncDef func;
    func.name = "f" + std::to_string(i);
    func.result = m.tasks[0].result;
    func.body = m.addRegion();
    m.funcs.push_back(func);
  }
  for (int i = length - 1; i >= 0; --i) {
    const RegionId body = m.funcs[static_cast<std::size_t>(i)].body;
    const ir::NameId name = m.intern(std::string_view("c"));
    if (i + 1 < length) {
      m.at(body).results = {
          m.add(body, ir::Call{FuncId{i + 1}}, m.tasks[0].result, {}, {}, {}, name)};
    } else {
      const NodeId one = m.addConst(body, Value(std::int64_t{1}), TypeTable::kInt);
      m.at(body).results = {
          m.add(body, ir::Step{task}, m.tasks[0].result, {&one, 1}, {}, {}, name)};
    }
  }
  m.entry = FuncId{0U};
  return m;
}

TEST(Inline, DeepCallChains) {
  constexpr int kDeep = 5000;
  Module module = callChain(kDeep);
  Outcome outcome;
  runAll(module, outcome);
  EXPECT_TRUE(outcome.result.ok);
  ASSERT_EQ(steps(module), 1U);
  EXPECT_EQ(module.funcs.size(), 1U);
  const auto step = std::find_if(module.nodes.begin(), module.nodes.end(), [](const Node& node) {
    return std::holds_alternative<ir::Step>(node.payload);
  });
  std::string name = "c";
  for (int i = 1; i < kDeep; ++i) name += ".c";
  EXPECT_EQ(module.at(step->name), name);
}

TEST(Inline, KeepsSubWorkflowsWhereAsked) {
  Module module = callChain(3);
  DiagnosticList diags;
  Context context{diags, true};
  PipelineOptions options;
  options.verify = true;
  const PipelineResult result = runPipeline(module, context, options);
  EXPECT_TRUE(result.ok);
  EXPECT_EQ(module.funcs.size(), 3U);
}

TEST(Inline, DoublingCallsStopAtTheLimit) {
  // Each function calls the next twice: 2^60 steps, were there no limit.
  Module m;
  const TaskId task = addTask(m);
  constexpr int kFuncs = 60;
  for (int i = 0; i < kFuncs; ++i) {
    FuncDef func;
    func.name = "f" + std::to_string(i);
    func.result = m.tasks[0].result;
    func.body = m.addRegion();
    m.funcs.push_back(func);
  }
  m.entry = FuncId{0U};
  for (int i = kFuncs - 1; i >= 0; --i) {
    const RegionId body = m.funcs[static_cast<std::size_t>(i)].body;
    for (const char* name : {"a", "b"}) {
      const NodeId one = m.addConst(body, Value(std::int64_t{i}), TypeTable::kInt);
      const ir::Payload payload =
          i + 1 < kFuncs ? ir::Payload(ir::Call{FuncId{i + 1}}) : ir::Payload(ir::Step{task});
      const std::size_t operands = i + 1 < kFuncs ? 0 : 1;
      m.at(body).results = {m.add(body, payload, m.tasks[0].result, {&one, operands}, {}, {},
                                  m.intern(std::string_view(name)))};
    }
  }
  DiagnosticList diags;
  Context context{diags};
  Rewriter rewriter(m, context, {.inlineCalls = true, .maxNewNodes = 10000});
  rewriter.run({&m.entry, 1});
  EXPECT_LT(m.nodes.size(), 20000U);
  EXPECT_EQ(ir::verify(m), std::vector<std::string>{});
}

TEST(Unroll, AHugeRangeStaysALoop) {
  Module module = testing::layeredModule(1, std::int64_t{1} << 40U);
  Outcome outcome;
  runAll(module, outcome);
  EXPECT_TRUE(outcome.result.ok);
  EXPECT_EQ(steps(module), 1U);
  const auto& all = outcome.diags.all();
  EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                          [](const Diagnostic& d) { return d.id == Diag::UnrollTooLarge; }));
}

/// `copies` equal nests of `deep` ifs, each inside the one before, with a step in every branch.
Module nests(int copies, int deep) {
  Module m;
  const TaskId task = addTask(m);
  FuncDef func;
  func.name = "main";
  func.body = m.addRegion();
  const NodeId condition = m.addParam(func.body, TypeTable::kBool, "c", {}, Phase::Submit);
  func.params.push_back({"c", TypeTable::kBool, {}, {}, {}, {}});
  const ir::TypeId type = m.tasks[0].result;
  const auto step = [&](RegionId in, std::int64_t n) {
    const NodeId number = m.addConst(in, Value(n), TypeTable::kInt);
    return m.add(in, ir::Step{task}, type, {&number, 1}, {}, {}, m.intern("s"));
  };
  std::vector<NodeId> outer;
  std::vector<ir::TypeField> fields;
  for (int copy = 0; copy < copies; ++copy) {
    std::vector<NodeId> made;
    RegionId in = func.body;
    for (int i = 0; i < deep; ++i) {
      const NodeId node = m.add(in, ir::If{}, type, {&condition, 1});
      const RegionId then = m.addRegion(node);
      const RegionId otherwise = m.addRegion(node);
      m.at(node).payload = ir::If{then, otherwise};
      m.at(otherwise).results = {step(otherwise, i)};
      if (i > 0) m.at(in).results = {node};
      made.push_back(node);
      in = then;
    }
    m.at(in).results = {step(in, deep)};
    for (std::size_t i = made.size(); i-- > 0;) m.updateAttributes(made[i]);
    outer.push_back(made.front());
    fields.push_back({"r" + std::to_string(copy), type});
  }
  func.result = m.types.record(std::move(fields));
  m.at(func.body).results = {m.add(func.body, ir::Op{ir::Builtin::MakeRecord}, func.result, outer)};
  m.funcs.push_back(func);
  m.entry = FuncId{0U};
  return m;
}

TEST(MergeCommon, DeepNestsNeedNoStack) {
  constexpr int kDeep = 20000;
  Module module = nests(3, kDeep);
  ASSERT_EQ(ir::verify(module), std::vector<std::string>{});
  DiagnosticList diags;
  Context context{diags};
  EXPECT_TRUE(findPass("merge-common")->run(module, context));
  EXPECT_EQ(ir::verify(module), std::vector<std::string>{});
  EXPECT_EQ(diags.all().size(), 2U);
  EXPECT_EQ(
      std::count_if(module.nodes.begin(), module.nodes.end(),
                    [](const Node& node) { return std::holds_alternative<ir::If>(node.payload); }),
      kDeep);
}

TEST(Passes, RunTwiceChangeNothingMore) {
  for (const std::int64_t width : {3, 17, 40}) {
    Module module = testing::layeredModule(3, width);
    Outcome first;
    runAll(module, first);
    const std::string once = ir::print(module);
    Outcome second;
    runAll(module, second);
    EXPECT_EQ(once, ir::print(module));
    for (const PassTiming& timing : second.result.timings)
      EXPECT_FALSE(timing.changed) << timing.name;
  }
}

}  // namespace
}  // namespace couler::passes

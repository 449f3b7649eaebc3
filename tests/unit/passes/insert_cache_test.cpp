#include <gtest/gtest.h>

#include "ir/print.h"
#include "ir/verify.h"
#include "passes/pass.h"
#include "passes/passes.h"

namespace couler::passes {
namespace {

using ir::Module;
using ir::NodeId;
using ir::TypeTable;

/// A task `t(a: file) -> (o: file)`.
ir::TaskId addTask(Module& m) {
  ir::TaskDef def;
  def.name = "t";
  def.params.push_back({"a", TypeTable::kFile, {}, {}, {}, {}});
  ir::OutputDef output;
  output.name = "o";
  output.type = TypeTable::kFile;
  output.from = ir::OutputFrom::Path;
  output.path = "o.txt";
  def.outputs.push_back(output);
  def.result = m.types.record({{"o", TypeTable::kFile}});
  def.exprs = m.addRegion();
  m.addParam(def.exprs, TypeTable::kFile, "a", {}, ir::Phase::Run);
  m.addParam(def.exprs, TypeTable::kString, "o", {}, ir::Phase::Run);
  m.tasks.push_back(def);
  return ir::TaskId{m.tasks.size() - 1};
}

/// in -> dear -> cheap -> last, the output.
struct Chain {
  Module module;
  Chain() {
    const ir::TaskId task = addTask(module);
    ir::FuncDef entry;
    entry.name = "main";
    entry.body = module.addRegion();
    entry.params.push_back({"in", TypeTable::kFile, {}, {}, {}, {}});
    entry.result = module.tasks[0].result;
    NodeId value = module.addParam(entry.body, TypeTable::kFile, "in", {}, ir::Phase::Submit);
    NodeId step;
    for (const char* name : {"dear", "cheap", "last"}) {
      const ir::NameId id = module.intern(name);
      step = module.add(entry.body, ir::Step{task}, module.tasks[0].result, {&value, 1}, {}, {}, id);
      value = module.add(entry.body, ir::Field{module.intern("o")}, TypeTable::kFile, {&step, 1});
    }
    module.at(entry.body).results = {step};
    module.funcs.push_back(entry);
    module.entry = ir::FuncId{0U};
  }
};

CachePlan planned(Module& module, std::uint64_t budget) {
  DiagnosticList diags;
  CachePlan plan;
  Context context{diags};
  context.cacheBudget = budget;
  context.cachePlan = &plan;
  context.measured = [](std::string_view step) -> std::optional<ir::Cost> {
    if (step == "dear") return ir::Cost{1000, 100, true};
    if (step == "cheap") return ir::Cost{1, 100, true};
    return std::nullopt;
  };
  EXPECT_TRUE(insertCache(module, context));
  EXPECT_TRUE(ir::verify(module).empty());
  EXPECT_EQ(diags.all().size(), 1U) << "one remark for all steps";
  return plan;
}

/// By step: whether its outputs go first.
std::vector<bool> drops(const Module& module) {
  std::vector<bool> result;
  for (const auto& [node, cost] : module.costs) result.push_back(cost.drop);
  return result;
}

TEST(InsertCache, KeepsWhatIsDearAndTheOutputs) {
  Chain chain;
  const CachePlan plan = planned(chain.module, (64 << 20) + 150);
  EXPECT_EQ(drops(chain.module), (std::vector{false, true, false}));
  EXPECT_LE(plan.withAll, plan.seconds);
  EXPECT_LT(plan.seconds, plan.withNone);
  // What is known of each step stands in the graph, measured or not, and what was decided.
  const std::string text = ir::print(chain.module);
  EXPECT_NE(text.find("cost 1000.0 100 measured"), std::string::npos) << text;
  EXPECT_NE(text.find("cost 1.0 100 measured drop"), std::string::npos) << text;
  EXPECT_NE(text.find("cost 60.0 67108864"), std::string::npos) << text;
}

TEST(InsertCache, ABudgetForAllDropsNothingAndNoBudgetDecidesNothing) {
  Chain chain;
  planned(chain.module, std::uint64_t{1} << 40);
  EXPECT_EQ(drops(chain.module), (std::vector{false, false, false}));
  Chain other;
  DiagnosticList diags;
  Context context{diags};
  EXPECT_FALSE(insertCache(other.module, context));
  EXPECT_TRUE(other.module.costs.empty());
}

TEST(InsertCache, ThePipelineLeavesItOutOnRequestAndWithoutIt) {
  for (const bool disabled : {false, true}) {
    Chain chain;
    DiagnosticList diags;
    Context context{diags};
    context.cacheBudget = 0;
    PipelineOptions options;
    options.verify = true;
    if (disabled) options.disabled = {"insert-cache"};
    EXPECT_TRUE(runPipeline(chain.module, context, options).ok);
    EXPECT_EQ(chain.module.costs.size(), disabled ? 0U : 3U);
  }
}

}  // namespace
}  // namespace couler::passes

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "backends/argo/argo.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "passes/pass.h"
#include "passes/passes.h"
#include "tests/support/step_graphs.h"

namespace couler::backends {
namespace {

passes::EngineLimits limitsOf(Limits of, const EmitOptions& options = {}) {
  passes::EngineLimits limits;
  limits.engine = "argo";
  limits.bytes = of.bytes;
  limits.steps = of.steps;
  limits.callBytes = of.callBytes;
  limits.measure = [options](const ir::Module& module) -> std::optional<passes::EmittedSizes> {
    auto sizes = argo::measure(module, options);
    if (!sizes) return std::nullopt;
    passes::EmittedSizes out;
    out.ofNode = std::move(sizes->ofNode);
    out.ofTask = std::move(sizes->ofTask);
    out.base = sizes->base;
    for (const auto& [func, bytes] : sizes->documents) out.documents.push_back({func, bytes});
    return out;
  };
  return limits;
}

struct Split {
  passes::SplitPlan plan;
  std::string text;
  bool changed = false;
};

/// Splits, emits and validates; each document is within the limits.
Split splitArgo(ir::Module& module, Limits of) {
  Split result;
  DiagnosticList diags;
  const passes::EngineLimits limits = limitsOf(of);
  passes::Context context{diags};
  context.limits = &limits;
  context.splitPlan = &result.plan;
  const std::size_t steps = static_cast<std::size_t>(
      std::count_if(module.nodes.begin(), module.nodes.end(),
                    [](const ir::Node& n) { return std::holds_alternative<ir::Step>(n.payload); }));
  result.changed = passes::split(module, context);
  EXPECT_EQ(ir::verify(module), std::vector<std::string>{});
  const std::size_t left = static_cast<std::size_t>(
      std::count_if(module.nodes.begin(), module.nodes.end(),
                    [](const ir::Node& n) { return std::holds_alternative<ir::Step>(n.payload); }));
  EXPECT_EQ(left, steps);
  EXPECT_TRUE(argo::emit(module, {}, [&](std::string_view t) { result.text += t; }, diags));
  EXPECT_TRUE(argo::validate(module, {}, result.text, diags));
  int shown = 0;
  for (const Diagnostic& d : diags.all()) {
    if (d.severity != Severity::Remark && shown++ < 5) ADD_FAILURE() << d.code() << " " << d.message;
  }
  std::size_t documents = 1;
  std::string_view rest = result.text;
  for (std::size_t at = rest.find("\n---\n"); at != rest.npos; at = rest.find("\n---\n")) {
    EXPECT_LE(at + 1, static_cast<std::size_t>(of.bytes));
    rest.remove_prefix(at + 5);
    ++documents;
  }
  EXPECT_LE(rest.size(), static_cast<std::size_t>(of.bytes));
  if (result.changed) {
    EXPECT_EQ(documents, result.plan.parts.size());
  }
  for (const passes::SplitPlan::Part& part : result.plan.parts) {
    EXPECT_LE(part.steps, of.steps) << part.name;
  }
  return result;
}

TEST(ArgoSplit, SmallOnesStayAsTheyAre) {
  ir::Module module = testing::moduleOf(testing::diamonds(40));
  const std::string before = ir::print(module);
  const Split split = splitArgo(module, argo::kLimits);
  EXPECT_FALSE(split.changed);
  EXPECT_EQ(ir::print(module), before);
}

TEST(ArgoSplit, EveryShapeIsWithinTheLimits) {
  std::vector<testing::Shape> shapes = {
      testing::fanOut(400),          testing::pipelines(40, 10),  testing::layered(20, 20),
      testing::randomLayers(20, 20), testing::randomGraph(450),   testing::diamonds(400),
      testing::pipelines(40, 50),    testing::randomGraph(3000),  testing::layered(50, 100)};
  for (const testing::Shape& shape : shapes) {
    SCOPED_TRACE(shape.name);
    ir::Module module = testing::moduleOf(shape);
    Limits limits = argo::kLimits;
    limits.bytes = 256 << 10;
    limits.steps = 200;
    const Split split = splitArgo(module, limits);
    EXPECT_TRUE(split.changed);
    std::printf("%-26s %2zu parts, %4ld values cut, x %.3f\n", shape.name.c_str(),
                split.plan.parts.size() - 1, split.plan.valuesCut,
                split.plan.seconds / split.plan.secondsWhole);
  }
}

TEST(ArgoSplit, HundredThousandSteps) {
  for (const testing::Shape& shape :
       {testing::fanOut(100'000), testing::pipelines(1000, 100), testing::layered(100, 1000),
        testing::randomGraph(100'000), testing::diamonds(100'000)}) {
    SCOPED_TRACE(shape.name);
    ir::Module module = testing::moduleOf(shape);
    const Split split = splitArgo(module, argo::kLimits);
    EXPECT_TRUE(split.changed);
    std::printf("%-26s %2zu parts, %4ld values cut, x %.3f\n", shape.name.c_str(),
                split.plan.parts.size() - 1, split.plan.valuesCut,
                split.plan.seconds / split.plan.secondsWhole);
  }
}

}  // namespace
}  // namespace couler::backends

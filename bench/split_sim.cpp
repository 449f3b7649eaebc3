#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "backends/argo/argo.h"
#include "bench/algorithm3.h"
#include "passes/partition.h"
#include "passes/passes.h"
#include "tests/support/step_graphs.h"

// What `split` makes of workflows of many shapes, beside Algorithm 3 of the Couler paper. Called by run.py; each line
// is JSON.
namespace couler::bench {
namespace {

using testing::Shape;

double cpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

passes::StepGraph graphOf(const Shape& shape) {
  passes::StepGraph graph;
  for (std::uint32_t v = 0; v < shape.size(); ++v) {
    graph.vertices.push_back({shape.seconds[v],
                              250 + 60 * static_cast<std::int64_t>(shape.before[v].size()), 1, 0, 1,
                              false});
    for (const std::uint32_t before : shape.before[v]) graph.edges.push_back({before, v, 16, 1});
  }
  graph.groupBytes = {2000};
  return graph;
}

void line(const std::string& kind, const Shape& shape, const passes::StepGraph& graph,
          const passes::Partition& cut, double cpu, double whole, double split) {
  std::printf("{\"kind\": \"%s\", \"shape\": \"%s\", \"steps\": %zu, \"parts\": %u, \"cpu\": %.4f, "
              "\"inflation\": %.4f, \"cut\": %lld, \"cyclic\": %s}\n",
              kind.c_str(), shape.name.c_str(), shape.size(), cut.parts, cpu, whole > 0 ? split / whole : 1,
              static_cast<long long>(passes::cutBytes(graph, cut)), isCyclic(graph, cut) ? "true" : "false");
}

/// Of a graph alone, at limits.
void cutGraph(const Shape& shape, const passes::PartLimits& limits, bool compare) {
  const passes::StepGraph graph = graphOf(shape);
  double cpu = 1e9;
  passes::Partition cut;
  for (int i = 0; i < (shape.size() > 500'000 ? 1 : 3); ++i) {
    const double start = cpuSeconds();
    cut = passes::partition(graph, limits);
    cpu = std::min(cpu, cpuSeconds() - start);
  }
  const double whole = passes::makespan(graph, 32);
  line("partition", shape, graph, cut, cpu, whole, passes::makespan(graph, cut, 32));
  if (!compare) return;
  const auto steps = static_cast<std::size_t>(limits.steps);
  const Algorithm3 printed = algorithm3(graph, steps, false);
  const Algorithm3 mended = algorithm3(graph, steps, true);
  std::printf("{\"kind\": \"algorithm 3\", \"shape\": \"%s\", \"steps\": %zu, \"parts\": %u, \"lost\": %zu, "
              "\"cyclic\": %s, \"cut\": %lld, \"inflation\": %.4f}\n",
              shape.name.c_str(), shape.size(), mended.partition.parts, printed.lost,
              mended.cyclic ? "true" : "false",
              static_cast<long long>(passes::cutBytes(graph, mended.partition)),
              mended.cyclic ? 0 : passes::makespan(graph, mended.partition, 32) / whole);
}

/// The whole pass with Argo's limits: graph, cuts, emitted and measured.
void splitModule(const Shape& shape) {
  ir::Module module = testing::moduleOf(shape);
  DiagnosticList diags;
  passes::EngineLimits limits;
  limits.bytes = backends::argo::kLimits.bytes;
  limits.steps = backends::argo::kLimits.steps;
  const backends::Limits& of = backends::argo::kLimits;
  limits.templates = of.templates;
  limits.tasks = of.tasks;
  limits.inputs = of.inputs;
  limits.handOver = {of.callBytes, of.giveBytes, of.takeBytes, of.linkBytes, of.linkValues};
  double emitting = 0;
  int times = 0;
  limits.measure = [&](const ir::Module& measured) -> std::optional<passes::EmittedSizes> {
    const double start = cpuSeconds();
    auto sizes = backends::argo::measure(measured, {});
    emitting += cpuSeconds() - start;
    ++times;
    if (!sizes) return std::nullopt;
    passes::EmittedSizes out;
    out.ofNode = std::move(sizes->ofNode);
    out.templates = std::move(sizes->templates);
    out.ofTask = std::move(sizes->ofTask);
    out.base = sizes->base;
    out.results = sizes->results;
    for (const backends::Sizes::Document& document : sizes->documents) {
      out.documents.push_back({document.func, document.bytes, document.templates});
    }
    return out;
  };
  passes::SplitPlan plan;
  passes::Context context{diags};
  context.limits = &limits;
  context.splitPlan = &plan;
  const double start = cpuSeconds();
  passes::split(module, context);
  const double cpu = cpuSeconds() - start;
  std::int64_t most = 0;
  for (const passes::SplitPlan::Part& part : plan.parts) most = std::max(most, part.bytes);
  std::printf("{\"kind\": \"argo\", \"shape\": \"%s\", \"steps\": %zu, \"parts\": %zu, \"cpu\": %.4f, "
              "\"emitting\": %.4f, \"emitted\": %d, \"inflation\": %.4f, \"cut\": %lld, \"values\": %lld, "
              "\"most\": %lld, \"bytes\": %lld}\n",
              shape.name.c_str(), shape.size(), plan.parts.size() - 1, cpu - emitting, emitting, times,
              plan.secondsWhole > 0 ? plan.seconds / plan.secondsWhole : 1,
              static_cast<long long>(plan.bytesCut), static_cast<long long>(plan.valuesCut),
              static_cast<long long>(most), static_cast<long long>(plan.bytes));
}

std::vector<Shape> realShapes(std::uint32_t copies) {
  std::vector<Shape> shapes;
  std::vector<std::string> paths;
  std::error_code none;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(testing::corpora() + "/wfformat-LGPL", none)) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    const Shape one = testing::wfInstance(path);
    if (one.size() < 50) continue;
    Shape many{one.name + fmt::format(" x {}", copies), {}, {}};
    testing::append(many, one, copies);
    shapes.push_back(std::move(many));
  }
  Shape hour = testing::alibabaHour();
  if (hour.size() != 0) shapes.push_back(std::move(hour));
  return shapes;
}

int main_() {
  const passes::PartLimits small{0, 200, 0, 0, {}, 1};
  for (const Shape& shape :
       {testing::fanOut(400), testing::pipelines(40, 10), testing::layered(20, 20),
        testing::randomLayers(20, 20), testing::randomGraph(450), testing::diamonds(400),
        testing::pipelines(40, 50), testing::layered(50, 100)}) {
    cutGraph(shape, small, true);
  }
  for (const Shape& shape : realShapes(8)) {
    cutGraph(shape, small, true);
    splitModule(shape);
  }
  for (const Shape& shape : {testing::layered(20, 100), testing::layered(50, 100)})
    splitModule(shape);
  std::size_t lost = 0, cyclic = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const passes::StepGraph graph = graphOf(testing::randomGraph(450, seed));
    lost += algorithm3(graph, 200, false).lost != 0 ? 1 : 0;
    cyclic += algorithm3(graph, 200, true).cyclic ? 1 : 0;
  }
  std::printf("{\"kind\": \"algorithm 3, 300 random graphs\", \"lost\": %zu, \"cyclic\": %zu}\n", lost, cyclic);
  for (const std::uint32_t size : {100'000U, 1'000'000U}) {
    const passes::PartLimits large{std::int64_t{1} << 20,    4000, 2000, 0,
                                   {1600, 70, 25, 300, 500}, 1};
    for (const Shape& shape : {testing::fanOut(size), testing::pipelines(1000, size / 1000),
                               testing::layered(10, size / 10), testing::layered(size / 1000, 1000),
                               testing::randomLayers(size / 1000, 1000), testing::randomGraph(size),
                               testing::diamonds(size)}) {
      cutGraph(shape, large, false);
      if (size <= 100'000) splitModule(shape);
    }
  }
  return 0;
}

}  // namespace
}  // namespace couler::bench

int main() { return couler::bench::main_(); }

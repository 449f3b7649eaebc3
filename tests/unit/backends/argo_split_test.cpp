#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "argo_fixture.h"
#include "backends/argo/argo.h"
#include "backends/argo/manifest.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "passes/pass.h"
#include "passes/passes.h"
#include "passes/split_graph.h"
#include "tests/support/step_graphs.h"

namespace couler::backends {
namespace {

passes::EngineLimits limitsOf(Limits of, const EmitOptions& options = {}) {
  passes::EngineLimits limits;
  limits.engine = "argo";
  limits.bytes = of.bytes;
  limits.steps = of.steps;
  limits.templates = of.templates;
  limits.tasks = of.tasks;
  limits.inputs = of.inputs;
  limits.handOver = {of.callBytes, of.giveBytes, of.takeBytes, of.linkBytes, of.linkValues};
  limits.measure = [options](const ir::Module& module) -> std::optional<passes::EmittedSizes> {
    auto sizes = argo::measure(module, options);
    if (!sizes) return std::nullopt;
    passes::EmittedSizes out;
    out.ofNode = std::move(sizes->ofNode);
    out.templates = std::move(sizes->templates);
    out.ofTask = std::move(sizes->ofTask);
    out.base = sizes->base;
    out.results = sizes->results;
    for (const Sizes::Document& document : sizes->documents) {
      out.documents.push_back({document.func, document.bytes, document.templates});
    }
    return out;
  };
  return limits;
}

struct Split {
  passes::SplitPlan plan;
  std::string text;
  bool changed = false;
};

std::vector<std::string> documentsOf(std::string_view text) {
  std::vector<std::string> documents;
  for (std::size_t at = text.find("\n---\n"); at != text.npos; at = text.find("\n---\n")) {
    documents.emplace_back(text.substr(0, at + 1));
    text.remove_prefix(at + 5);
  }
  documents.emplace_back(text);
  return documents;
}
std::string joined(const std::vector<std::string>& documents) {
  std::string text;
  for (const std::string& document : documents) text += (text.empty() ? "" : "---\n") + document;
  return text;
}

/// What Argo's resource definitions say of each document; gives how many tasks there are in all.
std::size_t expectTemplates(const std::string& text, const Limits& of) {
  std::size_t tasks = 0;
  for (const std::string& document : documentsOf(text)) {
    YamlDocument yaml;
    std::string error;
    EXPECT_TRUE(yaml.read(document, error)) << error;
    const argo::Manifest manifest(yaml);
    EXPECT_LE(manifest.templates().size(), static_cast<std::size_t>(of.templates));
    for (const argo::Template& t : manifest.templates()) {
      EXPECT_LE(t.dag.tasks.size(), static_cast<std::size_t>(of.tasks)) << t.name;
      EXPECT_LE(t.node["inputs"]["parameters"].size(), static_cast<std::size_t>(of.inputs))
          << t.name;
      tasks += t.dag.tasks.size();
    }
  }
  return tasks;
}

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
  EXPECT_GE(expectTemplates(result.text, of), steps);
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

// A body with more tasks than a template may have is put into groups, where the whole needs no
// parts.
TEST(ArgoSplit, GroupsOfEveryShape) {
  for (const testing::Shape& shape :
       {testing::fanOut(400), testing::pipelines(40, 10), testing::layered(20, 20),
        testing::randomLayers(20, 20), testing::randomGraph(450), testing::diamonds(400),
        testing::layered(4, 240), testing::randomGraph(1200), testing::layered(16, 100),
        testing::pipelines(40, 50), testing::randomGraph(3000)}) {
    SCOPED_TRACE(shape.name);
    ir::Module module = testing::moduleOf(shape);
    DiagnosticList unheard;
    const passes::Context context{unheard};
    const double whole = passes::makespan(module, context, 32);
    const Split split = splitArgo(module, argo::kLimits);
    EXPECT_TRUE(split.changed);
    EXPECT_EQ(documentsOf(split.text).size(), 1U);
    const double grouped = passes::makespan(module, context, 32);
    EXPECT_LE(grouped, 1.05 * whole);
    const auto groups =
        std::count_if(module.funcs.begin(), module.funcs.end(),
                      [](const ir::FuncDef& f) { return f.outlined == ir::Outlined::Group; });
    EXPECT_GT(groups, 1);
    std::printf("%-26s %2td groups, x %.3f\n", shape.name.c_str(), groups, grouped / whole);
  }
}

// Ten layers 10,000 wide, three dependencies a step: thousands of values cross each cut.
TEST(ArgoSplit, WideLayers) {
  ir::Module module = testing::moduleOf(testing::layered(10, 10'000));
  const Split split = splitArgo(module, argo::kLimits);
  EXPECT_TRUE(split.changed);
  EXPECT_LE(split.plan.seconds, 1.05 * split.plan.secondsWhole);
}

constexpr const char* kMixed = R"cwl(
task one(n: int) -> (m: int, note: file = "note.txt") {
    image "busybox:1.36"
    run sh """
        m=$n
        echo "$n" > "$note"
        """
}
task two(a: int, note: file) -> (m: int) {
    image "busybox:1.36"
    run sh "m=$a"
}
task all(xs: list<int>) -> (m: int) {
    image "busybox:1.36"
    run sh "m=1"
}
workflow main(start: int = 1) -> (m: int, xs: list<int>) {
    let first = for i in 0..40 { one(start + i) }
    let second = for i in 0..40 { two(first[i].m, first[(i + 3) % 40].note) }
    let sum = all(second.m)
    return (m: sum.m, xs: first.m)
}
target prod = argo {
    namespace: "team",
    service_account: "runner",
    artifacts: s3(bucket: "b", key_prefix: "runs"),
}
)cwl";

/// Cuts the program to the limits.
void cutTo(Compiled& compiled, const Limits& limits) {
  const passes::EngineLimits used = limitsOf(limits, compiled.options());
  DiagnosticList diags;
  passes::Context context{diags};
  context.limits = &used;
  EXPECT_TRUE(passes::split(compiled.module(), context)) << Compiled::list(diags);
  EXPECT_EQ(ir::verify(compiled.module()), std::vector<std::string>{});
}

/// The program cut at 30 steps a part.
Manifest cutMixed(Compiled& compiled) {
  Limits limits = argo::kLimits;
  limits.steps = 30;
  cutTo(compiled, limits);
  return compiled.emit();
}

struct PartFault {
  int document;  ///< -1: the parent
  std::string_view from, to, code;
};

/// Each fault by itself, in a text that is right.
void expectEachFound(Compiled& compiled, const std::string& good,
                     std::span<const PartFault> faults) {
  for (const PartFault& fault : faults) {
    SCOPED_TRACE(std::string(fault.from) + " -> " + std::string(fault.to));
    std::string text = good;
    const std::size_t at = text.find(fault.from);
    EXPECT_NE(at, std::string::npos) << text;
    if (at == std::string::npos) continue;
    text.replace(at, fault.from.size(), fault.to);
    EXPECT_NE(compiled.validate(text).find(fault.code), std::string::npos);
  }
}

// What is wrong between parts and their parent is found: each fault is put into a bundle that is
// right.
TEST(ArgoSplit, ValidatorFindsFaultsBetweenParts) {
  ir::Module module = testing::moduleOf(testing::layered(3, 6));
  Limits limits = argo::kLimits;
  limits.steps = 8;
  const Split good = splitArgo(module, limits);
  ASSERT_EQ(documentsOf(good.text).size(), 4U);
  const auto validate = [&](const std::vector<std::string>& documents) {
    DiagnosticList diags;
    const bool ok = argo::validate(module, {}, joined(documents), diags);
    EXPECT_EQ(ok, !diags.hasErrors());
    return Compiled::list(diags);
  };
  ASSERT_EQ(validate(documentsOf(good.text)), "");
  constexpr PartFault kFaults[] = {
      // a part's own document
      {0, "  name: main-part-1-", "  name: main-part-1-f", "CW0652"},
      {0, "kind: WorkflowTemplate", "kind: Workflow", "CW0651"},
      {0, "globalName: values-1", "globalName: values-2", "CW0652"},
      {0, "\"step_0_x\": ", "\"step_O_x\": ", "CW0653"},
      {0, "tasks[\"step-0\"]", "tasks[\"step-1\"]", "CW0653"},
      {0, "{\"step_0_x\": tasks[\"step-0\"].outputs.parameters[\"x\"], ", "{", "CW0653"},
      {0, "name: step-2\n", "name: step-1\n", "CW065"},
      {0, "entrypoint: start", "entrypoint: main-part-1", "CW0653"},
      {0, "failFast: false", "failFast: true", "CW0653"},
      {0, "entrypoint: start", "serviceAccountName: other\n  entrypoint: start", "CW0651"},
      {0, "entrypoint: start", "nodeSelector: {a: b}\n  entrypoint: start", "CW0651"},
      {0, "entrypoint: start", "parallelism: 3\n  entrypoint: start", "CW0651"},
      {0, "metadata:\n", "metadata:\n  namespace: other\n", "CW0651"},
      {1, "    - name: part_1-values-1\n  templates", "    - name: part_2-values-1\n  templates",
       "CW065"},
      {1, "{{workflow.parameters.part_1-values-1}}", "{{workflow.parameters.part_1-values-2}}",
       "CW065"},
      {1, "{{workflow.parameters.part_1-values-1}}", "{}", "CW0653"},
      {1, "[\"step_0_x\"]", "[\"step_1_x\"]", "CW0653"},
      {1, "inputs.parameters[\"part_1-values-1\"]", "inputs.parameters[\"part_1-values-2\"]",
       "CW0652"},
      // the parent
      {-1, "dependencies: [part-1]", "dependencies: []", "CW065"},
      {-1, "dependencies: [part-2]", "dependencies: [part-1]", "CW065"},
      {-1, "dependencies: [part-1]", "dependencies: [part-3]", "CW0652"},
      {-1, "tasks.part-1.outputs.parameters.values-1}}",
       "tasks.part-1.outputs.parameters.values-2}}", "CW0652"},
      {-1, "- name: part_1-values-1\n            value",
       "- name: part_2-values-1\n            value", "CW065"},
      {-1, "template: main-part-1\n", "template: main-part-2\n", "CW065"},
      {-1, "@.name==\"values-1\"", "@.name==\"values-2\"", "CW0651"},
      {-1, "action: create", "action: get", "CW0653"},
      {-1, "setOwnerReference: true", "setOwnerReference: false", "CW0651"},
      {-1, "status.phase == Succeeded", "status.phase == Running", "CW0651"},
      {-1, "status.phase in (Failed, Error)", "status.phase in (Failed)", "CW0651"},
      {-1, "      failureCondition: \"status.phase in (Failed, Error)\"\n", "", "CW0651"},
      {-1, "        kind: Workflow\n", "        kind: Pod\n", "CW0653"},
      {-1, "generateName: main-part-1-", "name: main-part-1", "CW0651"},
      {-1, "            name: main-part-2-", "            name: main-part-3-", "CW0652"},
      {-1, "inputs.parameters[\"part_1-values-1\"]", "inputs.parameters[\"part_1-values-2\"]",
       "CW0652"},
      {-1, "            - name: part_1-values-1\n              value",
       "            - name: part_2-values-1\n              value", "CW0652"},
      {-1, "values-1\"])[\"step_17_x\"]", "values-1\"])[\"step_16_x\"]", "CW0653"},
      {-1, "      - name: out0\n", "      - name: out9\n", "CW0653"},
  };
  for (const PartFault& fault : kFaults) {
    SCOPED_TRACE(std::string(fault.from) + " -> " + std::string(fault.to));
    std::vector<std::string> documents = documentsOf(good.text);
    std::string& text =
        fault.document < 0 ? documents.back() : documents[static_cast<std::size_t>(fault.document)];
    const std::size_t at = text.find(fault.from);
    EXPECT_NE(at, std::string::npos);
    if (at == std::string::npos) continue;
    text.replace(at, fault.from.size(), fault.to);
    const std::string found = validate(documents);
    EXPECT_NE(found.find(fault.code), std::string::npos) << found;
  }
  const auto expectFound = [&](const std::vector<std::string>& documents, std::string_view what) {
    EXPECT_NE(validate(documents), "") << what;
  };
  for (std::size_t i = 0; i < 3; ++i) {  // parts left out, there twice, in the place of another
    std::vector<std::string> documents = documentsOf(good.text);
    documents.erase(documents.begin() + static_cast<std::ptrdiff_t>(i));
    expectFound(documents, "a part is missing");
    documents = documentsOf(good.text);
    documents.insert(documents.begin(), documents[i]);
    expectFound(documents, "a part is there twice");
    std::string other = documents[0];
    other.replace(other.find("  name: main-part-"), 19, "  name: other-part-");
    documents[0] = other;
    expectFound(documents, "a part that nothing submits");
  }
  std::vector<std::string> documents = documentsOf(good.text);
  const std::size_t from = documents[2].find("      - name: step-12\n");
  const std::size_t to = documents[2].find("      - name: step-13\n");
  ASSERT_LT(from, to);
  const std::string twice = documents[2].substr(from, to - from);
  documents[1].insert(documents[1].find("      - name: step-6\n"), twice);
  expectFound(documents, "a step in two parts");
  documents = documentsOf(good.text);
  documents[2].erase(from, to - from);
  expectFound(documents, "a step in no part");
}

/// The program with at most so many tasks in a template.
Manifest groupMixed(Compiled& compiled, std::int64_t tasks) {
  Limits limits = argo::kLimits;
  limits.tasks = tasks;
  cutTo(compiled, limits);
  const std::string graph = ir::print(compiled.module());
  EXPECT_NE(graph.find(" group {"), std::string::npos);
  DiagnosticList found;
  SourceManager sources;
  const auto read = ir::parseText(sources, sources.add("graph", graph), found);
  EXPECT_TRUE(read.has_value()) << Compiled::list(found);
  if (read) {
    EXPECT_EQ(ir::print(*read), graph);
  }
  Manifest manifest = compiled.emit();
  limits.templates = 200;
  expectTemplates(manifest.text, limits);
  return manifest;
}

// Files and lists go from group to group, in bodies of loops values alone.
TEST(ArgoSplit, GroupsHandFilesAndListsOver) {
  for (const std::int64_t tasks : {10, 25, 60}) {
    SCOPED_TRACE(tasks);
    Compiled compiled(kMixed);
    ASSERT_TRUE(compiled.ready()) << compiled.problems();
    const Manifest made = groupMixed(compiled, tasks);
    EXPECT_TRUE(made.ok) << made.problems;
    EXPECT_EQ(compiled.validate(made.text), "");
  }
}

// Bodies that run often or perhaps, each with more steps than a template has.
TEST(ArgoSplit, GroupsInBodies) {
  std::string steps = "        let s0 = plus(first.m, base.m)\n";
  for (int i = 1; i < 30; ++i) {
    steps += fmt::format("        let s{0} = plus(s{1}.m, s{2}.m)\n", i, i - 1, i / 2);
  }
  Compiled compiled(R"cwl(
task number(n: int) -> (m: int) {
    image "busybox:1.36"
    run sh "m=$((n * 2))"
}
task plus(a: int, b: int) -> (m: int) {
    image "busybox:1.36"
    run sh "m=$((a + b))"
}
workflow many(first: int) -> (m: int) {
    let base = number(first)
    let all = for i in 0..25 { number(i) }
    return (m: base.m + sum(all.m))
}
workflow main(start: int = 1) -> (each: list<int>, chosen: int, tried: int?, last: int, called: int) {
    let base = number(start)
    let each = for i in 0..base.m {
        let first = number(i)
)cwl" + steps + R"cwl(        s29.m
    }
    let chosen = if base.m > 1 {
        let first = number(7)
)cwl" + steps + R"cwl(        s29.m
    } else {
        0
    }
    let tried = try many(base.m)
    let last = loop state = (round: 0, m: chosen) max 2 {
        let first = number(state.m)
)cwl" + steps + R"cwl(        (round: state.round + 1, m: s29.m)
    } until state.m > 5000
    let called = many(last.m)
    return (each: each, chosen: chosen, tried: tried?.m, last: last.m, called: called.m)
}
)cwl");
  ASSERT_TRUE(compiled.ready()) << compiled.problems();
  const Manifest made = groupMixed(compiled, 12);
  EXPECT_TRUE(made.ok) << made.problems;
  EXPECT_EQ(compiled.validate(made.text), "");
  for (const char* group : {"main-each-group-1", "main-chosen-group-1", "main-last-group-1"}) {
    EXPECT_NE(made.text.find(std::string("- name: ") + group), std::string::npos) << group;
  }
}

TEST(ArgoSplit, ValidatorFindsFaultsOfGroups) {
  Compiled compiled(kMixed);
  ASSERT_TRUE(compiled.ready()) << compiled.problems();
  const Manifest good = groupMixed(compiled, 30);
  ASSERT_TRUE(good.ok) << good.problems;
  ASSERT_EQ(compiled.validate(good.text), "");
  constexpr PartFault kFaults[] = {
      {0, "{{tasks.group-1.outputs.parameters.values-1}}",
       "{{tasks.group-2.outputs.parameters.values-1}}", "CW0653"},
      {0, "[\"one_0_m\"]", "[\"one_1_m\"]", "CW0653"},
      {0, "\"one_0_m\": ", "\"one_O_m\": ", "CW0653"},
      {0, "{{tasks.group-1.outputs.artifacts.one_3_note}}",
       "{{tasks.group-1.outputs.artifacts.one_4_note}}", "CW0653"},
      {0, "dependencies: [group-1, group-2]", "dependencies: [group-2]", "CW065"},
      {0, "template: main-group-1\n", "template: main-group-2\n", "CW0653"},
      {0, "tasks[\"one-0\"].outputs.parameters[\"m\"]",
       "tasks[\"one-1\"].outputs.parameters[\"m\"]", "CW0653"},
      {0, "{{tasks.one-3.outputs.artifacts.note}}", "{{tasks.one-4.outputs.artifacts.note}}",
       "CW0653"},
      {0, "{{inputs.artifacts.one_3_note}}", "{{inputs.artifacts.one_4_note}}", "CW0653"},
      {0, "- name: group_1-values-1\n            value",
       "- name: group_2-values-1\n            value", "CW065"},
  };
  expectEachFound(compiled, good.text, kFaults);
}

// Steps in groups of a part leave their files where other parts look for them.
TEST(ArgoSplit, GroupsInParts) {
  std::string program = kMixed;
  for (std::size_t at = program.find("40"); at != program.npos; at = program.find("40", at)) {
    program.replace(at, 2, "200");
  }
  Compiled compiled(program);
  ASSERT_TRUE(compiled.ready()) << compiled.problems();
  Limits limits = argo::kLimits;
  limits.steps = 250;
  limits.tasks = 60;
  const passes::EngineLimits used = limitsOf(limits, compiled.options());
  DiagnosticList diags;
  passes::Context context{diags};
  context.limits = &used;
  ASSERT_TRUE(passes::split(compiled.module(), context)) << Compiled::list(diags);
  const Manifest made = compiled.emit();
  EXPECT_TRUE(made.ok) << made.problems;
  EXPECT_EQ(compiled.validate(made.text), "");
  EXPECT_GT(documentsOf(made.text).size(), 2U);
  expectTemplates(made.text, limits);
  const std::string place = "\"/main-part-1-group-1/";
  const std::size_t at = made.text.find(place);
  ASSERT_NE(at, std::string::npos);
  std::string wrong = made.text;
  wrong.replace(at, place.size(), "\"/main-part-1-group-2/");
  EXPECT_NE(compiled.validate(wrong).find("CW0653"), std::string::npos);
}

// The same of files, lists and settings.
TEST(ArgoSplit, ValidatorFindsFaultsOfFilesAndLists) {
  Compiled compiled(kMixed);
  ASSERT_TRUE(compiled.ready()) << compiled.problems();
  const Manifest good = cutMixed(compiled);
  ASSERT_TRUE(good.ok) << good.problems;
  ASSERT_EQ(compiled.validate(good.text), "");
  constexpr PartFault kFaults[] = {
      {0, "namespace: team", "namespace: tame", "CW0651"},
      {0, "serviceAccountName: runner", "serviceAccountName: walker", "CW0651"},
      {0, "serviceAccountName: runner\n", "", "CW065"},
      {0, "{{workflow.uid}}", "{{workflow.name}}", "CW065"},
      {0, "\"/one-3/note/note.txt\"", "\"/one-3/note/note.doc\"", "CW0653"},
      {0, "- name: files-key\n", "- name: files-kye\n", "CW065"},
  };
  expectEachFound(compiled, good.text, kFaults);
}

}  // namespace
}  // namespace couler::backends

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "argo_fixture.h"
#include "argo_programs.h"
#include "tests/support/golden.h"

namespace couler::backends {
namespace {

std::string source(const Program& program) {
  return std::string(kTarget) + std::string(program.text);
}

// Without the text of launcher and shims, which is the same everywhere and tested elsewhere.
std::string withoutPrograms(std::string_view text) {
  std::string out;
  bool inside = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n') + 1);
    text.remove_prefix(line.size());
    if (inside && (line.starts_with("        ") || line == "\n")) continue;
    inside = line == "      - |\n" || line == "      - |-\n";
    out += inside ? "      - (program)\n" : line;
  }
  return out;
}

TEST(Argo, EmitsAndValidates) {
  for (const Program& program : kPrograms) {
    SCOPED_TRACE(program.name);
    Compiled compiled(source(program), true, program.shardSize);
    ASSERT_TRUE(compiled.ready()) << compiled.problems();
    const Manifest manifest = compiled.emit();
    EXPECT_TRUE(manifest.ok) << manifest.problems;
    EXPECT_EQ(manifest.problems, "");
    testing::expectGolden("argo/" + std::string(program.name) + ".yaml",
                          withoutPrograms(manifest.text));
    EXPECT_EQ(compiled.validate(manifest.text), "");
    EXPECT_EQ(manifest.text, compiled.emit().text);
  }
}

// A value never stands in a command or script, and no tag in a constant.
TEST(Argo, ValuesAreData) {
  Compiled compiled(source(kPrograms[0]));
  ASSERT_TRUE(compiled.ready()) << compiled.problems();
  const std::string text = compiled.emit().text;
  EXPECT_EQ(text.find("{{x}}"), std::string::npos);
  EXPECT_EQ(text.find("say \"hi\""), std::string::npos);
  EXPECT_NE(text.find(R"x('"say \"hi\" {\u007bx}} $(y)"')x"), std::string::npos) << text;
  EXPECT_EQ(text.find("{{workflow.uid}}\""), std::string::npos);
}

struct Fault {
  std::size_t program;
  std::string_view from, to, code;
};

// Each seeded fault in a good manifest is found.
TEST(Argo, ValidatorFindsFaults) {
  constexpr Fault kFaults[] = {
      {0, "apiVersion: argoproj.io/v1alpha1", "apiVersion: v1", "CW0651"},
      {0, "kind: Workflow", "kind: Pod", "CW0651"},
      {0, "entrypoint: main", "entrypoint: mian", "CW0652"},
      {0, "failFast: false", "failFast: true", "CW0653"},
      {0, "failFast: false", "failFast: \"false\"", "CW0651"},
      {0, "failFast: false", "failfast: false", "CW0651"},
      {0, "template: left", "template: lefty", "CW0652"},
      {0, "template: left", "template: first", "CW0652"},
      {0, "dependencies: [f]", "dependencies: [g]", "CW0652"},
      {0, "dependencies: [f]", "dependencies: [last]", "CW0652"},
      {0, "dependencies: [x, \"y\", f]", "dependencies: [x, f]", "CW0652"},
      {0, "dependencies: [x, \"y\", f]", "dependencies: [x, \"y\"]", "CW0653"},
      {0, "template: left\n        dependencies: [f]",
       "template: left\n        dependencies: [f, \"y\"]", "CW0653"},
      {0, "tasks.f.outputs.parameters.a", "tasks.f.outputs.parameters.c", "CW0652"},
      {0, "tasks.f.outputs.parameters.a", "tasks.y.outputs.parameters.r", "CW0652"},
      {0, "tasks.f.outputs.artifacts.out", "tasks.f.outputs.artifacts.a", "CW0652"},
      {0, "image: debian:12", "image: debian:11", "CW0653"},
      {0, "activeDeadlineSeconds: 90", "activeDeadlineSeconds: 91", "CW0653"},
      {0, "limit: \"2\"", "limit: \"3\"", "CW0653"},
      {0, "retryPolicy: Always", "retryPolicy: Sometimes", "CW0651"},
      {0, "cpu: \"1500m\"", "cpu: \"1400m\"", "CW0653"},
      {0, "memory: \"512Mi\"", "memory: \"511Mi\"", "CW0653"},
      {0, "duration: \"5s\"", "duration: \"6s\"", "CW0653"},
      {0, "nvidia.com/gpu: \"1\"", "nvidia.com/gpu: \"2\"", "CW0653"},
      {0, "ephemeral-storage: \"1Gi\"", "ephemeral-storage: \"2Gi\"", "CW0653"},
      {0, "value: \"3\"", "value: \"4\"", "CW0653"},
      {0, "name: COULER_TASK", "name: COULER_TYPES", "CW0651"},
      {0, "    container:", "    containr:", "CW0651"},
      {0, "  - name: first", "  - name: First", "CW0651"},
      {1, "inputs.parameters.condition}} == true", "inputs.parameters.condition}} == false",
       "CW0653"},
      {1, "tasks[\"then\"].outputs", "tasks[\"when\"].outputs", "CW0652"},
      {7, "template: part-exit", "template: part", "CW0653"},
      {7, "hooks:\n          exit:\n            template: part-exit",
       "hooks:\n          running:\n            expression: \"true\"\n            template: "
       "part-exit",
       "CW065"},
      {7, "in ['75', '111']", "in ['75', '112']", "CW0653"},
      // Sound but for the step that the value comes from.
      {7, "tasks.one.outputs.parameters.m}}\"\n          - name: b",
       "tasks.two.outputs.parameters.m}}\"\n          - name: b", "CW0653"},
      {2, "withParam: ", "withSequence: ", "CW0653"},
      {2, "{{item.item}}", "{{itme.item}}", "CW0652"},
      {4, "depends: body.Succeeded", "depends: body.Succeeded && nobody", "CW0652"},
      {4, "''stop''] == ", "''step''] == ", "CW0652"},
      {9, "[fromJSON(tasks[\"train-0\"].outputs.parameters[\"value-model\"])",
       "[fromJSON(tasks[\"train-1\"].outputs.parameters[\"value-model\"])", "CW0653"},
      {9, "{{workflow.uid}}/train-0\"", "{{workflow.uid}}/train-1\"", "CW0653"},
      {9, "{{inputs.parameters.files-folder}}/body", "{{inputs.parameters.files-folder}}/train",
       "CW0653"},
      {9, "{{inputs.parameters.files-folder}}/train", "{{inputs.parameters.files-folder}}/other",
       "CW0653"},
      {9, "- name: train-rate\n            value: \"0.1\"",
       "- name: train-rate\n            value: \"0.2\"", "CW0653"},
      {9, "{{inputs.parameters.train-rate}}", "{{inputs.parameters.train-kind}}", "CW0653"},
      {11, "from: \"{{tasks.train-0.outputs.artifacts.value-model}}\"",
       "from: \"{{tasks.train-1.outputs.artifacts.value-model}}\"", "CW0653"},
      {9, "{#[\"score\"]}))), \"$0.0\")}},", "{#[\"score\"]}))), \"$0.0\")}}{{tasks.x.name}},",
       "CW0652"},
      {11, "template: promote", "template: best", "CW065"},
      {11, "dependencies: [promote", "dependencies: [best", "CW065"},
      {5, "failed: true", "failed: false", "CW0653"},
      {5, "onExit: main-exit", "onExit: main-exits", "CW0652"},
  };
  for (const Fault& fault : kFaults) {
    SCOPED_TRACE(std::string(fault.from) + " -> " + std::string(fault.to));
    Compiled compiled(source(kPrograms[fault.program]));
    ASSERT_TRUE(compiled.ready()) << compiled.problems();
    std::string text = compiled.emit().text;
    const std::size_t at = text.find(fault.from);
    EXPECT_NE(at, std::string::npos);
    if (at == std::string::npos) continue;
    text.replace(at, fault.from.size(), fault.to);
    const std::string found = compiled.validate(text);
    EXPECT_NE(found.find(fault.code), std::string::npos) << found;
  }
}

TEST(Argo, LoopsOverStateOfAnyName) {
  Compiled compiled(R"cwl(
task grow(x: int) -> (y: int) {
    image "busybox:1.36"
    run sh "y=$((x * 2))"
}
workflow main() -> (a: int, b: int) {
    let a = loop limit = 1 max 4 {
        let g = grow(limit)
        g.y
    } until limit > 5
    let b = loop iteration = 1 max 4 {
        let g = grow(iteration)
        g.y
    } until iteration > 5
    return (a: a, b: b)
}
)cwl");
  ASSERT_TRUE(compiled.ready()) << compiled.problems();
  EXPECT_EQ(compiled.validate(compiled.emit().text), "");
}

TEST(Argo, ValidatorNeverTrustsText) {
  Compiled compiled(source(kPrograms[2]));
  ASSERT_TRUE(compiled.ready()) << compiled.problems();
  const std::string good = compiled.emit().text;
  std::mt19937 random(11);
  for (int i = 0; i < 300; ++i) {
    std::string text = good;
    for (int k = 0; k < 3; ++k) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = static_cast<char>(random() % 256);
          break;
        case 1:
          text.erase(at, random() % 40);
          break;
        case 2:
          text.insert(at, text.substr(random() % text.size(), random() % 60));
          break;
        default:
          text.insert(at, "{{");
          break;
      }
    }
    static_cast<void>(compiled.validate(text));
  }
  for (const char* text :
       {"", "a", "[]", "spec: 3", "kind: Workflow\napiVersion: argoproj.io/v1alpha1\nspec: []\n",
        "kind: Workflow\napiVersion: argoproj.io/v1alpha1\nspec: {templates: [a, {}, [x]]}\n"}) {
    EXPECT_NE(compiled.validate(text), "") << text;
  }
}

TEST(Argo, ReadsForeignManifests) {
  const char* root = std::getenv("COULER_CORPORA");
  const std::filesystem::path folder =
      std::filesystem::path(root != nullptr ? root : COULER_SOURCE_DIR "/../shared/corpora") /
      "argo";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no corpora at " << folder;
  std::size_t count = 0;
  std::size_t sound = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    DiagnosticList diags;
    if (argo::validateManifest(text, diags)) ++sound;
    ++count;
  }
  EXPECT_GT(count, 50U);
  EXPECT_GT(sound, count / 2);
}

TEST(Argo, StreamsManySteps) {
  Compiled compiled(
      "task t(n: int) -> (m: int) { image \"i\"\n run sh \"\"\"m=$n\"\"\" }\nworkflow main() { "
      "t(n: 1) }\n",
      false);
  ASSERT_TRUE(compiled.ready()) << compiled.problems();
  ir::Module& module = compiled.module();
  const ir::RegionId body = module.at(module.entry).body;
  ir::NodeId last = module.at(body).nodes.back();
  for (const ir::NodeId id : module.at(body).nodes) {
    if (module.payload<ir::Step>(id) != nullptr) last = id;
  }
  const ir::TypeId result = module.at(last).type;
  const ir::NameId m = module.intern(std::string_view("m"));
  constexpr int kSteps = 100'000;
  for (int i = 1; i < kSteps; ++i) {
    const ir::NodeId field =
        module.add(body, ir::Field{m, false, false}, ir::TypeTable::kInt, std::vector{last});
    last = module.add(body, ir::Step{ir::TaskId(0U)}, result, std::vector{field}, {}, {},
                      module.intern("t-" + std::to_string(i)));
  }
  DiagnosticList diags;
  std::size_t pieces = 0;
  std::size_t largest = 0;
  std::string text;
  EXPECT_TRUE(argo::emit(
      module, {},
      [&](std::string_view t) {
        ++pieces;
        largest = std::max(largest, t.size());
        text += t;
      },
      diags));
  EXPECT_GT(pieces, 100U);
  EXPECT_LT(largest, std::size_t{1} << 18);
  EXPECT_NE(Compiled::list(diags).find("CW0609"), std::string::npos);
  DiagnosticList found;
  EXPECT_TRUE(argo::validate(module, {}, text, found)) << Compiled::list(found).substr(0, 2000);
}

struct Refusal {
  std::string_view text, code;
};

TEST(Argo, RefusesWhatItCannotExpress) {
  constexpr Refusal kRefusals[] = {
      {"task t() { run [\"true\"]\n}\nworkflow main() { t() }\n", "CW0602"},
      {"target a = argo { image: \"i\", artifacts: s3(bucket: \"\\{\\{\") }\ntask t() { run "
       "[\"true\"]\n}\nworkflow main() { t() }\n",
       "CW0603"},
      {"target a = argo { image: \"i\" }\ntask t(f: file) { run [\"cat\", f]\n}\nworkflow main(f: "
       "file) { t(f: f) }\n",
       "CW0604"},
      {"target a = argo { image: \"i\" }\ntask t(f: file) { run [\"cat\", f]\n}\nworkflow main() { "
       "t(f: file(\"big.bin\")) }\n",
       "CW0605"},
      {"target a = argo { image: \"i\" }\ntask t(s: string) -> (u: string) { run sh "
       "\"\"\"u=$s\"\"\" }\n"
       "workflow main() -> (u: string) { let a = t(s: \"x\")\n let b = t(s: upper(a.u))\n return "
       "(u: b.u) }\n",
       "CW0606"},
      {"target a = argo { image: \"i\" }\ntask t(s: secret) { env { S: s }\n run "
       "[\"true\"]\n}\nworkflow main(s: secret) { t(s: s) }\n",
       "CW0607"},
      {"target a = argo { image: \"i\" }\ntask t(x: int) -> (s: int, m: file) { run sh \"s=$x; "
       "echo > $m\" }\n"
       "workflow main() -> (m: file) { let b = tune t(x: in 1..4) maximize s\n return (m: b.m) }\n",
       "CW0604"},
      {"target a = argo { image: \"i\", artifacts: s3(bucket: \"b\") }\n"
       "task t(x: int) -> (m: file) { run sh \"echo $x > $m\" }\ntask u(m: file) { run [\"cat\", "
       "m]\n}\n"
       "workflow main(i: int) { let a = t(1)\n let b = t(2)\n u(if i > 1 { a.m } else { "
       "file(\"f\") }) }\n",
       "CW0601"},
      {"target a = argo { image: \"i\" }\ntask t(x: int) -> (s: int) { run sh \"s=$x\" }\n"
       "workflow main() -> (s: int) { let b = tune t(x: in 1..4) maximize s using tpe(trials: 3)\n "
       "return (s: b.s) }\n",
       "CW0606"},
      {"target a = argo { image: \"i\" }\ntask t(x: int) -> (s: int) { run sh \"s=$x\" }\n"
       "workflow main(n: int) -> (s: int) { let b = tune t(x: in 1..4) maximize s using "
       "random(trials: n)\n return (s: b.s) }\n",
       "CW0606"},
      {"target a = argo { image: \"i\" }\ntask t() { image \"a\\{\\{b\"\n run "
       "[\"true\"]\n}\nworkflow main() { t() }\n",
       "CW0608"},
      {"target a = argo { image: \"i\" }\ntask t(f: file) { run [\"cat\", f]\n}\nworkflow main() { "
       "for f in glob(\"*.csv\") { t(f: f) } }\n",
       "CW060"},
  };
  for (const Refusal& refusal : kRefusals) {
    SCOPED_TRACE(refusal.text);
    Compiled compiled{std::string(refusal.text)};
    ASSERT_TRUE(compiled.ready()) << compiled.problems();
    const Manifest manifest = compiled.emit();
    EXPECT_FALSE(manifest.ok);
    EXPECT_NE(manifest.problems.find(refusal.code), std::string::npos) << manifest.problems;
  }
}

// What Linux would not start is found before it is sent.
TEST(Argo, RefusesWordsThatNoProgramCanGet) {
  const auto problems = [](std::size_t length, const std::string& command) {
    Compiled compiled("target a = argo { image: \"i\" }\ntask t(s: string) { " + command +
                      " }\nworkflow main() { t(s: \"" + std::string(length, 'x') + "\") }\n");
    EXPECT_TRUE(compiled.ready()) << compiled.problems();
    return compiled.emit().problems;
  };
  const std::string fixed = "run [\"echo\", \"" + std::string(131'071, 'x') + "\"]";
  EXPECT_EQ(problems(1, fixed), "");
  EXPECT_EQ(problems(1, "run [\"echo\", \"" + std::string(131'072, 'x') + "\"]"),
            "CW0601 argo cannot express a step whose command or values take 128 KiB in one word or "
            "variable\n");
  EXPECT_NE(problems(1, "run [\"echo\", \"" + std::string(98'400, 'x') + "\", s]").find("CW0601"),
            std::string::npos);  // as base64, beside a value
}

TEST(Argo, SaysWhatItDoesOnlyNearly) {
  Compiled compiled(
      "target a = argo { image: \"i\" }\ntask t() { run [\"true\"]\n retry 2 { backoff: 1 s, "
      "factor: "
      "1.5 }\n}\nworkflow main() { t() }\n");
  ASSERT_TRUE(compiled.ready()) << compiled.problems();
  const Manifest manifest = compiled.emit();
  EXPECT_TRUE(manifest.ok);
  EXPECT_NE(manifest.problems.find("CW0610"), std::string::npos) << manifest.problems;
  EXPECT_NE(manifest.text.find("factor: \"1\""), std::string::npos) << manifest.text;
}

TEST(Argo, CarriesSmallFiles) {
  Compiled compiled(
      "target a = argo { image: \"i\" }\ntask t(f: file) { run [\"cat\", f]\n}\nworkflow main() { "
      "t(f: file(\"fit.py\")) }\n");
  ASSERT_TRUE(compiled.ready()) << compiled.problems();
  compiled.files["fit.py"] = "print(1)\n# on: yes\n";
  const Manifest manifest = compiled.emit();
  EXPECT_TRUE(manifest.ok) << manifest.problems;
  EXPECT_NE(manifest.text.find("print(1)"), std::string::npos);
  EXPECT_EQ(compiled.validate(manifest.text), "");
  compiled.files["fit.py"] = "{{inputs}}";
  EXPECT_NE(compiled.emit().problems.find("CW0605"), std::string::npos);
}

constexpr std::string_view kMemoized =
    "target a = argo { image: \"i\", memoize: \"results\", memoize_for: 2 h }\n"
    "task fit(rate: float, name: string) -> (score: float) { run sh \"score=$rate\" }\n"
    "task draw() -> (n: int) { run sh \"n=4\" }\n"
    "volatile task now() -> (n: int) { run sh \"n=1\" }\n"
    "task save(n: float) -> (o: file = \"o\") { run sh \"echo > $o\" }\n"
    "task load(o: file) -> (n: int) { run sh \"n=1\" }\n"
    "task pull(key: secret) -> (n: int) { run sh \"n=1\" }\n"
    "task note(n: int) { run [\"true\"] }\n"
    "workflow main(key: secret) {\n"
    "    let f = fit(0.5, \"a \\{\\{b}}\")\n    let d = draw()\n    let t = now()\n"
    "    let s = save(f.score)\n    let l = load(s.o)\n    let p = pull(key)\n"
    "    note(d.n + t.n + l.n + p.n)\n}\n";

std::string keyOf(const std::string& manifest, std::string_view task) {
  const std::size_t at = manifest.find(fmt::format("- name: {}\n", task));
  const std::size_t key = manifest.find("key: ", manifest.find("memoize:", at));
  return manifest.substr(key, manifest.find('\n', key) - key);
}

TEST(Argo, MemoizesValuesOnly) {
  Compiled compiled{std::string(kMemoized)};
  ASSERT_TRUE(compiled.ready()) << compiled.problems();
  const Manifest manifest = compiled.emit();
  EXPECT_TRUE(manifest.ok) << manifest.problems;
  EXPECT_EQ(compiled.validate(manifest.text), "");
  std::size_t count = 0;
  for (std::size_t at = 0; (at = manifest.text.find("memoize:", at)) != std::string::npos; ++at) {
    ++count;
  }
  EXPECT_EQ(count, 2U) << "of `fit` and `draw`\n" << manifest.text;
  const std::string fit = keyOf(manifest.text, "fit");
  EXPECT_NE(fit.find("-{{=sprig.sha256sum(toJson([inputs.parameters['rate'], "
                     "inputs.parameters['name']]))}}"),
            std::string::npos)
      << fit;
  EXPECT_NE(manifest.text.find("maxAge: \"7200s\""), std::string::npos) << manifest.text;
  EXPECT_NE(manifest.text.find("        name: results"), std::string::npos) << manifest.text;

  // Another program is another key; how much it may take is not in it.
  for (const auto& [from, to, same] :
       {std::tuple{"score=$rate", "score=1", false}, {"image: \"i\"", "image: \"j\"", false},
        {"{ run sh \"score", "{ resources { cpu: 2 }\n run sh \"score", true}}) {
    std::string text(kMemoized);
    text.replace(text.find(from), std::string_view(from).size(), to);
    Compiled other(text);
    ASSERT_TRUE(other.ready()) << other.problems();
    EXPECT_EQ(keyOf(other.emit().text, "fit") == fit, same) << to;
  }
}

TEST(Argo, ValidatorFindsWrongKeys) {
  Compiled compiled{std::string(kMemoized)};
  ASSERT_TRUE(compiled.ready()) << compiled.problems();
  const std::string good = compiled.emit().text;
  for (const auto& [from, to] :
       {std::pair{"memoize:", "memoise:"}, {"[inputs.parameters['rate'], ", "["},
        {"        name: results", "        name: others"}, {"key: \"couler-", "key: \"hera-"}}) {
    std::string text = good;
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from << "\n" << good;
    text.replace(at, std::string_view(from).size(), to);
    EXPECT_NE(compiled.validate(text), "") << to;
  }
  EXPECT_NE(Compiled("target a = argo { image: \"i\", memoize: \"Upper\" }\nworkflow main() {}\n")
                .emit()
                .problems.find("CW0603"),
            std::string::npos);
}

}  // namespace
}  // namespace couler::backends

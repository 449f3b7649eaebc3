#include "backends/katib/katib.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>

#include <sys/wait.h>

#include "argo_fixture.h"
#include "backends/yaml_reader.h"
#include "tests/support/golden.h"

namespace couler::backends {
namespace {

constexpr std::string_view kTarget =
    "target k = katib { namespace: \"ml\", image: \"debian:12\", parallelism: 4 }\n";

struct Program {
  std::string_view name, text;
};

constexpr Program kPrograms[] = {
    {"tpe", R"cw(
task train(rate: float, kind: string, depth: int, momentum: float, note: string = "a \"b\" $(c) $\{x}") -> (score: float, loss: float, model: file = "m") {
    image     "python:3.11-slim"
    resources { cpu: 2, memory: 1 GiB, gpu: 1, disk: 2 GiB }
    timeout   10 min
    retry     2
    env       { OMP_NUM_THREADS: "2", RATE: "r={rate}" }
    run python """
        import os
        score = rate * depth + len(kind)
        loss = momentum
        open(model, "w").write(note + os.environ["RATE"])
        """
}
workflow search(momentum: float = 0.9) -> (score: float, rate: float) {
    let best = tune train(kind: in ["tree", "linear model"], rate: in log(0.001 .. 0.3), depth: in 2..8, momentum: momentum)
        maximize score using tpe(trials: 20, seed: 7, parallel: 3)
    return (score: best.score, rate: best.params.rate)
}
)cw"},
    {"grid", R"cw(
task train(rate: float, depth: int, deep: bool) -> (error: float = stdout) {
    run ["sh", "-c", "echo $(( $1 * 2 )).25; test $2 = --rate=0.1 -o $3 = true", "x", "{depth}", "--rate={rate}", "{deep}"]
}
workflow search() -> (error: float, depth: int) {
    let best = tune train(rate: in log(0.001 .. 0.1), depth: in [2, 4, 8], deep: in [true, false])
        minimize error using grid(points: 3)
    return (error: best.error, depth: best.params.depth)
}
)cw"},
    {"hyperband", R"cw(
task train(rate: float, epochs: int) -> (score: float = "score.txt") {
    run sh """
        echo "$rate $epochs" | awk '{ print $1 * $2 }' > score.txt
        """
}
workflow search() -> (score: float) {
    let best = tune train(rate: in 0.0 .. 1.0)
        maximize score using asha(trials: 27, resource: epochs, max: 9)
    return (score: best.score)
}
)cw"},
};

class Experiment : public Compiled {
 public:
  explicit Experiment(std::string_view text)
      : Compiled(std::string(kTarget) + std::string(text), true, 0, passes::Searches::Whole) {}
  Manifest emit() {
    Manifest out;
    DiagnosticList diags;
    out.ok = katib::emit(module(), options(), [&](std::string_view t) { out.text += t; }, diags);
    out.problems = list(diags);
    return out;
  }
  std::string validate(std::string_view text) {
    DiagnosticList diags;
    const bool ok = katib::validate(module(), options(), text, diags);
    EXPECT_EQ(ok, !diags.hasErrors());
    return list(diags);
  }
};

/// Without the text of launcher and shim, which is the same everywhere and tested elsewhere.
std::string withoutPrograms(std::string text) {
  const std::size_t words = text.find("value: ", text.find("- name: COULER_ARGV"));
  const std::size_t end = text.find('\n', words);
  if (end - words > 300) text.replace(words, end - words, "value: (shim)");
  const std::size_t at = text.find("- name: COULER_LAUNCHER");
  return text.substr(0, at) + "- (launcher)\n" +
         text.substr(text.find("              resources:", at));
}

TEST(Katib, EmitsAndValidates) {
  for (const Program& program : kPrograms) {
    SCOPED_TRACE(program.name);
    Experiment experiment(program.text);
    ASSERT_TRUE(experiment.ready()) << experiment.problems();
    const Manifest manifest = experiment.emit();
    EXPECT_TRUE(manifest.ok) << manifest.problems;
    testing::expectGolden("katib/" + std::string(program.name) + ".yaml",
                          withoutPrograms(manifest.text));
    EXPECT_EQ(experiment.validate(manifest.text), "");
    EXPECT_EQ(manifest.text, experiment.emit().text);
  }
}

TEST(Katib, SaysWhatItDoesOnlyNearly) {
  Experiment experiment(kPrograms[2].text);
  ASSERT_TRUE(experiment.ready()) << experiment.problems();
  EXPECT_NE(experiment.emit().problems.find("CW0610"), std::string::npos);
}

struct Fault {
  std::size_t program;
  std::string_view from, to, code;
};

TEST(Katib, ValidatorFindsFaults) {
  constexpr Fault kFaults[] = {
      {0, "kubeflow.org/v1beta1", "kubeflow.org/v1", "CW0651"},
      {0, "kind: Experiment", "kind: Trial", "CW0651"},
      {0, "maxTrialCount: 20", "maxTrials: 20", "CW0651"},
      {0, "maxTrialCount: 20", "maxTrialCount: 21", "CW0653"},
      {0, "maxFailedTrialCount: 20", "maxFailedTrialCount: 3", "CW0653"},
      {0, "parallelTrialCount: 3", "parallelTrialCount: 4", "CW0653"},
      {0, "type: maximize", "type: minimize", "CW0653"},
      {0, "type: maximize", "type: best", "CW0651"},
      {0, "objectiveMetricName: score", "objectiveMetricName: loss", "CW0653"},
      {0, "algorithmName: tpe", "algorithmName: random", "CW0653"},
      {0, "value: \"7\"", "value: \"8\"", "CW0653"},
      {0, "parameterType: double", "parameterType: int", "CW0653"},
      {0, "parameterType: double", "parameterType: float", "CW0651"},
      {0, "min: \"0.001\"", "min: \"0.01\"", "CW0653"},
      {0, "max: \"7\"", "max: \"8\"", "CW0653"},
      {0, "distribution: logUniform", "distribution: uniform", "CW0653"},
      {0, "- linear model", "- linear", "CW0653"},
      {0, "path: /katib/metrics.log", "path: /katib/other.log", "CW0653"},
      {0, "reference: rate", "reference: rat", "CW0652"},
      {0, "reference: rate", "reference: kind", "CW0653"},
      {0, "\"${trialParameters.rate}\"", "\"${trialParameters.rats}\"", "CW0652"},
      {0, "primaryContainerName: trial", "primaryContainerName: other", "CW0652"},
      {0, "backoffLimit: 2", "backoffLimit: 3", "CW0653"},
      {0, "activeDeadlineSeconds: 600", "activeDeadlineSeconds: 60", "CW0653"},
      {0, "image: python:3.11-slim", "image: python:3.12-slim", "CW0653"},
      {0, "memory: \"1Gi\"", "memory: \"2Gi\"", "CW0653"},
      {0, "score = rate * depth", "score = rate", "CW0653"},
      {0, "value: \"0.9\"", "value: \"0.8\"", "CW0653"},
      {0, "set -eu", "set -u", "CW0653"},
      {1, "wc2g= wLWM=", "wc2g= wLWU=", "CW0653"},
      {1, "- \"0.01\"", "- \"0.02\"", "CW0653"},
      {2, "value: epochs", "value: rate", "CW0653"},
  };
  for (const Fault& fault : kFaults) {
    SCOPED_TRACE(std::string(fault.from) + " -> " + std::string(fault.to));
    Experiment experiment(kPrograms[fault.program].text);
    ASSERT_TRUE(experiment.ready()) << experiment.problems();
    std::string text = experiment.emit().text;
    const std::size_t at = text.find(fault.from);
    EXPECT_NE(at, std::string::npos);
    if (at == std::string::npos) continue;
    text.replace(at, fault.from.size(), fault.to);
    const std::string found = experiment.validate(text);
    EXPECT_NE(found.find(fault.code), std::string::npos) << found;
  }
}

TEST(Katib, ValidatorNeverTrustsText) {
  Experiment experiment(kPrograms[0].text);
  ASSERT_TRUE(experiment.ready()) << experiment.problems();
  const std::string good = experiment.emit().text;
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    std::string text = good;
    for (int k = 0; k < 3; ++k) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text[at] = static_cast<char>(random() % 256);
      } else {
        text.erase(at, random() % 40);
      }
    }
    static_cast<void>(experiment.validate(text));
  }
  for (const char* text : {"", "a", "[]", "spec: 3", "kind: Experiment\nspec: []\n"}) {
    EXPECT_NE(experiment.validate(text), "") << text;
  }
}

struct Refusal {
  std::string_view text, what;
};

TEST(Katib, RefusesWhatItCannotExpress) {
  const std::string_view task =
      "task t(x: int, f: file? = none) -> (s: int, w: string, m: file) { run sh \"s=$x\" "
      "}\nvolatile task v() { run [\"true\"]\n}\n";
  constexpr Refusal kRefusals[] = {
      {"workflow main() { v() }\n", "a step beside the trials"},
      {"workflow main() -> (s: int) { let b = tune t(x: in 1..4) maximize s\n v()\n return (s: "
       "b.s) }\n",
       "a step beside the trials"},
      {"workflow main() -> (m: file) { let b = tune t(x: in 1..4) maximize s\n return (m: b.m) }\n",
       "the `m` of the best trial"},
      {"workflow main() -> (w: string) { let b = tune t(x: in 1..4) maximize s\n return (w: b.w) "
       "}\n",
       "the `w` of the best trial"},
      {"workflow main() -> (s: int) { let b = tune t(x: in 1..4) maximize s\n return (s: b.s * 2) "
       "}\n",
       "computed from the best trial"},
      {"workflow main(f: file = \"data\") -> (s: int) { let b = tune t(x: in 1..4, f: f) maximize "
       "s\n return (s: b.s) }\n",
       "a file as the input `f`"},
      {"workflow main(n: int) -> (s: int) { let b = tune t(x: in 1..4) maximize s using "
       "random(trials: n)\n return (s: b.s) }\n",
       "depends on inputs"},
      {"task u(x: int, y: int = 0) -> (s: int) { run sh \"s=$x\" }\nworkflow main() -> (s: int) { "
       "let b = tune u(x: in 1..4, y: in 1..9 if x > 2) maximize s using random(trials: 3)\n "
       "return (s: b.s) }\n",
       "only where a condition holds"},
      {"task u(x: string) -> (s: int) { run sh \"s=1\" }\nworkflow main() -> (s: int) { let b = "
       "tune u(x: in [\"a\", \"b\\\"c\"]) maximize s\n return (s: b.s) }\n",
       "among the values of `x`"},
      {"task u(x: int, e: int, f: file? = none) -> (s: int, m: file) { run sh \"s=$x; echo > $m\" "
       "}\nworkflow main() -> (s: int) { let b = tune u(x: in 1..4) maximize s using asha(trials: "
       "4, resource: e, max: 9, resume: f, checkpoint: m)\n return (s: b.s) }\n",
       "CW0601"},
  };
  for (const Refusal& refusal : kRefusals) {
    SCOPED_TRACE(refusal.text);
    Experiment experiment(std::string(task) + std::string(refusal.text));
    ASSERT_TRUE(experiment.ready()) << experiment.problems();
    const Manifest manifest = experiment.emit();
    EXPECT_FALSE(manifest.ok);
    EXPECT_NE(manifest.problems.find(refusal.what), std::string::npos) << manifest.problems;
  }
}

/// Every field that is emitted is one that real Experiments have, or one of the Job that Kubernetes
/// has.
TEST(Katib, EmitsFieldsThatRealExperimentsHave) {
  const char* root = std::getenv("COULER_CORPORA");
  const std::filesystem::path folder =
      std::filesystem::path(root != nullptr ? root : COULER_SOURCE_DIR "/../shared/corpora") /
      "katib";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no corpora at " << folder;
  std::set<std::string> known = {"generateName",
                                 "backoffLimit",
                                 "activeDeadlineSeconds",
                                 "env",
                                 "value",
                                 "resources",
                                 "requests",
                                 "cpu",
                                 "memory",
                                 "ephemeral-storage"};
  const auto keys = [](YamlNode from, std::set<std::string>& into) {
    std::vector<YamlNode> left{from};
    while (!left.empty()) {
      const YamlNode at = left.back();
      left.pop_back();
      for (YamlNode inner = at.first(); inner.exists(); inner = inner.next()) {
        if (at.isMap()) into.emplace(inner.key());
        left.push_back(inner);
      }
    }
  };
  std::size_t count = 0;
  std::size_t sound = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    YamlDocument document;
    std::string error;
    ASSERT_TRUE(document.read(text, error)) << entry.path() << error;
    keys(document.root(), known);
    DiagnosticList diags;
    ++count;
    if (katib::validateExperiment(text, diags)) ++sound;
    for (const Diagnostic& d : diags.all())
      EXPECT_EQ(d.message.find("has no field"), std::string::npos) << entry.path() << d.message;
  }
  EXPECT_GT(count, 10U);
  EXPECT_GE(sound + 4, count);  // those that take their template from elsewhere
  for (const Program& program : kPrograms) {
    Experiment experiment(program.text);
    ASSERT_TRUE(experiment.ready()) << experiment.problems();
    const std::string text = experiment.emit().text;
    YamlDocument document;
    std::string error;
    ASSERT_TRUE(document.read(text, error)) << error;
    std::set<std::string> emitted;
    keys(document.root(), emitted);
    for (const std::string& key : emitted) EXPECT_TRUE(known.contains(key)) << key;
  }
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}
std::string quoted(const std::string& word) { return "'" + replaced(word, "'", "'\\''") + "'"; }

/// One trial as Katib makes it: values put into the template's text, the words joined for `sh -c`
/// with more behind.
std::string metricsOf(const std::string& manifest,
                      const std::vector<std::pair<std::string, std::string>>& values, int& status) {
  std::string pattern = (std::filesystem::temp_directory_path() / "couler_trialXXXXXX").string();
  const std::string folder = mkdtemp(pattern.data());
  YamlDocument document;
  std::string error;
  EXPECT_TRUE(document.read(manifest, error)) << error;
  const YamlNode pod =
      document.root()["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"];
  const YamlNode container = pod["containers"].first();
  const auto settled = [&](std::string_view text) {
    std::string out(text);
    for (const auto& [name, value] : values)
      out = replaced(out, "${trialParameters." + name + "}", value);
    return replaced(replaced(replaced(out, "$$", "$"), "/tmp/couler", folder), "/katib/",
                    folder + "/");
  };
  std::string line = "env -i PATH=/usr/bin:/bin";
  for (YamlNode e = container["env"].first(); e.exists(); e = e.next()) {
    line += " " + std::string(e["name"].text()) + "=" + quoted(settled(e["value"].text()));
  }
  std::string words;
  for (YamlNode w = container["command"].first().next().next(); w.exists(); w = w.next())
    words += settled(w.text()) + " ";
  line += " sh -c " +
          quoted(words + "1>" + folder + "/log 2>&1 && echo completed > " + folder + "/done");
  status = std::system(line.c_str());  // NOLINT(concurrency-mt-unsafe): tests are one thread
  const auto read = [&](const std::string& name) {
    std::ifstream in(folder + "/" + name, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  };
  const std::string metrics =
      read("metrics.log") + read("done") + read("out/m/m") + (status == 0 ? "" : read("log"));
  std::filesystem::remove_all(folder);
  return metrics;
}

TEST(Katib, TrialsRun) {
  int status = 0;
  Experiment tpe(kPrograms[0].text);
  ASSERT_TRUE(tpe.ready()) << tpe.problems();
  EXPECT_EQ(metricsOf(tpe.emit().text, {{"kind", "linear model"}, {"rate", "0.25"}, {"depth", "4"}},
                      status)
                .substr(0, 31),
            "score=13.0\nloss=0.9\ncompleted\n");
  EXPECT_EQ(status, 0);
  Experiment grid(kPrograms[1].text);
  ASSERT_TRUE(grid.ready()) << grid.problems();
  EXPECT_EQ(
      metricsOf(grid.emit().text, {{"rate", "0.1"}, {"depth", "4"}, {"deep", "false"}}, status),
      "error=8.25\ncompleted\n");
  EXPECT_EQ(status, 0);
  EXPECT_EQ(
      metricsOf(grid.emit().text, {{"rate", "0.2"}, {"depth", "4"}, {"deep", "false"}}, status)
          .find("completed"),
      std::string::npos);
  EXPECT_NE(status, 0);
  Experiment hyperband(kPrograms[2].text);
  ASSERT_TRUE(hyperband.ready()) << hyperband.problems();
  EXPECT_EQ(metricsOf(hyperband.emit().text, {{"rate", "0.5"}, {"epochs", "3"}}, status),
            "score=1.5\ncompleted\n");
}

}  // namespace
}  // namespace couler::backends

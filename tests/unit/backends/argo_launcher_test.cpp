// Runs emitted containers for real, in place of Kubernetes: their command and environment, after
// what Kubernetes and Argo do to them ($$ to $, tags to values), in a folder of the test's own.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <sys/wait.h>
#include <unistd.h>

#include "argo_fixture.h"
#include "backends/argo/text.h"
#include "backends/kubernetes.h"
#include "backends/yaml_reader.h"
#include "support/base64.h"

namespace couler::backends {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

class Pod {
 public:
  Pod() {
    std::string pattern = (std::filesystem::temp_directory_path() / "couler_podXXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  ~Pod() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  Pod(const Pod&) = delete;
  Pod& operator=(const Pod&) = delete;

  /// Runs the container of a template; `inputs` are the parameters' JSON texts.
  int run(std::string_view manifest, std::string_view name,
          const std::vector<std::pair<std::string, std::string>>& inputs) {
    YamlDocument document;
    std::string error;
    if (!document.read(manifest, error)) return -1;
    YamlNode found;
    for (YamlNode t = document.root()["spec"]["templates"].first(); t.exists(); t = t.next()) {
      if (t["name"].text() == name) found = t["container"];
    }
    std::vector<std::string> words, env = {"PATH=" + std::string(std::getenv("PATH"))};
    for (YamlNode w = found["command"].first(); w.exists(); w = w.next())
      words.push_back(settle(w.text(), inputs));
    for (YamlNode e = found["env"].first(); e.exists(); e = e.next()) {
      env.push_back(std::string(e["name"].text()) + "=" + settle(e["value"].text(), inputs));
    }
    if (words.empty()) return -1;
    std::vector<char*> argv, envp;
    for (std::string& w : words) argv.push_back(w.data());
    for (std::string& e : env) envp.push_back(e.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      execve("/bin/sh", argv.data(), envp.data());
      _exit(126);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  [[nodiscard]] std::string output(const std::string& path) const {
    std::ifstream in(root_ + "/out/" + path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

 private:
  std::string settle(std::string_view text,
                     const std::vector<std::pair<std::string, std::string>>& inputs) const {
    std::string out(text);
    for (const auto& [name, json] : inputs) {
      out =
          replaced(out, "{{=sprig.b64enc(inputs.parameters['" + name + "'])}}", encodeBase64(json));
      out = replaced(out, "{{inputs.parameters." + name + "}}", json);
    }
    EXPECT_EQ(out.find("{{"), std::string::npos) << out;
    return replaced(replaced(out, "$$", "$"), "/tmp/couler", root_);
  }
  std::string root_;
};

constexpr std::string_view kNasty = R"(it's "q" {{workflow.uid}} $(HOME) $$ \n `id` ; é)";

TEST(ArgoLauncher, RunsWordsAsTheyStand) {
  Compiled compiled(
      "target a = argo { image: \"i\" }\n"
      "task t() -> (o: string = stdout) { run [\"printf\", \"%s|\", \"a\\{\\{b}}\", \"$(HOME) "
      "$$\", \"it's\", \"\"]\n}\n"
      "workflow main() -> (o: string) { let x = t()\n return (o: x.o) }\n");
  ASSERT_TRUE(compiled.ready()) << compiled.problems();
  const Manifest manifest = compiled.emit();
  ASSERT_TRUE(manifest.ok) << manifest.problems;
  EXPECT_EQ(compiled.validate(manifest.text), "");
  Pod pod;
  EXPECT_EQ(pod.run(manifest.text, "t", {}), 0);
  EXPECT_EQ(pod.output("o.line.b64"), encodeBase64("a{{b}}|$(HOME) $$|it's||"));
}

TEST(ArgoLauncher, GivesScriptsTheirValues) {
  for (const std::string language : {"python", "sh"}) {
    SCOPED_TRACE(language);
    const std::string script =
        language == "python" ? "out_s = s + '{{x}}'\nout_n = n + 1\nopen(f, 'w').write(s)"
                             : "out_s=\"$s{{x}}\"\nout_n=$((n + 1))\nprintf %s \"$s\" > \"$f\"";
    Compiled compiled(
        "target a = argo { image: \"i\" }\ntask t(s: string, n: int) -> (out_s: string, out_n: "
        "int, f: file = \"f.txt\") {\n run " +
        language + " \"\"\"\n" + script + "\n\"\"\"\n}\n" +
        "workflow main(s: string) -> (o: string, f: file, n: int) { let x = t(s: s, n: 4)\n return "
        "(o: x.out_s, f: x.f, n: x.out_n) }\n");
    ASSERT_TRUE(compiled.ready()) << compiled.problems();
    const Manifest manifest = compiled.emit();
    ASSERT_TRUE(manifest.ok) << manifest.problems;
    EXPECT_EQ(compiled.validate(manifest.text), "");
    Pod pod;
    ASSERT_EQ(pod.run(manifest.text, "t",
                      {{"s", argo::jsonText(ir::Value(std::string(kNasty)))}, {"n", "4"}}),
              0);
    const std::string out = pod.output("out_s");
    EXPECT_EQ(out.find("{{"), std::string::npos) << out;
    EXPECT_EQ(argo::safeJson(out), argo::jsonText(ir::Value(std::string(kNasty) + "{{x}}")));
    EXPECT_EQ(pod.output("out_n"), "5");
    EXPECT_EQ(pod.output("f/f.txt"), kNasty);
  }
}

TEST(ArgoLauncher, PassesFailureOn) {
  Compiled compiled(
      "target a = argo { image: \"i\" }\nvolatile task t() { run [\"sh\", \"-c\", \"exit "
      "7\"]\n}\nworkflow main() { t() }\n");
  ASSERT_TRUE(compiled.ready()) << compiled.problems();
  Pod pod;
  EXPECT_EQ(pod.run(compiled.emit().text, "t", {}), 7);
}

TEST(ArgoText, HidesWhatArgoWouldRead) {
  using namespace argo;
  EXPECT_EQ(safeJson(R"("{{{a}}")"), R"("{\u007b{a}}")");
  EXPECT_EQ(safeJson("\"\xf0\x9f\x98\x80\xc3\xa9\x7f\""), "\"\\ud83d\\ude00\\u00e9\\u007f\"");
  EXPECT_EQ(exprString("a?b:{c}\"\\"), R"("a\u003fb\u003a\u007bc\u007d\"\\")");
  EXPECT_EQ(escapeDollar("$(a) $$"), "$$(a) $$$$");
  EXPECT_EQ(encodeBase64(""), "");
  EXPECT_EQ(encodeBase64("a"), "YQ==");
  EXPECT_EQ(encodeBase64("ab"), "YWI=");
  EXPECT_EQ(encodeBase64("abc"), "YWJj");
  EXPECT_EQ(cpuQuantity(1.5), "1500m");
  EXPECT_EQ(cpuQuantity(2), "2");
  EXPECT_EQ(cpuQuantity(0.0001), "1m");
  EXPECT_EQ(bytesQuantity(std::int64_t{3} << 30), "3Gi");
  EXPECT_EQ(bytesQuantity(1000), "1000");
  EXPECT_EQ(wholeSeconds({1}), 1);
  EXPECT_EQ(wholeSeconds({1'500'000}), 2);
  EXPECT_EQ(goDuration({1'500'000}), "1500ms");
}

}  // namespace
}  // namespace couler::backends

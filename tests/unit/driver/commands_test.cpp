#include <algorithm>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/golden.h"
#include "tests/unit/driver/command_line.h"

namespace couler::testing {
namespace {

constexpr const char* kProgram = R"(couler 1

task say(text: string) -> (line: string = stdout) {
    run ["echo", text]
}

workflow hello(text: string = "hi") -> (line: string) {
    let said = say(text)
    let again = say(said.line)
    return (line: again.line)
}

target prod = argo { namespace: "x", image: "busybox" }
)";

constexpr const char* kWrong = R"(couler 1

task say(text: string) -> (line: string = stdout) {
    run ["echo", text]
}

workflow hello(n: int) -> (line: string) {
    let said = say(n)
    return (line: said.lin)
}
)";

using Commands = CommandLine;

TEST_F(Commands, checkSaysNothingOfAGoodProgram) {
  write("good.cwl", kProgram);
  const Ran ran = couler({"check", "good.cwl"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out + ran.err, "");
}

TEST_F(Commands, checkFormats) {
  write("wrong.cwl", kWrong);
  const Ran human = couler({"check", "wrong.cwl"});
  EXPECT_EQ(human.code, 1);
  EXPECT_EQ(human.out, "");
  expectGolden("driver/check.txt", human.err);
  const Ran json = couler({"check", "--diagnostics=json", "wrong.cwl"});
  EXPECT_EQ(json.code, 1);
  EXPECT_EQ(json.err, "");
  expectGolden("driver/check.json", json.out);
  const Ran sarif = couler({"check", "--diagnostics=sarif", "wrong.cwl"});
  EXPECT_EQ(sarif.code, 1);
  expectGolden("driver/check.sarif", sarif.out);
  EXPECT_EQ(nlohmann::json::parse(sarif.out)["version"], "2.1.0");
}

TEST_F(Commands, checkColoursOnRequest) {
  write("wrong.cwl", kWrong);
  EXPECT_EQ(couler({"check", "wrong.cwl"}).err.find('\x1b'), std::string::npos);
  EXPECT_NE(couler({"check", "--color=always", "wrong.cwl"}).err.find('\x1b'), std::string::npos);
}

TEST_F(Commands, checkReadsStandardInputAndSeveralFiles) {
  const Ran one = couler({"check", "-"}, kWrong);
  EXPECT_EQ(one.code, 1);
  EXPECT_NE(one.err.find("<stdin>:"), std::string::npos) << one.err;
  write("a b.cwl", kWrong);
  write("good.cwl", kProgram);
  const Ran two = couler({"check", "good.cwl", "a b.cwl"});
  EXPECT_EQ(two.code, 1);
  EXPECT_NE(two.err.find("a b.cwl:8"), std::string::npos) << two.err;
  EXPECT_EQ(two.err.find("good.cwl"), std::string::npos);
}

TEST_F(Commands, testShowsWhereTablesDiffer) {
  write("t.cwl",
        "couler 1\nschema S { id: int, text: string? }\n"
        "transform t(r: S) { n = r.id * 2\n text = r.text }\n"
        "fn s(id: int, text: string?) = S(id: id, text: text)\n"
        "test \"diff\" {\n"
        "    expect t([s(1, \"same\"), s(2, none), s(3, \"x\")]) ==\n"
        "        [t(n: 2, text: \"same\"), t(n: 5, text: \"b\")]\n"
        "    expect t(s(1, \"a\")) == t(n: 2, text: \"b\")\n}\n");
  const Ran ran = couler({"test", "t.cwl"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("note: left -> right; `+` only left, `-` only right\n"
                         "           n       text\n"
                         "        0  2       \"same\"\n"
                         "      ! 1  4 -> 5  none -> \"b\"\n"
                         "      + 2  6       \"x\"\n"
                         "      3 rows, not 2\n"),
            std::string::npos)
      << ran.err;
  EXPECT_NE(ran.err.find("      ! 0  2  \"a\" -> \"b\"\n"), std::string::npos) << ran.err;
}

TEST_F(Commands, warningsFailOnlyWhenDenied) {
  write("w.cwl",
        std::string(kProgram) + "\ntask _unused() -> (line: string = stdout) { run [\"true\"] }\n");
  const Ran plain = couler({"check", "w.cwl"});
  EXPECT_EQ(plain.code, 0);
  EXPECT_NE(plain.err.find("warning["), std::string::npos) << plain.err;
  EXPECT_EQ(couler({"check", "--deny-warnings", "w.cwl"}).code, 1);
}

TEST_F(Commands, commonWorkflowLanguageDocumentsAreNamed) {
  write("x.cwl", "cwlVersion: v1.2\nclass: CommandLineTool\n");
  const Ran ran = couler({"check", "x.cwl"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("Common Workflow Language"), std::string::npos) << ran.err;
}

TEST_F(Commands, fmtChecksDiffsAndRewrites) {
  const std::string ugly = "couler 1\nfn   double(x:int)->int=x*2\n";
  write("u.cwl", ugly);
  const Ran check = couler({"fmt", "--check", "u.cwl"});
  EXPECT_EQ(check.code, 1);
  EXPECT_NE(check.err.find("CW0914"), std::string::npos);
  const Ran diff = couler({"fmt", "--diff", "u.cwl"});
  EXPECT_EQ(diff.code, 0);
  EXPECT_NE(diff.out.find("\n-fn   double(x:int)->int=x*2\n"), std::string::npos) << diff.out;
  EXPECT_NE(diff.out.find("\n+fn double(x: int) -> int = x * 2\n"), std::string::npos) << diff.out;
  EXPECT_EQ(read("u.cwl"), ugly) << "--check and --diff write nothing";
  if (sh("command -v patch").code == 0) {
    write("d.patch", diff.out);
    EXPECT_EQ(sh("cp u.cwl p.cwl && patch -s p.cwl d.patch").code, 0);
  }
  EXPECT_EQ(couler({"fmt", "u.cwl"}).code, 0);
  EXPECT_NE(read("u.cwl"), ugly);
  if (exists("p.cwl")) {
    EXPECT_EQ(read("p.cwl"), read("u.cwl"));
  }
  EXPECT_EQ(couler({"fmt", "--check", "u.cwl"}).code, 0);
  EXPECT_EQ(couler({"fmt", "--diff", "u.cwl"}).out, "");
  EXPECT_EQ(couler({"fmt", "-"}, ugly).out, read("u.cwl"));
}

TEST_F(Commands, fmtLeavesBrokenFilesAndPermissionsAlone) {
  write("b.cwl", "couler 1\nfn double(x: int -> int = x\n");
  const std::string before = read("b.cwl");
  EXPECT_EQ(couler({"fmt", "b.cwl"}).code, 1);
  EXPECT_EQ(read("b.cwl"), before);
  write("m.cwl", "couler 1\nfn  f(x: int) -> int = x\n");
  ASSERT_EQ(sh("chmod 640 m.cwl && ln -s m.cwl link.cwl").code, 0);
  EXPECT_EQ(couler({"fmt", "link.cwl"}).code, 0);
  EXPECT_TRUE(fs::is_symlink(folder() / "link.cwl"));
  EXPECT_EQ(sh("stat -c %a m.cwl").out, "640\n");
  EXPECT_EQ(couler({"fmt", "--check", "m.cwl"}).code, 0);
}

TEST_F(Commands, aFileAppearsWholeOrNotAtAll) {
  write("u.cwl", "couler 1\nfn   double(x:int)->int=x*2\n");
  write("good.cwl", kProgram);
  const std::string before = read("u.cwl");
  // A file size limit of zero blocks stands in for a full disk.
  const Ran full = sh("(ulimit -f 0; exec \"$COULER\" fmt u.cwl) 2>&1 | cat");
  EXPECT_NE(full.out.find("CW0906"), std::string::npos) << full.out << full.err;
  EXPECT_EQ(read("u.cwl"), before);
  EXPECT_EQ(sh("ls -A | grep -c '^\\.u'").out, "0\n") << "no temporary file stays";
  write("out.yaml", "old\n");
  EXPECT_EQ(couler({"build", "good.cwl", "-o", "/dev/full"}).code, 1);
  EXPECT_EQ(couler({"build", "good.cwl", "-o", "nowhere/out.yaml"}).code, 1);
  EXPECT_EQ(couler({"build", "good.cwl", "-o", "."}).code, 1);
  EXPECT_EQ(read("out.yaml"), "old\n");
  write("wrong.cwl", kWrong);
  EXPECT_EQ(couler({"build", "wrong.cwl", "-o", "out.yaml"}).code, 1);
  EXPECT_EQ(read("out.yaml"), "old\n");
}

TEST_F(Commands, buildWritesTheManifestAndTheDependencies) {
  write("lib dir/lib.cwl",
        "couler 1\ntask say(t: string) -> (o: string = stdout) {\n    image \"busybox\"\n    run "
        "[\"echo\", t]\n}\n");
  write("m.cwl",
        "couler 1\nimport \"./lib dir/lib.cwl\" { say }\nworkflow w(t: string = \"a\") -> (o: "
        "string) {\n"
        "    let s = say(t)\n    return (o: s.o)\n}\n");
  const Ran ran =
      couler({"build", "m.cwl", "--target", "argo", "-o", "m.yaml", "--depfile", "m.d"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "");
  const std::string manifest = read("m.yaml");
  EXPECT_NE(manifest.find("kind: Workflow"), std::string::npos);
  EXPECT_EQ(read("m.d").rfind("m.yaml:", 0), 0U);
  EXPECT_NE(read("m.d").find("lib\\ dir/lib.cwl"), std::string::npos) << read("m.d");
  EXPECT_NE(read("m.d").find("m.cwl"), std::string::npos);
  EXPECT_EQ(couler({"build", "m.cwl", "--target", "argo"}).out, manifest);
  const Ran dotted = couler({"build", "m.cwl", "--target=argo", "t=x=y"});
  EXPECT_EQ(dotted.code, 0) << dotted.err;
  EXPECT_NE(dotted.out.find("x=y"), std::string::npos);
}

TEST_F(Commands, buildPrintsStages) {
  write("good.cwl", kProgram);
  const Ran syntax = couler({"build", "good.cwl", "--print", "syntax"});
  EXPECT_EQ(syntax.code, 0) << syntax.err;
  expectGolden("driver/print_syntax.txt", syntax.out);
  const Ran types = couler({"build", "good.cwl", "--print", "types"});
  expectGolden("driver/print_types.txt", types.out);
  const Ran ir = couler({"build", "good.cwl", "--print", "ir"});
  EXPECT_NE(ir.out.find("step"), std::string::npos);
  const Ran plan = couler(
      {"build", "good.cwl", "--print", "plan", "--verify", "--time-passes", "--print-after=fold"});
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_NE(plan.err.find("fold"), std::string::npos);
  EXPECT_NE(plan.err.find(" ms"), std::string::npos);
}

TEST_F(Commands, testBlocks) {
  write("t.cwl", R"(couler 1
fn double(x: int) -> int = x * 2
test "doubling" {
    expect double(2) == 4
}
test "wrong on purpose" {
    let four = double(2)
    expect four == 5
    expect four == 4
}
)");
  const Ran ran = couler({"test", "t.cwl"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "pass doubling\nFAIL wrong on purpose\n1 passed, 1 failed\n");
  EXPECT_NE(ran.err.find("CW0915"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("t.cwl:8"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("left side is 4"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("right side is 5"), std::string::npos) << ran.err;
  write("ok.cwl", "couler 1\ntest \"t\" {\n    expect 1 + 1 == 2\n}\n");
  EXPECT_EQ(couler({"test", "ok.cwl"}).code, 0);
}

TEST_F(Commands, newMakesAProjectThatIsGoodAndLaidOut) {
  ASSERT_EQ(couler({"new", "my proj"}).code, 0);
  const Ran check = couler({"check", "--deny-warnings", "my proj/my_proj.cwl"});
  EXPECT_EQ(check.code, 0) << check.err;
  const Ran layout = couler({"fmt", "--check", "--diff", "my proj/my_proj.cwl"});
  EXPECT_EQ(layout.code, 0) << layout.out;
  const Ran again = couler({"new", "my proj"});
  EXPECT_EQ(again.code, 1);
  EXPECT_NE(again.err.find("CW0919"), std::string::npos);
}

TEST_F(Commands, newRuns) {
  if (sh("command -v python3").code != 0) GTEST_SKIP() << "no python3 here";
  ASSERT_EQ(couler({"new", "demo"}).code, 0);
  const Ran run = sh("cd demo && \"$COULER\" run demo.cwl");
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_NE(run.out.find("words = 18\n"), std::string::npos) << run.out;
}

class Split : public CommandLine {};

// What is over the limits comes out in parts, each within them, unless one manifest is asked for.
TEST_F(Split, partsAreMadeWhereNeeded) {
  write("big.cwl", R"cwl(couler 1

task one(n: int) -> (m: int) {
    image "busybox:1.36"
    run sh "m=$n"
}

workflow big() -> (all: list<int>) {
    let first = for i in 0..6000 {
        one(i)
    }
    let second = for i in 0..6000 {
        one(first[i].m)
    }
    return (all: second.m)
}

target prod = argo { image: "busybox:1.36" }
)cwl");
  for (const char* off : {"--no-split", "--disable-pass=split"}) {
    const Ran whole = couler({"build", "big.cwl", off, "-o", "whole.yaml"});
    EXPECT_EQ(whole.code, 0) << whole.err;
    EXPECT_NE(whole.err.find("CW0609"), std::string::npos) << whole.err;
    EXPECT_EQ(read("whole.yaml").find("WorkflowTemplate"), std::string::npos);
  }
  const Ran plan = couler({"plan", "big.cwl", "--target", "prod"});
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_NE(plan.out.find("parts that the last runs"), std::string::npos) << plan.out;
  const Ran parts = couler({"build", "big.cwl", "--remarks", "-o", "parts.yaml"});
  EXPECT_EQ(parts.code, 0) << parts.err;
  EXPECT_NE(parts.err.find("CW0540"), std::string::npos) << parts.err;
  EXPECT_EQ(parts.err.find("CW0609"), std::string::npos) << parts.err;
  std::size_t documents = 0;
  std::size_t greatest = 0;
  const std::string text = read("parts.yaml");
  for (std::size_t at = 0; at < text.size(); ++documents) {
    const std::size_t end = std::min(text.find("\n---\n", at), text.size());
    greatest = std::max(greatest, end - at);
    at = end + 5;
  }
  EXPECT_GE(documents, 3U);
  EXPECT_LE(greatest, std::size_t{1} << 20);
}

}  // namespace
}  // namespace couler::testing

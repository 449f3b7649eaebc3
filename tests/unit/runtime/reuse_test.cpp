#include <thread>

#include <sys/stat.h>

#include "tests/unit/runtime/fixture.h"

namespace couler::runtime::testing {
namespace {

/// One task with something of everything a key is made of.
std::string keyProgram(const std::string& script, const std::string& head, const std::string& env) {
  return "task make(data: file, n: int) -> (out: file = \"out.txt\") {\n" + head +
         "  env { WORD: " + env + " }\n  run sh \"\"\"\n" + script +
         "\n    \"\"\"\n}\nworkflow main(data: file, n: int) -> (out: file) {\n"
         "  let m = make(data: data, n: n)\n  return (out: m.out)\n}\n";
}

class KeyTest : public EngineTest {
 protected:
  void SetUp() override {
    write(folder / "data.txt", "data\n");
    setInputs(folder / "data.txt", 1);
    good(keyProgram(script, "", "\"w\""));
    good(keyProgram(script, "", "\"w\""));
    ASSERT_EQ(result.reused, 1U);
  }
  void setInputs(const std::string& path, std::int64_t n) {
    options.inputs = {{"data", ir::FileRef{path, "", false}}, {"n", n}};
  }
  /// What `why` says of the last run's step.
  std::string why() {
    DiagnosticList ignored;
    const auto history = History::open(folder / "store", ignored);
    const auto record = history ? history->why(result.runId, "m") : std::nullopt;
    return record ? record->reason : "(nothing)";
  }
  std::string script = "    cat \"$data\" > \"$out\"; echo $n $WORD >> \"$out\"";
};

TEST_F(KeyTest, SaysWhyItWasReused) {
  EXPECT_NE(why().find("nothing changed"), std::string::npos) << why();
}

TEST_F(KeyTest, TheScriptIsPartOfIt) {
  good(keyProgram(script + "; true", "", "\"w\""));
  EXPECT_EQ(result.succeeded, 1U);
  EXPECT_EQ(why(), "the task's script changed");
}

TEST_F(KeyTest, ContentIsPartOfItAndTheFolderIsNot) {
  write(folder / "elsewhere/data.txt", "data\n");
  setInputs(folder / "elsewhere/data.txt", 1);
  good(keyProgram(script, "", "\"w\""));
  EXPECT_EQ(result.reused, 1U);
  write(folder / "elsewhere/data.txt", "other\n");
  good(keyProgram(script, "", "\"w\""));
  EXPECT_EQ(result.succeeded, 1U);
  EXPECT_EQ(content("out"), "other\n1 w\n");
  EXPECT_NE(why().find("input `data`: content changed (was file"), std::string::npos) << why();
}

TEST_F(KeyTest, TheBaseNameIsPartOfIt) {
  write(folder / "data.csv", "data\n");
  setInputs(folder / "data.csv", 1);
  good(keyProgram(script, "", "\"w\""));
  EXPECT_EQ(result.succeeded, 1U);
}

TEST_F(KeyTest, ValuesArePartOfIt) {
  setInputs(folder / "data.txt", 2);
  good(keyProgram(script, "", "\"w\""));
  EXPECT_EQ(result.succeeded, 1U);
  EXPECT_EQ(why(), "input `n` changed (was int 1, is int 2)");
}

TEST_F(KeyTest, VariablesArePartOfIt) {
  good(keyProgram(script, "", "\"v\""));
  EXPECT_EQ(result.succeeded, 1U);
  EXPECT_EQ(why(), "env `WORD` changed (was w, is v)");
}

TEST_F(KeyTest, TheImageIsPartOfIt) {
  good(keyProgram(script, "  image \"debian:12\"\n", "\"w\""));
  EXPECT_EQ(result.succeeded, 1U);
  EXPECT_EQ(why(), "image changed (was none, is debian:12)");
  EXPECT_EQ(count(Event::Kind::Note), 1U);  // images are not used on this machine
}

TEST_F(KeyTest, ResourcesTimeoutsAndRetriesAreNot) {
  good(keyProgram(script, "  resources { memory: 1 MiB }\n  timeout 1 min\n  retry 2\n", "\"w\""));
  EXPECT_EQ(result.reused, 1U);
}

TEST_F(KeyTest, CacheFalseAndVolatileRunAgain) {
  good(keyProgram(script, "  cache false\n", "\"w\""));
  EXPECT_EQ(result.succeeded, 1U);
  EXPECT_EQ(why().substr(0, 20), "its key is as before");
  good("volatile " + keyProgram(script, "", "\"w\""));
  EXPECT_EQ(result.succeeded, 1U);
}

TEST_F(KeyTest, ChangedAndMissingObjectsAreNoticed) {
  const std::string path = output("out").as<ir::FileRef>()->path;
  struct stat info{};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0444U);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  write(path, "date\n1 w\n");  // as long as before
  good(keyProgram(script, "", "\"w\""));
  EXPECT_EQ(result.succeeded, 1U);
  EXPECT_EQ(content("out"), "data\n1 w\n");
  EXPECT_NE(messages().find("was changed"), std::string::npos) << messages();
  std::filesystem::remove(path);
  good(keyProgram(script, "", "\"w\""));
  EXPECT_EQ(result.succeeded, 1U);
  EXPECT_NE(messages().find("is gone"), std::string::npos) << messages();
  good(keyProgram(script, "", "\"w\""));
  EXPECT_EQ(result.reused, 1U);
}

TEST_F(EngineTest, FoldersAreOutputsAndInputs) {
  const std::string program = R"cwl(
task tree() -> (d: dir = "tree") {
  run sh """
    mkdir -p "$d/sub/empty"
    echo one > "$d/sub/one"
    printf '#!/bin/sh\necho ran\n' > "$d/tool"
    chmod +x "$d/tool"
    ln -s sub/one "$d/link"
    """
}
task use(d: dir) -> (text: string = stdout) {
  run sh """
    "$d/tool"; cat "$d/link"; basename "$d"; test -d "$d/sub/empty"
    """
}
workflow main() -> (text: string, d: dir) {
  let t = tree()
  let u = use(d: t.d)
  return (text: u.text, d: t.d)
}
)cwl";
  good(program);
  EXPECT_EQ(text("text"), "ran\none\ntree");
  good(program);
  EXPECT_EQ(result.reused, 2U);
  const std::string path = output("d").as<ir::FileRef>()->path;
  std::filesystem::remove(path + "/sub/one");
  good(program);
  EXPECT_EQ(result.succeeded, 1U);  // the folder is made again; what read it gave the same
  EXPECT_EQ(read(path + "/sub/one"), "one\n");
}

TEST_F(EngineTest, ChecksWhatAStepLeaves) {
  const auto fails = [&](const std::string& task, const std::string& why) {
    run(task + "\nworkflow main() { t() }\n");
    EXPECT_FALSE(result.ok) << task;
    EXPECT_NE(messages().find(why), std::string::npos) << messages();
  };
  fails(R"(task t() -> (f: file = "a.txt") { run ["true"] })",
        "without making output `f`: nothing is at `");
  fails(R"(task t() -> (f: file = "a.txt") { run ["mkdir", "a.txt"] })", "it made a folder");
  fails(R"(task t() -> (d: dir) { run ["touch", "d"] })", "it made a file");
  fails(R"(task t() -> (n: int = stdout) { run ["echo", "seven"] })", "does not read as one");
  fails(R"(task t() -> (n: float = "n.txt") { run ["true"] })", "without making output `n`");
  fails("task t() -> (n: int) {\n run python \"\"\"\n  n = 'x'\n  \"\"\"\n}", "exit 64");
  fails(R"(task t() { run ["no-such-program-here"] })", "cannot start `no-such-program-here`");
}

TEST_F(EngineTest, TheSameFileTwiceIsStoredOnce) {
  good(R"cwl(
task a() -> (x: file = "x.txt") { run ["sh", "-c", "echo same > x.txt"] }
task b() -> (y: file = "y.txt") { run ["sh", "-c", "echo same > y.txt"] }
workflow main() -> (x: file, y: file) {
  let p = a()
  let q = b()
  return (x: p.x, y: q.y)
}
)cwl");
  struct stat x{};
  struct stat y{};
  ASSERT_EQ(stat(output("x").as<ir::FileRef>()->path.c_str(), &x), 0);
  ASSERT_EQ(stat(output("y").as<ir::FileRef>()->path.c_str(), &y), 0);
  EXPECT_EQ(x.st_ino, y.st_ino);
}

TEST_F(EngineTest, LinksToTheFilesOfOthersAreCopied) {
  const std::string mine = folder / "mine.txt";
  write(mine, "mine\n");
  options.inputs = {{"f", ir::FileRef{mine, "", false}}};
  good(R"cwl(
task soft(f: file) -> (o: file = "o.txt") { run ["ln", "-s", f, "o.txt"] }
task hard(f: file) -> (o: file = "o.txt") { run ["ln", f, "o.txt"] }
workflow main(f: file) -> (a: file, b: file) {
  let a = soft(f: f)
  let b = hard(f: f)
  return (a: a.o, b: b.o)
}
)cwl");
  EXPECT_EQ(content("a"), "mine\n");
  EXPECT_EQ(content("b"), "mine\n");
  write(mine, "changed\n");
  EXPECT_EQ(content("a"), "mine\n");
  EXPECT_EQ(content("b"), "mine\n");
}

TEST_F(EngineTest, WeirdValuesArriveAsTheyAre) {
  const std::string weird =
      "a b\t'\"$(touch x)`id`\\n;&|<>*?[]{}~#!%\n\u00e9\u4e2d\U0001F600 -n --";
  options.inputs = {{"w", weird}};
  good(R"cwl(
task by_argv(w: string) -> (o: string = stdout) { run ["printf", "%s.", w] }
task by_env(w: string) -> (o: string = stdout) {
  env { WEIRD: w }
  run sh """
    printf '%s.' "$WEIRD"
    """
}
task by_sh(w: string) -> (o: string) {
  run sh """
    o=$w
    """
}
task by_python(w: string) -> (o: string) {
  run python """
    o = w
    """
}
workflow main(w: string) -> (a: string, e: string, s: string, p: string) {
  return (a: by_argv(w: w).o, e: by_env(w: w).o, s: by_sh(w: w).o, p: by_python(w: w).o)
}
)cwl");
  EXPECT_EQ(text("a"), weird + ".");
  EXPECT_EQ(text("e"), weird + ".");
  EXPECT_EQ(text("s"), weird);
  EXPECT_EQ(text("p"), weird);
}

TEST_F(EngineTest, TwoRunsAtOnceDoEachStepOnce) {
  const std::string log = folder / "log";
  const auto program = compile(folder / "test.cwl", R"cwl(
task work(n: int, log: string) -> (m: int = stdout) { run ["sh", "-c", "echo $1 >> $2; sleep 0.02; echo $1", "-", "{n}", log] }
workflow main(log: string) -> (sum: int) {
  let all = for n in 0..20 { work(n: n, log: log) }
  return (sum: sum(all.m))
}
)cwl");
  ASSERT_TRUE(program->module.has_value());
  const auto once = [&](RunResult& into) {
    RunOptions mine;
    mine.storeDir = folder / "store";
    mine.jobs = 2;
    mine.inputs = {{"log", log}};
    DiagnosticList list;
    into = runtime::run(*program->module, mine, program->session->sources(), list);
    for (const Diagnostic& diagnostic : list.all()) ADD_FAILURE() << diagnostic.message;
  };
  RunResult a;
  RunResult b;
  std::thread other([&] { once(b); });
  once(a);
  other.join();
  EXPECT_TRUE(a.ok);
  EXPECT_TRUE(b.ok);
  EXPECT_NE(a.runId, b.runId);
  EXPECT_EQ(a.succeeded + b.succeeded, 20U);
  EXPECT_EQ(a.reused + b.reused, 20U);
  EXPECT_EQ(linesOf(log).size(), 20U);
}

TEST_F(EngineTest, GlobIsSortedAndTakesFilesOnly) {
  for (const char* name :
       {"d/b.csv", "d/a.csv", "d/.hidden.csv", "d/Z.csv", "d/e.txt", "d/sub/c.csv"}) {
    write(folder / name, name);
  }
  std::filesystem::create_directories(folder / "d/dir.csv");
  good(R"cwl(
workflow main() -> (flat: list<string>, deep: list<string>, n: int) {
  let flat = for f in glob("d/*.csv") { basename(f) }
  let deep = for f in glob("d/**/*.csv") { basename(f) }
  return (flat: flat, deep: deep, n: length(glob("x/*.csv")))
}
)cwl");
  EXPECT_EQ(ir::toJson(output("flat")), R"(["Z.csv","a.csv","b.csv"])");
  EXPECT_EQ(ir::toJson(output("deep")), R"(["Z.csv","a.csv","b.csv","c.csv"])");
  EXPECT_EQ(text("n"), "0");
}

}  // namespace
}  // namespace couler::runtime::testing

#include "tests/unit/runtime/fixture.h"

namespace couler::runtime::testing {
namespace {

TEST_F(EngineTest, RunsAChainAndReusesIt) {
  const std::string program = R"cwl(
task one() -> (x: file = "one.txt") { run ["sh", "-c", "echo one > one.txt"] }
task two(a: file) -> (y: file = "two.txt", n: int = stdout) {
  run sh """
    cat "$a" > "$y"
    echo two >> "$y"
    echo 7
    """
}
workflow main() -> (y: file, n: int) {
  let a = one()
  let b = two(a: a.x)
  return (y: b.y, n: b.n + 1)
}
)cwl";
  good(program);
  EXPECT_EQ(content("y"), "one\ntwo\n");
  EXPECT_EQ(text("n"), "8");
  EXPECT_EQ(result.succeeded, 2U);
  good(program);
  EXPECT_EQ(result.succeeded, 0U);
  EXPECT_EQ(result.reused, 2U);
  EXPECT_EQ(content("y"), "one\ntwo\n");
  EXPECT_EQ(text("n"), "8");
  options.force = true;
  good(program);
  EXPECT_EQ(result.succeeded, 2U);
}

TEST_F(EngineTest, FansOutOverARunTimeList) {
  good(R"cwl(
task split() -> (names: list<string>) {
  run python """
    names = ["a", "b", "c"]
    """
}
task shout(name: string) -> (text: string = stdout) { run ["sh", "-c", "echo $1!", "-", name] }
task all(texts: list<string>) -> (text: string = stdout) { run ["echo", ...texts] }
workflow main() -> (text: string) {
  let parts = for name in split().names { shout(name: name) }
  let joined = all(texts: parts.text)
  return (text: joined.text)
}
)cwl");
  EXPECT_EQ(text("text"), "a! b! c!");
  EXPECT_EQ(states().count("shout.1"), 1U);
  EXPECT_EQ(count(Event::Kind::StepsAdded), 1U);
}

TEST_F(EngineTest, ItemsBeyondTheWindowAllRun) {
  // More items than frames are kept for at once; none of them is a process, as all have one key.
  good(R"cwl(
task many() -> (n: list<int>) {
  run python """
    n = [0] * 10000
    """
}
task same(n: int) -> (m: int = stdout) { run ["echo", "{n + 1}"] }
workflow main() -> (sum: int) {
  let all = for n in many().n { same(n: n) }
  return (sum: sum(all.m))
}
)cwl");
  EXPECT_EQ(text("sum"), "10000");
  EXPECT_EQ(result.succeeded, 2U);
  EXPECT_EQ(result.reused, 9999U);
}

TEST_F(EngineTest, TakesOneBranch) {
  const std::string program = R"cwl(
task say(text: string) -> (said: string = stdout) { run ["echo", text] }
task length_of(text: string) -> (n: int = stdout) { run ["sh", "-c", "printf %s $1 | wc -c", "-", text] }
workflow main(word: string) -> (text: string) {
  let n = length_of(text: word)
  let told = if n.n > 3 { say(text: "long") } else { say(text: "short") }
  return (text: told.said)
}
)cwl";
  options.inputs = {{"word", std::string("abcdef")}};
  good(program);
  EXPECT_EQ(text("text"), "long");
  EXPECT_EQ(result.succeeded, 2U);
  options.inputs = {{"word", std::string("ab")}};
  good(program);
  EXPECT_EQ(text("text"), "short");
}

TEST_F(EngineTest, LoopsUntilTheConditionHolds) {
  good(R"cwl(
task twice(n: int) -> (m: int = stdout) { run ["sh", "-c", "echo $(($1 * 2))", "-", "{n}"] }
workflow main() -> (n: int, capped: int) {
  let a = loop n = 1 max 20 { twice(n: n).m } until n > 50
  let b = loop n = 1 max 3 { twice(n: n).m } until n > 50
  return (n: a, capped: b)
}
)cwl");
  EXPECT_EQ(text("n"), "64");
  EXPECT_EQ(text("capped"), "8");
  EXPECT_EQ(states().count("twice.5"), 1U);
}

TEST_F(EngineTest, TryGivesNoneWhereAStepFails) {
  good(R"cwl(
task bad() -> (n: int = stdout) { run ["sh", "-c", "exit 3"] }
task fine() -> (n: int = stdout) { run ["echo", "4"] }
workflow main() -> (a: int, b: int) {
  let x = try bad()
  let y = try fine()
  return (a: x?.n ?? -1, b: y?.n ?? -1)
}
)cwl");
  EXPECT_EQ(text("a"), "-1");
  EXPECT_EQ(text("b"), "4");
  EXPECT_EQ(result.failed, 1U);
  EXPECT_TRUE(diags.all().empty());
}

TEST_F(EngineTest, AFailureOutsideATryIsNotTakenByIt) {
  run(R"cwl(
task bad() -> (n: int = stdout) { run ["sh", "-c", "exit 3"] }
task use(n: int) -> (m: int = stdout) { run ["echo", "{n}"] }
workflow main() -> (a: int) {
  let x = bad()
  let y = try use(n: x.n)
  return (a: y?.m ?? -1)
}
)cwl");
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.failed, 1U);
  EXPECT_EQ(result.skipped, 1U);
}

TEST_F(EngineTest, AFailureSkipsWhatNeedsItAndNothingElse) {
  run(R"cwl(
task bad() -> (n: int = stdout) { run ["sh", "-c", "echo oh no >&2; exit 3"] }
task use(n: int) -> (m: int = stdout) { run ["echo", "{n}"] }
workflow main() -> (a: int, b: int) {
  let x = bad()
  let y = use(n: x.n)
  let z = use(n: 5)
  return (a: y.m, b: z.m)
}
)cwl");
  EXPECT_FALSE(result.ok);
  EXPECT_FALSE(result.outputs.has_value());
  const auto ended = states();
  EXPECT_EQ(ended.at("x"), StepState::Failed);
  EXPECT_EQ(ended.at("y"), StepState::Skipped);
  EXPECT_EQ(ended.at("z"), StepState::Succeeded);
  ASSERT_EQ(diags.all().size(), 1U);
  EXPECT_EQ(diags.all()[0].message, "step `x` failed: exit 3");
  EXPECT_NE(messages().find("oh no"), std::string::npos);
  EXPECT_TRUE(diags.all()[0].at.valid());
}

TEST_F(EngineTest, FailFastStartsNothingMore) {
  options.failFast = true;
  options.jobs = 1;
  run(R"cwl(
task bad() -> (n: int = stdout) { run ["sh", "-c", "exit 3"] }
task later(n: int) -> (m: int = stdout) { run ["echo", "{n}"] }
task tidy() { run ["sh", "-c", "exit 0"] }
workflow main() {
  let x = bad()
  for n in 0..5 { later(n: n) }
  finally { tidy() }
}
)cwl");
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(states().at("x"), StepState::Failed);
  EXPECT_EQ(result.skipped, 5U);
  EXPECT_EQ(states().at("later.2"), StepState::Cancelled);
  EXPECT_EQ(states().at("tidy"), StepState::Succeeded);
}

TEST_F(EngineTest, FinallyRunsLastAndKnowsHowItWent) {
  const std::string program = R"cwl(
volatile task note(word: string, log: string) { run ["sh", "-c", "echo $1 >> $2", "-", word, log] }
task work(code: int) { run ["sh", "-c", "exit $1", "-", "{code}"] }
workflow main(code: int, log: string) {
  work(code: code)
  note(word: "body", log: log)
  finally { note(word: status, log: log) }
}
)cwl";
  const std::string log = folder / "log";
  options.inputs = {{"code", std::int64_t{0}}, {"log", log}};
  good(program);
  EXPECT_EQ(read(log), "body\nsucceeded\n");
  options.inputs[0].second = std::int64_t{1};
  run(program);
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(read(log), "body\nsucceeded\nbody\nfailed\n");
}

TEST_F(EngineTest, CallsWorkflowsAndNamesTheirSteps) {
  const std::string program = R"cwl(
task add(a: int, b: int) -> (n: int = stdout) { run ["sh", "-c", "echo $(($1 + $2))", "-", "{a}", "{b}"] }
workflow both(a: int) -> (n: int) {
  let one = add(a: a, b: 1)
  let rest = for i in 0..2 { add(a: one.n, b: i) }
  return (n: sum(rest.n))
}
workflow main() -> (n: int) {
  let first = both(a: 1)
  let more = for i in [10, 20] { both(a: first.n + i) }
  return (n: sum(more.n))
}
)cwl";
  for (const bool optimise : {false, true}) {
    good(program, optimise);
    EXPECT_EQ(text("n"), "86");
    const auto ended = states();
    std::string names;
    for (const auto& [name, state] : ended) names += name + " ";
    SCOPED_TRACE(names);
    EXPECT_EQ(ended.count("first.one"), 1U);
    EXPECT_EQ(ended.count("first.add.1"), 1U);
    EXPECT_EQ(ended.count("both.1.add.0"), 1U);
  }
  EXPECT_EQ(result.succeeded, 0U);  // whatever the passes did, the keys are the same
}

TEST_F(EngineTest, AfterWaitsForTheEnd) {
  const std::string log = folder / "log";
  options.inputs = {{"log", log}};
  options.jobs = 4;
  good(R"cwl(
volatile task mark(word: string, log: string) -> (done: string = stdout) {
  run ["sh", "-c", "echo $1 >> $2", "-", word, log]
}
workflow main(log: string) {
  let a = mark(word: "a", log: log)
  let b = mark(word: "b", log: log) after a
  mark(word: "c", log: log) after a, b
}
)cwl");
  EXPECT_EQ(read(log), "a\nb\nc\n");
}

TEST_F(EngineTest, AnExpressionWithoutAValueIsReportedWhereItIsNeeded) {
  run(R"cwl(
task zero() -> (n: int = stdout) { run ["echo", "0"] }
task use(n: int) { run ["echo", "{n}"] }
workflow main() {
  let z = zero()
  let unused = 1 div z.n
  use(n: 10 div z.n)
}
)cwl");
  EXPECT_FALSE(result.ok);
  ASSERT_EQ(diags.all().size(), 1U);
  EXPECT_EQ(diags.all()[0].id, Diag::ExpressionFailed);
  EXPECT_EQ(states().at("use"), StepState::Skipped);
}

TEST_F(EngineTest, InputsAreBoundByName) {
  const std::string program = R"cwl(
task say(text: string) -> (said: string = stdout) { run ["echo", text] }
workflow main(word: string, n: int = 3, maybe: string?) -> (text: string) {
  let said = say(text: "{word} {n} {maybe ?? "-"}")
  return (text: said.said)
}
)cwl";
  options.inputs = {{"word", std::string("x")}};
  good(program);
  EXPECT_EQ(text("text"), "x 3 -");
  options.inputs = {{"wort", std::string("x")}};
  run(program);
  EXPECT_FALSE(result.ok);
  ASSERT_EQ(diags.all().size(), 2U);
  EXPECT_EQ(diags.all()[0].id, Diag::RunInputUnknown);
  EXPECT_EQ(diags.all()[1].id, Diag::RunInputMissing);
}

}  // namespace
}  // namespace couler::runtime::testing

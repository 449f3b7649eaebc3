#include "tests/unit/driver/command_line.h"

namespace couler::testing {
namespace {

constexpr const char* kProgram = R"cwl(couler 1

task clean(raw: file<csv>, n: int = 2) -> (o: file = "clean.csv") {
    run sh """
        head -n $n $raw > $o
        echo ran >> "$HOME/log"
        """
}

task fit(data: file, rate: float) -> (m: file = "model.txt") {
    run sh """
        cksum < $data > $m
        """
}

workflow main(raw: file<csv>, rate: float = 0.5) -> (m: file) {
    let cleaned = clean(raw)
    let model = fit(cleaned.o, rate)
    return (m: model.m)
}

target small = local { cache_budget: 1 B }
target odd   = local { cache_policy: "random" }
)cwl";

class Cache : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    write("f.cwl", kProgram);
    write("raw.csv", "a\n1\n2\n");
  }
  [[nodiscard]] Ran run(const std::string& more = {}) const {
    return sh("HOME=\"$PWD\" \"$COULER\" run f.cwl raw=raw.csv --quiet " + more);
  }
  static bool has(const Ran& ran, const std::string& text) {
    return (ran.out + ran.err).find(text) != std::string::npos;
  }
};

TEST_F(Cache, listsExplainsEvictsAndPins) {
  const Ran none = couler({"cache", "ls"});
  EXPECT_EQ(none.code, 1);
  EXPECT_TRUE(has(none, "CW0713")) << none.err;
  ASSERT_EQ(run().code, 0);
  const Ran list = couler({"cache", "ls"});
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_TRUE(has(list, "  cleaned (main)")) << list.out;
  EXPECT_TRUE(has(list, "2 results kept")) << list.out;
  const Ran why = couler({"cache", "explain", "cleaned", "--budget", "1B"});
  EXPECT_EQ(why.code, 0) << why.err;
  EXPECT_TRUE(has(why, "would be evicted to get to 1 B")) << why.out;
  EXPECT_TRUE(has(couler({"cache", "explain", "model", "--budget", "1B"}),
                  "kept: it is an output of the last successful run"));
  EXPECT_TRUE(has(couler({"cache", "pin", "cleaned"}), "pinned 1 result"));
  EXPECT_TRUE(has(couler({"cache", "gc", "--budget", "0B"}), "took away 0 results"));
  EXPECT_TRUE(has(couler({"cache", "unpin", "cleaned"}), "unpinned 1 result"));
  EXPECT_TRUE(has(couler({"cache", "gc", "--budget", "0B", "--dry-run"}), "would take away 1 result"));
  EXPECT_TRUE(has(couler({"cache", "gc", "--budget", "0B"}), "took away 1 result (4 B)"));
  EXPECT_TRUE(has(couler({"cache", "ls"}), "evicted"));
  // Nothing is read, so nothing runs; then something is.
  ASSERT_EQ(run().code, 0);
  EXPECT_EQ(read("log"), "ran\n");
  const Ran plan = couler({"plan", "f.cwl", "raw=raw.csv", "rate=3.0"});
  EXPECT_TRUE(has(plan, "what it made was evicted, and `model` reads it")) << plan.out;
  EXPECT_TRUE(has(plan, "`rate` changed from 0.5 to 3.0")) << plan.out;
  ASSERT_EQ(run("rate=3.0").code, 0);
  EXPECT_EQ(read("log"), "ran\nran\n");
}

TEST_F(Cache, refusesWhatItDoesNotKnow) {
  EXPECT_EQ(couler({"cache", "list"}).code, 2);
  EXPECT_EQ(couler({"cache", "gc", "--budget", "many"}).code, 2);
  EXPECT_EQ(couler({"cache", "gc", "--policy", "belady"}).code, 2);
  ASSERT_EQ(run().code, 0);
  const Ran unknown = couler({"cache", "pin", "modle"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_TRUE(has(unknown, "CW0922")) << unknown.err;
  EXPECT_TRUE(has(unknown, "did you mean `model`?")) << unknown.err;
}

TEST_F(Cache, takesNothingAwayFromARunUnderWay) {
  write("own.cwl", R"cwl(couler 1

task collect(program: string, store: string) -> (said: string) {
    run sh """
        "$program" cache gc --budget 0B --store "$store" 2> said || true
        said=$(cat said)
        """
}

workflow main(program: string, store: string) -> (said: string) {
    let collected = collect(program, store)
    return (said: collected.said)
}
)cwl");
  const Ran ran = sh("\"$COULER\" run own.cwl program=\"$COULER\" store=\"$PWD/.couler\" --quiet");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(has(ran, "CW0715")) << ran.out;
}

TEST_F(Cache, aTargetSetsTheBudget) {
  ASSERT_EQ(run("--target small").code, 0);
  EXPECT_TRUE(has(couler({"cache", "ls"}), "1 result kept")) << couler({"cache", "ls"}).out;
  const Ran odd = run("--target odd");
  EXPECT_EQ(odd.code, 2);
  EXPECT_TRUE(has(odd, "cache_policy")) << odd.err;
}

TEST_F(Cache, thePlanSaysWhatIsKeptAndWhatAPastRunSaved) {
  ASSERT_EQ(run().code, 0);
  ASSERT_EQ(run("rate=2.0").code, 0);
  const Ran plan =
      couler({"plan", "f.cwl", "raw=raw.csv", "--cache-budget", "1B", "--after", "last"});
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_TRUE(has(plan, "  drop: 4 B, ")) << plan.out;
  EXPECT_TRUE(has(plan, "  keep: ")) << plan.out;
  EXPECT_TRUE(has(plan, "within 1 B: a run after an edit is expected to compute")) << plan.out;
  EXPECT_FALSE(has(plan, "CW0530")) << plan.err;
  EXPECT_TRUE(has(plan, "[run 2: reused, saved ")) << plan.out;
  EXPECT_TRUE(has(plan, "run 2: 1 step ran and computed ")) << plan.out;
  const Ran remarks =
      couler({"plan", "f.cwl", "raw=raw.csv", "--cache-budget", "1B", "--remarks"});
  EXPECT_TRUE(has(remarks, "keeps the outputs of 1 step and drops those of 1 step first"))
      << remarks.err;
  const Ran off = couler({"plan", "f.cwl", "raw=raw.csv", "--cache-budget", "1B",
                          "--disable-pass", "insert-cache"});
  EXPECT_FALSE(has(off, "drop: ")) << off.out;
}

TEST_F(Cache, thePlanGivesTheReasonAndTheCost) {
  ASSERT_EQ(run().code, 0);
  write("raw.csv", "a\n3\n2\n");
  const Ran plan = couler({"plan", "f.cwl", "raw=raw.csv"});
  EXPECT_TRUE(has(plan, "(it reads `raw.csv`, whose content changed)")) << plan.out;
  EXPECT_TRUE(has(plan, "(it needs what `cleaned` makes)")) << plan.out;
  EXPECT_TRUE(has(plan, "at most 2 of 2 steps run: about ")) << plan.out;
}

TEST_F(Cache, thePlanSaysWhatThePassesSave) {
  write("p.cwl", R"cwl(couler 1

task slow(n: int) -> (x: int) {
    run sh """
        x=$n
        """
}

workflow main(n: int) -> (y: int) {
    let a = slow(n)
    let b = slow(n)
    let c = slow(7)
    return (y: a.x + b.x)
}
)cwl");
  const std::vector<std::string> plan = {"plan", "p.cwl", "n=3"};
  const Ran before = couler(plan);
  EXPECT_TRUE(
      has(before, "merge-common: `a` runs once instead of 2 times, which no run has measured\n"))
      << before.out;
  ASSERT_EQ(couler({"run", "p.cwl", "n=3", "--disable-pass", "drop-dead"}).code, 0);
  const Ran after = couler({"plan", "p.cwl", "n=3", "--after", "last"});
  EXPECT_TRUE(has(after, "merge-common: `a` runs once instead of 2 times: about ")) << after.out;
  EXPECT_TRUE(has(after, " less  [run 1: took ")) << after.out;
  EXPECT_TRUE(has(after, "drop-dead: `c` does not run: about ")) << after.out;
  const Ran off = couler(
      {"plan", "p.cwl", "n=3", "--disable-pass", "merge-common", "--disable-pass", "drop-dead"});
  EXPECT_FALSE(has(off, "merge-common")) << off.out;
  EXPECT_TRUE(has(off, "3 to reuse, 0 to run")) << off.out;
  const Ran printed =
      couler({"plan", "p.cwl", "n=3", "--cache-budget", "1GB", "--print-after", "insert-cache"});
  EXPECT_TRUE(has(printed, "// after insert-cache\ncouler-ir 1\n")) << printed.err;
  EXPECT_TRUE(has(printed, " cost ")) << printed.err;
}

}  // namespace
}  // namespace couler::testing

#include <algorithm>
#include <random>

#include <sys/wait.h>

#include "runtime/engine/preview.h"
#include "runtime/store/collect.h"
#include "runtime/store/store.h"
#include "tests/unit/runtime/fixture.h"

namespace couler::runtime::testing {
namespace {

/// raw -> clean -> model -> report; each writes a line to `log` when it runs. `clean` is large.
std::string pipeline(const std::string& word = "report", bool volatileClean = false) {
  return std::string("task raw(log: string) -> (o: file = \"raw.txt\") {\n"
                     "  run [\"sh\", \"-c\", \"echo raw >> $1; seq 200 > raw.txt\", \"-\", log]\n}\n"
                     "task clean(a: file, log: string) -> (o: file = \"clean.txt\", n: int) {\n"
                     "  run sh \"\"\"\n    echo clean >> $log\n") +
         (volatileClean ? "    head -c 8 /dev/urandom > \"$o\"\n" : "    : > \"$o\"\n") +
         "    for i in 1 2 3 4 5 6 7 8 9 10; do cat $a >> $o; done\n    n=7\n    \"\"\"\n}\n"
         "task model(a: file, log: string) -> (o: file = \"model.txt\") {\n"
         "  run [\"sh\", \"-c\", \"echo model >> $2; cksum < $1 > model.txt\", \"-\", a, log]\n}\n"
         "task report(m: file, c: file, n: int, log: string) -> (o: file = \"report.txt\") {\n"
         "  run [\"sh\", \"-c\", \"echo " +
         word +
         " >> $3; cat $1 > report.txt; tail -1 $2 >> report.txt\", \"-\", m, c, log]\n}\n"
         "workflow main(log: string) -> (o: file) {\n"
         "  let r = raw(log)\n  let c = clean(r.o, log)\n  let m = model(c.o, log)\n"
         "  let p = report(m.o, c.o, c.n, log)\n  return (o: p.o)\n}\n";
}

class CacheTest : public EngineTest {
 protected:
  void SetUp() override { options.inputs = {{"log", folder / "log"}}; }
  std::string store() const { return folder / "store"; }
  /// The lines written since the last call.
  std::string ran() {
    std::vector<std::string> lines = linesOf(folder / "log");
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const std::string& line : lines) text += (text.empty() ? "" : " ") + line;
    std::filesystem::remove(folder / "log");
    return text;
  }
  Collected gc(std::optional<std::uint64_t> budget,
               ir::CachePolicy policy = ir::CachePolicy::Density) {
    auto cache = StoreCache::open(store(), diags);
    EXPECT_TRUE(cache.has_value()) << messages();
    auto collected = cache->collect(policy, budget);
    EXPECT_TRUE(collected.has_value());
    return collected.value_or(Collected{});
  }
  KeptTable table() {
    auto cache = StoreCache::open(store(), diags);
    EXPECT_TRUE(cache.has_value()) << messages();
    return cache->read();
  }
  /// Files and folders under objects/ab/…/.
  std::vector<std::string> objects() const {
    std::vector<std::string> names;
    for (const auto& first : std::filesystem::directory_iterator(store() + "/objects")) {
      for (const auto& rest : std::filesystem::directory_iterator(first)) {
        for (const auto& object : std::filesystem::directory_iterator(rest)) {
          names.push_back(object.path().filename());
        }
      }
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  using Names = std::vector<std::string>;
};

TEST_F(CacheTest, KnowsWhatMadeAResultAndWhatItCost) {
  good(pipeline());
  good(pipeline());
  const KeptTable kept = table();
  ASSERT_EQ(kept.results.size(), 4U);
  const KeptResult& clean = kept.results[1];
  EXPECT_EQ(clean.step, "c");
  EXPECT_EQ(clean.task, "clean");
  EXPECT_EQ(clean.workflow, "main");
  EXPECT_EQ(clean.madeBy, 1);
  EXPECT_EQ(clean.usedBy, 2);
  EXPECT_EQ(clean.uses, 2U);
  EXPECT_EQ(clean.readers, 2U);
  EXPECT_EQ(clean.bytes, 6920U);
  EXPECT_GT(clean.seconds, 0);
  EXPECT_TRUE(clean.current);
  EXPECT_EQ(clean.needed, Needed::No);
  EXPECT_EQ(kept.results[3].needed, Needed::Output);
  EXPECT_EQ(kept.model.inputs(3).size(), 2U);
  EXPECT_EQ(kept.bytes(), 692U + 6920U + kept.results[2].bytes + kept.results[3].bytes);
}

TEST_F(CacheTest, EvictsAllButTheOutputsAndMakesOnlyWhatIsReadAgain) {
  good(pipeline());
  EXPECT_EQ(ran(), "clean model raw report");
  const std::string wanted = content("o");
  const Collected collected = gc(0);
  EXPECT_EQ(collected.results, 3U);
  EXPECT_EQ(objects(), Names{"report.txt"});
  // Nothing changed: nothing is read, so nothing is made.
  good(pipeline());
  EXPECT_EQ(result.reused, 4U);
  EXPECT_EQ(ran(), "");
  EXPECT_EQ(content("o"), wanted);
  // An edit of the last step reads the two before it, and what those were made from.
  good(pipeline("changed"));
  EXPECT_EQ(ran(), "changed clean model raw");
  EXPECT_EQ(result.reused, 0U);
  EXPECT_EQ(result.succeeded, 4U);
  EXPECT_EQ(content("o"), wanted);
  // What was made again is there again.
  good(pipeline("again"));
  EXPECT_EQ(ran(), "again");
  EXPECT_EQ(result.reused, 3U);
  const auto history = History::open(store(), diags);
  for (const RunRecord& run : history->runs(10)) {
    EXPECT_EQ(history->steps(run.id).size(), 4U) << run.id;
  }
}

TEST_F(CacheTest, AnOutputThatWasEvictedIsMadeAgain) {
  good(pipeline());
  const std::string wanted = content("o");
  ran();
  good(pipeline("changed"));  // its report has the same content, under the first one's path
  good("task other() -> (o: file = \"o.txt\") { run [\"touch\", \"o.txt\"] }\n"
       "workflow main(log: string) -> (o: file) { return (o: other().o) }\n");
  EXPECT_EQ(gc(0).results, 5U);
  EXPECT_EQ(objects(), Names{"o.txt"});
  ran();
  good(pipeline());
  EXPECT_EQ(ran(), "clean model raw report");
  EXPECT_EQ(content("o"), wanted);
}

TEST_F(CacheTest, OtherBytesTheSecondTimeRunAllThatDependsOnThem) {
  good(pipeline("report", true));
  const std::string before = content("o");
  gc(0);
  ran();
  // `model` is reused, on the old bytes, before `report` has `clean` made again: then it is not.
  good(pipeline("changed", true));
  const std::string lines = ran();
  EXPECT_EQ(lines, "changed clean model raw");
  EXPECT_NE(content("o"), before);
  EXPECT_EQ(count(Event::Kind::Note), 1U);
  EXPECT_EQ(result.succeeded + result.reused, 4U);
  // The second time it is not promised: nothing is reused that needs the old bytes.
  const std::string last = content("o");
  gc(0);
  good(pipeline("changed", true));
  EXPECT_NE(content("o"), last);
  EXPECT_EQ(ran(), "changed clean model raw");
}

TEST_F(CacheTest, WhatAFailedRunHadIsKeptUntilOneSucceeds) {
  std::string failing = pipeline();
  failing.replace(failing.find("cksum"), 5, "false");
  run(failing);
  EXPECT_FALSE(result.ok);
  ran();
  EXPECT_EQ(gc(0).results, 0U);
  EXPECT_EQ(table().results[0].needed, Needed::Resume);
  good(pipeline());
  EXPECT_EQ(ran(), "model report");
  EXPECT_EQ(gc(0).results, 3U);
}

TEST_F(CacheTest, PinnedResultsStay) {
  good(pipeline());
  const Digest key = table().results[1].key;
  {
    auto cache = StoreCache::open(store(), diags);
    EXPECT_TRUE(cache->pin({key}, true));
  }
  EXPECT_EQ(gc(0).results, 2U);
  EXPECT_EQ(objects(), (Names{"clean.txt", "report.txt"}));
  {
    auto cache = StoreCache::open(store(), diags);
    EXPECT_TRUE(cache->pin({key}, false));
  }
  EXPECT_EQ(gc(0).results, 1U);
}

TEST_F(CacheTest, FilesOfNoResultAreGarbage) {
  good(pipeline());
  const std::string stray = store() + "/objects/ab/" + std::string(62, '0');
  write(stray + "/left.txt", "12345");
  write(stray + "1/folder/inner.txt", "123");
  Collected collected;
  {
    auto cache = StoreCache::open(store(), diags);
    KeptTable kept = cache->read();
    collected = cache->foresee(kept, ir::CachePolicy::Density, std::nullopt);
  }
  EXPECT_EQ(collected.objects, 2U);
  EXPECT_EQ(collected.objectBytes, 8U);
  EXPECT_EQ(objects().size(), 6U);
  collected = gc(std::nullopt);
  EXPECT_EQ(collected.objects, 2U);
  EXPECT_EQ(collected.objectBytes, 8U);
  EXPECT_EQ(collected.results, 0U);
  EXPECT_EQ(objects().size(), 4U);
  ran();
  good(pipeline());
  EXPECT_EQ(ran(), "");
}

TEST_F(CacheTest, NothingIsCollectedWhileARunIsUnderWay) {
  good(pipeline());
  DiagnosticList ignored;
  const auto running = Store::open(store(), "x", "main", ignored);
  auto cache = StoreCache::open(store(), diags);
  EXPECT_FALSE(cache->collect(ir::CachePolicy::None, 0).has_value());
  running->endRun(RunStatus::Succeeded, {}, 0, nullptr);
  EXPECT_TRUE(cache->collect(ir::CachePolicy::None, 0).has_value());
  EXPECT_EQ(objects(), Names{"report.txt"});
}

TEST_F(CacheTest, AStoreOfAnOlderProgramKeepsWhatItHad) {
  good(pipeline());
  {
    Database db;
    ASSERT_TRUE(db.open(store() + "/history.db", false, false));
    ASSERT_TRUE(db.exec("DROP TABLE pins; DROP TABLE last_outputs;"
                        "ALTER TABLE results DROP COLUMN evicted;"
                        "ALTER TABLE results DROP COLUMN unstable; PRAGMA user_version=2"))
        << db.error();
  }
  ran();
  EXPECT_EQ(gc(0).results, 0U);  // its outputs are not known
  good(pipeline());
  EXPECT_EQ(ran(), "");
  EXPECT_EQ(gc(0).results, 3U);
}

TEST_F(CacheTest, PreviewSaysWhatIsMadeAgain) {
  good(pipeline());
  gc(0);
  const auto foreseen = [&](const std::string& text) {
    const auto program = compile(folder / "test.cwl", text);
    RunOptions used = options;
    used.storeDir = store();
    used.sourcePath = folder / "test.cwl";
    std::map<std::string, Foresight> steps;
    for (const ForeseenStep& step : preview(*program->module, used, diags)) {
      steps[step.step] = step.foresight;
    }
    // A glance sees the same, and leaves no trace.
    const auto trace = [&] {
      std::map<std::string, std::filesystem::file_time_type> files;
      for (const auto& one : std::filesystem::recursive_directory_iterator(store())) {
        files[one.path().string()] = one.last_write_time();
      }
      return files;
    };
    const auto before = trace();
    const auto glanced = glance(*program->module, used, 1U << 20);
    EXPECT_EQ(trace(), before);
    EXPECT_TRUE(glanced.has_value());
    for (const ForeseenStep& step : *glanced) EXPECT_EQ(steps[step.step], step.foresight) << step.step;
    EXPECT_EQ(glanced->size(), steps.size());
    return steps;
  };
  for (const auto& [step, what] : foreseen(pipeline())) EXPECT_EQ(what, Foresight::Reused) << step;
  for (const auto& [step, what] : foreseen(pipeline("x"))) EXPECT_EQ(what, Foresight::Runs) << step;
}

/// Wide: 12 outputs of 10,000 bytes, each read once, and one sum at the end.
std::string wide() {
  return "task make(n: int) -> (o: file = \"o.txt\") {\n"
         "  run [\"sh\", \"-c\", \"head -c 10000 /dev/zero | tr '\\\\0' $1 > o.txt\", \"-\", "
         "\"{n % 10}\"]\n}\n"
         "task sum(a: file, n: int, before: int) -> (s: int) {\n"
         "  run sh \"\"\"\n    s=$(( before + n + $(wc -c < \"$a\") ))\n    \"\"\"\n}\n"
         "workflow main(log: string) -> (s: int) {\n  let s0 = make(0)\n" +
         [] {
           std::string text;
           std::string before = "0";
           for (int i = 0; i < 10; ++i) {
             const std::string n = std::to_string(i);
             text += "  let m" + n + " = make(" + n + ")\n  let t" + n + " = sum(m" + n + ".o, " +
                     n + ", " + before + ")\n";
             before = "t" + n + ".s";
           }
           return text + "  return (s: " + before + ")\n}\n";
         }();
}

TEST_F(CacheTest, ARunKeepsItsBudgetAndWhatItStillReads) {
  const auto program = compile(folder / "test.cwl", wide());
  RunOptions used = options;
  used.storeDir = folder / "free";
  used.jobs = 1;
  const RunResult free = runtime::run(*program->module, used, program->session->sources(), diags);
  ASSERT_TRUE(free.ok) << messages();
  used.storeDir = store();
  used.cacheBudget = 35'000;
  std::uint64_t most = 0;
  used.onEvent = [&](const Event& event) {
    if (event.kind != Event::Kind::StepEnded || event.task != "sum") return;
    std::uint64_t bytes = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(store() + "/objects")) {
      if (file.is_regular_file()) bytes += file.file_size();
    }
    most = std::max(most, bytes);
  };
  const RunResult capped = runtime::run(*program->module, used, program->session->sources(), diags);
  ASSERT_TRUE(capped.ok) << messages();
  EXPECT_EQ(ir::toText(*capped.outputs), ir::toText(*free.outputs));
  EXPECT_GT(capped.evicted, 0U);
  EXPECT_LE(table().bytes(), 35'000U);
  // All that is there beyond the budget is what steps still to come read.
  EXPECT_LE(most, 60'000U);
  diags.clear();
  const RunResult again = runtime::run(*program->module, used, program->session->sources(), diags);
  EXPECT_EQ(again.succeeded, 0U) << messages();
  EXPECT_EQ(ir::toText(*again.outputs), ir::toText(*free.outputs));
}

TEST_F(CacheTest, KilledAtAnyMomentACollectionIsGoneOnWith) {
  // A child process collects and is killed after a number of files have gone: nothing but their
  // number says when.
  const auto program = compile(folder / "test.cwl", wide());
  RunOptions used = options;
  used.storeDir = store();
  std::mt19937 random(5);
  int kills = 0;
  std::string wanted;
  for (int moment = 0; moment < 20; ++moment) {
    diags.clear();
    const RunResult whole = runtime::run(*program->module, used, program->session->sources(), diags);
    ASSERT_TRUE(whole.ok) << messages();
    if (wanted.empty()) wanted = ir::toText(*whole.outputs);
    EXPECT_EQ(ir::toText(*whole.outputs), wanted);
    // Something to evict each time, by forcing all to be made.
    used.force = true;
    ASSERT_TRUE(runtime::run(*program->module, used, program->session->sources(), diags).ok);
    used.force = false;
    const std::size_t until = objects().size() - random() % 11;
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      DiagnosticList ignored;
      if (auto cache = StoreCache::open(store(), ignored)) {
        static_cast<void>(cache->collect(ir::CachePolicy::None, 0));
      }
      _exit(0);
    }
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
      std::size_t left = 0;
      std::error_code gone;
      for (std::filesystem::recursive_directory_iterator at(store() + "/objects", gone), end;
           !gone && at != end; at.increment(gone)) {
        left += at->is_regular_file(gone) ? 1 : 0;
      }
      if (left > until) continue;
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      break;
    }
    if (WIFSIGNALED(status)) ++kills;
    if (moment % 2 == 0) continue;  // a run goes on from there, or first another collection
    gc(0, ir::CachePolicy::None);
    EXPECT_TRUE(objects().empty());
  }
  EXPECT_GT(kills, 5);
}

}  // namespace
}  // namespace couler::runtime::testing

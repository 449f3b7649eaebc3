#include <cstdlib>
#include <random>

#include <sys/mount.h>
#include <sys/wait.h>

#include "tests/unit/runtime/fixture.h"

namespace couler::runtime::testing {
namespace {

/// 200 steps in a graph with chains, fan-out and fan-in; each writes its name to `log` just before
/// it ends, and some random-looking but fixed bytes to its output.
std::string layered() {
  std::string text =
      "task first(n: int, log: string) -> (o: file = \"o.txt\") {\n"
      "  run [\"sh\", \"-c\", \"echo $1 > o.txt; echo $1 >> $2\", \"-\", \"{n}\", log]\n}\n"
      "task next(n: int, a: file, b: file, log: string) -> (o: file = \"o.txt\") {\n"
      "  run [\"sh\", \"-c\", \"cat $3 $4 | cksum > o.txt; echo $1 >> $2\", \"-\", \"{n}\", log, "
      "a, b]\n}\n"
      "workflow main(log: string) -> (all: list<file>) {\n";
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    if (i < 10) {
      text += "  let s" + std::to_string(i) + " = first(n: " + std::to_string(i) + ", log: log)\n";
    } else {
      const int a = std::max(0, i - 1 - static_cast<int>(random() % 20));
      const int b = std::max(0, i - 1 - static_cast<int>(random() % 20));
      text += "  let s" + std::to_string(i) + " = next(n: " + std::to_string(i) + ", a: s" +
              std::to_string(a) + ".o, b: s" + std::to_string(b) + ".o, log: log)\n";
    }
  }
  text += "  return (all: [";
  for (int i = 0; i < 200; ++i) text += (i == 0 ? "s" : ", s") + std::to_string(i) + ".o";
  return text + "])\n}\n";
}

class CrashTest : public EngineTest {
 protected:
  RunResult runOnce(const Program& program, const std::string& store, const std::string& log) {
    RunOptions used;
    used.storeDir = store;
    used.jobs = 2;
    used.inputs = {{"log", log}};
    diags.clear();
    return runtime::run(*program.module, used, program.session->sources(), diags);
  }
  static std::string contents(const RunResult& of) {
    std::string text;
    if (!of.outputs) return text;
    for (const ir::Value& file : of.outputs->field("all")->items()) {
      text += read(file.as<ir::FileRef>()->path) + "|";
    }
    return text;
  }
};

TEST_F(CrashTest, KilledAtAnyMomentARunGoesOn) {
  const auto program = compile(folder / "test.cwl", layered());
  ASSERT_TRUE(program->module.has_value());
  const RunResult whole = runOnce(*program, folder / "whole", folder / "whole.log");
  ASSERT_TRUE(whole.ok) << messages();
  const std::string wanted = contents(whole);

  // 50 times: a child process runs, and is killed when its log has grown by a random number of
  // lines. Nothing but the log's growth says when, so the moments are spread over the run whatever
  // its speed.
  const std::string store = folder / "store";
  const std::string log = folder / "log";
  write(log, "");
  std::mt19937 random(11);
  int kills = 0;
  std::uint64_t keptBefore = 0;
  for (int moment = 0; moment < 50; ++moment) {
    if (moment % 10 == 0) {
      std::filesystem::remove_all(store);
      write(log, "");
      keptBefore = 0;
    }
    const std::size_t until = linesOf(log).size() + random() % 20;
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      runOnce(*program, store, log);
      _exit(0);
    }
    const std::size_t looks = random() % 40;  // not always just after a line was written
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
      if (linesOf(log).size() < until) continue;
      for (std::size_t i = 0; i < looks; ++i) static_cast<void>(linesOf(log));
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      break;
    }
    if (WIFSIGNALED(status)) ++kills;
    DiagnosticList ignored;
    const auto history = History::open(store, ignored);
    if (!history) continue;  // killed before there was any
    std::map<std::string, int> successes;
    std::uint64_t kept = 0;
    for (const RunRecord& record : history->runs(100)) {
      for (const StepRecord& step : history->steps(record.id)) {
        if (step.status != "succeeded") continue;
        ++successes[step.step];
        ++kept;
      }
    }
    for (const auto& [step, times] : successes) EXPECT_EQ(times, 1) << step;
    EXPECT_GE(kept, keptBefore);
    keptBefore = kept;
    // A step that wrote its line and was not kept was one of those running: at most two a kill.
    EXPECT_LE(linesOf(log).size(), kept + 2U * (static_cast<std::size_t>(moment % 10) + 1));
  }
  EXPECT_GT(kills, 30);
  const RunResult rest = runOnce(*program, store, log);
  ASSERT_TRUE(rest.ok) << messages();
  EXPECT_EQ(rest.reused, keptBefore);
  EXPECT_EQ(rest.succeeded + rest.reused, 200U);
  EXPECT_EQ(contents(rest), wanted);
  DiagnosticList ignored;
  const auto history = History::open(store, ignored);
  ASSERT_TRUE(history.has_value());
  EXPECT_EQ(history->runs(1)[0].status, "succeeded");
  EXPECT_EQ(history->runs(2)[1].status, "interrupted");
  // The dead runs' folders go. Children of a killed step may have written to one for a moment yet,
  // so it may take a further run.
  const auto folders = [&] {
    return std::distance(std::filesystem::directory_iterator(store + "/work"), {});
  };
  for (int again = 0; again < 50 && folders() != 0; ++again) runOnce(*program, store, log);
  EXPECT_EQ(folders(), 0);
}

TEST_F(CrashTest, AKilledSearchGoesOnAndEndsAsIfItHadNotBeen) {
  const auto program = compile(folder / "test.cwl", R"cwl(
task train(rate: float, log: string) -> (model: file = "m.txt", loss: float) {
    run sh """
        echo "$rate" > "$model"
        loss=$(awk -v x="$rate" 'BEGIN { printf "%.9f", (x - 0.3) * (x - 0.3) }')
        echo "$rate" >> "$log"
        """
}
workflow main(log: string) -> (model: file, loss: float, trials: list<(trial: int, rate: float, loss: float?)>) {
    let best = tune train(log: log, rate: in 0.0 .. 1.0)
        minimize loss using tpe(trials: 24, startup: 6, parallel: 2)
    return (model: best.model, loss: best.loss, trials: best.trials)
}
)cwl");
  ASSERT_TRUE(program->module.has_value());
  const std::string log = folder / "log";
  const auto told = [](const RunResult& of) {
    return of.outputs ? ir::toJson(*of.outputs->field("trials")) + ir::toJson(*of.outputs->field("loss")) +
                            read(of.outputs->field("model")->as<ir::FileRef>()->path)
                      : std::string();
  };
  const RunResult whole = runOnce(*program, folder / "whole", log);
  ASSERT_TRUE(whole.ok) << messages();

  const std::string store = folder / "store";
  int kills = 0;
  for (std::size_t part = 1; part <= 4; ++part) {
    const std::size_t until = linesOf(log).size() + 2 + part;
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      runOnce(*program, store, log);
      _exit(0);
    }
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
      if (linesOf(log).size() < until) continue;
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      break;
    }
    if (WIFSIGNALED(status)) ++kills;
  }
  EXPECT_GE(kills, 3);
  DiagnosticList ignored;
  std::uint64_t kept = 0;
  {
    const auto history = History::open(store, ignored);
    ASSERT_TRUE(history.has_value());
    std::map<std::string, int> successes;
    for (const RunRecord& record : history->runs(100)) {
      for (const StepRecord& step : history->steps(record.id)) {
        if (step.status == "succeeded") ++successes[step.step];
      }
    }
    for (const auto& [step, times] : successes) EXPECT_EQ(times, 1) << step;
    kept = successes.size();
  }
  EXPECT_GE(kept, 3U);
  const RunResult rest = runOnce(*program, store, log);
  ASSERT_TRUE(rest.ok) << messages();
  EXPECT_EQ(rest.reused, kept);
  EXPECT_EQ(rest.succeeded, 24U - kept);
  EXPECT_EQ(told(rest), told(whole));
}

TEST_F(CrashTest, AFullDiskEndsTheRunCleanly) {
  if (geteuid() != 0) GTEST_SKIP() << "mounting a small disk needs root";
  const std::string disk = folder / "disk";
  std::filesystem::create_directories(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "cannot mount a tmpfs here";
  const std::string program = R"cwl(
task fill(n: int) -> (o: file = "o.bin") {
  run ["sh", "-c", "head -c 200000 /dev/zero | tr '\\0' $1 > o.bin", "-", "{n}"]
}
workflow main() -> (o: list<file>) { return (o: (for n in 0..9 { fill(n: n) }).o) }
)cwl";
  const auto compiled = compile(folder / "test.cwl", program);
  options.jobs = 1;
  RunOptions used = options;
  used.storeDir = disk + "/store";
  std::uint64_t kept = 0;
  for (int filled = 0; filled < 3; ++filled) {
    diags.clear();
    const RunResult full =
        runtime::run(*compiled->module, used, compiled->session->sources(), diags);
    if (filled == 0 && full.ok) {
      ADD_FAILURE() << "the disk did not fill up";
      break;
    }
    EXPECT_FALSE(full.ok);
    EXPECT_TRUE(diags.hasErrors());
    kept = std::max(kept, full.reused + full.succeeded);
  }
  // Nothing half published: every object is whole, and with room again the run goes on.
  EXPECT_EQ(mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
  diags.clear();
  const RunResult rest = runtime::run(*compiled->module, used, compiled->session->sources(), diags);
  EXPECT_TRUE(rest.ok) << messages();
  EXPECT_EQ(rest.succeeded + rest.reused, 9U);
  if (rest.outputs) {
    std::size_t n = 0;
    for (const ir::Value& file : rest.outputs->field("o")->items()) {
      EXPECT_EQ(read(file.as<ir::FileRef>()->path),
                std::string(200000, static_cast<char>('0' + n++)));
    }
  }
  umount2(disk.c_str(), MNT_DETACH);
}

TEST_F(CrashTest, AStoreThatCannotBeUsedIsAnError) {
  write(folder / "file", "");
  options.storeDir = folder / "file";
  const auto program =
      compile(folder / "test.cwl", "task t() { run [\"true\"] }\nworkflow main() { t() }\n");
  RunOptions used = options;
  EXPECT_FALSE(runtime::run(*program->module, used, program->session->sources(), diags).ok);
  ASSERT_EQ(diags.all().size(), 1U);
  EXPECT_EQ(diags.all()[0].id, Diag::StoreUnusable);
  diags.clear();
  EXPECT_FALSE(History::open(folder / "none", diags).has_value());
  ASSERT_EQ(diags.all().size(), 1U);
  EXPECT_EQ(diags.all()[0].id, Diag::NoHistory);
  // Not a database.
  diags.clear();
  write(folder / "odd/history.db", std::string(8192, 'x'));
  used.storeDir = folder / "odd";
  EXPECT_FALSE(runtime::run(*program->module, used, program->session->sources(), diags).ok);
  ASSERT_EQ(diags.all().size(), 1U);
  EXPECT_EQ(diags.all()[0].id, Diag::StoreUnusable);
}

}  // namespace
}  // namespace couler::runtime::testing

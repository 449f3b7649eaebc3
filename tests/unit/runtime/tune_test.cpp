#include "tests/unit/runtime/fixture.h"

namespace couler::runtime::testing {
namespace {

/// A training whose score and checkpoint are known; rates above 0.5 fail.
constexpr const char* kTrain = R"(
task train(rate: float, epochs: int, start: file? = none) -> (model: file = "m.txt", score: float) {
    run sh """
        case "$rate" in 0.[6-9]*) exit 3 ;; esac
        echo "$epochs" > "$model"
        if [ -n "$start" ]; then cat "$start" >> "$model"; fi
        score=$(echo "$rate $epochs" | awk '{ printf "%.6f", $1 * $2 }')
        """
}
)";

class TuneTest : public EngineTest {
 protected:
  RunResult tune(const std::string& rest, bool optimise = true) {
    return good(std::string(kTrain) + "workflow main() -> (model: file, score: float, rows: " +
                    "list<(trial: int, rate: float" + columns +
                    ", score: float?)>) {\n  let best = tune train(" + rest +
                    "\n  return (model: best.model, score: best.score, rows: best.trials)\n}\n",
                optimise);
  }
  std::string columns;
};

TEST_F(TuneTest, TheBestTrialIsGivenAndFailedOnesHaveNoScore) {
  tune("epochs: 2, rate: in [0.1, 0.7, 0.4, 0.2]) maximize score");
  EXPECT_EQ(text("score"), "0.8");
  EXPECT_EQ(content("model"), "2\n");
  EXPECT_EQ(text("rows"),
            R"([{"trial":0,"rate":0.1,"score":0.2},{"trial":1,"rate":0.7,"score":null},)"
            R"({"trial":2,"rate":0.4,"score":0.8},{"trial":3,"rate":0.2,"score":0.4}])");
  EXPECT_EQ(result.failed, 1U);
}

TEST_F(TuneTest, MoreTrialsRunOnlyTheNewOnes) {
  for (const bool optimise : {true, false}) {
    std::filesystem::remove_all(folder / "store");
    tune("epochs: 2, rate: in 0.0 .. 0.5) maximize score using sobol(trials: 4)", optimise);
    EXPECT_EQ(result.succeeded, 4U);
    tune("epochs: 2, rate: in 0.0 .. 0.5) maximize score using sobol(trials: 7)", optimise);
    EXPECT_EQ(result.reused, 4U);
    EXPECT_EQ(result.succeeded, 3U);
  }
}

TEST_F(TuneTest, RungsGoOnFromTheCheckpointsOfTheBest) {
  columns = ", epochs: int";
  const std::string search =
      "rate: in [0.1, 0.2, 0.3, 0.4]) maximize score using asha(trials: 16, resource: epochs, "
      "max: 4, reduction: 2, resume: start, checkpoint: model)";
  for (const bool optimise : {true, false}) {
    std::filesystem::remove_all(folder / "store");
    tune(search, optimise);
    EXPECT_EQ(content("model"), "4\n2\n1\n");
    EXPECT_EQ(text("score"), "1.6");
    std::map<std::int64_t, int> reached;
    for (const ir::Value& row : output("rows").items()) {
      ++reached[*row.field("epochs")->as<std::int64_t>()];
    }
    EXPECT_EQ(reached, (std::map<std::int64_t, int>{{1, 8}, {2, 4}, {4, 4}}));
  }
}

TEST_F(TuneTest, BracketsStartSomeTrialsLater) {
  columns = ", epochs: int";
  const std::string search =
      "rate: in 0.0 .. 0.5) maximize score using asha(trials: 25, resource: epochs, "
      "max: 9, resume: start, checkpoint: model, brackets: ";
  for (const bool optimise : {true, false}) {
    std::filesystem::remove_all(folder / "store");
    // Of 25 trials 14 start with 1 epoch, 7 with 3, 4 with 9; of 14 go on 5 and then 2, of 7 go
    // on 3.
    tune(search + "3)", optimise);
    std::map<std::int64_t, int> reached;
    double least = 1;
    double best = 0;
    for (const ir::Value& row : output("rows").items()) {
      const std::int64_t epochs = *row.field("epochs")->as<std::int64_t>();
      const double score = *row.field("score")->as<double>();
      ++reached[epochs];
      if (epochs == 9) {
        least = std::min(least, score);
        best = std::max(best, score);
      }
    }
    EXPECT_EQ(reached, (std::map<std::int64_t, int>{{1, 9}, {3, 7}, {9, 9}}));
    EXPECT_EQ(result.succeeded, 14U + 12U + 9U);
    EXPECT_LT(least, best);
    EXPECT_EQ(*output("score").as<double>(), best);
  }
}

TEST_F(TuneTest, TrialsRunAsManyAtATimeAsThereAreJobs) {
  for (const std::string method : {"sobol(trials: 12)", "tpe(trials: 12, startup: 4, parallel: 6)"}) {
    std::string alone;
    for (const std::size_t jobs : {1U, 4U}) {
      std::filesystem::remove_all(folder / "store");
      options.jobs = static_cast<unsigned>(jobs);
      tune("epochs: 1, rate: in 0.0 .. 0.5) maximize score using " + method);
      std::size_t running = 0;
      std::size_t most = 0;
      for (const Event& event : events) {
        if (event.kind == Event::Kind::StepStarted) most = std::max(most, ++running);
        if (event.kind == Event::Kind::StepEnded) --running;
      }
      EXPECT_EQ(most, jobs) << method;
      EXPECT_EQ(result.succeeded, 12U);
      if (jobs == 1) alone = text("rows");
      EXPECT_EQ(text("rows"), alone) << "no matter which trial ends first";
    }
  }
}

TEST_F(TuneTest, LearningGivesTheSameEveryTime) {
  const std::string search =
      "epochs: 1, rate: in 0.0 .. 1.0) maximize score using tpe(trials: 9, startup: 4, parallel: 2)";
  tune(search);
  const std::string first = text("rows");
  const std::uint64_t worked = result.succeeded;
  EXPECT_EQ(worked + result.failed, 9U);
  tune(search);
  EXPECT_EQ(text("rows"), first);
  EXPECT_EQ(result.reused, worked);
}

}  // namespace
}  // namespace couler::runtime::testing

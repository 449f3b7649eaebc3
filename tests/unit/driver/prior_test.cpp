// `prior from card(…)`: points that a model proposes, as a fake one does on 127.0.0.1.
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "command_line.h"
#include "fake_model.h"

namespace couler::testing {
namespace {

constexpr const char* kProgram = R"cwl(couler 1

/// Grows trees on the table.
task train(
    rate: float,
    key: secret,
    /// Of a tree.
    depth: int = 3,
    kind: string = "tree",
) -> (
    /// On rows that it did not see.
    score: float,
) {
    env { TRAIN_KEY: key }
    run sh """
        score=$(echo "$rate $depth" | awk '{ print $1 * $2 }')
        """
}

workflow search(key: secret, trials: int = 6) -> (score: float, tried: list<(trial: int, rate: float, kind: string, depth: int, score: float?)>) {
    let best = tune train(key: key, rate: in log(0.01 .. 1.0), kind: in ["tree", "line"], depth: in 2..9 if kind == "tree")
        maximize score
        using METHOD
        prior from card(data: "1,000 rows; \"yes\" or no", model: "boosted trees", points: 3)
    return (score: best.score, tried: best.trials)
}

target cluster = argo { namespace: "ml", image: "alpine:3", secrets: "train" }
)cwl";

constexpr const char* kGood =
    R"({"points": [{"rate": 0.9, "kind": "tree", "depth": 8}, {"rate": 0.5, "kind": "line", "depth": 2}]})";
constexpr const char* kKey = "sk-very-secret-0123456789";

class PriorTest : public CommandLine {
 protected:
  void program(const std::string& method) {
    std::string text = kProgram;
    text.replace(text.find("METHOD"), 6, method);
    write("s.cwl", text);
  }
  /// `couler` with a model that is configured.
  Ran with(const std::string& words, const std::string& more = {}) {
    ran = sh("export TRAIN_KEY=train-secret COULER_MODEL=fake-1 COULER_MODEL_KEY=" + std::string(kKey) +
             " COULER_MODEL_URL=" + model.url() + " COULER_MODEL_TIMEOUT=2 http_proxy=http://127.0.0.1:1 " + more +
             "; \"$COULER\" " + words + " </dev/null");
    EXPECT_EQ(ran.out.find(kKey), std::string::npos) << ran.out;
    EXPECT_EQ(ran.err.find(kKey), std::string::npos) << ran.err;
    return ran;
  }
  Ran without(const std::string& words) {
    ran = sh("unset COULER_MODEL_URL; export TRAIN_KEY=train-secret; \"$COULER\" " + words + " </dev/null");
    return ran;
  }
  /// The points of the trials of the last run with `--outputs-json out.json`.
  [[nodiscard]] std::vector<std::string> tried() const {
    std::vector<std::string> points;
    const auto out = nlohmann::json::parse(read("out.json"));
    for (const auto& row : out["tried"]) {
      points.push_back(row["rate"].dump() + " " + row["kind"].get<std::string>() + " " + row["depth"].dump());
    }
    return points;
  }
  FakeModel model;
  Ran ran;
};

TEST_F(PriorTest, ThePointsComeFirstInEachSearch) {
  for (const std::string method : {"random(trials: trials)", "sobol(trials: trials)", "tpe(trials: trials, startup: 4)"}) {
    fs::remove_all(folder() / ".couler");
    program(method);
    model.say(kGood);
    const std::size_t before = model.asked().size();
    ASSERT_EQ(with("run s.cwl key=env:TRAIN_KEY --outputs-json out.json").code, 0) << ran.err;
    EXPECT_NE(ran.err.find("train: first 2 points that `fake-1` proposed\n"), std::string::npos) << ran.err;
    EXPECT_EQ(model.asked().size(), before + 1) << method;
    const auto first = tried();
    ASSERT_EQ(first.size(), 6U) << "within `trials`";
    EXPECT_EQ(first[0], "0.9 tree 8") << method;
    EXPECT_EQ(first[1], "0.5 line 3") << "the default where the condition does not hold";

    ASSERT_EQ(without("run s.cwl key=env:TRAIN_KEY --outputs-json out.json --store other").code, 0) << ran.err;
    const auto plain = tried();
    if (!method.starts_with("tpe")) {
      EXPECT_TRUE(std::equal(first.begin() + 2, first.end(), plain.begin()))
          << method << ": then those of the search alone";
    }

    ASSERT_EQ(with("run s.cwl key=env:TRAIN_KEY trials=1 --outputs-json out.json").code, 0) << ran.err;
    EXPECT_EQ(tried(), std::vector<std::string>{"0.9 tree 8"}) << "never more than `trials`";
  }
}

TEST_F(PriorTest, TheRungsOfAshaBeginWithThem) {
  write("s.cwl", R"cwl(couler 1
task train(rate: float, epochs: int) -> (score: float) {
    run sh """
        score=$(echo "$rate $epochs" | awk '{ print $1 * $2 }')
        """
}
workflow search() -> (rate: float, tried: list<(trial: int, rate: float, epochs: int, score: float?)>) {
    let best = tune train(rate: in 0.0 .. 1.0) maximize score using asha(trials: 9, resource: epochs, max: 9)
        prior from card(data: "d", model: "m")
    return (rate: best.params.rate, tried: best.trials)
}
)cwl");
  model.say(R"({"points": [{"rate": 0.9999}, {"rate": 0.0}]})");
  ASSERT_EQ(with("run s.cwl --quiet").code, 0) << ran.err;
  EXPECT_NE(ran.out.find("rate = 0.9999\n"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("\n*      0    0.9999       9    8.9991\n"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("\n       1         0       1         0\n"), std::string::npos) << ran.out;
}

TEST_F(PriorTest, AnAnswerIsKeptAndNothingIsAskedAgain) {
  program("sobol(trials: trials)");
  model.say(kGood);
  ASSERT_EQ(with("plan s.cwl key=env:TRAIN_KEY").code, 0) << ran.err;
  EXPECT_NE(ran.out.find("train: first 2 points that `fake-1` proposed\n"), std::string::npos) << ran.out;
  model.say("another answer");
  ASSERT_EQ(with("run s.cwl key=env:TRAIN_KEY").code, 0) << ran.err;
  EXPECT_EQ(model.asked().size(), 1U);
  EXPECT_NE(ran.err.find("proposed, as kept in the store\n"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("6 steps run"), std::string::npos) << ran.err;
  // Also where no model is configured any more, as on another machine.
  ASSERT_EQ(without("run s.cwl key=env:TRAIN_KEY").code, 0) << ran.err;
  EXPECT_NE(ran.err.find("0 steps run, 6 reused"), std::string::npos) << ran.err;
  // Another question is one more.
  program("sobol(trials: trials)");
  std::string text = read("s.cwl");
  text.replace(text.find("1,000 rows"), 10, "9,000 rows");
  write("s.cwl", text);
  model.say(kGood);
  ASSERT_EQ(with("run s.cwl key=env:TRAIN_KEY").code, 0) << ran.err;
  EXPECT_EQ(model.asked().size(), 2U);
  EXPECT_NE(ran.err.find("0 steps run, 6 reused"), std::string::npos) << "the same points: " << ran.err;
}

TEST_F(PriorTest, TheQuestionHasTheSearchAndNoSecret) {
  program("sobol(trials: trials)");
  model.say(kGood);
  ASSERT_EQ(with("plan s.cwl key=env:TRAIN_KEY").code, 0) << ran.err;
  ASSERT_EQ(model.asked().size(), 1U);
  const std::string request = model.asked()[0];
  EXPECT_TRUE(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("\r\nAuthorization: Bearer " + std::string(kKey) + "\r\n"), std::string::npos);
  const auto body = nlohmann::json::parse(request.substr(request.find("\r\n\r\n") + 4));
  EXPECT_EQ(body["model"], "fake-1");
  ASSERT_EQ(body["messages"].size(), 2U);
  const auto search = nlohmann::json::parse(body["messages"][1]["content"].get<std::string>());
  EXPECT_EQ(search, nlohmann::json::parse(R"({
    "run": "train", "description": "Grows trees on the table.",
    "maximize": "score", "objective_description": "On rows that it did not see.",
    "data": "1,000 rows; \"yes\" or no", "model": "boosted trees", "points_to_propose": 3,
    "parameters": [
      {"name": "rate", "type": "float", "min": 0.01, "below": 1.0, "scale": "logarithmic"},
      {"name": "kind", "values": ["tree", "line"]},
      {"name": "depth", "description": "Of a tree.", "type": "int", "min": 2, "max": 8, "scale": "linear",
       "only_if": "kind == \"tree\""}]})"));
  EXPECT_EQ(body.dump().find("secret"), std::string::npos);
  for (const auto& entry : fs::recursive_directory_iterator(folder())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(slurp(entry.path()).find(kKey), std::string::npos) << entry.path();
  }
}

TEST_F(PriorTest, PointsThatAreNoneOfTheSearchAreLeftOut) {
  program("sobol(trials: trials)");
  model.say("```json\n" R"({"points": [{"rate": 1.0, "kind": "tree", "depth": 3},
    {"rate": 0.1, "kind": "tree", "depth": 3.5}, {"rate": 0.1, "kind": "bush\u001b[2J", "depth": 3}]})" "\n```");
  ASSERT_EQ(with("plan s.cwl key=env:TRAIN_KEY").code, 0) << ran.err;
  EXPECT_NE(ran.err.find("point 1 that `fake-1` proposes for `train` is left out: `rate` is 1.0, outside 0.01 .. 1"),
            std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("point 2 that `fake-1` proposes for `train` is left out: `depth` is 3.5, which is not an `int`"),
            std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("point 3 that `fake-1` proposes for `train` is left out: `kind` is \"bush\\u001b[2J\", which"),
            std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("CW0940"), std::string::npos) << "none is left: " << ran.err;
  EXPECT_NE(ran.out.find("train: no point is proposed"), std::string::npos) << ran.out;

  model.say(R"({"points": [{"rate": 0.1, "kind": "tree"}, 7, {"rate": 0.1, "kind": "tree", "depth": 3, "size": 1},
    {"rate": 0.1, "kind": "tree", "depth": 3}]})");
  ASSERT_EQ(with("plan s.cwl key=env:TRAIN_KEY").code, 0) << ran.err;
  EXPECT_NE(ran.err.find("point 1 that `fake-1` proposes for `train` is left out: it gives no `depth`"),
            std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("left out: 7 is not an object"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("left out: it gives \"size\", which is not searched"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("point 4 that `fake-1` proposes for `train` is left out: 3 were asked for"), std::string::npos)
      << ran.err;

  model.say(R"({"points": [{"rate": 0.1, "kind": "tree", "depth": 3}, {"depth": 3, "kind": "tree", "rate": 1e-1}]})");
  ASSERT_EQ(with("run s.cwl key=env:TRAIN_KEY --outputs-json out.json").code, 0) << ran.err;
  EXPECT_NE(ran.err.find("point 2 that `fake-1` proposes for `train` is left out: it is there already"),
            std::string::npos) << ran.err;
  EXPECT_EQ(tried().front(), "0.1 tree 3");
}

/// Whatever goes wrong is said, nothing is kept, and the search is that without a prior.
TEST_F(PriorTest, NoAnswerIsAWarning) {
  program("sobol(trials: trials)");
  ASSERT_EQ(without("run s.cwl key=env:TRAIN_KEY --outputs-json out.json --store plain").code, 0) << ran.err;
  EXPECT_EQ(ran.err.find("warning"), std::string::npos) << ran.err;
  const auto plain = tried();
  const auto goesOn = [&](const std::string& why, const std::string& more = {}) {
    fs::remove_all(folder() / ".couler");
    ASSERT_EQ(with("run s.cwl key=env:TRAIN_KEY --outputs-json out.json", more).code, 0) << ran.err;
    EXPECT_NE(ran.err.find("warning[CW0940]: the search of `train` begins without a prior: "), std::string::npos)
        << why << ran.err;
    EXPECT_NE(ran.err.find(why), std::string::npos) << why << "\n" << ran.err;
    EXPECT_EQ(tried(), plain) << why;
    EXPECT_FALSE(exists(".couler/priors")) << why;
  };
  model.say("I would try a rate of 0.1.");
  goesOn("not the JSON object that was asked for");
  model.answer(200, "{\"choices\": [{\"message\": {\"content\": \"\xff\"}}]}");
  goesOn("the server's answer is no chat completion");
  model.say(std::string(100'000, '['));
  goesOn("not the JSON object that was asked for");
  model.answer(200, "<html>");
  goesOn("the server's answer is no chat completion");
  model.answer(200, std::string(3U << 20U, 'x'));
  goesOn("the answer has more than 1048576 bytes");
  model.answer(401, "no such key: " + std::string(kKey));
  goesOn("status 401: is COULER_MODEL_KEY right?");
  model.answer(302, "", "Location: " + model.url() + "/elsewhere\r\n");
  goesOn("status 302, a redirect");
  EXPECT_EQ(model.asked().size(), 7U) << "which is not followed";
  model.sayNothing();
  goesOn("there was no answer within 1 s", "COULER_MODEL_TIMEOUT=1");
  goesOn("connect", "COULER_MODEL_URL=http://127.0.0.1:1/v1");
  goesOn("does not begin with https://", "COULER_MODEL_URL=file:///etc/passwd");
  goesOn("COULER_MODEL_URL has a name or a password in it", "COULER_MODEL_URL=http://me:pass@127.0.0.1/v1");
  goesOn("the key is sent by https alone", "COULER_MODEL_URL=http://example.com/v1");
  goesOn("COULER_MODEL names no model", "COULER_MODEL=");
  goesOn("COULER_MODEL_TIMEOUT is no number", "COULER_MODEL_TIMEOUT=soon");
  goesOn("COULER_MODEL_KEY has a blank", "COULER_MODEL_KEY='a\r\nb'");
  EXPECT_EQ(model.asked().size(), 8U);
}

TEST_F(PriorTest, AnEnginesManifestHasThePoints) {
  program("sobol(trials: 6)");
  model.say(kGood);
  ASSERT_EQ(with("build s.cwl --target cluster --remarks").code, 0) << ran.err;
  EXPECT_NE(ran.err.find("train: first 2 points that `fake-1` proposed\n"), std::string::npos) << ran.err;
  const std::string built = ran.out;
  EXPECT_NE(built.find("0.9"), std::string::npos);
  ASSERT_EQ(without("build s.cwl --target cluster").code, 0) << ran.err;
  EXPECT_EQ(ran.out, built) << "of what is kept";
  ASSERT_EQ(without("build s.cwl --target cluster --store other").code, 0) << ran.err;
  EXPECT_NE(ran.out, built);
  ASSERT_EQ(with("plan s.cwl --target cluster").code, 0) << ran.err;
  EXPECT_NE(ran.out.find("proposed, as kept in the store\n"), std::string::npos) << ran.out;
  EXPECT_EQ(model.asked().size(), 1U);
}

TEST_F(PriorTest, WhatIsKeptMustBeWhole) {
  program("sobol(trials: trials)");
  model.say(kGood);
  ASSERT_EQ(with("plan s.cwl key=env:TRAIN_KEY").code, 0) << ran.err;
  for (const auto& entry : fs::directory_iterator(folder() / ".couler/priors")) {
    std::ofstream(entry.path()) << "{}";
  }
  ASSERT_EQ(with("plan s.cwl key=env:TRAIN_KEY").code, 0) << ran.err;
  EXPECT_NE(ran.err.find(".json` is damaged: delete it"), std::string::npos) << ran.err;
  EXPECT_EQ(model.asked().size(), 1U);
}

/// `check` and what looks at the program alone ask nothing, nor does a workflow that is not run.
TEST_F(PriorTest, NothingIsAskedInVain) {
  program("sobol(trials: trials)");
  write("s.cwl", read("s.cwl") + "\nworkflow other() -> (n: int) { return (n: 1) }\n");
  ASSERT_EQ(with("check s.cwl").code, 0) << ran.err;
  ASSERT_EQ(with("graph s.cwl search").code, 0) << ran.err;
  ASSERT_EQ(with("build s.cwl search --print ir").code, 0) << ran.err;
  ASSERT_EQ(with("run s.cwl other").code, 0) << ran.err;
  ASSERT_EQ(with("run s.cwl search key=env:TRAIN_KEY trials=x").code, 2) << ran.err;
  EXPECT_TRUE(model.asked().empty());
}

}  // namespace
}  // namespace couler::testing

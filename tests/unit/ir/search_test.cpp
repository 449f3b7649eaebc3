#include "ir/search.h"

#include <cmath>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ir/eval.h"

namespace couler::ir {
namespace {

using B = Builtin;

Value range(Value low, Value high, bool log = false) {
  return Value::record({{"low", std::move(low)}, {"high", std::move(high)}, {"log", log}});
}
Value ints(std::int64_t low, std::int64_t high) { return range(low, high); }
Value words(std::vector<std::string> items) {
  return Value::list(ListItems(items.begin(), items.end()));
}
Value list(std::vector<Value> items) { return Value::list(std::move(items)); }

Value sampleOf(std::size_t spaces) {
  NamedItems fields;
  for (std::size_t i = 0; i < spaces; ++i) fields.emplace_back(std::string(1, "abcdefgh"[i]), Value());
  return Value::record(std::move(fields));
}

std::string show(const EvalResult& result) {
  if (const EvalError* error = std::get_if<EvalError>(&result)) return "error: " + error->message;
  return toJson(std::get<Value>(result));
}
EvalResult run(B op, std::vector<Value> operands, const std::vector<Value>& spaces = {}) {
  operands.insert(operands.end(), spaces.begin(), spaces.end());
  return apply(op, std::vector<EvalResult>(operands.begin(), operands.end()), {});
}
EvalResult grid(std::int64_t points, const std::vector<Value>& spaces) {
  return run(B::TuneGrid, {sampleOf(spaces.size()), points}, spaces);
}
ListItems drawn(B op, std::int64_t trials, std::int64_t seed, const std::vector<Value>& spaces,
                const ListItems& first = {}) {
  const EvalResult result = run(op, {sampleOf(spaces.size()), list(first), trials, seed}, spaces);
  EXPECT_TRUE(std::holds_alternative<Value>(result)) << show(result);
  return std::holds_alternative<Value>(result) ? std::get<Value>(result).items() : ListItems{};
}

TEST(SearchTest, AGridHasAllPointsInOrder) {
  EXPECT_EQ(show(grid(0, {ints(2, 4), words({"x", "y"})})),
            R"([{"a":2,"b":"x"},{"a":2,"b":"y"},{"a":3,"b":"x"},{"a":3,"b":"y"}])");
  EXPECT_EQ(show(grid(3, {range(0.0, 1.0)})), R"([{"a":0.0},{"a":0.5},{"a":1.0}])");
  EXPECT_EQ(show(grid(3, {range(0.01, 1.0, true)})), R"([{"a":0.01},{"a":0.1},{"a":1.0}])");
  EXPECT_EQ(show(grid(3, {ints(0, 101)})), R"([{"a":0},{"a":50},{"a":100}])");
  EXPECT_EQ(show(grid(9, {ints(0, 2)})), R"([{"a":0},{"a":1}])") << "no value twice";
  EXPECT_EQ(show(grid(1, {range(0.0, 1.0)})), R"([{"a":0.5}])");
}

TEST(SearchTest, WhatIsWrongWithASpaceIsSaid) {
  EXPECT_EQ(show(grid(0, {ints(4, 4)})), "error: `a` is searched in an empty range: 4 .. 4");
  EXPECT_EQ(show(grid(0, {list({})})), "error: `a` is searched in an empty list");
  EXPECT_EQ(show(grid(2, {range(0.0, 1.0, true)})),
            "error: `a` is searched in a logarithmic range that begins at 0.0");
  EXPECT_EQ(show(grid(0, {range(0.0, 1.0)})), "error: `grid` needs `points` for `a`");
  EXPECT_EQ(show(grid(2'000, {range(0.0, 1.0), range(0.0, 1.0), range(0.0, 1.0)})),
            "error: a grid of more than 4000000 points");
  EXPECT_EQ(show(grid(0, {range(std::int64_t{0}, 1.0)})),
            "error: `a` is searched in a space with bounds of two types");
}

TEST(SearchTest, DrawsStayInTheSpaceAndDependOnTheSeedAlone) {
  const std::vector<Value> spaces{ints(-2, 3), range(0.001, 1.0, true), words({"x", "y", "z"}),
                                  range(std::int64_t{1}, std::int64_t{1000}, true)};
  for (const B op : {B::TuneRandom, B::TuneSobol}) {
    const ListItems points = drawn(op, 500, 7, spaces);
    ASSERT_EQ(points.size(), 500U);
    std::set<std::int64_t> whole;
    std::size_t small = 0;
    for (const Value& point : points) {
      whole.insert(*point.field("a")->as<std::int64_t>());
      const double rate = *point.field("b")->as<double>();
      EXPECT_GE(rate, 0.001);
      EXPECT_LT(rate, 1.0);
      const std::int64_t n = *point.field("d")->as<std::int64_t>();
      EXPECT_GE(n, 1);
      EXPECT_LT(n, 1000);
      if (n < 32) ++small;
    }
    EXPECT_EQ(whole, (std::set<std::int64_t>{-2, -1, 0, 1, 2}));
    EXPECT_NEAR(static_cast<double>(small), 250, 60) << "even ratios: half lies below the root";
    EXPECT_EQ(points, drawn(op, 500, 7, spaces));
    EXPECT_NE(points, drawn(op, 500, 8, spaces));
    const ListItems fewer = drawn(op, 20, 7, spaces);
    EXPECT_TRUE(std::equal(fewer.begin(), fewer.end(), points.begin()))
        << "a longer search begins with the shorter one";
  }
  EXPECT_EQ(show(run(B::TuneRandom, {sampleOf(1), list({}), std::int64_t{-1}, std::int64_t{0}},
                     {ints(0, 2)})),
            "error: `trials` is -1");
}

TEST(SearchTest, APriorThatNobodyAnsweredHasNoPoints) {
  EXPECT_EQ(show(run(B::TunePrior, {sampleOf(1), Value::record({{"name", std::string("train")}})},
                     {ints(0, 2)})),
            "[]");
}

TEST(SearchTest, GivenPointsComeFirstWithinTheTrials) {
  const std::vector<Value> spaces{range(0.0, 1.0), ints(0, 9)};
  const auto point = [](double a, std::int64_t b) { return Value::record({{"a", a}, {"b", b}}); };
  const ListItems first{point(0.25, 3), point(0.5, 8)};
  for (const B op : {B::TuneRandom, B::TuneSobol}) {
    const ListItems points = drawn(op, 6, 1, spaces, first);
    ASSERT_EQ(points.size(), 6U);
    EXPECT_TRUE(std::equal(first.begin(), first.end(), points.begin()));
    const ListItems own = drawn(op, 4, 1, spaces);
    EXPECT_TRUE(std::equal(own.begin(), own.end(), points.begin() + 2));
    EXPECT_EQ(drawn(op, 1, 1, spaces, first), ListItems{first[0]});
    EXPECT_TRUE(drawn(op, 0, 1, spaces, first).empty());
  }
  const auto next = [&](std::size_t done, std::int64_t parallel) {
    ListItems tried = first;
    tried.resize(done, point(0.1, 1));
    return std::get<Value>(run(B::TuneNext, {sampleOf(2), list(first), list(tried),
                                             list(ListItems(done, Value(1.0))), false, std::int64_t{9},
                                             std::int64_t{1}, std::int64_t{4}, parallel}, spaces)).items();
  };
  EXPECT_EQ(next(0, 1), ListItems{first[0]});
  EXPECT_EQ(next(1, 1), ListItems{first[1]});
  const ListItems own = drawn(B::TuneSobol, 2, 1, spaces);
  EXPECT_EQ(next(0, 4), (ListItems{first[0], first[1], own[0], own[1]})) << "they count as start-up";
  EXPECT_EQ(next(2, 2), own);
}

/// What makes Sobol's points even: of 2^k of them one lies in each of 2^k equal parts, in every
/// dimension, whatever the seed.
TEST(SearchTest, SobolPointsAreInBalance) {
  for (const std::int64_t seed : {0, 1, 99}) {
    const auto places = search::sobolPlaces(6, seed, 0, 256);
    for (std::size_t d = 0; d < 6; ++d) {
      for (const std::size_t parts : {4U, 64U, 256U}) {
        std::vector<bool> seen(parts, false);
        for (std::size_t i = 0; i < parts; ++i) {
          const auto part = static_cast<std::size_t>(places[i][d] * static_cast<double>(parts));
          EXPECT_FALSE(seen[part]) << "seed " << seed << ", dimension " << d;
          seen[part] = true;
        }
      }
    }
    EXPECT_EQ(search::sobolPlaces(6, seed, 17, 20),
              std::vector(places.begin() + 17, places.begin() + 20));
  }
}

TEST(SearchTest, TheLaterTrialsStartTheFewerTheyAre) {
  const auto count = [](const std::vector<std::int64_t>& cycle, std::int64_t rung) {
    return std::count(cycle.begin(), cycle.end(), rung);
  };
  // Hyperband's shares 27/4 : 9/3 : 3/2 : 1 of 25.
  const std::vector<std::int64_t> four = search::startingRungs(4, 4, 3);
  ASSERT_EQ(four.size(), 25U);
  EXPECT_EQ(count(four, 0), 14);
  EXPECT_EQ(count(four, 1), 6);
  EXPECT_EQ(count(four, 2), 3);
  EXPECT_EQ(count(four, 3), 2);
  EXPECT_EQ(count(search::startingRungs(1, 4, 3), 0), 25);
  EXPECT_GT(std::distance(four.begin(), std::find(four.rbegin(), four.rend(), 0).base()), 14)
      << "mixed";
}

TEST(SearchTest, TheBestAreFirstOnesOfEquals) {
  const Value scores = list({0.5, Value(), 0.9, 0.9, std::nan(""), 0.1});
  const auto promoted = [&](std::int64_t trial, std::int64_t reduction, bool maximize) {
    return show(run(B::TunePromoted, {scores, trial, list({std::int64_t{0}}), std::int64_t{0},
                                      reduction, maximize}));
  };
  EXPECT_EQ(show(run(B::TuneBest, {true, scores})), "2");
  EXPECT_EQ(show(run(B::TuneBest, {false, scores})), "5");
  EXPECT_EQ(show(run(B::TuneBest, {true, list({Value(), Value()}), scores})), "2");
  EXPECT_EQ(show(run(B::TuneBest, {true, list({std::int64_t{3}, std::int64_t{4}})})), "1");
  EXPECT_EQ(show(run(B::TuneBest, {true, list({})})),
            "error: no trial has a score: all of them failed, or there was none");
  EXPECT_EQ(promoted(2, 6, true), "true");
  EXPECT_EQ(promoted(3, 6, true), "false");
  EXPECT_EQ(promoted(3, 5, true), "true") << "two of six, rounded up";
  EXPECT_EQ(promoted(0, 3, false), "true");
  EXPECT_EQ(promoted(1, 2, true), "false") << "failed";
  EXPECT_EQ(promoted(4, 2, true), "false") << "no number";
  EXPECT_EQ(promoted(9, 2, true), "false");
  EXPECT_EQ(promoted(0, 1, true), "error: `reduction` is 1");
}

// Trials that started on a rung do not crowd out those that came to it, and the other way round.
TEST(SearchTest, TrialsCompeteWithThoseThatStartedWhereTheyDid) {
  const auto places = [](std::int64_t rung, std::int64_t start, std::int64_t trials) {
    return search::placesOn(rung, start, trials, 3);
  };
  EXPECT_EQ(places(0, 0, 27), 27);
  EXPECT_EQ(places(1, 0, 27), 9);
  EXPECT_EQ(places(3, 0, 27), 1);
  EXPECT_EQ(places(7, 0, 27), 1);
  EXPECT_EQ(places(1, 0, 28), 10);
  EXPECT_EQ(places(2, 0, 28), 4);
  EXPECT_EQ(places(0, 1, 4), 0);
  EXPECT_EQ(places(1, 1, 4), 4);
  EXPECT_EQ(places(2, 1, 4), 2);
  EXPECT_EQ(places(2, 1, 0), 0);
  // Trials 0, 1, 3, 4, 6, 7, … start on rung 0, every third on rung 1, with better scores.
  ListItems scores;
  for (std::int64_t i = 0; i < 12; ++i) {
    scores.emplace_back(i % 3 == 2 ? 100.0 + static_cast<double>(i) : static_cast<double>(i));
  }
  std::string on1, on2;
  for (std::int64_t i = 0; i < 12; ++i) {
    const auto goes = [&](std::int64_t rung) {
      return show(run(B::TunePromoted, {Value::list(scores), i,
                                        list({std::int64_t{0}, std::int64_t{0}, std::int64_t{1}}),
                                        rung, std::int64_t{3}, true}));
    };
    if (i % 3 != 2) on1 += goes(0) == "true" ? fmt::format(" {}", i) : "";
    on2 += goes(1) == "true" ? fmt::format(" {}", i) : "";
  }
  EXPECT_EQ(on1, " 7 9 10") << "the best three of eight";
  EXPECT_EQ(on2, " 8 10 11") << "one of three, and two of four";
}

/// Runs a search that learns on `loss` and gives the least loss.
template <class Loss>
double learn(const std::vector<Value>& spaces, std::int64_t trials, std::int64_t seed, Loss&& loss,
             std::set<std::string>* tried = nullptr, std::int64_t startup = 10) {
  ListItems points;
  ListItems scores;
  double best = HUGE_VAL;
  while (static_cast<std::int64_t>(points.size()) < trials) {
    const EvalResult next =
        run(B::TuneNext, {sampleOf(spaces.size()), list({}), list(points), list(scores), false,
                          trials, seed, startup, std::int64_t{1}}, spaces);
    if (!std::holds_alternative<Value>(next)) {
      ADD_FAILURE() << show(next);
      return best;
    }
    points.push_back(std::get<Value>(next).items().at(0));
    const double score = loss(points.back());
    if (tried != nullptr) tried->insert(toJson(points.back()));
    scores.emplace_back(score);
    best = std::min(best, score);
  }
  return best;
}

TEST(SearchTest, LearningBeatsChance) {
  const std::vector<Value> spaces{range(-5.0, 10.0), range(0.0, 15.0)};
  // The Branin function, whose least value is 0.397887.
  const auto branin = [](const Value& point) {
    const double x = *point.field("a")->as<double>();
    const double y = *point.field("b")->as<double>();
    const double pi = std::acos(-1.0);
    const double t = y - 5.1 / (4 * pi * pi) * x * x + 5 / pi * x - 6;
    return t * t + 10 * (1 - 1 / (8 * pi)) * std::cos(x) + 10;
  };
  int wins = 0;
  for (std::int64_t seed = 0; seed < 20; ++seed) {
    double chance = HUGE_VAL;
    for (const Value& point : drawn(B::TuneRandom, 60, seed, spaces)) {
      chance = std::min(chance, branin(point));
    }
    const double learned = learn(spaces, 60, seed, branin);
    if (learned < chance) ++wins;
  }
  EXPECT_GE(wins, 15);
}

TEST(SearchTest, LearningTriesNoPointTwiceWhereThereAreOthers) {
  std::set<std::string> tried;
  learn({ints(0, 6), words({"x", "y", "z"})}, 18, 1,
        [](const Value& point) {
          return static_cast<double>(*point.field("a")->as<std::int64_t>());
        },
        &tried);
  EXPECT_GE(tried.size(), 16U);
}

TEST(SearchTest, LearningGoesOnWhenTrialsFail) {
  const std::vector<Value> spaces{range(0.0, 1.0)};
  ListItems points = drawn(B::TuneSobol, 12, 0, spaces);
  const auto next = [&](const ListItems& scores, std::int64_t trials, std::int64_t parallel) {
    return run(B::TuneNext, {sampleOf(1), list({}), list(points), list(scores), true, trials,
                             std::int64_t{0}, std::int64_t{5}, parallel}, spaces);
  };
  const ListItems none(12);
  EXPECT_EQ(std::get<Value>(next(none, 20, 1)).items().size(), 1U);
  const ListItems four = std::get<Value>(next(none, 20, 4)).items();
  EXPECT_EQ(std::set<std::string>({toJson(four.at(0)), toJson(four.at(1)), toJson(four.at(2)),
                                   toJson(four.at(3))}).size(), 4U) << "side by side";
  EXPECT_EQ(std::get<Value>(next(none, 13, 4)).items().size(), 1U) << "no more than are left";
  EXPECT_EQ(show(next(ListItems(3), 20, 1)), "error: 3 scores of 12 trials");
}

}  // namespace
}  // namespace couler::ir

// The trials of a search: on the terminal and in the report.
#include <algorithm>
#include <regex>

#include <gtest/gtest.h>

#include "command_line.h"

namespace couler::testing {
namespace {

class SearchReport : public CommandLine {};

constexpr const char* kProgram = R"cwl(couler 1

task train(rate: float, kind: string, epochs: int = 1) -> (score: float) {
    run sh """
        [ "$rate" != 0.4 ]
        score=$(echo "$rate $epochs" | awk '{ print $1 * $2 }')
        """
}

workflow every() -> (tried: list<(trial: int, rate: float, kind: string, score: float?)>, score: float) {
    let best = tune train(rate: in [0.1, 0.2, 0.3, 0.4, 0.5], kind: in ["<b>&\"'", "two\nlines", "plain"]) maximize score
    return (tried: best.trials, score: best.score)
}

workflow halved() -> (tried: list<(trial: int, rate: float, epochs: int, score: float?)>) {
    let best = tune train(kind: "plain", rate: in 0.0 .. 0.3)
        minimize score using asha(trials: 9, resource: epochs, max: 9)
    return (tried: best.trials)
}
)cwl";

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

TEST_F(SearchReport, TheTrialsAreATableAndPlots) {
  write("s.cwl", kProgram);
  const Ran ran = couler({"run", "s.cwl", "every", "--report", "r.html"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("tried =\n   trial  rate"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("\n       0   0.1        <b>&\"'    0.1\n"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("\n*     12   0.5        <b>&\"'    0.5\n"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("\"two\\nlines\""), std::string::npos) << "one line a trial";
  EXPECT_NE(ran.out.find("score = 0.5\n"), std::string::npos) << ran.out;

  const std::string page = read("r.html");
  EXPECT_NE(page.find("<h2>Search: tried</h2>"), std::string::npos);
  EXPECT_NE(page.find("maximizing <code>score</code>; the best is trial 12"), std::string::npos);
  EXPECT_EQ(count(page, "<tr class=\"best\">"), 1U);
  EXPECT_EQ(count(page, "<circle class=\"dot\""), 12U);
  EXPECT_EQ(count(page, "<circle class=\"failed\""), 3U);
  EXPECT_EQ(count(page, "<path class=\"line"), 12U);
  EXPECT_EQ(page.find("<b>&"), std::string::npos) << "escaped";
  EXPECT_NE(page.find("&lt;b&gt;&amp;&quot;&#39;"), std::string::npos);
  EXPECT_EQ(page.find("src="), std::string::npos) << "loads nothing";
  EXPECT_EQ(count(page, "http"), count(page, "http://www.w3.org/2000/svg"));
  // The rate says all about the score, the kind nothing.
  std::smatch bars;
  ASSERT_TRUE(std::regex_search(page, bars, std::regex(">rate</text><rect[^>]*/><text[^>]*>(\\d+) %")));
  EXPECT_EQ(bars[1], "100");
  ASSERT_TRUE(std::regex_search(page, bars, std::regex(">kind</text><rect[^>]*/><text[^>]*>(\\d+) %")));
  EXPECT_EQ(bars[1], "0");
}

TEST_F(SearchReport, OnlyTrialsThatCameFurthestAreTheBest) {
  write("s.cwl", kProgram);
  const Ran ran = couler({"run", "s.cwl", "halved", "--report", "r.html"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  // The least score is that of a trial with few epochs; the star is the one that had all nine.
  const auto star = ran.out.find("\n*");
  ASSERT_NE(star, std::string::npos) << ran.out;
  const std::string line = ran.out.substr(star + 1, ran.out.find('\n', star + 1) - star - 1);
  EXPECT_TRUE(std::regex_search(line, std::regex("\\s9\\s"))) << line;
  EXPECT_NE(read("r.html").find("of those that came furthest"), std::string::npos);
}

}  // namespace
}  // namespace couler::testing

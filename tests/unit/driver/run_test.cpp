#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/driver/command_line.h"

namespace couler::testing {
namespace {

constexpr const char* kProgram = R"(couler 1

task say(text: string) -> (line: string = stdout) {
    run ["echo", text]
}

task fail(text: string) -> (line: string = stdout) {
    run sh """
        echo "this <b>went</b> wrong" >&2
        exit 3
        """
}

workflow hello(text: string, items: list<int> = [1, 2]) -> (line: string, many: list<string>) {
    let said = say(text)
    let many = for i in items { say("{said.line} {i}") }
    return (line: said.line, many: many.line)
}

workflow broken(text: string) -> (line: string) {
    let bad = fail(text)
    let after_it = say(bad.line)
    return (line: after_it.line)
}

target one = local { jobs: 1, store: "elsewhere" }
)";

class Run : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    write("h.cwl", kProgram);
  }
};

TEST_F(Run, printsOutputsAndReusesTheSecondTime) {
  const Ran first = couler({"run", "h.cwl", "hello", "text=a=b c"});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_NE(first.out.find("line = a=b c\n"), std::string::npos) << first.out;
  EXPECT_NE(first.err.find("run 1 succeeded: 3 steps run"), std::string::npos) << first.err;
  const Ran second = couler({"run", "h.cwl", "hello", "text=a=b c"});
  EXPECT_EQ(second.out, first.out);
  EXPECT_NE(second.err.find("0 steps run, 3 reused"), std::string::npos) << second.err;
  const Ran forced = couler({"run", "h.cwl", "hello", "text=a=b c", "--force", "--quiet"});
  EXPECT_EQ(forced.out, first.out);
  EXPECT_EQ(forced.err, "");
}

TEST_F(Run, planForesees) {
  const Ran before = couler({"plan", "h.cwl", "hello", "text=x"});
  EXPECT_EQ(before.code, 0) << before.err;
  EXPECT_NE(before.out.find("run     said"), std::string::npos) << before.out;
  EXPECT_NE(before.out.find("0 to reuse, 1 to run, 2 that depend"), std::string::npos)
      << before.out;
  EXPECT_FALSE(exists(".couler")) << "a plan makes no store";
  ASSERT_EQ(couler({"run", "h.cwl", "hello", "text=x"}).code, 0);
  EXPECT_NE(couler({"plan", "h.cwl", "hello", "text=x"}).out.find("3 to reuse, 0 to run"),
            std::string::npos);
  EXPECT_NE(couler({"plan", "h.cwl", "hello", "text=y"}).out.find("0 to reuse, 1 to run"),
            std::string::npos);
  const std::string runs = couler({"runs", "--json"}).out;
  EXPECT_EQ(std::count(runs.begin(), runs.end(), '\n'), 1) << "a plan is no run";
}

TEST_F(Run, aFailureNamesTheStepAndWhereItsLogIs) {
  const Ran ran = couler({"run", "h.cwl", "broken", "text=x"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(ran.err.find("this <b>went</b> wrong"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("couler logs 1 bad"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("run 1 failed: 1 step run, 1 failed, 1 skipped"), std::string::npos)
      << ran.err;
  EXPECT_EQ(couler({"logs", "1", "bad"}).out, "this <b>went</b> wrong\n");
  EXPECT_NE(couler({"logs", "last"}).out.find("failed"), std::string::npos);
  const Ran typo = couler({"logs", "1", "bat"});
  EXPECT_EQ(typo.code, 1);
  EXPECT_NE(typo.err.find("did you mean `bad`"), std::string::npos) << typo.err;
  EXPECT_EQ(couler({"logs", "9"}).code, 1);
  EXPECT_EQ(couler({"why", "bad"}).code, 0);
}

TEST_F(Run, eventsAreLinesOfJson) {
  const Ran ran = couler({"run", "h.cwl", "hello", "text=x", "--events"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  std::istringstream lines(ran.out);
  std::string line;
  std::string last;
  std::size_t ended = 0;
  while (std::getline(lines, line)) {
    const auto event = nlohmann::json::parse(line);
    last = event.at("event").get<std::string>();
    if (last == "step-ended") ++ended;
  }
  EXPECT_EQ(ended, 3U);
  EXPECT_EQ(last, "outputs");
}

TEST_F(Run, inputsFromJsonAndOutputsAsJson) {
  write("p.json", R"({"text": "from json", "items": [7]})");
  const Ran ran =
      couler({"run", "h.cwl", "hello", "-i", "p.json", "text=word wins", "--outputs-json", "-"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "{\"line\":\"word wins\",\"many\":[\"word wins 7\"]}\n");
  ASSERT_EQ(couler({"run", "h.cwl", "hello", "-i", "p.json", "--outputs-json", "o.json"}).code, 0);
  EXPECT_EQ(read("o.json"), "{\"line\":\"from json\",\"many\":[\"from json 7\"]}\n");
}

TEST_F(Run, aTargetsSettingsApply) {
  ASSERT_EQ(couler({"run", "h.cwl", "hello", "text=x", "--target", "one"}).code, 0);
  EXPECT_TRUE(exists("elsewhere/history.db"));
  EXPECT_FALSE(exists(".couler"));
}

TEST_F(Run, theReportIsOneEscapedPage) {
  ASSERT_EQ(
      couler({"run", "h.cwl", "broken", "text=<script>x</script>", "--report", "r.html"}).code, 1);
  const std::string html = read("r.html");
  EXPECT_EQ(html.rfind("<!doctype html>", 0), 0U);
  EXPECT_NE(html.find("&lt;script&gt;x&lt;/script&gt;"), std::string::npos);
  EXPECT_EQ(html.find("<script>x"), std::string::npos);
  EXPECT_NE(html.find("this &lt;b&gt;went&lt;/b&gt; wrong"), std::string::npos);
  EXPECT_NE(html.find("class=\"box step failed\""), std::string::npos);
  EXPECT_NE(html.find("class=\"box step skipped\""), std::string::npos);
  EXPECT_EQ(html.find("http://", html.find("</style>")), html.find("http://www.w3.org/2000/svg"))
      << "nothing is loaded";
  EXPECT_EQ(html.find("https://"), std::string::npos);
}

TEST_F(Run, runsListsThem) {
  ASSERT_EQ(couler({"run", "h.cwl", "hello", "text=x"}).code, 0);
  const Ran json = couler({"runs", "--json"});
  const auto run = nlohmann::json::parse(json.out);
  EXPECT_EQ(run.at("status"), "succeeded");
  EXPECT_EQ(run.at("workflow"), "hello");
  EXPECT_EQ(run.at("succeeded"), 3);
  EXPECT_NE(couler({"runs"}).out.find("hello (h.cwl)"), std::string::npos);
}

TEST_F(Run, anInterruptEndsTheRunAndASecondRunGoesOn) {
  write("slow.cwl", R"(couler 1
task quick() -> (o: string = stdout) { run ["echo", "quick"] }
task slow(x: string) -> (o: string = stdout) {
    run sh """
        if [ -e "$MARK" ]; then o=done; echo done; else touch "$MARK"; kill -INT $PPID; sleep 600; fi
        """
    env { MARK: "mark" }
}
workflow w() -> (o: string) {
    let q = quick()
    return (o: slow(q.o).o)
}
)");
  std::string text = read("slow.cwl");
  text.replace(text.find("\"mark\""), 6, "\"" + (folder() / "mark").string() + "\"");
  write("slow.cwl", text);
  const Ran stopped = couler({"run", "slow.cwl"});
  EXPECT_EQ(stopped.code, 1) << stopped.err;
  EXPECT_NE(stopped.err.find("stopped"), std::string::npos) << stopped.err;
  const Ran again = couler({"run", "slow.cwl"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_NE(again.err.find("1 reused"), std::string::npos) << again.err;
}

TEST_F(Run, aStepHasOneNameWhicheverPassesRan) {
  write("names.cwl",
        "couler 1\n"
        "task list() -> (items: list<int>) { run python \"items = [7, 8]\" }\n"
        "task add(a: int, b: int) -> (sum: int) { run sh \"sum=$((a + b))\" }\n"
        "workflow sub(a: int) -> (sums: list<int>) {\n"
        "  let sums = for b in [1, 2] { add(a: a, b: b).sum }\n  return (sums: sums)\n}\n"
        "workflow main() -> (all: list<list<list<int>>>) {\n"
        "  let items = list().items\n"
        "  let all = for a in items { for x in [1, 2] { let more = for b in items "
        "{ add(a: a + x, b: b).sum }\n sub(a: a + sum(more)).sums } }\n"
        "  return (all: all)\n}\n");
  const auto names = [this](const std::vector<std::string>& passes) {
    std::vector<std::string> words = {"run", "names.cwl", "--events", "--store", passes.empty() ? "s" : passes.back()};
    words.insert(words.end(), passes.begin(), passes.end());
    const Ran ran = couler(words);
    EXPECT_EQ(ran.code, 0) << ran.err;
    std::set<std::string> result;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      const auto event = nlohmann::json::parse(line);
      if (event.at("event") == "step-ended") result.insert(event.at("step").get<std::string>());
    }
    return result;
  };
  const std::set<std::string> all = names({});
  EXPECT_EQ(all.size(), 1 + 2 * 2 * 2 + 2 * 2 * 2U);
  EXPECT_EQ(all.count("add.1.0.1"), 1U);
  EXPECT_EQ(all.count("sub.1.0.add.1"), 1U);
  EXPECT_EQ(names({"--disable-pass=unroll"}), all);
  EXPECT_EQ(names({"--disable-pass=inline"}), all);
  EXPECT_EQ(names({"--disable-pass=inline", "--disable-pass=unroll"}), all);
}

TEST_F(Run, graphs) {
  const Ran svg = couler({"graph", "h.cwl", "hello"});
  EXPECT_EQ(svg.code, 0) << svg.err;
  EXPECT_NE(svg.out.find("for each i"), std::string::npos);
  EXPECT_NE(svg.out.find("</svg>"), std::string::npos);
  const Ran dot = couler({"graph", "h.cwl", "hello", "--format", "dot"});
  EXPECT_EQ(dot.out.rfind("digraph", 0), 0U);
  EXPECT_NE(dot.out.find("subgraph cluster_1"), std::string::npos);
  ASSERT_EQ(couler({"graph", "h.cwl", "hello", "-o", "g.mmd"}).code, 0);
  EXPECT_EQ(read("g.mmd").rfind("flowchart TD", 0), 0U);
  EXPECT_EQ(couler({"graph", "h.cwl"}).code, 1) << "two workflows: which one?";
}

TEST_F(Run, aLongChainIsDrawnAndPlanned) {
  std::string text =
      "couler 1\ntask t(x: string) -> (o: string = stdout) { run [\"echo\", x] }\n"
      "workflow w(x: string) -> (o: string) {\n    let s0 = t(x)\n";
  constexpr int kSteps = 3000;
  for (int i = 1; i < kSteps; ++i)
    text += "    let s" + std::to_string(i) + " = t(s" + std::to_string(i - 1) + ".o)\n";
  write("long.cwl", text + "    return (o: s" + std::to_string(kSteps - 1) + ".o)\n}\n");
  EXPECT_EQ(couler({"graph", "long.cwl", "-o", "long.svg"}).code, 0);
  const Ran plan = couler({"plan", "long.cwl", "x=a"});
  EXPECT_NE(plan.out.find("0 to reuse, 1 to run, 2999 that depend"), std::string::npos)
      << plan.out.substr(0, 200);
}

}  // namespace
}  // namespace couler::testing

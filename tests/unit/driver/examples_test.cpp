// The examples, run as a reader would: to their end, again with nothing to do, and emitted for the
// cluster that they name. And values that look like program text, through every kind of task.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <yaml.h>

#include "command_line.h"

namespace couler::testing {
namespace {

using Json = nlohmann::json;

class Examples : public CommandLine {
 protected:
  void copy(const std::string& name) {
    fs::copy(fs::path(COULER_SOURCE_DIR) / "examples" / name, folder(),
             fs::copy_options::recursive);
    fs::remove_all(folder() / ".couler");
  }
  Json outputs(const std::vector<std::string>& words) {
    std::vector<std::string> all = {"run"};
    all.insert(all.end(), words.begin(), words.end());
    all.insert(all.end(), {"--outputs-json", "outputs.json"});
    const Ran ran = couler(all);
    EXPECT_EQ(ran.code, 0) << ran.err;
    lastErr_ = ran.err;
    return Json::parse(read("outputs.json"));
  }
  std::string lastErr_;
};

TEST_F(Examples, DigitsReadsHandwriting) {
  copy("digits");
  const Json first = outputs({"digits.cwl", "--report", "report.html"});
  EXPECT_GT(first["accuracy"].get<double>(), 0.93);
  const Json model = Json::parse(slurp(first["model"].get<std::string>()));
  EXPECT_EQ(model["weights"].size(), 10U);
  EXPECT_EQ(model["weights"][0].size(), 64U);
  const std::string report = read("report.html");
  EXPECT_NE(report.find("<svg"), std::string::npos);
  EXPECT_EQ(report.find("http://"), report.find("http://www.w3.org/")) << "loads nothing";
  EXPECT_EQ(outputs({"digits.cwl"}), first);
  EXPECT_NE(lastErr_.find("11 reused"), std::string::npos) << lastErr_;
}

TEST_F(Examples, DigitsTrainsAgainOnlyWhatChanged) {
  copy("digits");
  (void)outputs({"digits.cwl"});
  std::string text = read("digits.cwl");
  const auto at = text.find("0.003, ");
  ASSERT_NE(at, std::string::npos);
  write("digits.cwl", text.replace(at, 7, "0.002, "));
  (void)outputs({"digits.cwl"});
  // One training, its evaluation and the choice; the best model stays, so its test is reused.
  EXPECT_NE(lastErr_.find("3 steps run, 8 reused"), std::string::npos) << lastErr_;
}

TEST_F(Examples, DigitsAreTuned) {
  copy("digits");
  const Json first = outputs({"tuned.cwl", "trials=4", "--report", "report.html"});
  EXPECT_GT(first["accuracy"].get<double>(), 0.93);
  ASSERT_EQ(first["trials"].size(), 4U);
  double best = 0;
  for (const Json& trial : first["trials"]) best = std::max(best, trial["accuracy"].get<double>());
  for (const Json& trial : first["trials"]) {
    EXPECT_GE(trial["epochs"], 4);
    EXPECT_LT(trial["epochs"], 16);
    if (trial["rate"] == first["rate"] && trial["epochs"] == first["epochs"]) {
      EXPECT_EQ(trial["accuracy"], best) << "the best one is given";
      best = -1;
    }
  }
  EXPECT_EQ(best, -1);
  // Two trials more: each is trained and judged, and the rest is there.
  const Json more = outputs({"tuned.cwl", "trials=6"});
  EXPECT_EQ(more["trials"].size(), 6U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(more["trials"][i], first["trials"][i]);
  EXPECT_NE(lastErr_.find("reused"), std::string::npos) << lastErr_;
}

TEST_F(Examples, WeatherFindsTheWettestYear) {
  copy("weather");
  const Json result = outputs({"weather.cwl", "title=A \"title\" with {{braces}}"});
  EXPECT_EQ(result["wettest"], 2014);
  EXPECT_EQ(result["dropped"], 0);
  const std::string report = slurp(result["report"].get<std::string>());
  EXPECT_TRUE(report.starts_with("A \"title\" with {{braces}}\n")) << report;
  EXPECT_NE(report.find("2014    1232.8"), std::string::npos) << report;
}

TEST_F(Examples, WordcountCountsEveryBook) {
  copy("wordcount");
  const Json result = outputs({"wordcount.cwl", "lines=2"});
  const Ran words =
      sh("cat books/*.txt | tr -cs '[:alpha:]' '[\\n*]' | tr '[:upper:]' '[:lower:]' |"
         " grep . | LC_ALL=C sort -u | wc -l");
  EXPECT_EQ(result["distinct"].get<int>(), std::stoi(words.out));
  EXPECT_EQ(result["top"], "31 the\n21 and");
  const Json one = outputs({"wordcount.cwl", "books=[\"books/hope.txt\"]"});
  EXPECT_LT(one["distinct"].get<int>(), result["distinct"].get<int>());
}

TEST_F(Examples, NightlyGoesOnAfterFailures) {
  copy("nightly");
  const Json result = outputs({"nightly.cwl", "folder=" + (folder() / "state").string()});
  EXPECT_EQ(slurp(result["page"].get<std::string>()), "root of the total: 10.0\n");
  EXPECT_EQ(result["archived"], "not archived");
  fs::create_directories(folder() / "archive");
  const Json kept = outputs({"nightly.cwl", "folder=" + (folder() / "state").string(),
                             "archive_to=" + (folder() / "archive").string()});
  EXPECT_TRUE(exists("archive/page.txt"));
  EXPECT_EQ(kept["archived"], (folder() / "archive/page.txt").string());
}

TEST_F(Examples, PenguinsAreSummedUp) {
  copy("penguins");
  const Json result = outputs({"penguins.cwl"});
  const std::string summary = slurp(result["summary"].get<std::string>());
  EXPECT_TRUE(summary.starts_with("species,island,sex,count,mass_kg,")) << summary;
  EXPECT_EQ(std::count(summary.begin(), summary.end(), '\n'), 11) << summary;
  // By awk over the same file: 34 chinstrap females of 3,527 g.
  EXPECT_NE(summary.find("\nchinstrap,Dream,FEMALE,34,3.527,"), std::string::npos) << summary;
  const std::string odd = slurp(result["odd"].get<std::string>());
  EXPECT_NE(odd.find("chinstrap,Dream,FEMALE,2008,2.7,"), std::string::npos) << odd;
  (void)outputs({"penguins.cwl", "far=2.5"});
  EXPECT_NE(lastErr_.find("1 step run, 3 reused"), std::string::npos) << lastErr_;
}

TEST_F(Examples, PenguinsOutOfRangeEndTheRun) {
  copy("penguins");
  const Ran bad = sh("sed -i 's/,181,3750,MALE,/,181,37500,MALE,/; s/,186,3800,/,abc,3800,/' penguins-raw.csv");
  ASSERT_EQ(bad.code, 0) << bad.err;
  const Ran ran = couler({"run", "penguins.cwl"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("penguins-raw.csv"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("`Flipper Length (mm)`"), std::string::npos) << ran.err;
}

TEST_F(Examples, FlightsCountTheCancelled) {
  copy("flights");
  const Json result = outputs({"flights.cwl"});
  // By awk over the same files.
  const std::string days = slurp(result["days"].get<std::string>());
  EXPECT_NE(days.find("\n2013-02-08,930,0.508,"), std::string::npos) << days;
  EXPECT_NE(days.find("\n2013-02-09,684,0.575,"), std::string::npos) << days;
  const std::string airlines = slurp(result["airlines"].get<std::string>());
  EXPECT_NE(airlines.find("\nUnited Air Lines Inc.,1041,0.147,"), std::string::npos) << airlines;
  EXPECT_EQ(slurp(result["strange"].get<std::string>()),
            "{\"dest\":\"BQN\",\"flown\":21,\"miles\":1585}\n"
            "{\"dest\":\"SJU\",\"flown\":98,\"miles\":1608}\n"
            "{\"dest\":\"STT\",\"flown\":16,\"miles\":1634}\n"
            "{\"dest\":\"PSE\",\"flown\":7,\"miles\":1617}\n");
  const std::string program = read("flights.cwl");
  write("flights.cwl", "// A line more, and a comment for a transform, run nothing again.\n" +
                           std::string(program).insert(program.find("transform by_airline"),
                                                       "/// Best last.\n"));
  EXPECT_EQ(outputs({"flights.cwl"}), result);
  EXPECT_NE(lastErr_.find("0 steps run, 6 reused"), std::string::npos) << lastErr_;
}

TEST_F(Examples, AreLaidOutAndHoldTheirTests) {
  for (const auto& example : fs::directory_iterator(fs::path(COULER_SOURCE_DIR) / "examples")) {
    if (!example.is_directory()) continue;
    copy(example.path().filename());
    for (const auto& file : fs::directory_iterator(example.path())) {
      if (file.path().extension() != ".cwl") continue;
      const std::string name = file.path().filename();
      EXPECT_EQ(couler({"check", name}).err, "");
      EXPECT_EQ(couler({"fmt", "--check", name}).err, "");
      const Ran tests = couler({"test", name});
      EXPECT_EQ(tests.code, 0) << tests.out << tests.err;
      const bool hasTests = read(name).find("\ntest \"") != std::string::npos;
      EXPECT_EQ(tests.out.find("0 passed") == std::string::npos, hasTests) << tests.out;
    }
  }
}

TEST_F(Examples, EmitForTheirCluster) {
  for (const std::string name : {"digits", "weather", "nightly", "penguins", "flights"}) {
    copy(name);
    const Ran ran = couler(
        {"build", name + ".cwl", "--target", "cluster", "-o", name + ".yaml", "--depfile", "d"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(read(name + ".yaml").find("kind: Workflow"), std::string::npos);
  }
}

// ---- values that look like program text

const std::vector<std::string> kNasty = {
    "plain",
    "a b  c ",
    "'\"`$(touch pwned)`\"'",
    "; touch pwned #",
    "line one\nline two\n\n",
    "{{workflow.name}} {{=1+1}} {% raw %} ${HOME} %s %(x)s",
    "- a: [b, {c: d}] # e",
    "\\n \\\\ \\u007b",
    "--help",
    "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\ttab",
    "yes",
    "0o17",
    "",
};

constexpr const char* kCarry = R"cwl(couler 1

task by_sh(s: string, xs: list<string>) -> (r: string) {
    image "i"
    env   { PASSED: s }
    run sh """
        [ "$PASSED" = "$s" ]
        r=$s
        """
}

task by_python(s: string, m: map<string, string>) -> (r: string) {
    image "i"
    run python """
        assert m["k {{x}}"] == s
        r = s
        """
}

task by_words(s: string) -> (r: string = stdout) {
    image "i"
    run ["python3", "-c", "import sys; sys.stdout.write(sys.argv[1] + chr(10))", s]
}

task by_file(s: string) -> (f: file = "out.txt", r: string = "r.txt") {
    image "i"
    run python """
        open(f, "w", newline="").write(s)
        open("r.txt", "w", newline="").write(s)
        """
}

workflow carry(s: string, one_line: string) -> (a: string, b: string, c: string, d: string) {
    let a = by_sh(s, [one_line, "x"])
    let b = by_python(a.r, ["k \{\{x}}": s])
    let c = by_words(b.r)
    let d = by_file(c.r)
    return (a: a.r, b: b.r, c: c.r, d: d.r)
}
)cwl";

TEST_F(Examples, ValuesComeOutAsTheyWentIn) {
  write("carry.cwl", kCarry);
  for (const std::string& value : kNasty) {
    std::string line = value;
    std::replace(line.begin(), line.end(), '\n', '_');
    write("input.json", Json{{"s", value}, {"one_line", line}}.dump());
    const Json result = outputs({"carry.cwl", "--input", "input.json"});
    for (const char* name : {"a", "b", "c", "d"}) EXPECT_EQ(result[name], value) << name;
    EXPECT_FALSE(exists("pwned"));
  }
}

/// Every scalar of a YAML text, read by libyaml.
std::vector<std::string> scalars(const std::string& text) {
  std::vector<std::string> found;
  yaml_parser_t parser;
  yaml_parser_initialize(&parser);
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()),
                               text.size());
  for (bool more = true; more;) {
    yaml_event_t event;
    if (yaml_parser_parse(&parser, &event) == 0) {
      ADD_FAILURE() << "not YAML: " << parser.problem;
      break;
    }
    if (event.type == YAML_SCALAR_EVENT) {
      found.emplace_back(reinterpret_cast<const char*>(event.data.scalar.value),
                         event.data.scalar.length);
    }
    more = event.type != YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  return found;
}

TEST_F(Examples, ConstantsReachArgoAsJsonWithoutTags) {
  for (const std::string& value : kNasty) {
    std::string program = kCarry;
    std::string literal;
    for (const char c : value) {
      switch (c) {
        case '\n':
          literal += "\\n";
          break;
        case '\t':
          literal += "\\t";
          break;
        case '{':
        case '}':
        case '"':
        case '\\':
          literal += std::string("\\") + c;
          break;
        default:
          literal += c;
      }
    }
    const std::string call = "by_sh(s, ";
    program.replace(program.find(call), call.size(), "by_sh(\"" + literal + "\", ");
    write("carry.cwl", program);
    const Ran ran = couler({"build", "carry.cwl", "--target", "argo", "-o", "carry.yaml"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    bool carried = false;
    for (const std::string& scalar : scalars(read("carry.yaml"))) {
      const Json json = Json::parse(scalar, nullptr, false);
      if (json.is_discarded() || !json.is_string() || json != value) continue;
      carried = true;
      EXPECT_EQ(scalar.find("{{"), std::string::npos) << scalar;
    }
    EXPECT_TRUE(carried) << "`" << value << "` is no argument in the manifest";
  }
}

}  // namespace
}  // namespace couler::testing

// `couler data` and `couler schema`.
#include <cstdlib>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/golden.h"
#include "tests/unit/driver/command_line.h"

namespace couler::testing {
namespace {

constexpr const char* kPlants =
    "name,height,grows,seen,kind,note\n"
    "oak,20.5,true,2024-05-01,tree,\n"
    "rose,1.25,true,2024-05-02,shrub,\"a, <b>\"\n"
    "fern,NA,false,2024-05-03,herb,\n"
    "elm,18,true,2024-05-04,tree,old\n";

using Data = CommandLine;

TEST_F(Data, statisticsAsText) {
  write("plants.csv", kPlants);
  const Ran ran = couler({"data", "stats", "plants.csv"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  expectGolden("driver/stats.txt", ran.out);
  Ran piped = couler({"data", "stats", "-"}, kPlants);
  EXPECT_EQ(piped.code, 0) << piped.err;
  const std::size_t at = piped.out.find("standard input");
  ASSERT_EQ(at, 0U);
  EXPECT_EQ("plants.csv" + piped.out.substr(14), ran.out);
}

TEST_F(Data, statisticsAsJson) {
  write("plants.csv", kPlants);
  ASSERT_EQ(sh("gzip plants.csv").code, 0);
  const Ran ran = couler({"data", "stats", "plants.csv.gz", "--format", "json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const auto json = nlohmann::json::parse(ran.out);
  EXPECT_EQ(json["rows"], 4);
  EXPECT_EQ(json["columns"][1]["name"], "height");
  EXPECT_EQ(json["columns"][1]["type"], "float?");
  EXPECT_EQ(json["columns"][1]["missing"], 1);
  EXPECT_EQ(json["columns"][1]["median"], 18.0);
  EXPECT_EQ(json["columns"][1]["buckets"].size(), 10U);
  EXPECT_EQ(json["columns"][2]["true"], 3);
  EXPECT_EQ(json["columns"][3]["min"], "2024-05-01T00:00:00Z");
  EXPECT_EQ(json["columns"][4]["top"][0]["value"], "tree");
  EXPECT_EQ(json["columns"][4]["top"][0]["count"], 2);
}

TEST_F(Data, statisticsAsAPage) {
  write("plants.csv", kPlants);
  const Ran ran = couler({"data", "stats", "plants.csv", "-o", "plants.html"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "");
  const std::string page = read("plants.html");
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  EXPECT_NE(page.find("a, &lt;b&gt;"), std::string::npos);
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  EXPECT_EQ(page.find("http"), std::string::npos);  // nothing from elsewhere
}

TEST_F(Data, badInput) {
  write("twice.csv", "a,a\n1,2\n");
  Ran ran = couler({"data", "stats", "twice.csv"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("twice.csv:1: the header names column `a` twice"), std::string::npos);
  ran = couler({"data", "stats", "-"}, "a,a\n1,2\n");
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("standard input:1: the header"), std::string::npos) << ran.err;
  EXPECT_EQ(couler({"data", "stats", "none.csv"}).code, 1);
  EXPECT_EQ(couler({"data", "state", "twice.csv"}).code, 2);
}

TEST_F(Data, inferredSchemas) {
  std::string text = "id,payment,none of us,in,tip,2nd,mixed,payment_,string\n";
  for (int i = 0; i < 30; ++i) {
    text += std::to_string(i) + (i % 2 == 0 ? ",cash," : ",card,") + "1,2," +
            (i % 5 == 0 ? "NA" : "0.5") + ",x,a b,cash,no\n";
  }
  text += "30,NA,1,2,1.5,x,c,card,no\n";
  write("some-trips.csv", text);
  const Ran ran = couler({"schema", "infer", "some-trips.csv", "--unique"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  expectGolden("driver/schema.cwl", ran.out);
  write("trips.cwl", ran.out);
  Ran checked = couler({"check", "trips.cwl"});
  EXPECT_EQ(checked.code, 0) << checked.err;
  checked = couler({"data", "check", "some-trips.csv", "--schema", "trips.cwl:SomeTrips"});
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
  EXPECT_EQ(couler({"fmt", "--check", "trips.cwl"}).code, 0);
}

TEST_F(Data, whatCannotBeInferred) {
  write("ragged.csv", "a,b\n1,2,3\n4,5,6\n");
  Ran ran = couler({"schema", "infer", "ragged.csv"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("no row is as the header says"), std::string::npos);
  write("odd.csv", "1,2\n3,4\n");
  EXPECT_EQ(couler({"schema", "infer", "odd.csv", "--name", "for"}).code, 2);
  EXPECT_EQ(couler({"schema", "guess", "odd.csv"}).code, 2);
}

/// Tables of others: what is inferred compiles and finds nothing wrong.
TEST_F(Data, inferredSchemasOfRealTables) {
  const char* set = std::getenv("COULER_CORPORA");
  const fs::path root =
      fs::path(set != nullptr ? set : COULER_SOURCE_DIR "/../shared/corpora") / "tabular";
  if (!fs::exists(root)) GTEST_SKIP() << "no tables at " << root;
  int tables = 0;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string path = entry.path().string();
    if (path.find(".csv") == std::string::npos) continue;
    Ran ran = couler({"schema", "infer", path, "--name", "T", "--unique", "-o", "t.cwl"});
    if (ran.code != 0) {  // two have lines of numbers for headers
      EXPECT_NE(ran.err.find("header"), std::string::npos) << path << ran.err;
      continue;
    }
    ++tables;
    ran = couler({"check", "t.cwl"});
    EXPECT_EQ(ran.code, 0) << path << ran.err;
    ran = couler({"data", "check", path, "--schema", "t.cwl:T"});
    EXPECT_EQ(ran.code, 0) << path << ran.out << ran.err;
  }
  EXPECT_GE(tables, 4);
}

constexpr const char* kChecked = R"(couler 1

fn short(text: string) -> bool = length(text) <= 8

schema Person {
    id:    int     where unique
    stars: int?    where stars in 0..6
    age:   float   where age >= 0.0 and age < 120.0
    kind:  string? where kind in ["a", "b"]
    name:  string  where short(name)
    late:  bool?
}

workflow main(people: file<csv>) -> (rows: file<csv>) {
    return (rows: read<Person>(people, on_bad: drop))
}
)";
constexpr const char* kPeople =
    "id,stars,age,kind,name,late,more\n"
    "1,3,20.5,a,ann,true,x\n"
    "2,,119.5,,bob,,x\n"
    "2,9,-1,c,cy,maybe,x\n"
    "4,-1,120,b,toolongname,,x\n"
    "5,x,,a,dora,,x\n"
    "6,1,3\n";

TEST_F(Data, checkTellsKindsApart) {
  write("people.cwl", kChecked);
  write("people.csv", kPeople);
  const Ran ran = couler({"data", "check", "people.csv", "--schema", "people.cwl:Person"});
  EXPECT_EQ(ran.code, 1) << ran.err;
  expectGolden("driver/anomalies.txt", ran.out);
  const Ran json =
      couler({"data", "check", "-", "--schema", "people.cwl:Person", "--format", "json"}, kPeople);
  EXPECT_EQ(json.code, 1) << json.err;
  const auto found = nlohmann::json::parse(json.out);
  std::map<std::string, std::string> names;
  for (const auto& entry : found["anomalies"]) {
    names[entry["kind"].get<std::string>() + " " + entry.value("column", "")] =
        entry.value("tfdv", "");
  }
  const std::map<std::string, std::string> wanted = {
      {"constraint name", "CUSTOM_VALIDATION"},
      {"duplicate-key id", "FEATURE_TYPE_LOW_UNIQUE"},
      {"missing age", "FEATURE_TYPE_LOW_FRACTION_PRESENT"},
      {"new-column more", "SCHEMA_NEW_COLUMN"},
      {"not-in-domain kind", "ENUM_TYPE_UNEXPECTED_STRING_VALUES"},
      {"not-of-type late", "BOOL_TYPE_UNEXPECTED_STRING"},
      {"not-of-type stars", "INT_TYPE_NOT_INT_STRING"},
      {"ragged-row ", ""},
      {"too-large age", "FLOAT_TYPE_BIG_FLOAT"},
      {"too-large stars", "INT_TYPE_BIG_INT"},
      {"too-small age", "FLOAT_TYPE_SMALL_FLOAT"},
      {"too-small stars", "INT_TYPE_SMALL_INT"},
  };
  EXPECT_EQ(names, wanted) << json.out;
  const Ran page = couler(
      {"data", "check", "people.csv", "--schema", "people.cwl:Person", "--format", "html"});
  EXPECT_TRUE(page.out.starts_with("<!doctype html>"));
  EXPECT_NE(page.out.find("toolongname"), std::string::npos);
}

TEST_F(Data, checkOfGoodAndOfMissingColumns) {
  write("people.cwl", kChecked);
  write("good.csv", "id,stars,age,kind,name,late\n1,,1,,x,\n2,5,2,a,y,true\n");
  Ran ran = couler({"data", "check", "good.csv", "--schema", "people.cwl:Person"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(ran.out, "good.csv: 2 rows, nothing wrong\n");
  write("few.csv", "id,stars,kind,name\n1,,,x\n");
  ran = couler({"data", "check", "few.csv", "--schema", "people.cwl:Person"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out,
            "missing-column in `age`\nmissing-column in `late`\nno row was looked at: add the "
            "columns to the file or take them out of the schema\n");
  EXPECT_EQ(couler({"data", "check", "good.csv"}).code, 2);
  EXPECT_EQ(couler({"data", "check", "good.csv", "--schema", "people.cwl"}).code, 1);
  EXPECT_EQ(couler({"data", "check", "good.csv", "--schema", "people.cwl:Folk"}).code, 1);
  ran = couler({"data", "stats", "good.csv", "--schema", "people.cwl:Person", "--format", "json"});
  EXPECT_EQ(nlohmann::json::parse(ran.out)["columns"][2]["type"], "float");
}

constexpr const char* kPlan = R"(couler-ir 1

schema P from "p.cwl" { n: int }

task read-P {
  param file: file<csv>
  output rows: file<csv> path "P.csv"
  result (rows: file<csv>)
  exprs { (%0 file: file<csv>)
    %1 = rows read fail(%0) { (%2 row: P)
      %3 "n: true" = const true : bool
      yield %3
    } : table<P>
    yield %1
  }
  run table
}
)";

TEST_F(Data, execWritesAnomalies) {
  write("n.csv", "n\n1\nx\ny\n");
  const Ran ran = couler({"exec", "--plan", kPlan, "--anomalies", "a.json", "n.csv", "out.csv"});
  EXPECT_EQ(ran.code, 1);
  // The list, which is of the whole file, then why the step fails.
  EXPECT_NE(ran.err.find("not-of-type in `n`: 2 rows; n.csv:3 `x`, n.csv:4 `y`"),
            std::string::npos)
      << ran.err;
  EXPECT_FALSE(exists("out.csv"));
  const auto found = nlohmann::json::parse(read("a.json"));
  EXPECT_EQ(found["total"], 2);
  EXPECT_EQ(found["anomalies"][0]["tfdv"], "INT_TYPE_NOT_INT_STRING");
}

constexpr const char* kGate = R"(couler 1

enum Pay { cash, card }

schema Trip {
    payment: Pay
    company: string?
    fare:    float?
    late:    bool
}

task say(text: string) -> (line: string = stdout) {
    image "busybox"
    run ["echo", text]
}

workflow gate(new: file<csv>, old: file<csv>) -> (said: string, far: float, each: list<float>) {
    let apart = drift(read<Trip>(new), read<Trip>(old))
    let said = if apart.linf > 0.01 {
        let loud = say("drifted: {apart.column}")
        loud.line
    } else {
        "steady"
    }
    return (said: said, far: apart.linf, each: apart.columns.jsd)
}

target cluster = argo { namespace: "ml", image: "couler", artifacts: s3(bucket: "b") }

test "drift of rows" {
    let a = Trip(payment: Pay.cash, company: "x", fare: 1.0, late: true)
    let b = Trip(payment: Pay.card, company: "x", fare: 2.0, late: true)
    expect drift([a, a], [a, b]).linf == 0.5
    expect drift([a, a], [a, b]).column == "fare"
    expect drift([a], old: [a]).jsd == 0.0
}
)";

TEST_F(Data, driftGatesASteps) {
  write("gate.cwl", kGate);
  write("n.csv", "payment,company,fare,late\ncash,x,0,true\ncash,y,1,true\ncard,,nan,true\n");
  write("o.csv", "payment,company,fare,late\ncard,x,0,true\ncash,y,1,true\ncard,x,1,true\n");
  const Ran tests = couler({"test", "gate.cwl"});
  EXPECT_EQ(tests.code, 0) << tests.out << tests.err;
  EXPECT_EQ(couler({"fmt", "--check", "gate.cwl"}).code, 0);
  Ran ran = couler({"run", "gate.cwl", "new=n.csv", "old=o.csv", "--outputs-json", "out.json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  auto out = nlohmann::json::parse(read("out.json"));
  EXPECT_EQ(out["said"], "drifted: payment");
  EXPECT_DOUBLE_EQ(out["far"], 1.0 / 3);
  // By the formula, in Python: of (2, 1)/3 with (1, 2)/3; of (1, 1)/2 with (2, 1)/3;
  // of (1, 0, …, 1 | 1 NaN)/3 with (1, 0, …, 2 | 0)/3.
  EXPECT_NEAR(out["each"][0], 0.08170416594551044, 1e-12);
  EXPECT_NEAR(out["each"][1], 0.020720839623908027, 1e-12);
  EXPECT_NEAR(out["each"][2], 0.20751874963942185, 1e-12);
  EXPECT_EQ(out["each"][3], 0.0);
  ran = couler({"run", "gate.cwl", "new=n.csv", "old=n.csv", "--outputs-json", "out.json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  out = nlohmann::json::parse(read("out.json"));
  EXPECT_EQ(out["said"], "steady");
  const Ran argo = couler({"build", "gate.cwl", "--target", "cluster", "-o", "gate.yaml"});
  EXPECT_EQ(argo.code, 0) << argo.err;
}

constexpr const char* kRecentTrips =
    "payment,fare,late,came,kind\ncash,0,true,1,a\ncash,1,true,2,b\ncard,nan,true,3,c\n";
constexpr const char* kOlderTrips =
    "payment,fare,late,went,kind\ncard,0,true,1,1\ncash,1,true,2,2\ncard,1,true,3,3\n";

TEST_F(Data, driftOfFiles) {
  write("n.csv", kRecentTrips);
  write("o.csv", kOlderTrips);
  const Ran text = couler({"data", "drift", "n.csv", "o.csv", "--threshold", "0.3"});
  EXPECT_EQ(text.code, 1) << text.err;
  expectGolden("driver/drift.txt", text.out);
  const Ran plain = couler({"data", "drift", "n.csv", "-"}, kOlderTrips);
  EXPECT_EQ(plain.code, 0) << plain.err;
  EXPECT_EQ(plain.out.find("far"), plain.out.find("fare")) << plain.out;
  const Ran ran = couler({"data", "drift", "n.csv", "o.csv", "--format", "json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  const auto found = nlohmann::json::parse(ran.out);
  EXPECT_EQ(found["columns"].size(), 5U);
  // The distances are those of the gate above.
  EXPECT_DOUBLE_EQ(found["columns"][0]["linf"], 1.0 / 3);
  EXPECT_NEAR(found["columns"][0]["jsd"], 0.08170416594551044, 1e-12);
  EXPECT_EQ(found["columns"][1]["linf"], nullptr);
  EXPECT_NEAR(found["columns"][1]["jsd"], 0.20751874963942185, 1e-12);
  EXPECT_EQ(found["columns"][3]["type"], nullptr);  // it went
  EXPECT_EQ(found["columns"][3]["jsd"], 1.0);
  EXPECT_EQ(found["columns"][4]["before"], "int");
  EXPECT_EQ(found["added"][0], "came");
  const Ran page = couler({"data", "drift", "n.csv", "o.csv", "-o", "drift.html"});
  EXPECT_EQ(page.code, 0) << page.err;
  EXPECT_NE(read("drift.html").find("<code>payment</code>"), std::string::npos);
}

TEST_F(Data, driftByASchema) {
  write("trip.cwl", "couler 1\n\nenum Pay { cash, card }\n\nschema Trip {\n    pay: Pay from \"payment\"\n"
                    "    fare: float\n    late: bool\n    kind: string\n}\n");
  write("n.csv", kRecentTrips);
  write("o.jsonl", "{\"payment\": \"cash\", \"fare\": 0, \"late\": false}\n"
                   "{\"payment\": \"cheque\", \"fare\": \"x\", \"late\": true}\n");
  const Ran ran = couler({"data", "drift", "n.csv", "o.jsonl", "--schema", "trip.cwl:Trip",
                          "--format", "json", "--threshold", "0.5"});
  EXPECT_EQ(ran.code, 1) << ran.out << ran.err;
  const auto found = nlohmann::json::parse(ran.out);
  ASSERT_EQ(found["columns"].size(), 3U) << ran.out;  // the older file has no kinds
  EXPECT_EQ(found["columns"][0]["column"], "payment");
  EXPECT_EQ(found["columns"][0]["type"], "Pay");
  EXPECT_DOUBLE_EQ(found["columns"][0]["linf"], 1.0 / 3);  // no case is no value: 2 of 3, 1 of 1
  EXPECT_EQ(found["columns"][0]["far"], false);
  EXPECT_DOUBLE_EQ(found["columns"][2]["linf"], 0.5);
  EXPECT_EQ(found["added"][0], "kind");
}

TEST_F(Data, driftOfWhatIsNone) {
  write("n.csv", "a,b\n1,2\n");
  EXPECT_EQ(couler({"data", "drift", "n.csv"}).code, 2);
  EXPECT_EQ(couler({"data", "drift", "n.csv", "n.csv", "n.csv"}).code, 2);
  EXPECT_EQ(couler({"data", "drift", "n.csv", "n.csv", "--threshold", "1.5"}).code, 2);
  EXPECT_EQ(couler({"data", "drift", "n.csv", "n.csv", "--threshold", "nan"}).code, 2);
  EXPECT_EQ(couler({"data", "drift", "n.csv", "n.csv", "--threshold", "0"}).code, 0);
  const Ran ran = couler({"data", "drift", "n.csv", "none.csv"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("none.csv"), std::string::npos);
}

TEST_F(Data, driftNeedsTablesThatShareColumns) {
  write("bad.cwl",
        "couler 1\n\nschema A {\n    x: int\n}\n\nschema B {\n    y: int\n}\n\n"
        "workflow main(f: file<csv>) -> (far: float) {\n"
        "    let apart = drift(read<A>(f), read<B>(f))\n    return (far: apart.jsd)\n}\n");
  const Ran ran = couler({"check", "bad.cwl"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("CW0325"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace couler::testing

// What TensorFlow Data Validation says of small tables with one fault each, and how far apart it finds
// others (tests/golden/tfdv/make.py), beside what `couler data` says.
#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/driver/command_line.h"

namespace couler::testing {
namespace {

using Json = nlohmann::json;
using Found = std::set<std::pair<std::string, std::string>>;

class Tfdv : public CommandLine {
 protected:
  const Json golden = Json::parse(slurp(fs::path(COULER_SOURCE_DIR) / "tests/golden/tfdv/golden.json"));
};

TEST_F(Tfdv, FindsTheSameAnomalies) {
  ASSERT_GE(golden["checks"].size(), 16U);
  for (const Json& one : golden["checks"]) {
    SCOPED_TRACE(one["name"].get<std::string>());
    write("t.cwl", "couler 1\n\nenum Tone { low, high }\n\nschema T {\n    " +
                       one["columns"].get<std::string>() + "\n}\n");
    write("t.csv", one["file"]);
    const Ran ran = couler({"data", "check", "t.csv", "--schema", "t.cwl:T", "--format", "json"});
    Found ours;
    const Json found = Json::parse(ran.out);
    for (const Json& anomaly : found["anomalies"]) {
      ours.emplace(anomaly["column"], anomaly["tfdv"]);
    }
    EXPECT_EQ(ran.code, found["total"] == 0 ? 0 : 1) << ran.err;
    Found theirs;
    for (const Json& anomaly : one["anomalies"]) {
      // These two come beside another one of the same column, and say the same again.
      if (anomaly[1] == "UNEXPECTED_DATA_TYPE" || anomaly[1] == "INVALID_FEATURE_SHAPE") continue;
      theirs.emplace(anomaly[0], anomaly[1]);
    }
    EXPECT_EQ(ours, theirs) << ran.out;
  }
}

struct Fault {
  const char* kind;
  const char* columns;
  const char* file;
  const char* column;
  int count;
  int row;  ///< of the first, from 1 without the header; 0: it is about no row
  const char* value;
};

// Every kind of docs/data.md, by hand: TFDV counts shares, and knows no places.
TEST_F(Tfdv, EachKindHasItsCountAndPlace) {
  constexpr Fault kFaults[] = {
      {"missing", "x: int", "x\n1\nNA\n3\nnull\n", "x", 2, 2, "NA"},
      {"not-of-type", "x: int, y: bool", "x,y\n1,true\n2,2\n", "y", 1, 2, "2"},
      {"out-of-range", "x: int", "x\n9223372036854775807\n9223372036854775808\n", "x", 1, 2,
       "9223372036854775808"},
      {"not-utf-8", "x: int, y: string", "x,y\n1,a\n2,\xC3\x28\n", "y", 1, 2, "\\xC3("},
      {"not-a-case", "y: Tone", "y\nlow\nmid\nLow\n", "y", 2, 2, "mid"},
      {"not-in-domain", "y: string where y in [\"a\", \"b\"]", "y\na\nc\nb\n", "y", 1, 2, "c"},
      {"too-small", "x: int where x in 1..4", "x\n1\n3\n0\n-1\n", "x", 2, 3, "0"},
      {"too-large", "x: float where x < 4.0", "x\n3.5\n4\n", "x", 1, 2, "4.0"},
      {"constraint", "x: int where x % 2 == 0", "x\n2\n3\n4\n", "x", 1, 2, "3"},
      {"duplicate-key", "x: int where unique", "x\n1\n2\n1\n1\n", "x", 2, 3, "1"},
      {"ragged-row", "x: int, y: int", "x,y\n1,2\n1\n\"a\nb\",2,3\n", "", 2, 2, "1 cell, the header 2"},
      {"missing-column", "x: int, y: int", "x\n1\n", "y", 1, 0, ""},
      {"new-column", "x: int", "x,y\n1,2\n", "y", 1, 0, ""},
  };
  for (const Fault& fault : kFaults) {
    SCOPED_TRACE(fault.kind);
    write("t.cwl", std::string("couler 1\n\nenum Tone { low, high }\n\nschema T { ") +
                       fault.columns + " }\n");
    write("t.csv", fault.file);
    const Ran ran = couler({"data", "check", "t.csv", "--schema", "t.cwl:T", "--format", "json"});
    const Json found = Json::parse(ran.out)["anomalies"];
    ASSERT_EQ(found.size(), 1U) << ran.out << ran.err;
    EXPECT_EQ(found[0]["kind"], fault.kind);
    EXPECT_EQ(found[0].value("column", ""), fault.column);
    EXPECT_EQ(found[0]["count"], fault.count);
    if (fault.row == 0) continue;
    const Json& first = found[0]["examples"][0];
    EXPECT_EQ(first["row"], fault.row) << ran.out;
    // Conditions are looked at when lines are forgotten.
    EXPECT_EQ(first.value("line", fault.row + 1), fault.row + 1) << ran.out;
    EXPECT_EQ(first["value"], fault.value) << ran.out;
  }
  write("t.cwl", "couler 1\n\nschema T { x: int }\n");
  write("t.jsonl", "{\"x\": 1}\n[2]\n{\"x\": 3}\n");
  const Ran ran = couler({"data", "check", "t.jsonl", "--schema", "t.cwl:T", "--format", "json"});
  const Json found = Json::parse(ran.out)["anomalies"];
  ASSERT_EQ(found.size(), 1U) << ran.out;
  EXPECT_EQ(found[0]["kind"], "malformed");
  EXPECT_EQ(found[0]["count"], 1);
  EXPECT_EQ(found[0]["examples"][0]["line"], 2);
}

TEST_F(Tfdv, FindsTheSameDrift) {
  ASSERT_GE(golden["drifts"].size(), 4U);
  std::size_t compared = 0;
  for (const Json& one : golden["drifts"]) {
    SCOPED_TRACE(one["name"].get<std::string>());
    write("new.csv", one["new"]);
    write("old.csv", one["old"]);
    const Ran ran = couler({"data", "drift", "new.csv", "old.csv", "--format", "json"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    const Json found = Json::parse(ran.out);
    for (const Json& column : found["columns"]) {
      const std::string name = column["column"];
      SCOPED_TRACE(name);
      const Json& theirs = one["columns"][name];
      // TFDV works the counts of its buckets out from quantiles, as if values were spread evenly
      // between these: nearly right for many different ones, and not for ints of which there are
      // few.
      const double distance = theirs["jsd"];
      const double near = name == "pay" ? 1e-9 : name == "fare" ? 0.03 * distance : 0.08;
      EXPECT_NEAR(column["jsd"], distance, std::max(near, 1e-9));
      EXPECT_EQ(column["linf"].is_null(), !theirs.contains("linf"));
      if (theirs.contains("linf")) {
        EXPECT_NEAR(column["linf"], theirs["linf"].get<double>(), 1e-12);
      }
      ++compared;
    }
  }
  EXPECT_EQ(compared, 3 * golden["drifts"].size());
}

}  // namespace
}  // namespace couler::testing

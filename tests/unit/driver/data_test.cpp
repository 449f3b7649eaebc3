// `couler data` and `couler schema`.
#include <cstdlib>
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

}  // namespace
}  // namespace couler::testing

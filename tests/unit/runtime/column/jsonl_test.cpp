#include <cmath>

#include "tests/unit/runtime/column/table_fixture.h"

namespace couler::column {
namespace {

class JsonlTest : public TableTest {};

TEST_F(JsonlTest, ReadsEachKind) {
  EXPECT_EQ(
      jsonl(
          R"({"b":true,"i":-12,"f":1,"s":"h\u00e9\n","t":"2024-05-01","d":90000000,"z":"4 KiB","e":"Red","l":[1, 2]})"
          "\n\n"
          R"( {"l": [], "e":"Blue","z":7,"d":"1 min","t":"2012/01/02 00:00:01","s":"","f":"nan","i":9223372036854775807,"b":false,"more":{"x":[1]}} )",
          "b:bool i:int f:float s:string t:timestamp d:duration z:size e:Red|Blue l:ints"),
      "true -12 1.0 \"hé\\n\" \"2024-05-01T00:00:00Z\" 90000000 4096 \"Red\" [1,2]\n"
      "false 9223372036854775807 \"nan\" \"\" \"2012-01-02T00:00:01Z\" 60000000 7 \"Blue\" []\n");
}

TEST_F(JsonlTest, AbsentAndNullAreMissing) {
  EXPECT_EQ(jsonl("{\"a\":null}\n{\"b\":\"\"}\n{}\r\n", "a:int? b:string?"),
            "null null\nnull \"\"\nnull null\n");
  EXPECT_EQ(jsonl("{\"a\":1}\n{}\n", "a:int"),
            "t.jsonl:2: column `a` has no value; declare it `int?` if cells may be empty");
}

TEST_F(JsonlTest, AnomaliesAreCountedAndLocated) {
  const std::string text =
      "{\"a\":1.5}\n{\"a\":\"x\"}\n{\"a\":99999999999999999999}\n{\"a\":1,}\n[1]\n{\"a\":1} x\n"
      "{\"a\":{\"b\":1}}\n{\"a\":\xFF}\n{\"a\":5}\n";
  ReadOptions drop;
  drop.onBad = ir::BadRows::Drop;
  const Read result = read(put("t.jsonl", text), schema("a:int"), drop);
  EXPECT_EQ(shown(result), "5\n");
  EXPECT_EQ(result.ids, std::vector<std::int64_t>{8});
  EXPECT_EQ(result.log.total(), 8);
  EXPECT_EQ(result.log.text("t"),
            "not-of-type in `a`: 3 rows; t.jsonl:1 `1.5`, t.jsonl:2 `x`, t.jsonl:7 `{`\n"
            "out-of-range in `a`: 1 row; t.jsonl:3 `99999999999999999999`\n"
            "malformed: 3 rows; t.jsonl:4 `{\"a\":1,}`, t.jsonl:5 `[1]`, t.jsonl:6 `{\"a\":1} x`\n"
            "not-utf-8: 1 row; t.jsonl:8 `{\"a\":\\xFF}`\n");
  EXPECT_EQ(jsonl(text, "a:int").substr(0, 61),
            "t.jsonl:1: column `a` holds `1.5`, which is not an int; is th");
  ReadOptions keep;
  keep.onBad = ir::BadRows::Keep;
  EXPECT_EQ(jsonl(text, "a:int?", keep), "null\nnull\nnull\nnull\n5\n");
}

TEST_F(JsonlTest, WholeFilesThatAreNotJsonLines) {
  EXPECT_NE(jsonl("[\n{\"a\":1}\n]\n", "a:int").find("is one JSON array"), std::string::npos);
  EXPECT_EQ(jsonl("", "a:int"), "");
  ReadOptions options;
  options.maxCell = 1000;
  EXPECT_NE(jsonl("{\"a\":1}\n{\"a\":\"" + std::string(1 << 21, 'x'), "a:int?", options)
                .find(":2: the line is longer than 1000 B"),
            std::string::npos);
}

TEST_F(JsonlTest, LongLines) {
  const std::string longText(std::size_t{3} << 20, 'x');
  const Read result =
      read(put("t.jsonl", "{\"a\":\"" + longText + "\"}\n{\"a\":\"y\"}"), schema("a:string"));
  ASSERT_EQ(result.error, "");
  ASSERT_EQ(result.rows.size(), 2U);
  EXPECT_EQ(result.rows[0].named()[0].second.as<std::string>()->size(), longText.size());
}

TEST_F(JsonlTest, Writes) {
  const Schema columns = schema("a:string? f:float l:ints");
  const std::vector<ir::Value> rows = {
      ir::Value::record(
          {{"a", std::string("q\"\n")}, {"f", 1.0}, {"l", ir::Value::list({std::int64_t{3}})}}),
      ir::Value::record({{"a", {}}, {"f", HUGE_VAL}, {"l", ir::Value::list({})}})};
  ASSERT_EQ(write(at("w.jsonl"), "jsonl", columns, {batchOf(columns, rows)}), "");
  EXPECT_EQ(get(at("w.jsonl")),
            "{\"a\":\"q\\\"\\n\",\"f\":1.0,\"l\":[3]}\n{\"a\":null,\"f\":\"inf\",\"l\":[]}\n");
}

}  // namespace
}  // namespace couler::column

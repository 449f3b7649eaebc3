// The drift of tables against that of the same rows as lists, which defines it.
#include <cmath>
#include <random>

#include "ir/drift.h"
#include "runtime/column/drift.h"
#include "tests/unit/runtime/column/table_fixture.h"

namespace couler::column {
namespace {

class DriftTest : public TableTest {
 protected:
  /// A file of rows as a table that opens anew each time.
  TableOpener opener(const std::string& path, const Schema& fields) {
    return [this, path, &fields](std::vector<bool> wanted, StreamError& error) {
      ReadOptions options;
      options.wanted = std::move(wanted);
      return openSource(path, fields, options, log_, error);
    };
  }
  AnomalyLog log_;
};

TEST_F(DriftTest, IsThatOfTheRowsToTheBit) {
  const Schema fields = schema("s:string? e:A|B|C b:bool f:float? i:int t:timestamp? same:int");
  const std::vector<std::string> names = {"s", "e", "b", "f", "i", "t", "same"};
  const std::vector<bool> numeric = {false, false, false, true, true, true, true};
  std::mt19937 random(3);
  for (int round = 0; round < 12; ++round) {
    std::array<std::string, 2> paths;
    std::array<std::vector<ir::Value>, 2> rows;
    for (std::size_t side = 0; side < 2; ++side) {
      std::string text = "s,e,b,f,i,t,same\n";
      const std::uint64_t count = round == 0 ? 0 : random() % 20'000;
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t r = random();
        text += (r % 7 == 0 ? "" : "w" + std::to_string(r % (50 + 20 * side))) + "," +
                "ABC"[r % (2 + side)] + (r % 3 == 0 ? ",true," : ",false,") +
                (r % 11 == 0   ? ""
                 : r % 13 == 0 ? "nan"
                 : r % 17 == 0 ? "-inf"
                               : std::to_string(std::ldexp(static_cast<double>(r), -20))) +
                "," + std::to_string(r % 1000) + "," + (r % 5 == 0 ? "" : "2024-01-0") +
                (r % 5 == 0 ? "" : std::to_string(1 + r % (6 + side))) + ",5\n";
      }
      paths[side] = put("d" + std::to_string(side) + ".csv", text);
      Read all = read(paths[side], fields);
      ASSERT_EQ(all.error, "");
      rows[side] = std::move(all.rows);
    }
    const auto found = driftOfTables(opener(paths[0], fields), opener(paths[1], fields), names,
                                     numeric);
    ASSERT_TRUE(std::holds_alternative<ir::Value>(found));
    const ir::Value wanted = ir::driftOf(rows[0], rows[1], names, numeric);
    EXPECT_EQ(ir::toJson(std::get<ir::Value>(found)), ir::toJson(wanted));
  }
}

TEST_F(DriftTest, ATableThatCannotBeReadIsAnError) {
  const Schema fields = schema("n:int");
  const std::string good = put("good.csv", "n\n1\n");
  const std::string bad = put("bad.csv", "n\nx\n");
  const auto found = driftOfTables(opener(good, fields), opener(bad, fields), {"n"}, {true});
  ASSERT_TRUE(std::holds_alternative<StreamError>(found));
  EXPECT_NE(std::get<StreamError>(found).message.find("not an int"), std::string::npos);
}

}  // namespace
}  // namespace couler::column

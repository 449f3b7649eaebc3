#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "tests/unit/runtime/column/table_fixture.h"

namespace couler::column {
namespace {

class RoundTripTest : public TableTest {
 protected:
  std::string randomText() {
    static const std::vector<std::string> kPieces = {"a",
                                                     "\"",
                                                     ",",
                                                     "\n",
                                                     "\r",
                                                     "\r\n",
                                                     "é",
                                                     "漢字",
                                                     "\t",
                                                     " ",
                                                     "NA",
                                                     "null",
                                                     "\\",
                                                     "{",
                                                     "'",
                                                     "\xEF\xBB\xBF",
                                                     std::string("\0", 1),
                                                     ";",
                                                     "1.5",
                                                     "\x7f",
                                                     "𝄞"};
    std::string text;
    for (std::size_t n = random_() % 6; n > 0; --n) text += kPieces[random_() % kPieces.size()];
    if (random_() % 500 == 0) text.append(random_() % 100'000, 'x');
    return text;
  }
  std::int64_t randomInt() {
    switch (random_() % 8) {
      case 0:
        return std::numeric_limits<std::int64_t>::min();
      case 1:
        return std::numeric_limits<std::int64_t>::max();
      default:
        return static_cast<std::int64_t>(random_()) >> (random_() % 64);
    }
  }
  double randomFloat() {
    switch (random_() % 8) {
      case 0:
        return std::numeric_limits<double>::quiet_NaN();
      case 1:
        return -std::numeric_limits<double>::infinity();
      case 2:
        return -0.0;
      case 3:
        return static_cast<double>(static_cast<std::int64_t>(random_() % 2000) - 1000) / 8;
      default: {
        double value = 0;
        const std::uint64_t bits = random_();
        std::memcpy(&value, &bits, sizeof value);
        return std::isnan(value) ? 1.0 : value;
      }
    }
  }
  ir::Value randomValue(const Field& field) {
    if (field.optional && random_() % 4 == 0) return {};
    switch (field.kind) {
      case Kind::Bool:
        return random_() % 2 == 0;
      case Kind::Int:
        return randomInt();
      case Kind::Float:
        return randomFloat();
      case Kind::String:
        return randomText();
      case Kind::Timestamp:  // years 1 to 9999
        return ir::Timestamp{static_cast<std::int64_t>(random_() % 315'537'897'599'999'999) -
                             62'135'596'800'000'000};
      case Kind::Duration:
        return ir::Duration{randomInt() / 1000 * 1000};
      case Kind::Size:
        return ir::Size{std::abs(randomInt() / 2)};
      case Kind::Enum:
        return ir::EnumCase{field.cases[random_() % field.cases.size()]};
      case Kind::Value: {
        ir::ListItems items;
        for (std::size_t n = random_() % 4; n > 0; --n) items.emplace_back(randomInt());
        return ir::Value::list(std::move(items));
      }
    }
    return {};
  }
  std::vector<ir::Value> randomRows(const Schema& schema, std::size_t count) {
    std::vector<ir::Value> rows;
    while (rows.size() < count) {
      ir::NamedItems cells;
      for (const Field& field : schema.fields) cells.emplace_back(field.name, randomValue(field));
      rows.push_back(ir::Value::record(std::move(cells)));
    }
    return rows;
  }

  std::mt19937_64 random_{42};
};

TEST_F(RoundTripTest, EachFormatGivesTheSameRowsBack) {
  const char* kinds[] = {"bool",      "int",      "float", "string",
                         "timestamp", "duration", "size",  "A|b,c|NA|\"q\"|é",
                         "ints"};
  for (int round = 0; round < 60; ++round) {
    std::string text;
    const std::size_t columns = 1 + random_() % 9;
    for (std::size_t i = 0; i < columns; ++i) {
      text += "c" + std::to_string(i) + ":" + kinds[random_() % std::size(kinds)] +
              (random_() % 2 == 0 ? "? " : " ");
    }
    const Schema columnsOf = schema(text);
    const std::size_t sizes[] = {0, 1, 10, 100, 3000, 9000, 20'000};
    const std::vector<ir::Value> rows =
        randomRows(columnsOf, sizes[random_() % (round < 20 ? 7 : 5)]);
    std::vector<Batch> batches;
    for (std::size_t from = 0; from < rows.size();) {
      const std::size_t size = std::min(rows.size() - from, 1 + random_() % 9000);
      batches.push_back(
          batchOf(columnsOf, {rows.begin() + static_cast<std::ptrdiff_t>(from),
                              rows.begin() + static_cast<std::ptrdiff_t>(from + size)}));
      from += size;
    }
    for (const char* format : {"csv", "jsonl", "arrow"}) {
      SCOPED_TRACE(std::string(format) + ": " + text);
      const std::string path = at("t" + std::to_string(round) + "." + format);
      ASSERT_EQ(write(path, format, columnsOf, batches), "");
      const Read result = read(path, columnsOf);
      ASSERT_EQ(result.error, "");
      EXPECT_EQ(result.log.total(), 0) << result.log.text(path);
      ASSERT_EQ(result.rows.size(), rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        ASSERT_TRUE(ir::identical(result.rows[i], rows[i])) << i << "\n"
                                                            << ir::toJson(result.rows[i]) << "\n"
                                                            << ir::toJson(rows[i]);
        ASSERT_EQ(result.ids[i], static_cast<std::int64_t>(i));
      }
    }
  }
}

TEST_F(RoundTripTest, BatchesKnowTheirSchema) {
  const Schema columns = schema("a:int? b:string e:X|Y l:ints");
  EXPECT_EQ(columns.find("b"), 1);
  EXPECT_EQ(columns.find("c"), -1);
  EXPECT_TRUE(columns.fields[0].optional);
  EXPECT_EQ(columns.fields[2].cases, (std::vector<std::string>{"X", "Y"}));
  EXPECT_EQ(columns.fields[3].kind, Kind::Value);
  const std::vector<ir::Value> rows = randomRows(columns, 100);
  std::vector<ir::Value> again;
  const Batch batch = batchOf(columns, rows);
  EXPECT_EQ(batch.rows, 100);
  appendRows(columns, batch, again);
  EXPECT_EQ(again, rows);
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    if (batch.columns[0].valid && batch.columns[0].valid->as<std::uint8_t>()[row] == 0) {
      EXPECT_EQ(batch.columns[0].values->as<std::int64_t>()[row], 0);
    }
  }
}

}  // namespace
}  // namespace couler::column

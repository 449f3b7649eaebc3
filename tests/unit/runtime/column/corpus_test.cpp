// Files from outside: real tables, and what Python's csv module says about random ones.
#include <random>

#include <nlohmann/json.hpp>

#include "tests/unit/runtime/column/table_fixture.h"

namespace couler::column {
namespace {

class CorpusTest : public TableTest {
 protected:
  void SetUp() override {
    const char* root = std::getenv("COULER_CORPORA");
    root_ =
        std::string(root != nullptr ? root : COULER_SOURCE_DIR "/../shared/corpora") + "/tabular/";
    if (!std::filesystem::exists(root_)) GTEST_SKIP() << "no corpora at " << root_;
  }
  /// Columns whose names have spaces: `schema` splits at them.
  Schema named(const std::vector<std::pair<std::string, ir::TypeId>>& columns) {
    std::vector<ir::TypeField> fields;
    for (const auto& [name, type] : columns) fields.push_back({name, type});
    return schemaOf(types_, types_.record(std::move(fields)));
  }
  std::string root_;
};

TEST_F(CorpusTest, Penguins) {
  using T = ir::TypeTable;
  const ir::TypeId number = types_.optional(T::kFloat);
  const Read result =
      read(root_ + "penguins-raw.csv", named({{"Species", T::kString},
                                              {"Sample Number", T::kInt},
                                              {"Date Egg", T::kTimestamp},
                                              {"Culmen Length (mm)", number},
                                              {"Flipper Length (mm)", types_.optional(T::kInt)},
                                              {"Delta 15 N (o/oo)", number},
                                              {"Comments", types_.optional(T::kString)}}));
  EXPECT_EQ(result.error, "");
  ASSERT_EQ(result.rows.size(), 344U);
  const ir::NamedItems& first = result.rows[0].named();
  EXPECT_EQ(ir::toText(first[0].second), "Adelie Penguin (Pygoscelis adeliae)");
  EXPECT_EQ(ir::toText(first[2].second), "2007-11-11T00:00:00Z");
  EXPECT_EQ(ir::toText(first[3].second), "39.1");
  EXPECT_TRUE(first[5].second.isNone());
  EXPECT_EQ(ir::toText(first[6].second), "Not enough blood for isotopes.");
}

TEST_F(CorpusTest, OtherTables) {
  Read result = read(root_ + "seattle-weather.csv",
                     schema("date:timestamp precipitation:float temp_max:float temp_min:float "
                            "wind:float weather:drizzle|rain|sun|snow|fog"));
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.rows.size(), 1461U);
  result = read(root_ + "movies.csv",
                schema("movie_title:string title_year:int? genres:string gross:int?"));
  EXPECT_EQ(result.error, "");
  EXPECT_GT(result.rows.size(), 1000U);
  // The first lines of these are no headers, but the first has as many names as columns.
  result = read(root_ + "iris.csv", schema("setosa:float"));
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.rows.size(), 150U);
  result = read(root_ + "wine_data.csv", schema("class_0:float"));
  EXPECT_NE(result.error.find("wine_data.csv:2: the row has 14 cells, the header 5"),
            std::string::npos);
  EXPECT_EQ(result.log.total(), 178);
  ReadOptions drop;
  drop.onBad = ir::BadRows::Drop;
  EXPECT_NE(read(root_ + "digits.csv.gz", schema("a:int"), drop).error.find("twice"),
            std::string::npos);
}

TEST_F(CorpusTest, CarsAsJsonLines) {
  EXPECT_NE(read(root_ + "cars.json", schema("Name:string"),
                 [] {
                   ReadOptions options;
                   options.format = "jsonl";
                   return options;
                 }())
                .error.find("is one JSON array"),
            std::string::npos);
  std::string lines;
  for (const auto& car : nlohmann::ordered_json::parse(get(root_ + "cars.json"))) {
    lines += car.dump() + "\n";
  }
  const Read result = read(put("cars.jsonl", lines),
                           schema("Name:string Miles_per_Gallon:float? Cylinders:int "
                                  "Horsepower:int? Year:timestamp Origin:USA|Europe|Japan"));
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.rows.size(), 406U);
}

class PythonTest : public TableTest {};

TEST_F(PythonTest, ReadsRandomCsvAsPythonDoes) {
  if (std::system("python3 -c 'import csv' 2>/dev/null") != 0) GTEST_SKIP() << "no python3";
  constexpr int kFiles = 400;
  std::mt19937 random(5);
  const std::vector<std::string> pieces = {
      ",",    ",",     "\n", "\n",   "\r\n", "\"", "\"",
      "\"\"", "a",     "bb", " ",    "é",    ";",  "0",
      "\t",   "\",\"", "'",  "\"\n", ",\"x", "=",  "long enough to matter"};
  for (int i = 0; i < kFiles; ++i) {
    std::string text = "a,b,c\n";
    for (int n = static_cast<int>(random() % 300); n > 0; --n)
      text += pieces[random() % pieces.size()];
    while (text.ends_with('\r')) text.pop_back();
    put(std::to_string(i) + ".csv", text);
  }
  put("read.py",
      "import csv, json\n"
      "for i in range(" +
          std::to_string(kFiles) +
          "):\n"
          "    with open(f'{i}.csv', encoding='utf-8', newline='') as f:\n"
          "        rows = [r for r in csv.reader(f) if len(r) == 3][1:]\n"
          "    with open(f'{i}.json', 'w', encoding='utf-8') as f:\n"
          "        json.dump(rows, f)\n");
  ASSERT_EQ(std::system(("cd " + dir_ + " && python3 read.py").c_str()), 0);
  ReadOptions drop;
  drop.onBad = ir::BadRows::Drop;
  const Schema columns = schema("a:string b:string c:string");
  std::size_t compared = 0;
  for (int i = 0; i < kFiles; ++i) {
    const Read result = read(at(std::to_string(i) + ".csv"), columns, drop);
    if (result.error.find("no closing quote") != std::string::npos) continue;  // Python goes on
    ASSERT_EQ(result.error, "");
    const auto expected = nlohmann::json::parse(get(at(std::to_string(i) + ".json")));
    ASSERT_EQ(result.rows.size(), expected.size()) << i << "\n"
                                                   << get(at(std::to_string(i) + ".csv"));
    for (std::size_t row = 0; row < result.rows.size(); ++row) {
      for (std::size_t k = 0; k < 3; ++k) {
        ASSERT_EQ(*result.rows[row].named()[k].second.as<std::string>(),
                  expected[row][k].get<std::string>())
            << i << " " << row;
      }
      ++compared;
    }
  }
  EXPECT_GT(compared, 500U);
}

}  // namespace
}  // namespace couler::column

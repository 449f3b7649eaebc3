#include "runtime/column/arrow.h"

#include <cstring>
#include <limits>

#include "runtime/column/arrow_library.h"
#include "tests/unit/runtime/column/table_fixture.h"

namespace couler::column {
namespace {

constexpr const char* kAll =
    "b:bool? i:int? f:float? s:string? t:timestamp? d:duration? z:size? e:Red|Green|Blue?";
constexpr const char* kRows =
    "true 1 1.5 \"é\" \"2024-05-01T12:00:00Z\" 90000000 4096 \"Red\"\n"
    "null null null null null null null null\n"
    "false -9223372036854775808 \"nan\" \"\" \"1969-12-31T00:00:00Z\" 0 0 \"Blue\"\n";

class ArrowTest : public TableTest {
 protected:
  /// A file that another program wrote.
  [[nodiscard]] static std::string foreign(const std::string& name) {
    return std::string(COULER_SOURCE_DIR) + "/tests/fuzz/corpus/arrow_fuzz/" + name;
  }
  std::string through(std::unique_ptr<Source> source, const Schema& columns, StreamError error) {
    if (!source) return error.message;
    Read result;
    while (const auto batch = source->next()) appendRows(columns, *batch, result.rows);
    return source->error() ? source->error()->message : shown(result);
  }
  std::string withLibrary(const std::string& path, const char* format, const Schema& columns) {
    StreamError error;
    AnomalyLog log;
    auto source = openWithArrow(path, format, columns, {}, log, error);
    return through(std::move(source), columns, error);
  }
  std::string withoutLibrary(const std::string& path, const Schema& columns) {
    StreamError error;
    AnomalyLog log;
    auto source = openArrow(path, columns, {}, log, error);
    if (!source && error.message.empty()) return "foreign";
    return through(std::move(source), columns, error);
  }
  std::string ours(const std::string& name) {
    const Schema columns = schema(kAll);
    const Read rows = read(
        put("in.jsonl",
            R"({"b":true,"i":1,"f":1.5,"s":"é","t":"2024-05-01T12:00:00Z","d":90000000,"z":4096,"e":"Red"})"
            "\n{}\n"
            R"({"b":false,"i":-9223372036854775808,"f":"nan","s":"","t":"1969-12-31","d":0,"z":0,"e":"Blue"})"),
        columns);
    EXPECT_EQ(shown(rows), kRows);
    EXPECT_EQ(write(at(name), "arrow", columns, {batchOf(columns, rows.rows)}), "");
    return at(name);
  }
};

TEST_F(ArrowTest, ReadsWhatOthersWrote) {
  for (const char* name : {"pyarrow_file.arrow", "pyarrow_stream.arrow", "nested.arrow",
                           "large_text.arrow", "wide_dictionary.arrow"}) {
    EXPECT_EQ(withoutLibrary(foreign(name), schema(kAll)), kRows) << name;
  }
  EXPECT_EQ(withoutLibrary(foreign("lz4.arrow"), schema(kAll)), "foreign");
  EXPECT_EQ(withoutLibrary(foreign("small_ints.arrow"), schema("i:int?")), "foreign");
  EXPECT_EQ(withoutLibrary(foreign("small_ints.arrow"), schema("f:float?")),
            "1.5\nnull\n\"nan\"\n");
}

TEST_F(ArrowTest, AFileHasOneNan) {
  const Schema columns = schema("f:float");
  Batch batch;
  batch.rows = 3;
  auto values = Buffer::make(3 * sizeof(std::uint64_t));
  const std::uint64_t bits[] = {0xfff8000000000000, 0x7ff4000000000001, 0x7ff8000000000000};
  std::memcpy(values->data(), bits, sizeof bits);
  batch.columns.push_back({values, nullptr, {}, nullptr});
  for (const char* name : {"many.arrow", "one.arrow"}) {
    EXPECT_EQ(write(at(name), "arrow", columns, {batch}), "");
    for (std::size_t i = 0; i < 3; ++i) {
      values->as<double>()[i] = std::numeric_limits<double>::quiet_NaN();
    }
  }
  EXPECT_EQ(get(at("many.arrow")), get(at("one.arrow")));
}

TEST_F(ArrowTest, OthersReadWhatWeWrite) {
#ifndef COULER_HAS_ARROW
  GTEST_SKIP() << "built without Arrow's library";
#endif
  EXPECT_EQ(withLibrary(ours("t.arrow"), "arrow", schema(kAll)), kRows);
  const std::string stream = get(at("t.arrow")).substr(8);
  EXPECT_EQ(withLibrary(put("stream.arrow", stream), "arrow", schema(kAll)), kRows);
}

TEST_F(ArrowTest, TheLibraryTakesTheRest) {
#ifndef COULER_HAS_ARROW
  GTEST_SKIP() << "built without Arrow's library";
#endif
  EXPECT_EQ(shown(read(foreign("small_ints.arrow"), schema("i:int?"))), "1\nnull\n-7\n");
  EXPECT_EQ(shown(read(foreign("lz4.arrow"), schema(kAll))), kRows);
  const std::string problem = read(foreign("nested.arrow"), schema("l:int")).error;
  EXPECT_NE(problem.find("column `l` is of Arrow's type `list<"), std::string::npos) << problem;
}

TEST_F(ArrowTest, ParquetGivesTheSameRowsBack) {
#ifndef COULER_HAS_ARROW
  GTEST_SKIP() << "built without Arrow's library";
#endif
  const Schema columns = schema(std::string(kAll) + " l:ints");
  std::string text;
  std::string expected;
  for (int i = 0; i < 20'000; ++i) {
    text += i % 3 == 0 ? "{\"l\":[]}\n"
                       : "{\"b\":true,\"i\":" + std::to_string(i) +
                             ",\"f\":0.1,\"s\":\"x\\u00e9\",\"t\":\"2024-05-01\",\"d\":5,\"z\":6,"
                             "\"e\":\"Green\",\"l\":[1,2]}\n";
    expected += i % 3 == 0 ? "null null null null null null null null []\n"
                           : "true " + std::to_string(i) +
                                 " 0.1 \"xé\" \"2024-05-01T00:00:00Z\" 5 6 \"Green\" [1,2]\n";
  }
  const Read rows = read(put("in.jsonl", text), columns);
  ASSERT_EQ(write(at("t.parquet"), "parquet", columns, {batchOf(columns, rows.rows)}), "");
  EXPECT_EQ(shown(read(at("t.parquet"), columns)), expected);
  EXPECT_NE(write(at("t.parquet"), "parquet", columns, {}).find("File exists"), std::string::npos);
  ReadOptions some;
  some.wanted = {false, true, false, false, false, false, false, false, false};
  EXPECT_EQ(read(at("t.parquet"), columns, some).rows.size(), 20'000U);
  EXPECT_NE(read(at("t.parquet"), schema("ii:int")).error.find("it has `i`"), std::string::npos);
  EXPECT_NE(
      read(put("cut.parquet", get(at("t.parquet")).substr(0, 1000)), columns).error.find("magic"),
      std::string::npos);
}

TEST_F(ArrowTest, ParquetWithoutTheLibraryIsOneClearError) {
#ifdef COULER_HAS_ARROW
  GTEST_SKIP() << "built with Arrow's library";
#endif
  EXPECT_NE(read(put("t.parquet", "PAR1"), schema("a:int")).error.find("need Arrow's library"),
            std::string::npos);
  EXPECT_NE(write(at("w.parquet"), "parquet", schema("a:int"), {}).find("need Arrow's library"),
            std::string::npos);
}

TEST_F(ArrowTest, AFileThatShrinksOrIsWrittenToIsAnError) {
  const column::Schema columns = schema("a:int");
  const auto path = at("t.arrow");
  const auto last = [&](auto&& meanwhile) {
    std::filesystem::remove(path);
    StreamError error;
    const auto sink = openSink(path, "arrow", columns, error);
    std::vector<ir::Value> rows(kBatchRows, ir::Value::record({{"a", ir::Value(std::int64_t{3})}}));
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(sink->write(batchOf(columns, rows)));
    EXPECT_TRUE(sink->finish());
    std::filesystem::last_write_time(path, {});
    AnomalyLog log;
    const auto source = openSource(path, columns, {}, log, error);
    EXPECT_TRUE(source && source->next());
    meanwhile();
    while (source->next()) {
    }
    return source->error() ? source->error()->message : std::string();
  };
  EXPECT_EQ(last([] {}), "");
  EXPECT_NE(last([&] { std::filesystem::resize_file(path, 1000); }).find("shrank while it was read"),
            std::string::npos);
  EXPECT_NE(last([&] {
              std::fstream(path, std::ios::in | std::ios::out) << "ARROW1";
            }).find("was changed while it was read"),
            std::string::npos);
}

TEST_F(ArrowTest, AnomaliesAreThoseOfOtherFormats) {
  const std::string path = ours("t.arrow");
  ReadOptions drop;
  drop.onBad = ir::BadRows::Drop;
  Read result = read(path, schema("e:Blue|Red s:string"), drop);
  EXPECT_EQ(shown(result), "\"Red\" \"é\"\n\"Blue\" \"\"\n");  // by name, not by number
  EXPECT_EQ(result.ids, (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(result.log.text("t"),
            "missing in `e`: 1 row; t.arrow row 2\nmissing in `s`: 1 row; t.arrow row 2\n");
  EXPECT_NE(read(path, schema("e:Blue|Green?"))
                .error.find("row 1: column `e` holds `Red`, which is not a case of its enum"),
            std::string::npos);
  EXPECT_NE(read(path, schema("sz:string")).error.find("the header has no column `sz`; it has `s`"),
            std::string::npos);
}

TEST_F(ArrowTest, DamagedFilesAreErrors) {
  const std::string whole = get(ours("t.arrow"));
  const Schema columns = schema(kAll);
  EXPECT_NE(read(put("cut.arrow", whole.substr(0, whole.size() - 20)), columns)
                .error.find("ends as it begins"),
            std::string::npos);
  EXPECT_NE(read(put("text.arrow", "a,b,c,d\n1,2,3\n"), columns).error.find("is not an Arrow file"),
            std::string::npos);
  EXPECT_NE(read(put("empty.arrow", ""), columns).error.find("too short"), std::string::npos);
  const std::string stream = whole.substr(8);
  EXPECT_NE(read(put("cut.arrow", stream.substr(0, 1000)), columns).error.find("is cut short"),
            std::string::npos);
  // An offset of a string that leads outside.
  std::string outside = whole;
  const std::string offsets("\0\0\0\0\2\0\0\0\2\0\0\0\2\0\0\0", 16);
  const std::size_t place = outside.find(offsets);
  ASSERT_NE(place, std::string::npos);
  outside[place + 6] = '\x7f';
  EXPECT_NE(read(put("outside.arrow", outside), columns).error.find("not a sound Arrow file"),
            std::string::npos);
}

TEST_F(ArrowTest, SmallBatchesBecomeOne) {
  const Schema columns = schema("a:int b:bool s:string?");
  std::vector<Batch> batches;
  for (std::int64_t i = 0; i < 1000; ++i) {
    batches.push_back(
        batchOf(columns, {ir::Value::record({{"a", i}, {"b", i % 3 == 0}, {"s", {}}})}));
  }
  ASSERT_EQ(write(at("t.arrow"), "arrow", columns, batches), "");
  StreamError error;
  AnomalyLog log;
  const auto source = openArrow(at("t.arrow"), columns, {}, log, error);
  ASSERT_TRUE(source);
  const auto batch = source->next();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->rows, 1000);
  EXPECT_EQ(batch->columns[0].values->as<std::int64_t>()[999], 999);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(batch->columns[0].values->data()) % 64, 0U);
  EXPECT_FALSE(source->next());
}

}  // namespace
}  // namespace couler::column

#include <csignal>

#include <sys/resource.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/unit/runtime/column/table_fixture.h"

namespace couler::column {
namespace {

class CsvTest : public TableTest {};

TEST_F(CsvTest, ReadsEachKind) {
  EXPECT_EQ(csv("b,i,f,s,t,d,z,e\n"
                "true,-12,1.5,hi,2024-05-01T12:00:00Z,90 s,4 KiB,Red\n"
                "FALSE,+7,nan,\"a,b\",2012/01/02,1.5 min,12 B,Blue\n"
                "False,1_000,-inf,,2024-05-01 12:00:00,0 s,1 GB,Red\n",
                "b:bool i:int f:float s:string t:timestamp d:duration z:size e:Red|Blue"),
            "true -12 1.5 \"hi\" \"2024-05-01T12:00:00Z\" 90000000 4096 \"Red\"\n"
            "false 7 \"nan\" \"a,b\" \"2012-01-02T00:00:00Z\" 90000000 12 \"Blue\"\n"
            "false 1000 \"-inf\" \"\" \"2024-05-01T12:00:00Z\" 0 1000000000 \"Red\"\n");
}

TEST_F(CsvTest, TimestampsWithFractionsAndOffsets) {
  EXPECT_EQ(
      csv("t\n2024-05-01T12:00:00.25+02:00\n2024/05/01 12:00:00.5\n2024-02-29\n", "t:timestamp"),
      "\"2024-05-01T10:00:00.25Z\"\n\"2024-05-01T12:00:00.5Z\"\n\"2024-02-29T00:00:00Z\"\n");
  for (const char* wrong : {"2023-02-29", "2024-13-01", "2024-05-01T24:00:00Z", "24-05-01",
                            "0000-01-01", "2024-05/01", "2024-05-01T12:00"}) {
    EXPECT_NE(csv(std::string("t\n") + wrong + "\n", "t:timestamp").find("not a timestamp"),
              std::string::npos)
        << wrong;
  }
}

TEST_F(CsvTest, MissingCells) {
  EXPECT_EQ(csv("i,f,s,e\n,NA,,\nN/A,null,\"\",NULL\n\"\",\"NA\",NA,B\n",
                "i:int? f:float? s:string? e:A|B?"),
            "null null null null\nnull null \"\" null\nnull null \"NA\" \"B\"\n");
  EXPECT_EQ(csv("s,i\n,1\n", "s:string i:int"), "\"\" 1\n");
  EXPECT_EQ(csv("i\n1\n\n", "i:int"),
            "t.csv:3: column `i` has no value; declare it `int?` if cells may be empty");
  EXPECT_EQ(csv("e,i\nNA,1\n", "e:NA|B i:int"), "\"NA\" 1\n");  // a case comes first
}

TEST_F(CsvTest, QuotesNewlinesAndLineEnds) {
  const std::string expected = "\"a\\nb\" 1\n\"say \\\"hi\\\"\" 2\n\"\\\"\" 3\n\"x\" 4\n";
  const std::string rows = "s,i\n\"a\nb\",1\n\"say \"\"hi\"\"\",2\n\"\"\"\",\"3\"\nx,4\n";
  EXPECT_EQ(csv(rows, "s:string i:int"), expected);
  EXPECT_EQ(csv("\xEF\xBB\xBF" + rows, "s:string i:int"), expected);
  EXPECT_EQ(csv(rows.substr(0, rows.size() - 1), "s:string i:int"), expected);  // no last newline
  EXPECT_EQ(csv("s,i\r\n\"a\nb\",1\r\nx,2\r\n", "s:string i:int"), "\"a\\nb\" 1\n\"x\" 2\n");
  EXPECT_EQ(csv("i,s\r\n1,\"a\"\r\n2,b\r\n3,", "i:int s:string?"), "1 \"a\"\n2 \"b\"\n3 null\n");
  // As Python reads what RFC 4180 does not allow.
  EXPECT_EQ(csv("s,i\n5\" pipe,1\n\"ab\"cd,2\n\"ab\"c\"d,3\n", "s:string i:int"),
            "\"5\\\" pipe\" 1\n\"abcd\" 2\n\"abc\\\"d\" 3\n");
}

TEST_F(CsvTest, EmptyLinesAreNoRowsUnlessACellIs) {
  EXPECT_EQ(csv("a,b\n\n1,2\n\r\n3,4\n\n\n", "a:int b:int"), "1 2\n3 4\n");
  EXPECT_EQ(csv("a\n\n1\n\n", "a:int?"), "null\n1\nnull\n");
}

TEST_F(CsvTest, HeadersAreChecked) {
  EXPECT_EQ(
      csv("pickup,fare,tip\n", "pikcup:string"),
      "t.csv:1: the header has no column `pikcup`; it has `pickup`: rename one of them to match");
  EXPECT_EQ(
      csv("a,b\n", "weight:int"),
      "t.csv:1: the header has no column `weight`; it has a, b: add the column to the file or "
      "take it out of the schema");
  EXPECT_EQ(csv("a,b,a\n", "b:int"),
            "t.csv:1: the header names column `a` twice; does the file lack its header?");
  EXPECT_EQ(csv("a;b\n1;2\n", "a:int b:int"),
            "t.csv:1: the columns are separated by `;`, and only commas are read; convert the file "
            "first");
  EXPECT_NE(csv("a\tb\n1\t2\n", "a:int b:int").find("separated by tabs"), std::string::npos);
  EXPECT_EQ(csv("", "a:int"), "t.csv: is empty; its first line must name the columns");
  EXPECT_EQ(csv("\xEF\xBB\xBF", "a:int"), "t.csv: is empty; its first line must name the columns");
  EXPECT_EQ(csv("a,b\n", "a:int"), "");
  EXPECT_EQ(csv("a,b", "a:int"), "");
  EXPECT_NE(csv(std::string("\xFF\xFE"
                            "a\0",
                            4),
                "a:int")
                .find("UTF-16"),
            std::string::npos);
  EXPECT_NE(csv(std::string("a\0b,c\n", 6), "c:int").find("not text"), std::string::npos);
  EXPECT_EQ(csv("x,\"a,\"\"b\",c\n1,2,3\n", "c:int x:int"), "3 1\n");  // by name, in any order
}

TEST_F(CsvTest, UnwantedColumnsAreNotLookedAt) {
  ReadOptions options;
  options.wanted = {true, false};
  const Schema columns = schema("a:int b:int");
  AnomalyLog log;
  StreamError error;
  const auto source = openSource(put("t.csv", "a,b\n1,oops\n"), columns, options, log, error);
  ASSERT_TRUE(source);
  const std::optional<Batch> batch = source->next();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->columns[1].values, nullptr);
  EXPECT_EQ(batch->columns[0].values->as<std::int64_t>()[0], 1);
  EXPECT_EQ(log.total(), 0);
}

TEST_F(CsvTest, FailTellsTheFirstAnomalyAndCountsAll) {
  const Read result =
      read(put("t.csv", "a,b\n1,2\n\"x\n\",3\n4,2.5\nabc,99999999999999999999\n1\n"),
           schema("a:int b:int"));
  EXPECT_EQ(shown(result),
            "t.csv:3: column `a` holds `x\\n`, which is not an int (5 anomalies in all)");
  EXPECT_EQ(result.log.total(), 5);
  EXPECT_EQ(result.log.text("t.csv"),
            "ragged-row: 1 row; t.csv:7 `1 cell, the header 2`\n"
            "not-of-type in `a`: 2 rows; t.csv:3 `x\\n`, t.csv:6 `abc`\n"
            "not-of-type in `b`: 1 row; t.csv:5 `2.5`\n"
            "out-of-range in `b`: 1 row; t.csv:6 `99999999999999999999`\n");
  EXPECT_EQ(
      result.log.json(),
      R"({"total":5,"anomalies":[)"
      R"({"kind":"ragged-row","count":1,"examples":[{"file":"t.csv","row":5,"line":7,"value":"1 cell, the header 2"}]},)"
      R"({"kind":"not-of-type","tfdv":"INT_TYPE_NOT_INT_STRING","column":"a","count":2,"examples":[{"file":"t.csv","row":2,"line":3,"value":"x\\n"},{"file":"t.csv","row":4,"line":6,"value":"abc"}]},)"
      R"({"kind":"not-of-type","tfdv":"INT_TYPE_NOT_INT_STRING","column":"b","count":1,"examples":[{"file":"t.csv","row":3,"line":5,"value":"2.5"}]},)"
      R"({"kind":"out-of-range","tfdv":"INT_TYPE_BIG_INT","column":"b","count":1,"examples":[{"file":"t.csv","row":4,"line":6,"value":"99999999999999999999"}]}]})");
}

TEST_F(CsvTest, HintsSayWhatToDo) {
  EXPECT_EQ(csv("a\n1.5\n", "a:int"),
            "t.csv:2: column `a` holds `1.5`, which is not an int; is the column one of `float`?");
  EXPECT_EQ(
      csv("a\n 1\n", "a:int"),
      "t.csv:2: column `a` holds ` 1`, which is not an int; there are spaces around the value");
  EXPECT_EQ(
      csv("a\nCrad\n", "a:Cash|Card"),
      "t.csv:2: column `a` holds `Crad`, which is not a case of its enum; did you mean `Card`?");
  EXPECT_EQ(csv("a\n1e999\n", "a:float"),
            "t.csv:2: column `a` holds `1e999`, which is beyond the range of a float");
  EXPECT_EQ(csv("a,b\n1,2,3\n", "a:int"), "t.csv:2: the row has 3 cells, the header 2");
  EXPECT_EQ(
      csv("a\n\xFFx\n", "a:string"),
      "t.csv:2: column `a` holds `\\xFFx`, which is not UTF-8; convert the file to UTF-8, for "
      "instance with `iconv -f latin1 -t utf-8`");
}

TEST_F(CsvTest, DropAndKeep) {
  const std::string text = "a,b\n1,x\nbad,y\n3,\xC3\n4\n5,z\n,w\n";
  ReadOptions drop;
  drop.onBad = ir::BadRows::Drop;
  Read result = read(put("t.csv", text), schema("a:int? b:string"), drop);
  EXPECT_EQ(shown(result), "1 \"x\"\n5 \"z\"\nnull \"w\"\n");
  EXPECT_EQ(result.ids, (std::vector<std::int64_t>{0, 4, 5}));
  EXPECT_EQ(result.log.total(), 3);
  ReadOptions keep;
  keep.onBad = ir::BadRows::Keep;
  result = read(put("t.csv", text), schema("a:int? b:string"), keep);
  EXPECT_EQ(shown(result), "1 \"x\"\nnull \"y\"\n5 \"z\"\nnull \"w\"\n");
  EXPECT_EQ(result.ids, (std::vector<std::int64_t>{0, 1, 4, 5}));
  result = read(put("t.csv", text), schema("a:int b:string?"), keep);
  EXPECT_EQ(shown(result), "1 \"x\"\n3 null\n5 \"z\"\n");
  EXPECT_EQ(result.log.total(), 4);
}

TEST_F(CsvTest, UnterminatedQuotesAndLongCellsAreLocated) {
  EXPECT_EQ(csv("a,b\n1,x\n2,\"y\n3,z\n", "a:int b:string"),
            "t.csv:3: the quoted cell that begins here has no closing quote before the end of the "
            "file");
  ReadOptions options;
  options.maxCell = 1000;
  const std::string longCell(3000, 'x');
  EXPECT_EQ(csv("a\nok\n" + longCell + "\n", "a:string", options),
            "t.csv:3: a cell is longer than 1000 B");
  const std::string endless(std::size_t{3} << 20, 'x');
  EXPECT_EQ(csv("a\nok\n\"" + endless, "a:string", options),
            "t.csv:3: a cell is longer than 1000 B; does it lack its closing quote?");
  options.maxCell = 100'000;  // longer than a chunk, within the limit, then not
  options.maxCell = std::int64_t{4} << 20;
  const Read result = read(put("t.csv", "a,b\n" + endless + ",1\n\"" + endless + "\n\",2\n"),
                           schema("a:string b:int"), options);
  ASSERT_EQ(result.error, "");
  ASSERT_EQ(result.rows.size(), 2U);
  EXPECT_EQ(*result.rows[1].named()[0].second.as<std::string>(), endless + "\n");
}

TEST_F(CsvTest, ZeroBytesAreText) {
  EXPECT_EQ(csv(std::string("a,b\n\0x,1\n", 9), "a:string b:int"), "\"\\u0000x\" 1\n");
  EXPECT_NE(csv(std::string("a\n1\0\n", 5), "a:int").find("not an int"), std::string::npos);
}

TEST_F(CsvTest, FilesThatCannotBeRead) {
  EXPECT_NE(read(at("none.csv"), schema("a:int")).error.find("No such file"), std::string::npos);
  ReadOptions options;
  options.format = "csv";
  EXPECT_NE(read(dir_, schema("a:int"), options).error.find("is a folder"), std::string::npos);
  EXPECT_NE(read(put("t.xls", "a\n"), schema("a:int")).error.find("not from `xls`"),
            std::string::npos);
  EXPECT_NE(read(put("plain", "a\n"), schema("a:int")).error.find("does not say its format"),
            std::string::npos);
}

TEST_F(CsvTest, AFileThatShrinksIsAnError) {
  std::string text = "a\n";
  while (text.size() < (std::size_t{2} << 20)) text += "123456789\n";
  const std::string path = put("t.csv", text);
  AnomalyLog log;
  StreamError error;
  const auto source = openSource(path, schema("a:int"), {}, log, error);
  ASSERT_TRUE(source);
  ASSERT_TRUE(source->next());
  std::filesystem::resize_file(path, 1 << 20);
  while (source->next()) {
  }
  ASSERT_TRUE(source->error());
  EXPECT_NE(source->error()->message.find("shrank from"), std::string::npos);
}

TEST_F(CsvTest, AFileThatIsWrittenToIsAnError) {
  std::string text = "a\n";
  while (text.size() < (std::size_t{2} << 20)) text += "123456789\n";
  const auto lastRows = [&](auto&& meanwhile) {
    const std::string path = put("t.csv", text);
    std::filesystem::last_write_time(path, {});  // long ago
    AnomalyLog log;
    StreamError error;
    const auto source = openSource(path, schema("a:int"), {}, log, error);
    EXPECT_TRUE(source && source->next());
    meanwhile(path);
    while (source->next()) {
    }
    return source->error() ? source->error()->message : std::string();
  };
  EXPECT_EQ(lastRows([](const std::string&) {}), "");
  EXPECT_NE(lastRows([](const std::string& path) {
              std::fstream(path, std::ios::in | std::ios::out) << "b";
            }).find("was changed while it was read"),
            std::string::npos);
  EXPECT_NE(lastRows([](const std::string& path) {
              std::ofstream(path, std::ios::app) << "1\n";
            }).find("was changed while it was read"),
            std::string::npos);
  // A new file in its place is none of ours: the old one is read to its end.
  EXPECT_EQ(lastRows([](const std::string& path) {
              std::ofstream(path + ".new") << "a\nx\n";
              std::filesystem::rename(path + ".new", path);
            }), "");
}

std::string gzipped(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST_F(CsvTest, CompressedFiles) {
  std::string text = "a,b\n";
  std::string expected;
  for (int i = 0; i < 200'000; ++i) {
    text += std::to_string(i) + ",x\n";
    expected += std::to_string(i) + " \"x\"\n";
  }
  const Schema columns = schema("a:int b:string");
  const std::string gz = gzipped(text);
  EXPECT_EQ(shown(read(put("t.csv.gz", gz), columns)), expected);
  // Two members, one after the other, are one text.
  const std::string two = gzipped(text.substr(0, 1000)) + gzipped(text.substr(1000));
  EXPECT_EQ(shown(read(put("two.csv", two), columns)), expected);
  std::string zst(ZSTD_compressBound(text.size()), '\0');
  zst.resize(ZSTD_compress(zst.data(), zst.size(), text.data(), text.size(), 3));
  EXPECT_EQ(shown(read(put("t.csv.zst", zst), columns)), expected);

  EXPECT_NE(shown(read(put("c.csv", gz.substr(0, gz.size() / 2)), columns)).find("in the middle"),
            std::string::npos);
  EXPECT_NE(shown(read(put("c.csv", zst.substr(0, zst.size() / 2)), columns)).find("in the middle"),
            std::string::npos);
  std::string damaged = gz;
  for (std::size_t i = damaged.size() / 2; i < damaged.size() / 2 + 64; ++i) damaged[i] ^= 0x55;
  EXPECT_NE(shown(read(put("c.csv", damaged), columns)).find("damaged"), std::string::npos);
}

TEST_F(CsvTest, WritesQuotesWhereTheyAreNeeded) {
  const Schema columns = schema("a:string? f:float i:int?");
  const auto row = [](ir::Value a, double f, ir::Value i) {
    return ir::Value::record({{"a", std::move(a)}, {"f", f}, {"i", std::move(i)}});
  };
  const std::vector<ir::Value> rows = {row(std::string("plain"), 1, std::int64_t{2}),
                                       row(std::string(), 0.1, {}), row({}, 1e300, {}),
                                       row(std::string("a,\"b\"\r\n"), -0.0, {})};
  ASSERT_EQ(write(at("w.csv"), "csv", columns, {batchOf(columns, rows)}), "");
  EXPECT_EQ(get(at("w.csv")),
            "a,f,i\nplain,1.0,2\n\"\",0.1,\n,1e+300,\n\"a,\"\"b\"\"\r\n\",-0.0,\n");
  EXPECT_NE(write(at("w.csv"), "csv", columns, {}).find("File exists"), std::string::npos);
  EXPECT_EQ(get(at("w.csv")).substr(0, 5), "a,f,i");
}

TEST_F(CsvTest, AFullDiskIsAnError) {
  // A bound on the size of files stands for the disk's.
  const Schema columns = schema("a:string");
  const std::vector<ir::Value> rows(4000, ir::Value::record({{"a", std::string(100, 'x')}}));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  for (const std::size_t batches : {std::size_t{1}, std::size_t{10}}) {  // by finish, by write
    const rlimit small{64 << 10, before.rlim_max};
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const std::string error =
        write(at("w.csv"), "csv", columns, std::vector<Batch>(batches, batchOf(columns, rows)));
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    EXPECT_NE(error.find("w.csv: cannot be written: File too large"), std::string::npos) << error;
    EXPECT_FALSE(std::filesystem::exists(at("w.csv")));
  }
  StreamError error;
  EXPECT_EQ(openSink(at("no/such/folder.csv"), "csv", columns, error), nullptr);
}

}  // namespace
}  // namespace couler::column

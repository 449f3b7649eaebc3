#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "runtime/column/cut.h"
#include "tests/unit/runtime/column/table_fixture.h"

namespace couler::column {
namespace {

class Cut : public TableTest {
 protected:
  std::vector<FileRange> cut(const std::string& path, std::string_view format, std::int64_t size) {
    StreamError error;
    auto ranges = cutFile(path, format, size, error);
    EXPECT_TRUE(ranges) << error.message;
    return ranges ? *ranges : std::vector<FileRange>();
  }

  /// The ranges follow each other without gaps, and what they hold is what the file holds: rows,
  /// their numbers, what is wrong with them and in which lines. Gives how many ranges there are.
  std::size_t holds(const std::string& text, const std::string& columns, std::int64_t size,
                    const std::string& format = "csv") {
    const std::string path = put("t." + format, text);
    const std::vector<FileRange> ranges = cut(path, format, size);
    ReadOptions how;
    how.onBad = ir::BadRows::Drop;
    const Schema rows = schema(columns);
    const Read whole = read(path, rows, how);
    Read parts;
    std::int64_t at = ranges.empty() ? -1 : ranges[0].head;
    for (const FileRange& range : ranges) {
      EXPECT_EQ(range.from, at);
      at = range.to;
      how.range = range;
      Read part = read(path, rows, how);
      parts.rows.insert(parts.rows.end(), part.rows.begin(), part.rows.end());
      parts.ids.insert(parts.ids.end(), part.ids.begin(), part.ids.end());
      parts.log.merge(part.log);
      if (parts.error.empty()) parts.error = part.error;
    }
    EXPECT_EQ(at, static_cast<std::int64_t>(text.size()));
    EXPECT_EQ(parts.error, whole.error);
    if (!whole.error.empty()) return ranges.size();
    EXPECT_EQ(parts.ids, whole.ids) << text.substr(0, 200);
    EXPECT_EQ(shown(parts), shown(whole));
    EXPECT_EQ(parts.log.json(), whole.log.json());
    return ranges.size();
  }
};

std::string rowsOf(std::mt19937& random, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += fmt::format("{},w{}\n", random() % 100'000, random() % 1000);
  }
  return text;
}

TEST_F(Cut, RangesHoldTheFile) {
  std::mt19937 random(7);
  const std::string rows = rowsOf(random, 400);
  EXPECT_GT(holds("a,b\n" + rows, "a:int b:string", 500), 5U);
  EXPECT_GT(holds("a,b\n" + rows + "12,end", "a:int b:string", 500), 5U);
  EXPECT_GT(holds("\xEF\xBB\xBF" "a,b\n" + rows, "a:int b:string", 500), 5U);
  EXPECT_EQ(holds("a,b\n" + rows, "a:int b:string", 1'000'000), 1U);
  EXPECT_EQ(holds("a,b\n", "a:int b:string", 10), 1U);
  EXPECT_EQ(holds("a,b", "a:int b:string", 10), 1U);
  EXPECT_EQ(holds("", "a:int b:string", 10), 1U);
  EXPECT_EQ(holds("\n\n", "a:int b:string", 10), 1U);
  EXPECT_EQ(holds("\xFF\xFE" "a\0,\0", "a:int b:string", 10), 1U);
}

TEST_F(Cut, QuotedLinesStayWhole) {
  std::mt19937 random(8);
  std::string text = "\"a\nhead\",b\r\n";
  for (int i = 0; i < 500; ++i) {
    switch (random() % 6) {
      case 0:
        text += fmt::format("{},\"one\nand \"\"two\"\"\n,{}\"\r\n", random() % 100, i);
        break;
      case 1:
        text += "\r\n";
        break;
      case 2:
        text += "x,not a number\n";
        break;
      case 3:
        text += "1,2,3\n";
        break;
      default:
        text += fmt::format("{},text\r\n", i);
    }
  }
  const std::string columns = "b:string";
  EXPECT_GT(holds(text, columns, 100), 10U);
  for (std::int64_t size = 1; size < 40; size += 7) (void)holds(text, columns, size);
  (void)holds(text + "7,\"never closed\n1,2\n", columns, 100);
  // Rows of one cell: an empty line is one.
  (void)holds("a\n1\n\n2\n\n\nx\n3\n", "a:int?", 2);
}

TEST_F(Cut, LongRowsStayWhole) {
  std::mt19937 random(9);
  const std::string huge = "1,\"" + std::string(300'000, 'x') + "\n\"\n";
  const std::string rows = rowsOf(random, 100);
  EXPECT_GE(holds("a,b\n" + rows + huge + rows, "a:int b:string", 1000), 3U);
  EXPECT_GT(holds("a,b\n" + huge + huge + huge, "a:int b:string", 1000), 1U);
  EXPECT_EQ(holds("a,b\n" + huge, "a:int b:string", 1000), 1U);
}

TEST_F(Cut, JsonLines) {
  std::mt19937 random(10);
  std::string text;
  for (int i = 0; i < 300; ++i) {
    const auto kind = random() % 8;
    text += kind == 0   ? "\n"
            : kind == 1 ? "[1]\n"
            : kind == 2 ? "{\"a\": \"no\"}\n"
                        : fmt::format("{{\"a\": {}}}\n", random() % 1000);
  }
  EXPECT_GT(holds("{\"a\": 1}\n" + text, "a:int", 60, "jsonl"), 20U);
  EXPECT_GT(holds("\xEF\xBB\xBF{\"a\": 1}\n" + text + "{\"a\": 1}", "a:int", 60, "jsonl"), 20U);
  EXPECT_EQ(holds("", "a:int", 60, "jsonl"), 1U);
  EXPECT_EQ(holds("[{\"a\": 1}]", "a:int", 60, "jsonl"), 1U);
}

TEST_F(Cut, CompressedFilesAreOneRange) {
  const std::string path = at("t.csv");
  gzFile file = gzopen(path.c_str(), "wb");
  for (int i = 0; i < 1000; ++i) gzputs(file, i == 0 ? "a\n" : "1\n");
  gzclose(file);
  const auto ranges = cut(path, "csv", 10);
  ASSERT_EQ(ranges.size(), 1U);
  ReadOptions how;
  how.range = ranges[0];
  EXPECT_EQ(read(path, schema("a:int"), how).rows.size(), 999U);
}

TEST_F(Cut, RangesOfAnotherFileAreRefused) {
  std::mt19937 random(11);
  const std::string text = "a,b\n" + rowsOf(random, 200);
  const std::string path = put("t.csv", text);
  const auto ranges = cut(path, "csv", 300);
  ASSERT_GT(ranges.size(), 3U);
  ReadOptions how;
  how.range = ranges[2];
  std::string other = text;
  other[static_cast<std::size_t>(ranges[2].to) - 2] ^= 1;
  put("t.csv", other);
  EXPECT_NE(read(path, schema("a:int b:string"), how).error.find("is not what it was"),
            std::string::npos);
  other = text;
  other[0] = 'A';  // the header is part of what a range says
  put("t.csv", other);
  EXPECT_FALSE(read(path, schema("b:string"), how).error.empty());
  put("t.csv", text.substr(0, static_cast<std::size_t>(ranges[2].from) + 3));
  EXPECT_NE(read(path, schema("a:int b:string"), how).error.find("is not what it was"),
            std::string::npos);
  put("t.csv", text);
  EXPECT_EQ(read(path, schema("a:int b:string"), how).error, "");
}

/// What changes in a file makes new only the ranges that it touches and one neighbour on each side.
TEST_F(Cut, ChangesStayNear) {
  std::mt19937 random(12);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> rows;
    const std::size_t count = 300 + random() % 700;
    for (std::size_t i = 0; i < count; ++i) rows.push_back(rowsOf(random, 1));
    const auto text = [](const std::vector<std::string>& lines) {
      std::string all = "a,b\n";
      for (const std::string& line : lines) all += line;
      return all;
    };
    const std::int64_t size = 200 + static_cast<std::int64_t>(random() % 800);
    const std::string before = text(rows);
    const auto old = cut(put("t.csv", before), "csv", size);
    const std::size_t at = random() % rows.size();
    const std::size_t many = 1 + random() % 20;
    switch (random() % 4) {
      case 0:
        for (std::size_t i = 0; i < many; ++i) rows.push_back(rowsOf(random, 1));
        break;
      case 1:
        for (std::size_t i = 0; i < many; ++i) {
          rows.insert(rows.begin() + static_cast<std::ptrdiff_t>(at), rowsOf(random, 1));
        }
        break;
      case 2:
        rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(at),
                   rows.begin() + static_cast<std::ptrdiff_t>(std::min(at + many, rows.size())));
        break;
      default:
        rows[at] = rowsOf(random, 1);
    }
    const std::string after = text(rows);
    const auto now = cut(put("t.csv", after), "csv", size);
    // The bytes that differ, seen from both ends.
    std::size_t same = 0;
    while (same < before.size() && same < after.size() && before[same] == after[same]) ++same;
    std::size_t sameEnd = 0;
    while (sameEnd < std::min(before.size(), after.size()) - same &&
           before[before.size() - 1 - sameEnd] == after[after.size() - 1 - sameEnd]) {
      ++sameEnd;
    }
    const auto from = static_cast<std::int64_t>(same);
    const auto to = static_cast<std::int64_t>(after.size() - sameEnd);
    std::set<std::string> known;
    for (const FileRange& range : old) known.insert(range.digest);
    std::size_t touched = 0;
    std::size_t fresh = 0;
    for (const FileRange& range : now) {
      touched += range.from <= to && from <= range.to ? 1 : 0;
      fresh += known.contains(range.digest) ? 0 : 1;
    }
    EXPECT_LE(fresh, touched + 2) << "round " << round << ", size " << size;
    for (std::size_t i = 0; i < now.size(); ++i) {
      const std::int64_t bytes = now[i].to - now[i].from;
      EXPECT_LE(bytes, 4 * size + 20);
      if (i + 1 < now.size()) {
        EXPECT_GE(bytes, size / 2);
      }
    }
  }
}

TEST_F(Cut, RowsThatAreAllEqualAreCutToo) {
  std::string text = "a,b\n";
  for (int i = 0; i < 1000; ++i) text += "1,2\n";
  EXPECT_EQ(holds(text, "a:int b:int", 100), 10U);
}

}  // namespace
}  // namespace couler::column

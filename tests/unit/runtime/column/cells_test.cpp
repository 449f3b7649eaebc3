#include "runtime/column/cells.h"

#include <charconv>
#include <cstring>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ir/types.h"
#include "runtime/column/buffer.h"
#include "runtime/column/csv_scan.h"

namespace couler::column {
namespace {

std::string padded(std::string text) { return text + std::string(64, '7'); }

template <class T>
void expectAgrees(const std::string& text, ir::TypeId type, bool plain, T found) {
  static const ir::TypeTable types;
  std::string error;
  const std::optional<ir::Value> value = ir::fromText(text, type, types, error);
  if (!plain) return;
  ASSERT_TRUE(value) << text;
  EXPECT_EQ(std::memcmp(value->as<T>(), &found, sizeof found), 0) << text << " " << found;
}

TEST(Cells, PlainNumbersAreThoseOfTheLanguage) {
  std::mt19937_64 random(7);
  const std::string_view letters = "0123456789012345678901234567890123456789..--+e_ n\0,";
  const ir::TypeTable types;
  std::size_t plainInts = 0, plainFloats = 0;
  for (int i = 0; i < 400'000; ++i) {
    std::string text;
    if (i % 4 != 0) {
      text = std::to_string(static_cast<std::int64_t>(random()) >> (random() % 64));
      if (i % 4 == 2) text.insert(random() % (text.size() + 1), ".");
      if (i % 4 == 3)
        text =
            fmt::format("{:.{}f}", std::ldexp(static_cast<double>(random()), -60), random() % 12);
    } else {
      for (std::size_t size = random() % 18; text.size() < size;) {
        text += letters[random() % letters.size()];
      }
    }
    const std::string slack = padded(text);
    std::int64_t whole = 0;
    double real = 0;
    const bool isInt = plainInt(slack.data(), text.size(), whole);
    const bool isFloat = plainFloat(slack.data(), text.size(), real);
    plainInts += isInt ? 1 : 0;
    plainFloats += isFloat ? 1 : 0;
    expectAgrees(text, ir::TypeTable::kInt, isInt, whole);
    expectAgrees(text, ir::TypeTable::kFloat, isFloat, real);
    std::string error;
    const bool valid = ir::fromText(text, ir::TypeTable::kFloat, types, error).has_value();
    EXPECT_EQ(readFloat(text, real) == CellStatus::Ok, valid) << text;
    const bool validInt = ir::fromText(text, ir::TypeTable::kInt, types, error).has_value();
    EXPECT_EQ(readInt(text, whole) == CellStatus::Ok, validInt) << text;
  }
  EXPECT_GT(plainInts, 50'000U);
  EXPECT_GT(plainFloats, 150'000U);
}

TEST(Cells, PlainTimestampsAreThoseOfTheLanguage) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 200'000; ++i) {
    std::string text =
        fmt::format("{:04}-{:02}-{:02}", random() % 10'000, random() % 14, random() % 33);
    if (i % 2 == 0) {
      text += fmt::format("T{:02}:{:02}:{:02}Z", random() % 26, random() % 62, random() % 62);
    }
    if (i % 5 == 0) text[random() % text.size()] = static_cast<char>(' ' + random() % 90);
    if (text[4] == '/' || text.size() == 19) continue;
    std::int64_t micros = 0;
    const bool plain = plainTimestamp(text.data(), text.size(), micros);
    const std::optional<ir::Timestamp> expected = ir::parseTimestamp(text);
    EXPECT_EQ(plain, expected.has_value()) << text;
    if (plain && expected) {
      EXPECT_EQ(micros, expected->micros) << text;
    }
  }
}

TEST(Cells, CasesByName) {
  const std::vector<std::string> names = {"a", "", "abcdefgh", "abcdefghi", "abcdefghj", "b", "é"};
  const CaseIndex index(names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string slack = padded(names[i]);
    EXPECT_EQ(index.find({slack.data(), names[i].size()}), static_cast<std::int32_t>(i));
  }
  for (const char* none : {"c", "ab", "abcdefg", "abcdefghk", "A"}) {
    const std::string slack = padded(none);
    EXPECT_EQ(index.find({slack.data(), std::strlen(none)}), -1) << none;
  }
}

/// The same text scanned in one way and another: byte by byte in slices of different sizes.
TEST(CsvScanner, FindsTheSameWithAndWithoutSimd) {
  std::mt19937 random(11);
  const std::string_view letters = "ab,,\n\n\"\"\"\r\xC3\xA9 c";
  for (int round = 0; round < 3'000; ++round) {
    std::string text;
    const std::size_t size = random() % 400;
    const bool calm = round % 3 == 0;
    while (text.size() < size) {
      if (calm && random() % 3 != 0) {
        text += "some plain text";
      } else {
        text += letters[random() % letters.size()];
      }
    }
    const std::size_t length = text.size();
    text.append(128, ',');
    // The meaning, one byte at a time.
    std::vector<std::uint32_t> ends;
    std::vector<std::uint32_t> rows;
    char state = 's';  // start, plain, quoted, quote in quoted
    for (std::size_t i = 0; i < length; ++i) {
      const char c = text[i];
      if (state == 'q') {
        if (c == '"') state = 'e';
      } else if (c == ',' || c == '\n') {
        ends.push_back(static_cast<std::uint32_t>(i));
        if (c == '\n') rows.push_back(static_cast<std::uint32_t>(ends.size()));
        state = 's';
      } else {
        state = c == '"' && state != 'p' ? 'q' : 'p';
      }
    }
    for (const bool portable : {false, true}) {
      CsvScanner scanner;
      if (portable) scanner.usePortable();
      ASSERT_TRUE(scanner.begin(0, 64));
      for (std::size_t from = 0; from < length;) {
        const std::size_t step = std::min<std::size_t>(64 * (1 + random() % 3), length - from);
        ASSERT_TRUE(scanner.scan(text.data(), from, step));
        from += step;
      }
      ASSERT_EQ(scanner.rows(), rows.size()) << text;
      for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(scanner.rowCells()[i], rows[i]);
      for (std::size_t i = 0; i < ends.size(); ++i) ASSERT_EQ(scanner.ends()[i + 1], ends[i]);
      EXPECT_EQ(scanner.openCell(), ends.empty() ? 0 : ends.back() + 1);
      EXPECT_EQ(scanner.inQuotes(), state == 'q');
    }
  }
}

TEST(Buffers, AreAlignedAndReadablePastTheirEnd) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}}) {
    const auto buffer = Buffer::make(size);
    ASSERT_TRUE(buffer);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer->data()) % 64, 0U);
    EXPECT_EQ(static_cast<int>(buffer->data()[size + 63]), 0);
  }
  EXPECT_EQ(Buffer::make(SIZE_MAX - 10), nullptr);
}

}  // namespace
}  // namespace couler::column

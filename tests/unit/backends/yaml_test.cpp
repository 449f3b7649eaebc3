#include <random>

#include <gtest/gtest.h>

#include "backends/yaml_reader.h"
#include "backends/yaml_writer.h"

namespace couler::backends {
namespace {

std::string written(std::string_view text) {
  std::string out;
  YamlWriter w([&](std::string_view t) { out += t; });
  w.beginMap();
  w.key("before");
  w.beginList();
  w.beginMap();
  w.entry("k", text);
  w.entry("after", "x");
  w.endMap();
  w.endList();
  w.entry("last", text);
  w.endMap();
  w.flush();
  return out;
}

void expectRoundTrip(const std::string& text) {
  const std::string out = written(text);
  YamlDocument doc;
  std::string error;
  ASSERT_TRUE(doc.read(out, error)) << error << "\n" << out;
  const YamlNode item = doc.root()["before"].first();
  EXPECT_EQ(item["k"].text(), text) << out;
  EXPECT_EQ(item["after"].text(), "x") << out;
  EXPECT_EQ(doc.root()["last"].text(), text) << out;
  const std::string_view line = out;
  // Never bare where some reader makes something else of it.
  for (const char* word :
       {"k: on\n", "k: yes\n", "k: 1e3\n", "k: 0o7\n", "k: ~\n", "k: 2024-01-01\n", "k: null\n",
        "k: y\n", "k: .inf\n", "k: 1_000\n", "k: 12:30\n", "k: True\n", "k: NULL\n", "k: =\n"}) {
    EXPECT_EQ(line.find(word), std::string_view::npos) << word;
  }
}

TEST(YamlWriter, QuotesWhatCouldBeTakenForSomethingElse) {
  for (const char* text : {"",
                           "on",
                           "yes",
                           "No",
                           "1e3",
                           "0o7",
                           "0x1F",
                           "~",
                           "2024-01-01",
                           "null",
                           "NULL",
                           "y",
                           ".inf",
                           ".NaN",
                           "1_000",
                           "12:30",
                           "True",
                           "=",
                           "<<",
                           "- a",
                           "-",
                           "?",
                           ": ",
                           "a: b",
                           "a:",
                           "a #b",
                           "#a",
                           " a",
                           "a ",
                           "\t",
                           "a\tb",
                           "&a",
                           "*a",
                           "!a",
                           "|",
                           ">",
                           "'",
                           "\"",
                           "a'b\"c\\d",
                           "%a",
                           "@a",
                           "`a",
                           "[a]",
                           "{a}",
                           "{{a}}",
                           ",",
                           "a, b",
                           "\n",
                           "a\n",
                           "a\nb",
                           "a\nb\n",
                           "a\nb\n\n",
                           "\na",
                           " a\nb",
                           "a\n b\n",
                           "a\n\nb",
                           "a \nb",
                           "a\n\tb",
                           "a\r\nb",
                           "a\n ",
                           "---",
                           "...",
                           "--- a",
                           "a\n---\nb",
                           "\x01",
                           "\x7f",
                           "\xc2\x85",
                           "a\xe2\x80\xa8"
                           "b",
                           "\xe2\x80\xa9",
                           "\xef\xbb\xbf",
                           "\xc2\xa0",
                           "\xf0\x9f\x98\x80",
                           "\xef\xbf\xbe",
                           "caf\xc3\xa9",
                           "a b",
                           "python:3.11-slim",
                           "/a/b.c",
                           "a  b"}) {
    expectRoundTrip(text);
  }
  expectRoundTrip(std::string("a\0b", 3));
  expectRoundTrip(std::string(5000, 'x') + " " + std::string(5000, 'y'));
}

TEST(YamlWriter, RoundTripsRandomText) {
  std::mt19937 random(7);
  const std::vector<std::string> parts = {"a",
                                          "B",
                                          " ",
                                          "\n",
                                          "\t",
                                          ":",
                                          "#",
                                          "-",
                                          "'",
                                          "\"",
                                          "\\",
                                          "{",
                                          "}",
                                          "[",
                                          "]",
                                          "|",
                                          ">",
                                          "%",
                                          "1",
                                          "\r",
                                          "\x1b",
                                          "\xc2\x85",
                                          "\xe2\x80\xa8",
                                          "\xf0\x9f\x98\x80",
                                          ",",
                                          "?"};
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    const auto length = random() % 12;
    for (unsigned k = 0; k < length; ++k) text += parts[random() % parts.size()];
    expectRoundTrip(text);
  }
}

TEST(YamlWriter, MendsWhatIsNotUtf8) {
  YamlDocument doc;
  std::string error;
  const std::string text = written(
      "a\xff"
      "b\xc3");
  ASSERT_TRUE(doc.read(text, error)) << error;
  EXPECT_EQ(doc.root()["last"].text(),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
}

TEST(YamlWriter, WritesBlocks) {
  std::string out;
  {
    YamlWriter w([&](std::string_view t) { out += t; });
    w.beginMap();
    w.entry("a", 3);
    w.key("b");
    w.boolean(true);
    w.key("empty");
    w.beginMap();
    w.endMap();
    w.key("none");
    w.beginList();
    w.endList();
    w.key("list");
    w.beginList();
    w.string("x");
    w.beginMap();
    w.entry("k", "line\nline\n");
    w.key("f");
    w.flow(std::vector<std::string_view>{"a", "yes"});
    w.endMap();
    w.endList();
    w.endMap();
  }
  EXPECT_EQ(out,
            "a: 3\nb: true\nempty: {}\nnone: []\nlist:\n- x\n- k: |\n    line\n    line\n  f: [a, "
            "\"yes\"]\n");
}

TEST(YamlReader, KnowsLinesAndQuotes) {
  YamlDocument doc;
  std::string error;
  ASSERT_TRUE(doc.read("a: 1\nb:\n- x\n- 'y'\n", error));
  EXPECT_TRUE(doc.root()["a"].isBare());
  EXPECT_EQ(doc.root()["b"].size(), 2U);
  EXPECT_EQ(doc.root()["b"].first().line(), 3U);
  EXPECT_FALSE(doc.root()["b"].first().next().isBare());
  EXPECT_FALSE(doc.root()["c"].exists());
  EXPECT_EQ(doc.root()["c"]["d"].text(), "");
  EXPECT_FALSE(doc.root(1).exists());
}

TEST(YamlReader, SharesAliases) {
  YamlDocument doc;
  std::string error;
  ASSERT_TRUE(doc.read("a: &x {k: v}\nb: *x\nc: *x\n", error)) << error;
  EXPECT_EQ(doc.root()["c"]["k"].text(), "v");
  EXPECT_EQ(doc.root()["b"].next().key(), "c");
}

TEST(YamlReader, RefusesWhatIsTooMuch) {
  YamlDocument doc;
  std::string error;
  EXPECT_FALSE(doc.read("a: &x [*x]\n", error));
  EXPECT_NE(error.find("inside what it names"), std::string::npos);
  EXPECT_FALSE(doc.read("a: 1\na: 2\n", error));
  EXPECT_NE(error.find("twice"), std::string::npos);
  EXPECT_FALSE(doc.read("? [a]\n: b\n", error));
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  EXPECT_FALSE(doc.read(deep, error));
  EXPECT_NE(error.find("deep"), std::string::npos);
  EXPECT_FALSE(doc.read("a: [\n", error));
  EXPECT_FALSE(doc.read("a: *nothing\n", error));
  EXPECT_FALSE(doc.read(std::string_view("a: long\nb: 2\n"), error, {.bytes = 10}));
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) laughs += (k == 0 ? "*a" : ", *a") + std::to_string(i - 1);
    laughs += "]\n";
  }
  EXPECT_FALSE(doc.read(laughs, error));
  EXPECT_NE(error.find("too many"), std::string::npos);
  EXPECT_EQ(doc.count(), 0U);
}

}  // namespace
}  // namespace couler::backends

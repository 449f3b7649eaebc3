#include <string>

#include <gtest/gtest.h>

#include "frontend/format/format.h"
#include "parse_support.h"

namespace couler {
namespace {

using testing::parse;
using testing::Parsed;

std::string repeat(const std::string& text, std::size_t n) {
  std::string result;
  result.reserve(text.size() * n);
  for (std::size_t i = 0; i < n; ++i) result += text;
  return result;
}
std::string value(const std::string& text) {
  return "couler 1\n\nfn f(a: int) -> int = " + text + "\n\nfn g() -> int = 1\n";
}
std::string type(const std::string& text) {
  return "couler 1\n\nfn f(a: " + text + ") -> int = 1\n\nfn g() -> int = 1\n";
}
std::string body(const std::string& text) {
  return "couler 1\n\nworkflow f(a: int) {\n" + text + "\n}\n\nfn g() -> int = 1\n";
}

struct Deep {
  const char* name;
  std::string text;
  const char* code;
};

std::vector<Deep> deepPrograms() {
  return {
      {"parentheses", value(repeat("(", 20'000) + "1" + repeat(")", 20'000)), "CW0120"},
      {"open parentheses", value(repeat("(", 20'000)), "CW0110"},
      {"lists", value(repeat("[", 3'000) + "1" + repeat("]", 3'000)), "CW0120"},
      {"calls in calls", value(repeat("f(", 3'000) + "1" + repeat(")", 3'000)), "CW0120"},
      {"interpolations", value(repeat("\"{", 3'000) + "1" + repeat("}\"", 3'000)), "CW0120"},
      {"open interpolations", value(repeat("\"{", 3'000)), "CW0112"},
      {"ifs", body(repeat("if a == 1 { ", 3'000) + "1" + repeat(" }", 3'000)), "CW0120"},
      {"ifs in conditions", value(repeat("if ", 20'000) + "1"), "CW0120"},
      {"loops", body(repeat("for x in a { ", 3'000) + "1" + repeat(" }", 3'000)), "CW0120"},
      {"blocks", body(repeat("finally { ", 3'000) + repeat(" }", 3'000)), "CW0120"},
      {"types", type(repeat("list<", 3'000) + "int" + repeat(">", 3'000)), "CW0120"},
      {"record types", type(repeat("(a: ", 3'000) + "int" + repeat(")", 3'000)), "CW0120"},
      {"nots", value(repeat("not ", 20'000) + "a"), "CW0120"},
      {"minuses", value(repeat("- ", 20'000) + "a"), "CW0120"},
      {"powers", value(repeat("a ** ", 20'000) + "a"), "CW0120"},
      {"sums", value(repeat("a + ", 100'000) + "a"), "CW0121"},
      {"members", value("a" + repeat(".b", 100'000)), "CW0121"},
      {"empty calls", value("a" + repeat("()", 100'000)), "CW0121"},
      {"indexes", value("a" + repeat("[0]", 100'000)), "CW0121"},
      {"else ifs", body("if a == 1 { 1 }" + repeat(" else if a == 2 { 2 }", 3'000)), "CW0121"},
      {"braces", "couler 1\n" + repeat("{", 100'000), "CW0110"},
      {"closing braces", "couler 1\n" + repeat("}", 100'000), "CW0111"},
  };
}

TEST(ParseLimits, DepthGivesOneClearError) {
  for (const Deep& deep : deepPrograms()) {
    const Parsed p = parse(deep.text);
    ASSERT_EQ(p.diags.all().size(), 1U) << deep.name << "\n" << p.diags.all().size();
    EXPECT_EQ(p.diags.all()[0].code(), deep.code) << deep.name;
    EXPECT_EQ(p.stats.llFallbacks, 0U) << deep.name;
  }
}

TEST(ParseLimits, UpToTheLimitAllIsWell) {
  EXPECT_TRUE(parse(value(repeat("(", 250) + "1" + repeat(")", 250))).diags.all().empty());
  EXPECT_TRUE(parse(value(repeat("a + ", 1'000) + "a")).diags.all().empty());
  EXPECT_TRUE(
      parse(body(repeat("if a == 1 { ", 200) + "1" + repeat(" }", 200))).diags.all().empty());
  EXPECT_TRUE(
      parse(body("if a == 1 { 1 }" + repeat(" else if a == 2 { 2 }", 200))).diags.all().empty());
  EXPECT_TRUE(parse(body("t(a) after a" + repeat(", a", 20'000))).diags.all().empty());
  EXPECT_TRUE(parse(value("[" + repeat("1, ", 100'000) + "]")).diags.all().empty());
}

/// Printing and formatting recurse over the tree: the deepest one there can be must do.
TEST(ParseLimits, TheDeepestTreeCanBeWrittenBack) {
  for (const std::string& text :
       {value(repeat("a + ", 1'000) + "a"), value("a" + repeat(".b", 1'000)),
        value(repeat("(", 250) + "1" + repeat(" + a)", 250))}) {
    const Parsed p = parse(text);
    ASSERT_TRUE(p.diags.all().empty()) << p.messages();
    const Parsed again = parse(formatTree(*p.sources, *p.tree));
    EXPECT_TRUE(again.diags.all().empty()) << again.messages();
    EXPECT_EQ(again.print(), p.print());
  }
}

TEST(ParseLimits, LimitsCanBeSet) {
  ParseLimits limits;
  limits.maxDepth = 3;
  EXPECT_EQ(parse(value("((((1))))"), limits).codes(), std::vector<std::string>{"CW0120 3:26"});
  EXPECT_TRUE(parse(value("(1)"), limits).diags.all().empty());
  limits.maxBytes = 10;
  EXPECT_EQ(parse("couler 1\n\n\n\n", limits).codes(), std::vector<std::string>{"CW0105 1:1"});
  limits = {};
  limits.maxLineBytes = 20;
  EXPECT_EQ(parse("couler 1\n// a long long comment here\n", limits).codes(),
            std::vector<std::string>{"CW0106 2:1"});
}

TEST(ParseLimits, BytesThatAreNoText) {
  EXPECT_EQ(parse("couler 1\n// a\xff\n").codes(), std::vector<std::string>{"CW0103 2:5"});
  EXPECT_EQ(parse(std::string("couler 1\n\0", 10)).codes(), std::vector<std::string>{"CW0104 2:1"});
}

TEST(ParseLimits, MemoryIsThatOfOneDeclaration) {
  // Of 3,000 declarations each is cut, parsed and dropped by itself; all come out.
  const Parsed p = parse("couler 1\n" + repeat("fn f(a: int) -> int = a + 1\n", 3'000));
  EXPECT_TRUE(p.diags.all().empty());
  EXPECT_EQ(p.stats.declarations, 3'000U);
  EXPECT_EQ(p.tree->exprCount, 9'000U);
}

}  // namespace
}  // namespace couler

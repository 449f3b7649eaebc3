#include "frontend/format/format.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "parse_support.h"
#include "tests/support/golden.h"
#include "tests/support/random_program.h"

namespace couler {
namespace {

using testing::parse;
using testing::Parsed;

std::string format(const Parsed& p) { return formatTree(*p.sources, *p.tree); }

/// The comments, in order of their text (a comment may move, none may go).
std::vector<std::string> comments(const Parsed& p) {
  std::vector<std::string> result;
  for (const syntax::Comment& c : p.tree->comments) {
    std::string text(p.sources->text(c.span));
    text.erase(0, std::min(text.find_first_not_of('/'), text.size()));
    while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.pop_back();
    result.push_back(text);
  }
  std::sort(result.begin(), result.end());
  return result;
}

/// What must hold of every program.
void expectFaithful(const std::string& text, const std::string& what) {
  const Parsed before = parse(text);
  if (before.diags.hasErrors()) return;
  const std::string formatted = format(before);
  const Parsed after = parse(formatted);
  ASSERT_FALSE(after.diags.hasErrors()) << what << "\n" << after.messages() << formatted;
  ASSERT_EQ(before.print(), after.print()) << what << ": another tree\n" << formatted;
  ASSERT_EQ(formatted, format(after)) << what << ": not the same again";
  ASSERT_EQ(comments(before), comments(after)) << what << ": comments\n" << formatted;
  ASSERT_TRUE(formatted.ends_with("\n") && !formatted.ends_with("\n\n")) << what;
  ASSERT_EQ(formatted.find("\n\n\n"), std::string::npos) << what;
  ASSERT_EQ(formatted.find(" \n"), std::string::npos)
      << what << ": white space at the end of a line\n"
      << formatted;
}

TEST(Format, EveryProgramOfTheRepository) {
  for (const auto& path : testing::allPrograms()) {
    expectFaithful(testing::readFile(path), path.string());
    if (HasFatalFailure()) return;
  }
}

TEST(Format, RandomPrograms) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const std::string text = testing::RandomProgram(seed).make();
    ASSERT_FALSE(parse(text).diags.hasErrors()) << text;
    expectFaithful(text, "seed " + std::to_string(seed) + "\n" + text);
    if (HasFatalFailure()) return;
  }
}

TEST(Format, Layout) {
  for (const char* name : {"whole", "expressions", "layout", "tables"}) {
    const auto path = std::filesystem::path(COULER_SOURCE_DIR) / "tests/golden/parse" /
                      (std::string(name) + ".cwl");
    const Parsed p = parse(testing::readFile(path));
    ASSERT_FALSE(p.diags.hasErrors()) << p.messages();
    testing::expectGolden("format/" + std::string(name) + ".cwl", format(p));
  }
}

std::string formatted(const std::string& body) {
  return format(parse("couler 1\n\n" + body)).substr(std::string("couler 1\n\n").size());
}

TEST(Format, ParenthesesThatAreNeededStay) {
  for (const char* text :
       {"(a + b) * c", "a * (b + c)", "a - (b - c)", "(a ** b) ** c", "-(a + b)", "(-a) ** b",
        "not (a and b)", "(not a) == b", "(a ?? b) + c", "(a |> b).c",
        "(if a { 1 } else { 2 }) + 3", "(try f(a)).x", "(a < b) == c", "(for x in xs { x })[0]",
        "(a after b).c", "a == (b < c)"}) {
    const std::string fn = "fn f(a: int) -> int = " + std::string(text) + "\n";
    EXPECT_EQ(formatted(fn), fn);
  }
  EXPECT_EQ(formatted("fn f() -> int = ((a)) + (b * c)\n"), "fn f() -> int = a + b * c\n");
}

TEST(Format, LongThingsBreak) {
  const std::string arg = "a_rather_long_argument_name_number_";
  EXPECT_EQ(formatted("fn f() -> int = g(" + arg + "1, " + arg + "2, " + arg + "3)\n"),
            "fn f() -> int =\n    g(\n        " + arg + "1,\n        " + arg + "2,\n        " +
                arg + "3,\n    )\n");
  EXPECT_EQ(formatted("workflow w() {\nlet xs = [" + arg + "1, " + arg + "2, " + arg + "3]\n}\n"),
            "workflow w() {\n    let xs = [\n        " + arg + "1,\n        " + arg +
                "2,\n        " + arg + "3,\n    ]\n}\n");
  EXPECT_EQ(formatted("workflow w() {\nlet xs = " + arg + "1 + " + arg + "2 + " + arg + "3\n}\n"),
            "workflow w() {\n    let xs = " + arg + "1 +\n        " + arg + "2 +\n        " + arg +
                "3\n}\n");
}

TEST(Format, ThePartsOfASearchStandBelowEachOther) {
  const std::string search = "let best = tune train(rate: in 0.0 .. 1.0) maximize score using tpe(trials: 4)";
  const std::string card = "data: \"a card that is long enough\", model: \"another one\"";
  EXPECT_EQ(formatted("workflow w() {\n" + search + " prior from card(" + card + ") // done\nf()\n}\n"),
            "workflow w() {\n    let best = tune train(rate: in 0.0 .. 1.0)\n        maximize score\n"
            "        using tpe(trials: 4)\n        prior from card(" + card + ")  // done\n    f()\n}\n");
  const std::string broken =
      "workflow w() {\n    let best = tune train(rate: in 0.0 .. 1.0)\n        maximize score\n"
      "        using tpe(trials: 4)\n        prior from card(\n            " + card.substr(0, card.find(" model")) +
      "\n            // what learns\n            model: \"another one, which is long enough to need a line of "
      "its own\",\n        )\n}\n";
  EXPECT_EQ(formatted(broken), broken);
}

TEST(Format, RawTextMovesAndMeansTheSame) {
  EXPECT_EQ(
      formatted("task t() {\nrun sh \"\"\"\n  a\n    b\n\n  c\n\"\"\"\n}\n"),
      "task t() {\n    run sh \"\"\"\n        a\n          b\n\n        c\n        \"\"\"\n}\n");
  // What cannot move without another meaning stays.
  const std::string odd = "task t() {\n    run sh \"\"\"a\n  b\"\"\"\n}\n";
  EXPECT_EQ(formatted(odd), odd);
}

TEST(Format, CommentsStay) {
  const std::string text =
      "// of the file\n\n/// Of the task.\ntask t(\n    // of n\n    n: int,  // beside n\n) {\n   "
      " // first\n"
      "    image \"a\"  // beside image\n\n    // last\n}\n\n// the end\n";
  EXPECT_EQ(formatted(text), text);
}

}  // namespace
}  // namespace couler

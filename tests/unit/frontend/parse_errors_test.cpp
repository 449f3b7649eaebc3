#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "parse_support.h"
#include "tests/support/golden.h"
#include "tests/support/random_program.h"

namespace couler {
namespace {

using testing::corpora;
using testing::parse;
using testing::Parsed;
using testing::readFile;
using Codes = std::vector<std::string>;

std::string inWorkflow(const std::string& body) {
  return "couler 1\n\nworkflow w(a: int) {\n" + body +
         "\n}\n\ntask t(x: int) {\n    run [\"a\"]\n}\n";
}

TEST(ParseErrors, Messages) {
  const auto folder = std::filesystem::path(COULER_SOURCE_DIR) / "tests/golden/parse/errors";
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".cwl") continue;
    ++count;
    const Parsed p = parse(testing::readFile(entry.path()));
    EXPECT_TRUE(p.diags.hasErrors()) << entry.path();
    testing::expectGolden("parse/errors/" + entry.path().stem().string() + ".txt",
                          p.messages() + "\n" + p.print());
  }
  EXPECT_GE(count, 8U);
}

TEST(ParseErrors, OneUnfinishedLineIsOneErrorAndTheRestIsRead) {
  for (const char* line : {"let x = a +",
                           "let x = foo(a,",
                           "let x = [1, 2",
                           "let x = (a + b",
                           "let x =",
                           "let x: = 3",
                           "let = 3",
                           "if a == {",
                           "let x = foo(a, b: )",
                           "for in xs { }",
                           "let x = a..",
                           "return +",
                           "let x = \"abc",
                           "let x = \"a{b",
                           "t(a))",
                           "let x = a ] + 1",
                           "let x = if a { 1 } else",
                           "x.",
                           "let x = a b c d",
                           "let x = { a: 1 }",
                           "let x = not",
                           "f(a b c)"}) {
    const std::string text = inWorkflow("    let before = 1\n    " + std::string(line) +
                                        "\n    let later = 2\n    t(later)");
    const Parsed p = parse(text);
    EXPECT_EQ(p.diags.errorCount(), 1U) << line << "\n" << p.messages();
    const std::string tree = p.print();
    EXPECT_NE(tree.find("let before"), std::string::npos) << line << "\n" << tree;
    EXPECT_NE(tree.find("Task t"), std::string::npos) << line << "\n" << tree;
    if (std::string(line) != "if a == {") {  // its block takes what follows
      EXPECT_NE(tree.find("let later"), std::string::npos) << line << "\n" << tree;
    }
  }
}

TEST(ParseErrors, ABadLetStillNamesItsValue) {
  const Parsed p = parse(inWorkflow("    let x = a +\n    let y = x"));
  EXPECT_NE(p.print().find("let x\n        Error"), std::string::npos) << p.print();
}

TEST(ParseErrors, ABadParameterStillHasItsName) {
  const Parsed p =
      parse("couler 1\n\ntask t(a: , b: int) -> (c: int = , d: file) {\n    run [\"a\"]\n}\n");
  const std::string tree = p.print();
  EXPECT_NE(tree.find("param a: <error>"), std::string::npos) << tree;
  EXPECT_NE(tree.find("param b: int"), std::string::npos) << tree;
  EXPECT_NE(tree.find("output d: file"), std::string::npos) << tree;
}

TEST(ParseErrors, ABadDeclarationStillHasItsName) {
  const Parsed p = parse("couler 1\n\nworkflow first {\n}\n\nworkflow second() {\n}\n");
  EXPECT_EQ(p.codes(), Codes{"CW0101 3:15"}) << p.messages();
  ASSERT_EQ(p.tree->decls.size(), 2U);
  EXPECT_EQ(p.tree->decls[0]->kind, syntax::DeclKind::Error);
  EXPECT_EQ(p.tree->decls[0]->name.text, "first");
}

TEST(ParseErrors, AMissingBraceDoesNotEatTheNextDeclaration) {
  const Parsed p = parse(
      "couler 1\n\nworkflow a() {\n    if x {\n        t(1)\n\nworkflow b() {\n    t(2)\n}\n");
  EXPECT_EQ(p.codes().size(), 2U) << p.messages();  // both braces
  ASSERT_EQ(p.tree->decls.size(), 2U);
  EXPECT_EQ(p.tree->decls[1]->name.text, "b");
}

/// Slips from other languages: one code each, and the fix mends it.
TEST(ParseErrors, SlipsHaveFixesThatWork) {
  const std::pair<const char*, const char*> cases[] = {
      {"CW0135", "let x = a && b"},
      {"CW0135", "let x = a || b"},
      {"CW0135", "let x = !a"},
      {"CW0135", "let x = a&&b"},
      {"CW0127", "if a = 3 { t(1) }"},
      {"CW0127", "let x = if (a = 3) { 1 } else { 2 }"},
      {"CW0128", "y = 4"},
      {"CW0134", "let z := 3"},
      {"CW0130", "let s = 'hi'"},
      {"CW0129", "t(x = 3)"},
      {"CW0129", "t(1, x = 3)"},
      {"CW0129", "let r = (x = 3, y: 4)"},
      {"CW0124", "t(a b)"},
      {"CW0124", "let l = [1 2]"},
      {"CW0133", "if a { 1 } elif b { 2 }"},
      {"CW0131", "let n = None"},
      {"CW0131", "let n = True"},
      {"CW0131", "let n = null"},
      {"CW0117", "let q = 3 mins"},
      {"CW0117", "let q = 3 seconds"},
      {"CW0125", "retrun (a: 1)"},
      {"CW0125", "lett x = 3"},
      {"CW0125", "fro x in [1] { t(x) }"},
      {"CW0125", "if a { 1 } esle { 2 }"},
      {"CW0136", "var x = 3"},
      {"CW0137", "let x = 1 < a < 3"},
      {"CW0137", "let x = 1 < a + 1 <= 3"},
      {"CW0126", "# a comment"},
      {"CW0114", "let x = \"\\q\""},
      {"CW0111", "let x = f(a))"},
  };
  for (const auto& [code, line] : cases) {
    const Parsed p = parse(inWorkflow("    " + std::string(line)));
    ASSERT_EQ(p.diags.all().size(), 1U) << line << "\n" << p.messages();
    EXPECT_EQ(p.diags.all()[0].code(), code) << line;
    ASSERT_FALSE(p.diags.all()[0].fixes.empty()) << line;
    const Parsed again = parse(p.fixed());
    EXPECT_TRUE(again.diags.all().empty()) << line << "\n" << p.fixed() << again.messages();
  }
}

TEST(ParseErrors, MisspelledDeclarations) {
  const Parsed p = parse(
      "couler 1\n\nworflow w(a: int) {\n}\n\ntaks t(x: int) {\n    imge \"a\"\n    run bash "
      "\"\"\"x\"\"\"\n}\n\n"
      "def f(x: int) -> int = x\nschma S { a: int }\nimprt std.text\n");
  EXPECT_EQ(p.codes(), (Codes{"CW0125 3:1", "CW0125 6:1", "CW0125 7:5", "CW0144 8:9", "CW0132 11:1",
                              "CW0125 12:1", "CW0125 13:1"}))
      << p.messages();
  const Parsed again = parse(p.fixed());
  EXPECT_TRUE(again.diags.all().empty()) << again.messages();
  EXPECT_EQ(again.print(), p.print());
}

TEST(ParseErrors, ForeignConstantsMayBeDeclared) {
  EXPECT_TRUE(parse("couler 1\n\nenum E { None, Some }\nfn f(e: E) -> bool = e == None\n")
                  .diags.all()
                  .empty());
  EXPECT_TRUE(parse("couler 1\n\nfn f(null: int) -> int = null\n").diags.all().empty());
}

TEST(ParseErrors, JunkBetweenDeclarationsIsReportedOnce) {
  const Parsed p = parse("couler 1\n\nlet x = 3\nfoo(x)\nbar\n\nenum E { a }\n\nprint(3)\n");
  EXPECT_EQ(p.codes(), (Codes{"CW0138 3:1", "CW0138 9:1"})) << p.messages();
  EXPECT_EQ(p.tree->decls.size(), 1U);
}

TEST(ParseErrors, TheEditionLine) {
  EXPECT_EQ(parse("").codes(), Codes{"CW0108 1:1"});
  EXPECT_EQ(parse("// nothing but this\n").codes(), Codes{"CW0108 1:1"});
  EXPECT_EQ(parse("couler").codes(), Codes{"CW0108 1:1"});
  EXPECT_EQ(parse("couler 2\n").codes(), Codes{"CW0109 1:8"});
  EXPECT_EQ(parse("couler 1.5\n").codes(), Codes{"CW0109 1:8"});
  EXPECT_EQ(parse("couler 1 task t() { }\n").codes(), Codes{"CW0101 1:10"});
  EXPECT_EQ(parse("// first\ncouler 1\n").codes(), Codes{});
  const Parsed p = parse("fn f() -> int = 1\n");
  EXPECT_EQ(p.codes(), Codes{"CW0108 1:1"});
  EXPECT_EQ(p.tree->decls.size(), 1U);  // goes on all the same
  EXPECT_TRUE(parse(p.fixed()).diags.all().empty()) << p.fixed();
}

TEST(ParseErrors, OtherLanguagesDocumentsAreNamed) {
  for (const char* text :
       {"cwlVersion: v1.0\nclass: Workflow\n", "# a comment\n\nclass: CommandLineTool\n",
        "#!/usr/bin/env cwl-runner\nid: x\n", "{\n  \"cwlVersion\": \"v1.0\"\n}\n",
        "$graph:\n- id: a\n", "$namespaces:\n  edam: http://edamontology.org/\nclass: Workflow\n",
        "'id': x\n"}) {
    const Parsed p = parse(text);
    ASSERT_EQ(p.diags.all().size(), 1U) << text << p.messages();
    EXPECT_EQ(p.diags.all()[0].code(), "CW0107");
  }
}

TEST(ParseErrors, EveryCommonWorkflowLanguageDocumentIsNamed) {
  const std::filesystem::path folder = corpora() / "cwl";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no corpora at " << folder;
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".cwl") continue;
    ++count;
    const Parsed p = parse(readFile(entry.path()));
    ASSERT_EQ(p.diags.all().size(), 1U) << entry.path() << "\n" << p.messages();
    EXPECT_EQ(p.diags.all()[0].code(), "CW0107") << entry.path();
    EXPECT_TRUE(p.tree->decls.empty()) << entry.path();
  }
  EXPECT_GT(count, 50U);
}

TEST(ParseErrors, NoMoreThanTheLimit) {
  std::string body;
  for (int i = 0; i < 50; ++i) body += "    let x" + std::to_string(i) + " = +\n";
  const Parsed p = parse(inWorkflow(body));
  EXPECT_EQ(p.diags.all().size(), 21U);
  EXPECT_EQ(p.diags.all().back().code(), "CW0102");
}

/// Cuts, doubles and swaps in good programs: whatever comes of it, it ends, with errors or a tree.
TEST(ParseErrors, DamagedProgramsNeitherCrashNorHang) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const std::string text = testing::RandomProgram(seed).make();
    std::uint64_t state = seed * 77 + 5;
    for (int round = 0; round < 4; ++round) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      const std::size_t at = (state >> 33U) % text.size();
      const std::size_t length = (state >> 20U) % 9 + 1;
      std::string damaged = text;
      switch (round) {
        case 0:
          damaged.erase(at, length);
          break;
        case 1:
          damaged.resize(at);
          break;
        case 2:
          damaged.insert(at, text.substr(at / 2, length));
          break;
        default:
          damaged[at] = "(){}[]\"'\n,:=+;\\"[state % 15];
          break;
      }
      const Parsed p = parse(damaged);
      EXPECT_LE(p.diags.all().size(), 21U);
      EXPECT_LE(p.stats.llFallbacks, 0U) << damaged;
    }
  }
}

}  // namespace
}  // namespace couler

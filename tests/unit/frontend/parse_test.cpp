#include <string>

#include <gtest/gtest.h>

#include "parse_support.h"
#include "tests/support/golden.h"
#include "tests/support/random_program.h"

namespace couler {
namespace {

using testing::parse;
using testing::Parsed;

std::string inWorkflow(const std::string& body) {
  return "couler 1\n\nworkflow w(a: int) {\n" + body + "\n}\n";
}

/// The tree of `let x = <text>`, without what stands round it.
std::string exprTree(const std::string& text) {
  const Parsed p = parse(inWorkflow("let x = " + text));
  EXPECT_TRUE(p.diags.all().empty()) << text << "\n" << p.messages();
  EXPECT_EQ(p.stats.llFallbacks, 0U) << text;
  std::string tree = p.print();
  const std::size_t at = tree.find("let x\n");
  return at == std::string::npos ? tree : tree.substr(at + 6);
}

TEST(Parse, WholeLanguage) {
  for (const char* name : {"whole", "expressions", "layout", "tables"}) {
    const auto path = std::filesystem::path(COULER_SOURCE_DIR) / "tests/golden/parse" /
                      (std::string(name) + ".cwl");
    const Parsed p = parse(testing::readFile(path));
    EXPECT_TRUE(p.diags.all().empty()) << name << "\n" << p.messages();
    EXPECT_EQ(p.stats.llFallbacks, 0U) << name;
    testing::expectGolden("parse/" + std::string(name) + ".tree", p.print());
  }
}

TEST(Parse, EveryProgramOfTheRepository) {
  const auto programs = testing::allPrograms();
  ASSERT_GE(programs.size(), 3U);
  for (const auto& path : programs) {
    const std::string text = testing::readFile(path);
    if (path.parent_path().filename() == "errors") continue;  // wrong on purpose
    const Parsed p = parse(text);
    EXPECT_EQ(p.stats.llFallbacks, 0U) << path;
    for (const Diagnostic& d : p.diags.all())
      EXPECT_FALSE(d.code() < "CW0200") << path << "\n" << p.messages();
  }
}

TEST(Parse, RandomPrograms) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const std::string text = testing::RandomProgram(seed).make();
    const Parsed p = parse(text);
    ASSERT_TRUE(p.diags.all().empty()) << "seed " << seed << "\n" << p.messages() << text;
    ASSERT_EQ(p.stats.llFallbacks, 0U) << "seed " << seed << "\n" << text;
  }
}

TEST(Parse, Precedence) {
  // Loosest first, each level tighter than the one before.
  EXPECT_EQ(exprTree("a |> b ?? c"), exprTree("a |> (b ?? c)"));
  EXPECT_EQ(exprTree("a ?? b or c"), exprTree("a ?? (b or c)"));
  EXPECT_EQ(exprTree("a or b and c"), exprTree("a or (b and c)"));
  EXPECT_EQ(exprTree("not a and b"), exprTree("(not a) and b"));
  EXPECT_EQ(exprTree("not a == b"), exprTree("not (a == b)"));
  EXPECT_EQ(exprTree("a == b..c"), exprTree("a == (b..c)"));
  EXPECT_EQ(exprTree("a..b + c"), exprTree("a..(b + c)"));
  EXPECT_EQ(exprTree("a + b * c"), exprTree("a + (b * c)"));
  EXPECT_EQ(exprTree("-a * b"), exprTree("(-a) * b"));
  EXPECT_EQ(exprTree("-a ** b"), exprTree("-(a ** b)"));
  EXPECT_EQ(exprTree("a ** b ** c"), exprTree("a ** (b ** c)"));
  EXPECT_EQ(exprTree("a - b - c"), exprTree("(a - b) - c"));
  EXPECT_EQ(exprTree("a ** b.c"), exprTree("a ** (b.c)"));
  EXPECT_EQ(exprTree("try a.b(c) ?? d"), exprTree("(try (a.b(c))) ?? d"));
  EXPECT_EQ(exprTree("try t(a) after b"), exprTree("try (t(a) after b)"));
  EXPECT_NE(exprTree("a - b - c"), exprTree("a - (b - c)"));
  EXPECT_NE(exprTree("a ** b ** c"), exprTree("(a ** b) ** c"));
}

TEST(Parse, NewlinesThatEndNothing) {
  EXPECT_EQ(exprTree("a +\n b"), exprTree("a + b"));
  EXPECT_EQ(exprTree("a\n |> b\n |> c"), exprTree("a |> b |> c"));
  EXPECT_EQ(exprTree("a\n .b\n ?.c"), exprTree("a.b?.c"));
  EXPECT_EQ(exprTree("f(\na\n,\nb\n,\n)"), exprTree("f(a, b)"));
  EXPECT_EQ(exprTree("if a { b }\nelse { c }"), exprTree("if a { b } else { c }"));
  EXPECT_EQ(exprTree("f(if a {\nb\nc\n})"), exprTree("f(if a { b; c })"));
  EXPECT_EQ(exprTree("tune t(x: in xs)\nmaximize y\nusing tpe\nprior from card(data: d)"),
            exprTree("tune t(x: in xs) maximize y using tpe prior from card(data: d)"));
}

TEST(Parse, WordsAreNamesElsewhere) {
  for (const char* word :
       {"image",     "timeout", "env",      "cache",    "run",     "sh",     "python", "max",
        "where",     "limit",   "task",     "workflow", "schema",  "enum",   "test",   "target",
        "transform", "labeler", "volatile", "as",       "on",      "by",     "when",   "vote",
        "expect",    "using",   "maximize", "tune",     "prior",   "from",     "min",     "s",      "h",      "d",
        "group",     "order",   "distinct", "join",     "without", "status", "couler", "std"}) {
    const std::string w(word);
    const Parsed p =
        parse("couler 1\n\nfn f(" + w + ": int, b: int) -> int = " + w + " + g(" + w + ": " + w +
              ", b) * b." + w + "\n\nschema S {\n    " + w + ": int\n}\n\nworkflow w(" + w +
              ": int) {\n    let x = " + w + "\n    let " + w + " = [" + w + "]\n    t(" + w +
              ")\n    " + w + "(1)\n}\n");
    EXPECT_TRUE(p.diags.all().empty()) << word << "\n" << p.messages();
    EXPECT_EQ(p.tree->decls.size(), 3U) << word;
  }
  EXPECT_EQ(exprTree("a.in.or.let"), exprTree("a\n.in\n.or\n.let"));
}

TEST(Parse, APriorIsTwoWords) {
  EXPECT_EQ(parse(inWorkflow("let x = tune t(a: in xs) maximize y\nprior(x)")).messages(), "");
  const Parsed p = parse(inWorkflow("let x = tune t(a: in xs) maximize y\nprior card(data: d)"));
  EXPECT_NE(p.messages().find("expected `from`"), std::string::npos) << p.messages();
}

TEST(Parse, Quantities) {
  const std::string minutes = exprTree("30 min");
  EXPECT_NE(minutes.find("Quantity 30 min"), std::string::npos) << minutes;
  EXPECT_EQ(minutes, exprTree("30min"));
  EXPECT_NE(exprTree("1.5 GiB").find("Quantity 1.5 GiB"), std::string::npos);
  // On another line it is no unit.
  const Parsed p = parse(inWorkflow("let x = 30\nmin(x)"));
  EXPECT_TRUE(p.diags.all().empty()) << p.messages();
}

TEST(Parse, Literals) {
  EXPECT_NE(exprTree(R"("a\n\t\"\\\{\}\u{e9}")").find("\"a\\n\\t\\\"\\\\{}é\""), std::string::npos)
      << exprTree(R"("a\n\t\"\\\{\}\u{e9}")");
  EXPECT_NE(exprTree("-9223372036854775808").find("Int -9223372036854775808"), std::string::npos);
  EXPECT_NE(exprTree("1_000_000").find("Int 1000000"), std::string::npos);
  EXPECT_NE(exprTree("2e-3").find("Float 0.002"), std::string::npos);
  EXPECT_NE(exprTree("r\"\\d+\\\"\"").find("Regex \"\\\\d+\\\\\\\"\""), std::string::npos)
      << exprTree("r\"\\d+\\\"\"");
  EXPECT_NE(exprTree("\"\"").find("String \"\""), std::string::npos);
}

TEST(Parse, RawTextIsDedented) {
  const auto raw = [](const std::string& inner) {
    std::string tree = exprTree("\"\"\"" + inner + "\"\"\"");
    const std::size_t at = tree.find("RawString ");
    return tree.substr(at + 10, tree.find('\n', at) - at - 10);
  };
  EXPECT_EQ(raw("one"), "\"one\"");
  EXPECT_EQ(raw("\n    a\n      b\n    "), "\"a\\n  b\\n\"");
  EXPECT_EQ(raw("\n    a\n\n    b"), "\"a\\n\\nb\"");
  EXPECT_EQ(raw("\n\ta\n\tb\n"), "\"a\\nb\\n\"");
  EXPECT_EQ(raw("\n  a\n\tb\n"), "\"  a\\n\\tb\\n\"");  // nothing in common
  EXPECT_EQ(raw("\r\n  a\r\n  b\r\n  "), "\"a\\nb\\n\"");
  EXPECT_EQ(raw("a\n  b\n"), "\"a\\nb\\n\"");
}

TEST(Parse, ByteOrderMarkAndCarriageReturns) {
  const std::string plain = "couler 1\n\ntask t() {\n    timeout 3 s\n    run [\"a\"]\n}\n";
  std::string dos = "\xef\xbb\xbf";
  for (const char c : plain) dos += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const Parsed p = parse(dos);
  EXPECT_TRUE(p.diags.all().empty()) << p.messages();
  EXPECT_EQ(p.print(), parse(plain).print());
}

TEST(Parse, SpansAreByteOffsets) {
  const std::string text = "couler 1\n\n// é ü 😀\nfn f(a: int) -> string = \"é\" + name\n";
  const Parsed p = parse(text);
  ASSERT_TRUE(p.diags.all().empty()) << p.messages();
  const auto& fn = static_cast<const syntax::FnDecl&>(*p.tree->decls[0]);
  const auto& sum = static_cast<const syntax::BinaryExpr&>(*fn.body);
  EXPECT_EQ(p.sources->text(sum.right->span), "name");
  EXPECT_EQ(p.sources->text(sum.left->span), "\"é\"");
  EXPECT_EQ(p.sources->text(sum.opSpan), "+");
  ASSERT_EQ(p.tree->comments.size(), 1U);
  EXPECT_EQ(p.sources->text(p.tree->comments[0].span), "// é ü 😀");
}

TEST(Parse, EveryExpressionHasAnIdOfItsOwn) {
  const Parsed p = parse(inWorkflow("let x = f(a, [1, 2], \"{a + 1}\")"));
  EXPECT_EQ(p.tree->exprCount, 10U);
}

TEST(Parse, DocComments) {
  const Parsed p = parse(
      "couler 1\n\n/// One.\n///\n///   - two\ntask t(\n    /// the number\n    n: int) {\n    /// "
      "no one's\n    run [\"a\"]\n}\n"
      "enum E {\n    /// first\n    a, b\n}\n/// the end\n");
  ASSERT_TRUE(p.diags.all().empty()) << p.messages();
  const auto& task = static_cast<const syntax::TaskDecl&>(*p.tree->decls[0]);
  EXPECT_EQ(task.doc, "One.\n\n  - two");
  EXPECT_EQ(task.params[0].doc, "the number");
  EXPECT_EQ(static_cast<const syntax::EnumDecl&>(*p.tree->decls[1]).cases[0].doc, "first");
  ASSERT_EQ(p.tree->comments.size(), 2U);  // those that describe nothing
  EXPECT_EQ(p.sources->text(p.tree->comments[0].span), "/// no one's");
}

TEST(Parse, AfterTakesCommasOnlyInStatements) {
  const Parsed p = parse(inWorkflow("let x = t(a) after b, c.d, e[0]\nf(t(a) after b, c)"));
  ASSERT_TRUE(p.diags.all().empty()) << p.messages();
  const auto& w = static_cast<const syntax::WorkflowDecl&>(*p.tree->decls[0]);
  const auto* let = static_cast<const syntax::LetStmt*>(w.body->statements[0]);
  EXPECT_EQ(static_cast<const syntax::AfterExpr*>(let->value)->after.size(), 3U);
  const auto* call = static_cast<const syntax::CallExpr*>(
      static_cast<const syntax::ExprStmt*>(w.body->statements[1])->value);
  EXPECT_EQ(call->args.size(), 2U);
}

}  // namespace
}  // namespace couler

#include "frontend/session.h"

#include <map>

#include <gtest/gtest.h>

#include "frontend/session_paths.h"
#include "ir/eval.h"
#include "ir/verify.h"
#include "support/render.h"

namespace couler {
namespace {

/// Files that exist in the test alone; counts how often each is read.
class Files {
 public:
  using Texts = std::map<std::string, std::string>;
  explicit Files(Texts files) : files_(std::move(files)) {}
  SourceLoader loader() {
    return [this](const std::string& path) -> LoadedText {
      ++reads[path];
      if (path == "folder.cwl") return {std::nullopt, "it is a folder"};
      const auto it = files_.find(path);
      if (it == files_.end()) return {std::nullopt, "no such file"};
      return {it->second, ""};
    };
  }
  std::map<std::string, int> reads;

 private:
  std::map<std::string, std::string> files_;
};

std::string codes(const DiagnosticList& diags) {
  std::string out;
  for (const Diagnostic& d : diags.sorted()) out += (out.empty() ? "" : " ") + d.code();
  return out;
}

TEST(SessionPaths, AreNormalised) {
  EXPECT_EQ(normalPath("./a//b/../c.cwl"), "a/c.cwl");
  EXPECT_EQ(normalPath("../../x.cwl"), "../../x.cwl");
  EXPECT_EQ(normalPath("a/../../x"), "../x");
  EXPECT_EQ(normalPath("/a/../../x"), "/x");
  EXPECT_EQ(normalPath(""), ".");
  EXPECT_EQ(normalPath("a/.."), ".");
  EXPECT_EQ(joinPath("flows/main.cwl", "./lib/x.cwl"), "flows/lib/x.cwl");
  EXPECT_EQ(joinPath("flows/main.cwl", "../x.cwl"), "x.cwl");
  EXPECT_EQ(joinPath("main.cwl", "x.cwl"), "x.cwl");
  EXPECT_EQ(joinPath("flows/main.cwl", "/abs/x.cwl"), "/abs/x.cwl");
  EXPECT_EQ(joinPath("/main.cwl", "x.cwl"), "/x.cwl");
}

TEST(Session, ReadsEachFileOnce) {
  Files files(
      Files::Texts{{"flows/main.cwl",
                    "couler 1\nimport \"./a.cwl\" { f }\nimport \"../flows/b.cwl\" { g }\n"
                    "fn h() -> int = f() + g()\n"},
                   {"flows/a.cwl", "couler 1\nimport \"b.cwl\" { g }\nfn f() -> int = g() + 1\n"},
                   {"flows/b.cwl", "couler 1\nfn g() -> int = 1\n"}});
  DiagnosticList diags;
  Session session(files.loader(), diags);
  ASSERT_TRUE(session.load("flows/main.cwl"));
  EXPECT_TRUE(session.lower("", false).has_value()) << codes(diags);
  EXPECT_EQ(session.trees().size(), 3U);
  EXPECT_EQ(session.sources().path(FileId{1U}), "flows/a.cwl");
  for (const auto& [path, count] : files.reads) EXPECT_EQ(count, 1) << path;
}

TEST(Session, MissingRootIsReported) {
  Files files(Files::Texts{});
  DiagnosticList diags;
  Session session(files.loader(), diags);
  EXPECT_FALSE(session.load("main.cwl"));
  EXPECT_EQ(codes(diags), "CW0905");
}

TEST(Session, WhatCannotBeImportedIsReportedWhereItIsImported) {
  Files files(Files::Texts{{"main.cwl",
                            "couler 1\nimport \"gone.cwl\" { a }\nimport \"./gone.cwl\" as g\n"
                            "import \"folder.cwl\" { b }\nimport std.txt\n"
                            "fn f() -> int = a() + b() + g.c() + txt.d()\n"}});
  DiagnosticList diags;
  Session session(files.loader(), diags);
  ASSERT_TRUE(session.load("main.cwl"));
  EXPECT_FALSE(session.lower("", false).has_value());
  // Each import once, and nothing about the names that would have come from them.
  EXPECT_EQ(codes(diags), "CW0421 CW0421 CW0421 CW0422");
  EXPECT_EQ(files.reads["gone.cwl"], 1);
  const std::vector<Diagnostic> all = diags.sorted();
  EXPECT_EQ(all[2].message, "cannot import `folder.cwl`: it is a folder");
  EXPECT_EQ(all[3].notes.at(0), "did you mean `std.text`?");
}

TEST(Session, CyclesAreShownWhole) {
  Files files(
      Files::Texts{{"a.cwl", "couler 1\nimport \"b.cwl\" as b\nfn f() -> int = b.g()\n"},
                   {"b.cwl", "couler 1\nimport \"c.cwl\" as c\nfn g() -> int = c.h()\n"},
                   {"c.cwl", "couler 1\nimport \"a.cwl\" as a\nfn h() -> int = 1 + a.f()\n"}});
  DiagnosticList diags;
  Session session(files.loader(), diags);
  ASSERT_TRUE(session.load("a.cwl"));
  EXPECT_FALSE(session.lower("", false).has_value());
  const std::string text = renderHuman(diags.sorted(), session.sources(), false);
  EXPECT_NE(text.find("`a.cwl` → `b.cwl` → `c.cwl` → `a.cwl`"), std::string::npos) << text;
}

TEST(Session, LongChainsOfImports) {
  std::map<std::string, std::string> all;
  constexpr int kFiles = 3000;
  for (int i = 0; i < kFiles; ++i) {
    const std::string next = std::to_string(i + 1);
    all["f" + std::to_string(i) + ".cwl"] = i + 1 == kFiles ? "couler 1\nfn v() -> int = 1\n"
                                                            : "couler 1\nimport \"f" + next +
                                                                  ".cwl\" as n\nfn v() -> int = 1\n"
                                                                  "fn w() -> int = n.v()\n";
  }
  Files files(std::move(all));
  DiagnosticList diags;
  Session session(files.loader(), diags);
  ASSERT_TRUE(session.load("f0.cwl"));
  const auto module = session.lower("", false);
  ASSERT_TRUE(module.has_value()) << codes(diags);
  // What the root does not reach stays out.
  EXPECT_EQ(module->funcs.size(), 3U);
}

class StdlibModule : public ::testing::TestWithParam<std::string_view> {};

TEST_P(StdlibModule, CompilesWithoutAWord) {
  const auto text = stdlibText(GetParam());
  ASSERT_TRUE(text.has_value());
  Files files(Files::Texts{{"m.cwl", std::string(*text)}});
  DiagnosticList diags;
  Session session(files.loader(), diags);
  ASSERT_TRUE(session.load("m.cwl"));
  const auto module = session.lower("", false);
  EXPECT_TRUE(diags.all().empty()) << renderHuman(diags.sorted(), session.sources(), false);
  ASSERT_TRUE(module.has_value());
  for (const ir::FuncDef& func : module->funcs) {
    if (!func.name.starts_with("_")) {
      EXPECT_FALSE(func.doc.empty()) << func.name << " has no doc comment";
    }
  }
}
INSTANTIATE_TEST_SUITE_P(All, StdlibModule, ::testing::ValuesIn(stdlibModules()),
                         [](const auto& param) { return std::string(param.param); });

TEST(Stdlib, DoesWhatItsDocsSay) {
  Files files(Files::Texts{{"main.cwl", R"(couler 1
import std.text
import std.math
import std.lists
import std.paths

test "text" {
    expect text.mentions("Please SUBSCRIBE now", ["subscribe"])
    expect not text.mentions("hello", ["subscribe", "bye"])
    expect text.has_word("Check it out!", "check") and not text.has_word("checked", "check")
    expect text.words("It's 2 dogs, née x") == ["It's", "2", "dogs", "née", "x"]
    expect text.word_count("") == 0
    expect text.is_blank(" \t\n") and not text.is_blank(".")
    expect text.slug("--Spam & Ham, v2!") == "spam-ham-v2"
    expect text.squeeze("  a \n b ") == "a b"
    expect text.capitalize("éa") == "Éa" and text.capitalize("") == ""
    expect text.shorten("abcdef", 4) == "abc…" and text.shorten("abcd", 4) == "abcd"
    expect text.shorten("abcdef", 5, "...") == "ab..."
    expect text.before("a=b=c", "=") == "a" and text.before("abc", "=") == "abc"
    expect text.beyond("a=b=c", "=") == "b=c" and text.beyond("abc", "=") == ""
    expect text.without_prefix("v1.2", "v") == "1.2" and text.without_prefix("1.2", "v") == "1.2"
    expect text.without_suffix("a.csv", ".csv") == "a" and text.without_suffix("a", ".csv") == "a"
    expect text.indent("a\nb", "> ") == "> a\n> b"
    expect text.center("ab", 5) == " ab  " and text.center("abc", 2) == "abc"
}

test "math" {
    expect math.sign(-2.5) == -1 and math.sign(0.0) == 0 and math.sign(1.0) == 1
    expect math.is_even(-4) and not math.is_even(3)
    expect math.ceil_div(7, 2) == 4 and math.ceil_div(-7, 2) == -3 and math.ceil_div(8, 2) == 4
    expect math.percent(1.0, 4.0) == 25.0
    expect math.linspace(0.0, 1.0, 5) == [0.0, 0.25, 0.5, 0.75, 1.0]
    expect round(math.logspace(0.001, 0.1, 3)[1], 6) == 0.01
    expect math.variance([1.0, 3.0]) == 1.0 and math.stdev([2.0, 2.0]) == 0.0
    expect math.median([3.0, 1.0, 2.0]) == 2.0 and math.median([4.0, 1.0, 2.0, 3.0]) == 2.5
    expect math.quantile([0.0, 10.0], 0.25) == 2.5 and math.quantile([7.0], 1.0) == 7.0
    expect math.f1(0.0, 0.0) == 0.0 and math.f1(1.0, 1.0) == 1.0
    expect math.hypot(3.0, 4.0) == 5.0 and math.logistic(0.0) == 0.5
    expect abs(math.tan(math.radians(45.0)) - 1.0) < 0.000001
    expect abs(log(math.e()) - 1.0) < 0.000001 and math.mix(1.0, 3.0, 0.5) == 2.0
}

test "lists" {
    expect lists.arg_max([1.0, 5.0, 5.0]) == 1 and lists.arg_min([2.0, 1.0, 1.0]) == 1
    expect lists.top([1.0, 3.0, 2.0], 2) == [3.0, 2.0]
    expect lists.chunks(["a", "b", "c"], 2) == [["a", "b"], ["c"]]
    expect lists.spread(7, 3) == [[0, 1], [2, 3], [4, 5, 6]]
    expect lists.without(["a", "b", "c"], ["b"]) == ["a", "c"]
    expect lists.common(["a", "b", "c"], ["c", "a"]) == ["a", "c"]
    expect lists.grid([1.0, 2.0], [3.0]) == [(x: 1.0, y: 3.0), (x: 2.0, y: 3.0)]
    expect lists.not_blank(["a", " ", ""]) == ["a"]
}

test "paths" {
    expect paths.within("a/", "b") == "a/b" and paths.within("a", "b") == "a/b"
    expect paths.within("", "b") == "b" and paths.within("a", "/b") == "/b"
    expect paths.with_extension("a/b.csv", ".json") == "a/b.json"
    expect paths.with_extension("b", ".json") == "b.json"
    expect paths.has_extension("a/B.CSV", ".csv") and not paths.has_extension("a.csv/b", ".csv")
    expect paths.parts("/a//b/c.txt") == ["a", "b", "c.txt"]
    expect paths.part_name(3, 10) == "part-00003-of-00010"
}
)"}});
  DiagnosticList diags;
  Session session(files.loader(), diags);
  ASSERT_TRUE(session.load("main.cwl"));
  const auto module = session.lower("", false);
  ASSERT_TRUE(module.has_value()) << renderHuman(diags.sorted(), session.sources(), false);
  for (const ir::TestDef& test : module->tests) {
    const std::vector<ir::EvalResult> results = ir::evaluateRegion(*module, test.body, {});
    ASSERT_EQ(results.size(), test.expectations.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      const ir::Value* value = std::get_if<ir::Value>(&results[i]);
      EXPECT_TRUE(value != nullptr && value->as<bool>() != nullptr && *value->as<bool>())
          << session.sources().text(test.expectations[i])
          << (value == nullptr ? ": " + std::get<ir::EvalError>(results[i]).message : "");
    }
  }
}

}  // namespace
}  // namespace couler

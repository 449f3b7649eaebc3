#include "support/render.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/text.h"

namespace couler {
namespace {

class Render : public testing::Test {
 protected:
  SourceManager sources;
  FileId file = sources.add("train.cwl",
                            "couler 1\n"
                            "task train(data: file) -> (n: int = stdout) { run [\"wc\", data] }\n"
                            "\tlet \xC3\xA9t\xC3\xA9 = train(0.1)\n");
  Span find(std::string_view what) {
    const auto at = static_cast<std::uint32_t>(sources.text(file).find(what));
    return {file, at, at + static_cast<std::uint32_t>(what.size())};
  }
  Diagnostic mismatch() {
    return diagnose<Diag::TypeMismatch>(find("0.1"), "file", "float")
        .under("this is `float`")
        .label(find("data: file"), "`train` takes `data: file`")
        .note("files are given by path")
        .fix("write `file(\"x\")`", find("0.1"), "file(\"x\")");
  }
};

TEST_F(Render, Human) {
  EXPECT_EQ(renderHuman({mismatch()}, sources, false),
            "error[CW0301]: expected `file`, found `float`\n"
            "  --> train.cwl:3:18\n"
            "  3 |  let \xC3\xA9t\xC3\xA9 = train(0.1)\n"
            "    |                  ^^^ this is `float`\n"
            "  2 | task train(data: file) -> (n: int = stdout) { run [\"wc\", data] }\n"
            "    |            ---------- `train` takes `data: file`\n"
            "    = note: files are given by path\n"
            "    = fix: write `file(\"x\")`\n"
            "\n"
            "1 error\n");
}

TEST_F(Render, ColourOnlyWhenAsked) {
  EXPECT_EQ(renderHuman({mismatch()}, sources, false).find('\x1b'), std::string::npos);
  EXPECT_NE(renderHuman({mismatch()}, sources, true).find("\x1b[1;31merror[CW0301]"),
            std::string::npos);
}

TEST_F(Render, LongAndStrangeLinesStayReadable) {
  const FileId wide =
      sources.add("w.cwl", std::string(5000, 'a') + "\x07" + std::string(5000, 'b'));
  const std::string text =
      renderHuman({diagnose<Diag::SyntaxError>(Span{wide, 5000, 5001}, "odd")}, sources, false);
  EXPECT_LT(text.size(), 1000U);
  EXPECT_NE(text.find("\\x07"), std::string::npos);
  EXPECT_EQ(text.find('\x07'), std::string::npos) << "no control character reaches a terminal";
}

TEST_F(Render, BytesThatAreNoUtf8AreSpelledOut) {
  const FileId bad = sources.add("b.cwl", "ok \xC3\xA9 \xFF\xA9 \xE2\x82 end");
  const std::string text =
      renderHuman({diagnose<Diag::SyntaxError>(Span{bad, 6, 7}, "odd")}, sources, false);
  EXPECT_NE(text.find("ok \xC3\xA9 \\xff\\xa9 \\xe2\\x82 end"), std::string::npos) << text;
  EXPECT_FALSE(findInvalidUtf8(text));
}

TEST_F(Render, NoPlaceIsFine) {
  EXPECT_EQ(renderHuman({diagnose<Diag::SyntaxError>(Span{}, "no file")}, sources, false),
            "error[CW0101]: no file\n\n1 error\n");
}

TEST_F(Render, JsonHasOneObjectALine) {
  const std::string text = renderJson({mismatch(), mismatch()}, sources);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  const auto row = nlohmann::json::parse(text.substr(0, text.find('\n')));
  EXPECT_EQ(row["code"], "CW0301");
  EXPECT_EQ(row["range"]["start"]["line"], 3);
  EXPECT_EQ(row["range"]["start"]["column"], 18);
  EXPECT_EQ(row["labels"][1]["text"], "`train` takes `data: file`");
  EXPECT_EQ(row["fixes"][0]["edits"][0]["text"], "file(\"x\")");
}

TEST_F(Render, Sarif) {
  const auto log = nlohmann::json::parse(renderSarif({mismatch()}, sources));
  EXPECT_EQ(log["version"], "2.1.0");
  const auto& run = log["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["rules"][0]["name"], "TypeMismatch");
  EXPECT_EQ(run["results"][0]["locations"][0]["physicalLocation"]["region"]["startColumn"], 18);
  EXPECT_EQ(run["results"][0]["fixes"][0]["artifactChanges"][0]["artifactLocation"]["uri"],
            "train.cwl");
}

TEST(DiagnosticList, SortsAndDropsRepeats) {
  SourceManager sources;
  const FileId file = sources.add("a", "0123456789");
  DiagnosticList list;
  list.take(diagnose<Diag::SyntaxError>(Span{file, 5, 6}, "later"));
  list.take(diagnose<Diag::SyntaxError>(Span{file, 1, 2}, "earlier"));
  list.take(diagnose<Diag::SyntaxError>(Span{file, 5, 6}, "later"));
  ASSERT_EQ(list.sorted().size(), 2U);
  EXPECT_EQ(list.sorted()[0].message, "earlier");
  EXPECT_EQ(list.errorCount(), 3U);
}

TEST(DiagnosticTable, NumbersRiseAndTextsFitTheirArguments) {
  const auto& table = diagnosticTable();
  ASSERT_FALSE(table.empty());
  for (std::size_t i = 1; i < table.size(); ++i) {
    EXPECT_LT(static_cast<unsigned>(table[i - 1].id), static_cast<unsigned>(table[i].id))
        << table[i].code << " is out of order";
  }
}

}  // namespace
}  // namespace couler

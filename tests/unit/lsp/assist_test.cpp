// What helps to write: completion behind a value, refactorings, repairs.
#include "tests/unit/lsp/client.h"

namespace couler::lsp {
namespace {

using testing::Client;
using testing::edited;
using testing::Folder;
using testing::labels;

constexpr const char* kProgram = R"(couler 1

enum Grade { low, high }

schema Row {
    id:   int
    name: string?
}

transform kept(row: Row) {
    where row.id > 0
    ...row
}

task step(n: int, grade: Grade = low) -> (m: int, log: file = "log") {
    run sh """
        m=$n
        touch "$log"
        """
}

task join(items: list<int>, note: string, again: bool, grade: Grade) -> (sum: int) {
    run sh """
        sum=1
        """
}

workflow main(counts: list<int>, data: file<csv>, most: int?, quiet: bool) -> (m: int) {
    let rows = read<Row>(data)
    let first = step(most ?? 3)
    let second = step(first.m * 2 + 1)
    let both = for n in [1, 2] { step(n) }
    let pair = [step(4, grade: low), step(5, grade: low)]
    let shown = if most != none { most } else { 7 }
    let way = if quiet == true { first.m } else { second.m }
    let all = step(both[0].m + pair[0].m + way + shown)
    return (m: all.m)
}
)";

class LspAssist : public ::testing::Test {
 protected:
  LspAssist() : path(folder.write("main.cwl", kProgram)) { client.open(path, kProgram); }

  /// The completion of a text with something in the place of `from`, at the end of that; `more`
  /// stands behind it.
  Json complete(const std::string& from, const std::string& to, const std::string& more = "") {
    client.change(path, kProgram);  // so that names are known
    std::string text = kProgram;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to + more);
    client.change(path, text);
    const Lines lines(text);
    const Position place =
        lines.position(text, static_cast<std::uint32_t>(at + to.size()), Encoding::Utf16);
    typed = text;
    return client.at("completion", path, place);
  }
  /// The same with one of its items taken, as an editor does it without the marks of a snippet.
  std::string taken(const std::string& to, const std::string& label) {
    const std::string line = "    let shown";
    const Json found = complete(line, "    " + to, "\n" + line);
    for (const Json& item : found["items"]) {
      if (item["label"] != label) continue;
      Json edits = item.value("additionalTextEdits", Json::array());
      edits.push_back(item["textEdit"]);
      return edited(typed, edits);
    }
    return "";
  }

  /// Titles of the actions for what is between two places, with the text that each makes.
  std::map<std::string, std::string> actions(const std::string& text, const std::string& from,
                                             const std::string& what) {
    client.change(path, text);
    const Lines lines(text);
    const auto begin = static_cast<std::uint32_t>(text.find(from));
    const auto end = static_cast<std::uint32_t>(begin + what.size());
    const Range range{lines.position(text, begin, Encoding::Utf16),
                      lines.position(text, end, Encoding::Utf16)};
    std::map<std::string, std::string> made;
    const Json found = client.of("codeAction", path, {{"range", toJson(range)}, {"context", Json::object()}});
    for (const Json& one : found) {
      made[one["title"]] = edited(text, one["edit"]["changes"][uriOf(path)]);
    }
    return made;
  }
  std::map<std::string, std::string> actions(const std::string& from, const std::string& what) {
    return actions(kProgram, from, what);
  }
  /// That it is right, and laid out as the formatter does it.
  void expectSound(const std::string& text) {
    client.change(path, text);
    for (const Json& one : client.diagnostics(path)) EXPECT_NE(one["severity"], 1) << one << text;
    EXPECT_TRUE(client.of("formatting", path).empty()) << client.of("formatting", path) << text;
  }

  Folder folder;
  std::string path;
  std::string typed;
  Client client{{{"textDocument",
                  {{"completion",
                    {{"completionItem",
                      {{"snippetSupport", true},
                       {"resolveSupport", {{"properties", {"documentation"}}}}}}}}}}},
                folder.path()};
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(LspAssist, WordsBehindAValueMakeMoreOfIt) {
  const auto offers = [&](const std::string& value, const std::string& word) {
    const auto all = labels(complete("    let shown", "    " + value + "."));
    return std::find(all.begin(), all.end(), word) != all.end();
  };
  EXPECT_TRUE(offers("counts", "for") && !offers("counts", "if"));
  EXPECT_TRUE(offers("quiet", "if") && offers("quiet", "not") && !offers("quiet", "for"));
  EXPECT_TRUE(offers("most", "if") && offers("most", "default"));
  EXPECT_TRUE(offers("rows", "pipe") && offers("rows", "name") && !offers("rows", "for"));
  EXPECT_TRUE(offers("step(2)", "try") && offers("step(2)", "after") && offers("step(2)", "let"));
  EXPECT_TRUE(offers("first", "let") && !offers("first", "try"));
  EXPECT_FALSE(offers("let x = first", "let")) << "it begins no statement";
}

TEST_F(LspAssist, WordsBehindAValueTakeItsPlace) {
  EXPECT_TRUE(has(taken("counts.fo", "for"), "\n    for ${1:count} in counts {\n    $0\n}\n"));
  EXPECT_TRUE(has(taken("most.", "default"), "\n    most ?? $0\n"));
  EXPECT_TRUE(has(taken("step(counts[0]).tr", "try"), "\n    try step(counts[0])\n"));
  EXPECT_TRUE(has(taken("first.m.le", "let"), "\n    let ${1:name} = first.m\n"));
}

TEST_F(LspAssist, DocumentationComesWhenItIsAskedFor) {
  const Json items = complete("    let shown", "    let x = up")["items"];
  const auto found = std::find_if(items.begin(), items.end(),
                                  [](const Json& one) { return one["label"] == "upper"; });
  ASSERT_NE(found, items.end());
  EXPECT_FALSE(found->contains("documentation"));
  const Json resolved = client.request("completionItem/resolve", *found);
  EXPECT_FALSE(resolved["documentation"]["value"].get<std::string>().empty());
  EXPECT_EQ(resolved["label"], "upper");
  (void)complete("    let shown", "    let x = lo");
  EXPECT_FALSE(client.request("completionItem/resolve", *found).contains("documentation"))
      << "of an older list";
  EXPECT_EQ(client.request("completionItem/resolve", {{"label", "x"}})["label"], "x");
}

TEST_F(LspAssist, ExtractsStatementsIntoAWorkflow) {
  const std::string what =
      "    let first = step(most ?? 3)\n    let second = step(first.m * 2 + 1)\n";
  const std::string made = actions(what, what)["extract into a workflow"];
  EXPECT_TRUE(has(made, "    let parts = part(most)\n    let both")) << made;
  EXPECT_TRUE(has(made, "{ parts.first.m } else { parts.second.m }")) << made;
  EXPECT_TRUE(has(made, "\n\nworkflow part(most: int?) -> (first: (m: int, log: file), second: (m: int, log: file)) {\n"
                        "    let first = step(most ?? 3)\n"
                        "    let second = step(first.m * 2 + 1)\n"
                        "    return (first: first, second: second)\n}\n"))
      << made;
  expectSound(made);
  EXPECT_FALSE(actions(what, "    let first = st").contains("extract into a workflow"))
      << "a statement is whole or not";
  EXPECT_FALSE(actions("    return", "    return (m: all.m)\n").contains("extract into a workflow"));
}

TEST_F(LspAssist, ExtractsAnExpressionIntoAFunction) {
  const std::string made = actions("first.m * 2 + 1", "first.m * 2 + 1")["extract into a `fn`"];
  EXPECT_TRUE(has(made, "fn made(first: (m: int, log: file)) -> int = first.m * 2 + 1\n\nworkflow main")) << made;
  EXPECT_TRUE(has(made, "step(made(first))")) << made;
  expectSound(made);
  EXPECT_FALSE(actions("step(n)", "step(n)").contains("extract into a `fn`")) << "it runs a step";
}

TEST_F(LspAssist, ConvertsForAndIf) {
  std::string made = actions("for n in", "")["convert the `for` to a list"];
  EXPECT_TRUE(has(made, "let both = [step(1), step(2)]\n")) << made;
  expectSound(made);
  made = actions("[step(4", "")["convert the list to a `for`"];
  EXPECT_TRUE(has(made, "let pair = for item in [4, 5] {\n        step(item, grade: low)\n    }\n")) << made;
  expectSound(made);
  made = actions("if most", "")["convert the `if` to `??`"];
  EXPECT_TRUE(has(made, "let shown = most ?? 7\n")) << made;
  expectSound(made);
  made = actions(made, "most ?? 7", "")["convert `??` to an `if`"];
  EXPECT_EQ(made, kProgram);
  made = actions("if quiet", "")["turn the `if` round"];
  EXPECT_TRUE(has(made, "if quiet != true { second.m } else { first.m }")) << made;
  expectSound(made);
}

TEST_F(LspAssist, AddsMissingArguments) {
  std::string text = kProgram;
  const std::string call = "step(both[0].m + pair[0].m + way + shown)";
  text.replace(text.find(call), call.size(), "join(counts)");
  text.replace(text.find("all.m"), 5, "all.sum");
  const std::string made = actions(text, "join(counts)", "")["add the missing arguments"];
  EXPECT_TRUE(has(made, "join(counts, note: \"\", again: false, grade: low)")) << made;
  expectSound(made);
}

TEST_F(LspAssist, CreatesATaskThatIsCalled) {
  std::string text = kProgram;
  const std::string call = "step(both[0].m + pair[0].m + way + shown)";
  text.replace(text.find(call), call.size(), "judge(data, way, note: \"x\")");
  const std::string made = actions(text, "judge(", "")["create the task `judge`"];
  EXPECT_TRUE(has(made, "}\n\ntask judge(data: file<csv>, way: int, note: string) -> (m: string) {\n    run sh")) << made;
  client.change(path, made);
  for (const Json& one : client.diagnostics(path)) EXPECT_NE(one["code"], "CW0201") << one;
}

TEST_F(LspAssist, ImportsWhatIsUnknown) {
  std::string text = kProgram;
  text.replace(text.find("    let shown"), 0, "    let big = capitalize(\"a\")\n");
  const std::string made = actions(text, "capitalize(", "")["import `capitalize` from `std.text`"];
  EXPECT_TRUE(has(made, "import std.text { capitalize }\n")) << made;
  client.change(path, made);
  for (const Json& one : client.diagnostics(path)) EXPECT_NE(one["severity"], 1) << one;
}

TEST_F(LspAssist, ImportsWhatOtherProgramsHave) {
  folder.write("lib/more.cwl",
               "couler 1\n\n/// Twice.\ntask judge_all(data: file<csv>,\n    note: string) -> (m: int) {\n"
               "    run sh \"\"\"\n        task hidden() { m=1; }\n        \"\"\"\n}\n\nfn _own(x: int) -> int = x\n"
               "schema Judged { id: int }\n");
  folder.write("lib/tool.cwl", "cwlVersion: v1.2\nclass: CommandLineTool\n");
  client.notify("workspace/didChangeWatchedFiles", {{"changes", Json::array()}});
  const Json found = complete("    let shown", "    let x = jud");
  EXPECT_TRUE(found["isIncomplete"].get<bool>());
  const Json& items = found["items"];
  const auto item = std::find_if(items.begin(), items.end(), [](const Json& one) { return one["label"] == "judge_all"; });
  ASSERT_NE(item, items.end());
  EXPECT_EQ((*item)["detail"], "task judge_all(data: file<csv>, note: string) -> (m: int)");
  EXPECT_TRUE(has(edited(typed, (*item)["additionalTextEdits"]), "couler 1\n\nimport \"./lib/more.cwl\" { judge_all }\n"));
  const auto types = labels(complete("most: int?", "most: Jud"));
  EXPECT_NE(std::find(types.begin(), types.end(), "Judged"), types.end());
  EXPECT_EQ(std::find(types.begin(), types.end(), "judge_all"), types.end());

  std::string text = kProgram;
  text.replace(text.find("    let shown"), 0, "    let extra = judge_all(data, \"x\")\n");
  const std::string made = actions(text, "judge_all(", "")["import `judge_all` from `\"./lib/more.cwl\"`"];
  client.change(path, made);
  for (const Json& one : client.diagnostics(path)) EXPECT_NE(one["severity"], 1) << one << made;
}

TEST(LspNames, AreReadFromTheTextAlone) {
  const auto names = exportedNames("/a.cwl", "couler 1\nfn f(x: int) -> int = x\ntask g() {\n  enum x\n}\nworkflow h(");
  ASSERT_EQ(names.size(), 3U);
  EXPECT_EQ(names[0].head, "fn f(x: int) -> int");
  EXPECT_EQ(names[1].head, "task g()");
  EXPECT_EQ(names[2].head, "workflow h(");
  EXPECT_TRUE(exportedNames("/a.cwl", "").empty());
  EXPECT_TRUE(exportedNames("/a.cwl", "task g() {}").empty());
}

}  // namespace
}  // namespace couler::lsp

// What comes when nothing is being typed, and what stands between the lines.
#include <atomic>

#include "tests/unit/lsp/client.h"

namespace couler::lsp {
namespace {

using testing::Client;
using testing::Folder;

constexpr const char* kProgram = R"(couler 1

schema Row {
    id: int
    name: string?
}

transform kept(row: Row) {
    where row.id > 0
    ...row without name
    twice = row.id * 2
}

task step(n: int) -> (m: int) {
    run python """
        m = n
        """
}

volatile task tell(n: int) {
    run ["echo", "{n}"]
}

workflow main(data: file<csv> = "rows.csv") {
    let rows = read<Row>(data) |> kept
    let counts = [1, 2, 3]
    let all = for n in counts {
        let one = step(n)
        one.m
    }
    if all[0] > 2 {
        tell(all[0])
    }
    step(length(all))
}
)";

const Json kRefreshes = {{"workspace",
                          {{"inlayHint", {{"refreshSupport", true}}},
                           {"codeLens", {{"refreshSupport", true}}},
                           {"diagnostics", {{"refreshSupport", true}}}}}};

std::vector<std::string> hints(Client& client, const std::string& path) {
  std::vector<std::string> result;
  for (const Json& one : client.of("inlayHint", path)) {
    result.push_back(std::to_string(one["position"]["line"].get<int>()) + " " +
                     one["label"].get<std::string>());
  }
  return result;
}
std::vector<std::string> lenses(Client& client, const std::string& path) {
  std::vector<std::string> result;
  for (const Json& one : client.of("codeLens", path)) result.push_back(one["command"]["title"]);
  return result;
}
bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}
std::size_t asked(Client& client, const std::string& method) {
  return static_cast<std::size_t>(
      std::count_if(client.received().begin(), client.received().end(),
                    [&](const Json& one) { return one.value("method", "") == method; }));
}

TEST(LspHints, TypesPhasesAndColumns) {
  Folder folder;
  const std::string path = folder.write("main.cwl", kProgram);
  Client client;
  client.open(path, kProgram);
  const auto all = hints(client, path);
  EXPECT_TRUE(has(all, "7 -> (id: int, twice: int)")) << ::testing::PrintToString(all);
  EXPECT_TRUE(has(all, "10 : int")) << ::testing::PrintToString(all);
  EXPECT_TRUE(has(all, "25 : list<int> at compile time")) << ::testing::PrintToString(all);
  EXPECT_TRUE(has(all, "26 at compile time")) << ::testing::PrintToString(all);
  EXPECT_TRUE(has(all, "26 : list<int>")) << ::testing::PrintToString(all);
  EXPECT_TRUE(has(all, "30 at run time")) << ::testing::PrintToString(all);
}

TEST(LspHover, TellsSchemasAndEffects) {
  Folder folder;
  const std::string path = folder.write("main.cwl", kProgram);
  Client client;
  client.open(path, kProgram);
  const auto text = [&](const std::string& after) {
    return client.after("hover", path, after)["contents"]["value"].get<std::string>();
  };
  EXPECT_NE(text("let ro").find("schema kept {\n    id: int\n    twice: int\n}"), std::string::npos) << text("let ro");
  EXPECT_NE(text("task st").find("Effect: pure."), std::string::npos) << text("task st");
  EXPECT_NE(text("task te").find("Effect: opaque."), std::string::npos);
  EXPECT_NE(text("workflow ma").find("Effect: opaque. Some of its steps are volatile"), std::string::npos);
}

/// The steps of the program at the calls with that text; those of `runs` run.
Forecast forecast(const SourceManager& sources, const std::map<std::string, int>& steps, bool runs) {
  Forecast result{"main", {}};
  const std::string_view text = sources.text(FileId{0U});
  for (const auto& [call, count] : steps) {
    const auto at = static_cast<std::uint32_t>(text.find(call));
    for (int i = 0; i < count; ++i) {
      result.steps.push_back({{FileId{0U}, at, at + 4}, runs, runs ? 30.0 : -1});
    }
  }
  return result;
}

TEST(LspOutlook, SaysWhatWillRunAgain) {
  Folder folder;
  const std::string path = folder.write("main.cwl", kProgram);
  std::atomic<bool> changed = false;
  ServerOptions options;
  options.foresee = [&](const std::string& of, const ir::Module& module, const SourceManager& sources) {
    EXPECT_EQ(of, path);
    EXPECT_TRUE(module.entry.valid());
    if (!changed) return std::vector<Forecast>{forecast(sources, {{"step(n)\n", 3}, {"step(length", 1}}, false)};
    Forecast all = forecast(sources, {{"step(n)\n", 3}, {"step(length", 1}}, true);
    all.steps.push_back({{FileId{0U}, 0, 0}, false, -1});
    return std::vector<Forecast>{all};
  };
  Client client(kRefreshes, "", Json::object(), options);
  client.open(path, kProgram);
  EXPECT_TRUE(has(lenses(client, path), "nothing to run: 4 steps kept"));
  EXPECT_EQ(asked(client, "workspace/codeLens/refresh"), 1U);
  changed = true;
  client.notify("textDocument/didSave", {{"textDocument", {{"uri", uriOf(path)}}}});
  EXPECT_TRUE(has(lenses(client, path), "4 of 5 steps to run, about 2 min 0 s")) << ::testing::PrintToString(lenses(client, path));
  const auto all = hints(client, path);
  EXPECT_TRUE(has(all, "27 will run again: 3 steps")) << ::testing::PrintToString(all);
  EXPECT_TRUE(has(all, "33 will run again")) << ::testing::PrintToString(all);
  EXPECT_EQ(asked(client, "workspace/inlayHint/refresh"), 2U);
  // What is being typed elsewhere moves the hints and takes none away.
  client.change(path, std::string(kProgram).insert(9, "\n\n"));
  EXPECT_TRUE(has(hints(client, path), "29 will run again: 3 steps"));
  client.notify("workspace/didChangeWatchedFiles",
                {{"changes", {{{"uri", uriOf(folder.file(".couler/history.db-wal"))}, {"type", 2}}}}});
  EXPECT_EQ(asked(client, "workspace/inlayHint/refresh"), 2U) << "nothing is new";
}

TEST(LspOutlook, AnErrandThatThrowsIsForgotten) {
  Folder folder;
  const std::string path = folder.write("main.cwl", kProgram);
  ServerOptions options;
  options.foresee = [](const std::string&, const ir::Module&, const SourceManager&) -> std::vector<Forecast> {
    throw std::runtime_error("no");
  };
  Client client(kRefreshes, "", Json::object(), options);
  client.open(path, kProgram);
  EXPECT_EQ(lenses(client, path), (std::vector<std::string>{"run", "plan"}));
}

ServerOptions checking(std::size_t& calls) {
  ServerOptions options;
  options.checkScripts = [&calls](const std::vector<Script>& scripts) {
    ++calls;
    std::vector<std::optional<ScriptProblem>> result;
    for (const Script& script : scripts) {
      const std::size_t at = script.text.find("oops");
      result.emplace_back();
      if (at == std::string_view::npos) continue;
      const auto before = script.text.substr(0, at);
      const auto line = static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n')) + 1;
      const auto column = static_cast<std::uint32_t>(at - (before.rfind('\n') + 1)) + 1;
      result.back() = ScriptProblem{line, column, column + 4, "no oops"};
    }
    return result;
  };
  return options;
}

TEST(LspScripts, ForwardsWhatTheirLanguageSays) {
  Folder folder;
  std::size_t calls = 0;
  const std::string path = folder.file("main.cwl");
  Client client(kRefreshes, "", Json::object(), checking(calls));
  std::string text = kProgram;
  text.replace(text.find("        m = n\n"), 14, "        if n:\n            m = oops\n");
  client.open(path, text);
  const Json found = client.diagnostics(path);
  const auto error = std::find_if(found.begin(), found.end(), [](const Json& one) { return one["code"] == "CW0101"; });
  ASSERT_NE(error, found.end()) << found;
  EXPECT_EQ((*error)["severity"], 2);
  EXPECT_EQ((*error)["message"], "this Python script does not parse: no oops");
  EXPECT_EQ((*error)["range"], toJson(Range{{16, 16}, {16, 20}}));
  EXPECT_EQ(client.of("diagnostic", path)["items"], found) << "pulled is what was pushed";
  EXPECT_EQ(asked(client, "workspace/diagnostic/refresh"), 1U);
  EXPECT_EQ(calls, 1U);
  client.change(path, "couler 1\n" + text.substr(9));
  client.change(path, text + "\n// more\n");
  EXPECT_EQ(calls, 1U) << "a script that is known is not asked about";
  client.change(path, kProgram);
  for (const Json& one : client.diagnostics(path)) EXPECT_NE(one["code"], "CW0101");
}

TEST(LspScripts, AreLeftAloneInFoldersThatAreNotTrusted) {
  Folder folder;
  std::size_t calls = 0;
  Client client(kRefreshes, "", {{"initializationOptions", {{"trusted", false}}}}, checking(calls));
  client.open(folder.file("main.cwl"), kProgram);
  EXPECT_EQ(calls, 0U);
}

TEST(LspGraph, IsThatOfBeforeWhileSomethingIsWrong) {
  Folder folder;
  const std::string path = folder.file("main.cwl");
  Client client;
  client.open(path, kProgram);
  const Json about = {{"textDocument", {{"uri", uriOf(path)}}}};
  EXPECT_EQ(client.request("couler/graph", about), Json({{"svg", "<svg>main"}, {"behind", false}}));
  client.change(path, std::string(kProgram) + "fn f() -> int = \n");
  EXPECT_EQ(client.request("couler/graph", about), Json({{"svg", "<svg>main"}, {"behind", true}}));
}

}  // namespace
}  // namespace couler::lsp

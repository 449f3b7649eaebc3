#include "lsp/server.h"

#include "tests/unit/lsp/client.h"

namespace couler::lsp {
namespace {

using testing::Client;
using testing::edited;
using testing::Folder;
using testing::labels;

constexpr const char* kTasks = R"(couler 1

/// How well a model does.
enum Grade { low, high }

schema Row {
    id: int
    name: string?
}

/// Learns.
task train(data: file<csv>, rate: float = 0.1, grade: Grade = low) -> (model: file = "m.json", loss: float) {
    run sh """
        loss=$rate
        cp $data $model
        """
}

fn half(x: float) -> float = x / 2
)";

constexpr const char* kMain = R"(couler 1

import "./tasks.cwl" { train, half as halved }
import std.text

workflow main(data: file<csv>, rates: list<float> = [0.1, 0.2]) -> (models: list<file>) {
    let trials = for rate in rates {
        let fitted = train(data, rate: halved(rate))
        (model: fitted.model, loss: fitted.loss)
    }
    let note = 1
    return (models: trials.model)
}
)";

class LspServer : public ::testing::Test {
 protected:
  LspServer() : tasks(folder.write("tasks.cwl", kTasks)), main(folder.write("main.cwl", kMain)) {}
  Folder folder;
  std::string tasks, main;
  Client client{{{"textDocument", {{"completion", {{"completionItem", {{"snippetSupport", true}}}}}}}},
                folder.path()};
};

bool hasError(const Json& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Json& one) { return one["severity"] == 1; });
}
bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

TEST_F(LspServer, PublishesWhatTheCompilerSays) {
  client.open(main, kMain);
  const Json found = client.diagnostics(main);
  ASSERT_EQ(found.size(), 2U) << found;
  EXPECT_EQ(found[0]["code"], "CW0230");
  EXPECT_EQ(found[0]["severity"], 2);
  EXPECT_EQ(found[0]["tags"], Json({1}));
  EXPECT_EQ(found[1]["message"], "`note` is never used");
  EXPECT_EQ(found[1]["range"], toJson(Range{{10, 8}, {10, 12}}));
  EXPECT_EQ(client.of("diagnostic", main)["items"], found) << "pulled is what was pushed";
  const Json again = client.of("diagnostic", main, {{"previousResultId", client.of("diagnostic", main)["resultId"]}});
  EXPECT_EQ(again["kind"], "unchanged");

  std::string wrong = kMain;
  wrong.replace(wrong.find("rate: halved"), 4, "rato");
  client.change(main, wrong);
  const Json errors = client.diagnostics(main);
  ASSERT_FALSE(errors.empty());
  const auto error = std::find_if(errors.begin(), errors.end(), [](const Json& d) { return d["severity"] == 1; });
  ASSERT_NE(error, errors.end());
  const Json actions = client.of("codeAction", main, {{"range", (*error)["range"]}, {"context", {{"diagnostics", Json::array()}}}});
  ASSERT_FALSE(actions.empty());
  EXPECT_EQ(edited(wrong, actions[0]["edit"]["changes"][uriOf(main)]), kMain);
}

TEST_F(LspServer, DiagnosticsFollowOtherFiles) {
  client.open(main, kMain);
  EXPECT_EQ(client.diagnostics(main).size(), 2U);
  std::string broken = kTasks;
  broken.replace(broken.find("fn half"), 7, "fn haft");
  client.open(tasks, broken);
  EXPECT_TRUE(hasError(client.diagnostics(main))) << "`half` is no more";
  client.notify("textDocument/didClose", {{"textDocument", {{"uri", uriOf(tasks)}}}});
  EXPECT_EQ(client.diagnostics(main).size(), 2U) << "what is on the disk counts again";
  folder.write("tasks.cwl", broken);
  client.notify("workspace/didChangeWatchedFiles", {{"changes", {{{"uri", uriOf(tasks)}, {"type", 2}}}}});
  EXPECT_TRUE(hasError(client.diagnostics(main))) << client.diagnostics(main);
}

TEST_F(LspServer, ErrorsOfImportedFilesAreTheirs) {
  folder.write("tasks.cwl", std::string(kTasks) + "fn bad() -> int = \"x\"\n");
  client.open(main, kMain);
  EXPECT_EQ(client.diagnostics(tasks).size(), 1U);
  client.notify("textDocument/didClose", {{"textDocument", {{"uri", uriOf(main)}}}});
  EXPECT_TRUE(client.diagnostics(tasks).empty());
  EXPECT_TRUE(client.diagnostics(main).empty());
}

TEST_F(LspServer, HoverTellsTypePhaseAndDoc) {
  client.open(main, kMain);
  const auto text = [&](const std::string& after) {
    const Json hover = client.after("hover", main, after);
    return hover.is_null() ? std::string() : hover["contents"]["value"].get<std::string>();
  };
  EXPECT_NE(text("fitted = tr").find("task train(data: file<csv>, rate: float = 0.1, grade: Grade = low) -> (model: file"), std::string::npos) << text("fitted = tr");
  EXPECT_NE(text("fitted = tr").find("Learns."), std::string::npos);
  EXPECT_NE(text("let tri").find("list<(model: file, loss: float)>"), std::string::npos) << text("let tri");
  EXPECT_NE(text("let tri").find("run time"), std::string::npos);
  EXPECT_NE(text("in rate").find("submit time"), std::string::npos) << text("in rate");
  EXPECT_NE(text("fitted.mod").find("output model: file"), std::string::npos) << text("fitted.mod");
  EXPECT_EQ(text("wor"), "") << "a word of the language";
}

TEST_F(LspServer, FindsDefinitionsReferencesAndRenames) {
  client.open(main, kMain);
  const Json definition = client.after("definition", main, "fitted = tr");
  EXPECT_EQ(definition["uri"], uriOf(tasks));
  EXPECT_EQ(definition["range"]["start"]["line"], 11);
  EXPECT_EQ(client.after("definition", main, "fitted.mod")["uri"], uriOf(tasks)) << "an output";
  EXPECT_EQ(client.after("definition", main, "\"./tas")["uri"], uriOf(tasks)) << "an import";
  const Json refs = client.after("references", main, "fitted = tr", {{"context", {{"includeDeclaration", true}}}});
  EXPECT_EQ(refs.size(), 3U) << refs;

  const Json edits = client.after("rename", main, "fitted = tr", {{"newName", "learn"}})["changes"];
  ASSERT_EQ(edits.size(), 2U);
  client.open(tasks, edited(kTasks, edits[uriOf(tasks)]));
  client.change(main, edited(kMain, edits[uriOf(main)]));
  EXPECT_EQ(client.diagnostics(main).size(), 2U) << client.diagnostics(main);

  EXPECT_TRUE(client.after("rename", main, "let tri", {{"newName", "data"}}).is_null());
  EXPECT_NE(client.error()["message"].get<std::string>().find("is there already"), std::string::npos);
  EXPECT_TRUE(client.after("rename", main, "let tri", {{"newName", "for"}}).is_null());
  EXPECT_TRUE(client.after("rename", main, "let tri", {{"newName", "a b"}}).is_null());
}

TEST_F(LspServer, RenamesVariablesOfScripts) {
  client.open(tasks, kTasks);
  const Json edits = client.after("rename", tasks, "file<csv>, ra", {{"newName", "speed"}})["changes"];
  const std::string made = edited(kTasks, edits[uriOf(tasks)]);
  EXPECT_NE(made.find("speed: float = 0.1"), std::string::npos) << made;
  EXPECT_NE(made.find("loss=$speed\n        cp $data $model"), std::string::npos) << made;
  EXPECT_EQ(client.after("definition", tasks, "cp $da")["range"]["start"]["line"], 11);
  EXPECT_TRUE(has(labels(client.after("completion", tasks, "cp $da")), "model"));
  std::string text = kTasks;
  text.replace(text.find("loss=$rate"), 10, "speed=$rate; loss=$speed");
  client.change(tasks, text);
  EXPECT_TRUE(client.after("rename", tasks, "file<csv>, ra", {{"newName", "speed"}}).is_null());
  EXPECT_NE(client.error()["message"].get<std::string>().find("of its own"), std::string::npos);
}

TEST_F(LspServer, RenameKeepsTheNameOfAnImport) {
  client.open(main, kMain);
  client.open(tasks, kTasks);
  const Json edits = client.after("rename", tasks, "fn ha", {{"newName", "middle"}})["changes"];
  const std::string made = edited(kMain, edits[uriOf(main)]);
  EXPECT_NE(made.find("{ train, middle as halved }"), std::string::npos) << made;
  EXPECT_NE(made.find("rate: halved(rate)"), std::string::npos) << made;
}

TEST_F(LspServer, CompletesByPlace) {
  client.open(main, kMain);
  const auto complete = [&](const std::string& from, const std::string& to, const std::string& after) {
    std::string text = kMain;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    client.change(main, text);
    return labels(client.after("completion", main, after));
  };
  EXPECT_EQ(complete("fitted.model,", "fitted.", "(model: fitted."), (std::vector<std::string>{"model", "loss"}));
  EXPECT_EQ(complete("let note = 1", "let note = trials[0].", "trials[0]."), (std::vector<std::string>{"model", "loss"}));
  const auto arguments = complete("rate: halved(rate)", "", "train(data, ");
  EXPECT_TRUE(has(arguments, "rate:")) << ::testing::PrintToString(arguments);
  EXPECT_TRUE(has(arguments, "grade:"));
  EXPECT_FALSE(has(complete("rate: halved(rate)", "grade: low, ", "grade: low, "), "grade:"));
  const auto grades = complete("rate: halved(rate)", "grade: ", "grade: ");
  EXPECT_TRUE(has(grades, "low") && has(grades, "high")) << ::testing::PrintToString(grades);
  const auto types = complete("data: file<csv>, rates", "data: , rates", "main(data: ");
  EXPECT_TRUE(has(types, "file") && has(types, "list") && !has(types, "train")) << ::testing::PrintToString(types);
  EXPECT_TRUE(has(complete("file<csv>, rates", "file<>, rates", "data: file<"), "parquet"));
  const auto imports = complete("{ train, half", "{ tr, half", "{ tr");
  EXPECT_TRUE(has(imports, "train") && has(imports, "Grade") && !has(imports, "let")) << ::testing::PrintToString(imports);
  EXPECT_TRUE(has(complete("import std.text", "import std.", "import std."), "text"));
  EXPECT_TRUE(has(complete("./tasks.cwl", "./", "import \"./"), "tasks.cwl"));
  EXPECT_TRUE(has(complete("couler 1\n", "couler 1\n\nta\n", "\n\nta"), "target"));
  const auto body = complete("    let note = 1", "    l", "}\n    l");
  EXPECT_TRUE(has(body, "let") && has(body, "trials") && has(body, "data") && has(body, "train"));
  EXPECT_TRUE(complete("let note", "// fitted.\n    let note", "// fitted.").empty()) << "a comment";
  const auto settings = complete("workflow main", "target t = argo { na }\nworkflow main", "argo { na");
  EXPECT_TRUE(has(settings, "namespace") && has(settings, "image")) << ::testing::PrintToString(settings);
  EXPECT_TRUE(has(complete("workflow main", "target t = \nworkflow main", "target t = "), "argo"));
  EXPECT_TRUE(has(complete("let note = 1", "let note = 3 ", "let note = 3 "), "min"));
  const std::string tune = "let note = tune train(data, rate: in rates) minimize loss using ";
  EXPECT_TRUE(has(complete("let note = 1", tune, "loss using "), "tpe"));
  EXPECT_EQ(complete("let note = 1", tune + "tpe(trials: 9) prior from ", "prior from "), std::vector<std::string>{"card"});
  EXPECT_EQ(complete("let note = 1", tune + "tpe(trials: 9) prior from card(", "from card("),
            (std::vector<std::string>{"data", "model", "points"}));
}

TEST_F(LspServer, CompletionImportsWhatItOffers) {
  std::string text = kMain;
  text.replace(text.find("import std.text\n"), 16, "");
  text.replace(text.find("let note = 1"), 12, "let note = cap");
  client.open(main, text);
  const Json items = client.after("completion", main, "let note = cap")["items"];
  const auto found = std::find_if(items.begin(), items.end(), [](const Json& one) {
    return one.contains("additionalTextEdits");
  });
  ASSERT_NE(found, items.end());
  const std::string made = edited(text, (*found)["additionalTextEdits"]);
  const std::string name = (*found)["label"];
  EXPECT_NE(made.find("as halved }\nimport std."), std::string::npos) << made;
  EXPECT_NE(made.find("{ " + name + " }\n"), std::string::npos) << made;
  client.change(main, made);
  for (const Json& one : client.diagnostics(main)) EXPECT_NE(one["code"], "CW0205") << one;
}

TEST_F(LspServer, SignatureHelpFollowsTheArguments) {
  client.open(main, kMain);
  const Json first = client.after("signatureHelp", main, "train(");
  EXPECT_EQ(first["activeParameter"], 0);
  EXPECT_EQ(first["signatures"][0]["parameters"].size(), 3U);
  EXPECT_EQ(client.after("signatureHelp", main, "train(data, ra")["activeParameter"], 1);
  EXPECT_EQ(client.after("signatureHelp", main, "halved(")["signatures"][0]["label"].get<std::string>().substr(0, 9), "half(x: f");
  EXPECT_TRUE(client.after("signatureHelp", main, "let tri").is_null());
}

TEST_F(LspServer, FormatsAsTheCommandDoes) {
  std::string text = kMain;
  text.replace(text.find("    let note = 1"), 16, "  let   note=1");
  client.open(main, text);
  EXPECT_EQ(edited(text, client.of("formatting", main)), kMain);
  EXPECT_TRUE(client.of("rangeFormatting", main, {{"range", toJson(Range{{0, 0}, {3, 0}})}}).empty());
  client.change(main, "couler 1\nworkflow (");
  EXPECT_TRUE(client.of("formatting", main).is_null()) << "what does not parse stays as it is";
}

TEST_F(LspServer, TokensAndTheirDeltas) {
  client.open(main, kMain);
  const Json full = client.of("semanticTokens/full", main);
  ASSERT_GT(full["data"].size(), 100U);
  ASSERT_EQ(full["data"].size() % 5, 0U);
  std::string text = kMain;
  text.replace(text.find("let note"), 8, "let one_more");
  client.change(main, text);
  const Json delta = client.of("semanticTokens/full/delta", main, {{"previousResultId", full["resultId"]}});
  auto data = full["data"].get<std::vector<std::uint32_t>>();
  for (const Json& edit : delta["edits"]) {
    const auto start = data.begin() + edit["start"].get<std::ptrdiff_t>();
    const auto at = data.erase(start, start + edit["deleteCount"].get<std::ptrdiff_t>());
    const auto more = edit["data"].get<std::vector<std::uint32_t>>();
    data.insert(at, more.begin(), more.end());
  }
  EXPECT_EQ(data, client.of("semanticTokens/full", main)["data"].get<std::vector<std::uint32_t>>());
}

TEST_F(LspServer, OutlinesHintsLensesLinksFolds) {
  client.open(main, kMain);
  const Json outline = client.of("documentSymbol", main);
  ASSERT_EQ(outline.size(), 1U);
  EXPECT_EQ(outline[0]["children"][0]["name"], "trials");
  const Json hints = client.of("inlayHint", main, {{"range", toJson(Range{{0, 0}, {99, 0}})}});
  EXPECT_TRUE(std::any_of(hints.begin(), hints.end(), [](const Json& h) { return h["label"] == ": (model: file, loss: float)"; })) << hints;
  EXPECT_EQ(client.of("codeLens", main)[0]["command"]["command"], "couler.run");
  EXPECT_EQ(client.of("documentLink", main)[0]["target"], uriOf(tasks));
  EXPECT_GE(client.of("foldingRange", main).size(), 3U);
  const Json chain = client.of("selectionRange", main, {{"positions", {toJson(client.place(main, "fitted.mod"))}}});
  EXPECT_EQ(chain[0]["range"]["start"]["character"], 23) << chain;
  EXPECT_FALSE(chain[0]["parent"]["parent"].is_null());
  EXPECT_EQ(client.after("documentHighlight", main, "let tri").size(), 2U);
  const Json all = client.request("workspace/symbol", {{"query", "trn"}});
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const Json& s) { return s["name"] == "train"; })) << all;
}

TEST_F(LspServer, TellsWhoCallsWhom) {
  client.open(main, kMain);
  const Json items = client.after("prepareCallHierarchy", main, "fitted = tr");
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0]["name"], "train");
  const Json callers = client.request("callHierarchy/incomingCalls", {{"item", items[0]}});
  ASSERT_EQ(callers.size(), 1U) << callers;
  EXPECT_EQ(callers[0]["from"]["name"], "main");
  EXPECT_EQ(callers[0]["fromRanges"].size(), 1U);
  const Json called = client.request("callHierarchy/outgoingCalls", {{"item", callers[0]["from"]}});
  ASSERT_EQ(called.size(), 2U) << called;
  EXPECT_EQ(client.after("implementation", main, "fitted = tr")["range"]["start"]["line"], 12);
}

TEST_F(LspServer, RefactorsWithoutChangingTheMeaning) {
  const std::string text = R"(couler 1

task step(n: int) -> (m: int) {
    run sh "m=$n"
}

workflow main(count: int) -> (m: int) {
    let twice = count * 2
    let first = step(twice + 1)
    return (m: first.m)
}
)";
  const std::string path = folder.write("one.cwl", text);
  client.open(path, text);
  const auto actions = [&](const std::string& from, const std::string& what) {
    const Lines lines(text);
    const auto begin = static_cast<std::uint32_t>(text.find(from));
    const Range range{lines.position(text, begin, Encoding::Utf16),
                      lines.position(text, begin + static_cast<std::uint32_t>(what.size()), Encoding::Utf16)};
    std::map<std::string, std::string> made;
    for (const Json& one : client.of("codeAction", path, {{"range", toJson(range)}, {"context", Json::object()}})) {
      made[one["title"]] = edited(text, one["edit"]["changes"][uriOf(path)]);
    }
    return made;
  };
  auto made = actions("twice + 1", "twice + 1");
  EXPECT_NE(made["extract into a `let`"].find("    let value = twice + 1\n    let first = step(value)\n"), std::string::npos)
      << made["extract into a `let`"];
  made = actions("1)", "1");
  EXPECT_NE(made["make a parameter of the workflow"].find("main(count: int, value: int = 1)"), std::string::npos);
  EXPECT_NE(made["make a parameter of the workflow"].find("step(twice + value)"), std::string::npos);
  made = actions("twice = ", "");
  EXPECT_NE(made["inline `twice`"].find("-> (m: int) {\n    let first = step((count * 2) + 1)\n"), std::string::npos)
      << made["inline `twice`"];
  EXPECT_FALSE(actions("first = ", "").contains("inline `first`")) << "a step has its name from it";
  for (const auto& [title, after] : actions("twice + 1", "twice + 1")) {
    client.change(path, after);
    EXPECT_FALSE(hasError(client.diagnostics(path))) << title;
  }
}

TEST_F(LspServer, IndentsWhatIsTyped) {
  const std::string text = "couler 1\n\nworkflow main() {\nlet x = [\n1,\n        ]\n}\n";
  client.open(main, text);
  const auto typed = [&](std::uint32_t line, const char* ch) {
    return edited(text, client.of("onTypeFormatting", main, {{"position", toJson(Position{line, 1})}, {"ch", ch}}));
  };
  EXPECT_NE(typed(3, "\n").find("\n    let x"), std::string::npos);
  EXPECT_NE(typed(4, "\n").find("\n        1,"), std::string::npos);
  EXPECT_EQ(typed(6, "}"), text);
}

TEST_F(LspServer, DrawsTheGraphAndLooksAtTheWholeWorkspace) {
  client.open(main, kMain);
  EXPECT_EQ(client.request("couler/graph", {{"textDocument", {{"uri", uriOf(main)}}}})["svg"], "<svg>main");
  EXPECT_TRUE(client.request("couler/graph", {{"textDocument", {{"uri", uriOf(main)}}}, {"workflow", "other"}}).is_null());
  folder.write("bad.cwl", "couler 1\n\nfn f() -> int = x\n");
  const Json all = client.request("workspace/diagnostic", Json::object())["items"];
  EXPECT_EQ(all.size(), 3U);
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const Json& one) {
    return one["uri"] == uriOf(folder.file("bad.cwl")) && hasError(one["items"]);
  })) << all;
}

TEST_F(LspServer, OrganisesImports) {
  client.open(main, kMain);
  const Json actions = client.of("codeAction", main, {{"range", toJson(Range{})}, {"context", {{"only", {"source.organizeImports"}}}}});
  ASSERT_EQ(actions.size(), 1U) << actions;
  const std::string made = edited(kMain, actions[0]["edit"]["changes"][uriOf(main)]);
  EXPECT_NE(made.find("couler 1\n\nimport \"./tasks.cwl\" { half as halved, train }\n\nworkflow"), std::string::npos) << made;
}

TEST_F(LspServer, RenamedFilesAreStillImported) {
  client.open(main, kMain);
  const Json edit = client.request("workspace/willRenameFiles", {{"files", {{{"oldUri", uriOf(tasks)}, {"newUri", uriOf(folder.file("lib/all.cwl"))}}}}});
  const std::string made = edited(kMain, edit["changes"][uriOf(main)]);
  EXPECT_NE(made.find("import \"./lib/all.cwl\" {"), std::string::npos) << made;
}

TEST_F(LspServer, UntitledBuffersAndCommonWorkflowLanguage) {
  client.open("untitled:Untitled-1", "couler 1\n\nfn f(x: int) -> int = y\n");
  EXPECT_EQ(client.diagnostics("untitled:Untitled-1").size(), 1U);
  const std::string other = folder.file("tool.cwl");
  client.open(other, "cwlVersion: v1.2\nclass: CommandLineTool\ninputs: []\noutputs: []\n");
  const Json found = client.diagnostics(other);
  ASSERT_EQ(found.size(), 1U) << found;
  EXPECT_EQ(found[0]["severity"], 3) << "a hint, no error";
}

TEST_F(LspServer, EditsByRangeInEitherEncoding) {
  for (const bool utf8 : {false, true}) {
    Client other{utf8 ? Json{{"general", {{"positionEncodings", {"utf-8", "utf-16"}}}}} : Json::object()};
    EXPECT_EQ(other.initialized()["capabilities"]["positionEncoding"], utf8 ? "utf-8" : "utf-16");
    other.open(main, "couler 1\n// \U0001f600 é\nfn f() -> int = 1\n");
    // Behind the letters, and over a line's end.
    const std::uint32_t at = utf8 ? 8 : 6;
    other.notify("textDocument/didChange",
                 {{"textDocument", {{"uri", uriOf(main)}, {"version", 2}}},
                  {"contentChanges",
                   {{{"range", toJson(Range{{1, at}, {2, 2}})}, {"text", "\nfn"}},
                    {{"range", toJson(Range{{2, 16}, {2, 17}})}, {"text", "2"}}}}});
    EXPECT_TRUE(other.diagnostics(main).empty()) << other.diagnostics(main);
  }
}

TEST_F(LspServer, AnswersWhateverComes) {
  client.open(main, kMain);
  for (const char* body : {"", "{", "[]", "1", "null", "{\"id\":901}", "{\"method\":3,\"id\":902}",
                           "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"x\"}",
                           "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didChange\"}",
                           "{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\",\"params\":{\"textDocument\":7}}",
                           "{\"jsonrpc\":\"2.0\",\"method\":\"$/unknown\"}"}) {
    client.send(body);
  }
  EXPECT_TRUE(client.request("nothing/known", Json::object()).is_null());
  EXPECT_EQ(client.error()["code"], -32601);
  EXPECT_TRUE(client.request("textDocument/hover", {{"textDocument", {{"uri", 7}}}}).is_null());
  EXPECT_TRUE(client.request("textDocument/rename", {{"textDocument", {{"uri", uriOf(main)}}}, {"newName", 7}}).is_null());
  EXPECT_EQ(client.error()["code"], -32603) << "what throws is an error reply";
  EXPECT_FALSE(client.after("hover", main, "let tri").is_null()) << "and the server goes on";
}

TEST_F(LspServer, CancelsAndShutsDown) {
  client.open(main, kMain);
  const auto message = [](int id, const char* method, Json params) {
    return Json{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}}.dump();
  };
  client.received().clear();
  client.server().peek("{\"jsonrpc\":\"2.0\",\"method\":\"$/cancelRequest\",\"params\":{\"id\":900}}");
  client.send(message(900, "textDocument/hover", {{"textDocument", {{"uri", uriOf(main)}}}}));
  ASSERT_EQ(client.received().size(), 1U);
  EXPECT_EQ(client.received()[0]["error"]["code"], -32800);
  EXPECT_TRUE(client.request("shutdown", Json::object()).is_null());
  EXPECT_TRUE(client.error().is_null());
  (void)client.request("textDocument/hover", Json::object());
  EXPECT_EQ(client.error()["code"], -32600);
  client.send("{\"jsonrpc\":\"2.0\",\"method\":\"exit\"}");
  EXPECT_TRUE(client.server().exited());
  EXPECT_EQ(client.server().exitCode(), 0);
}

}  // namespace
}  // namespace couler::lsp

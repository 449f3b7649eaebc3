// A folder of many programs that import each other: what is asked about all of them. bench/run.py
// --only lsp-workspace does the same with 5,000.
#include "tests/unit/lsp/client.h"

#include <fmt/format.h>

namespace couler::lsp {
namespace {

using testing::Client;
using testing::edited;
using testing::Folder;

constexpr int kLibraries = 5, kPrograms = 300;

/// Libraries of a task each, and programs of which each calls that of one library; every tenth calls
/// it by way of another program.
class LspWorkspace : public ::testing::Test {
 protected:
  LspWorkspace() {
    for (int n = 0; n < kLibraries; ++n) {
      folder.write(fmt::format("lib/l{}.cwl", n),
                   fmt::format("couler 1\n\ntask train(x: int) -> (y: int) {{\n    run sh \"y=$((x + {}))\"\n}}\n", n));
    }
    for (int n = 0; n < kPrograms; ++n) folder.write(fmt::format("p{}.cwl", n), program(n));
  }
  static std::string program(int n) {
    const bool indirect = n % 10 == 9;
    return fmt::format(
        "couler 1\n\nimport \"./{}.cwl\" {{ {} }}\n\nworkflow flow{}(train: int) -> (y: int) {{\n"
        "    let one = {}(train)\n    return (y: one.y)\n}}\n",
        indirect ? fmt::format("p{}", n - 1) : fmt::format("lib/l{}", n % kLibraries),
        indirect ? fmt::format("flow{}", n - 1) : "train as learn", n,
        indirect ? fmt::format("flow{}", n - 1) : "learn");
  }
  std::string path(int n) const { return folder.file(fmt::format("p{}.cwl", n)); }
  Json diagnostics(Client& client, const Json& before = Json::array()) {
    return client.request("workspace/diagnostic", {{"previousResultIds", before}})["items"];
  }
  static Json resultIds(const Json& items) {
    Json ids = Json::array();
    for (const Json& one : items) ids.push_back({{"uri", one["uri"]}, {"value", one["resultId"]}});
    return ids;
  }
  static std::size_t full(const Json& items) {
    return static_cast<std::size_t>(
        std::count_if(items.begin(), items.end(), [](const Json& one) { return one["kind"] == "full"; }));
  }
  Folder folder;
};

TEST_F(LspWorkspace, SymbolsBestFirst) {
  Client client(Json::object(), folder.path());
  client.open(path(0), program(0));
  const Json all = client.request("workspace/symbol", {{"query", ""}});
  EXPECT_EQ(all.size(), kLibraries + kPrograms);
  const Json found = client.request("workspace/symbol", {{"query", "flow25"}});
  ASSERT_GT(found.size(), 11U);
  EXPECT_EQ(found[0]["name"], "flow25");
  for (std::size_t i = 1; i <= 10; ++i) EXPECT_TRUE(found[i]["name"].get<std::string>().starts_with("flow25"));
  EXPECT_FALSE(found[11]["name"].get<std::string>().starts_with("flow25")) << "flow125, by its letters";
  EXPECT_EQ(found[0]["location"]["uri"], uriOf(path(25)));
  EXPECT_EQ(found[0]["location"]["range"], toJson(Range{{4, 9}, {4, 15}}));
  EXPECT_EQ(client.request("workspace/symbol", {{"query", "FW299"}})[0]["name"], "flow299");
  client.change(path(0), "couler 1\n\nfn renamed() -> int = 1\n");
  EXPECT_EQ(client.request("workspace/symbol", {{"query", "renamed"}}).size(), 1U) << "what is open counts";
  EXPECT_TRUE(client.request("workspace/symbol", {{"query", "flow0"}})[0]["name"] != "flow0");
}

TEST_F(LspWorkspace, ReferencesAndRenamesAreOfTheRightTask) {
  Client client(Json::object(), folder.path());
  const std::string lib = folder.file("lib/l0.cwl");
  client.open(lib, "couler 1\n\ntask train(x: int) -> (y: int) {\n    run sh \"y=$((x + 0))\"\n}\n");
  const std::size_t users = kPrograms / kLibraries;  // of library 0: all whose number ends in 0 or 5
  const Json references = client.after("references", lib, "task tr");
  std::set<std::string> files;
  for (const Json& one : references) files.insert(one["uri"]);
  EXPECT_EQ(files.size(), users);
  EXPECT_EQ(references.size(), 3 * users) << "the import, its other name, the call";
  const Json changes = client.after("rename", lib, "task tr", {{"newName", "fit"}})["changes"];
  EXPECT_EQ(changes.size(), users + 1);
  const std::string made = edited(program(10), changes[uriOf(path(10))]);
  EXPECT_NE(made.find("{ fit as learn }\n\nworkflow flow10(train: int)"), std::string::npos) << made;
  // The output is named by programs that do not import the file.
  const Json outputs = client.after("references", lib, "-> (");
  EXPECT_EQ(outputs.size(), users) << outputs;
  const Json callers = client.request(
      "callHierarchy/incomingCalls", {{"item", client.after("prepareCallHierarchy", lib, "task tr")[0]}});
  EXPECT_EQ(callers.size(), users);
}

TEST_F(LspWorkspace, MessagesOfAllFilesAreMadeOnce) {
  folder.write("bad.cwl", "couler 1\n\nfn f() -> int = nothing\n");
  Client client(Json::object(), folder.path());
  client.open(path(0), program(0));
  const Json first = diagnostics(client);
  EXPECT_EQ(first.size(), kLibraries + kPrograms + 1);
  EXPECT_EQ(full(first), first.size());
  for (const Json& one : first) {
    const bool bad = one["uri"] == uriOf(folder.file("bad.cwl"));
    EXPECT_EQ(one["items"].size(), bad ? 1U : 0U) << one;
    if (!bad) continue;
    Client other;
    other.open(folder.file("bad.cwl"), "couler 1\n\nfn f() -> int = nothing\n");
    EXPECT_EQ(one["items"], other.diagnostics(folder.file("bad.cwl")));
  }
  EXPECT_EQ(full(diagnostics(client, resultIds(first))), 0U);
  // A library is another: so are the programs that import it, directly or not.
  folder.write("lib/l3.cwl", "couler 1\n\ntask other(x: int) -> (y: int) {\n    run sh \"y=1\"\n}\n");
  const Json second = diagnostics(client, resultIds(first));
  EXPECT_EQ(full(second), 1U + kPrograms / kLibraries + kPrograms / 10) << "those that end in 3 and 8, and 9 of 8";
  // What is typed and not saved counts as well.
  client.change(path(0), program(0) + "\n");
  EXPECT_EQ(full(diagnostics(client, resultIds(second))), 1U);
}

TEST_F(LspWorkspace, MessagesComeInPartsWhereThatIsWanted) {
  Client client(Json::object(), folder.path());
  client.open(path(0), program(0));
  client.received().clear();
  const Json rest = client.request(
      "workspace/diagnostic", {{"previousResultIds", Json::array()}, {"partialResultToken", "t"}})["items"];
  std::size_t parts = 0;
  for (const Json& one : client.received()) {
    if (one.value("method", "") != "$/progress") continue;
    EXPECT_EQ(one["params"]["token"], "t");
    parts += one["params"]["value"]["items"].size();
  }
  EXPECT_EQ(parts, kLibraries + kPrograms);
  EXPECT_TRUE(rest.empty());
}

TEST_F(LspWorkspace, AMovedFolderIsStillImported) {
  Client client(Json::object(), folder.path());
  const auto renamed = [&](const std::string& from, const std::string& to) {
    return client.request("workspace/willRenameFiles",
                          {{"files", {{{"oldUri", uriOf(folder.file(from))}, {"newUri", uriOf(folder.file(to))}}}}})["changes"];
  };
  const Json moved = renamed("lib", "steps/lib");
  EXPECT_EQ(moved.size(), kPrograms * 9 / 10);
  const std::string made = edited(program(3), moved[uriOf(path(3))]);
  EXPECT_NE(made.find("import \"./steps/lib/l3.cwl\""), std::string::npos) << made;
  const Json one = renamed("p8.cwl", "lib/p8.cwl");
  ASSERT_EQ(one.size(), 2U) << one;
  EXPECT_NE(edited(program(8), one[uriOf(path(8))]).find("import \"./l3.cwl\""), std::string::npos);
  EXPECT_NE(edited(program(9), one[uriOf(path(9))]).find("import \"./lib/p8.cwl\""), std::string::npos);
}

TEST_F(LspWorkspace, WhatIsEditedDoesNotWaitForTheRest) {
  Client client(Json::object(), folder.path());
  client.open(path(0), program(0));
  client.received().clear();
  const int all = client.requestNow("workspace/diagnostic", {{"previousResultIds", Json::array()}});
  client.change(path(0), "couler 1\n\nfn f() -> int = nothing\n");
  client.settle();
  std::vector<std::string> order;
  for (const Json& one : client.received()) {
    if (one.contains("id") && one["id"] == all) order.push_back("all");
    if (one.value("method", "") == "textDocument/publishDiagnostics") order.push_back("edited");
  }
  EXPECT_EQ(order, (std::vector<std::string>{"edited", "all"}));
}

}  // namespace
}  // namespace couler::lsp

// Sessions that go wrong, or far: many folders, no folder, files that come and go, letters beyond
// 16 bits, cancelled and repeated requests, and streams that are none.
#include <fcntl.h>

#include <random>
#include <thread>

#include "lsp/rpc/message_reader.h"
#include "lsp/stdio.h"
#include "tests/unit/lsp/client.h"

namespace couler::lsp {
namespace {

using testing::Client;
using testing::edited;
using testing::Folder;

constexpr const char* kLibrary = "couler 1\n\nfn half(x: float) -> float = x / 2\n";
constexpr const char* kUser =
    "couler 1\n\nimport \"./lib.cwl\" { half }\n\nfn quarter(x: float) -> float = half(half(x))\n";

Json document(const std::string& path) { return {{"textDocument", {{"uri", uriOf(path)}}}}; }
Json folders(const std::vector<const Folder*>& all) {
  Json result = Json::array();
  for (const Folder* one : all) result.push_back({{"uri", uriOf(one->path())}, {"name", "it"}});
  return result;
}
std::vector<std::string> symbolsOf(Client& client, const std::string& query) {
  std::vector<std::string> names;
  for (const Json& one : client.request("workspace/symbol", {{"query", query}})) names.push_back(one["name"]);
  return names;
}
std::string message(const Json& id, const std::string& method, Json params) {
  return Json{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}}.dump();
}
std::vector<Json> repliesTo(Client& client, const Json& id) {
  std::vector<Json> found;
  for (const Json& one : client.received()) {
    if (one.contains("id") && one["id"] == id) found.push_back(one);
  }
  return found;
}

TEST(LspSession, FoldersComeAndGo) {
  Folder a, b;
  a.write("lib.cwl", kLibrary);
  b.write("other.cwl", "couler 1\n\nfn halfway(x: float) -> float = x\n");
  b.write("node_modules/not.cwl", "couler 1\n\nfn halfhidden(x: float) -> float = x\n");
  Client client(Json::object(), "", {{"workspaceFolders", folders({&a, &b})}});
  EXPECT_EQ(symbolsOf(client, "half"), (std::vector<std::string>{"half", "halfway"}));
  client.notify("workspace/didChangeWorkspaceFolders",
                {{"event", {{"removed", folders({&a})}, {"added", Json::array()}}}});
  EXPECT_EQ(symbolsOf(client, "half"), std::vector<std::string>{"halfway"});
  client.notify("workspace/didChangeWorkspaceFolders",
                {{"event", {{"removed", folders({&b})}, {"added", folders({&a})}}}});
  EXPECT_EQ(symbolsOf(client, "half"), std::vector<std::string>{"half"});
}

TEST(LspSession, FilesOutsideTheWorkspaceAndNoWorkspace) {
  Folder inside, outside;
  const std::string lib = outside.write("lib.cwl", kLibrary);
  const std::string user = outside.write("user.cwl", kUser);
  inside.write("main.cwl", "couler 1\n");
  for (const bool rooted : {true, false}) {
    Client client(Json::object(), rooted ? inside.path() : "");
    client.open(user, kUser);
    EXPECT_TRUE(client.diagnostics(user).empty()) << client.diagnostics(user);
    EXPECT_EQ(client.after("definition", user, "= hal")["uri"], uriOf(lib));
    EXPECT_EQ(client.after("references", user, "= hal").size(), 3U) << "those of what is open";
    client.open(lib, kLibrary);
    EXPECT_EQ(client.after("references", lib, "fn hal").size(), 3U);
    EXPECT_EQ(symbolsOf(client, "quarter").size(), 1U);
  }
}

TEST(LspSession, UntitledBuffers) {
  Client client;
  const std::string name = "untitled:Untitled-1";
  const std::string text = "couler 1\n\nfn f(x: int) -> int = x\n\nfn g(x: int) -> int = f(x) + f(1)\n";
  client.open(name, text);
  EXPECT_TRUE(client.diagnostics(name).empty()) << client.diagnostics(name);
  EXPECT_EQ(client.after("references", name, "fn f").size(), 2U);
  const Json changes = client.after("rename", name, "fn f", {{"newName", "h"}})["changes"];
  EXPECT_NE(edited(text, changes[name]).find("= h(x) + h(1)"), std::string::npos) << changes;
  EXPECT_EQ(symbolsOf(client, "g"), std::vector<std::string>{"g"});
  client.change(name, "couler 1\n\nimport \"./other.cwl\" { f }\n");
  EXPECT_FALSE(client.diagnostics(name).empty()) << "it has no folder";
}

TEST(LspSession, FilesCreatedChangedAndDeleted) {
  Folder folder;
  const std::string lib = folder.file("lib.cwl");
  const std::string user = folder.write("user.cwl", kUser);
  Client client(Json::object(), folder.path());
  const auto watched = [&](int type) {
    client.notify("workspace/didChangeWatchedFiles", {{"changes", {{{"uri", uriOf(lib)}, {"type", type}}}}});
    return client.diagnostics(user).size();
  };
  client.open(user, kUser);
  EXPECT_EQ(client.diagnostics(user).size(), 1U) << "there is no lib.cwl";
  folder.write("lib.cwl", kLibrary);
  EXPECT_EQ(watched(1), 0U);
  EXPECT_EQ(symbolsOf(client, "half"), std::vector<std::string>{"half"});
  folder.write("lib.cwl", "couler 1\n\nfn third(x: float) -> float = x / 3\n");
  EXPECT_EQ(watched(2), 1U);
  EXPECT_TRUE(symbolsOf(client, "half").empty());
  EXPECT_EQ(symbolsOf(client, "third"), std::vector<std::string>{"third"});
  std::filesystem::remove(lib);
  EXPECT_EQ(watched(3), 1U);
  EXPECT_TRUE(symbolsOf(client, "third").empty());
}

TEST(LspSession, PlacesBehindLettersOfManyBytes) {
  // Behind `"😀é€"`: 8 bytes more than the UTF-16 units of `"…"`.
  const std::string text =
      "couler 1\n\nfn f(x: int) -> string = \"\U0001f600\u00e9\u20ac{x}\U0001f600{x}\"\n\n"
      "fn g() -> string = \"\U0001f600\" + nothing\n";
  for (const bool utf8 : {false, true}) {
    SCOPED_TRACE(utf8 ? "UTF-8" : "UTF-16");
    const Encoding encoding = utf8 ? Encoding::Utf8 : Encoding::Utf16;
    Client client(utf8 ? Json{{"general", {{"positionEncodings", {"utf-8"}}}}} : Json::object());
    const std::string path = "untitled:a";
    client.open(path, text);
    const Lines lines(text);
    const auto at = [&](const std::string& what, std::size_t from = 0) {
      return lines.position(text, static_cast<std::uint32_t>(text.find(what, from)), encoding);
    };
    ASSERT_EQ(client.diagnostics(path).size(), 1U);
    EXPECT_EQ(client.diagnostics(path)[0]["range"]["start"], toJson(at("nothing")));
    const Position use = at("x}\"");
    EXPECT_EQ(client.at("definition", path, use)["range"]["start"], toJson(at("x: int")));
    const Json references = client.at("references", path, use, {{"context", {{"includeDeclaration", true}}}});
    ASSERT_EQ(references.size(), 3U);
    EXPECT_EQ(references[1]["range"]["start"], toJson(at("x}\U0001f600")));
    EXPECT_EQ(references[2]["range"]["start"], toJson(use));
    EXPECT_FALSE(client.at("hover", path, use).is_null());
    // An edit of the letter itself, and one behind it, in one message.
    const auto range = [&](const std::string& what) {
      const auto begin = static_cast<std::uint32_t>(text.find(what));
      return toJson(Range{lines.position(text, begin, encoding),
                          lines.position(text, begin + static_cast<std::uint32_t>(what.size()), encoding)});
    };
    client.notify("textDocument/didChange",
                  {{"textDocument", {{"uri", path}, {"version", 2}}},
                   {"contentChanges", {{{"range", range("nothing")}, {"text", "\"\U0001f600\""}},
                                       {{"range", range("\U0001f600\u00e9")}, {"text", "e"}}}}});
    EXPECT_TRUE(client.diagnostics(path).empty()) << client.diagnostics(path);
  }
}

TEST(LspSession, ACancelledRequestIsAnsweredOnceAndNoOther) {
  Folder folder;
  const std::string path = folder.write("lib.cwl", kLibrary);
  Client client(Json::object(), folder.path());
  client.open(path, kLibrary);
  client.received().clear();
  // Waits for the analysis; asks the workspace.
  client.sendNow(Json{{"jsonrpc", "2.0"}, {"method", "textDocument/didChange"},
                      {"params", {{"textDocument", {{"uri", uriOf(path)}, {"version", 2}}},
                                  {"contentChanges", {{{"text", kLibrary}}}}}}}.dump());
  const int waits = client.requestNow("textDocument/documentSymbol", document(path));
  const int asks = client.requestNow("workspace/symbol", {{"query", ""}});
  const int stays = client.requestNow("workspace/symbol", {{"query", "half"}});
  for (const int id : {waits, asks, asks, 12345}) {
    client.sendNow(Json{{"jsonrpc", "2.0"}, {"method", "$/cancelRequest"}, {"params", {{"id", id}}}}.dump());
  }
  client.settle();
  for (const int id : {waits, asks}) {
    const auto replies = repliesTo(client, id);
    ASSERT_EQ(replies.size(), 1U);
    EXPECT_EQ(replies[0]["error"]["code"], -32800);
  }
  EXPECT_TRUE(repliesTo(client, stays).at(0).contains("result"));
  EXPECT_FALSE(client.of("documentSymbol", path).is_null());
  // One that was answered is not cancelled when its number comes again.
  client.sendNow(Json{{"jsonrpc", "2.0"}, {"method", "$/cancelRequest"}, {"params", {{"id", waits}}}}.dump());
  client.received().clear();
  client.send(message(waits, "textDocument/documentSymbol", document(path)));
  EXPECT_TRUE(repliesTo(client, waits).at(0).contains("result"));
}

TEST(LspSession, RepeatedAndOddIds) {
  Folder folder;
  const std::string path = folder.write("lib.cwl", kLibrary);
  Client client(Json::object(), folder.path());
  client.open(path, kLibrary);
  client.received().clear();
  for (int i = 0; i < 3; ++i) client.sendNow(message(900, "workspace/symbol", {{"query", "half"}}));
  for (const Json& id : {Json("text"), Json(-1), Json("")}) client.sendNow(message(id, "couler/standardModule", {{"module", "text"}}));
  for (const Json& id : {Json(1.5), Json(true), Json(nullptr), Json::array()}) client.sendNow(message(id, "shutdown", nullptr));
  client.settle();
  EXPECT_EQ(repliesTo(client, 900).size(), 3U);
  for (const Json& id : {Json("text"), Json(-1), Json("")}) EXPECT_EQ(repliesTo(client, id).size(), 1U);
  EXPECT_EQ(repliesTo(client, nullptr).size(), 4U);
  EXPECT_FALSE(client.of("documentSymbol", path).is_null()) << "it was not shut down by those";
}

TEST(LspSession, BeforeInitializeAndAfterShutdown) {
  Client client(Json::object(), "", nullptr);
  (void)client.request("workspace/symbol", {{"query", ""}});
  EXPECT_EQ(client.error()["code"], -32002);
  client.open("untitled:a", "couler 1\nfn");
  EXPECT_TRUE(client.received().empty()) << "what comes too early is dropped";
  EXPECT_FALSE(client.request("initialize", {{"capabilities", nullptr}, {"workspaceFolders", {7, nullptr}}, {"rootUri", 3}}).is_null());
  (void)client.request("initialize", {{"capabilities", Json::object()}});
  EXPECT_EQ(client.error()["code"], -32600);
  client.open("untitled:a", "couler 1\nfn");
  EXPECT_FALSE(client.diagnostics("untitled:a").empty());
  (void)client.request("shutdown", nullptr);
  client.received().clear();
  client.open("untitled:b", "couler 1\nfn");
  (void)client.request("workspace/symbol", {{"query", ""}});
  EXPECT_EQ(client.error()["code"], -32600);
  EXPECT_TRUE(client.received().empty()) << "nothing is done any more";
  client.notify("exit", nullptr);
  EXPECT_EQ(client.server().exitCode(), 0);
}

TEST(LspSession, ExitWithoutShutdownIsAFailure) {
  Client client;
  client.notify("exit", nullptr);
  EXPECT_TRUE(client.server().exited());
  EXPECT_EQ(client.server().exitCode(), 1);
}

/// What `couler lsp` says to a stream, and how it ends.
std::pair<std::string, int> served(const std::string& stream) {
  int in[2], out[2];
  EXPECT_EQ(::pipe(in), 0);
  EXPECT_EQ(::pipe(out), 0);
  std::thread writer([&] {
    std::string_view left = stream;
    while (!left.empty()) {
      const ssize_t n = ::write(in[1], left.data(), left.size());
      if (n <= 0) break;
      left.remove_prefix(static_cast<std::size_t>(n));
    }
    ::close(in[1]);
  });
  std::string said;
  std::thread reader([&] {
    char buffer[4096];
    for (ssize_t n; (n = ::read(out[0], buffer, sizeof buffer)) > 0;) said.append(buffer, static_cast<std::size_t>(n));
  });
  const int code = serve({"test", {}}, in[0], out[1]);
  ::close(in[0]);
  ::close(out[1]);
  writer.join();
  reader.join();
  ::close(out[0]);
  return {said, code};
}

TEST(LspSession, StreamsThatAreNone) {
  ::signal(SIGPIPE, SIG_IGN);
  const std::string hello = framed(message(1, "initialize", {{"capabilities", Json::object()}}));
  const std::string bye = framed(message(2, "shutdown", nullptr)) + framed(R"({"jsonrpc":"2.0","method":"exit"})");
  EXPECT_EQ(served(hello + bye).second, 0);
  EXPECT_EQ(served("").second, 1);
  EXPECT_EQ(served(hello).second, 1) << "it ends without `exit`";
  EXPECT_EQ(served(hello + "Content-Length: 268435456\r\n\r\n{}").second, 1) << "a body that never comes";
  for (const char* bad : {"Content-Length: 99999999999\r\n\r\n", "Content-Length: -5\r\n\r\n", "Content-Length: 0x10\r\n\r\n",
                          "GET / HTTP/1.1\r\n\r\n", "\r\n\r\n"}) {
    const auto [said, code] = served(hello + bad + bye);
    EXPECT_EQ(code, 1) << bad;
    EXPECT_NE(said.find("\"capabilities\""), std::string::npos) << "what came before is answered";
  }
  // Bodies that are no messages do not end it.
  EXPECT_EQ(served(hello + framed("") + framed("\xff\xfe") + framed("[[[[") + framed("{\"id\":[]}") + bye).second, 0);
  EXPECT_EQ(served(hello + framed(std::string(100'000, '[')) + bye).second, 0) << "nested deep";
  std::mt19937 random(5);
  for (int round = 0; round < 50; ++round) {
    std::string noise = hello + framed(message(3, "workspace/symbol", {{"query", "x"}})) + bye;
    for (int i = 0; i < 8; ++i) noise[random() % noise.size()] = static_cast<char>(random());
    (void)served(noise);
  }
}

/// Three files that import each other, edited in turns: the messages are those of a server that
/// sees the last state only.
TEST(LspSession, EditsOfImportedFilesEndWhereAFreshServerBegins) {
  Folder folder;
  const std::vector<std::string> names = {"a.cwl", "b.cwl", "c.cwl"};
  const std::vector<std::vector<std::string>> texts = {
      {"couler 1\n\nfn a(x: int) -> int = x\n", "couler 1\n\nfn a(x: float) -> float = x\n", "couler 1\n\nfn a(x: int -> int = x\n",
       "couler 1\n\nfn other(x: int) -> int = x\n"},
      {"couler 1\n\nimport \"./a.cwl\" { a }\n\nfn b(x: int) -> int = a(x)\n", "couler 1\n\nimport \"./a.cwl\"\n\nfn b(x: int) -> int = a.a(x)\n",
       "couler 1\n\nimport \"./c.cwl\" { c }\n\nfn b(x: int) -> int = c(x)\n"},
      {"couler 1\n\nimport \"./b.cwl\" { b }\n\nfn c(x: int) -> int = b(x)\n", "couler 1\n\nimport \"./b.cwl\" { b }\nimport \"./a.cwl\" { a }\n\nfn c(x: int) -> int = b(a(x))\n",
       "couler 1\n\nfn c(x: int) -> string = \"{x}\"\n"}};
  std::mt19937 random(3);
  for (int round = 0; round < 30; ++round) {
    Client client;
    std::vector<std::string> now(3);
    for (std::size_t i = 0; i < 3; ++i) {
      now[i] = texts[i][random() % texts[i].size()];
      client.open(folder.file(names[i]), now[i]);
    }
    for (int edit = 0; edit < 6; ++edit) {
      const std::size_t i = random() % 3;
      now[i] = texts[i][random() % texts[i].size()];
      client.change(folder.file(names[i]), now[i]);
    }
    Client fresh;
    for (std::size_t i = 0; i < 3; ++i) fresh.open(folder.file(names[i]), now[i]);
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string path = folder.file(names[i]);
      EXPECT_EQ(client.diagnostics(path), fresh.diagnostics(path)) << now[0] << now[1] << now[2];
    }
  }
}

}  // namespace
}  // namespace couler::lsp

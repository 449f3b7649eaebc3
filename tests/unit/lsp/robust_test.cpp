// Every request at every place of real programs; programs typed one character at a time; random
// edits against a server that starts afresh.
#include <random>
#include <set>

#include <fmt/format.h>

#include "frontend/sema/check.h"
#include "frontend/session.h"
#include "tests/unit/lsp/client.h"

namespace couler::lsp {
namespace {

using testing::Client;
using testing::Folder;
namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The examples, and what the tests of the language and its mistakes read.
std::vector<fs::path> programs() {
  std::vector<fs::path> result;
  for (const char* folder : {"examples", "tests/golden/parse", "tests/golden/check", "tests/golden/lower"}) {
    for (const auto& one : fs::recursive_directory_iterator(fs::path(COULER_SOURCE_DIR) / folder)) {
      if (one.path().extension() == ".cwl") result.push_back(one.path());
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

/// What `couler check` finds in the file itself: code, place and message of each.
std::set<std::string> compiled(const std::string& path) {
  DiagnosticList list;
  Session session([](const std::string& file) { return LoadedText{slurp(file), {}}; }, list);
  session.setFileStart([](const std::string& file) {
    return fs::is_regular_file(file) ? std::optional(slurp(file).substr(0, sema::kMaxHeader)) : std::nullopt;
  });
  EXPECT_TRUE(session.load(path));
  (void)session.check();
  (void)session.lower("", false);
  std::set<std::string> found;
  for (const Diagnostic& one : list.sorted()) {
    if (one.severity == Severity::Remark || one.at.file != FileId{0U}) continue;
    const LineColumn at = session.sources().lineColumn(one.at.file, one.at.begin);
    found.insert(fmt::format("{}:{} {} {}", at.line, at.column, one.code(), one.message));
  }
  return found;
}
/// The same, of what was published; notes stand behind the message.
std::set<std::string> published(const Json& diagnostics) {
  std::set<std::string> found;
  for (const Json& one : diagnostics) {
    const auto text = one["message"].get<std::string>();
    const Json& start = one["range"]["start"];
    found.insert(fmt::format("{}:{} {} {}", start["line"].get<int>() + 1, start["character"].get<int>() + 1,
                             one["code"].get<std::string>(), text.substr(0, text.find('\n'))));
  }
  return found;
}

/// As the client shows them, from a server that knows nothing else.
Json fresh(const std::string& path, const std::string& text) {
  Client client;
  client.open(path, text);
  return client.diagnostics(path);
}

TEST(LspEverywhere, EveryRequestAtEveryToken) {
  const char* kAt[] = {"hover",      "definition",    "typeDefinition", "documentHighlight",
                       "references", "prepareRename", "completion",     "signatureHelp"};
  const char* kOf[] = {"documentSymbol", "foldingRange", "documentLink", "codeLens",
                       "semanticTokens/full", "formatting", "diagnostic"};
  std::size_t asked = 0;
  for (const fs::path& path : programs()) {
    SCOPED_TRACE(path.string());
    const std::string text = slurp(path);
    if (text.size() > 20'000) continue;
    Client client;
    client.open(path.string(), text);
    for (const char* method : kOf) (void)client.of(method, path.string());
    const Lines lines(text);
    for (const Piece& piece : scan(text)) {
      const Position begin = lines.position(text, piece.begin, Encoding::Utf16);
      const Position end = lines.position(text, piece.end, Encoding::Utf16);
      for (const char* method : kAt) {
        (void)client.at(method, path.string(), end);
        EXPECT_TRUE(client.error().is_null()) << method << ": " << client.error();
        ++asked;
      }
      (void)client.of("codeAction", path.string(), {{"range", toJson(Range{begin, end})}, {"context", Json::object()}});
      EXPECT_TRUE(client.error().is_null()) << client.error();
      (void)client.of("selectionRange", path.string(), {{"positions", {toJson(begin)}}});
      EXPECT_TRUE(client.error().is_null()) << client.error();
    }
    client.received().clear();
  }
  EXPECT_GT(asked, 10'000U);
}

/// One character after the other, as a person does it; at the end the compiler's own messages. The
/// programs are the examples, one with mistakes and one with values that nothing uses.
TEST(LspEverywhere, ProgramsTypedOneCharacterAtATime) {
  Folder folder;
  std::vector<std::string> typed;
  for (const auto& one : fs::recursive_directory_iterator(fs::path(COULER_SOURCE_DIR) / "examples")) {
    if (one.path().extension() == ".cwl") typed.push_back(one.path().string());
  }
  ASSERT_GE(typed.size(), 8U);
  typed.push_back(folder.write("wrong.cwl",
                               "couler 1\n\ntask t(n: int) -> (m: int) {\n    run sh \"m=$n\"\n}\n\n"
                               "workflow w(n: int) -> (m: int) {\n    let unknown = none_such(n)\n"
                               "    let a = t(n, o: 1)\n    return (m: a.n)\n}\n"));
  typed.push_back(folder.write("unused.cwl", "couler 1\n\nworkflow w(n: int) -> (m: int) {\n    let one = 1\n"
                                             "    let other = \"\u00e9 {n}\"\n    return (m: n)\n}\n"));
  std::mt19937 random(7);
  for (const std::string& path : typed) {
    SCOPED_TRACE(path);
    const std::string text = slurp(path);
    Client client;
    client.open(path, "");
    Position end;
    for (std::size_t i = 0; i < text.size();) {
      std::size_t size = 1;
      while (i + size < text.size() && (static_cast<unsigned char>(text[i + size]) & 0xC0U) == 0x80U) ++size;
      const std::string letter = text.substr(i, size);
      i += size;
      // Without waiting for the analysis of each, as it is at a keyboard.
      client.sendNow(Json{{"jsonrpc", "2.0"},
                          {"method", "textDocument/didChange"},
                          {"params",
                           {{"textDocument", {{"uri", uriOf(path)}, {"version", i + 1}}},
                            {"contentChanges", {{{"range", toJson(Range{end, end})}, {"text", letter}}}}}}}
                         .dump());
      end = letter == "\n" ? Position{end.line + 1, 0} : Position{end.line, end.character + (size == 4 ? 2U : 1U)};
      client.server().idle();
      if (random() % 7 == 0) {
        (void)client.at("completion", path, end);
        EXPECT_TRUE(client.error().is_null()) << client.error();
      }
    }
    client.settle();
    EXPECT_EQ(client.diagnostics(path), fresh(path, text));
    EXPECT_EQ(published(client.diagnostics(path)), compiled(path));
    std::int64_t last = 0;
    for (const Json& one : client.received()) {
      if (one.value("method", "") != "textDocument/publishDiagnostics" || !one["params"].contains("version")) continue;
      EXPECT_GE(one["params"]["version"].get<std::int64_t>(), last) << "versions never go back";
      last = one["params"]["version"];
    }
  }
}

TEST(LspEverywhere, RandomEditsEndWhereAFreshServerBegins) {
  std::mt19937 random(11);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const std::vector<fs::path> all = programs();
  constexpr const char* kPieces[] = {"{", "}", "(", "\"", "\n", "let x = ", ".", "\"\"\"", "\u00e9", "\U0001f600",
                                     "task", " ", ",", "1", "in ", "//", "\r\n", "[", "|> "};
  for (int round = 0; round < 40; ++round) {
    const fs::path& source = all[below(all.size())];
    const std::string path = source.string();
    std::string text = slurp(source);
    if (text.size() > 8000) text.resize(0);
    Client client;
    client.open(path, text);
    for (int edit = 0; edit < 8; ++edit) {
      const Lines lines(text);
      const auto place = [&] {
        auto at = static_cast<std::uint32_t>(below(text.size() + 1));
        // To a letter's begin and not between `\r` and `\n`: an editor has no place there.
        const Position p = lines.position(text, at, Encoding::Utf16);
        return lines.offset(text, p, Encoding::Utf16);
      };
      std::uint32_t begin = place();
      std::uint32_t end = below(3) == 0 ? place() : begin;
      if (end < begin) std::swap(begin, end);
      const std::string with = kPieces[below(std::size(kPieces))];
      client.notify("textDocument/didChange",
                    {{"textDocument", {{"uri", uriOf(path)}, {"version", edit + 2}}},
                     {"contentChanges",
                      {{{"range", toJson(Range{lines.position(text, begin, Encoding::Utf16),
                                               lines.position(text, end, Encoding::Utf16)})},
                        {"text", with}}}}});
      text.replace(begin, end - begin, with);
      if (below(4) == 0) (void)client.of("semanticTokens/full", path);
    }
    EXPECT_EQ(client.diagnostics(path), fresh(path, text)) << path << "\n" << text;
  }
}

}  // namespace
}  // namespace couler::lsp

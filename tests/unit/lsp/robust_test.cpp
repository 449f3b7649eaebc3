// Every request at every place of real programs; programs typed one character at a time; random
// edits against a server that starts afresh.
#include <random>

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

std::vector<Diagnostic> compiled(const std::string& path, const std::string& text) {
  Overlay overlay;
  overlay.emplace(path, std::make_shared<const std::string>(text));
  return Snapshot(path, overlay, 0).diagnostics();
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

/// One character after the other, as a person does it; at the end the compiler's own messages.
TEST(LspEverywhere, ProgramsTypedOneCharacterAtATime) {
  const fs::path examples = fs::path(COULER_SOURCE_DIR) / "examples";
  for (const char* name : {"digits/digits.cwl", "wordcount/wordcount.cwl", "nightly/nightly.cwl"}) {
    SCOPED_TRACE(name);
    const std::string path = (examples / name).string();
    const std::string text = slurp(path);
    Client client;
    client.open(path, "");
    std::string typed;
    std::mt19937 random(7);
    for (std::size_t i = 0; i < text.size(); ++i) {
      typed += text[i];
      const bool whole = i + 1 == text.size() || (static_cast<unsigned char>(text[i + 1]) & 0xC0U) != 0x80U;
      if (!whole) continue;
      const Lines lines(typed);
      const Position end = lines.position(typed, static_cast<std::uint32_t>(typed.size()), Encoding::Utf16);
      // Without waiting for the analysis of each, as it is at a keyboard.
      client.server().take(
          Json{{"jsonrpc", "2.0"},
               {"method", "textDocument/didChange"},
               {"params",
                {{"textDocument", {{"uri", uriOf(path)}, {"version", i + 2}}},
                 {"contentChanges", {{{"text", typed}}}}}}}
              .dump());
      if (random() % 7 == 0) {
        (void)client.at("completion", path, end);
        EXPECT_TRUE(client.error().is_null()) << client.error();
      }
    }
    client.settle();
    EXPECT_EQ(client.diagnostics(path), fresh(path, text));
    std::int64_t last = 0;
    for (const Json& one : client.received()) {
      if (one.value("method", "") != "textDocument/publishDiagnostics" || !one["params"].contains("version")) continue;
      EXPECT_GE(one["params"]["version"].get<std::int64_t>(), last) << "versions never go back";
      last = one["params"]["version"];
    }
    EXPECT_EQ(compiled(path, text).size(), client.diagnostics(path).size());
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

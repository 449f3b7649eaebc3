#include "tests/unit/lsp/client.h"

namespace couler::lsp {
namespace {

using testing::Client;

/// The words of a text with their types, as the server colours them.
std::vector<std::pair<std::string, std::string>> colours(const std::string& text) {
  Client client;
  client.open("/tokens.cwl", text);
  const Json legend = client.initialized()["capabilities"]["semanticTokensProvider"]["legend"]["tokenTypes"];
  const Json data = client.of("semanticTokens/full", "/tokens.cwl")["data"];
  const Lines lines(text);
  std::vector<std::pair<std::string, std::string>> result;
  Position at{0, 0};
  for (std::size_t i = 0; i + 4 < data.size(); i += 5) {
    const auto down = data[i].get<std::uint32_t>();
    at = {at.line + down, data[i + 1].get<std::uint32_t>() + (down == 0 ? at.character : 0)};
    const std::uint32_t begin = lines.offset(text, at, Encoding::Utf16);
    result.emplace_back(text.substr(begin, data[i + 2].get<std::uint32_t>()),
                        legend[data[i + 3].get<std::size_t>()]);
  }
  return result;
}

bool holds(const std::vector<std::pair<std::string, std::string>>& all, const char* word, const char* type) {
  return std::find(all.begin(), all.end(), std::pair<std::string, std::string>(word, type)) != all.end();
}

TEST(LspTokens, CallOfAFunctionIsNoKeywordThoughItsNameCanBeOne) {
  const auto found = colours("couler 1\nfn most(a: int, b: int) -> int = max(a, b)\n");
  EXPECT_TRUE(holds(found, "max", "function"));
  EXPECT_FALSE(holds(found, "max", "keyword"));
}

TEST(LspTokens, WordsThatAreOperatorsStayKeywordsBeforeABracket) {
  const auto found = colours("couler 1\nfn f(a: bool) -> bool = not(a)\n");
  EXPECT_TRUE(holds(found, "not", "keyword"));
}

TEST(LspTokens, TheBraceOfACodePointBeginsNoInterpolation) {
  const auto found = colours("couler 1\nfn f(a: int) -> string = \"\\u{1F600} {a} é\"\n");
  EXPECT_TRUE(holds(found, "\"\\u{1F600} {", "string"));
  EXPECT_TRUE(holds(found, "a", "parameter"));
}

TEST(LspTokens, WordsOfTheLanguageAreKeywordsInTheirPlacesOnly) {
  const auto found = colours(
      "couler 1\ntask t(image: string) -> (on: int) {\n    image \"x\"\n    retry 2 { on: [oom] }\n"
      "    run [\"x\"]\n}\n");
  EXPECT_TRUE(holds(found, "image", "parameter") && holds(found, "image", "keyword"));
  EXPECT_TRUE(holds(found, "on", "property") && !holds(found, "on", "keyword"));
  EXPECT_TRUE(holds(found, "retry", "keyword") && holds(found, "run", "keyword"));
}

TEST(LspTokens, ScriptsAreInTheirOwnLanguages) {
  const auto found = colours(R"(couler 1
task fit(rate: float, name: string, data: file) -> (loss: float) {
    run python """
        import x as y  # rate
        loss = rate * 2 + len(f"at {rate:.2f} of {{name}}") + y.name
        x.call(data=data, name='rate')
        """
}
task count(text: file, name: string) -> (lines: int) {
    run sh """
        lines=$(wc -l < "$text") # name
        for name in a; do echo 'name'"${name}x"; done; lines=$((lines + 1))
        """
}
)");
  const auto times = [&](const char* word, const char* type) {
    return std::count(found.begin(), found.end(), std::pair<std::string, std::string>(word, type));
  };
  EXPECT_EQ(times("rate", "parameter"), 3) << "declared, multiplied, interpolated";
  EXPECT_EQ(times("data", "parameter"), 2) << "declared, given; the argument's name is another's";
  EXPECT_EQ(times("loss", "property"), 2);
  EXPECT_EQ(times("lines", "property"), 4);
  EXPECT_EQ(times("text", "parameter"), 2);
  EXPECT_EQ(times("name", "parameter"), 4) << "both declared, and twice in the shell";
  EXPECT_TRUE(holds(found, "import", "keyword") && holds(found, "done", "keyword"));
  EXPECT_TRUE(holds(found, "# rate", "comment") && holds(found, "# name", "comment"));
  EXPECT_TRUE(holds(found, "f\"at {", "string") && holds(found, "'name'", "string"));
}

}  // namespace
}  // namespace couler::lsp

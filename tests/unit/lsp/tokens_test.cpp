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

}  // namespace
}  // namespace couler::lsp

// Sessions written down (tests/golden/lsp), and that none of the server's methods lacks one.
#include "tests/unit/lsp/transcript.h"

#include <regex>

#include "tests/support/golden.h"

namespace couler::lsp {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(LspTranscripts, EachIsAnsweredAsWritten) {
  std::set<std::string> sent;
  for (const auto& one : fs::directory_iterator(fs::path(COULER_SOURCE_DIR) / "tests" / "golden" / "lsp")) {
    SCOPED_TRACE(one.path().string());
    testing::Transcript transcript;
    couler::testing::expectGolden("lsp/" + one.path().filename().string(), transcript.play(slurp(one.path())));
    sent.insert(transcript.methods().begin(), transcript.methods().end());
  }
  const std::regex name(R"re("((?:textDocument|workspace|callHierarchy|couler|client|\$)/[A-Za-z/]+|initialize|shutdown|exit)")re");
  std::size_t known = 0;
  for (const auto& one : fs::recursive_directory_iterator(fs::path(COULER_SOURCE_DIR) / "lsp")) {
    if (one.path().extension() != ".cpp") continue;
    const std::string text = slurp(one.path());
    for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at, ++known) {
      EXPECT_TRUE(sent.contains((*at)[1])) << "no transcript in tests/golden/lsp has `" << (*at)[1] << "`";
    }
  }
  EXPECT_GT(known, 40U);
}

}  // namespace
}  // namespace couler::lsp

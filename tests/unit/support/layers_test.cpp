// The arrows of docs/architecture.md, checked on the includes: linking does not see a header.
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace couler {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::set<std::string>> kAllowed = {
    {"support", {}},
    {"ir", {"support"}},
    {"frontend", {"support", "ir"}},
    {"passes", {"support", "ir"}},
    {"backends", {"support", "ir"}},
    {"runtime", {"support", "ir"}},
    {"lsp", {"support", "ir", "frontend"}},
    {"driver", {"support", "ir", "frontend", "passes", "backends", "runtime", "lsp"}},
};

/// Headers that only these folders may see.
const std::multimap<std::string, std::string> kPrivate = {
    {"antlr4-runtime.h", "frontend/parse/"},
    {"boost/asio", "driver/playground/"},
    {"boost/beast", "driver/playground/"},
    {"boost/program_options", "driver/"},
    {"sqlite3.h", "runtime/store/"},
    {"yaml.h", "backends/"},
    {"curl/", "lsp/assist/http"},
    {"arrow/", "runtime/column/library/"},
    {"parquet/", "runtime/column/library/"},
    {"flatbuffers/", "runtime/column/"},
    {"simdjson.h", "runtime/column/"},
    {"zlib.h", "runtime/column/"},
    {"zstd.h", "support/packed_text"},
    {"zstd.h", "runtime/column/"},
    {"llvm/IR/", "runtime/jit/llvm/"},
};

TEST(Layers, IncludesFollowTheArrows) {
  const fs::path root = COULER_SOURCE_DIR;
  const std::regex include("^\\s*#include [<\"]([^>\"]+)[>\"]");
  std::size_t seen = 0;
  for (const auto& [layer, allowed] : kAllowed) {
    for (const auto& entry : fs::recursive_directory_iterator(root / layer)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp") continue;
      const std::string file = fs::relative(entry.path(), root).string();
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        std::smatch match;
        if (!std::regex_search(line, match, include)) continue;
        ++seen;
        const std::string header = match[1];
        const std::string top = header.substr(0, header.find('/'));
        if (kAllowed.contains(top)) {
          EXPECT_TRUE(top == layer || allowed.contains(top)) << file << " includes " << header;
        }
        if (file.starts_with("runtime/column/") && header.starts_with("runtime/")) {
          EXPECT_TRUE(header.starts_with("runtime/column/")) << file << " includes " << header;
        }
        bool isPrivate = false;
        bool isIts = false;
        for (const auto& [name, folder] : kPrivate) {
          if (!header.starts_with(name)) continue;
          isPrivate = true;
          isIts = isIts || file.starts_with(folder);
        }
        EXPECT_TRUE(!isPrivate || isIts) << file << ": " << header;
      }
    }
  }
  EXPECT_GT(seen, 100U);
}

}  // namespace
}  // namespace couler

#include "tests/support/golden.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ir/print.h"
#include "ir/verify.h"
#include "passes/pass.h"

namespace couler::passes {
namespace {

/// Each tests/golden/passes/<name>.ir begins with `// pass: <names>`; <name>.out is the graph after
/// those passes and what they said.
std::vector<std::string> cases() {
  std::vector<std::string> names;
  const auto dir = std::filesystem::path(COULER_SOURCE_DIR) / "tests" / "golden" / "passes";
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (entry.path().extension() == ".ir") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class PassGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(PassGolden, GraphAndRemarks) {
  const auto path = std::filesystem::path(COULER_SOURCE_DIR) / "tests" / "golden" / "passes" /
                    (GetParam() + ".ir");
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::string mark = "// pass: ";
  ASSERT_EQ(text.substr(0, mark.size()), mark);
  std::string names = text.substr(mark.size(), text.find('\n') - mark.size());

  SourceManager sources;
  DiagnosticList diags;
  auto module = ir::parseText(sources, sources.add(GetParam(), text), diags);
  for (const Diagnostic& d : diags.all()) ADD_FAILURE() << d.message;
  ASSERT_TRUE(module.has_value());
  ASSERT_EQ(ir::verify(*module), std::vector<std::string>{});

  Context context{diags};
  context.shardSize = 64 << 20;
  while (!names.empty()) {
    const std::size_t comma = std::min(names.find(','), names.size());
    const Pass* pass = findPass(names.substr(0, comma));
    ASSERT_NE(pass, nullptr) << names;
    names.erase(0, comma + 1);
    EXPECT_TRUE(pass->run(*module, context));
    EXPECT_EQ(ir::verify(*module), std::vector<std::string>{}) << "after " << pass->name;
  }
  std::string actual = ir::print(*module) + "---\n";
  for (const Diagnostic& d : diags.all()) actual += d.code() + ": " + d.message + "\n";
  testing::expectGolden("passes/" + GetParam() + ".out", actual);
}

INSTANTIATE_TEST_SUITE_P(All, PassGolden, ::testing::ValuesIn(cases()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace couler::passes

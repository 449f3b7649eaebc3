// The documentation is tested: each diagnostic has a page whose program produces it, and every
// program in docs/ compiles.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "frontend/session.h"

namespace couler {
namespace {

namespace fs = std::filesystem;

std::string readText(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Block {
  std::string info;  ///< the words after the fence
  std::string text;
};

std::vector<Block> fencedBlocks(const std::string& page) {
  std::vector<Block> blocks;
  bool inside = false;
  for (std::size_t at = 0; at < page.size();) {
    std::size_t end = page.find('\n', at);
    if (end == std::string::npos) end = page.size();
    const std::string line = page.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) blocks.push_back({line.substr(3), ""});
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

DiagnosticList compile(const std::string& text) {
  DiagnosticList diags;
  const auto load = [&](const std::string& path) -> LoadedText {
    if (path == "page.cwl") return {text, ""};
    return {std::nullopt, "no such file"};
  };
  Session session(load, diags);
  if (session.load("page.cwl")) (void)session.lower("", false);
  return diags;
}

std::string listed(const DiagnosticList& diags) {
  std::string out;
  for (const Diagnostic& d : diags.sorted()) out += d.code() + " " + d.message + "\n";
  return out;
}

const fs::path kDocs = fs::path(COULER_SOURCE_DIR) / "docs";

class DiagnosticPage : public testing::TestWithParam<DiagInfo> {};

TEST_P(DiagnosticPage, ItsProgramProducesIt) {
  const DiagInfo& info = GetParam();
  const std::string code(info.code);
  const std::string page = readText(kDocs / "errors" / (code + ".md"));
  ASSERT_FALSE(page.empty()) << "docs/errors/" << code << ".md is missing";
  EXPECT_TRUE(page.starts_with("# " + code + ": ")) << page.substr(0, 60);
  const std::vector<Block> blocks = fencedBlocks(page);
  const bool fromSource = code < "CW0450" || (code >= "CW0450" && code < "CW0500");
  for (const Block& block : blocks) {
    if (block.info == "couler") {
      const DiagnosticList diags = compile(block.text);
      std::set<std::string> codes;
      for (const Diagnostic& d : diags.all()) codes.insert(d.code());
      EXPECT_TRUE(codes.contains(code)) << "the page's program gives:\n" << listed(diags);
      return;
    }
    if (block.info == "console") return;  // shows a command: driver, backend and run-time codes
  }
  FAIL() << code << ": the page shows no program" << (fromSource ? "" : " and no command");
}

TEST_P(DiagnosticPage, ItsRepairedProgramDoesNot) {
  const std::string code(GetParam().code);
  for (const Block& block : fencedBlocks(readText(kDocs / "errors" / (code + ".md")))) {
    if (block.info != "couler fixed") continue;
    const DiagnosticList diags = compile(block.text);
    EXPECT_FALSE(diags.hasErrors()) << listed(diags);
    for (const Diagnostic& d : diags.all()) EXPECT_NE(d.code(), code) << d.message;
  }
}

INSTANTIATE_TEST_SUITE_P(All, DiagnosticPage, testing::ValuesIn(diagnosticTable()),
                         [](const auto& row) { return std::string(row.param.code); });

TEST(Docs, NoPageWithoutARow) {
  std::set<std::string> codes;
  for (const DiagInfo& info : diagnosticTable()) codes.insert(std::string(info.code));
  for (const auto& entry : fs::directory_iterator(kDocs / "errors")) {
    EXPECT_TRUE(codes.contains(entry.path().stem().string())) << entry.path();
  }
}

TEST(Docs, EveryProgramCompiles) {
  std::size_t programs = 0;
  for (const auto& entry : fs::directory_iterator(kDocs)) {
    if (entry.path().extension() != ".md") continue;
    for (const Block& block : fencedBlocks(readText(entry.path()))) {
      if (block.info != "couler") continue;
      ++programs;
      const DiagnosticList diags = compile(block.text);
      EXPECT_FALSE(diags.hasErrors()) << entry.path() << "\n" << block.text << listed(diags);
    }
  }
  EXPECT_GE(programs, 8U);
}

}  // namespace
}  // namespace couler

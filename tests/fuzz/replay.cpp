// Runs a fuzz target on each file of its corpus, on each file cut short at many places, and on each
// with bytes changed in a fixed way: what a fuzzer found once stays found, under every compiler.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void feed(const std::string& text) {
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  EXPECT_EQ(LLVMFuzzerTestOneInput(bytes.data(), bytes.size()), 0);
}

TEST(Replay, Corpus) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(COULER_CORPUS)) {
    files.push_back(entry.path());
  }
  ASSERT_FALSE(files.empty()) << "no inputs in " << COULER_CORPUS;
  std::sort(files.begin(), files.end());
  std::mt19937 random(1);  // the same changes on every run
  for (const auto& file : files) {
    SCOPED_TRACE(file.string());
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    feed(text);
    constexpr std::size_t kCuts = 100;
    for (std::size_t i = 0; i < kCuts; ++i) feed(text.substr(0, text.size() * i / kCuts));
    constexpr int kChanges = 200;
    for (int i = 0; i < kChanges && !text.empty(); ++i) {
      std::string changed = text;
      const std::size_t at = random() % changed.size();
      switch (random() % 3) {
        case 0:
          changed[at] = static_cast<char>(random());
          break;
        case 1:
          changed.erase(at, 1 + random() % 8);
          break;
        default:
          changed.insert(at, text.substr(random() % text.size(), 1 + random() % 20));
          break;
      }
      feed(changed);
    }
  }
}

}  // namespace

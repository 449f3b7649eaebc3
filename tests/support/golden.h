#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace couler::testing {

/// Compares `actual` with tests/golden/<name>. With UPDATE_GOLDEN=1 the file is rewritten instead;
/// where CI is set that is refused, so that no build can agree with itself.
inline void expectGolden(const std::string& name, std::string_view actual) {
  const std::filesystem::path path =
      std::filesystem::path(COULER_SOURCE_DIR) / "tests" / "golden" / name;
  if (const char* update = std::getenv("UPDATE_GOLDEN"); update != nullptr && *update == '1') {
    ASSERT_EQ(std::getenv("CI"), nullptr) << "UPDATE_GOLDEN is refused where CI is set";
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << actual;
    return;
  }
  std::ifstream in(path, std::ios::binary);
  ASSERT_TRUE(in) << "no golden " << path << "; UPDATE_GOLDEN=1 makes it";
  const std::string expected{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  EXPECT_EQ(expected, actual) << "differs from " << path << "; UPDATE_GOLDEN=1 rewrites it";
}

}  // namespace couler::testing

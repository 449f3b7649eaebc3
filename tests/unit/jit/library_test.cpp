#include <cstdlib>

#include <gtest/gtest.h>

#include "runtime/jit/loader.h"

namespace couler::jit::test {

namespace {

/// In a process of its own, since the library is loaded once.
int whyNot(const char* variable, const char* value, const char* expected) {
  ::setenv(variable, value, 1);
  std::string why;
  const bool is = available(why);
  return !is && why.find(expected) != std::string::npos ? 0 : 1;
}

TEST(LibraryDeathTest, SaysWhyThereIsNone) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(std::exit(whyNot("COULER_JIT_LIBRARY", "/nowhere", "there is no libcouler_jit.so")),
              ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(std::exit(whyNot("COULER_JIT_CPU", "abacus", "there is no processor `abacus`")),
              ::testing::ExitedWithCode(0), "");
}

TEST(Library, IsThere) {
  std::string why;
  EXPECT_TRUE(available(why)) << why;
}

}  // namespace

}  // namespace couler::jit::test

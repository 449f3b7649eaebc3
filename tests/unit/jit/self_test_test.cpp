#include "runtime/jit/self_test.h"

#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/jit/library.h"

namespace couler::jit::test {

namespace {

std::int64_t allRows(Frame* frame) { return frame->rows; }
std::int64_t nothing(Frame*) { return 0; }
std::int64_t illegal(Frame*) {
  ::signal(SIGILL, SIG_DFL);
  return ::raise(SIGILL);
}

/// Compiles whatever it is given into two functions of the test's.
class Stub final : public Engine {
 public:
  Stub(Function filter, Function project) : filter_(filter), project_(project) {}
  std::string_view target() const override { return "a test"; }
  std::string compile(const Program&, std::string&) override {
    ++compiled;
    return "object";
  }
  std::unique_ptr<Compiled> load(std::string_view, std::string&) override {
    auto code = std::make_unique<Compiled>();
    code->filter = filter_;
    code->project = project_;
    return code;
  }
  int compiled = 0;

 private:
  Function filter_;
  Function project_;
};

std::string failure(Function filter, Function project) {
  Stub stub(filter, project);
  std::string why;
  EXPECT_FALSE(passesSelfTest(stub, ObjectCache(""), why));
  return why;
}

TEST(SelfTest, WhatCannotRunHereIsNotUsed) {
  EXPECT_EQ(failure(illegal, nothing),
            "code compiled for this processor ends with signal 4 (Illegal instruction)");
}

TEST(SelfTest, WhatIsWrongIsNotUsed) {
  EXPECT_EQ(failure(allRows, nothing), "code compiled for this processor computes something else");
}

TEST(SelfTest, PassesOnThisMachineAndIsRemembered) {
  std::string why;
  Engine* own = engine(why);
  ASSERT_NE(own, nullptr) << why;
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("couler_self_test_" + std::to_string(::getpid()));
  const ObjectCache cache(folder.string());
  EXPECT_TRUE(passesSelfTest(*own, cache, why)) << why;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  EXPECT_TRUE(passesSelfTest(*own, cache, why)) << why;
  std::filesystem::remove_all(folder);
}

}  // namespace

}  // namespace couler::jit::test

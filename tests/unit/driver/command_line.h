#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace couler::testing {

namespace fs = std::filesystem;

inline std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Ran {
  int code = -1;  ///< 128 + signal where one ended it
  std::string out;
  std::string err;
};

/// A word as sh reads it back.
inline std::string quote(const std::string& word) {
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

/// A test in a folder of its own that runs the built command there.
class CommandLine : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "couler-driver-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  fs::path write(const std::string& name, const std::string& text) const {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  [[nodiscard]] std::string read(const std::string& name) const { return slurp(folder_ / name); }
  [[nodiscard]] bool exists(const std::string& name) const { return fs::exists(folder_ / name); }

  /// A line of sh in the test's folder; `$COULER` is the command.
  [[nodiscard]] Ran sh(const std::string& line) const {
    const fs::path streams = folder_.string() + ".streams";
    fs::create_directories(streams);
    const std::string command =
        "cd " + quote(folder_.string()) + " && export COULER_JIT_CACHE=off && COULER=" +
        quote(COULER_BINARY) + " && { " + line + "\n} >" + quote((streams / "out").string()) +
        " 2>" + quote((streams / "err").string());
    const int status =
        std::system(command.c_str());  // NOLINT(concurrency-mt-unsafe): tests are one thread
    Ran result;
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.out = slurp(streams / "out");
    result.err = slurp(streams / "err");
    fs::remove_all(streams);
    return result;
  }

  [[nodiscard]] Ran couler(const std::vector<std::string>& words,
                           const std::string& input = {}) const {
    std::string line = "\"$COULER\"";
    for (const std::string& word : words) line += " " + quote(word);
    if (input.empty()) return sh(line + " </dev/null");
    write(".input", input);
    Ran result = sh(line + " <.input");
    fs::remove(folder_ / ".input");
    return result;
  }

  [[nodiscard]] const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
};

/// The names in `couler help`.
inline std::vector<std::string> commandNames(const std::string& overview) {
  std::vector<std::string> names;
  std::size_t at = overview.find("commands:\n");
  if (at == std::string::npos) return names;
  at += 10;
  while (overview.compare(at, 2, "  ") == 0) {
    const std::size_t end = overview.find(' ', at + 2);
    names.push_back(overview.substr(at + 2, end - at - 2));
    at = overview.find('\n', at) + 1;
  }
  return names;
}

}  // namespace couler::testing

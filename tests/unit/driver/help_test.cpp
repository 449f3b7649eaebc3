#include <string>

#include <gtest/gtest.h>

#include "tests/support/golden.h"
#include "tests/unit/driver/command_line.h"

namespace couler::testing {
namespace {

using Help = CommandLine;

TEST_F(Help, everyCommandHasHelpWithAnExample) {
  const auto names = commandNames(couler({"help"}).out);
  ASSERT_GE(names.size(), 16U);
  for (const std::string& name : names) {
    const Ran help = couler({name, "--help"});
    EXPECT_EQ(help.code, 0) << name;
    EXPECT_EQ(help.err, "") << name;
    EXPECT_NE(help.out.find("usage: couler " + name), std::string::npos) << name;
    EXPECT_NE(help.out.find("\nexample:\n  $ "), std::string::npos) << name;
    EXPECT_EQ(couler({"help", name}).out, help.out) << name;
    EXPECT_EQ(couler({name, "-h"}).out, help.out) << name;
  }
}

TEST_F(Help, theManualOfTheCommandLineHasEveryCommand) {
  const fs::path page = fs::path(COULER_SOURCE_DIR) / "docs" / "cli.md";
  std::string text = slurp(page);
  const std::string mark = "<!-- from `couler help` -->\n";
  const std::size_t at = text.find(mark);
  ASSERT_NE(at, std::string::npos);
  std::string reference = text.substr(0, at) + mark;
  for (const std::string& name : commandNames(couler({"help"}).out)) {
    reference += "\n### couler " + name + "\n\n```text\n" + couler({"help", name}).out + "```\n";
  }
  if (const char* update = std::getenv("UPDATE_GOLDEN"); update != nullptr && *update == '1') {
    ASSERT_EQ(std::getenv("CI"), nullptr);
    std::ofstream(page, std::ios::binary) << reference;
    return;
  }
  EXPECT_EQ(text, reference)
      << "docs/cli.md is behind the table of commands; UPDATE_GOLDEN=1 mends it";
}

TEST_F(Help, overview) { expectGolden("driver/overview.txt", couler({"help"}).out); }

TEST_F(Help, theBareCommandIsAUsageError) {
  const Ran bare = couler({});
  EXPECT_EQ(bare.code, 2);
  EXPECT_EQ(bare.out, "");
  EXPECT_NE(bare.err.find("commands:"), std::string::npos);
}

TEST_F(Help, version) {
  const Ran version = couler({"version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_EQ(version.out.rfind("couler ", 0), 0U);
  EXPECT_EQ(couler({"--version"}).out, version.out);
}

TEST_F(Help, aFullDiskIsAFailure) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const Ran full = sh("\"$COULER\" help run >/dev/full");
  EXPECT_EQ(full.code, 1);
  EXPECT_NE(full.err.find("CW0906"), std::string::npos);
}

TEST_F(Help, completionScriptsAreWellFormed) {
  const struct {
    const char* shell;
    const char* check;
  } shells[] = {
      {"bash", "bash -n script"}, {"zsh", "zsh -n script"}, {"fish", "fish --no-execute script"}};
  for (const auto& [shell, check] : shells) {
    const Ran script = couler({"completion", shell});
    ASSERT_EQ(script.code, 0);
    for (const std::string& name : commandNames(couler({"help"}).out)) {
      EXPECT_NE(script.out.find(name), std::string::npos) << shell << " lacks " << name;
    }
    write("script", script.out);
    if (sh(std::string("command -v ") + shell).code != 0) continue;
    const Ran checked = sh(check);
    EXPECT_EQ(checked.code, 0) << shell << ": " << checked.err;
    EXPECT_EQ(checked.err, "") << shell;
  }
  EXPECT_EQ(couler({"completion", "csh"}).code, 2);
}

/// What bash offers for the words so far.
std::string offered(const Ran& ran) { return " " + ran.out + " "; }

TEST_F(Help, bashCompletes) {
  if (sh("command -v bash").code != 0) GTEST_SKIP() << "no bash here";
  write("script", couler({"completion", "bash"}).out);
  write("spam.cwl", "");
  const auto complete = [&](const std::string& words, int at) {
    write("ask", "source ./script\nCOMP_WORDS=(" + words + ")\nCOMP_CWORD=" + std::to_string(at) +
                     "\ncompopt() { :; }\n_couler\necho \"${COMPREPLY[*]}\"\n");
    Ran ran = sh("bash ask");
    EXPECT_EQ(ran.err, "");
    if (!ran.out.empty()) ran.out.pop_back();
    return offered(ran);
  };
  EXPECT_EQ(complete("couler ex", 1), " exec explain ");
  EXPECT_NE(complete("couler run --", 2).find(" --report "), std::string::npos);
  EXPECT_NE(complete("couler run sp", 2).find(" spam.cwl "), std::string::npos);
  EXPECT_EQ(complete("couler check --diagnostics s", 3), " sarif ");
  EXPECT_EQ(complete("couler completion f", 2), " fish ");
}

TEST_F(Help, manualPage) {
  const Ran page = couler({"man"});
  ASSERT_EQ(page.code, 0);
  EXPECT_EQ(page.out.rfind(".TH COULER 1", 0), 0U);
  write("couler.1", page.out);
  if (sh("command -v man").code != 0) GTEST_SKIP() << "no man here";
  const Ran shown = sh("LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings -l couler.1");
  EXPECT_EQ(shown.code, 0);
  EXPECT_EQ(shown.err, "");
  for (const std::string& name : commandNames(couler({"help"}).out)) {
    EXPECT_NE(shown.out.find("couler " + name), std::string::npos) << name;
  }
}

TEST_F(Help, explain) {
  const Ran page = couler({"explain", "CW0301"});
  EXPECT_EQ(page.code, 0);
  EXPECT_EQ(page.out.rfind("# CW0301", 0), 0U);
  EXPECT_EQ(couler({"explain", "301"}).out, page.out);
  EXPECT_EQ(couler({"explain", "cw0301"}).out, page.out);
  const Ran functions = couler({"explain", "builtins"});
  EXPECT_EQ(functions.code, 0);
  EXPECT_NE(functions.out.find("length(xs: list<any>) -> int\n"), std::string::npos)
      << functions.out;
  EXPECT_EQ(functions.out.find("MakeRecord"), std::string::npos) << "internal rows stay hidden";
  const Ran list = couler({"explain", "list"});
  EXPECT_NE(list.out.find("\nCW0301 error"), std::string::npos);
  const Ran unknown = couler({"explain", "CW9999"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("CW0918"), std::string::npos);
}

}  // namespace
}  // namespace couler::testing

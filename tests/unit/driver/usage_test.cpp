#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/driver/command_line.h"

namespace couler::testing {
namespace {

constexpr const char* kProgram = R"(couler 1

task say(text: string, times: int) -> (out: string = stdout) {
    run ["echo", text, times]
}

workflow hello(text: string, times: int = 1) -> (said: string) {
    let s = say(text, times)
    return (said: s.out)
}

target here = local { jobs: 1 }
target there = argo { namespace: "x" }
)";

using Usage = CommandLine;

struct Wrong {
  std::vector<std::string> words;
  std::string code;
  std::string text;
};

TEST_F(Usage, everyMistakeHasACodeAHintAndExitStatus2) {
  write("a.cwl", kProgram);
  const Wrong rows[] = {
      {{"chek"}, "CW0901", "did you mean `couler check`"},
      {{"help", "biuld"}, "CW0901", "did you mean `build`"},
      {{"run", "a.cwl", "--job", "2"}, "CW0902", "did you mean `--jobs`"},
      {{"run", "a.cwl", "--rep=x"}, "CW0902", "--help"},
      {{"run", "a.cwl", "-z"}, "CW0902", "-z"},
      {{"run", "--words", "a.cwl"}, "CW0902", "--words"},
      {{"run", "a.cwl", "text=x", "--jobs", "0"}, "CW0903", "from 1 to"},
      {{"run", "a.cwl", "text=x", "--jobs", "2x"}, "CW0903", "`2x`"},
      {{"run", "a.cwl", "text=x", "--jobs", "99999999999999999999"}, "CW0903", "from 1 to"},
      {{"run", "a.cwl", "--jobs"}, "CW0903", "--jobs N"},
      {{"run", "a.cwl", "--jobs", "1", "--jobs", "2"}, "CW0903", "twice"},
      {{"run", "a.cwl", "--force=yes"}, "CW0903", "no value"},
      {{"run", "a.cwl", "--container=dockr"}, "CW0903", "did you mean `docker`"},
      {{"check", "--diagnostics=xml", "a.cwl"}, "CW0903", "`sarif`"},
      {{"check"}, "CW0904", "check FILE"},
      {{"graph", "a", "b", "c"}, "CW0904", "fewer"},
      {{"run", "a.cwl", "hello", "other"}, "CW0904", "`other`"},
      {{"run", "a.cwl", "=3"}, "CW0904", "`=3`"},
      {{"run", "a.cwl", "txt=hi"}, "CW0907", "did you mean `text`"},
      {{"run", "a.cwl", "text=hi", "times=many"}, "CW0908", "`times`"},
      {{"run", "a.cwl"}, "CW0909", "write text="},
      {{"run", "a.cwl", "text=a", "text=b"}, "CW0910", "`text`"},
      {{"run", "a.cwl", "text=a", "--target", "her"}, "CW0911", "did you mean `here`"},
      {{"run", "a.cwl", "text=a", "--target", "there"}, "CW0912", "couler build"},
      {{"build", "a.cwl", "--target", "ther"}, "CW0911", "did you mean `there`"},
      {{"build", "a.cwl", "--target", "argp"}, "CW0911", "did you mean `argo`"},
      {{"build", "a.cwl", "--target", "here"}, "CW0912", "couler run"},
      {{"build", "a.cwl", "--target", "argo", "--disable-pass=inlin"},
       "CW0913",
       "did you mean `inline`"},
      {{"build", "a.cwl", "--target", "argo", "--print-after=al"}, "CW0913", "did you mean `all`"},
      {{"logs", "x"}, "CW0904", "number of a run"},
      {{"runs", "--limit", "-1"}, "CW0903", "from 1 to"},
  };
  for (const Wrong& row : rows) {
    const Ran ran = couler(row.words);
    std::string line;
    for (const std::string& word : row.words) line += word + " ";
    EXPECT_EQ(ran.code, 2) << line << ran.err;
    EXPECT_EQ(ran.out, "") << line;
    EXPECT_NE(ran.err.find(row.code), std::string::npos) << line << ran.err;
    EXPECT_NE(ran.err.find(row.text), std::string::npos) << line << ran.err;
  }
}

TEST_F(Usage, allMissingInputsAreListedAtOnce) {
  write("b.cwl", R"(couler 1
task t(a: int, b: string, c: float) -> (o: string = stdout) { run ["echo", a, b, c] }
workflow w(a: int, b: string, c: float) -> (o: string) { return (o: t(a, b, c).o) }
)");
  const Ran ran = couler({"run", "b.cwl", "b=x"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_NE(ran.err.find("`a: int`, `c: float`"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("a=… c=…"), std::string::npos) << ran.err;
}

TEST_F(Usage, aFileThatIsNotThere) {
  const Ran ran = couler({"check", "nowhere.cwl"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("nowhere.cwl"), std::string::npos);
  EXPECT_EQ(couler({"fmt", "nowhere.cwl"}).code, 1);
  EXPECT_EQ(couler({"run", "nowhere.cwl"}).code, 1);
  EXPECT_EQ(couler({"graph", "."}).code, 1);
}

TEST_F(Usage, badParameterFiles) {
  write("a.cwl", kProgram);
  const auto run = [&](const std::string& json) {
    write("p.json", json);
    return couler({"run", "a.cwl", "-i", "p.json"});
  };
  EXPECT_EQ(couler({"run", "a.cwl", "-i", "none.json"}).code, 2);
  EXPECT_NE(run("{").err.find("CW0905"), std::string::npos);
  EXPECT_NE(run("[1]").err.find("CW0905"), std::string::npos);
  EXPECT_NE(run(std::string(100'000, '[')).err.find("CW0905"), std::string::npos);
  EXPECT_NE(
      run("{\"text\": " + std::string(1000, '[') + std::string(1000, ']') + "}").err.find("CW0905"),
      std::string::npos);
  EXPECT_NE(run(R"({"txt": "a"})").err.find("CW0907"), std::string::npos);
  EXPECT_NE(run(R"({"text": "a", "times": "b"})").err.find("CW0908"), std::string::npos);
}

TEST_F(Usage, noHistory) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"runs"}, {"logs", "1"}, {"why", "step"}}) {
    const Ran ran = couler(words);
    EXPECT_EQ(ran.code, 1) << words[0];
    EXPECT_NE(ran.err.find("error[CW"), std::string::npos) << words[0];
  }
}

}  // namespace
}  // namespace couler::testing

#include <map>
#include <sstream>
#include <string>

#include "tests/unit/driver/command_line.h"

// What an edit makes run again, and the smallest reason for it, before anything runs.
namespace couler::testing {
namespace {

constexpr const char* kProgram = R"cwl(couler 1

task clean(raw: file<csv>, n: int = 2) -> (o: file = "clean.csv") {
    env { SEP: "," }
    run sh """
        head -n $n $raw > $o
        """
}

task fit(data: file, rate: float) -> (m: file = "model.txt") {
    run ["couler-fit-stand-in", data, "{rate}", m]
}

task weigh(data: file) -> (w: string) {
    image "debian:12"
    run sh """
        w=$(cksum < $data)
        """
}

task each(n: int) -> (x: int) {
    run sh """
        x=$((n * n))
        """
}

volatile task tell(x: string) {
    run ["true", x]
}

workflow main(raw: file<csv>, extra: dir, rate: float = 0.5, ns: list<int> = [1, 2]) -> (m: file, w: string, xs: list<int>, names: string) {
    let cleaned = clean(raw)
    let model = fit(cleaned.o, rate)
    let weight = weigh(cleaned.o)
    let squares = for n in ns {
        each(n)
    }
    let listed = list(extra)
    tell("done")
    return (m: model.m, w: weight.w, xs: squares.x, names: listed.names)
}

task list(folder: dir) -> (names: string) {
    run sh """
        names=$(ls $folder)
        """
}
)cwl";

class PlanReasons : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    ASSERT_EQ(sh("mkdir bin extra && echo 1 > extra/a && printf 'a\\n1\\n2\\n' > raw.csv && "
                 "printf '#!/bin/sh\\ncksum < $1 > $3\\n' > bin/couler-fit-stand-in && "
                 "chmod +x bin/couler-fit-stand-in")
                  .code,
              0);
    write("f.cwl", kProgram);
    const Ran ran = on("run");
    ASSERT_EQ(ran.code, 0) << ran.err;
  }
  [[nodiscard]] Ran on(const std::string& command) const {
    return sh("PATH=\"$PWD/bin:$PATH\" \"$COULER\" " + command + " f.cwl extra=extra raw=" + raw_ +
              " " + more_);
  }
  /// By step that would run or depends on one that would: why. `kept_` counts the others.
  std::map<std::string, std::string> reasons() {
    const Ran plan = on("plan");
    EXPECT_EQ(plan.code, 0) << plan.err;
    std::map<std::string, std::string> reasons;
    kept_ = 0;
    std::istringstream lines(plan.out);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string what, step;
      words >> what >> step;
      if (what == "reuse") ++kept_;
      if (what != "run" && what != "depends") continue;
      const std::size_t from = line.find("  (");
      reasons[step] = line.substr(from + 3, line.rfind(')') - from - 3);
    }
    summary_ = plan.out.substr(plan.out.find(" to reuse") - 2);
    return reasons;
  }
  /// What would run but for the step that always does.
  std::map<std::string, std::string> after(const std::string& was, const std::string& is) {
    std::string text = kProgram;
    const std::size_t at = text.find(was);
    EXPECT_NE(at, std::string::npos) << was;
    write("f.cwl", text.replace(at, was.size(), is));
    return afterEdit();
  }
  std::map<std::string, std::string> afterEdit() {
    auto all = reasons();
    EXPECT_EQ(all["tell"], "it is volatile");
    all.erase("tell");
    return all;
  }

  using Reasons = std::map<std::string, std::string>;
  std::string raw_ = "raw.csv";
  std::string more_;
  int kept_ = 0;
  std::string summary_;
};

TEST_F(PlanReasons, NothingWhereNothingThatCountsChanged) {
  EXPECT_EQ(afterEdit(), Reasons{});
  EXPECT_EQ(kept_, 6);
  EXPECT_EQ(after("couler 1\n", "couler 1\n\n// said of it\n/// and more\n"), Reasons{});
  EXPECT_EQ(after("    run sh", "\n    // what it does\n\n    run     sh"), Reasons{});
  EXPECT_EQ(after("task clean", "/// Cleans.\ntask clean"), Reasons{});
  EXPECT_EQ(
      after("    image",
            "    timeout 1 h\n    retry 3\n    resources { cpu: 1, memory: 1 GiB }\n    image"),
      Reasons{});
  // A task by another name, a step by another name, another order of steps that need not each
  // other.
  std::string text = kProgram;
  for (std::size_t at = 0; (at = text.find("clean(", at)) != std::string::npos; at += 6) {
    text.replace(at, 6, "tidy(");
  }
  write("f.cwl", text);
  EXPECT_EQ(afterEdit(), Reasons{});
  text = kProgram;
  for (std::size_t at = 0; (at = text.find("cleaned", at)) != std::string::npos; at += 4) {
    text.replace(at, 7, "tidy");
  }
  write("f.cwl", text);
  EXPECT_EQ(afterEdit(), Reasons{});
  EXPECT_EQ(kept_, 6);
}

TEST_F(PlanReasons, AFileAFolderAValue) {
  write("raw.csv", "a\n3\n2\n");
  EXPECT_EQ(afterEdit(), (Reasons{{"cleaned", "it reads `raw.csv`, whose content changed"},
                                  {"model", "it needs what `cleaned` makes"},
                                  {"weight", "it needs what `cleaned` makes"}}));
  EXPECT_NE(summary_.find("at most 4 of 7 steps run: about "), std::string::npos) << summary_;
  write("raw.csv", "a\n1\n2\n");
  EXPECT_EQ(afterEdit(), Reasons{});
  write("extra/b", "2\n");
  EXPECT_EQ(afterEdit(), (Reasons{{"listed", "it reads `extra`, whose content changed"}}));
  fs::remove(folder() / "extra/b");
  more_ = "rate=0.75 'ns=[1, 2, 5]'";
  EXPECT_EQ(afterEdit(), (Reasons{{"model", "`rate` changed from 0.5 to 0.75"},
                                  {"each.2", "it never ran before"}}));
  // Squares of the same numbers in another order are there.
  more_ = "'ns=[2, 1]'";
  EXPECT_EQ(afterEdit(), Reasons{});
}

TEST_F(PlanReasons, ATask) {
  const Reasons downstream = {{"model", "it needs what `cleaned` makes"},
                              {"weight", "it needs what `cleaned` makes"}};
  const auto with = [&](const std::string& reason) {
    Reasons all = downstream;
    all["cleaned"] = reason;
    return all;
  };
  EXPECT_EQ(after("head -n $n $raw", "tail -n $n $raw"), with("its script changed"));
  EXPECT_EQ(after("n: int = 2", "n: int = 3"), with("`n` changed from 2 to 3"));
  EXPECT_EQ(after("SEP: \",\"", "SEP: \";\""), with("env `SEP` changed from `,` to `;`"));
  EXPECT_EQ(after("env { SEP: \",\" }", "env { SEP: \",\", MODE: \"fast\" }"),
            with("env `MODE` is new"));
  EXPECT_EQ(after("    env { SEP: \",\" }\n", ""), with("env `SEP` is gone"));
  EXPECT_EQ(after("    env", "    image \"debian:13\"\n    env"),
            with("its image changed from none to `debian:13`"));
  EXPECT_EQ(
      after("\"clean.csv\"", "\"rows.csv\""),
      with("outputs changed (was o: file = path \"clean.csv\", is o: file = path \"rows.csv\")"));
  EXPECT_EQ(after("clean(raw: file<csv>,", "clean(raw: file<csv>, m: int = 1,"),
            with("input `m` is new"));
  EXPECT_EQ(after("\"debian:12\"", "\"debian:13\""),
            (Reasons{{"weight", "its image changed from `debian:12` to `debian:13`"}}));
  EXPECT_EQ(after("\"{rate}\", m]", "\"-v\", \"{rate}\", m]"),
            (Reasons{{"model", "its command changed"}}));
  EXPECT_EQ(after("x=$((n * n))", "x=$((n * n * 1))"),
            (Reasons{{"each.0", "its script changed"}, {"each.1", "its script changed"}}));
  EXPECT_EQ(after("task each", "volatile task each"),
            (Reasons{{"each.0", "it is volatile"}, {"each.1", "it is volatile"}}));
  EXPECT_EQ(
      after("task each(n: int) -> (x: int) {", "task each(n: int) -> (x: int) {\n    cache false"),
      (Reasons{{"each.0", "its task says `cache false`"},
               {"each.1", "its task says `cache false`"}}));
  // Two at once: the one that says most, and that there is more.
  EXPECT_EQ(after("n: int = 2) -> (o: file = \"clean.csv\") {\n    env { SEP: \",\" }",
                  "n: int = 4) -> (o: file = \"clean.csv\") {\n    env { SEP: \";\" }"),
            with("`n` changed from 2 to 4, and 1 more changed"));
}

TEST_F(PlanReasons, AnotherFileAnotherTaskAnotherWiring) {
  write("more.csv", "a\n1\n2\n");
  raw_ = "more.csv";
  // The same bytes by another name are another input: scripts see the name.
  EXPECT_EQ(afterEdit()["cleaned"], "it reads `more.csv` instead of `raw.csv` as `raw`");
  raw_ = "raw.csv";
  EXPECT_EQ(after("weigh(cleaned.o)", "weigh(raw)"),
            (Reasons{{"weight", "it reads `raw.csv` instead of `clean.csv` as `data`"}}));
  std::string text = kProgram;
  text.replace(text.find("list(extra)"), 11, "say(7)");
  text +=
      "\ntask say(n: int) -> (names: string) {\n    run sh \"\"\"\n        names=$n\n        "
      "\"\"\"\n}\n";
  write("f.cwl", text);
  EXPECT_EQ(afterEdit(), (Reasons{{"listed", "it runs another task than before"}}));
}

}  // namespace
}  // namespace couler::testing

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "frontend/session.h"
#include "ir/verify.h"
#include "passes/passes.h"
#include "passes/shard_plan.h"
#include "runtime/column/cut.h"
#include "runtime/column/plan.h"

// Plans in parts against the same plans over whole files, in this process.
namespace couler::testing {
namespace {

namespace fs = std::filesystem;
using column::FileRange;
using column::PlanInput;
using column::PlanOutput;

constexpr const char* kHead = R"(couler 1

enum Kind { small, big }

schema Row {
    k: string
    n: int     where n < 1000
    f: float?
    t: timestamp?
    d: Kind?
}

schema Name {
    k:     string
    title: string
}
)";

using Random = std::mt19937;

std::string one(Random& random, std::vector<std::string> of) { return of[random() % of.size()]; }

std::string condition(Random& random) {
  return one(random, {"r.n % 3 != 0", "r.f > 0.5", "r.k in [\"a\", \"b\", \"c\", \"\"]",
                      "r.d == big", "r.t != none", "length(r.k) < 3", "false"});
}

std::string aggregate(Random& random, bool exact) {
  std::vector<std::string> of = {"count()",  "count(r.f)", "sum(r.n)",   "min(r.f)", "max(r.n)",
                                 "first(r.f)", "last(r.d)", "min(r.k)", "max(r.t)", "first(r.n * 2)",
                                 "sum(if r.n > 5 { 1 } else { 0 })"};
  if (!exact) {
    of.insert(of.end(), {"sum(r.f)", "mean(r.f)", "stddev(r.n)", "count_distinct(r.k)",
                         "quantile(r.f, 0.25)", "mean(r.n + 1)"});
  }
  return one(random, of);
}

/// A workflow over `data` and `names` whose read is of one step with what follows.
std::string program(Random& random) {
  std::string text = kHead;
  std::string pipe = fmt::format("read<Row>(data, on_bad: {})", one(random, {"drop", "keep"}));
  std::string row = "Row";
  if (random() % 2 == 0) {
    text += "\ntransform tidy(r: Row) {\n    where " + condition(random) +
            "\n    ...r\n    n = r.n + length(r.k)\n}\n";
    pipe += " |> tidy";
    row = "tidy";
  }
  text += "\ntransform made(r: table<" + row + ">, names: table<Name>) {\n";
  const auto join = random() % 5;
  if (join < 4) {
    text += fmt::format("    {}join names on r.k == names.k\n",
                        one(random, {"", "left ", "semi ", "anti "}));
  }
  if (random() % 3 == 0) text += "    where " + condition(random) + "\n";
  switch (random() % 6) {
    case 0:
    case 1:
    case 2: {
      const bool exact = random() % 2 == 0;
      const auto keys = random() % 3;
      if (keys == 1) text += "    group by r.k\n";
      if (keys == 2) text += "    group by day = r.n % 5, r.d\n";
      const std::size_t count = 1 + random() % 4;
      for (std::size_t i = 0; i < count; ++i) {
        text += fmt::format("    x{} = {}\n", i, aggregate(random, exact));
      }
      if (random() % 2 == 0) text += "    order by count() desc\n    limit 4\n";
      break;
    }
    case 3:
      text += "    m = r.n % 7\n    d = r.d\n    distinct\n";
      break;
    case 4:
      text += "    order by r.f desc, r.k\n    ...r\n";
      break;
    default:
      text += "    ...r\n";
  }
  text += "}\n\nworkflow main(data: file<csv>, names: file<csv>) -> (out: file<" +
          one(random, {"csv", "jsonl", "arrow"}) + ">) {\n    return (out: " + pipe +
          " |> made(read<Name>(names)))\n}\n";
  return text;
}

std::string line(Random& random) {
  const std::string k = one(random, {"a", "b", "c", "\"d\nd\"", "\"e,\"\"\"", "", "zz", "\xC3\xA9"});
  const std::string n = random() % 40 == 0 ? one(random, {"x", "5000", ""})
                                           : fmt::format("{}", random() % 100);
  const std::string f =
      random() % 8 == 0 ? one(random, {"", "NaN", "-0.0", "0.0", "inf"})
                        : fmt::format("{}", static_cast<double>(random() % 1000) / 8);
  const std::string t =
      random() % 3 == 0 ? "" : fmt::format("2024-01-{:02}T00:00:00Z", 1 + random() % 28);
  return fmt::format("{},{},{},{},{}{}", k, n, f, t, one(random, {"small", "big", "", "big"}),
                     random() % 2 == 0 ? "\n" : "\r\n");
}

std::string textOf(const std::vector<std::string>& lines) {
  std::string text = "k,n,f,t,d\n";
  for (const std::string& one : lines) text += one;
  return text;
}

class ShardPlans : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "couler-shard-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    fs::create_directories(folder_ / "spill");
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string at(const std::string& name) const { return (folder_ / name).string(); }
  std::string put(const std::string& name, const std::string& text) const {
    std::ofstream(at(name), std::ios::binary) << text;
    return at(name);
  }
  static std::string get(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  /// The program's one step over tables.
  std::optional<ir::Module> compiled(const std::string& text) {
    DiagnosticList diags;
    Session session(
        [&](const std::string&) -> LoadedText {
          return {text, ""};
        },
        diags);
    session.load("main.cwl");
    auto module = session.lower("", true);
    for (const Diagnostic& d : diags.all()) ADD_FAILURE() << d.message << "\n" << text;
    if (!module) return module;
    passes::Context context{diags};
    for (const auto pass : {passes::fold, passes::inlineCalls, passes::unroll, passes::mergeCommon,
                            passes::fuseTables, passes::dropDead}) {
      pass(*module, context);
    }
    for (std::size_t i = 0; i < module->tasks.size(); ++i) {
      const ir::TaskDef& task = module->tasks[i];
      if (task.run == ir::RunKind::Table && task.outputs[0].name == "file") task_ = ir::TaskId{i};
    }
    return module;
  }

  std::string run(const ir::Module& module, ir::TaskId task, const std::vector<PlanInput>& inputs,
                  const std::string& name) {
    const ir::TaskDef& def = module.at(task);
    const ir::Type& type = module.types[def.outputs[0].type];
    const std::string path = at(name);
    fs::remove(path);
    column::PlanOptions options;
    options.limits.folder = at("spill");
    const auto result = column::runPlan(
        module, task, inputs,
        {PlanOutput{path, type.kind == ir::TypeKind::File ? type.name : std::string("arrow")}},
        options);
    if (const auto* error = std::get_if<column::StreamError>(&result)) return "!" + error->message;
    return path;
  }

  /// What the step makes of the file in parts, or the first error; parts whose keys are known are
  /// not made again.
  std::string inParts(ir::Module& module, const passes::Split& split, const std::string& data,
                      const std::string& names, std::int64_t size) {
    column::StreamError error;
    const auto ranges = column::cutFile(data, "csv", size, error);
    if (!ranges) return "!" + error.message;
    PlanInput parts;
    for (const FileRange& range : *ranges) {
      std::string& part = made_[range.digest];
      if (part.empty()) {
        ++ran_;
        const ir::TypeId item = passes::rangeItemType(module.types);
        const std::string text = column::rangesText({range});
        std::string why;
        const auto value = ir::fromText(text.substr(0, text.size() - 1), item, module.types, why);
        EXPECT_TRUE(value) << why;
        std::vector<PlanInput> inputs = argumentsOf(module, split.inPart, data, names);
        for (const auto& field : value->named()) inputs.push_back({{}, field.second});
        part = run(module, split.part, inputs, fmt::format("part-{}", range.digest.substr(0, 16)));
        if (part[0] == '!') return std::exchange(part, {});
      }
      parts.paths.push_back(part);
    }
    parts_ = ranges->size();
    std::vector<PlanInput> inputs = argumentsOf(module, split.inCombine, data, names);
    inputs.insert(inputs.begin(), parts);
    return run(module, split.combine, inputs, "combined");
  }

  std::vector<PlanInput> argumentsOf(const ir::Module& module, const std::vector<std::size_t>& which,
                                     const std::string& data, const std::string& names) const {
    std::vector<PlanInput> inputs;
    for (const std::size_t i : which) {
      const std::string& row = rowOf(module, i);
      inputs.push_back({row == "Name" ? names : data, {}});
    }
    return inputs;
  }
  /// The schema that a file parameter of the whole plan is read with.
  const std::string& rowOf(const ir::Module& module, std::size_t param) const {
    static const std::string kNone;
    const ir::Region& plan = module.at(module.at(task_).exprs);
    for (const ir::NodeId id : plan.nodes) {
      if (module.payload<ir::Rows>(id) == nullptr) continue;
      if (module.operands(module.at(id))[0] != plan.params[param]) continue;
      return module.types[module.types[module.at(id).type].element].name;
    }
    return kNone;
  }

  std::vector<PlanInput> wholeInputs(const ir::Module& module, const std::string& data,
                                     const std::string& names) const {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < module.at(task_).params.size(); ++i) all.push_back(i);
    return argumentsOf(module, all, data, names);
  }

  fs::path folder_;
  ir::TaskId task_;
  std::map<std::string, std::string> made_;  // by digest
  std::size_t ran_ = 0;
  std::size_t parts_ = 0;
};

TEST_F(ShardPlans, MakeTheSameBytesAfterAnyChange) {
  Random random(20240607);
  std::size_t cut = 0;
  for (int round = 0; round < 60; ++round) {
    const std::string text = program(random);
    auto module = compiled(text);
    ASSERT_TRUE(module) << text;
    const ir::Module before = *module;
    std::string why;
    const auto split = passes::splitPlan(*module, task_, why);
    ASSERT_TRUE(split) << why << text;
    ASSERT_EQ(ir::verify(*module), std::vector<std::string>{}) << text;
    const std::string names = put("names.csv", "k,title\na,one\nb,two\na,three\nzz,four\n");
    std::vector<std::string> lines;
    for (std::size_t i = random() % 300; i > 0; --i) lines.push_back(line(random));
    const std::int64_t size = 1 + static_cast<std::int64_t>(random() % 900);
    made_.clear();
    for (int change = 0; change < 4; ++change) {
      std::string content = textOf(lines);
      if (random() % 4 == 0 && !lines.empty()) content.pop_back();  // no last line feed
      const std::string data = put("data.csv", content);
      const std::string whole = run(before, task_, wholeInputs(before, data, names), "whole");
      ASSERT_NE(whole[0], '!') << whole << text;
      const std::string combined = inParts(*module, *split, data, names, size);
      ASSERT_NE(combined[0], '!') << combined << text;
      ASSERT_TRUE(get(whole) == get(combined)) << text << "\nsize " << size << "\n" << content;
      cut += parts_ > 1 ? 1 : 0;
      const std::size_t where = lines.empty() ? 0 : random() % lines.size();
      switch (random() % 4) {
        case 0:
          for (int i = 0; i < 9; ++i) lines.push_back(line(random));
          break;
        case 1:
          lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(where), line(random));
          break;
        case 2:
          if (!lines.empty()) lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(where));
          break;
        default:
          if (!lines.empty()) lines[where] = line(random);
      }
    }
  }
  EXPECT_GT(cut, 120U);  // of 240 files most are cut at all
}

/// A part's rows go by the numbers and lines that they have in the whole file.
TEST_F(ShardPlans, MessagesNameRowsOfTheWholeFile) {
  const std::string plan = R"(
transform halves(r: Row) {
    half = 100 div r.n
    key  = r.k
}

transform made(r: table<halves>) {
    group by r.key
    all = mean(r.half)
}

workflow main(data: file<csv>) -> (out: file<csv>) {
    return (out: read<Row>(data) |> halves |> made)
}
)";
  auto module = compiled(kHead + plan);
  ASSERT_TRUE(module);
  const ir::Module before = *module;
  std::string why;
  const auto split = passes::splitPlan(*module, task_, why);
  ASSERT_TRUE(split) << why;
  EXPECT_EQ(split->eachDoes, "read, map, map");
  EXPECT_EQ(split->restDoes, "group");
  std::vector<std::string> lines;
  for (int i = 0; i < 200; ++i) lines.push_back(fmt::format("k{},{},,,\n", i, 1 + i % 7));
  for (const std::string bad : {"k,0,,,\n", "\"k\nk\",0,,,\n", "k,nothing,,,\n", "k,1,2\n"}) {
    std::vector<std::string> changed = lines;
    changed[3] = "\"two\nlines\",1,,,\n";
    changed[150] = bad;
    const std::string data = put("data.csv", textOf(changed));
    const std::string whole = run(before, task_, wholeInputs(before, data, ""), "whole");
    ASSERT_EQ(whole[0], '!');
    made_.clear();
    EXPECT_EQ(inParts(*module, *split, data, "", 200), whole);
    EXPECT_GT(ran_, 5U);
  }
}

TEST_F(ShardPlans, LeavesAloneWhatNeedsTheWholeFile) {
  const auto why = [&](const std::string& read, const std::string& statements) {
    auto module = compiled(std::string(kHead) + "\nschema Key { k: string where unique }\n" +
                           "transform made(r: table<" + read + ">) {\n" + statements +
                           "}\nworkflow main(data: file<csv>) -> (out: file<csv>) {\n    return "
                           "(out: read<" + read + ">(data) |> made)\n}\n");
    std::string reason;
    const auto split = passes::splitPlan(*module, task_, reason);
    EXPECT_FALSE(split);
    return reason;
  };
  EXPECT_EQ(why("Key", "    ...r\n"), "whether `k` is unique only the whole file tells");
  EXPECT_EQ(why("Row", "    limit 3\n"),
            "only its first rows are asked for, and the file is read no further");
}

}  // namespace
}  // namespace couler::testing

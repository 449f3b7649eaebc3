// Operators over batches against the same operators over lists of records (ir/eval_rows.cpp): all
// random tables, in batches of random sizes, with room for all rows in memory and for few.
#include <cmath>
#include <filesystem>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ir/eval.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "runtime/column/plan.h"

namespace couler::column {
namespace {

constexpr std::string_view kRow = "(k: string?, n: int?, x: float?, b: bool, t: timestamp, c: Tone?)";

constexpr const char* kTones[] = {"low", "mid", "high"};  // in another order than their names

class MemorySource final : public Source {
 public:
  MemorySource(Schema schema, std::vector<ir::Value> rows, std::uint64_t seed)
      : schema_(std::move(schema)), rows_(std::move(rows)), random_(seed) {}
  [[nodiscard]] const Schema& schema() const override { return schema_; }
  std::optional<Batch> next() override {
    if (at_ == rows_.size()) return std::nullopt;
    const std::size_t count = std::min<std::size_t>(rows_.size() - at_, 1 + random_() % 300);
    const auto first = rows_.begin() + static_cast<std::ptrdiff_t>(at_);
    Batch batch = batchOf(schema_, {first, first + static_cast<std::ptrdiff_t>(count)});
    batch.firstRow = static_cast<std::int64_t>(at_);
    at_ += count;
    return batch;
  }

 private:
  Schema schema_;
  std::vector<ir::Value> rows_;
  std::mt19937_64 random_;
  std::size_t at_ = 0;
};

class OperatorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              fmt::format("couler-operators-{}", ::testing::UnitTest::GetInstance()->random_seed());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    EXPECT_TRUE(std::filesystem::is_empty(folder_)) << "files are left";
    std::filesystem::remove_all(folder_);
  }

  std::vector<ir::Value> randomRows(std::size_t count, std::uint64_t keys) {
    std::vector<ir::Value> rows;
    const auto maybe = [&](ir::Value value) { return random_() % 7 == 0 ? ir::Value() : value; };
    for (std::size_t i = 0; i < count; ++i) {
      const double x = random_() % 9 == 0 ? std::nan("")
                                          : static_cast<double>(random_() % keys) / 4 - 3.0;
      const std::string k = random_() % 5 == 0
                                ? std::string("a key that is longer than sixteen bytes ") +
                                      std::to_string(random_() % keys)
                                : std::to_string(random_() % keys);
      rows.push_back(ir::Value::record(
          {{"k", maybe(k)},
           {"n", maybe(static_cast<std::int64_t>(random_() % keys) - 5)},
           {"x", maybe(x == 0.0 && random_() % 2 == 0 ? -0.0 : x)},
           {"b", random_() % 2 == 0},
           {"t", ir::Timestamp{static_cast<std::int64_t>(random_() % 1'000'000'000'000)}},
           {"c", maybe(ir::EnumCase{kTones[random_() % 3]})}}));
    }
    return rows;
  }

  /// Runs `body`, which defines %9, both ways, with one thread and with several, and compares every
  /// row.
  void compare(const std::string& result, const std::string& body, std::size_t rows,
               std::uint64_t keys, std::size_t memory) {
    const std::string type = fmt::format("table<{}>", kRow);
    const std::string text =
        fmt::format("couler-ir 1\nenum Tone from \"\" {{ low, mid, high }}\nfn f {{ param a: {0} param o: {0} result {1}\nbody {{ (%0: {0}, "
                    "%1: {0})\n{2}\nyield %9\n}} }}\n",
                    type, result, body);
    SourceManager sources;
    DiagnosticList diags;
    const auto module = ir::parseText(sources, sources.add("plan.ir", text), diags);
    ASSERT_TRUE(module) << diags.all()[0].message << "\n" << text;
    const auto problems = ir::verify(*module);
    ASSERT_TRUE(problems.empty()) << problems[0] << "\n" << text;
    const std::vector<ir::Value> left = randomRows(rows, keys);
    const std::vector<ir::Value> right = randomRows(rows / 3, keys);
    const ir::Value tables[] = {ir::Value::list(left), ir::Value::list(right)};
    const auto expected = ir::evaluateRegion(*module, module->funcs[0].body, tables);
    ASSERT_TRUE(std::holds_alternative<ir::Value>(expected[0]))
        << std::get<ir::EvalError>(expected[0]).message;

    PlanOptions options;
    options.compileFrom = 0;
    for (const std::size_t threads : threads_) {
      options.limits = {memory, folder_.string(), hashMask_, threads};
      SCOPED_TRACE(threads);
      ASSERT_NO_FATAL_FAILURE(compareRun(*module, options, left, right, expected[0]));
    }
  }

  void compareRun(const ir::Module& module, const PlanOptions& options,
                  const std::vector<ir::Value>& left, const std::vector<ir::Value>& right,
                  const ir::EvalResult& expected) {
    const ir::Region& region = module.at(module.funcs[0].body);
    AnomalyLog log;
    StreamError error;
    const auto open = [&](ir::NodeId param) -> std::unique_ptr<Source> {
      const bool first = param == region.params[0];
      return std::make_unique<MemorySource>(
          schemaOf(module.types, module.types[module.at(param).type].element),
          first ? left : right, random_());
    };
    std::vector<std::pair<ir::NodeId, ir::Value>> scalars;
    for (const ir::NodeId id : region.nodes) {
      if (const ir::Value* value = module.constant(id)) scalars.emplace_back(id, *value);
    }
    const auto source = openPlan(module, region.results[0], open, scalars, options, log, error);
    ASSERT_TRUE(source) << error.message;
    std::vector<ir::Value> found;
    while (const auto batch = source->next()) appendRows(source->schema(), *batch, found);
    ASSERT_FALSE(source->error()) << source->error()->message;
    const ir::ListItems& wanted = std::get<ir::Value>(expected).items();
    ASSERT_EQ(found.size(), wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(ir::toJson(found[i]), ir::toJson(wanted[i])) << "row " << i;
    }
  }

  /// With memory for all rows, for some, and for hardly any.
  void compareAll(const std::string& result, const std::string& body) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
      random_.seed(seed);
      compare(result, body, 0, 5, 1 << 30);
      compare(result, body, 1, 5, 1 << 30);
      compare(result, body, 2500, 30, 1 << 30);
      compare(result, body, 2500, 2000, 200 << 10);
      compare(result, body, 2500, 2000, 1000);
    }
    hashMask_ = 0xf000'0000'0000'0007;  // nearly all keys collide
    compare(result, body, 2500, 300, 1 << 30);
    compare(result, body, 2500, 300, 1000);
    hashMask_ = ~std::uint64_t{0};
  }

  /// The same for what makes many rows of few.
  void compareSome(const std::string& result, const std::string& body) {
    random_.seed(4);
    compare(result, body, 0, 5, 1 << 30);
    compare(result, body, 300, 20, 1 << 30);
    compare(result, body, 1500, 1000, 1000);
    hashMask_ = 7;
    compare(result, body, 300, 20, 1 << 30);
    hashMask_ = ~std::uint64_t{0};
  }

  static std::string table() { return fmt::format("table<{}>", kRow); }
  static std::string row(std::string_view id) { return fmt::format("({}: {})", id, kRow); }

  std::filesystem::path folder_;
  std::mt19937_64 random_{7};
  std::uint64_t hashMask_ = ~std::uint64_t{0};
  std::vector<std::size_t> threads_{1, 2, 3};
};

TEST_F(OperatorsTest, FilterAndMap) {
  compareAll("table<(k: string?, d: int?)>",
             fmt::format("%5 = rows filter(%0) {{ {} %3 = field b(%2) : bool yield %3 }} : {} "
                         "%9 = rows map(%5) {{ {} %7 = field k(%6) : string? %8 = field n(%6) : "
                         "int? %10 = op lifted AddInt(%8, %8) : int? %11 = op MakeRecord(%7, %10) "
                         ": (k: string?, d: int?) yield %11 }} : table<(k: string?, d: int?)>",
                         row("%2"), table(), row("%6")));
}

TEST_F(OperatorsTest, SortByOneKey) {
  for (const char* descending : {"0", "1"}) {
    for (const auto& [name, type] : {std::pair{"k", "string?"}, {"n", "int?"}, {"x", "float?"},
                                     {"b", "bool"}, {"t", "timestamp"}, {"c", "Tone?"}}) {
      random_.seed(5);
      const std::string body =
          fmt::format("%9 = rows sort {}(%0) {{ {} %3 = field {}(%2) : {} yield %3 }} : {}",
                      descending, row("%2"), name, type, table());
      compare(table(), body, 2000, 50, 1 << 30);
      compare(table(), body, 2000, 50, 20'000);
    }
  }
}

TEST_F(OperatorsTest, SortByTwoKeys) {
  compareAll(table(), fmt::format("%9 = rows sort 2(%0) {{ {} %3 = field k(%2) : string? %4 = "
                                  "field n(%2) : int? yield %3, %4 }} : {}",
                                  row("%2"), table()));
}

TEST_F(OperatorsTest, Limit) {
  for (const int n : {0, 1, 299, 300, 301, 100000}) {
    compareAll(table(), fmt::format("%2 = const {} : int %9 = rows limit(%0, %2) : {}", n, table()));
  }
}

TEST_F(OperatorsTest, Distinct) {
  compareAll("table<(n: int?, b: bool)>",
             fmt::format("%5 = rows map(%0) {{ {} %3 = field n(%2) : int? %4 = field b(%2) : bool "
                         "%6 = op MakeRecord(%3, %4) : (n: int?, b: bool) yield %6 }} : "
                         "table<(n: int?, b: bool)> %9 = rows distinct(%5) : table<(n: int?, b: "
                         "bool)>",
                         row("%2")));
}

// Little enough for ThreadSanitizer: `make tsan`.
TEST_F(OperatorsTest, FourThreadsGroupAndJoin) {
  threads_ = {4};
  const std::string groups = "table<(key: int?, c: int, m: float?)>";
  const std::string group =
      fmt::format("%9 = rows group 1(%0) {{ {} %3 = field n(%2) : int? %4 = field x(%2) : float? "
                  "%5 = op AggCount() : int %6 = op lifted AggMean(%4) : float? "
                  "yield %3, %5, %6 }} : {}",
                  row("%2"), groups);
  const std::string join =
      fmt::format("%9 = rows join semi 1(%0, %1) {{ (%2: {0}, %3: {0}) %4 = field n(%2) : int? "
                  "%5 = field n(%3) : int? yield %4, %5 }} : {1}",
                  kRow, table());
  for (const std::size_t memory : {std::size_t{1} << 30U, std::size_t{1000}}) {
    for (const std::uint64_t keys : {20U, 800U}) {
      compare(groups, group, 900, keys, memory);
      compare(table(), join, 900, keys, memory);
    }
  }
}

TEST_F(OperatorsTest, GroupByOneKey) {
  for (const auto& [name, type] :
       {std::pair{"k", "string?"}, {"n", "int?"}, {"x", "float?"}, {"b", "bool"}, {"t", "timestamp"}}) {
    const std::string out = fmt::format("table<(key: {}, c: int, s: int, m: float?, l: timestamp)>", type);
    compareAll(out, fmt::format("%9 = rows group 1(%0) {{ {} %3 = field {}(%2) : {} %4 = field "
                                "n(%2) : int? %5 = field x(%2) : float? %6 = field t(%2) : timestamp "
                                "%7 = op AggCount() : int %8 = op lifted AggSumInt(%4) : int "
                                "%10 = op lifted AggMean(%5) : float? %11 = op AggMax(%6) : "
                                "timestamp yield %3, %7, %8, %10, %11 }} : {}",
                                row("%2"), name, type, out));
  }
}

TEST_F(OperatorsTest, EveryAggregate) {
  const std::string out =
      "table<(k: string?, n: int?, a: int, d: int, f: float, lo: float?, hi: int?, q: float?, sd: "
      "float?, first: string?, last: float?, lok: string?)>";
  compareAll(out, fmt::format("%9 = rows group 2(%0) {{ {} %3 = field k(%2) : string? %4 = field "
                              "n(%2) : int? %5 = field x(%2) : float? %6 = const 0.25 : float "
                              "%10 = op AggCountOf(%5) : int %11 = op lifted AggCountDistinct(%5) : "
                              "int %12 = op lifted AggSumFloat(%5) : float %13 = op lifted "
                              "AggMin(%5) : float? %14 = op lifted AggMax(%4) : int? %15 = op lifted "
                              "AggQuantile(%5, %6) : float? %16 = op lifted AggStddev(%5) : float? "
                              "%17 = op lifted AggFirst(%3) : string? %18 = op lifted AggLast(%5) : "
                              "float? %19 = op lifted AggMin(%3) : string? yield %3, %4, %10, %11, "
                              "%12, %13, %14, %15, %16, %17, %18, %19 }} : {}",
                              row("%2"), out));
}

TEST_F(OperatorsTest, GroupOfAllRows) {
  const std::string out = "table<(c: int, m: float?)>";
  compareAll(out, fmt::format("%9 = rows group 0(%0) {{ {} %5 = field x(%2) : float? %7 = op "
                              "AggCount() : int %8 = op lifted AggMean(%5) : float? yield %7, %8 }} "
                              ": {}",
                              row("%2"), out));
}

TEST_F(OperatorsTest, Join) {
  const std::string both =
      "table<(k: string?, n: int?, x: float?, b: bool, t: timestamp, c: Tone?, r.k: string?, r.n: int?, r.x: "
      "float?, r.b: bool, r.t: timestamp, r.c: Tone?)>";
  const std::string left =
      "table<(k: string?, n: int?, x: float?, b: bool, t: timestamp, c: Tone?, r.k: string?, r.n: int?, r.x: "
      "float?, r.b: bool?, r.t: timestamp?, r.c: Tone?)>";
  for (const char* kind : {"inner", "left", "semi", "anti"}) {
    const std::string out = kind[0] == 'i' ? both : kind[0] == 'l' ? left : table();
    for (const auto& [name, type] : {std::pair{"k", "string?"}, {"n", "int?"}, {"x", "float?"}}) {
      compareSome(out, fmt::format("%9 = rows join {} 1(%0, %1) {{ (%2: {}, %3: {}) %4 = field "
                                  "{}(%2) : {} %5 = field {}(%3) : {} yield %4, %5 }} : {}",
                                  kind, kRow, kRow, name, type, name, type, out));
    }
    compareSome(out, fmt::format("%9 = rows join {} 2(%0, %1) {{ (%2: {}, %3: {}) %4 = field k(%2) "
                                ": string? %5 = field n(%2) : int? %6 = field k(%3) : string? %7 = "
                                "field n(%3) : int? yield %4, %5, %6, %7 }} : {}",
                                kind, kRow, kRow, out));
  }
}

/// A map that takes two columns of the rows of `%20`.
std::string fewColumns(std::string_view type, std::string_view second, std::string_view kind) {
  return fmt::format("%9 = rows map(%20) {{ (%21: {0}) %22 = field k(%21) : string? %23 = field "
                     "{1}(%21) : {2} %24 = op MakeRecord(%22, %23) : (k: string?, v: {2}) yield %24 "
                     "}} : table<(k: string?, v: {2})>",
                     type, second, kind);
}

TEST_F(OperatorsTest, SortAndFilterCarryTheColumnsLookedAt) {
  compareAll("table<(k: string?, v: bool)>",
             fmt::format("%5 = rows sort 1(%0) {{ {0} %3 = field n(%2) : int? yield %3 }} : {3} "
                         "%6 = const 1000 : int %7 = rows limit(%5, %6) : {3} "
                         "%20 = rows filter(%7) {{ {1} %11 = field b(%10) : bool yield %11 }} : {3} "
                         "{2}",
                         row("%2"), row("%10"), fewColumns(kRow, "b", "bool"), table()));
}

TEST_F(OperatorsTest, JoinsCarryTheColumnsLookedAt) {
  const std::string both =
      "(k: string?, n: int?, x: float?, b: bool, t: timestamp, c: Tone?, r.k: string?, r.n: int?, r.x: float?, "
      "r.b: bool, r.t: timestamp, r.c: Tone?)";
  const auto join = [&](std::string_view kind, const std::string& out) {
    return fmt::format("%20 = rows join {} 1(%0, %1) {{ (%2: {}, %3: {}) %4 = field n(%2) : int? %5 "
                       "= field n(%3) : int? yield %4, %5 }} : table<{}> ",
                       kind, kRow, kRow, out);
  };
  compareSome("table<(k: string?, v: float?)>",
              join("inner", both) + fewColumns(both, "r.x", "float?"));
  compareSome("table<(k: string?, v: timestamp)>",
              join("inner", both) + fewColumns(both, "t", "timestamp"));
  for (const char* kind : {"semi", "anti"}) {
    compareSome("table<(k: string?, v: bool)>",
                join(kind, std::string(kRow)) + fewColumns(kRow, "b", "bool"));
  }
}

TEST_F(OperatorsTest, JoinWithOneMatchForEach) {
  const std::string distinct =
      fmt::format("%5 = rows map(%1) {{ {} %3 = field n(%2) : int? %4 = op MakeRecord(%3) : (n: int?) "
                  "yield %4 }} : table<(n: int?)> %6 = rows distinct(%5) : table<(n: int?)> ",
                  row("%2"));
  const std::string fields = "k: string?, n: int?, x: float?, b: bool, t: timestamp, c: Tone?";
  for (const char* kind : {"inner", "left", "semi", "anti"}) {
    const std::string out = kind[0] == 'i' || kind[0] == 'l'
                                ? fmt::format("table<({}, r.n: int?)>", fields)
                                : table();
    compareAll(out, distinct + fmt::format("%9 = rows join {} 1(%0, %6) {{ (%10: {}, %11: (n: int?)) "
                                           "%12 = field n(%10) : int? %13 = field n(%11) : int? "
                                           "yield %12, %13 }} : {}",
                                           kind, kRow, out));
  }
}

}  // namespace
}  // namespace couler::column

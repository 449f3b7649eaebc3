// Readers that know the filters give the same bytes, errors and anomalies as readers that do not:
// random filters, and what comes after them, over files of all kinds.
#include <random>

#include <fmt/format.h>

#include "ir/print.h"
#include "ir/verify.h"
#include "runtime/column/plan.h"
#include "runtime/column/predicate.h"
#include "tests/unit/runtime/column/table_fixture.h"

namespace couler::column {
namespace {

struct ColumnText {
  std::string name;
  std::string type;
};
using Columns = std::vector<ColumnText>;

/// Writes plans in the text form of the graph.
class PlanText {
 public:
  PlanText(const Columns& columns, std::uint64_t seed) : columns_(columns), random_(seed) {}

  std::string plan(const std::string& format, bool checked) {
    std::string in;
    for (const ColumnText& c : columns_) in += fmt::format("{}{}: {}", in.empty() ? "" : ", ", c.name, c.type);
    const std::string from = format.empty() ? "table<R>" : fmt::format("file<{}>", format);
    text_.clear();
    next_ = 2;
    std::string table = "%0";
    if (!format.empty()) table = read(checked);
    for (std::uint64_t filters = random_() % 3; filters > 0; --filters) table = filter(table);
    table = map(table);
    if (random_() % 4 == 0) {
      const std::string count = add(fmt::format("const {} : int", random_() % 200));
      table = add(fmt::format("rows limit({}, {}) : table<Out> [pointwise]", table, count));
    }
    return fmt::format(
        "couler-ir 1\n\nschema R from \"\" {{ {0} }}\nschema Out from \"\" {{ {0}, q: int? }}\n\n"
        "task t {{\n  param f: {1}\n  param m: int\n  output rows: table<Out> path \"o.arrow\"\n"
        "  result (rows: table<Out>)\n  exprs {{ (%0 f: {1}, %1 m: int)\n{2}    yield {3}\n  }}\n  run table\n}}\n",
        in, from, text_, table);
  }

 private:
  std::string add(const std::string& node) {
    text_ += fmt::format("    %{} = {}\n", next_, node);
    return fmt::format("%{}", next_++);
  }
  std::string region(const std::string& head, const std::string& row, const std::string& body,
                     const std::string& result) {
    const std::string yield = result.empty() ? "" : fmt::format("      yield {}\n", result);
    return fmt::format("rows {} {{ ({} row: R)\n{}{}    }}", head, row, body, yield);
  }
  /// A node with a region: `make` fills it and gives what it yields.
  template <class Make>
  std::string rows(const std::string& head, const std::string& type, Make make) {
    const int self = next_++;
    row_ = fmt::format("%{}", next_++);
    std::string before = std::move(text_);
    text_.clear();
    const std::string result = make();
    text_ = fmt::format("{}    %{} = {} : table<{}> [pointwise]\n", before, self,
                        region(head, row_, text_, result), type);
    return fmt::format("%{}", self);
  }

  std::string read(bool checked) {
    const char* policy[] = {"fail", "drop", "keep"};
    return rows(fmt::format("read {}(%0)", policy[random_() % 3]), "R", [&] {
      if (!checked) return std::string();
      const auto& [name, type] = columns_[1];
      const std::string value = add(fmt::format("field {}({}) : {}", name, row_, type));
      const std::string bound = add("const 45 : int");
      const int check = next_++;
      text_ += fmt::format("    %{} \"{}: {} < 45\" = op Less({}, {}) : bool\n", check, name, name,
                           value, bound);
      return fmt::format("%{}", check);
    });
  }

  struct Term {
    std::string node;
    bool optional = false;
  };

  Term comparison() {
    const char* ordered[] = {"Less", "LessEqual", "Greater", "GreaterEqual", "Equal", "NotEqual"};
    const ColumnText& column = columns_[random_() % columns_.size()];
    std::string type = column.type;
    const bool optional = type.back() == '?';
    if (optional) type.pop_back();
    std::string op = ordered[random_() % 6];
    std::string constant;
    if (type == "int") {
      constant = random_() % 6 == 0 ? "%1" : fmt::format("const {} : int", static_cast<int>(random_() % 90) - 45);
    } else if (type == "float") {
      constant = fmt::format("const {:.1f} : float", static_cast<double>(random_() % 160) / 2);
    } else if (type == "string") {
      const char* texts[] = {"\"a1\"", "\"row 3\"", "\"\"", "\"é4\"", "\"ok\""};
      constant = fmt::format("const {} : string", texts[random_() % 5]);
    } else {
      return comparison();
    }
    const std::string field = add(fmt::format("field {}({}) : {}", column.name, row_, column.type));
    const std::string value = constant == "%1" ? constant : add(constant);
    const bool lifted = optional && op != "Equal" && op != "NotEqual";
    const bool columnFirst = random_() % 4 != 0;
    return {add(fmt::format("op {}{}({}, {}) : bool{}", lifted ? "lifted " : "", op,
                            columnFirst ? field : value, columnFirst ? value : field,
                            lifted ? "?" : "")),
            lifted};
  }
  /// May lack a result for a row: 100 div i < c.
  Term division() {
    const std::string field = add(fmt::format("field {}({}) : int", columns_[1].name, row_));
    const std::string hundred = add("const 100 : int");
    const std::string shifted = add(fmt::format("const {} : int", random_() % 60));
    const std::string divisor = add(fmt::format("op SubInt({}, {}) : int", field, shifted));
    const std::string quotient = add(fmt::format("op DivInt({}, {}) : int", hundred, divisor));
    return {add(fmt::format("op Less({}, {}) : bool", quotient, shifted)), false};
  }
  Term condition(int depth) {
    if (depth > 0 && random_() % 2 == 0) {
      const Term a = condition(depth - 1);
      const Term b = condition(depth - 1);
      const bool lifted = a.optional || b.optional;
      const char* op = random_() % 4 == 0 ? "Or" : "And";
      return {add(fmt::format("op {}{}({}, {}) : bool{}", lifted ? "lifted " : "", op, a.node,
                              b.node, lifted ? "?" : "")),
              lifted};
    }
    return random_() % 12 == 0 ? division() : comparison();
  }
  std::string filter(const std::string& table) {
    return rows(fmt::format("filter({})", table), "R", [&] { return condition(2).node; });
  }
  std::string map(const std::string& table) {
    return rows(fmt::format("map({})", table), "Out", [&] {
      std::string fields;
      std::string divisor;
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        const std::string field =
            add(fmt::format("field {}({}) : {}", columns_[i].name, row_, columns_[i].type));
        fields += field + ", ";
        if (i == 1) divisor = field;
      }
      const std::string shift = add(fmt::format("const {} : int", random_() % 100));
      const std::string sum = add(fmt::format("op AddInt({}, {}) : int", divisor, shift));
      const std::string q = random_() % 2 == 0 ? add("const none : int?")
                                               : add(fmt::format("op DivInt({}, {}) : int", shift, sum));
      return add(fmt::format("op MakeRecord({}{}) : Out", fields, q));
    });
  }

  const Columns& columns_;
  std::mt19937_64 random_;
  std::string text_;
  std::string row_;
  int next_ = 2;
};

class PushdownTest : public TableTest {
 protected:
  static constexpr std::uint64_t kPlans = 100;
  static constexpr std::uint64_t kLong = 40;  ///< over files of more rows

  static std::string corpus(const std::string& name) {
    return std::string(COULER_SOURCE_DIR) + "/tests/unit/runtime/column/parquet/" + name;
  }

  /// The bytes of the output, or the error; and what was found wrong.
  std::string run(const ir::Module& module, const std::string& path, bool pushDown,
                  std::size_t threads, bool withLog, std::int64_t& rows) {
    PlanOptions options;
    options.limits.folder = dir_;
    options.limits.threads = threads;
    options.compileFrom = 0;
    options.pushDown = pushDown;
    AnomalyLog log;
    options.anomalies = &log;
    std::filesystem::remove(at("out.arrow"));
    const auto result =
        runPlan(module, ir::TaskId{0U}, {{path, {}}, {{}, ir::Value(std::int64_t{7})}},
                {{at("out.arrow"), "arrow"}}, options);
    if (const auto* error = std::get_if<StreamError>(&result)) {
      // Several threads read on while one finds the error.
      return error->message + (withLog ? log.json() : std::string());
    }
    rows = std::get<PlanResult>(result).rows[0];
    return get(at("out.arrow")) + log.json();
  }

  void compare(const Columns& columns, const std::string& path, const std::string& format,
               bool checked, std::uint64_t plans = kPlans) {
    std::uint64_t some = 0;
    for (std::uint64_t seed = 0; seed < plans; ++seed) {
      const std::string text = PlanText(columns, seed).plan(format, checked);
      SourceManager sources;
      DiagnosticList diags;
      const auto module = ir::parseText(sources, sources.add("plan.ir", text), diags);
      ASSERT_TRUE(module) << diags.all()[0].message << "\n" << text;
      const auto problems = ir::verify(*module);
      ASSERT_TRUE(problems.empty()) << problems[0] << "\n" << text;
      std::int64_t expectedRows = -1;
      std::int64_t rows = -1;
      const std::size_t threads = 1 + seed % 2;
      const bool withLog = threads == 1;
      const std::string expected = run(*module, path, false, 1, withLog, expectedRows);
      const std::string found = run(*module, path, true, threads, withLog, rows);
      constexpr std::size_t kShown = 300;
      ASSERT_TRUE(found == expected) << text << expected.substr(0, kShown) << "\n"
                                     << found.substr(0, kShown);
      ASSERT_EQ(rows, expectedRows);
      some += rows > 0 ? 1 : 0;
    }
    EXPECT_GT(some, plans / 10);
  }

  const Columns kClean = {{"n", "int?"},  {"i", "int"},     {"x", "float?"}, {"f", "float"},
                          {"b", "bool?"}, {"s", "string?"}, {"p", "string"}, {"t", "timestamp?"}};
  /// Where the file lacks values that the schema wants.
  const Columns kStrict = {{"n", "int"}, {"i", "int"}, {"b", "bool"}, {"s", "string"}, {"p", "string"}};
  const Columns kDirty = {
      {"x", "float?"}, {"n", "int"}, {"s", "string"}, {"p", "string"}, {"z", "size"}};
};

#ifdef COULER_HAS_ARROW
TEST_F(PushdownTest, Parquet) {
  for (const char* name : {"groups.parquet", "pages.parquet", "bare.parquet"}) {
    SCOPED_TRACE(name);
    for (const bool checked : {false, true}) {
      compare(kClean, corpus(name), "parquet", checked);
      compare(kStrict, corpus(name), "parquet", checked);
    }
  }
}

TEST_F(PushdownTest, ParquetThatBreaksItsSchema) {
  compare(kDirty, corpus("dirty.parquet"), "parquet", false);
}
#endif

TEST_F(PushdownTest, ArrowFilesAndTables) {
  const Schema columns =
      schema("n:int? i:int x:float? f:float b:bool? s:string? p:string t:timestamp?");
  Read rows = read(corpus("groups.jsonl"), columns);
  ASSERT_EQ(rows.error, "");
  // Several record batches: 600 rows each 20 times over.
  std::vector<Batch> batches(20, batchOf(columns, rows.rows));
  ASSERT_EQ(write(at("t.arrow"), "arrow", columns, batches), "");
  compare(kClean, at("t.arrow"), "arrow", false, kLong);
  compare(kClean, at("t.arrow"), "arrow", true, kLong);
  compare(kStrict, at("t.arrow"), "arrow", false, kLong);
  compare(kClean, at("t.arrow"), "", false, kLong);
}

TEST_F(PushdownTest, RangesExcludeOnlyWhatCannotBe) {
  using ir::Builtin;
  const auto ints = [](std::int64_t least, std::int64_t greatest, std::int64_t missing) {
    return ValueRange{missing, std::pair{least, greatest}, std::nullopt};
  };
  const auto ask = [](Builtin op, auto constant, const ValueRange& range, bool keepsNone = false) {
    return excludes({0, op, constant, keepsNone}, range);
  };
  const std::int64_t five = 5;
  EXPECT_TRUE(ask(Builtin::Less, five, ints(5, 9, -1)));
  EXPECT_FALSE(ask(Builtin::LessEqual, five, ints(5, 9, -1)));
  EXPECT_TRUE(ask(Builtin::Greater, five, ints(1, 5, 0)));
  EXPECT_FALSE(ask(Builtin::GreaterEqual, five, ints(1, 5, 0)));
  EXPECT_TRUE(ask(Builtin::Equal, five, ints(6, 9, 0)));
  EXPECT_FALSE(ask(Builtin::Equal, five, ints(1, 9, 0)));
  EXPECT_FALSE(ask(Builtin::NotEqual, five, ints(5, 5, 0)));
  // Rows without a value may be wanted, and there may be some.
  EXPECT_FALSE(ask(Builtin::Less, five, ints(5, 9, 1), true));
  EXPECT_FALSE(ask(Builtin::Less, five, ints(5, 9, -1), true));
  EXPECT_TRUE(ask(Builtin::Less, five, ints(5, 9, 0), true));
  // Zeros are equal; a NaN is neither below nor above anything.
  const ValueRange zeros{0, std::nullopt, std::pair{0.0, 0.0}};
  EXPECT_FALSE(ask(Builtin::Equal, -0.0, zeros));
  EXPECT_TRUE(ask(Builtin::Less, std::numeric_limits<double>::quiet_NaN(), zeros));
  EXPECT_FALSE(ask(Builtin::NotEqual, std::numeric_limits<double>::quiet_NaN(), zeros));
  EXPECT_FALSE(ask(Builtin::Less, 5.0, ValueRange{}));
  EXPECT_FALSE(ask(Builtin::Equal, std::string("a"), ints(1, 2, 0)));
}

}  // namespace
}  // namespace couler::column

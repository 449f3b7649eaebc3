// Operators over tables: what they mean, on lists of records.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ir/eval.h"
#include "ir/eval_aggregates.h"
#include "ir/print.h"
#include "ir/verify.h"

namespace couler::ir {
namespace {

using B = Builtin;

Value row(std::optional<std::string> k, std::optional<std::int64_t> n,
          std::optional<double> x = std::nullopt) {
  return Value::record({{"k", k ? Value(*k) : Value()},
                        {"n", n ? Value(*n) : Value()},
                        {"x", x ? Value(*x) : Value()}});
}

/// The value of the fn `f`, whose parameters are tables of `(k: string?, n: int?, x: float?)` and
/// whose body is given as text; or the error, or what the verifier says.
std::string run(const std::string& result, const std::string& body, std::vector<ListItems> tables) {
  const std::string type = "table<(k: string?, n: int?, x: float?)>";
  std::string text = "couler-ir 1\nfn f {\n";
  std::string params;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    text += "param t" + std::to_string(i) + ": " + type + "\n";
    params += (i == 0 ? "%" : ", %") + std::to_string(i) + ": " + type;
  }
  text += "result " + result + "\nbody { (" + params + ")\n" + body + "\n} }\n";
  SourceManager sources;
  DiagnosticList diags;
  const auto module = parseText(sources, sources.add("rows.ir", text), diags);
  if (!module) return "does not parse: " + diags.all()[0].message;
  if (const auto problems = verify(*module); !problems.empty()) return problems[0];
  const std::string printed = print(*module);
  const auto again = parseText(sources, sources.add("again.ir", printed), diags);
  if (!again || print(*again) != printed) return "does not print and read back";
  std::vector<Value> given;
  for (ListItems& table : tables) given.push_back(Value::list(std::move(table)));
  const auto results = evaluateRegion(*module, module->funcs[0].body, given);
  if (const EvalError* error = std::get_if<EvalError>(&results[0])) return "error: " + error->message;
  std::string shown;
  for (const Value& item : std::get<Value>(results[0]).items()) shown += toJson(item) + "\n";
  return shown;
}

const std::string kRow = "(k: string?, n: int?, x: float?)";
const std::string kTable = "table<" + kRow + ">";

TEST(Rows, FilterKeepsWhatIsTrue) {
  const std::string body = "%2 = rows filter(%0) { (%3: " + kRow + ") %4 = field n(%3) : int? "
                           "%5 = const 2 : int %6 = op lifted Less(%4, %5) : bool? yield %6 } : " +
                           kTable + " yield %2";
  EXPECT_EQ(run(kTable, body, {{row("a", 1), row("b", 2), row("c", {}), row("d", 0)}}),
            "{\"k\":\"a\",\"n\":1,\"x\":null}\n{\"k\":\"d\",\"n\":0,\"x\":null}\n");
}

TEST(Rows, MapMakesARowOfEach) {
  const std::string body = "%2 = rows map(%0) { (%3: " + kRow + ") %4 = field n(%3) : int? "
                           "%5 = op lifted AddInt(%4, %4) : int? "
                           "%6 = op MakeRecord(%5) : (d: int?) yield %6 } : table<(d: int?)> yield %2";
  EXPECT_EQ(run("table<(d: int?)>", body, {{row("a", 1), row("b", {})}}),
            "{\"d\":2}\n{\"d\":null}\n");
  EXPECT_EQ(run("table<(d: int?)>", body, {{row("a", std::numeric_limits<std::int64_t>::max())}}),
            "error: overflow: 9223372036854775807 + 9223372036854775807 does not fit in an int");
}

std::string grouped(const std::string& columns, const std::string& aggregates,
                    const std::string& results, std::vector<ListItems> rows, int keys = 1) {
  const std::string type = "table<(" + columns + ")>";
  return run(type,
             "%2 = rows group " + std::to_string(keys) + "(%0) { (%3: " + kRow +
                 ") %4 = field k(%3) : string? %5 = field n(%3) : int? %6 = field x(%3) : float? " +
                 aggregates + " yield " + results + " } : " + type + " yield %2",
             std::move(rows));
}

TEST(Rows, GroupsComeInTheOrderOfTheirFirstRows) {
  EXPECT_EQ(grouped("k: string?, c: int, s: int",
                    "%7 = op AggCount() : int %8 = op lifted AggSumInt(%5) : int", "%4, %7, %8",
                    {{row("b", 1), row("a", 2), row("b", 3), row({}, {}), row({}, 5)}}),
            "{\"k\":\"b\",\"c\":2,\"s\":4}\n{\"k\":\"a\",\"c\":1,\"s\":2}\n"
            "{\"k\":null,\"c\":2,\"s\":5}\n");
  // Without keys there is one group, even of no rows.
  EXPECT_EQ(grouped("c: int, s: int, m: float?",
                    "%7 = op AggCount() : int %8 = op lifted AggSumInt(%5) : int "
                    "%9 = op lifted AggMean(%6) : float?",
                    "%7, %8, %9", {{}}, 0),
            "{\"c\":0,\"s\":0,\"m\":null}\n");
  EXPECT_EQ(grouped("c: int", "%7 = op AddInt(%5, %5) : int", "%7", {{}}, 0),
            "node 6 (op): `AddInt` does not take such operands");
}

TEST(Rows, Aggregates) {
  const auto of = [](B op, const ListItems& values, double q = 0) {
    eval::Aggregate aggregate(op, q);
    for (const Value& value : values) {
      if (const auto error = aggregate.add(value, {})) return "error: " + error->message;
    }
    return toSource(aggregate.finish());
  };
  const Value none;
  const Value one = std::int64_t{1};
  const Value two = std::int64_t{2};
  const double nan = std::nan("");
  EXPECT_EQ(of(B::AggCount, {none, one}), "2");
  EXPECT_EQ(of(B::AggCountOf, {none, one}), "1");
  EXPECT_EQ(of(B::AggCountDistinct, {one, one, none, two}), "2");
  EXPECT_EQ(of(B::AggCountDistinct, {0.0, -0.0, nan, nan}), "2");
  EXPECT_EQ(of(B::AggSumInt, {one, none, two}), "3");
  EXPECT_EQ(of(B::AggSumInt, {}), "0");
  EXPECT_EQ(of(B::AggSumInt, {std::numeric_limits<std::int64_t>::max(), one}).substr(0, 6),
            "error:");
  EXPECT_EQ(of(B::AggSumFloat, {0.1, 0.2, 0.3}), "0.6000000000000001");
  EXPECT_EQ(of(B::AggSumFloat, {}), "0.0");
  EXPECT_EQ(of(B::AggSumDuration, {Duration{1000000}, Duration{2000000}}), "3 s");
  EXPECT_EQ(of(B::AggSumSize, {Size{1024}, Size{1024}}), "2 KiB");
  EXPECT_EQ(of(B::AggMean, {1.0, 2.0, none}), "1.5");
  EXPECT_EQ(of(B::AggMean, {none}), "none");
  EXPECT_EQ(of(B::AggStddev, {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0}), "2.138089935299395");
  EXPECT_EQ(of(B::AggStddev, {2.0}), "none");
  EXPECT_EQ(of(B::AggMin, {two, none, one}), "1");
  EXPECT_EQ(of(B::AggMin, {2.0, nan, 1.0}), "float(\"nan\")");
  EXPECT_EQ(of(B::AggMax, {std::string("a"), std::string("b")}), "\"b\"");
  EXPECT_EQ(of(B::AggMax, {none}), "none");
  EXPECT_EQ(of(B::AggQuantile, {4.0, 1.0, 3.0, 2.0}, 0.5), "2.5");
  EXPECT_EQ(of(B::AggQuantile, {4.0, 1.0, 3.0}, 1.0), "4.0");
  EXPECT_EQ(of(B::AggQuantile, {1.0, nan}, 0.0), "float(\"nan\")");
  EXPECT_EQ(of(B::AggQuantile, {}, 0.5), "none");
  EXPECT_EQ(of(B::AggFirst, {none, two, one}), "2");
  EXPECT_EQ(of(B::AggLast, {two, one, none}), "1");
}

TEST(Rows, SortIsStableAndKeepsNanAndNoneLast) {
  const auto sorted = [](const std::string& descending) {
    return run(kTable,
               "%2 = rows sort " + descending + "(%0) { (%3: " + kRow +
                   ") %4 = field x(%3) : float? yield %4 } : " + kTable + " yield %2",
               {{row("a", 1, std::nan("")), row("b", 2), row("c", 3, 1.0), row("d", 4, -1.0),
                 row("e", 5, 1.0)}});
  };
  EXPECT_EQ(sorted("0"),
            "{\"k\":\"d\",\"n\":4,\"x\":-1.0}\n{\"k\":\"c\",\"n\":3,\"x\":1.0}\n"
            "{\"k\":\"e\",\"n\":5,\"x\":1.0}\n{\"k\":\"a\",\"n\":1,\"x\":\"nan\"}\n"
            "{\"k\":\"b\",\"n\":2,\"x\":null}\n");
  EXPECT_EQ(sorted("1"),
            "{\"k\":\"c\",\"n\":3,\"x\":1.0}\n{\"k\":\"e\",\"n\":5,\"x\":1.0}\n"
            "{\"k\":\"d\",\"n\":4,\"x\":-1.0}\n{\"k\":\"a\",\"n\":1,\"x\":\"nan\"}\n"
            "{\"k\":\"b\",\"n\":2,\"x\":null}\n");
}

TEST(Rows, LimitAndDistinct) {
  const std::string limit = "%2 = const 2 : int %3 = rows limit(%0, %2) : " + kTable + " yield %3";
  EXPECT_EQ(run(kTable, limit, {{row("a", 1), row("b", 2), row("c", 3)}}),
            "{\"k\":\"a\",\"n\":1,\"x\":null}\n{\"k\":\"b\",\"n\":2,\"x\":null}\n");
  EXPECT_EQ(run(kTable, limit, {{row("a", 1)}}), "{\"k\":\"a\",\"n\":1,\"x\":null}\n");
  const std::string distinct = "%2 = rows distinct(%0) : " + kTable + " yield %2";
  EXPECT_EQ(run(kTable, distinct, {{row("a", 1), row("b", 2), row("a", 1)}}),
            "{\"k\":\"a\",\"n\":1,\"x\":null}\n{\"k\":\"b\",\"n\":2,\"x\":null}\n");
}

TEST(Rows, JoinKeepsTheLeftOrderAndNeverMatchesNone) {
  const auto joined = [](const std::string& kind) {
    const bool both = kind == "inner" || kind == "left";
    const std::string type =
        both ? "table<(k: string?, n: int?, x: float?, r.k: string?, r.n: int?, r.x: float?)>"
             : kTable;
    return run(type,
               "%2 = rows join " + kind + " 1(%0, %1) { (%3: " + kRow + ", %4: " + kRow +
                   ") %5 = field k(%3) : string? %6 = field k(%4) : string? yield %5, %6 } : " +
                   type + " yield %2",
               {{row("a", 1), row("b", 2), row({}, 3), row("c", 4)},
                {row("c", 10), row("a", 20), row({}, 30), row("a", 40)}});
  };
  EXPECT_EQ(joined("inner"),
            "{\"k\":\"a\",\"n\":1,\"x\":null,\"r.k\":\"a\",\"r.n\":20,\"r.x\":null}\n"
            "{\"k\":\"a\",\"n\":1,\"x\":null,\"r.k\":\"a\",\"r.n\":40,\"r.x\":null}\n"
            "{\"k\":\"c\",\"n\":4,\"x\":null,\"r.k\":\"c\",\"r.n\":10,\"r.x\":null}\n");
  EXPECT_EQ(joined("left"),
            "{\"k\":\"a\",\"n\":1,\"x\":null,\"r.k\":\"a\",\"r.n\":20,\"r.x\":null}\n"
            "{\"k\":\"a\",\"n\":1,\"x\":null,\"r.k\":\"a\",\"r.n\":40,\"r.x\":null}\n"
            "{\"k\":\"b\",\"n\":2,\"x\":null,\"r.k\":null,\"r.n\":null,\"r.x\":null}\n"
            "{\"k\":null,\"n\":3,\"x\":null,\"r.k\":null,\"r.n\":null,\"r.x\":null}\n"
            "{\"k\":\"c\",\"n\":4,\"x\":null,\"r.k\":\"c\",\"r.n\":10,\"r.x\":null}\n");
  EXPECT_EQ(joined("semi"),
            "{\"k\":\"a\",\"n\":1,\"x\":null}\n{\"k\":\"c\",\"n\":4,\"x\":null}\n");
  EXPECT_EQ(joined("anti"),
            "{\"k\":\"b\",\"n\":2,\"x\":null}\n{\"k\":null,\"n\":3,\"x\":null}\n");
}

TEST(Rows, LiftedTruthIsKleenes) {
  const auto lifted = [](const std::string& op, const std::string& a, const std::string& b) {
    const std::string type = "table<(r: bool?)>";
    const std::string made =
        run(type,
            "%2 = rows map(%0) { (%3: " + kRow + ") %4 = const " + a + " : bool? %5 = const " + b +
                " : bool? %6 = op lifted " + op +
                "(%4, %5) : bool? %7 = op MakeRecord(%6) : (r: bool?) yield %7 } : " + type +
                " yield %2",
            {{row("a", 1)}});
    return made.substr(5, made.size() - 7);
  };
  EXPECT_EQ(lifted("And", "none", "false"), "false");
  EXPECT_EQ(lifted("And", "false", "none"), "false");
  EXPECT_EQ(lifted("And", "none", "true"), "null");
  EXPECT_EQ(lifted("And", "true", "true"), "true");
  EXPECT_EQ(lifted("Or", "none", "true"), "true");
  EXPECT_EQ(lifted("Or", "true", "none"), "true");
  EXPECT_EQ(lifted("Or", "none", "false"), "null");
  EXPECT_EQ(lifted("Or", "none", "none"), "null");
}

TEST(Rows, TablesAndListsAreTheSameRows) {
  for (const B op : {B::ListOfRows, B::RowsOfList, B::Drift, B::Unwrap}) {
    EXPECT_FALSE(isAggregate(op)) << info(op).enumerator;
  }
  EXPECT_EQ(run("list<" + kRow + ">",
                "%2 = op ListOfRows(%0) : list<" + kRow + "> %3 = op RowsOfList(%2) : " + kTable +
                    " %4 = op ListOfRows(%3) : list<" + kRow + "> yield %4",
                {{row("a", 1)}}),
            "{\"k\":\"a\",\"n\":1,\"x\":null}\n");
}

TEST(Rows, DriftIsOverColumnsOfBothTables) {
  ASSERT_EQ(findBuiltin("Drift"), &info(B::Drift)) << "its word in the text form";
  const std::string each = "(column: string, linf: float?, jsd: float)";
  const auto drift = [&](const std::string& names, const std::string& numeric) {
    return run("list<" + each + ">",
               "%2 = const " + names + " : list<string> %3 = const " + numeric +
                   " : list<bool> %4 = op Drift(%0, %1, %2, %3) : (linf: float, jsd: float, "
                   "column: string, columns: list<" +
                   each + ">) %5 = field columns(%4) : list<" + each + "> yield %5",
               {{row("a", 1), row("b", 2)}, {row("a", 1), row("a", {})}});
  };
  EXPECT_EQ(drift("[\"k\", \"n\"]", "[false, true]"),
            "{\"column\":\"k\",\"linf\":0.5,\"jsd\":0.31127812445913283}\n"
            "{\"column\":\"n\",\"linf\":null,\"jsd\":1.0}\n");
  EXPECT_NE(drift("[\"z\"]", "[true]").find("none of one kind"), std::string::npos);
  EXPECT_NE(drift("[\"k\"]", "[true]").find("none of one kind"), std::string::npos);
  EXPECT_NE(drift("[\"k\"]", "[]").find("which columns"), std::string::npos);
}

}  // namespace
}  // namespace couler::ir

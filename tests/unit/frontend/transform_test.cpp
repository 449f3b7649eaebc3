// The row types that transforms make, and how few operators they become.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "frontend/session.h"
#include "ir/eval.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "support/render.h"
#include "tests/unit/frontend/sema_program.h"

namespace couler {
namespace {

constexpr const char* kSchemas =
    "couler 1\n"
    "enum Class { ham, spam }\n"
    "schema Row {\n"
    "    a: int\n    b: int?\n    x: float?\n    s: string?\n    t: bool?\n    c: Class?\n"
    "    l: list<float>\n}\n"
    "schema Other { key: int, name: string, note: string? }\n"
    "fn half(v: float) -> float = v / 2.0\n";

/// The columns of the rows that transform `t` makes, `name: type` with commas between; or what is
/// wrong.
std::string columnsOf(const std::string& statements, bool ofTable = true) {
  const std::string head =
      ofTable ? "transform t(r: table<Row>, o: table<Other>, least: int = 1) {\n"
              : "transform t(r: Row, least: int = 1) {\n";
  const sema::CheckedProgram checked(kSchemas + head + statements + "\n}\n");
  if (checked.errorCount() != 0) return checked.summary();
  const sema::Program& program = checked.program();
  std::string text;
  for (const sema::Symbol& symbol : program.symbols) {
    if (symbol.kind != sema::SymbolKind::Transform) continue;
    EXPECT_EQ(program.types.print(symbol.type), "t");
    EXPECT_EQ(program.types.print(symbol.signature->result), "table<t>");
    EXPECT_EQ(program.types[symbol.type].origin, "root.cwl");
    for (const sema::FieldInfo& column : symbol.signature->columns) {
      text += (text.empty() ? "" : ", ") + std::string(column.name) + ": " +
              program.types.print(column.type);
    }
  }
  return text;
}

std::string row(const std::string& statements) { return columnsOf(statements, false); }

TEST(Transform, ColumnsInTheOrderWritten) {
  EXPECT_EQ(row("where r.a > 0"),
            "a: int, b: int?, x: float?, s: string?, t: bool?, c: Class?, l: list<float>");
  EXPECT_EQ(row("m = r.a\n...r without x, s, t, c, l"), "m: int, a: int, b: int?");
  EXPECT_EQ(row("...r without x, s, t, c, l\na = \"{r.a}\""), "a: string, b: int?");
  EXPECT_EQ(row("a = \"{r.a}\"\n...r without x, s, t, c, l"), "a: string, b: int?");
  EXPECT_EQ(row("p = r.a\nq = p * 2.0"), "p: int, q: float");
  EXPECT_EQ(row("_p = r.a\nq = _p * 2.0"), "q: float");
  EXPECT_EQ(row("_p = r.a\nwhere _p > 1\n...r without x, s, t, c, l"), "a: int, b: int?");
}

TEST(Transform, OperatorsAndFunctionsAreLifted) {
  EXPECT_EQ(row("v = r.b + 1"), "v: int?");
  EXPECT_EQ(row("v = r.b * 1.5"), "v: float?");
  EXPECT_EQ(row("v = r.a + 1"), "v: int");
  EXPECT_EQ(row("v = -r.b"), "v: int?");
  EXPECT_EQ(row("v = r.b > 3"), "v: bool?");
  EXPECT_EQ(row("v = r.b > 3 and r.t"), "v: bool?");
  EXPECT_EQ(row("v = not r.t"), "v: bool?");
  EXPECT_EQ(row("v = r.b == 3"), "v: bool");
  EXPECT_EQ(row("v = r.b == none"), "v: bool");
  EXPECT_EQ(row("v = r.c == spam"), "v: bool");
  EXPECT_EQ(row("v = r.b in [1, 2]"), "v: bool");
  EXPECT_EQ(row("v = r.b in 0..3"), "v: bool");
  EXPECT_EQ(row("v = length(r.s)"), "v: int?");
  EXPECT_EQ(row("v = min(r.x, 3)"), "v: float?");
  EXPECT_EQ(row("v = \"{r.s} and {r.b}\""), "v: string?");
  EXPECT_EQ(row("v = \"{r.a}\""), "v: string");
  EXPECT_EQ(row("v = half(r.x)"), "v: float?");
  EXPECT_EQ(row("v = half(r.a)"), "v: float");
  EXPECT_EQ(row("v = r.b ?? 0"), "v: int");
  EXPECT_EQ(row("v = if r.b != none { r.b + 1 } else { 0 }"), "v: int");
  EXPECT_EQ(row("where r.b != none\nv = r.b + 1"), "v: int");
  EXPECT_EQ(row("v = max(r.l)"), "v: float");
  EXPECT_EQ(row("v = for one in r.l { one * 2 }"), "v: list<float>");
}

TEST(Transform, GroupsHaveKeysAndAggregates) {
  EXPECT_EQ(columnsOf("group by r.a, k = r.b ?? 0\nn = count()\ns = sum(r.b)"),
            "a: int, k: int, n: int, s: int");
  EXPECT_EQ(columnsOf("group by r.a\nm = mean(r.a)\np = mean(r.b)\nq = stddev(r.a)\n"
                      "f = first(r.s)\ng = last(r.a)\nh = quantile(r.a, 0.5)\ni = min(r.x)\n"
                      "j = count_distinct(r.c)\nk = count(r.b)"),
            "a: int, m: float, p: float?, q: float?, f: string?, g: int, h: float, i: float?, "
            "j: int, k: int");
  // Without keys there may be no row at all.
  EXPECT_EQ(columnsOf("m = mean(r.a)\nn = count()\ns = sum(r.a)\ng = max(r.a)"),
            "m: float?, n: int, s: int, g: int?");
  EXPECT_EQ(columnsOf("group by r.a"), "a: int");
  EXPECT_EQ(columnsOf("d = r.a % 10\ngroup by d\nn = count()\ne = d + r.a"),
            "CW0321 18:9 `r.a` is not there after `group by`\n");
  EXPECT_EQ(columnsOf("group by r.a\nshare = sum(r.a) / count()\n"
                      "low = if r.a > 3 { least } else { 0 }"),
            "a: int, share: float, low: int");
}

TEST(Transform, ErrorsShowTheColumnsThatWereInferred) {
  DiagnosticList diags;
  const auto load = [](const std::string&) -> LoadedText {
    return {std::string(kSchemas) +
                "transform t(r: Row) {\n    v = r.b * 2\n    w = \"{r.a}\"\n}\n"
                "transform u(r: table<t>) {\n    group by r.v\n    n = sum(r.quux)\n}\n"
                "workflow main(f: file<csv>) -> (o: table<Other>) {\n"
                "    return (o: read<Row>(f) |> t)\n}\n",
            ""};
  };
  Session session(load, diags);
  EXPECT_TRUE(session.load("main.cwl"));
  session.check();
  std::string text;
  for (const Diagnostic& one : diags.sorted()) {
    text += one.code() + " " + one.message + "\n";
    for (const std::string& note : one.notes) text += "  " + note + "\n";
  }
  EXPECT_EQ(text,
            "CW0219 `t` has no field `quux`\n"
            "  `t` has the columns v: int?, w: string\n"
            "CW0301 expected `table<Other>`, found `table<t>`\n"
            "  `Other` has the columns key: int, name: string, note: string?\n"
            "  `t` has the columns v: int?, w: string\n"
            "  the rows are of different types; a transform turns the one into the other\n");
}

TEST(Transform, JoinedColumns) {
  EXPECT_EQ(columnsOf("join o on r.a == o.key\nx = o.name\ny = o.note"), "x: string, y: string?");
  EXPECT_EQ(columnsOf("left join o on o.key == r.b\nx = o.name\n...o without key"),
            "x: string?, name: string?, note: string?");
  EXPECT_EQ(columnsOf("semi join o on r.a == o.key and r.s == o.name\nv = r.a"), "v: int");
  EXPECT_EQ(columnsOf("join o on r.x == o.key\n...o"), "key: int, name: string, note: string?");
}

TEST(Transform, DistinctLeavesColumnsOut) {
  EXPECT_EQ(columnsOf("a = r.a\n_p = r.b\ndistinct\nq = a + 1\n_s = q\nt = _s"),
            "a: int, q: int, t: int");
  EXPECT_EQ(columnsOf("a = r.a\n_p = r.b\ndistinct\nq = _p"),
            "CW0321 18:5 `_p` is not there after `distinct`\n");
  EXPECT_EQ(columnsOf("group by r.a\n_p = count()\ndistinct\nwhere r.a > 1\nq = _p"),
            "CW0321 19:5 `_p` is not there after `distinct`\n");
  EXPECT_EQ(columnsOf("distinct\nq = r.a"),
            "a: int, b: int?, x: float?, s: string?, t: bool?, c: Class?, l: list<float>, q: int");
}

TEST(Transform, RowTypesNameEachOther) {
  const sema::CheckedProgram checked(std::string(kSchemas) +
                                     "transform c(x: b) { d = x.p + 1 }\n"
                                     "fn twice(x: a) = x.p * 2\n"
                                     "transform b(x: a) { p = twice(x) }\n"
                                     "transform a(x: Row) { p = x.a }\n"
                                     "fn made() = a(p: 3)\n"
                                     "test \"t\" { expect twice(made()) == 6 }\n");
  EXPECT_EQ(checked.summary(), "");
}

// ---- lowering

std::optional<ir::Module> lowered(const std::string& text) {
  DiagnosticList diags;
  const auto load = [&](const std::string& path) -> LoadedText {
    if (path == "main.cwl") return {kSchemas + text, ""};
    return {std::nullopt, "no such file"};
  };
  Session session(load, diags);
  EXPECT_TRUE(session.load("main.cwl"));
  auto module = session.lower("", false);
  EXPECT_TRUE(module) << renderHuman(diags.sorted(), session.sources(), false);
  if (module) {
    EXPECT_EQ(ir::verify(*module), std::vector<std::string>{});
  }
  return module;
}

/// The operators of the transform `t`, in order, with a blank between them.
std::string operators(const std::string& statements) {
  const auto module = lowered("transform t(r: table<Row>, o: table<Other>, least: int = 1) {\n" +
                              statements + "\n}\n");
  if (!module) return "";
  static constexpr const char* kNames[] = {"read", "filter", "map",      "group",
                                           "sort", "limit",  "distinct", "join"};
  std::string text;
  const ir::FuncId func = *module->findFunc("t");
  for (const ir::NodeId id : module->at(module->at(func).body).nodes) {
    const ir::Rows* rows = module->payload<ir::Rows>(id);
    if (rows == nullptr) continue;
    text += (text.empty() ? "" : " ") + std::string(kNames[static_cast<std::size_t>(rows->op)]);
  }
  return text;
}

TEST(Transform, FewMaps) {
  EXPECT_EQ(operators("p = r.a + 1\nq = p * 2\ns = q - p"), "map");
  EXPECT_EQ(operators("where r.a > 1\nwhere r.b > 1\np = r.a\nq = p"), "filter filter map");
  EXPECT_EQ(operators("p = r.a + 1\nwhere p > 3\nq = p"), "map filter map");
  // What comes out is there before these, so nothing follows them.
  EXPECT_EQ(operators("p = r.a + 1\nwhere p > 3\norder by p desc\nlimit 3"), "map filter sort limit");
  EXPECT_EQ(operators("p = r.a + 1\norder by r.b"), "map sort map");
  EXPECT_EQ(operators("group by r.a\nn = count()\nwhere n > 1\norder by r.a, n\nlimit least"),
            "group filter sort limit");
  EXPECT_EQ(operators("d = r.a + 1\ngroup by d\nn = count()\nm = n + 1\nwhere m > 3"),
            "group map filter");
  EXPECT_EQ(operators("group by r.a\nwhere count() > 1\nm = sum(r.b) + 1\nwhere sum(r.b) > m"),
            "group filter map filter map");
  EXPECT_EQ(operators("distinct"), "map distinct");
  EXPECT_EQ(operators("p = r.a\ndistinct"), "map distinct");
  EXPECT_EQ(operators("_p = r.a\nwhere _p > 3\nq = r.b"), "map filter map");
  EXPECT_EQ(operators("_p = r.a\ngroup by k = _p + 1\n_n = count()\nwhere _n > 3"),
            "group filter map");
  EXPECT_EQ(operators("join o on r.a == o.key\np = o.name"), "join map");
  EXPECT_EQ(operators("limit least + 1"), "limit map");
}

/// What `test { expect … }` over the transforms of `text` gives.
void expectHolds(const std::string& text) {
  const auto module = lowered(text);
  if (!module) return;
  for (const ir::TestDef& test : module->tests) {
    const auto results = ir::evaluateRegion(*module, test.body, {});
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto* value = std::get_if<ir::Value>(&results[i]);
      ASSERT_NE(value, nullptr) << i << ": " << std::get<ir::EvalError>(results[i]).message;
      EXPECT_TRUE(*value == ir::Value(true)) << "expectation " << i << "\n" << ir::print(*module);
    }
  }
}

TEST(Transform, HiddenAggregatesOutliveMaps) {
  expectHolds(
      "transform t(r: table<Row>) {\n"
      "    group by r.a\n    m = sum(r.b) + 1\n    where m > 0 and count() > 1\n"
      "    k = m * count(r.b)\n    where max(r.b) > 2\n    order by min(r.b) desc\n}\n"
      "fn one(a: int, b: int?) = Row(a: a, b: b, l: [])\n"
      "test \"t\" {\n"
      "    expect t([one(1, 2), one(2, 3), one(1, none), one(2, 4), one(1, 5), one(3, 9)]) ==\n"
      "        [t(a: 2, m: 8, k: 16), t(a: 1, m: 8, k: 16)]\n}\n");
}

TEST(Transform, ShadowedColumnsStayApart) {
  expectHolds(
      "transform t(r: Row) {\n"
      "    a = r.a * 10\n    where a > 10\n    b = r.a\n    where b < 5\n    d = a + r.a + b\n}\n"
      "test \"t\" {\n"
      "    expect t([Row(a: 1, l: []), Row(a: 2, l: []), Row(a: 7, l: [])]) ==\n"
      "        [t(a: 20, b: 2, d: 24)]\n}\n");
}

TEST(Transform, JoinsMatchIntsWithFloatsAndWholeRowsArePassed) {
  expectHolds(
      "fn tag(r: Row) -> string = \"{r.a}/{length(r.l)}\"\n"
      "transform t(r: table<Row>, o: table<Other>) {\n"
      "    d = r.a + 1\n    left join o on r.x == o.key and d == o.key\n"
      "    where d > 1\n    tag = tag(r)\n    name = o.name ?? \"-\"\n}\n"
      "test \"t\" {\n"
      "    expect t([Row(a: 1, x: 2.0, l: [1.0]), Row(a: 2, x: 2.0, l: [])],\n"
      "        [Other(key: 2, name: \"two\")]) ==\n"
      "        [t(d: 2, tag: \"1/1\", name: \"two\"), t(d: 3, tag: \"2/0\", name: \"-\")]\n}\n");
}

TEST(Transform, ThreeValuedLogic) {
  expectHolds(
      "transform kept(r: Row) { where r.b > 3 }\n"
      "transform dropped(r: Row) { where not (r.b > 3) }\n"
      "transform logic(r: Row) {\n"
      "    andFalse = r.t and false\n    andTrue = r.t and true\n    orTrue = r.t or true\n"
      "    orFalse = r.t or false\n    same = r.t == none\n    inside = r.b in 0..10\n}\n"
      "fn one(b: int?, t: bool?) = Row(a: 1, b: b, t: t, l: [])\n"
      "test \"t\" {\n"
      "    expect kept(one(none, none)) == none\n    expect dropped(one(none, none)) == none\n"
      "    expect kept(one(4, none)).b == 4\n    expect dropped(one(3, none)).b == 3\n"
      "    expect logic(one(none, none)) ==\n"
      "        logic(andFalse: false, orTrue: true, same: true, inside: false)\n"
      "    expect logic(one(9, true)) == logic(andFalse: false, andTrue: true, orTrue: true,\n"
      "        orFalse: true, same: false, inside: true)\n}\n");
}

TEST(Transform, ReadersAreSharedByWhatTheyDo) {
  const auto module = lowered(
      "transform t(r: Row) { where r.a > 0 }\n"
      "workflow main(one: file<csv>, two: file<csv>, three: file<jsonl>) -> (x: table<t>) {\n"
      "    let _a = read<Row>(one) |> t\n    let _b = read<Row>(two) |> t\n"
      "    let _c = read<Row>(one, on_bad: keep)\n    let _d = t(three)\n"
      "    return (x: t(read<Row>(file(\"x.csv\"))))\n}\n");
  ASSERT_TRUE(module);
  std::string names;
  for (const ir::TaskDef& task : module->tasks) names += task.name + " ";
  EXPECT_EQ(names, "read-Row t read-Row-2 read-Row-3 read-Row-4 ");
}

TEST(Transform, RowsAreMadeOfOthers) {
  expectHolds(
      "transform t(r: Row) { v = r.b\nw = r.a }\n"
      "fn other(r: Row) = Row(...r, a: 2)\n"
      "test \"t\" {\n"
      "    let one = Row(a: 1, b: 3, s: \"x\", l: [1.0])\n"
      "    expect Row(...one) == one\n"
      "    expect Row(...one, b: none, s: \"y\") == Row(a: 1, s: \"y\", l: [1.0])\n"
      "    expect other(one).a == 2\n"
      "    expect other(one).l == [1.0]\n"
      "    expect t([one]) == [t(...t(v: 4, w: 1), v: 3)]\n"
      "}\n");
}

TEST(Transform, RowsAreMadeOfNothingElse) {
  const auto summary = [](const std::string& body) {
    return sema::CheckedProgram(std::string(kSchemas) +
                                "transform t(r: Row) { v = r.b }\n"
                                "fn f(n: int) = n\n"
                                "test \"t\" {\n    let row = Row(a: 1, l: [])\n    " + body + "\n}\n")
        .summary();
  };
  EXPECT_EQ(summary("expect Row(...t(v: 1)) == row"),
            "CW0301 18:19 expected `Row`, found `t`\n");
  EXPECT_EQ(summary("expect Row(...row, n: 3) == row"), "CW0210 18:24 `Row` has no parameter `n`\n");
  EXPECT_EQ(summary("expect f(...row) == 1"),
            "CW0142 18:14 `...` spreads a list into a list or an argument vector, not into a call\n");
  EXPECT_EQ(summary("expect max(...[1]) == 1"),
            "CW0142 18:16 `...` spreads a list into a list or an argument vector, not into a call\n");
  EXPECT_EQ(summary("expect ([row] |> t(...row)) == []"),
            "CW0142 18:24 `...` spreads a list into a list or an argument vector, not into a call\n");
}

// ---- headers of files

std::string headerCodes(const std::string& body, const std::string& header,
                        const std::string& columns = "id: int, text: string") {
  DiagnosticList diags;
  const auto load = [&](const std::string& path) -> LoadedText {
    if (path != "flows/main.cwl") return {std::nullopt, "no such file"};
    return {"couler 1\nschema S { " + columns + " }\n"
            "workflow main(given: file<csv> = \"d.csv\") -> (x: table<S>) {\n" + body + "\n}\n", ""};
  };
  Session session(load, diags);
  session.setFileStart([&](const std::string& path) -> std::optional<std::string> {
    if (path != "flows/d.csv" && path != "flows/d.txt") return std::nullopt;
    return header;
  });
  EXPECT_TRUE(session.load("flows/main.cwl"));
  session.check();
  std::string text;
  for (const Diagnostic& one : diags.sorted()) {
    text += one.code() + " " + one.message + (one.fixes.empty() ? "" : " / " + one.fixes[0].title) +
            "\n";
  }
  return text;
}

TEST(Header, IsComparedWithTheSchema) {
  const std::string literal = "return (x: read<S>(\"d.csv\"))";
  const std::string missing =
      "CW0419 `flows/d.csv` has no column `text`, which `S` needs / name it `txt`\n";
  EXPECT_EQ(headerCodes(literal, "id,txt\n1,a\n"), missing);
  EXPECT_EQ(headerCodes("return (x: read<S>(file(\"d.csv\")))", "id,txt\n"), missing);
  EXPECT_EQ(headerCodes("let f: file<csv> = \"d.csv\"\nreturn (x: read<S>(f))", "id,txt"), missing);
  EXPECT_EQ(headerCodes(literal, "\xEF\xBB\xBF" "text,more,\"id\"\r\n"), "");
  EXPECT_EQ(headerCodes(literal, "\"te\"\"xt\",id\n"),
            "CW0419 `flows/d.csv` has no column `text`, which `S` needs / write from \"te\\\"xt\"\n");
}

TEST(Header, HasColumnsOfOtherNames) {
  const std::string literal = "return (x: read<S>(\"d.csv\"))";
  const std::string columns = "id: int from \"The id\", text: string? from \"T (x)\" where true";
  EXPECT_EQ(headerCodes(literal, "T (x),The id\n", columns), "");
  EXPECT_EQ(headerCodes(literal, "text,id\n", columns),
            "CW0419 `flows/d.csv` has no column `The id`, which `S` needs\n"
            "CW0419 `flows/d.csv` has no column `T (x)`, which `S` needs\n");
  EXPECT_EQ(headerCodes(literal, "T (x),the_id\n", columns),
            "CW0419 `flows/d.csv` has no column `The id`, which `S` needs / name it `the_id`\n");
  EXPECT_EQ(headerCodes(literal, "ID,T{}\n", "id: int from \"ID\", t: int"),
            "CW0419 `flows/d.csv` has no column `t`, which `S` needs / write from \"T\\{}\"\n");
}

TEST(Header, IsLeftAloneWhereItIsNotKnown) {
  const std::string literal = "return (x: read<S>(\"d.csv\"))";
  EXPECT_EQ(headerCodes("return (x: read<S>(given))", "a,b\n"), "");  // another may be given
  EXPECT_EQ(headerCodes("return (x: read<S>(\"e.csv\"))", "a,b\n"), "");
  EXPECT_EQ(headerCodes("return (x: read<S>(\"d.txt\"))", "a,b\n"), "");
  EXPECT_EQ(headerCodes(literal, std::string("\x1F\x8B\0\0", 4)), "");  // compressed
  EXPECT_EQ(headerCodes(literal, std::string(std::size_t{64} << 10, 'a')), "");  // cut short
  EXPECT_EQ(headerCodes(literal, ""), "");
}

}  // namespace
}  // namespace couler

#include "ir/verify.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ir/print.h"

namespace couler::ir {
namespace {

/// The problems of a module whose workflow `w(n: int) -> int` has these lines as its body.
std::vector<std::string> problems(const std::string& body, const std::string& before = "") {
  const std::string text =
      "couler-ir 1\n"
      "task t { param a: int output x: int variable result (x: int) exprs { (%0 a: int) } "
      "run sh \"x=1\" }\n" +
      before + "workflow w { param n: int result int body { (%1 n: int)\n" + body + "\n} }\n";
  SourceManager sources;
  DiagnosticList diags;
  const auto module = parseText(sources, sources.add("verify.ir", text), diags);
  if (!module) return {"does not parse: " + diags.all()[0].message};
  return verify(*module);
}

std::string first(const std::string& body, const std::string& before = "") {
  const auto all = problems(body, before);
  return all.empty() ? "" : all[0];
}

TEST(Verify, Holds) {
  EXPECT_EQ(first("yield %1"), "");
  EXPECT_EQ(first("%2 s = step t(%1) : (x: int) %3 = field x(%2) : int yield %3"), "");
  EXPECT_EQ(first("%2 = loop(%1, %1) { (%3: int) %4 = const true : bool yield %3, %4 } : int "
                  "yield %2"),
            "");
}

TEST(Verify, Uses) {
  EXPECT_EQ(first("%2 = const true : bool %3 = if(%2) { %4 = const 1 : int yield %4 } : int? "
                  "yield %4"),
            "a result of region 1 is not visible");
  EXPECT_EQ(first("%2 = op AddInt(%1) : int yield %2"),
            "node 2 (op): `AddInt` does not take such operands");
  EXPECT_EQ(first("%2 = const \"a\" : string %3 = op AddInt(%1, %2) : int yield %3"),
            "node 3 (op): `AddInt` does not take such operands");
  EXPECT_EQ(first("%2 = const \"a\" : int yield %2"),
            "the value of a constant is `\"a\"`, not a `int`");
}

TEST(Verify, Steps) {
  EXPECT_EQ(first("%2 s = step t() : (x: int) yield %1"),
            "node 2 `s` (step) has 0 operands, not 1");
  EXPECT_EQ(first("%2 s = step t(%1) : (y: int) yield %1"),
            "node 2 `s` (step) gives `(y: int)`, its task `(x: int)`");
  EXPECT_EQ(first("%2 = step t(%1) : (x: int) yield %1"), "node 2 (step) has no name");
  EXPECT_EQ(first("%2 s = step t(%1) : (x: int) %3 s = step t(%1) : (x: int) yield %1"),
            "two steps of one region are named `s`");
  EXPECT_EQ(first("%2 s = step t(%1) : (x: int) %3 = field y(%2) : int yield %3"),
            "node 3 (field): `(x: int)` has no field `y`");
}

TEST(Verify, Bodies) {
  EXPECT_EQ(first(""), "`w` has 0 results, not 1");
  EXPECT_EQ(first("%2 = for(%1) { (%3: int) yield %3 } : list<int> yield %1"),
            "node 2 (for) goes over `int`, which is no list");
  EXPECT_EQ(first("%2 = const [1] : list<int> %3 = for(%2) { yield %1 } : list<int> yield %1"),
            "the body of node 3 (for) has 0 parameters, not 1");
  EXPECT_EQ(first("%2 = if(%1) { yield %1 } : int? yield %1"),
            "node 2 (if): the condition is `int`, not `bool`");
  EXPECT_EQ(first("%2 = try() { yield %1 } : int yield %2"),
            "node 2 (try): the value is `int?`, not `int`");
}

TEST(Verify, Functions) {
  const std::string self =
      "fn f { result int body { %8 = call g() : int yield %8 } }\n"
      "fn g { result int body { %9 = call f() : int yield %9 } }\n";
  EXPECT_EQ(first("yield %1", self), "`f` comes to call itself");
  EXPECT_EQ(first("yield %1",
                  "fn f { param a: int result int body { (%8 a: int) %9 s = step t(%8) : (x: int) "
                  "yield %8 } }\n"),
            "node 2 `s` (step) stands where only expressions may");
  EXPECT_EQ(first("yield %1",
                  "fn f { param a: int result int body { %8 = const 1 : int yield %8 "
                  "} }\n"),
            "the body of `f` has 0 parameters, not 1");
}

TEST(Verify, IdsOutOfRangeAreFoundBeforeTheyAreFollowed) {
  Module m;
  FuncDef func;
  func.name = "w";
  func.result = TypeTable::kInt;
  func.body = m.addRegion();
  m.at(func.body).results = {NodeId{77U}};
  m.funcs.push_back(func);
  EXPECT_EQ(verify(m), std::vector<std::string>{"region 0 lists a node that is none"});
  m.at(func.body).results.clear();
  Node node;
  node.payload = Step{TaskId{3U}};
  node.type = TypeId{4000U};
  node.region = RegionId{9U};
  node.firstOperand = 5;
  node.operandCount = 1;
  m.nodes.push_back(node);
  EXPECT_EQ(verify(m).size(), 4U);
  m.entry = FuncId{5U};
  EXPECT_EQ(verify(m).size(), 5U);
}

TEST(Verify, ABodyBelongsToOneNode) {
  Module m;
  FuncDef func;
  func.name = "w";
  func.result = TypeTable::kInt;
  func.body = m.addRegion();
  const NodeId one = m.addConst(func.body, Value(std::int64_t{1}), TypeTable::kInt);
  m.at(func.body).results = {one};
  m.funcs.push_back(func);
  func.name = "v";
  m.funcs.push_back(func);
  EXPECT_EQ(verify(m), std::vector<std::string>{"region 0 belongs to two"});
}

}  // namespace
}  // namespace couler::ir

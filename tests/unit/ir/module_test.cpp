#include "ir/module.h"

#include <gtest/gtest.h>

#include "ir/eval.h"

namespace couler::ir {
namespace {

std::string show(const EvalResult& result) {
  if (const EvalError* error = std::get_if<EvalError>(&result)) return "error: " + error->message;
  return toSource(std::get<Value>(result));
}

class ModuleTest : public testing::Test {
 protected:
  NodeId constant(RegionId region, Value value, TypeId type = TypeTable::kInt) {
    return m.addConst(region, std::move(value), type);
  }
  NodeId number(RegionId region, std::int64_t n) { return constant(region, n); }
  NodeId op(RegionId region, Builtin builtin, std::vector<NodeId> operands,
            TypeId type = TypeTable::kInt) {
    return m.add(region, Op{builtin}, type, operands);
  }
  NodeId param(RegionId region, TypeId type = TypeTable::kInt) {
    return m.addParam(region, type, "p", {}, Phase::Submit);
  }
  void result(RegionId region, NodeId node) { m.at(region).results.push_back(node); }
  std::string run(RegionId region, std::vector<Value> params = {}) {
    const std::vector<EvalResult> results = evaluateRegion(m, region, params);
    return results.empty() ? "nothing" : show(results.front());
  }
  FuncId function(RegionId body, FuncKind kind = FuncKind::Fn) {
    FuncDef def;
    def.name = "f" + std::to_string(m.funcs.size());
    def.kind = kind;
    def.body = body;
    def.result = TypeTable::kInt;
    m.funcs.push_back(std::move(def));
    return FuncId{m.funcs.size() - 1};
  }
  NodeId step(RegionId region, bool isVolatile, std::vector<NodeId> operands = {}) {
    TaskDef task;
    task.name = "t" + std::to_string(m.tasks.size());
    task.result = m.types.record({{"n", TypeTable::kInt}});
    task.isVolatile = isVolatile;
    const TypeId type = task.result;
    m.tasks.push_back(std::move(task));
    return m.add(region, Step{TaskId{m.tasks.size() - 1}}, type, operands);
  }
  template <class P>
  NodeId own(RegionId region, P payload, std::vector<NodeId> operands,
             std::vector<RegionId> bodies) {
    const NodeId node = m.add(region, payload, TypeTable::kInt, operands);
    for (const RegionId body : bodies) m.at(body).owner = node;
    return node;
  }

  Module m;
  const RegionId top = m.addRegion();
};

TEST_F(ModuleTest, InternsNamesAndConstants) {
  EXPECT_EQ(m.intern("a"), m.intern("a"));
  EXPECT_NE(m.intern("a"), m.intern("b"));
  EXPECT_EQ(m.at(m.intern("b")), "b");
  EXPECT_EQ(m.intern(Value(std::int64_t{1})), m.intern(Value(std::int64_t{1})));
  EXPECT_NE(m.intern(Value(std::int64_t{1})), m.intern(Value(1.0)));
  EXPECT_NE(m.intern(Value(0.0)), m.intern(Value(-0.0)));
  EXPECT_EQ(m.nameCount(), 2U);
}

TEST_F(ModuleTest, EdgesSurviveTheGrowthOfTheirPool) {
  const NodeId a = number(top, 1);
  const NodeId b = number(top, 2);
  const NodeId sum =
      m.add(top, Op{Builtin::AddInt}, TypeTable::kInt, std::vector{a, b}, std::vector{a});
  for (int i = 0; i < 1000; ++i) m.setEdges(sum, m.operands(m.at(sum)), m.order(m.at(sum)));
  const auto operands = m.operands(m.at(sum));
  ASSERT_EQ(operands.size(), 2U);
  EXPECT_EQ(operands[1], b);
  ASSERT_EQ(m.order(m.at(sum)).size(), 1U);
  EXPECT_EQ(m.order(m.at(sum))[0], a);
}

TEST_F(ModuleTest, ACopyIsASnapshot) {
  number(top, 1);
  const Module copy = m;
  number(top, 2);
  EXPECT_EQ(copy.at(top).nodes.size(), 1U);
  EXPECT_EQ(m.at(top).nodes.size(), 2U);
}

TEST_F(ModuleTest, AttributesFollowFromWhatANodeDoes) {
  const NodeId one = number(top, 1);
  const NodeId p = param(top);
  const NodeId sum = op(top, Builtin::AddInt, {one, p});
  EXPECT_EQ(m.at(one).phase, Phase::Compile);
  EXPECT_EQ(m.at(sum).phase, Phase::Submit);
  EXPECT_EQ(m.at(sum).effect, Effect::Pure);
  EXPECT_EQ(m.at(sum).footprint, Footprint::Pointwise);

  const NodeId pure = step(top, false, {sum});
  const NodeId open = step(top, true);
  EXPECT_EQ(m.at(pure).phase, Phase::Run);
  EXPECT_EQ(m.at(pure).effect, Effect::Pure);
  EXPECT_EQ(m.at(pure).footprint, Footprint::All);
  EXPECT_EQ(m.at(open).effect, Effect::Opaque);

  const NodeId pattern = constant(top, std::string("*"), TypeTable::kString);
  const NodeId files = op(top, Builtin::Glob, {pattern}, m.types.list(TypeTable::kFile));
  EXPECT_EQ(m.at(files).effect, Effect::Source);
  EXPECT_EQ(m.at(files).phase, Phase::Submit);
  const NodeId count = op(top, Builtin::LengthList, {files});
  EXPECT_EQ(m.at(count).footprint, Footprint::AssociativeReduce);
  EXPECT_EQ(m.at(count).effect, Effect::Pure);
}

TEST_F(ModuleTest, AnOwnerIsWhatItsBodiesAre) {
  const RegionId body = m.addRegion();
  const NodeId node = own(top, Try{body}, {}, {body});
  EXPECT_EQ(m.at(node).effect, Effect::Pure);
  result(body, step(body, true));
  m.updateAttributes(node);
  EXPECT_EQ(m.at(node).effect, Effect::Opaque);
  EXPECT_EQ(m.at(node).phase, Phase::Run);
}

TEST_F(ModuleTest, UpdatingAllGoesThroughCallsInTheRightOrder) {
  // f0 calls f1 calls f2 …, and the last has a volatile step; added in that order, so that no call
  // could know when it was made.
  constexpr std::size_t kCount = 20'000;
  for (std::size_t i = 0; i < kCount; ++i) function(m.addRegion(), FuncKind::Workflow);
  for (std::size_t i = 0; i < kCount; ++i) {
    const RegionId body = m.funcs[i].body;
    const NodeId node =
        i + 1 == kCount ? step(body, true) : m.add(body, Call{FuncId{i + 1}}, TypeTable::kInt, {});
    result(body, node);
  }
  m.updateAllAttributes();
  EXPECT_EQ(m.at(m.at(m.funcs[0].body).results[0]).effect, Effect::Opaque);
  EXPECT_EQ(m.at(m.at(m.funcs[0].body).results[0]).phase, Phase::Run);
}

TEST_F(ModuleTest, EvaluatesAChainOfAnyLength) {
  NodeId last = param(top);
  const NodeId one = number(top, 1);
  for (int i = 0; i < 100'000; ++i) last = op(top, Builtin::AddInt, {last, one});
  result(top, last);
  EXPECT_EQ(run(top, {std::int64_t{5}}), "100005");
  EXPECT_EQ(run(top), "error: parameter 0 has no value");
}

TEST_F(ModuleTest, AnErrorMattersOnlyToWhatNeedsIt) {
  const NodeId zero = number(top, 0);
  const NodeId bad = op(top, Builtin::DivInt, {zero, zero});
  const NodeId good = op(top, Builtin::AddInt, {zero, zero});
  result(top, good);
  result(top, bad);
  const std::vector<EvalResult> results = evaluateRegion(m, top, {});
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(show(results[0]), "0");
  EXPECT_EQ(show(results[1]), "error: division by zero: 0 div 0");
}

TEST_F(ModuleTest, IfTakesOneWay) {
  const NodeId p = param(top, TypeTable::kBool);
  const NodeId zero = number(top, 0);
  const RegionId then = m.addRegion();
  result(then, op(then, Builtin::DivInt, {zero, zero}));
  const RegionId otherwise = m.addRegion();
  result(otherwise, number(otherwise, 7));
  result(top, own(top, If{then, otherwise}, {p}, {then, otherwise}));
  EXPECT_EQ(run(top, {false}), "7");
  EXPECT_EQ(run(top, {true}), "error: division by zero: 0 div 0");
}

TEST_F(ModuleTest, IfWithoutElseIsNone) {
  const NodeId p = param(top, TypeTable::kBool);
  const RegionId then = m.addRegion();
  result(then, number(then, 1));
  result(top, own(top, If{then, {}}, {p}, {then}));
  EXPECT_EQ(run(top, {false}), "none");
  EXPECT_EQ(run(top, {true}), "1");
}

TEST_F(ModuleTest, ForGivesAListAndSeesWhatLiesAround) {
  const NodeId n = param(top);
  const NodeId items = op(top, Builtin::RangeTo, {n});
  const RegionId body = m.addRegion();
  const NodeId item = param(body);
  result(body, op(body, Builtin::MulInt, {item, n}));
  result(top, own(top, For{body}, {items}, {body}));
  EXPECT_EQ(run(top, {std::int64_t{3}}), "[0, 3, 6]");
}

TEST_F(ModuleTest, LoopEndsByConditionOrCount) {
  const NodeId start = param(top);
  const NodeId max = param(top);
  const RegionId body = m.addRegion();
  const NodeId state = param(body);
  const NodeId next = op(body, Builtin::AddInt, {state, state});
  const NodeId bound = number(body, 100);
  result(body, next);
  result(body, op(body, Builtin::Greater, {next, bound}, TypeTable::kBool));
  result(top, own(top, Loop{body}, {start, max}, {body}));
  EXPECT_EQ(run(top, {std::int64_t{1}, std::int64_t{3}}), "8");
  EXPECT_EQ(run(top, {std::int64_t{1}, std::int64_t{30}}), "128");
  EXPECT_EQ(run(top, {std::int64_t{1}, std::int64_t{0}}), "1");
}

TEST_F(ModuleTest, TryMakesNoneOfAnError) {
  const NodeId p = param(top);
  const RegionId body = m.addRegion();
  result(body, op(body, Builtin::DivInt, {p, p}));
  result(top, own(top, Try{body}, {}, {body}));
  EXPECT_EQ(run(top, {std::int64_t{4}}), "1");
  EXPECT_EQ(run(top, {std::int64_t{0}}), "none");
}

TEST_F(ModuleTest, FieldsOfRecordsAndOfEach) {
  const TypeId pair = m.types.record({{"a", TypeTable::kInt}, {"b", TypeTable::kInt}});
  const NodeId record = op(top, Builtin::MakeRecord, {number(top, 1), number(top, 2)}, pair);
  const NodeId list = op(top, Builtin::MakeList, {record, record}, m.types.list(pair));
  const NodeId none = constant(top, None{}, TypeTable::kNone);
  const auto field = [&](NodeId of, bool each, bool optional) {
    const NodeId node =
        m.add(top, Field{m.intern("b"), each, optional}, TypeTable::kInt, std::vector{of});
    result(top, node);
  };
  field(record, false, false);
  field(list, true, false);
  field(none, false, true);
  field(none, false, false);
  const std::vector<EvalResult> results = evaluateRegion(m, top, {});
  EXPECT_EQ(show(results[0]), "2");
  EXPECT_EQ(show(results[1]), "[2, 2]");
  EXPECT_EQ(show(results[2]), "none");
  EXPECT_EQ(show(results[3]), "error: there is no field `b`");
}

TEST_F(ModuleTest, CallsPassErrorsThatDoNotMatter) {
  const RegionId body = m.addRegion();
  param(body);
  result(body, param(body));
  const FuncId second = function(body);
  const NodeId zero = number(top, 0);
  const NodeId bad = op(top, Builtin::DivInt, {zero, zero});
  result(top, m.add(top, Call{second}, TypeTable::kInt, std::vector{bad, zero}));
  EXPECT_EQ(run(top), "0");
}

TEST_F(ModuleTest, DeepCallsAndBodiesAreBounded) {
  const auto chain = [&](std::size_t count) {
    FuncId last;
    for (std::size_t i = 0; i < count; ++i) {
      const RegionId body = m.addRegion();
      result(body, last.valid() ? m.add(body, Call{last}, TypeTable::kInt, {}) : number(body, 9));
      last = function(body);
    }
    return m.at(last).body;
  };
  EXPECT_EQ(run(chain(250)), "9");
  EXPECT_EQ(run(chain(5000)), "error: bodies and calls are nested more than 256 deep");

  RegionId region = top;
  for (int i = 0; i < 1000; ++i) {
    const RegionId body = m.addRegion();
    result(region, own(region, Try{body}, {}, {body}));
    region = body;
  }
  result(region, number(region, 1));
  EXPECT_EQ(run(top), "error: bodies and calls are nested more than 256 deep");
}

TEST_F(ModuleTest, EndlessWorkIsStopped) {
  // Each function calls the one before twice: 2^60 calls.
  FuncId last;
  for (int i = 0; i < 60; ++i) {
    const RegionId body = m.addRegion();
    if (last.valid()) {
      const NodeId a = m.add(body, Call{last}, TypeTable::kInt, {});
      const NodeId b = m.add(body, Call{last}, TypeTable::kInt, {});
      result(body, op(body, Builtin::MulInt, {a, b}));
    } else {
      result(body, number(body, 1));
    }
    last = function(body);
  }
  EXPECT_EQ(run(m.at(last).body), "error: the evaluation takes more than 100 million operations");
}

TEST_F(ModuleTest, StepsAndGlobsAreNotEvaluable) {
  const NodeId one = number(top, 1);
  EXPECT_TRUE(isEvaluable(m, one));
  const NodeId made = step(top, false);
  EXPECT_FALSE(isEvaluable(m, made));
  result(top, made);
  EXPECT_EQ(run(top), "error: a step has no value before it has run");

  const RegionId inner = m.addRegion();
  result(inner, step(inner, false));
  const RegionId outer = m.addRegion();
  result(outer, own(outer, Try{inner}, {}, {inner}));
  const NodeId call = m.add(top, Call{function(outer, FuncKind::Workflow)}, TypeTable::kInt, {});
  EXPECT_FALSE(isEvaluable(m, call));
  const NodeId pattern = constant(top, std::string("*"), TypeTable::kString);
  EXPECT_FALSE(isEvaluable(m, op(top, Builtin::Glob, {pattern}, m.types.list(TypeTable::kFile))));
}

TEST_F(ModuleTest, OuterValuesComeFromTheCaller) {
  const NodeId p = param(top);
  const RegionId body = m.addRegion();
  result(body, op(body, Builtin::AddInt, {p, p}));
  const EvalResult known = Value(std::int64_t{21});
  const auto outer = [&](NodeId id) { return id == p ? &known : nullptr; };
  EXPECT_EQ(show(evaluateRegion(m, body, {}, outer).front()), "42");
  EXPECT_EQ(show(evaluateRegion(m, body, {}).front()), "error: the value is not known here");
}

}  // namespace
}  // namespace couler::ir

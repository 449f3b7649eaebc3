#include <gtest/gtest.h>

#include "compare.h"
#include "random_expression.h"

// What a plan has beside expressions: parameters from outside, results of a body, calls, errors.
namespace couler::jit::test {

namespace {

class Plans : public ::testing::Test {
 protected:
  NodeId field(ir::RegionId body, NodeId row, const std::string& name) {
    const auto& fields = m.types[rows.rowType].fields;
    return m.add(body, ir::Field{m.intern(name)}, fields[*m.types.fieldIndex(rows.rowType, name)].type,
                 std::vector<NodeId>{row});
  }
  NodeId op(ir::RegionId body, Builtin what, TypeId type, std::vector<NodeId> in) {
    return m.add(body, ir::Op{what}, type, in);
  }
  Rows rows{99};
  ir::Module& m = rows.module;
};

TEST_F(Plans, TakeValuesFromOutside) {
  const auto param = [&](TypeId type) {
    return m.addParam(rows.outside, type, "p", {}, ir::Phase::Run);
  };
  const TypeId colour = m.types[rows.rowType].fields[14].type;
  const NodeId bound = param(TypeTable::kInt);
  const NodeId maybe = param(m.types.optional(TypeTable::kInt));
  const NodeId prefix = param(TypeTable::kString);
  const NodeId shade = param(colour);
  const NodeId share = param(TypeTable::kFloat);
  const NodeId map = rows.stage(ir::RowsOp::Map, rows.rowType, [&](ir::RegionId b, NodeId row) {
    Expressions expressions(rows, b, row);
    const NodeId text = op(b, Builtin::AddString, TypeTable::kString,
                           {prefix, field(b, row, "k3")});
    return expressions.record(
        {op(b, Builtin::Less, TypeTable::kBool, {field(b, row, "k1"), bound}),
         op(b, Builtin::Coalesce, TypeTable::kInt, {maybe, field(b, row, "k1")}),
         op(b, Builtin::StartsWith, TypeTable::kBool, {text, prefix}), text,
         op(b, Builtin::Equal, TypeTable::kBool, {field(b, row, "k7"), shade}),
         op(b, Builtin::MulFloat, TypeTable::kFloat, {share, field(b, row, "k2")}), prefix});
  });
  auto plan = rows.plan({map});
  plan.outer = {{bound, Value(std::int64_t{3})}, {maybe, Value()}, {prefix, Value(std::string("us-"))},
                {shade, Value(ir::EnumCase{"green"})}, {share, Value(0.25)}};
  const auto batch = rows.batch(200);
  compareRuns(plan, batch);
  plan.outer[1].second = Value(std::int64_t{-1});
  compareRuns(plan, batch);
}

TEST_F(Plans, GiveTheResultsOfABody) {
  const ir::RegionId body = m.addRegion();
  m.addParam(body, rows.rowType, "left", {}, ir::Phase::Run);
  const NodeId row = m.addParam(body, rows.rowType, "right", {}, ir::Phase::Run);
  const NodeId key = field(body, row, "k3o");
  const NodeId sum = op(body, Builtin::AggSumFloat, TypeTable::kFloat, {field(body, row, "k2o")});
  const NodeId count = op(body, Builtin::AggCount, TypeTable::kInt, {});
  m.at(body).results = {field(body, row, "k0"), key, sum, count};
  const NodeId filter =
      rows.stage(ir::RowsOp::Filter, rows.rowType, [&](ir::RegionId b, NodeId r) {
        return field(b, r, "k0o");
      });
  column::RowPlan plan = rows.plan({filter});
  plan.results = body;
  plan.firstResult = 1;
  plan.resultCount = 3;
  plan.rowParam = 1;
  plan.output = column::schemaOf(
      m.types, m.types.record({{"key", m.types.optional(TypeTable::kString)},
                               {"sum", m.types.optional(TypeTable::kFloat)},
                               {"count", TypeTable::kInt}}));
  compareRuns(plan, rows.batch(100));
}

TEST_F(Plans, OpenCallsUp) {
  ir::FuncDef twice;
  twice.name = "twice";
  twice.kind = ir::FuncKind::Fn;
  twice.params.push_back({"n", TypeTable::kInt, {}, {}, {}, {}});
  twice.result = TypeTable::kInt;
  twice.body = m.addRegion();
  const NodeId n = m.addParam(twice.body, TypeTable::kInt, "n", {}, ir::Phase::Run);
  m.at(twice.body).results = {op(twice.body, Builtin::AddInt, TypeTable::kInt, {n, n})};
  m.funcs.push_back(twice);
  const ir::Call call{ir::FuncId(static_cast<std::uint32_t>(m.funcs.size() - 1))};
  const NodeId map = rows.stage(ir::RowsOp::Map, rows.rowType, [&](ir::RegionId b, NodeId row) {
    Expressions expressions(rows, b, row);
    return expressions.record({expressions.attempt(Kind::Int, [&] {
      const ir::RegionId inner = m.regions.size() ? ir::RegionId(static_cast<std::uint32_t>(
                                                        m.regions.size() - 1))
                                                  : b;
      return m.add(inner, call, TypeTable::kInt, std::vector<NodeId>{field(inner, row, "k1")});
    })});
  });
  compareRuns(rows.plan({map}), rows.batch(100));
}

TEST_F(Plans, NameTheFirstRowWithAnError) {
  const NodeId filter =
      rows.stage(ir::RowsOp::Filter, rows.rowType, [&](ir::RegionId b, NodeId r) {
        const NodeId zero = m.addConst(b, Value(std::int64_t{0}), TypeTable::kInt);
        return op(b, Builtin::NotEqual, TypeTable::kBool, {field(b, r, "k1"), zero});
      });
  const auto divides = [&](std::int64_t by) {
    return rows.stage(ir::RowsOp::Map, rows.rowType, [&](ir::RegionId b, NodeId row) {
      Expressions expressions(rows, b, row);
      const NodeId n = m.addConst(b, Value(by), TypeTable::kInt);
      return expressions.record(
          {op(b, Builtin::RemInt, TypeTable::kInt, {n, field(b, row, "k1")})});
    });
  };
  const auto batch = rows.batch(500);
  compareRuns(rows.plan({divides(100)}), batch);  // some row is 0
  compareRuns(rows.plan({filter, divides(100)}), batch);
  const auto plan = rows.plan({divides(100)});
  std::string why;
  const auto kernel = jitKernel(plan, why);
  ASSERT_NE(kernel, nullptr) << why;
  column::Batch out;
  column::RowError error;
  EXPECT_FALSE(kernel->run(batch, out, error));
  EXPECT_EQ(error.message, "division by zero: 100 % 0");
  // The kernel is as good as new after an error.
  const auto none = rows.batch(0);
  EXPECT_TRUE(kernel->run(none, out, error));
  EXPECT_EQ(out.rows, 0);
}

TEST_F(Plans, SayWhatIsNotSupported) {
  const NodeId map = rows.stage(ir::RowsOp::Map, rows.rowType, [&](ir::RegionId b, NodeId row) {
    Expressions expressions(rows, b, row);
    const NodeId words = op(b, Builtin::SplitSpace, m.types.list(TypeTable::kString),
                            {field(b, row, "k3")});
    return expressions.record({op(b, Builtin::LengthList, TypeTable::kInt, {words})});
  });
  std::string why;
  EXPECT_EQ(jitKernel(rows.plan({map}), why), nullptr);
  EXPECT_EQ(why, "`length` (LengthList)");
}

}  // namespace

}  // namespace couler::jit::test

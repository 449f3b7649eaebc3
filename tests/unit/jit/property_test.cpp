#include <gtest/gtest.h>

#include "compare.h"
#include "random_expression.h"

// The evaluator is the oracle: compiled plans give what it gives, bit for bit but for which of the
// many NaNs it is, and fail where it fails.
namespace couler::jit::test {

namespace {

/// COULER_TEST_SEED: other cases than those that are always run.
std::uint64_t seedOf(int param) {
  const char* from = std::getenv("COULER_TEST_SEED");
  return static_cast<std::uint64_t>(param) + (from == nullptr ? 0 : std::strtoull(from, nullptr, 10));
}

class Seeds : public ::testing::TestWithParam<int> {};

TEST_P(Seeds, ExpressionsGiveWhatTheEvaluatorGives) {
  Rows rows(seedOf(GetParam()));
  const NodeId map = rows.stage(ir::RowsOp::Map, rows.rowType, [&](ir::RegionId body, NodeId row) {
    Expressions expressions(rows, body, row);
    std::vector<NodeId> values;
    for (int i = 0; i < 40; ++i) {
      const Kind kind = kKinds[rows.random.below(8)];
      values.push_back(
          expressions.attempt(kind, [&] { return expressions.make(kind, true, 4); }));
    }
    for (const Builtin part : dateParts()) values.push_back(expressions.datePart(part));
    values.push_back(expressions.column(Kind::Int, false));
    return expressions.record(values);
  });
  const auto plan = rows.plan({map});
  const auto batch = rows.batch(60);
  column::Batch made;
  compareRuns(plan, batch, &made);
  // Where no row has an error, the evaluator was not asked: what passes unchanged is not copied.
  ASSERT_FALSE(made.columns.empty());
  EXPECT_EQ(made.columns.back().values, batch.columns[2].values);
}

TEST_P(Seeds, PipelinesKeepTheSameRows) {
  Rows rows(1'000'000 + seedOf(GetParam()));
  const auto filter = [&](TypeId type) {
    return rows.stage(ir::RowsOp::Filter, type, [&](ir::RegionId body, NodeId row) {
      Expressions expressions(rows, body, row);
      if (rows.random.oneIn(3)) return expressions.make(Kind::Bool, true, 1);
      return expressions.attempt(Kind::Bool,
                                 [&] { return expressions.make(Kind::Bool, true, 3); });
    });
  };
  std::vector<NodeId> stages{filter(rows.rowType)};
  if (rows.random.oneIn(2)) stages.push_back(filter(rows.rowType));
  if (rows.random.oneIn(2)) {
    stages.push_back(rows.stage(ir::RowsOp::Map, rows.rowType, [&](ir::RegionId body, NodeId row) {
      Expressions expressions(rows, body, row);
      std::vector<NodeId> values;
      for (int i = 0; i < 6; ++i) {
        const Kind kind = kKinds[rows.random.below(8)];
        // Every third without `try`: its error fails the run.
        if (rows.random.oneIn(3)) {
          values.push_back(expressions.make(kind, true, 1));
        } else {
          values.push_back(
              expressions.attempt(kind, [&] { return expressions.make(kind, true, 3); }));
        }
      }
      return expressions.record(values);
    }));
  }
  compareRuns(rows.plan(stages), rows.batch(100));
}

INSTANTIATE_TEST_SUITE_P(Jit, Seeds, ::testing::Range(0, 40));

}  // namespace

}  // namespace couler::jit::test

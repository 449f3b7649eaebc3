#include <gtest/gtest.h>

#include "random_expression.h"
#include "runtime/jit/loader.h"

// The evaluator is the oracle: compiled plans give what it gives, bit for bit but for which of the
// many NaNs it is, and fail where it fails.
namespace couler::jit::test {

namespace {

using column::Batch;
using column::RowError;
using column::RowPlan;

std::string shown(const Value& value) { return ir::toSource(value); }

void compareRuns(const RowPlan& plan, const Batch& batch) {
  std::string why;
  const auto compiled = jitKernel(plan, why);
  ASSERT_NE(compiled, nullptr) << why;
  const auto evaluated = column::evaluatorKernel(plan);
  Batch got;
  Batch want;
  RowError gotError;
  RowError wantError;
  const bool ok = compiled->run(batch, got, gotError);
  ASSERT_EQ(ok, evaluated->run(batch, want, wantError)) << wantError.message;
  if (!ok) {
    EXPECT_EQ(gotError.row, wantError.row);
    EXPECT_EQ(gotError.message, wantError.message);
    return;
  }
  ASSERT_EQ(got.rows, want.rows);
  const auto rowId = [](const Batch& b, std::int64_t i) {
    return b.rowIds.empty() ? b.firstRow + i : b.rowIds[static_cast<std::size_t>(i)];
  };
  for (std::int64_t i = 0; i < want.rows; ++i) ASSERT_EQ(rowId(got, i), rowId(want, i));
  std::size_t wrong = 0;
  for (std::size_t c = 0; c < plan.output.fields.size(); ++c) {
    const column::Field& field = plan.output.fields[c];
    for (std::int64_t i = 0; i < want.rows; ++i) {
      const Value a = column::valueAt(field, got.columns[c], i);
      const Value b = column::valueAt(field, want.columns[c], i);
      const double* x = a.as<double>();
      const double* y = b.as<double>();
      if (x != nullptr && y != nullptr && std::isnan(*x) && std::isnan(*y)) continue;
      if (identical(a, b)) continue;
      ADD_FAILURE() << "column " << field.name << " row " << i << ": " << shown(a) << ", not "
                    << shown(b);
      if (++wrong > 5) return;
      break;
    }
  }
}

class Seeds : public ::testing::TestWithParam<int> {};

TEST_P(Seeds, ExpressionsGiveWhatTheEvaluatorGives) {
  Rows rows(static_cast<std::uint64_t>(GetParam()));
  const NodeId map = rows.stage(ir::RowsOp::Map, rows.rowType, [&](ir::RegionId body, NodeId row) {
    Expressions expressions(rows, body, row);
    std::vector<NodeId> values;
    for (int i = 0; i < 40; ++i) {
      const Kind kind = kKinds[rows.random.below(8)];
      values.push_back(
          expressions.attempt(kind, [&] { return expressions.make(kind, true, 4); }));
    }
    return expressions.record(values);
  });
  compareRuns(rows.plan({map}), rows.batch(60));
}

TEST_P(Seeds, PipelinesKeepTheSameRows) {
  Rows rows(1000 + static_cast<std::uint64_t>(GetParam()));
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

INSTANTIATE_TEST_SUITE_P(Jit, Seeds, ::testing::Range(0, 60));

}  // namespace

}  // namespace couler::jit::test

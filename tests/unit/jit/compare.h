#pragma once

#include <cstdlib>

#include <gtest/gtest.h>

#include "row_fixture.h"
#include "runtime/jit/loader.h"

namespace couler::jit::test {

using column::Batch;
using column::RowError;
using column::RowPlan;

/// Nothing is left in the cache of who runs the tests.
inline const int kNoCache = ::setenv("COULER_JIT_CACHE", "off", 1);

/// Runs a plan both ways: the same rows with the same values, or the same error.
inline void compareRuns(const RowPlan& plan, const Batch& batch, Batch* made = nullptr) {
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
  if (made != nullptr) *made = got;
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
      ADD_FAILURE() << "column " << field.name << " row " << i << ": " << ir::toSource(a) << ", not "
                    << ir::toSource(b);
      if (++wrong > 5) return;
      break;
    }
  }
}

}  // namespace couler::jit::test

// Distances with values worked out by hand.
#include "ir/drift.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "ir/eval.h"

namespace couler::ir {
namespace {

NumberBuckets bucketsOf(const std::vector<double>& values) {
  NumberBuckets buckets;
  for (const double x : values) buckets.widen(x);
  for (const double x : values) buckets.count(x);
  return buckets;
}

double half(double p, double m) { return p == 0 ? 0 : p * std::log2(p / m) / 2; }

TEST(Drift, Categories) {
  const Categories a = {{"cash", 3}, {"card", 1}};
  const Categories b = {{"cash", 2}, {"other", 2}};
  EXPECT_DOUBLE_EQ(chebyshev(a, b), 0.5);
  // cash 3/4 and 1/2 about 5/8, card 1/4 and 0, other 0 and 1/2.
  const double wanted = half(0.75, 0.625) + half(0.5, 0.625) + half(0.25, 0.125) + half(0.5, 0.25);
  EXPECT_NEAR(jensenShannon(a, b), wanted, 1e-15);
  EXPECT_EQ(jensenShannon(a, a), 0);
  EXPECT_EQ(jensenShannon({{"x", 5}}, {{"y", 1}}), 1);
  EXPECT_EQ(chebyshev({}, {}), 0);
  EXPECT_EQ(chebyshev({}, b), 1);
  EXPECT_EQ(jensenShannon(a, {}), 1);
}

TEST(Drift, BucketsOfEqualWidth) {
  const NumberBuckets buckets = bucketsOf({0, 1, 1, 9.5, 10, NAN, INFINITY});
  EXPECT_EQ(buckets.finite(), 5);
  EXPECT_EQ(buckets.total(), 7);
  const auto all = buckets.buckets();
  ASSERT_EQ(all.size(), 10U);
  EXPECT_EQ(all[0].count, 1);
  EXPECT_EQ(all[1].count, 2);  // an end belongs to the bucket that it begins
  EXPECT_EQ(all[9].count, 2);  // the last has both its ends
  const auto huge = bucketsOf({-1.7e308, 0, 1.7e308}).buckets();
  EXPECT_EQ(huge[0].count, 1);
  EXPECT_EQ(huge[5].count, 1);
  EXPECT_EQ(huge[9].count, 1);
}

TEST(Drift, NumbersOverTheUnionOfEnds) {
  // a: one in [0, 1), one in [9, 10]; b: one in [0, 2), one in [18, 20]. The ends of both are
  // 0 1 2 … 10 12 … 20: b has a quarter in each of [0, 1) and [1, 2).
  const double wanted = half(0.5, 0.375) + half(0.25, 0.375) + half(0.25, 0.125) +
                        half(0.5, 0.25) + half(0.5, 0.25);
  EXPECT_NEAR(jensenShannon(bucketsOf({0, 10}), bucketsOf({0, 20})), wanted, 1e-12);
  EXPECT_EQ(jensenShannon(bucketsOf({0, 10}), bucketsOf({0, 10})), 0);
  EXPECT_EQ(jensenShannon(bucketsOf({0, 10}), bucketsOf({100, 110})), 1);
}

TEST(Drift, PointsAreKeptApart) {
  EXPECT_EQ(jensenShannon(bucketsOf({5, 5}), bucketsOf({5})), 0);
  EXPECT_EQ(jensenShannon(bucketsOf({5}), bucketsOf({6})), 1);
  EXPECT_EQ(jensenShannon(bucketsOf({5}), bucketsOf({0, 10})), 1);  // though 5 lies within
}

TEST(Drift, NanAndInfinityMatchNothing) {
  const double inf = std::numeric_limits<double>::infinity();
  // Half of both is 5, the other halves are NaN, which match not even each other.
  EXPECT_NEAR(jensenShannon(bucketsOf({5, NAN}), bucketsOf({5, NAN})), 0.5, 1e-15);
  EXPECT_NEAR(jensenShannon(bucketsOf({5, inf}), bucketsOf({5, -inf})), 0.5, 1e-15);
  EXPECT_EQ(jensenShannon(bucketsOf({NAN}), bucketsOf({NAN})), 1);
}

TEST(Drift, OfRecords) {
  const auto row = [](Value text, Value number) {
    return Value::record({{"s", std::move(text)}, {"n", std::move(number)}});
  };
  const ListItems a = {row(std::string("x"), std::int64_t{1}), row(Value(), std::int64_t{3})};
  const ListItems b = {row(std::string("x"), Value()), row(std::string("y"), std::int64_t{1})};
  const Value found = driftOf(a, b, {"s", "n"}, {false, true});
  EXPECT_EQ(*found.field("linf"), Value(0.5));  // missing texts count for nothing
  EXPECT_EQ(*found.field("jsd"), Value(1.0));   // [1, 3] and the point 1
  EXPECT_EQ(*found.field("column"), Value(std::string("n")));
  EXPECT_EQ(found.field("columns")->items().size(), 2U);
  EXPECT_TRUE(found.field("columns")->items()[1].field("linf")->isNone());
}

TEST(Drift, AsABuiltin) {
  using B = Builtin;
  const auto rows = [](std::vector<std::string> texts) {
    ListItems items;
    for (std::string& text : texts) items.push_back(Value::record({{"s", std::move(text)}}));
    return Value::list(std::move(items));
  };
  const Value names = Value::list({Value(std::string("s"))});
  const auto drift = [&](const Value& flags) {
    const EvalResult in[] = {rows({"a", "b"}), rows({"a", "a"}), names, flags};
    return apply(B::Drift, in, Span{});
  };
  const EvalResult found = drift(Value::list({Value(false)}));
  ASSERT_TRUE(std::holds_alternative<Value>(found));
  EXPECT_EQ(*std::get<Value>(found).field("linf"), Value(0.5));
  EXPECT_TRUE(std::holds_alternative<EvalError>(drift(Value::list({}))));
}

}  // namespace
}  // namespace couler::ir

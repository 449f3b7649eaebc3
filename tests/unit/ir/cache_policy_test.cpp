#include "ir/cache_policy.h"

#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace couler::ir {
namespace {

CacheEntry entry(double bytes, double seconds) {
  CacheEntry result;
  result.bytes = bytes;
  result.seconds = seconds;
  return result;
}

/// a -> b -> c, all present.
CacheModel chain() {
  CacheModel model;
  const std::uint32_t a = model.add(entry(100, 10), {});
  const std::uint32_t b = model.add(entry(200, 20), {&a, 1});
  model.add(entry(300, 40), {&b, 1});
  return model;
}

TEST(CachePolicy, NamesAreFoundButForTheOneThatForeknows) {
  for (const CachePolicyInfo& row : cachePolicies()) {
    EXPECT_EQ(word(row.policy), row.name);
    EXPECT_EQ(cachePolicy(row.name).has_value(), !row.foreknows) << row.name;
  }
  EXPECT_FALSE(cachePolicy("").has_value());
}

TEST(CachePolicy, ReconstructionGoesBackToWhatIsPresent) {
  CacheModel model = chain();
  EXPECT_EQ(reconstructionSeconds(model), (std::vector<double>{10, 20, 40}));
  model[0].present = false;
  EXPECT_EQ(reconstructionSeconds(model), (std::vector<double>{10, 30, 40}));
  model[1].present = false;
  EXPECT_EQ(reconstructionSeconds(model), (std::vector<double>{10, 30, 70}));
}

TEST(CachePolicy, WhatIsNeededIsValidWhileItsReaderIsStale) {
  CacheModel model = chain();
  model[0].invalid = 0.1;
  model[1].invalid = 0.3;
  model[2].invalid = 0.8;
  const auto near = [](double a, double b) { EXPECT_NEAR(a, b, 1e-6); };
  std::vector<double> need = needChance(model);
  near(need[0], 0.2);  // b is stale and a is not
  near(need[1], 0.5);
  near(need[2], 0.2);  // nothing reads it: wanted whenever it is valid
  // Without b's bytes, a is read to make b again too.
  model[1].present = false;
  need = needChance(model);
  near(need[0], 0.7);
}

TEST(CachePolicy, ExpectationsFollowFromTheChances) {
  CacheModel model = chain();
  model[0].invalid = 0.1;
  model[1].invalid = 0.3;
  model[2].invalid = 0.8;
  EXPECT_NEAR(expectedSeconds(model), 10 * 0.1 + 20 * 0.3 + 40 * 0.8, 1e-6);
  model[1].present = false;  // read in half of the runs
  EXPECT_NEAR(expectedSeconds(model), 10 * 0.1 + 20 * (0.3 + 0.5) + 40 * 0.8, 1e-4);
  EXPECT_EQ(staleChance(0, 0, 0.25), 0.25);
  EXPECT_GT(staleChance(9, 10, 0.25), 0.7);
  EXPECT_LT(staleChance(0, 10, 0.25), 0.1);
}

TEST(CachePolicy, DensityKeepsWhatIsDearAndSmall) {
  CacheModel model;
  model.add(entry(1e9, 1000), {});   // dear
  model.add(entry(1e9, 1), {});      // cheap
  model.add(entry(50e9, 1000), {});  // dear and large
  EXPECT_EQ(chooseVictims(CachePolicy::Density, model, 2e9), (std::vector<std::uint32_t>{2}));
  EXPECT_EQ(chooseVictims(CachePolicy::Density, model, 1e9), (std::vector<std::uint32_t>{1, 2}));
}

TEST(CachePolicy, SimplePoliciesOrderAsTheyAreCalled) {
  CacheModel model;
  for (int i = 0; i < 3; ++i) {
    CacheUse& use = model.use(model.add(entry(10, 1), {}));
    use.added = i;
    use.lastUse = (i + 1) % 3;
    use.uses = i == 1 ? 1 : 5;
    use.remaining = i;
    use.nextUse = i == 1 ? std::numeric_limits<double>::infinity() : 4 - i;
  }
  const auto first = [&](CachePolicy policy) { return chooseVictims(policy, model, 20); };
  using Victims = std::vector<std::uint32_t>;
  EXPECT_EQ(first(CachePolicy::Fifo), Victims{0});
  EXPECT_EQ(first(CachePolicy::Lru), Victims{2});
  EXPECT_EQ(first(CachePolicy::Lfu), Victims{1});
  EXPECT_EQ(first(CachePolicy::Gdsf), Victims{1});
  EXPECT_EQ(first(CachePolicy::Belady), Victims{1});
  EXPECT_EQ(first(CachePolicy::Remaining), Victims{0});  // dead
  EXPECT_EQ(first(CachePolicy::KeepAll), Victims{});
  EXPECT_EQ(first(CachePolicy::None).size(), 3U);
}

TEST(CachePolicy, TheImportanceAsPrintedFavoursTheLarge) {
  // Two alike but for their size: -e^-V grows with V, and repaired it falls.
  CacheModel model;
  const std::uint32_t source = model.add(entry(1, 60), {});
  for (const double bytes : {0.1e9, 3e9}) {
    const std::uint32_t made = model.add(entry(bytes, 60), {&source, 1});
    model.use(made).remaining = 1;
    model.add(entry(1, 60), {&made, 1});
  }
  const std::vector<double> printed = cacheValues(CachePolicy::Eq6, model);
  EXPECT_LT(printed[1], printed[3]);
  const std::vector<double> repaired = cacheValues(CachePolicy::Eq6Repaired, model);
  EXPECT_GT(repaired[1], repaired[3]);
  EXPECT_EQ(repaired[2], 0);  // dead: nothing is left to read it
}

TEST(CachePolicy, VictimsFitTheBudgetAndSparePinnedOnes) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    CacheModel model;
    const std::size_t n = 1 + random() % (round % 10 == 0 ? 1000 : 40);
    double pinned = 0;
    for (std::uint32_t i = 0; i < n; ++i) {
      CacheEntry one = entry(static_cast<double>(random() % 1000), static_cast<double>(random() % 100));
      one.invalid = static_cast<double>(random() % 100) / 100;
      one.present = random() % 8 != 0;
      one.pinned = random() % 10 == 0;
      if (one.present && one.pinned) pinned += one.bytes;
      std::vector<std::uint32_t> inputs;
      for (std::uint32_t k = 0; k < 2 && i > 0; ++k) inputs.push_back(static_cast<std::uint32_t>(random() % i));
      CacheUse& use = model.use(model.add(one, inputs));
      use.uses = static_cast<double>(random() % 4);
      use.remaining = static_cast<double>(random() % 3);
    }
    const double budget = model.bytes() * static_cast<double>(random() % 100) / 100;
    for (const CachePolicyInfo& row : cachePolicies()) {
      const auto victims = chooseVictims(row.policy, model, budget);
      EXPECT_EQ(victims, chooseVictims(row.policy, model, budget));
      CacheModel left = model;
      for (const std::uint32_t victim : victims) {
        ASSERT_TRUE(left[victim].present && !left[victim].pinned) << row.name;
        left[victim].present = false;
      }
      if (row.policy == CachePolicy::KeepAll) continue;
      EXPECT_LE(left.bytes(), std::max(row.policy == CachePolicy::None ? 0 : budget, pinned) + 1e-6)
          << row.name;
      // Nothing went without need: no victim would fit beside what is left.
      if (row.policy == CachePolicy::None || left.bytes() > budget) continue;
      for (const std::uint32_t victim : victims) {
        EXPECT_GT(left.bytes() + model[victim].bytes, budget) << row.name;
      }
    }
  }
}

}  // namespace
}  // namespace couler::ir

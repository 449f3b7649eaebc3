// Sketches and statistics against plain computation on the same numbers.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "runtime/column/profile.h"
#include "runtime/column/statistics.h"
#include "tests/unit/runtime/column/table_fixture.h"

namespace couler::column {
namespace {

/// How far the rank of the sketch's answer is from the rank asked for, at worst.
double worstRank(const QuantileSketch& sketch, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const QuantileSketch::View view = sketch.view();
  double worst = 0;
  for (int i = 1; i < 100; ++i) {
    const double q = i / 100.0;
    const double answer = view.quantile(q);
    const auto low = std::lower_bound(values.begin(), values.end(), answer) - values.begin();
    const auto high = std::upper_bound(values.begin(), values.end(), answer) - values.begin();
    const double want = q * static_cast<double>(values.size());
    const double off = std::max({0.0, static_cast<double>(low) - want, want - static_cast<double>(high)});
    worst = std::max(worst, off / static_cast<double>(values.size()));
  }
  return worst;
}

TEST(QuantileSketch, ExactForFew) {
  QuantileSketch sketch;
  std::vector<double> values;
  for (int i = 0; i < 2048; ++i) values.push_back((i * 769) % 2048);
  sketch.add(values.data(), values.size());
  EXPECT_TRUE(sketch.exact());
  EXPECT_EQ(sketch.view().quantile(0.5), 1023.5);  // numpy.quantile(range(2048), .5)
  EXPECT_EQ(sketch.view().quantile(0), 0);
  EXPECT_EQ(sketch.view().quantile(1), 2047);
  EXPECT_DOUBLE_EQ(sketch.view().quantile(0.1), 204.7);
  EXPECT_EQ(sketch.view().below(100), 100);
  EXPECT_EQ(sketch.view().below(-1), 0);
  EXPECT_EQ(sketch.view().below(1e9), 2048);
}

TEST(QuantileSketch, WithinItsBoundInAnyOrderAndMerged) {
  std::mt19937_64 random(11);
  std::lognormal_distribution<double> skewed(0, 2);
  for (const int order : {0, 1, 2}) {
    std::vector<double> values(300'000);
    for (double& value : values) value = skewed(random);
    if (order == 1) std::sort(values.begin(), values.end());
    if (order == 2) std::sort(values.begin(), values.end(), std::greater<>());
    QuantileSketch whole;
    for (std::size_t at = 0; at < values.size(); at += 700) {
      whole.add(values.data() + at, std::min<std::size_t>(700, values.size() - at));
    }
    EXPECT_FALSE(whole.exact());
    EXPECT_EQ(whole.count(), 300'000);
    EXPECT_LT(worstRank(whole, values), 0.01) << order;
    QuantileSketch merged;
    for (std::size_t part = 0; part < 300; ++part) {
      QuantileSketch one;
      one.add(values.data() + part * 1000, 1000);
      merged.merge(one);
    }
    EXPECT_EQ(merged.count(), 300'000);
    EXPECT_LT(worstRank(merged, values), 0.01) << order;
    // Weights add up: nothing is lost or counted twice, but for less than one of the top level.
    EXPECT_NEAR(merged.view().below(INFINITY), 300'000, 1);
  }
}

TEST(DistinctCount, ExactThenEstimated) {
  DistinctCount count;
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t i = 0; i < 4000; ++i) count.add(spread(i));
  }
  EXPECT_TRUE(count.exact());
  EXPECT_EQ(count.estimate(), 4000);  // spread(0) is 0, the free slot's word
  for (const std::uint64_t n : {5'000U, 50'000U, 2'000'000U}) {
    DistinctCount many;
    DistinctCount odd;
    for (std::uint64_t i = 0; i < n; ++i) {
      many.add(spread(i));
      if (i % 2 == 1) odd.add(spread(i));
    }
    EXPECT_FALSE(many.exact());
    const auto wanted = static_cast<double>(n);
    EXPECT_NEAR(static_cast<double>(many.estimate()), wanted, wanted * 0.03);
    many.merge(odd);
    EXPECT_NEAR(static_cast<double>(many.estimate()), wanted, wanted * 0.03);
    odd.merge(many);
    EXPECT_EQ(odd.estimate(), many.estimate());
  }
}

TEST(ValueCounts, ExactThenTheFrequent) {
  ValueCounts counts(64);
  std::map<std::string, std::int64_t> truth;
  std::mt19937 random(5);
  ValueCounts other(64);
  for (int i = 0; i < 50'000; ++i) {
    std::string text = "rare " + std::to_string(random());
    if (i % 3 == 0) text = "often";
    if (i % 7 == 0) text = "at times";
    ++truth[text];
    (i % 2 == 0 ? counts : other).add(text, 1);
  }
  counts.merge(other);
  EXPECT_FALSE(counts.exact());
  EXPECT_EQ(counts.count(), 50'000);
  EXPECT_LE(counts.error(), 50'000 / 16);
  const auto top = counts.top(2);
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0].text, "often");
  EXPECT_EQ(top[1].text, "at times");
  for (const ValueCounts::Item& item : counts.all()) {
    const std::int64_t real = truth[std::string(item.text)];
    EXPECT_LE(item.count, real);
    EXPECT_GE(item.count, real - counts.error());
  }
}

TEST(ValueCounts, LongTextsAndLetters) {
  ValueCounts counts;
  const std::string a(1000, 'x');
  counts.add(a + "1", 2);
  counts.add(a + "2", 1);
  counts.add("na\xC3\xAFve", 1);
  counts.add("", 1);
  EXPECT_EQ(counts.distinct(), 4);
  EXPECT_EQ(counts.letters(), 3 * 1001 + 5);
  EXPECT_EQ(counts.shortest(), 0);
  EXPECT_EQ(counts.longest(), 1001);
  EXPECT_EQ(counts.top(1)[0].count, 2);
  EXPECT_TRUE(counts.top(1)[0].cut);
  EXPECT_EQ(counts.top(1)[0].text.size(), ValueCounts::kLongest);
}

class StatisticsTest : public TableTest {
 protected:
  TableStatistics of(const std::string& columns, const std::string& text, bool halves = false) {
    const Schema fields = schema(columns);
    const Read all = read(put("s.csv", text), fields);
    EXPECT_EQ(all.error, "");
    TableStatistics whole(fields);
    if (!halves) {
      whole.add(batchOf(fields, all.rows));
      return whole;
    }
    TableStatistics second(fields);
    const auto middle = all.rows.begin() + static_cast<std::ptrdiff_t>(all.rows.size() / 3);
    whole.add(batchOf(fields, {all.rows.begin(), middle}));
    second.add(batchOf(fields, {middle, all.rows.end()}));
    whole.merge(second);
    return whole;
  }
};

TEST_F(StatisticsTest, Numbers) {
  const std::string text = "x,n\n1,5\n2,\n4,-3\n0,0\nnan,7\ninf,9007199254740993\n3.5,0\n-inf,1\n";
  for (const bool halves : {false, true}) {
    const TableStatistics table = of("x:float n:int?", text, halves);
    EXPECT_EQ(table.rows(), 8);
    const ColumnSummary x = table.columns()[0].summary();
    EXPECT_EQ(x.present, 8);
    EXPECT_EQ(x.missing, 0);
    EXPECT_EQ(x.distinct, 7);  // without NaN
    EXPECT_EQ(x.numbers.finite, 5);
    EXPECT_EQ(x.numbers.nan, 1);
    EXPECT_EQ(x.numbers.infinite, 2);
    EXPECT_EQ(x.numbers.zeros, 1);
    EXPECT_DOUBLE_EQ(x.numbers.mean, 2.1);
    EXPECT_NEAR(x.numbers.deviation, 1.6733200530681511, 1e-15);  // numpy.std(…, ddof=1)
    EXPECT_EQ(x.numbers.min, 0);
    EXPECT_EQ(x.numbers.median, 2);
    EXPECT_EQ(x.numbers.max, 4);
    ASSERT_EQ(x.numbers.widths.size(), 10U);
    std::vector<double> counts;
    for (const Bucket& bucket : x.numbers.widths) counts.push_back(bucket.count);
    EXPECT_EQ(counts, (std::vector<double>{1, 0, 1, 0, 0, 1, 0, 0, 1, 1}));
    const ColumnSummary n = table.columns()[1].summary();
    EXPECT_EQ(n.missing, 1);
    EXPECT_EQ(n.numbers.leastInt, -3);
    EXPECT_EQ(n.numbers.greatestInt, 9007199254740993);
    EXPECT_EQ(n.numbers.zeros, 2);
    EXPECT_EQ(n.distinct, 6);
  }
}

TEST_F(StatisticsTest, OtherKinds) {
  const std::string text =
      "s,b,t,e\nann,true,2024-05-01,A\nbob,false,,B\nann,true,2024-05-03,B\n,true,2024-05-02,B\n";
  for (const bool halves : {false, true}) {
    const TableStatistics table = of("s:string? b:bool t:timestamp? e:A|B", text, halves);
    const ColumnSummary s = table.columns()[0].summary();
    EXPECT_EQ(s.missing, 1);
    EXPECT_EQ(s.distinct, 2);
    EXPECT_EQ(s.texts.meanLength, 3);
    EXPECT_EQ(s.texts.top,
              (std::vector<std::pair<std::string, std::int64_t>>{{"ann", 2}, {"bob", 1}}));
    const ColumnSummary b = table.columns()[1].summary();
    EXPECT_EQ(b.trues, 3);
    EXPECT_EQ(b.distinct, 2);
    const ColumnSummary t = table.columns()[2].summary();
    EXPECT_EQ(ir::timestampText({t.numbers.leastInt}), "2024-05-01T00:00:00Z");
    EXPECT_EQ(ir::timestampText({static_cast<std::int64_t>(t.numbers.median)}),
              "2024-05-02T00:00:00Z");
    const ColumnSummary e = table.columns()[3].summary();
    EXPECT_EQ(e.texts.top,
              (std::vector<std::pair<std::string, std::int64_t>>{{"B", 3}, {"A", 1}}));
  }
}

TEST_F(StatisticsTest, EmptyAndExtreme) {
  const TableStatistics none = of("x:float s:string", "x,s\n");
  EXPECT_EQ(none.columns()[0].summary().numbers.finite, 0);
  EXPECT_TRUE(none.columns()[0].summary().numbers.widths.empty());
  EXPECT_EQ(none.columns()[1].summary().texts.meanLength, 0);
  const TableStatistics wide = of("x:float", "x\n-1.7e308\n1.7e308\n0\n");
  const NumberSummary numbers = wide.columns()[0].summary().numbers;
  double total = 0;
  for (const Bucket& bucket : numbers.widths) {
    EXPECT_TRUE(std::isfinite(bucket.low) && std::isfinite(bucket.high));
    total += bucket.count;
  }
  EXPECT_EQ(total, 3);
  EXPECT_EQ(numbers.median, 0);
}

class ProfileTest : public TableTest {
 protected:
  /// "a:int? b:string" and how many rows were read, or the error.
  std::string types(const std::string& path) {
    const auto found = profileFile(path, {});
    if (const auto* error = std::get_if<StreamError>(&found)) return error->message;
    const auto& profile = std::get<Profile>(found);
    std::string out;
    for (const Field& field : profile.schema.fields) {
      out += field.name + ":" + profile.schema.types->print(field.type) + " ";
    }
    for (const LeftOut& left : profile.leftOut) out += "(" + left.column + " " + left.why + ") ";
    return out + std::to_string(profile.rows) +
           (profile.badRows == 0 ? "" : " bad " + std::to_string(profile.badRows));
  }
};

TEST_F(ProfileTest, CsvTypesComeFromAllRows) {
  EXPECT_EQ(types(put("a.csv", "i,f,b,t,s,e,na\n1,1.5,True,2024/05/01,x,,NA\n-2,2,false,"
                               "2024-05-01T10:00:00Z,\"y,z\",,\n")),
            "i:int f:float b:bool t:timestamp s:string e:string? na:string? 2");
  // What widens comes after the first batch, and in a column that had nothing before.
  std::string text = "a,b,c,d,e\n";
  for (int i = 0; i < 20'000; ++i) text += "1,1,true,,2020-01-01\n";
  text += "2.5,x,maybe,7,soon\n,,,8.5,\n";
  EXPECT_EQ(types(put("late.csv", text)), "a:float? b:string? c:string? d:float? e:string? 20002");
  EXPECT_EQ(types(put("ragged.csv", "a,b\n1,2\n3\n4,5\n")), "a:int b:int 2 bad 1");
  EXPECT_EQ(types(put("big.csv", "a,b\n99999999999999999999,1e999\n")), "a:string b:string 1");
  EXPECT_EQ(types(put("latin.csv", "a\nx\n\xE9t\xE9\n")), "a:string? 2");
  EXPECT_NE(types(at("none.csv")).find("none.csv"), std::string::npos);
  EXPECT_NE(types(put("t.xyz", "a\n1\n")).find("not from `xyz`"), std::string::npos);
  EXPECT_EQ(types(put("noextension", "a\n1\n")), "a:int 1");
}

TEST_F(ProfileTest, MissingIsWhatTheReaderTakesForIt) {
  const auto found = profileFile(put("m.csv", "n,s\nNA,NA\n1,\nnull,x\n"), {});
  ASSERT_TRUE(std::holds_alternative<Profile>(found));
  const auto& profile = std::get<Profile>(found);
  EXPECT_EQ(profile.columns[0].missing(), 2);
  EXPECT_EQ(profile.columns[1].missing(), 1);  // `NA` is a string
  EXPECT_EQ(profile.columns[1].summary().distinct, 2);
}

TEST_F(ProfileTest, JsonLines) {
  EXPECT_EQ(types(put("a.jsonl", "{\"i\":1,\"f\":1,\"s\":\"x\",\"t\":\"2024-05-01\",\"l\":[1,2]}\n"
                                 "{\"f\":2.5,\"s\":\"2024-05-01\",\"t\":\"2024-05-02\",\"l\":[]}\n"
                                 "{\"i\":3,\"f\":\"nan\",\"s\":\"\",\"t\":null,\"l\":[4],"
                                 "\"o\":{\"a\":1},\"m\":1}\n"
                                 "{\"i\":4,\"f\":0,\"s\":\"\",\"l\":[],\"m\":true}\n")),
            "i:int? f:float s:string t:timestamp? l:list<int> (o holds objects or lists of them) "
            "(m holds values of several types) 4");
  EXPECT_EQ(types(put("b.jsonl", "{\"a\":1}\nnonsense\n")), "a:int 1 bad 1");
}

#ifdef COULER_HAS_ARROW
TEST_F(ProfileTest, ArrowAndParquet) {
  const Schema fields = schema("i:int f:float? s:string b:bool t:timestamp d:duration");
  const Read rows = read(put("a.csv", "i,f,s,b,t,d\n1,,x,true,2024-05-01,3 s\n2,1,y,false,2024-05-02,4 s\n"),
                         fields);
  ASSERT_EQ(rows.error, "");
  for (const std::string format : {"arrow", "parquet"}) {
    ASSERT_EQ(write(at("a." + format), format, fields, {batchOf(fields, rows.rows)}), "");
    EXPECT_EQ(types(at("a." + format)),
              "i:int f:float? s:string b:bool t:timestamp d:duration 2");
  }
}
#endif

}  // namespace
}  // namespace couler::column

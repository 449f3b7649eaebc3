#include <algorithm>
#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/driver/command_line.h"

// Steps over files in parts, by the command: what runs again, and what is said about it.
namespace couler::testing {
namespace {

constexpr const char* kProgram = R"(couler 1

schema Sale {
    shop:  string
    item:  int     where item >= 0
    price: float?
}

transform dear(s: Sale) {
    where s.price > 2.0
    ...s
    share = 1000 div s.item
}

transform by_shop(sales: table<dear>) {
    group by sales.shop
    n     = count()
    most  = max(sales.price)
    share = sum(sales.share)
    order by n desc, sales.shop
}

workflow shops(sales: file<csv>) -> (best: file<csv>) {
    return (best: read<Sale>(sales) |> dear |> by_shop)
}

target parts = local { shard_size: 20 kB }
)";

class Shards : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    write("shops.cwl", kProgram);
    for (int i = 0; i < 20'000; ++i) rows_ += row(i);
    write("sales.csv", kHeader + rows_);
  }
  static std::string row(int i) {
    const std::uint64_t bits = static_cast<std::uint64_t>(i + 1) * 6364136223846793005ULL >> 33U;
    return fmt::format("shop {},{},{}.{}\n", bits % 13, 1 + bits / 97 % 89, bits % 10, bits % 7);
  }
  /// What the workflow makes; `steps_` and `reused_` count them.
  std::string made(const std::string& options, const std::string& file = "sales.csv") {
    const Ran ran = sh("\"$COULER\" run shops.cwl sales=" + file + " --outputs-json o.json " + options);
    EXPECT_EQ(ran.code, 0) << ran.err;
    err_ = ran.err;
    const std::string last = ran.err.substr(ran.err.rfind("succeeded: ") + 11);
    steps_ = std::stoi(last);
    const std::size_t reused = last.find(", ");
    reused_ = last.find("reused") == std::string::npos ? 0 : std::stoi(last.substr(reused + 2));
    return slurp(nlohmann::json::parse(read("o.json"))["best"].get<std::string>());
  }

  static constexpr const char* kHeader = "shop,item,price\n";
  std::string rows_;
  std::string err_;
  int steps_ = 0;
  int reused_ = 0;
};

TEST_F(Shards, OnlyWhatAChangeTouchesRunsAgain) {
  const auto whole = [&] { return made("--store whole"); };
  const auto parts = [&] { return made("--shard-size 20kB"); };
  EXPECT_EQ(parts(), whole());
  (void)made("--shard-size 20kB --force");
  const int all = steps_;
  EXPECT_GT(all, 12);
  EXPECT_EQ(parts(), whole());
  (void)parts();
  EXPECT_EQ(steps_, 0);
  // Appended: the last range, perhaps its neighbour; the cut and what puts parts together.
  for (int i = 0; i < 20; ++i) rows_ += row(100'000 + i);
  write("sales.csv", kHeader + rows_);
  std::string made = parts();
  EXPECT_LE(steps_, 4);
  EXPECT_GE(reused_, all - 4);
  EXPECT_EQ(made, whole());
  // In the middle.
  rows_.insert(rows_.find('\n', rows_.size() / 2) + 1, "shop 1,1,9.5\n");
  write("sales.csv", kHeader + rows_);
  made = parts();
  EXPECT_LE(steps_, 5);
  EXPECT_EQ(made, whole());
  // The same rows in a file of another name.
  write("again.csv", kHeader + rows_);
  EXPECT_EQ(this->made("--shard-size 20kB", "again.csv"), made);
  EXPECT_LE(steps_, 1);
  // Another header is another content for each.
  write("sales.csv", "shop,item,price,\n" + rows_);
  const Ran ran = couler({"run", "shops.cwl", "sales=sales.csv", "--shard-size", "20kB"});
  EXPECT_EQ(ran.code, 1);
}

TEST_F(Shards, ATruncatedFileIsTheFirstOfItsParts) {
  (void)made("--shard-size 20kB");
  const int all = steps_;
  rows_.resize(rows_.find('\n', rows_.size() * 2 / 3) + 1);
  write("sales.csv", kHeader + rows_);
  const std::string parts = made("--shard-size 20kB");
  EXPECT_LE(steps_, 4);
  EXPECT_GE(reused_, all / 2);
  EXPECT_EQ(parts, made("--store whole"));
  // In the middle of a row: the same failure, or none, either way.
  write("sales.csv", kHeader + rows_.substr(0, rows_.size() - 3));
  const Ran one = sh("\"$COULER\" run shops.cwl sales=sales.csv --store whole");
  const Ran many = sh("\"$COULER\" run shops.cwl sales=sales.csv --shard-size 20kB");
  EXPECT_EQ(one.code, many.code);
}

TEST_F(Shards, ACompressedFileIsOnePartAndOtherFormatsAreNone) {
  const std::string whole = made("--store whole");
  ASSERT_EQ(sh("gzip -k sales.csv").code, 0);
  EXPECT_EQ(made("--shard-size 20kB", "sales.csv.gz"), whole);
  EXPECT_EQ(steps_, 3);  // the cut, the part, the rest
  (void)made("--shard-size 20kB", "sales.csv.gz");
  EXPECT_EQ(steps_, 0);
  std::string arrow = kProgram;
  arrow.replace(arrow.find("sales: file<csv>"), 16, "sales: file<arrow>");
  write("arrow.cwl", arrow);
  const Ran plan =
      couler({"build", "arrow.cwl", "--shard-size", "20kB", "--print", "plan", "--remarks"});
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_NE(plan.err.find("files of the format arrow are not cut"), std::string::npos) << plan.err;
}

TEST_F(Shards, LargeInputsAreCutUnasked) {
  const auto plan = [&](const std::string& program, const std::string& more = {}) {
    return sh("\"$COULER\" plan " + program + " sales=large.csv " + more).out;
  };
  const std::string part = "write-csv-part";
  ASSERT_EQ(sh("cp sales.csv large.csv && truncate -s 256M large.csv").code, 0);
  EXPECT_NE(plan("shops.cwl").find(part), std::string::npos) << plan("shops.cwl");
  EXPECT_EQ(plan("shops.cwl", "--shard-size 0B").find(part), std::string::npos);
  EXPECT_EQ(plan("shops.cwl", "--disable-pass shard").find(part), std::string::npos);
  // Where a part makes as many rows as it reads, only when asked.
  std::string rows = kProgram;
  rows.replace(rows.find(" |> by_shop"), 11, "");
  write("rows.cwl", rows);
  EXPECT_EQ(plan("rows.cwl").find(part), std::string::npos) << plan("rows.cwl");
  EXPECT_NE(plan("rows.cwl", "--shard-size 64MB").find(part), std::string::npos);
  ASSERT_EQ(sh("truncate -s 255M large.csv").code, 0);
  EXPECT_EQ(plan("shops.cwl").find(part), std::string::npos);
}

TEST_F(Shards, OfManyFilesOnlyTheChangedOnesRunAgain) {
  write("days.cwl", R"(couler 1

task count(day: file) -> (n: int) {
    run sh """
        n=$(wc -l < "$day")
        """
}

workflow main(days: list<file> = glob("days/*.csv")) -> (counts: list<int>, all: int) {
    let counted = for day in days {
        count(day)
    }
    return (counts: counted.n, all: sum(counted.n))
}
)");
  const auto run = [&] {
    const Ran ran = sh("\"$COULER\" run days.cwl");
    EXPECT_EQ(ran.code, 0) << ran.err;
    return ran;
  };
  for (const char* day : {"mon", "tue", "wed"})
    write(std::string("days/") + day + ".csv", "1\n2\n");
  EXPECT_NE(run().out.find("all = 6"), std::string::npos);
  write("days/sun.csv", "1\n");  // between the others
  Ran ran = run();
  EXPECT_NE(ran.out.find("counts = [2,1,2,2]"), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("1 step run, 3 reused"), std::string::npos) << ran.err;
  write("days/tue.csv", "1\n2\n3\n");
  ran = run();
  EXPECT_NE(ran.out.find("all = 8"), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("1 step run, 3 reused"), std::string::npos) << ran.err;
  fs::remove(folder() / "days/mon.csv");
  EXPECT_NE(run().err.find("0 steps run, 3 reused"), std::string::npos);
}

TEST_F(Shards, AreSetByATargetAndLeftOut) {
  const std::string here = made("--target parts");
  EXPECT_GT(steps_, 12);
  EXPECT_EQ(made("--target parts --shard-size 0B"), here);
  EXPECT_EQ(steps_, 1);
  EXPECT_EQ(made("--shard-size 20kB --disable-pass shard"), here);
  EXPECT_EQ(reused_, 1);
  const Ran bad = couler({"run", "shops.cwl", "sales=sales.csv", "--shard-size", "some"});
  EXPECT_EQ(bad.code, 2);
  EXPECT_NE(bad.err.find("a size such as `64MB`"), std::string::npos) << bad.err;
}

TEST_F(Shards, AreForeseenAndExplained) {
  const auto plan = [&] {
    return couler({"plan", "shops.cwl", "sales=sales.csv", "--shard-size", "20kB"}).out;
  };
  EXPECT_NE(plan().find("how often is known at run time"), std::string::npos) << plan();
  (void)made("--shard-size 20kB");
  EXPECT_NE(plan().find("0 to run"), std::string::npos) << plan();
  EXPECT_NE(plan().find("write-csv-part.3"), std::string::npos) << plan();
  rows_ += row(7);
  write("sales.csv", kHeader + rows_);
  (void)made("--shard-size 20kB");
  const std::size_t last = err_.rfind("start   write-csv-part.");
  ASSERT_NE(last, std::string::npos) << err_;
  const std::string step = err_.substr(last + 8, err_.find('\n', last) - last - 8);
  const Ran why = couler({"why", step});
  EXPECT_NE(why.out.find("input `rows` changed"), std::string::npos) << why.out;
  EXPECT_EQ(why.out.find("sales.csv"), std::string::npos) << why.out;
}

TEST_F(Shards, NameTheLinesOfTheWholeFile) {
  std::string bad = rows_;
  const std::size_t at = bad.find('\n', bad.size() * 3 / 4) + 1;
  const auto line = 2 + std::count(bad.begin(), bad.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  write("sales.csv", kHeader + std::string(bad).insert(at, "shop 1,none,1.0\n"));
  const auto said = [&](const std::string& options) {
    const Ran ran = sh("\"$COULER\" run shops.cwl sales=sales.csv " + options);
    EXPECT_EQ(ran.code, 1);
    return ran.err;
  };
  const std::string place = fmt::format("sales.csv:{}: column `item`", line);
  EXPECT_NE(said("").find(place), std::string::npos) << said("");
  EXPECT_NE(said("--shard-size 20kB").find(place), std::string::npos);
  write("sales.csv", kHeader + std::string(bad).insert(at, "shop 1,0,9.0\n"));
  const std::string row = fmt::format(", row {}: division by zero", line - 1);
  EXPECT_NE(said("").find(row), std::string::npos) << said("");
  EXPECT_NE(said("--shard-size 20kB").find(row), std::string::npos) << said("--shard-size 20kB");
}

}  // namespace
}  // namespace couler::testing

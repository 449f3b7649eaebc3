#include <algorithm>
#include <cstdint>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/driver/command_line.h"

namespace couler::testing {
namespace {

using Exec = CommandLine;

constexpr const char* kProgram = R"(couler 1

schema Sale {
    shop:  string
    item:  int
    price: float?
}

transform best(sales: table<Sale>, kept: table<Sale>) {
    semi join kept on sales.item == kept.item
    group by sales.shop, sales.item
    n     = count()
    total = sum(sales.price)
    order by total desc, sales.shop
}

workflow shops(sales: file<csv>) -> (best: file<csv>) {
    let rows = read<Sale>(sales)
    return (best: rows |> best(rows))
}
)";

/// Enough rows that they are compiled and dealt out to threads.
std::string sales() {
  std::string text = "shop,item,price\n";
  std::uint64_t random = 7;
  for (int i = 0; i < 250'000; ++i) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::uint64_t bits = random >> 33U;
    text += fmt::format("shop {},{},{}\n", bits % 97, bits / 97 % 89,
                        bits % 13 == 0 ? "" : fmt::format("{}.{}", bits % 1000, bits % 7));
  }
  return text;
}

TEST_F(Exec, MakesTheSameFileWithAnyThreadsAndMemory) {
  write("shops.cwl", kProgram);
  write("sales.csv", sales());
  const auto made = [&](const std::string& settings) {
    const Ran ran = sh("rm -rf .couler out.csv; " + settings +
                       " \"$COULER\" run shops.cwl sales=sales.csv -q >/dev/null && "
                       "cp .couler/objects/*/*/best.csv out.csv");
    EXPECT_EQ(ran.code, 0) << settings << ran.err;
    return read("out.csv");
  };
  const std::string one = made("");
  EXPECT_EQ(std::count(one.begin(), one.end(), '\n'), 97 * 89 + 1);
  for (const char* settings : {"COULER_THREADS=2", "COULER_THREADS=5", "COULER_MEMORY='1 MiB'",
                               "COULER_THREADS=3 COULER_MEMORY=1MiB"}) {
    EXPECT_TRUE(made(settings) == one) << settings;
  }
}

TEST_F(Exec, RefusesSettingsThatAreNone) {
  write("shops.cwl", kProgram);
  write("sales.csv", "shop,item,price\na,1,2.0\n");
  const auto said = [&](const std::string& settings) {
    const Ran ran = sh("rm -rf .couler; " + settings + " \"$COULER\" run shops.cwl sales=sales.csv");
    EXPECT_NE(ran.code, 0);
    return ran.err;
  };
  EXPECT_NE(said("COULER_THREADS=0").find("the threads must be a number from 1 to 256, not `0`"),
            std::string::npos);
  EXPECT_NE(said("COULER_MEMORY=little").find("the memory must be a size of at least 1 MiB"),
            std::string::npos);
}

}  // namespace
}  // namespace couler::testing

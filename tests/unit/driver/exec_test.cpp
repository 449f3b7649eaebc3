#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

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

// What a transform may take is told to the command and to the scheduler; what comes out is the same,
// and so a step that is there is not made again.
TEST_F(Exec, TakesWhatATransformMay) {
  std::string program = kProgram;
  write("sales.csv", sales());
  const auto made = [&](const std::string& settings) {
    std::string text = program;
    const std::string begin = "transform best(sales: table<Sale>, kept: table<Sale>) {\n";
    text.insert(text.find(begin) + begin.size(), settings + "\n");
    write("shops.cwl", text);
    const Ran ran = couler({"run", "shops.cwl", "sales=sales.csv"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    return ran.err;
  };
  EXPECT_NE(made("").find("2 steps run"), std::string::npos);
  const std::string one = sh("cat .couler/objects/*/*/best.csv").out;
  for (const char* settings :
       {"resources { cpu: 3 }", "resources { memory: 64 MiB }", "timeout 5 min; retry 1",
        "resources { cpu: 2.5, memory: 3 MiB, disk: 1 GiB }"}) {
    EXPECT_NE(made(settings).find("0 steps run, 2 reused"), std::string::npos) << settings;
    EXPECT_EQ(sh("rm -rf .couler").code, 0);
    EXPECT_NE(made(settings).find("2 steps run"), std::string::npos) << settings;
    EXPECT_TRUE(sh("cat .couler/objects/*/*/best.csv").out == one) << settings;
  }
}

TEST_F(Exec, CountsTheCoresOfATransform) {
  const auto began = [&](const char* cores) {
    write("two.cwl", fmt::format(R"(couler 1
schema Row {{ n: int }}
transform twice(r: Row, by: int) {{
    resources {{ cpu: {} }}
    n = r.n * by
}}
workflow main(rows: file<csv>) -> (all: list<file>) {{
    let two = read<Row>(rows) |> twice(2)
    let three = read<Row>(rows) |> twice(3)
    let four = read<Row>(rows) |> twice(4)
    return (all: [write<csv>(two), write<csv>(three), write<csv>(four)])
}}
)", cores));
    write("rows.csv", "n\n1\n2\n");
    const Ran ran = sh("rm -rf .couler; \"$COULER\" run two.cwl rows=rows.csv --jobs 2");
    EXPECT_EQ(ran.code, 0) << ran.err;
    std::vector<std::string> words;
    for (std::size_t at = 0; at < ran.err.size(); at = ran.err.find('\n', at) + 1) {
      words.push_back(ran.err.substr(at, ran.err.find(' ', at) - at));
    }
    words.pop_back();  // the sum of the run
    return words;
  };
  // The read, which all share, then the others.
  const std::vector<std::string> oneByOne = {"start", "ok", "start", "ok",
                                             "start", "ok", "start", "ok"};
  EXPECT_EQ(began("2"), oneByOne);
  EXPECT_EQ(began("1.5"), oneByOne);
  const std::vector<std::string> together = began("1");
  ASSERT_EQ(together.size(), oneByOne.size());
  EXPECT_EQ(together[3], "start");
}

// Cases of an enum are in the order of their declaration, whoever works out the keys.
TEST_F(Exec, SortsByEnumCases) {
  write("tones.cwl", R"(couler 1

enum Tone { low, mid, high }
schema Note { id: int, tone: Tone?, text: string }

transform ordered(notes: table<Note>) {
    _rough = if notes.id % 5 < 2 { Tone.mid } else { Tone.low }
    order by notes.tone desc, _rough, notes.id % 10
    limit 60_000
    ...notes
}
workflow main(notes: file<csv>) -> (notes: file<csv>) {
    return (notes: read<Note>(notes) |> ordered)
}
test "ordered" {
    let notes = for tone in ["low", "high", "mid"] { Note(id: length(tone), text: tone, tone: if tone == "low" { Tone.low } else { if tone == "mid" { Tone.mid } else { Tone.high } }) }
    expect ordered([...notes, Note(id: 9, text: "")]).tone == [Tone.high, Tone.mid, Tone.low, none]
}
)");
  constexpr const char* kTones[] = {"low", "mid", "high", ""};
  const std::string more(40, 'x');  // so that it is large enough to be compiled
  std::string text = "id,tone,text\n";
  std::vector<std::pair<int, int>> notes;
  std::uint64_t random = 11;
  for (int i = 0; i < 100'000; ++i) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const int tone = static_cast<int>(random >> 62U);
    text += fmt::format("{},{},{}\n", i, kTones[tone], more);
    notes.emplace_back(i, tone);
  }
  write("notes.csv", text);
  const auto key = [](const std::pair<int, int>& note) {
    const auto& [id, tone] = note;
    return std::array{tone == 3 ? 3 : 2 - tone, id % 5 < 2 ? 1 : 0, id % 10};
  };
  std::stable_sort(notes.begin(), notes.end(),
                   [&](const auto& a, const auto& b) { return key(a) < key(b); });
  std::string expected = "id,tone,text\n";
  for (std::size_t i = 0; i < 60'000; ++i) {
    expected += fmt::format("{},{},{}\n", notes[i].first, kTones[notes[i].second], more);
  }
  EXPECT_EQ(couler({"test", "tones.cwl"}).code, 0);
  for (const char* settings : {"", "COULER_THREADS=3 COULER_MEMORY=1MiB", "COULER_JIT_LIBRARY=/none"}) {
    const Ran ran = sh(std::string("rm -rf .couler; ") + settings +
                       " \"$COULER\" run tones.cwl notes=notes.csv >/dev/null");
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_TRUE(sh("cat .couler/objects/*/*/ordered.csv").out == expected) << settings;
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

#include <filesystem>

#include "runtime/store/reused_rows.h"
#include "tests/unit/runtime/fixture.h"

namespace couler::runtime::testing {
namespace {

StepRow rowOf(std::int64_t seq, std::string step, std::string after, double started) {
  StepRow row;
  row.seq = seq;
  row.step = std::move(step);
  row.task = "t";
  row.status = RowStatus::Reused;
  row.started = started;
  row.key = hashText(row.step);
  row.after = std::move(after);
  return row;
}

TEST(ReusedRows, AreReadAsTheyWereAdded) {
  const std::vector<StepRow> rows = {
      rowOf(1, "a", "", 0), rowOf(127, "b.0", "1", 0.25), rowOf(128, std::string(300, 'x'), "1 127", 1),
      rowOf(std::int64_t{1} << 40, std::string("odd \0 \xff", 7), "128", 1e6)};
  ReusedRows packed;
  EXPECT_TRUE(packed.empty());
  for (const StepRow& row : rows) packed.add(row);
  EXPECT_EQ(packed.count(), rows.size());
  ReusedReader reader(packed.bytes());
  StepRow read;
  for (const StepRow& row : rows) {
    ASSERT_TRUE(reader.next(read));
    EXPECT_EQ(read.seq, row.seq);
    EXPECT_EQ(read.step, row.step);
    EXPECT_EQ(read.task, row.task);
    EXPECT_EQ(read.status, RowStatus::Reused);
    EXPECT_EQ(read.after, row.after);
    EXPECT_EQ(read.key, row.key);
    EXPECT_DOUBLE_EQ(read.started, row.started);
  }
  EXPECT_FALSE(reader.next(read));
  // Cut off anywhere, it gives whole rows and then ends.
  for (std::size_t size = 0; size < packed.bytes().size(); ++size) {
    ReusedReader cut(packed.bytes().substr(0, size));
    std::size_t whole = 0;
    while (cut.next(read)) ++whole;
    EXPECT_LT(whole, rows.size());
  }
}

class HistoryTest : public EngineTest {
 protected:
  History history() {
    auto opened = History::open(folder / "store", diags);
    EXPECT_TRUE(opened.has_value()) << messages();
    return std::move(*opened);
  }
};

TEST_F(HistoryTest, TellsOfReusedStepsAsOfOthers) {
  const auto program = [](const std::string& word) {
    return "task one(n: int) -> (o: file = \"o.txt\") { run [\"sh\", \"-c\", \"echo $1 > o.txt\", "
           "\"-\", n] }\n"
           "task two(a: file) -> (o: file = \"o.txt\") { run [\"sh\", \"-c\", \"cat $1 > o.txt; echo " +
           word +
           "\", \"-\", a] }\n"
           "workflow main() -> (o: file) { let x = one(1)\n let y = two(x.o)\n return (o: y.o) }\n";
  };
  for (const char* word : {"a", "a", "b", "b"}) good(program(word));
  const History past = history();
  const auto runs = past.runs(10);
  ASSERT_EQ(runs.size(), 4U);
  EXPECT_EQ(runs[2].reused, 2U);
  const auto first = past.steps(1);
  const auto second = past.steps(2);
  ASSERT_EQ(first.size(), 2U);
  ASSERT_EQ(second.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(first[i].status, "succeeded");
    EXPECT_EQ(second[i].status, "reused");
    EXPECT_EQ(second[i].step, first[i].step);
    EXPECT_EQ(second[i].task, first[i].task);
    EXPECT_EQ(second[i].key, first[i].key);
    EXPECT_EQ(second[i].after, first[i].after);
    EXPECT_TRUE(second[i].logPath.empty());
    EXPECT_FALSE(past.keyParts(2, second[i].step).empty());
  }
  EXPECT_EQ(second[1].after, std::vector<std::string>{"x"});
  // One step reused and one run: in order of their numbers.
  const auto third = past.steps(3);
  ASSERT_EQ(third.size(), 2U);
  EXPECT_EQ(third[0].step + " " + third[0].status, "x reused");
  EXPECT_EQ(third[1].step + " " + third[1].status, "y succeeded");
  EXPECT_EQ(third[1].after, std::vector<std::string>{"x"});
  const auto why = past.why(3, "y");
  ASSERT_TRUE(why.has_value());
  EXPECT_EQ(why->comparedRun, 2);
  EXPECT_EQ(why->changes.size(), 1U);
  const auto again = past.why(4, "y");
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->reused);
  EXPECT_EQ(again->comparedRun, 2);
  EXPECT_FALSE(past.why(4, "z").has_value());
}

TEST_F(HistoryTest, ManyResultsAreReadAtOnceAndStillChecked) {
  // More steps than from which on they are read in one query.
  const std::string program =
      "task t(n: int) -> (o: file = \"o.txt\") { run [\"sh\", \"-c\", \"echo $1 > o.txt\", \"-\", "
      "\"{n}\"] }\n"
      "workflow main() -> (o: list<file>) { return (o: (for n in 0..300 { t(n) }).o) }\n";
  EXPECT_EQ(good(program).succeeded, 300U);
  EXPECT_EQ(good(program).reused, 300U);
  const std::string gone = output("o").items()[7].as<ir::FileRef>()->path;
  const std::string changed = output("o").items()[200].as<ir::FileRef>()->path;
  std::filesystem::remove(gone);
  std::filesystem::remove(changed);
  write(changed, "no\n");
  good(program);
  EXPECT_EQ(result.succeeded, 2U);
  EXPECT_EQ(result.reused, 298U);
  EXPECT_EQ(read(gone), "7\n");
  EXPECT_EQ(read(changed), "200\n");
  EXPECT_EQ(good(program).reused, 300U);
}

TEST_F(EngineTest, AFolderUsedAgainIsAsNew) {
  options.jobs = 1;
  good(R"cwl(
task t(n: int) -> (seen: int, mode: string, o: file = "o.txt") {
  run sh """
    seen=$(ls -A | wc -l)
    mode=$(stat -c %a .)
    echo $n > "$o"
    if [ $((n % 3)) = 1 ]; then echo left > junk; mkdir deep; fi
    if [ $((n % 3)) = 2 ]; then chmod 711 .; fi
    """
}
workflow main() -> (seen: list<int>, mode: list<string>) {
  let all = for n in 0..12 { t(n) }
  return (seen: all.seen, mode: all.mode)
}
)cwl");
  for (const ir::Value& seen : output("seen").items()) EXPECT_EQ(ir::toText(seen), "0");
  for (const ir::Value& mode : output("mode").items()) EXPECT_EQ(mode, output("mode").items()[0]);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "store/work"), {}), 0);
}

TEST_F(EngineTest, WordsOfTextAndInputsAndPathsArriveWhole) {
  const auto program = [](int n) {
    return "task t(n: int, s: string, f: float) -> (o: file = \"o.txt\") {\n"
           "  run [\"sh\", \"-c\", \"echo $1 $2 > $(echo $3 | cut -c6-)\", \"-\", \"a{n}b{s}\", \"{f}\", "
           "\"--to={o}\"]\n}\n"
           "workflow main() -> (o: file) { return (o: t(" +
           std::to_string(n) + ", \"x y\", 1.5).o) }\n";
  };
  good(program(1));
  EXPECT_EQ(content("o"), "a1bx y 1.5\n");
  good(program(2));
  EXPECT_EQ(content("o"), "a2bx y 1.5\n");
  EXPECT_EQ(good(program(1)).reused, 1U);
}

}  // namespace
}  // namespace couler::runtime::testing

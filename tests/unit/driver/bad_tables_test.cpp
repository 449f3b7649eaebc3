// Bad input of steps over tables, through `couler exec` and `couler run`: one clear error with its
// place, exit 1, and nothing left behind.
#include <cstdint>
#include <fstream>
#include <set>

#include <nlohmann/json.hpp>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/unit/driver/command_line.h"

namespace couler::testing {
namespace {

/// A plan that reads `x, name` and writes them, sorted by 30 div x.
std::string planOf(const std::string& from, const std::string& to, bool sorted = true) {
  const std::string sort =
      "    %3 = rows sort 0(%1) { (%4 row: R)\n"
      "      %5 = field x(%4) : int\n"
      "      %6 = const 30 : int\n"
      "      %7 = op DivInt(%6, %5) : int\n"
      "      yield %7\n"
      "    } : table<R>\n"
      "    yield %3\n";
  return "couler-ir 1\nschema R from \"\" { x: int, name: string }\ntask t {\n"
         "  param file: file<" + from + ">\n  output rows: file<" + to + "> path \"out\"\n"
         "  result (rows: file<" + to + ">)\n  exprs { (%0 file: file<" + from + ">)\n"
         "    %1 = rows read fail(%0) { (%2 row: R)\n    } : table<R> [pointwise]\n" +
         (sorted ? sort : "    yield %1\n") + "  }\n  run table\n}\n";
}

class BadTables : public CommandLine {
 protected:
  /// What `couler exec` says of one file; that it failed, wrote nothing and left nothing.
  std::string refusal(const std::string& file, const std::string& from = "csv",
                      const std::string& to = "csv", const std::string& before = "") {
    const std::set<std::string> were = names();
    const Ran ran = exec(file, "out." + to, from, to, before);
    EXPECT_EQ(ran.code, 1) << ran.err;
    EXPECT_EQ(names(), were);
    return ran.err;
  }
  [[nodiscard]] Ran exec(const std::string& file, const std::string& out, const std::string& from,
                         const std::string& to, const std::string& before = "",
                         const std::string& options = "") const {
    return sh(before + "\"$COULER\" exec " + options + " --plan " + quote(planOf(from, to)) + " " +
              file + " " + out);
  }
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder())) found.insert(entry.path().filename());
    return found;
  }
  void expectSays(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  /// 100,000 rows take some 2 MB.
  void writeMany(const std::string& name, std::int64_t rows = 100'000) const {
    std::ofstream out(folder() / name);
    out << "x,name\n";
    for (std::int64_t i = 0; i < rows; ++i) out << (i * 7919) % 300'007 + 1 << ",number " << i << '\n';
  }
};

TEST_F(BadTables, RaggedRows) {
  write("t.csv", "x,name\n1,a\n2\n3,b,c\n\n4,d\n");
  const std::string said = refusal("t.csv");
  expectSays(said, "t.csv:3: the row has 1 cell, the header 2 (2 anomalies in all)");
  expectSays(said, "2 rows; t.csv:3");
  expectSays(said, "t.csv:4");
}

TEST_F(BadTables, WrongEncodings) {
  write("latin.csv", "x,name\n1,a\n2,caf\xE9\n");
  expectSays(refusal("latin.csv"), "latin.csv:3: column `name` holds `caf\\xE9`, which is not UTF-8");
  write("wide.csv", std::string("\xFF\xFE" "x\0,\0n\0a\0m\0e\0\n\0", 16));
  expectSays(refusal("wide.csv"), "wide.csv: is UTF-16");
  write("nul.csv", std::string("x\0,name\n", 8));
  expectSays(refusal("nul.csv"), "nul.csv:1: is not text");
  write("latin.jsonl", "{\"x\": 1, \"name\": \"caf\xE9\"}\n");
  expectSays(refusal("latin.jsonl", "jsonl"), "latin.jsonl:1: ");
}

TEST_F(BadTables, MixedTypes) {
  write("t.csv", "x,name\n1,a\nabc,b\n1.5,c\n,d\n99999999999999999999,e\n");
  const std::string said = refusal("t.csv");
  expectSays(said, "t.csv:3: column `x` holds `abc`, which is not an int (4 anomalies in all)");
  expectSays(said, "missing in `x`: 1 row; t.csv:5");
  expectSays(said, "out-of-range in `x`: 1 row; t.csv:6 `99999999999999999999`");
  write("t.jsonl", "{\"x\": 1, \"name\": \"a\"}\n{\"x\": \"1\", \"name\": 3}\n[]\n{\"x\": 1\n");
  const std::string lines = refusal("t.jsonl", "jsonl");
  expectSays(lines, "t.jsonl:2: column `x`");
  expectSays(lines, "malformed: 2 rows; t.jsonl:3 `[]`");
}

TEST_F(BadTables, HeadersThatDoNotMatch) {
  write("t.csv", "x,nmae\n1,a\n");
  expectSays(refusal("t.csv"), "t.csv:1: the header has no column `name`; it has `nmae`");
  write("semi.csv", "x;name\n1;a\n");
  expectSays(refusal("semi.csv"), "semi.csv:1: the columns are separated by `;`");
  write("twice.csv", "x,x\n1,2\n");
  expectSays(refusal("twice.csv"), "twice.csv:1: the header names column `x` twice");
  write("empty.csv", "");
  expectSays(refusal("empty.csv"), "empty.csv: is empty");
  write("open.csv", "x,name\n1,\"a\n2,b\n");
  expectSays(refusal("open.csv"), "open.csv:2: the quoted cell that begins here has no closing quote");
  expectSays(refusal("absent.csv"), "absent.csv: cannot be opened: No such file or directory");
  expectSays(refusal("."), ".: is a folder, not a file");
}

TEST_F(BadTables, ExpressionsWithoutAValueNameTheirPlace) {
  write("a.cwl",
        "couler 1\n\nschema R { x: int, y: int, name: string? }\n\n"
        "transform t(r: R, by: int = 2) {\n    twice = r.x * by\n    part = 1 +\n"
        "        (r.x + r.y) div (r.y - 3)\n    ...r\n}\n\n"
        "transform s(rows: table<t>) {\n    group by rows.name\n    total = sum(rows.twice)\n}\n\n"
        "workflow w(f: file<csv>) -> (o: file<csv>) {\n    return (o: read<R>(f) |> t |> s)\n}\n");
  const auto says = [&](const std::string& rows) {
    write("t.csv", "x,y,name\n" + rows);
    const Ran ran = couler({"run", "a.cwl", "f=t.csv"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_TRUE(ran.out.empty()) << ran.out;
    return ran.err;
  };
  expectSays(says("1,2,a\n5,3,b\n"),
             "a.cwl:8:9: t, row 2: division by zero: 8 div 0 (x = 5, y = 3)");
  expectSays(says("9223372036854775807,2,\n"),
             "a.cwl:6:13: t, row 1: overflow: 9223372036854775807 * 2 does not fit in an int "
             "(x = 9223372036854775807)");
  const std::string large = "4000000000000000000,4,a\n";
  expectSays(says(large + large), "a.cwl:14:13: s, row 2: ");
  // A line more above moves the place, and is no reason to run a step again.
  const Ran fine = sh("printf 'x,y,name\\n1,2,a\\n' > t.csv; \"$COULER\" run a.cwl f=t.csv && "
                      "{ echo '// more'; cat a.cwl; } > b && mv b a.cwl && "
                      "\"$COULER\" run a.cwl f=t.csv");
  EXPECT_EQ(fine.code, 0) << fine.err;
  expectSays(fine.err, "0 steps run, 1 reused");
  expectSays(says("1,2,a\n5,3,b\n"), "a.cwl:9:9: ");
}

TEST_F(BadTables, OneCellOfAGigabyte) {
  // Through a pipe, within 1 GB of address space; the address sanitizer needs more for itself.
#if defined(__SANITIZE_ADDRESS__)
  const std::string limit;
#else
  const std::string limit = "ulimit -v 1000000; ";
#endif
  const std::string big = limit + "mkfifo big; ";
  const auto after = [&] { fs::remove(folder() / "big"); };
  const std::string a = "(printf 'x,name\\n1,'; head -c 1G /dev/zero | tr '\\0' a) > big 2>/dev/null & ";
  const Ran csv = exec("big", "out.csv", "csv", "csv", big + a);
  EXPECT_EQ(csv.code, 1);
  expectSays(csv.err, "big:2: a cell is longer than 64.0 MiB");
  after();
  const std::string q = "(printf 'x,name\\n1,\"'; head -c 1G /dev/zero | tr '\\0' a) > big 2>/dev/null & ";
  const Ran quoted = exec("big", "out.csv", "csv", "csv", big + q);
  EXPECT_EQ(quoted.code, 1);
  expectSays(quoted.err, "does it lack its closing quote?");
  after();
  const std::string j =
      "(printf '{\"x\": 1, \"name\": \"'; head -c 1G /dev/zero | tr '\\0' a) > big 2>/dev/null & ";
  const Ran line = exec("big", "out.csv", "jsonl", "csv", big + j);
  EXPECT_EQ(line.code, 1);
  expectSays(line.err, "big:1: ");
  after();
  // A megabyte of gzip.
  const std::string z =
      "(printf 'x,name\\n1,'; head -c 256M /dev/zero) | gzip -1 > big.gz; ";
  const Ran bomb = exec("big.gz", "out.csv", "csv", "csv", limit + z);
  EXPECT_EQ(bomb.code, 1);
  expectSays(bomb.err, "big.gz:2: a cell is longer than 64.0 MiB");
  fs::remove(folder() / "big.gz");
  EXPECT_TRUE(names().empty());
}

TEST_F(BadTables, FilesThatAreCutShort) {
  writeMany("many.csv");
  ASSERT_EQ(sh("gzip -k many.csv").code, 0);
  for (const std::string form : {"arrow", "parquet"}) {
    const Ran made = exec("many.csv", "many." + form, "csv", form);
    if (form == "parquet" && made.err.find("need Arrow's library") != std::string::npos) continue;
    ASSERT_EQ(made.code, 0) << made.err;
  }
  for (const auto& [name, form] :
       {std::pair{"many.csv.gz", "csv"}, {"many.arrow", "arrow"}, {"many.parquet", "parquet"}}) {
    if (!exists(name)) continue;
    const auto size = fs::file_size(folder() / name);
    for (const std::uintmax_t left : {size - 1, size / 2, std::uintmax_t{9}}) {
      const std::string cut = "cut" + fs::path(name).extension().string();
      fs::copy_file(folder() / name, folder() / cut, fs::copy_options::overwrite_existing);
      fs::resize_file(folder() / cut, left);
      expectSays(refusal(cut, form), cut + ": ");
      fs::remove(folder() / cut);
    }
  }
  if (sh("command -v zstd").code == 0) {
    ASSERT_EQ(sh("zstd -q many.csv -o many.zst && head -c 1000 many.zst > cut.zst").code, 0);
    expectSays(refusal("cut.zst"), "cut.zst: the zstd data ends in the middle");
  }
}

TEST_F(BadTables, ExistingFilesAreLeftAlone) {
  write("t.csv", "x,name\n1,a\n");
  write("out.csv", "mine");
  expectSays(refusal("t.csv"), "out.csv: cannot be created: File exists");
  EXPECT_EQ(read("out.csv"), "mine");
  const Ran same = exec("t.csv", "t.csv", "csv", "csv");
  EXPECT_EQ(same.code, 1);
  EXPECT_EQ(read("t.csv"), "x,name\n1,a\n");
}

TEST_F(BadTables, OutputsThatMayNotGrow) {
  writeMany("many.csv");
  for (const std::string form : {"csv", "jsonl", "arrow"}) {
    expectSays(refusal("many.csv", "csv", form, "ulimit -f 1000; "),
               "out." + form + ": cannot be written: File too large");
  }
  const std::string said = refusal("many.csv", "csv", "parquet", "ulimit -f 1000; ");
  if (said.find("need Arrow's library") == std::string::npos) expectSays(said, "out.parquet: ");
}

TEST_F(BadTables, AFullDisk) {
  writeMany("many.csv", 200'000);
  fs::create_directory(folder() / "disk");
  if (::mount("none", (folder() / "disk").c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "no small disk to fill: a tmpfs cannot be mounted here";
  }
  for (const std::string form : {"csv", "jsonl", "arrow"}) {
    const Ran ran = exec("many.csv", "disk/out", "csv", form);
    EXPECT_EQ(ran.code, 1);
    expectSays(ran.err, "disk/out: cannot be written: No space left on device");
  }
  // While rows are put aside: the folder of the step is full.
  const Ran aside = exec("../many.csv", "../out.csv", "csv", "csv", "cd disk; ", "--memory 1MiB");
  EXPECT_EQ(aside.code, 1);
  expectSays(aside.err, "rows that do not fit in memory: ");
  expectSays(aside.err, "No space left on device");
  EXPECT_TRUE(fs::is_empty(folder() / "disk"));
  EXPECT_FALSE(exists("out.csv"));
  EXPECT_EQ(::umount((folder() / "disk").c_str()), 0);
  const Ran fine = exec("many.csv", "out.csv", "csv", "csv", "", "--memory 1MiB");
  EXPECT_EQ(fine.code, 0) << fine.err;
  EXPECT_EQ(names(), (std::set<std::string>{"disk", "many.csv", "out.csv"}));
}

TEST_F(BadTables, AKilledProcessPublishesNothing) {
  // The reader waits for the rest of its pipe, with rows already written, when it is killed.
  const Ran ran = sh(
      "mkfifo rows; \"$COULER\" exec --plan " + quote(planOf("csv", "csv", false)) +
      " rows out.csv 2>/dev/null & pid=$!\n"
      "exec 3> rows; printf 'x,name\\n' >&3\n"
      "seq 1000000 | sed 's/$/,row/' >&3\n"
      "kill -KILL $pid; wait $pid; echo \"ended $?\"; ls out.csv*");
  expectSays(ran.out, "ended 137");
  EXPECT_EQ(ran.out.find("out.csv\n"), std::string::npos) << ran.out;
  expectSays(ran.out, "out.csv.part-");
}

TEST_F(BadTables, WithoutTheLibraries) {
  const std::string none = "export COULER_ARROW_LIBRARY=/nowhere COULER_JIT_LIBRARY=/nowhere; ";
  writeMany("many.csv", 300'000);  // large enough to compile for
  ASSERT_EQ(exec("many.csv", "with.csv", "csv", "csv").code, 0);
  const Ran without = exec("many.csv", "without.csv", "csv", "csv", none);
  EXPECT_EQ(without.code, 0) << without.err;
  EXPECT_EQ(without.err,
            "note: rows are evaluated, not compiled: there is no libcouler_jit.so for this program\n"
            "rows: 300000 rows\n");
  EXPECT_EQ(read("without.csv"), read("with.csv"));
  expectSays(refusal("many.csv", "csv", "parquet", none),
             "out.parquet: parquet files need Arrow's library");
  write("t.parquet", "PAR1");
  expectSays(refusal("t.parquet", "parquet", "csv", none),
             "t.parquet: parquet files need Arrow's library");
}

TEST_F(BadTables, NothingOfAFailedStepIsPublished) {
  write("a.cwl",
        "couler 1\n\nschema R { x: int, name: string }\n\n"
        "transform t(r: R) { part = 30 div r.x }\n\n"
        "workflow w(f: file<csv>) -> (o: file<csv>) {\n    return (o: read<R>(f) |> t)\n}\n");
  std::ofstream(folder() / "t.csv") << [] {
    std::string rows = "x,name\n";
    for (int i = 0; i < 20'000; ++i) rows += "1,a\n";
    return rows + "0,b\n";
  }();
  const Ran ran = couler({"run", "a.cwl", "f=t.csv"});
  EXPECT_EQ(ran.code, 1);
  expectSays(ran.err, "a.cwl:5:28: t, row 20001: division by zero: 30 div 0 (x = 0)");
  const Ran left = sh("find .couler -name '*.csv*' -o -name 'couler-*'");
  EXPECT_EQ(left.out, "");
}

// ---- columns of other names

TEST_F(BadTables, ColumnsOfOtherNamesAreReadFromEveryFormat) {
  write("t.csv", "Body Mass (g),\"q\"\"x\",if\n10,a,true\n-5,b,false\n");
  const Ran inferred = couler({"schema", "infer", "t.csv", "--name", "S"});
  ASSERT_EQ(inferred.code, 0) << inferred.err;
  expectSays(inferred.out, "    body_mass_g: int from \"Body Mass (g)\"\n");
  expectSays(inferred.out, "    q_x:         string from \"q\\\"x\"\n");
  expectSays(inferred.out, "    column_3:    bool from \"if\"\n");
  write("a.cwl", inferred.out +
                     "workflow w(f: file) -> (o: file<csv>) { return (o: read<S>(f)) }\n");
  const Ran csv = sh("\"$COULER\" run a.cwl f=t.csv -q --outputs-json o.json");
  EXPECT_EQ(csv.code, 0) << csv.err;
  const auto output = [&] {
    return slurp(nlohmann::json::parse(read("o.json"))["o"].get<std::string>());
  };
  EXPECT_EQ(output(), "body_mass_g,q_x,column_3\n10,a,true\n-5,b,false\n");
  write("t.jsonl", "{\"if\": true, \"q\\\"x\": \"a\", \"Body Mass (g)\": 7}\n");
  EXPECT_EQ(sh("\"$COULER\" run a.cwl f=t.jsonl -q --outputs-json o.json").code, 0);
  EXPECT_EQ(output(), "body_mass_g,q_x,column_3\n7,a,true\n");
  write("t.csv", "body_mass_g,q_x,if\n10,a,true\n");
  const Ran other = sh("\"$COULER\" run a.cwl f=t.csv -q");
  EXPECT_EQ(other.code, 1);
  expectSays(other.err, "t.csv:1: the header has no column `Body Mass (g)`");
}

}  // namespace
}  // namespace couler::testing

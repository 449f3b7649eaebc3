// Parquet files by others (parquet/make.py): their rows, what is wrong with them, damage.

#include <random>

#include "runtime/column/predicate.h"
#include "tests/unit/runtime/column/table_fixture.h"

namespace couler::column {
namespace {

#ifdef COULER_HAS_ARROW

constexpr const char* kColumns =
    "n:int? i:int x:float? f:float b:bool? s:string? p:string t:timestamp?";

class ParquetTest : public TableTest {
 protected:
  static std::string corpus(const std::string& name) {
    return std::string(COULER_SOURCE_DIR) + "/tests/unit/runtime/column/parquet/" + name;
  }
};

TEST_F(ParquetTest, RowsAreThoseOfTheSameInJson) {
  const Schema columns = schema(kColumns);
  const Read expected = read(corpus("groups.jsonl"), columns);
  ASSERT_EQ(expected.rows.size(), 600U);
  for (const char* name : {"groups.parquet", "pages.parquet", "bare.parquet"}) {
    const Read found = read(corpus(name), columns);
    EXPECT_EQ(found.ids, expected.ids);
    EXPECT_EQ(shown(found), shown(expected)) << name;
    // Enums, which Parquet knows as texts.
    const Schema cases = schema("s:0|a0|é0? p:row");
    ReadOptions keep;
    keep.onBad = ir::BadRows::Keep;
    const Read texts = read(corpus("groups.jsonl"), cases, keep);
    const Read enums = read(corpus(name), cases, keep);
    EXPECT_EQ(enums.log.total(), texts.log.total()) << name;
    EXPECT_GT(texts.log.total(), 1000);
    EXPECT_EQ(shown(read(corpus(name), schema("s:0|a0|é0|none? p:string"), keep)),
              shown(read(corpus("groups.jsonl"), schema("s:0|a0|é0|none? p:string"), keep)));
  }
}

TEST_F(ParquetTest, WhatIsWrongIsFoundInEveryRowGroup) {
  ReadOptions keep;
  keep.onBad = ir::BadRows::Keep;
  const Read found = read(corpus("dirty.parquet"), schema("n:int s:string p:string z:size"), keep);
  EXPECT_EQ(found.error, "");
  EXPECT_EQ(found.rows.size(), 595U);
  EXPECT_EQ(found.log.text("t"),
            "not-utf-8 in `s`: 2 rows; dirty.parquet row 151 `\\xFF`, dirty.parquet row 600 `\\xFF`\n"
            "not-utf-8 in `p`: 1 row; dirty.parquet row 152 `\\xFF151`\n"
            "missing in `n`: 1 row; dirty.parquet row 251\n"
            "out-of-range in `z`: 1 row; dirty.parquet row 351 `-1`\n");
}

TEST_F(ParquetTest, LateColumnsComeForTheRowsThatAreLeft) {
  const Schema columns = schema(kColumns);
  const Read all = read(corpus("pages.parquet"), columns);
  ReadOptions late;
  late.late.assign(columns.fields.size(), true);
  late.late[1] = false;
  late.unused.assign(columns.fields.size(), false);
  late.unused[3] = true;
  AnomalyLog log;
  StreamError error;
  const auto source = openSource(corpus("pages.parquet"), columns, late, log, error);
  ASSERT_TRUE(source) << error.message;
  EXPECT_TRUE(source->defers());
  std::size_t at = 0;
  while (auto batch = source->next()) {
    EXPECT_TRUE(batch->columns[1].values);
    EXPECT_FALSE(batch->columns[0].values);
    if (at == 0) {  // no row of the first batch is asked for
      at += static_cast<std::size_t>(batch->rows);
      continue;
    }
    Batch some;
    some.rows = 2;
    some.rowIds = {batch->firstRow + 3, batch->firstRow + batch->rows - 1};
    some.firstRow = some.rowIds.front();
    some.columns.resize(columns.fields.size());
    ASSERT_TRUE(source->fill(some));
    EXPECT_FALSE(some.columns[3].values);
    for (const std::int64_t row : {0, 1}) {
      const ir::Value& expected = all.rows[static_cast<std::size_t>(some.rowIds[static_cast<std::size_t>(row)])];
      for (const std::size_t field : {0U, 2U, 4U, 5U, 7U}) {
        EXPECT_EQ(ir::toJson(valueAt(columns.fields[field], some.columns[field], row)),
                  ir::toJson(expected.named()[field].second));
      }
    }
    at += static_cast<std::size_t>(batch->rows);
  }
  EXPECT_EQ(at, all.rows.size());
}

TEST_F(ParquetTest, RowGroupsWithoutWantedRowsAreSkipped) {
  const Schema columns = schema("n:int? x:float? t:timestamp?");
  ReadOptions options;
  const auto only = [&](std::size_t field, ir::Builtin op, auto constant) {
    options.only = std::make_shared<Predicate>(Predicate{{{field, op, constant, false}}});
    return read(corpus("groups.parquet"), columns, options).ids;
  };
  const auto ints = only(0, ir::Builtin::GreaterEqual, std::int64_t{39});  // rows 590 to 599
  ASSERT_EQ(ints.size(), 100U);
  EXPECT_EQ(ints.front(), 500);
  // The fourth group has NaNs alone, and so no statistics.
  EXPECT_EQ(only(1, ir::Builtin::Greater, 1000.0).size(), 100U);
  options.onBad = ir::BadRows::Keep;
  // Where something may be wrong with a row, it is looked at.
  options.only = std::make_shared<Predicate>(
      Predicate{{{0, ir::Builtin::GreaterEqual, std::int64_t{1000}, false}}});
  const Read strict = read(corpus("dirty.parquet"), schema("n:int z:size"), options);
  EXPECT_EQ(strict.log.total(), 2);
  const Read some = read(corpus("dirty.parquet"), schema("n:int"), options);
  EXPECT_EQ(some.log.total(), 1);
  EXPECT_EQ(some.ids.size(), 99U);
}

TEST_F(ParquetTest, AFileThatChangesWhileItIsReadIsAnError) {
  const auto path = at("t.parquet");
  for (const char* name : {"groups.parquet", "dirty.parquet"}) {
    const bool general = std::string_view(name) == "dirty.parquet";
    // A column that needs a conversion is read by Arrow's own arrays.
    const Schema columns = general ? schema("n:float? p:string?") : schema(kColumns);
    const auto last = [&](auto&& meanwhile) {
      std::filesystem::copy_file(corpus(name), path, std::filesystem::copy_options::overwrite_existing);
      std::filesystem::last_write_time(path, {});
      AnomalyLog log;
      StreamError error;
      ReadOptions drop;
      drop.onBad = ir::BadRows::Drop;
      const auto source = openSource(path, columns, drop, log, error);
      EXPECT_TRUE(source && source->next()) << error.message;
      meanwhile();
      while (source->next()) {
      }
      return source->error() ? source->error()->message : std::string();
    };
    EXPECT_EQ(last([] {}), "") << name;
    EXPECT_EQ(last([&] { std::filesystem::resize_file(path, 1000); }),
              path + ": was changed while it was read");
    EXPECT_EQ(last([&] { std::fstream(path, std::ios::in | std::ios::out) << "PAR1"; }),
              path + ": was changed while it was read");
  }
}

TEST_F(ParquetTest, DamageIsAnErrorOrOtherRows) {
  std::mt19937_64 random(5);
  const Schema columns = schema(kColumns);
  for (const char* name : {"groups.parquet", "pages.parquet", "bare.parquet"}) {
    const std::string whole = get(corpus(name));
    int errors = 0;
    for (int i = 0; i < 200; ++i) {
      std::string damaged = whole;
      for (std::uint64_t flips = 1 + random() % 3; flips > 0; --flips) {
        damaged[random() % damaged.size()] = static_cast<char>(random());
      }
      const Read found = read(put("t.parquet", damaged), columns);
      if (found.error.empty()) {
        EXPECT_EQ(found.rows.size(), 600U);
      } else {
        EXPECT_TRUE(found.error.starts_with(at("t.parquet"))) << found.error;
        ++errors;
      }
    }
    EXPECT_GT(errors, 10);
  }
}

#endif

}  // namespace
}  // namespace couler::column

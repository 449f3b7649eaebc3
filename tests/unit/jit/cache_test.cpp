#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "row_fixture.h"
#include "runtime/jit/loader.h"
#include "runtime/jit/object_cache.h"

namespace couler::jit::test {

namespace {

namespace fs = std::filesystem;

class Cache : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("couler_jit_cache_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    ::setenv("COULER_JIT_CACHE", folder_.c_str(), 1);
  }
  void TearDown() override {
    ::setenv("COULER_JIT_CACHE", "off", 1);
    fs::remove_all(folder_);
  }
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    if (!fs::exists(folder_)) return found;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      // That the self-test of this process went well may be there, too.
      if (!entry.path().filename().string().starts_with("tested-")) found.push_back(entry.path());
    }
    return found;
  }
  /// k1 + `addend`, of each row, after `before` columns that are k1 as it is.
  static void addsUp(std::int64_t addend, std::size_t before = 0) {
    Rows rows(1);
    const NodeId map = rows.stage(ir::RowsOp::Map, rows.rowType, [&](ir::RegionId b, NodeId row) {
      ir::Module& m = rows.module;
      const NodeId x = m.add(b, ir::Field{m.intern("k1")}, TypeTable::kInt,
                             std::vector<NodeId>{row});
      const NodeId n = m.addConst(b, Value(addend), TypeTable::kInt);
      const NodeId sum = m.add(b, ir::Op{Builtin::AddInt}, TypeTable::kInt,
                               std::vector<NodeId>{x, n});
      std::vector<NodeId> columns(before, x);
      columns.push_back(sum);
      std::vector<ir::TypeField> fields;
      for (std::size_t i = 0; i < columns.size(); ++i) {
        fields.push_back({"c" + std::to_string(i), TypeTable::kInt});
      }
      return m.add(b, ir::Op{Builtin::MakeRecord}, m.types.record(fields), columns);
    });
    ir::NamedItems items;
    for (const ir::TypeField& field : rows.module.types[rows.rowType].fields) {
      items.emplace_back(field.name, field.name == "k1" ? Value(std::int64_t{2}) : Value());
    }
    const auto plan = rows.plan({map});
    const auto batch = column::batchOf(plan.input, {Value::record(items)});
    std::string why;
    const auto kernel = jitKernel(plan, why);
    ASSERT_NE(kernel, nullptr) << why;
    column::Batch out;
    column::RowError error;
    ASSERT_TRUE(kernel->run(batch, out, error)) << error.message;
    EXPECT_EQ(out.columns[before].values->as<std::int64_t>()[0], 2 + addend);
  }
  fs::path folder_;
};

TEST_F(Cache, TellsWhereColumnsStand) {
  addsUp(5);
  addsUp(5, 1);
  addsUp(5, 2);
  EXPECT_EQ(files().size(), 3U);
}

TEST_F(Cache, KeepsOneFileAPlan) {
  addsUp(5);
  ASSERT_EQ(files().size(), 1U);
  const auto written = fs::last_write_time(files()[0]);
  addsUp(5);
  EXPECT_EQ(files().size(), 1U);
  EXPECT_EQ(fs::last_write_time(files()[0]), written);
  addsUp(6);
  EXPECT_EQ(files().size(), 2U);
}

TEST_F(Cache, RebuildsWhatIsBroken) {
  addsUp(5);
  ASSERT_EQ(files().size(), 1U);
  const fs::path path = files()[0];
  std::string whole;
  {
    std::ifstream in(path, std::ios::binary);
    whole.assign(std::istreambuf_iterator<char>(in), {});
  }
  const auto restoredAfter = [&](const std::string& content) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    addsUp(5);
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {}) == whole;
  };
  EXPECT_TRUE(restoredAfter(""));
  EXPECT_TRUE(restoredAfter(whole.substr(0, whole.size() / 2)));
  std::string flipped = whole;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  EXPECT_TRUE(restoredAfter(flipped));
  EXPECT_EQ(files().size(), 1U) << "a temporary file was left";
}

TEST_F(Cache, WorksWithoutAFolder) {
  ::setenv("COULER_JIT_CACHE", "off", 1);
  addsUp(5);
  ::setenv("COULER_JIT_CACHE", "/proc/none", 1);
  addsUp(5);
  EXPECT_TRUE(files().empty());
}

}  // namespace

}  // namespace couler::jit::test

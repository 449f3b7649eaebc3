#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/column/batch.h"
#include "runtime/column/stream.h"

/// Tables for benchmarks: made up, or read from a file, and kept in memory.
namespace couler::bench {

struct Table {
  column::Schema schema;
  std::vector<column::Batch> batches;
  std::int64_t rows = 0;
};

/// A table as a source; cheap, the batches are shared.
class TableSource final : public column::Source {
 public:
  explicit TableSource(const Table& table) : table_(table) {}
  [[nodiscard]] const column::Schema& schema() const override { return table_.schema; }
  std::optional<column::Batch> next() override {
    if (at_ == table_.batches.size()) return std::nullopt;
    return table_.batches[at_++];
  }

 private:
  const Table& table_;
  std::size_t at_ = 0;
};

/// The tables of bench/pipelines.cwl, the same for a number of rows on every machine. As Arrow
/// files `trips.arrow` (`rows` rows), `texts.arrow` (a quarter of them) and `places.arrow` (100,000)
/// in `folder`. False and a message when they cannot be written.
bool makeTables(const std::string& folder, std::int64_t rows, std::string& error);

/// All rows of an Arrow file.
bool readTable(const std::string& path, const column::Schema& schema, Table& table,
               std::string& error);

}  // namespace couler::bench

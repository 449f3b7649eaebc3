#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "runtime/column/arrow_layout.h"
#include "runtime/column/bad_rows.h"
#include "runtime/column/builder.h"
#include "runtime/column/cells.h"
#include "runtime/column/stream.h"

namespace couler::column {

/// One column of the record batch at hand, as Arrow lays it out.
struct Loaded {
  std::shared_ptr<Buffer> memory;       ///< what the pointers below point into
  const std::uint8_t* valid = nullptr;  ///< bits; null: all are
  const char* values = nullptr;         ///< or the offsets of strings
  const char* text = nullptr;
  std::int64_t textSize = 0;
  bool checked = false;  ///< the strings are UTF-8
  /// Left out of batches until `fill`; until then, `memory` may be null.
  bool deferred = false;
};

/// Rows from Arrow's layout in memory; who derives from it gets the record batches.
class ArrowRows : public Source {
 public:
  [[nodiscard]] const Schema& schema() const override { return schema_; }
  std::optional<Batch> next() override;
  [[nodiscard]] bool defers() const override { return defers_; }
  bool fill(Batch& batch) override;

 protected:
  ArrowRows(std::string path, const Schema& schema, const ReadOptions& options, AnomalyLog& log);

  enum class Load : std::uint8_t { Rows, End, Failed };
  /// Fills `loaded_`, for the columns that are wanted, and `loadedRows_` with the next record
  /// batch.
  virtual Load load() = 0;
  /// Reads a column that `load` deferred.
  virtual bool loadDeferred(std::size_t field) = 0;
  /// Whether `fill` may be what takes a column, if it lacks no value that it must have.
  [[nodiscard]] bool mayDefer(std::size_t field) const { return late_[field]; }

  bool fail(std::string_view what) {
    error_ = StreamError{fmt::format("{}: {}", path_, what)};
    return false;
  }
  bool damaged() {
    return fail("is not a sound Arrow file: its content does not fit its metadata");
  }
  /// Checks the offsets of strings against their bytes, and the bytes.
  bool checkTexts(const arrow::FileColumn& column, std::int64_t rows, Loaded& loaded);
  [[nodiscard]] static std::int64_t offsetAt(const arrow::FileColumn& column, const Loaded& loaded,
                                             std::int64_t i);

  std::string path_;
  Schema schema_;
  BatchBuilder batch_;
  std::vector<arrow::FileColumn> columns_;  // by field
  std::unordered_map<std::int64_t, std::vector<std::string>> dictionaries_;
  std::vector<Loaded> loaded_;  // by field
  std::int64_t loadedRows_ = 0;

 private:
  bool take(std::int64_t rows);
  bool takeColumn(std::size_t field, std::int64_t first, std::int64_t rows, ColumnBuilder& column);
  void takeMissing(std::size_t field, std::int64_t first, std::int64_t rows, ColumnBuilder& column);
  void takeTexts(std::size_t field, std::int64_t first, std::int64_t rows, ColumnBuilder& column);
  void takeValues(std::size_t field, std::int64_t first, std::int64_t rows, ColumnBuilder& column);
  bool takeIndexes(std::size_t field, std::int64_t first, std::int64_t rows, ColumnBuilder& column);
  Column pick(std::size_t field, const Batch& batch) const;
  [[nodiscard]] static bool isThere(const Loaded& loaded, std::int64_t i) {
    return loaded.valid == nullptr || ((loaded.valid[i / 8] >> (i % 8)) & 1) != 0;
  }
  void badCell(AnomalyKind kind, std::size_t field, std::int64_t row, std::string_view text) {
    bad_.badCell(kind, field, rowId_ + row, row, text, batch_, [] { return std::int64_t{0}; });
  }

  BadRowPolicy bad_;
  std::vector<std::optional<CaseIndex>> caseIndexes_;  // by field
  std::vector<bool> late_;                             // by field: may be deferred
  std::vector<bool> unused_;                           // by field: and stays so
  bool defers_ = false;
  std::int64_t taken_ = 0;                             // of the loaded rows
  std::int64_t rowId_ = 0;                             // of the first row of the batch
  std::int64_t givenRows_ = 0;                         // of the batch given last
  bool ended_ = false;
};

}  // namespace couler::column

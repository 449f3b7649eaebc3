#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "runtime/column/batch.h"

/// How readers fill batches.
namespace couler::column {

/// Copies of strings for the Texts of one column. Grows by blocks, so that no Text moves.
class TextHeap {
 public:
  [[nodiscard]] Text add(std::string_view bytes);
  /// Room for `bytes`, of which `keep` later keeps the first. Null when there is no memory.
  [[nodiscard]] char* room(std::size_t bytes);
  void keep(std::size_t bytes) { used_ += bytes; }
  /// Hands its blocks over and starts anew.
  void moveTo(std::vector<std::shared_ptr<const Buffer>>& heaps);

 private:
  std::vector<std::shared_ptr<Buffer>> blocks_;
  std::size_t used_ = 0;  // of the last block
};

struct ColumnBuilder {
  std::shared_ptr<Buffer> values;  ///< null: unwanted, or of kind Value
  std::shared_ptr<Buffer> valid;
  std::vector<std::shared_ptr<const Buffer>> heaps;
  std::shared_ptr<std::vector<ir::Value>> boxed;
  TextHeap heap;

  template <class T>
  [[nodiscard]] T& at(std::int64_t row) {
    return values->as<T>()[row];
  }
};

/// One batch at a time, filled by rows or by columns.
class BatchBuilder {
 public:
  /// `wanted`: by field; empty: all. The schema outlives the builder.
  BatchBuilder(const Schema& schema, const std::vector<bool>& wanted);

  /// Whether `start` makes room for a column; else the reader brings its values, or none.
  void setRoom(std::size_t field, bool room) { room_[field] = room; }
  /// Begins a batch of at most `capacity` rows. False when there is no memory.
  [[nodiscard]] bool start(std::int64_t firstRow, std::int64_t capacity = kBatchRows);
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] bool full() const { return rows_ == capacity_; }
  [[nodiscard]] bool wants(std::size_t field) const { return wanted_[field]; }
  /// A further row, which is row `id` of the source; pre: not full. Its index.
  std::int64_t addRow(std::int64_t id);
  /// `count` rows, the first of which is row `id` and which follow each other; pre: empty.
  void addRows(std::int64_t id, std::int64_t count);
  [[nodiscard]] ColumnBuilder& column(std::size_t field) { return columns_[field]; }
  void setMissing(std::size_t field, std::int64_t row);
  /// Leaves a row out of the batch, or all.
  void drop(std::int64_t row);
  void dropAll();
  [[nodiscard]] Batch finish();

 private:
  void compact(Batch& batch);

  const Schema& schema_;
  std::vector<bool> wanted_;
  std::vector<bool> room_;
  std::vector<ColumnBuilder> columns_;
  std::vector<std::int64_t> ids_;
  std::vector<std::uint8_t> dropped_;
  std::int64_t firstRow_ = 0;
  std::int64_t capacity_ = 0;
  std::int64_t rows_ = 0;
  bool anyDropped_ = false;
  bool gaps_ = false;  // the rows' ids do not follow each other
};

}  // namespace couler::column

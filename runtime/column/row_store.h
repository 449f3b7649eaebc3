#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "runtime/column/batch.h"

/// Rows that an operator keeps: columns that grow.
namespace couler::column {

/// Hashes of rows by the columns named: equal cells have equal hashes; 0.0 and -0.0 are equal, as
/// are all NaNs, and none equals none.
void hashRows(const Schema& schema, const Batch& batch, std::span<const std::uint32_t> columns,
              std::vector<std::uint64_t>& hashes);
/// Whether two cells of columns of one kind are equal in that sense.
[[nodiscard]] bool sameCell(Kind kind, const Column& a, std::int64_t rowA, const Column& b,
                            std::int64_t rowB);
/// Some rows of a batch.
struct Selection {
  std::size_t count = 0;
  const std::uint32_t* rows = nullptr;  ///< null: the first `count`
  [[nodiscard]] std::size_t at(std::size_t i) const { return rows == nullptr ? i : rows[i]; }
};
/// Sets `differs[i]` where the cell of row i of the selection is not that of row `rows[i]` of
/// `kept`, which has at least one row; what is set for rows beyond it says nothing.
void markDifferent(Kind kind, const Column& kept, std::span<const std::uint32_t> rows,
                   const Column& given, const Selection& selection,
                   std::span<std::uint8_t> differs);
/// The bits of a number, the same for all that are equal in that sense.
[[nodiscard]] std::uint64_t canonicalBits(double x);
/// Order of two cells: values ascending (or descending), then NaN, then none. As a compare function.
[[nodiscard]] int compareCells(Kind kind, const Column& a, std::int64_t rowA, const Column& b,
                               std::int64_t rowB, bool descending);
/// The rows `take` of a batch, in that order; the buffers are new, strings are shared.
[[nodiscard]] Batch gather(const Schema& schema, const Batch& batch,
                           std::span<const std::int64_t> take);

/// Rows kept whole, strings copied. Appending is amortised O(cells).
class RowStore {
 public:
  explicit RowStore(Schema schema);

  /// Appends the rows `take` of a batch of the store's schema.
  void append(const Batch& batch, std::span<const std::int64_t> take);
  void append(const Batch& batch);
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  /// Bytes of memory held.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] const Schema& schema() const { return schema_; }
  /// All rows as one batch, of any size, which points into the store: valid until it next grows.
  [[nodiscard]] Batch view() const;
  /// Its rows `take`, which share the store's strings and keep them alive; the first `columns`
  /// columns. May be called from several threads at once.
  [[nodiscard]] Batch gather(std::span<const std::int64_t> take, std::size_t columns) const;
  [[nodiscard]] Batch gather(std::span<const std::int64_t> take) const {
    return gather(take, columns_.size());
  }
  void clear();

 private:
  struct Growing {
    std::vector<std::uint8_t> values;  ///< of widthOf(kind) bytes each; 64 more for reading past
    std::vector<std::uint8_t> valid;   ///< empty while all are
  };
  char* textRoom(std::size_t bytes);

  Schema schema_;
  std::vector<Growing> columns_;
  std::shared_ptr<std::vector<std::shared_ptr<Buffer>>> heaps_;  ///< all alive while one is used
  std::size_t heapUsed_ = 0;  ///< of the last heap
  std::int64_t rows_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace couler::column

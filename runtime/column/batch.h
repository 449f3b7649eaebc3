#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/types.h"
#include "ir/value.h"
#include "runtime/column/buffer.h"

/// Typed rows in memory, a column at a time (docs/tables.md).
namespace couler::column {

/// How the values of a column lie in memory.
enum class Kind : std::uint8_t {
  Bool,       ///< std::uint8_t, 0 or 1
  Int,        ///< std::int64_t
  Float,      ///< double
  String,     ///< Text: UTF-8, checked when it was read
  Timestamp,  ///< std::int64_t: microseconds since 1970 in UTC
  Duration,   ///< std::int64_t: microseconds
  Size,       ///< std::int64_t: bytes
  Enum,       ///< std::int32_t: index of the case
  Value       ///< none in memory: a type that only the evaluator knows (a list, a record)
};

/// How values of a type that is not optional are kept.
[[nodiscard]] Kind kindOf(ir::TypeKind kind);

/// A string of a column: bytes in one of its heaps, or anywhere that outlives the column.
struct Text {
  const char* data = nullptr;
  std::int64_t size = 0;
  [[nodiscard]] std::string_view view() const {
    return {data, static_cast<std::size_t>(size)};
  }
};

struct Field {
  std::string name;
  ir::TypeId type;  ///< as declared; `T?` where optional
  Kind kind = Kind::Int;
  bool optional = false;
  std::vector<std::string> cases;  ///< Enum
};
struct Schema {
  std::vector<Field> fields;
  /// Where the fields' types are; outlives the schema. Only fields of kind Value need it: their
  /// cells in files are JSON, which reads back by its type.
  const ir::TypeTable* types = nullptr;
  /// Index of a field, or -1.
  [[nodiscard]] int find(std::string_view name) const;
};
/// The columns of a Schema or Record type. A field of a type that no column holds (a list, a map)
/// has kind Value.
[[nodiscard]] Field fieldOf(const ir::TypeTable& types, std::string name, ir::TypeId type);
[[nodiscard]] Schema schemaOf(const ir::TypeTable& types, ir::TypeId row);
/// Bytes of one value of that kind; 0 for Value.
[[nodiscard]] std::size_t widthOf(Kind kind);

/// One column of a batch.
struct Column {
  std::shared_ptr<const Buffer> values;  ///< `rows` values; those of missing cells are zero bytes
  std::shared_ptr<const Buffer> valid;   ///< a byte a row, 1 or 0; null: every cell has a value
  std::vector<std::shared_ptr<const Buffer>> heaps;  ///< what Texts point into
  std::shared_ptr<const std::vector<ir::Value>> boxed;  ///< Kind::Value: a value a row
};

/// Rows kept together: small enough that the columns of a pipeline stay in a core's cache.
inline constexpr std::int64_t kBatchRows = 8192;

/// Up to kBatchRows rows. Cheap to copy: the buffers are shared.
struct Batch {
  std::int64_t rows = 0;
  std::vector<Column> columns;  ///< as the schema's fields; one with no `values` was not asked for
  /// Where the rows stood in their source, from 0. Empty: `firstRow` and those after it.
  std::vector<std::int64_t> rowIds;
  std::int64_t firstRow = 0;
};

/// The number of a row in its source.
[[nodiscard]] inline std::int64_t rowId(const Batch& batch, std::int64_t row) {
  return batch.rowIds.empty() ? batch.firstRow + row : batch.rowIds[static_cast<std::size_t>(row)];
}
/// The cells of some rows; `picked` names them. Throws std::bad_alloc.
[[nodiscard]] Column pickCells(const Column& from, Kind kind,
                               std::span<const std::int32_t> picked);

/// A cell as a value of the language, and back. For small tables, errors and tests: slow.
[[nodiscard]] ir::Value valueAt(const Field& field, const Column& column, std::int64_t row);
/// Rows (records in the order of the schema's fields) as one batch.
[[nodiscard]] Batch batchOf(const Schema& schema, const std::vector<ir::Value>& rows);
/// All rows of a batch, as records.
void appendRows(const Schema& schema, const Batch& batch, std::vector<ir::Value>& rows);

}  // namespace couler::column

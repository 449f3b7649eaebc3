#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Parquet whose columns need no conversion, as libcouler_arrow.so reads it: a row group at a time,
/// each of its columns from front to back, at their own pace.
namespace couler::column {

/// How the cells of a column lie in memory: a byte, 8 bytes, or a std::string_view.
enum class ParquetCells : std::uint8_t { Bool, Int, Float, Text, Timestamp, Duration };

/// What is known of the values of a column in a part of a file.
struct ValueRange {
  std::int64_t missing = -1;  ///< rows without a value; -1: unknown
  /// The least and the greatest of the others, but for NaNs; nothing: unknown, or no numbers.
  std::optional<std::pair<std::int64_t, std::int64_t>> ints;
  std::optional<std::pair<double, double>> floats;
};

/// Some rows of a column's next ones.
struct ParquetRows {
  std::int64_t rows = 0;                 ///< that are passed, at most those of the row group
  const std::int32_t* picked = nullptr;  ///< which of them are stored, ascending; null: all
  std::size_t count = 0;                 ///< how many are stored
};

/// Keeps texts whose memory is about to go.
class TextKeeper {
 public:
  virtual ~TextKeeper() = default;
  virtual std::string_view keep(std::string_view text) = 0;
};

/// Columns are numbered as they were asked for. What gives bool gives false after an error, which
/// `error` then tells.
class ParquetFile {
 public:
  virtual ~ParquetFile() = default;
  [[nodiscard]] virtual int groups() const = 0;
  [[nodiscard]] virtual std::int64_t rows(int group) const = 0;
  /// What the file's metadata says; nothing where that cannot be relied upon.
  [[nodiscard]] virtual ValueRange range(int group, std::size_t column) const = 0;
  /// Whether cells may lack a value, and `valid` of what follows must be there.
  [[nodiscard]] virtual bool mayMiss(std::size_t column) const = 0;
  /// Goes to the first row of a row group that has rows.
  virtual bool enter(int group) = 0;
  /// The texts that a column's cells in this row group are indexes of, if they are; valid until
  /// the next `enter`.
  virtual bool words(std::size_t column, std::optional<std::vector<std::string_view>>& words) = 0;
  virtual bool skip(std::size_t column, std::int64_t rows) = 0;
  /// Cells without a value are stored as zeros, and 0 in `valid`.
  virtual bool read(std::size_t column, const ParquetRows& which, void* cells,
                    std::uint8_t* valid, TextKeeper* keeper) = 0;
  /// Of a column with words.
  virtual bool readIndexes(std::size_t column, const ParquetRows& which, std::int32_t* indexes,
                           std::uint8_t* valid) = 0;
  [[nodiscard]] const std::string& error() const { return error_; }

 protected:
  std::string error_;
};

struct ParquetColumn {
  std::string_view name;
  std::optional<ParquetCells> cells;  ///< none: the file must have it, and nothing else is done
};

}  // namespace couler::column

extern "C" {
/// Opens `fd`, which it takes over. `*file` stays null, whatever the reason, where columns are
/// absent, nested or of other types. Row numbers in ParquetRows are below `batchRows`.
using CoulerParquetOpen = void(int fd, const couler::column::ParquetColumn* columns,
                               std::size_t count, std::int64_t batchRows,
                               couler::column::ParquetFile** file);
}

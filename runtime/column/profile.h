#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "runtime/column/statistics.h"
#include "runtime/column/stream.h"

/// What a file of rows holds: its columns, their types and statistics.
namespace couler::column {

struct LeftOut {
  std::string column;
  std::string why;  ///< "is of Arrow's type `+l`"
};

struct Profile {
  std::string format;
  std::shared_ptr<ir::TypeTable> types;  ///< of `schema`, where the file told it
  Schema schema;  ///< as given, or as found: a column is optional where cells are missing
  std::int64_t rows = 0;     ///< read: of text, without those in `badRows`
  std::int64_t badRows = 0;  ///< more or fewer cells than the header, or no JSON object
  std::vector<ColumnStatistics> columns;  ///< by field
  std::vector<std::int64_t> notUtf8;      ///< by field: cells; counted as missing, too
  std::vector<std::int64_t> notOfType;    ///< likewise, where a schema was given
  std::vector<LeftOut> leftOut;           ///< columns that no table can read
};

struct ProfileOptions {
  std::string format;              ///< empty: by the file's name, else by how it begins
  const Schema* schema = nullptr;  ///< outlives the profile; null: what the file has
};

/// The types of text are found from all rows: the first batch makes a guess, the whole file is read
/// with it, and a column with other values is read again with a wider type (int, float, string;
/// bool, string; timestamp, string). A cell that a reader takes for missing in a column of the type
/// is missing.
[[nodiscard]] std::variant<Profile, StreamError> profileFile(const std::string& path,
                                                             const ProfileOptions& options);

/// The columns of ints, timestamps and texts in which no two rows have the same value and none is
/// missing, of a file that has more than one row. Reads the columns that may be such again, and
/// keeps 8 bytes a row of each.
[[nodiscard]] std::variant<std::vector<bool>, StreamError> uniqueColumns(const std::string& path,
                                                                         const Profile& profile);

/// The names of a file's columns: by its header, or all keys of its lines.
[[nodiscard]] std::variant<std::vector<std::string>, StreamError> columnNames(
    const std::string& path, const std::string& format);
/// The format of a file by its name, else by how it begins.
[[nodiscard]] std::string formatOfFile(const std::string& path);

/// The columns of a JSON Lines file, by the values of all its lines, in the order of their keys.
struct JsonColumn {
  std::string name;
  ir::TypeId type;  ///< invalid where `why` is not empty
  std::string why;  ///< why no type holds all values
};
[[nodiscard]] std::variant<std::vector<JsonColumn>, StreamError> jsonColumns(
    const std::string& path, ir::TypeTable& types);

}  // namespace couler::column

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/column/arrow_flat.h"
#include "runtime/column/arrow_format.h"
#include "runtime/column/batch.h"

namespace couler::column::arrow {

/// Where a column of a file lies in its record batches, and how.
struct FileColumn {
  std::string name;
  std::size_t node = 0;    ///< index of its FieldNode
  std::size_t buffer = 0;  ///< index of its first buffer
  Type type{};
  bool plain = false;  ///< of a width, unit and nesting that we read
  std::int64_t dictionary = -1;
  int indexBytes = 0;  ///< of a dictionary's index; signed
};

/// Nothing: damaged, or with nesting whose buffers we cannot count.
[[nodiscard]] std::optional<std::vector<FileColumn>> layoutOf(const FlatTable& schema);
/// Whether `column` holds values of `kind` in a form that we read.
[[nodiscard]] bool holds(const FileColumn& column, Kind kind);

}  // namespace couler::column::arrow

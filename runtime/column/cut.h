#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/column/stream.h"

/// Files of rows in ranges that can be read alone (docs/tables.md, "In parts").
namespace couler::column {

/// Where a file of rows is cut. The cuts follow from its content: a row end is one where the hash of
/// its row is the greatest of all rows that end less than `least` bytes before or after it (local
/// maxima: Bjørner, Blass, Gurevich, "Content-dependent chunking for differential compression, the
/// local maximum approach", 2010). So what changes in a file moves no cut that is further away, and
/// cuts are `least` bytes apart or more, twice that on average. Where there is none in `most` bytes
/// (rows that are all equal), one is made, and the next depends on it.
class CutPoints {
 public:
  CutPoints(std::int64_t begin, std::int64_t least, std::int64_t most);
  struct RowEnd {
    std::int64_t end = 0;   ///< offset of the byte after the row
    std::int64_t rows = 0;  ///< up to there
  };
  /// The next row; cuts that are certain now are appended to `cuts`. Amortised O(1).
  void add(RowEnd row, std::uint64_t hash, std::vector<RowEnd>& cuts);

 private:
  struct Seen {
    std::int64_t end;
    std::uint64_t hash;
  };
  std::int64_t least_, most_;
  std::int64_t begin_;                 // of the file's rows
  std::int64_t last_;                  // the last cut
  std::vector<Seen> window_;           // less than `least_` back, hashes descending, from `first_` on
  std::size_t first_ = 0;
  std::optional<RowEnd> candidate_;    // greatest so far; certain when `least_` bytes have followed
  std::uint64_t candidateHash_ = 0;
};

/// The ranges of a file of rows in `format` (csv, jsonl), about `size` bytes each, in order; together
/// they are all of it. One at least, and one alone where the file is compressed or has no header
/// that could be read. Memory: a few rows; reads the file twice. Error: the file cannot be read.
[[nodiscard]] std::optional<std::vector<FileRange>> cutFile(const std::string& path,
                                                            std::string_view format,
                                                            std::int64_t size, StreamError& error);

/// The ranges as text, a JSON object a line, of the type `rangeItemType`.
[[nodiscard]] std::string rangesText(const std::vector<FileRange>& ranges);
/// The range that a value of ir::fileRangeType says.
[[nodiscard]] std::optional<FileRange> rangeOf(const ir::Value& place, std::string digest);

}  // namespace couler::column

#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ir/drift.h"
#include "runtime/column/stream.h"

/// How far the columns of one file are from those of another (docs/data.md, "Drift").
namespace couler::driver {

/// A file to compare.
struct DriftFile {
  std::string path;
  std::string name;    ///< as messages call it
  std::string format;  ///< csv, jsonl, arrow, parquet
};

struct DriftFindings {
  /// A column that the new file lacks, or has with values of another kind: `linf` none, `jsd` 1.
  struct Column : ir::ColumnDrift {
    std::string type;  ///< in the new file, without `?`; empty: it has none such
    std::string before;
  };
  std::vector<Column> columns;       ///< in the order of the old file
  std::vector<std::string> added;    ///< columns of the new file alone, which count for nothing
  std::vector<std::string> leftOut;  ///< columns that no table can read, or that are lists and maps
};

/// Whether either distance is above the threshold.
[[nodiscard]] bool isFar(const DriftFindings::Column& column, double threshold);
/// Whether there is a threshold, and some column beyond it.
[[nodiscard]] bool anyFar(const DriftFindings& findings, std::optional<double> threshold);

/// With the columns of `schema`, in both files; null: with those that each file has. Cells that are not of
/// their column's type, and rows that have too many or too few, are left out. Reads each file up to four times.
[[nodiscard]] std::variant<DriftFindings, column::StreamError> driftOfFiles(
    const DriftFile& recent, const DriftFile& before, const column::Schema* schema);

[[nodiscard]] std::string driftText(const DriftFindings& findings, std::optional<double> threshold);
/// {"new", "old", "threshold", "far", "linf", "jsd", "columns": [{column, type, before, linf, jsd, far}], "added"}
[[nodiscard]] std::string driftJson(const DriftFile& recent, const DriftFile& before,
                                    const DriftFindings& findings,
                                    std::optional<double> threshold);
/// One page that needs nothing else.
[[nodiscard]] std::string driftHtml(const DriftFile& recent, const DriftFile& before,
                                    const DriftFindings& findings,
                                    std::optional<double> threshold);

}  // namespace couler::driver

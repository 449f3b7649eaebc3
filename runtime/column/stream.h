#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/module.h"
#include "runtime/column/batch.h"

/// Tables as streams of batches: read from files, passed through operators, written to files.
namespace couler::column {

/// Why a stream ended early: one sentence without a full stop, with the file and place where there
/// is one ("flights.csv:17: …").
struct StreamError {
  std::string message;
  Span at{};  ///< of the expression without a value, as its node has it
};

/// What a read found wrong in its input, by the kinds that TensorFlow Data Validation reports.
enum class AnomalyKind : std::uint8_t {
  NotOfType,      ///< "abc" for an int (TFDV: UNEXPECTED_DATA_TYPE)
  Missing,        ///< an empty cell of a column that is not optional (FEATURE_TYPE_LOW_FRACTION_PRESENT)
  NotACase,       ///< not a case of the enum (ENUM_TYPE_UNEXPECTED_STRING_VALUES)
  OutOfRange,     ///< a number beyond what the type holds (BOOL_TYPE_BIG_INT and its like)
  NotUtf8,        ///< (STRING_TYPE_INVALID_UTF8 and its like)
  Constraint,     ///< the column's `where` does not hold
  RaggedRow,      ///< more or fewer cells than the header
  DuplicateKey,   ///< the same key twice (FEATURE_TYPE_NOT_UNIQUE and its like)
  Malformed       ///< JSON Lines: a line that is not an object
};
[[nodiscard]] std::string_view anomalyName(AnomalyKind kind);

struct Anomaly {
  AnomalyKind kind{};
  std::int64_t row = 0;    ///< from 0, the header not counted
  std::int64_t line = 0;   ///< of the file, from 1, where the row begins; 0: unknown
  std::string column;      ///< empty: the row as a whole
  std::string value;       ///< as the file has it, cut to 80 bytes
  std::string rule;        ///< Constraint: the condition, as written
};
/// Counts anomalies, by kind and column, and keeps the first few of each. Bounded.
class AnomalyLog {
 public:
  static constexpr std::size_t kExamples = 5;
  struct Entry {
    Anomaly first;
    std::vector<Anomaly> examples;  ///< the first kExamples
    std::int64_t count = 0;
  };
  void add(Anomaly anomaly);
  /// Whether `add` would keep such an anomaly as an example. Where it would not, one with a kind,
  /// a column and a rule alone is enough.
  [[nodiscard]] bool keeps(AnomalyKind kind, std::string_view column, std::string_view rule) const;
  [[nodiscard]] std::int64_t total() const { return total_; }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  /// Lines for a person, one an entry: kind, column, count, then its examples with their places.
  [[nodiscard]] std::string text(std::string_view file) const;
  /// {"total": n, "anomalies": [{kind, column, count, examples: [{row, line, value}]}]}
  [[nodiscard]] std::string json() const;

 private:
  std::vector<Entry> entries_;
  std::int64_t total_ = 0;
};

/// Batches, one after the other.
class Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] virtual const Schema& schema() const = 0;
  /// The next batch; nothing at the end or after an error, which `error` then tells.
  virtual std::optional<Batch> next() = 0;
  [[nodiscard]] const std::optional<StreamError>& error() const { return error_; }

 protected:
  std::optional<StreamError> error_;
};

/// Where batches go.
class Sink {
 public:
  virtual ~Sink() = default;
  /// False after an error, which `error` then tells. The sink may keep the batch's buffers.
  virtual bool write(const Batch& batch) = 0;
  /// Finishes the file: until it has said true, the file is not whole.
  virtual bool finish() = 0;
  [[nodiscard]] const std::optional<StreamError>& error() const { return error_; }

 protected:
  std::optional<StreamError> error_;
};

struct ReadOptions {
  std::string format;  ///< csv, jsonl, arrow, parquet; empty: by the file's extension
  ir::BadRows onBad = ir::BadRows::Fail;
  std::vector<bool> wanted;  ///< by field: read it at all; empty: all. An unwanted column is not
                             ///< parsed or checked, and has no values in the batches.
  std::vector<std::string> names;  ///< by field: what it is called in the file; empty: as here
  std::int64_t maxCell = std::int64_t{64} << 20;  ///< bytes; a longer cell is an error
};

/// Opens a file as rows of `schema`. Nothing when it cannot be (`error` says why): no such file, a
/// header without one of the columns (the message names the nearest), a format that is not known.
/// CSV: RFC 4180 with quoted newlines, LF or CRLF, a byte order mark; empty unquoted cells are
/// missing, and so are `NA`, `N/A`, `null` and `NULL` in columns that are not strings; gzip and zstd
/// by their magic bytes. Columns that the schema does not have are skipped. Cells read as
/// ir::fromText reads them, and besides: bools in any case, timestamps with `/` in their date and
/// without a zone (then in UTC). JSON Lines: an absent key and `null` are missing.
/// With BadRows::Fail the file is read to its end before the first anomaly becomes the error, so
/// that the log has them all. `log` outlives the source.
[[nodiscard]] std::unique_ptr<Source> openSource(const std::string& path, const Schema& schema,
                                                 const ReadOptions& options, AnomalyLog& log,
                                                 StreamError& error);
/// Creates a file (never over an existing one) in `format`: csv, jsonl, arrow, parquet.
[[nodiscard]] std::unique_ptr<Sink> openSink(const std::string& path, std::string_view format,
                                             const Schema& schema, StreamError& error);

}  // namespace couler::column

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

/// What a read found wrong in its input, as TensorFlow Data Validation tells it apart.
enum class AnomalyKind : std::uint8_t {
  NotOfType,      ///< "abc" for an int
  Missing,        ///< no value in a column that is not optional
  NotACase,       ///< not a case of the enum
  OutOfRange,     ///< a number beyond what the type holds
  NotUtf8,
  Constraint,     ///< the column's `where` does not hold, and none of the next three says why
  TooSmall,       ///< below the least value of the column's `where`
  TooLarge,       ///< above the greatest
  NotInDomain,    ///< none of the values that it lists
  RaggedRow,      ///< more or fewer cells than the header
  DuplicateKey,   ///< the same key twice
  Malformed,      ///< JSON Lines: a line that is not an object
  MissingColumn,  ///< the file lacks a column; for `couler data check`, a read fails
  NewColumn       ///< the schema lacks a column; likewise, a read leaves it out
};
[[nodiscard]] std::string_view anomalyName(AnomalyKind kind);
/// What TensorFlow Data Validation calls it (AnomalyInfo.Type of tfmd's anomalies.proto) in a column
/// of that kind; empty where it knows no such thing.
[[nodiscard]] std::string_view tfdvName(AnomalyKind kind, Kind column);

struct Anomaly {
  AnomalyKind kind{};
  std::int64_t row = 0;    ///< from 0, the header not counted
  std::int64_t line = 0;   ///< of the file, from 1, where the row begins; 0: unknown
  std::string column;      ///< empty: the row as a whole
  std::string value;       ///< as the file has it, cut to 80 bytes
  std::string rule;        ///< TooSmall … NotInDomain, Constraint: the condition, as written
  std::string file;        ///< its name, without folders
  Kind columnKind = Kind::Value;
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
  void merge(const AnomalyLog& other);
  /// Whether `add` would keep such an anomaly as an example. Where it would not, one with a kind,
  /// a column and a rule alone is enough.
  [[nodiscard]] bool keeps(AnomalyKind kind, std::string_view column, std::string_view rule) const;
  /// Of what is wrong; that a file has more columns is not.
  [[nodiscard]] std::int64_t total() const { return total_; }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  /// Lines for a person, one an entry: kind, column, count, then its examples with their places;
  /// `file` where an anomaly does not say it.
  [[nodiscard]] std::string text(std::string_view file) const;
  /// {"total": n, "anomalies": [{kind, tfdv, column, rule, count, examples: [{file, row, line,
  /// value}]}]}; rows from 1
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
  /// Whether `next` may leave out columns for `fill` to add (ReadOptions::late).
  [[nodiscard]] virtual bool defers() const { return false; }
  /// Gives `batch` the columns that it lacks. Its rows, known by their numbers, are some of those
  /// of the batch that `next` gave last, in their order. False after an error.
  virtual bool fill(Batch& batch) {
    static_cast<void>(batch);
    return true;
  }
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

struct Predicate;
/// Rows of a file that are read alone: its first `head` bytes, which name the columns, then those
/// from `from` up to `to` (runtime/column/cut.h).
struct FileRange {
  std::int64_t head = 0;
  std::int64_t from = 0, to = 0;
  std::int64_t row = 0;   ///< rows between head and `from`
  std::int64_t line = 0;  ///< line feeds there
  std::string digest;     ///< BLAKE3 of what is read, in hex; other bytes are an error
};

struct ReadOptions {
  std::string format;  ///< csv, jsonl, arrow, parquet; empty: by the file's extension
  ir::BadRows onBad = ir::BadRows::Fail;
  std::vector<bool> wanted;  ///< by field: read it at all; empty: all. An unwanted column is not
                             ///< parsed or checked, and has no values in the batches.
  /// By field: one that batches may lack until `Source::fill`, if nothing can be wrong with its
  /// cells; empty: none. Of use to formats that keep columns apart.
  std::vector<bool> late;
  /// By field: nobody looks at it, so that batches may lack it on the same condition; empty: none.
  std::vector<bool> unused;
  /// Rows that do not meet it may be left out, if nothing can be wrong with them; null: none.
  std::shared_ptr<const Predicate> only;
  /// A file that couler wrote: what nobody asks for need not be looked at.
  bool trusted = false;
  std::vector<std::string> names;  ///< by field: what it is called in the file; empty: as here
  std::int64_t maxCell = std::int64_t{64} << 20;  ///< bytes; a longer cell is an error
  std::optional<FileRange> range;  ///< csv, jsonl: of all rows these; numbered as in the file
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

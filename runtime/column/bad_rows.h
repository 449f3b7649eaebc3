#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/column/builder.h"
#include "runtime/column/stream.h"

namespace couler::column {

/// A path without its folders.
[[nodiscard]] std::string baseName(std::string_view path);

/// What a reader does with what it finds wrong: counts it, and lets the row go by, drops it, or
/// remembers the first for the error.
class BadRowPolicy {
 public:
  BadRowPolicy(std::string path, const Schema& schema, ir::BadRows onBad, AnomalyLog& log)
      : path_(std::move(path)), schema_(schema), onBad_(onBad), log_(log) {}

  /// The row as a whole; the caller leaves it out.
  template <class LineOf>
  void badRow(AnomalyKind kind, std::int64_t row, std::string_view value, LineOf lineOf) {
    note(kind, nullptr, 0, row, value, lineOf);
  }
  /// A cell of `row` of the source, which is row `at` of the batch.
  template <class LineOf>
  void badCell(AnomalyKind kind, std::size_t field, std::int64_t row, std::int64_t at,
               std::string_view value, BatchBuilder& batch, LineOf lineOf) {
    note(kind, &schema_.fields[field], field, row, value, lineOf);
    batch.setMissing(field, at);
    const bool stays = onBad_ == ir::BadRows::Keep && schema_.fields[field].optional;
    if (!stays) batch.drop(at);
  }
  /// A row was bad and the read is to fail. No batch is of use from then on.
  [[nodiscard]] bool failed() const { return onBad_ == ir::BadRows::Fail && first_; }
  /// pre: failed, and the log knows the whole file.
  [[nodiscard]] StreamError failure() const;

 private:
  template <class LineOf>
  void note(AnomalyKind kind, const Field* field, std::size_t index, std::int64_t row,
            std::string_view value, LineOf lineOf) {
    ++count_;
    Anomaly anomaly;
    anomaly.kind = kind;
    anomaly.row = row;
    if (field != nullptr) {
      anomaly.column = field->name;
      anomaly.columnKind = field->kind;
    }
    const bool earlier = !first_ || row < first_->row || (row == first_->row && index < index_);
    if (earlier || log_.keeps(kind, anomaly.column, {})) {
      anomaly.line = lineOf();
      anomaly.value = excerpt(value);
      anomaly.file = baseName(path_);
    }
    if (earlier) {
      first_ = anomaly;
      index_ = index;
    }
    log_.add(std::move(anomaly));
  }
  [[nodiscard]] static std::string excerpt(std::string_view value);

  std::string path_;
  const Schema& schema_;
  ir::BadRows onBad_;
  AnomalyLog& log_;
  std::optional<Anomaly> first_;
  std::size_t index_ = 0;  // the field of first_
  std::int64_t count_ = 0;
};

/// `an int`, `a float`, `a case of the enum`.
[[nodiscard]] std::string_view kindPhrase(Kind kind);

}  // namespace couler::column

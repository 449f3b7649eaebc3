#include "runtime/column/checks.h"

#include <fmt/format.h>

#include "ir/value.h"
#include "runtime/column/group_table.h"

namespace couler::column {

namespace {

class CheckSource final : public Source {
 public:
  CheckSource(std::unique_ptr<Source> in, std::unique_ptr<Kernel> kernel,
              std::vector<Check> checks, ir::BadRows onBad, std::string file, AnomalyLog& log)
      : in_(std::move(in)),
        kernel_(std::move(kernel)),
        checks_(std::move(checks)),
        onBad_(onBad),
        file_(std::move(file)),
        log_(log) {
    for (const Check& check : checks_) {
      const int at = in_->schema().find(check.column);
      columns_.push_back(at);
      seen_.push_back(check.unique && at >= 0
                          ? std::make_unique<GroupTable>(
                                Schema{{in_->schema().fields[static_cast<std::size_t>(at)]}})
                          : nullptr);
    }
  }
  [[nodiscard]] const Schema& schema() const override { return in_->schema(); }

  std::optional<Batch> next() override {
    while (!error_) {
      std::optional<Batch> batch = in_->next();
      if (!batch) {
        if (in_->error()) {
          error_ = in_->error();
        } else if (first_ && onBad_ == ir::BadRows::Fail) {
          error_ = failure();
        }
        return std::nullopt;
      }
      if (!look(*batch)) return std::nullopt;
      // After the first bad row of a read that fails, the rest is only counted.
      if (first_ && onBad_ == ir::BadRows::Fail) continue;
      if (batch->rows != 0) return batch;
    }
    return std::nullopt;
  }
  [[nodiscard]] bool defers() const override { return in_->defers(); }
  bool fill(Batch& batch) override {
    if (in_->fill(batch)) return true;
    error_ = in_->error();
    return false;
  }

 private:
  bool look(Batch& batch) {
    Batch results;
    RowError failure;
    if (!kernel_->run(batch, results, failure)) {
      error_ = rowError(file_, failure.row, failure);
      return false;
    }
    std::vector<std::uint8_t> bad(static_cast<std::size_t>(batch.rows), 0);
    bool any = false;
    for (std::size_t c = 0; c < checks_.size(); ++c) {
      any = (checks_[c].unique ? findRepeats(c, batch, bad)
                               : findBroken(c, batch, results.columns[c], bad)) ||
            any;
    }
    if (any && onBad_ == ir::BadRows::Drop) dropRows(batch, bad);
    return true;
  }

  bool findBroken(std::size_t c, const Batch& batch, const Column& truth,
                  std::vector<std::uint8_t>& bad) {
    const std::uint8_t* holds = truth.values->as<std::uint8_t>();
    const std::uint8_t* known = truth.valid ? truth.valid->as<std::uint8_t>() : nullptr;
    bool any = false;
    for (std::int64_t i = 0; i < batch.rows; ++i) {
      if (holds[i] != 0 || (known != nullptr && known[i] == 0)) continue;
      note(c, batch, i, kindOf(c, batch, i));
      bad[static_cast<std::size_t>(i)] = 1;
      any = true;
    }
    return any;
  }

  /// How a value breaks check `c`.
  [[nodiscard]] AnomalyKind kindOf(std::size_t c, const Batch& batch, std::int64_t row) const {
    const Check& check = checks_[c];
    if (check.listed) return AnomalyKind::NotInDomain;
    if (!check.range || columns_[c] < 0) return AnomalyKind::Constraint;
    const auto at = static_cast<std::size_t>(columns_[c]);
    const Kind kind = in_->schema().fields[at].kind;
    if (kind != Kind::Int && kind != Kind::Float) return AnomalyKind::Constraint;
    const Buffer& values = *batch.columns[at].values;
    const double value = kind == Kind::Float ? values.as<double>()[row]
                                             : static_cast<double>(values.as<std::int64_t>()[row]);
    // At an end itself, the end is not within; a NaN is on no side.
    if (value <= check.range->first) return AnomalyKind::TooSmall;
    return value >= check.range->second ? AnomalyKind::TooLarge : AnomalyKind::Constraint;
  }

  bool findRepeats(std::size_t c, const Batch& batch, std::vector<std::uint8_t>& bad) {
    if (columns_[c] < 0) return false;
    const Column& column = batch.columns[static_cast<std::size_t>(columns_[c])];
    const std::uint8_t* known = column.valid ? column.valid->as<std::uint8_t>() : nullptr;
    Batch keys;
    keys.rows = batch.rows;
    keys.columns.push_back(column);
    const std::size_t before = seen_[c]->size();
    seen_[c]->add(keys, seen_[c]->wordsOf(keys, words_), {static_cast<std::size_t>(batch.rows), nullptr}, groups_);
    bool any = false;
    for (std::int64_t i = 0; i < batch.rows; ++i) {
      const std::size_t group = groups_[static_cast<std::size_t>(i)];
      const bool fresh = group >= before && seen_[c]->fresh()[group - before] == i;
      if (fresh || (known != nullptr && known[i] == 0)) continue;
      note(c, batch, i, AnomalyKind::DuplicateKey);
      bad[static_cast<std::size_t>(i)] = 1;
      any = true;
    }
    return any;
  }

  void note(std::size_t c, const Batch& batch, std::int64_t row, AnomalyKind kind) {
    Anomaly anomaly;
    anomaly.kind = kind;
    anomaly.row =
        batch.rowIds.empty() ? batch.firstRow + row : batch.rowIds[static_cast<std::size_t>(row)];
    anomaly.column = checks_[c].column;
    anomaly.rule = checks_[c].rule;
    if (columns_[c] >= 0) {
      const auto at = static_cast<std::size_t>(columns_[c]);
      const ir::Value value = valueAt(in_->schema().fields[at], batch.columns[at], row);
      anomaly.columnKind = in_->schema().fields[at].kind;
      if (!first_ || log_.keeps(kind, anomaly.column, anomaly.rule)) {
        anomaly.value = value.isNone() ? "none" : ir::toText(value).substr(0, 80);
        anomaly.file = file_;
      }
    }
    if (!first_) first_ = anomaly;
    ++broken_;
    log_.add(std::move(anomaly));
  }

  void dropRows(Batch& batch, const std::vector<std::uint8_t>& bad) const {
    std::vector<std::int64_t> take;
    std::vector<std::int64_t> ids;
    for (std::int64_t i = 0; i < batch.rows; ++i) {
      if (bad[static_cast<std::size_t>(i)] != 0) continue;
      take.push_back(i);
      ids.push_back(batch.rowIds.empty() ? batch.firstRow + i
                                         : batch.rowIds[static_cast<std::size_t>(i)]);
    }
    Batch kept = gather(in_->schema(), batch, take);
    kept.firstRow = batch.firstRow;
    kept.rowIds = std::move(ids);
    batch = std::move(kept);
  }

  [[nodiscard]] StreamError failure() const {
    const std::string what = first_->kind == AnomalyKind::DuplicateKey
                                 ? "comes twice"
                                 : fmt::format("breaks `{}`", first_->rule);
    return {fmt::format("{}, row {}: column `{}`: {} {}{}", file_, first_->row + 1,
                        first_->column, first_->value, what,
                        broken_ == 1 ? ""
                                     : fmt::format("; {} values in all break the schema",
                                                   broken_))};
  }

  std::unique_ptr<Source> in_;
  std::unique_ptr<Kernel> kernel_;
  std::vector<Check> checks_;
  ir::BadRows onBad_;
  std::string file_;
  AnomalyLog& log_;
  std::vector<int> columns_;                       ///< by check: its column, or -1
  std::vector<std::unique_ptr<GroupTable>> seen_;  ///< by check: of unique ones
  std::optional<Anomaly> first_;
  std::int64_t broken_ = 0;
  std::vector<std::uint64_t> words_;
  std::vector<std::uint32_t> groups_;
};

}  // namespace

std::unique_ptr<Source> checkRows(std::unique_ptr<Source> in, std::unique_ptr<Kernel> kernel,
                                  std::vector<Check> checks, ir::BadRows onBad, std::string file,
                                  AnomalyLog& log) {
  return std::make_unique<CheckSource>(std::move(in), std::move(kernel), std::move(checks), onBad,
                                       std::move(file), log);
}

}  // namespace couler::column

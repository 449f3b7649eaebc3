#include "runtime/column/late.h"

#include <utility>

namespace couler::column {

namespace {

class LateSource final : public Source {
 public:
  LateSource(std::unique_ptr<Source> in, Predicate predicate)
      : in_(std::move(in)), predicate_(std::move(predicate)) {}
  [[nodiscard]] const Schema& schema() const override { return in_->schema(); }

  std::optional<Batch> next() override {
    while (!error_) {
      std::optional<Batch> batch = in_->next();
      if (!batch) {
        error_ = in_->error();
        break;
      }
      if (untested_ > 0) {
        --untested_;
      } else if (!pick(*batch)) {
        continue;
      }
      if (in_->fill(*batch)) return batch;
      error_ = in_->error();
    }
    return std::nullopt;
  }

 private:
  static constexpr int kUntested = 7;  ///< batches after one that keeps most of its rows

  /// False when no row is left.
  bool pick(Batch& batch) {
    pickRows(predicate_, in_->schema(), batch, picked_);
    if (picked_.empty()) return false;
    const auto kept = static_cast<std::int64_t>(picked_.size());
    if (kept > batch.rows / 4 * 3) {
      if (kept != batch.rows) untested_ = kUntested;
      return true;
    }
    Batch some;
    some.rows = kept;
    some.rowIds.reserve(picked_.size());
    for (const std::int32_t row : picked_) some.rowIds.push_back(rowId(batch, row));
    some.firstRow = some.rowIds.front();
    for (std::size_t c = 0; c < batch.columns.size(); ++c) {
      some.columns.push_back(
          pickCells(batch.columns[c], in_->schema().fields[c].kind, picked_));
    }
    batch = std::move(some);
    return true;
  }

  std::unique_ptr<Source> in_;
  Predicate predicate_;
  std::vector<std::int32_t> picked_;
  int untested_ = 0;
};

}  // namespace

std::unique_ptr<Source> fillLate(std::unique_ptr<Source> in, Predicate predicate) {
  return std::make_unique<LateSource>(std::move(in), std::move(predicate));
}

}  // namespace couler::column

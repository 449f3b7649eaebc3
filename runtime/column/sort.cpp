// Sorting: runs that fit in memory, put aside in files when there are several, then merged.
#include <algorithm>
#include <numeric>

#include "runtime/column/operators.h"
#include "runtime/column/spill.h"
#include "runtime/column/workers.h"

namespace couler::column {

namespace {

constexpr std::size_t kLeastPart = 100;  // rows; for less a thread is not worth its start

class SortSource final : public Source {
 public:
  SortSource(std::unique_ptr<Source> in, std::size_t keys, std::uint32_t descending, Schema out,
             const Limits& limits)
      : in_(std::move(in)),
        keys_(keys),
        descending_(descending),
        out_(std::move(out)),
        limits_(limits) {}
  [[nodiscard]] const Schema& schema() const override { return out_; }

  std::optional<Batch> next() override {
    if (error_) return std::nullopt;
    if (!sorted_ && !sortAll()) return std::nullopt;
    std::optional<Batch> batch = sorted_->next();
    if (!batch) error_ = sorted_->error();
    return batch;
  }

 private:
  bool sortAll() {
    auto rows = std::make_shared<RowStore>(in_->schema());
    while (std::optional<Batch> batch = in_->next()) {
      rows->append(*batch);
      if (rows->bytes() < limits_.memory) continue;
      if (!putAside(*rows)) return false;
      rows->clear();
    }
    if (in_->error()) {
      error_ = in_->error();
      return false;
    }
    if (runs_.empty()) {
      std::vector<std::int64_t> order = orderOf(*rows);
      sorted_ = storedRows(out_, std::move(rows), std::move(order));
      return true;
    }
    if (!putAside(*rows)) return false;
    rows.reset();
    std::vector<std::unique_ptr<Source>> inputs;
    for (const auto& run : runs_) {
      inputs.push_back(run->read(error_));
      if (!inputs.back()) return false;
    }
    sorted_ = std::make_unique<MergeSource>(std::move(inputs), keys_, descending_, out_);
    return true;
  }

  bool putAside(const RowStore& rows) {
    if (rows.rows() == 0) return true;
    const std::vector<std::int64_t> order = orderOf(rows);
    auto& run = runs_.emplace_back(std::make_unique<SpillFile>(rows.schema(), limits_));
    for (std::size_t at = 0; at < order.size(); at += kBatchRows) {
      const std::size_t count = std::min(order.size() - at, static_cast<std::size_t>(kBatchRows));
      if (!run->write(rows.gather(std::span(order).subspan(at, count)), error_)) return false;
    }
    return true;
  }

  [[nodiscard]] std::vector<std::int64_t> orderOf(const RowStore& rows) const {
    std::vector<std::int64_t> order(static_cast<std::size_t>(rows.rows()));
    std::iota(order.begin(), order.end(), 0);
    const Batch all = rows.view();
    const std::vector<Field>& fields = rows.schema().fields;
    const std::size_t first = fields.size() - keys_;
    const auto before = [&](std::int64_t a, std::int64_t b) {
      for (std::size_t k = 0; k < keys_; ++k) {
        const Column& column = all.columns[first + k];
        const int found = compareCells(fields[first + k].kind, column, a, column, b,
                                       (descending_ >> k & 1U) != 0);
        if (found != 0) return found < 0;
      }
      return false;
    };
    sortAtOnce(order, before);
    return order;
  }

  /// Sorts by parts, one a thread, then merges neighbours.
  template <class Before>
  void sortAtOnce(std::vector<std::int64_t>& order, const Before& before) const {
    const std::size_t parts = std::min(limits_.threads, order.size() / kLeastPart + 1);
    const auto start = [&](std::size_t part) {
      return order.begin() +
             static_cast<std::ptrdiff_t>(order.size() * std::min(part, parts) / parts);
    };
    atOnce(parts, [&](std::size_t i) { std::stable_sort(start(i), start(i + 1), before); });
    for (std::size_t wide = 1; wide < parts; wide *= 2) {
      atOnce((parts + 2 * wide - 1) / (2 * wide), [&](std::size_t i) {
        const std::size_t first = 2 * wide * i;
        std::inplace_merge(start(first), start(first + wide), start(first + 2 * wide), before);
      });
    }
  }

  std::unique_ptr<Source> in_;
  std::size_t keys_;
  std::uint32_t descending_;
  Schema out_;
  Limits limits_;
  std::vector<std::unique_ptr<SpillFile>> runs_;
  std::unique_ptr<Source> sorted_;
};

}  // namespace

std::unique_ptr<Source> sortRows(std::unique_ptr<Source> in, std::size_t keys,
                                 std::uint32_t descending, Schema out, const Limits& limits,
                                 std::string) {
  return std::make_unique<SortSource>(std::move(in), keys, descending, std::move(out), limits);
}

}  // namespace couler::column

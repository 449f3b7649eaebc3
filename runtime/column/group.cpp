// Grouping. Groups that come after memory is full are put aside, dealt out by their keys' hashes to
// files that are grouped one after the other; the results are merged by the groups' first rows.
#include <algorithm>
#include <numeric>

#include "runtime/column/aggregates.h"
#include "runtime/column/group_table.h"
#include "runtime/column/operators.h"
#include "runtime/column/spill.h"

namespace couler::column {

namespace {

constexpr std::uint32_t kMaxDepth = 12;  // of partitions in partitions: 4 bits of hash each
constexpr std::size_t kFewGroups = 64;   // stay in memory, however little there is

struct GroupPlan {
  std::size_t keys = 0;
  std::vector<AggregateSpec> aggregates;
  Schema in;   ///< keys, values
  Schema out;  ///< keys, results
  Limits limits;
  std::string name;
};

/// The number of a row in the table that is grouped: as its last column has it, or its source.
std::int64_t numberOf(const Batch& batch, bool numbered, std::int64_t row) {
  if (numbered) return batch.columns.back().values->as<std::int64_t>()[row];
  return batch.rowIds.empty() ? batch.firstRow + row : batch.rowIds[static_cast<std::size_t>(row)];
}

/// Groups rows and gives the groups with the numbers of their first rows in a last column, in that
/// order. `numbered`: the rows have their numbers in a last column.
class Grouper {
 public:
  Grouper(const GroupPlan& plan, std::uint32_t depth, bool numbered)
      : plan_(plan), depth_(depth), numbered_(numbered) {
    Schema keys;
    keys.fields.assign(plan.in.fields.begin(),
                       plan.in.fields.begin() + static_cast<std::ptrdiff_t>(plan.keys));
    table_ = std::make_unique<GroupTable>(std::move(keys), plan.limits.hashMask);
    columns_.resize(plan.keys);
    std::iota(columns_.begin(), columns_.end(), 0U);
    for (std::size_t i = 0; i < plan.aggregates.size(); ++i) {
      aggregates_.push_back(makeAggregate(plan.aggregates[i], plan.in.fields[plan.keys + i],
                                          plan.out.fields[plan.keys + i]));
    }
  }

  bool add(Batch& batch, std::optional<StreamError>& error) {
    RowGroups groups;
    groups.whole = !aside_;
    if (plan_.keys == 0) {
      groups_.assign(static_cast<std::size_t>(batch.rows), 0);
      if (firstRows_.empty() && batch.rows != 0) firstRows_.push_back(0);
      groups.count = 1;
    } else {
      table_->find(batch, !aside_, groups_);
      for (const std::int64_t row : table_->fresh()) {
        firstRows_.push_back(numberOf(batch, numbered_, row));
      }
      groups.count = table_->size();
    }
    groups.of = groups_;
    std::size_t bytes = table_->bytes();
    for (std::size_t i = 0; i < aggregates_.size(); ++i) {
      RowError failure;
      if (!aggregates_[i]->add(batch.columns[plan_.keys + i], groups, failure)) {
        failure.at = plan_.aggregates[i].at;
        error = rowError(plan_.name, numberOf(batch, numbered_, failure.row), failure);
        return false;
      }
      bytes += aggregates_[i]->bytes();
    }
    if (aside_) return putAside(batch, error);
    if (bytes > plan_.limits.memory && table_->size() > kFewGroups && depth_ < kMaxDepth) {
      aside_ = std::make_unique<Partitions>(withRowNumber(plan_.in), plan_.limits, depth_);
    }
    return true;
  }

  /// The groups in memory.
  [[nodiscard]] std::unique_ptr<Source> results() {
    auto rows = std::make_shared<RowStore>(withRowNumber(plan_.out));
    const std::size_t count = plan_.keys == 0 ? 1 : table_->size();
    if (plan_.keys == 0 && firstRows_.empty()) {
      firstRows_.push_back(0);
      RowError none;
      for (auto& aggregate : aggregates_) aggregate->add(Column{}, {{}, 1, true}, none);
    }
    for (std::size_t first = 0; first < count; first += kBatchRows) {
      const std::size_t part = std::min(count - first, static_cast<std::size_t>(kBatchRows));
      Batch batch;
      batch.rows = static_cast<std::int64_t>(part);
      if (plan_.keys != 0) {
        std::vector<std::int64_t> take(part);
        std::iota(take.begin(), take.end(), static_cast<std::int64_t>(first));
        batch.columns = table_->keys().gather(take).columns;
      }
      for (const auto& aggregate : aggregates_) {
        batch.columns.push_back(aggregate->finish(first, part));
      }
      auto numbers = Buffer::make(part * sizeof(std::int64_t));
      std::copy_n(firstRows_.data() + first, part, numbers->as<std::int64_t>());
      batch.columns.push_back({std::move(numbers), nullptr, {}, nullptr});
      rows->append(batch);
    }
    std::vector<std::int64_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    if (!table_->inOrder()) {
      std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return firstRows_[static_cast<std::size_t>(a)] < firstRows_[static_cast<std::size_t>(b)];
      });
    }
    const Schema schema = rows->schema();
    return storedRows(schema, std::move(rows), std::move(order));
  }

  [[nodiscard]] std::unique_ptr<Partitions> takeAside() { return std::move(aside_); }

 private:
  bool putAside(Batch& batch, std::optional<StreamError>& error) {
    take_.clear();
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (groups_[i] == GroupTable::kNone) take_.push_back(static_cast<std::int64_t>(i));
    }
    if (take_.empty()) return true;
    hashRows(plan_.in, batch, columns_, hashes_);
    if (!numbered_) {
      auto numbers = Buffer::make(static_cast<std::size_t>(batch.rows) * sizeof(std::int64_t));
      for (std::int64_t i = 0; i < batch.rows; ++i) {
        numbers->as<std::int64_t>()[i] = numberOf(batch, false, i);
      }
      batch.columns.push_back({std::move(numbers), nullptr, {}, nullptr});
    }
    return aside_->write(batch, take_, hashes_, error);
  }

  const GroupPlan& plan_;
  std::uint32_t depth_;
  bool numbered_;
  std::unique_ptr<GroupTable> table_;
  std::vector<std::uint32_t> columns_;
  std::vector<std::unique_ptr<AggregateColumn>> aggregates_;
  std::vector<std::int64_t> firstRows_;
  std::unique_ptr<Partitions> aside_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> groups_;
  std::vector<std::int64_t> take_;
};

class GroupSource final : public Source {
 public:
  GroupSource(std::unique_ptr<Source> in, GroupPlan plan)
      : in_(std::move(in)), plan_(std::move(plan)) {}
  [[nodiscard]] const Schema& schema() const override { return plan_.out; }

  std::optional<Batch> next() override {
    if (error_) return std::nullopt;
    if (!groups_) {
      groups_ = group(*in_, 0);
      if (!groups_) return std::nullopt;
    }
    std::optional<Batch> batch = groups_->next();
    if (batch) {
      batch->columns.pop_back();
    } else {
      error_ = groups_->error();
    }
    return batch;
  }

 private:
  std::unique_ptr<Source> group(Source& in, std::uint32_t depth) {
    Grouper grouper(plan_, depth, depth != 0);
    while (std::optional<Batch> batch = in.next()) {
      if (!grouper.add(*batch, error_)) return nullptr;
    }
    if (in.error()) {
      error_ = in.error();
      return nullptr;
    }
    std::unique_ptr<Source> first = grouper.results();
    std::unique_ptr<Partitions> aside = grouper.takeAside();
    if (!aside) return first;
    if (!aside->finish(error_)) return nullptr;
    // Each part's groups go to a file of their own, since they too may be more than memory holds.
    std::vector<std::unique_ptr<Source>> parts;
    for (std::size_t i = 0; i < Partitions::kCount; ++i) {
      if (aside->at(i).rows() == 0) continue;
      std::unique_ptr<Source> part = aside->at(i).read(error_);
      std::unique_ptr<Source> grouped = part ? group(*part, depth + 1) : nullptr;
      if (!grouped) return nullptr;
      auto& file =
          files_.emplace_back(std::make_unique<SpillFile>(withRowNumber(plan_.out), plan_.limits));
      while (std::optional<Batch> batch = grouped->next()) {
        if (!file->write(*batch, error_)) return nullptr;
      }
      if (grouped->error()) {
        error_ = grouped->error();
        return nullptr;
      }
      parts.push_back(file->read(error_));
      if (!parts.back()) return nullptr;
    }
    std::vector<std::unique_ptr<Source>> all;
    all.push_back(std::move(first));
    if (!parts.empty()) {
      all.push_back(
          std::make_unique<MergeSource>(std::move(parts), 1, 0, withRowNumber(plan_.out)));
    }
    return concatenate(std::move(all));
  }

  std::unique_ptr<Source> in_;
  GroupPlan plan_;
  std::vector<std::unique_ptr<SpillFile>> files_;
  std::unique_ptr<Source> groups_;
};

}  // namespace

std::unique_ptr<Source> groupRows(std::unique_ptr<Source> in, std::size_t keys,
                                  std::vector<AggregateSpec> aggregates, Schema out,
                                  const Limits& limits, std::string name) {
  GroupPlan plan{keys, std::move(aggregates), in->schema(), std::move(out), limits,
                 std::move(name)};
  return std::make_unique<GroupSource>(std::move(in), std::move(plan));
}

std::unique_ptr<Source> distinctRows(std::unique_ptr<Source> in, const Limits& limits,
                                     std::string name) {
  const Schema schema = in->schema();
  return groupRows(std::move(in), schema.fields.size(), {}, schema, limits, std::move(name));
}

}  // namespace couler::column

#include "runtime/column/grouper.h"

#include <algorithm>
#include <numeric>

namespace couler::column {

namespace {

constexpr std::uint32_t kMaxDepth = 12;  // of partitions in partitions: 4 bits of hash each
constexpr std::size_t kFewGroups = 64;   // stay in memory, however little there is

}  // namespace

std::int64_t numberOf(const Batch& batch, bool numbered, std::int64_t row) {
  if (numbered) return batch.columns.back().values->as<std::int64_t>()[row];
  return batch.rowIds.empty() ? batch.firstRow + row : batch.rowIds[static_cast<std::size_t>(row)];
}

void addNumbers(Batch& batch) {
  auto numbers = Buffer::make(static_cast<std::size_t>(batch.rows) * sizeof(std::int64_t));
  for (std::int64_t i = 0; i < batch.rows; ++i) {
    numbers->as<std::int64_t>()[i] = numberOf(batch, false, i);
  }
  batch.columns.push_back({std::move(numbers), nullptr, {}, nullptr});
}

Grouper::Grouper(const GroupPlan& plan, std::uint32_t depth, bool numbered)
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

bool Grouper::add(const Batch& batch, const std::uint64_t* words, const Selection& rows,
                  GroupFailure& failure) {
  RowGroups groups;
  groups.rows = rows;
  groups.whole = !aside_;
  if (plan_.keys == 0) {
    groups_.assign(rows.count, 0);
    if (firstRows_.empty() && rows.count != 0) firstRows_.push_back(0);
    groups.count = 1;
  } else {
    if (aside_) {
      table_->find(batch, words, rows, groups_);
    } else {
      table_->add(batch, words, rows, groups_);
      for (const std::int64_t row : table_->fresh()) {
        firstRows_.push_back(numberOf(batch, numbered_, row));
      }
    }
    groups.count = table_->size();
  }
  groups.of = groups_;
  std::size_t bytes = table_->bytes();
  for (std::size_t i = 0; i < aggregates_.size(); ++i) {
    RowError why;
    if (!aggregates_[i]->add(batch.columns[plan_.keys + i], groups, why)) {
      failure.aggregate = i;
      failure.row = numberOf(batch, numbered_, why.row);
      why.at = plan_.aggregates[i].at;
      failure.error = rowError(plan_.name, failure.row, why);
      return false;
    }
    bytes += aggregates_[i]->bytes();
  }
  if (aside_) {
    std::optional<StreamError> error;
    if (putAside(batch, rows, error)) return true;
    failure = {aggregates_.size(), 0, *error};
    return false;
  }
  if (bytes > plan_.limits.memory && table_->size() > kFewGroups && depth_ < kMaxDepth) {
    aside_ = std::make_unique<Partitions>(withRowNumber(plan_.in), plan_.limits, depth_);
  }
  return true;
}

std::unique_ptr<Source> Grouper::results() {
  auto rows = std::make_shared<RowStore>(withRowNumber(plan_.out));
  const std::size_t count = plan_.keys == 0 ? 1 : table_->size();
  if (plan_.keys == 0 && firstRows_.empty()) {
    firstRows_.push_back(0);
    RowError none;
    for (auto& aggregate : aggregates_) aggregate->add(Column{}, {{}, {}, 1, true}, none);
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

bool Grouper::putAside(Batch batch, const Selection& rows, std::optional<StreamError>& error) {
  take_.clear();
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (groups_[i] == GroupTable::kNone) take_.push_back(static_cast<std::int64_t>(rows.at(i)));
  }
  if (take_.empty()) return true;
  hashRows(plan_.in, batch, columns_, hashes_);
  if (!numbered_) addNumbers(batch);
  return aside_->write(batch, take_, hashes_, error);
}

}  // namespace couler::column

#include "runtime/column/builder.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace couler::column {

namespace {

constexpr std::size_t kHeapBlock = std::size_t{64} << 10;

}  // namespace

char* TextHeap::room(std::size_t bytes) {
  if (blocks_.empty() || blocks_.back()->size() - used_ < bytes) {
    std::shared_ptr<Buffer> block = Buffer::make(std::max(kHeapBlock, bytes));
    if (!block) return nullptr;
    blocks_.push_back(std::move(block));
    used_ = 0;
  }
  return blocks_.back()->as<char>() + used_;
}

Text TextHeap::add(std::string_view bytes) {
  char* to = room(bytes.size());
  if (to == nullptr) throw std::bad_alloc();  // as a std::string would
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  keep(bytes.size());
  return {to, static_cast<std::int64_t>(bytes.size())};
}

void TextHeap::moveTo(std::vector<std::shared_ptr<const Buffer>>& heaps) {
  heaps.insert(heaps.end(), std::make_move_iterator(blocks_.begin()),
               std::make_move_iterator(blocks_.end()));
  blocks_.clear();
}

BatchBuilder::BatchBuilder(const Schema& schema, const std::vector<bool>& wanted)
    : schema_(schema), wanted_(wanted) {
  wanted_.resize(schema.fields.size(), wanted.empty());
  room_ = wanted_;
}

bool BatchBuilder::start(std::int64_t firstRow, std::int64_t capacity) {
  columns_.assign(schema_.fields.size(), {});
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!room_[i]) continue;
    if (schema_.fields[i].kind == Kind::Value) {
      columns_[i].boxed =
          std::make_shared<std::vector<ir::Value>>(static_cast<std::size_t>(capacity));
      continue;
    }
    columns_[i].values =
        Buffer::make(static_cast<std::size_t>(capacity) * widthOf(schema_.fields[i].kind));
    if (!columns_[i].values) return false;
  }
  ids_.clear();
  dropped_.clear();
  firstRow_ = firstRow;
  capacity_ = capacity;
  rows_ = 0;
  anyDropped_ = false;
  gaps_ = false;
  return true;
}

std::int64_t BatchBuilder::addRow(std::int64_t id) {
  if (!gaps_ && id != firstRow_ + rows_) {
    if (rows_ == 0) {
      firstRow_ = id;
    } else {
      gaps_ = true;
      ids_.resize(static_cast<std::size_t>(rows_));
      for (std::int64_t i = 0; i < rows_; ++i) ids_[static_cast<std::size_t>(i)] = firstRow_ + i;
    }
  }
  if (gaps_) ids_.push_back(id);
  return rows_++;
}

void BatchBuilder::addRows(std::int64_t id, std::int64_t count) {
  firstRow_ = id;
  rows_ = count;
}

void BatchBuilder::setMissing(std::size_t field, std::int64_t row) {
  ColumnBuilder& column = columns_[field];
  if (column.boxed) {
    (*column.boxed)[static_cast<std::size_t>(row)] = {};
    return;
  }
  if (!column.valid) {
    column.valid = Buffer::make(static_cast<std::size_t>(capacity_));
    if (!column.valid) throw std::bad_alloc();
    std::memset(column.valid->data(), 1, static_cast<std::size_t>(capacity_));
  }
  column.valid->as<std::uint8_t>()[row] = 0;
  const std::size_t width = widthOf(schema_.fields[field].kind);
  std::memset(column.values->data() + static_cast<std::size_t>(row) * width, 0, width);
}

void BatchBuilder::drop(std::int64_t row) {
  if (dropped_.empty()) dropped_.resize(static_cast<std::size_t>(capacity_));
  dropped_[static_cast<std::size_t>(row)] = 1;
  anyDropped_ = true;
}

void BatchBuilder::dropAll() {
  for (std::int64_t row = 0; row < rows_; ++row) drop(row);
}

Batch BatchBuilder::finish() {
  Batch batch;
  batch.rows = rows_;
  batch.firstRow = firstRow_;
  batch.rowIds = std::move(ids_);
  if (anyDropped_) compact(batch);
  for (ColumnBuilder& from : columns_) {
    Column& to = batch.columns.emplace_back();
    from.heap.moveTo(from.heaps);
    if (from.boxed) from.boxed->resize(static_cast<std::size_t>(batch.rows));
    to.values = std::move(from.values);
    to.valid = std::move(from.valid);
    to.heaps = std::move(from.heaps);
    to.boxed = std::move(from.boxed);
  }
  return batch;
}

void BatchBuilder::compact(Batch& batch) {
  std::vector<std::size_t> kept;
  std::vector<std::int64_t> ids;
  for (std::int64_t row = 0; row < rows_; ++row) {
    const auto at = static_cast<std::size_t>(row);
    if (dropped_[at] != 0) continue;
    kept.push_back(at);
    ids.push_back(batch.rowIds.empty() ? firstRow_ + row : batch.rowIds[at]);
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    ColumnBuilder& column = columns_[i];
    const std::size_t width = widthOf(schema_.fields[i].kind);
    for (std::size_t to = 0; to < kept.size(); ++to) {
      if (column.boxed) (*column.boxed)[to] = std::move((*column.boxed)[kept[to]]);
      if (column.values && kept[to] != to) {
        std::memcpy(column.values->data() + to * width, column.values->data() + kept[to] * width,
                    width);
      }
      if (column.valid) {
        column.valid->as<std::uint8_t>()[to] = column.valid->as<std::uint8_t>()[kept[to]];
      }
    }
  }
  batch.rows = static_cast<std::int64_t>(kept.size());
  batch.rowIds = std::move(ids);
}

}  // namespace couler::column

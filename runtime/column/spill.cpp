#include "runtime/column/spill.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

namespace couler::column {

namespace {

std::string freshPath(const Limits& limits) {
  static std::atomic<std::uint64_t> next{0};
  return fmt::format("{}/couler-{}-{}.arrow", limits.folder, ::getpid(), next++);
}

/// The file is none that the user knows.
StreamError aside(const StreamError& why) {
  return {"rows that do not fit in memory: " + why.message};
}

constexpr std::int64_t kPending = 2048;  // rows a partition keeps before it writes them

class StoredSource final : public Source {
 public:
  StoredSource(Schema schema, std::shared_ptr<RowStore> rows, std::vector<std::int64_t> order)
      : schema_(std::move(schema)), rows_(std::move(rows)), order_(std::move(order)) {}
  [[nodiscard]] const Schema& schema() const override { return schema_; }
  std::optional<Batch> next() override {
    if (at_ >= order_.size()) return std::nullopt;
    const std::size_t count =
        std::min(order_.size() - at_, static_cast<std::size_t>(kBatchRows));
    Batch batch = rows_->gather(std::span(order_).subspan(at_, count));
    batch.firstRow = static_cast<std::int64_t>(at_);
    batch.columns.resize(schema_.fields.size());
    at_ += count;
    return batch;
  }

 private:
  Schema schema_;
  std::shared_ptr<RowStore> rows_;
  std::vector<std::int64_t> order_;
  std::size_t at_ = 0;
};

class Concatenation final : public Source {
 public:
  explicit Concatenation(std::vector<std::unique_ptr<Source>> inputs)
      : inputs_(std::move(inputs)) {}
  [[nodiscard]] const Schema& schema() const override { return inputs_.front()->schema(); }
  std::optional<Batch> next() override {
    while (at_ < inputs_.size()) {
      if (std::optional<Batch> batch = inputs_[at_]->next()) {
        batch->rowIds.clear();
        batch->firstRow = rows_;
        rows_ += batch->rows;
        return batch;
      }
      if (inputs_[at_]->error()) {
        error_ = inputs_[at_]->error();
        return std::nullopt;
      }
      ++at_;
    }
    return std::nullopt;
  }

 private:
  std::vector<std::unique_ptr<Source>> inputs_;
  std::size_t at_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<Source> storedRows(Schema schema, std::shared_ptr<RowStore> rows,
                                   std::vector<std::int64_t> order) {
  return std::make_unique<StoredSource>(std::move(schema), std::move(rows), std::move(order));
}

std::unique_ptr<Source> concatenate(std::vector<std::unique_ptr<Source>> inputs) {
  return std::make_unique<Concatenation>(std::move(inputs));
}

Schema withRowNumber(Schema schema) {
  Field field;
  field.name = "#row";
  field.type = ir::TypeTable::kInt;
  field.kind = Kind::Int;
  schema.fields.push_back(std::move(field));
  return schema;
}

SpillFile::SpillFile(Schema schema, const Limits& limits)
    : schema_(std::move(schema)), path_(freshPath(limits)) {}

SpillFile::~SpillFile() {
  sink_.reset();
  if (opened_) ::unlink(path_.c_str());
}

bool SpillFile::write(const Batch& batch, std::optional<StreamError>& error) {
  const auto fail = [&](const StreamError& why) {
    error = aside(why);
    return false;
  };
  if (!sink_) {
    StreamError why;
    sink_ = openSink(path_, "arrow", schema_, why);
    if (!sink_) return fail(why);
    opened_ = true;
  }
  rows_ += batch.rows;
  return sink_->write(batch) || fail(*sink_->error());
}

std::unique_ptr<Source> SpillFile::read(std::optional<StreamError>& error) {
  if (!opened_) {  // no rows at all
    return storedRows(schema_, std::make_shared<RowStore>(schema_), {});
  }
  if (sink_) {
    if (!sink_->finish()) {
      error = aside(*sink_->error());
      return nullptr;
    }
    sink_.reset();
  }
  StreamError why;
  ReadOptions options;
  options.format = "arrow";
  std::unique_ptr<Source> source = openSource(path_, schema_, options, log_, why);
  if (!source) error = aside(why);
  return source;
}

Partitions::Partitions(const Schema& schema, const Limits& limits, std::uint32_t depth)
    : shift_(60 - 4 * std::min(depth, 15U)) {
  for (std::size_t i = 0; i < kCount; ++i) {
    files_.push_back(std::make_unique<SpillFile>(schema, limits));
    pending_.emplace_back(schema);
  }
}

bool Partitions::flush(std::size_t i, std::optional<StreamError>& error) {
  if (pending_[i].rows() == 0) return true;
  std::vector<std::int64_t> all(static_cast<std::size_t>(pending_[i].rows()));
  std::iota(all.begin(), all.end(), 0);
  const bool ok = files_[i]->write(pending_[i].gather(all), error);
  pending_[i].clear();
  return ok;
}

bool Partitions::write(const Batch& batch, std::span<const std::int64_t> take,
                       const std::vector<std::uint64_t>& hashes,
                       std::optional<StreamError>& error) {
  std::vector<std::int64_t> dealt[kCount];
  for (const std::int64_t row : take) {
    dealt[hashes[static_cast<std::size_t>(row)] >> shift_ & (kCount - 1)].push_back(row);
  }
  for (std::size_t i = 0; i < kCount; ++i) {
    pending_[i].append(batch, dealt[i]);
    if (pending_[i].rows() >= kPending && !flush(i, error)) return false;
  }
  return true;
}

bool Partitions::finish(std::optional<StreamError>& error) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (!flush(i, error)) return false;
  }
  return true;
}

MergeSource::MergeSource(std::vector<std::unique_ptr<Source>> inputs, std::size_t keys,
                         std::uint32_t descending, Schema out)
    : keys_(keys), descending_(descending), out_(std::move(out)) {
  for (auto& input : inputs) inputs_.push_back({std::move(input), {}, 0});
}

bool MergeSource::fetch(Input& input) {
  do {
    input.batch = input.source->next();
    input.row = 0;
  } while (input.batch && input.batch->rows == 0);
  if (!input.batch && input.source->error()) error_ = input.source->error();
  return !error_;
}

bool MergeSource::before(std::uint32_t a, std::uint32_t b) const {
  const Input& left = inputs_[a];
  const Input& right = inputs_[b];
  const std::vector<Field>& fields = left.source->schema().fields;
  for (std::size_t k = 0; k < keys_; ++k) {
    const std::size_t c = fields.size() - keys_ + k;
    const int order = compareCells(fields[c].kind, left.batch->columns[c], left.row,
                                   right.batch->columns[c], right.row,
                                   (descending_ >> k & 1U) != 0);
    if (order != 0) return order < 0;
  }
  return a < b;
}

void MergeSource::siftDown(std::size_t at) {
  while (2 * at + 1 < heap_.size()) {
    std::size_t least = 2 * at + 1;
    if (least + 1 < heap_.size() && before(heap_[least + 1], heap_[least])) ++least;
    if (before(heap_[at], heap_[least])) return;
    std::swap(heap_[at], heap_[least]);
    at = least;
  }
}

/// The rows picked, which are in the inputs' batches at hand.
Batch MergeSource::taken() const {
  Batch out;
  out.rows = static_cast<std::int64_t>(picks_.size());
  for (std::size_t c = 0; c < out_.fields.size(); ++c) {
    const std::size_t width = widthOf(out_.fields[c].kind);
    Column& to = out.columns.emplace_back();
    auto values = Buffer::make(picks_.size() * width);
    auto valid = Buffer::make(picks_.size());
    bool all = true;
    std::vector<const Column*> from(inputs_.size());
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (!inputs_[i].batch) continue;
      from[i] = &inputs_[i].batch->columns[c];
      to.heaps.insert(to.heaps.end(), from[i]->heaps.begin(), from[i]->heaps.end());
    }
    for (std::size_t i = 0; i < picks_.size(); ++i) {
      const Column& column = *from[picks_[i].input];
      const std::size_t row = picks_[i].row;
      std::memcpy(values->as<char>() + i * width, column.values->as<char>() + row * width, width);
      const std::uint8_t there = column.valid ? column.valid->as<std::uint8_t>()[row] : 1;
      valid->as<std::uint8_t>()[i] = there;
      all = all && there != 0;
    }
    to.values = std::move(values);
    if (!all) to.valid = std::move(valid);
  }
  return out;
}

std::optional<Batch> MergeSource::next() {
  if (error_) return std::nullopt;
  if (!started_) {
    started_ = true;
    for (std::uint32_t i = 0; i < inputs_.size(); ++i) {
      if (!fetch(inputs_[i])) return std::nullopt;
      if (inputs_[i].batch) heap_.push_back(i);
    }
    for (std::size_t at = heap_.size() / 2; at-- > 0;) siftDown(at);
  } else if (!heap_.empty() && inputs_[heap_[0]].row == inputs_[heap_[0]].batch->rows) {
    if (!fetch(inputs_[heap_[0]])) return std::nullopt;
    if (!inputs_[heap_[0]].batch) {
      heap_[0] = heap_.back();
      heap_.pop_back();
    }
    siftDown(0);
  }
  if (heap_.empty()) return std::nullopt;
  picks_.clear();
  while (picks_.size() < static_cast<std::size_t>(kBatchRows)) {
    Input& least = inputs_[heap_[0]];
    picks_.push_back({heap_[0], static_cast<std::uint32_t>(least.row)});
    if (++least.row == least.batch->rows) break;  // its batch is kept until these are taken
    siftDown(0);
  }
  Batch batch = taken();
  batch.firstRow = rows_;
  rows_ += batch.rows;
  return batch;
}

}  // namespace couler::column

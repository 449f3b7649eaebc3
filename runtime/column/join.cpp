// Joining by hash. The right side is held in memory; when it is too large both sides are dealt out
// to files by their keys' hashes, joined a pair of files at a time, and the results merged by the
// left rows' numbers.
#include <algorithm>
#include <numeric>

#include "runtime/column/group_table.h"
#include "runtime/column/operators.h"
#include "runtime/column/spill.h"
#include "runtime/column/workers.h"

namespace couler::column {

namespace {

constexpr std::uint32_t kMaxDepth = 12;
constexpr std::int64_t kFewRows = 64;  // stay in memory, however little there is

struct JoinPlan {
  std::size_t keys = 0;
  ir::JoinKind kind{};
  Schema left;   ///< columns, keys; in files also the row's number
  Schema right;  ///< columns, keys
  Schema out;    ///< columns of both, or of the left alone
  Limits limits;
};

std::vector<std::uint32_t> keyColumns(const Schema& schema, std::size_t keys) {
  std::vector<std::uint32_t> columns(keys);
  std::iota(columns.begin(), columns.end(),
            static_cast<std::uint32_t>(schema.fields.size() - keys));
  return columns;
}

Batch keysOf(const Batch& batch, std::span<const std::uint32_t> columns) {
  Batch keys;
  keys.rows = batch.rows;
  for (const std::uint32_t c : columns) keys.columns.push_back(batch.columns[c]);
  return keys;
}

/// The right side in memory: rows by key. Those that lack a key are left out, so that a left row
/// that lacks one finds nothing.
class RightSide {
 public:
  explicit RightSide(const JoinPlan& plan) : plan_(plan), rows_(plan.right) {
    keyColumns_ = keyColumns(plan.right, plan.keys);
    Schema keys;
    for (const std::uint32_t c : keyColumns_) keys.fields.push_back(plan.right.fields[c]);
    table_ = std::make_unique<GroupTable>(std::move(keys), plan.limits.hashMask);
  }

  void add(const Batch& batch) {
    Batch rows = withKeysOnly(batch);
    if (rows.rows == 0) return;
    const Batch keys = keysOf(rows, keyColumns_);
    table_->add(keys, table_->wordsOf(keys, words_), {static_cast<std::size_t>(rows.rows), nullptr},
                groups_);
    const auto before = static_cast<std::size_t>(rows_.rows());
    rows_.append(rows);
    first_.resize(table_->size(), -1);
    last_.resize(table_->size(), -1);
    next_.resize(before + groups_.size(), -1);
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      const std::uint32_t group = groups_[i];
      const auto row = static_cast<std::int64_t>(before + i);
      (first_[group] < 0 ? first_[group] : next_[static_cast<std::size_t>(last_[group])]) = row;
      last_[group] = row;
    }
  }

  [[nodiscard]] std::size_t bytes() const {
    return table_->bytes() + rows_.bytes() + (next_.size() + 2 * first_.size()) * 8;
  }
  /// Columns and keys of the rows that have all of their keys.
  [[nodiscard]] const RowStore& rows() const { return rows_; }
  [[nodiscard]] std::int64_t next(std::int64_t row) const {
    return next_[static_cast<std::size_t>(row)];
  }
  /// Whether no two rows have the same keys.
  [[nodiscard]] bool unique() const { return first_.size() == next_.size(); }

  struct Scratch {
    std::vector<std::uint64_t> words;
    std::vector<std::uint32_t> groups;
  };
  /// The first matching row for each row of a left batch, or -1.
  void match(const Batch& keys, Scratch& scratch, std::vector<std::int64_t>& found) const {
    const std::vector<std::uint32_t>& groups = scratch.groups;
    table_->find(keys, table_->wordsOf(keys, scratch.words),
                 {static_cast<std::size_t>(keys.rows), nullptr}, scratch.groups);
    found.resize(groups.size());
    const bool same = unique() && table_->inOrder();  // a key's number is its row's
    for (std::size_t i = 0; i < groups.size(); ++i) {
      const std::uint32_t group = groups[i];
      found[i] = group == GroupTable::kNone ? -1 : same ? group : first_[group];
    }
  }

 private:
  [[nodiscard]] Batch withKeysOnly(const Batch& batch) const {
    std::vector<std::uint8_t> there(static_cast<std::size_t>(batch.rows), 1);
    for (const std::uint32_t c : keyColumns_) {
      if (batch.columns[c].valid == nullptr) continue;
      const std::uint8_t* valid = batch.columns[c].valid->as<std::uint8_t>();
      for (std::size_t i = 0; i < there.size(); ++i) there[i] &= valid[i];
    }
    std::vector<std::int64_t> take;
    for (std::size_t i = 0; i < there.size(); ++i) {
      if (there[i] != 0) take.push_back(static_cast<std::int64_t>(i));
    }
    return take.size() == there.size() ? batch : gather(plan_.right, batch, take);
  }

  const JoinPlan& plan_;
  RowStore rows_;
  std::vector<std::uint32_t> keyColumns_;
  std::unique_ptr<GroupTable> table_;
  std::vector<std::int64_t> first_;  ///< by key
  std::vector<std::int64_t> last_;
  std::vector<std::int64_t> next_;  ///< by row: the next of the same key, or -1
  std::vector<std::uint64_t> words_;
  std::vector<std::uint32_t> groups_;
};

/// Left rows against a right side in memory: the output's columns and, where the left rows have
/// their numbers in a last column (`numbered`), those.
class Prober {
 public:
  Prober(const JoinPlan& plan, std::shared_ptr<const RightSide> right, bool numbered)
      : plan_(plan),
        right_(std::move(right)),
        numbered_(numbered),
        both_(plan.kind == ir::JoinKind::Inner || plan.kind == ir::JoinKind::Left),
        leftKeys_(keyColumns(plan.left, plan.keys)) {
    taken_.fields.assign(plan.left.fields.begin(),
                         plan.left.fields.end() - static_cast<std::ptrdiff_t>(plan.keys));
    if (numbered) taken_ = withRowNumber(std::move(taken_));
  }

  /// Takes a batch of left rows; `next` then gives what they make.
  void start(Batch batch) {
    batch_ = std::move(batch);
    right_->match(keysOf(batch_, leftKeys_), scratch_, found_);
    // What is left are the columns that come out.
    const auto keys = batch_.columns.begin() + static_cast<std::ptrdiff_t>(leftKeys_.front());
    batch_.columns.erase(keys, keys + static_cast<std::ptrdiff_t>(plan_.keys));
    at_ = 0;
    chain_ = -2;
  }
  [[nodiscard]] bool more() const { return at_ < batch_.rows; }
  /// Up to a batch of rows, from where the last one ended.
  Batch next() {
    if (both_ && !right_->unique()) {
      pairs();
    } else {
      atMostOne();
    }
    return assemble();
  }

 private:
  /// Left rows of which each comes out once or not at all.
  void atMostOne() {
    const std::size_t rows = found_.size();
    lefts_.resize(rows);
    rights_.resize(rows);
    const bool all = plan_.kind == ir::JoinKind::Left;
    const bool anti = plan_.kind == ir::JoinKind::Anti;
    std::size_t count = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      lefts_[count] = static_cast<std::int64_t>(i);
      rights_[count] = found_[i];
      count += all || (found_[i] < 0) == anti ? 1 : 0;
    }
    lefts_.resize(count);
    rights_.resize(count);
    at_ = batch_.rows;
  }

  void pairs() {
    lefts_.clear();
    rights_.clear();
    while (at_ < batch_.rows && static_cast<std::int64_t>(lefts_.size()) < kBatchRows) {
      if (chain_ == -2) chain_ = found_[static_cast<std::size_t>(at_)];
      if (chain_ >= 0 || plan_.kind == ir::JoinKind::Left) {
        lefts_.push_back(at_);
        rights_.push_back(chain_);
      }
      if (chain_ >= 0) chain_ = right_->next(chain_);
      if (chain_ >= 0) continue;
      ++at_;
      chain_ = -2;
    }
  }

  [[nodiscard]] Batch assemble() const {
    const bool whole = lefts_.size() == found_.size() && (!both_ || right_->unique());
    Batch left = whole ? batch_ : gather(taken_, batch_, lefts_);
    Batch out;
    out.rows = static_cast<std::int64_t>(lefts_.size());
    Column numbers;
    if (numbered_) {
      numbers = std::move(left.columns.back());
      left.columns.pop_back();
    }
    out.columns = std::move(left.columns);
    if (both_) takeRight(rights_, out);
    if (numbered_) out.columns.push_back(std::move(numbers));
    return out;
  }

  void takeRight(const std::vector<std::int64_t>& rights, Batch& out) const {
    const bool missing = plan_.kind == ir::JoinKind::Left &&
                         std::any_of(rights.begin(), rights.end(), [](auto r) { return r < 0; });
    const std::size_t width = plan_.right.fields.size() - plan_.keys;
    if (!missing) {
      Batch columns = right_->rows().gather(rights, width);
      for (Column& column : columns.columns) out.columns.push_back(std::move(column));
      return;
    }
    // Missing rows take the first row's cells, which are then marked as none.
    std::vector<std::int64_t> there(rights);
    for (std::int64_t& row : there) row = std::max<std::int64_t>(row, 0);
    const bool empty = right_->rows().rows() == 0;
    Batch columns = empty ? blankRows(there.size()) : right_->rows().gather(there, width);
    columns.columns.resize(width);
    for (Column& column : columns.columns) {
      auto valid = Buffer::make(rights.size());
      std::uint8_t* bytes = valid->as<std::uint8_t>();
      const std::uint8_t* old = column.valid ? column.valid->as<std::uint8_t>() : nullptr;
      for (std::size_t i = 0; i < rights.size(); ++i) {
        bytes[i] = rights[i] >= 0 && (old == nullptr || old[i] != 0) ? 1 : 0;
      }
      column.valid = std::move(valid);
      out.columns.push_back(std::move(column));
    }
  }

  [[nodiscard]] Batch blankRows(std::size_t rows) const {
    Batch batch;
    for (const Field& field : right_->rows().schema().fields) {
      const std::size_t bytes = rows * widthOf(field.kind);
      auto values = Buffer::make(bytes);
      std::fill_n(values->as<std::uint8_t>(), bytes, std::uint8_t{0});
      batch.columns.push_back({std::move(values), nullptr, {}, nullptr});
    }
    return batch;
  }

  const JoinPlan& plan_;
  std::shared_ptr<const RightSide> right_;
  bool numbered_;
  bool both_;  ///< columns of both sides come out
  std::vector<std::uint32_t> leftKeys_;
  Schema taken_;  ///< the left columns that come out, and the row's number
  Batch batch_;
  RightSide::Scratch scratch_;
  std::vector<std::int64_t> found_;
  std::int64_t at_ = 0;
  std::int64_t chain_ = -2;  ///< the next right row of `at_`; -2: not begun
  std::vector<std::int64_t> lefts_;
  std::vector<std::int64_t> rights_;
};

class ProbeSource final : public Source {
 public:
  ProbeSource(const JoinPlan& plan, std::unique_ptr<Source> left, Prober prober, bool numbered)
      : left_(std::move(left)),
        prober_(std::move(prober)),
        out_(numbered ? withRowNumber(plan.out) : plan.out) {}
  [[nodiscard]] const Schema& schema() const override { return out_; }

  std::optional<Batch> next() override {
    while (!error_) {
      if (prober_.more()) return prober_.next();
      std::optional<Batch> batch = left_->next();
      if (!batch) {
        error_ = left_->error();
        return std::nullopt;
      }
      prober_.start(std::move(*batch));
    }
    return std::nullopt;
  }

 private:
  std::unique_ptr<Source> left_;
  Prober prober_;
  Schema out_;
};

/// Where each left row comes out at most once, so that a batch makes one batch.
class ProbeWork final : public Work {
 public:
  explicit ProbeWork(Prober prober) : prober_(std::move(prober)) {}
  bool run(Batch& batch, std::optional<StreamError>&) override {
    if (batch.rows == 0) return true;
    prober_.start(std::move(batch));
    batch = prober_.next();
    return true;
  }

 private:
  Prober prober_;
};

class JoinSource final : public Source {
 public:
  JoinSource(std::unique_ptr<Source> left, std::unique_ptr<Source> right, JoinPlan plan)
      : left_(std::move(left)), right_(std::move(right)), plan_(std::move(plan)) {}
  [[nodiscard]] const Schema& schema() const override { return plan_.out; }

  std::optional<Batch> next() override {
    if (error_) return std::nullopt;
    if (!joined_) {
      joined_ = join(std::move(left_), std::move(right_), 0);
      if (!joined_) return std::nullopt;
    }
    while (std::optional<Batch> batch = joined_->next()) {
      if (batch->rows == 0) continue;
      if (numbered_) batch->columns.pop_back();
      batch->rowIds.clear();
      batch->firstRow = rows_;
      rows_ += batch->rows;
      return batch;
    }
    error_ = joined_->error();
    return std::nullopt;
  }

 private:
  std::unique_ptr<Source> join(std::unique_ptr<Source> left, std::unique_ptr<Source> right,
                               std::uint32_t depth) {
    auto side = std::make_unique<RightSide>(plan_);
    while (std::optional<Batch> batch = right->next()) {
      side->add(*batch);
      const bool fits = side->bytes() < plan_.limits.memory || side->rows().rows() <= kFewRows;
      if (fits || depth >= kMaxDepth) continue;
      return joinParts(std::move(left), std::move(right), std::move(side), depth);
    }
    if (right->error()) {
      error_ = right->error();
      return nullptr;
    }
    const bool unique = side->unique();
    const Prober prober(plan_, std::move(side), depth != 0);
    const bool both = plan_.kind == ir::JoinKind::Inner || plan_.kind == ir::JoinKind::Left;
    if (plan_.limits.threads == 1 || depth != 0 || (both && !unique)) {
      return std::make_unique<ProbeSource>(plan_, std::move(left), prober, depth != 0);
    }
    std::vector<std::unique_ptr<Work>> works;
    for (std::size_t i = 0; i < plan_.limits.threads; ++i) {
      works.push_back(std::make_unique<ProbeWork>(prober));
    }
    return through(std::move(left), std::move(works), plan_.out);
  }

  std::unique_ptr<Source> joinParts(std::unique_ptr<Source> left, std::unique_ptr<Source> right,
                                    std::unique_ptr<RightSide> held, std::uint32_t depth) {
    numbered_ = true;
    const Schema leftParts = withRowNumber(plan_.left);
    auto rights = std::make_unique<Partitions>(plan_.right, plan_.limits, depth);
    const RowStore& rows = held->rows();
    std::vector<std::int64_t> take;
    for (std::int64_t first = 0; first < rows.rows(); first += kBatchRows) {
      take.resize(static_cast<std::size_t>(std::min(kBatchRows, rows.rows() - first)));
      std::iota(take.begin(), take.end(), first);
      if (!deal(rows.gather(take), plan_.right, *rights)) return nullptr;
    }
    held.reset();
    if (!dealAll(*right, plan_.right, false, *rights)) return nullptr;
    auto lefts = std::make_unique<Partitions>(leftParts, plan_.limits, depth);
    if (!dealAll(*left, plan_.left, depth == 0, *lefts)) return nullptr;
    std::vector<std::unique_ptr<Source>> parts;
    for (std::size_t i = 0; i < Partitions::kCount; ++i) {
      if (lefts->at(i).rows() == 0) continue;
      std::unique_ptr<Source> leftPart = lefts->at(i).read(error_);
      std::unique_ptr<Source> rightPart = rights->at(i).read(error_);
      if (!leftPart || !rightPart) return nullptr;
      std::unique_ptr<Source> joined = join(std::move(leftPart), std::move(rightPart), depth + 1);
      if (!joined) return nullptr;
      auto& file = files_.emplace_back(
          std::make_unique<SpillFile>(withRowNumber(plan_.out), plan_.limits));
      while (std::optional<Batch> batch = joined->next()) {
        if (batch->rows != 0 && !file->write(*batch, error_)) return nullptr;
      }
      if (joined->error()) {
        error_ = joined->error();
        return nullptr;
      }
      parts.push_back(file->read(error_));
      if (!parts.back()) return nullptr;
    }
    if (parts.empty()) {
      const Schema schema = withRowNumber(plan_.out);
      return storedRows(schema, std::make_shared<RowStore>(schema), {});
    }
    return std::make_unique<MergeSource>(std::move(parts), 1, 0, withRowNumber(plan_.out));
  }

  /// `number`: puts the row's number in a last column.
  bool dealAll(Source& in, const Schema& schema, bool number, Partitions& parts) {
    std::int64_t row = 0;
    while (std::optional<Batch> batch = in.next()) {
      if (number) {
        auto numbers = Buffer::make(static_cast<std::size_t>(batch->rows) * sizeof(std::int64_t));
        std::iota(numbers->as<std::int64_t>(), numbers->as<std::int64_t>() + batch->rows, row);
        row += batch->rows;
        batch->columns.push_back({std::move(numbers), nullptr, {}, nullptr});
      }
      if (!deal(*batch, schema, parts)) return false;
    }
    if (in.error()) {
      error_ = in.error();
      return false;
    }
    return parts.finish(error_);
  }

  /// `schema`: without the row's number.
  bool deal(const Batch& batch, const Schema& schema, Partitions& parts) {
    std::vector<std::uint64_t> hashes;
    hashRows(schema, batch, keyColumns(schema, plan_.keys), hashes);
    std::vector<std::int64_t> all(static_cast<std::size_t>(batch.rows));
    std::iota(all.begin(), all.end(), 0);
    return parts.write(batch, all, hashes, error_);
  }

  std::unique_ptr<Source> left_;
  std::unique_ptr<Source> right_;
  JoinPlan plan_;
  std::vector<std::unique_ptr<SpillFile>> files_;
  std::unique_ptr<Source> joined_;
  std::int64_t rows_ = 0;
  bool numbered_ = false;  ///< what is joined has the left rows' numbers in a last column
};

}  // namespace

std::unique_ptr<Source> joinRows(std::unique_ptr<Source> left, std::unique_ptr<Source> right,
                                 std::size_t keys, ir::JoinKind kind, Schema out,
                                 const Limits& limits, std::string) {
  JoinPlan plan{keys, kind, left->schema(), right->schema(), std::move(out), limits};
  return std::make_unique<JoinSource>(std::move(left), std::move(right), std::move(plan));
}

}  // namespace couler::column

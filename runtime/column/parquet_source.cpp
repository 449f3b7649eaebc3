#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>

#include "runtime/column/bad_rows.h"
#include "runtime/column/builder.h"
#include "runtime/column/bytes.h"
#include "runtime/column/cells.h"
#include "runtime/column/parquet.h"
#include "runtime/column/predicate.h"
#include "support/text.h"

namespace couler::column {

namespace {

/// The texts that the cells of a column are among, in one row group.
struct Words {
  std::shared_ptr<const Buffer> heap;
  std::vector<Text> texts;
  std::vector<std::int32_t> cases;  ///< Enum: which case each is, or -1
  std::vector<bool> sound;          ///< whether each is UTF-8; empty: all are
};

class ParquetSource final : public Source {
 public:
  ParquetSource(std::string path, const Schema& schema, const ReadOptions& options, AnomalyLog& log)
      : path_(std::move(path)),
        schema_(schema),
        only_(options.only),
        batch_(schema_, options.wanted),
        bad_(path_, schema_, options.onBad, log),
        late_(options.late),
        unused_(options.unused),
        columns_(schema_.fields.size()) {
    late_.resize(columns_.size());
    unused_.resize(columns_.size());
  }
  /// False with no error: not for us.
  bool open(CoulerParquetOpen* opener);

  [[nodiscard]] const Schema& schema() const override { return schema_; }
  std::optional<Batch> next() override;
  [[nodiscard]] bool defers() const override { return defers_; }
  bool fill(Batch& batch) override;

 private:
  struct ColumnState {
    bool mayMiss = false;
    bool late = false;                       ///< may be left out of batches
    std::optional<CaseIndex> cases;
    // Of the row group at hand:
    std::optional<Words> words;
    bool deferred = false;
    std::int64_t behind = 0;  ///< rows that were given and are not read
  };

  bool fail(std::string_view what) {
    error_ = StreamError{fmt::format(
        "{}: {}", path_, file_.changed() ? "was changed while it was read" : what)};
    return false;
  }
  bool nextGroup();
  bool isSkipped(int group);
  bool isSound(int group, std::size_t field);
  bool loadWords(std::size_t field);
  bool take(std::int64_t rows);
  bool readCells(std::size_t field, const ParquetRows& which, ColumnBuilder& column);
  bool readNumbers(std::size_t field, const ParquetRows& which, ColumnBuilder& column,
                   std::uint8_t* valid);
  bool readTexts(std::size_t field, const ParquetRows& which, ColumnBuilder& column,
                 std::uint8_t* valid);
  bool readIndexes(std::size_t field, const ParquetRows& which, ColumnBuilder& column,
                   std::uint8_t* valid);
  void badCell(AnomalyKind kind, std::size_t field, std::int64_t row, std::string_view text) {
    bad_.badCell(kind, field, rowId_ + row, row, text, batch_, [] { return std::int64_t{0}; });
  }
  [[nodiscard]] std::size_t storedRows(const ParquetRows& which) const {
    return which.picked != nullptr ? which.count : static_cast<std::size_t>(which.rows);
  }

  std::string path_;
  Schema schema_;
  FileHandle file_;
  std::unique_ptr<ParquetFile> parquet_;
  std::shared_ptr<const Predicate> only_;
  BatchBuilder batch_;
  BadRowPolicy bad_;
  std::vector<bool> late_;
  std::vector<bool> unused_;
  std::vector<ColumnState> columns_;  // by field
  bool defers_ = false;
  int group_ = -1;
  std::int64_t left_ = 0;       // rows of the row group that are not given
  std::int64_t rowId_ = 0;      // of the next row
  std::int64_t givenRows_ = 0;  // of the batch given last
  bool ended_ = false;
  std::vector<std::int32_t> indexes_;
  std::vector<std::string_view> views_;
};

std::optional<ParquetCells> cellsOf(Kind kind) {
  switch (kind) {
    case Kind::Bool:
      return ParquetCells::Bool;
    case Kind::Int:
    case Kind::Size:
      return ParquetCells::Int;
    case Kind::Float:
      return ParquetCells::Float;
    case Kind::String:
    case Kind::Enum:
      return ParquetCells::Text;
    case Kind::Timestamp:
      return ParquetCells::Timestamp;
    case Kind::Duration:
      return ParquetCells::Duration;
    case Kind::Value:
      break;
  }
  return std::nullopt;
}

bool ParquetSource::open(CoulerParquetOpen* opener) {
  std::vector<ParquetColumn> asked;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Field& field = schema_.fields[i];
    const auto cells = batch_.wants(i) ? cellsOf(field.kind) : std::nullopt;
    if (batch_.wants(i) && !cells) return false;
    asked.push_back({field.name, cells});
    if (field.kind == Kind::Enum) columns_[i].cases.emplace(field.cases);
    // Of the others, each cell can be wrong.
    const bool plain = field.kind != Kind::Enum && field.kind != Kind::Size;
    columns_[i].late = cells && plain && (late_[i] || unused_[i]);
    defers_ = defers_ || (columns_[i].late && !unused_[i]);
  }
  StreamError problem;
  if (!file_.open(path_, problem)) {
    error_ = problem;
    return false;
  }
  const int fd = ::fcntl(file_.fd(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return fail(fmt::format("cannot be opened: {}", std::strerror(errno)));
  ParquetFile* made = nullptr;
  opener(fd, asked.data(), asked.size(), kBatchRows, &made);
  parquet_.reset(made);
  if (!parquet_) return false;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    columns_[i].mayMiss = batch_.wants(i) && parquet_->mayMiss(i);
  }
  return true;
}

std::optional<Batch> ParquetSource::next() {
  while (!error_ && !ended_) {
    if (left_ == 0) {
      if (!nextGroup()) break;
      continue;
    }
    const std::int64_t rows = std::min(kBatchRows, left_);
    if (!take(rows)) return std::nullopt;
    left_ -= rows;
    rowId_ += rows;
    givenRows_ = rows;
    if (bad_.failed()) continue;
    Batch batch = batch_.finish();
    if (batch.rows > 0) return batch;
  }
  if (!error_ && bad_.failed()) error_ = bad_.failure();
  return std::nullopt;
}

/// To the next row group whose rows are wanted, if there is one.
bool ParquetSource::nextGroup() {
  if (++group_ >= parquet_->groups()) {
    ended_ = true;
    return !file_.changed() || fail("was changed while it was read");
  }
  const std::int64_t rows = parquet_->rows(group_);
  if (rows == 0) return true;
  if (rows < 0) return fail("is damaged: a row group has a negative number of rows");
  if (!parquet_->enter(group_)) return fail(parquet_->error());
  bool allSound = true;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!batch_.wants(i)) continue;
    columns_[i].words.reset();
    columns_[i].behind = 0;
    const bool isText =
        schema_.fields[i].kind == Kind::String || schema_.fields[i].kind == Kind::Enum;
    if (isText && !loadWords(i)) return false;
    const bool sound = isSound(group_, i);
    columns_[i].deferred = sound && columns_[i].late;
    allSound = allSound && sound;
  }
  if (allSound && isSkipped(group_)) {
    rowId_ += rows;
    return true;
  }
  left_ = rows;
  return true;
}

bool ParquetSource::isSkipped(int group) {
  if (!only_) return false;
  return std::any_of(
      only_->conditions.begin(), only_->conditions.end(), [&](const Condition& condition) {
        return excludes(condition, parquet_->range(group, condition.field));
      });
}

/// Whether no cell of the column can be wrong in this row group.
bool ParquetSource::isSound(int group, std::size_t field) {
  const ColumnState& column = columns_[field];
  const Field& about = schema_.fields[field];
  if (about.kind == Kind::Size || about.kind == Kind::Enum) return false;
  if (about.kind == Kind::String && (!column.words || !column.words->sound.empty())) return false;
  return about.optional || !column.mayMiss || parquet_->range(group, field).missing == 0;
}

bool ParquetSource::loadWords(std::size_t field) {
  ColumnState& column = columns_[field];
  std::optional<std::vector<std::string_view>> found;
  if (!parquet_->words(field, found)) return fail(parquet_->error());
  if (!found) return true;
  std::size_t bytes = 0;
  for (const std::string_view word : *found) bytes += word.size();
  const auto heap = Buffer::make(bytes);
  if (!heap) return fail("out of memory");
  Words& words = column.words.emplace();
  words.heap = heap;
  char* at = heap->as<char>();
  for (const std::string_view word : *found) {
    if (!word.empty()) std::memcpy(at, word.data(), word.size());
    words.texts.push_back({at, static_cast<std::int64_t>(word.size())});
    at += word.size();
  }
  for (std::size_t i = 0; i < words.texts.size(); ++i) {
    const std::string_view text = words.texts[i].view();
    if (column.cases) {
      words.cases.push_back(column.cases->find(text));
    } else if (findInvalidUtf8(text)) {
      words.sound.resize(words.texts.size(), true);
      words.sound[i] = false;
    }
  }
  return true;
}

bool ParquetSource::take(std::int64_t rows) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    batch_.setRoom(i, batch_.wants(i) && !columns_[i].deferred);
  }
  if (!batch_.start(rowId_, rows)) return fail("out of memory");
  batch_.addRows(rowId_, rows);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].deferred) {
      columns_[i].behind += rows;
    } else if (batch_.wants(i) && !readCells(i, {rows, nullptr, 0}, batch_.column(i))) {
      return false;
    }
  }
  return true;
}

bool ParquetSource::fill(Batch& batch) {
  std::vector<std::int32_t> picked;
  if (batch.rows != givenRows_) {
    for (std::int64_t row = 0; row < batch.rows; ++row) {
      picked.push_back(static_cast<std::int32_t>(rowId(batch, row) - (rowId_ - givenRows_)));
    }
  }
  const ParquetRows which{givenRows_, picked.empty() ? nullptr : picked.data(), picked.size()};
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    ColumnState& column = columns_[i];
    if (!column.deferred || unused_[i]) continue;
    if (!parquet_->skip(i, column.behind - givenRows_)) return fail(parquet_->error());
    column.behind = 0;
    ColumnBuilder cells;
    cells.values = Buffer::make(storedRows(which) * widthOf(schema_.fields[i].kind));
    if (!cells.values) return fail("out of memory");
    if (!readCells(i, which, cells)) return false;
    batch.columns[i] = {std::move(cells.values), std::move(cells.valid), std::move(cells.heaps),
                        nullptr};
  }
  return true;
}

bool ParquetSource::readCells(std::size_t field, const ParquetRows& which, ColumnBuilder& column) {
  const ColumnState& state = columns_[field];
  const Field& about = schema_.fields[field];
  const std::size_t rows = storedRows(which);
  std::shared_ptr<Buffer> valid;
  if (state.mayMiss) {
    valid = Buffer::make(rows);
    if (!valid) return fail("out of memory");
  }
  auto* there = valid ? valid->as<std::uint8_t>() : nullptr;
  const bool isText = about.kind == Kind::String || about.kind == Kind::Enum;
  const bool read = !isText       ? readNumbers(field, which, column, there)
                    : state.words ? readIndexes(field, which, column, there)
                                  : readTexts(field, which, column, there);
  if (!read) return error_ ? false : fail(parquet_->error());
  const bool missing = valid && std::memchr(there, 0, rows) != nullptr;
  if (missing && !about.optional) {
    for (std::size_t row = 0; row < rows; ++row) {
      if (there[row] == 0) {
        badCell(AnomalyKind::Missing, field, static_cast<std::int64_t>(row), {});
      }
    }
  } else if (missing) {
    for (std::size_t row = 0; row < rows && column.valid; ++row) {  // wrong cells are missing, too
      there[row] = there[row] & column.valid->as<std::uint8_t>()[row];
    }
    column.valid = std::move(valid);
  }
  for (std::size_t row = 0; about.kind == Kind::Size && row < rows; ++row) {
    const std::int64_t bytes = column.values->as<std::int64_t>()[row];
    if (bytes >= 0) continue;
    badCell(AnomalyKind::OutOfRange, field, static_cast<std::int64_t>(row), std::to_string(bytes));
  }
  return true;
}

bool ParquetSource::readNumbers(std::size_t field, const ParquetRows& which, ColumnBuilder& column,
                                std::uint8_t* valid) {
  return parquet_->read(field, which, column.values->data(), valid, nullptr);
}

bool ParquetSource::readIndexes(std::size_t field, const ParquetRows& which, ColumnBuilder& column,
                                std::uint8_t* valid) {
  const std::size_t rows = storedRows(which);
  const Words& words = *columns_[field].words;
  indexes_.resize(std::max(indexes_.size(), rows));
  if (!parquet_->readIndexes(field, which, indexes_.data(), valid)) return false;
  const auto isThere = [&](std::size_t row) { return valid == nullptr || valid[row] != 0; };
  if (schema_.fields[field].kind == Kind::String) {
    column.heaps.push_back(words.heap);
    Text* out = column.values->as<Text>();
    for (std::size_t row = 0; row < rows; ++row) {
      out[row] = isThere(row) ? words.texts[static_cast<std::size_t>(indexes_[row])] : Text{};
    }
    for (std::size_t row = 0; !words.sound.empty() && row < rows; ++row) {
      if (!isThere(row) || words.sound[static_cast<std::size_t>(indexes_[row])]) continue;
      badCell(AnomalyKind::NotUtf8, field, static_cast<std::int64_t>(row), out[row].view());
    }
    return true;
  }
  auto* out = column.values->as<std::int32_t>();
  for (std::size_t row = 0; row < rows; ++row) {
    out[row] = isThere(row) ? words.cases[static_cast<std::size_t>(indexes_[row])] : 0;
    if (out[row] >= 0) continue;
    badCell(AnomalyKind::NotACase, field, static_cast<std::int64_t>(row),
            words.texts[static_cast<std::size_t>(indexes_[row])].view());
  }
  return true;
}

bool ParquetSource::readTexts(std::size_t field, const ParquetRows& which, ColumnBuilder& column,
                              std::uint8_t* valid) {
  class Keeper final : public TextKeeper {
   public:
    explicit Keeper(TextHeap& heap) : heap_(heap) {}
    std::string_view keep(std::string_view text) override { return heap_.add(text).view(); }

   private:
    TextHeap& heap_;
  };
  const std::size_t rows = storedRows(which);
  views_.resize(std::max(views_.size(), rows));
  Keeper keeper(column.heap);
  if (!parquet_->read(field, which, views_.data(), valid, &keeper)) return false;
  const bool isEnum = schema_.fields[field].kind == Kind::Enum;
  for (std::size_t row = 0; row < rows; ++row) {
    const bool there = valid == nullptr || valid[row] != 0;
    const std::string_view text = there ? views_[row] : std::string_view();
    const auto at = static_cast<std::int64_t>(row);
    if (isEnum) {
      column.at<std::int32_t>(at) = there ? columns_[field].cases->find(text) : 0;
      if (column.at<std::int32_t>(at) < 0) badCell(AnomalyKind::NotACase, field, at, text);
      continue;
    }
    column.at<Text>(at) = {text.data(), static_cast<std::int64_t>(text.size())};
    if (there && findInvalidUtf8(text)) badCell(AnomalyKind::NotUtf8, field, at, text);
  }
  return true;
}

}  // namespace

std::unique_ptr<Source> openParquet(const std::string& path, const Schema& schema,
                                    const ReadOptions& options, CoulerParquetOpen* open,
                                    AnomalyLog& log, StreamError& error) {
  auto source = std::make_unique<ParquetSource>(path, schema, options, log);
  if (source->open(open)) return source;
  error = source->error().value_or(StreamError{});
  return nullptr;
}

}  // namespace couler::column

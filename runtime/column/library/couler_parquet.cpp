// Parquet read by the columns, without Arrow's arrays between the pages and the batches.
#include <cmath>
#include <cstring>
#include <memory>
#include <stdexcept>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/statistics.h>

#include "runtime/column/library/parquet_file.h"

namespace couler::column {

namespace {

/// The cells of one column in one row group.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual void skip(std::int64_t rows) = 0;
  virtual bool words(std::vector<std::string_view>& words) = 0;
  virtual void read(const ParquetRows& which, void* cells, std::uint8_t* valid,
                    TextKeeper* keeper) = 0;
  virtual void readIndexes(const ParquetRows& which, std::int32_t* indexes,
                           std::uint8_t* valid) = 0;
};

[[noreturn]] void damaged() {
  throw std::runtime_error("is damaged: the cells of a column do not fit its metadata");
}

/// How many of `count` levels, 0 or 1, are 1; count is below 2^16.
std::int64_t sumOf(const std::int16_t* levels, std::int64_t count) {
  std::uint64_t lanes = 0;
  std::int64_t at = 0;
  for (; at + 4 <= count; at += 4) {
    std::uint64_t four = 0;
    std::memcpy(&four, levels + at, sizeof four);
    lanes += four;
  }
  std::int64_t sum = 0;
  for (; lanes != 0; lanes >>= 16U) sum += static_cast<std::int64_t>(lanes & 0xFFFFU);
  for (; at < count; ++at) sum += levels[at];
  return sum;
}

template <class DType, class Cell>
class CursorOf final : public Cursor {
  using T = typename DType::c_type;

 public:
  CursorOf(std::shared_ptr<parquet::ColumnReader> reader, std::int64_t batchRows)
      : reader_(std::static_pointer_cast<parquet::TypedColumnReader<DType>>(std::move(reader))),
        listed_(reader_->GetExposedEncoding() == parquet::ExposedEncoding::DICTIONARY),
        batchRows_(batchRows) {
    const auto rows = static_cast<std::size_t>(batchRows);
    if (listed_) {
      indexes_ = std::make_unique<std::int32_t[]>(rows);
    } else {
      values_ = std::make_unique<T[]>(rows);
    }
    if (reader_->descr()->max_definition_level() > 0) {
      levels_ = std::make_unique<std::int16_t[]>(rows);
    }
  }

  void skip(std::int64_t rows) override {
    if (rows > 0 && reader_->Skip(rows) != rows) damaged();
  }

  bool words(std::vector<std::string_view>& words) override {
    if constexpr (std::is_same_v<DType, parquet::ByteArrayType>) {
      if (!listed_) return false;
      if (size_ < 0) readPiece(0);
      words.reserve(static_cast<std::size_t>(size_));
      for (std::int32_t i = 0; i < size_; ++i) words.push_back(view(dictionary_[i]));
      return true;
    }
    return false;
  }

  void read(const ParquetRows& which, void* cells, std::uint8_t* valid,
            TextKeeper* keeper) override {
    auto* out = static_cast<Cell*>(cells);
    if (listed_) {
      pass(which, out, valid, [&](std::int64_t i) { return cellOf(entry(i), keeper); });
    } else {
      pass(which, out, valid, [&](std::int64_t i) { return cellOf(values_[i], keeper); });
    }
  }

  void readIndexes(const ParquetRows& which, std::int32_t* indexes, std::uint8_t* valid) override {
    pass(which, indexes, valid, [&](std::int64_t i) {
      check(indexes_[i]);
      return indexes_[i];
    });
  }

 private:
  static std::string_view view(const parquet::ByteArray& bytes) {
    return {reinterpret_cast<const char*>(bytes.ptr), bytes.len};
  }
  static Cell cellOf(const T& value, TextKeeper* keeper) {
    if constexpr (std::is_same_v<DType, parquet::ByteArrayType>) {
      return keeper->keep(view(value));
    } else {
      static_cast<void>(keeper);
      return static_cast<Cell>(value);
    }
  }
  void check(std::int32_t index) const {
    if (index < 0 || index >= size_) damaged();
  }
  const T& entry(std::int64_t i) const {
    check(indexes_[i]);
    return dictionary_[indexes_[i]];
  }

  /// At most `rows` levels and the values that are there; how many levels.
  std::int64_t readPiece(std::int64_t rows) {
    std::int64_t values = 0;
    const std::int64_t read =
        listed_ ? reader_->ReadBatchWithDictionary(rows, levels_.get(), nullptr, indexes_.get(),
                                                   &values, &dictionary_, &size_)
                : reader_->ReadBatch(rows, levels_.get(), nullptr, values_.get(), &values);
    if ((read == 0 && rows != 0) || values != (levels_ ? sumOf(levels_.get(), read) : read)) {
      damaged();
    }
    return read;
  }

  /// `valueOf(i)`: the i-th of a piece's values.
  template <class Out, class ValueOf>
  void pass(const ParquetRows& which, Out* out, std::uint8_t* valid, ValueOf valueOf) {
    if (which.rows > batchRows_) damaged();
    std::size_t next = 0;  // of `picked`
    for (std::int64_t done = 0; done < which.rows;) {
      const std::int64_t read = readPiece(which.rows - done);
      if (which.picked != nullptr) {
        next = passPicked(which, next, done, read, out, valid, valueOf);
      } else if (!levels_) {
        for (std::int64_t i = 0; i < read; ++i) out[done + i] = valueOf(i);
      } else {
        std::int64_t value = 0;
        for (std::int64_t i = 0; i < read; ++i) {
          const bool there = levels_[i] != 0;
          valid[done + i] = there ? 1 : 0;
          out[done + i] = there ? valueOf(value) : Out{};
          value += there ? 1 : 0;
        }
      }
      done += read;
    }
  }

  template <class Out, class ValueOf>
  std::size_t passPicked(const ParquetRows& which, std::size_t next, std::int64_t done,
                         std::int64_t read, Out* out, std::uint8_t* valid, ValueOf valueOf) {
    std::int64_t value = 0;  // values before level `at`
    std::int64_t at = 0;
    for (; next < which.count && which.picked[next] < done + read; ++next) {
      const std::int64_t row = which.picked[next] - done;
      if (!levels_) {
        out[next] = valueOf(row);
        continue;
      }
      value += sumOf(levels_.get() + at, row - at);
      at = row;
      const bool there = levels_[row] != 0;
      valid[next] = there ? 1 : 0;
      out[next] = there ? valueOf(value) : Out{};
    }
    return next;
  }

  std::shared_ptr<parquet::TypedColumnReader<DType>> reader_;
  bool listed_;  ///< cells are indexes of a dictionary
  std::int64_t batchRows_;
  std::unique_ptr<T[]> values_;
  std::unique_ptr<std::int32_t[]> indexes_;
  std::unique_ptr<std::int16_t[]> levels_;
  const T* dictionary_ = nullptr;
  std::int32_t size_ = -1;  ///< of the dictionary
};

struct Leaf {
  int index = 0;
  ParquetCells cells{};
};

/// Whether the cells of a leaf can be handed on as they are.
bool fits(const parquet::arrow::SchemaField& field, const parquet::ColumnDescriptor& leaf,
          ParquetCells cells) {
  using arrow::Type;
  if (!field.is_leaf() || leaf.max_repetition_level() != 0 || leaf.max_definition_level() > 1 ||
      leaf.path()->ToDotVector().size() != 1) {
    return false;
  }
  const arrow::DataType& type = *field.field->type();
  const parquet::Type::type stored = leaf.physical_type();
  const parquet::LogicalType& logical = *leaf.logical_type();
  switch (cells) {
    case ParquetCells::Bool:
      return type.id() == Type::BOOL && stored == parquet::Type::BOOLEAN;
    case ParquetCells::Int:
      return (type.id() == Type::INT64 && stored == parquet::Type::INT64) ||
             (type.id() == Type::INT32 && stored == parquet::Type::INT32);
    case ParquetCells::Float:
      return (type.id() == Type::DOUBLE && stored == parquet::Type::DOUBLE) ||
             (type.id() == Type::FLOAT && stored == parquet::Type::FLOAT);
    case ParquetCells::Text:
      return stored == parquet::Type::BYTE_ARRAY && logical.is_string() &&
             (type.id() == Type::STRING || type.id() == Type::LARGE_STRING ||
              type.id() == Type::STRING_VIEW);
    case ParquetCells::Timestamp:
      return type.id() == Type::TIMESTAMP && stored == parquet::Type::INT64 &&
             static_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::MICRO &&
             logical.is_timestamp() &&
             static_cast<const parquet::TimestampLogicalType&>(logical).time_unit() ==
                 parquet::LogicalType::TimeUnit::MICROS;
    case ParquetCells::Duration:
      return type.id() == Type::DURATION && stored == parquet::Type::INT64 && logical.is_none() &&
             static_cast<const arrow::DurationType&>(type).unit() == arrow::TimeUnit::MICRO;
  }
  return false;
}

template <class DType>
void setRange(const parquet::Statistics& statistics, ValueRange& range) {
  const auto& typed = static_cast<const parquet::TypedStatistics<DType>&>(statistics);
  if constexpr (std::is_floating_point_v<typename DType::c_type>) {
    if (!std::isnan(typed.min()) && !std::isnan(typed.max())) {
      range.floats = {double{typed.min()}, double{typed.max()}};
    }
  } else {
    range.ints = {std::int64_t{typed.min()}, std::int64_t{typed.max()}};
  }
}

class LibraryParquet final : public ParquetFile {
 public:
  LibraryParquet(std::unique_ptr<parquet::ParquetFileReader> file, std::int64_t batchRows)
      : file_(std::move(file)), batchRows_(batchRows) {}

  /// Whether all columns are for us.
  bool find(const ParquetColumn* columns, std::size_t count) {
    const auto metadata = file_->metadata();
    parquet::arrow::SchemaManifest manifest;
    if (!parquet::arrow::SchemaManifest::Make(metadata->schema(), metadata->key_value_metadata(),
                                              parquet::default_arrow_reader_properties(),
                                              &manifest)
             .ok()) {
      return false;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const parquet::arrow::SchemaField* found = nullptr;
      for (const auto& field : manifest.schema_fields) {
        if (field.field->name() != columns[i].name) continue;
        if (found != nullptr) return false;
        found = &field;
      }
      if (found == nullptr) return false;
      if (!columns[i].cells) {
        leaves_.emplace_back();
        continue;
      }
      if (!found->is_leaf() ||
          !fits(*found, *metadata->schema()->Column(found->column_index), *columns[i].cells)) {
        return false;
      }
      leaves_.push_back({found->column_index, *columns[i].cells});
    }
    cursors_.resize(count);
    return true;
  }

  [[nodiscard]] int groups() const override { return file_->metadata()->num_row_groups(); }
  [[nodiscard]] std::int64_t rows(int group) const override {
    return file_->metadata()->RowGroup(group)->num_rows();
  }
  [[nodiscard]] bool mayMiss(std::size_t column) const override {
    return file_->metadata()->schema()->Column(leaves_[column].index)->max_definition_level() > 0;
  }

  [[nodiscard]] ValueRange range(int group, std::size_t column) const override {
    ValueRange range;
    if (!mayMiss(column)) range.missing = 0;
    try {
      const int leaf = leaves_[column].index;
      const auto chunk = file_->metadata()->RowGroup(group)->ColumnChunk(leaf);
      const auto statistics = chunk->is_stats_set() ? chunk->statistics() : nullptr;
      if (statistics == nullptr) return range;
      if (statistics->HasNullCount()) range.missing = statistics->null_count();
      const parquet::ColumnDescriptor& about = *file_->metadata()->schema()->Column(leaf);
      if (!statistics->HasMinMax() || about.sort_order() != parquet::SortOrder::SIGNED) {
        return range;
      }
      switch (about.physical_type()) {
        case parquet::Type::INT32:
          setRange<parquet::Int32Type>(*statistics, range);
          break;
        case parquet::Type::INT64:
          setRange<parquet::Int64Type>(*statistics, range);
          break;
        case parquet::Type::FLOAT:
          setRange<parquet::FloatType>(*statistics, range);
          break;
        case parquet::Type::DOUBLE:
          setRange<parquet::DoubleType>(*statistics, range);
          break;
        default:
          break;
      }
    } catch (const std::exception&) {
      return {mayMiss(column) ? -1 : 0, std::nullopt, std::nullopt};
    }
    return range;
  }

  bool enter(int group) override {
    return guarded([&] {
      for (auto& cursor : cursors_) cursor = nullptr;
      group_ = file_->RowGroup(group);
    });
  }
  bool words(std::size_t column, std::optional<std::vector<std::string_view>>& words) override {
    return guarded([&] {
      std::vector<std::string_view> found;
      if (at(column).words(found)) words = std::move(found);
    });
  }
  bool skip(std::size_t column, std::int64_t rows) override {
    return guarded([&] { at(column).skip(rows); });
  }
  bool read(std::size_t column, const ParquetRows& which, void* cells, std::uint8_t* valid,
            TextKeeper* keeper) override {
    return guarded([&] { at(column).read(which, cells, valid, keeper); });
  }
  bool readIndexes(std::size_t column, const ParquetRows& which, std::int32_t* indexes,
                   std::uint8_t* valid) override {
    return guarded([&] { at(column).readIndexes(which, indexes, valid); });
  }

 private:
  template <class Body>
  bool guarded(Body body) {
    try {
      body();
      return true;
    } catch (const std::exception& thrown) {
      error_ = thrown.what();
      return false;
    }
  }

  Cursor& at(std::size_t column) {
    std::unique_ptr<Cursor>& cursor = cursors_[column];
    if (cursor) return *cursor;
    auto reader = group_->ColumnWithExposeEncoding(leaves_[column].index,
                                                   parquet::ExposedEncoding::DICTIONARY);
    const parquet::Type::type stored = reader->type();
    const auto make = [&]<class DType, class Cell>(std::type_identity<DType>,
                                                   std::type_identity<Cell>) {
      cursor = std::make_unique<CursorOf<DType, Cell>>(std::move(reader), batchRows_);
    };
    using std::type_identity;
    switch (leaves_[column].cells) {
      case ParquetCells::Bool:
        make(type_identity<parquet::BooleanType>(), type_identity<std::uint8_t>());
        break;
      case ParquetCells::Text:
        make(type_identity<parquet::ByteArrayType>(), type_identity<std::string_view>());
        break;
      case ParquetCells::Float:
        if (stored == parquet::Type::FLOAT) {
          make(type_identity<parquet::FloatType>(), type_identity<double>());
        } else {
          make(type_identity<parquet::DoubleType>(), type_identity<double>());
        }
        break;
      default:
        if (stored == parquet::Type::INT32) {
          make(type_identity<parquet::Int32Type>(), type_identity<std::int64_t>());
        } else {
          make(type_identity<parquet::Int64Type>(), type_identity<std::int64_t>());
        }
        break;
    }
    return *cursor;
  }

  std::unique_ptr<parquet::ParquetFileReader> file_;
  std::shared_ptr<parquet::RowGroupReader> group_;
  std::int64_t batchRows_;
  std::vector<Leaf> leaves_;
  std::vector<std::unique_ptr<Cursor>> cursors_;
};

}  // namespace

}  // namespace couler::column

extern "C" __attribute__((visibility("default"))) void couler_parquet_open(
    int fd, const couler::column::ParquetColumn* columns, std::size_t count,
    std::int64_t batchRows, couler::column::ParquetFile** file) {
  try {
    // The program's own allocator keeps the memory of one page for the next.
    arrow::MemoryPool* pool = arrow::system_memory_pool();
    auto input = arrow::io::ReadableFile::Open(fd, pool);
    if (!input.ok()) return;
    parquet::ReaderProperties properties(pool);
    properties.enable_buffered_stream();
    constexpr std::int64_t kBuffer = std::int64_t{64} << 10;
    properties.set_buffer_size(kBuffer);
    auto made = std::make_unique<couler::column::LibraryParquet>(
        parquet::ParquetFileReader::Open(*input, properties), batchRows);
    if (made->find(columns, count)) *file = made.release();
  } catch (const std::exception&) {
    *file = nullptr;  // who reads it by other means says what is wrong with it
  }
}

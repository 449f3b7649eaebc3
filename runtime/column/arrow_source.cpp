#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "runtime/column/arrow.h"
#include "runtime/column/arrow_layout.h"
#include "runtime/column/bad_rows.h"
#include "runtime/column/builder.h"
#include "runtime/column/bytes.h"
#include "runtime/column/cells.h"
#include "runtime/column/header_check.h"
#include "support/text.h"

namespace couler::column {

namespace {

using arrow::BufferSpan;
using arrow::FieldNode;
using arrow::FileColumn;
using arrow::FlatTable;
using arrow::FlatVector;

constexpr std::int64_t kMaxMetadata = std::int64_t{256} << 20;

/// A message: its metadata, and where its body lies in the file.
struct Message {
  std::string metadata;
  std::uint8_t type = 0;
  std::int64_t bodyStart = 0;
  std::int64_t bodySize = 0;
  [[nodiscard]] std::optional<FlatTable> header() const {
    const std::optional<FlatTable> root = FlatTable::root(metadata);
    return root ? root->table(arrow::message::kHeader) : std::nullopt;
  }
};

/// One column of the record batch at hand.
struct Loaded {
  std::shared_ptr<Buffer> memory;  ///< what the pointers below point into
  const std::uint8_t* valid = nullptr;  ///< bits; null: all are
  const char* values = nullptr;         ///< or the offsets of strings
  const char* text = nullptr;
  std::int64_t textSize = 0;
  bool checked = false;  ///< the strings are UTF-8
};

class ArrowSource final : public Source {
 public:
  ArrowSource(std::string path, const Schema& schema, const ReadOptions& options, AnomalyLog& log)
      : path_(std::move(path)),
        schema_(schema),
        bad_(path_, schema_, options.onBad, log),
        batch_(schema_, options.wanted) {}

  [[nodiscard]] const Schema& schema() const override { return schema_; }
  std::optional<Batch> next() override;
  /// False with no error: not for us.
  bool open();

 private:
  enum class Step : std::uint8_t { Records, End, Failed, Foreign };

  bool fail(std::string_view what) {
    error_ = StreamError{fmt::format("{}: {}", path_, what)};
    return false;
  }
  bool damaged() { return fail("is not a sound Arrow file: its content does not fit its metadata"); }
  Step nextMessage(Message& message);
  Step nextRecords();
  bool readDictionary(const Message& message, bool& foreign);
  bool readBuffers(const FlatTable& records, std::int64_t bodyStart, std::int64_t bodySize,
                   const FileColumn& column, bool isText, bool isIndex, std::int64_t rows,
                   Loaded& loaded);
  bool checkOffsets(const FileColumn& column, std::int64_t rows, Loaded& loaded);
  [[nodiscard]] static std::int64_t offsetAt(const FileColumn& column, const Loaded& loaded,
                                             std::int64_t i);
  bool loadRecords();
  bool take(std::int64_t rows);
  bool takeColumn(std::size_t field, std::int64_t rows);
  void takeMissing(std::size_t field, std::int64_t rows);
  bool takeTexts(std::size_t field, std::int64_t rows);
  bool takeIndexes(std::size_t field, std::int64_t rows);
  [[nodiscard]] static bool isThere(const Loaded& loaded, std::int64_t i) {
    return loaded.valid == nullptr || ((loaded.valid[i / 8] >> (i % 8)) & 1) != 0;
  }
  [[nodiscard]] std::int64_t rowId(std::int64_t row) const { return rowId_ + row; }
  void badCell(AnomalyKind kind, std::size_t field, std::int64_t row, std::string_view text) {
    bad_.badCell(kind, field, rowId(row), row, text, batch_, [] { return std::int64_t{0}; });
  }

  std::string path_;
  Schema schema_;
  FileHandle file_;
  BadRowPolicy bad_;
  BatchBuilder batch_;
  std::int64_t position_ = 0;
  std::vector<FileColumn> columns_;  // by field
  std::vector<std::optional<CaseIndex>> caseIndexes_;  // by field
  std::unordered_map<std::int64_t, std::vector<std::string>> dictionaries_;
  Message records_;
  bool haveRecords_ = false;  // read, and not looked at
  std::vector<Loaded> loaded_;
  std::int64_t loadedRows_ = 0;
  std::int64_t taken_ = 0;  // of them
  std::int64_t rowId_ = 0;  // of the first row of the batch
  bool ended_ = false;
};

ArrowSource::Step ArrowSource::nextMessage(Message& message) {
  std::uint32_t prefix[2] = {};
  const std::int64_t left = file_.size() - position_;
  if (left == 0) return Step::End;
  if (left < 8) return fail("is cut short"), Step::Failed;
  if (!file_.readAt(position_, prefix, sizeof prefix)) {
    return fail("cannot be read, or shrank while it was read"), Step::Failed;
  }
  if (prefix[0] != arrow::kContinuation) return Step::Foreign;  // older than version 0.15
  const std::int64_t size = prefix[1];
  if (size == 0) return Step::End;
  if (size > left - 8 || size > kMaxMetadata) return fail("is cut short"), Step::Failed;
  message.metadata.resize(static_cast<std::size_t>(size));
  if (!file_.readAt(position_ + 8, message.metadata.data(), message.metadata.size())) {
    return fail("cannot be read, or shrank while it was read"), Step::Failed;
  }
  const std::optional<FlatTable> root = FlatTable::root(message.metadata);
  if (!root) return damaged(), Step::Failed;
  message.type = root->get<std::uint8_t>(arrow::message::kHeaderType, 0);
  message.bodyStart = position_ + 8 + size;
  message.bodySize = root->get<std::int64_t>(arrow::message::kBodyLength, 0);
  if (message.bodySize < 0 || message.bodySize > file_.size() - message.bodyStart) {
    return fail("is cut short"), Step::Failed;
  }
  if (root->get<std::int16_t>(arrow::message::kVersion, 0) != arrow::kVersion5) return Step::Foreign;
  position_ = message.bodyStart + message.bodySize;
  return Step::Records;
}

/// To the next record batch, taking in dictionaries on the way.
ArrowSource::Step ArrowSource::nextRecords() {
  for (;;) {
    const Step step = nextMessage(records_);
    if (step != Step::Records) return step;
    const std::optional<FlatTable> header = records_.header();
    if (!header) return damaged(), Step::Failed;
    if (records_.type == arrow::message::RecordBatch) {
      return header->has(arrow::recordBatch::kCompression) ? Step::Foreign : Step::Records;
    }
    if (records_.type != arrow::message::DictionaryBatch) return damaged(), Step::Failed;
    bool foreign = false;
    if (!readDictionary(records_, foreign)) return foreign ? Step::Foreign : Step::Failed;
  }
}

bool ArrowSource::open() {
  StreamError opened;
  if (!file_.open(path_, opened)) {
    error_ = opened;
    return false;
  }
  char magic[8] = {};
  if (file_.size() < 8 || !file_.readAt(0, magic, sizeof magic)) {
    return fail("is not an Arrow file: it is too short");
  }
  std::uint32_t word = 0;
  std::memcpy(&word, magic, sizeof word);
  if (std::memcmp(magic, arrow::kMagic, 6) == 0) {
    char tail[6] = {};
    if (!file_.readAt(file_.size() - 6, tail, sizeof tail) ||
        std::memcmp(tail, arrow::kMagic, 6) != 0) {
      return fail("is cut short: an Arrow file ends as it begins, with ARROW1");
    }
    position_ = 8;
  } else if (word != arrow::kContinuation) {
    return fail("is not an Arrow file");
  }
  Message message;
  const Step step = nextMessage(message);
  if (step == Step::Failed || step == Step::Foreign) return false;
  const std::optional<FlatTable> header = message.header();
  if (step == Step::End || message.type != arrow::message::Schema || !header) return damaged();
  const std::optional<std::vector<FileColumn>> layout = arrow::layoutOf(*header);
  if (!layout) return false;
  std::vector<std::string> names;
  for (const FileColumn& column : *layout) names.push_back(column.name);
  for (std::size_t i = 0; i < schema_.fields.size(); ++i) {
    const Field& field = schema_.fields[i];
    const auto it = std::find(names.begin(), names.end(), field.name);
    if (it == names.end()) return fail(absentColumn(field.name, names));
    columns_.push_back((*layout)[static_cast<std::size_t>(it - names.begin())]);
    if (batch_.wants(i) && !arrow::holds(columns_.back(), field.kind)) return false;
    caseIndexes_.push_back(field.kind == Kind::Enum ? std::optional(CaseIndex(field.cases))
                                                    : std::nullopt);
  }
  // The first record batch says whether the file is compressed.
  const Step first = nextRecords();
  haveRecords_ = first == Step::Records;
  ended_ = first == Step::End;
  return haveRecords_ || ended_;
}

/// One column's buffers of a record batch into memory of their own.
bool ArrowSource::readBuffers(const FlatTable& records, std::int64_t bodyStart,
                              std::int64_t bodySize, const FileColumn& column, bool isText,
                              bool isIndex, std::int64_t rows, Loaded& loaded) {
  const FlatVector nodes = records.vector(arrow::recordBatch::kNodes, sizeof(FieldNode));
  const FlatVector spans = records.vector(arrow::recordBatch::kBuffers, sizeof(BufferSpan));
  const std::size_t count = isText ? 3 : 2;
  if (column.node >= nodes.size() || spans.size() < count || column.buffer > spans.size() - count) {
    return damaged();
  }
  const auto node = nodes.get<FieldNode>(column.node);
  if (node.length != rows || node.nulls < 0 || node.nulls > rows) return damaged();
  const std::int64_t bits = (rows + 7) / 8;
  const std::int64_t values = isIndex                             ? rows * column.indexBytes
                              : column.type == arrow::Bool        ? bits
                              : column.type == arrow::Utf8        ? (rows + 1) * 4
                              : column.type == arrow::LargeUtf8   ? (rows + 1) * 8
                                                                  : rows * 8;
  std::int64_t needs[3] = {node.nulls > 0 ? bits : 0, values, 0};
  if (isText && rows == 0) needs[1] = 0;  // the one offset may be left out
  std::size_t at[3] = {};
  std::size_t total = 0;
  BufferSpan found[3] = {};
  for (std::size_t i = 0; i < count; ++i) {
    found[i] = spans.get<BufferSpan>(column.buffer + i);
    if (found[i].offset < 0 || found[i].length < needs[i] || found[i].offset > bodySize ||
        found[i].length > bodySize - found[i].offset) {
      return damaged();
    }
    if (i == 2) needs[2] = found[2].length;
    at[i] = total;
    total += (static_cast<std::size_t>(needs[i]) + 63) / 64 * 64;
  }
  loaded = {};
  loaded.memory = Buffer::make(total);
  if (!loaded.memory) return fail("out of memory");
  char* memory = loaded.memory->as<char>();
  for (std::size_t i = 0; i < count; ++i) {
    const auto size = static_cast<std::size_t>(needs[i]);
    if (size == 0) continue;
    if (!file_.readAt(bodyStart + found[i].offset, memory + at[i], size)) {
      return fail("cannot be read, or shrank while it was read");
    }
    std::memset(memory + at[i] + size, 0, (64 - size % 64) % 64);
  }
  if (node.nulls > 0) loaded.valid = reinterpret_cast<const std::uint8_t*>(memory + at[0]);
  loaded.values = memory + at[1];
  loaded.text = memory + at[2];
  loaded.textSize = needs[2];
  return !isText || rows == 0 || checkOffsets(column, rows, loaded);
}

std::int64_t ArrowSource::offsetAt(const FileColumn& column, const Loaded& loaded,
                                   std::int64_t i) {
  if (column.type == arrow::Utf8) {
    std::int32_t offset = 0;
    std::memcpy(&offset, loaded.values + 4 * i, sizeof offset);
    return offset;
  }
  std::int64_t offset = 0;
  std::memcpy(&offset, loaded.values + 8 * i, sizeof offset);
  return offset;
}

bool ArrowSource::checkOffsets(const FileColumn& column, std::int64_t rows, Loaded& loaded) {
  std::int64_t before = offsetAt(column, loaded, 0);
  if (before < 0) return damaged();
  const std::int64_t first = before;
  bool cutLetter = false;
  for (std::int64_t i = 1; i <= rows; ++i) {
    const std::int64_t end = offsetAt(column, loaded, i);
    if (end < before || end > loaded.textSize) return damaged();
    if (end < loaded.textSize && (loaded.text[end] & 0xC0) == 0x80) cutLetter = true;
    before = end;
  }
  loaded.checked =
      !cutLetter &&
      simdjson::validate_utf8(loaded.text + first, static_cast<std::size_t>(before - first));
  return true;
}

bool ArrowSource::readDictionary(const Message& message, bool& foreign) {
  const FlatTable batch = *message.header();
  const std::int64_t id = batch.get<std::int64_t>(arrow::dictionary::kBatchId, 0);
  std::size_t field = columns_.size();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (batch_.wants(i) && columns_[i].dictionary == id) field = i;
  }
  if (field == columns_.size()) return true;  // of a column that nobody wants
  const std::optional<FlatTable> records = batch.table(arrow::dictionary::kData);
  if (!records) return damaged();
  if (records->has(arrow::recordBatch::kCompression)) {
    foreign = true;
    return false;
  }
  FileColumn values = columns_[field];
  values.node = values.buffer = 0;
  const std::int64_t count = records->get<std::int64_t>(arrow::recordBatch::kLength, 0);
  Loaded loaded;
  if (count < 0 || !readBuffers(*records, message.bodyStart, message.bodySize, values, true, false,
                                count, loaded)) {
    return error_ ? false : damaged();
  }
  std::vector<std::string>& names = dictionaries_[id];
  if (batch.get<std::uint8_t>(arrow::dictionary::kIsDelta, 0) == 0) names.clear();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t from = offsetAt(values, loaded, i);
    names.emplace_back(loaded.text + from,
                       static_cast<std::size_t>(offsetAt(values, loaded, i + 1) - from));
  }
  return true;
}

bool ArrowSource::loadRecords() {
  if (!haveRecords_) {
    const Step step = nextRecords();
    if (step == Step::Foreign) return fail("mixes forms of the Arrow format");
    if (step == Step::Failed) return false;
    if (step == Step::End) {
      ended_ = true;
      return true;
    }
  }
  haveRecords_ = false;
  const FlatTable records = *records_.header();
  const std::int64_t rows = records.get<std::int64_t>(arrow::recordBatch::kLength, 0);
  // Each row of a column that is read has some bits in the file.
  if (rows < 0 || rows / 64 > file_.size()) return damaged();
  loaded_.assign(columns_.size(), {});
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!batch_.wants(i)) continue;
    const bool isIndex = columns_[i].dictionary >= 0;
    const bool isText =
        !isIndex && (columns_[i].type == arrow::Utf8 || columns_[i].type == arrow::LargeUtf8);
    if (!readBuffers(records, records_.bodyStart, records_.bodySize, columns_[i], isText, isIndex,
                     rows, loaded_[i])) {
      return false;
    }
  }
  loadedRows_ = rows;
  taken_ = 0;
  return true;
}

std::optional<Batch> ArrowSource::next() {
  while (!error_ && !(ended_ && taken_ == loadedRows_)) {
    if (taken_ == loadedRows_) {
      if (!loadRecords()) break;
      continue;
    }
    const std::int64_t rows = std::min(kBatchRows, loadedRows_ - taken_);
    if (!take(rows)) break;
    taken_ += rows;
    rowId_ += rows;
    if (bad_.failed()) continue;
    Batch batch = batch_.finish();
    if (batch.rows > 0) return batch;
  }
  if (!error_ && bad_.failed()) error_ = bad_.failure();
  return std::nullopt;
}

bool ArrowSource::take(std::int64_t rows) {
  if (!batch_.start(rowId_)) return fail("out of memory");
  for (std::int64_t row = 0; row < rows; ++row) batch_.addRow(rowId(row));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (batch_.wants(i) && !takeColumn(i, rows)) return false;
  }
  return true;
}

bool ArrowSource::takeColumn(std::size_t field, std::int64_t rows) {
  const Loaded& loaded = loaded_[field];
  ColumnBuilder& column = batch_.column(field);
  switch (schema_.fields[field].kind) {
    case Kind::Bool: {
      const auto* bits = reinterpret_cast<const std::uint8_t*>(loaded.values);
      auto* values = column.values->as<std::uint8_t>();
      for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t at = taken_ + row;
        values[row] = (bits[at / 8] >> (at % 8)) & 1;
      }
      break;
    }
    case Kind::String:
    case Kind::Value:
      if (!takeTexts(field, rows)) return false;
      break;
    case Kind::Enum:
      if (!takeIndexes(field, rows)) return false;
      break;
    default:
      column.values = Buffer::wrap(loaded.values + 8 * taken_, static_cast<std::size_t>(rows) * 8,
                                   loaded.memory);
      break;
  }
  takeMissing(field, rows);
  if (schema_.fields[field].kind == Kind::Size) {
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t bytes = column.at<std::int64_t>(row);
      if (bytes < 0) badCell(AnomalyKind::OutOfRange, field, row, std::to_string(bytes));
    }
  }
  return true;
}

void ArrowSource::takeMissing(std::size_t field, std::int64_t rows) {
  const Loaded& loaded = loaded_[field];
  if (loaded.valid == nullptr) return;
  const bool optional = schema_.fields[field].optional;
  for (std::int64_t row = 0; row < rows; ++row) {
    if (isThere(loaded, taken_ + row)) continue;
    if (optional) {
      batch_.setMissing(field, row);
    } else {
      badCell(AnomalyKind::Missing, field, row, {});
    }
  }
}

bool ArrowSource::takeTexts(std::size_t field, std::int64_t rows) {
  const Loaded& loaded = loaded_[field];
  const FileColumn& from = columns_[field];
  const Field& about = schema_.fields[field];
  ColumnBuilder& column = batch_.column(field);
  column.heaps.push_back(loaded.memory);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t begin = offsetAt(from, loaded, taken_ + row);
    const std::int64_t end = offsetAt(from, loaded, taken_ + row + 1);
    const std::string_view text(loaded.text + begin, static_cast<std::size_t>(end - begin));
    if (about.kind == Kind::String) {
      column.at<Text>(row) = {text.data(), end - begin};
      if (!loaded.checked && isThere(loaded, taken_ + row) && findInvalidUtf8(text)) {
        badCell(AnomalyKind::NotUtf8, field, row, text);
      }
    } else if (isThere(loaded, taken_ + row)) {
      const ir::TypeId type = about.optional ? (*schema_.types)[about.type].element : about.type;
      std::string error;
      std::optional<ir::Value> value = ir::fromJson(text, type, *schema_.types, error);
      if (value) {
        (*column.boxed)[static_cast<std::size_t>(row)] = std::move(*value);
      } else {
        badCell(AnomalyKind::NotOfType, field, row, text);
      }
    }
  }
  return true;
}

bool ArrowSource::takeIndexes(std::size_t field, std::int64_t rows) {
  const Loaded& loaded = loaded_[field];
  const FileColumn& from = columns_[field];
  const CaseIndex& index = *caseIndexes_[field];
  auto* out = batch_.column(field).values->as<std::int32_t>();
  if (from.dictionary < 0) {
    for (std::int64_t row = 0; row < rows; ++row) {
      if (!isThere(loaded, taken_ + row)) continue;
      const std::int64_t begin = offsetAt(from, loaded, taken_ + row);
      const std::string_view text(
          loaded.text + begin,
          static_cast<std::size_t>(offsetAt(from, loaded, taken_ + row + 1) - begin));
      out[row] = index.find(text);
      if (out[row] < 0) badCell(AnomalyKind::NotACase, field, row, text);
    }
    return true;
  }
  const std::vector<std::string>& names = dictionaries_[from.dictionary];
  std::vector<std::int32_t> cases;
  for (const std::string& name : names) {
    const std::string padded = name + std::string(8, '\0');  // `find` reads 8 bytes
    cases.push_back(index.find(std::string_view(padded).substr(0, name.size())));
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    if (!isThere(loaded, taken_ + row)) continue;
    const char* at = loaded.values + (taken_ + row) * from.indexBytes;
    std::int64_t value = *reinterpret_cast<const std::int8_t*>(at);
    if (from.indexBytes == 2) value = *reinterpret_cast<const std::int16_t*>(at);
    if (from.indexBytes == 4) value = *reinterpret_cast<const std::int32_t*>(at);
    if (value < 0 || value >= static_cast<std::int64_t>(cases.size())) return damaged();
    out[row] = cases[static_cast<std::size_t>(value)];
    if (out[row] < 0) {
      badCell(AnomalyKind::NotACase, field, row, names[static_cast<std::size_t>(value)]);
    }
  }
  return true;
}

}  // namespace

std::unique_ptr<Source> openArrow(const std::string& path, const Schema& schema,
                                  const ReadOptions& options, AnomalyLog& log,
                                  StreamError& error) {
  auto source = std::make_unique<ArrowSource>(path, schema, options, log);
  if (source->open()) return source;
  error = source->error().value_or(StreamError{});
  return nullptr;
}

}  // namespace couler::column

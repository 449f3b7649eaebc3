#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "runtime/column/arrow.h"
#include "runtime/column/arrow_rows.h"
#include "runtime/column/bytes.h"
#include "runtime/column/header_check.h"

namespace couler::column {

namespace {

using arrow::BufferSpan;
using arrow::FieldNode;
using arrow::FileColumn;
using arrow::FlatTable;
using arrow::FlatVector;

constexpr std::int64_t kMaxMetadata = std::int64_t{256} << 20;
constexpr std::int64_t kMaxRows = std::int64_t{1} << 40;  // of a record batch: no sum overflows

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

class ArrowSource final : public ArrowRows {
 public:
  ArrowSource(std::string path, const Schema& schema, const ReadOptions& options, AnomalyLog& log)
      : ArrowRows(std::move(path), schema, options, log), trusted_(options.trusted) {}
  /// False with no error: not for us.
  bool open();

 private:
  enum class Step : std::uint8_t { Records, End, Failed, Foreign };

  Step nextMessage(Message& message);
  Step nextRecords();
  bool readDictionary(const Message& message, bool& foreign);
  bool readBuffers(const FlatTable& records, std::int64_t bodyStart, std::int64_t bodySize,
                   const FileColumn& column, bool isText, bool isIndex, std::int64_t rows,
                   Loaded& loaded);
  Load load() override;
  bool loadDeferred(std::size_t field) override;
  bool loadColumn(std::size_t field);
  [[nodiscard]] bool lacksNone(std::size_t field) const;
  Load end();

  bool trusted_;
  FileHandle file_;
  std::int64_t position_ = 0;
  Message records_;
  bool haveRecords_ = false;  // read, and not looked at
  bool atEnd_ = false;
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
  if (root->get<std::int16_t>(arrow::message::kVersion, 0) != arrow::kVersion5)
    return Step::Foreign;
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
  }
  // The first record batch says whether the file is compressed.
  const Step first = nextRecords();
  haveRecords_ = first == Step::Records;
  atEnd_ = first == Step::End;
  return haveRecords_ || atEnd_;
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
  const std::int64_t values = isIndex                           ? rows * column.indexBytes
                              : column.type == arrow::Bool      ? bits
                              : column.type == arrow::Utf8      ? (rows + 1) * 4
                              : column.type == arrow::LargeUtf8 ? (rows + 1) * 8
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
  return !isText || rows == 0 || checkTexts(column, rows, loaded);
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
  if (count < 0 || count > kMaxRows ||
      !readBuffers(*records, message.bodyStart, message.bodySize, values, true, false, count,
                   loaded)) {
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

ArrowRows::Load ArrowSource::end() {
  if (!file_.changed()) return Load::End;
  fail("was changed while it was read");
  return Load::Failed;
}

ArrowRows::Load ArrowSource::load() {
  if (atEnd_) return end();
  if (!haveRecords_) {
    const Step step = nextRecords();
    if (step == Step::End) return end();
    if (step == Step::Foreign) fail("mixes forms of the Arrow format");
    if (step != Step::Records) return Load::Failed;
  }
  haveRecords_ = false;
  const std::int64_t rows = records_.header()->get<std::int64_t>(arrow::recordBatch::kLength, 0);
  if (rows < 0 || rows > kMaxRows) return damaged(), Load::Failed;
  loaded_.assign(columns_.size(), {});
  loadedRows_ = rows;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!batch_.wants(i)) continue;
    // Whatever is in cells of numbers is a value; texts are to be UTF-8, where others wrote them.
    const bool isText = schema_.fields[i].kind == Kind::String;
    const bool defer = mayDefer(i) && (schema_.fields[i].optional || lacksNone(i));
    if ((!defer || (isText && !trusted_)) && !loadColumn(i)) return Load::Failed;
    loaded_[i].deferred = defer && (!isText || trusted_ || loaded_[i].checked);
  }
  return Load::Rows;
}

/// Whether each cell of a column of the record batch has a value.
bool ArrowSource::lacksNone(std::size_t field) const {
  const FlatVector nodes =
      records_.header()->vector(arrow::recordBatch::kNodes, sizeof(FieldNode));
  return columns_[field].node < nodes.size() &&
         nodes.get<FieldNode>(columns_[field].node).nulls == 0;
}

bool ArrowSource::loadColumn(std::size_t field) {
  const FileColumn& column = columns_[field];
  const bool isIndex = column.dictionary >= 0;
  const bool isText =
      !isIndex && (column.type == arrow::Utf8 || column.type == arrow::LargeUtf8);
  return readBuffers(*records_.header(), records_.bodyStart, records_.bodySize, column, isText,
                     isIndex, loadedRows_, loaded_[field]);
}

bool ArrowSource::loadDeferred(std::size_t field) {
  if (!loadColumn(field)) return false;
  loaded_[field].deferred = true;
  if (schema_.fields[field].kind != Kind::String || loaded_[field].checked) return true;
  return damaged();
}

}  // namespace

std::unique_ptr<Source> openArrow(const std::string& path, const Schema& schema,
                                  const ReadOptions& options, AnomalyLog& log, StreamError& error) {
  auto source = std::make_unique<ArrowSource>(path, schema, options, log);
  if (source->open()) return source;
  error = source->error().value_or(StreamError{});
  return nullptr;
}

}  // namespace couler::column

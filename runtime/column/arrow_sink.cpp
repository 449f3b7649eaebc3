#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>

#include "runtime/column/arrow.h"
#include "runtime/column/arrow_format.h"
#include "runtime/column/bytes.h"
#include "runtime/column/text_output.h"

// Tables between steps: Arrow IPC files without what others need (compression, nesting), so that
// they open without Arrow's library, which takes longer to load than a small pipeline to run.
namespace couler::column {

namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using flatbuffers::uoffset_t;
using flatbuffers::voffset_t;

constexpr std::size_t kAlign = 64;
constexpr std::int64_t kMaxText = std::int64_t{1} << 30;  // bytes of one column of one record batch

voffset_t slot(int field) { return static_cast<voffset_t>(4 + 2 * field); }

/// A flatbuffer table, field by field.
class Table {
 public:
  explicit Table(FlatBufferBuilder& builder) : builder_(builder), start_(builder.StartTable()) {}
  template <class T>
  Table& add(int field, T value) {
    builder_.AddElement<T>(slot(field), value);
    return *this;
  }
  template <class T>
  Table& add(int field, Offset<T> value) {
    builder_.AddOffset(slot(field), value);
    return *this;
  }
  Offset<void> end() { return {builder_.EndTable(start_)}; }

 private:
  FlatBufferBuilder& builder_;
  uoffset_t start_;
};

std::uint8_t arrowType(Kind kind) {
  switch (kind) {
    case Kind::Bool:
      return arrow::Bool;
    case Kind::Int:
    case Kind::Size:
      return arrow::Int;
    case Kind::Float:
      return arrow::FloatingPoint;
    case Kind::Timestamp:
      return arrow::Timestamp;
    case Kind::Duration:
      return arrow::Duration;
    case Kind::String:
    case Kind::Enum:
    case Kind::Value:
      break;
  }
  return arrow::Utf8;
}

Offset<void> intType(FlatBufferBuilder& b, std::int32_t bits) {
  return Table(b).add<std::int32_t>(0, bits).add<std::uint8_t>(1, 1).end();
}

Offset<void> typeTable(FlatBufferBuilder& b, Kind kind) {
  switch (arrowType(kind)) {
    case arrow::Int:
      return intType(b, 64);
    case arrow::FloatingPoint:
      return Table(b).add(0, arrow::kDouble).end();
    case arrow::Timestamp: {
      const auto zone = b.CreateString("UTC");
      return Table(b).add(0, arrow::kMicroseconds).add(1, zone).end();
    }
    case arrow::Duration:
      return Table(b).add(0, arrow::kMicroseconds).end();
    default:
      return Table(b).end();
  }
}

Offset<void> schemaTable(FlatBufferBuilder& b, const Schema& schema) {
  std::vector<Offset<void>> fields;
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    const Field& from = schema.fields[i];
    const auto name = b.CreateString(from.name);
    const auto type = typeTable(b, from.kind);
    const auto children = b.CreateVector(std::vector<Offset<void>>{});
    Offset<flatbuffers::Vector<Offset<void>>> metadata;
    if (from.kind == Kind::Size || from.kind == Kind::Value) {
      const auto key = b.CreateString(arrow::kKindKey);
      const auto value = b.CreateString(from.kind == Kind::Size ? "size" : "json");
      metadata = b.CreateVector(std::vector<Offset<void>>{
          Table(b).add(arrow::keyValue::kKey, key).add(arrow::keyValue::kValue, value).end()});
    }
    Offset<void> encoding;
    if (from.kind == Kind::Enum) {
      const auto index = intType(b, 32);
      encoding = Table(b)
                     .add(arrow::dictionary::kId, static_cast<std::int64_t>(i))
                     .add(arrow::dictionary::kIndexType, index)
                     .end();
    }
    Table field(b);
    field.add(arrow::field::kName, name)
        .add<std::uint8_t>(arrow::field::kNullable, from.optional ? 1 : 0)
        .add(arrow::field::kTypeType, arrowType(from.kind))
        .add(arrow::field::kType, type)
        .add(arrow::field::kChildren, children);
    if (!metadata.IsNull()) field.add(arrow::field::kMetadata, metadata);
    if (!encoding.IsNull()) field.add(arrow::field::kDictionary, encoding);
    fields.push_back(field.end());
  }
  const auto vector = b.CreateVector(fields);
  return Table(b).add(arrow::schema::kFields, vector).end();
}

/// The body of a record batch: buffers one after the other, and what the metadata says of them.
class Body {
 public:
  std::vector<arrow::FieldNode> nodes;
  std::vector<arrow::BufferSpan> buffers;
  std::vector<char> bytes;

  /// Room for a further buffer, zeroed.
  template <class T>
  T* add(std::size_t count) {
    const std::size_t at = bytes.size();
    const std::size_t size = count * sizeof(T);
    buffers.push_back({static_cast<std::int64_t>(at), static_cast<std::int64_t>(size)});
    bytes.resize(at + (size + kAlign - 1) / kAlign * kAlign);
    return reinterpret_cast<T*>(bytes.data() + at);
  }
};

/// Rows of a batch.
struct Part {
  Batch batch;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

class ArrowSink final : public Sink {
 public:
  explicit ArrowSink(Schema schema) : schema_(std::move(schema)) {}

  bool create(const std::string& path, StreamError& error);
  bool write(const Batch& batch) override { return !error_ && take({batch, 0, batch.rows}); }
  bool finish() override;

 private:
  bool take(Part part);
  bool flush();
  bool writeMessage(FlatBufferBuilder& b, arrow::message::Header type, Offset<void> header,
                    const Body& body, std::vector<arrow::Block>* blocks);
  bool writeRecords(const Body& body, std::int64_t rows, std::int64_t dictionary);
  void addColumn(std::size_t field, std::int64_t rows, Body& body) const;
  void addTexts(std::size_t field, std::int64_t rows, Body& body) const;

  Schema schema_;
  std::string path_;
  ByteSink file_;
  std::vector<Part> pending_;  // small batches become one
  std::int64_t pendingRows_ = 0;
  std::int64_t pendingText_ = 0;
  std::vector<arrow::Block> dictionaries_;
  std::vector<arrow::Block> records_;
};

bool ArrowSink::create(const std::string& path, StreamError& error) {
  path_ = path;
  if (!file_.create(path, error)) return false;
  FlatBufferBuilder b;
  bool ok = file_.write("ARROW1\0\0", 8, error_) &&
            writeMessage(b, arrow::message::Schema, schemaTable(b, schema_), {}, nullptr);
  for (std::size_t i = 0; ok && i < schema_.fields.size(); ++i) {
    if (schema_.fields[i].kind != Kind::Enum) continue;
    const std::vector<std::string>& cases = schema_.fields[i].cases;
    Body body;
    body.nodes.push_back({static_cast<std::int64_t>(cases.size()), 0});
    body.add<char>(0);
    std::string all;
    auto* offsets = body.add<std::int32_t>(cases.size() + 1);
    for (const std::string& name : cases) {
      all += name;
      *++offsets = static_cast<std::int32_t>(all.size());
    }
    std::copy(all.begin(), all.end(), body.add<char>(all.size()));
    ok = writeRecords(body, static_cast<std::int64_t>(cases.size()), static_cast<std::int64_t>(i));
  }
  if (!ok) error = *error_;
  return ok;
}

bool ArrowSink::writeMessage(FlatBufferBuilder& b, arrow::message::Header type,
                             Offset<void> header, const Body& body,
                             std::vector<arrow::Block>* blocks) {
  const auto message = Table(b)
                           .add(arrow::message::kVersion, arrow::kVersion5)
                           .add<std::uint8_t>(arrow::message::kHeaderType, type)
                           .add(arrow::message::kHeader, header)
                           .add(arrow::message::kBodyLength,
                                static_cast<std::int64_t>(body.bytes.size()))
                           .end();
  b.Finish(message);
  // The body starts at a multiple of 64 of the file, so that its buffers are aligned where it is
  // read as it is.
  const std::int64_t start = file_.written();
  const auto after = static_cast<std::size_t>(start) + 8 + b.GetSize();
  const std::size_t padded = b.GetSize() + (kAlign - after % kAlign) % kAlign;
  const std::uint32_t prefix[2] = {arrow::kContinuation, static_cast<std::uint32_t>(padded)};
  constexpr char kZeros[kAlign] = {};
  if (blocks != nullptr) {
    blocks->push_back({start, static_cast<std::int32_t>(8 + padded), 0,
                       static_cast<std::int64_t>(body.bytes.size())});
  }
  return file_.write(prefix, sizeof prefix, error_) &&
         file_.write(b.GetBufferPointer(), b.GetSize(), error_) &&
         file_.write(kZeros, padded - b.GetSize(), error_) &&
         file_.write(body.bytes.data(), body.bytes.size(), error_);
}

/// `dictionary`: its id; -1 for the rows of the table.
bool ArrowSink::writeRecords(const Body& body, std::int64_t rows, std::int64_t dictionary) {
  FlatBufferBuilder b;
  const auto nodes = b.CreateVectorOfStructs(body.nodes.data(), body.nodes.size());
  const auto buffers = b.CreateVectorOfStructs(body.buffers.data(), body.buffers.size());
  const auto records = Table(b)
                           .add(arrow::recordBatch::kLength, rows)
                           .add(arrow::recordBatch::kNodes, nodes)
                           .add(arrow::recordBatch::kBuffers, buffers)
                           .end();
  if (dictionary < 0) {
    return writeMessage(b, arrow::message::RecordBatch, records, body, &records_);
  }
  const auto batch = Table(b)
                         .add(arrow::dictionary::kBatchId, dictionary)
                         .add(arrow::dictionary::kData, records)
                         .end();
  return writeMessage(b, arrow::message::DictionaryBatch, batch, body, &dictionaries_);
}

/// Adds rows to the pending ones; writes those first if there would be too many.
bool ArrowSink::take(Part part) {
  const std::int64_t rows = part.to - part.from;
  if (rows == 0) return true;
  std::int64_t text = 0;
  for (std::size_t i = 0; i < schema_.fields.size(); ++i) {
    if (schema_.fields[i].kind != Kind::String) continue;
    std::int64_t bytes = 0;
    const Text* texts = part.batch.columns[i].values->as<Text>();
    for (std::int64_t row = part.from; row < part.to; ++row) bytes += texts[row].size;
    text = std::max(text, bytes);
  }
  if (rows > kBatchRows || (text > kMaxText && rows > 1)) {
    const std::int64_t middle =
        part.from + (rows > kBatchRows ? kBatchRows : rows / 2);
    return take({part.batch, part.from, middle}) && take({part.batch, middle, part.to});
  }
  if (text > std::numeric_limits<std::int32_t>::max()) {
    error_ = StreamError{fmt::format("{}: a string of {} bytes does not fit", path_, text)};
    return false;
  }
  if ((pendingRows_ + rows > kBatchRows || pendingText_ + text > kMaxText) && !flush()) return false;
  pendingRows_ += rows;
  pendingText_ += text;
  pending_.push_back(std::move(part));
  return true;
}

bool ArrowSink::flush() {
  if (pendingRows_ == 0) return true;
  Body body;
  for (std::size_t i = 0; i < schema_.fields.size(); ++i) {
    std::int64_t missing = 0;
    for (const Part& part : pending_) {
      const Column& column = part.batch.columns[i];
      for (std::int64_t row = part.from; row < part.to; ++row) {
        if (schema_.fields[i].kind == Kind::Value) {
          missing += (*column.boxed)[static_cast<std::size_t>(row)].isNone() ? 1 : 0;
        } else if (column.valid) {
          missing += column.valid->as<std::uint8_t>()[row] == 0 ? 1 : 0;
        }
      }
    }
    body.nodes.push_back({pendingRows_, missing});
    auto* bits = body.add<std::uint8_t>(
        missing == 0 ? 0 : static_cast<std::size_t>((pendingRows_ + 7) / 8));
    std::size_t at = 0;
    for (const Part& part : pending_) {
      if (missing == 0) break;
      const Column& column = part.batch.columns[i];
      for (std::int64_t row = part.from; row < part.to; ++row, ++at) {
        const bool there = column.boxed ? !(*column.boxed)[static_cast<std::size_t>(row)].isNone()
                                        : !isMissing(column, row);
        if (there) bits[at / 8] = static_cast<std::uint8_t>(bits[at / 8] | (1U << (at % 8)));
      }
    }
    addColumn(i, pendingRows_, body);
  }
  const bool ok = writeRecords(body, pendingRows_, -1);
  pending_.clear();
  pendingRows_ = pendingText_ = 0;
  return ok;
}

void ArrowSink::addColumn(std::size_t field, std::int64_t rows, Body& body) const {
  const Kind kind = schema_.fields[field].kind;
  const auto count = static_cast<std::size_t>(rows);
  if (kind == Kind::String || kind == Kind::Value) {
    addTexts(field, rows, body);
    return;
  }
  if (kind == Kind::Bool) {
    auto* bits = body.add<std::uint8_t>((count + 7) / 8);
    std::size_t at = 0;
    for (const Part& part : pending_) {
      const std::uint8_t* values = part.batch.columns[field].values->as<std::uint8_t>();
      for (std::int64_t row = part.from; row < part.to; ++row, ++at) {
        bits[at / 8] = static_cast<std::uint8_t>(bits[at / 8] | (values[row] << (at % 8)));
      }
    }
    return;
  }
  const std::size_t width = widthOf(kind);
  char* to = body.add<char>(count * width);
  for (const Part& part : pending_) {
    const std::size_t bytes = static_cast<std::size_t>(part.to - part.from) * width;
    std::memcpy(to,
                part.batch.columns[field].values->data() +
                    static_cast<std::size_t>(part.from) * width,
                bytes);
    to += bytes;
  }
}

void ArrowSink::addTexts(std::size_t field, std::int64_t rows, Body& body) const {
  const bool boxed = schema_.fields[field].kind == Kind::Value;
  std::string all;
  auto* offsets = body.add<std::int32_t>(static_cast<std::size_t>(rows) + 1);
  for (const Part& part : pending_) {
    const Column& column = part.batch.columns[field];
    for (std::int64_t row = part.from; row < part.to; ++row) {
      if (boxed) {
        const ir::Value& value = (*column.boxed)[static_cast<std::size_t>(row)];
        if (!value.isNone()) all += ir::toJson(value);
      } else {
        all += column.values->as<Text>()[row].view();
      }
      *++offsets = static_cast<std::int32_t>(all.size());
    }
  }
  std::copy(all.begin(), all.end(), body.add<char>(all.size()));
}

bool ArrowSink::finish() {
  if (error_ || !flush()) return false;
  const std::uint32_t end[2] = {arrow::kContinuation, 0};
  if (!file_.write(end, sizeof end, error_)) return false;
  FlatBufferBuilder b;
  const auto schema = schemaTable(b, schema_);
  const auto dictionaries = b.CreateVectorOfStructs(dictionaries_.data(), dictionaries_.size());
  const auto records = b.CreateVectorOfStructs(records_.data(), records_.size());
  b.Finish(Table(b)
               .add(arrow::footer::kVersion, arrow::kVersion5)
               .add(arrow::footer::kSchema, schema)
               .add(arrow::footer::kDictionaries, dictionaries)
               .add(arrow::footer::kRecordBatches, records)
               .end());
  const std::uint32_t size = b.GetSize();
  return file_.write(b.GetBufferPointer(), size, error_) &&
         file_.write(&size, sizeof size, error_) && file_.write(arrow::kMagic, 6, error_) &&
         file_.finish(error_);
}

}  // namespace

std::unique_ptr<Sink> createArrow(const std::string& path, const Schema& schema,
                                  StreamError& error) {
  auto sink = std::make_unique<ArrowSink>(schema);
  if (!sink->create(path, error)) return nullptr;
  return sink;
}

}  // namespace couler::column

#include <algorithm>
#include <cstring>
#include <utility>

#include <flatbuffers/flatbuffers.h>

#include "runtime/column/arrow.h"
#include "runtime/column/arrow_format.h"
#include "runtime/column/arrow_records.h"
#include "runtime/column/bytes.h"

// Tables between steps: Arrow IPC files without what others need (compression, nesting), so that
// they open without Arrow's library, which takes longer to load than a small pipeline to run.
namespace couler::column {

namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using flatbuffers::uoffset_t;
using flatbuffers::voffset_t;

constexpr std::size_t kAlign = 64;

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

class ArrowSink final : public Sink {
 public:
  ArrowSink(std::string path, Schema schema)
      : path_(std::move(path)),
        schema_(std::move(schema)),
        rows_(path_, schema_, false, [this](RecordBody&& body, std::int64_t rows) {
          return writeRecords(body, rows, -1);
        }) {}

  bool create(StreamError& error);
  bool write(const Batch& batch) override { return !error_ && rows_.add(batch, error_); }
  bool finish() override;

 private:
  bool writeMessage(FlatBufferBuilder& b, arrow::message::Header type, Offset<void> header,
                    const RecordBody& body, std::vector<arrow::Block>* blocks);
  bool writeRecords(const RecordBody& body, std::int64_t rows, std::int64_t dictionary);

  std::string path_;
  Schema schema_;
  RecordGatherer rows_;
  ByteSink file_;
  std::vector<arrow::Block> dictionaries_;
  std::vector<arrow::Block> records_;
};

bool ArrowSink::create(StreamError& error) {
  if (!file_.create(path_, error)) return false;
  FlatBufferBuilder b;
  bool ok = file_.write("ARROW1\0\0", 8, error_) &&
            writeMessage(b, arrow::message::Schema, schemaTable(b, schema_), {}, nullptr);
  for (std::size_t i = 0; ok && i < schema_.fields.size(); ++i) {
    if (schema_.fields[i].kind != Kind::Enum) continue;
    const std::vector<std::string>& cases = schema_.fields[i].cases;
    RecordBody body;
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

bool ArrowSink::writeMessage(FlatBufferBuilder& b, arrow::message::Header type, Offset<void> header,
                             const RecordBody& body, std::vector<arrow::Block>* blocks) {
  const auto message =
      Table(b)
          .add(arrow::message::kVersion, arrow::kVersion5)
          .add<std::uint8_t>(arrow::message::kHeaderType, type)
          .add(arrow::message::kHeader, header)
          .add(arrow::message::kBodyLength, static_cast<std::int64_t>(body.bytes.size()))
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
bool ArrowSink::writeRecords(const RecordBody& body, std::int64_t rows, std::int64_t dictionary) {
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

bool ArrowSink::finish() {
  if (error_ || !rows_.flush()) return false;
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
  auto sink = std::make_unique<ArrowSink>(path, schema);
  if (!sink->create(error)) return nullptr;
  return sink;
}

}  // namespace couler::column

#pragma once

#include <cstdint>

/// Numbers of the Arrow columnar format, version 5 of its metadata
/// (https://arrow.apache.org/docs/format/Columnar.html, and Schema.fbs, Message.fbs and File.fbs in
/// Arrow's repository): fields of the flatbuffers by their index, and the values of their enums.
namespace couler::column::arrow {

inline constexpr char kMagic[] = "ARROW1";
inline constexpr std::uint32_t kContinuation = 0xFFFFFFFFU;
inline constexpr std::int16_t kVersion5 = 4;

namespace message {
inline constexpr int kVersion = 0, kHeaderType = 1, kHeader = 2, kBodyLength = 3;
enum Header : std::uint8_t { Schema = 1, DictionaryBatch = 2, RecordBatch = 3 };
}  // namespace message
namespace schema {
inline constexpr int kEndianness = 0, kFields = 1;
}
namespace field {
inline constexpr int kName = 0, kNullable = 1, kTypeType = 2, kType = 3, kDictionary = 4,
                     kChildren = 5, kMetadata = 6;
}
namespace keyValue {
inline constexpr int kKey = 0, kValue = 1;
}
namespace dictionary {
inline constexpr int kId = 0, kIndexType = 1;                // DictionaryEncoding
inline constexpr int kBatchId = 0, kData = 1, kIsDelta = 2;  // DictionaryBatch
}  // namespace dictionary
namespace recordBatch {
inline constexpr int kLength = 0, kNodes = 1, kBuffers = 2, kCompression = 3;
}
namespace footer {
inline constexpr int kVersion = 0, kSchema = 1, kDictionaries = 2, kRecordBatches = 3;
}

enum Type : std::uint8_t {
  Null = 1,
  Int,
  FloatingPoint,
  Binary,
  Utf8,
  Bool,
  Decimal,
  Date,
  Time,
  Timestamp,
  Interval,
  List,
  Struct,
  Union,
  FixedSizeBinary,
  FixedSizeList,
  Map,
  Duration,
  LargeBinary,
  LargeUtf8,
  LargeList
};
inline constexpr std::int16_t kDouble = 2;
inline constexpr std::int16_t kMicroseconds = 2;
inline constexpr std::int16_t kMilliseconds = 1;

struct FieldNode {
  std::int64_t length;
  std::int64_t nulls;
};
struct BufferSpan {
  std::int64_t offset;  ///< from the start of the body
  std::int64_t length;
};
struct Block {
  std::int64_t offset;
  std::int32_t metadata;
  std::int32_t padding;
  std::int64_t body;
};

/// What the field's metadata says of kinds that Arrow does not have: under this key `size` or
/// `json`.
inline constexpr char kKindKey[] = "couler.kind";

}  // namespace couler::column::arrow

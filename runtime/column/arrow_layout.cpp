#include "runtime/column/arrow_layout.h"

namespace couler::column::arrow {

namespace {

constexpr int kMaxDepth = 64;

/// Counts the nodes and buffers of a field and its children.
bool count(const FlatTable& table, int depth, std::size_t& nodes, std::size_t& buffers) {
  if (depth > kMaxDepth) return false;
  ++nodes;
  const bool isDictionary = table.has(field::kDictionary);
  switch (table.get<std::uint8_t>(field::kTypeType, 0)) {
    case Null:
      break;
    case Binary:
    case Utf8:
    case LargeBinary:
    case LargeUtf8:
      buffers += isDictionary ? 2 : 3;
      break;
    case Struct:
    case FixedSizeList:
      buffers += 1;
      break;
    case Int:
    case FloatingPoint:
    case Bool:
    case Decimal:
    case Date:
    case Time:
    case Timestamp:
    case Interval:
    case FixedSizeBinary:
    case Duration:
    case List:
    case LargeList:
    case Map:
      buffers += 2;
      break;
    default:
      return false;  // unions, views and what is newer than this
  }
  if (isDictionary) return true;  // its children lie in the dictionary
  const FlatVector children = table.vector(field::kChildren, 4);
  for (std::size_t i = 0; i < children.size(); ++i) {
    const std::optional<FlatTable> child = children.table(i);
    if (!child || !count(*child, depth + 1, nodes, buffers)) return false;
  }
  return true;
}

bool isPlain(Type kind, const std::optional<FlatTable>& type) {
  switch (kind) {
    case Int:
      return type && type->get<std::int32_t>(0, 0) == 64 && type->get<std::uint8_t>(1, 0) != 0;
    case FloatingPoint:
      return type && type->get<std::int16_t>(0, 0) == kDouble;
    case Timestamp:
      return type && type->get<std::int16_t>(0, 0) == kMicroseconds;
    case Duration:
      return type && type->get<std::int16_t>(0, kMilliseconds) == kMicroseconds;
    case Bool:
    case Utf8:
    case LargeUtf8:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<std::vector<FileColumn>> layoutOf(const FlatTable& table) {
  if (table.get<std::int16_t>(schema::kEndianness, 0) != 0) return std::nullopt;
  std::vector<FileColumn> columns;
  std::size_t nodes = 0;
  std::size_t buffers = 0;
  const FlatVector fields = table.vector(schema::kFields, 4);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::optional<FlatTable> from = fields.table(i);
    if (!from) return std::nullopt;
    FileColumn column;
    column.name = from->string(field::kName);
    column.node = nodes;
    column.buffer = buffers;
    column.type = static_cast<Type>(from->get<std::uint8_t>(field::kTypeType, 0));
    column.plain = isPlain(column.type, from->table(field::kType));
    if (const std::optional<FlatTable> encoding = from->table(field::kDictionary)) {
      column.dictionary = encoding->get<std::int64_t>(dictionary::kId, 0);
      const std::optional<FlatTable> index = encoding->table(dictionary::kIndexType);
      const std::int32_t bits = index ? index->get<std::int32_t>(0, 0) : 32;
      const bool isSigned = !index || index->get<std::uint8_t>(1, 0) != 0;
      const bool known = isSigned && (bits == 8 || bits == 16 || bits == 32);
      column.indexBytes = known ? bits / 8 : 0;
      column.plain = column.plain && known;
    }
    if (!count(*from, 0, nodes, buffers)) return std::nullopt;
    columns.push_back(std::move(column));
  }
  return columns;
}

bool holds(const FileColumn& column, Kind kind) {
  if (!column.plain) return false;
  const bool isText = column.type == Utf8 || column.type == LargeUtf8;
  if (column.dictionary >= 0) return kind == Kind::Enum && isText;
  switch (kind) {
    case Kind::Bool:
      return column.type == Bool;
    case Kind::Int:
    case Kind::Size:
      return column.type == Int;
    case Kind::Float:
      return column.type == FloatingPoint;
    case Kind::Timestamp:
      return column.type == Timestamp;
    case Kind::Duration:
      return column.type == Duration;
    case Kind::String:
    case Kind::Enum:
    case Kind::Value:
      return isText;
  }
  return false;
}

}  // namespace couler::column::arrow

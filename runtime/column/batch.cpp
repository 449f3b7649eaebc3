#include "runtime/column/batch.h"

#include <algorithm>
#include <new>
#include <utility>

#include "runtime/column/builder.h"

namespace couler::column {

Kind kindOf(ir::TypeKind kind) {
  switch (kind) {
    case ir::TypeKind::Bool:
      return Kind::Bool;
    case ir::TypeKind::Int:
      return Kind::Int;
    case ir::TypeKind::Float:
      return Kind::Float;
    case ir::TypeKind::String:
      return Kind::String;
    case ir::TypeKind::Timestamp:
      return Kind::Timestamp;
    case ir::TypeKind::Duration:
      return Kind::Duration;
    case ir::TypeKind::Size:
      return Kind::Size;
    case ir::TypeKind::Enum:
      return Kind::Enum;
    default:
      return Kind::Value;
  }
}

namespace {

template <class T>
void pick(const Buffer& from, std::span<const std::int32_t> picked, Buffer& to) {
  const T* in = from.as<T>();
  T* out = to.as<T>();
  for (std::size_t i = 0; i < picked.size(); ++i) out[i] = in[picked[i]];
}

std::shared_ptr<const Buffer> pickValues(const Buffer& from, std::size_t width,
                                         std::span<const std::int32_t> picked) {
  auto made = Buffer::make(width * picked.size());
  if (!made) throw std::bad_alloc();
  switch (width) {
    case 1:
      pick<std::uint8_t>(from, picked, *made);
      break;
    case 4:
      pick<std::uint32_t>(from, picked, *made);
      break;
    case 8:
      pick<std::uint64_t>(from, picked, *made);
      break;
    default:
      pick<Text>(from, picked, *made);
      break;
  }
  return made;
}

/// pre: `value` is of the column's type, and not none.
void put(const Field& field, const ir::Value& value, std::int64_t row, ColumnBuilder& column) {
  switch (field.kind) {
    case Kind::Bool:
      column.at<std::uint8_t>(row) = *value.as<bool>() ? 1 : 0;
      break;
    case Kind::Int:
      column.at<std::int64_t>(row) = *value.as<std::int64_t>();
      break;
    case Kind::Float:
      if (const std::int64_t* whole = value.as<std::int64_t>()) {
        column.at<double>(row) = static_cast<double>(*whole);
      } else {
        column.at<double>(row) = *value.as<double>();
      }
      break;
    case Kind::String:
      column.at<Text>(row) = column.heap.add(*value.as<std::string>());
      break;
    case Kind::Timestamp:
      column.at<std::int64_t>(row) = value.as<ir::Timestamp>()->micros;
      break;
    case Kind::Duration:
      column.at<std::int64_t>(row) = value.as<ir::Duration>()->micros;
      break;
    case Kind::Size:
      column.at<std::int64_t>(row) = value.as<ir::Size>()->bytes;
      break;
    case Kind::Enum: {
      const auto it =
          std::find(field.cases.begin(), field.cases.end(), value.as<ir::EnumCase>()->name);
      column.at<std::int32_t>(row) = static_cast<std::int32_t>(it - field.cases.begin());
      break;
    }
    case Kind::Value:
      (*column.boxed)[static_cast<std::size_t>(row)] = value;
      break;
  }
}

}  // namespace

int Schema::find(std::string_view name) const {
  const auto it = std::find_if(fields.begin(), fields.end(),
                               [&](const Field& field) { return field.name == name; });
  return it == fields.end() ? -1 : static_cast<int>(it - fields.begin());
}

Field fieldOf(const ir::TypeTable& types, std::string name, ir::TypeId type) {
  Field field;
  field.name = std::move(name);
  field.type = type;
  field.optional = types.kind(type) == ir::TypeKind::Optional;
  const ir::TypeId inner = field.optional ? types[type].element : type;
  field.kind = kindOf(types.kind(inner));
  if (field.kind == Kind::Enum) field.cases = types[inner].cases;
  return field;
}

Schema schemaOf(const ir::TypeTable& types, ir::TypeId row) {
  Schema schema;
  schema.types = &types;
  for (const ir::TypeField& from : types[row].fields) {
    schema.fields.push_back(fieldOf(types, from.name, from.type));
  }
  return schema;
}

std::size_t widthOf(Kind kind) {
  switch (kind) {
    case Kind::Bool:
      return sizeof(std::uint8_t);
    case Kind::Int:
    case Kind::Timestamp:
    case Kind::Duration:
    case Kind::Size:
      return sizeof(std::int64_t);
    case Kind::Float:
      return sizeof(double);
    case Kind::String:
      return sizeof(Text);
    case Kind::Enum:
      return sizeof(std::int32_t);
    case Kind::Value:
      break;
  }
  return 0;
}

ir::Value valueAt(const Field& field, const Column& column, std::int64_t row) {
  const auto at = static_cast<std::size_t>(row);
  if (field.kind == Kind::Value) return (*column.boxed)[at];
  if (column.valid && column.valid->as<std::uint8_t>()[at] == 0) return {};
  const Buffer& values = *column.values;
  switch (field.kind) {
    case Kind::Bool:
      return values.as<std::uint8_t>()[at] != 0;
    case Kind::Int:
      return values.as<std::int64_t>()[at];
    case Kind::Float:
      return values.as<double>()[at];
    case Kind::String:
      return std::string(values.as<Text>()[at].view());
    case Kind::Timestamp:
      return ir::Timestamp{values.as<std::int64_t>()[at]};
    case Kind::Duration:
      return ir::Duration{values.as<std::int64_t>()[at]};
    case Kind::Size:
      return ir::Size{values.as<std::int64_t>()[at]};
    case Kind::Enum:
      return ir::EnumCase{field.cases[static_cast<std::size_t>(values.as<std::int32_t>()[at])]};
    case Kind::Value:
      break;
  }
  return {};
}

Batch batchOf(const Schema& schema, const std::vector<ir::Value>& rows) {
  BatchBuilder builder(schema, {});
  if (!builder.start(0, static_cast<std::int64_t>(rows.size()))) return {};
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const ir::NamedItems& cells = rows[row].named();
    const std::int64_t at = builder.addRow(static_cast<std::int64_t>(row));
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      if (cells[i].second.isNone()) {
        builder.setMissing(i, at);
      } else {
        put(schema.fields[i], cells[i].second, at, builder.column(i));
      }
    }
  }
  return builder.finish();
}

void appendRows(const Schema& schema, const Batch& batch, std::vector<ir::Value>& rows) {
  rows.reserve(rows.size() + static_cast<std::size_t>(batch.rows));
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    ir::NamedItems cells;
    cells.reserve(schema.fields.size());
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      const Column& column = batch.columns[i];
      const bool has = column.values != nullptr || column.boxed != nullptr;
      cells.emplace_back(schema.fields[i].name,
                         has ? valueAt(schema.fields[i], column, row) : ir::Value());
    }
    rows.push_back(ir::Value::record(std::move(cells)));
  }
}

Column pickCells(const Column& from, Kind kind, std::span<const std::int32_t> picked) {
  Column to;
  to.heaps = from.heaps;
  if (from.boxed) {
    auto boxed = std::make_shared<std::vector<ir::Value>>();
    boxed->reserve(picked.size());
    for (const std::int32_t row : picked) {
      boxed->push_back((*from.boxed)[static_cast<std::size_t>(row)]);
    }
    to.boxed = std::move(boxed);
  }
  if (from.values) to.values = pickValues(*from.values, widthOf(kind), picked);
  if (from.valid) to.valid = pickValues(*from.valid, 1, picked);
  return to;
}

}  // namespace couler::column

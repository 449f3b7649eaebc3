#include "runtime/column/arrow_rows.h"

#include <algorithm>
#include <cstring>

#include <simdjson.h>

#include "support/text.h"

namespace couler::column {

using arrow::FileColumn;

ArrowRows::ArrowRows(std::string path, const Schema& schema, const ReadOptions& options,
                     AnomalyLog& log)
    : path_(std::move(path)),
      schema_(schema),
      batch_(schema_, options.wanted),
      bad_(path_, schema_, options.onBad, log) {
  for (const Field& field : schema_.fields) {
    caseIndexes_.push_back(field.kind == Kind::Enum ? std::optional(CaseIndex(field.cases))
                                                    : std::nullopt);
  }
}

std::int64_t ArrowRows::offsetAt(const FileColumn& column, const Loaded& loaded, std::int64_t i) {
  if (column.type == arrow::Utf8) {
    std::int32_t offset = 0;
    std::memcpy(&offset, loaded.values + 4 * i, sizeof offset);
    return offset;
  }
  std::int64_t offset = 0;
  std::memcpy(&offset, loaded.values + 8 * i, sizeof offset);
  return offset;
}

bool ArrowRows::checkTexts(const FileColumn& column, std::int64_t rows, Loaded& loaded) {
  std::int64_t before = offsetAt(column, loaded, 0);
  if (before < 0) return damaged();
  const std::int64_t first = before;
  bool cutLetter = before < loaded.textSize && isUtf8Tail(loaded.text[before]);
  for (std::int64_t i = 1; i <= rows; ++i) {
    const std::int64_t end = offsetAt(column, loaded, i);
    if (end < before || end > loaded.textSize) return damaged();
    if (end < loaded.textSize && isUtf8Tail(loaded.text[end])) cutLetter = true;
    before = end;
  }
  loaded.checked = !cutLetter && simdjson::validate_utf8(loaded.text + first,
                                                         static_cast<std::size_t>(before - first));
  return true;
}

std::optional<Batch> ArrowRows::next() {
  while (!error_ && !ended_) {
    if (taken_ == loadedRows_) {
      taken_ = loadedRows_ = 0;
      const Load step = load();
      if (step == Load::Failed) return std::nullopt;
      ended_ = step == Load::End;
      continue;
    }
    const std::int64_t rows = std::min(kBatchRows, loadedRows_ - taken_);
    if (!take(rows)) return std::nullopt;
    taken_ += rows;
    rowId_ += rows;
    if (bad_.failed()) continue;
    Batch batch = batch_.finish();
    if (batch.rows > 0) return batch;
  }
  if (!error_ && bad_.failed()) error_ = bad_.failure();
  return std::nullopt;
}

bool ArrowRows::take(std::int64_t rows) {
  if (!batch_.start(rowId_)) return fail("out of memory");
  for (std::int64_t row = 0; row < rows; ++row) batch_.addRow(rowId_ + row);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (batch_.wants(i) && !takeColumn(i, rows)) return false;
  }
  return true;
}

bool ArrowRows::takeColumn(std::size_t field, std::int64_t rows) {
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
      takeTexts(field, rows);
      break;
    case Kind::Enum:
      if (!takeIndexes(field, rows)) return false;
      break;
    default:
      column.values = Buffer::wrap(loaded.values + 8 * (taken_), static_cast<std::size_t>(rows) * 8,
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

void ArrowRows::takeMissing(std::size_t field, std::int64_t rows) {
  const Loaded& loaded = loaded_[field];
  const std::int64_t first = taken_;
  if (loaded.valid == nullptr) return;
  const bool optional = schema_.fields[field].optional;
  for (std::int64_t row = 0; row < rows; ++row) {
    if (isThere(loaded, first + row)) continue;
    if (optional) {
      batch_.setMissing(field, row);
    } else {
      badCell(AnomalyKind::Missing, field, row, {});
    }
  }
}

void ArrowRows::takeTexts(std::size_t field, std::int64_t rows) {
  const Loaded& loaded = loaded_[field];
  const std::int64_t first = taken_;
  const FileColumn& from = columns_[field];
  const Field& about = schema_.fields[field];
  ColumnBuilder& column = batch_.column(field);
  column.heaps.push_back(loaded.memory);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t begin = offsetAt(from, loaded, first + row);
    const std::int64_t end = offsetAt(from, loaded, first + row + 1);
    const std::string_view text(loaded.text + begin, static_cast<std::size_t>(end - begin));
    if (about.kind == Kind::String) {
      column.at<Text>(row) = {text.data(), end - begin};
      if (!loaded.checked && isThere(loaded, first + row) && findInvalidUtf8(text)) {
        badCell(AnomalyKind::NotUtf8, field, row, text);
      }
    } else if (isThere(loaded, first + row)) {
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
}

bool ArrowRows::takeIndexes(std::size_t field, std::int64_t rows) {
  const Loaded& loaded = loaded_[field];
  const std::int64_t first = taken_;
  const FileColumn& from = columns_[field];
  const CaseIndex& index = *caseIndexes_[field];
  auto* out = batch_.column(field).values->as<std::int32_t>();
  if (from.dictionary < 0) {
    for (std::int64_t row = 0; row < rows; ++row) {
      if (!isThere(loaded, first + row)) continue;
      const std::int64_t begin = offsetAt(from, loaded, first + row);
      const std::string_view text(
          loaded.text + begin,
          static_cast<std::size_t>(offsetAt(from, loaded, first + row + 1) - begin));
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
    if (!isThere(loaded, first + row)) continue;
    const char* at = loaded.values + (first + row) * from.indexBytes;
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

}  // namespace couler::column

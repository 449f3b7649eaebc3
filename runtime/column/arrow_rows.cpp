#include "runtime/column/arrow_rows.h"

#include <algorithm>
#include <cstring>
#include <new>

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
  late_ = options.late;
  late_.resize(schema_.fields.size());
  unused_ = options.unused;
  unused_.resize(schema_.fields.size());
  for (std::size_t i = 0; i < late_.size(); ++i) {
    // Of the others, each cell can be wrong.
    const Kind kind = schema_.fields[i].kind;
    const bool plain = kind != Kind::Enum && kind != Kind::Value && kind != Kind::Size;
    late_[i] = (late_[i] || unused_[i]) && batch_.wants(i) && plain;
    defers_ = defers_ || (late_[i] && !unused_[i]);
  }
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

namespace {

/// What is wrong with offsets: whether they lead outside of the text or back, and whether one is in
/// the middle of a letter.
template <class T>
std::pair<bool, bool> lookAt(const T* offsets, std::int64_t rows, const char* text,
                             std::int64_t size) {
  bool outside = offsets[0] < 0;
  for (std::int64_t i = 0; i < rows; ++i) outside |= offsets[i + 1] < offsets[i];
  if (outside || offsets[rows] > size) return {true, false};
  bool cutLetter = false;  // what follows the text is zero
  for (std::int64_t i = 0; i <= rows; ++i) cutLetter |= (text[offsets[i]] & 0xC0) == 0x80;
  return {false, cutLetter};
}

/// Bits `first` … `first + rows` as bytes, 0 or 1.
void spreadBits(const std::uint8_t* bits, std::int64_t first, std::int64_t rows, std::uint8_t* to) {
  std::int64_t row = 0;
  for (; first % 8 == 0 && row + 8 <= rows; row += 8) {
    constexpr std::uint64_t kEach = 0x0101010101010101U;
    constexpr std::uint64_t kOne = 0x8040201008040201U;  // bit k of byte k
    const std::uint64_t apart = (bits[(first + row) / 8] * kEach) & kOne;
    const std::uint64_t bytes = ((apart + 0x7F * kEach) >> 7U) & kEach;
    std::memcpy(to + row, &bytes, sizeof bytes);
  }
  for (; row < rows; ++row) to[row] = (bits[(first + row) / 8] >> ((first + row) % 8)) & 1;
}

/// Makes the values zero that are not there.
template <class T>
void clear(const std::uint8_t* valid, std::int64_t rows, T* values) {
  for (std::int64_t i = 0; i < rows; ++i) values[i] = valid[i] != 0 ? values[i] : T{};
}

}  // namespace

bool ArrowRows::checkTexts(const FileColumn& column, std::int64_t rows, Loaded& loaded) {
  const auto [outside, cutLetter] =
      column.type == arrow::Utf8
          ? lookAt(reinterpret_cast<const std::int32_t*>(loaded.values), rows, loaded.text,
                   loaded.textSize)
          : lookAt(reinterpret_cast<const std::int64_t*>(loaded.values), rows, loaded.text,
                   loaded.textSize);
  if (outside) return damaged();
  const std::int64_t first = offsetAt(column, loaded, 0);
  loaded.checked = !cutLetter && simdjson::validate_utf8(
                                     loaded.text + first,
                                     static_cast<std::size_t>(offsetAt(column, loaded, rows) - first));
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
    givenRows_ = rows;
    if (bad_.failed()) continue;
    Batch batch = batch_.finish();
    if (batch.rows > 0) return batch;
  }
  if (!error_ && bad_.failed()) error_ = bad_.failure();
  return std::nullopt;
}

bool ArrowRows::take(std::int64_t rows) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Kind kind = schema_.fields[i].kind;
    const bool wrapped = kind != Kind::Bool && kind != Kind::String && kind != Kind::Value && kind != Kind::Enum;
    batch_.setRoom(i, batch_.wants(i) && !loaded_[i].deferred && !wrapped);
  }
  if (!batch_.start(rowId_, rows)) return fail("out of memory");
  batch_.addRows(rowId_, rows);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!batch_.wants(i) || loaded_[i].deferred) continue;
    if (!takeColumn(i, taken_, rows, batch_.column(i))) return false;
  }
  return true;
}

bool ArrowRows::fill(Batch& batch) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!loaded_[i].deferred || unused_[i]) continue;
    if (!loaded_[i].memory && !loadDeferred(i)) return false;
    if (batch.rows != givenRows_) {
      batch.columns[i] = pick(i, batch);
      continue;
    }
    ColumnBuilder whole;
    if (!takeColumn(i, taken_ - givenRows_, givenRows_, whole)) return false;
    batch.columns[i] = {std::move(whole.values), std::move(whole.valid), std::move(whole.heaps),
                        nullptr};
  }
  return true;
}

/// The cells of a deferred column for some rows of the batch given last.
Column ArrowRows::pick(std::size_t field, const Batch& batch) const {
  const Loaded& loaded = loaded_[field];
  const FileColumn& from = columns_[field];
  const Kind kind = schema_.fields[field].kind;
  const auto rows = static_cast<std::size_t>(batch.rows);
  const auto values = Buffer::make(rows * widthOf(kind));
  const auto valid = loaded.valid != nullptr ? Buffer::make(rows) : nullptr;
  if (!values || (loaded.valid != nullptr && !valid)) throw std::bad_alloc();
  Column column;
  column.values = values;
  column.valid = valid;
  if (kind == Kind::String) column.heaps.push_back(loaded.memory);
  const std::int64_t first = taken_ - rowId_;  // of the loaded rows, that of number 0
  for (std::size_t row = 0; row < rows; ++row) {
    const std::int64_t at = first + rowId(batch, static_cast<std::int64_t>(row));
    const bool there = isThere(loaded, at);
    if (valid) valid->as<std::uint8_t>()[row] = there ? 1 : 0;
    if (kind == Kind::String) {
      const std::int64_t begin = offsetAt(from, loaded, at);
      values->as<Text>()[row] =
          there ? Text{loaded.text + begin, offsetAt(from, loaded, at + 1) - begin} : Text{};
    } else if (kind == Kind::Bool) {
      const auto* bits = reinterpret_cast<const std::uint8_t*>(loaded.values);
      values->as<std::uint8_t>()[row] = there ? (bits[at / 8] >> (at % 8)) & 1 : 0;
    } else {
      std::int64_t word = 0;
      if (there) std::memcpy(&word, loaded.values + 8 * at, sizeof word);
      values->as<std::int64_t>()[row] = word;
    }
  }
  return column;
}

bool ArrowRows::takeColumn(std::size_t field, std::int64_t first, std::int64_t rows,
                           ColumnBuilder& column) {
  const Loaded& loaded = loaded_[field];
  const Kind kind = schema_.fields[field].kind;
  const auto count = static_cast<std::size_t>(rows);
  if ((kind == Kind::Bool || kind == Kind::String) && !column.values) {
    column.values = Buffer::make(count * widthOf(kind));
    if (!column.values) return fail("out of memory");
  }
  switch (kind) {
    case Kind::Bool:
      spreadBits(reinterpret_cast<const std::uint8_t*>(loaded.values), first, rows,
                 column.values->as<std::uint8_t>());
      break;
    case Kind::String:
      takeTexts(field, first, rows, column);
      break;
    case Kind::Value:
      takeValues(field, first, rows, column);
      break;
    case Kind::Enum:
      if (!takeIndexes(field, first, rows, column)) return false;
      break;
    default:
      column.values = Buffer::wrap(loaded.values + 8 * first, count * 8, loaded.memory);
      break;
  }
  takeMissing(field, first, rows, column);
  if (kind == Kind::Size) {
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t bytes = column.at<std::int64_t>(row);
      if (bytes < 0) badCell(AnomalyKind::OutOfRange, field, row, std::to_string(bytes));
    }
  }
  return true;
}

void ArrowRows::takeMissing(std::size_t field, std::int64_t first, std::int64_t rows,
                            ColumnBuilder& column) {
  const Loaded& loaded = loaded_[field];
  if (loaded.valid == nullptr) return;
  auto valid = Buffer::make(static_cast<std::size_t>(rows));
  if (!valid) throw std::bad_alloc();
  auto* there = valid->as<std::uint8_t>();
  spreadBits(loaded.valid, first, rows, there);
  if (std::memchr(there, 0, static_cast<std::size_t>(rows)) == nullptr) return;
  if (!schema_.fields[field].optional) {
    for (std::int64_t row = 0; row < rows; ++row) {
      if (there[row] == 0) badCell(AnomalyKind::Missing, field, row, {});
    }
    return;
  }
  if (column.boxed) return;
  if (column.valid) {  // cells that are wrong are missing, too
    const auto* known = column.valid->as<std::uint8_t>();
    for (std::int64_t row = 0; row < rows; ++row) there[row] &= known[row];
  }
  switch (widthOf(schema_.fields[field].kind)) {
    case 1:
      clear(there, rows, column.values->as<std::uint8_t>());
      break;
    case 4:
      clear(there, rows, column.values->as<std::int32_t>());
      break;
    case 8:
      clear(there, rows, column.values->as<std::int64_t>());
      break;
    default:
      clear(there, rows, column.values->as<Text>());
      break;
  }
  column.valid = std::move(valid);
}

void ArrowRows::takeTexts(std::size_t field, std::int64_t first, std::int64_t rows,
                          ColumnBuilder& column) {
  const Loaded& loaded = loaded_[field];
  column.heaps.push_back(loaded.memory);
  Text* texts = column.values->as<Text>();
  const auto take = [&](const auto* offsets) {
    for (std::int64_t row = 0; row < rows; ++row) {
      texts[row] = {loaded.text + offsets[row], offsets[row + 1] - offsets[row]};
    }
  };
  if (columns_[field].type == arrow::Utf8) {
    take(reinterpret_cast<const std::int32_t*>(loaded.values) + first);
  } else {
    take(reinterpret_cast<const std::int64_t*>(loaded.values) + first);
  }
  for (std::int64_t row = 0; row < rows && !loaded.checked; ++row) {
    const std::string_view text = texts[row].view();
    if (isThere(loaded, first + row) && findInvalidUtf8(text)) {
      badCell(AnomalyKind::NotUtf8, field, row, text);
    }
  }
}

void ArrowRows::takeValues(std::size_t field, std::int64_t first, std::int64_t rows,
                           ColumnBuilder& column) {
  const Loaded& loaded = loaded_[field];
  const FileColumn& from = columns_[field];
  const Field& about = schema_.fields[field];
  const ir::TypeId type = about.optional ? (*schema_.types)[about.type].element : about.type;
  for (std::int64_t row = 0; row < rows; ++row) {
    if (!isThere(loaded, first + row)) continue;
    const std::int64_t begin = offsetAt(from, loaded, first + row);
    const std::int64_t end = offsetAt(from, loaded, first + row + 1);
    const std::string_view text(loaded.text + begin, static_cast<std::size_t>(end - begin));
    std::string error;
    std::optional<ir::Value> value = ir::fromJson(text, type, *schema_.types, error);
    if (value) {
      (*column.boxed)[static_cast<std::size_t>(row)] = std::move(*value);
    } else {
      badCell(AnomalyKind::NotOfType, field, row, text);
    }
  }
}

bool ArrowRows::takeIndexes(std::size_t field, std::int64_t first, std::int64_t rows,
                            ColumnBuilder& column) {
  const Loaded& loaded = loaded_[field];
  const FileColumn& from = columns_[field];
  const CaseIndex& index = *caseIndexes_[field];
  auto* out = column.values->as<std::int32_t>();
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

#include "runtime/column/arrow_records.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "ir/value.h"
#include "runtime/column/text_output.h"

namespace couler::column {

namespace {

constexpr std::int64_t kMaxText = std::int64_t{1} << 30;  // bytes of one column of one record batch

}  // namespace

/// Adds rows to the pending ones; writes those first if there would be too many.
bool RecordGatherer::take(Part part, std::optional<StreamError>& error) {
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
    const std::int64_t middle = part.from + (rows > kBatchRows ? kBatchRows : rows / 2);
    return take({part.batch, part.from, middle}, error) &&
           take({part.batch, middle, part.to}, error);
  }
  if (text > std::numeric_limits<std::int32_t>::max()) {
    error = StreamError{fmt::format("{}: a string of {} bytes does not fit", path_, text)};
    return false;
  }
  if ((rows_ + rows > kBatchRows || text_ + text > kMaxText) && !flush()) return false;
  rows_ += rows;
  text_ += text;
  pending_.push_back(std::move(part));
  return true;
}

void RecordGatherer::addValidity(std::size_t field, RecordBody& body) const {
  const bool boxed = schema_.fields[field].kind == Kind::Value;
  const bool mayMiss =
      boxed || std::any_of(pending_.begin(), pending_.end(), [&](const Part& part) {
        return part.batch.columns[field].valid != nullptr;
      });
  if (!mayMiss) {
    body.nodes.push_back({rows_, 0});
    body.add<std::uint8_t>(0);
    return;
  }
  std::int64_t missing = 0;
  std::vector<std::uint8_t> bits(static_cast<std::size_t>((rows_ + 7) / 8));
  std::size_t at = 0;
  for (const Part& part : pending_) {
    const Column& column = part.batch.columns[field];
    for (std::int64_t row = part.from; row < part.to; ++row, ++at) {
      const bool there = boxed ? !(*column.boxed)[static_cast<std::size_t>(row)].isNone()
                               : !isMissing(column, row);
      if (there) {
        bits[at / 8] = static_cast<std::uint8_t>(bits[at / 8] | (1U << (at % 8)));
      } else {
        ++missing;
      }
    }
  }
  body.nodes.push_back({rows_, missing});
  if (missing == 0) bits.clear();
  std::copy(bits.begin(), bits.end(), body.add<std::uint8_t>(bits.size()));
}

bool RecordGatherer::flush() {
  if (rows_ == 0) return true;
  RecordBody body;
  constexpr std::int64_t kUsual = 20;  // bytes of a cell, for the first room
  body.bytes.reserve(static_cast<std::size_t>(rows_ * kUsual) * schema_.fields.size());
  for (std::size_t i = 0; i < schema_.fields.size(); ++i) {
    addValidity(i, body);
    addColumn(i, rows_, body);
  }
  const std::int64_t rows = rows_;
  pending_.clear();
  rows_ = text_ = 0;
  return emit_(std::move(body), rows);
}

void RecordGatherer::addColumn(std::size_t field, std::int64_t rows, RecordBody& body) const {
  const Kind kind = schema_.fields[field].kind;
  const auto count = static_cast<std::size_t>(rows);
  if (kind == Kind::String || kind == Kind::Value || (kind == Kind::Enum && enumsAsText_)) {
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
  if (kind == Kind::Float) return addFloats(field, count, body);
  const std::size_t width = widthOf(kind);
  char* to = body.add<char>(count * width);
  for (const Part& part : pending_) {
    const std::size_t bytes = static_cast<std::size_t>(part.to - part.from) * width;
    std::memcpy(
        to, part.batch.columns[field].values->data() + static_cast<std::size_t>(part.from) * width,
        bytes);
    to += bytes;
  }
}

/// A file has one NaN: which of the many it was depends on how it was computed.
void RecordGatherer::addFloats(std::size_t field, std::size_t count, RecordBody& body) const {
  auto* to = body.add<double>(count);
  for (const Part& part : pending_) {
    const double* from = part.batch.columns[field].values->as<double>();
    for (std::int64_t row = part.from; row < part.to; ++row) {
      *to++ = std::isnan(from[row]) ? std::numeric_limits<double>::quiet_NaN() : from[row];
    }
  }
}

void RecordGatherer::addTexts(std::size_t field, std::int64_t rows, RecordBody& body) const {
  const Field& about = schema_.fields[field];
  std::string made;  // texts that are not there as such
  auto* offsets = body.add<std::int32_t>(static_cast<std::size_t>(rows) + 1);
  std::size_t size = 0;
  for (const Part& part : pending_) {
    const Column& column = part.batch.columns[field];
    for (std::int64_t row = part.from; row < part.to; ++row) {
      if (about.kind == Kind::String) {
        size += static_cast<std::size_t>(column.values->as<Text>()[row].size);
      } else {
        if (about.kind == Kind::Value) {
          const ir::Value& value = (*column.boxed)[static_cast<std::size_t>(row)];
          if (!value.isNone()) made += ir::toJson(value);
        } else if (!isMissing(column, row)) {
          made += about.cases[static_cast<std::size_t>(column.values->as<std::int32_t>()[row])];
        }
        size = made.size();
      }
      *++offsets = static_cast<std::int32_t>(size);
    }
  }
  char* to = body.add<char>(size);
  if (about.kind != Kind::String) {
    std::copy(made.begin(), made.end(), to);
    return;
  }
  for (const Part& part : pending_) {
    const Text* texts = part.batch.columns[field].values->as<Text>();
    for (std::int64_t row = part.from; row < part.to; ++row) {
      if (texts[row].size == 0) continue;  // its address may be none
      std::memcpy(to, texts[row].data, static_cast<std::size_t>(texts[row].size));
      to += texts[row].size;
    }
  }
}

}  // namespace couler::column

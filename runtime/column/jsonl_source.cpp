#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "runtime/column/bad_rows.h"
#include "runtime/column/builder.h"
#include "runtime/column/cells.h"
#include "runtime/column/chunks.h"
#include "runtime/column/jsonl.h"
#include "support/text.h"

namespace couler::column {

namespace {

namespace json = simdjson::ondemand;

class JsonlSource final : public Source {
 public:
  JsonlSource(std::string path, std::unique_ptr<ByteSource> bytes, const Schema& schema,
              const ReadOptions& options, AnomalyLog& log)
      : path_(std::move(path)),
        schema_(schema),
        maxCell_(static_cast<std::size_t>(std::max<std::int64_t>(options.maxCell, 1))),
        chunks_(path_, std::move(bytes)),
        bad_(path_, schema_, options.onBad, log),
        batch_(schema_, options.wanted) {
    if (options.range) {
      rowId_ = options.range->row;
      line_ = options.range->line;
      inside_ = options.range->from > 0;
    }
    for (std::size_t i = 0; i < schema_.fields.size(); ++i) {
      fields_.emplace(schema_.fields[i].name, i);
      const bool isEnum = schema_.fields[i].kind == Kind::Enum;
      caseIndexes_.push_back(isEnum ? std::optional(CaseIndex(schema_.fields[i].cases))
                                    : std::nullopt);
    }
  }

  [[nodiscard]] const Schema& schema() const override { return schema_; }
  bool start();
  std::optional<Batch> next() override;

 private:
  /// What a value was found to be.
  enum class Found : std::uint8_t { Value, Null, NotOfType, OutOfRange, NotACase, Malformed };

  bool nextLine(std::string_view& line);
  void takeLine(std::string_view line);
  Found read(std::size_t field, json::value value, std::int64_t at);
  Found readText(std::size_t field, std::string_view text, std::int64_t at);
  Found readBoxed(std::size_t field, json::value value, std::int64_t at);
  void fail(std::string message) { error_ = StreamError{path_ + std::move(message)}; }

  std::string path_;
  Schema schema_;
  std::size_t maxCell_;
  Chunks chunks_;
  BadRowPolicy bad_;
  BatchBuilder batch_;
  json::parser parser_;
  std::size_t at_ = 0;  // in the chunk
  std::int64_t line_ = 0;
  std::int64_t rowId_ = 0;
  bool ended_ = false;
  bool inside_ = false;  // the file has lines before those that are read
  std::unordered_map<std::string_view, std::size_t> fields_;
  std::vector<std::optional<CaseIndex>> caseIndexes_;
  std::vector<Found> found_;               // by field, of the row
  std::vector<std::string_view> spelled_;  // by field, where it was found wrong
};

bool JsonlSource::start() {
  if (!chunks_.advance(0)) {
    error_ = chunks_.error();
    return false;
  }
  if (inside_) return true;
  const std::string_view text(chunks_.data(), chunks_.size());
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    fail(": is UTF-16, not UTF-8; convert it, for instance with `iconv -f utf-16 -t utf-8`");
    return false;
  }
  at_ = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  const std::size_t first = text.find_first_not_of(" \t\r\n", at_);
  if (first != std::string_view::npos && text[first] == '[') {
    fail(
        ":1: is one JSON array; JSON Lines has an object a line: convert it, for instance with "
        "`jq -c '.[]'`");
    return false;
  }
  return true;
}

/// The next line with something in it, 64 bytes of slack after it. False at the end.
bool JsonlSource::nextLine(std::string_view& line) {
  for (;;) {
    const char* begin = chunks_.data() + at_;
    const std::size_t left = chunks_.size() - at_;
    const void* feed = std::memchr(begin, '\n', left);
    if (feed == nullptr && !chunks_.ended()) {
      if (left > maxCell_) {
        fail(fmt::format(":{}: the line is longer than {}", line_ + 1, humanBytes(maxCell_)));
        return false;
      }
      const bool ok = chunks_.advance(at_);
      at_ = 0;
      if (!ok) {
        error_ = chunks_.error();
        return false;
      }
      continue;
    }
    if (left == 0) return false;
    const std::size_t size =
        feed == nullptr ? left : static_cast<std::size_t>(static_cast<const char*>(feed) - begin);
    at_ += std::min(left, size + 1);
    ++line_;
    line = {begin, size};
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) return true;
  }
}

std::optional<Batch> JsonlSource::next() {
  while (!ended_ && !error_) {
    if (!batch_.start(rowId_)) {
      fail(": out of memory");
      break;
    }
    std::string_view line;
    while (!batch_.full() && !ended_) {
      if (nextLine(line)) {
        takeLine(line);
      } else {
        ended_ = true;
      }
    }
    if (error_) break;
    if (bad_.failed()) {
      if (ended_) error_ = bad_.failure();
      continue;
    }
    Batch batch = batch_.finish();
    if (batch.rows > 0) return batch;
  }
  return std::nullopt;
}

void JsonlSource::takeLine(std::string_view line) {
  const auto lineOf = [&] { return line_; };
  const std::int64_t id = rowId_++;
  const std::int64_t at = batch_.addRow(id);
  found_.assign(schema_.fields.size(), Found::Null);
  spelled_.assign(schema_.fields.size(), {});
  const auto malformed = [&](AnomalyKind kind) {
    for (std::size_t i = 0; i < found_.size(); ++i) {
      if (batch_.wants(i)) batch_.setMissing(i, at);
    }
    batch_.drop(at);
    bad_.badRow(kind, id, line, lineOf);
  };
  if (!simdjson::validate_utf8(line.data(), line.size())) {
    malformed(AnomalyKind::NotUtf8);
    return;
  }
  json::document document;
  json::object object;
  if (parser_.iterate(line.data(), line.size(), line.size() + simdjson::SIMDJSON_PADDING)
              .get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS) {
    malformed(AnomalyKind::Malformed);
    return;
  }
  bool ok = true;
  for (auto entry : object) {
    std::string_view key;
    json::value value;
    if (entry.unescaped_key().get(key) != simdjson::SUCCESS ||
        entry.value().get(value) != simdjson::SUCCESS) {
      ok = false;
      break;
    }
    const auto it = fields_.find(key);
    if (it == fields_.end() || !batch_.wants(it->second)) continue;
    const std::size_t field = it->second;
    std::string_view raw;
    // A number, word or string is one token; what is longer is cut for the message.
    bool isNull = false;
    if (value.is_null().get(isNull) != simdjson::SUCCESS) {
      ok = false;
      break;
    }
    if (isNull) {
      found_[field] = Found::Null;
      continue;
    }
    raw = value.raw_json_token();
    found_[field] = read(field, value, at);
    if (found_[field] == Found::Malformed) {
      ok = false;
      break;
    }
    if (found_[field] != Found::Value) {
      while (!raw.empty() && (raw.back() == ' ' || raw.back() == '\r')) raw.remove_suffix(1);
      if (raw.size() > 1 && raw.starts_with('"') && raw.ends_with('"')) {
        raw = raw.substr(1, raw.size() - 2);
      }
      spelled_[field] = raw;
    }
  }
  if (!ok || document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    malformed(AnomalyKind::Malformed);
    return;
  }
  for (std::size_t i = 0; i < found_.size(); ++i) {
    if (!batch_.wants(i) || found_[i] == Found::Value) continue;
    if (found_[i] == Found::Null && schema_.fields[i].optional) {
      batch_.setMissing(i, at);
      continue;
    }
    const AnomalyKind kind = found_[i] == Found::Null         ? AnomalyKind::Missing
                             : found_[i] == Found::OutOfRange ? AnomalyKind::OutOfRange
                             : found_[i] == Found::NotACase   ? AnomalyKind::NotACase
                                                              : AnomalyKind::NotOfType;
    bad_.badCell(kind, i, id, at, spelled_[i], batch_, lineOf);
  }
}

JsonlSource::Found JsonlSource::read(std::size_t field, json::value value, std::int64_t at) {
  json::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return Found::Malformed;
  ColumnBuilder& column = batch_.column(field);
  const Kind kind = schema_.fields[field].kind;
  if (kind == Kind::Value) return readBoxed(field, value, at);
  if (type == json::json_type::string) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) return Found::Malformed;
    return readText(field, text, at);
  }
  if (type == json::json_type::boolean) {
    bool flag = false;
    if (value.get_bool().get(flag) != simdjson::SUCCESS) return Found::Malformed;
    if (kind != Kind::Bool) return Found::NotOfType;
    column.at<std::uint8_t>(at) = flag ? 1 : 0;
    return Found::Value;
  }
  if (type != json::json_type::number) {
    return Found::NotOfType;  // what it holds is skipped
  }
  if (kind == Kind::Float) {
    double number = 0;
    const simdjson::error_code status = value.get_double().get(number);
    if (status == simdjson::NUMBER_ERROR) {
      std::string_view raw = value.raw_json_token();
      raw = raw.substr(0, raw.find_last_of("0123456789") + 1);
      const CellStatus cell = readFloat(raw, number);
      if (cell != CellStatus::Ok) {
        return cell == CellStatus::OutOfRange ? Found::OutOfRange : Found::Malformed;
      }
    } else if (status != simdjson::SUCCESS) {
      return Found::Malformed;
    }
    column.at<double>(at) = number;
    return Found::Value;
  }
  if (kind != Kind::Int && kind != Kind::Duration && kind != Kind::Size) return Found::NotOfType;
  std::int64_t number = 0;
  if (value.get_int64().get(number) != simdjson::SUCCESS) {
    std::string_view raw = value.raw_json_token();
    raw = raw.substr(0, raw.find_last_of("0123456789") + 1);
    const CellStatus cell = readInt(raw, number);
    if (cell != CellStatus::Ok) {
      return cell == CellStatus::OutOfRange ? Found::OutOfRange : Found::NotOfType;
    }
  }
  if (kind == Kind::Size && number < 0) return Found::OutOfRange;
  column.at<std::int64_t>(at) = number;
  return Found::Value;
}

JsonlSource::Found JsonlSource::readText(std::size_t field, std::string_view text,
                                         std::int64_t at) {
  ColumnBuilder& column = batch_.column(field);
  const auto foundOf = [](CellStatus status) {
    return status == CellStatus::Ok           ? Found::Value
           : status == CellStatus::OutOfRange ? Found::OutOfRange
                                              : Found::NotOfType;
  };
  switch (schema_.fields[field].kind) {
    case Kind::String:
      column.at<Text>(at) = column.heap.add(text);
      return Found::Value;
    case Kind::Enum: {
      std::string padded(text);
      padded.append(8, '\0');  // `find` reads 8 bytes
      const std::int32_t index =
          caseIndexes_[field]->find(std::string_view(padded).substr(0, text.size()));
      column.at<std::int32_t>(at) = index;
      return index < 0 ? Found::NotACase : Found::Value;
    }
    case Kind::Timestamp:
      return foundOf(readTimestamp(text, column.at<std::int64_t>(at)));
    case Kind::Duration:
      return foundOf(readDuration(text, column.at<std::int64_t>(at)));
    case Kind::Size:
      return foundOf(readSize(text, column.at<std::int64_t>(at)));
    case Kind::Float:  // "nan", "inf": numbers that JSON does not have
      if (text.find_first_of("0123456789") != std::string_view::npos) return Found::NotOfType;
      return foundOf(readFloat(text, column.at<double>(at)));
    default:
      return Found::NotOfType;
  }
}

JsonlSource::Found JsonlSource::readBoxed(std::size_t field, json::value value, std::int64_t at) {
  const Field& about = schema_.fields[field];
  const ir::TypeId type = about.optional ? (*schema_.types)[about.type].element : about.type;
  std::string_view text;
  if (simdjson::to_json_string(value).get(text) != simdjson::SUCCESS) return Found::Malformed;
  std::string error;
  std::optional<ir::Value> boxed = ir::fromJson(text, type, *schema_.types, error);
  if (!boxed) return Found::NotOfType;
  (*batch_.column(field).boxed)[static_cast<std::size_t>(at)] = std::move(*boxed);
  return Found::Value;
}

}  // namespace

std::unique_ptr<Source> openJsonl(const std::string& path, const Schema& schema,
                                  const ReadOptions& options, AnomalyLog& log, StreamError& error) {
  std::unique_ptr<ByteSource> bytes = openBytes(path, error, options.range);
  if (!bytes) return nullptr;
  auto source = std::make_unique<JsonlSource>(path, std::move(bytes), schema, options, log);
  if (!source->start()) {
    error = *source->error();
    return nullptr;
  }
  return source;
}

}  // namespace couler::column

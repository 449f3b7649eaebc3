#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "runtime/column/bytes.h"
#include "runtime/column/cells.h"
#include "runtime/column/chunks.h"
#include "runtime/column/profile.h"
#include "support/text.h"

namespace couler::column {

namespace {

namespace json = simdjson::ondemand;

constexpr std::size_t kLongestLine = std::size_t{64} << 20;

/// Bits: what the values of a key were seen to be.
enum Seen : unsigned {
  kBool = 1,
  kInt = 2,
  kFloat = 4,
  kNotFinite = 8,  // "nan", "inf": a string unless it is among floats
  kTime = 16,
  kText = 32,
  kList = 64,
  kObject = 128,
  kNull = 256
};

struct Key {
  std::string name;
  unsigned seen = 0;
  unsigned items = 0;  // of lists
};

/// False: the line is no JSON.
bool look(json::value value, unsigned& seen, unsigned* items) {
  json::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  switch (type) {
    case json::json_type::boolean:
      seen |= kBool;
      return true;
    case json::json_type::null:
      seen |= kNull;
      return true;
    case json::json_type::object:
      seen |= kObject;
      return true;
    case json::json_type::number: {
      json::number_type kind{};
      if (value.get_number_type().get(kind) != simdjson::SUCCESS) {
        seen |= kFloat;  // beyond 64 bits
        return true;
      }
      seen |= kind == json::number_type::signed_integer ? kInt : kFloat;
      return true;
    }
    case json::json_type::string: {
      std::string_view text;
      if (value.get_string().get(text) != simdjson::SUCCESS) return false;
      if ((seen & kText) != 0) return true;
      std::int64_t micros = 0;
      double number = 0;
      if (readTimestamp(text, micros) == CellStatus::Ok) {
        seen |= kTime;
      } else if (text.find_first_of("0123456789") == std::string_view::npos &&
                 readFloat(text, number) == CellStatus::Ok) {
        seen |= kNotFinite;
      } else {
        seen |= kText;
      }
      return true;
    }
    case json::json_type::array: {
      seen |= kList;
      if (items == nullptr) {
        seen |= kObject;  // a list of lists: no type here
        return true;
      }
      json::array array;
      if (value.get_array().get(array) != simdjson::SUCCESS) return false;
      for (auto each : array) {
        json::value item;
        if (each.get(item) != simdjson::SUCCESS || !look(item, *items, nullptr)) return false;
      }
      return true;
    }
    default:
      return false;
  }
}

/// The least type for what was seen; nothing: there is none.
std::optional<ir::TypeId> typeOf(unsigned seen, unsigned items, ir::TypeTable& types) {
  using T = ir::TypeTable;
  seen &= ~static_cast<unsigned>(kNull);
  if (seen == 0) return T::kString;
  if (seen == kBool) return T::kBool;
  if (seen == kInt) return T::kInt;
  if (seen == kTime) return T::kTimestamp;
  if ((seen & ~(kInt | kFloat | kNotFinite)) == 0 && (seen & (kInt | kFloat)) != 0) return T::kFloat;
  if ((seen & ~(kTime | kText | kNotFinite)) == 0) return T::kString;
  if (seen != kList || (items & kNull) != 0) return std::nullopt;
  const auto item = typeOf(items, 0, types);
  if (!item) return std::nullopt;
  return types.list(*item);
}

class Keys {
 public:
  void take(std::string_view line) {
    if (!simdjson::validate_utf8(line.data(), line.size())) return;
    json::document document;
    json::object object;
    if (parser_.iterate(line.data(), line.size(), line.size() + simdjson::SIMDJSON_PADDING)
                .get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
      return;  // the read counts it
    }
    for (auto entry : object) {
      std::string_view name;
      json::value value;
      if (entry.unescaped_key().get(name) != simdjson::SUCCESS ||
          entry.value().get(value) != simdjson::SUCCESS) {
        return;
      }
      const auto [it, fresh] = index_.try_emplace(std::string(name), keys_.size());
      if (fresh) keys_.push_back({std::string(name)});
      Key& key = keys_[it->second];
      if (!look(value, key.seen, &key.items)) return;
    }
  }
  [[nodiscard]] const std::vector<Key>& all() const { return keys_; }

 private:
  json::parser parser_;
  std::vector<Key> keys_;
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace

std::variant<std::vector<JsonColumn>, StreamError> jsonColumns(const std::string& path,
                                                               ir::TypeTable& types) {
  StreamError error;
  std::unique_ptr<ByteSource> bytes = openBytes(path, error);
  if (!bytes) return error;
  Chunks chunks(path, std::move(bytes));
  Keys keys;
  std::size_t at = 0;
  if (!chunks.advance(0)) return *chunks.error();
  if (std::string_view(chunks.data(), chunks.size()).starts_with("\xEF\xBB\xBF")) at = 3;
  for (;;) {
    const std::string_view left(chunks.data() + at, chunks.size() - at);
    const std::size_t feed = left.find('\n');
    if (feed == std::string_view::npos && !chunks.ended()) {
      if (left.size() > kLongestLine) {
        return StreamError{fmt::format("{}: a line is longer than {}", path,
                                       humanBytes(kLongestLine))};
      }
      if (!chunks.advance(at)) return *chunks.error();
      at = 0;
      continue;
    }
    if (left.empty()) break;
    const std::string_view line = left.substr(0, feed);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) keys.take(line);
    at += feed == std::string_view::npos ? left.size() : feed + 1;
  }
  std::vector<JsonColumn> columns;
  for (const Key& key : keys.all()) {
    JsonColumn column{key.name, {}, {}};
    if (const auto type = typeOf(key.seen, key.items, types)) {
      column.type = *type;
    } else {
      column.why = (key.seen & kObject) != 0 ? "holds objects or lists of them"
                                             : "holds values of several types";
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace couler::column

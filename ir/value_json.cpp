#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ir/value.h"
#include "support/text.h"

namespace couler::ir {

namespace {

void writeJson(const Value& value, std::string& out);

void writeNamed(const NamedItems& items, std::string& out) {
  out += '{';
  bool first = true;
  for (const auto& [name, item] : items) {
    if (!std::exchange(first, false)) out += ',';
    out += jsonQuote(name);
    out += ':';
    writeJson(item, out);
  }
  out += '}';
}

void writeFloat(double value, std::string& out) {
  if (std::isfinite(value)) {
    out += floatText(value);
  } else {
    out += jsonQuote(floatText(value));
  }
}

void writeJson(const Value& value, std::string& out) {
  if (const bool* b = value.as<bool>()) {
    out += *b ? "true" : "false";
  } else if (const std::int64_t* n = value.as<std::int64_t>()) {
    fmt::format_to(std::back_inserter(out), "{}", *n);
  } else if (const double* x = value.as<double>()) {
    writeFloat(*x, out);
  } else if (const std::string* text = value.as<std::string>()) {
    out += jsonQuote(*text);
  } else if (const Duration* d = value.as<Duration>()) {
    fmt::format_to(std::back_inserter(out), "{}", d->micros);
  } else if (const Size* s = value.as<Size>()) {
    fmt::format_to(std::back_inserter(out), "{}", s->bytes);
  } else if (const Timestamp* t = value.as<Timestamp>()) {
    out += jsonQuote(timestampText(*t));
  } else if (const EnumCase* e = value.as<EnumCase>()) {
    out += jsonQuote(e->name);
  } else if (const FileRef* f = value.as<FileRef>()) {
    out += jsonQuote(f->path);
  } else if (const SecretRef* secret = value.as<SecretRef>()) {
    out += jsonQuote(secret->source);
  } else if (value.as<ListValue>() != nullptr) {
    out += '[';
    bool first = true;
    for (const Value& item : value.items()) {
      if (!std::exchange(first, false)) out += ',';
      writeJson(item, out);
    }
    out += ']';
  } else if (value.as<MapValue>() != nullptr || value.as<RecordValue>() != nullptr) {
    writeNamed(value.named(), out);
  } else {
    out += "null";
  }
}

/// Reads JSON straight into values of a known type: no tree in between, and no deeper than the
/// type.
class JsonReader {
 public:
  JsonReader(std::string_view text, const TypeTable& types) : text_(text), types_(types) {}

  std::optional<Value> read(TypeId type) {
    std::optional<Value> result = value(type);
    if (!result) return std::nullopt;
    skipSpace();
    if (at_ != text_.size()) {
      fail("expected the end of the text");
      return std::nullopt;
    }
    return result;
  }

  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  static constexpr std::size_t kMaxDepth = 256;

  struct Step {  // one step of the place within the value, for errors
    std::string name;
    std::size_t index = 0;
  };

  void skipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool take(char c) {
    skipSpace();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool takeWord(std::string_view word) {
    skipSpace();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  std::nullopt_t fail(std::string_view what) {
    if (!error_.empty()) return std::nullopt;
    std::string place;
    for (const Step& step : place_) {
      place += step.name.empty() ? fmt::format("[{}]", step.index) : "." + step.name;
    }
    error_ = place.empty() ? fmt::format("{} at byte {}", what, at_)
                           : fmt::format("{} at byte {}, in `{}`", what, at_, place);
    return std::nullopt;
  }

  [[nodiscard]] std::string_view found() const {
    if (at_ >= text_.size()) return "the end of the text";
    const char c = text_[at_];
    if (c == '"') return "a string";
    if (c == '[') return "a list";
    if (c == '{') return "an object";
    if (c == 't' || c == 'f') return "a bool";
    if (c == 'n') return "null";
    if (c == '-' || (c >= '0' && c <= '9')) return "a number";
    return "something that is not JSON";
  }

  std::nullopt_t expected(TypeId type) {
    skipSpace();
    return fail(fmt::format("expected `{}`, found {}", types_.print(type), found()));
  }

  /// The text of a number by JSON's grammar; empty if there is none.
  std::string_view number(bool& isInt) {
    skipSpace();
    std::size_t i = at_;
    const auto digits = [&] {
      const std::size_t first = i;
      while (i < text_.size() && text_[i] >= '0' && text_[i] <= '9') ++i;
      return i != first;
    };
    isInt = true;
    if (i < text_.size() && text_[i] == '-') ++i;
    const bool zero = i < text_.size() && text_[i] == '0';
    const std::size_t whole = i;
    if (!digits() || (zero && i != whole + 1)) return {};
    if (i < text_.size() && text_[i] == '.') {
      ++i;
      isInt = false;
      if (!digits()) return {};
    }
    if (i < text_.size() && (text_[i] == 'e' || text_[i] == 'E')) {
      ++i;
      isInt = false;
      if (i < text_.size() && (text_[i] == '+' || text_[i] == '-')) ++i;
      if (!digits()) return {};
    }
    return text_.substr(at_, i - at_);
  }

  std::optional<std::int64_t> integer(TypeId type) {
    bool isInt = false;
    const std::string_view digits = number(isInt);
    if (digits.empty()) return expected(type);
    std::int64_t result = 0;
    const auto [end, status] =
        std::from_chars(digits.data(), digits.data() + digits.size(), result);
    if (!isInt) return fail(fmt::format("expected `{}`, found `{}`", types_.print(type), digits));
    if (status != std::errc{}) return fail(fmt::format("`{}` does not fit in 64 bits", digits));
    at_ += digits.size();
    return result;
  }

  std::optional<Value> floating(TypeId type) {
    skipSpace();
    if (at_ < text_.size() && text_[at_] == '"') {
      const std::size_t start = at_;
      const std::optional<std::string> word = string();
      if (!word) return std::nullopt;
      if (*word == "nan") return Value(std::numeric_limits<double>::quiet_NaN());
      if (*word == "inf") return Value(std::numeric_limits<double>::infinity());
      if (*word == "-inf") return Value(-std::numeric_limits<double>::infinity());
      at_ = start;
      return expected(type);
    }
    bool isInt = false;
    const std::string_view digits = number(isInt);
    if (digits.empty()) return expected(type);
    double result = 0;
    const auto [end, status] =
        std::from_chars(digits.data(), digits.data() + digits.size(), result);
    if (status != std::errc{}) return fail(fmt::format("`{}` does not fit in a float", digits));
    at_ += digits.size();
    return Value(result);
  }

  std::optional<std::uint32_t> hex4() {
    std::uint32_t result = 0;
    if (at_ + 4 > text_.size()) return std::nullopt;
    const char* first = text_.data() + at_;
    const auto [end, status] = std::from_chars(first, first + 4, result, 16);
    if (status != std::errc{} || end != first + 4) return std::nullopt;
    at_ += 4;
    return result;
  }

  bool escape(std::string& out) {
    if (at_ >= text_.size()) return false;
    const char c = text_[at_++];
    constexpr std::string_view kFrom = "\"\\/bfnrt";
    constexpr std::string_view kTo = "\"\\/\b\f\n\r\t";
    if (const std::size_t i = kFrom.find(c); i != std::string_view::npos) {
      out += kTo[i];
      return true;
    }
    if (c != 'u') return false;
    std::optional<std::uint32_t> code = hex4();
    if (!code || (*code >= 0xdc00 && *code <= 0xdfff)) return false;
    if (*code >= 0xd800 && *code <= 0xdbff) {
      if (!text_.substr(at_).starts_with("\\u")) return false;
      at_ += 2;
      const std::optional<std::uint32_t> low = hex4();
      if (!low || *low < 0xdc00 || *low > 0xdfff) return false;
      code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
    }
    appendUtf8(out, *code);
    return true;
  }

  /// Pre: a quote comes next.
  std::optional<std::string> string() {
    std::string result;
    ++at_;
    while (at_ < text_.size()) {
      std::size_t end = at_;
      while (end < text_.size() && text_[end] != '"' && text_[end] != '\\' &&
             static_cast<unsigned char>(text_[end]) >= 0x20) {
        ++end;
      }
      result += text_.substr(at_, end - at_);
      at_ = end;
      if (at_ == text_.size()) break;
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return result;
      }
      if (c != '\\') return fail("a control character in a string must be escaped");
      ++at_;
      if (!escape(result)) return fail("malformed escape in a string");
    }
    return fail("expected `\"` at the end of a string");
  }

  std::optional<std::string> stringOf(TypeId type) {
    skipSpace();
    if (at_ >= text_.size() || text_[at_] != '"') return expected(type);
    return string();
  }

  /// What text says in full: fromText's reading of timestamps, enums, secrets, quantities.
  std::optional<Value> worded(TypeId type) {
    const std::optional<std::string> text = stringOf(type);
    if (!text) return std::nullopt;
    return worded(type, *text);
  }
  std::optional<Value> worded(TypeId type, std::string_view text) {
    std::string why;
    std::optional<Value> result = fromText(text, type, types_, why);
    if (!result) return fail(why);
    return result;
  }

  std::optional<Value> list(TypeId type) {
    if (!take('[')) return expected(type);
    ListItems items;
    const TypeId element = types_[type].element;
    if (!take(']')) {
      place_.push_back({});
      do {
        place_.back().index = items.size();
        std::optional<Value> item = value(element);
        if (!item) return std::nullopt;
        items.push_back(std::move(*item));
      } while (take(','));
      place_.pop_back();
      if (!take(']')) return fail("expected `,` or `]`");
    }
    return Value::list(std::move(items));
  }

  /// Calls `entry` with each key; it reads the value.
  template <class F>
  bool object(TypeId type, F&& entry) {
    if (!take('{')) {
      expected(type);
      return false;
    }
    if (take('}')) return true;
    do {
      skipSpace();
      if (at_ >= text_.size() || text_[at_] != '"') {
        fail(fmt::format("expected a quoted name, found {}", found()));
        return false;
      }
      std::optional<std::string> key = string();
      if (!key) return false;
      if (!take(':')) {
        fail("expected `:`");
        return false;
      }
      place_.push_back({*key, 0});
      if (!entry(std::move(*key))) return false;
      place_.pop_back();
    } while (take(','));
    if (take('}')) return true;
    fail("expected `,` or `}`");
    return false;
  }

  std::optional<Value> map(TypeId type) {
    NamedItems entries;
    const TypeId element = types_[type].element;
    const bool ok = object(type, [&](std::string key) {
      std::optional<Value> item = value(element);
      if (!item) return false;
      entries.emplace_back(std::move(key), std::move(*item));
      return true;
    });
    if (!ok) return std::nullopt;
    const std::size_t count = entries.size();
    Value result = Value::map(std::move(entries));
    if (result.named().size() != count) return fail("a key is given twice");
    return result;
  }

  std::optional<Value> record(TypeId type) {
    const std::vector<TypeField>& fields = types_[type].fields;
    std::vector<std::optional<Value>> values(fields.size());
    const bool ok = object(type, [&](const std::string& key) {
      const std::optional<std::size_t> index = types_.fieldIndex(type, key);
      if (!index) {
        fail(fmt::format("`{}` has no field `{}`", types_.print(type), key));
        return false;
      }
      if (values[*index]) {
        fail(fmt::format("field `{}` is given twice", key));
        return false;
      }
      values[*index] = value(fields[*index].type);
      return values[*index].has_value();
    });
    if (!ok) return std::nullopt;
    NamedItems items;
    items.reserve(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (!values[i] && types_.kind(fields[i].type) != TypeKind::Optional) {
        return fail(fmt::format("`{}` lacks field `{}`", types_.print(type), fields[i].name));
      }
      items.emplace_back(fields[i].name, values[i] ? std::move(*values[i]) : Value());
    }
    return Value::record(std::move(items));
  }

  std::optional<Value> value(TypeId type) {
    if (depth_ == kMaxDepth) return fail("nested more than 256 deep");
    ++depth_;
    std::optional<Value> result = valueOf(type);
    --depth_;
    return result;
  }

  std::optional<Value> valueOf(TypeId type) {
    const bool quoted = (skipSpace(), at_ < text_.size() && text_[at_] == '"');
    switch (types_.kind(type)) {
      case TypeKind::None:
        if (takeWord("null")) return Value();
        return expected(type);
      case TypeKind::Optional:
        if (takeWord("null")) return Value();
        return value(types_[type].element);
      case TypeKind::Bool:
        if (takeWord("true")) return Value(true);
        if (takeWord("false")) return Value(false);
        return expected(type);
      case TypeKind::Int: {
        const std::optional<std::int64_t> n = integer(type);
        if (!n) return std::nullopt;
        return Value(*n);
      }
      case TypeKind::Float:
        return floating(type);
      case TypeKind::String: {
        std::optional<std::string> text = stringOf(type);
        if (!text) return std::nullopt;
        return Value(std::move(*text));
      }
      case TypeKind::Duration: {
        if (quoted) return worded(type);
        const std::optional<std::int64_t> n = integer(type);
        if (!n) return std::nullopt;
        return Value(Duration{*n});
      }
      case TypeKind::Size: {
        if (quoted) return worded(type);
        const std::optional<std::int64_t> n = integer(type);
        if (!n) return std::nullopt;
        if (*n < 0) return fail("a size is not negative");
        return Value(Size{*n});
      }
      case TypeKind::File:
      case TypeKind::Dir: {
        std::optional<std::string> path = stringOf(type);
        if (!path) return std::nullopt;
        if (path->empty() || path->find('\0') != std::string::npos) return worded(type, *path);
        return Value(FileRef{std::move(*path), {}, types_.kind(type) == TypeKind::Dir});
      }
      case TypeKind::Timestamp:
      case TypeKind::Enum:
      case TypeKind::Secret:
        return worded(type);
      case TypeKind::List:
        return list(type);
      case TypeKind::Map:
        return map(type);
      case TypeKind::Record:
      case TypeKind::Schema:
        return record(type);
      case TypeKind::Table:
      case TypeKind::Error:
        break;
    }
    return fail(fmt::format("a `{}` cannot be given as JSON", types_.print(type)));
  }

  std::string_view text_;
  const TypeTable& types_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::vector<Step> place_;
  std::string error_;
};

}  // namespace

std::string toJson(const Value& value) {
  std::string out;
  writeJson(value, out);
  return out;
}

std::optional<Value> fromJson(std::string_view json, TypeId type, const TypeTable& types,
                              std::string& error) {
  if (const std::optional<std::size_t> bad = findInvalidUtf8(json)) {
    error = fmt::format("not UTF-8 at byte {}", *bad);
    return std::nullopt;
  }
  JsonReader reader(json, types);
  std::optional<Value> result = reader.read(type);
  if (!result) error = reader.error();
  return result;
}

}  // namespace couler::ir

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "ir/value.h"
#include "support/text.h"

namespace couler::ir {

namespace {

constexpr Unit kUnits[] = {
    {"us", false, 1},
    {"ms", false, 1'000},
    {"s", false, 1'000'000},
    {"min", false, 60'000'000},
    {"h", false, 3'600'000'000},
    {"d", false, 86'400'000'000},
    {"B", true, 1},
    {"kB", true, 1'000},
    {"MB", true, 1'000'000},
    {"GB", true, 1'000'000'000},
    {"TB", true, 1'000'000'000'000},
    {"KiB", true, std::int64_t{1} << 10},
    {"MiB", true, std::int64_t{1} << 20},
    {"GiB", true, std::int64_t{1} << 30},
    {"TiB", true, std::int64_t{1} << 40},
};

std::string quantityText(std::int64_t amount, bool isSize) {
  const Unit* best = findUnit(isSize ? "B" : (amount == 0 ? "s" : "us"));
  if (amount != 0) {
    for (const Unit& unit : kUnits) {
      if (unit.isSize == isSize && amount % unit.factor == 0 && unit.factor > best->factor) {
        best = &unit;
      }
    }
  }
  return fmt::format("{} {}", amount / best->factor, best->name);
}

std::optional<std::int64_t> parseInt(std::string_view text) {
  std::string digits;  // without the `_` that may stand between digits
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto isDigit = [&](std::size_t k) {
      return k < text.size() && text[k] >= '0' && text[k] <= '9';
    };
    if (text[i] == '_' && i > 0 && isDigit(i - 1) && isDigit(i + 1)) continue;
    digits += text[i];
  }
  std::string_view rest = digits;
  if (rest.starts_with('+') && !rest.starts_with("+-")) rest.remove_prefix(1);
  std::int64_t result = 0;
  const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), result);
  if (status != std::errc{} || end != rest.data() + rest.size()) return std::nullopt;
  return result;
}

std::optional<double> parseFloat(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double result = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return result;
}

std::optional<std::int64_t> parseQuantity(std::string_view text, bool isSize) {
  const std::size_t split = text.find_last_of("0123456789.");
  if (split == std::string_view::npos) return std::nullopt;
  std::string_view unitName = text.substr(split + 1);
  while (unitName.starts_with(' ')) unitName.remove_prefix(1);
  const Unit* unit = findUnit(unitName);
  if (unit == nullptr || unit->isSize != isSize) return std::nullopt;
  const std::string_view number = text.substr(0, split + 1);
  std::int64_t result = 0;
  if (const std::optional<std::int64_t> whole = parseInt(number)) {
    if (__builtin_mul_overflow(*whole, unit->factor, &result)) return std::nullopt;
    return result;
  }
  const std::optional<double> real = parseFloat(number);
  if (!real) return std::nullopt;
  const double scaled = std::round(*real * static_cast<double>(unit->factor));
  if (!(std::abs(scaled) < 9.2e18)) return std::nullopt;
  return static_cast<std::int64_t>(scaled);
}

/// Exactly `count` digits at the front.
bool takeDigits(std::string_view& text, std::size_t count, int& into) {
  if (text.size() < count) return false;
  into = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    into = into * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool takeChar(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

void writeSourceString(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (const char letter = escapeLetter(c); letter != 0) {
      out += '\\';
      out += letter;
    } else if (c == '{' || c == '}') {
      out += '\\';
      out += c;
    } else if (c == '\0') {
      out += "\\0";
    } else if (isControl(c)) {
      out += fmt::format("\\u{{{:X}}}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

void writeCall(std::string_view name, std::string_view argument, std::string& out) {
  out += name;
  out += '(';
  writeSourceString(argument, out);
  out += ')';
}

void writeSource(const Value& value, std::string& out) {
  if (value.isNone()) {
    out += "none";
  } else if (const std::string* text = value.as<std::string>()) {
    writeSourceString(*text, out);
  } else if (const std::int64_t* n = value.as<std::int64_t>();
             n != nullptr && *n == std::numeric_limits<std::int64_t>::min()) {
    out += "(-9223372036854775807 - 1)";  // the literal alone, before its minus, does not fit
  } else if (const double* x = value.as<double>(); x != nullptr && !std::isfinite(*x)) {
    writeCall("float", floatText(*x), out);
  } else if (const Timestamp* t = value.as<Timestamp>()) {
    writeCall("timestamp", timestampText(*t), out);
  } else if (const FileRef* f = value.as<FileRef>()) {
    writeCall(f->isDir ? "dir" : "file", f->path, out);
  } else if (const SecretRef* s = value.as<SecretRef>()) {
    writeSourceString(s->source, out);
  } else if (value.as<ListValue>() != nullptr) {
    out += '[';
    bool first = true;
    for (const Value& item : value.items()) {
      if (!std::exchange(first, false)) out += ", ";
      writeSource(item, out);
    }
    out += ']';
  } else if (value.as<MapValue>() != nullptr) {
    out += '[';
    bool first = true;
    for (const auto& [key, item] : value.named()) {
      if (!std::exchange(first, false)) out += ", ";
      writeSourceString(key, out);
      out += ": ";
      writeSource(item, out);
    }
    out += first ? ":]" : "]";
  } else if (value.as<RecordValue>() != nullptr) {
    out += '(';
    bool first = true;
    for (const auto& [name, item] : value.named()) {
      if (!std::exchange(first, false)) out += ", ";
      out += name;
      out += ": ";
      writeSource(item, out);
    }
    out += ')';
  } else {
    out += toText(value);  // bool, int, float, duration, size, enum case: texts are source
  }
}

std::optional<Value> enumCase(std::string_view text, const Type& type, std::string& error) {
  const auto it = std::find(type.cases.begin(), type.cases.end(), text);
  if (it != type.cases.end()) return Value(EnumCase{*it});
  error = fmt::format("`{}` is no case of `{}`", text, type.name);
  const std::vector<std::string_view> cases(type.cases.begin(), type.cases.end());
  if (const std::optional<std::string> near = nearest(text, cases)) {
    error += fmt::format("; did you mean `{}`?", *near);
  } else {
    error += fmt::format("; it has {}", fmt::join(type.cases, ", "));
  }
  return std::nullopt;
}

}  // namespace

std::span<const Unit> unitTable() { return kUnits; }

const Unit* findUnit(std::string_view name) {
  const auto it = std::find_if(std::begin(kUnits), std::end(kUnits),
                               [&](const Unit& unit) { return unit.name == name; });
  return it == std::end(kUnits) ? nullptr : it;
}

std::string floatText(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[32];
  const auto [end, status] = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string durationText(Duration value) { return quantityText(value.micros, false); }

std::string sizeText(Size value) { return quantityText(value.bytes, true); }

std::string timestampText(Timestamp value) {
  using namespace std::chrono;
  const sys_time<microseconds> time{microseconds{value.micros}};
  const sys_days midnight = floor<days>(time);
  const year_month_day date{midnight};
  const hh_mm_ss clock{time - midnight};
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (const auto fraction = clock.subseconds().count(); fraction != 0) {
    std::string digits = fmt::format("{:06}", fraction);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text + "Z";
}

std::optional<Timestamp> parseTimestamp(std::string_view text) {
  using namespace std::chrono;
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  if (!takeDigits(text, 4, y) || !takeChar(text, '-') || !takeDigits(text, 2, mo) ||
      !takeChar(text, '-') || !takeDigits(text, 2, d)) {
    return std::nullopt;
  }
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)},
                            day{static_cast<unsigned>(d)}};
  if (y == 0 || !date.ok()) return std::nullopt;
  std::int64_t micros = duration_cast<microseconds>(sys_days{date}.time_since_epoch()).count();
  if (text.empty()) return Timestamp{micros};
  if (!takeChar(text, 'T') && !takeChar(text, 't') && !takeChar(text, ' ')) return std::nullopt;
  if (!takeDigits(text, 2, h) || !takeChar(text, ':') || !takeDigits(text, 2, mi) ||
      !takeChar(text, ':') || !takeDigits(text, 2, s) || h > 23 || mi > 59 || s > 59) {
    return std::nullopt;
  }
  micros += ((h * 60 + mi) * 60 + s) * std::int64_t{1'000'000};
  if (takeChar(text, '.')) {
    std::int64_t place = 100'000;
    std::size_t digits = 0;
    for (int digit = 0; takeDigits(text, 1, digit); place /= 10) {
      if (++digits > 6) return std::nullopt;
      micros += digit * place;
    }
    if (digits == 0) return std::nullopt;
  }
  if (takeChar(text, 'Z') || takeChar(text, 'z')) {
    if (!text.empty()) return std::nullopt;
    return Timestamp{micros};
  }
  const bool east = text.starts_with('+');
  if (!takeChar(text, '+') && !takeChar(text, '-')) return std::nullopt;
  if (!takeDigits(text, 2, h) || !takeChar(text, ':') || !takeDigits(text, 2, mi) || h > 23 ||
      mi > 59 || !text.empty()) {
    return std::nullopt;
  }
  const std::int64_t offset = (h * 60 + mi) * std::int64_t{60'000'000};
  micros += east ? -offset : offset;
  // An offset may lead out of the years that the text form has.
  const year_month_day moved{floor<days>(sys_time<microseconds>{microseconds{micros}})};
  if (static_cast<int>(moved.year()) < 1 || static_cast<int>(moved.year()) > 9999) {
    return std::nullopt;
  }
  return Timestamp{micros};
}

std::string toText(const Value& value) {
  if (value.isNone()) return {};
  if (const bool* b = value.as<bool>()) return *b ? "true" : "false";
  if (const std::int64_t* n = value.as<std::int64_t>()) return fmt::format("{}", *n);
  if (const double* x = value.as<double>()) return floatText(*x);
  if (const std::string* text = value.as<std::string>()) return *text;
  if (const Duration* d = value.as<Duration>()) return durationText(*d);
  if (const Size* s = value.as<Size>()) return sizeText(*s);
  if (const Timestamp* t = value.as<Timestamp>()) return timestampText(*t);
  if (const EnumCase* e = value.as<EnumCase>()) return e->name;
  if (const FileRef* f = value.as<FileRef>()) return f->path;
  if (const SecretRef* s = value.as<SecretRef>()) return s->source;
  return toJson(value);
}

std::string toSource(const Value& value) {
  std::string out;
  writeSource(value, out);
  return out;
}

std::optional<Value> fromText(std::string_view text, TypeId type, const TypeTable& types,
                              std::string& error) {
  const auto expected = [&](std::string_view like) -> std::optional<Value> {
    error = fmt::format("expected `{}`, such as `{}`, found `{}`", types.print(type), like, text);
    return std::nullopt;
  };
  if (const std::optional<std::size_t> bad = findInvalidUtf8(text)) {
    error = fmt::format("not UTF-8 at byte {}", *bad);
    return std::nullopt;
  }
  switch (types.kind(type)) {
    case TypeKind::None:
      if (text == "none") return Value();
      return expected("none");
    case TypeKind::Optional:
      if (text == "none") return Value();
      return fromText(text, types[type].element, types, error);
    case TypeKind::Bool:
      if (text == "true") return Value(true);
      if (text == "false") return Value(false);
      return expected("true");
    case TypeKind::Int:
      if (const std::optional<std::int64_t> n = parseInt(text)) return Value(*n);
      return expected("16");
    case TypeKind::Float:
      if (const std::optional<std::int64_t> n = parseInt(text)) {
        if (*n != 0) return Value(static_cast<double>(*n));
      }
      if (const std::optional<double> x = parseFloat(text)) return Value(*x);
      return expected("0.5");
    case TypeKind::String:
      return Value(std::string(text));
    case TypeKind::Duration:
      if (const auto micros = parseQuantity(text, false)) return Value(Duration{*micros});
      return expected("30 min");
    case TypeKind::Size:
      if (const auto bytes = parseQuantity(text, true); bytes && *bytes >= 0) {
        return Value(Size{*bytes});
      }
      return expected("4 GiB");
    case TypeKind::Timestamp:
      if (const std::optional<Timestamp> t = parseTimestamp(text)) return Value(*t);
      return expected("2024-05-01T12:00:00Z");
    case TypeKind::Secret:
      if ((text.starts_with("env:") && text.size() > 4) ||
          (text.starts_with("file:") && text.size() > 5)) {
        return Value(SecretRef{std::string(text)});
      }
      // The text may be the secret itself, so it is not shown.
      error = "expected a secret as `env:NAME` or `file:PATH`, never its text";
      return std::nullopt;
    case TypeKind::File:
    case TypeKind::Dir:
      if (text.empty() || text.find('\0') != std::string_view::npos) return expected("data/a.csv");
      return Value(FileRef{std::string(text), {}, types.kind(type) == TypeKind::Dir});
    case TypeKind::Enum:
      return enumCase(text, types[type], error);
    case TypeKind::List:
    case TypeKind::Map:
    case TypeKind::Record:
    case TypeKind::Schema:
      return fromJson(text, type, types, error);
    case TypeKind::Table:
    case TypeKind::Error:
      break;
  }
  error = fmt::format("a `{}` cannot be given as text", types.print(type));
  return std::nullopt;
}

}  // namespace couler::ir

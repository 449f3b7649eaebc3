#include "runtime/column/cells.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

namespace couler::column {

namespace {

const ir::TypeTable& plainTypes() {
  static const ir::TypeTable types;
  return types;
}

bool isAsciiNoCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

template <class T>
CellStatus readQuantity(std::string_view text, ir::TypeId type, std::int64_t T::* member,
                        std::int64_t& out) {
  std::string error;
  const std::optional<ir::Value> value = ir::fromText(text, type, plainTypes(), error);
  if (!value) return CellStatus::NotOfType;
  out = value->as<T>()->*member;
  return CellStatus::Ok;
}

/// Two digits, or something above 99.
unsigned pairAt(const char* p) {
  const auto tens = static_cast<unsigned>(p[0]) - '0';
  const auto ones = static_cast<unsigned>(p[1]) - '0';
  return tens < 10 && ones < 10 ? tens * 10 + ones : 100;
}

/// Digits, perhaps with a sign, a point, an exponent: a number, if one beyond a type's range.
bool looksNumeric(std::string_view text) {
  return !text.empty() && text.find_first_not_of("+-0123456789.eE") == std::string_view::npos &&
         text.find_first_of("0123456789") != std::string_view::npos;
}

}  // namespace

CaseIndex::CaseIndex(const std::vector<std::string>& cases) {
  first_.fill(-1);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string padded = cases[i] + std::string(8, '\0');  // headOf reads 8 bytes
    const std::uint64_t head = headOf(std::string_view(padded).substr(0, cases[i].size()));
    std::int32_t& slot = first_[slotOf(head, cases[i].size())];
    cases_.push_back({head, cases[i], slot});
    slot = static_cast<std::int32_t>(i);
  }
}

bool plainTimestamp(const char* p, std::size_t size, std::int64_t& out) {
  using namespace std::chrono;
  if (size != 10 && size != 19 && size != 20) return false;
  if (p[4] != p[7] || (p[4] != '-' && p[4] != '/')) return false;
  const unsigned century = pairAt(p), rest = pairAt(p + 2), m = pairAt(p + 5), d = pairAt(p + 8);
  if (century > 99 || rest > 99) return false;
  const year_month_day date{year{static_cast<int>(century * 100 + rest)}, month{m}, day{d}};
  if (!date.ok() || century + rest == 0) return false;
  std::int64_t seconds = sys_days{date}.time_since_epoch().count() * std::int64_t{86'400};
  if (size != 10) {
    if (p[10] != 'T' && p[10] != ' ' && p[10] != 't') return false;
    const unsigned h = pairAt(p + 11), min = pairAt(p + 14), s = pairAt(p + 17);
    if (p[13] != ':' || p[16] != ':' || h > 23 || min > 59 || s > 59) return false;
    if (size == 20 && p[19] != 'Z' && p[19] != 'z') return false;
    seconds += (h * 60 + min) * 60 + s;
  }
  out = seconds * 1'000'000;
  return true;
}

CellStatus readBool(std::string_view text, std::uint8_t& out) {
  out = isAsciiNoCase(text, "true") ? 1 : 0;
  return out != 0 || isAsciiNoCase(text, "false") ? CellStatus::Ok : CellStatus::NotOfType;
}

CellStatus readInt(std::string_view text, std::int64_t& out) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (end == text.data() + text.size() && !text.empty()) {
    if (status == std::errc{}) return CellStatus::Ok;
    if (status == std::errc::result_out_of_range) return CellStatus::OutOfRange;
  }
  if (text.empty() || text.find_first_of("_+") == std::string_view::npos) {
    return CellStatus::NotOfType;
  }
  std::string error;
  const std::optional<ir::Value> value =
      ir::fromText(text, ir::TypeTable::kInt, plainTypes(), error);
  if (!value) return CellStatus::NotOfType;
  out = *value->as<std::int64_t>();
  return CellStatus::Ok;
}

CellStatus readFloat(std::string_view text, double& out) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (end == text.data() + text.size() && status == std::errc{}) return CellStatus::Ok;
  std::string error;
  const std::optional<ir::Value> value =
      ir::fromText(text, ir::TypeTable::kFloat, plainTypes(), error);
  if (!value) return looksNumeric(text) ? CellStatus::OutOfRange : CellStatus::NotOfType;
  out = *value->as<double>();
  return CellStatus::Ok;
}

CellStatus readTimestamp(std::string_view text, std::int64_t& out) {
  if (plainTimestamp(text.data(), text.size(), out)) return CellStatus::Ok;
  if (text.size() < 10 || text.size() > 40) return CellStatus::NotOfType;
  std::string spelled(text);
  if (spelled[4] == '/' && spelled[7] == '/') spelled[4] = spelled[7] = '-';
  std::optional<ir::Timestamp> value = ir::parseTimestamp(spelled);
  if (!value) value = ir::parseTimestamp(spelled + "Z");
  if (!value) return CellStatus::NotOfType;
  out = value->micros;
  return CellStatus::Ok;
}

CellStatus readDuration(std::string_view text, std::int64_t& out) {
  return readQuantity(text, ir::TypeTable::kDuration, &ir::Duration::micros, out);
}

CellStatus readSize(std::string_view text, std::int64_t& out) {
  return readQuantity(text, ir::TypeTable::kSize, &ir::Size::bytes, out);
}

bool meansMissing(std::string_view text) {
  return text.empty() || text == "NA" || text == "N/A" || text == "null" || text == "NULL";
}

}  // namespace couler::column

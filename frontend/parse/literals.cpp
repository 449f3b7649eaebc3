#include "frontend/parse/literals.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "support/text.h"

namespace couler::parse {
namespace {

bool isBlank(std::string_view line) {
  return line.find_first_not_of(" \t") == std::string_view::npos;
}

bool isDigit(char c) { return c >= '0' && c <= '9'; }

/// `_` only between digits.
bool wellFormed(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') continue;
    if (i == 0 || i + 1 == text.size() || !isDigit(text[i - 1]) || !isDigit(text[i + 1]))
      return false;
  }
  return true;
}

std::string withoutUnderscores(std::string_view text) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
               [](char c) { return c != '_'; });
  return digits;
}

}  // namespace

std::string dedent(std::string_view inner) {
  std::vector<std::string_view> lines;
  for (std::size_t at = 0;;) {
    const std::size_t end = inner.find('\n', at);
    std::string_view line = inner.substr(at, end == std::string_view::npos ? end : end - at);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  if (lines.size() == 1) return std::string(inner);
  const bool firstDropped = isBlank(lines.front());
  const bool lastDropped = isBlank(lines.back());
  if (lastDropped) lines.back() = {};  // leaves the newline before it

  const std::size_t from = firstDropped ? 1 : 0;
  const std::size_t first = 1;  // text beside the opening quotes has no indentation
  bool any = false;
  std::string_view common;
  for (std::size_t i = first; i < lines.size(); ++i) {
    if (isBlank(lines[i])) continue;
    const std::string_view indent = lines[i].substr(0, lines[i].find_first_not_of(" \t"));
    if (!any) {
      common = indent;
      any = true;
      continue;
    }
    const auto differ = std::mismatch(common.begin(), common.end(), indent.begin(), indent.end());
    common = common.substr(0, static_cast<std::size_t>(differ.first - common.begin()));
  }
  std::string result;
  result.reserve(inner.size());
  for (std::size_t i = from; i < lines.size(); ++i) {
    std::string_view line = lines[i];
    if (i >= first) {
      line = isBlank(line)
                 ? (line.size() > common.size() ? line.substr(common.size()) : std::string_view{})
                 : line.substr(common.size());
    }
    result += line;
    if (i + 1 < lines.size()) result += '\n';
  }
  return result;
}

std::string unescape(std::string_view written, std::uint32_t at, ErrorLog& log) {
  std::string result;
  result.reserve(written.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i] != '\\' || i + 1 == written.size()) {
      result += written[i];
      continue;
    }
    const std::size_t start = i++;
    if (const char c = unescapeLetter(written[i]); c != 0) {
      result += c;
      continue;
    }
    switch (written[i]) {
      case '0':
        result += '\0';
        continue;
      case '{':
      case '}':
        result += written[i];
        continue;
      default:
        break;
    }
    std::size_t end = i + 1;
    if (written[i] == 'u' && end < written.size() && written[end] == '{') {
      const std::size_t close = written.find('}', end);
      if (close != std::string_view::npos) {
        std::uint32_t code = 0;
        const char* first = written.data() + end + 1;
        const char* last = written.data() + close;
        const auto [stop, error] = std::from_chars(first, last, code, 16);
        end = close + 1;
        if (error == std::errc{} && stop == last && first != last && code <= 0x10ffff &&
            (code < 0xd800 || code > 0xdfff)) {
          appendUtf8(result, code);
          i = close;
          continue;
        }
      }
    }
    while (end < written.size() && isUtf8Tail(written[end])) ++end;
    const std::string_view shown = written.substr(start, end - start);
    const auto begin = at + static_cast<std::uint32_t>(start);
    log.report(diagnose<Diag::UnknownEscape>(
                   log.span(begin, begin + static_cast<std::uint32_t>(shown.size())), shown)
                   .note("escapes are \\n \\t \\r \\0 \\\\ \\\" \\{ \\} and \\u{1F600}")
                   .fix("write the backslash as `\\\\`", log.span(begin, begin), "\\"));
    result += shown;
    i = end - 1;
  }
  return result;
}

IntLiteral readInt(std::string_view written) {
  if (!wellFormed(written)) return {std::nullopt, true};
  const std::string digits = withoutUnderscores(written);
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{}) return {};
  return {value, false};
}

std::optional<double> readFloat(std::string_view written) {
  if (!wellFormed(written)) return std::nullopt;
  const std::string digits = withoutUnderscores(written);
  double value = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) {
    // from_chars leaves the value alone; too small is 0, too large is no number of ours
    const std::size_t e = digits.find_first_of("eE");
    const bool small = e != std::string::npos && e + 1 < digits.size() && digits[e + 1] == '-';
    return small ? 0.0 : std::numeric_limits<double>::infinity();
  }
  return value;
}

}  // namespace couler::parse

#include "lsp/protocol/positions.h"

#include <algorithm>

#include "support/text.h"

namespace couler::lsp {
namespace {

/// UTF-16 code units of the code point that begins with this byte.
std::uint32_t unitsOf(char lead) { return static_cast<unsigned char>(lead) >= 0xf0 ? 2 : 1; }

}  // namespace

Lines::Lines(std::string_view text) : starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (text[i] == '\n' || text[i] == '\r') starts_.push_back(static_cast<std::uint32_t>(i + 1));
  }
}

std::uint32_t Lines::offset(std::string_view text, Position at, Encoding encoding) const {
  if (at.line >= starts_.size()) return static_cast<std::uint32_t>(text.size());
  std::size_t i = starts_[at.line];
  std::size_t end = at.line + 1 < starts_.size() ? starts_[at.line + 1] : text.size();
  while (end > i && (text[end - 1] == '\n' || text[end - 1] == '\r')) --end;
  if (encoding == Encoding::Utf8) {
    i = std::min(i + at.character, end);
    while (i > starts_[at.line] && i < end && isUtf8Tail(text[i])) --i;
    return static_cast<std::uint32_t>(i);
  }
  for (std::uint32_t units = 0; i < end;) {
    units += unitsOf(text[i]);
    if (units > at.character) break;
    do ++i;
    while (i < end && isUtf8Tail(text[i]));
  }
  return static_cast<std::uint32_t>(i);
}

Position Lines::position(std::string_view text, std::uint32_t offset, Encoding encoding) const {
  const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
  Position result;
  result.line = static_cast<std::uint32_t>(next - starts_.begin()) - 1;
  const std::uint32_t start = starts_[result.line];
  const std::size_t end = std::min<std::size_t>(offset, text.size());
  if (encoding == Encoding::Utf8) {
    result.character = static_cast<std::uint32_t>(end) - start;
    return result;
  }
  for (std::size_t i = start; i < end; ++i) {
    if (!isUtf8Tail(text[i])) result.character += unitsOf(text[i]);
  }
  return result;
}

}  // namespace couler::lsp

#include <algorithm>

#include "lsp/features/features.h"
#include "lsp/workspace/scan.h"

namespace couler::lsp {

/// The line's indent: four spaces for each bracket that is open where it begins, one level less
/// where it begins with one that closes.
Json onTypeFormatting(std::string_view text, Encoding encoding, const Json& params) {
  constexpr std::uint32_t kIndent = 4;
  const Lines lines(text);
  const Position at = positionIn(params.value("position", Json()));
  if (at.line >= lines.count()) return nullptr;
  const std::uint32_t begin = lines.start(at.line);
  std::uint32_t depth = 0;
  for (const Piece& piece : scan(text, begin)) {
    // Within a text that goes over lines nothing is ours.
    if (piece.kind == Piece::Kind::Raw && piece.open) return Json::array();
    if (piece.kind != Piece::Kind::Mark) continue;
    const char c = text[piece.begin];
    if (c == '{' || c == '(' || c == '[') ++depth;
    if ((c == '}' || c == ')' || c == ']') && depth > 0) --depth;
  }
  std::uint32_t end = begin;
  while (end < text.size() && (text[end] == ' ' || text[end] == '\t')) ++end;
  const bool closes = end < text.size() && (text[end] == '}' || text[end] == ')' || text[end] == ']');
  if (closes && depth > 0) --depth;
  const bool typed = params.value("ch", "") == "}";
  if (typed && !closes) return Json::array();  // it closes what was opened on this line
  const std::string indent(kIndent * depth, ' ');
  if (text.substr(begin, end - begin) == indent) return Json::array();
  const Range range{{at.line, 0}, lines.position(text, end, encoding)};
  return Json::array({{{"range", toJson(range)}, {"newText", indent}}});
}

}  // namespace couler::lsp

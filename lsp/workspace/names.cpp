#include "lsp/workspace/names.h"

#include <optional>

#include "lsp/workspace/scan.h"

namespace couler::lsp {
namespace {

using sema::SymbolKind;

std::optional<SymbolKind> kindOf(std::string_view word) {
  if (word == "enum") return SymbolKind::Enum;
  if (word == "schema") return SymbolKind::Schema;
  if (word == "fn") return SymbolKind::Fn;
  if (word == "task") return SymbolKind::Task;
  if (word == "workflow") return SymbolKind::Workflow;
  if (word == "transform") return SymbolKind::Transform;
  if (word == "labeler") return SymbolKind::Labeler;
  return std::nullopt;
}

/// White space of any kind as one blank.
std::string onOneLine(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank) {
      result += c;
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  while (result.ends_with(' ')) result.pop_back();
  return result;
}

}  // namespace

std::vector<ExportedName> exportedNames(const std::string& path, std::string_view text) {
  std::vector<ExportedName> names;
  std::vector<Piece> pieces = scan(text);
  std::erase_if(pieces, [](const Piece& one) {
    return one.kind == Piece::Kind::Comment || one.kind == Piece::Kind::Doc;
  });
  if (pieces.size() < 2 || pieces[0].in(text) != "couler" || pieces[1].kind != Piece::Kind::Number)
    return names;
  std::size_t depth = 0;
  std::uint32_t head = 0;  // where that of the last one begins, if it has no end yet
  const auto endHead = [&](std::uint32_t end) {
    if (head != 0) names.back().head = onOneLine(text.substr(head, end - head));
    head = 0;
  };
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
    const std::string_view one = pieces[i].in(text);
    if (pieces[i].kind == Piece::Kind::Mark) {
      if (depth == 0 && (one == "{" || one == "=")) endHead(pieces[i].begin);
      if (one == "(" || one == "[" || one == "{") ++depth;
      if ((one == ")" || one == "]" || one == "}") && depth > 0) --depth;
      continue;
    }
    const auto kind = depth == 0 && pieces[i].kind == Piece::Kind::Word ? kindOf(one) : std::nullopt;
    const std::string_view name = pieces[i + 1].in(text);
    if (!kind || pieces[i + 1].kind != Piece::Kind::Word) continue;
    endHead(pieces[i].begin);
    if (name.starts_with('_')) continue;
    names.push_back({path, std::string(name), *kind, ""});
    head = pieces[i].begin;
  }
  endHead(static_cast<std::uint32_t>(text.size()));
  return names;
}

}  // namespace couler::lsp

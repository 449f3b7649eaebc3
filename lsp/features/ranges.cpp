#include <algorithm>

#include "frontend/session_paths.h"
#include "lsp/features/calls.h"
#include "lsp/features/describe.h"
#include "lsp/features/features.h"
#include "lsp/workspace/scan.h"
#include "lsp/workspace/uri.h"

namespace couler::lsp {

using namespace syntax;

Json foldingRange(const View& view, const Json& /*params*/) {
  const Snapshot& snapshot = view.snapshot();
  const std::string_view text = snapshot.text();
  Json result = Json::array();
  const auto fold = [&](std::uint32_t begin, std::uint32_t end, const char* kind, bool keepLast) {
    const Range range = view.range({snapshot.root(), begin, end});
    const std::uint32_t last = range.end.line - (keepLast && range.end.line > 0 ? 1 : 0);
    if (last <= range.start.line) return;
    Json one{{"startLine", range.start.line}, {"endLine", last}};
    if (kind != nullptr) one["kind"] = kind;
    result.push_back(std::move(one));
  };
  std::vector<std::uint32_t> open;
  std::uint32_t comments = 0;
  std::uint32_t commentsEnd = 0;
  const auto endComments = [&] {
    if (commentsEnd > comments) fold(comments, commentsEnd, "comment", false);
    commentsEnd = 0;
  };
  std::uint32_t importsBegin = 0;
  std::uint32_t importsEnd = 0;
  for (const Decl* decl : snapshot.tree(snapshot.root()).decls) {
    if (decl->kind != DeclKind::Import) continue;
    if (importsEnd == 0) importsBegin = decl->span.begin;
    importsEnd = decl->span.end;
  }
  if (importsEnd != 0) fold(importsBegin, importsEnd, "imports", false);
  for (const Piece& piece : scan(text)) {
    const bool comment = piece.kind == Piece::Kind::Comment || piece.kind == Piece::Kind::Doc;
    if (comment) {
      // Lines that follow each other are one.
      const std::string_view between =
          commentsEnd == 0 ? "" : text.substr(commentsEnd, piece.begin - commentsEnd);
      if (commentsEnd == 0 || std::count(between.begin(), between.end(), '\n') > 1) {
        endComments();
        comments = piece.begin;
      }
      commentsEnd = piece.end;
      continue;
    }
    endComments();
    if (piece.kind == Piece::Kind::Raw) fold(piece.begin, piece.end, nullptr, true);
    if (piece.kind != Piece::Kind::Mark) continue;
    const char c = text[piece.begin];
    if (c == '{' || c == '(' || c == '[') {
      open.push_back(piece.begin);
    } else if ((c == '}' || c == ')' || c == ']') && !open.empty()) {
      fold(open.back(), piece.end, nullptr, true);
      open.pop_back();
    }
  }
  endComments();
  return result;
}

Json selectionRange(const View& view, const Json& params) {
  const Snapshot& snapshot = view.snapshot();
  Json result = Json::array();
  const auto positions = params.find("positions");
  if (positions == params.end() || !positions->is_array()) return result;
  for (const Json& position : *positions) {
    const std::uint32_t offset = view.offset(positionIn(position));
    std::vector<Span> spans{{snapshot.root(), 0, static_cast<std::uint32_t>(snapshot.text().size())}};
    if (const Decl* decl = declAt(snapshot, offset)) spans.push_back(decl->span);
    forEachExpr(snapshot.tree(snapshot.root()), [&](const Expr& e) {
      if (e.span.begin <= offset && offset <= e.span.end) spans.push_back(e.span);
    });
    if (const Occurrence* name = snapshot.at(snapshot.root(), offset)) spans.push_back(name->span);
    std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
      return a.size() != b.size() ? a.size() > b.size() : a.begin < b.begin;
    });
    Json chain;
    Span last;
    for (const Span& span : spans) {
      const bool within = !last.valid() || (span.begin >= last.begin && span.end <= last.end);
      if (!within || (last.valid() && span == last)) continue;
      Json next{{"range", toJson(view.range(span))}};
      if (!chain.is_null()) next["parent"] = std::move(chain);
      chain = std::move(next);
      last = span;
    }
    result.push_back(std::move(chain));
  }
  return result;
}

Json documentLink(const View& view, const Json& /*params*/) {
  const Snapshot& snapshot = view.snapshot();
  const std::string_view own = snapshot.sources().path(snapshot.root());
  Json result = Json::array();
  for (const Decl* decl : snapshot.tree(snapshot.root()).decls) {
    if (decl->kind != DeclKind::Import) continue;
    const auto& import = static_cast<const ImportDecl&>(*decl);
    if (import.isStd || !import.pathSpan.valid()) continue;
    result.push_back({{"range", toJson(view.range(import.pathSpan))},
                      {"target", uriOf(joinPath(own, import.path))}});
  }
  return result;
}

}  // namespace couler::lsp

#include <algorithm>

#include "frontend/sema/walk.h"
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

Json inlayHint(const View& view, const Json& params) {
  const Snapshot& snapshot = view.snapshot();
  std::uint32_t from = 0;
  std::uint32_t to = static_cast<std::uint32_t>(snapshot.text().size());
  if (const auto range = params.find("range"); range != params.end() && range->is_object()) {
    from = view.offset(positionIn(range->value("start", Json())));
    to = view.offset(positionIn(range->value("end", Json())));
  }
  Json result = Json::array();
  const sema::Program& program = snapshot.program();
  const sema::FileInfo& info = program.files[snapshot.root().index()];
  // Types of `let`s that say none.
  for (const Occurrence& name : snapshot.occurrences(snapshot.root())) {
    if (!name.declares || name.span.end < from || name.span.begin > to) continue;
    const sema::Symbol& symbol = program.at(name.symbol);
    const bool wanted = symbol.kind == sema::SymbolKind::Local ||
                        symbol.kind == sema::SymbolKind::LoopVariable ||
                        (symbol.kind == sema::SymbolKind::Column && symbol.decl != nullptr &&
                         symbol.decl->kind == DeclKind::Transform);
    if (!wanted || !symbol.type.valid() || program.types.kind(symbol.type) == ir::TypeKind::Error)
      continue;
    if (view.snapshot().text().substr(name.span.end).starts_with(":")) continue;
    std::string type = program.types.print(symbol.type);
    if (type.size() > 60) type = type.substr(0, type.find_last_of(',', 57)) + ", …)";
    result.push_back({{"position", toJson(view.range(name.span).end)},
                      {"label", ": " + type},
                      {"kind", 1},
                      {"paddingLeft", false}});
  }
  // Names of arguments given by place, of calls with more than one.
  forEachExpr(snapshot.tree(snapshot.root()), [&](const Expr& e) {
    if (e.kind != ExprKind::Call || e.span.end < from || e.span.begin > to) return;
    const auto& call = static_cast<const CallExpr&>(e);
    const auto binding = info.calls.find(e.id);
    if (binding == info.calls.end() || !binding->second.callee.valid() || call.args.size() < 2) return;
    const sema::Signature* signature = program.at(binding->second.callee).signature;
    if (signature == nullptr) return;
    const std::vector<std::int32_t>& argument = binding->second.argument;
    for (std::size_t i = 0; i < argument.size() && i < signature->params.size(); ++i) {
      if (argument[i] < 0 || static_cast<std::size_t>(argument[i]) >= call.args.size()) continue;
      const Argument& arg = call.args[static_cast<std::size_t>(argument[i])];
      if (!arg.name.text.empty() || arg.spread || arg.value == nullptr) continue;
      const bool same = arg.value->kind == ExprKind::Name &&
                        static_cast<const NameExpr*>(arg.value)->name.text == signature->params[i].name;
      if (same) continue;
      result.push_back({{"position", toJson(view.range(arg.value->span).start)},
                        {"label", std::string(signature->params[i].name) + ":"},
                        {"kind", 2},
                        {"paddingRight", true}});
    }
  });
  return result;
}

Json codeLens(const View& view, const Json& /*params*/) {
  const Snapshot& snapshot = view.snapshot();
  Json result = Json::array();
  const auto lens = [&](Span at, std::string title, const char* command, Json arguments) {
    result.push_back({{"range", toJson(view.range(at))},
                      {"command",
                       {{"title", std::move(title)},
                        {"command", command},
                        {"arguments", std::move(arguments)}}}});
  };
  const std::string uri = view.uri(snapshot.root());
  for (const Decl* decl : snapshot.tree(snapshot.root()).decls) {
    if (decl->kind == DeclKind::Workflow && !decl->name.text.empty()) {
      lens(decl->name.span, "run", "couler.run", {uri, decl->name.text});
      lens(decl->name.span, "plan", "couler.plan", {uri, decl->name.text});
    } else if (decl->kind == DeclKind::Test) {
      const auto& test = static_cast<const TestDecl&>(*decl);
      lens(test.titleSpan, "run test", "couler.test", {uri, test.title});
    }
  }
  return result;
}

}  // namespace couler::lsp

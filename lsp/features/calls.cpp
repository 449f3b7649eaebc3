#include "lsp/features/calls.h"

#include <algorithm>

#include "frontend/sema/walk.h"
#include "lsp/features/describe.h"
#include "lsp/workspace/scan.h"

namespace couler::lsp {

using namespace syntax;
using sema::SymbolId;

std::optional<OpenCall> openCallAt(std::string_view text, std::uint32_t offset) {
  const std::vector<Piece> pieces = scan(text, offset);
  struct Open {
    char mark;
    std::size_t piece;
    std::size_t commas = 0;
    std::size_t argument;  // the piece before its first
  };
  std::vector<Open> open;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].kind != Piece::Kind::Mark) continue;
    const char c = text[pieces[i].begin];
    if (c == '(' || c == '[' || c == '{') {
      open.push_back({c, i, 0, i});
    } else if (c == ')' || c == ']' || c == '}') {
      if (!open.empty()) open.pop_back();
    } else if (c == ',' && !open.empty()) {
      ++open.back().commas;
      open.back().argument = i;
    }
  }
  // A list, record or block around the place is within an argument of the call.
  while (!open.empty() && open.back().mark != '(') {
    if (open.back().mark == '{') return std::nullopt;
    open.pop_back();
  }
  if (open.empty() || open.back().piece == 0) return std::nullopt;
  const Open& found = open.back();
  std::size_t before = found.piece - 1;
  if (pieces[before].kind != Piece::Kind::Word || pieces[before].end != pieces[found.piece].begin) {
    return std::nullopt;
  }
  OpenCall call;
  call.open = pieces[found.piece].begin;
  std::uint32_t begin = pieces[before].begin;
  if (before >= 2 && pieces[before - 1].in(text) == "." &&
      pieces[before - 2].kind == Piece::Kind::Word && pieces[before - 2].end == pieces[before - 1].begin) {
    begin = pieces[before - 2].begin;
    before -= 2;
  }
  call.callee = text.substr(begin, pieces[found.piece].begin - begin);
  // `task name(` declares: its parentheses hold parameters.
  if (before > 0 && pieces[before - 1].kind == Piece::Kind::Word) {
    for (const std::string_view word : {"task", "workflow", "fn", "transform", "labeler"}) {
      if (pieces[before - 1].in(text) == word) return std::nullopt;
    }
  }
  call.argument = found.commas;
  const std::size_t first = found.argument + 1;
  call.atStart = first >= pieces.size() ||
                 (first + 1 == pieces.size() && pieces[first].kind == Piece::Kind::Word &&
                  pieces[first].end == offset);
  if (first + 1 < pieces.size() && pieces[first].kind == Piece::Kind::Word &&
      pieces[first + 1].in(text) == ":") {
    call.name = pieces[first].in(text);
  }
  return call;
}

SymbolId calleeNamed(const Snapshot& snapshot, std::string_view name, std::uint32_t offset) {
  const sema::Program& program = snapshot.program();
  const std::size_t dot = name.find('.');
  const std::string_view head = name.substr(0, dot);
  for (const SymbolId id : visibleAt(snapshot, offset)) {
    const sema::Symbol& symbol = program.at(id);
    if (symbol.name != head && dot == std::string_view::npos) continue;
    if (dot == std::string_view::npos) return id;
    if (symbol.name != head || symbol.kind != sema::SymbolKind::Namespace || !symbol.file.valid())
      continue;
    const auto& names = program.files[symbol.file.index()].names;
    const auto found = names.find(name.substr(dot + 1));
    return found == names.end() ? SymbolId{} : found->second;
  }
  // An imported name under another one.
  const auto& own = program.files[snapshot.root().index()].names;
  const auto found = own.find(head);
  return found == own.end() || dot != std::string_view::npos ? SymbolId{} : found->second;
}

namespace {

class ExprWalk {
 public:
  explicit ExprWalk(const std::function<void(const Expr&)>& visit) : visit_(visit) {}

  void decl(const Decl& decl) {
    switch (decl.kind) {
      case DeclKind::Schema:
        return fields(static_cast<const SchemaDecl&>(decl).columns);
      case DeclKind::Fn:
        fields(static_cast<const FnDecl&>(decl).params);
        return expr(static_cast<const FnDecl&>(decl).body);
      case DeclKind::Task: {
        const auto& task = static_cast<const TaskDecl&>(decl);
        fields(task.params);
        fields(task.outputs);
        for (const Expr* one : {task.image, task.cache, task.runBody}) expr(one);
        settings(task.env);
        return step(task);
      }
      case DeclKind::Workflow:
        fields(static_cast<const WorkflowDecl&>(decl).params);
        return block(static_cast<const WorkflowDecl&>(decl).body);
      case DeclKind::Transform:
        fields(static_cast<const TransformDecl&>(decl).params);
        for (const TransformStmt& stmt : static_cast<const TransformDecl&>(decl).statements) {
          expr(stmt.value);
          for (const TransformKey& key : stmt.keys) expr(key.value);
        }
        return step(static_cast<const TransformDecl&>(decl));
      case DeclKind::Labeler:
        for (const Vote& vote : static_cast<const LabelerDecl&>(decl).votes) expr(vote.when);
        return;
      case DeclKind::Target:
        return settings(static_cast<const TargetDecl&>(decl).settings);
      case DeclKind::Test:
        block(static_cast<const TestDecl&>(decl).body);
        for (const Expr* one : static_cast<const TestDecl&>(decl).expectations) expr(one);
        return;
      default:
        return;
    }
  }

 private:
  void fields(std::span<Field> all) {
    for (const Field& field : all) {
      expr(field.value);
      expr(field.where);
    }
  }
  void step(const StepSettings& of) {
    expr(of.timeout);
    expr(of.retryCount);
    settings(of.resources);
    settings(of.retry);
  }
  void settings(std::span<Setting> all) {
    for (const Setting& setting : all) expr(setting.value);
  }
  void block(const Block* body) {
    sema::forEachInBlock(body, [this](const Expr* e) { expr(e); });
  }
  void expr(const Expr* e) {
    if (e == nullptr) return;
    visit_(*e);
    sema::forEachChild(e, [this](const Expr* child) { expr(child); });
  }

  const std::function<void(const Expr&)>& visit_;
};

}  // namespace

void forEachExpr(const Tree& tree, const std::function<void(const Expr&)>& visit) {
  ExprWalk walk(visit);
  for (const Decl* decl : tree.decls) walk.decl(*decl);
}

const Expr* innermostAt(const Snapshot& snapshot, std::uint32_t offset) {
  const Expr* best = nullptr;
  const Decl* decl = declAt(snapshot, offset);
  if (decl == nullptr) return nullptr;
  const std::function<void(const Expr&)> visit = [&](const Expr& e) {
    if (e.span.begin <= offset && offset <= e.span.end &&
        (best == nullptr || e.span.size() <= best->span.size())) {
      best = &e;
    }
  };
  ExprWalk(visit).decl(*decl);
  return best;
}

}  // namespace couler::lsp

#include "lsp/features/statements.h"

#include "frontend/sema/walk.h"

namespace couler::lsp {

using namespace syntax;

namespace {

/// Blocks directly within an expression, and within what it is made of.
void blocksIn(const Expr* e, const std::function<void(const Block*)>& visit) {
  if (e == nullptr) return;
  const auto some = [&](const Block* block) {
    if (block != nullptr) visit(block);
  };
  switch (e->kind) {
    case ExprKind::If:
      blocksIn(static_cast<const IfExpr*>(e)->condition, visit);
      some(static_cast<const IfExpr*>(e)->then);
      return some(static_cast<const IfExpr*>(e)->otherwise);
    case ExprKind::For:
      blocksIn(static_cast<const ForExpr*>(e)->items, visit);
      return some(static_cast<const ForExpr*>(e)->body);
    case ExprKind::Loop:
      blocksIn(static_cast<const LoopExpr*>(e)->start, visit);
      return some(static_cast<const LoopExpr*>(e)->body);
    default:
      return sema::forEachChild(e, [&](const Expr* child) { blocksIn(child, visit); });
  }
}

void walk(const Block* body, const std::string& around,
          const std::function<void(const StatementAt&)>& visit) {
  if (body == nullptr) return;
  std::size_t number = 0;
  for (const Stmt* stmt : body->statements) {
    ++number;
    const bool named = stmt->kind == StmtKind::Let;
    const std::string own = named ? std::string(static_cast<const LetStmt*>(stmt)->name.text)
                                  : std::to_string(number);
    const StatementAt found{stmt, body, around + "/" + own};
    visit(found);
    const auto inner = [&](const Block* block) { walk(block, found.path, visit); };
    if (stmt->kind == StmtKind::Finally) inner(static_cast<const FinallyStmt*>(stmt)->body);
    blocksIn(valueOf(*stmt), inner);
  }
}

}  // namespace

void forEachStatement(const Block* body, const std::function<void(const StatementAt&)>& visit) {
  walk(body, "", visit);
}

StatementAt statementAt(const Block* body, std::uint32_t at) {
  StatementAt innermost;
  forEachStatement(body, [&](const StatementAt& one) {
    if (one.stmt->span.begin <= at && at < one.stmt->span.end) innermost = one;
  });
  return innermost;
}

const Expr* valueOf(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::Let:
      return static_cast<const LetStmt&>(stmt).value;
    case StmtKind::Expr:
      return static_cast<const ExprStmt&>(stmt).value;
    case StmtKind::Return:
      return static_cast<const ReturnStmt&>(stmt).value;
    case StmtKind::Finally:
      return nullptr;
  }
  return nullptr;
}

}  // namespace couler::lsp

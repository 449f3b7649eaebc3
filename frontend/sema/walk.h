#pragma once

#include <vector>

#include "frontend/syntax/tree.h"

namespace couler::sema {

/// The parts of `a and b and c`, in order: walked without recursion.
[[nodiscard]] std::vector<const syntax::Expr*> conjunctsOf(const syntax::Expr* expr);

/// Calls `visit` with every expression of a block's statements, not with those inside them.
template <class Visit>
void forEachInBlock(const syntax::Block* block, Visit&& visit);

/// Calls `visit` with every expression directly inside `expr`, in source order.
template <class Visit>
void forEachChild(const syntax::Expr* expr, Visit&& visit) {
  using namespace syntax;
  const auto some = [&](const Expr* child) {
    if (child != nullptr) visit(child);
  };
  switch (expr->kind) {
    case ExprKind::Error:
    case ExprKind::Int:
    case ExprKind::Float:
    case ExprKind::Quantity:
    case ExprKind::Bool:
    case ExprKind::None:
    case ExprKind::RawString:
    case ExprKind::Regex:
    case ExprKind::Name:
      return;
    case ExprKind::String:
      for (const StringPart& part : static_cast<const StringExpr*>(expr)->parts) some(part.expr);
      return;
    case ExprKind::Member:
      return some(static_cast<const MemberExpr*>(expr)->object);
    case ExprKind::Index:
      some(static_cast<const IndexExpr*>(expr)->object);
      return some(static_cast<const IndexExpr*>(expr)->index);
    case ExprKind::Call:
      some(static_cast<const CallExpr*>(expr)->callee);
      for (const Argument& arg : static_cast<const CallExpr*>(expr)->args) {
        some(arg.value);
        some(arg.when);
      }
      return;
    case ExprKind::List:
      for (const ListItem& item : static_cast<const ListExpr*>(expr)->items) some(item.value);
      return;
    case ExprKind::Map:
      for (const MapEntry& entry : static_cast<const MapExpr*>(expr)->entries) {
        some(entry.key);
        some(entry.value);
      }
      return;
    case ExprKind::Record:
      for (const Argument& arg : static_cast<const RecordExpr*>(expr)->fields) some(arg.value);
      return;
    case ExprKind::Unary:
      return some(static_cast<const UnaryExpr*>(expr)->operand);
    case ExprKind::Binary:
      some(static_cast<const BinaryExpr*>(expr)->left);
      return some(static_cast<const BinaryExpr*>(expr)->right);
    case ExprKind::If: {
      const auto* node = static_cast<const IfExpr*>(expr);
      some(node->condition);
      forEachInBlock(node->then, visit);
      forEachInBlock(node->otherwise, visit);
      return;
    }
    case ExprKind::For:
      some(static_cast<const ForExpr*>(expr)->items);
      return forEachInBlock(static_cast<const ForExpr*>(expr)->body, visit);
    case ExprKind::Loop: {
      const auto* node = static_cast<const LoopExpr*>(expr);
      some(node->start);
      some(node->max);
      forEachInBlock(node->body, visit);
      return some(node->until);
    }
    case ExprKind::Try:
      return some(static_cast<const TryExpr*>(expr)->operand);
    case ExprKind::After:
      some(static_cast<const AfterExpr*>(expr)->operand);
      for (const Expr* other : static_cast<const AfterExpr*>(expr)->after) some(other);
      return;
    case ExprKind::Tune: {
      const auto* node = static_cast<const TuneExpr*>(expr);
      some(node->call);
      for (const Argument& arg : node->method.settings) some(arg.value);
      for (const Argument& arg : node->prior.settings) some(arg.value);
      return;
    }
  }
}

template <class Visit>
void forEachInBlock(const syntax::Block* block, Visit&& visit) {
  using namespace syntax;
  if (block == nullptr) return;
  for (const Stmt* stmt : block->statements) {
    switch (stmt->kind) {
      case StmtKind::Let:
        if (static_cast<const LetStmt*>(stmt)->value)
          visit(static_cast<const LetStmt*>(stmt)->value);
        break;
      case StmtKind::Expr:
        if (static_cast<const ExprStmt*>(stmt)->value) {
          visit(static_cast<const ExprStmt*>(stmt)->value);
        }
        break;
      case StmtKind::Return:
        if (static_cast<const ReturnStmt*>(stmt)->value) {
          visit(static_cast<const ReturnStmt*>(stmt)->value);
        }
        break;
      case StmtKind::Finally:
        forEachInBlock(static_cast<const FinallyStmt*>(stmt)->body, visit);
        break;
    }
  }
}

}  // namespace couler::sema

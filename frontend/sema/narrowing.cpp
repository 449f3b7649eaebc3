// `if x != none { … }`: inside, x is there.
#include <algorithm>

#include "frontend/sema/checker.h"

namespace couler::sema {

using namespace syntax;

std::optional<Checker::Path> Checker::pathOf(const Expr* expr) const {
  Path path;
  while (expr != nullptr && expr->kind == ExprKind::Member) {
    const auto* member = static_cast<const MemberExpr*>(expr);
    path.members.push_back(member->member.text);
    expr = member->object;
  }
  if (expr == nullptr || expr->kind != ExprKind::Name) return std::nullopt;
  path.base = findLocal(static_cast<const NameExpr*>(expr)->name.text);
  if (!path.base.valid()) return std::nullopt;
  std::reverse(path.members.begin(), path.members.end());
  return path;
}

void Checker::addFacts(const Expr* condition, bool truth) {
  while (condition != nullptr) {
    if (condition->kind == ExprKind::Unary) {
      const auto* node = static_cast<const UnaryExpr*>(condition);
      if (node->op != UnaryOp::Not) return;
      condition = node->operand;
      truth = !truth;
      continue;
    }
    if (condition->kind != ExprKind::Binary) return;
    const auto* node = static_cast<const BinaryExpr*>(condition);
    if (node->op == (truth ? BinaryOp::And : BinaryOp::Or)) {
      // Chains lean to the left, so that is the way to go without recursion.
      addFacts(node->right, truth);
      condition = node->left;
      continue;
    }
    if (node->op != (truth ? BinaryOp::NotEqual : BinaryOp::Equal)) return;
    const bool noneRight = node->right != nullptr && node->right->kind == ExprKind::None;
    const bool noneLeft = node->left != nullptr && node->left->kind == ExprKind::None;
    if (noneRight == noneLeft) return;
    if (auto path = pathOf(noneRight ? node->left : node->right))
      facts_.push_back(std::move(*path));
    return;
  }
}

TypeId Checker::narrowed(const Expr& expr, TypeId type) const {
  if (facts_.empty() || types().kind(type) != ir::TypeKind::Optional) return type;
  const std::optional<Path> path = pathOf(&expr);
  if (!path || std::find(facts_.begin(), facts_.end(), *path) == facts_.end()) return type;
  return types()[type].element;
}

}  // namespace couler::sema

// Other ways to say the same: `for` and lists, `if` and `??`.
#include <algorithm>

#include <fmt/format.h>

#include "frontend/sema/walk.h"
#include "lsp/features/calls.h"
#include "lsp/features/refactor.h"

namespace couler::lsp {

using namespace syntax;

namespace {

constexpr const char* kRewrite = "refactor.rewrite";
constexpr std::size_t kMostItems = 16;

/// What a block gives, where it does nothing else.
const Expr* onlyValue(const Block* block) {
  if (block == nullptr || block->statements.size() != 1) return nullptr;
  const Stmt* stmt = block->statements.front();
  return stmt->kind == StmtKind::Expr ? static_cast<const ExprStmt*>(stmt)->value : nullptr;
}

/// `x != none`: the name.
const NameExpr* comparedWithNone(const Expr* e, BinaryOp op) {
  if (e == nullptr || e->kind != ExprKind::Binary) return nullptr;
  const auto& binary = static_cast<const BinaryExpr&>(*e);
  const bool right = binary.op == op && binary.right->kind == ExprKind::None &&
                     binary.left->kind == ExprKind::Name;
  return right ? static_cast<const NameExpr*>(binary.left) : nullptr;
}

}  // namespace

/// Of the innermost expression whose first word or bracket the place is in.
void Refactoring::convert() {
  const Expr* found = nullptr;
  forEachExpr(snapshot_.tree(snapshot_.root()), [&](const Expr& e) {
    std::uint32_t head = e.span.begin;
    switch (e.kind) {
      case ExprKind::If:
        head += 2;
        break;
      case ExprKind::For:
        head += 3;
        break;
      case ExprKind::List:
        head += 1;
        break;
      case ExprKind::Binary:
        if (static_cast<const BinaryExpr&>(e).op != BinaryOp::Coalesce) return;
        head = static_cast<const BinaryExpr&>(e).opSpan.end;
        break;
      default:
        return;
    }
    const bool whole = from_ == e.span.begin && to_ == e.span.end;
    if (whole || (e.span.begin <= from_ && to_ <= head)) found = &e;
  });
  if (found == nullptr || decl_->kind != DeclKind::Workflow) return;
  switch (found->kind) {
    case ExprKind::If:
      turnRound(static_cast<const IfExpr&>(*found));
      return ifToDefault(static_cast<const IfExpr&>(*found));
    case ExprKind::For:
      return forToList(static_cast<const ForExpr&>(*found));
    case ExprKind::List:
      return listToFor(static_cast<const ListExpr&>(*found));
    default:
      return defaultToIf(static_cast<const BinaryExpr&>(*found));
  }
}

/// `if a { x } else { y }` to `if not a { y } else { x }`.
void Refactoring::turnRound(const IfExpr& e) {
  if (e.otherwise == nullptr || !source(e.otherwise->span).starts_with("{")) return;
  std::string condition;
  const auto* binary =
      e.condition->kind == ExprKind::Binary ? static_cast<const BinaryExpr*>(e.condition) : nullptr;
  const auto* unary =
      e.condition->kind == ExprKind::Unary ? static_cast<const UnaryExpr*>(e.condition) : nullptr;
  if (binary != nullptr && (binary->op == BinaryOp::Equal || binary->op == BinaryOp::NotEqual)) {
    condition = fmt::format("{} {} {}", source(binary->left->span),
                            binary->op == BinaryOp::Equal ? "!=" : "==", source(binary->right->span));
  } else if (unary != nullptr && unary->op == UnaryOp::Not) {
    condition = source(unary->operand->span);
  } else {
    condition = "not " + operand(*e.condition);
  }
  addChecked("turn the `if` round", kRewrite,
             {{e.condition->span, condition},
              {e.then->span, std::string(source(e.otherwise->span))},
              {e.otherwise->span, std::string(source(e.then->span))}});
}

/// `if x != none { x } else { y }` to `x ?? y`.
void Refactoring::ifToDefault(const IfExpr& e) {
  const bool there = comparedWithNone(e.condition, BinaryOp::NotEqual) != nullptr;
  const NameExpr* name =
      comparedWithNone(e.condition, there ? BinaryOp::NotEqual : BinaryOp::Equal);
  const Expr* value = onlyValue(there ? e.then : e.otherwise);
  const Expr* other = onlyValue(there ? e.otherwise : e.then);
  if (name == nullptr || value == nullptr || other == nullptr || hasSteps(*other) ||
      source(value->span) != name->name.text) {
    return;
  }
  addChecked("convert the `if` to `??`", kRewrite,
             {{e.span, fmt::format("{} ?? {}", name->name.text, operand(*other))}});
}

void Refactoring::defaultToIf(const BinaryExpr& e) {
  if (e.left->kind != ExprKind::Name) return;
  const std::string_view name = source(e.left->span);
  addChecked("convert `??` to an `if`", kRewrite,
             {{e.span, fmt::format("if {} != none {{ {} }} else {{ {} }}", name, name,
                                   source(e.right->span))}});
}

/// `for x in [1, 2] { f(x) }` to `[f(1), f(2)]`.
void Refactoring::forToList(const ForExpr& e) {
  const Expr* value = onlyValue(e.body);
  if (value == nullptr || e.items == nullptr || e.items->kind != ExprKind::List) return;
  const auto& list = static_cast<const ListExpr&>(*e.items);
  if (list.items.empty() || list.items.size() > kMostItems) return;
  std::vector<Span> uses;  // of the variable, within the value
  for (const Occurrence& one : snapshot_.occurrences(snapshot_.root())) {
    const sema::Symbol& symbol = program_.at(one.symbol);
    const bool variable = symbol.declared.valid() && symbol.declared == e.variable.span;
    if (!variable || one.declares) continue;
    uses.push_back({snapshot_.root(), one.span.begin - value->span.begin,
                    one.span.end - value->span.begin});
  }
  std::string made;
  for (const ListItem& item : list.items) {
    if (item.spread || hasSteps(*item.value)) return;
    std::vector<Edit> edits;
    for (const Span& use : uses) edits.push_back({use, operand(*item.value)});
    made += (made.empty() ? "" : ", ") + edited(source(value->span), std::move(edits));
  }
  addChecked("convert the `for` to a list", kRewrite, {{e.span, fmt::format("[{}]", made)}});
}

/// `[f(1, a), f(2, a)]` to `for x in [1, 2] { f(x, a) }`.
void Refactoring::listToFor(const ListExpr& e) {
  if (e.items.size() < 2) return;
  std::vector<const CallExpr*> calls;
  for (const ListItem& item : e.items) {
    if (item.spread || item.value->kind != ExprKind::Call) return;
    calls.push_back(static_cast<const CallExpr*>(item.value));
  }
  const CallExpr& first = *calls.front();
  std::size_t differs = first.args.size();
  for (const CallExpr* call : calls) {
    const bool alike = source(call->callee->span) == source(first.callee->span) &&
                       call->args.size() == first.args.size();
    if (!alike) return;
    for (std::size_t i = 0; i < first.args.size(); ++i) {
      if (call->args[i].name.text != first.args[i].name.text) return;
      if (call->args[i].spread) return;
      if (source(call->args[i].value->span) == source(first.args[i].value->span)) continue;
      if (differs != first.args.size() && differs != i) return;
      differs = i;
    }
  }
  if (differs == first.args.size()) return;
  std::string items;
  for (const CallExpr* call : calls) {
    const Expr& value = *call->args[differs].value;
    if (hasSteps(value)) return;
    items += (items.empty() ? "" : ", ") + std::string(source(value.span));
  }
  const std::string name = freshName("item");
  const Span argument = first.args[differs].value->span;
  const std::uint32_t begin = first.span.begin;
  const std::string body =
      edited(source(first.span), {{{argument.file, argument.begin - begin, argument.end - begin}, name}});
  const std::string indent = indentAt(e.span.begin);
  addChecked("convert the list to a `for`", kRewrite,
             {{e.span, fmt::format("for {} in [{}] {{\n{}    {}\n{}}}", name, items, indent, body,
                                   indent)}});
}

}  // namespace couler::lsp

// Transforms: groups of rows, and joins.
#include <algorithm>

#include "frontend/lower/transform_lowering.h"
#include "frontend/sema/walk.h"

namespace couler::lower {

using namespace syntax;
using ir::RowsOp;

std::vector<Lowerer::TransformLowering::Aggregate> Lowerer::TransformLowering::aggregatesFrom(std::size_t at) const {
  std::vector<Aggregate> found;
  const auto& calls = l_.program_.files[l_.file_.index()].calls;
  const auto visit = [&](std::size_t i, const Expr* root) {
    const TransformStmt& stmt = decl_.statements[i];
    std::vector<const Expr*> open{root};
    while (!open.empty()) {
      const Expr* one = open.back();
      open.pop_back();
      const auto it = one->kind == ExprKind::Call ? calls.find(one->id) : calls.end();
      if (it != calls.end() && it->second.isBuiltin && ir::isAggregate(it->second.builtin)) {
        const bool whole = stmt.kind == TransformKind::Derive && one == stmt.value;
        found.push_back({static_cast<const CallExpr*>(one), whole ? &stmt : nullptr,
                         whole ? std::string(stmt.name.text)
                               : fmt::format("#{}", found.size() + 1),
                         i});
        continue;
      }
      std::vector<const Expr*> children;
      sema::forEachChild(one, [&](const Expr* child) { children.push_back(child); });
      open.insert(open.end(), children.rbegin(), children.rend());
    }
  };
  for (std::size_t i = at; i < decl_.statements.size(); ++i) {
    const TransformStmt& stmt = decl_.statements[i];
    if (stmt.value != nullptr) visit(i, stmt.value);
    for (const TransformKey& key : stmt.keys) {
      if (stmt.kind == TransformKind::OrderBy) visit(i, key.value);
    }
  }
  return found;
}

void Lowerer::TransformLowering::group(std::size_t i) {
  const TransformStmt& stmt = decl_.statements[i];
  const bool hasKeys = stmt.kind == TransformKind::GroupBy;
  const std::vector<Aggregate> aggregates = aggregatesFrom(i);
  const auto& declared = l_.program_.files[l_.file_.index()].declared;
  std::vector<ir::TypeField> fields;
  std::vector<RowSlot> slots;
  const auto body = [&] {
    makeDerived();
    std::vector<NodeId> results;
    for (const TransformKey& key : stmt.keys) {
      const SymbolId symbol = declared.at(&key);
      const std::string name(l_.program_.at(symbol).name);
      results.push_back(l_.lower(*key.value));
      fields.push_back({name, l_.typeOf(results.back())});
      slots.push_back({symbol, {}, name});
      if (key.value->kind != ExprKind::Member) continue;
      const auto& member = static_cast<const MemberExpr&>(*key.value);
      if (member.object->kind == ExprKind::Name) {
        slots.push_back({l_.info(*member.object).symbol, std::string(member.member.text), name});
      }
    }
    for (std::size_t k = 0; k < stmt.keys.size(); ++k) {
      scope_.made.emplace(declared.at(&stmt.keys[k]), results[k]);
    }
    for (const Aggregate& one : aggregates) {
      results.push_back(l_.lowerCall(*one.call));
      fields.push_back({one.field, l_.typeOf(results.back())});
    }
    return results;
  };
  ir::Rows payload;
  payload.op = RowsOp::Group;
  payload.keys = static_cast<std::uint8_t>(hasKeys ? stmt.keys.size() : 0);
  const NodeId node = l_.rowsNode(payload, l_.typeOf(table_), {{table_}}, body, stmt.span);
  scope_.made.clear();
  derived_.clear();
  for (const Aggregate& one : aggregates) {
    if (one.derive != nullptr) {
      slots.push_back({declared.at(one.derive), {}, one.field});
    } else {
      scope_.aggregates[one.call->id] = one.field;
      hidden_.push_back(one);
    }
  }
  scope_.slots = std::move(slots);
  const TypeId made = l_.program_.at(symbol_).type;
  shaped_ = l_.m_.types[made].fields == fields;
  scope_.row = shaped_ ? made : l_.m_.types.record(std::move(fields));
  l_.m_.at(node).type = l_.m_.types.table(scope_.row);
  table_ = node;
}

void Lowerer::TransformLowering::join(const TransformStmt& stmt) {
  const SymbolId other = joined(stmt);
  const NodeId otherTable = l_.values_.at(other);
  const TypeId otherRow = l_.m_.types[l_.typeOf(otherTable)].element;
  ir::Rows payload;
  payload.op = RowsOp::Join;
  payload.join = static_cast<ir::JoinKind>(stmt.join);
  const std::vector<const Expr*> parts = sema::conjunctsOf(stmt.value);
  payload.keys = static_cast<std::uint8_t>(parts.size());
  const bool keepsOther = stmt.join == JoinKind::Inner || stmt.join == JoinKind::Left;
  TypeId row = scope_.row;
  if (keepsOther) {
    std::vector<ir::TypeField> fields = l_.m_.types[scope_.row].fields;
    const std::vector<ir::TypeField> others = l_.m_.types[otherRow].fields;
    for (const ir::TypeField& field : others) {
      fields.push_back({fmt::format("{}.{}", stmt.name.text, field.name),
                        stmt.join == JoinKind::Left ? l_.m_.types.optional(field.type)
                                                    : field.type});
    }
    row = l_.m_.types.record(std::move(fields));
  }
  scope_.other = other;
  table_ = l_.rowsNode(payload, l_.m_.types.table(row), {{table_, otherTable}},
                       [&] { return joinKeys(parts, other); }, stmt.span);
  scope_.other = {};
  scope_.row = row;
  if (!keepsOther) return;
  for (const ir::TypeField& field : l_.m_.types[otherRow].fields) {
    scope_.slots.push_back(
        {other, field.name, fmt::format("{}.{}", stmt.name.text, field.name)});
  }
}

SymbolId Lowerer::TransformLowering::joined(const TransformStmt& stmt) const {
  for (const sema::FieldInfo& param : signature_.params) {
    if (param.name == stmt.name.text) return param.symbol;
  }
  return {};
}

std::vector<NodeId> Lowerer::TransformLowering::joinKeys(const std::vector<const Expr*>& parts, SymbolId other) {
  std::vector<NodeId> left;
  std::vector<NodeId> right;
  for (const Expr* part : parts) {
    const auto& equal = static_cast<const BinaryExpr&>(*part);
    const bool swapped = looksAt(*equal.left, other);
    const Expr& ours = swapped ? *equal.right : *equal.left;
    const Expr& theirs = swapped ? *equal.left : *equal.right;
    const TypeId both = *l_.m_.types.join(plain(l_.info(ours).type), plain(l_.info(theirs).type));
    left.push_back(key(ours, both));
    right.push_back(key(theirs, both));
  }
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

NodeId Lowerer::TransformLowering::key(const Expr& expr, TypeId both) {
  const bool mayBeNone = l_.kind(l_.info(expr).type) == IrKind::Optional;
  return l_.lowerAs(expr, mayBeNone ? l_.m_.types.optional(both) : both);
}

TypeId Lowerer::TransformLowering::plain(TypeId type) const {
  return l_.kind(type) == IrKind::Optional ? l_.m_.types[type].element : type;
}

bool Lowerer::TransformLowering::looksAt(const Expr& expr, SymbolId symbol) const {
  std::vector<const Expr*> open{&expr};
  while (!open.empty()) {
    const Expr* one = open.back();
    open.pop_back();
    if (one->kind == ExprKind::Name && l_.info(*one).symbol == symbol) return true;
    sema::forEachChild(one, [&](const Expr* child) { open.push_back(child); });
  }
  return false;
}

}  // namespace couler::lower

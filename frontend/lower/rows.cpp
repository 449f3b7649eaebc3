// Expressions over rows: columns, and operations lifted over what may be none.
#include <algorithm>

#include "frontend/lower/lowerer.h"

namespace couler::lower {

using namespace syntax;
using ir::Builtin;

NodeId Lowerer::liftedOp(Builtin builtin, TypeId type, std::span<const NodeId> operands,
                         Span span) {
  return m_.add(region_, ir::Op{builtin, true}, type, operands, {}, span);
}

const Lowerer::RowSlot* Lowerer::slotOf(SymbolId symbol, std::string_view column) const {
  if (rows_ == nullptr) return nullptr;
  for (const RowSlot& slot : rows_->slots) {
    if (slot.symbol == symbol && slot.column == column) return &slot;
  }
  return nullptr;
}

NodeId Lowerer::rowField(const RowSlot& slot, Span span) {
  const auto index = m_.types.fieldIndex(rows_->row, slot.field);
  const TypeId type = index ? m_.types[rows_->row].fields[*index].type : ir::TypeTable::kError;
  return m_.add(region_, ir::Field{m_.intern(slot.field)}, type, {{rows_->param}}, {}, span);
}

bool Lowerer::isRowColumn(const Expr& expr) const {
  if (rows_ == nullptr || expr.kind != ExprKind::Member) return false;
  const auto& member = static_cast<const MemberExpr&>(expr);
  if (member.object->kind != ExprKind::Name) return false;
  const SymbolId symbol = info(*member.object).symbol;
  if (!symbol.valid() || rows_->made.contains(symbol)) return false;
  return symbol == rows_->other || slotOf(symbol, member.member.text) != nullptr;
}

NodeId Lowerer::lowerRowColumn(const MemberExpr& expr) {
  const SymbolId symbol = info(*expr.object).symbol;
  NodeId node;
  if (symbol == rows_->other) {
    const TypeId row = typeOf(rows_->otherParam);
    const auto index = m_.types.fieldIndex(row, expr.member.text);
    const TypeId type = index ? m_.types[row].fields[*index].type : ir::TypeTable::kError;
    node = m_.add(region_, ir::Field{m_.intern(expr.member.text)}, type, {{rows_->otherParam}}, {},
                  expr.span);
  } else {
    node = rowField(*slotOf(symbol, expr.member.text), expr.span);
  }
  return unwrapped(node, info(expr).type, expr.span);
}

NodeId Lowerer::lowerRowName(const Expr& expr) {
  const SymbolId symbol = info(expr).symbol;
  if (!symbol.valid()) return {};
  if (const auto it = rows_->made.find(symbol); it != rows_->made.end()) {
    return unwrapped(it->second, info(expr).type, expr.span);
  }
  if (symbol == rows_->other) return rows_->otherParam;
  if (const RowSlot* slot = slotOf(symbol, {})) {
    return unwrapped(rowField(*slot, expr.span), info(expr).type, expr.span);
  }
  const bool isRow = std::any_of(rows_->slots.begin(), rows_->slots.end(),
                                 [&](const RowSlot& slot) { return slot.symbol == symbol; });
  if (!isRow) return {};
  // The row as a whole.
  const TypeId type = info(expr).type;
  if (type == rows_->row) return rows_->param;
  const std::vector<ir::TypeField> fields = m_.types[type].fields;
  std::vector<NodeId> parts;
  for (const ir::TypeField& field : fields) {
    const RowSlot* slot = slotOf(symbol, field.name);
    parts.push_back(slot != nullptr ? rowField(*slot, expr.span)
                                    : constNode(ir::Value(), field.type, expr.span));
  }
  return op(Builtin::MakeRecord, type, parts, expr.span);
}

NodeId Lowerer::lowerWithin(NodeId x, const BinaryExpr& range, Span span) {
  using ir::TypeTable;
  const bool mayBeNone = kind(typeOf(x)) == IrKind::Optional;
  const NodeId low = lowerAs(*range.left, TypeTable::kInt);
  const NodeId high = lowerAs(*range.right, TypeTable::kInt);
  if (!mayBeNone) {
    const NodeId above = op(Builtin::LessEqual, TypeTable::kBool, {{low, x}}, span);
    const NodeId below = op(Builtin::Less, TypeTable::kBool, {{x, high}}, span);
    return op(Builtin::And, TypeTable::kBool, {{above, below}}, span);
  }
  // None is in no range.
  const TypeId maybe = m_.types.optional(TypeTable::kBool);
  const NodeId above = liftedOp(Builtin::LessEqual, maybe, {{low, x}}, span);
  const NodeId below = liftedOp(Builtin::Less, maybe, {{x, high}}, span);
  const NodeId both = liftedOp(Builtin::And, maybe, {{above, below}}, span);
  const NodeId no = constNode(false, TypeTable::kBool, span);
  return op(Builtin::Coalesce, TypeTable::kBool, {{both, no}}, span);
}

/// A fn over rows: none where an argument is none that its parameter does not take.
NodeId Lowerer::lowerLiftedCall(const CallExpr& expr, const sema::CallBinding& binding) {
  using ir::TypeTable;
  const sema::Symbol callee = program_.at(binding.callee);
  const std::vector<sema::FieldInfo>& params = callee.signature->params;
  std::vector<NodeId> operands;
  std::vector<TypeId> wanted;
  NodeId there;
  for (std::size_t i = 0; i < params.size(); ++i) {
    wanted.push_back(paramType(params[i], callee.file));
    if (binding.argument[i] < 0) {
      operands.push_back(m_.add(region_, ir::Const{fallback(params[i], callee.file)},
                                wanted.back(), {}, {}, expr.span));
      continue;
    }
    const Expr& value = *expr.args[static_cast<std::size_t>(binding.argument[i])].value;
    operands.push_back(lower(value));
    const TypeId found = typeOf(operands.back());
    if (kind(found) != IrKind::Optional || m_.types.accepts(wanted.back(), found)) continue;
    const NodeId none = constNode(ir::Value(), found, value.span);
    const NodeId one =
        op(Builtin::NotEqual, TypeTable::kBool, {{operands.back(), none}}, value.span);
    there = there.valid() ? op(Builtin::And, TypeTable::kBool, {{there, one}}, value.span) : one;
  }
  const NodeId node = m_.add(region_, ir::If{}, info(expr).type, {{there}}, {}, expr.span);
  ir::If payload;
  payload.then = m_.addRegion(node);
  inRegion(payload.then, [&] {
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (!m_.types.accepts(wanted[i], typeOf(operands[i]))) {
        operands[i] = unwrapped(operands[i], m_.types[typeOf(operands[i])].element, expr.span);
      }
      operands[i] = convert(operands[i], wanted[i], expr.span);
    }
    const NodeId call = m_.add(region_, ir::Call{requireFunc(binding.callee)},
                               callee.signature->result, operands, {}, expr.span);
    m_.at(payload.then).results = {call};
  });
  payload.otherwise = m_.addRegion(node);
  inRegion(payload.otherwise, [&] {
    const NodeId none = constNode(ir::Value(), info(expr).type, expr.span);
    m_.at(payload.otherwise).results = {none};
  });
  m_.at(node).payload = payload;
  m_.updateAttributes(node);
  return node;
}

}  // namespace couler::lower

// Names, literals, operators, members.
#include <algorithm>

#include "frontend/lower/lowerer.h"

namespace couler::lower {

using namespace syntax;
using ir::Builtin;

NodeId Lowerer::op(Builtin builtin, TypeId type, std::span<const NodeId> operands, Span span) {
  return m_.add(region_, ir::Op{builtin}, type, operands, {}, span);
}

NodeId Lowerer::constNode(ir::Value value, TypeId type, Span span) {
  return m_.addConst(region_, std::move(value), type, span);
}

NodeId Lowerer::emptyRecord(Span span) {
  return op(Builtin::MakeRecord, m_.types.record({}), {}, span);
}

namespace {

bool isLiteral(const Expr& expr) { return expr.kind <= ExprKind::None; }

}  // namespace

NodeId Lowerer::lowerAs(const Expr& expr, TypeId want) {
  return convert(lower(expr), want, expr.span, isLiteral(expr));
}

NodeId Lowerer::convert(NodeId node, TypeId to, Span span, bool fresh) {
  const TypeId from = typeOf(node);
  if (!to.valid() || to == from) return node;
  if (from == ir::TypeTable::kNone) {
    if (m_.constant(node) == nullptr) return node;
    if (!fresh) return constNode(ir::Value(), to, span);
    m_.at(node).type = to;
    return node;
  }
  if (kind(to) == IrKind::Optional) {
    if (kind(from) == IrKind::Optional) {
      const bool widens = m_.types[to].element == ir::TypeTable::kFloat &&
                          m_.types[from].element == ir::TypeTable::kInt;
      return widens ? liftedOp(Builtin::IntToFloat, to, {{node}}, span) : node;
    }
    return convert(node, m_.types[to].element, span, fresh);
  }
  if (kind(to) == IrKind::Table && kind(from) == IrKind::File) return readRows(node, to, span);
  if (kind(to) == IrKind::File && kind(from) == IrKind::Table) return writeRows(node, to, span);
  const ir::Value* value = m_.constant(node);
  if (to == ir::TypeTable::kFloat && value != nullptr && value->as<std::int64_t>() != nullptr) {
    const auto real = static_cast<double>(*value->as<std::int64_t>());
    if (!fresh) return constNode(real, to, span);
    m_.at(node).payload = ir::Const{m_.intern(ir::Value(real))};
    m_.at(node).type = to;
    return node;
  }
  if (to == ir::TypeTable::kFloat && from == ir::TypeTable::kInt) {
    return op(Builtin::IntToFloat, to, {{node}}, span);
  }
  if (kind(to) != IrKind::Record || kind(from) != IrKind::Record || m_.types.accepts(to, from)) {
    return node;
  }
  // Field by field: some field is an int where a float is wanted, or they stand in another order.
  const std::vector<ir::TypeField> fields = m_.types[to].fields;
  std::vector<NodeId> parts;
  for (const ir::TypeField& field : fields) {
    const auto index = m_.types.fieldIndex(from, field.name);
    if (!index) return node;
    const TypeId type = m_.types[from].fields[*index].type;
    const NodeId part = m_.add(region_, ir::Field{m_.intern(field.name)}, type, {{node}}, {}, span);
    parts.push_back(convert(part, field.type, span));
  }
  return op(Builtin::MakeRecord, to, parts, span);
}

/// The checker has seen `T` where the graph has `T?`: a condition has shown that it is there.
NodeId Lowerer::unwrapped(NodeId node, TypeId seen, Span span) {
  if (!seen.valid() || kind(typeOf(node)) != IrKind::Optional || kind(seen) == IrKind::Optional ||
      seen == ir::TypeTable::kNone) {
    return node;
  }
  return op(Builtin::Unwrap, m_.types[typeOf(node)].element, {{node}}, span);
}

const Expr* Lowerer::spineOf(const Expr& expr) const {
  switch (expr.kind) {
    case ExprKind::Binary:
      return static_cast<const BinaryExpr&>(expr).left;
    case ExprKind::Index:
      return static_cast<const IndexExpr&>(expr).object;
    case ExprKind::Member:
      return info(expr).symbol.valid() || isRowColumn(expr)
                 ? nullptr
                 : static_cast<const MemberExpr&>(expr).object;
    default:
      return nullptr;
  }
}

NodeId Lowerer::lower(const Expr& expr) {
  // A chain such as `a + b + …` leans to the left and may be very long, so no recursion along it.
  const Expr* at = &expr;
  std::vector<const Expr*> spine;
  while (const Expr* left = spineOf(*at)) {
    spine.push_back(at);
    at = left;
  }
  NodeId node = lowerLeaf(*at);
  while (!spine.empty()) {
    node = finish(*spine.back(), node);
    spine.pop_back();
  }
  return node;
}

NodeId Lowerer::lowerLeaf(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::Int:
    case ExprKind::Float:
    case ExprKind::Bool:
    case ExprKind::None:
    case ExprKind::RawString:
    case ExprKind::Regex:
    case ExprKind::Quantity:
      return constNode(literal(file_, expr, {}).value_or(ir::Value()), info(expr).type, expr.span);
    case ExprKind::String:
      return lowerString(static_cast<const StringExpr&>(expr));
    case ExprKind::Member:
      if (isRowColumn(expr)) return lowerRowColumn(static_cast<const MemberExpr&>(expr));
      [[fallthrough]];
    case ExprKind::Name:
      return lowerName(expr);
    case ExprKind::Call:
      return lowerCall(static_cast<const CallExpr&>(expr));
    case ExprKind::List:
      return lowerList(static_cast<const ListExpr&>(expr));
    case ExprKind::Map:
      return lowerMap(static_cast<const MapExpr&>(expr));
    case ExprKind::Record:
      return lowerRecord(static_cast<const RecordExpr&>(expr));
    case ExprKind::Unary: {
      const auto& unary = static_cast<const UnaryExpr&>(expr);
      const Builtin builtin = info(expr).builtin;
      const TypeId want = operandTypes(builtin, {info(*unary.operand).type}).front();
      const NodeId operand = lowerAs(*unary.operand, want);
      if (info(expr).lifted) return liftedOp(builtin, info(expr).type, {{operand}}, expr.span);
      return op(builtin, info(expr).type, {{operand}}, expr.span);
    }
    case ExprKind::If:
    case ExprKind::For:
    case ExprKind::Loop:
    case ExprKind::Try:
    case ExprKind::After:
      return lowerControl(expr, true);
    case ExprKind::Tune:
      return lowerTune(static_cast<const TuneExpr&>(expr));
    case ExprKind::Binary:
    case ExprKind::Index:  // both have a spine
    case ExprKind::Error:
      break;  // the checker has refused these
  }
  return constNode(ir::Value(), ir::TypeTable::kNone, expr.span);
}

const std::vector<TypeId>& Lowerer::operandTypes(Builtin builtin, const std::vector<TypeId>& args) {
  // At most two operands, of 24 bits of type each; their number tells the two kinds of key apart.
  std::uint64_t key = static_cast<std::uint64_t>(builtin) * 4 + args.size();
  for (const TypeId arg : args) key = (key << 24U) | arg.index();
  const auto [it, isNew] = operandTypes_.try_emplace(key);
  if (isNew) {
    auto match = ir::matchRow(builtin, args, m_.types);
    if (match) {
      it->second = std::move(match->params);
    } else {  // lifted: an operand that may be none stays one that may
      std::vector<TypeId> there = args;
      for (TypeId& arg : there) {
        if (kind(arg) == IrKind::Optional) arg = m_.types[arg].element;
      }
      match = ir::matchRow(builtin, there, m_.types);
      if (match) it->second = std::move(match->params);
      it->second.resize(args.size());
      for (std::size_t i = 0; i < args.size(); ++i) {
        if (kind(args[i]) == IrKind::Optional && it->second[i].valid()) {
          it->second[i] = m_.types.optional(it->second[i]);
        }
      }
    }
    it->second.resize(args.size());
  }
  return it->second;
}

NodeId Lowerer::finish(const Expr& expr, NodeId left) {
  if (expr.kind == ExprKind::Member) {
    return finishMember(static_cast<const MemberExpr&>(expr), left);
  }
  if (expr.kind == ExprKind::Binary && static_cast<const BinaryExpr&>(expr).op == BinaryOp::Pipe) {
    const auto& pipe = static_cast<const BinaryExpr&>(expr);
    const bool isCall = pipe.right->kind == ExprKind::Call;
    const auto args = isCall ? static_cast<const CallExpr*>(pipe.right)->args
                             : std::span<Argument>{};
    return lowerTransformCall(expr, args, left);
  }
  const bool isIndex = expr.kind == ExprKind::Index;
  const Expr& first = isIndex ? *static_cast<const IndexExpr&>(expr).object
                              : *static_cast<const BinaryExpr&>(expr).left;
  const Expr& second = isIndex ? *static_cast<const IndexExpr&>(expr).index
                               : *static_cast<const BinaryExpr&>(expr).right;
  const Builtin builtin = info(expr).builtin;
  const std::vector<TypeId>& want = operandTypes(builtin, {info(first).type, info(second).type});
  const TypeId wantLeft = want[0];
  const TypeId wantRight = want[1];
  const bool within = rows_ != nullptr && builtin == Builtin::InList &&
                      second.kind == ExprKind::Binary &&
                      static_cast<const BinaryExpr&>(second).op == BinaryOp::Range;
  if (within) return lowerWithin(left, static_cast<const BinaryExpr&>(second), expr.span);
  left = convert(left, wantLeft, first.span, isLiteral(first));
  const NodeId right = lowerAs(second, wantRight);
  if (info(expr).lifted) return liftedOp(builtin, info(expr).type, {{left, right}}, expr.span);
  return op(builtin, info(expr).type, {{left, right}}, expr.span);
}

NodeId Lowerer::finishMember(const MemberExpr& expr, NodeId object) {
  ir::Field field{m_.intern(expr.member.text)};
  TypeId owner = typeOf(object);
  const bool mayBeNone = kind(owner) == IrKind::Optional;
  // `?.` on what is never none is a plain `.`; the checker has warned. In a test a plain `.` may
  // follow what a transform gives of a row, which may be none.
  field.optional = mayBeNone || (expr.optional && owner == ir::TypeTable::kNone);
  if (mayBeNone) owner = m_.types[owner].element;
  field.ofEach = kind(owner) == IrKind::List;
  if (field.ofEach) owner = m_.types[owner].element;
  TypeId type = ir::TypeTable::kNone;
  if (const auto index = m_.types.fieldIndex(owner, expr.member.text)) {
    type = m_.types[owner].fields[*index].type;
    if (field.ofEach) type = m_.types.list(type);
    if (field.optional) type = m_.types.optional(type);
  }
  const NodeId node = m_.add(region_, field, type, {{object}}, {}, expr.span);
  return unwrapped(node, info(expr).type, expr.span);
}

NodeId Lowerer::lowerName(const Expr& expr) {
  const sema::ExprInfo& found = info(expr);
  if (rows_ != nullptr) {
    if (const NodeId node = lowerRowName(expr); node.valid()) return node;
  }
  if (found.symbol.valid()) {
    const sema::Symbol& symbol = program_.at(found.symbol);
    if (symbol.kind == SymbolKind::EnumCase) {
      return constNode(ir::EnumCase{std::string(symbol.name)}, found.type, expr.span);
    }
    if (const auto it = values_.find(found.symbol); it != values_.end()) {
      return unwrapped(it->second, found.type, expr.span);
    }
  }
  return constNode(ir::Value(), ir::TypeTable::kNone, expr.span);
}

NodeId Lowerer::asText(NodeId node, Span span) {
  const TypeId type = typeOf(node);
  if (type == ir::TypeTable::kString) return node;
  if (rows_ != nullptr && kind(type) == IrKind::Optional) {
    if (m_.types[type].element == ir::TypeTable::kString) return node;
    return liftedOp(Builtin::ToString, m_.types.optional(ir::TypeTable::kString), {{node}}, span);
  }
  return op(Builtin::ToString, ir::TypeTable::kString, {{node}}, span);
}

NodeId Lowerer::lowerString(const StringExpr& expr) {
  if (std::optional<ir::Value> value = literal(file_, expr, {})) {
    return constNode(std::move(*value), info(expr).type, expr.span);
  }
  std::vector<NodeId> parts;
  for (const StringPart& part : expr.parts) {
    parts.push_back(part.expr != nullptr
                        ? asText(lower(*part.expr), part.expr->span)
                        : constNode(std::string(part.text), ir::TypeTable::kString, part.span));
  }
  if (parts.size() == 1) return parts.front();
  if (info(expr).lifted) return liftedOp(Builtin::Concat, info(expr).type, parts, expr.span);
  return op(Builtin::Concat, ir::TypeTable::kString, parts, expr.span);
}

NodeId Lowerer::lowerList(const ListExpr& expr) {
  const TypeId type = info(expr).type;
  const TypeId element = m_.types[type].element;
  std::vector<NodeId> lists;  // of a list with spread ones in it
  std::vector<NodeId> items;
  const bool spreads = std::any_of(expr.items.begin(), expr.items.end(),
                                   [](const ListItem& item) { return item.spread; });
  const auto flush = [&] {
    if (!items.empty()) lists.push_back(op(Builtin::MakeList, type, items, expr.span));
    items.clear();
  };
  for (const ListItem& item : expr.items) {
    if (item.spread) {
      flush();
      lists.push_back(lower(*item.value));
    } else {
      items.push_back(lowerAs(*item.value, element));
    }
  }
  if (!spreads) return op(Builtin::MakeList, type, items, expr.span);
  flush();
  return op(Builtin::SpreadList, type, lists, expr.span);
}

NodeId Lowerer::lowerMap(const MapExpr& expr) {
  const TypeId type = info(expr).type;
  const TypeId element = m_.types[type].element;
  std::vector<NodeId> parts;
  for (const MapEntry& entry : expr.entries) {
    parts.push_back(lowerAs(*entry.key, ir::TypeTable::kString));
    parts.push_back(lowerAs(*entry.value, element));
  }
  return op(Builtin::MakeMap, type, parts, expr.span);
}

NodeId Lowerer::lowerRecord(const RecordExpr& expr) {
  const TypeId type = info(expr).type;
  // A copy: lowering a field may add types.
  const std::vector<ir::TypeField> fields = m_.types[type].fields;
  std::vector<NodeId> parts;
  for (const ir::TypeField& field : fields) {
    for (const Argument& arg : expr.fields) {
      if (arg.name.text == field.name) parts.push_back(lowerAs(*arg.value, field.type));
    }
  }
  return op(Builtin::MakeRecord, type, parts, expr.span);
}

}  // namespace couler::lower

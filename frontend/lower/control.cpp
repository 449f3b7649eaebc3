// Bodies: blocks, if, for, loop, try.
#include "frontend/lower/lowerer.h"

namespace couler::lower {

using namespace syntax;

void Lowerer::lowerUnused(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::If:
    case ExprKind::For:
    case ExprKind::Loop:
    case ExprKind::Try:
    case ExprKind::After:
      lowerControl(expr, false);
      return;
    default:
      lower(expr);
      return;
  }
}

NodeId Lowerer::lowerControl(const Expr& expr, bool used) {
  switch (expr.kind) {
    case ExprKind::If:
      return lowerIf(static_cast<const IfExpr&>(expr), used);
    case ExprKind::For:
      return lowerFor(static_cast<const ForExpr&>(expr), used);
    case ExprKind::Loop:
      return lowerLoop(static_cast<const LoopExpr&>(expr), used);
    case ExprKind::Try:
      return lowerTry(static_cast<const TryExpr&>(expr), used);
    default:
      return lowerAfter(static_cast<const AfterExpr&>(expr), used);
  }
}

NodeId Lowerer::lowerIf(const IfExpr& expr, bool used) {
  const NodeId condition = lowerAs(*expr.condition, ir::TypeTable::kBool);
  const TypeId type = used ? info(expr).type : ir::TypeTable::kNone;
  const NodeId node = m_.add(region_, ir::If{}, type, {{condition}}, {}, expr.span);
  ir::If payload;
  const auto branch = [&](const Block& block) {
    const RegionId region = m_.addRegion(node);
    inRegion(region, [&] {
      const NodeId result = lowerBlock(block, type, used);
      m_.at(region).results = {result};
    });
    return region;
  };
  payload.then = branch(*expr.then);
  if (expr.otherwise != nullptr) payload.otherwise = branch(*expr.otherwise);
  m_.at(node).payload = payload;
  m_.updateAttributes(node);
  return node;
}

NodeId Lowerer::lowerFor(const ForExpr& expr, bool used) {
  const NodeId items = lower(*expr.items);
  const TypeId type = used ? info(expr).type : m_.types.list(ir::TypeTable::kNone);
  const TypeId element = m_.types[type].element;
  const TypeId item = m_.types[info(*expr.items).type].element;
  const ir::Phase phase = m_.at(items).phase;
  const NodeId node = m_.add(region_, ir::For{}, type, {{items}}, {}, expr.span);
  const RegionId body = m_.addRegion(node);
  inRegion(body, [&] {
    const SymbolId variable = program_.files[file_.index()].declared.at(&expr);
    values_[variable] = m_.addParam(body, item, expr.variable.text, expr.variable.span, phase);
    const NodeId result = lowerBlock(*expr.body, element, used);
    m_.at(body).results = {result};
  });
  m_.at(node).payload = ir::For{body};
  m_.updateAttributes(node);
  return node;
}

NodeId Lowerer::lowerLoop(const LoopExpr& expr, bool used) {
  (void)used;  // the state is needed all the same
  const TypeId state = info(expr).type;
  const NodeId start = lowerAs(*expr.start, state);
  const NodeId max = lowerAs(*expr.max, ir::TypeTable::kInt);
  const NodeId node = m_.add(region_, ir::Loop{}, state, {{start, max}}, {}, expr.span);
  const RegionId body = m_.addRegion(node);
  inRegion(body, [&] {
    const SymbolId variable = program_.files[file_.index()].declared.at(&expr);
    values_[variable] =
        m_.addParam(body, state, expr.state.text, expr.state.span, program_.at(variable).phase);
    const NodeId next = lowerBlock(*expr.body, state, true);
    values_[variable] = next;  // what the condition sees
    const NodeId stop = expr.until != nullptr ? lowerAs(*expr.until, ir::TypeTable::kBool)
                                              : constNode(false, ir::TypeTable::kBool, expr.span);
    m_.at(body).results = {next, stop};
  });
  m_.at(node).payload = ir::Loop{body};
  m_.updateAttributes(node);
  return node;
}

NodeId Lowerer::lowerTry(const TryExpr& expr, bool used) {
  const TypeId type = used ? info(expr).type : ir::TypeTable::kNone;
  const NodeId node = m_.add(region_, ir::Try{}, type, {}, {}, expr.span);
  const RegionId body = m_.addRegion(node);
  inRegion(body, [&] {
    NodeId result;
    if (used) {
      result = lowerAs(*expr.operand, info(*expr.operand).type);
    } else {
      lowerUnused(*expr.operand);
      result = constNode(ir::Value(), ir::TypeTable::kNone, expr.span);
    }
    m_.at(body).results = {result};
  });
  m_.at(node).payload = ir::Try{body};
  m_.updateAttributes(node);
  return node;
}

NodeId Lowerer::lowerBlock(const Block& block, TypeId want, bool used) {
  NodeId result;
  for (const Stmt* stmt : block.statements) {
    if (stmt->kind == StmtKind::Let) lowerLet(static_cast<const LetStmt&>(*stmt));
    if (stmt->kind != StmtKind::Expr) continue;
    const Expr& value = *static_cast<const ExprStmt*>(stmt)->value;
    if (used && stmt == block.statements.back()) {
      result = lowerAs(value, want);
    } else {
      lowerUnused(value);
    }
  }
  if (result.valid() || !want.valid()) return result;
  const bool none = !used || kind(want) == IrKind::None || kind(want) == IrKind::Optional;
  if (none) return constNode(ir::Value(), ir::TypeTable::kNone, block.span);
  return emptyRecord(block.span);
}

void Lowerer::lowerLet(const LetStmt& stmt) {
  const auto& declared = program_.files[file_.index()].declared;
  const auto it = declared.find(&stmt);
  const Expr* call = stmt.value;
  while (call->kind == ExprKind::After || call->kind == ExprKind::Try) {
    call = call->kind == ExprKind::After ? static_cast<const AfterExpr*>(call)->operand
                                         : static_cast<const TryExpr*>(call)->operand;
  }
  const bool isPipe = call->kind == ExprKind::Binary &&
                      static_cast<const BinaryExpr*>(call)->op == BinaryOp::Pipe;
  if (call->kind == ExprKind::Call || isPipe) {
    namedCall_ = call;
    callName_ = stmt.name.text;
  }
  const std::size_t before = m_.nodes.size();
  const TypeId want = it != declared.end() ? program_.at(it->second).type : TypeId{};
  const NodeId value = lowerAs(*stmt.value, want);
  if (it != declared.end()) values_[it->second] = value;
  // The name stays with the node that the let made, for those who read the graph.
  ir::Node& node = m_.at(value);
  if (value.index() >= before && !node.name.valid()) node.name = m_.intern(stmt.name.text);
}

void Lowerer::lowerBodyStatements(const Block& block, const sema::Signature& signature,
                                  RegionId body) {
  NodeId result;
  const Stmt* last = nullptr;
  for (const Stmt* stmt : block.statements) {
    if (stmt->kind != StmtKind::Finally) last = stmt;
  }
  for (const Stmt* stmt : block.statements) {
    if (stmt->kind == StmtKind::Let) lowerLet(static_cast<const LetStmt&>(*stmt));
    if (stmt->kind == StmtKind::Return && static_cast<const ReturnStmt*>(stmt)->value != nullptr) {
      result = lowerGiven(*static_cast<const ReturnStmt*>(stmt)->value, signature);
    }
    if (stmt->kind != StmtKind::Expr) continue;
    const Expr& value = *static_cast<const ExprStmt*>(stmt)->value;
    if (stmt == last && !signature.outputs.empty()) {
      result = lowerGiven(value, signature);
    } else {
      lowerUnused(value);
    }
  }
  if (!result.valid()) result = emptyRecord(block.span);
  m_.at(body).results = {result};
}

NodeId Lowerer::lowerGiven(const Expr& expr, const sema::Signature& signature) {
  const TypeId found = info(expr).type;
  if (m_.types.accepts(signature.result, found)) return lowerAs(expr, signature.result);
  const NodeId part = lowerAs(expr, signature.outputs.front().type);
  return op(ir::Builtin::MakeRecord, signature.result, {{part}}, expr.span);
}

}  // namespace couler::lower

// Calls of built-ins, fns, schemas, tasks and workflows; `after`.
#include <algorithm>

#include "frontend/lower/lowerer.h"
#include "frontend/session_paths.h"

namespace couler::lower {

using namespace syntax;
using ir::Builtin;

ir::NameId Lowerer::stepName(const Expr& call, std::string_view callee) {
  std::string_view name = callee;
  if (namedCall_ == &call) {
    name = callName_;
    namedCall_ = nullptr;
  }
  return newStepName(name);
}

ir::NameId Lowerer::newStepName(std::string_view name) {
  const std::uint32_t uses = ++stepNames_[std::string(name)];
  return m_.intern(uses == 1 ? std::string(name) : fmt::format("{}-{}", name, uses));
}

NodeId Lowerer::lowerCall(const CallExpr& expr) {
  const sema::CallBinding& binding = program_.files[file_.index()].calls.at(expr.id);
  if (binding.isBuiltin) return lowerBuiltin(expr, binding);
  if (binding.form == sema::CallBinding::Form::Drift) return lowerDrift(expr, binding);
  if (!binding.callee.valid()) return lowerReadOrWrite(expr, binding);
  if (program_.at(binding.callee).kind == SymbolKind::Transform &&
      binding.form == sema::CallBinding::Form::Call) {
    return lowerTransformCall(expr, expr.args, {});
  }
  if (binding.lifted) return lowerLiftedCall(expr, binding);
  const sema::Symbol& callee = program_.at(binding.callee);
  const sema::Signature& signature = *callee.signature;
  const bool isStep = callee.kind == SymbolKind::Task || callee.kind == SymbolKind::Workflow;
  // Taken before the arguments, which may hold calls of their own.
  ir::NameId name;
  if (isStep) name = stepName(expr, callee.name);
  const std::vector<NodeId> order = takeOrder(expr);
  std::vector<NodeId> operands;
  const bool makesRow = callee.kind == SymbolKind::Transform;
  const std::vector<sema::FieldInfo>& params = makesRow ? signature.columns : signature.params;
  NodeId other;
  if (binding.spread) other = lowerAs(*expr.args[0].value, callee.type);
  for (std::size_t i = 0; i < params.size(); ++i) {
    const sema::FieldInfo& param = params[i];
    if (binding.argument[i] < 0 && other.valid()) {
      const TypeId type = m_.types[callee.type].fields[i].type;
      operands.push_back(
          m_.add(region_, ir::Field{m_.intern(param.name)}, type, {{other}}, {}, expr.span));
      continue;
    }
    if (binding.argument[i] >= 0) {
      const Argument& arg = expr.args[static_cast<std::size_t>(binding.argument[i])];
      operands.push_back(
          convert(lowerAs(*arg.value, param.type), paramType(param, callee.file), expr.span));
    } else {
      const ir::ConstId value = fallback(param, callee.file);
      operands.push_back(
          m_.add(region_, ir::Const{value}, paramType(param, callee.file), {}, {}, expr.span));
    }
  }
  switch (callee.kind) {
    case SymbolKind::Schema:
    case SymbolKind::Transform:
      return op(Builtin::MakeRecord, callee.type, operands, expr.span);
    case SymbolKind::Task:
      return m_.add(region_, ir::Step{requireTask(binding.callee)}, signature.result, operands,
                    order, expr.span, name);
    default:
      return m_.add(region_, ir::Call{requireFunc(binding.callee)}, signature.result, operands,
                    order, expr.span, name);
  }
}

NodeId Lowerer::lowerBuiltin(const CallExpr& expr, const sema::CallBinding& binding) {
  if (binding.builtin == Builtin::MakeFile || binding.builtin == Builtin::MakeDir ||
      binding.builtin == Builtin::Glob) {
    return lowerPath(expr, binding.builtin);
  }
  if (ir::isAggregate(binding.builtin) && rows_ != nullptr) {
    // After the groups it is a column; within them, what a row adds to it.
    if (const auto it = rows_->aggregates.find(expr.id); it != rows_->aggregates.end()) {
      return rowField({{}, {}, it->second}, expr.span);
    }
  }
  std::vector<NodeId> operands;
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    TypeId want = i < binding.paramTypes.size() ? binding.paramTypes[i] : TypeId{};
    const bool mayBeNone = kind(info(*expr.args[i].value).type) == IrKind::Optional;
    if (binding.lifted && mayBeNone && want.valid()) want = m_.types.optional(want);
    if (binding.builtin == Builtin::AggQuantile && i == 1) {
      // It is the same for all rows, so it is worked out here.
      const Expr& part = *expr.args[i].value;
      const std::optional<ir::Value> value = constant(file_, part, want);
      const double* q = value ? value->as<double>() : nullptr;
      const bool isPart = q != nullptr && *q >= 0 && *q <= 1;
      if (value) checkSetting(&part, isPart, "quantile", "must be from 0 to 1");
      operands.push_back(constNode(value.value_or(ir::Value(0.0)), want, part.span));
      continue;
    }
    operands.push_back(lowerAs(*expr.args[i].value, want));
  }
  if (binding.lifted) return liftedOp(binding.builtin, info(expr).type, operands, expr.span);
  return op(binding.builtin, info(expr).type, operands, expr.span);
}

/// `file`, `dir` and `glob`: paths beside the source become paths as the source's own path is.
NodeId Lowerer::lowerPath(const CallExpr& expr, Builtin builtin) {
  const Expr& argument = *expr.args.front().value;
  const TypeId type = info(expr).type;
  if (info(argument).phase != ir::Phase::Compile) {
    const NodeId path = besideSource(lower(argument), argument.span);
    return op(builtin, type, {{path}}, expr.span);
  }
  const std::optional<ir::Value> value = constant(file_, argument, ir::TypeTable::kString);
  const std::string* text = value ? value->as<std::string>() : nullptr;
  const std::string path = joinPath(sources_.path(file_), text != nullptr ? *text : ".");
  if (builtin == Builtin::Glob) {
    return op(builtin, type, {{constNode(path, ir::TypeTable::kString, argument.span)}}, expr.span);
  }
  return constNode(ir::FileRef{path, {}, builtin == Builtin::MakeDir}, type, expr.span);
}

NodeId Lowerer::besideSource(NodeId path, Span span) {
  const std::string_view source = sources_.path(file_);
  const std::size_t slash = source.rfind('/');
  if (slash == std::string_view::npos) return path;
  const auto text = [&](std::string value) {
    return constNode(std::move(value), ir::TypeTable::kString, span);
  };
  const NodeId absolute = op(Builtin::StartsWith, ir::TypeTable::kBool, {{path, text("/")}}, span);
  const NodeId node = m_.add(region_, ir::If{}, ir::TypeTable::kString, {{absolute}}, {}, span);
  ir::If payload;
  payload.then = m_.addRegion(node);
  m_.at(payload.then).results = {path};
  payload.otherwise = m_.addRegion(node);
  inRegion(payload.otherwise, [&] {
    const NodeId folder = text(std::string(source.substr(0, slash + 1)));
    const NodeId whole = op(Builtin::Concat, ir::TypeTable::kString, {{folder, path}}, span);
    m_.at(payload.otherwise).results = {whole};
  });
  m_.at(node).payload = payload;
  m_.updateAttributes(node);
  return node;
}

NodeId Lowerer::lowerAfter(const AfterExpr& expr, bool used) {
  const Expr* call = expr.operand;
  while (call->kind == ExprKind::Try || call->kind == ExprKind::After) {
    call = call->kind == ExprKind::Try ? static_cast<const TryExpr*>(call)->operand
                                       : static_cast<const AfterExpr*>(call)->operand;
  }
  // `f() after a after b`: what the outer one waits for is there already.
  std::vector<NodeId> order;
  if (orderedCall_ == call) order = std::move(order_);
  for (const Expr* other : expr.after) collectSteps(lower(*other), order);
  orderedCall_ = call;
  order_ = std::move(order);
  if (used) return lower(*expr.operand);
  lowerUnused(*expr.operand);
  return {};
}

/// The steps that a value depends on directly: those reached through values alone.
void Lowerer::collectSteps(NodeId from, std::vector<NodeId>& into) {
  std::unordered_set<NodeId> seen{from};
  std::vector<NodeId> open{from};
  const auto visit = [&](std::span<const NodeId> ids) {
    for (const NodeId id : ids) {
      if (seen.insert(id).second) open.push_back(id);
    }
  };
  while (!open.empty()) {
    const NodeId id = open.back();
    open.pop_back();
    if (holdsSteps(id)) {
      if (std::find(into.begin(), into.end(), id) == into.end()) into.push_back(id);
      continue;
    }
    const ir::Node& node = m_.at(id);
    visit(m_.operands(node));
    for (const RegionId region : m_.regionsOf(node)) visit(m_.at(region).nodes);
    for (const RegionId region : m_.regionsOf(node)) visit(m_.at(region).results);
  }
}

bool Lowerer::holdsSteps(NodeId id) {
  const ir::Node& node = m_.at(id);
  if (std::holds_alternative<ir::Step>(node.payload)) return true;
  if (const ir::Call* call = m_.payload<ir::Call>(id)) {
    return m_.at(call->callee).kind == ir::FuncKind::Workflow;
  }
  std::vector<RegionId> open = m_.regionsOf(node);
  if (open.empty()) return false;
  if (const auto it = holdsSteps_.find(id); it != holdsSteps_.end()) return it->second;
  bool found = false;
  while (!open.empty() && !found) {
    const RegionId region = open.back();
    open.pop_back();
    for (const NodeId inner : m_.at(region).nodes) {
      const ir::Call* call = m_.payload<ir::Call>(inner);
      found |= m_.payload<ir::Step>(inner) != nullptr ||
               (call != nullptr && m_.at(call->callee).kind == ir::FuncKind::Workflow);
      for (const RegionId nested : m_.regionsOf(m_.at(inner))) open.push_back(nested);
    }
  }
  // Nodes of a constant being worked out do not last, so neither may what is known of them.
  if (scratchDepth_ == 0) holdsSteps_[id] = found;
  return found;
}

}  // namespace couler::lower

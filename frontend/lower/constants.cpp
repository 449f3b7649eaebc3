// Constants: literals directly, all else through the evaluator on a scratch region.
#include <cmath>

#include "frontend/lower/lowerer.h"
#include "frontend/session_paths.h"

namespace couler::lower {

using namespace syntax;

std::optional<ir::Value> Lowerer::literal(FileId file, const Expr& expr, TypeId want) const {
  if (want.valid() && kind(want) == IrKind::Optional) want = m_.types[want].element;
  switch (expr.kind) {
    case ExprKind::Int: {
      const std::int64_t value = static_cast<const IntExpr&>(expr).value;
      if (want == ir::TypeTable::kFloat) return ir::Value(static_cast<double>(value));
      return ir::Value(value);
    }
    case ExprKind::Float:
      return ir::Value(static_cast<const FloatExpr&>(expr).value);
    case ExprKind::Bool:
      return ir::Value(static_cast<const BoolExpr&>(expr).value);
    case ExprKind::None:
      return ir::Value();
    case ExprKind::RawString:
      return ir::Value(std::string(static_cast<const RawStringExpr&>(expr).text));
    case ExprKind::Regex:
      return ir::Value(std::string(static_cast<const RegexExpr&>(expr).pattern));
    case ExprKind::Quantity: {
      const auto& quantity = static_cast<const QuantityExpr&>(expr);
      const ir::Unit* unit = ir::findUnit(quantity.unit.text);
      if (unit == nullptr) return std::nullopt;
      const std::int64_t amount =
          quantity.isInt ? quantity.integer * unit->factor
                         : std::llround(quantity.number * static_cast<double>(unit->factor));
      if (unit->isSize) return ir::Value(ir::Size{amount});
      return ir::Value(ir::Duration{amount});
    }
    case ExprKind::String: {
      std::string text;
      for (const StringPart& part : static_cast<const StringExpr&>(expr).parts) {
        if (part.expr != nullptr) return std::nullopt;
        text += part.text;
      }
      const IrKind found = kind(program_.info(file, expr).type);
      if (found == IrKind::File || found == IrKind::Dir) {
        return ir::Value(
            ir::FileRef{joinPath(sources_.path(file), text), {}, found == IrKind::Dir});
      }
      return ir::Value(std::move(text));
    }
    default:
      return std::nullopt;
  }
}

bool Lowerer::findNeeded(RegionId region) {
  std::vector<RegionId> open{region};
  std::unordered_set<ir::FuncId> seen;
  const std::size_t before = needed_.size();
  bool circle = false;
  while (!open.empty()) {
    const ir::Region& at = m_.at(open.back());
    open.pop_back();
    for (const NodeId id : at.nodes) {
      for (const RegionId inner : m_.regionsOf(m_.at(id))) open.push_back(inner);
      const ir::Call* call = m_.payload<ir::Call>(id);
      if (call == nullptr || !seen.insert(call->callee).second) continue;
      switch (progress_[call->callee.index()]) {
        case Progress::New:
          needed_.push_back(call->callee);
          break;
        case Progress::Open:
          circle = true;
          break;
        case Progress::Done:
          open.push_back(m_.at(call->callee).body);
          break;
        case Progress::Closed:
          break;
      }
    }
  }
  if (!circle && needed_.size() == before) {
    for (const ir::FuncId id : seen) progress_[id.index()] = Progress::Closed;
  }
  return !circle;
}

std::optional<ir::Value> Lowerer::constant(FileId file, const Expr& expr, TypeId want) {
  if (std::optional<ir::Value> value = literal(file, expr, want)) return value;
  const FileId fileBefore = std::exchange(file_, file);
  const RegionId regionBefore = region_;
  const auto fails = [&](Span at, std::string_view why) {
    Diagnostic diagnostic = diagnose<Diag::ConstantFails>(at.valid() ? at : expr.span, why);
    if (at.valid() && at != expr.span)
      diagnostic.label(expr.span, "while working out this constant");
    diags_.take(std::move(diagnostic));
  };
  std::optional<ir::Value> result;
  while (true) {
    const std::size_t nodes = m_.nodes.size();
    const std::size_t regions = m_.regions.size();
    const std::size_t pool = m_.operandPool.size();
    ++scratchDepth_;
    region_ = m_.addRegion();
    const RegionId scratch = region_;
    const NodeId node = lowerAs(expr, want);
    m_.at(scratch).results = {node};
    --scratchDepth_;
    if (!findNeeded(scratch)) {
      fails({}, "it depends on itself");
    } else if (needed_.empty()) {
      ir::EvalResult value = ir::evaluateRegion(m_, scratch, {}).front();
      if (const ir::EvalError* error = std::get_if<ir::EvalError>(&value)) {
        fails(error->at, error->message);
      } else {
        result = std::get<ir::Value>(std::move(value));
      }
    }
    m_.nodes.resize(nodes);
    m_.regions.resize(regions);
    m_.operandPool.resize(pool);
    // Bodies of fns must not stand on scratch ground, so the outermost constant sees to them and
    // starts again.
    if (needed_.empty() || scratchDepth_ != 0) break;
    if (nestedConstants_ == kMaxNestedConstants) {
      fails({}, "too many constants wait for each other");
      needed_.clear();
      break;
    }
    ++nestedConstants_;
    for (const ir::FuncId id : std::exchange(needed_, {})) lowerFunc(id);
    --nestedConstants_;
  }
  file_ = fileBefore;
  region_ = regionBefore;
  return result;
}

ir::ConstId Lowerer::fallback(const sema::FieldInfo& field, FileId file) {
  if (field.syntax == nullptr || field.syntax->value == nullptr) {
    const IrKind found = kind(field.type);
    if (found != IrKind::Optional && found != IrKind::None) return {};
    return m_.intern(ir::Value());
  }
  if (hasComputedDefault(field, file)) return m_.intern(ir::Value());
  if (const auto it = fallbacks_.find(field.syntax); it != fallbacks_.end()) return it->second;
  const Expr& expr = *field.syntax->value;
  const bool tooDeep = openFallbacks_.size() == kMaxNestedConstants;
  if (tooDeep || !openFallbacks_.insert(field.syntax).second) {
    diags_.take(diagnose<Diag::ConstantFails>(
        expr.span, tooDeep ? "too many constants wait for each other" : "it depends on itself"));
    return m_.intern(ir::Value());
  }
  std::optional<ir::Value> value = constant(file, expr, field.type);
  openFallbacks_.erase(field.syntax);
  // Not remembered: within another constant this may only be not known yet.
  if (!value) return m_.intern(ir::Value());
  const ir::ConstId id = m_.intern(std::move(*value));
  fallbacks_[field.syntax] = id;
  return id;
}

}  // namespace couler::lower

// Transforms: the statements of one as operators over rows.
#include <algorithm>

#include "frontend/lower/transform_lowering.h"
#include "frontend/sema/walk.h"

namespace couler::lower {

using namespace syntax;
using ir::Builtin;
using ir::RowsOp;

namespace {

ir::Rows rowsOf(RowsOp op) {
  ir::Rows rows;
  rows.op = op;
  return rows;
}

}  // namespace

NodeId Lowerer::TransformLowering::run() {
  const sema::FieldInfo& rows = signature_.params.front();
  scope_.transform = l_.m_.intern(l_.program_.at(symbol_).name);
  table_ = l_.values_.at(rows.symbol);
  scope_.row = l_.m_.types[l_.typeOf(table_)].element;
  for (const ir::TypeField& field : l_.m_.types[scope_.row].fields) {
    scope_.slots.push_back({rows.symbol, field.name, field.name});
  }
  l_.rows_ = &scope_;
  noteUses();
  for (std::size_t i = 0; i < decl_.statements.size(); ++i) statement(i);
  if (!shaped_) shape();
  l_.rows_ = nullptr;
  return table_;
}

void Lowerer::TransformLowering::noteUses() {
  const std::size_t end = decl_.statements.size();
  for (std::size_t i = 0; i < end; ++i) {
    const TransformStmt& stmt = decl_.statements[i];
    if (stmt.value != nullptr) noteUses(*stmt.value, i);
    for (const TransformKey& key : stmt.keys) noteUses(*key.value, i);
    if (stmt.kind == TransformKind::Distinct) noteOutput(plan_.compared.at(&stmt), i);
  }
  noteOutput(plan_.output, end);
}

void Lowerer::TransformLowering::noteOutput(const std::vector<sema::OutputColumn>& columns, std::size_t at) {
  for (const sema::OutputColumn& one : columns) {
    lastUse_[{one.symbol, std::string(one.column)}] = at;
  }
}

void Lowerer::TransformLowering::noteUses(const Expr& expr, std::size_t at) {
  std::vector<const Expr*> open{&expr};
  while (!open.empty()) {
    const Expr* one = open.back();
    open.pop_back();
    if (one->kind == ExprKind::Member) {
      const auto& member = static_cast<const MemberExpr&>(*one);
      const SymbolId symbol = member.object->kind == ExprKind::Name
                                  ? l_.info(*member.object).symbol
                                  : SymbolId{};
      if (symbol.valid()) {
        lastUse_[{symbol, std::string(member.member.text)}] = at;
        continue;
      }
    }
    if (one->kind == ExprKind::Name && l_.info(*one).symbol.valid()) {
      lastUse_[{l_.info(*one).symbol, {}}] = at;
    }
    sema::forEachChild(one, [&](const Expr* child) { open.push_back(child); });
  }
}

bool Lowerer::TransformLowering::neededFrom(SymbolId symbol, const std::string& column, std::size_t at) const {
  for (const Column& one : {Column{symbol, column}, Column{symbol, {}}}) {
    const auto it = lastUse_.find(one);
    if (it != lastUse_.end() && it->second >= at) return true;
  }
  return false;
}

void Lowerer::TransformLowering::statement(std::size_t i) {
  const TransformStmt& stmt = decl_.statements[i];
  if (plan_.grouping == &stmt) group(i);
  switch (stmt.kind) {
    case TransformKind::Where: {
      materialise(i);
      over(rowsOf(RowsOp::Filter), l_.typeOf(table_), stmt.span,
           [&] { return std::vector<NodeId>{l_.lower(*stmt.value)}; });
      return;
    }
    case TransformKind::Derive: {
      const SymbolId symbol = l_.program_.files[l_.file_.index()].declared.at(&stmt);
      if (l_.slotOf(symbol, {}) == nullptr) derived_.push_back({symbol, stmt.value});
      return;
    }
    case TransformKind::OrderBy:
      return orderBy(i);
    case TransformKind::Limit: {
      const NodeId count = l_.lowerAs(*stmt.value, ir::TypeTable::kInt);
      table_ = l_.rowsNode(rowsOf(RowsOp::Limit), l_.typeOf(table_), {{table_, count}}, {},
                           stmt.span);
      return;
    }
    case TransformKind::Distinct:
      distinct(i);
      table_ = l_.rowsNode(rowsOf(RowsOp::Distinct), l_.typeOf(table_), {{table_}}, {},
                           stmt.span);
      return;
    case TransformKind::Join:
      materialise(i);
      return join(stmt);
    case TransformKind::Spread:   // a matter of the output
    case TransformKind::GroupBy:  // done
      return;
  }
}

void Lowerer::TransformLowering::over(ir::Rows payload, TypeId table, Span span, const Body& lower) {
  table_ = l_.rowsNode(payload, table, {{table_}}, lower, span);
}

void Lowerer::TransformLowering::orderBy(std::size_t i) {
  const TransformStmt& stmt = decl_.statements[i];
  materialise(i);
  ir::Rows payload;
  payload.op = RowsOp::Sort;
  for (std::size_t k = 0; k < stmt.keys.size(); ++k) {
    if (stmt.keys[k].direction == Direction::Descending) payload.descending |= 1U << k;
  }
  over(payload, l_.typeOf(table_), stmt.span, [&] {
    std::vector<NodeId> keys;
    for (const TransformKey& key : stmt.keys) keys.push_back(l_.lower(*key.value));
    return keys;
  });
}

void Lowerer::TransformLowering::materialise(std::size_t at) {
  if (derived_.empty()) return;
  if (outputFrom(at)) return shape();
  std::vector<RowSlot> kept;
  std::vector<NodeId> made;
  std::vector<ir::TypeField> fields;
  std::vector<std::string> taken;
  for (const Derived& one : derived_) {
    if (neededFrom(one.symbol, {}, at)) taken.emplace_back(l_.program_.at(one.symbol).name);
  }
  map([&] {
    std::vector<NodeId> parts;
    for (const RowSlot& slot : scope_.slots) {
      if (!neededFrom(slot.symbol, slot.column, at)) continue;
      RowSlot keep = slot;
      // A derived column has its name; the column of the rows that it stands for, a longer one.
      if (std::find(taken.begin(), taken.end(), slot.field) != taken.end()) {
        keep.field = fmt::format("{}.{}", l_.program_.at(slot.symbol).name, slot.column);
      }
      const bool has = std::any_of(fields.begin(), fields.end(), [&](const ir::TypeField& field) {
        return field.name == keep.field;
      });
      if (!has) {
        parts.push_back(l_.rowField(slot, decl_.span));
        fields.push_back({keep.field, l_.typeOf(parts.back())});
      }
      kept.push_back(std::move(keep));
    }
    for (const Aggregate& one : hidden_) {
      if (one.statement < at) continue;
      parts.push_back(l_.rowField({{}, {}, one.field}, one.call->span));
      fields.push_back({one.field, l_.typeOf(parts.back())});
    }
    for (const Derived& one : derived_) {
      if (!neededFrom(one.symbol, {}, at)) continue;
      const std::string name(l_.program_.at(one.symbol).name);
      parts.push_back(scope_.made.at(one.symbol));
      fields.push_back({name, l_.typeOf(parts.back())});
      kept.push_back({one.symbol, {}, name});
    }
    scope_.row = l_.m_.types.record(fields);
    return parts;
  });
  scope_.slots = std::move(kept);
  derived_.clear();
}

void Lowerer::TransformLowering::map(const Body& fields) {
  const TypeId before = scope_.row;
  TypeId after = before;
  std::vector<NodeId> operands{table_};
  const NodeId node =
      l_.rowsNode(rowsOf(RowsOp::Map), l_.typeOf(table_), operands,
                  [&] {
                    makeDerived();
                    const std::vector<NodeId> parts = fields();
                    after = std::exchange(scope_.row, before);
                    return std::vector<NodeId>{
                        l_.op(Builtin::MakeRecord, after, parts, decl_.span)};
                  },
                  derived_.empty() ? decl_.span : derived_.front().value->span);
  l_.m_.at(node).type = l_.m_.types.table(after);
  scope_.row = after;
  scope_.made.clear();
  table_ = node;
}

void Lowerer::TransformLowering::makeDerived() {
  for (const Derived& one : derived_) {
    const TypeId type = l_.program_.at(one.symbol).type;
    scope_.made[one.symbol] = l_.lowerAs(*one.value, type);
  }
}

bool Lowerer::TransformLowering::outputFrom(std::size_t at) const {
  for (std::size_t i = at; i < decl_.statements.size(); ++i) {
    const TransformStmt& stmt = decl_.statements[i];
    if (plan_.grouping == &stmt || stmt.kind == TransformKind::Join) return false;
  }
  const auto isOutput = [&](SymbolId symbol, const std::string& column) {
    return std::any_of(plan_.output.begin(), plan_.output.end(),
                       [&](const sema::OutputColumn& one) {
                         return one.symbol == symbol && one.column == column;
                       });
  };
  const auto isDerived = [&](SymbolId symbol) {
    return std::any_of(derived_.begin(), derived_.end(),
                       [&](const Derived& one) { return one.symbol == symbol; });
  };
  for (const sema::OutputColumn& one : plan_.output) {
    if (l_.slotOf(one.symbol, one.column) == nullptr && !isDerived(one.symbol)) return false;
  }
  const auto names = outputNames();
  for (const auto& [column, last] : lastUse_) {
    if (last < at || isOutput(column.first, column.second)) continue;
    const RowSlot* seen = l_.slotOf(column.first, column.second);
    if (seen != nullptr && names.contains(seen->field)) continue;
    // What is no column of these rows (a parameter, an enum case) does not matter.
    const bool here = isDerived(column.first) ||
                      std::any_of(scope_.slots.begin(), scope_.slots.end(),
                                  [&](const RowSlot& slot) { return slot.symbol == column.first; });
    if (here) return false;
  }
  return std::none_of(hidden_.begin(), hidden_.end(),
                      [&](const Aggregate& one) { return one.statement >= at; });
}

std::unordered_map<std::string, std::string_view> Lowerer::TransformLowering::outputNames() const {
  std::unordered_map<std::string, std::string_view> names;
  for (const sema::OutputColumn& one : plan_.output) {
    if (const RowSlot* slot = l_.slotOf(one.symbol, one.column)) names.emplace(slot->field, one.name);
  }
  return names;
}

void Lowerer::TransformLowering::shape() {
  shaped_ = true;
  const TypeId row = l_.program_.at(symbol_).type;
  const std::vector<ir::TypeField> fields = l_.m_.types[row].fields;
  map([&] {
    std::vector<NodeId> parts;
    for (std::size_t i = 0; i < plan_.output.size(); ++i) {
      parts.push_back(l_.convert(column(plan_.output[i]), fields[i].type, plan_.output[i].at));
    }
    scope_.row = row;
    return parts;
  });
  derived_.clear();
  std::vector<RowSlot> slots;
  const auto names = outputNames();
  for (const RowSlot& slot : scope_.slots) {
    const auto name = names.find(slot.field);
    if (name != names.end()) slots.push_back({slot.symbol, slot.column, std::string(name->second)});
  }
  for (const sema::OutputColumn& one : plan_.output) {
    slots.push_back({one.symbol, std::string(one.column), std::string(one.name)});
  }
  scope_.slots = std::move(slots);
}

NodeId Lowerer::TransformLowering::column(const sema::OutputColumn& one) {
  if (const auto it = scope_.made.find(one.symbol); it != scope_.made.end()) return it->second;
  return l_.rowField(*l_.slotOf(one.symbol, one.column), one.at);
}

void Lowerer::TransformLowering::distinct(std::size_t i) {
  if (shaped_) return;
  if (outputFrom(i)) return shape();
  const auto& compared = plan_.compared.at(&decl_.statements[i]);
  const bool asIs = derived_.empty() &&
                    compared.size() == l_.m_.types[scope_.row].fields.size() &&
                    std::all_of(compared.begin(), compared.end(), [&](const auto& one) {
                      return l_.slotOf(one.symbol, one.column) != nullptr;
                    });
  if (asIs) return;
  std::vector<RowSlot> kept;
  map([&] {
    std::vector<NodeId> parts;
    std::vector<ir::TypeField> fields;
    for (const sema::OutputColumn& one : compared) {
      parts.push_back(column(one));
      fields.push_back({std::string(one.name), l_.typeOf(parts.back())});
      kept.push_back({one.symbol, std::string(one.column), std::string(one.name)});
    }
    scope_.row = l_.m_.types.record(std::move(fields));
    return parts;
  });
  derived_.clear();
  scope_.slots = std::move(kept);
}

NodeId Lowerer::rowsNode(ir::Rows payload, TypeId table, std::span<const NodeId> operands,
                         const std::function<std::vector<NodeId>()>& lower, Span span) {
  const ir::NameId name = rows_ != nullptr ? rows_->transform : ir::NameId{};
  const NodeId node = m_.add(region_, payload, table, operands, {}, span, name);
  if (!lower) return node;
  payload.body = m_.addRegion(node);
  inRegion(payload.body, [&] {
    const std::vector<NodeId> tables(operands.begin(), operands.end());
    for (std::size_t i = 0; i < tables.size(); ++i) {
      const TypeId row = m_.types[typeOf(tables[i])].element;
      const NodeId param =
          m_.addParam(payload.body, row, i == 0 ? "row" : "other", span, ir::Phase::Run);
      if (rows_ != nullptr) (i == 0 ? rows_->param : rows_->otherParam) = param;
    }
    std::vector<NodeId> results = lower();
    m_.at(payload.body).results = std::move(results);
  });
  m_.at(node).payload = payload;
  m_.updateAttributes(node);
  return node;
}

void Lowerer::lowerTransform(ir::FuncId id) {
  const sema::Signature& signature = *program_.at(funcSymbols_[id.index()]).signature;
  if (signature.perRow) {  // in the graph it goes over all rows
    const sema::FieldInfo& row = signature.params.front();
    m_.at(values_.at(row.symbol)).type = m_.types.table(row.type);
  }
  const NodeId table = TransformLowering(*this, funcSymbols_[id.index()]).run();
  m_.at(m_.at(id).body).results = {table};
}

}  // namespace couler::lower

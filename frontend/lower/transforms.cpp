// Transforms: the statements of one as operators over rows. Derived columns wait until a statement
// needs them in the rows, so that those that follow each other are made by one Map; a Map keeps only
// the columns that later statements look at.
#include <algorithm>
#include <map>

#include "frontend/lower/lowerer.h"
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

class Lowerer::TransformLowering {
 public:
  TransformLowering(Lowerer& l, SymbolId symbol)
      : l_(l),
        symbol_(symbol),
        decl_(static_cast<const TransformDecl&>(*l.program_.at(symbol).decl)),
        signature_(*l.program_.at(symbol).signature),
        plan_(l.program_.transforms.at(symbol)) {}

  NodeId run() {
    const sema::FieldInfo& rows = signature_.params.front();
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

 private:
  /// A column of rows (`rows.carrier`), all of them (""), or a derived one.
  using Column = std::pair<SymbolId, std::string>;
  struct Derived {
    SymbolId symbol;
    const Expr* value;
  };

  // ---- which statement is the last to look at a column

  void noteUses() {
    const std::size_t end = decl_.statements.size();
    for (std::size_t i = 0; i < end; ++i) {
      const TransformStmt& stmt = decl_.statements[i];
      if (stmt.value != nullptr) noteUses(*stmt.value, i);
      for (const TransformKey& key : stmt.keys) noteUses(*key.value, i);
      if (stmt.kind == TransformKind::Distinct) noteOutput(plan_.compared.at(&stmt), i);
    }
    noteOutput(plan_.output, end);
  }

  void noteOutput(const std::vector<sema::OutputColumn>& columns, std::size_t at) {
    for (const sema::OutputColumn& one : columns) {
      lastUse_[{one.symbol, std::string(one.column)}] = at;
    }
  }

  void noteUses(const Expr& expr, std::size_t at) {
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

  [[nodiscard]] bool neededFrom(SymbolId symbol, const std::string& column, std::size_t at) const {
    for (const Column& one : {Column{symbol, column}, Column{symbol, {}}}) {
      const auto it = lastUse_.find(one);
      if (it != lastUse_.end() && it->second >= at) return true;
    }
    return false;
  }

  // ---- statements

  void statement(std::size_t i) {
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

  template <class Lower>
  void over(ir::Rows payload, TypeId table, Span span, Lower&& lower) {
    table_ = l_.rowsNode(payload, table, {{table_}}, lower, span);
  }

  void orderBy(std::size_t i) {
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

  // ---- maps

  /// Puts the derived columns that wait into the rows, if statement `at` is to see any.
  void materialise(std::size_t at) {
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

  /// A Map whose body first makes the derived columns; `fields` gives the parts of the new row and
  /// sets its type.
  template <class Fields>
  void map(Fields&& fields) {
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

  void makeDerived() {
    for (const Derived& one : derived_) {
      const TypeId type = l_.program_.at(one.symbol).type;
      scope_.made[one.symbol] = l_.lowerAs(*one.value, type);
    }
  }

  /// Whether all columns of the output are there, and no statement from `at` on sees another.
  [[nodiscard]] bool outputFrom(std::size_t at) const {
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
    for (const auto& [column, last] : lastUse_) {
      if (last < at || isOutput(column.first, column.second)) continue;
      const RowSlot* seen = l_.slotOf(column.first, column.second);
      if (seen != nullptr && !outputOf(seen->field).empty()) continue;
      // What is no column of these rows (a parameter, an enum case) does not matter.
      const bool here = isDerived(column.first) ||
                        std::any_of(scope_.slots.begin(), scope_.slots.end(),
                                    [&](const RowSlot& slot) { return slot.symbol == column.first; });
      if (here) return false;
    }
    return std::none_of(hidden_.begin(), hidden_.end(),
                        [&](const Aggregate& one) { return one.statement >= at; });
  }

  /// The name that a field of the rows has in the output, if it is in it: a key may go by two names.
  [[nodiscard]] std::string_view outputOf(std::string_view field) const {
    for (const sema::OutputColumn& one : plan_.output) {
      const RowSlot* slot = l_.slotOf(one.symbol, one.column);
      if (slot != nullptr && slot->field == field) return one.name;
    }
    return {};
  }

  /// The rows that the transform makes.
  void shape() {
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
    for (const RowSlot& slot : scope_.slots) {
      const std::string_view name = outputOf(slot.field);
      if (!name.empty()) slots.push_back({slot.symbol, slot.column, std::string(name)});
    }
    for (const sema::OutputColumn& one : plan_.output) {
      slots.push_back({one.symbol, std::string(one.column), std::string(one.name)});
    }
    scope_.slots = std::move(slots);
  }

  NodeId column(const sema::OutputColumn& one) {
    if (const auto it = scope_.made.find(one.symbol); it != scope_.made.end()) return it->second;
    return l_.rowField(*l_.slotOf(one.symbol, one.column), one.at);
  }

  /// The rows with the columns that `distinct` compares, and no other.
  void distinct(std::size_t i) {
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

  // ---- groups

  struct Aggregate {
    const CallExpr* call;
    const TransformStmt* derive;  ///< the column that it alone makes; null: a part of one
    std::string field;
    std::size_t statement;
  };

  [[nodiscard]] std::vector<Aggregate> aggregatesFrom(std::size_t at) const {
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

  void group(std::size_t i) {
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

  // ---- joins

  void join(const TransformStmt& stmt) {
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

  [[nodiscard]] SymbolId joined(const TransformStmt& stmt) const {
    for (const sema::FieldInfo& param : signature_.params) {
      if (param.name == stmt.name.text) return param.symbol;
    }
    return {};
  }

  std::vector<NodeId> joinKeys(const std::vector<const Expr*>& parts, SymbolId other) {
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

  NodeId key(const Expr& expr, TypeId both) {
    const bool mayBeNone = l_.kind(l_.info(expr).type) == IrKind::Optional;
    return l_.lowerAs(expr, mayBeNone ? l_.m_.types.optional(both) : both);
  }

  [[nodiscard]] TypeId plain(TypeId type) const {
    return l_.kind(type) == IrKind::Optional ? l_.m_.types[type].element : type;
  }

  [[nodiscard]] bool looksAt(const Expr& expr, SymbolId symbol) const {
    std::vector<const Expr*> open{&expr};
    while (!open.empty()) {
      const Expr* one = open.back();
      open.pop_back();
      if (one->kind == ExprKind::Name && l_.info(*one).symbol == symbol) return true;
      sema::forEachChild(one, [&](const Expr* child) { open.push_back(child); });
    }
    return false;
  }

  Lowerer& l_;
  SymbolId symbol_;
  const TransformDecl& decl_;
  const sema::Signature& signature_;
  const sema::TransformPlan& plan_;
  RowScope scope_;
  NodeId table_;                  ///< the rows so far
  std::vector<Aggregate> hidden_;  ///< aggregates that are parts of expressions
  bool shaped_ = false;           ///< they are of the type that the transform makes
  std::vector<Derived> derived_;  ///< columns that wait for a Map
  std::map<Column, std::size_t> lastUse_;
};

NodeId Lowerer::rowsNode(ir::Rows payload, TypeId table, std::span<const NodeId> operands,
                         const std::function<std::vector<NodeId>()>& lower, Span span) {
  const NodeId node = m_.add(region_, payload, table, operands, {}, span);
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

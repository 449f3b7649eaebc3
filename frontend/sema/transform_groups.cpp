// Groups of rows: their keys, aggregates, and which columns there are after them.
#include <algorithm>
#include <array>

#include "frontend/sema/checker.h"
#include "frontend/sema/walk.h"
#include "support/text.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

namespace {

struct AggregateName {
  std::string_view name;
  std::size_t least;
  std::size_t most;
};
constexpr std::array kAggregates{
    AggregateName{"count", 0, 1},    AggregateName{"count_distinct", 1, 1},
    AggregateName{"sum", 1, 1},      AggregateName{"mean", 1, 1},
    AggregateName{"stddev", 1, 1},   AggregateName{"min", 1, 1},
    AggregateName{"max", 1, 1},      AggregateName{"quantile", 2, 2},
    AggregateName{"first", 1, 1},    AggregateName{"last", 1, 1}};

}  // namespace

bool isAggregateName(std::string_view name) {
  return std::any_of(kAggregates.begin(), kAggregates.end(),
                     [&](const AggregateName& one) { return one.name == name; });
}

bool Checker::isKeyType(TypeId type) const {
  if (types().kind(type) == IrKind::Optional) type = types()[type].element;
  return textable(type);
}

bool Checker::strip(std::vector<TypeId>& operands) const {
  bool any = false;
  for (TypeId& operand : operands) {
    if (types().kind(operand) != IrKind::Optional) continue;
    operand = types()[operand].element;
    any = true;
  }
  return any;
}

void Checker::startGroups(const TransformStmt& stmt, Span at) {
  TransformScope& scope = *transform_;
  const std::string_view what = stmt.kind == TransformKind::GroupBy ? "group by" : text(at);
  if (scope.hasSpread) {
    misplaced(at, what, "cannot follow `...`, which keeps the columns of each row",
              "a group has its keys and aggregates; leave `...` out");
  } else if (scope.distinct != nullptr) {
    misplaced(at, what, "cannot follow `distinct`, which has chosen the columns");
  }
  scope.plan.grouping = &stmt;
  scope.groupedAt = at;
  scope.plan.output.clear();
}

void Checker::checkGroupBy(const TransformStmt& stmt) {
  TransformScope& scope = *transform_;
  if (scope.grouped()) {
    report(diagnose<Diag::MisplacedStatement>(stmt.span, "group by",
                                              "cannot follow groups: it stands once")
               .label(scope.groupedAt, "the groups are made here"));
  }
  scope.noAggregate = "a key is a value of one row";
  struct Column {
    Name name;
    TypeId type;
    const TransformKey* key;
  };
  std::vector<Column> columns;
  for (const TransformKey& key : stmt.keys) {
    const std::size_t before = scope.uses.size();
    const TypeId type = check(key.value);
    if (!isError(type) && !isKeyType(type)) {
      report(diagnose<Diag::KeyType>(key.value->span, "grouped", print(type))
                 .note("keys are numbers, strings, times, sizes, truths and enum cases"));
    }
    Name name = key.name;
    GroupKey made;
    const bool isColumn = scope.uses.size() == before + 1 && scope.uses[before].expr == key.value;
    if (isColumn && !scope.uses[before].column.empty()) {
      made.source = scope.uses[before].symbol;
      made.column = scope.uses[before].column;
    }
    if (name.text.empty() && key.value->kind == ExprKind::Name && isColumn) {
      made.symbol = scope.uses[before].symbol;  // a derived column, under its own name
    } else if (name.text.empty() && made.source.valid()) {
      name = static_cast<const MemberExpr*>(key.value)->member;
    } else if (name.text.empty() && !isError(type)) {
      const Span start{key.value->span.file, key.value->span.begin, key.value->span.begin};
      report(diagnose<Diag::UnnamedKey>(key.value->span).fix("give it a name", start, "key = "));
    }
    scope.keys.push_back(made);
    columns.push_back({name, type, &key});
  }
  if (!scope.grouped()) startGroups(stmt, stmt.span);
  const std::size_t first = scope.keys.size() - columns.size();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    GroupKey& key = scope.keys[first + i];
    const Column& column = columns[i];
    if (!key.symbol.valid() && !column.name.text.empty()) {
      key.symbol = declareLocal(SymbolKind::Column, column.name, column.type, Phase::Run);
    }
    if (!key.symbol.valid()) continue;
    file_->declared[column.key] = key.symbol;
    scope.ofGroups.push_back(key.symbol);
    addOutput({program_->at(key.symbol).name, column.type, key.symbol, {}, column.key->value->span},
              nullptr);
  }
  scope.uses.clear();
  if (stmt.keys.size() > ir::kMaxKeys) {
    misplaced(stmt.span, "group by", fmt::format("takes at most {} keys", ir::kMaxKeys));
  }
}

bool Checker::isGone(const RowUse& use) const {
  const TransformScope& scope = *transform_;
  const bool ofGroup =
      std::find(scope.ofGroups.begin(), scope.ofGroups.end(), use.symbol) != scope.ofGroups.end();
  if (scope.grouped()) {
    if (ofGroup) return isLeftOut(use);
    if (use.inAggregate) return false;
    return std::none_of(scope.keys.begin(), scope.keys.end(), [&](const GroupKey& key) {
      return key.source == use.symbol && !use.column.empty() && key.column == use.column;
    });
  }
  return isLeftOut(use);
}

/// Whether `distinct` has left the column out.
bool Checker::isLeftOut(const RowUse& use) const {
  const TransformScope& scope = *transform_;
  if (scope.distinct == nullptr) return false;
  const auto& kept = scope.plan.compared.at(scope.distinct);
  const auto has = [&](std::string_view column) {
    return std::any_of(kept.begin(), kept.end(), [&](const OutputColumn& one) {
      return one.symbol == use.symbol && one.column == column;
    });
  };
  if (program_->at(use.symbol).kind == SymbolKind::Column) {
    const std::vector<SymbolId>& later = scope.afterDistinct;
    return !has({}) && std::find(later.begin(), later.end(), use.symbol) == later.end();
  }
  if (!use.column.empty()) return !has(use.column);
  const std::vector<ir::TypeField>& fields = types()[info(*use.expr).type].fields;
  return !std::all_of(fields.begin(), fields.end(),
                      [&](const ir::TypeField& field) { return has(field.name); });
}

void Checker::settleUses() {
  for (const RowUse& use : transform_->uses) {
    if (isGone(use)) reportGone(use);
  }
  transform_->uses.clear();
}

void Checker::reportGone(const RowUse& use) {
  const TransformScope& scope = *transform_;
  const std::string written(text(use.expr->span));
  if (isLeftOut(use)) {
    report(diagnose<Diag::ColumnGone>(use.expr->span, written, "`distinct`")
               .note("`distinct` compares the columns named before it, and keeps only these"));
    return;
  }
  Diagnostic diagnostic = diagnose<Diag::ColumnGone>(
      use.expr->span, written, scope.keys.empty() ? "an aggregate" : "`group by`");
  diagnostic.label(scope.groupedAt, "here rows become groups");
  const bool isRow = use.column.empty() && program_->at(use.symbol).kind != SymbolKind::Column;
  if (!isRow && scope.plan.grouping->kind == TransformKind::GroupBy) {
    const Span end{use.expr->span.file, scope.plan.grouping->keys.back().value->span.end,
                   scope.plan.grouping->keys.back().value->span.end};
    diagnostic.fix("make it a key", end, ", " + written);
  } else if (!isRow) {
    diagnostic.fix("take its first value", use.expr->span, fmt::format("first({})", written));
  }
  diagnostic.note(fmt::format("a group has one value of its keys and of aggregates, as in "
                              "`first({})`",
                              written));
  report(std::move(diagnostic));
}

bool Checker::isAggregateCall(std::string_view name, std::span<const TypeId> args) const {
  const auto* row = std::find_if(kAggregates.begin(), kAggregates.end(),
                                 [&](const AggregateName& one) { return one.name == name; });
  if (row == kAggregates.end() || args.size() < row->least || args.size() > row->most) return false;
  if (args.empty()) return true;
  // Of a list it is the ordinary function.
  const IrKind kind = types().kind(args[0]);
  const bool ordinary = builtins_.contains(name) && (kind == IrKind::List || kind == IrKind::Map);
  return !ordinary;
}

TypeId Checker::checkAggregate(const CallExpr& expr, const Name& name, std::vector<TypeId> args,
                               std::size_t firstUse, const Expr* inner) {
  TransformScope& scope = *transform_;
  const auto refuse = [&](std::string_view why, std::string note) {
    Diagnostic diagnostic = diagnose<Diag::MisplacedAggregate>(expr.span, name.text, why);
    if (!note.empty()) diagnostic.note(std::move(note));
    report(std::move(diagnostic));
    return set(expr, TypeTable::kError, Phase::Run);
  };
  for (std::size_t i = firstUse; i < scope.uses.size(); ++i) scope.uses[i].inAggregate = true;
  if (scope.perRow) {
    const FieldInfo& row = program_->at(owner_).signature->params.front();
    return refuse("and this is one row",
                  fmt::format("a transform of a table has aggregates: `{}: table<{}>`", row.name,
                              print(row.type)));
  }
  if (inner != nullptr) {
    return refuse("and here are aggregates already",
                  "name the inner one in a transform of its own, and give its rows to this one");
  }
  if (!scope.noAggregate.empty()) return refuse("not here", std::string(scope.noAggregate));
  if (scope.distinct != nullptr) return refuse("and `distinct` has chosen the columns", {});
  if (const std::string_view local = localIn(expr); !local.empty()) {
    return refuse(fmt::format("and `{}` has a value for each item", local),
                  "give the aggregate a column of its own, and use that");
  }
  for (std::size_t i = firstUse; i < scope.uses.size(); ++i) {
    const RowUse& use = scope.uses[i];
    const bool key = std::any_of(scope.keys.begin(), scope.keys.end(), [&](const GroupKey& one) {
      return one.symbol == use.symbol;
    });
    const bool ofGroup = std::find(scope.ofGroups.begin(), scope.ofGroups.end(), use.symbol) !=
                         scope.ofGroups.end();
    if (ofGroup && !key) {
      return refuse(fmt::format("and `{}` is made of groups", text(use.expr->span)), {});
    }
  }
  if (scope.aggregate == nullptr) scope.aggregate = &expr;
  const bool lifted = strip(args);
  const ir::BuiltinMatch* found = match(builtinAggregate(name.text), args);
  if (found == nullptr) {
    noOverload(expr, {builtinAggregate(name.text), name.span}, args);
    return set(expr, TypeTable::kError, Phase::Run);
  }
  CallBinding binding;
  binding.isBuiltin = true;
  binding.builtin = found->id;
  binding.paramTypes = found->params;
  for (std::size_t i = 0; i < args.size(); ++i) {
    binding.argument.push_back(static_cast<std::int32_t>(i));
  }
  // Without keys there is one group, which may have no row.
  const bool mayLack = ir::needsValue(found->id) &&
                       (lifted || scope.keys.empty() || found->id == ir::Builtin::AggStddev);
  binding.lifted = lifted || mayLack;
  const TypeId type = mayLack ? types().optional(found->result) : found->result;
  file_->calls[expr.id] = std::move(binding);
  if (args.size() == 2) checkQuantile(expr.args[1].value);
  return set(expr, type, Phase::Run);
}

/// A name of an item or a state within the arguments, which the rows of a group do not have.
std::string_view Checker::localIn(const CallExpr& call) const {
  std::vector<const Expr*> open;
  for (const Argument& arg : call.args) open.push_back(arg.value);
  while (!open.empty()) {
    const Expr* expr = open.back();
    open.pop_back();
    if (expr == nullptr) continue;
    if (expr->kind == ExprKind::Name && info(*expr).symbol.valid()) {
      const Symbol& symbol = program_->at(info(*expr).symbol);
      const bool inside =
          symbol.declared.begin >= call.span.begin && symbol.declared.end <= call.span.end;
      const bool local =
          symbol.kind == SymbolKind::Local || symbol.kind == SymbolKind::LoopVariable;
      if (local && !inside) return symbol.name;
    }
    forEachChild(expr, [&](const Expr* child) { open.push_back(child); });
  }
  return {};
}

/// `#sum` for `sum`: the names of the functions over groups in the table of built-ins.
std::string_view Checker::builtinAggregate(std::string_view name) const {
  for (const ir::BuiltinInfo& row : ir::builtinTable()) {
    if (ir::isAggregate(row.id) && row.name.substr(1) == name) return row.name;
  }
  return name;
}

void Checker::checkQuantile(const Expr* part) {
  needPhase(part, Phase::Compile, "which quantile");
  const bool bad = (part->kind == ExprKind::Float &&
                    static_cast<const FloatExpr*>(part)->value > 1) ||
                   (part->kind == ExprKind::Int && static_cast<const IntExpr*>(part)->value > 1) ||
                   part->kind == ExprKind::Unary;
  if (bad) report(diagnose<Diag::ConstantRange>(part->span, "quantile", "must be from 0 to 1"));
}

}  // namespace couler::sema

// Joins: which table, on which columns; and the conditions of schemas.
#include <algorithm>

#include "frontend/sema/checker.h"
#include "frontend/sema/walk.h"
#include "support/text.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

std::vector<const Expr*> conjunctsOf(const Expr* expr) {
  std::vector<const Expr*> parts;
  while (expr != nullptr && expr->kind == ExprKind::Binary &&
         static_cast<const BinaryExpr*>(expr)->op == BinaryOp::And) {
    parts.push_back(static_cast<const BinaryExpr*>(expr)->right);
    expr = static_cast<const BinaryExpr*>(expr)->left;
  }
  parts.push_back(expr);
  std::reverse(parts.begin(), parts.end());
  return parts;
}

void Checker::checkJoin(const TransformStmt& stmt) {
  TransformScope& scope = *transform_;
  const SymbolId other = findLocal(stmt.name.text);
  const std::vector<FieldInfo>& params = program_->at(owner_).signature->params;
  const bool isTable = other.valid() && program_->at(other).kind == SymbolKind::Param &&
                       types().kind(program_->at(other).type) == IrKind::Table;
  if (!isTable) {
    if (other.valid() && isError(program_->at(other).type)) return;
    std::vector<std::string_view> names;
    for (std::size_t i = 1; i < params.size(); ++i) {
      if (types().kind(params[i].type) == IrKind::Table) names.push_back(params[i].name);
    }
    return unknownName("table", stmt.name, names,
                       fmt::format("a table to join is a parameter of the transform, `{}: table<…>`",
                                   stmt.name.text));
  }
  use(other);
  if (scope.grouped()) {
    return misplaced(stmt.span, "join", "cannot follow groups",
                     "join in a transform of its own, and give its rows to this one or take these");
  }
  if (sourceOf(other) != nullptr) {
    return misplaced(stmt.span, "join",
                     fmt::format("cannot take `{}`, which is there already", stmt.name.text));
  }
  scope.noAggregate = "`on` compares columns of two rows";
  const TypeId row = types()[program_->at(other).type].element;
  scope.sources.push_back({other, row});
  checkJoinCondition(stmt, other);
  scope.uses.clear();
  if (stmt.join == JoinKind::Semi || stmt.join == JoinKind::Anti) {
    scope.sources.pop_back();
  } else if (stmt.join == JoinKind::Left) {
    // Where no row matches, there is none of its values.
    std::vector<ir::TypeField> fields = types()[row].fields;
    for (ir::TypeField& field : fields) field.type = types().optional(field.type);
    scope.sources.back().row = types().record(std::move(fields));
  }
}

void Checker::checkJoinCondition(const TransformStmt& stmt, SymbolId other) {
  const TypeId type = check(stmt.value);
  if (isError(type)) return;
  const std::string_view name = program_->at(other).name;
  // Which rows an expression looks at: those before, those of the other table.
  const auto looksAt = [&](const Expr* expr, bool atOther) {
    return std::any_of(
        transform_->uses.begin(), transform_->uses.end(), [&](const RowUse& use) {
          return (use.symbol == other) == atOther && use.expr->span.begin >= expr->span.begin &&
                 use.expr->span.end <= expr->span.end;
        });
  };
  for (const Expr* part : conjunctsOf(stmt.value)) {
    const auto* equal = static_cast<const BinaryExpr*>(part);
    const bool isEqual = part->kind == ExprKind::Binary && equal->op == BinaryOp::Equal;
    const bool forward = isEqual && looksAt(equal->left, false) && !looksAt(equal->left, true) &&
                         looksAt(equal->right, true) && !looksAt(equal->right, false);
    const bool backward = isEqual && looksAt(equal->left, true) && !looksAt(equal->left, false) &&
                          looksAt(equal->right, false) && !looksAt(equal->right, true);
    if (!forward && !backward) {
      report(diagnose<Diag::JoinCondition>(part->span, name)
                 .note(fmt::format("a join goes by equal values: `{}.… == {}.…`, several with `and`; "
                                   "other conditions go into `where` after it",
                                   program_->at(transform_->sources.front().symbol).name, name)));
      continue;
    }
    for (const Expr* side : {equal->left, equal->right}) {
      if (isKeyType(info(*side).type)) continue;
      report(diagnose<Diag::KeyType>(side->span, "joined", print(info(*side).type))
                 .note("keys are numbers, strings, times, sizes, truths and enum cases"));
      break;
    }
  }
  if (conjunctsOf(stmt.value).size() > ir::kMaxKeys) {
    misplaced(stmt.span, "join", fmt::format("takes at most {} keys", ir::kMaxKeys));
  }
}

/// `where` of a schema's column: conditions joined by `and`, of which some may be `unique`.
void Checker::checkConstraint(const FieldInfo& column) {
  const std::vector<const Expr*> parts = conjunctsOf(column.syntax->where);
  const bool anyUnique =
      std::any_of(parts.begin(), parts.end(), [&](const Expr* part) { return isUnique(part); });
  const TypeId wanted = types().optional(TypeTable::kBool);
  const auto condition = [&](const Expr* part) {
    const TypeId type = check(part);
    if (!types().accepts(wanted, type)) mismatch(part, TypeTable::kBool, type, nullptr);
  };
  const std::size_t facts = facts_.size();
  if (!anyUnique) {
    condition(column.syntax->where);
    facts_.resize(facts);
    return;
  }
  for (const Expr* part : parts) {
    if (!isUnique(part)) {
      condition(part);
      addFacts(part, true);
      continue;
    }
    set(*part, TypeTable::kBool, Phase::Run);
    if (!isKeyType(column.type)) {
      report(diagnose<Diag::KeyType>(part->span, "told apart", print(column.type))
                 .note("keys are numbers, strings, times, sizes, truths and enum cases"));
    }
  }
  facts_.resize(facts);
}

/// `unique`, in a schema that has no column of that name.
bool Checker::isUnique(const Expr* part) const {
  return part != nullptr && part->kind == ExprKind::Name &&
         static_cast<const NameExpr*>(part)->name.text == "unique" &&
         !findLocal("unique").valid();
}

}  // namespace couler::sema

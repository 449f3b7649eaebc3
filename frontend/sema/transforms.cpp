// Transforms: statements over the rows of a table, and the columns of the rows that they make.
#include <algorithm>

#include "frontend/sema/checker.h"
#include "support/text.h"

namespace couler::sema {

using namespace syntax;
using IrKind = ir::TypeKind;

Checker::RowSource* Checker::sourceOf(SymbolId symbol) {
  if (transform_ == nullptr) return nullptr;
  for (RowSource& source : transform_->sources) {
    if (source.symbol == symbol) return &source;
  }
  return nullptr;
}

void Checker::misplaced(Span at, std::string_view what, std::string_view why, std::string note) {
  Diagnostic diagnostic = diagnose<Diag::MisplacedStatement>(at, what, why);
  if (!note.empty()) diagnostic.note(std::move(note));
  report(std::move(diagnostic));
}

/// The first parameter as the rows that the statements are about; false when it is none (reported).
bool Checker::bindRows(SymbolId symbol, TransformScope& scope) {
  Signature& signature = *program_->at(symbol).signature;
  if (signature.params.empty()) {
    if (scope.decl->params.empty()) {
      report(diagnose<Diag::TransformParameter>(scope.decl->name.span, scope.decl->name.text,
                                                "has no parameter")
                 .note("the first is a row, `c: Comment`, or a table, `rows: table<Comment>`"));
    }
    return false;
  }
  const FieldInfo& rows = signature.params.front();
  const IrKind kind = types().kind(rows.type);
  if (kind == IrKind::Error) return false;
  if (kind != IrKind::Schema && kind != IrKind::Table) {
    report(diagnose<Diag::TransformParameter>(
               rows.syntax->type->span, scope.decl->name.text,
               fmt::format("has a first parameter of type `{}`", print(rows.type)))
               .note("the first is a row, `c: Comment`, or a table, `rows: table<Comment>`"));
    return false;
  }
  signature.perRow = scope.perRow = kind == IrKind::Schema;
  const TypeId row = scope.perRow ? rows.type : types()[rows.type].element;
  scope.sources.push_back({rows.symbol, row});
  if (scope.perRow) {
    for (const FieldInfo& param : signature.params) {
      if (types().kind(param.type) != IrKind::Table) continue;
      report(diagnose<Diag::TypeNotAllowed>(param.syntax->type->span,
                                            "parameter of a transform of single rows",
                                            print(param.type))
                 .note(fmt::format("to join tables, take one: `{}: table<{}>`", rows.name,
                                   print(rows.type))));
    }
  }
  return true;
}

void Checker::checkTransform(SymbolId symbol) {
  const auto& decl = *static_cast<const TransformDecl*>(program_->at(symbol).decl);
  place_ = Place::Row;
  owner_ = symbol;
  TransformScope scope;
  scope.decl = &decl;
  if (!bindRows(symbol, scope)) {
    extra(symbol).rowKnown = true;  // as Error, of which nothing more is said
    return;
  }
  pushScope();
  bindParams(symbol);
  checkStepSettings(decl, true);
  place_ = Place::Row;
  transform_ = &scope;
  for (const TransformStmt& stmt : decl.statements) {
    scope.uses.clear();
    scope.aggregate = nullptr;
    scope.noAggregate = {};
    checkTransformStmt(stmt);
    settleUses();
  }
  popScope();
  facts_.clear();
  finishTransform(symbol, scope);
  transform_ = nullptr;
}

void Checker::checkTransformStmt(const TransformStmt& stmt) {
  const bool overTable = stmt.kind != TransformKind::Where && stmt.kind != TransformKind::Derive &&
                         stmt.kind != TransformKind::Spread;
  if (overTable && transform_->perRow) {
    static constexpr std::string_view kWords[] = {"where",    "=",     "...",      "group by",
                                                  "order by", "limit", "distinct", "join"};
    const FieldInfo& row = program_->at(owner_).signature->params.front();
    const std::string_view word = kWords[static_cast<std::size_t>(stmt.kind)];
    report(diagnose<Diag::MisplacedStatement>(stmt.span, word,
                                              "goes over the rows of a table, and this is one row")
               .label(row.syntax->span, "declared here")
               .fix("take a table", row.syntax->type->span,
                    fmt::format("table<{}>", text(row.syntax->type->span))));
    return;
  }
  switch (stmt.kind) {
    case TransformKind::Where:
      return checkRowCondition(stmt);
    case TransformKind::Derive:
      return checkDerive(stmt);
    case TransformKind::Spread:
      return checkSpread(stmt);
    case TransformKind::GroupBy:
      return checkGroupBy(stmt);
    case TransformKind::OrderBy:
      return checkOrderBy(stmt);
    case TransformKind::Limit:
      return checkLimit(stmt);
    case TransformKind::Distinct:
      return checkDistinct(stmt);
    case TransformKind::Join:
      return checkJoin(stmt);
  }
}

void Checker::checkRowCondition(const TransformStmt& stmt) {
  if (!transform_->grouped()) {
    transform_->noAggregate = "`where` looks at one row, and there are no groups yet";
  }
  const TypeId type = check(stmt.value);
  if (types().accepts(types().optional(TypeTable::kBool), type)) {
    // The rows that are left are those for which it holds.
    return addFacts(stmt.value, true);
  }
  mismatch(stmt.value, TypeTable::kBool, type, nullptr);
}

void Checker::checkDerive(const TransformStmt& stmt) {
  const bool taken = findLocal(stmt.name.text).valid();
  TypeId type = check(stmt.value);
  if (!isError(type)) type = checkColumnType(stmt.value->span, type);
  if (transform_->aggregate != nullptr && !transform_->grouped()) {
    startGroups(stmt, transform_->aggregate->span);
  }
  const SymbolId symbol = declareLocal(SymbolKind::Column, stmt.name, type, Phase::Run);
  file_->declared[&stmt] = symbol;
  if (transform_->grouped()) transform_->ofGroups.push_back(symbol);
  if (transform_->distinct != nullptr) transform_->afterDistinct.push_back(symbol);
  // A name that begins with `_` is a help for later statements and no column of the output.
  const bool isPrivate = stmt.name.text.starts_with('_');
  if (!taken && !isPrivate) addOutput({stmt.name.text, type, symbol, {}, stmt.span}, nullptr);
}

void Checker::addOutput(OutputColumn column, const TransformStmt* spread) {
  std::vector<OutputColumn>& output = transform_->plan.output;
  const auto same = std::find_if(output.begin(), output.end(), [&](const OutputColumn& other) {
    return other.name == column.name;
  });
  if (same == output.end()) {
    output.push_back(column);
  } else if (same->column.empty()) {
    return;  // a derived column stands for the one of that name in a spread
  } else if (column.column.empty()) {
    *same = column;
  } else {
    Diagnostic diagnostic = diagnose<Diag::RepeatedColumn>(column.at, column.name);
    diagnostic.label(same->at, "the first one");
    if (spread != nullptr) {
      const Span end{column.at.file, column.at.end, column.at.end};
      diagnostic.fix("leave it out here", end,
                     fmt::format("{} {}", spread->without.empty() ? " without" : ",", column.name));
    } else {
      diagnostic.note("say which columns there are, as in `...rows` and `...other without name`");
    }
    report(std::move(diagnostic));
  }
}

void Checker::checkSpread(const TransformStmt& stmt) {
  const SymbolId symbol = findLocal(stmt.name.text);
  RowSource* source = symbol.valid() ? sourceOf(symbol) : nullptr;
  if (source == nullptr) {
    std::vector<std::string_view> names;
    for (const RowSource& one : transform_->sources) names.push_back(program_->at(one.symbol).name);
    return unknownName("row", stmt.name, names, "`...` keeps the columns of rows");
  }
  use(symbol);
  if (transform_->grouped() || transform_->distinct != nullptr) {
    const bool grouped = transform_->grouped();
    return misplaced(stmt.span, "...",
                     grouped ? "cannot follow groups: the rows they are made of are gone"
                             : "cannot follow `distinct`, which has chosen the columns",
                     grouped ? "a group has its keys and aggregates, as in `n = count()`" : "");
  }
  transform_->hasSpread = true;
  if (isError(source->row)) return;
  const std::vector<ir::TypeField>& fields = types()[source->row].fields;
  for (const Name& left : stmt.without) {
    if (types().fieldIndex(source->row, left.text)) continue;
    std::vector<std::string_view> names;
    for (const ir::TypeField& field : fields) names.push_back(field.name);
    Diagnostic diagnostic =
        diagnose<Diag::UnknownMember>(left.span, print(source->row), left.text);
    if (const auto near = nearest(left.text, names)) {
      diagnostic.caret = fmt::format("did you mean `{}`?", *near);
      diagnostic.fix(fmt::format("write `{}`", *near), left.span, *near);
    }
    report(std::move(diagnostic));
  }
  addSpread(*source, stmt.span, &stmt);
}

void Checker::addSpread(const RowSource& source, Span at, const TransformStmt* spread) {
  const TypeId row = source.row;
  for (std::size_t i = 0; i < types()[row].fields.size(); ++i) {
    // The name lives as long as the type table keeps the type, so it is taken from the source.
    const std::string_view name = columnName(row, i);
    const bool left =
        spread != nullptr && std::any_of(spread->without.begin(), spread->without.end(),
                                         [&](const Name& one) { return one.text == name; });
    if (!left) addOutput({name, types()[row].fields[i].type, source.symbol, name, at}, spread);
  }
}

void Checker::checkOrderBy(const TransformStmt& stmt) {
  if (!transform_->grouped()) {
    transform_->noAggregate = "`order by` looks at one row, and there are no groups yet";
  }
  for (const TransformKey& key : stmt.keys) {
    const TypeId type = check(key.value);
    if (isError(type) || isKeyType(type)) continue;
    report(diagnose<Diag::KeyType>(key.value->span, "put in order", print(type))
               .note("there is an order of numbers, strings, times, sizes, truths and enum cases"));
  }
  if (stmt.keys.size() > ir::kMaxKeys) {
    misplaced(stmt.span, "order by", fmt::format("takes at most {} keys", ir::kMaxKeys));
  }
}

void Checker::checkLimit(const TransformStmt& stmt) {
  transform_->noAggregate = "`limit` is one number for the whole table";
  const std::size_t before = transform_->uses.size();
  checkAs(stmt.value, TypeTable::kInt);
  if (transform_->uses.size() != before) {
    misplaced(transform_->uses[before].expr->span, text(transform_->uses[before].expr->span),
              "is a column, and `limit` is one number for the whole table",
              "use a number or a parameter of the transform");
    transform_->uses.clear();
  }
  const auto* minus = stmt.value->kind == ExprKind::Unary
                          ? static_cast<const UnaryExpr*>(stmt.value)
                          : nullptr;
  if (minus != nullptr && minus->op == UnaryOp::Negate && minus->operand != nullptr &&
      minus->operand->kind == ExprKind::Int) {
    report(diagnose<Diag::ConstantRange>(stmt.value->span, "limit", "must not be negative"));
  }
}

void Checker::checkDistinct(const TransformStmt& stmt) {
  transform_->distinct = &stmt;
  transform_->afterDistinct.clear();
  if (transform_->plan.output.empty() && !transform_->grouped()) {
    addAllColumns();
  }
  transform_->plan.compared[&stmt] = transform_->plan.output;
}

/// No spread and no derived column: all columns as they are.
void Checker::addAllColumns() {
  transform_->hasSpread = true;
  for (const RowSource& source : transform_->sources) {
    if (isError(source.row)) continue;
    addSpread(source, program_->at(owner_).declared, nullptr);
  }
}

void Checker::finishTransform(SymbolId symbol, TransformScope& scope) {
  if (scope.plan.output.empty() && !scope.grouped()) addAllColumns();
  ir::Type type;
  type.kind = IrKind::Schema;
  type.name = scope.decl->name.text;
  type.origin = sources_.path(fileId_);
  Signature& signature = *program_->at(symbol).signature;
  for (const OutputColumn& column : scope.plan.output) {
    type.fields.push_back({std::string(column.name), column.type});
    signature.columns.push_back({column.name, column.type, nullptr, {}});
  }
  const TypeId row = types().intern(std::move(type));
  program_->at(symbol).type = row;
  signature.result = types().table(row);
  nominal_.emplace(row, symbol);
  extra(symbol).rowKnown = true;
  program_->transforms.emplace(symbol, std::move(scope.plan));
}

TypeId Checker::checkRowName(const Expr& expr, SymbolId symbol) {
  if (const RowSource* source = sourceOf(symbol)) {
    transform_->uses.push_back({symbol, {}, &expr});
    return set(expr, source->row, Phase::Run);
  }
  const std::string_view name = program_->at(symbol).name;
  report(diagnose<Diag::NotJoined>(expr.span, name)
             .note(fmt::format("`join {} on … == {}.…` before it gives its columns to the rows",
                               name, name)));
  return set(expr, TypeTable::kError, Phase::Run);
}

void Checker::noteColumnUse(const MemberExpr& expr) {
  if (transform_ == nullptr || expr.object->kind != ExprKind::Name) return;
  std::vector<RowUse>& uses = transform_->uses;
  if (uses.empty() || uses.back().expr != expr.object) return;
  uses.back().column = expr.member.text;
  uses.back().expr = &expr;
}

}  // namespace couler::sema

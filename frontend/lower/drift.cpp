// `drift(new, old)`: a step over two tables whose outputs are values.
#include <fmt/format.h>

#include "frontend/lower/lowerer.h"
#include "ir/drift.h"

namespace couler::lower {

using namespace syntax;
using ir::Builtin;

/// Which columns are compared is settled here: those of one name.
NodeId Lowerer::driftNode(NodeId recent, NodeId before, Span span) {
  const TypeId rowA = m_.types[typeOf(recent)].element;
  const TypeId rowB = m_.types[typeOf(before)].element;
  ir::ListItems names;
  ir::ListItems numeric;
  for (const ir::TypeField& field : m_.types[rowA].fields) {
    const ir::DriftKind kind = ir::driftKind(m_.types, field.type);
    if (kind == ir::DriftKind::None || !m_.types.fieldIndex(rowB, field.name)) continue;
    names.emplace_back(field.name);
    numeric.emplace_back(kind == ir::DriftKind::Number);
  }
  const NodeId which = constNode(ir::Value::list(std::move(names)),
                                 m_.types.list(ir::TypeTable::kString), span);
  const NodeId are = constNode(ir::Value::list(std::move(numeric)),
                               m_.types.list(ir::TypeTable::kBool), span);
  return op(Builtin::Drift, ir::driftType(m_.types), {{recent, before, which, are}}, span);
}

ir::TaskId Lowerer::driftTask(TypeId recent, TypeId before, Span span) {
  std::string key = fmt::format("drift {} {}", recent.index(), before.index());
  return tableTask(std::move(key), "drift", span, [&](ir::TaskDef& task) {
    task.result = ir::driftType(m_.types);
    const NodeId tables[] = {tableParam(task, "new", recent), tableParam(task, "old", before)};
    const NodeId apart = driftNode(tables[0], tables[1], span);
    std::vector<NodeId> results;
    for (const ir::TypeField& field : std::vector(m_.types[task.result].fields)) {
      task.outputs.push_back({field.name, field.type, ir::OutputFrom::File, field.name, {}, span});
      results.push_back(
          m_.add(region_, ir::Field{m_.intern(field.name)}, field.type, {{apart}}, {}, span));
    }
    m_.at(task.exprs).results = std::move(results);
  });
}

NodeId Lowerer::lowerDrift(const CallExpr& expr, const sema::CallBinding& binding) {
  const auto argument = [&](std::size_t i) -> const Expr& {
    return *expr.args[static_cast<std::size_t>(binding.argument[i])].value;
  };
  const bool isTest = kind(info(argument(0)).type) == IrKind::List;
  // The name before the arguments, which may hold calls of their own.
  ir::NameId name;
  std::vector<NodeId> order;
  if (!isTest) {
    name = stepName(expr, "drift");
    order = takeOrder(expr);
  }
  std::vector<NodeId> tables;
  for (std::size_t i = 0; i < 2; ++i) {
    NodeId rows = lower(argument(i));
    if (isTest) {
      const TypeId table = m_.types.table(m_.types[typeOf(rows)].element);
      rows = op(Builtin::RowsOfList, table, {{rows}}, argument(i).span);
    }
    tables.push_back(rows);
  }
  if (isTest) return driftNode(tables[0], tables[1], expr.span);
  const ir::TaskId task = driftTask(typeOf(tables[0]), typeOf(tables[1]), expr.span);
  return m_.add(region_, ir::Step{task}, m_.at(task).result, tables, order, expr.span, name);
}

}  // namespace couler::lower

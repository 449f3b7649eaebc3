// Steps over tables: those that read files, apply transforms and write files.
#include <algorithm>
#include <array>

#include "frontend/lower/lowerer.h"
#include "frontend/sema/walk.h"

namespace couler::lower {

using namespace syntax;
using ir::Builtin;

std::vector<NodeId> Lowerer::takeOrder(const Expr& call) {
  if (orderedCall_ != &call) return {};
  orderedCall_ = nullptr;
  return std::exchange(order_, {});
}

/// A step of a task over tables, and the one output that it has.
NodeId Lowerer::tableStep(ir::TaskId task, std::string_view output,
                          std::span<const NodeId> operands, std::span<const NodeId> order,
                          Span span, ir::NameId name) {
  const TypeId result = m_.at(task).result;
  const TypeId type = m_.at(task).outputs.front().type;
  const NodeId step = m_.add(region_, ir::Step{task}, result, operands, order, span, name);
  return m_.add(region_, ir::Field{m_.intern(output)}, type, {{step}}, {}, span);
}

ir::TaskId Lowerer::requireTransformTask(SymbolId symbol) {
  const ir::FuncId func = requireFunc(symbol);
  const auto [it, isNew] = transformTasks_.try_emplace(symbol, ir::TaskId{m_.tasks.size()});
  if (!isNew) return it->second;
  const sema::Symbol& info = program_.at(symbol);
  m_.tasks.emplace_back();
  taskSymbols_.push_back(symbol);
  ir::TaskDef task;
  task.name = m_.at(func).name;
  task.run = ir::RunKind::Table;
  task.doc = info.decl->doc;
  task.span = info.decl->span;
  const TypeId table = info.signature->result;
  task.outputs.push_back(
      {"rows", table, ir::OutputFrom::Path, task.name + ".arrow", {}, task.span});
  task.result = m_.types.record({{"rows", table}});
  task.exprs = m_.addRegion();
  m_.at(it->second) = std::move(task);
  pendingTransforms_.push_back(it->second);
  return it->second;
}

/// The parameters and the plan, which is a call of the transform's function.
void Lowerer::lowerTransformTask(ir::TaskId id) {
  const SymbolId symbol = taskSymbols_[id.index()];
  const sema::Signature& signature = *program_.at(symbol).signature;
  file_ = program_.at(symbol).file;
  std::vector<ir::ParamDef> defs = params(signature.params);
  if (signature.perRow) defs.front().type = m_.types.table(defs.front().type);
  ir::TaskDef task = m_.at(id);  // apart: a constant may add tasks
  lowerSettings(task, static_cast<const TransformDecl&>(*program_.at(symbol).decl));
  std::vector<NodeId> operands;
  for (const ir::ParamDef& def : defs) {
    operands.push_back(m_.addParam(task.exprs, def.type, def.name, def.span, ir::Phase::Run));
  }
  const NodeId call = m_.add(task.exprs, ir::Call{requireFunc(symbol)}, signature.result, operands,
                             {}, task.span);
  m_.at(task.exprs).results = {call};
  task.params = std::move(defs);
  m_.at(id) = std::move(task);
}

NodeId Lowerer::lowerTransformCall(const Expr& expr, std::span<const Argument> args,
                                   NodeId piped) {
  const sema::CallBinding& binding = program_.files[file_.index()].calls.at(expr.id);
  const sema::Symbol callee = program_.at(binding.callee);
  const std::vector<sema::FieldInfo>& params = callee.signature->params;
  const bool isTest = kind(info(expr).type) != IrKind::Table;
  ir::NameId name;
  std::vector<NodeId> order;
  if (!isTest) {
    name = stepName(expr, callee.name);
    order = takeOrder(expr);
  }
  const bool oneRow = kind(info(expr).type) == IrKind::Optional;
  std::vector<NodeId> operands;
  for (std::size_t i = 0; i < params.size(); ++i) {
    const std::int32_t from = binding.argument[i];
    if (from == sema::CallBinding::kDefault) {
      operands.push_back(m_.add(region_, ir::Const{fallback(params[i], callee.file)},
                                paramType(params[i], callee.file), {}, {}, expr.span));
      continue;
    }
    const bool isPiped = from == sema::CallBinding::kPiped;
    const Expr* value = isPiped ? nullptr : args[static_cast<std::size_t>(from)].value;
    const TypeId want = binding.paramTypes[i];
    NodeId node = isPiped ? piped : lower(*value);
    const Span span = isPiped ? expr.span : value->span;
    if (i == 0 && oneRow) {
      node = op(Builtin::MakeList, want, {{convert(node, params[0].type, span)}}, span);
    } else {
      node = convert(node, want, span);
    }
    const TypeId table = i == 0 && callee.signature->perRow ? m_.types.table(params[0].type)
                                                            : params[i].type;
    if (isTest && kind(table) == IrKind::Table) {
      node = op(Builtin::RowsOfList, table, {{node}}, span);
    }
    operands.push_back(node);
  }
  if (!isTest) {
    const ir::TaskId task = requireTransformTask(binding.callee);
    return tableStep(task, "rows", operands, order, expr.span, name);
  }
  const NodeId table = m_.add(region_, ir::Call{requireFunc(binding.callee)},
                              callee.signature->result, operands, {}, expr.span);
  const NodeId rows =
      op(Builtin::ListOfRows, m_.types.list(callee.type), {{table}}, expr.span);
  if (!oneRow) return rows;
  return op(Builtin::First, m_.types.optional(callee.type), {{rows}}, expr.span);
}

// ---- reading

SymbolId Lowerer::schemaOf(TypeId row) const {
  if (schemas_.empty()) {
    for (std::size_t i = 0; i < program_.symbols.size(); ++i) {
      const sema::Symbol& symbol = program_.symbols[i];
      if (symbol.kind == SymbolKind::Schema) schemas_.emplace(symbol.type, SymbolId{i});
    }
  }
  const auto it = schemas_.find(row);
  return it == schemas_.end() ? SymbolId{} : it->second;
}

ir::TaskId Lowerer::tableTask(std::string key, std::string_view name, Span span,
                              const std::function<void(ir::TaskDef&)>& fill) {
  const auto [it, isNew] = tableTasks_.try_emplace(std::move(key), ir::TaskId{m_.tasks.size()});
  const ir::TaskId id = it->second;
  if (!isNew) return id;
  m_.tasks.emplace_back();
  taskSymbols_.emplace_back();
  ir::TaskDef task;
  task.name = uniqueName(name);
  task.run = ir::RunKind::Table;
  task.span = span;
  task.exprs = m_.addRegion();
  inRegion(task.exprs, [&] { fill(task); });
  m_.at(id) = std::move(task);
  return id;
}

NodeId Lowerer::tableParam(ir::TaskDef& task, std::string_view name, TypeId type) {
  ir::ParamDef& param = task.params.emplace_back();
  param.name = name;
  param.type = type;
  param.span = task.span;
  return m_.addParam(task.exprs, type, name, task.span, ir::Phase::Run);
}

ir::TaskId Lowerer::readTask(TypeId table, TypeId file, ir::BadRows onBad, Span span) {
  const TypeId row = m_.types[table].element;
  std::string key =
      fmt::format("read {} {} {}", row.index(), file.index(), static_cast<int>(onBad));
  return tableTask(std::move(key), "read-" + m_.types[row].name, span, [&](ir::TaskDef& task) {
    task.outputs.push_back(
        {"rows", table, ir::OutputFrom::Path, m_.types[row].name + ".arrow", {}, span});
    task.result = m_.types.record({{"rows", table}});
    const NodeId from = tableParam(task, "file", file);
    ir::Rows payload;
    payload.op = ir::RowsOp::Read;
    payload.onBad = onBad;
    const NodeId node = m_.add(region_, payload, table, {{from}}, {}, span);
    payload.body = m_.addRegion(node);
    RowScope scope;
    scope.row = row;
    RowScope* before = std::exchange(rows_, &scope);
    const FileId fileBefore = file_;
    inRegion(payload.body, [&] {
      scope.param = m_.addParam(payload.body, row, "row", span, ir::Phase::Run);
      std::vector<NodeId> results;
      lowerConstraints(row, results);
      m_.at(payload.body).results = std::move(results);
    });
    file_ = fileBefore;
    rows_ = before;
    m_.at(node).payload = payload;
    m_.updateAttributes(node);
    m_.at(task.exprs).results = {node};
  });
}

namespace {

/// On one line, as it is shown when a row breaks it.
std::string oneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!space) line += c;
    if (space && !line.empty() && line.back() != ' ') line += ' ';
  }
  return line;
}

bool isUnique(const sema::Program& program, FileId file, const Expr& part) {
  return part.kind == ExprKind::Name && !program.info(file, part).symbol.valid() &&
         static_cast<const NameExpr&>(part).name.text == "unique";
}

}  // namespace

/// A bool for each condition of a column, true where it is not known to be broken; the node's name
/// is "column: condition". `unique` is a condition on all rows at once: its name says it all. So
/// does that of `from "name"`, which tells what the column is called in the file; these come first.
void Lowerer::lowerConstraints(TypeId row, std::vector<NodeId>& results) {
  const SymbolId schema = schemaOf(row);
  if (!schema.valid()) return;
  const sema::Symbol& symbol = program_.at(schema);
  file_ = symbol.file;
  for (const sema::FieldInfo& column : symbol.signature->params) {
    rows_->slots.push_back({column.symbol, {}, std::string(column.name)});
    if (!column.syntax->fromSpan.valid()) continue;
    const NodeId node = constNode(true, ir::TypeTable::kBool, column.syntax->fromSpan);
    m_.at(node).name = m_.intern(fmt::format("{}: from \"{}\"", column.name, column.inFile()));
    results.push_back(node);
  }
  for (const sema::FieldInfo& column : symbol.signature->params) {
    if (column.syntax->where == nullptr) continue;
    std::vector<const Expr*> parts;
    std::string text;
    bool unique = false;
    for (const Expr* part : sema::conjunctsOf(column.syntax->where)) {
      if (isUnique(program_, file_, *part)) {
        unique = true;
        continue;
      }
      parts.push_back(part);
      text += (text.empty() ? "" : " and ") + oneLine(sources_.text(part->span));
    }
    const auto add = [&](NodeId node, std::string_view rule) {
      m_.at(node).name = m_.intern(fmt::format("{}: {}", column.name, rule));
      results.push_back(node);
    };
    if (!unique) parts = {column.syntax->where};
    if (!unique) text = oneLine(sources_.text(column.syntax->where->span));
    if (!parts.empty()) {
      NodeId holds = constraint(parts);
      if (kind(column.type) == IrKind::Optional) {
        // Whatever the condition is: a value that is not there breaks none.
        const Span span = column.syntax->where->span;
        const NodeId value = m_.add(region_, ir::Field{m_.intern(column.name)}, column.type,
                                    {{rows_->param}}, {}, span);
        const NodeId none = constNode(ir::Value(), ir::TypeTable::kNone, span);
        const NodeId missing = op(Builtin::Equal, ir::TypeTable::kBool, {{value, none}}, span);
        holds = op(Builtin::Or, ir::TypeTable::kBool, {{missing, holds}}, span);
      }
      add(holds, text);
    }
    if (unique) add(constNode(true, ir::TypeTable::kBool, column.syntax->where->span), "unique");
  }
}

NodeId Lowerer::constraint(std::span<const Expr* const> parts) {
  const TypeId maybe = m_.types.optional(ir::TypeTable::kBool);
  NodeId all;
  for (const Expr* part : parts) {
    const NodeId one = lower(*part);
    if (!all.valid()) {
      all = one;
      continue;
    }
    const bool lifted =
        kind(typeOf(all)) == IrKind::Optional || kind(typeOf(one)) == IrKind::Optional;
    all = lifted ? liftedOp(Builtin::And, maybe, {{all, one}}, part->span)
                 : op(Builtin::And, ir::TypeTable::kBool, {{all, one}}, part->span);
  }
  const Span span = parts.back()->span;
  if (kind(typeOf(all)) == IrKind::Optional) {
    const NodeId yes = constNode(true, ir::TypeTable::kBool, span);
    return op(Builtin::Coalesce, ir::TypeTable::kBool, {{all, yes}}, span);
  }
  // A node of its own, since the name is the constraint's.
  const bool isOwn = m_.at(all).region == region_ && !m_.at(all).name.valid() &&
                     m_.payload<ir::Param>(all) == nullptr;
  if (isOwn) return all;
  const NodeId yes = constNode(true, ir::TypeTable::kBool, span);
  return op(Builtin::And, ir::TypeTable::kBool, {{all, yes}}, span);
}

// ---- writing

ir::TaskId Lowerer::writeTask(TypeId table, TypeId file, const std::string& name, Span span) {
  const std::string format = m_.types[file].name;
  std::string key = fmt::format("write {} {} {}", table.index(), format, name);
  return tableTask(std::move(key), "write-" + format, span, [&](ir::TaskDef& task) {
    task.outputs.push_back({"file", file, ir::OutputFrom::Path, name, {}, span});
    task.result = m_.types.record({{"file", file}});
    m_.at(task.exprs).results = {tableParam(task, "rows", table)};
  });
}

NodeId Lowerer::lowerReadOrWrite(const CallExpr& expr, const sema::CallBinding& binding) {
  const bool isRead = binding.form == sema::CallBinding::Form::Read;
  const TypeId type = info(expr).type;
  const auto argument = [&](std::size_t i) {
    return expr.args[static_cast<std::size_t>(binding.argument[i])].value;
  };
  // The name before the argument, which may hold calls of its own.
  if (isRead) {
    const ir::NameId name = stepName(expr, "read-" + m_.types[m_.types[type].element].name);
    const std::vector<NodeId> order = takeOrder(expr);
    const NodeId file = lower(*argument(0));
    const ir::TaskId task = readTask(type, typeOf(file), binding.onBad, expr.span);
    return tableStep(task, "rows", {{file}}, order, expr.span, name);
  }
  const ir::NameId name = stepName(expr, "write-" + m_.types[type].name);
  const std::vector<NodeId> order = takeOrder(expr);
  const NodeId rows = lower(*argument(0));
  std::string path = fmt::format("{}.{}", m_.types[m_.types[typeOf(rows)].element].name,
                                 m_.types[type].name);
  if (binding.argument[1] >= 0) {
    const auto value = constant(file_, *argument(1), ir::TypeTable::kString);
    if (value && value->as<std::string>() != nullptr) path = *value->as<std::string>();
  }
  const ir::TaskId task = writeTask(typeOf(rows), type, path, expr.span);
  return tableStep(task, "file", {{rows}}, order, expr.span, name);
}

/// A file where a table is wanted.
NodeId Lowerer::readRows(NodeId file, TypeId table, Span span) {
  const std::string& row = m_.types[m_.types[table].element].name;
  const ir::NameId name = newStepName("read-" + row);
  const ir::TaskId task = readTask(table, typeOf(file), ir::BadRows::Fail, span);
  return tableStep(task, "rows", {{file}}, {}, span, name);
}

/// A table where a file is wanted: CSV, if it may be any.
NodeId Lowerer::writeRows(NodeId rows, TypeId file, Span span) {
  const TypeId table = typeOf(rows);
  if (m_.types[file].name.empty()) file = m_.types.file("csv");
  const std::string format = m_.types[file].name;
  const ir::NameId name = newStepName("write-" + format);
  const std::string path = fmt::format("{}.{}", m_.types[m_.types[table].element].name, format);
  return tableStep(writeTask(table, file, path, span), "file", {{rows}}, {}, span, name);
}

}  // namespace couler::lower

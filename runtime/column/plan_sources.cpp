#include "runtime/column/plan_sources.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/column/bad_rows.h"
#include "runtime/column/check_kinds.h"
#include "runtime/column/checks.h"
#include "runtime/column/cut.h"
#include "runtime/column/late.h"

namespace couler::column {

std::size_t namesInFile(const ir::Module& module, ir::RegionId body, const Schema& schema,
                        std::vector<std::string>& names) {
  constexpr std::string_view kFrom = ": from \"";
  const std::vector<ir::NodeId>& results = module.at(body).results;
  std::size_t count = 0;
  for (; count < results.size(); ++count) {
    const ir::NameId name = module.at(results[count]).name;
    const std::string_view rule = name.valid() ? module.at(name) : std::string_view();
    const std::size_t colon = rule.find(kFrom);
    if (colon == std::string_view::npos || colon != rule.find(": ")) break;
    if (names.empty()) {
      for (const Field& field : schema.fields) names.push_back(field.name);
    }
    const int column = schema.find(rule.substr(0, colon));
    const std::size_t begin = colon + kFrom.size();
    if (column < 0 || begin >= rule.size()) break;
    names[static_cast<std::size_t>(column)] = rule.substr(begin, rule.size() - begin - 1);
  }
  return count;
}

std::unique_ptr<Source> PlanSources::fail(std::string message) {
  if (error_.message.empty()) error_.message = std::move(message);
  return nullptr;
}

ir::TypeId PlanSources::rowType(ir::NodeId table) const {
  return module_.types[module_.at(table).type].element;
}

Schema PlanSources::schemaOfTable(ir::NodeId table) const {
  return schemaOf(module_.types, rowType(table));
}

std::string PlanSources::nameOf(ir::NodeId id) const {
  const ir::Node& node = module_.at(id);
  if (node.name.valid()) return std::string(module_.at(node.name));
  const ir::Type& row = module_.types[rowType(id)];
  return row.name.empty() ? "a transform" : row.name;
}

std::unique_ptr<Source> PlanSources::make(ir::NodeId id, std::vector<bool> wanted) {
  ReadOptions how;
  // Filters and maps down to what feeds them: one pass over its rows.
  std::vector<ir::NodeId> stages;
  ir::NodeId at = id;
  while (const ir::Rows* rows = module_.payload<ir::Rows>(at)) {
    if (rows->op != ir::RowsOp::Filter && rows->op != ir::RowsOp::Map) break;
    stages.push_back(at);
    at = module_.operands(module_.at(at))[0];
  }
  if (!stages.empty()) {
    std::reverse(stages.begin(), stages.end());
    RowPlan plan = planOf(at, std::move(stages));
    plan.output = schemaOfTable(id);
    Made in = filtered(at, plan, columnsUsed(plan, std::move(wanted)));
    if (!in) return nullptr;
    plan.input = in->schema();
    const Schema out = plan.output;
    return mapRows(std::move(in), kernels(plan), out, nameOf(id));
  }
  if (module_.payload<ir::Param>(at) != nullptr) {
    how.wanted = std::move(wanted);
    return openParam(at, std::move(how));
  }
  const ir::Rows* rows = module_.payload<ir::Rows>(at);
  if (rows == nullptr) return fail("the plan has a node that makes no table");
  switch (rows->op) {
    case ir::RowsOp::Read:
      how.wanted = std::move(wanted);
      return read(at, *rows, std::move(how));
    case ir::RowsOp::Group:
      return group(at, *rows);
    case ir::RowsOp::Sort:
      return sort(at, *rows, wanted);
    case ir::RowsOp::Limit:
      return limit(at, std::move(wanted));
    case ir::RowsOp::Distinct: {
      Made in = whole([&] { return build(operand(at, 0), {}); });
      if (!in || !storable(in->schema())) return nullptr;
      return distinctRows(std::move(in), limits_, nameOf(at));
    }
    case ir::RowsOp::Join:
      return join(at, *rows, std::move(wanted));
    case ir::RowsOp::Concat: {
      if (!pathsOf) return fail("there are no lists of tables here");
      const Schema schema = schemaOfTable(at);
      const auto open = [part = openPart, schema, wanted](const std::string& path,
                                                          StreamError& error) {
        return part(path, schema, wanted, error);
      };
      return concatRows(schema, pathsOf(operand(at, 0)), open);
    }
    case ir::RowsOp::Filter:
    case ir::RowsOp::Map:
      break;
  }
  return nullptr;
}

std::unique_ptr<Source> PlanSources::filtered(ir::NodeId table, const RowPlan& plan, std::vector<bool> wanted) {
  const ir::Rows* rows = module_.payload<ir::Rows>(table);
  const bool isRead = rows != nullptr && rows->op == ir::RowsOp::Read;
  const bool isFile = isRead || module_.payload<ir::Param>(table) != nullptr;
  if (!isFile || !options_.pushDown) return make(table, std::move(wanted));
  ReadOptions how;
  how.wanted = std::move(wanted);
  auto predicate = std::make_shared<Predicate>(predicateOf(plan));
  if (!predicate->conditions.empty()) {
    how.late = predicate->fields(plan.input.fields.size());
    how.late.flip();
    how.only = predicate;
  }
  Made in = isRead ? read(table, *rows, std::move(how)) : openParam(table, std::move(how));
  return in && in->defers() ? fillLate(std::move(in), std::move(*predicate)) : std::move(in);
}

std::unique_ptr<Source> PlanSources::openParam(ir::NodeId param, ReadOptions how) {
  how.format = "arrow";
  how.trusted = true;
  return openTable(param, schemaOfTable(param), how, error_);
}

ir::NodeId PlanSources::operand(ir::NodeId id, std::size_t i) const {
  return module_.operands(module_.at(id))[i];
}

RowPlan PlanSources::planOf(ir::NodeId input, std::vector<ir::NodeId> stages) const {
  RowPlan plan;
  plan.module = &module_;
  plan.input = schemaOfTable(input);
  plan.stages = std::move(stages);
  plan.outer = scalars_;
  return plan;
}

std::unique_ptr<Kernel> PlanSources::kernel(RowPlan plan) {
  std::string why = "the input is small";
  if (large_ && options_.compile) {
    if (std::unique_ptr<Kernel> made = options_.compile(plan, why)) {
      if (options_.trace) options_.trace("compiled");
      return made;
    }
  }
  if (options_.trace) options_.trace("evaluated: " + why);
  return evaluatorKernel(std::move(plan));
}

Kernels PlanSources::kernels(const RowPlan& plan) {
  Kernels made;
  do {
    made.push_back(kernel(plan));
  } while (!limited_ && made.size() < limits_.threads);
  return made;
}

bool PlanSources::storable(const Schema& schema) {
  for (const Field& field : schema.fields) {
    if (field.kind != Kind::Value) continue;
    fail(fmt::format("column `{}` is a {}, which can be neither kept nor sorted", field.name,
                     module_.types.print(field.type)));
    return false;
  }
  return true;
}

Schema PlanSources::resultsSchema(std::span<const ir::NodeId> results) const {
  Schema schema;
  schema.types = &module_.types;
  for (const ir::NodeId id : results) {
    ir::TypeId type = module_.at(id).type;
    const ir::Op* op = module_.payload<ir::Op>(id);
    if (op != nullptr && ir::isAggregate(op->op) && module_.at(id).operandCount != 0) {
      type = module_.at(operand(id, 0)).type;
    }
    schema.fields.push_back(
        fieldOf(module_.types, fmt::format("#{}", schema.fields.size()), type));
  }
  return schema;
}

std::string_view PlanSources::ruleOf(ir::NodeId result) const {
  const ir::NameId name = module_.at(result).name;
  return name.valid() ? module_.at(name) : std::string_view();
}

std::unique_ptr<Source> PlanSources::read(ir::NodeId id, const ir::Rows& rows, ReadOptions options) {
  if (openRead) return openRead(operand(id, 0));
  const Schema schema = schemaOfTable(id);
  if (!storable(schema)) return nullptr;
  std::vector<bool>& wanted = options.wanted;
  const auto renamed = static_cast<std::uint32_t>(namesInFile(module_, rows.body, schema, options.names));
  const std::span<const ir::NodeId> results =
      std::span(module_.at(rows.body).results).subspan(renamed);
  RowPlan plan = planOf(id, {});
  plan.results = rows.body;
  plan.firstResult = renamed;
  plan.resultCount = static_cast<std::uint32_t>(results.size());
  plan.output = resultsSchema(results);
  std::vector<Check> checks;
  std::vector<bool> checked = columnsUsed(plan);
  if (options_.pushDown && !wanted.empty()) {
    options.unused = wanted;
    options.unused.flip();
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    // A column is left out only when nothing can be wrong with it.
    wanted[i] = wanted[i] || checked[i] || schema.fields[i].kind != Kind::String;
  }
  for (const ir::NodeId result : results) {
    const std::string_view text = ruleOf(result);
    const std::size_t colon = text.find(": ");
    Check check;
    check.column = text.substr(0, colon);
    if (colon != std::string_view::npos) check.rule = text.substr(colon + 2);
    check.unique = check.rule == "unique";
    if (!check.unique) tellKind(module_, result, check);
    const int column = schema.find(check.column);
    if (column >= 0) {
      checked[static_cast<std::size_t>(column)] = true;
      if (!wanted.empty()) wanted[static_cast<std::size_t>(column)] = true;
    }
    checks.push_back(std::move(check));
  }
  const std::string path = pathOf(operand(id, 0));
  if (module_.at(id).operandCount == 3) {
    const ir::Value* place = scalar(operand(id, 1));
    const ir::Value* digest = scalar(operand(id, 2));
    const std::string* text = digest != nullptr ? digest->as<std::string>() : nullptr;
    if (place != nullptr && text != nullptr) options.range = rangeOf(*place, *text);
    if (!options.range) return fail(fmt::format("{}: its range has no value", path));
  }
  options.format = module_.types[module_.at(operand(id, 0)).type].name;
  options.onBad = rows.onBad;
  if (!checks.empty()) options.only = nullptr;  // each row is checked
  for (std::vector<bool>* some : {&options.late, &options.unused}) {
    for (std::size_t i = 0; i < some->size(); ++i) (*some)[i] = (*some)[i] && !checked[i];
  }
  Made source = openSource(path, schema, options, log_, error_);
  if (!source || checks.empty()) return source;
  return checkRows(std::move(source), kernel(std::move(plan)), std::move(checks), rows.onBad,
                   baseName(path), log_);
}

std::unique_ptr<Source> PlanSources::bodyOver(ir::NodeId table, ir::RegionId body, const Schema& out, const std::string& name) {
  std::vector<ir::NodeId> stages;
  ir::NodeId at = table;
  while (const ir::Rows* rows = module_.payload<ir::Rows>(at)) {
    if (rows->op != ir::RowsOp::Filter && rows->op != ir::RowsOp::Map) break;
    stages.insert(stages.begin(), at);
    at = operand(at, 0);
  }
  RowPlan plan = planOf(at, std::move(stages));
  plan.results = body;
  plan.resultCount = static_cast<std::uint32_t>(module_.at(body).results.size());
  plan.output = out;
  Made in = filtered(at, plan, columnsUsed(plan));
  if (!in) return nullptr;
  plan.input = in->schema();
  return mapRows(std::move(in), kernels(plan), out, name);
}

std::unique_ptr<Source> PlanSources::keyed(ir::NodeId table, ir::RegionId body, std::uint32_t param, std::uint32_t first, std::uint32_t count, const std::string& name, const std::vector<bool>& wanted) {
  RowPlan plan = planOf(table, {});
  const std::vector<ir::NodeId>& results = module_.at(body).results;
  plan.results = body;
  plan.rowParam = param;
  plan.firstResult = first;
  plan.resultCount = count;
  plan.output = resultsSchema(std::span(results).subspan(first, count));
  std::vector<bool> used;
  if (!wanted.empty()) {
    used = columnsUsed(plan);
    for (std::size_t i = 0; i < used.size(); ++i) used[i] = used[i] || wanted[i];
  }
  Made in = build(table, std::move(used));
  if (!in) return nullptr;
  plan.input = in->schema();
  const Schema keys = plan.output;
  const std::size_t columns = plan.input.fields.size();
  Made made =
      withKeys(std::move(in), kernels(plan), keys, placesOf(wanted, columns), name);
  return storable(made->schema()) ? std::move(made) : nullptr;
}

std::unique_ptr<Source> PlanSources::group(ir::NodeId id, const ir::Rows& rows) {
  const std::vector<ir::NodeId>& results = module_.at(rows.body).results;
  std::vector<AggregateSpec> aggregates;
  for (std::size_t i = rows.keys; i < results.size(); ++i) {
    AggregateSpec spec{module_.payload<ir::Op>(results[i])->op, 0, module_.at(results[i]).span};
    if (spec.op == ir::Builtin::AggQuantile) {
      const ir::Value* which = scalar(operand(results[i], 1));
      const double* q = which != nullptr ? which->as<double>() : nullptr;
      if (q == nullptr || !(*q >= 0 && *q <= 1)) {
        return fail("which quantile must be a constant from 0 to 1");
      }
      spec.quantile = *q;
    }
    aggregates.push_back(spec);
  }
  const Schema keyed = resultsSchema(results);
  if (!storable(keyed)) return nullptr;
  Made in = whole([&] { return bodyOver(operand(id, 0), rows.body, keyed, nameOf(id)); });
  if (!in) return nullptr;
  return groupRows(std::move(in), rows.keys, std::move(aggregates), schemaOfTable(id),
                   limits_, nameOf(id));
}

std::vector<std::uint32_t> PlanSources::placesOf(const std::vector<bool>& wanted, std::size_t columns) {
  std::vector<std::uint32_t> places;
  for (std::uint32_t i = 0; i < columns; ++i) {
    if (wanted.empty() || wanted[i]) places.push_back(i);
  }
  return places;
}

Schema PlanSources::columnsAt(const Schema& schema, const std::vector<std::uint32_t>& places) {
  Schema some;
  some.types = schema.types;
  for (const std::uint32_t c : places) some.fields.push_back(schema.fields[c]);
  return some;
}

std::unique_ptr<Source> PlanSources::sort(ir::NodeId id, const ir::Rows& rows, const std::vector<bool>& wanted) {
  const auto keys = static_cast<std::uint32_t>(module_.at(rows.body).results.size());
  Made in =
      whole([&] { return keyed(operand(id, 0), rows.body, 0, 0, keys, nameOf(id), wanted); });
  if (!in) return nullptr;
  const Schema out = schemaOfTable(id);
  std::vector<std::uint32_t> places = placesOf(wanted, out.fields.size());
  Made sorted = sortRows(std::move(in), keys, rows.descending, columnsAt(out, places),
                         limits_, nameOf(id));
  return placeColumns(std::move(sorted), out, std::move(places));
}

const ir::Value* PlanSources::scalar(ir::NodeId id) const {
  if (const ir::Value* value = module_.constant(id)) return value;
  for (const auto& [node, value] : scalars_) {
    if (node == id) return &value;
  }
  return nullptr;
}

std::unique_ptr<Source> PlanSources::limit(ir::NodeId id, std::vector<bool> wanted) {
  const ir::Value* count = scalar(operand(id, 1));
  const std::int64_t* n = count != nullptr ? count->as<std::int64_t>() : nullptr;
  if (n == nullptr || *n < 0) {
    return fail(fmt::format("{}: the number of rows must not be negative", nameOf(id)));
  }
  const bool limited = std::exchange(limited_, true);
  Made in = build(operand(id, 0), std::move(wanted));
  limited_ = limited;
  return in ? limitRows(std::move(in), *n) : nullptr;
}

std::unique_ptr<Source> PlanSources::join(ir::NodeId id, const ir::Rows& rows, const std::vector<bool>& wanted) {
  // Of which columns come out, which are the left's and which the right's.
  const std::size_t width = schemaOfTable(operand(id, 0)).fields.size();
  const bool both = rows.join == ir::JoinKind::Inner || rows.join == ir::JoinKind::Left;
  std::vector<bool> ofLeft;
  std::vector<bool> ofRight;
  if (!wanted.empty()) {
    ofLeft.assign(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(width));
  }
  if (!both) {
    ofRight.resize(schemaOfTable(operand(id, 1)).fields.size());
  } else if (!wanted.empty()) {
    ofRight.assign(wanted.begin() + static_cast<std::ptrdiff_t>(width), wanted.end());
  }
  Made left = keyed(operand(id, 0), rows.body, 0, 0, rows.keys, nameOf(id), ofLeft);
  if (!left) return nullptr;
  Made right = whole([&] {
    return keyed(operand(id, 1), rows.body, 1, rows.keys, rows.keys, nameOf(id), ofRight);
  });
  if (!right) return nullptr;
  for (std::size_t k = 0; k < rows.keys; ++k) {
    const auto key = [&](const Source& source) {
      return source.schema().fields[source.schema().fields.size() - rows.keys + k].kind;
    };
    if (key(*left) != key(*right)) return fail("the keys of a join are of two types");
  }
  const Schema out = schemaOfTable(id);
  std::vector<std::uint32_t> places = placesOf(wanted, out.fields.size());
  Limits limits = limits_;
  if (limited_) limits.threads = 1;
  Made joined = joinRows(std::move(left), std::move(right), rows.keys, rows.join,
                         columnsAt(out, places), limits, nameOf(id));
  return placeColumns(std::move(joined), out, std::move(places));
}

}  // namespace couler::column

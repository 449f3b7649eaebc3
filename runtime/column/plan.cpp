#include "runtime/column/plan.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "runtime/column/bad_rows.h"
#include "runtime/column/check_kinds.h"
#include "runtime/column/bytes.h"
#include "runtime/column/checks.h"
#include "runtime/column/cut.h"
#include "runtime/column/drift.h"
#include "runtime/column/late.h"
#include "runtime/column/publish.h"

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

namespace {

std::int64_t fileSize(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

using Tables = std::function<std::unique_ptr<Source>(ir::NodeId)>;
using Scalars = std::vector<std::pair<ir::NodeId, ir::Value>>;

/// Turns nodes into sources, from the results back to the files.
class Builder {
 public:
  /// `large`: the inputs are, so that compiling and threads are worth it.
  Builder(const ir::Module& module, const PlanOptions& options, const Scalars& scalars,
          AnomalyLog& log, bool large)
      : module_(module),
        options_(options),
        limits_(options.limits),
        scalars_(scalars),
        log_(log),
        large_(large) {
    if (!large) limits_.threads = 1;
  }

  /// Files of `read`s and tables of parameters.
  std::function<std::string(ir::NodeId)> pathOf;
  /// Opens a table parameter.
  std::function<std::unique_ptr<Source>(ir::NodeId, const Schema&, const ReadOptions&,
                                        StreamError&)>
      openTable;
  /// The paths of a list of tables, and one of them as `openTable` opens it.
  std::function<const std::vector<std::string>&(ir::NodeId)> pathsOf;
  std::function<std::unique_ptr<Source>(const std::string&, const Schema&,
                                        const std::vector<bool>& wanted, StreamError&)>
      openPart;
  /// The rows of a file parameter, instead of those of the file at its path; may be empty.
  std::function<std::unique_ptr<Source>(ir::NodeId)> openRead;

  std::unique_ptr<Source> build(ir::NodeId id) { return make(id, {}); }
  /// `wanted`: which of the table's columns are looked at; empty: all.
  std::unique_ptr<Source> build(ir::NodeId id, std::vector<bool> wanted) {
    return make(id, std::move(wanted));
  }
  [[nodiscard]] const StreamError& error() const { return error_; }

 private:
  using Made = std::unique_ptr<Source>;

  Made fail(std::string message) {
    if (error_.message.empty()) error_.message = std::move(message);
    return nullptr;
  }
  [[nodiscard]] ir::TypeId rowType(ir::NodeId table) const {
    return module_.types[module_.at(table).type].element;
  }
  [[nodiscard]] Schema schemaOfTable(ir::NodeId table) const {
    return schemaOf(module_.types, rowType(table));
  }
  [[nodiscard]] std::string nameOf(ir::NodeId id) const {
    const ir::Node& node = module_.at(id);
    if (node.name.valid()) return std::string(module_.at(node.name));
    const ir::Type& row = module_.types[rowType(id)];
    return row.name.empty() ? "a transform" : row.name;
  }

  /// `wanted`: which of the table's columns are looked at; empty: all.
  Made make(ir::NodeId id, std::vector<bool> wanted) {
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

  /// The rows of `table` for a plan over them. Where it is a file, its readers know how the plan's
  /// filters begin.
  Made filtered(ir::NodeId table, const RowPlan& plan, std::vector<bool> wanted) {
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

  Made openParam(ir::NodeId param, ReadOptions how) {
    how.format = "arrow";
    how.trusted = true;
    return openTable(param, schemaOfTable(param), how, error_);
  }

  [[nodiscard]] ir::NodeId operand(ir::NodeId id, std::size_t i) const {
    return module_.operands(module_.at(id))[i];
  }

  [[nodiscard]] RowPlan planOf(ir::NodeId input, std::vector<ir::NodeId> stages) const {
    RowPlan plan;
    plan.module = &module_;
    plan.input = schemaOfTable(input);
    plan.stages = std::move(stages);
    plan.outer = scalars_;
    return plan;
  }

  std::unique_ptr<Kernel> kernel(RowPlan plan) {
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

  /// One for each thread. Where only the first rows are asked for there is one thread: others would
  /// read ahead, and find what is wrong with rows that nobody needs.
  Kernels kernels(const RowPlan& plan) {
    Kernels made;
    do {
      made.push_back(kernel(plan));
    } while (!limited_ && made.size() < limits_.threads);
    return made;
  }

  /// What needs all rows of its input, even if not all of its own are asked for.
  template <class Build>
  Made whole(Build&& build) {
    const bool limited = std::exchange(limited_, false);
    Made made = build();
    limited_ = limited;
    return made;
  }

  bool storable(const Schema& schema) {
    for (const Field& field : schema.fields) {
      if (field.kind != Kind::Value) continue;
      fail(fmt::format("column `{}` is a {}, which can be neither kept nor sorted", field.name,
                       module_.types.print(field.type)));
      return false;
    }
    return true;
  }

  /// A column for each result of a body: of its type, or of what an aggregate adds up.
  [[nodiscard]] Schema resultsSchema(std::span<const ir::NodeId> results) const {
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

  [[nodiscard]] std::string_view ruleOf(ir::NodeId result) const {
    const ir::NameId name = module_.at(result).name;
    return name.valid() ? module_.at(name) : std::string_view();
  }

  Made read(ir::NodeId id, const ir::Rows& rows, ReadOptions options) {
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

  /// What a body gives for each row of `table`, after the filters and maps right before it.
  Made bodyOver(ir::NodeId table, ir::RegionId body, const Schema& out, const std::string& name) {
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

  /// The wanted columns of a table's rows with the results first … first + count of a body in
  /// columns after them.
  Made keyed(ir::NodeId table, ir::RegionId body, std::uint32_t param, std::uint32_t first,
             std::uint32_t count, const std::string& name, const std::vector<bool>& wanted) {
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

  Made group(ir::NodeId id, const ir::Rows& rows) {
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

  /// Which columns are wanted.
  [[nodiscard]] static std::vector<std::uint32_t> placesOf(const std::vector<bool>& wanted,
                                                           std::size_t columns) {
    std::vector<std::uint32_t> places;
    for (std::uint32_t i = 0; i < columns; ++i) {
      if (wanted.empty() || wanted[i]) places.push_back(i);
    }
    return places;
  }
  [[nodiscard]] static Schema columnsAt(const Schema& schema,
                                        const std::vector<std::uint32_t>& places) {
    Schema some;
    some.types = schema.types;
    for (const std::uint32_t c : places) some.fields.push_back(schema.fields[c]);
    return some;
  }

  Made sort(ir::NodeId id, const ir::Rows& rows, const std::vector<bool>& wanted) {
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

  [[nodiscard]] const ir::Value* scalar(ir::NodeId id) const {
    if (const ir::Value* value = module_.constant(id)) return value;
    for (const auto& [node, value] : scalars_) {
      if (node == id) return &value;
    }
    return nullptr;
  }

  Made limit(ir::NodeId id, std::vector<bool> wanted) {
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

  Made join(ir::NodeId id, const ir::Rows& rows, const std::vector<bool>& wanted) {
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

  const ir::Module& module_;
  const PlanOptions& options_;
  Limits limits_;
  const Scalars& scalars_;
  AnomalyLog& log_;
  bool large_;
  bool limited_ = false;  ///< only some first rows of what is being built are asked for
  StreamError error_;
};

/// What stands between the tables of a plan: constants and what is worked out from them and the
/// scalar parameters, before any row is read.
std::optional<StreamError> workOut(const ir::Module& module, const ir::Region& plan,
                                   Scalars& scalars) {
  std::unordered_map<ir::NodeId, ir::EvalResult> known;
  for (const auto& [node, value] : scalars) known.emplace(node, value);
  for (const ir::NodeId id : plan.nodes) {
    const ir::Node& node = module.at(id);
    std::vector<ir::EvalResult> operands;
    for (const ir::NodeId operand : module.operands(node)) {
      const auto found = known.find(operand);
      if (found != known.end()) operands.push_back(found->second);
    }
    if (operands.size() != node.operandCount) continue;  // of a table
    ir::EvalResult result;
    if (const ir::Value* constant = module.constant(id)) {
      result = *constant;
    } else if (const ir::Op* op = std::get_if<ir::Op>(&node.payload)) {
      result = ir::apply(op->op, operands, node.span, node.type, &module.types);
    } else if (const ir::Field* field = std::get_if<ir::Field>(&node.payload)) {
      result = operands[0];
      if (const ir::Value* object = std::get_if<ir::Value>(&operands[0])) {
        result = ir::applyField(module, *field, *object);
      }
    } else {
      continue;
    }
    if (const ir::EvalError* error = std::get_if<ir::EvalError>(&result)) {
      return StreamError{error->message, error->at};
    }
    scalars.emplace_back(id, std::get<ir::Value>(result));
    known.emplace(id, std::move(result));
  }
  return std::nullopt;
}

/// A value as the text that an output is read from.
std::optional<StreamError> writeValue(const Scalars& scalars, ir::NodeId id,
                                      const std::string& path) {
  const auto it = std::find_if(scalars.begin(), scalars.end(),
                               [id](const auto& scalar) { return scalar.first == id; });
  if (it == scalars.end()) return StreamError{"an output has no value that is known"};
  std::string text;
  if (it->second.as<ir::ListValue>() != nullptr) {  // an item a line, as ir::decodeOutput reads it
    for (const ir::Value& item : it->second.items()) text += ir::toText(item) + '\n';
  } else {
    text = ir::toText(it->second);
  }
  StreamError error;
  ByteSink sink;
  if (!sink.create(path, error)) return error;
  std::optional<StreamError> problem;
  if (!sink.write(text.data(), text.size(), problem) || !sink.finish(problem)) return problem;
  return std::nullopt;
}

/// Opens a table of a plan; `found` is told what its reads find and outlives the source.
using TableOpener = std::function<std::unique_ptr<Source>(
    ir::NodeId table, std::vector<bool> wanted, AnomalyLog& found, StreamError& problem)>;

/// Works out how far tables are apart, and what follows from that.
std::optional<StreamError> compareTables(const ir::Module& module, const ir::Region& plan,
                                         const TableOpener& open, AnomalyLog& log,
                                         Scalars& scalars) {
  AnomalyLog again;  // what a read finds wrong counts once, though it is read twice
  bool compares = false;
  for (const ir::NodeId id : plan.nodes) {
    const auto* op = module.payload<ir::Op>(id);
    if (op == nullptr || op->op != ir::Builtin::Drift) continue;
    compares = true;
    const auto operands = module.operands(module.at(id));
    std::vector<std::string> names;
    std::vector<bool> numeric;
    for (const ir::Value& name : module.constant(operands[2])->items()) {
      names.push_back(*name.as<std::string>());
    }
    for (const ir::Value& flag : module.constant(operands[3])->items()) {
      numeric.push_back(*flag.as<bool>());
    }
    const auto opener = [&](ir::NodeId table) {
      return [&, table, first = true](std::vector<bool> wanted, StreamError& error) mutable {
        return open(table, std::move(wanted), std::exchange(first, false) ? log : again, error);
      };
    };
    auto apart = driftOfTables(opener(operands[0]), opener(operands[1]), names, numeric);
    if (StreamError* error = std::get_if<StreamError>(&apart)) return std::move(*error);
    scalars.emplace_back(id, std::get<ir::Value>(std::move(apart)));
  }
  return compares ? workOut(module, plan, scalars) : std::nullopt;
}

/// Moves all rows of a source to a file.
std::variant<std::int64_t, StreamError> drain(Source& source, const PlanOutput& output) {
  StreamError error;
  std::unique_ptr<Sink> sink;
  if (!output.path.empty()) {
    sink = openSink(output.path, output.format, source.schema(), error);
    if (!sink) return error;
  }
  std::int64_t rows = 0;
  while (std::optional<Batch> batch = source.next()) {
    rows += batch->rows;
    if (sink && !sink->write(*batch)) return *sink->error();
  }
  if (source.error()) return *source.error();
  if (sink && !sink->finish()) return *sink->error();
  return rows;
}

}  // namespace

std::variant<PlanResult, StreamError> runPlan(const ir::Module& module, ir::TaskId task,
                                              const std::vector<PlanInput>& inputs,
                                              const std::vector<PlanOutput>& outputs,
                                              const PlanOptions& options) {
  const ir::Region& plan = module.at(module.at(task).exprs);
  PlanResult result;
  AnomalyLog own;
  AnomalyLog& log = options.anomalies != nullptr ? *options.anomalies : own;
  Scalars scalars;
  std::unordered_map<ir::NodeId, std::string> paths;
  std::unordered_map<ir::NodeId, std::vector<std::string>> lists;
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < plan.params.size(); ++i) {
    const ir::TypeKind kind = module.types.kind(module.at(plan.params[i]).type);
    if (kind == ir::TypeKind::File || kind == ir::TypeKind::Table) {
      paths.emplace(plan.params[i], inputs[i].path);
      bytes += fileSize(inputs[i].path);  // of ranges too: what is compiled is kept for the others
    } else if (module.types.holds(module.at(plan.params[i]).type, ir::TypeKind::Table)) {
      lists.emplace(plan.params[i], inputs[i].paths);
      for (const std::string& path : inputs[i].paths) bytes += fileSize(path);
    } else {
      scalars.emplace_back(plan.params[i], inputs[i].value);
    }
  }
  if (auto error = workOut(module, plan, scalars)) return std::move(*error);
  for (const PlanOutput& output : outputs) {
    if (::access(output.path.c_str(), F_OK) != 0) continue;
    return StreamError{fmt::format("{}: cannot be created: {}", output.path, std::strerror(EEXIST))};
  }
  // `found` outlives the source.
  const auto open = [&](ir::NodeId table, std::vector<bool> wanted, AnomalyLog& found,
                        StreamError& problem) {
    Builder builder(module, options, scalars, found, bytes >= options.compileFrom);
    builder.pathOf = [&](ir::NodeId param) { return paths[param]; };
    builder.openTable = [&](ir::NodeId param, const Schema& schema, const ReadOptions& read,
                            StreamError& error) {
      return openSource(paths[param], schema, read, found, error);
    };
    builder.openPart = [&found](const std::string& path, const Schema& schema,
                                const std::vector<bool>& columns, StreamError& error) {
      ReadOptions read;
      read.format = "arrow";
      read.wanted = columns;
      read.trusted = true;
      return openSource(path, schema, read, found, error);
    };
    builder.pathsOf = [&](ir::NodeId param) -> const std::vector<std::string>& {
      return lists[param];
    };
    std::unique_ptr<Source> source = builder.build(table, std::move(wanted));
    if (!source) problem = builder.error();
    return source;
  };
  if (auto error = compareTables(module, plan, open, log, scalars)) return std::move(*error);
  const auto fail = [&](StreamError error, std::size_t whole, std::size_t named) {
    for (std::size_t i = 0; i < whole; ++i) {
      ::unlink(i < named ? outputs[i].path.c_str() : partOf(outputs[i].path).c_str());
    }
    return error;
  };
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string& path = outputs[i].path;  // empty: the rows are only counted
    const PlanOutput part{path.empty() ? path : partOf(path), outputs[i].format};
    std::variant<std::int64_t, StreamError> rows = std::int64_t{-1};
    if (module.types.kind(module.at(plan.results[i]).type) != ir::TypeKind::Table) {
      if (auto error = writeValue(scalars, plan.results[i], part.path)) rows = std::move(*error);
    } else {
      StreamError unopened;
      const std::unique_ptr<Source> source = open(plan.results[i], {}, log, unopened);
      if (source) {
        rows = drain(*source, part);
      } else {
        rows = std::move(unopened);
      }
    }
    if (StreamError* error = std::get_if<StreamError>(&rows)) {
      if (error->message.starts_with(part.path)) {
        error->message.replace(0, part.path.size(), path);
      }
      return fail(std::move(*error), i, 0);
    }
    result.rows.push_back(std::get<std::int64_t>(rows));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].path.empty()) continue;
    if (auto error = publish(outputs[i].path)) return fail(std::move(*error), outputs.size(), i);
  }
  result.anomalies = log;
  return result;
}

std::unique_ptr<Source> openPlan(
    const ir::Module& module, ir::NodeId table,
    const std::function<std::unique_ptr<Source>(ir::NodeId param)>& tables, const Scalars& scalars,
    const PlanOptions& options, AnomalyLog& log, StreamError& error) {
  Builder builder(module, options, scalars, log, options.compileFrom <= 0);
  builder.pathOf = [](ir::NodeId) { return std::string(); };
  builder.openTable = [&](ir::NodeId param, const Schema&, const ReadOptions&, StreamError&) {
    return tables(param);
  };
  builder.openRead = tables;
  std::unique_ptr<Source> source = builder.build(table);
  if (!source) error = builder.error();
  return source;
}

}  // namespace couler::column

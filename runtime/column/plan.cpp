#include "runtime/column/plan.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "runtime/column/bytes.h"
#include "runtime/column/drift.h"
#include "runtime/column/plan_sources.h"
#include "runtime/column/publish.h"

namespace couler::column {

namespace {

std::int64_t fileSize(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

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
    PlanSources sources(module, options, scalars, found, bytes >= options.compileFrom);
    sources.pathOf = [&](ir::NodeId param) { return paths[param]; };
    sources.openTable = [&](ir::NodeId param, const Schema& schema, const ReadOptions& read,
                            StreamError& error) {
      return openSource(paths[param], schema, read, found, error);
    };
    sources.openPart = [&found](const std::string& path, const Schema& schema,
                                const std::vector<bool>& columns, StreamError& error) {
      ReadOptions read;
      read.format = "arrow";
      read.wanted = columns;
      read.trusted = true;
      return openSource(path, schema, read, found, error);
    };
    sources.pathsOf = [&](ir::NodeId param) -> const std::vector<std::string>& {
      return lists[param];
    };
    std::unique_ptr<Source> source = sources.build(table, std::move(wanted));
    if (!source) problem = sources.error();
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
  PlanSources sources(module, options, scalars, log, options.compileFrom <= 0);
  sources.pathOf = [](ir::NodeId) { return std::string(); };
  sources.openTable = [&](ir::NodeId param, const Schema&, const ReadOptions&, StreamError&) {
    return tables(param);
  };
  sources.openRead = tables;
  std::unique_ptr<Source> source = sources.build(table);
  if (!source) error = sources.error();
  return source;
}

}  // namespace couler::column

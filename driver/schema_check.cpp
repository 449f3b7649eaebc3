#include "driver/schema_check.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "driver/console.h"
#include "driver/files.h"
#include "driver/report.h"
#include "driver/scratch.h"
#include "driver/statistics.h"
#include "frontend/session.h"
#include "ir/value.h"
#include "passes/pass.h"
#include "runtime/column/plan.h"
#include "runtime/column/profile.h"
#include "runtime/jit/loader.h"
#include "support/text.h"

namespace couler::driver {

namespace {

constexpr std::string_view kRoot = "schema to read with";  // no file: what the loader below makes

int complainOf(const Invocation& invocation, const std::string& expects) {
  return complain(diagnose<Diag::BadOptionValue>({}, "schema", expects), kUsage,
                  styleOf(invocation));
}

/// The columns of a file by its header, in their order.
std::optional<std::vector<std::string>> columnsOf(const std::string& path,
                                                  const std::string& format, std::string& why) {
  auto found = column::columnNames(path, format);
  if (auto* error = std::get_if<column::StreamError>(&found)) {
    why = error->message;
    return std::nullopt;
  }
  return std::get<std::vector<std::string>>(std::move(found));
}

}  // namespace

std::unique_ptr<SchemaReader> schemaNamed(const Invocation& invocation, const std::string& where,
                                          const std::string& format) {
  const std::size_t colon = where.rfind(':');
  if (colon == std::string::npos || colon + 1 == where.size()) {
    complainOf(invocation, "FILE.cwl:Name, found `" + where + "`");
    return nullptr;
  }
  const std::string file = where.substr(0, colon);
  const std::string name = where.substr(colon + 1);
  const std::size_t slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : file.substr(0, slash + 1);
  const std::string root = folder + std::string(kRoot);
  const std::string text = fmt::format(
      "couler 1\n\nimport {} {{ {} }}\n\n"
      "workflow check(data: file<{}>) -> (rows: table<{}>) {{\n"
      "    return (rows: read<{}>(data, on_bad: keep))\n}}\n",
      ir::toSource(ir::Value("./" + file.substr(folder.size()))), name, format, name, name);
  DiagnosticList problems;
  Session session(
      [&](const std::string& path) {
        LoadedText loaded;
        if (path == root) {
          loaded.text = text;
          return loaded;
        }
        ReadResult read = readFile(path);
        if (read.error.empty()) {
          loaded.text = std::move(read.text);
        } else {
          loaded.error = std::move(read.error);
        }
        return loaded;
      },
      problems);
  std::optional<ir::Module> module;
  if (session.load(root)) module = session.lower("", true);
  if (!module || problems.hasErrors()) {
    printDiagnostics(problems.sorted(), session.sources(), styleOf(invocation));
    return nullptr;
  }
  passes::Context context{problems};
  passes::findPass("inline")->run(*module, context);  // functions in conditions
  auto reader = std::make_unique<SchemaReader>();
  reader->module = std::move(*module);
  for (std::size_t i = 0; i < reader->module.tasks.size(); ++i) {
    const ir::TaskDef& task = reader->module.tasks[i];
    if (task.run != ir::RunKind::Table) continue;
    reader->task = ir::TaskId{i};
    const ir::TypeId row = reader->module.types[task.outputs[0].type].element;
    reader->schema = column::schemaOf(reader->module.types, row);
    const ir::NodeId read = reader->module.at(task.exprs).results[0];
    std::vector<std::string> names;
    column::namesInFile(reader->module, reader->module.payload<ir::Rows>(read)->body,
                        reader->schema, names);
    for (std::size_t field = 0; field < names.size(); ++field) {
      reader->schema.fields[field].name = std::move(names[field]);
    }
    return reader;
  }
  complainOf(invocation, "a schema, found `" + name + "`");
  return nullptr;
}

SchemaFindings checkFile(const SchemaReader& reader, const std::string& path,
                         const std::string& name, const std::string& format) {
  SchemaFindings findings;
  const auto columns = columnsOf(path, format, findings.error);
  if (!columns) return findings;
  const auto note = [&](column::AnomalyKind kind, const std::string& of, column::Kind columnKind) {
    column::Anomaly anomaly;
    anomaly.kind = kind;
    anomaly.column = of;
    anomaly.columnKind = columnKind;
    anomaly.file = name;
    findings.log.add(std::move(anomaly));
  };
  for (const column::Field& field : reader.schema.fields) {
    if (std::find(columns->begin(), columns->end(), field.name) != columns->end()) continue;
    if (format == "jsonl" && field.optional) continue;  // an absent key is a missing value
    note(column::AnomalyKind::MissingColumn, field.name, field.kind);
    findings.headerOnly = true;
  }
  for (const std::string& column : *columns) {
    if (reader.schema.find(column) < 0) {
      note(column::AnomalyKind::NewColumn, column, column::Kind::Value);
    }
  }
  if (findings.headerOnly) return findings;
  const Scratch scratch;
  column::PlanOptions options;
  options.limits.folder = scratch.path();
  options.compile = [](const column::RowPlan& plan, std::string& reason) {
    return jit::jitKernel(plan, reason);
  };
  auto done = column::runPlan(reader.module, reader.task, {{path, {}}}, {{}}, options);
  if (auto* error = std::get_if<column::StreamError>(&done)) {
    findings.error = error->message;
    return findings;
  }
  auto& result = std::get<column::PlanResult>(done);
  findings.rows = result.rows[0];
  findings.log.merge(result.anomalies);
  return findings;
}

std::string findingsText(const std::string& file, const SchemaFindings& findings) {
  std::string out = findings.log.text(file);
  if (findings.headerOnly) {
    return out + "no row was looked at: add the columns to the file or take them out of the schema\n";
  }
  if (findings.log.total() == 0) {
    return out + fmt::format("{}: {}, nothing wrong\n", file,
                             countOf(static_cast<std::size_t>(findings.rows), "row"));
  }
  return out;
}

std::string findingsHtml(const std::string& file, const SchemaFindings& findings) {
  std::string rows;
  for (const column::AnomalyLog::Entry& entry : findings.log.entries()) {
    const column::Anomaly& first = entry.first;
    std::string places;
    for (const column::Anomaly& example : entry.examples) {
      if (example.kind == column::AnomalyKind::MissingColumn ||
          example.kind == column::AnomalyKind::NewColumn) {
        continue;
      }
      if (!places.empty()) places += "<br>";
      places += example.line > 0 ? fmt::format("line {}", example.line)
                                 : fmt::format("row {}", example.row + 1);
      if (!example.value.empty()) {
        places += fmt::format(" <code>{}</code>", escapeHtml(example.value));
      }
    }
    rows += fmt::format(
        "<tr><td>{}<br><small>{}</small></td><td>{}</td><td><code>{}</code></td><td>{}</td>"
        "<td>{}</td></tr>\n",
        column::anomalyName(first.kind), column::tfdvName(first.kind, first.columnKind),
        escapeHtml(first.column), escapeHtml(first.rule), grouped(entry.count), places);
  }
  const bool good = findings.log.total() == 0;
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}</title>\n"
      "<style>{1}</style>\n</head>\n<body>\n<main>\n<h1>{0} <span class=\"badge {2}\">{3}</span>"
      "</h1>\n<p class=\"sub\">{4}</p>\n<div class=\"panel\"><table><thead><tr><th>what</th>"
      "<th>column</th><th>condition</th><th>count</th><th>first places</th></tr></thead><tbody>\n"
      "{5}</tbody></table></div>\n</main>\n</body>\n</html>\n",
      escapeHtml(file), pageStyle(), good ? "succeeded" : "failed",
      good ? "nothing wrong" : grouped(findings.log.total()) + " wrong",
      findings.headerOnly ? "no row was looked at"
                          : countOf(static_cast<std::size_t>(findings.rows), "row"),
      rows);
}

}  // namespace couler::driver

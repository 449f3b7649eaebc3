#include "driver/data_drift.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "driver/report.h"
#include "driver/text_table.h"
#include "runtime/column/drift.h"
#include "runtime/column/profile.h"
#include "support/text.h"

namespace couler::driver {

using column::Field;
using column::Schema;
using column::StreamError;
using Column = DriftFindings::Column;

namespace {

/// A file, the columns that it has, and those that are compared.
struct Side {
  column::Profile profile;  ///< what the schema refers to
  Schema schema;
  Schema compared;
};

/// Of a given schema the columns that the file has; else what it has.
std::optional<StreamError> look(const DriftFile& file, const Schema* given, Side& side,
                                std::vector<std::string>& leftOut) {
  if (given != nullptr) {
    auto names = column::columnNames(file.path, file.format);
    if (auto* error = std::get_if<StreamError>(&names)) return std::move(*error);
    const auto& has = std::get<std::vector<std::string>>(names);
    side.schema.types = given->types;
    for (const Field& field : given->fields) {
      if (std::find(has.begin(), has.end(), field.name) != has.end()) {
        side.schema.fields.push_back(field);
      }
    }
  } else {
    column::ProfileOptions options;
    options.format = file.format;
    auto found = column::profileFile(file.path, options);
    if (auto* error = std::get_if<StreamError>(&found)) return std::move(*error);
    side.profile = std::get<column::Profile>(std::move(found));
    side.schema = side.profile.schema;
    for (const column::LeftOut& left : side.profile.leftOut) leftOut.push_back(left.column);
  }
  side.compared.types = side.schema.types;
  return std::nullopt;
}

std::string typeOf(const Schema& schema, const Field& field) {
  std::string type = schema.types->print(field.type);
  if (type.ends_with('?')) type.pop_back();
  return type;
}

/// A cell that is not of its type is no value, and takes none of the others of its row with it.
void compare(Side& side, Field field) {
  field.optional = true;
  side.compared.fields.push_back(std::move(field));
}

column::TableOpener opener(const DriftFile& file, const Side& side) {
  return [&file, &side, log = column::AnomalyLog()](std::vector<bool> wanted,
                                                    StreamError& error) mutable {
    column::ReadOptions options;
    options.format = file.format;
    options.onBad = ir::BadRows::Keep;
    options.wanted = std::move(wanted);
    return column::openSource(file.path, side.compared, options, log, error);
  };
}

std::string number(double x) { return fmt::format("{:.4g}", x); }
std::string linfText(const Column& column) { return column.linf ? number(*column.linf) : "-"; }

std::string remark(const Column& column, std::optional<double> threshold) {
  std::string text = column.type.empty()            ? "is missing"
                     : column.type != column.before ? fmt::format("was {}", column.before)
                                                    : "";
  if (!threshold || !isFar(column, *threshold)) return text;
  return text.empty() ? "far" : "far, " + text;
}

std::string namesOf(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += fmt::format("{}`{}`", text.empty() ? "" : ", ", shown(name));
  return text;
}

}  // namespace

bool isFar(const Column& column, double threshold) {
  return column.jsd > threshold || (column.linf && *column.linf > threshold);
}

bool anyFar(const DriftFindings& findings, std::optional<double> threshold) {
  return threshold && std::any_of(findings.columns.begin(), findings.columns.end(),
                                  [&](const Column& one) { return isFar(one, *threshold); });
}

std::variant<DriftFindings, StreamError> driftOfFiles(const DriftFile& recent,
                                                      const DriftFile& before,
                                                      const Schema* schema) {
  DriftFindings findings;
  Side sides[2];
  if (auto error = look(recent, schema, sides[0], findings.leftOut)) return std::move(*error);
  if (auto error = look(before, schema, sides[1], findings.leftOut)) return std::move(*error);
  std::vector<std::string> names;
  std::vector<bool> numeric;
  for (const Field& old : sides[1].schema.fields) {
    const ir::DriftKind kind = ir::driftKind(*sides[1].schema.types, old.type);
    if (kind == ir::DriftKind::None) {
      findings.leftOut.push_back(old.name);
      continue;
    }
    Column& column = findings.columns.emplace_back();
    column.column = old.name;
    column.before = typeOf(sides[1].schema, old);
    column.jsd = 1;
    const int at = sides[0].schema.find(old.name);
    if (at < 0) continue;
    const Field& now = sides[0].schema.fields[static_cast<std::size_t>(at)];
    column.type = typeOf(sides[0].schema, now);
    if (ir::driftKind(*sides[0].schema.types, now.type) != kind) continue;
    compare(sides[0], now);
    compare(sides[1], old);
    names.push_back(old.name);
    numeric.push_back(kind == ir::DriftKind::Number);
  }
  for (const Field& now : sides[0].schema.fields) {
    if (sides[1].schema.find(now.name) < 0) findings.added.push_back(now.name);
  }
  auto found = column::driftOfColumns(opener(recent, sides[0]), opener(before, sides[1]), names,
                                      numeric);
  if (auto* error = std::get_if<StreamError>(&found)) return std::move(*error);
  auto next = findings.columns.begin();
  for (ir::ColumnDrift& one : std::get<std::vector<ir::ColumnDrift>>(found)) {
    while (next->column != one.column) ++next;
    static_cast<ir::ColumnDrift&>(*next) = std::move(one);
  }
  return findings;
}

std::string driftText(const DriftFindings& findings, std::optional<double> threshold) {
  TextTable table({"column", "type", "linf", "jsd", ""});
  for (const Column& one : findings.columns) {
    table.add({shown(one.column), one.type.empty() ? one.before : one.type, linfText(one),
               number(one.jsd), remark(one, threshold)});
  }
  std::string out = table.print(4);
  if (!out.empty()) out.erase(0, 1);  // it begins with an empty line
  if (!findings.added.empty()) out += fmt::format("new: {}\n", namesOf(findings.added));
  if (!findings.leftOut.empty()) out += fmt::format("left out: {}\n", namesOf(findings.leftOut));
  if (threshold) {
    const auto far = std::count_if(findings.columns.begin(), findings.columns.end(),
                                   [&](const Column& one) { return isFar(one, *threshold); });
    out += fmt::format("{} farther than {}\n", countOf(static_cast<std::size_t>(far), "column"),
                       number(*threshold));
  }
  return out;
}

std::string driftJson(const DriftFile& recent, const DriftFile& before,
                      const DriftFindings& findings, std::optional<double> threshold) {
  nlohmann::ordered_json out = {{"new", recent.name}, {"old", before.name}};
  if (threshold) {
    out["threshold"] = *threshold;
    out["far"] = anyFar(findings, threshold);
  }
  double linf = 0;
  double jsd = 0;
  auto columns = nlohmann::ordered_json::array();
  for (const Column& one : findings.columns) {
    linf = std::max(linf, one.linf.value_or(0));
    jsd = std::max(jsd, one.jsd);
    nlohmann::ordered_json column = {{"column", one.column},
                                     {"type", nullptr},
                                     {"before", one.before},
                                     {"linf", nullptr},
                                     {"jsd", one.jsd}};
    if (!one.type.empty()) column["type"] = one.type;
    if (one.linf) column["linf"] = *one.linf;
    if (threshold) column["far"] = isFar(one, *threshold);
    columns.push_back(std::move(column));
  }
  out["linf"] = linf;
  out["jsd"] = jsd;
  out["columns"] = std::move(columns);
  out["added"] = findings.added;
  out["leftOut"] = findings.leftOut;
  return out.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string driftHtml(const DriftFile& recent, const DriftFile& before,
                      const DriftFindings& findings, std::optional<double> threshold) {
  std::string rows;
  for (const Column& one : findings.columns) {
    rows += fmt::format(
        "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td><td><div style=\"background:"
        "var(--reused);height:10px;border-radius:2px;width:{:.1f}%\"></div></td><td>{}</td></tr>\n",
        escapeHtml(one.column), escapeHtml(one.type.empty() ? one.before : one.type), linfText(one),
        number(one.jsd), 100 * one.jsd, escapeHtml(remark(one, threshold)));
  }
  std::string more;
  if (!findings.added.empty()) more += "new: " + namesOf(findings.added) + ". ";
  if (!findings.leftOut.empty()) more += "left out: " + namesOf(findings.leftOut) + ".";
  std::string badge;
  if (threshold) {
    const bool far = anyFar(findings, threshold);
    badge = fmt::format(" <span class=\"badge {}\">{} {}</span>", far ? "failed" : "succeeded",
                        far ? "farther than" : "within", number(*threshold));
  }
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}</title>\n"
      "<style>{1}</style>\n</head>\n<body>\n<main>\n<h1>{0}{2}</h1>\n<p class=\"sub\">against {3}. "
      "{4}</p>\n<div class=\"panel\"><table><thead><tr><th>column</th><th>type</th><th>linf</th>"
      "<th>jsd</th><th style=\"width:35%\"></th><th></th></tr></thead><tbody>\n{5}</tbody></table>"
      "</div>\n</main>\n</body>\n</html>\n",
      escapeHtml(recent.name), pageStyle(), badge, escapeHtml(before.name), escapeHtml(more), rows);
}

}  // namespace couler::driver

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "driver/console.h"
#include "driver/data_command.h"
#include "driver/data_drift.h"
#include "driver/schema_check.h"
#include "driver/statistics.h"
#include "runtime/column/profile.h"

namespace couler::driver {
namespace {

/// `--format`, else what the output's name says, else text.
std::string formatOf(const Invocation& invocation) {
  if (invocation.has("format")) return invocation.value("format");
  const std::string path = invocation.value("output");
  if (path.ends_with(".json")) return "json";
  return path.ends_with(".html") ? "html" : "text";
}

bool isTable(const std::string& format) {
  return format == "csv" || format == "jsonl" || format == "arrow" || format == "parquet";
}
int refuseFormat(const Invocation& invocation, const DataFile& file, const std::string& format) {
  return refuseData(invocation,
                    fmt::format("{}: tables are read from csv, jsonl, arrow and parquet, not from "
                                "`{}`",
                                file.name(), format));
}

int stats(const Invocation& invocation) {
  const DataFile file(invocation.words[1]);
  if (!file.problem().empty()) return refuseData(invocation, file.problem());
  column::ProfileOptions options;
  options.format = column::formatOfFile(file.path());
  std::unique_ptr<SchemaReader> reader;
  if (invocation.has("schema")) {
    if (!isTable(options.format)) return refuseFormat(invocation, file, options.format);
    reader = schemaNamed(invocation, invocation.value("schema"), options.format);
    if (!reader) return kFailed;
    options.schema = &reader->schema;
  }
  const auto found = column::profileFile(file.path(), options);
  if (const auto* error = std::get_if<column::StreamError>(&found)) {
    return refuseData(invocation, file.about(error->message));
  }
  const auto& profile = std::get<column::Profile>(found);
  const std::string format = formatOf(invocation);
  return deliver(invocation,
                 format == "json"   ? statisticsJson(file.name(), profile)
                 : format == "html" ? statisticsHtml(file.name(), profile)
                                    : statisticsText(file.name(), profile),
                 kOk);
}

int check(const Invocation& invocation) {
  if (!invocation.has("schema")) {
    return complain(diagnose<Diag::BadCommandWords>({}, "data", "check needs --schema FILE.cwl:Name"),
                    kUsage, styleOf(invocation));
  }
  const DataFile file(invocation.words[1]);
  if (!file.problem().empty()) return refuseData(invocation, file.problem());
  const std::string format = column::formatOfFile(file.path());
  if (!isTable(format)) return refuseFormat(invocation, file, format);
  const auto reader = schemaNamed(invocation, invocation.value("schema"), format);
  if (!reader) return kFailed;
  const SchemaFindings findings = checkFile(*reader, file.path(), file.name(), format);
  if (!findings.error.empty()) return refuseData(invocation, file.about(findings.error));
  const std::string form = formatOf(invocation);
  return deliver(invocation,
                 form == "json"   ? findings.log.json() + "\n"
                 : form == "html" ? findingsHtml(file.name(), findings)
                                  : findingsText(file.name(), findings),
                 findings.log.total() == 0 ? kOk : kFailed);
}

/// `--threshold`, or nothing; the code to end with where it is none.
std::optional<int> thresholdOf(const Invocation& invocation, std::optional<double>& threshold) {
  if (!invocation.has("threshold")) return std::nullopt;
  std::string why;
  const auto value = ir::fromText(invocation.value("threshold"), ir::TypeTable::kFloat, {}, why);
  const double* number = value ? value->as<double>() : nullptr;
  if (number == nullptr || !(*number >= 0 && *number <= 1)) {
    return complain(diagnose<Diag::BadOptionValue>(
                        {}, "threshold",
                        "a number from 0 to 1, found `" + invocation.value("threshold") + "`"),
                    kUsage, styleOf(invocation));
  }
  threshold = *number;
  return std::nullopt;
}

int drift(const Invocation& invocation) {
  std::optional<double> threshold;
  if (const auto code = thresholdOf(invocation, threshold)) return *code;
  const DataFile recent(invocation.words[1]);
  const DataFile before(invocation.words[2]);
  std::vector<DriftFile> files;
  for (const DataFile* file : {&recent, &before}) {
    if (!file->problem().empty()) return refuseData(invocation, file->problem());
    files.push_back({file->path(), file->name(), column::formatOfFile(file->path())});
    if (!isTable(files.back().format)) return refuseFormat(invocation, *file, files.back().format);
  }
  std::unique_ptr<SchemaReader> reader;
  if (invocation.has("schema")) {
    reader = schemaNamed(invocation, invocation.value("schema"), files[0].format);
    if (!reader) return kFailed;
  }
  const auto found = driftOfFiles(files[0], files[1], reader ? &reader->schema : nullptr);
  if (const auto* error = std::get_if<column::StreamError>(&found)) {
    return refuseData(invocation, recent.about(before.about(error->message)));
  }
  const auto& findings = std::get<DriftFindings>(found);
  const std::string form = formatOf(invocation);
  return deliver(invocation,
                 form == "json"   ? driftJson(files[0], files[1], findings, threshold)
                 : form == "html" ? driftHtml(files[0], files[1], findings, threshold)
                                  : driftText(findings, threshold),
                 anyFar(findings, threshold) ? kFailed : kOk);
}

}  // namespace

int runData(const Invocation& invocation) {
  const std::string& what = invocation.words[0];
  if (what == "stats" && invocation.words.size() == 2) return stats(invocation);
  if (what == "check" && invocation.words.size() == 2) return check(invocation);
  if (what == "drift" && invocation.words.size() == 3) return drift(invocation);
  return complain(diagnose<Diag::BadCommandWords>(
                      {}, "data", fmt::format("expects: couler {}", invocation.command->usage)),
                  kUsage, styleOf(invocation));
}

}  // namespace couler::driver

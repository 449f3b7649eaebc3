#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "runtime/column/stream.h"
#include "support/text.h"

namespace couler::column {

namespace {

bool isAbout(const AnomalyLog::Entry& entry, AnomalyKind kind, std::string_view column,
             std::string_view rule) {
  return entry.first.kind == kind && entry.first.column == column && entry.first.rule == rule;
}

}  // namespace

std::string_view anomalyName(AnomalyKind kind) {
  switch (kind) {
    case AnomalyKind::NotOfType:
      return "not-of-type";
    case AnomalyKind::Missing:
      return "missing";
    case AnomalyKind::NotACase:
      return "not-a-case";
    case AnomalyKind::OutOfRange:
      return "out-of-range";
    case AnomalyKind::NotUtf8:
      return "not-utf-8";
    case AnomalyKind::Constraint:
      return "constraint";
    case AnomalyKind::RaggedRow:
      return "ragged-row";
    case AnomalyKind::DuplicateKey:
      return "duplicate-key";
    case AnomalyKind::Malformed:
      return "malformed";
    case AnomalyKind::TooSmall:
      return "too-small";
    case AnomalyKind::TooLarge:
      return "too-large";
    case AnomalyKind::NotInDomain:
      return "not-in-domain";
    case AnomalyKind::MissingColumn:
      return "missing-column";
    case AnomalyKind::NewColumn:
      return "new-column";
  }
  return "unknown";
}

std::string_view tfdvName(AnomalyKind kind, Kind column) {
  const bool isFloat = column == Kind::Float;
  switch (kind) {
    case AnomalyKind::NotOfType:
      return column == Kind::Int    ? "INT_TYPE_NOT_INT_STRING"
             : isFloat              ? "FLOAT_TYPE_STRING_NOT_FLOAT"
             : column == Kind::Bool ? "BOOL_TYPE_UNEXPECTED_STRING"
                                    : "UNEXPECTED_DATA_TYPE";
    case AnomalyKind::Missing:
      return "FEATURE_TYPE_LOW_FRACTION_PRESENT";
    case AnomalyKind::NotACase:
    case AnomalyKind::NotInDomain:
      return "ENUM_TYPE_UNEXPECTED_STRING_VALUES";
    case AnomalyKind::NotUtf8:
      return column == Kind::Enum ? "ENUM_TYPE_INVALID_UTF8" : "STRING_TYPE_INVALID_UTF8";
    case AnomalyKind::TooSmall:
      return isFloat ? "FLOAT_TYPE_SMALL_FLOAT" : "INT_TYPE_SMALL_INT";
    case AnomalyKind::OutOfRange:
    case AnomalyKind::TooLarge:
      return isFloat ? "FLOAT_TYPE_BIG_FLOAT" : "INT_TYPE_BIG_INT";
    case AnomalyKind::Constraint:
      return "CUSTOM_VALIDATION";
    case AnomalyKind::DuplicateKey:
      return "FEATURE_TYPE_LOW_UNIQUE";
    case AnomalyKind::MissingColumn:
      return "SCHEMA_MISSING_COLUMN";
    case AnomalyKind::NewColumn:
      return "SCHEMA_NEW_COLUMN";
    case AnomalyKind::RaggedRow:
    case AnomalyKind::Malformed:
      break;
  }
  return {};
}

// As many entries as kinds times columns times rules: few enough to look through.
void AnomalyLog::add(Anomaly anomaly) {
  if (anomaly.kind != AnomalyKind::NewColumn) ++total_;
  for (Entry& entry : entries_) {
    if (!isAbout(entry, anomaly.kind, anomaly.column, anomaly.rule)) continue;
    ++entry.count;
    if (entry.examples.size() < kExamples) entry.examples.push_back(std::move(anomaly));
    return;
  }
  entries_.push_back({anomaly, {anomaly}, 1});
}

void AnomalyLog::merge(const AnomalyLog& other) {
  for (const Entry& theirs : other.entries_) {
    const auto it = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& mine) {
      return isAbout(mine, theirs.first.kind, theirs.first.column, theirs.first.rule);
    });
    if (it == entries_.end()) {
      entries_.push_back(theirs);
      continue;
    }
    it->count += theirs.count;
    for (const Anomaly& example : theirs.examples) {
      if (it->examples.size() < kExamples) it->examples.push_back(example);
    }
  }
  total_ += other.total_;
}

bool AnomalyLog::keeps(AnomalyKind kind, std::string_view column, std::string_view rule) const {
  const auto it = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return isAbout(entry, kind, column, rule);
  });
  return it == entries_.end() || it->examples.size() < kExamples;
}

std::string AnomalyLog::text(std::string_view file) const {
  std::string out;
  for (const Entry& entry : entries_) {
    out += anomalyName(entry.first.kind);
    if (!entry.first.column.empty()) out += fmt::format(" in `{}`", entry.first.column);
    if (!entry.first.rule.empty()) out += fmt::format(" (`{}`)", entry.first.rule);
    if (entry.first.kind == AnomalyKind::MissingColumn ||
        entry.first.kind == AnomalyKind::NewColumn) {
      out += '\n';
      continue;
    }
    out += fmt::format(": {}", countOf(static_cast<std::size_t>(entry.count), "row"));
    for (const Anomaly& example : entry.examples) {
      out += &example == entry.examples.data() ? "; " : ", ";
      const std::string_view where = example.file.empty() ? file : example.file;
      out += example.line > 0 ? fmt::format("{}:{}", where, example.line)
                              : fmt::format("{} row {}", where, example.row + 1);
      if (!example.value.empty()) out += fmt::format(" `{}`", example.value);
    }
    out += '\n';
  }
  return out;
}

std::string AnomalyLog::json() const {
  std::string out = fmt::format("{{\"total\":{},\"anomalies\":[", total_);
  for (const Entry& entry : entries_) {
    if (&entry != entries_.data()) out += ',';
    const Anomaly& first = entry.first;
    out += fmt::format("{{\"kind\":\"{}\"", anomalyName(first.kind));
    const std::string_view tfdv = tfdvName(first.kind, first.columnKind);
    if (!tfdv.empty()) out += fmt::format(",\"tfdv\":\"{}\"", tfdv);
    if (!first.column.empty()) out += ",\"column\":" + jsonQuote(first.column);
    if (!first.rule.empty()) out += ",\"rule\":" + jsonQuote(first.rule);
    out += fmt::format(",\"count\":{},\"examples\":[", entry.count);
    const bool ofHeader =
        first.kind == AnomalyKind::MissingColumn || first.kind == AnomalyKind::NewColumn;
    for (const Anomaly& example : entry.examples) {
      if (ofHeader) break;
      if (&example != entry.examples.data()) out += ',';
      out += fmt::format("{{\"file\":{},\"row\":{}", jsonQuote(example.file), example.row + 1);
      if (example.line > 0) out += fmt::format(",\"line\":{}", example.line);
      out += fmt::format(",\"value\":{}}}", jsonQuote(example.value));
    }
    out += "]}";
  }
  return out + "]}";
}

}  // namespace couler::column

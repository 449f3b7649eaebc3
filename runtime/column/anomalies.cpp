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
  }
  return "unknown";
}

// As many entries as kinds times columns times rules: few enough to look through.
void AnomalyLog::add(Anomaly anomaly) {
  ++total_;
  for (Entry& entry : entries_) {
    if (!isAbout(entry, anomaly.kind, anomaly.column, anomaly.rule)) continue;
    ++entry.count;
    if (entry.examples.size() < kExamples) entry.examples.push_back(std::move(anomaly));
    return;
  }
  entries_.push_back({anomaly, {anomaly}, 1});
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
    out += fmt::format(": {}", countOf(static_cast<std::size_t>(entry.count), "row"));
    for (const Anomaly& example : entry.examples) {
      out += &example == entry.examples.data() ? "; " : ", ";
      out += example.line > 0 ? fmt::format("{}:{}", file, example.line)
                              : fmt::format("{} row {}", file, example.row + 1);
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
    out += fmt::format("{{\"kind\":\"{}\",\"column\":{}", anomalyName(entry.first.kind),
                       jsonQuote(entry.first.column));
    if (!entry.first.rule.empty()) out += ",\"rule\":" + jsonQuote(entry.first.rule);
    out += fmt::format(",\"count\":{},\"examples\":[", entry.count);
    for (const Anomaly& example : entry.examples) {
      if (&example != entry.examples.data()) out += ',';
      out += fmt::format("{{\"row\":{},\"line\":{},\"value\":{}}}", example.row, example.line,
                         jsonQuote(example.value));
    }
    out += "]}";
  }
  return out + "]}";
}

}  // namespace couler::column

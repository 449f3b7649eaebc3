#include "driver/schema_text.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "driver/statistics.h"
#include "frontend/format/format.h"
#include "frontend/parse/parse.h"
#include "runtime/column/cells.h"
#include "support/text.h"

namespace couler::driver {

using column::Kind;
using column::Profile;

namespace {

// A text is a case where a person would write them down, and not by chance.
constexpr std::size_t kMostCases = 32;
constexpr std::int64_t kRowsACase = 4;

bool isAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// `payment_type` as `PaymentType`; empty: there is no letter to begin with.
std::string pascal(std::string_view text) {
  std::string out;
  bool begins = true;
  for (const char c : text) {
    if (!isAlnum(c)) {
      begins = true;
      continue;
    }
    if (out.empty() && c >= '0' && c <= '9') continue;
    out += begins && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    begins = false;
  }
  return out;
}

/// `Body Mass (g)` as `body_mass_g`; not one of `taken`.
std::string snake(std::string_view text, std::size_t column, const std::set<std::string>& taken) {
  std::string name;
  for (const char c : text) {
    if (isAlnum(c)) {
      name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (name.ends_with('_')) name.pop_back();
  if (!canBeName(name)) name = fmt::format("column_{}", column + 1);
  while (taken.contains(name)) name += '_';
  return name;
}

/// As a literal of the language.
std::string literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (const char letter = escapeLetter(c)) {
      out += {'\\', letter};
    } else if (isControl(c)) {
      out += fmt::format("\\u{{{:x}}}", static_cast<unsigned>(c));
    } else {
      if (c == '{' || c == '}') out += '\\';
      out += c;
    }
  }
  return out + '"';
}

/// On one line of a comment.
std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : text) out += isControl(c) ? ' ' : c;
  return "`" + out + "`";
}

struct Cases {
  std::vector<std::string> names;
  bool someMissing = false;  ///< texts that a column of cases takes for missing
};

/// Nothing: the column is no enum.
std::optional<Cases> casesOf(const column::ColumnStatistics& column) {
  if (column.field().kind != Kind::String || !column.texts().exact()) return std::nullopt;
  if (column.texts().distinct() > static_cast<std::int64_t>(kMostCases) + 4) return std::nullopt;
  Cases cases;
  for (const column::ValueCounts::Item& item : column.texts().all()) {
    const std::string text(item.text);
    if (column::meansMissing(text)) {
      cases.someMissing = true;
      continue;
    }
    if (!canBeName(text)) return std::nullopt;
    cases.names.push_back(text);
  }
  if (cases.names.size() < 2 || cases.names.size() > kMostCases) return std::nullopt;
  if (column.present() < kRowsACase * static_cast<std::int64_t>(cases.names.size())) {
    return std::nullopt;
  }
  return cases;
}

}  // namespace

bool canBeName(const std::string& word) {
  constexpr std::size_t kLongest = 100;
  if (word.empty() || word.size() > kLongest || (word[0] >= '0' && word[0] <= '9')) return false;
  if (!std::all_of(word.begin(), word.end(), [](char c) { return isAlnum(c) || c == '_'; })) {
    return false;
  }
  SourceManager sources;
  DiagnosticList problems;
  const FileId file = sources.add("name", "couler 1\n\nschema S { " + word + ": int }\n");
  const auto tree = parseFile(sources, file, problems);
  return tree && !problems.hasErrors();
}

std::string schemaNameOf(const std::string& file) {
  std::string_view stem = file;
  if (const std::size_t slash = stem.rfind('/'); slash != std::string_view::npos) {
    stem.remove_prefix(slash + 1);
  }
  const std::string name = pascal(stem.substr(0, stem.find('.')));
  return name.empty() || !canBeName(name) ? "Row" : name;
}

std::string schemaText(const std::string& file, const std::string& name, const Profile& profile,
                       const std::vector<bool>& unique) {
  std::string enums;
  std::string fields;
  std::set<std::string> taken = {name};
  std::set<std::string> columns;  // those that keep their names come first
  for (const column::Field& field : profile.schema.fields) {
    if (canBeName(field.name)) columns.insert(field.name);
  }
  for (std::size_t i = 0; i < profile.columns.size(); ++i) {
    const std::string& column = profile.schema.fields[i].name;
    std::string type = typeName(profile, i);
    const bool renamed = !canBeName(column);
    const std::string field = renamed ? snake(column, i, columns) : column;
    columns.insert(field);
    if (const auto cases = casesOf(profile.columns[i])) {
      std::string enumName = pascal(column);
      if (enumName.empty()) enumName = "Case";
      if (taken.contains(enumName)) enumName = name + enumName;
      while (!taken.insert(enumName).second) enumName += "_";
      enums += fmt::format("enum {} {{ {} }}\n\n", enumName, fmt::join(cases->names, ", "));
      const bool optional = type.ends_with('?') || cases->someMissing;
      type = enumName + (optional ? "?" : "");
    }
    fields += fmt::format("    {}: {}{}{}\n", field, type,
                          renamed ? " from " + literal(column) : "",
                          unique[i] ? " where unique" : "");
  }
  for (const column::LeftOut& left : profile.leftOut) {
    fields += fmt::format("    // {}: left out, since it {}\n", quoted(left.column), left.why);
  }
  if (fields.empty() || profile.columns.empty()) return {};
  const std::string text =
      fmt::format("couler 1\n\n{}/// As the {} of {}.\nschema {} {{\n{}}}\n", enums,
                  countOf(static_cast<std::size_t>(profile.rows), "row"),
                  quoted(file.substr(file.rfind('/') + 1)), name, fields);
  SourceManager sources;
  DiagnosticList problems;
  const FileId id = sources.add(file, text);
  const auto tree = parseFile(sources, id, problems);
  return tree && !problems.hasErrors() ? formatTree(sources, *tree) : text;
}

}  // namespace couler::driver

#include "runtime/column/profile.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "runtime/column/arrow_library.h"
#include "runtime/column/cells.h"
#include "runtime/column/csv.h"
#include "runtime/column/formats.h"
#include "runtime/column/row_store.h"

namespace couler::column {

namespace {

/// What the cells of a column of text may be.
enum class Guess : std::uint8_t { Nothing, Bool, Int, Float, Timestamp, String };

Guess guessOf(std::string_view cell) {
  if (meansMissing(cell)) return Guess::Nothing;
  std::uint8_t flag = 0;
  if (readBool(cell, flag) == CellStatus::Ok) return Guess::Bool;
  std::int64_t whole = 0;
  const CellStatus asInt = readInt(cell, whole);
  if (asInt == CellStatus::Ok) return Guess::Int;
  if (asInt == CellStatus::OutOfRange) return Guess::String;  // a float would lose its digits
  double number = 0;
  if (readFloat(cell, number) == CellStatus::Ok) return Guess::Float;
  return readTimestamp(cell, whole) == CellStatus::Ok ? Guess::Timestamp : Guess::String;
}

Guess join(Guess a, Guess b) {
  if (a == b || b == Guess::Nothing) return a;
  if (a == Guess::Nothing) return b;
  const bool numbers = (a == Guess::Int && b == Guess::Float) || (a == Guess::Float && b == Guess::Int);
  return numbers ? Guess::Float : Guess::String;
}

ir::TypeId typeOf(Guess guess) {
  switch (guess) {
    case Guess::Nothing:  // nothing else is read as a bool: all other cells show
    case Guess::Bool:
      return ir::TypeTable::kBool;
    case Guess::Int:
      return ir::TypeTable::kInt;
    case Guess::Float:
      return ir::TypeTable::kFloat;
    case Guess::Timestamp:
      return ir::TypeTable::kTimestamp;
    case Guess::String:
      break;
  }
  return ir::TypeTable::kString;
}

class Profiler {
 public:
  Profiler(const std::string& path, const ProfileOptions& options) : path_(path) {
    made_.format = !options.format.empty() ? options.format : formatOfFile(path);
    made_.types = std::make_shared<ir::TypeTable>();
  }

  bool given(const Schema& schema) {
    made_.schema = schema;
    Schema asRead = schema;
    for (Field& field : asRead.fields) {
      // A cell that is not of its type is to count, not to drop its row.
      if (field.kind != Kind::Value) field.optional = true;
    }
    return start(schema.fields.size()) && pass(asRead, {});
  }
  bool found() {
    if (made_.format == "csv") return csv();
    if (made_.format == "jsonl") return jsonl();
    if (made_.format == "arrow" || made_.format == "parquet") return arrow();
    error_ = {fmt::format("{}: tables are read from csv, jsonl, arrow and parquet, not from `{}`",
                          path_, made_.format)};
    return false;
  }
  [[nodiscard]] StreamError error() const { return error_; }
  [[nodiscard]] Profile take() { return std::move(made_); }

 private:
  bool csv();
  bool jsonl();
  bool arrow();
  bool pass(const Schema& schema, const std::vector<bool>& wanted);
  bool start(std::size_t fields) {
    made_.columns.resize(fields, ColumnStatistics(Field{}));
    made_.notUtf8.assign(fields, 0);
    made_.notOfType.assign(fields, 0);
    return true;
  }
  [[nodiscard]] Field optional(const std::string& name, ir::TypeId type) const {
    return fieldOf(*made_.types, name, made_.types->optional(type));
  }
  bool readAs(std::vector<Field> fields) {
    made_.schema.fields = std::move(fields);
    made_.schema.types = made_.types.get();
    return start(made_.schema.fields.size()) && pass(made_.schema, {}) && settle();
  }
  /// Says of each column whether it lacks values.
  bool settle() {
    for (std::size_t i = 0; i < made_.schema.fields.size(); ++i) {
      Field& field = made_.schema.fields[i];
      if (made_.columns[i].missing() > 0 || made_.notUtf8[i] > 0) continue;
      field = fieldOf(*made_.types, field.name, (*made_.types)[field.type].element);
    }
    return true;
  }

  std::string path_;
  Profile made_;
  StreamError error_;
  AnomalyLog log_;  ///< of the last pass
};

/// Reads the wanted columns to the file's end.
bool Profiler::pass(const Schema& schema, const std::vector<bool>& wanted) {
  log_ = {};
  ReadOptions options;
  options.format = made_.format;
  options.onBad = ir::BadRows::Keep;
  options.wanted = wanted;
  const std::unique_ptr<Source> source = openSource(path_, schema, options, log_, error_);
  if (!source) return false;
  TableStatistics statistics(schema);
  while (const std::optional<Batch> batch = source->next()) statistics.add(*batch);
  if (source->error()) {
    error_ = *source->error();
    return false;
  }
  made_.rows = statistics.rows();
  std::vector<ColumnStatistics> columns = statistics.takeColumns();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!wanted.empty() && !wanted[i]) continue;
    made_.columns[i] = std::move(columns[i]);
    made_.notUtf8[i] = made_.notOfType[i] = 0;
  }
  made_.badRows = 0;
  for (const AnomalyLog::Entry& entry : log_.entries()) {
    const int column = schema.find(entry.first.column);
    if (column < 0 || entry.first.column.empty()) {
      made_.badRows += entry.count;
    } else if (entry.first.kind == AnomalyKind::NotUtf8) {
      made_.notUtf8[static_cast<std::size_t>(column)] += entry.count;
    } else if (entry.first.kind != AnomalyKind::Missing) {
      made_.notOfType[static_cast<std::size_t>(column)] += entry.count;
    }
  }
  return true;
}

bool Profiler::csv() {
  const auto names = csvColumns(path_, error_);
  if (!names) return false;
  std::vector<Guess> guesses(names->size(), Guess::Nothing);
  Schema& schema = made_.schema;
  schema.types = made_.types.get();
  for (const std::string& name : *names) {
    schema.fields.push_back(optional(name, ir::TypeTable::kString));
  }
  {
    ReadOptions options;
    options.format = "csv";
    options.onBad = ir::BadRows::Keep;
    const std::unique_ptr<Source> source = openSource(path_, schema, options, log_, error_);
    if (!source) return false;
    if (const std::optional<Batch> batch = source->next()) {
      for (std::size_t c = 0; c < guesses.size(); ++c) {
        const Text* texts = batch->columns[c].values->as<Text>();
        for (std::int64_t i = 0; i < batch->rows && guesses[c] != Guess::String; ++i) {
          guesses[c] = join(guesses[c], guessOf(texts[i].view()));
        }
      }
    }
    if (source->error()) {
      error_ = *source->error();
      return false;
    }
  }
  start(names->size());
  std::vector<bool> wanted(names->size(), true);
  while (std::find(wanted.begin(), wanted.end(), true) != wanted.end()) {
    for (std::size_t c = 0; c < guesses.size(); ++c) {
      schema.fields[c] = optional((*names)[c], typeOf(guesses[c]));
    }
    if (!pass(schema, wanted)) return false;
    wanted.assign(names->size(), false);
    for (const AnomalyLog::Entry& entry : log_.entries()) {
      if (entry.first.column.empty() || entry.first.kind == AnomalyKind::NotUtf8) continue;
      const auto c = static_cast<std::size_t>(schema.find(entry.first.column));
      if (made_.columns[c].present() == 0 && !wanted[c]) guesses[c] = Guess::Nothing;
      for (const Anomaly& example : entry.examples) {
        guesses[c] = join(guesses[c], guessOf(example.value));
      }
      wanted[c] = true;
    }
    for (std::size_t c = 0; c < guesses.size(); ++c) {
      if (guesses[c] != Guess::Nothing || wanted[c]) continue;
      guesses[c] = Guess::String;  // no value at all: what is missing in a string counts
      wanted[c] = true;
    }
  }
  return settle();
}

bool Profiler::jsonl() {
  auto found = jsonColumns(path_, *made_.types);
  if (const auto* error = std::get_if<StreamError>(&found)) {
    error_ = *error;
    return false;
  }
  std::vector<Field> fields;
  for (JsonColumn& column : std::get<std::vector<JsonColumn>>(found)) {
    if (column.why.empty()) {
      fields.push_back(optional(column.name, column.type));
    } else {
      made_.leftOut.push_back({std::move(column.name), std::move(column.why)});
    }
  }
  return readAs(std::move(fields));
}

bool Profiler::arrow() {
  auto found = arrowColumns(path_, made_.format, error_);
  if (!found) return false;
  std::vector<Field> fields;
  for (ArrowColumn& column : *found) {
    using T = ir::TypeTable;
    switch (column.kind) {
      case Kind::Bool:
        fields.push_back(optional(column.name, T::kBool));
        break;
      case Kind::Int:
        fields.push_back(optional(column.name, T::kInt));
        break;
      case Kind::Float:
        fields.push_back(optional(column.name, T::kFloat));
        break;
      case Kind::String:
        fields.push_back(optional(column.name, T::kString));
        break;
      case Kind::Timestamp:
        fields.push_back(optional(column.name, T::kTimestamp));
        break;
      case Kind::Duration:
        fields.push_back(optional(column.name, T::kDuration));
        break;
      default:
        made_.leftOut.push_back(
            {std::move(column.name), fmt::format("is of Arrow's type `{}`", column.type)});
    }
  }
  return readAs(std::move(fields));
}

}  // namespace

std::string formatOfFile(const std::string& path) {
  std::string format = formatOfName(path);
  return format.empty() ? formatOfContent(path) : format;
}

std::variant<std::vector<std::string>, StreamError> columnNames(const std::string& path,
                                                                const std::string& format) {
  StreamError error;
  std::vector<std::string> names;
  if (format == "csv") {
    auto found = csvColumns(path, error);
    if (!found) return error;
    return std::move(*found);
  }
  if (format == "jsonl") {
    ir::TypeTable types;
    auto found = jsonColumns(path, types);
    if (auto* problem = std::get_if<StreamError>(&found)) return std::move(*problem);
    for (JsonColumn& column : std::get<std::vector<JsonColumn>>(found)) {
      names.push_back(std::move(column.name));
    }
    return names;
  }
  auto found = arrowColumns(path, format, error);
  if (!found) return error;
  for (ArrowColumn& column : *found) names.push_back(std::move(column.name));
  return names;
}

std::variant<Profile, StreamError> profileFile(const std::string& path,
                                               const ProfileOptions& options) {
  Profiler profiler(path, options);
  const bool ok = options.schema != nullptr ? profiler.given(*options.schema) : profiler.found();
  if (!ok) return profiler.error();
  return profiler.take();
}

std::variant<std::vector<bool>, StreamError> uniqueColumns(const std::string& path,
                                                           const Profile& profile) {
  std::vector<bool> unique(profile.columns.size(), false);
  for (std::size_t c = 0; c < unique.size(); ++c) {
    const ColumnSummary column = profile.columns[c].summary();
    const bool isKey = column.kind == Kind::Int || column.kind == Kind::Timestamp ||
                       column.kind == Kind::String;
    const auto least = static_cast<std::int64_t>(0.95 * static_cast<double>(column.present));
    unique[c] = isKey && column.missing == 0 && column.present > 1 &&
                (column.distinctExact ? column.distinct == column.present : column.distinct >= least);
  }
  if (std::find(unique.begin(), unique.end(), true) == unique.end()) return unique;
  AnomalyLog log;
  StreamError error;
  ReadOptions options;
  options.format = profile.format;
  options.onBad = ir::BadRows::Keep;
  options.wanted = unique;
  const std::unique_ptr<Source> source = openSource(path, profile.schema, options, log, error);
  if (!source) return error;
  // Two values of one hash would only keep a column from being declared unique.
  std::vector<std::unordered_set<std::uint64_t>> seen(unique.size());
  std::vector<std::uint64_t> hashes;
  while (const std::optional<Batch> batch = source->next()) {
    for (std::uint32_t c = 0; c < unique.size(); ++c) {
      if (!unique[c]) continue;
      hashRows(profile.schema, *batch, {&c, 1}, hashes);
      for (const std::uint64_t hash : hashes) {
        if (seen[c].insert(hash).second) continue;
        unique[c] = false;
        seen[c] = {};
        break;
      }
    }
  }
  if (source->error()) return *source->error();
  return unique;
}

}  // namespace couler::column

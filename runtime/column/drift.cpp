#include "runtime/column/drift.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "runtime/column/statistics.h"

namespace couler::column {

namespace {

constexpr std::size_t kMostValues = std::size_t{1} << 20;

/// What is gathered of one table.
struct Side {
  std::vector<ir::NumberBuckets> numbers;    ///< by compared column
  std::vector<ir::Categories> categories;
};

template <class Visit>
void eachNumber(const Field& field, const Column& column, std::int64_t rows, Visit visit) {
  const std::uint8_t* valid = column.valid ? column.valid->as<std::uint8_t>() : nullptr;
  for (std::int64_t i = 0; i < rows; ++i) {
    if (valid != nullptr && valid[i] == 0) continue;
    visit(field.kind == Kind::Float ? column.values->as<double>()[i]
                                    : static_cast<double>(column.values->as<std::int64_t>()[i]));
  }
}

void addCases(const Field& field, const Column& column, std::int64_t rows,
              ir::Categories& categories) {
  const std::uint8_t* valid = column.valid ? column.valid->as<std::uint8_t>() : nullptr;
  std::vector<std::int64_t> counts(std::max<std::size_t>(2, field.cases.size()), 0);
  for (std::int64_t i = 0; i < rows; ++i) {
    if (valid != nullptr && valid[i] == 0) continue;
    ++counts[field.kind == Kind::Bool
                 ? column.values->as<std::uint8_t>()[i]
                 : static_cast<std::size_t>(column.values->as<std::int32_t>()[i])];
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const std::string_view name = field.kind != Kind::Bool ? std::string_view(field.cases[i])
                                  : i == 0                 ? "false"
                                                           : "true";
    categories[std::string(name)] += counts[i];
  }
}

/// Nothing, or why the table could not be read to its end.
std::optional<StreamError> gather(const TableOpener& open, const std::vector<std::string>& names,
                                  const std::vector<bool>& numeric, Side& side) {
  side.numbers.resize(names.size());
  side.categories.resize(names.size());
  const bool anyNumbers = std::find(numeric.begin(), numeric.end(), true) != numeric.end();
  std::vector<ValueCounts> texts(names.size(), ValueCounts(kMostValues));
  std::vector<bool> wanted;
  for (const bool counting : {false, true}) {
    if (counting && !anyNumbers) break;
    StreamError error;
    const std::unique_ptr<Source> source = open(wanted, error);
    if (!source) return error;
    const Schema& schema = source->schema();
    std::vector<std::size_t> at;
    for (const std::string& name : names) {
      const int found = schema.find(name);
      if (found < 0) return StreamError{"there is no column `" + name + "` to compare"};
      at.push_back(static_cast<std::size_t>(found));
    }
    while (const std::optional<Batch> batch = source->next()) {
      for (std::size_t c = 0; c < names.size(); ++c) {
        const Field& field = schema.fields[at[c]];
        const Column& column = batch->columns[at[c]];
        if (numeric[c]) {
          ir::NumberBuckets& buckets = side.numbers[c];
          eachNumber(field, column, batch->rows, [&](double x) {
            if (counting) {
              buckets.count(x);
            } else {
              buckets.widen(x);
            }
          });
        } else if (!counting && field.kind == Kind::String) {
          const std::uint8_t* valid = column.valid ? column.valid->as<std::uint8_t>() : nullptr;
          texts[c].add(column.values->as<Text>(), valid, batch->rows);
        } else if (!counting) {
          addCases(field, column, batch->rows, side.categories[c]);
        }
      }
    }
    if (source->error()) return *source->error();
    // The second time for the numbers alone.
    wanted.assign(schema.fields.size(), false);
    for (std::size_t c = 0; c < names.size(); ++c) wanted[at[c]] = numeric[c];
  }
  for (std::size_t c = 0; c < names.size(); ++c) {
    std::int64_t left = texts[c].count();
    for (const ValueCounts::Item& item : texts[c].all()) {
      side.categories[c][std::string(item.text)] += item.count;
      left -= item.count;
    }
    // No text has a byte that UTF-8 does not.
    if (left > 0) side.categories[c]["\xFF"] += left;
  }
  return std::nullopt;
}

}  // namespace

std::variant<std::vector<ir::ColumnDrift>, StreamError> driftOfColumns(
    const TableOpener& recent, const TableOpener& before, const std::vector<std::string>& names,
    const std::vector<bool>& numeric) {
  std::array<Side, 2> sides;
  if (auto error = gather(recent, names, numeric, sides[0])) return std::move(*error);
  if (auto error = gather(before, names, numeric, sides[1])) return std::move(*error);
  std::vector<ir::ColumnDrift> columns;
  for (std::size_t c = 0; c < names.size(); ++c) {
    ir::ColumnDrift drift{names[c], std::nullopt, 0};
    if (numeric[c]) {
      drift.jsd = ir::jensenShannon(sides[0].numbers[c], sides[1].numbers[c]);
    } else {
      drift.linf = ir::chebyshev(sides[0].categories[c], sides[1].categories[c]);
      drift.jsd = ir::jensenShannon(sides[0].categories[c], sides[1].categories[c]);
    }
    columns.push_back(std::move(drift));
  }
  return columns;
}

std::variant<ir::Value, StreamError> driftOfTables(const TableOpener& recent,
                                                   const TableOpener& before,
                                                   const std::vector<std::string>& names,
                                                   const std::vector<bool>& numeric) {
  auto found = driftOfColumns(recent, before, names, numeric);
  if (auto* error = std::get_if<StreamError>(&found)) return std::move(*error);
  return ir::driftValue(std::get<std::vector<ir::ColumnDrift>>(found));
}

}  // namespace couler::column

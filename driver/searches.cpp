#include "driver/searches.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "ir/search.h"
#include "support/text.h"

namespace couler::driver {

namespace {

std::optional<double> numberOf(const ir::Value* value) {
  if (value == nullptr) return std::nullopt;
  if (const double* real = value->as<double>()) return *real;
  if (const std::int64_t* whole = value->as<std::int64_t>()) return static_cast<double>(*whole);
  return std::nullopt;
}

/// The table of an output, if its rows are the trials of that search.
std::optional<SearchTable> tableOf(const Search& search, const std::string& name,
                                   const ir::Value& output) {
  if (output.as<ir::ListValue>() == nullptr || output.items().empty()) return std::nullopt;
  const ir::Value& first = output.items().front();
  if (first.as<ir::RecordValue>() == nullptr) return std::nullopt;
  SearchTable table{name, search, {}, {}, &output.items()};
  for (const auto& [column, value] : first.named()) table.columns.push_back(column);
  const std::size_t params = search.params.size();
  if (table.columns.size() < params + 2 || table.columns[0] != "trial" ||
      !std::equal(search.params.begin(), search.params.end(), table.columns.begin() + 1)) {
    return std::nullopt;
  }
  const auto outputs = table.columns.begin() + 1 + static_cast<std::ptrdiff_t>(params);
  if (std::find(outputs, table.columns.end(), search.objective) == table.columns.end()) {
    return std::nullopt;
  }
  if (search.rungs) table.resource = *outputs;
  return table;
}

}  // namespace

std::vector<Search> searchesOf(const ir::Module& module) {
  using ir::Builtin;
  std::vector<Search> searches;
  std::vector<std::string> params;
  bool rungs = false;
  for (const ir::Node& node : module.nodes) {
    const auto* op = std::get_if<ir::Op>(&node.payload);
    if (op == nullptr) continue;
    switch (op->op) {
      case Builtin::TuneGrid:
      case Builtin::TuneRandom:
      case Builtin::TuneSobol:
      case Builtin::TuneNext:
        params.clear();
        rungs = false;
        for (const ir::TypeField& field : module.types[module.types[node.type].element].fields) {
          params.emplace_back(field.name);
        }
        break;
      case Builtin::TunePromoted:
        rungs = true;
        break;
      case Builtin::TuneBest: {
        const auto operands = module.operands(node);
        const auto* way =
            std::get_if<ir::Const>(&module.at(operands[ir::search::best::kMaximize]).payload);
        const auto* scores =
            std::get_if<ir::Field>(&module.at(operands[ir::search::best::kScores]).payload);
        if (way == nullptr || scores == nullptr) break;
        const bool* maximize = module.at(way->value).as<bool>();
        searches.push_back({params, std::string(module.at(scores->name)),
                            maximize != nullptr && *maximize, rungs});
        break;
      }
      default:
        break;
    }
  }
  return searches;
}

std::vector<SearchTable> searchTables(const std::vector<Search>& searches,
                                      const ir::Value& outputs) {
  std::vector<SearchTable> tables;
  if (outputs.as<ir::RecordValue>() == nullptr) return tables;
  for (const auto& [name, value] : outputs.named()) {
    for (const Search& search : searches) {
      if (auto table = tableOf(search, name, value)) {
        tables.push_back(std::move(*table));
        break;
      }
    }
  }
  return tables;
}

std::optional<double> SearchTable::score(const ir::Value& row) const {
  const auto found = numberOf(row.field(search.objective));
  return found && !std::isnan(*found) ? found : std::nullopt;
}

double SearchTable::amount(const ir::Value& row) const {
  return resource ? numberOf(row.field(*resource)).value_or(0) : 0;
}

std::optional<std::size_t> SearchTable::best() const {
  std::optional<std::size_t> found;
  const auto key = [&](std::size_t i) {
    const double score = *this->score((*rows)[i]);
    return std::pair(amount((*rows)[i]), search.maximize ? score : -score);
  };
  for (std::size_t i = 0; i < rows->size(); ++i) {
    if (score((*rows)[i]) && (!found || key(i) > key(*found))) found = i;
  }
  return found;
}

std::string cellText(const ir::Value& value) {
  if (const double* real = value.as<double>()) return fmt::format("{:.6g}", *real);
  if (value.isNone()) return {};
  std::string text = ir::toText(value);
  for (const char c : text) {
    if (isControl(c)) return ir::toSource(value);
  }
  return text;
}

std::string searchText(const SearchTable& table) {
  constexpr std::size_t kMost = 60;
  constexpr std::size_t kShown = 50;
  constexpr std::size_t kWidest = 40;
  const std::size_t count = table.rows->size() > kMost ? kShown : table.rows->size();
  std::vector<std::vector<std::string>> lines{table.columns};
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::string>& line = lines.emplace_back();
    for (const std::string& column : table.columns) {
      const ir::Value* value = (*table.rows)[i].field(column);
      std::string text = value == nullptr ? "" : cellText(*value);
      line.push_back(shortened(text, kWidest));
    }
  }
  std::string out = table.name + " =\n";
  std::vector<std::size_t> widths(table.columns.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], countCodePoints(line[i]));
  }
  const auto best = table.best();
  for (std::size_t n = 0; n < lines.size(); ++n) {
    out += best && n == *best + 1 ? "*" : " ";
    for (std::size_t i = 0; i < lines[n].size(); ++i) {
      out += "  " + std::string(widths[i] - countCodePoints(lines[n][i]), ' ') + lines[n][i];
    }
    out += '\n';
  }
  if (count < table.rows->size()) {
    out += fmt::format("   … and {} more; * is the best\n", table.rows->size() - count);
  }
  return out;
}

}  // namespace couler::driver

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/module.h"

/// The trials of `tune` that a workflow returns, as tables: for the terminal and for the report.
namespace couler::driver {

/// A `tune` of a program.
struct Search {
  std::vector<std::string> params;  ///< what is searched, in the order written
  std::string objective;
  bool maximize = false;
  bool rungs = false;  ///< `asha`: the column behind the parameters says how far a trial came
};
/// Those of a module as it was lowered; passes may leave nothing of them. O(nodes).
[[nodiscard]] std::vector<Search> searchesOf(const ir::Module& module);

/// One output that has the rows of `trials`.
struct SearchTable {
  std::string name;  ///< of the output
  Search search;
  std::optional<std::string> resource;  ///< a column that says how far a trial came
  std::vector<std::string> columns;     ///< as in the rows, `trial` first
  const ir::ListItems* rows = nullptr;

  /// No value: the trial failed, or gave no number.
  [[nodiscard]] std::optional<double> score(const ir::Value& row) const;
  /// How much of the resource a row got; 0 where there is none.
  [[nodiscard]] double amount(const ir::Value& row) const;
  /// The best row with the most of the resource; none when no trial has a score.
  [[nodiscard]] std::optional<std::size_t> best() const;
};
/// What `outputs`, a record that must outlive the result, has of them.
[[nodiscard]] std::vector<SearchTable> searchTables(const std::vector<Search>& searches,
                                                    const ir::Value& outputs);

/// A value as a table shows it: on one line, a float by six digits.
[[nodiscard]] std::string cellText(const ir::Value& value);

/// Lines of aligned columns; the best trial is marked. Of more than 60 trials the first 50.
[[nodiscard]] std::string searchText(const SearchTable& table);

/// How much of the differences between scores a parameter explains, 0 to 1: the scores' ranks among
/// trials with as much of the resource, in bins of the parameter's values (each value of a text, up
/// to five equal parts of numbers), by omega squared (Hays, Statistics for Psychologists, 1963),
/// which leaves out what bins of that size explain by chance. 0 for less than 8 scores.
[[nodiscard]] double importance(const SearchTable& table, std::string_view param);

/// A section for the report: the table, the history, parallel coordinates, importance.
[[nodiscard]] std::string searchHtml(const SearchTable& table);
[[nodiscard]] std::string_view searchStyle();

}  // namespace couler::driver

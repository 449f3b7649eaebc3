#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "support/text.h"

namespace couler::driver {

/// On one line, cut to what a table takes.
inline std::string shown(const std::string& text) {
  std::string line = text;
  std::replace_if(line.begin(), line.end(), isControl, ' ');
  return shortened(line, 25);
}

/// Columns of text, as wide as they must be; the first of each row to the left.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> head) { rows_.push_back(std::move(head)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// Numbers to the right; the columns from `left` on to the left.
  [[nodiscard]] std::string print(std::size_t left) const {
    if (rows_.size() == 1) return {};
    std::vector<std::size_t> widths(rows_[0].size(), 0);
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], countCodePoints(row[i]));
    }
    std::string out = "\n";
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string space(widths[i] - countCodePoints(row[i]), ' ');
        if (i > 0) line += "  ";
        line += i < 2 || i >= left ? row[i] + space : space + row[i];
      }
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    }
    return out;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace couler::driver

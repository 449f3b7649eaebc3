#include "driver/table_diff.h"
#include "support/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace couler::driver {
namespace {

constexpr std::size_t kMaxShown = 20;
constexpr std::size_t kMaxCell = 60;

bool isTable(const ir::Value& value) {
  if (value.as<ir::ListValue>() == nullptr) return false;
  return std::all_of(value.items().begin(), value.items().end(), [](const ir::Value& row) {
    return row.as<ir::RecordValue>() != nullptr;
  });
}

std::string cell(const ir::Value* value) {
  if (value == nullptr) return "";
  return shortened(ir::toSource(*value), kMaxCell);
}

struct Line {
  char mark = ' ';
  std::string number;
  std::vector<std::string> cells;
};

class Diff {
 public:
  Diff(const ir::ListItems& found, const ir::ListItems& expected)
      : found_(found), expected_(expected) {
    const ir::Value& row = !expected.empty() ? expected.front() : found.front();
    for (const auto& field : row.named()) names_.push_back(field.first);
  }

  std::vector<std::string> run() {
    const std::size_t rows = std::max(found_.size(), expected_.size());
    Line head;
    head.cells = names_;
    lines_.push_back(std::move(head));
    std::size_t shown = 0;
    std::size_t hidden = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      if (!differs(i)) continue;
      if (shown == kMaxShown) {
        ++hidden;
        continue;
      }
      ++shown;
      if (i > 0 && !differs(i - 1)) lines_.push_back(line(i - 1));
      lines_.push_back(line(i));
    }
    std::vector<std::string> text = aligned();
    if (hidden != 0) text.push_back(fmt::format("and {} more rows that differ", hidden));
    if (found_.size() != expected_.size()) {
      text.push_back(fmt::format("{} rows, not {}", found_.size(), expected_.size()));
    }
    return text;
  }

 private:
  [[nodiscard]] bool differs(std::size_t i) const {
    return i >= found_.size() || i >= expected_.size() || !(found_[i] == expected_[i]);
  }

  [[nodiscard]] Line line(std::size_t i) const {
    const ir::Value* left = i < found_.size() ? &found_[i] : nullptr;
    const ir::Value* right = i < expected_.size() ? &expected_[i] : nullptr;
    Line made;
    made.number = std::to_string(i);
    made.mark = !differs(i) ? ' ' : right == nullptr ? '+' : left == nullptr ? '-' : '!';
    for (const std::string& name : names_) {
      const ir::Value* a = left == nullptr ? nullptr : left->field(name);
      const ir::Value* b = right == nullptr ? nullptr : right->field(name);
      const bool both = a != nullptr && b != nullptr && !(*a == *b);
      made.cells.push_back(both ? fmt::format("{} -> {}", cell(a), cell(b))
                                : cell(a != nullptr ? a : b));
    }
    return made;
  }

  [[nodiscard]] std::vector<std::string> aligned() const {
    std::vector<std::size_t> widths(names_.size(), 0);
    std::size_t numbers = 0;
    for (const Line& one : lines_) {
      numbers = std::max(numbers, one.number.size());
      for (std::size_t i = 0; i < one.cells.size(); ++i) {
        widths[i] = std::max(widths[i], countCodePoints(one.cells[i]));
      }
    }
    std::vector<std::string> text;
    for (const Line& one : lines_) {
      std::string row = fmt::format("{} {:>{}}", one.mark, one.number, numbers);
      for (std::size_t i = 0; i < one.cells.size(); ++i) {
        row += "  " + one.cells[i] + std::string(widths[i] - countCodePoints(one.cells[i]), ' ');
      }
      while (row.ends_with(' ')) row.pop_back();
      text.push_back(std::move(row));
    }
    return text;
  }

  const ir::ListItems& found_;
  const ir::ListItems& expected_;
  std::vector<std::string> names_;
  std::vector<Line> lines_;
};

}  // namespace

std::optional<std::vector<std::string>> tableDiff(const ir::Value& found,
                                                  const ir::Value& expected) {
  if (!isTable(found) || !isTable(expected)) return std::nullopt;
  if (found.items().empty() && expected.items().empty()) return std::nullopt;
  return Diff(found.items(), expected.items()).run();
}

}  // namespace couler::driver

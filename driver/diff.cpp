#include "driver/diff.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include <fmt/format.h>

namespace couler::driver {
namespace {

constexpr std::ptrdiff_t kMaxDifferences = 2000;
constexpr std::size_t kContext = 3;

using Lines = std::vector<std::string_view>;

Lines split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

struct Change {
  char sign;  // ' ', '-', '+'
  std::string_view line;
};

/// The shortest edit script from `a` to `b`.
std::vector<Change> script(const Lines& a, const Lines& b) {
  const auto n = static_cast<std::ptrdiff_t>(a.size());
  const auto m = static_cast<std::ptrdiff_t>(b.size());
  const std::ptrdiff_t limit = std::min(n + m, kMaxDifferences);
  const auto at = [](const Lines& lines, std::ptrdiff_t i) {
    return lines[static_cast<std::size_t>(i)];
  };
  std::vector<std::ptrdiff_t> reach(static_cast<std::size_t>(2 * limit + 3), 0);
  const auto cell = [&](std::ptrdiff_t k) -> std::ptrdiff_t& {
    return reach[static_cast<std::size_t>(k + limit + 1)];
  };
  std::vector<std::vector<std::ptrdiff_t>> history;
  bool found = false;
  for (std::ptrdiff_t d = 0; d <= limit && !found; ++d) {
    history.emplace_back(reach.begin() + (limit + 1 - d), reach.begin() + (limit + 2 + d));
    for (std::ptrdiff_t k = -d; k <= d; k += 2) {
      const bool down = k == -d || (k != d && cell(k - 1) < cell(k + 1));
      std::ptrdiff_t x = down ? cell(k + 1) : cell(k - 1) + 1;
      while (x < n && x - k < m && at(a, x) == at(b, x - k)) ++x;
      cell(k) = x;
      if (x >= n && x - k >= m) {
        found = true;
        break;
      }
    }
  }
  std::vector<Change> result;
  if (!found) {
    for (const std::string_view line : a) result.push_back({'-', line});
    for (const std::string_view line : b) result.push_back({'+', line});
    return result;
  }
  std::ptrdiff_t x = n;
  std::ptrdiff_t y = m;
  for (auto d = static_cast<std::ptrdiff_t>(history.size()) - 1; d >= 0; --d) {
    // history[d] holds the reach of step d-1 for k in [-d, d].
    const auto& before = history[static_cast<std::size_t>(d)];
    const auto old = [&](std::ptrdiff_t k) { return before[static_cast<std::size_t>(k + d)]; };
    const std::ptrdiff_t k = x - y;
    std::ptrdiff_t fromX = 0;
    std::ptrdiff_t fromY = 0;
    if (d > 0) {
      const bool down = k == -d || (k != d && old(k - 1) < old(k + 1));
      const std::ptrdiff_t fromK = down ? k + 1 : k - 1;
      fromX = old(fromK);
      fromY = fromX - fromK;
    }
    while (x > fromX && y > fromY) {
      result.push_back({' ', at(a, x - 1)});
      --x;
      --y;
    }
    if (d == 0) break;
    if (x == fromX) {
      result.push_back({'+', at(b, --y)});
    } else {
      result.push_back({'-', at(a, --x)});
    }
  }
  std::reverse(result.begin(), result.end());
  return result;
}

}  // namespace

std::string unifiedDiff(const std::string& name, std::string_view before, std::string_view after) {
  if (before == after) return {};
  const Lines a = split(before);
  const Lines b = split(after);
  const std::vector<Change> changes = script(a, b);
  std::string text = fmt::format("--- {0}\n+++ {0}\n", name);
  std::size_t i = 0;
  std::size_t lineA = 0;
  std::size_t lineB = 0;
  const auto step = [&](const Change& change) {
    if (change.sign != '+') ++lineA;
    if (change.sign != '-') ++lineB;
  };
  while (i < changes.size()) {
    std::size_t first = i;
    while (first < changes.size() && changes[first].sign == ' ') ++first;
    if (first == changes.size()) break;
    const std::size_t begin = std::max(i, first - std::min(first, kContext));
    for (; i < begin; ++i) step(changes[i]);
    std::size_t end = first;
    for (std::size_t quiet = 0; end < changes.size() && quiet <= 2 * kContext; ++end) {
      quiet = changes[end].sign == ' ' ? quiet + 1 : 0;
    }
    while (end > first && changes[end - 1].sign == ' ') --end;
    end = std::min(end + kContext, changes.size());
    std::string body;
    const std::size_t startA = lineA;
    const std::size_t startB = lineB;
    for (; i < end; ++i) {
      step(changes[i]);
      body += fmt::format("{}{}\n", changes[i].sign, changes[i].line);
    }
    const auto range = [](std::size_t start, std::size_t stop) {
      return fmt::format("{},{}", stop == start ? start : start + 1, stop - start);
    };
    text += fmt::format("@@ -{} +{} @@\n{}", range(startA, lineA), range(startB, lineB), body);
  }
  return text;
}

}  // namespace couler::driver

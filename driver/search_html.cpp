// The part of the report about a search: a table and three plots, drawn by the server side only.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "driver/report.h"
#include "driver/searches.h"

namespace couler::driver {
namespace {

constexpr double kWidth = 1000;
constexpr std::size_t kMostLines = 1000;  // of the plots; what more there is they leave out

constexpr std::string_view kStyle = R"(
.plot { width: 100%; height: auto; display: block; } .plot text { font: 12px system-ui, sans-serif; fill: var(--soft); }
.plot .axis { stroke: var(--line); } .plot .dot { fill: var(--reused); } .plot .failed { fill: var(--bad); }
.plot .best { stroke: var(--ok); fill: none; stroke-width: 2; } .plot .line { fill: none; stroke-width: 1.5; stroke: var(--reused); }
.plot .line.top { stroke: var(--ok); stroke-width: 2.5; } .plot .bar { fill: var(--reused); }
.trials tr.best { font-weight: 600; } .trials tr.best td:first-child::before { content: "\2605  "; color: var(--ok); }
)";

std::string svgOpen(double height, std::string_view label) {
  return fmt::format(
      "<svg class=\"plot\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" "
      "aria-label=\"{}\">\n",
      kWidth, height, escapeHtml(label));
}

/// Where values stand between 0 and 1: numbers by size, by ratio where all are above zero and the
/// greatest is 50 times the least; all else in the order in which it first comes.
class Axis {
 public:
  Axis(const SearchTable& table, const std::string& column) {
    bool numbers = true;
    for (const ir::Value& row : *table.rows) {
      const ir::Value* value = row.field(column);
      if (value == nullptr || value->isNone()) continue;
      const auto number = numberIn(*value);
      numbers = numbers && number.has_value();
      if (number && std::isfinite(*number)) {
        low_ = std::min(low_, *number);
        high_ = std::max(high_, *number);
      }
      order_.try_emplace(cellText(*value), order_.size());
    }
    words_ = !numbers || low_ > high_;
    log_ = !words_ && low_ > 0 && high_ / low_ >= 50;
  }

  [[nodiscard]] static std::optional<double> numberIn(const ir::Value& value) {
    if (const double* real = value.as<double>()) return *real;
    if (const std::int64_t* whole = value.as<std::int64_t>()) return static_cast<double>(*whole);
    return std::nullopt;
  }
  [[nodiscard]] std::optional<double> at(const ir::Value* value) const {
    if (value == nullptr || value->isNone()) return std::nullopt;
    if (words_) {
      const double last = std::max(1.0, static_cast<double>(order_.size()) - 1);
      return static_cast<double>(order_.at(cellText(*value))) / last;
    }
    const double number = *numberIn(*value);
    if (!std::isfinite(number)) return std::nullopt;
    if (low_ == high_) return 0.5;
    if (log_) return std::log(number / low_) / std::log(high_ / low_);
    // Halves first: the ends may be further apart than a double reaches.
    return (number / 2 - low_ / 2) / (high_ / 2 - low_ / 2);
  }
  /// What to write along it: place, text.
  [[nodiscard]] std::vector<std::pair<double, std::string>> marks() const {
    std::vector<std::pair<double, std::string>> result;
    if (words_) {
      const double last = std::max(1.0, static_cast<double>(order_.size()) - 1);
      if (order_.size() > 12) return {};
      for (const auto& [word, place] : order_) result.emplace_back(static_cast<double>(place) / last, word);
      return result;
    }
    result.emplace_back(low_ == high_ ? 0.5 : 0, fmt::format("{:.4g}", low_));
    if (low_ != high_) result.emplace_back(1, fmt::format("{:.4g}", high_));
    return result;
  }
  [[nodiscard]] bool words() const { return words_; }

 private:
  double low_ = HUGE_VAL;
  double high_ = -HUGE_VAL;
  bool words_ = false;
  bool log_ = false;
  std::map<std::string, std::size_t> order_;
};

/// Points at their trials, and the best score so far among those with the most of the resource.
std::string history(const SearchTable& table) {
  constexpr double kHeight = 260;
  constexpr double kLeft = 70;
  const Axis scores(table, table.search.objective);
  const std::size_t count = std::min(table.rows->size(), kMostLines);
  const auto x = [&](std::size_t i) {
    return kLeft + (kWidth - kLeft - 10) * (static_cast<double>(i) + 0.5) / static_cast<double>(count);
  };
  const auto y = [&](double place) { return 10 + (kHeight - 40) * (1 - place); };
  double most = 0;
  for (const ir::Value& row : *table.rows) most = std::max(most, table.amount(row));
  std::string svg = svgOpen(kHeight, "the score of each trial and the best so far");
  for (const auto& [place, text] : scores.marks()) {
    svg += fmt::format("<path class=\"axis\" d=\"M{0} {1:.1f}H{2}\"/><text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
                       kLeft, y(place), kWidth - 10, kLeft - 6, y(place) + 4, escapeHtml(text));
  }
  std::string path;
  std::optional<double> best;
  for (std::size_t i = 0; i < count; ++i) {
    const ir::Value& row = (*table.rows)[i];
    const auto score = table.score(row);
    const auto place = score ? scores.at(row.field(table.search.objective)) : std::nullopt;
    if (!place) {
      svg += fmt::format("<circle class=\"failed\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>trial {} failed</title></circle>\n",
                         x(i), kHeight - 22, i);
      continue;
    }
    svg += fmt::format("<circle class=\"dot\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>trial {}: {:.6g}</title></circle>\n",
                       x(i), y(*place), i, *score);
    if (table.amount(row) < most) continue;
    const double now = table.search.maximize ? *place : -*place;
    if (best && now <= *best) continue;
    path += best ? fmt::format("H{:.1f}V{:.1f}", x(i), y(*place)) : fmt::format("M{:.1f} {:.1f}", x(i), y(*place));
    best = now;
  }
  if (!path.empty()) svg += fmt::format("<path class=\"best\" d=\"{}H{:.1f}\"/>\n", path, kWidth - 10);
  return svg + fmt::format("<text x=\"{}\" y=\"{}\">trial 0</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">trial {}</text></svg>\n",
                           kLeft, kHeight - 4, kWidth - 10, kHeight - 4, count - 1);
}

/// A line a trial through its values; the best tenth stands out.
std::string parallel(const SearchTable& table) {
  constexpr double kHeight = 300;
  std::vector<std::string> columns = table.search.params;
  if (table.resource) columns.push_back(*table.resource);
  columns.push_back(table.search.objective);
  std::vector<Axis> axes;
  for (const std::string& column : columns) axes.emplace_back(table, column);
  const double step = (kWidth - 200) / static_cast<double>(columns.size() - 1);
  const auto x = [&](std::size_t i) { return 100 + step * static_cast<double>(i); };
  const auto y = [&](double place) { return 30 + (kHeight - 50) * (1 - place); };
  std::vector<std::pair<double, std::size_t>> order;  // worst first, so that the best are on top
  for (std::size_t i = 0; i < std::min(table.rows->size(), kMostLines); ++i) {
    const auto score = table.score((*table.rows)[i]);
    if (score) order.emplace_back(table.search.maximize ? *score : -*score, i);
  }
  std::sort(order.begin(), order.end());
  std::string svg = svgOpen(kHeight, "the parameters of each trial and its score");
  const std::size_t top = order.size() - (order.size() + 9) / 10;
  for (std::size_t n = 0; n < order.size(); ++n) {
    std::string path;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto place = axes[i].at((*table.rows)[order[n].second].field(columns[i]));
      if (place) path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x(i), y(*place));
    }
    const double faint = n >= top ? 1 : 0.15 + 0.5 * static_cast<double>(n) / static_cast<double>(order.size());
    svg += fmt::format("<path class=\"line{}\" stroke-opacity=\"{:.2f}\" d=\"{}\"><title>trial {}</title></path>\n",
                       n >= top ? " top" : "", faint, path, order[n].second);
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    svg += fmt::format("<path class=\"axis\" d=\"M{0:.1f} 30V{1}\"/><text x=\"{0:.1f}\" y=\"16\" text-anchor=\"middle\">{2}</text>\n",
                       x(i), kHeight - 20, escapeHtml(columns[i]));
    for (const auto& [place, text] : axes[i].marks()) {
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x(i) + 5, y(place) + 4, escapeHtml(text));
    }
  }
  return svg + "</svg>\n";
}

std::string importances(const SearchTable& table) {
  std::vector<std::pair<double, std::string>> bars;
  for (const std::string& param : table.search.params) bars.emplace_back(importance(table, param), param);
  std::stable_sort(bars.begin(), bars.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  const double height = 26 * static_cast<double>(bars.size()) + 6;
  std::string svg = svgOpen(height, "how much each parameter explains of the scores");
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double y = 26 * static_cast<double>(i) + 4;
    svg += fmt::format("<text x=\"190\" y=\"{:.0f}\" text-anchor=\"end\">{}</text><rect class=\"bar\" x=\"200\" y=\"{:.0f}\" "
                       "width=\"{:.1f}\" height=\"18\" rx=\"3\"/><text x=\"{:.1f}\" y=\"{:.0f}\">{:.0f} %</text>\n",
                       y + 14, escapeHtml(bars[i].second), y, 700 * bars[i].first,
                       206 + 700 * bars[i].first, y + 14, 100 * bars[i].first);
  }
  return svg + "</svg>\n";
}

std::string rowsOf(const SearchTable& table) {
  const auto best = table.best();
  std::string html = "<div class=\"panel\"><table class=\"trials\"><thead><tr>";
  for (const std::string& column : table.columns) html += fmt::format("<th class=\"n\">{}</th>", escapeHtml(column));
  html += "<th>state</th></tr></thead><tbody>\n";
  for (std::size_t i = 0; i < table.rows->size(); ++i) {
    const ir::Value& row = (*table.rows)[i];
    html += best == i ? "<tr class=\"best\">" : "<tr>";
    for (const std::string& column : table.columns) {
      const ir::Value* value = row.field(column);
      html += fmt::format("<td class=\"n\">{}</td>", value == nullptr ? "" : escapeHtml(cellText(*value)));
    }
    const bool ok = table.score(row).has_value();
    html += fmt::format("<td><span class=\"state {0}\">{0}</span></td></tr>\n", ok ? "succeeded" : "failed");
  }
  return html + "</tbody></table></div>\n";
}

/// Bins of a parameter, by row; equal values are in the same one.
std::vector<std::size_t> binsOf(const SearchTable& table, std::string_view param,
                                const std::vector<std::size_t>& rows) {
  constexpr std::size_t kParts = 5;
  const std::string column(param);
  const Axis axis(table, column);
  std::vector<double> places;
  for (const std::size_t row : rows) places.push_back(axis.at((*table.rows)[row].field(column)).value_or(-1));
  std::vector<double> sorted = places;
  std::sort(sorted.begin(), sorted.end());
  const auto different = static_cast<std::size_t>(
      std::distance(sorted.begin(), std::unique(sorted.begin(), sorted.end())));
  std::vector<double> ends(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(different));
  if (!axis.words() && different > kParts) {
    sorted = places;
    std::sort(sorted.begin(), sorted.end());
    ends.clear();
    for (std::size_t part = 0; part < kParts; ++part) ends.push_back(sorted[(part + 1) * sorted.size() / kParts - 1]);
  }
  std::vector<std::size_t> bins;
  for (const double place : places) {
    bins.push_back(static_cast<std::size_t>(std::lower_bound(ends.begin(), ends.end(), place) - ends.begin()));
  }
  return bins;
}

/// The rank of each row's score among those with as much of the resource, 0 to 1, ties in the middle.
std::vector<double> ranksOf(const SearchTable& table, const std::vector<std::size_t>& rows) {
  std::map<double, std::vector<double>> groups;
  for (const std::size_t row : rows) {
    groups[table.amount((*table.rows)[row])].push_back(*table.score((*table.rows)[row]));
  }
  for (auto& [amount, scores] : groups) std::sort(scores.begin(), scores.end());
  std::vector<double> ranks;
  for (const std::size_t row : rows) {
    const std::vector<double>& group = groups[table.amount((*table.rows)[row])];
    const auto [first, last] = std::equal_range(group.begin(), group.end(), *table.score((*table.rows)[row]));
    const auto sum = static_cast<double>((first - group.begin()) + (last - group.begin()));
    ranks.push_back(sum / 2 / static_cast<double>(group.size()));
  }
  return ranks;
}

}  // namespace

double importance(const SearchTable& table, std::string_view param) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < table.rows->size(); ++i) {
    if (table.score((*table.rows)[i])) rows.push_back(i);
  }
  if (rows.size() < 8) return 0;
  const std::vector<std::size_t> bins = binsOf(table, param, rows);
  const std::vector<double> ranks = ranksOf(table, rows);
  const auto n = static_cast<double>(rows.size());
  const double mean = std::accumulate(ranks.begin(), ranks.end(), 0.0) / n;
  std::map<std::size_t, std::pair<double, double>> sums;  // bin -> how many, their sum
  double total = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    sums[bins[i]].first += 1;
    sums[bins[i]].second += ranks[i];
    total += (ranks[i] - mean) * (ranks[i] - mean);
  }
  double between = 0;
  for (const auto& [bin, sum] : sums) {
    const double away = sum.second / sum.first - mean;
    between += sum.first * away * away;
  }
  const auto k = static_cast<double>(sums.size());
  if (k < 2 || n <= k || total <= 0) return 0;
  const double within = (total - between) / (n - k);
  return std::clamp((between - (k - 1) * within) / (total + within), 0.0, 1.0);
}

std::string_view searchStyle() { return kStyle; }

std::string searchHtml(const SearchTable& table) {
  std::string html = fmt::format("<h2>Search: {}</h2>\n", escapeHtml(table.name));
  const auto best = table.best();
  html += fmt::format("<p class=\"sub\">{} trials, {} <code>{}</code>{}</p>\n", table.rows->size(),
                      table.search.maximize ? "maximizing" : "minimizing", escapeHtml(table.search.objective),
                      best ? fmt::format("; the best is trial {}", *best) : "; none has a score");
  html += rowsOf(table);
  html += "<h2>History</h2><div class=\"panel\">" + history(table) +
          "</div><p class=\"legend\">A point a trial; the line is the best so far" +
          (table.resource ? ", of those that came furthest" : "") + ".</p>\n";
  html += "<h2>Parallel coordinates</h2><div class=\"panel\">" + parallel(table) +
          "</div><p class=\"legend\">A line a trial, the better the stronger; the best tenth in green.</p>\n";
  html += "<h2>Importance</h2><div class=\"panel\">" + importances(table) +
          "</div><p class=\"legend\">How much of the scores' ranks the values of a parameter explain alone, in five "
          "equal parts, above what they would by chance (omega squared); by trials where the search looked.</p>\n";
  return html;
}

}  // namespace couler::driver

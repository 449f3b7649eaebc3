#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "driver/report.h"
#include "driver/statistics.h"

namespace couler::driver {

using column::ColumnSummary;
using column::Kind;
using column::NumberSummary;
using column::Profile;

namespace {

constexpr std::string_view kStyle = R"(
.columns { display: grid; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 14px; }
.columns h2 { margin: 0 0 2px; font-size: 15px; overflow-wrap: anywhere; }
.columns h2 small { color: var(--soft); font-weight: 400; }
.columns dl { display: grid; grid-template-columns: auto 1fr auto 1fr; gap: 1px 10px; margin: 8px 0; font-size: 13px; }
.columns dt { color: var(--soft); } .columns dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.columns svg { width: 100%; height: auto; display: block; }
.columns svg rect { fill: var(--reused); } .columns svg text { font-size: 11px; fill: var(--soft); }
.columns table { font-size: 13px; } .columns td { padding: 1px 6px 1px 0; border: 0; overflow-wrap: anywhere; }
.columns td:last-child { width: 45%; } .bar { background: var(--reused); height: 10px; border-radius: 2px; }
.warn { color: var(--bad); }
)";

std::string pair(std::string_view name, const std::string& value) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>", name, escapeHtml(value));
}

/// The buckets of equal width as bars, a number at each end.
std::string histogram(const ColumnSummary& column) {
  constexpr double kWidth = 320;
  constexpr double kHeight = 70;
  const std::vector<column::Bucket>& buckets = column.numbers.widths;
  double most = 1;
  for (const column::Bucket& bucket : buckets) most = std::max(most, bucket.count);
  const double step = kWidth / static_cast<double>(buckets.size());
  std::string svg = fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\">", kWidth,
                                kHeight + 16);
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const double height = buckets[i].count / most * kHeight;
    svg += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"><title>{} to {}: "
        "{:.0f}</title></rect>",
        static_cast<double>(i) * step + 1, kHeight - height, step - 2, height,
        escapeHtml(numberText(column.kind, buckets[i].low)),
        escapeHtml(numberText(column.kind, buckets[i].high)), buckets[i].count);
  }
  return svg + fmt::format(
                   "<text x=\"0\" y=\"{0:.0f}\">{1}</text><text x=\"{2:.0f}\" y=\"{0:.0f}\" "
                   "text-anchor=\"end\">{3}</text></svg>",
                   kHeight + 13, escapeHtml(extremeText(column, false)), kWidth,
                   escapeHtml(extremeText(column, true)));
}

std::string topTable(const ColumnSummary& column) {
  std::string rows;
  const std::int64_t most = column.texts.top.empty() ? 1 : column.texts.top[0].second;
  for (const auto& [value, count] : column.texts.top) {
    rows += fmt::format(
        "<tr><td>{}</td><td>{}</td><td><div class=\"bar\" style=\"width:{:.1f}%\"></div></td></tr>",
        value.empty() ? "<i>empty</i>" : escapeHtml(value), grouped(count),
        100.0 * static_cast<double>(count) / static_cast<double>(most));
  }
  return rows.empty() ? rows : "<table>" + rows + "</table>";
}

std::string card(const Profile& profile, std::size_t index) {
  const ColumnSummary column = profile.columns[index].summary();
  std::string html = fmt::format("<section class=\"panel\"><h2>{} <small>{}</small></h2><dl>",
                                 escapeHtml(column.name), escapeHtml(typeName(profile, index)));
  html += pair("present", grouped(column.present)) +
          pair("missing", fmt::format("{} ({})", grouped(column.missing),
                                      shareText(column.missing, column.missing + column.present)));
  if (column.kind != Kind::Value) {
    html += pair("distinct", (column.distinctExact ? "" : "about ") + grouped(column.distinct));
  }
  if (profile.notUtf8[index] > 0) html += pair("not UTF-8", grouped(profile.notUtf8[index]));
  if (profile.notOfType[index] > 0) html += pair("not of type", grouped(profile.notOfType[index]));
  if (column.kind == Kind::Bool) {
    html += pair("true", fmt::format("{} ({})", grouped(column.trues),
                                     shareText(column.trues, column.present)));
  }
  const NumberSummary& n = column.numbers;
  if (column::isTextual(column.kind)) {
    html += pair("mean length", fmt::format("{:.1f}", column.texts.meanLength));
  }
  if (column::isNumeric(column.kind)) {
    html += pair("zeros", grouped(n.zeros));
    if (n.nan > 0) html += pair("NaN", grouped(n.nan));
    if (n.infinite > 0) html += pair("infinite", grouped(n.infinite));
    if (n.finite > 0) {
      html += pair("mean", numberText(column.kind, n.mean)) +
              pair("std", column.kind == Kind::Timestamp ? numberText(Kind::Duration, n.deviation)
                                                         : numberText(column.kind, n.deviation)) +
              pair("median", (n.exact ? "" : "about ") + numberText(column.kind, n.median));
    }
  }
  html += "</dl>";
  if (n.finite > 0) html += histogram(column);
  html += topTable(column);
  if (column.texts.error > 0) {
    html += fmt::format("<p class=\"sub\">each up to {} more</p>", grouped(column.texts.error));
  }
  return html + "</section>\n";
}

}  // namespace

std::string statisticsHtml(const std::string& file, const Profile& profile) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}</title>\n"
      "<style>{1}{2}</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n<p class=\"sub\">{3} rows, {4} "
      "columns, {5}</p>\n",
      escapeHtml(file), pageStyle(), kStyle, grouped(profile.rows),
      profile.columns.size() + profile.leftOut.size(), escapeHtml(profile.format));
  if (profile.badRows > 0) {
    html += fmt::format(
        "<p class=\"warn\">{} rows left out: more or fewer cells than the header, or no JSON "
        "object</p>\n",
        grouped(profile.badRows));
  }
  for (const column::LeftOut& left : profile.leftOut) {
    html += fmt::format("<p class=\"warn\"><code>{}</code> left out: {}</p>\n",
                        escapeHtml(left.column), escapeHtml(left.why));
  }
  html += "<div class=\"columns\">\n";
  for (std::size_t i = 0; i < profile.columns.size(); ++i) html += card(profile, i);
  return html + "</div>\n</main>\n</body>\n</html>\n";
}

}  // namespace couler::driver

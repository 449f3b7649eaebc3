#include "driver/report.h"

#include <algorithm>
#include <queue>
#include <string>

#include <fmt/format.h>

#include "driver/progress.h"
#include "support/text.h"

namespace couler::driver {
namespace {

constexpr std::size_t kMaxBars = 500;
constexpr double kWidth = 1000;  // of the timeline, in its own units
constexpr double kRow = 20;
constexpr std::size_t kBins = 200;

constexpr std::string_view kPageStyle = R"(
:root { color-scheme: light dark; --ground: #f7f8fa; --panel: #ffffff; --ink: #1f2933; --soft: #64707d; --line: #dde2e8;
  --ok: #16a34a; --reused: #0284c7; --bad: #dc2626; --off: #9ca3af; }
@media (prefers-color-scheme: dark) {
:root { --ground: #12181f; --panel: #1a222b; --ink: #e4e7eb; --soft: #9aa5b1; --line: #303b47;
  --ok: #22c55e; --reused: #38bdf8; --bad: #f87171; --off: #7b8794; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 24px; margin: 0; display: flex; gap: 12px; align-items: center; flex-wrap: wrap; }
h2 { font-size: 16px; margin: 34px 0 10px; }
.badge { font-size: 13px; font-weight: 600; padding: 3px 11px; border-radius: 99px; color: #fff; background: var(--off); }
.badge.succeeded { background: #15803d; } .badge.failed { background: #b91c1c; }
.sub { color: var(--soft); margin: 4px 0 20px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.card b { display: block; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; }
.card span { color: var(--soft); font-size: 13px; }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 14px; overflow: auto; }
.graph { max-height: 640px; text-align: center; } .graph svg { max-width: none; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 6px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
th[data-sort] { cursor: pointer; }
tbody tr:last-child > * { border-bottom: 0; }
.pairs th { width: 12em; } .pairs div { max-height: 10em; overflow: auto; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code, pre, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 13px; }
td.mono { overflow-wrap: anywhere; }
pre { margin: 6px 0 2px; padding: 10px; background: var(--ground); border: 1px solid var(--line); border-radius: 8px; overflow: auto; max-height: 320px; white-space: pre-wrap; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--soft); }
.state { white-space: nowrap; } .state::before { content: "\25CF"; margin-right: 6px; color: var(--off); }
.state.succeeded::before { color: var(--ok); } .state.reused::before { color: var(--reused); } .state.failed::before { color: var(--bad); }
.tools { display: none; gap: 10px; margin-bottom: 10px; flex-wrap: wrap; } .js .tools { display: flex; }
.tools input, .tools select { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 5px 10px; }
.tools input { flex: 1; min-width: 180px; }
.time text { font: 11px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: var(--soft); }
.time .grid { stroke: var(--line); } .time .bar { fill: var(--ok); } .time .bar.failed { fill: var(--bad); }
.time .bar.cancelled { fill: var(--off); } .time .area { fill: var(--ok); fill-opacity: .35; stroke: var(--ok); }
.time .in { fill: #fff; pointer-events: none; }
.legend { color: var(--soft); font-size: 13px; margin: 8px 0 0; } .legend .state { margin-right: 14px; }
@media print { .panel { overflow: visible; max-height: none; } }
)";

// Reads nothing but the table: without it the page shows all rows in order of their start.
constexpr std::string_view kScript = R"(
(() => {
  const table = document.getElementById("steps");
  if (!table) return;
  document.documentElement.classList.add("js");
  const body = table.tBodies[0], rows = Array.from(body.rows);
  const word = document.getElementById("word"), state = document.getElementById("state");
  const texts = rows.map(row => row.cells[0].textContent.toLowerCase() + " " + row.cells[2].textContent.toLowerCase());
  const show = () => {
    const wanted = word.value.toLowerCase();
    rows.forEach((row, i) => {
      row.hidden = !texts[i].includes(wanted) || (state.value && row.dataset.state !== state.value);
    });
  };
  word.addEventListener("input", show);
  state.addEventListener("change", show);
  let last = -1, up = true;
  table.querySelectorAll("th[data-sort]").forEach(head => head.addEventListener("click", () => {
    const column = head.cellIndex, numeric = head.dataset.sort === "n";
    up = column === last ? !up : !numeric;
    last = column;
    const key = row => {
      const cell = row.cells[column];
      return numeric ? Number(cell.dataset.v) : cell.textContent;
    };
    const sorted = rows.slice().sort((a, b) => {
      const x = key(a), y = key(b);
      return (x < y ? -1 : x > y ? 1 : 0) * (up ? 1 : -1);
    });
    body.append(...sorted);
  }));
})();
)";

bool ran(const ReportStep& step) {
  return step.state == runtime::StepState::Succeeded || step.state == runtime::StepState::Failed ||
         (step.state == runtime::StepState::Cancelled && step.attempts > 0);
}

/// A round number of seconds for about eight marks on the axis.
double tickOf(double seconds) {
  static constexpr double kTicks[] = {1e-3, 2e-3, 5e-3, .01,  .02,  .05,   .1,    .2,   .5,
                                      1,    2,    5,    10,   15,   30,    60,    120,  300,
                                      600,  900,  1800, 3600, 7200, 14400, 43200, 86400};
  for (const double tick : kTicks) {
    if (seconds / tick <= 9) return tick;
  }
  return seconds / 8;
}

std::string axis(double seconds, double height) {
  std::string svg;
  const double tick = tickOf(seconds);
  for (int i = 0; i * tick <= seconds * 1.0001; ++i) {
    const double x = i * tick / seconds * kWidth;
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} 0V{1:.1f}\"/><text x=\"{0:.1f}\" "
        "y=\"{2:.1f}\"{3}>{4}</text>\n",
        x, height, height + 14, i == 0 ? "" : " text-anchor=\"middle\"", humanSeconds(i * tick));
  }
  return svg;
}

std::string svgOpen(double height) {
  return fmt::format(
      "<svg class=\"time\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-6 -4 {:.0f} {:.0f}\" "
      "width=\"100%\">\n",
      kWidth + 40, height + 24);
}

/// One row a slot: a step goes to the first slot that is free when it starts.
std::string bars(const std::vector<const ReportStep*>& steps, double seconds) {
  using Slot = std::pair<double, std::size_t>;  // free from, number
  std::priority_queue<Slot, std::vector<Slot>, std::greater<>> busy;
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> free;
  std::size_t slots = 0;
  std::string body;
  for (const ReportStep* step : steps) {
    while (!busy.empty() && busy.top().first <= step->started) {
      free.push(busy.top().second);
      busy.pop();
    }
    if (free.empty()) free.push(slots++);
    const std::size_t slot = free.top();
    free.pop();
    busy.emplace(step->ended, slot);
    const double x = step->started / seconds * kWidth;
    const double width = std::max(1.0, (step->ended - step->started) / seconds * kWidth);
    const double y = static_cast<double>(slot) * kRow + 2;
    body += fmt::format(
        "<g><title>{}\n{}, {} from {}</title><rect class=\"bar {}\" x=\"{:.2f}\" y=\"{:.1f}\" "
        "width=\"{:.2f}\" "
        "height=\"{:.0f}\" rx=\"3\"/>",
        escapeHtml(step->name), stateWord(step->state), humanSeconds(step->ended - step->started),
        humanSeconds(step->started), stateWord(step->state), x, y, width, kRow - 4);
    if (width > static_cast<double>(step->name.size()) * 6.8 + 10) {
      body += fmt::format("<text class=\"in\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", x + 5, y + 12,
                          escapeHtml(step->name));
    }
    body += "</g>\n";
  }
  const double height = static_cast<double>(slots) * kRow + 4;
  return svgOpen(height) + axis(seconds, height) + body + "</svg>";
}

/// How many steps ran at a time.
std::string area(const std::vector<const ReportStep*>& steps, double seconds) {
  constexpr double kHeight = 160;
  std::vector<double> load(kBins, 0);
  const double bin = seconds / static_cast<double>(kBins);
  // A step adds its share to the bins at its ends and 1 to those between: one pass over
  // differences.
  std::vector<double> rise(kBins + 1, 0);
  for (const ReportStep* step : steps) {
    const auto index = [&](double at) {
      return std::min(kBins - 1, static_cast<std::size_t>(std::max(0.0, at / bin)));
    };
    const std::size_t first = index(step->started);
    const std::size_t last = index(step->ended);
    if (first == last) {
      load[first] += (step->ended - step->started) / bin;
      continue;
    }
    load[first] += static_cast<double>(first + 1) - step->started / bin;
    load[last] += step->ended / bin - static_cast<double>(last);
    rise[first + 1] += 1;
    rise[last] -= 1;
  }
  double running = 0;
  double most = 1e-9;
  for (std::size_t i = 0; i < kBins; ++i) {
    running += rise[i];
    load[i] += running;
    most = std::max(most, load[i]);
  }
  std::string path = fmt::format("M0 {:.1f}", kHeight);
  for (std::size_t i = 0; i < kBins; ++i) {
    path += fmt::format("V{:.1f}H{:.1f}", kHeight - load[i] / most * (kHeight - 12),
                        static_cast<double>(i + 1) / static_cast<double>(kBins) * kWidth);
  }
  path += fmt::format("V{:.1f}Z", kHeight);
  return svgOpen(kHeight) + axis(seconds, kHeight) +
         fmt::format(
             "<path class=\"area\" d=\"{}\"/><text x=\"4\" y=\"10\">most at a time: "
             "{:.1f}</text></svg>",
             path, most);
}

std::string timeline(const ReportInput& input) {
  std::vector<const ReportStep*> steps;
  double seconds = input.result.seconds;
  for (const ReportStep& step : *input.steps) {
    if (!ran(step)) continue;
    steps.push_back(&step);
    seconds = std::max(seconds, step.ended);
  }
  if (steps.empty()) return "<p class=\"sub\">No step ran.</p>";
  seconds = std::max(seconds, 1e-3);
  std::stable_sort(steps.begin(), steps.end(), [](const ReportStep* a, const ReportStep* b) {
    return a->started < b->started;
  });
  return "<div class=\"panel\">" +
         (steps.size() > kMaxBars ? area(steps, seconds) : bars(steps, seconds)) + "</div>";
}

/// The state of all steps of one box: the worst that happened to any of them.
std::map<std::string, std::string> boxStates(const std::vector<ReportStep>& steps) {
  const auto rank = [](runtime::StepState state) {
    switch (state) {
      case runtime::StepState::Failed:
        return 5;
      case runtime::StepState::Cancelled:
        return 4;
      case runtime::StepState::Skipped:
        return 3;
      case runtime::StepState::Succeeded:
        return 2;
      case runtime::StepState::Reused:
        return 1;
      case runtime::StepState::Waiting:
      case runtime::StepState::Running:
        break;
    }
    return 0;
  };
  std::map<std::string, runtime::StepState> worst;
  for (const ReportStep& step : steps) {
    const auto [at, isNew] = worst.try_emplace(stepPath(step.name), step.state);
    if (!isNew && rank(step.state) > rank(at->second)) at->second = step.state;
  }
  std::map<std::string, std::string> result;
  for (const auto& [path, state] : worst) result[path] = std::string(stateWord(state));
  return result;
}

std::string card(std::string_view value, std::string_view label) {
  return fmt::format("<div class=\"card\"><b>{}</b><span>{}</span></div>\n", escapeHtml(value),
                     escapeHtml(label));
}

std::string pairs(std::string_view title,
                  const std::vector<std::pair<std::string, std::string>>& rows) {
  if (rows.empty()) return {};
  std::string html =
      fmt::format("<h2>{}</h2><div class=\"panel\"><table class=\"pairs\"><tbody>\n", title);
  for (const auto& [name, value] : rows) {
    html += fmt::format("<tr><th>{}</th><td class=\"mono\"><div>{}</div></td></tr>\n",
                        escapeHtml(name), escapeHtml(value));
  }
  return html + "</tbody></table></div>\n";
}

std::string stepRow(const ReportStep& step) {
  const std::string_view state = stateWord(step.state);
  const double seconds = ran(step) ? step.ended - step.started : 0;
  std::string html = fmt::format("<tr data-state=\"{}\"><td><span class=\"mono\">{}</span>", state,
                                 escapeHtml(step.name));
  if (!step.logTail.empty()) {
    html += fmt::format("<details{}><summary>output</summary><pre>{}</pre></details>",
                        step.state == runtime::StepState::Failed ? " open" : "",
                        escapeHtml(step.logTail));
  }
  html += fmt::format(
      "</td><td><span class=\"state {0}\">{0}</span>{1}</td><td class=\"mono\">{2}</td>", state,
      step.failure.empty() ? "" : " (" + escapeHtml(step.failure) + ")", escapeHtml(step.task));
  html += fmt::format(
      "<td class=\"n\" data-v=\"{0}\">{0}</td><td class=\"n\" data-v=\"{1:.6f}\">{2}</td>",
      step.attempts, seconds, ran(step) ? humanSeconds(seconds) : "");
  html +=
      fmt::format("<td class=\"n\" data-v=\"{:.6f}\">{}</td><td class=\"n\" data-v=\"{}\">{}</td>",
                  step.cpuSeconds, ran(step) ? humanSeconds(step.cpuSeconds) : "", step.maxRssBytes,
                  step.maxRssBytes != 0 ? humanBytes(step.maxRssBytes) : "");
  return html + fmt::format("<td class=\"mono\" title=\"{}\">{}</td></tr>\n", escapeHtml(step.key),
                            escapeHtml(step.key.substr(0, 12)));
}

std::string stepTable(const std::vector<ReportStep>& steps) {
  std::string html =
      "<div class=\"tools\"><input id=\"word\" type=\"search\" placeholder=\"step or task\" "
      "aria-label=\"filter steps\">"
      "<select id=\"state\" aria-label=\"state\"><option value=\"\">every state</option>";
  for (const std::string_view state : {"succeeded", "reused", "failed", "skipped", "cancelled"}) {
    html += fmt::format("<option>{}</option>", state);
  }
  html +=
      "</select></div>\n<div class=\"panel\"><table id=\"steps\"><thead><tr><th "
      "data-sort=\"t\">step</th>"
      "<th data-sort=\"t\">state</th><th data-sort=\"t\">task</th><th class=\"n\" "
      "data-sort=\"n\">attempts</th>"
      "<th class=\"n\" data-sort=\"n\">time</th><th class=\"n\" data-sort=\"n\">cpu</th>"
      "<th class=\"n\" data-sort=\"n\">memory</th><th "
      "data-sort=\"t\">key</th></tr></thead><tbody>\n";
  for (const ReportStep& step : steps) html += stepRow(step);
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string escapeHtml(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      case '\n':
      case '\t':
        result += c;
        break;
      default:
        if (isControl(c)) {
          result += "\xef\xbf\xbd";  // XML has no way to write these
        } else {
          result += c;
        }
    }
  }
  // Logs are bytes: what is not UTF-8 must not spoil the page.
  std::size_t from = 0;
  while (const auto bad = findInvalidUtf8(std::string_view(result).substr(from))) {
    result.replace(from + *bad, 1, "?");
    from += *bad + 1;
  }
  return result;
}

std::string_view pageStyle() { return kPageStyle; }

std::string reportHtml(const ReportInput& input) {
  const runtime::RunResult& run = input.result;
  const std::string_view status = run.cancelled ? "cancelled" : run.ok ? "succeeded" : "failed";
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}: run {1} "
      "{2}</title>\n<style>{3}{4}{5}</style>\n"
      "</head>\n<body>\n<main>\n",
      escapeHtml(input.title), run.runId, status, kPageStyle, svgStyle(),
      input.searches.empty() ? std::string_view() : searchStyle());
  html += fmt::format(
      "<h1>{0} <span class=\"badge {1}\">{1}</span></h1>\n<p class=\"sub\">run {2} of "
      "<code>{3}</code>, {4}</p>\n",
      escapeHtml(input.title), status, run.runId, escapeHtml(input.source),
      escapeHtml(input.startedAt));
  double cpu = 0;
  for (const ReportStep& step : *input.steps) cpu += step.cpuSeconds;
  html += "<div class=\"cards\">\n" + card(humanSeconds(run.seconds), "time") +
          card(humanSeconds(cpu), "cpu time") + card(std::to_string(run.succeeded), "succeeded") +
          card(std::to_string(run.reused), "reused") + card(std::to_string(run.failed), "failed") +
          card(std::to_string(run.skipped), "skipped") + "</div>\n";
  std::vector<std::pair<std::string, std::string>> outputs;
  if (run.outputs && run.outputs->as<ir::RecordValue>() != nullptr) {
    for (const auto& [name, value] : run.outputs->named()) {
      const bool shown = std::any_of(input.searches.begin(), input.searches.end(),
                                     [&](const SearchTable& table) { return table.name == name; });
      if (!shown) outputs.emplace_back(name, ir::toText(value));
    }
  }
  html += pairs("Outputs", outputs) + pairs("Inputs", input.inputs);
  if (input.graph != nullptr && !input.graph->boxes.empty()) {
    html += "<h2>Graph</h2><div class=\"panel graph\">" +
            svgText(*input.graph, boxStates(*input.steps), false) +
            "</div>\n<p class=\"legend\"><span class=\"state succeeded\">succeeded</span>"
            "<span class=\"state reused\">reused</span><span class=\"state failed\">failed</span>"
            "<span class=\"state\">skipped or not reached</span></p>\n";
  }
  for (const SearchTable& table : input.searches) html += searchHtml(table);
  html += "<h2>Timeline</h2>" + timeline(input) + "\n<h2>Steps</h2>" + stepTable(*input.steps);
  return html + fmt::format("</main>\n<script>{}</script>\n</body>\n</html>\n", kScript);
}

}  // namespace couler::driver

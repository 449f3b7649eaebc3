#include <cmath>
#include <string>

#include <fmt/format.h>

#include "driver/graph_layout.h"
#include "driver/graph_model.h"
#include "driver/report.h"
#include "support/text.h"

namespace couler::driver {
namespace {

constexpr std::string_view kStyle = R"(
.cg text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2933; }
.cg .detail { font-size: 11px; fill: #64707d; }
.cg .cluster rect { fill: #7b8794; fill-opacity: .06; stroke: #9aa5b1; stroke-dasharray: 5 4; }
.cg .name { font-size: 11px; fill: #52606d; paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round; }
.cg .edge { fill: none; stroke: #8a96a3; stroke-width: 1.4; }
.cg .order { stroke-dasharray: 4 4; }
.cg .tip { fill: #8a96a3; }
.cg .box rect, .cg .box path, .cg .box circle { fill: #ffffff; stroke: #52606d; stroke-width: 1.3; }
.cg .input rect { fill: #eef2ff; stroke: #6366f1; }
.cg .output rect { fill: #f5f3ff; stroke: #8b5cf6; }
.cg .choice path { fill: #fff7ed; stroke: #d97706; }
.cg .join circle { fill: #8a96a3; stroke: none; }
.cg .succeeded rect { fill: #dcfce7; stroke: #16a34a; }
.cg .reused rect { fill: #e0f2fe; stroke: #0284c7; }
.cg .failed rect { fill: #fee2e2; stroke: #dc2626; }
.cg .skipped rect, .cg .cancelled rect { fill: #f3f4f6; stroke: #9ca3af; stroke-dasharray: 3 3; }
@media (prefers-color-scheme: dark) {
.cg text { fill: #e4e7eb; }
.cg .detail, .cg .name { fill: #9aa5b1; }
.cg .name { stroke: #151c24; }
.cg .cluster rect { fill-opacity: .1; stroke: #616e7c; }
.cg .edge { stroke: #7b8794; }
.cg .tip, .cg .join circle { fill: #7b8794; }
.cg .box rect, .cg .box path { fill: #1f2933; stroke: #9aa5b1; }
.cg .input rect { fill: #272a52; stroke: #818cf8; }
.cg .output rect { fill: #352a55; stroke: #a78bfa; }
.cg .choice path { fill: #43301a; stroke: #f59e0b; }
.cg .succeeded rect { fill: #123524; stroke: #22c55e; }
.cg .reused rect { fill: #0f3046; stroke: #38bdf8; }
.cg .failed rect { fill: #471a1e; stroke: #f87171; }
.cg .skipped rect, .cg .cancelled rect { fill: #2a323b; stroke: #6b7280; }
}
)";

std::string_view word(Graph::Kind kind) {
  switch (kind) {
    case Graph::Kind::Input:
      return "input";
    case Graph::Kind::Output:
      return "output";
    case Graph::Kind::Choice:
      return "choice";
    case Graph::Kind::Join:
      return "join";
    case Graph::Kind::Step:
      break;
  }
  return "step";
}

/// A curve that leaves and arrives vertically and runs straight through the layers between.
std::string pathOf(const Point& from, const std::vector<Point>& bends, const Point& to) {
  std::string path = fmt::format("M{:.1f} {:.1f}", from.x, from.y);
  Point at = from;
  const auto curve = [&](const Point& next) {
    const double middle = (next.y - at.y) / 2;
    path += fmt::format("C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", at.x, at.y + middle, next.x,
                        next.y - middle, next.x, next.y);
    at = next;
  };
  for (std::size_t i = 0; i + 1 < bends.size(); i += 2) {
    curve(bends[i]);
    path += fmt::format("V{:.1f}", bends[i + 1].y);
    at = bends[i + 1];
  }
  curve(to);
  return path;
}

void drawBox(const Graph::Box& box, const Rectangle& at, std::string_view state, std::string& svg) {
  svg += fmt::format("<g class=\"box {}{}{}\"><title>{}</title>", word(box.kind),
                     state.empty() ? "" : " ", state, escapeHtml(box.tooltip));
  const double middle = at.x + at.width / 2;
  const double centre = at.y + at.height / 2;
  if (box.kind == Graph::Kind::Join) {
    svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\"/></g>\n", middle, centre);
    return;
  }
  if (box.kind == Graph::Kind::Choice) {
    svg +=
        fmt::format("<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}L{:.1f} {:.1f}L{:.1f} {:.1f}Z\"/>", at.x,
                    centre, middle, at.y, at.x + at.width, centre, middle, at.y + at.height);
  } else {
    const double round = box.kind == Graph::Kind::Step ? 6 : at.height / 2;
    svg += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"{:.1f}\"/>", at.x,
        at.y, at.width, at.height, round);
  }
  const bool two = !box.detail.empty();
  svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", middle,
                     two ? centre - 4 : centre + 4, escapeHtml(shortened(box.title, kMaxLetters)));
  if (two) {
    svg += fmt::format(
        "<text class=\"detail\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", middle,
        centre + 13, escapeHtml(shortened(box.detail, kMaxLetters)));
  }
  svg += "</g>\n";
}

}  // namespace

std::string_view svgStyle() { return kStyle; }

std::string svgText(const Graph& graph, const std::map<std::string, std::string>& stateOf,
                    bool standalone) {
  const GraphLayout layout = layOut(graph);
  const double width = std::ceil(layout.all.width);
  const double height = std::ceil(layout.all.height);
  std::string svg;
  if (standalone) svg += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  svg += fmt::format(
      "<svg class=\"cg\" xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\">\n",
      width, height);
  if (standalone) {
    svg += fmt::format(
        "<style>{}.cg .ground {{ fill: #ffffff; }}\n@media (prefers-color-scheme: dark) {{ .cg "
        ".ground {{ fill: "
        "#12181f; }} }}\n</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n",
        kStyle);
  }
  for (std::size_t c = 1; c < graph.clusters.size(); ++c) {
    const Rectangle& at = layout.clusters[c];
    svg += fmt::format(
        "<g class=\"cluster\"><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
        "rx=\"9\"/></g>\n",
        at.x, at.y, at.width, at.height);
  }
  for (std::size_t e = 0; e < graph.edges.size(); ++e) {
    const Graph::Edge& edge = graph.edges[e];
    const Rectangle& a = layout.boxes[edge.from];
    const Rectangle& b = layout.boxes[edge.to];
    const Point from{a.x + a.width / 2, a.y + a.height};
    const Point to{b.x + b.width / 2, b.y};
    svg += fmt::format("<path class=\"edge{}\" d=\"{}\"/>", edge.orderOnly ? " order" : "",
                       pathOf(from, layout.bends[e], {to.x, to.y - 5}));
    svg += fmt::format("<path class=\"tip\" d=\"M{:.1f} {:.1f}l-3.5 -7h7z\"/>\n", to.x, to.y);
  }
  for (std::size_t c = 1; c < graph.clusters.size();
       ++c) {  // over the edges, so that they can be read
    const Rectangle& at = layout.clusters[c];
    svg += fmt::format("<text class=\"name\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", at.x + 12,
                       at.y + 18, escapeHtml(shortened(graph.clusters[c].title, kMaxLetters)));
  }
  for (std::size_t b = 0; b < graph.boxes.size(); ++b) {
    const auto state = stateOf.find(graph.boxes[b].path);
    drawBox(
        graph.boxes[b], layout.boxes[b],
        state == stateOf.end() || graph.boxes[b].path.empty() ? std::string_view() : state->second,
        svg);
  }
  return svg + "</svg>\n";
}

}  // namespace couler::driver

#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "passes/partition_parts.h"

namespace couler::passes {

namespace {

constexpr double kBaseTemplates = 3;  // the entry, what it starts, and what runs at its end

}  // namespace

EdgeLists::EdgeLists(const StepGraph& graph)
    : graph_(graph), firstOut_(graph.vertices.size() + 1), firstIn_(graph.vertices.size() + 1) {
  for (const StepGraph::Edge& edge : graph.edges) {
    ++firstOut_[edge.from + 1];
    ++firstIn_[edge.to + 1];
  }
  std::partial_sum(firstOut_.begin(), firstOut_.end(), firstOut_.begin());
  std::partial_sum(firstIn_.begin(), firstIn_.end(), firstIn_.begin());
  to_.resize(graph.edges.size());
  std::vector<std::uint32_t> next(firstOut_.begin(), firstOut_.end() - 1);
  for (const StepGraph::Edge& edge : graph.edges) to_[next[edge.from]++] = edge.to;
}

Fill::Fill(const StepGraph& graph, const PartLimits& limits) : edges(graph), graph_(graph) {
  if (limits.bytes > 0) perByte_ = 1.0 / static_cast<double>(limits.bytes);
  if (limits.steps > 0) perStep_ = 1.0 / static_cast<double>(limits.steps);
  if (limits.templates > 0) perTemplate_ = 1.0 / static_cast<double>(limits.templates);
  if (limits.parentTasks > 0) perTask_ = 1.0 / static_cast<double>(limits.parentTasks);
  templatesPerStep_ = limits.templatesPerStep;
  parentShare_ = limits.parentShare;
  const auto bytes = [this](std::int64_t of) { return Load{perByte_ * static_cast<double>(of)}; };
  base = bytes(limits.baseBytes);
  base.templates = kBaseTemplates * perTemplate_;
  parent = bytes(limits.parentBytes);
  call = bytes(limits.handOver.callBytes);
  call.steps = perStep_;
  call.templates = perTemplate_;
  call.tasks = perTask_;
  give = bytes(limits.handOver.giveBytes);
  take = bytes(limits.handOver.takeBytes);
  link = bytes(limits.handOver.linkBytes);
  stamps_.assign(graph.groupBytes.size(), 0);
  owner_.assign(graph.vertices.size(), 0);
}

Load Fill::of(std::uint32_t v) const {
  const StepGraph::Vertex& vertex = graph_.vertices[v];
  const auto steps = static_cast<double>(vertex.steps);
  double bytes = static_cast<double>(vertex.bytes);
  double templates = static_cast<double>(vertex.templates) + steps * templatesPerStep_;
  if (isNew(vertex.group)) {
    bytes += static_cast<double>(graph_.groupBytes[vertex.group]);
    ++templates;
  }
  return {bytes * perByte_, steps * perStep_, templates * perTemplate_,
          static_cast<double>(vertex.tasks) * perTask_};
}

Load Fill::add(std::uint32_t v) {
  const Load load = of(v);
  const std::uint32_t group = graph_.vertices[v].group;
  if (group < stamps_.size()) stamps_[group] = stamp_;
  return load;
}

Load Fill::addAll(const Set& set) {
  Load load;
  for (const std::uint32_t v : set) load += add(v);
  return load;
}

void Fill::own(const Set& set) {
  ++owned_;
  for (const std::uint32_t v : set) owner_[v] = owned_;
}

Load Fill::across(const Set& set) {
  own(set);
  std::size_t gives = 0, takes = 0;
  for (const std::uint32_t v : set) {
    for (const StepGraph::Edge& edge : edges.into(v)) takes += owns(edge.from) ? 0 : edge.values;
    for (const std::uint32_t to : edges.outOf(v)) {
      if (owns(to)) continue;
      gives += graph_.vertices[v].values;
      break;
    }
  }
  return give * static_cast<double>(gives) + take * static_cast<double>(takes);
}

Cutter::Cutter(const StepGraph& graph, Fill& fill) : graph_(graph), fill_(fill) {
  const std::size_t vertices = graph.vertices.size();
  level_.assign(vertices, 0);
  for (const StepGraph::Edge& edge : graph.edges) {
    level_[edge.to] = std::max(level_[edge.to], level_[edge.from] + 1);
  }
  root_.resize(vertices);
  place_.resize(vertices);
  weight_.resize(vertices);
}

std::vector<Set> Cutter::byLevels(double allowed) {
  units_.clear();
  Set all(graph_.vertices.size());
  std::iota(all.begin(), all.end(), 0U);
  std::vector<Set> open;
  open.push_back(std::move(all));
  const auto stays = [this](std::uint32_t v) { return graph_.vertices[v].stays; };
  while (!open.empty()) {
    Set set = std::move(open.back());
    open.pop_back();
    if (set.size() == 1 ||
        (fill_.fits(fill_.ofAll(set), allowed) && std::none_of(set.begin(), set.end(), stays))) {
      units_.push_back(std::move(set));
      continue;
    }
    fill_.own(set);
    unite(set, 0, level_.size(), std::numeric_limits<double>::infinity());
    std::vector<Set> parts = components(set);
    if (parts.size() > 1) {
      pack(std::move(parts), allowed, open);
    } else {
      for (Set& side : sides(set, allowed)) open.push_back(std::move(side));
    }
  }
  return std::move(units_);
}

std::uint32_t Cutter::rootOf(std::uint32_t v) {
  while (root_[v] != v) v = root_[v] = root_[root_[v]];
  return v;
}

/// Joins what hangs together among the owned vertices of levels `from` to before `to`; false as
/// soon as more than `most` does.
bool Cutter::unite(const Set& set, std::size_t from, std::size_t to, double most) {
  for (const std::uint32_t v : set) {
    root_[v] = v;
    if (level_[v] < from || level_[v] >= to) continue;
    weight_[v] = fill_.of(v).most();
    if (weight_[v] > most) return false;
    for (const StepGraph::Edge& edge : fill_.edges.into(v)) {
      if (!fill_.owns(edge.from) || level_[edge.from] < from) continue;
      const std::uint32_t a = rootOf(edge.from);
      const std::uint32_t b = rootOf(v);
      if (a == b) continue;
      root_[std::max(a, b)] = std::min(a, b);
      weight_[std::min(a, b)] += weight_[std::max(a, b)];
      if (weight_[std::min(a, b)] > most) return false;
    }
  }
  return true;
}

/// By their first vertices, after `unite`.
std::vector<Set> Cutter::components(const Set& set) {
  std::vector<Set> result;
  for (const std::uint32_t v : set) {
    const std::uint32_t root = rootOf(v);
    if (root == v) {
      place_[v] = static_cast<std::uint32_t>(result.size());
      result.emplace_back();
    }
    result[place_[root]].push_back(v);
  }
  return result;
}

/// Small components share units, in order; large ones are taken apart in their turn.
void Cutter::pack(std::vector<Set> components, double allowed, std::vector<Set>& open) {
  const auto stays = [this](std::uint32_t v) { return graph_.vertices[v].stays; };
  std::vector<Load> across(components.size());
  for (std::size_t i = 0; i < components.size(); ++i) {
    Set& component = components[i];
    across[i] = fill_.across(component);
    fill_.begin();
    const bool apart =
        std::any_of(component.begin(), component.end(), stays) ||
        (component.size() > 1 && !fill_.fits(fill_.addAll(component) + across[i], allowed));
    if (apart) open.push_back(std::exchange(component, {}));
  }
  Set unit;
  Load fill;
  const auto flush = [&] {
    std::sort(unit.begin(), unit.end());
    if (!unit.empty()) units_.push_back(std::exchange(unit, {}));
    fill_.begin();
    fill = {};
  };
  flush();
  for (std::size_t i = 0; i < components.size(); ++i) {
    if (components[i].empty()) continue;
    Load more = fill_.addAll(components[i]) + across[i];
    if (!unit.empty() && !fill_.fits(fill + more, allowed)) {
      flush();
      more = fill_.addAll(components[i]) + across[i];
    }
    unit.insert(unit.end(), components[i].begin(), components[i].end());
    fill += more;
  }
  flush();
}

/// The two or three sides of a connected set: what it falls apart without (a vertex that stays, its
/// first or last levels), if that is little, and the rest; else two halves.
std::vector<Set> Cutter::sides(const Set& set, double allowed) {
  std::size_t low = level_[set[0]];
  std::size_t high = low;
  for (const std::uint32_t v : set) {
    if (graph_.vertices[v].stays) return between(set, {level_[v], level_[v] + std::size_t{1}});
    low = std::min<std::size_t>(low, level_[v]);
    high = std::max<std::size_t>(high, level_[v]);
  }
  const std::size_t levels = high - low + 1;
  std::vector<double> fill(levels, 0),
      before(levels + 1, 0);  // a level's; of the levels before one
  for (const std::uint32_t v : set) fill[level_[v] - low] += fill_.of(v).most();
  std::partial_sum(fill.begin(), fill.end(), before.begin() + 1);
  const double total = before.back();

  // Levels left out at the top and at the bottom; what is left hangs together if a part of it does.
  using Window = std::pair<std::size_t, std::size_t>;
  std::vector<Window> connected;
  const auto isMost = [&](const Window& w) {
    return w.first + w.second < levels &&
           before[levels - w.second] - before[w.first] >= 0.75 * total;
  };
  const auto fallsApart = [&](const Window& w) {
    const bool known = std::any_of(connected.begin(), connected.end(), [&](const Window& inner) {
      return inner.first >= w.first && inner.second >= w.second;
    });
    if (known) return false;
    if (unite(set, low + w.first, high + 1 - w.second, 0.5 * total)) return true;
    connected.push_back(w);
    return false;
  };
  const auto windows = [](std::size_t peel) {
    return std::array<Window, 5>{{{peel, peel}, {1, peel}, {peel, 1}, {peel, 0}, {0, peel}}};
  };
  std::array<std::size_t, 5> largest{};
  for (std::size_t peel = 1; peel * 2 < levels; peel *= 2) {
    for (std::size_t k = 0; k < largest.size(); ++k) {
      if (isMost(windows(peel)[k])) largest[k] = peel;
    }
  }
  std::array<bool, 5> can{};
  for (std::size_t k = 0; k < largest.size(); ++k) {
    can[k] = largest[k] != 0 && fallsApart(windows(largest[k])[k]);
  }
  for (std::size_t peel = 1; peel * 2 < levels; peel *= 2) {
    for (const std::size_t k : {3, 4, 0, 1, 2}) {
      const Window w = windows(peel)[k];
      if (!can[k] || peel > largest[k] || !fallsApart(w)) continue;
      return between(set, {low + w.first, high + 1 - w.second});
    }
  }
  return between(set, {bestLevel(set, low, fill, allowed)});
}

/// The level before which few bytes are cut and few units are needed, with at least a quarter of
/// the set on each side where a level is small enough for that.
std::size_t Cutter::bestLevel(const Set& set, std::size_t low, const std::vector<double>& fill,
                              double allowed) {
  const auto units = [&](double load) { return std::ceil(load / allowed - 1e-9); };
  std::vector<std::int64_t> starts(fill.size() + 1, 0);
  for (const std::uint32_t v : set) {
    for (const StepGraph::Edge& edge : fill_.edges.into(v)) {
      if (!fill_.owns(edge.from)) continue;
      starts[level_[edge.from] - low + 1] += edge.bytes;
      starts[level_[v] - low + 1] -= edge.bytes;
    }
  }
  const double total = std::accumulate(fill.begin(), fill.end(), 0.0);
  std::size_t best = 1;
  std::pair<bool, double> bestCost{true, 0};
  double above = 0;
  std::int64_t crossing = 0;
  for (std::size_t level = 1; level < fill.size(); ++level) {
    above += fill[level - 1];
    crossing += starts[level];
    const double lesser = std::min(above, total - above);
    const bool lopsided = lesser < 0.25 * total;
    const double more = units(above) + units(total - above) - units(total);
    const std::pair<bool, double> cost{
        lopsided, lopsided ? -lesser : static_cast<double>(crossing) * (1 + more)};
    if (level == 1 || cost < bestCost) {
      best = level;
      bestCost = cost;
    }
  }
  return low + best;
}

/// The set cut before each of `levels`, empty sides left out.
std::vector<Set> Cutter::between(const Set& set, const std::vector<std::size_t>& levels) const {
  std::vector<Set> result(levels.size() + 1);
  for (const std::uint32_t v : set) {
    std::size_t side = 0;
    while (side < levels.size() && level_[v] >= levels[side]) ++side;
    result[side].push_back(v);
  }
  std::erase_if(result, [](const Set& side) { return side.empty(); });
  return result;
}

/// From each last vertex down to what it uses, that first.
Set Cutter::depthFirst() const {
  Set order;
  order.reserve(graph_.vertices.size());
  std::vector<bool> seen(graph_.vertices.size(), false);
  std::vector<std::pair<std::uint32_t, std::size_t>> path;
  for (std::uint32_t last = 0; last < seen.size(); ++last) {
    if (!fill_.edges.outOf(last).empty()) continue;
    path.emplace_back(last, 0);
    seen[last] = true;
    while (!path.empty()) {
      auto& [v, at] = path.back();
      const auto into = fill_.edges.into(v);
      while (at < into.size() && seen[into[at].from]) ++at;
      if (at == into.size()) {
        order.push_back(v);
        path.pop_back();
        continue;
      }
      const std::uint32_t from = into[at++].from;
      seen[from] = true;
      path.emplace_back(from, 0);
    }
  }
  return order;
}

std::vector<Set> Cutter::byWaits(double allowed) const {
  std::vector<Set> levels;
  for (std::uint32_t v = 0; v < level_.size(); ++v) {
    if (level_[v] >= levels.size()) levels.resize(level_[v] + 1);
    levels[level_[v]].push_back(v);
  }
  std::vector<Set> units;
  std::vector<std::uint32_t> unitOf(level_.size());
  std::vector<std::pair<Set, std::uint32_t>>
      sorted;  // with the units that each waits for, the last first
  for (Set& level : levels) {
    sorted.clear();
    for (const std::uint32_t v : level) {
      Set& waits = sorted.emplace_back(Set(), v).first;
      for (const StepGraph::Edge& edge : fill_.edges.into(v)) waits.push_back(unitOf[edge.from]);
      std::sort(waits.rbegin(), waits.rend());
    }
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < level.size(); ++i) level[i] = sorted[i].second;
    const double total = fill_.ofAll(level).most();
    const double each = total / std::ceil(total / allowed - 1e-9);
    double filled = each;  // as evenly as may be
    for (const std::uint32_t v : level) {
      const double load = total / static_cast<double>(level.size());
      if (filled + load > each * (1 + 1e-9) || graph_.vertices[v].stays ||
          graph_.vertices[units.back()[0]].stays) {
        units.emplace_back();
        filled = 0;
      }
      filled += load;
      unitOf[v] = static_cast<std::uint32_t>(units.size() - 1);
      units.back().push_back(v);
    }
  }
  for (Set& unit : units) std::sort(unit.begin(), unit.end());
  return units;
}

std::vector<Set> Cutter::byOrder(double allowed) {
  std::vector<Set> units;
  std::vector<std::uint32_t> users(graph_.vertices.size());  // outside of the unit
  for (std::uint32_t v = 0; v < users.size(); ++v) {
    users[v] = static_cast<std::uint32_t>(fill_.edges.outOf(v).size());
  }
  Set unit;
  Load load;
  const auto flush = [&] {
    if (unit.empty()) return;
    std::sort(unit.begin(), unit.end());
    units.push_back(std::exchange(unit, {}));
  };
  const auto begin = [&] {
    flush();
    fill_.own({});
    fill_.begin();
    load = {};
  };
  begin();
  for (const std::uint32_t v : depthFirst()) {
    if (graph_.vertices[v].stays) {
      begin();
      units.push_back({v});
      continue;
    }
    for (bool fits = false; !fits;) {
      const Load before = load;
      load += fill_.add(v);
      if (!fill_.edges.outOf(v).empty()) load += fill_.give * graph_.vertices[v].values;
      for (const StepGraph::Edge& edge : fill_.edges.into(v)) {
        if (!fill_.owns(edge.from)) {
          load += fill_.take * edge.values;
        } else if (users[edge.from] == 1) {
          load -= fill_.give * graph_.vertices[edge.from].values;
        }
      }
      fits = unit.empty() || fill_.fits(load, allowed);
      if (!fits) {
        load = before;
        begin();
      }
    }
    unit.push_back(v);
    fill_.own(v);
    for (const StepGraph::Edge& edge : fill_.edges.into(v)) {
      if (fill_.owns(edge.from)) --users[edge.from];
    }
  }
  flush();
  return units;
}

}  // namespace couler::passes

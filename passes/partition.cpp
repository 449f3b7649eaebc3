#include "passes/partition.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <utility>

namespace couler::passes {

namespace {

using Set = std::vector<std::uint32_t>;  // of vertices, ascending

constexpr double kGoodEnough = 1.02;  // of the whole graph's makespan: no smaller parts are tried
constexpr double kSame = 0.005;       // makespans closer than this are told apart by bytes
constexpr int kSizes = 6;             // of parts that are tried, each half of the one before

/// What part of each limit something takes: 1 is all of it.
struct Load {
  double bytes = 0, steps = 0;
  [[nodiscard]] double most() const { return std::max(bytes, steps); }
  Load& operator+=(const Load& more) {
    bytes += more.bytes;
    steps += more.steps;
    return *this;
  }
  friend Load operator+(Load a, const Load& b) { return a += b; }
};

class Fill {
 public:
  Fill(const StepGraph& graph, const PartLimits& limits) : graph_(graph) {
    if (limits.bytes > 0) perByte_ = 1.0 / static_cast<double>(limits.bytes);
    if (limits.steps > 0) perStep_ = 1.0 / static_cast<double>(limits.steps);
    base = {perByte_ * static_cast<double>(limits.baseBytes), 0};
    call = {perByte_ * static_cast<double>(limits.callBytes), perStep_};
    stamps_.assign(graph.groupBytes.size(), 0);
  }
  /// Begins a manifest that has no groups yet.
  void begin() { ++stamp_; }
  /// Of a vertex, with its group where that is not in the manifest.
  [[nodiscard]] Load of(std::uint32_t v) const {
    const StepGraph::Vertex& vertex = graph_.vertices[v];
    double bytes = static_cast<double>(vertex.bytes);
    if (isNew(vertex.group)) bytes += static_cast<double>(graph_.groupBytes[vertex.group]);
    return {bytes * perByte_, static_cast<double>(vertex.steps) * perStep_};
  }
  Load add(std::uint32_t v) {
    const Load load = of(v);
    const std::uint32_t group = graph_.vertices[v].group;
    if (group < stamps_.size()) stamps_[group] = stamp_;
    return load;
  }
  Load ofAll(const Set& set) {
    begin();
    return addAll(set);
  }
  Load addAll(const Set& set) {
    Load load;
    for (const std::uint32_t v : set) load += add(v);
    return load;
  }
  /// Whether a part of at most `size` of the limits can hold that.
  [[nodiscard]] bool fits(const Load& load, double size) const {
    return load.bytes + base.bytes <= size && load.steps <= size + 1e-9;
  }
  Load base, call;

 private:
  [[nodiscard]] bool isNew(std::uint32_t group) const {
    return group < stamps_.size() && stamps_[group] != stamp_;
  }
  const StepGraph& graph_;
  double perByte_ = 0, perStep_ = 0;
  std::vector<std::uint32_t> stamps_;
  std::uint32_t stamp_ = 0;
};

/// Takes sets of vertices apart until each fits. All sets are convex (no way leads out and in again), so that
/// the graph of the units has no cycle: the sides of a cut between levels are, and components are.
class Cutter {
 public:
  Cutter(const StepGraph& graph, Fill& fill) : graph_(graph), fill_(fill) {
    const std::size_t vertices = graph.vertices.size();
    first_.assign(vertices + 1, 0);
    for (const StepGraph::Edge& edge : graph.edges) ++first_[edge.from + 1];
    for (std::size_t v = 1; v <= vertices; ++v) first_[v] += first_[v - 1];
    out_.resize(graph.edges.size());
    std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
    for (const StepGraph::Edge& edge : graph.edges) out_[next[edge.from]++] = edge;
    level_.assign(vertices, 0);
    for (std::uint32_t v = 0; v < vertices; ++v) {
      for (const StepGraph::Edge& edge : outOf(v)) {
        level_[edge.to] = std::max(level_[edge.to], level_[v] + 1);
      }
    }
    owner_.assign(vertices, 0);
    root_.resize(vertices);
    weight_.resize(vertices);
  }

  std::vector<Set> cut(double allowed) {
    units_.clear();
    Set all(graph_.vertices.size());
    std::iota(all.begin(), all.end(), 0U);
    std::vector<Set> open;
    open.push_back(std::move(all));
    while (!open.empty()) {
      const Set set = std::move(open.back());
      open.pop_back();
      if (set.size() == 1 || fill_.fits(fill_.ofAll(set), allowed)) {
        units_.push_back(set);
        continue;
      }
      std::vector<Set> parts = components(set, 0, level_.size());
      if (parts.size() > 1) {
        pack(std::move(parts), allowed, open);
      } else {
        for (Set& side : sides(set, allowed)) open.push_back(std::move(side));
      }
    }
    return std::move(units_);
  }

 private:
  [[nodiscard]] std::span<const StepGraph::Edge> outOf(std::uint32_t v) const {
    return {out_.data() + first_[v], first_[v + 1] - first_[v]};
  }
  std::uint32_t rootOf(std::uint32_t v) {
    while (root_[v] != v) v = root_[v] = root_[root_[v]];
    return v;
  }
  void own(const Set& set) {
    ++owned_;
    for (const std::uint32_t v : set) owner_[v] = owned_;
  }
  /// Joins what hangs together among the vertices of levels `from` to before `to`.
  void unite(const Set& set, std::size_t from, std::size_t to) {
    own(set);
    const auto within = [&](std::uint32_t v) {
      return owner_[v] == owned_ && level_[v] >= from && level_[v] < to;
    };
    for (const std::uint32_t v : set) {
      root_[v] = v;
      weight_[v] = fill_.of(v).most();
    }
    for (const std::uint32_t v : set) {
      if (!within(v)) continue;
      for (const StepGraph::Edge& edge : outOf(v)) {
        if (!within(edge.to)) continue;
        const std::uint32_t a = rootOf(v);
        const std::uint32_t b = rootOf(edge.to);
        if (a == b) continue;
        root_[std::max(a, b)] = std::min(a, b);
        weight_[std::min(a, b)] += weight_[std::max(a, b)];
      }
    }
  }
  std::vector<Set> components(const Set& set, std::size_t from, std::size_t to) {
    unite(set, from, to);
    std::vector<Set> result;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> byRoot;
    byRoot.reserve(set.size());
    for (const std::uint32_t v : set) byRoot.emplace_back(rootOf(v), v);
    std::sort(byRoot.begin(), byRoot.end());
    for (std::size_t i = 0; i < byRoot.size(); ++i) {
      if (i == 0 || byRoot[i].first != byRoot[i - 1].first) result.emplace_back();
      result.back().push_back(byRoot[i].second);
    }
    return result;
  }

  /// Small components share units, in order; large ones are taken apart in their turn.
  void pack(std::vector<Set> components, double allowed, std::vector<Set>& open) {
    Set unit;
    Load fill;
    fill_.begin();
    const auto flush = [&] {
      std::sort(unit.begin(), unit.end());
      if (!unit.empty()) units_.push_back(std::exchange(unit, {}));
      fill_.begin();
      fill = {};
    };
    std::vector<Set> large;
    for (Set& component : components) {
      if (component.size() > 1 && !fill_.fits(fill_.ofAll(component), allowed)) {
        large.push_back(std::move(component));
        component.clear();
      }
    }
    fill_.begin();
    for (const Set& component : components) {
      if (component.empty()) continue;
      Load more = fill_.addAll(component);
      if (!unit.empty() && !fill_.fits(fill + more, allowed)) {
        flush();
        more = fill_.addAll(component);
      }
      unit.insert(unit.end(), component.begin(), component.end());
      fill += more;
    }
    flush();
    for (Set& component : large) open.push_back(std::move(component));
  }

  /// The two or three sides of a connected set: what it falls apart without (its first or last levels), if
  /// that is little, and the rest; else two halves.
  std::vector<Set> sides(const Set& set, double allowed) {
    std::size_t low = level_[set[0]];
    std::size_t high = low;
    double total = 0;
    fill_.begin();
    for (const std::uint32_t v : set) {
      low = std::min<std::size_t>(low, level_[v]);
      high = std::max<std::size_t>(high, level_[v]);
      total += fill_.of(v).most();
    }
    const std::size_t levels = high - low + 1;
    for (std::size_t peel = 1; peel * 2 < levels; peel *= 2) {
      const std::size_t one = 1;
      for (const auto& [top, bottom] :
           {std::pair{peel, std::size_t{0}}, {0, peel}, {peel, peel}, {one, peel}, {peel, one}}) {
        if (top + bottom >= levels) continue;
        if (fallsApart(set, low + top, high + 1 - bottom, total)) {
          return between(set, {low + top, high + 1 - bottom});
        }
      }
    }
    return between(set, {bestLevel(set, low, high, total, allowed)});
  }

  /// Whether the levels `from` to before `to` are most of the set and no half of it hangs together.
  bool fallsApart(const Set& set, std::size_t from, std::size_t to, double total) {
    unite(set, from, to);
    double within = 0;
    double largest = 0;
    for (const std::uint32_t v : set) {
      if (level_[v] < from || level_[v] >= to) continue;
      within += fill_.of(v).most();
      if (root_[v] == v) largest = std::max(largest, weight_[v]);
    }
    return within >= 0.75 * total && largest <= 0.5 * total;
  }

  /// The level before which few bytes are cut and few units are needed, with at least a quarter of the set on
  /// each side where a level is small enough for that.
  std::size_t bestLevel(const Set& set, std::size_t low, std::size_t high, double total,
                        double allowed) {
    const auto units = [&](double fill) { return std::ceil(fill / allowed - 1e-9); };
    std::vector<double> fill(high - low + 1, 0);
    std::vector<std::int64_t> starts(high - low + 2, 0);
    own(set);
    for (const std::uint32_t v : set) {
      fill[level_[v] - low] += fill_.of(v).most();
      for (const StepGraph::Edge& edge : outOf(v)) {
        if (owner_[edge.to] != owned_) continue;
        starts[level_[v] - low + 1] += edge.bytes;
        starts[level_[edge.to] - low + 1] -= edge.bytes;
      }
    }
    std::size_t best = low + 1;
    std::pair<bool, double> bestCost{true, 0};
    double above = 0;
    std::int64_t crossing = 0;
    for (std::size_t level = low + 1; level <= high; ++level) {
      above += fill[level - 1 - low];
      crossing += starts[level - low];
      const double lesser = std::min(above, total - above);
      const bool lopsided = lesser < 0.25 * total;
      const double more = units(above) + units(total - above) - units(total);
      const std::pair<bool, double> cost{
          lopsided, lopsided ? -lesser : static_cast<double>(crossing) * (1 + more)};
      if (level == low + 1 || cost < bestCost) {
        best = level;
        bestCost = cost;
      }
    }
    return best;
  }

  /// The set cut before each of `levels`, empty sides left out.
  std::vector<Set> between(const Set& set, const std::vector<std::size_t>& levels) const {
    std::vector<Set> result(levels.size() + 1);
    for (const std::uint32_t v : set) {
      std::size_t side = 0;
      while (side < levels.size() && level_[v] >= levels[side]) ++side;
      result[side].push_back(v);
    }
    std::erase_if(result, [](const Set& side) { return side.empty(); });
    return result;
  }

  const StepGraph& graph_;
  Fill& fill_;
  std::vector<std::uint32_t> first_;
  std::vector<StepGraph::Edge> out_;
  std::vector<std::uint32_t> level_;
  std::vector<std::uint32_t> owner_, root_;
  std::vector<double> weight_;
  std::uint32_t owned_ = 0;
  std::vector<Set> units_;
};

/// Units in an order in which edges lead forward, joined where that costs nothing, the smallest left to the
/// parent.
class Assembler {
 public:
  Assembler(const StepGraph& graph, Fill& fill, std::vector<Set> units)
      : graph_(graph), fill_(fill), units_(std::move(units)) {}

  /// Whether the parent then fits.
  bool run(double allowed, Partition& out) {
    sort();
    join(allowed);
    const bool fits = leaveToParent(allowed);
    out.part.assign(graph_.vertices.size(), kParent);
    out.parts = 0;
    for (const Set& unit : units_) {
      if (unit.empty()) continue;
      for (const std::uint32_t v : unit) out.part[v] = out.parts;
      ++out.parts;
    }
    return fits;
  }

 private:
  using Links = std::vector<std::vector<std::uint32_t>>;

  /// By unit: the units that its edges come from.
  [[nodiscard]] Links links() const {
    std::vector<std::uint32_t> unitOf(graph_.vertices.size());
    for (std::uint32_t u = 0; u < units_.size(); ++u) {
      for (const std::uint32_t v : units_[u]) unitOf[v] = u;
    }
    Links from(units_.size());
    for (const StepGraph::Edge& edge : graph_.edges) {
      if (unitOf[edge.from] != unitOf[edge.to]) from[unitOf[edge.to]].push_back(unitOf[edge.from]);
    }
    for (auto& list : from) {
      std::sort(list.begin(), list.end());
      list.erase(std::unique(list.begin(), list.end()), list.end());
    }
    return from;
  }

  void sort() {
    const Links from = links();
    Links to(units_.size());
    std::vector<std::size_t> waits(units_.size());
    std::set<std::pair<std::uint32_t, std::uint32_t>> ready;  // by first vertex
    for (std::uint32_t u = 0; u < units_.size(); ++u) {
      waits[u] = from[u].size();
      for (const std::uint32_t f : from[u]) to[f].push_back(u);
      if (waits[u] == 0) ready.emplace(units_[u][0], u);
    }
    std::vector<Set> sorted;
    while (!ready.empty()) {
      const std::uint32_t u = ready.begin()->second;
      ready.erase(ready.begin());
      for (const std::uint32_t t : to[u]) {
        if (--waits[t] == 0) ready.emplace(units_[t][0], t);
      }
      sorted.push_back(std::move(units_[u]));
    }
    units_ = std::move(sorted);
  }

  /// Joins units that wait for the same units, and a unit with the only one it waits for where nothing else
  /// does.
  void join(double allowed) {
    const Links from = links();
    std::vector<std::set<std::uint32_t>> to(units_.size());
    std::vector<std::uint32_t> now(units_.size());
    std::vector<Load> fills(units_.size());
    for (std::uint32_t u = 0; u < units_.size(); ++u) {
      now[u] = u;
      fills[u] = fill_.ofAll(units_[u]);
      for (const std::uint32_t f : from[u]) to[f].insert(u);
    }
    std::map<std::vector<std::uint32_t>, std::uint32_t> alike;
    for (std::uint32_t u = 0; u < units_.size(); ++u) {
      std::vector<std::uint32_t> before;
      for (const std::uint32_t f : from[u]) before.push_back(now[f]);
      std::sort(before.begin(), before.end());
      before.erase(std::unique(before.begin(), before.end()), before.end());
      std::uint32_t into = u;
      const auto same = alike.find(before);
      if (same != alike.end() && fill_.fits(fills[same->second] + fills[u], allowed)) {
        into = same->second;
      } else if (before.size() == 1 && to[before[0]].size() == 1 &&
                 fill_.fits(fills[before[0]] + fills[u], allowed)) {
        into = before[0];
      }
      now[u] = into;
      if (into == u) {
        alike[before] = u;
        continue;
      }
      units_[into].insert(units_[into].end(), units_[u].begin(), units_[u].end());
      units_[u].clear();
      fills[into] += fills[u];
      to[into].erase(u);
      to[into].insert(to[u].begin(), to[u].end());
    }
    std::erase_if(units_, [](const Set& unit) { return unit.empty(); });
    for (Set& unit : units_) std::sort(unit.begin(), unit.end());
    sort();
  }

  [[nodiscard]] Load callsOf(std::size_t count) const {
    return {fill_.call.bytes * static_cast<double>(count), fill_.call.steps * static_cast<double>(count)};
  }

  bool leaveToParent(double allowed) {
    count_ = units_.size();
    std::vector<std::pair<double, std::size_t>> bySize;
    for (std::size_t u = 0; u < units_.size(); ++u) bySize.emplace_back(fill_.ofAll(units_[u]).most(), u);
    std::sort(bySize.begin(), bySize.end());
    Load calls = callsOf(units_.size());
    Load own;
    fill_.begin();
    for (const auto& [fill, u] : bySize) {
      const Load more = own + fill_.addAll(units_[u]);
      const Load fewer = callsOf(--count_);
      if (fill > allowed / 8 || !fill_.fits(more + fewer, 1)) break;
      own = more;
      calls = fewer;
      units_[u].clear();
    }
    return fill_.fits(own + calls, 1);
  }

  const StepGraph& graph_;
  Fill& fill_;
  std::vector<Set> units_;
  std::size_t count_ = 0;
};

/// Moves whole parts to the parent while it has room and that makes the makespan shorter, the best first. Tries a
/// bounded number, so that large graphs stay linear.
void fillParent(const StepGraph& graph, Fill& fill, std::uint32_t workers, Partition& partition,
                double& best) {
  constexpr std::size_t kWork = 400'000;
  std::size_t tries = kWork / (graph.vertices.size() + graph.edges.size() + 1);
  for (;;) {
    Set inParent;
    std::vector<Set> members(partition.parts);
    for (std::uint32_t v = 0; v < graph.vertices.size(); ++v) {
      (partition.part[v] == kParent ? inParent : members[partition.part[v]]).push_back(v);
    }
    if (tries < partition.parts) return;
    const auto calls = static_cast<double>(partition.parts - 1);
    const Load taken = fill.ofAll(inParent) + Load{fill.call.bytes * calls, fill.call.steps * calls};
    Partition better;
    for (std::uint32_t p = 0; p < partition.parts && tries != 0; ++p) {
      fill.ofAll(inParent);
      if (!fill.fits(taken + fill.addAll(members[p]), 1)) continue;
      Partition moved = partition;
      --moved.parts;
      for (std::uint32_t& part : moved.part) {
        if (part == p) {
          part = kParent;
        } else if (part != kParent && part > p) {
          --part;
        }
      }
      --tries;
      const double seconds = makespan(graph, moved, workers);
      if (seconds >= best) continue;
      best = seconds;
      better = std::move(moved);
    }
    if (better.part.empty()) return;
    partition = std::move(better);
  }
}

}  // namespace

Partition partition(const StepGraph& graph, const PartLimits& limits, std::uint32_t workers) {
  Partition best{std::vector<std::uint32_t>(graph.vertices.size(), kParent), 0};
  Fill fill(graph, limits);
  Set all(graph.vertices.size());
  std::iota(all.begin(), all.end(), 0U);
  if (fill.fits(fill.ofAll(all), 1)) return best;
  const double whole = makespan(graph, workers);
  Cutter cutter(graph, fill);
  double bestRatio = 0;
  std::int64_t bestCut = 0;
  double allowed = 1;
  for (int size = 0; size < kSizes; ++size, allowed /= 2) {
    Partition made;
    const bool fits = Assembler(graph, fill, cutter.cut(allowed)).run(allowed, made);
    if (!fits && size != 0) break;
    double seconds = makespan(graph, made, workers);
    if (fits) fillParent(graph, fill, workers, made, seconds);
    const double ratio = whole == 0 ? 1 : seconds / whole;
    const std::int64_t cut = cutBytes(graph, made);
    if (size == 0 || ratio < bestRatio - kSame || (ratio < bestRatio + kSame && cut < bestCut)) {
      best = std::move(made);
      bestRatio = ratio;
      bestCut = cut;
    }
    if (ratio <= kGoodEnough) break;
  }
  return best;
}

}  // namespace couler::passes

#include "passes/partition.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "passes/partition_parts.h"

namespace couler::passes {

namespace {

constexpr double kGoodEnough = 1.03;  // of the whole graph's makespan: nothing else is tried
constexpr double kSame = 0.005;       // makespans closer than this are told apart by bytes
constexpr std::int64_t kPartBytes = 1024;  // that a part weighs as much as between parts
constexpr double kSmallest = 0.02;         // of the limits: no smaller parts are tried

/// A set of vertices that becomes a part, or stays with the parent.
struct Unit {
  Set vertices;
  std::vector<std::uint32_t> from;  ///< units that it waits for
  std::size_t users = 0;            ///< units that wait for it
  std::size_t gives = 0;            ///< values for other units
  std::size_t references = 0;       ///< to these
};

/// Units in an order in which edges lead forward, joined where that costs nothing, the smallest left to the
/// parent.
class Assembler {
 public:
  Assembler(const StepGraph& graph, const PartLimits& limits, Fill& fill, std::vector<Set> sets)
      : graph_(graph), limits_(limits), fill_(fill) {
    for (Set& set : sets) units_.push_back({std::move(set), {}, 0, 0, 0});
  }

  /// Whether the parent then fits; `wiring`: what calls of parts and values between them take of
  /// it.
  bool run(double allowed, Partition& out, Load& wiring) {
    sort();
    join(allowed);
    const bool fits = leaveToParent(allowed, wiring);
    out.part.assign(graph_.vertices.size(), kParent);
    out.parts = 0;
    for (const Unit& unit : units_) {
      if (unit.vertices.empty()) continue;
      for (const std::uint32_t v : unit.vertices) out.part[v] = out.parts;
      ++out.parts;
    }
    return fits;
  }

 private:
  void link() {
    std::vector<std::uint32_t> unitOf(graph_.vertices.size()), seen(units_.size(), kParent);
    std::vector<bool> given(graph_.vertices.size(), false);
    for (std::uint32_t u = 0; u < units_.size(); ++u) {
      for (const std::uint32_t v : units_[u].vertices) unitOf[v] = u;
      Unit& unit = units_[u];
      unit.from.clear();
      unit.users = unit.gives = unit.references = 0;
    }
    for (std::uint32_t u = 0; u < units_.size(); ++u) {
      for (const std::uint32_t v : units_[u].vertices) {
        for (const StepGraph::Edge& edge : fill_.edges.into(v)) {
          const std::uint32_t from = unitOf[edge.from];
          if (from == u) continue;
          units_[from].references += edge.values;
          if (!given[edge.from]) units_[from].gives += graph_.vertices[edge.from].values;
          given[edge.from] = true;
          if (std::exchange(seen[from], u) == u) continue;
          units_[u].from.push_back(from);
          ++units_[from].users;
        }
      }
      std::sort(units_[u].from.begin(), units_[u].from.end());
    }
  }

  void sort() {
    link();
    std::vector<std::vector<std::uint32_t>> to(units_.size());
    std::vector<std::size_t> waits(units_.size());
    std::set<std::pair<std::uint32_t, std::uint32_t>> ready;  // by first vertex
    for (std::uint32_t u = 0; u < units_.size(); ++u) {
      waits[u] = units_[u].from.size();
      for (const std::uint32_t f : units_[u].from) to[f].push_back(u);
      if (waits[u] == 0) ready.emplace(units_[u].vertices[0], u);
    }
    std::vector<Unit> sorted;
    while (!ready.empty()) {
      const std::uint32_t u = ready.begin()->second;
      ready.erase(ready.begin());
      for (const std::uint32_t t : to[u]) {
        if (--waits[t] == 0) ready.emplace(units_[t].vertices[0], t);
      }
      sorted.push_back(std::move(units_[u]));
    }
    units_ = std::move(sorted);
    link();
  }

  [[nodiscard]] bool stays(const Unit& unit) const {
    return unit.vertices.size() == 1 && graph_.vertices[unit.vertices[0]].stays;
  }
  /// Values alone are no part: there is nothing to run.
  [[nodiscard]] bool isParents(const Unit& unit) const {
    return stays(unit) ||
           std::all_of(unit.vertices.begin(), unit.vertices.end(),
                       [this](std::uint32_t v) { return graph_.vertices[v].steps == 0; });
  }

  /// Joins units that wait for the same units, and a unit with the only one it waits for where nothing else
  /// does.
  void join(double allowed) {
    std::vector<std::set<std::uint32_t>> to(units_.size());
    std::vector<std::uint32_t> now(units_.size());
    std::vector<Load> fills(units_.size());
    for (std::uint32_t u = 0; u < units_.size(); ++u) {
      now[u] = u;
      fills[u] = fill_.ofAll(units_[u].vertices);
      for (const std::uint32_t f : units_[u].from) to[f].insert(u);
    }
    std::map<std::vector<std::uint32_t>, std::uint32_t> alike;
    for (std::uint32_t u = 0; u < units_.size(); ++u) {
      if (stays(units_[u])) continue;
      std::vector<std::uint32_t> before;
      for (const std::uint32_t f : units_[u].from) before.push_back(now[f]);
      std::sort(before.begin(), before.end());
      before.erase(std::unique(before.begin(), before.end()), before.end());
      std::uint32_t into = u;
      const auto same = alike.find(before);
      if (same != alike.end() && fill_.fits(fills[same->second] + fills[u], allowed)) {
        into = same->second;
      } else if (before.size() == 1 && to[before[0]].size() == 1 && !stays(units_[before[0]]) &&
                 fill_.fits(fills[before[0]] + fills[u], allowed)) {
        into = before[0];
      }
      now[u] = into;
      if (into == u) {
        alike[before] = u;
        continue;
      }
      Set& vertices = units_[into].vertices;
      vertices.insert(vertices.end(), units_[u].vertices.begin(), units_[u].vertices.end());
      units_[u].vertices.clear();
      fills[into] += fills[u];
      to[into].erase(u);
      to[into].insert(to[u].begin(), to[u].end());
    }
    std::erase_if(units_, [](const Unit& unit) { return unit.vertices.empty(); });
    for (Unit& unit : units_) std::sort(unit.vertices.begin(), unit.vertices.end());
    sort();
  }

  /// What a part that takes something of another adds to the parent for that.
  [[nodiscard]] double links(const Unit& from) const {
    const auto most = static_cast<double>(std::max<std::int64_t>(limits_.handOver.linkValues, 1));
    return std::max(1.0, std::ceil(static_cast<double>(from.gives) / most));
  }

  bool leaveToParent(double allowed, Load& wiring) {
    std::vector<std::pair<double, std::size_t>> bySize;
    wiring = fill_.parent + fill_.call * static_cast<double>(units_.size());
    for (std::size_t u = 0; u < units_.size(); ++u) {
      const double size = fill_.ofAll(units_[u].vertices).most();
      bySize.emplace_back(isParents(units_[u]) ? 0 : size, u);
      for (const std::uint32_t f : units_[u].from) wiring += fill_.link * links(units_[f]);
    }
    std::sort(bySize.begin(), bySize.end());
    Load own;
    fill_.begin();
    for (const auto& [size, u] : bySize) {
      Unit& unit = units_[u];
      const Load more = own + fill_.addAll(unit.vertices);
      Load fewer = wiring;
      fewer -= fill_.call;
      for (const std::uint32_t f : unit.from) fewer -= fill_.link * links(units_[f]);
      fewer -= fill_.link * (links(unit) * static_cast<double>(unit.users));
      fewer += fill_.link * static_cast<double>(unit.references);
      const bool fits = size <= allowed / 8 && fill_.parentFits(more + fewer);
      if (!isParents(unit) && !fits) break;
      own = more;
      wiring = fewer;
      unit.vertices.clear();
    }
    return fill_.parentFits(own + wiring);
  }

  const StepGraph& graph_;
  const PartLimits& limits_;
  Fill& fill_;
  std::vector<Unit> units_;
};

/// Moves whole parts to the parent while it has room and that makes the makespan shorter, the best first. Tries a
/// bounded number, so that large graphs stay linear.
void fillParent(const StepGraph& graph, Fill& fill, std::uint32_t workers, const Load& wiring,
                Partition& partition, double& best) {
  constexpr std::size_t kWork = 400'000;
  std::size_t tries = kWork / (graph.vertices.size() + graph.edges.size() + 1);
  for (;;) {
    Set inParent;
    std::vector<Set> members(partition.parts);
    for (std::uint32_t v = 0; v < graph.vertices.size(); ++v) {
      (partition.part[v] == kParent ? inParent : members[partition.part[v]]).push_back(v);
    }
    if (tries < partition.parts) return;
    const Load taken = fill.ofAll(inParent) + wiring;
    Partition better;
    for (std::uint32_t p = 0; p < partition.parts && tries != 0; ++p) {
      fill.ofAll(inParent);
      if (!fill.parentFits(taken + fill.addAll(members[p]))) continue;
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
      const double seconds = makespan(graph, fill.edges, moved, workers);
      if (seconds >= best) continue;
      best = seconds;
      better = std::move(moved);
    }
    if (better.part.empty()) return;
    partition = std::move(better);
  }
}

}  // namespace

std::vector<double> fullness(const StepGraph& graph, const PartLimits& limits,
                             const Partition& partition) {
  Fill fill(graph, limits);
  std::vector<Set> members(partition.parts);
  for (std::uint32_t v = 0; v < partition.part.size(); ++v) {
    if (partition.part[v] != kParent) members[partition.part[v]].push_back(v);
  }
  std::vector<double> full;
  for (const Set& part : members) full.push_back(fill.ofAll(part).bytes + fill.base.bytes);
  return full;
}

Partition partition(const StepGraph& graph, const PartLimits& limits, std::uint32_t workers) {
  Partition best{std::vector<std::uint32_t>(graph.vertices.size(), kParent), 0};
  Fill fill(graph, limits);
  Set all(graph.vertices.size());
  std::iota(all.begin(), all.end(), 0U);
  if (fill.parentFits(fill.ofAll(all) + fill.parent)) return best;
  const double whole = makespan(graph, fill.edges, best, workers);
  Cutter cutter(graph, fill);
  bool have = false;
  double bestRatio = 0;
  std::int64_t bestCut = 0;
  enum class Found : std::uint8_t { TooMany, Worse, Better };
  const auto consider = [&](std::vector<Set> sets, double allowed) {
    Partition made;
    Load wiring;
    if (!Assembler(graph, limits, fill, std::move(sets)).run(allowed, made, wiring)) {
      if (best.parts == 0) best = std::move(made);
      return Found::TooMany;
    }
    double seconds = makespan(graph, fill.edges, made, workers);
    fillParent(graph, fill, workers, wiring, made, seconds);
    const double ratio = std::max(kGoodEnough, whole == 0 ? 1 : seconds / whole);
    const std::int64_t cut = cutBytes(graph, made) + kPartBytes * made.parts;
    if (have && ratio >= bestRatio - kSame && (ratio >= bestRatio + kSame || cut >= bestCut)) {
      return Found::Worse;
    }
    best = std::move(made);
    bestRatio = ratio;
    bestCut = cut;
    have = true;
    return Found::Better;
  };
  for (double allowed = 1; allowed > kSmallest; allowed /= 2) {
    const Found levels = consider(cutter.byLevels(allowed), allowed);
    const Found order = consider(cutter.byOrder(allowed), allowed);
    if (levels != Found::Better && order != Found::Better) break;
    if (bestRatio <= kGoodEnough) return best;
  }
  for (double allowed = 1; allowed > kSmallest; allowed /= 2) {
    if (consider(cutter.byWaits(allowed), allowed) == Found::TooMany) break;
    if (bestRatio <= kGoodEnough) break;
  }
  return best;
}

}  // namespace couler::passes

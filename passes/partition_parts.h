#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "passes/partition.h"

/// What the partitioner is made of; only passes/partition*.cpp see this.
namespace couler::passes {

using Set = std::vector<std::uint32_t>;  // of vertices, ascending

/// The edges of a graph, by the vertex that they leave and by the one that they lead to. The graph
/// outlives it.
class EdgeLists {
 public:
  explicit EdgeLists(const StepGraph& graph);
  [[nodiscard]] std::span<const std::uint32_t> outOf(std::uint32_t v) const {
    return {to_.data() + firstOut_[v], firstOut_[v + 1] - firstOut_[v]};
  }
  [[nodiscard]] std::span<const StepGraph::Edge> into(std::uint32_t v) const {
    return {graph_.edges.data() + firstIn_[v], firstIn_[v + 1] - firstIn_[v]};
  }

 private:
  const StepGraph& graph_;
  std::vector<std::uint32_t> firstOut_, to_, firstIn_;
};

[[nodiscard]] double makespan(const StepGraph& graph, const EdgeLists& edges,
                              const Partition& partition, std::uint32_t workers);

/// What part of each limit something takes: 1 is all of it.
struct Load {
  double bytes = 0, steps = 0, templates = 0;
  double tasks = 0;  ///< of the parent
  [[nodiscard]] double most() const { return std::max({bytes, steps, templates}); }
  Load& operator+=(const Load& more) {
    bytes += more.bytes;
    steps += more.steps;
    templates += more.templates;
    tasks += more.tasks;
    return *this;
  }
  Load& operator-=(const Load& less) { return *this += less * -1; }
  friend Load operator+(Load a, const Load& b) { return a += b; }
  friend Load operator*(const Load& a, double times) {
    return {a.bytes * times, a.steps * times, a.templates * times, a.tasks * times};
  }
};

/// How full manifests are.
class Fill {
 public:
  Fill(const StepGraph& graph, const PartLimits& limits);

  /// Begins a manifest that has no groups yet.
  void begin() { ++stamp_; }
  /// Of a vertex, with its group where that is not in the manifest.
  [[nodiscard]] Load of(std::uint32_t v) const;
  Load add(std::uint32_t v);
  Load addAll(const Set& set);
  /// Of the values that come into a set and go out of it. Makes it the one that is owned.
  Load across(const Set& set);
  Load ofAll(const Set& set) {
    begin();
    return addAll(set) + across(set);
  }
  /// Whether a part of at most `size` of the limits can hold that.
  [[nodiscard]] bool fits(const Load& load, double size) const {
    return load.bytes + base.bytes <= size && load.steps <= size + 1e-9 &&
           load.templates + base.templates <= size + 1e-9;
  }
  /// Whether the parent can.
  [[nodiscard]] bool parentFits(const Load& load) const {
    return fits(load, parentShare_) && load.tasks <= 1 + 1e-9;
  }
  /// Marks the set that `owns` asks about.
  void own(const Set& set);
  /// And one more.
  void own(std::uint32_t v) { owner_[v] = owned_; }
  [[nodiscard]] bool owns(std::uint32_t v) const { return owner_[v] == owned_; }

  EdgeLists edges;
  Load base, parent, call, give, take, link;

 private:
  [[nodiscard]] bool isNew(std::uint32_t group) const {
    return group < stamps_.size() && stamps_[group] != stamp_;
  }
  const StepGraph& graph_;
  double perByte_ = 0, perStep_ = 0, perTemplate_ = 0, perTask_ = 0, templatesPerStep_ = 0;
  double parentShare_ = 1;
  std::vector<std::uint32_t> stamps_;  ///< by group
  std::uint32_t stamp_ = 0;
  std::vector<std::uint32_t> owner_;  ///< by vertex
  std::uint32_t owned_ = 0;
};

/// Sets of vertices that are parts of at most `allowed` of the limits, or one vertex that is over
/// them, or that stays with the parent: all convex (no way leads out and in again), so that the
/// graph of the sets has no circle.
class Cutter {
 public:
  Cutter(const StepGraph& graph, Fill& fill);
  /// Takes apart what falls apart, and only else cuts between levels.
  [[nodiscard]] std::vector<Set> byLevels(double allowed);
  /// Stretches of an order in which each vertex comes soon after those that it uses: few values
  /// cross where neighbours use neighbours, but each set may wait for the one before.
  [[nodiscard]] std::vector<Set> byOrder(double allowed);
  /// Stretches of levels, in each level those first that wait for the first: so that some can begin
  /// while the last of the level before still run, though most wait for most.
  [[nodiscard]] std::vector<Set> byWaits(double allowed) const;

 private:
  std::uint32_t rootOf(std::uint32_t v);
  bool unite(const Set& set, std::size_t from, std::size_t to, double most);
  std::vector<Set> components(const Set& set);
  void pack(std::vector<Set> components, double allowed, std::vector<Set>& open);
  std::vector<Set> sides(const Set& set, double allowed);
  std::size_t bestLevel(const Set& set, std::size_t low, const std::vector<double>& fill,
                        double allowed);
  [[nodiscard]] std::vector<Set> between(const Set& set,
                                         const std::vector<std::size_t>& levels) const;
  [[nodiscard]] Set depthFirst() const;

  const StepGraph& graph_;
  Fill& fill_;
  std::vector<std::uint32_t> level_;
  std::vector<std::uint32_t> root_, place_;
  std::vector<double> weight_;
  std::vector<Set> units_;
};

}  // namespace couler::passes

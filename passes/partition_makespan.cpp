#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "passes/partition_parts.h"

namespace couler::passes {

namespace {

/// Workers that take ready vertices, first come, first served.
class Simulation {
 public:
  Simulation(const StepGraph& graph, const EdgeLists& edges, const Partition& partition,
             std::uint32_t workers)
      : graph_(graph), edges_(edges), partition_(partition), free_(std::max(workers, 1U)) {
    const std::size_t vertices = graph.vertices.size();
    waits_.assign(vertices, 0);
    partWaits_.assign(partition.parts, 0);
    left_.assign(partition.parts, 0);
    members_.resize(partition.parts);
    for (const StepGraph::Edge& edge : graph.edges) {
      const std::uint32_t to = partOf(edge.to);
      if (to == kParent || to == partOf(edge.from)) {
        ++waits_[edge.to];
      } else {
        ++partWaits_[to];
      }
    }
    for (std::uint32_t v = 0; v < vertices; ++v) {
      if (partOf(v) == kParent) continue;
      members_[partOf(v)].push_back(v);
      ++left_[partOf(v)];
    }
  }

  double run() {
    for (std::uint32_t p = 0; p < partition_.parts; ++p) {
      if (partWaits_[p] == 0) open(p);
    }
    // One whose last wait ends while others settle is made ready there.
    for (std::uint32_t v = 0; v < waits_.size(); ++v) {
      if (partOf(v) != kParent || !edges_.into(v).empty()) continue;
      ready(v);
      settle();
    }
    double now = 0;
    for (;;) {
      settle();
      for (; free_ != 0 && !ready_.empty(); --free_) {
        const std::uint32_t v = ready_.front();
        ready_.pop();
        running_.emplace(now + graph_.vertices[v].seconds, v);
      }
      if (running_.empty()) return now;
      now = running_.top().first;
      const std::uint32_t v = running_.top().second;
      running_.pop();
      ++free_;
      done_.push(v);
    }
  }

 private:
  [[nodiscard]] std::uint32_t partOf(std::uint32_t v) const { return partition_.part[v]; }

  /// Ends what has run, and what takes no time as soon as it is ready, in that order.
  void settle() {
    for (; !done_.empty(); done_.pop()) end(done_.front());
  }
  /// What takes no time takes no worker.
  void ready(std::uint32_t v) {
    if (graph_.vertices[v].seconds > 0) {
      ready_.push(v);
    } else {
      done_.push(v);
    }
  }
  void open(std::uint32_t part) {
    for (const std::uint32_t v : members_[part]) {
      if (waits_[v] == 0) ready(v);
    }
  }
  void end(std::uint32_t v) {
    const std::uint32_t part = partOf(v);
    for (const std::uint32_t to : edges_.outOf(v)) {
      if (part == kParent) {
        give(to);
      } else if (partOf(to) == part && --waits_[to] == 0) {
        ready(to);
      }
    }
    if (part == kParent || --left_[part] != 0) return;
    for (const std::uint32_t member : members_[part]) {
      for (const std::uint32_t to : edges_.outOf(member)) {
        if (partOf(to) != part) give(to);
      }
    }
  }
  /// A vertex of another part, or of the parent, has one of the things that it waits for.
  void give(std::uint32_t to) {
    const std::uint32_t part = partOf(to);
    if (part == kParent) {
      if (--waits_[to] == 0) ready(to);
    } else if (--partWaits_[part] == 0) {
      open(part);
    }
  }

  const StepGraph& graph_;
  const EdgeLists& edges_;
  const Partition& partition_;
  std::uint32_t free_;
  std::vector<std::uint32_t> waits_, partWaits_, left_;
  std::vector<std::vector<std::uint32_t>> members_;
  std::queue<std::uint32_t> ready_;
  std::queue<std::uint32_t> done_;
  std::priority_queue<std::pair<double, std::uint32_t>,
                      std::vector<std::pair<double, std::uint32_t>>, std::greater<>>
      running_;
};

}  // namespace

double makespan(const StepGraph& graph, const EdgeLists& edges, const Partition& partition,
                std::uint32_t workers) {
  return Simulation(graph, edges, partition, workers).run();
}

double makespan(const StepGraph& graph, const Partition& partition, std::uint32_t workers) {
  return makespan(graph, EdgeLists(graph), partition, workers);
}

double makespan(const StepGraph& graph, std::uint32_t workers) {
  return makespan(graph, {std::vector<std::uint32_t>(graph.vertices.size(), kParent), 0}, workers);
}

std::int64_t cutBytes(const StepGraph& graph, const Partition& partition) {
  std::int64_t bytes = 0;
  for (const StepGraph::Edge& edge : graph.edges) {
    if (partition.part[edge.from] != partition.part[edge.to]) bytes += edge.bytes;
  }
  return bytes;
}

}  // namespace couler::passes

#pragma once

#include <cstdint>
#include <span>
#include <vector>

/// Cutting a graph of steps into parts that an engine runs as workflows of their own.
namespace couler::passes {

/// A graph of steps. An edge leads from a lower to a higher vertex.
struct StepGraph {
  struct Vertex {
    double seconds = 1;       ///< how long it runs
    std::int64_t bytes = 0;   ///< that it adds to a manifest
    std::int64_t steps = 1;   ///< that it counts for
    std::uint32_t group = 0;  ///< what it shares with others in one manifest (a template)
    std::uint32_t values = 1;  ///< that it gives to others
    bool stays = false;        ///< with the parent
    std::int64_t tasks = 1;    ///< that its body has of it: a `for` is one, whatever is in it
    std::int64_t templates = 0;  ///< that it adds, beside one for its group
    std::int64_t inputs = 0;     ///< references that it makes to values from outside of the body
  };
  struct Edge {
    std::uint32_t from = 0, to = 0;
    std::int64_t bytes = 1;    ///< that go along it
    std::uint32_t values = 1;  ///< references that its end makes to them; 0: it only waits
  };
  std::vector<Vertex> vertices;
  std::vector<Edge> edges;               ///< in the order of the vertices that they lead to
  std::vector<std::int64_t> groupBytes;  ///< that the first vertex of a group adds to a manifest
};

/// What values from part to part add to manifests, about.
struct HandOver {
  std::int64_t callBytes = 0;  ///< a part: to the parent
  std::int64_t giveBytes = 0;  ///< a value: to the part that makes it
  std::int64_t takeBytes = 0;  ///< a reference to a value: to the part that it is in
  /// What one part takes of another, or a value that it takes of the parent: to the part and to the
  /// parent. Of another part once for each `linkValues` that this gives.
  std::int64_t linkBytes = 0;
  std::int64_t linkValues = 500;
};

/// What one workflow of the engine may have. 0: any number.
struct PartLimits {
  std::int64_t bytes = 0;
  std::int64_t steps = 0;
  std::int64_t baseBytes = 0;    ///< of a manifest without steps
  std::int64_t parentBytes = 0;  ///< that the parent has beside its steps
  HandOver handOver;
  double parentShare = 1;  ///< of the limits that the parent may take
  std::int64_t templates = 0;
  std::int64_t parentTasks = 0;  ///< of the parent alone
  double templatesPerStep = 0;   ///< for what steps are put together in
};

inline constexpr std::uint32_t kParent = 0xffffffffU;

struct Partition {
  std::vector<std::uint32_t> part;  ///< by vertex; kParent: it stays in the parent
  std::uint32_t parts = 0;          ///< numbered so that edges lead from lower to higher
};

/// The seconds that `workers` take for the graph when each vertex starts as soon as it can and a worker is
/// free, lower vertices first. With a partition, a part starts when all it takes from outside is there, and
/// gives nothing before it has ended. O((V + E) log V).
[[nodiscard]] double makespan(const StepGraph& graph, std::uint32_t workers);
[[nodiscard]] double makespan(const StepGraph& graph, const Partition& partition,
                              std::uint32_t workers);

/// By part: what of `limits.bytes` it takes, as `partition` reckons. O(V + E).
[[nodiscard]] std::vector<double> fullness(const StepGraph& graph, const PartLimits& limits,
                                           const Partition& partition);

/// The bytes of the edges between different parts.
[[nodiscard]] std::int64_t cutBytes(const StepGraph& graph, const Partition& partition);

/// Parts within the limits whose graph has no cycle, with the parent within them, too; all vertices in the
/// parent where they fit. Looks for a makespan close to that of the whole, then for few bytes between parts:
/// takes apart what falls apart (pipelines side by side) and only else cuts between levels, at several sizes of
/// parts, and keeps the best. Where no parent can hold the calls of all parts, or a vertex is over a limit by
/// itself, parts are as small as they can be and the caller finds them too large. O((V + E) log V).
[[nodiscard]] Partition partition(const StepGraph& graph, const PartLimits& limits,
                                  std::uint32_t workers = 32);

}  // namespace couler::passes

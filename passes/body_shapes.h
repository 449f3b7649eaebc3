#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "ir/module.h"
#include "support/id_table.h"

namespace couler::passes {

/// Numbers bodies so that equal ones have one number: the same nodes in the same order, by any
/// name, that use each other, the parameters and what is outside in the same way. What that is
/// outside, its captures, is a list beside the number. O(nodes + edges) for all bodies of a module;
/// an edge to a node some bodies further out counts once for each of them.
class BodyShapes {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffU;
  /// What tells a node of that kind from others, its edges and captures aside; nothing: no body
  /// that has the node is equal to another.
  using KeyOf = std::function<std::optional<std::uint64_t>(const ir::Node&)>;

  explicit BodyShapes(const ir::Module& module) : module_(module), bodies_(module.regions.size()) {}

  /// Once the body's nodes are what they will be; those inside it come before it.
  void add(ir::RegionId id, const KeyOf& keyOf);
  /// kNone: not added, or equal to no other.
  [[nodiscard]] std::uint32_t of(ir::RegionId id) const { return bodies_[id.index()].shape; }
  /// Nodes outside the body, in the order in which it first uses them.
  [[nodiscard]] std::span<const ir::NodeId> captures(ir::RegionId id) const {
    const Body& body = bodies_[id.index()];
    return {captures_.data() + body.firstCapture, body.captures};
  }

 private:
  struct Body {
    std::uint32_t shape = kNone;
    std::uint32_t firstCapture = 0;
    std::uint32_t captures = 0;
  };
  /// Where a node stands in the body that is being added.
  struct Place {
    ir::RegionId body;
    std::uint32_t at = 0;
  };
  bool write(const ir::Region& region, const KeyOf& keyOf);
  void put(ir::NodeId id);

  const ir::Module& module_;
  std::vector<Body> bodies_;  ///< by region
  std::vector<ir::NodeId> captures_;
  std::vector<std::uint64_t> words_;   ///< of the shapes, one after the other
  std::vector<std::size_t> first_{0};  ///< by shape: into words_
  IdTable known_;
  std::vector<Place> places_;  ///< by node
  ir::RegionId adding_;
  std::uint32_t captured_ = 0;
};

}  // namespace couler::passes

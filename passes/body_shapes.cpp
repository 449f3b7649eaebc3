#include "passes/body_shapes.h"

#include <algorithm>

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

void BodyShapes::add(RegionId id, const KeyOf& keyOf) {
  places_.resize(module_.nodes.size());
  adding_ = id;
  captured_ = 0;
  Body& body = bodies_[id.index()];
  body.firstCapture = static_cast<std::uint32_t>(captures_.size());
  if (write(module_.at(id), keyOf)) {
    const auto wordsOf = [&](std::uint32_t shape) {
      const std::size_t end = shape + 1 < first_.size() ? first_[shape + 1] : words_.size();
      return std::span(words_).subspan(first_[shape], end - first_[shape]);
    };
    const auto fresh = static_cast<std::uint32_t>(first_.size() - 1);
    const std::span<const std::uint64_t> words = wordsOf(fresh);
    Mixer mixer;
    for (const std::uint64_t word : words) mixer.add(word);
    body.shape = known_.insert(mixer.finish(), fresh, [&](std::uint32_t other) {
      const std::span<const std::uint64_t> others = wordsOf(other);
      return std::equal(words.begin(), words.end(), others.begin(), others.end());
    });
    body.captures = captured_;
    if (body.shape == fresh) {
      first_.push_back(words_.size());
      return;
    }
  } else {
    captures_.resize(body.firstCapture);
  }
  words_.resize(first_.back());
}

bool BodyShapes::write(const Region& region, const KeyOf& keyOf) {
  std::uint32_t at = 0;
  words_.push_back(region.params.size());
  for (const NodeId param : region.params) {
    words_.push_back(module_.at(param).type.index());
    places_[param.index()] = {adding_, at++};
  }
  for (const NodeId id : region.nodes) {
    const Node& node = module_.at(id);
    const auto key = keyOf(node);
    if (!key) return false;
    words_.push_back(*key);
    words_.push_back(node.type.index());
    words_.push_back((std::uint64_t{node.operandCount} << 32U) | node.orderCount);
    for (const NodeId used : module_.operands(node)) put(used);
    for (const NodeId before : module_.order(node)) put(before);
    for (const RegionId inner : module_.regionsOf(node)) {
      for (std::uint32_t i = 0; i < bodies_[inner.index()].captures; ++i) put(captures(inner)[i]);
    }
    places_[id.index()] = {adding_, at++};
  }
  for (const NodeId result : region.results) put(result);
  return true;
}

void BodyShapes::put(NodeId id) {
  Place& place = places_[id.index()];
  const bool inside = module_.at(id).region == adding_;
  if (!inside && place.body != adding_) {
    place = {adding_, captured_++};
    captures_.push_back(id);
  }
  words_.push_back((std::uint64_t{place.at} << 1U) | (inside ? 1U : 0U));
}

}  // namespace couler::passes

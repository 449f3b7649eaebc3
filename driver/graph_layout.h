#pragma once

#include <cstdint>
#include <vector>

#include "driver/graph_model.h"

namespace couler::driver {

struct Point {
  double x = 0;
  double y = 0;
};
struct Rectangle {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

/// Where everything of a graph goes: pixels, from the top left corner, downwards.
struct GraphLayout {
  Rectangle all;
  std::vector<Rectangle> boxes;           ///< by box
  std::vector<Rectangle> clusters;        ///< by cluster; 0 is the whole drawing
  std::vector<std::vector<Point>> bends;  ///< by edge: points between its ends, from top to bottom
};

/// Lays a graph out in layers (Sugiyama et al., 1981), each cluster as a box of its own:
/// longest-path layers, dummy points for long edges, barycentre order, and in each layer the places
/// nearest to the neighbours that keep order and distance (isotonic regression). O((V+E) log V) but
/// for dummies, which are given up beyond 100,000.
[[nodiscard]] GraphLayout layOut(const Graph& graph);

/// What a box shows of a title or detail at most, in code points.
inline constexpr std::size_t kMaxLetters = 36;

}  // namespace couler::driver

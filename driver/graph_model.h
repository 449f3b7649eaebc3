#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ir/module.h"

namespace couler::driver {

/// What a drawing shows of a workflow: boxes with labels, clusters round them, edges between boxes.
/// Expressions are left out; an edge stands for every way from one box to another through them.
struct Graph {
  enum class Kind : std::uint8_t {
    Input,   ///< a parameter of the workflow
    Output,  ///< a field of its result
    Step,
    Choice,  ///< the condition of an `if`
    Join     ///< a dot where many values become one
  };
  struct Box {
    Kind kind{};
    std::string title;
    std::string detail;  ///< second line; may be empty
    std::string tooltip;
    /// The step's name without the indexes of `for` and `loop`: what `sub.2.count.3` has in common.
    std::string path;
    std::uint32_t cluster = 0;
  };
  struct Cluster {
    std::string title;
    std::uint32_t parent = 0;  ///< cluster 0 is the whole drawing, its own parent
  };
  struct Edge {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    bool orderOnly = false;  ///< `after`, or the condition that decides
  };
  std::vector<Box> boxes;
  std::vector<Cluster> clusters;
  std::vector<Edge> edges;
};

/// A step's name without the parts that are numbers: `sub.2.count.3` gives `sub.count`.
[[nodiscard]] std::string stepPath(std::string_view name);

/// The graph of the entry workflow, called workflows drawn inside it. Calls may multiply: beyond
/// 5,000 boxes a called workflow is one box.
[[nodiscard]] Graph graphOf(const ir::Module& module);

[[nodiscard]] std::string dotText(const Graph& graph);
[[nodiscard]] std::string mermaidText(const Graph& graph);
/// `stateOf` gives the CSS class of a step's box by its path; may be empty. `standalone` adds the
/// XML head and the style sheet, which an HTML page has of its own.
[[nodiscard]] std::string svgText(const Graph& graph,
                                  const std::map<std::string, std::string>& stateOf = {},
                                  bool standalone = true);
/// The style rules that the SVG's classes need, for both colour schemes.
[[nodiscard]] std::string_view svgStyle();

}  // namespace couler::driver

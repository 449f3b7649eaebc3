#pragma once

#include <string>
#include <utility>
#include <vector>

#include "backends/yaml_reader.h"

namespace couler::testing {

/// All that a document says, one node a line, to compare two readings of one text.
inline std::string treeText(const backends::YamlDocument& document) {
  using backends::YamlNode;
  std::string out;
  for (std::size_t d = 0; d < document.count(); ++d) {
    std::vector<std::pair<YamlNode, std::size_t>> todo = {{document.root(d), 0}};
    while (!todo.empty()) {
      const auto [node, depth] = todo.back();
      todo.pop_back();
      out.append(depth, ' ');
      out += node.isMap() ? "map" : node.isList() ? "list" : node.isBare() ? "bare" : "quoted";
      out += " line " + std::to_string(node.line()) + " size " + std::to_string(node.size());
      out.append(" key <").append(node.key()).append("> text <").append(node.text()).append(">\n");
      if (const YamlNode next = node.next(); next.exists()) todo.emplace_back(next, depth);
      if (const YamlNode first = node.first(); first.exists()) todo.emplace_back(first, depth + 1);
    }
  }
  return out;
}

}  // namespace couler::testing

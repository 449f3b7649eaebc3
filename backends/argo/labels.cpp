#include "backends/argo/labels.h"

#include <algorithm>
#include <vector>

namespace couler::backends::argo {
namespace {

bool isIndex(std::string_view part) {
  return part == "*" || (!part.empty() && std::all_of(part.begin(), part.end(),
                                                      [](char c) { return c >= '0' && c <= '9'; }));
}

/// What two paths begin with, in whole parts.
std::string_view common(std::string_view a, std::string_view b) {
  std::size_t end = 0;
  for (std::size_t i = 0; i <= a.size() && i <= b.size(); ++i) {
    const bool endA = i == a.size() || a[i] == '.';
    const bool endB = i == b.size() || b[i] == '.';
    if (endA && endB) end = i;
    if (i < a.size() && i < b.size() && a[i] != b[i]) break;
  }
  return a.substr(0, end);
}

std::string_view ownName(const ir::Module& module, const ir::Node& node) {
  if (node.name.valid()) return module.at(node.name);
  if (const auto* step = std::get_if<ir::Step>(&node.payload)) return module.at(step->task).name;
  if (const auto* call = std::get_if<ir::Call>(&node.payload)) return module.at(call->callee).name;
  return {};
}

}  // namespace

bool isUnrolled(std::string_view name) {
  while (!name.empty()) {
    const std::size_t end = std::min(name.find('.'), name.size());
    if (isIndex(name.substr(0, end))) return true;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return false;
}

std::string_view lastPart(std::string_view path) {
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::size_t dot = rest.rfind('.');
    const std::string_view part = dot == rest.npos ? rest : rest.substr(dot + 1);
    if (!isIndex(part)) return part;
    rest = rest.substr(0, dot == rest.npos ? 0 : dot);
  }
  return path;
}

std::string_view nameOf(const ir::Module& module, ir::NodeId id) {
  const ir::Node& node = module.at(id);
  if (const std::string_view own = ownName(module, node); !own.empty()) return own;
  std::string_view name;
  bool any = false;
  std::vector<ir::NodeId> left{id};
  while (!left.empty()) {
    const ir::Node& at = module.at(left.back());
    left.pop_back();
    const bool runs = std::holds_alternative<ir::Step>(at.payload) ||
                      std::holds_alternative<ir::Call>(at.payload);
    if (runs) {
      const std::string_view own = ownName(module, at);
      name = any ? common(name, own) : own;
      any = true;
    }
    for (const ir::RegionId inner : module.regionsOf(at)) {
      left.insert(left.end(), module.at(inner).nodes.begin(), module.at(inner).nodes.end());
    }
  }
  if (isUnrolled(name)) return name;
  if (std::holds_alternative<ir::For>(node.payload)) return "for";
  if (std::holds_alternative<ir::If>(node.payload)) return "if";
  return std::holds_alternative<ir::Loop>(node.payload) ? "loop" : "try";
}

BodyNames::BodyNames(const ir::Module& module, ir::RegionId body) : module_(module) {
  const ir::NodeId owner = module.at(body).owner;
  if (!owner.valid() || !isUnrolled(nameOf(module, owner))) return;
  short_ = true;
  for (const ir::NodeId id : module.at(body).nodes) {
    const ir::Node& node = module.at(id);
    if (!ownName(module, node).empty() || !module.regionsOf(node).empty()) {
      ++times_[lastPart(nameOf(module, id))];
    }
  }
}

std::string_view BodyNames::of(ir::NodeId id) const {
  const std::string_view name = nameOf(module_, id);
  if (!short_) return name;
  const std::string_view part = lastPart(name);
  const auto found = times_.find(part);
  return found != times_.end() && found->second == 1 ? part : name;
}

}  // namespace couler::backends::argo

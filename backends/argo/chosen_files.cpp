#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backends/argo/emitter.h"

// A file that an expression chooses (`best.model`, an item of a list, `a ?? b`, an `if` without
// steps) has no task that gives it. It is known by its key in the object store: the steps that may
// have made it put their files where a key says that is known before they run, and whoever takes
// the file is given the key of the chosen one.
namespace couler::backends::argo {

using B = ir::Builtin;

/// Whether that node has a template whose outputs say the keys of its files.
bool Emitter::givesKey(ir::NodeId id) const {
  const ir::Node& n = node(id);
  if (const auto* attempt = std::get_if<ir::Try>(&n.payload)) return hasSteps(attempt->body);
  const auto* branch = std::get_if<ir::If>(&n.payload);
  return branch != nullptr &&
         (hasSteps(branch->then) || (branch->otherwise.valid() && hasSteps(branch->otherwise)));
}

/// Marks what may have made a file that an expression chooses, wherever one is wanted.
void Emitter::findChosenFiles() {
  const auto chooses = [&](ir::NodeId id) {
    const ir::Node& n = node(id);
    if (const auto* op = std::get_if<ir::Op>(&n.payload)) {
      return op->op != B::MakeList && op->op != B::MakeRecord && op->op != B::MakeMap;
    }
    return std::holds_alternative<ir::If>(n.payload) && !givesKey(id);
  };
  bool any = false;
  for (std::size_t i = 0; i < module_.nodes.size() && !any; ++i) {
    any = chooses(ir::NodeId{i}) && holdsFiles(module_.nodes[i].type);
  }
  if (!any) return;
  const auto wanted = [&](ir::NodeId value) {
    if (!holdsFiles(node(value).type)) return;
    for (const Leaf& leaf : leavesOf(node(value).type)) {
      if (!leaf.artifact) continue;
      Path path = leaf.path;
      const ir::NodeId maker = base(value, path);
      if (chooses(maker)) markMakers(maker, std::move(path));
    }
  };
  for (const ir::Node& n : module_.nodes) {
    if (std::holds_alternative<ir::Step>(n.payload) ||
        std::holds_alternative<ir::Call>(n.payload) ||
        std::holds_alternative<ir::Loop>(n.payload)) {
      for (const ir::NodeId operand : module_.operands(n)) wanted(operand);
    }
  }
  for (std::size_t i = 0; i < module_.regions.size(); ++i) {
    if (!stepful_[i]) continue;
    for (const ir::NodeId result : module_.regions[i].results) wanted(result);
  }
}

void Emitter::markMakers(ir::NodeId value, Path path) {
  std::vector<std::pair<ir::NodeId, Path>> left{{value, std::move(path)}};
  std::set<std::pair<ir::NodeId, Path>> seen;
  while (!left.empty()) {
    auto [from, fields] = std::move(left.back());
    left.pop_back();
    const ir::NodeId id = base(from, fields);
    if (!seen.emplace(id, fields).second) continue;
    const ir::Node& n = node(id);
    if (std::holds_alternative<ir::Step>(n.payload) || givesKey(id)) keyed_[id.index()] = true;
    if (const auto* field = std::get_if<ir::Field>(&n.payload)) {  // of each
      fields.insert(fields.begin(), std::string(module_.at(field->name)));
      left.emplace_back(module_.operands(n)[0], std::move(fields));
    } else if (std::holds_alternative<ir::Op>(n.payload)) {
      for (const ir::NodeId operand : module_.operands(n)) {
        if (holdsFiles(node(operand).type)) left.emplace_back(operand, fields);
      }
    } else if (std::holds_alternative<ir::If>(n.payload) ||
               std::holds_alternative<ir::Try>(n.payload)) {
      for (const ir::RegionId region : module_.regionsOf(n)) {
        left.emplace_back(module_.at(region).results[0], fields);
      }
    }
  }
}

std::string Emitter::folderOf(Scope& scope) const {
  if (scope.parent == nullptr) return runFolder() + scope.place;
  scope.folder = true;
  return inputTag(kFolder);
}

std::string Emitter::stepFolder(Scope& scope, std::string_view task) const {
  return fmt::format("{}/{}", scope.isPart ? inputTag(kFolder) : folderOf(scope), task);
}

std::string Emitter::stepKey(Scope& scope, ir::NodeId step, const Path& path, Span at) {
  Scope& home = *scopeOf_[node(step).region.index()];
  if (!home.once || path.size() != 1) {
    unsupported(at, "a choice among files that a `for`, a `loop` or a called workflow makes",
                "choose inside a task, or make the file once more from what was chosen");
    return "nil";
  }
  dependOnOrder(scope, step);
  const std::string place = filePlace(step, path[0]);
  if (&home == &scope && scope.parent != nullptr) {
    scope.folder = true;
    return fmt::format("(inputs.parameters['{}'] + {})", kFolder,
                       exprString(place.substr(home.place.size())));
  }
  const std::string prefix = settings_.artifacts->keyPrefix;
  return fmt::format("({} + {} + {})", exprString(prefix.empty() ? "" : prefix + "/"), uid_,
                     exprString(place));
}

/// The keys of what is at `path` of each item of a list that is spelled out.
std::optional<std::vector<std::string>> Emitter::keysOfEach(Scope& scope, ir::NodeId from,
                                                            Path path, Span at) {
  Path inner;
  const ir::NodeId list = base(from, inner);
  const ir::Node& n = node(list);
  if (!inner.empty()) return std::nullopt;
  if (const auto* field = std::get_if<ir::Field>(&n.payload)) {
    path.insert(path.begin(), std::string(module_.at(field->name)));
    return keysOfEach(scope, module_.operands(n)[0], std::move(path), at);
  }
  const auto* op = std::get_if<ir::Op>(&n.payload);
  if (op == nullptr || op->op != B::MakeList) return std::nullopt;
  std::vector<std::string> keys;
  for (const ir::NodeId item : module_.operands(n)) keys.push_back(keyExpr(scope, item, path, at));
  return keys;
}

std::string Emitter::keyExpr(Scope& scope, ir::NodeId from, Path path, Span at) {
  const ir::NodeId id = base(from, path);
  const ir::Node& n = node(id);
  const auto operands = module_.operands(n);
  const auto refuseIt = [&](std::string_view what) {
    unsupported(at, what, "choose it with `if` around the step that uses it, or inside a task");
    return std::string("nil");
  };
  if (const ir::Value* value = module_.constant(id)) {
    for (const std::string& field : path) value = value == nullptr ? nullptr : value->field(field);
    if (value == nullptr || value->isNone()) return "nil";
    return refuseIt("a choice among files of which one is of the program");
  }
  if (std::holds_alternative<ir::Step>(n.payload)) return stepKey(scope, id, path, at);
  if (const auto* param = std::get_if<ir::Param>(&n.payload);
      param != nullptr && n.region == module_.at(module_.entry).body && uid_ == kUidInTag &&
      module_.types.kind(node(from).type) != ir::TypeKind::Optional) {
    const std::string prefix = settings_.artifacts->keyPrefix;
    return fmt::format("({} + workflow.parameters['{}'])",
                       exprString(prefix.empty() ? "" : prefix + "/"), joined(label(id), path));
  }
  if (givesKey(id)) {
    auto where = place(id, path);
    if (where) where->artifact = false;  // the parameter beside the artifact
    const auto ref = where ? reference(scope, id, *where) : std::nullopt;
    return ref ? "fromJSON(" + ref->indexed() + ")" : refuseIt("a file chosen by this expression");
  }
  if (const auto* branch = std::get_if<ir::If>(&n.payload)) {
    if (!branch->otherwise.valid()) return refuseIt("a file chosen by this expression");
    const ir::NodeId yes = module_.at(branch->then).results[0];
    const ir::NodeId no = module_.at(branch->otherwise).results[0];
    adopt(scope, branch->then);
    adopt(scope, branch->otherwise);
    // sprig.ternary looks at both.
    if (!isTotal(yes) || !isTotal(no))
      return refuseIt("a file chosen by an `if` whose branches may fail");
    const std::string then = keyExpr(scope, yes, path, at);
    const std::string otherwise = keyExpr(scope, no, path, at);
    return fmt::format("sprig.ternary({}, {}, {})", then, otherwise, expr(scope, operands[0]));
  }
  const auto* op = std::get_if<ir::Op>(&n.payload);
  if (op == nullptr) return refuseIt("a file chosen by this expression");
  switch (op->op) {
    case B::Index:
    case B::First:
    case B::Last: {
      const auto keys = keysOfEach(scope, operands[0], path, at);
      if (!keys || keys->empty()) return refuseIt("a choice among files whose number is not known");
      if (op->op == B::First) return keys->front();
      if (op->op == B::Last) return keys->back();
      return fmt::format("[{}][{}]", fmt::join(*keys, ", "), indexExpr(scope, operands[1]));
    }
    case B::Coalesce:
    case B::CoalesceOptional: {
      const std::string left = keyExpr(scope, operands[0], path, at);
      return fmt::format("first(filter([{}, {}], {{# != nil}}))", left,
                         keyExpr(scope, operands[1], path, at));
    }
    case B::Unwrap:
      return fmt::format("filter([{}], {{# != nil}})[0]", keyExpr(scope, operands[0], path, at));
    default:
      return refuseIt("a file chosen by this expression");
  }
}

}  // namespace couler::backends::argo

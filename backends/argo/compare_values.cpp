#include <utility>

#include <fmt/format.h>

#include "backends/argo/comparer.h"

namespace couler::backends::argo {

YamlNode Comparer::argument(YamlNode arguments, std::string_view name) {
  for (YamlNode p = arguments["parameters"].first(); p.exists(); p = p.next()) {
    if (p["name"].text() == name) return p;
  }
  return {};
}

void Comparer::sameValue(YamlNode at, std::string_view text, const ir::Value& value, ir::TypeId type, std::string_view name) {
  std::string error;
  const auto read = ir::fromJson(text, type, module_.types, error);
  if (!read || !(*read == value)) {
    differ(at, fmt::format("`{}` is `{}`, not `{}`", name, text.substr(0, 80),
                           ir::toJson(value).substr(0, 80)));
  }
}

std::pair<std::string_view, const Dag*> Comparer::passedDown(std::string_view text,
                                                             std::string_view kind,
                                                             RegionId to) const {
  const std::string begin = fmt::format("{{{{inputs.{}.", kind);
  // The last level is the call of the task that has the text.
  for (std::size_t level = levels_.size(); level-- > 1;) {
    const Level& outer = levels_[level - 1];
    if (!text.starts_with(begin) || !text.ends_with("}}")) break;
    const std::string_view name = text.substr(begin.size(), text.size() - begin.size() - 2);
    const YamlNode given = kind == "parameters" ? argument(outer.arguments, name) : YamlNode();
    text = kind == "parameters" ? given["value"].text() : fileFrom(outer.arguments, name);
    if (outer.dag != nullptr && to.valid() && outer.region == to) return {text, outer.dag};
  }
  return {text, nullptr};
}

std::string_view Comparer::constant(YamlNode task, YamlNode arguments, std::string_view name, NodeId operand) {
  const YamlNode given = argument(arguments, name);
  if (!given.exists()) {
    differ(task, fmt::format("`{}` is not given", name));
    return {};
  }
  std::string_view text = given["value"].text();
  const ir::Value* value = module_.constant(operand);
  if (value == nullptr) return text;
  text = passedDown(text, "parameters", {}).first;
  if (text.find("{{") != std::string_view::npos) {
    differ(given, fmt::format("`{}` is computed, but it is a constant", name));
  } else {
    sameValue(given, text, *value, node(operand).type, name);
  }
  return text;
}

bool Comparer::isFile(TypeKind kind) {
  return kind == TypeKind::File || kind == TypeKind::Dir || kind == TypeKind::Table;
}

bool Comparer::holdsFiles(ir::TypeId type) const {
  return module_.types.holds(type, TypeKind::File) || module_.types.holds(type, TypeKind::Dir);
}

const ir::FuncDef* Comparer::outlinedBy(NodeId id) const {
  const auto* call = module_.payload<ir::Call>(id);
  if (call == nullptr) return nullptr;
  const ir::FuncDef& callee = module_.at(call->callee);
  return callee.outlined == ir::Outlined::No ? nullptr : &callee;
}

const ir::FuncDef* Comparer::groupOf(NodeId id) const {
  const ir::FuncDef* callee = outlinedBy(id);
  return callee != nullptr && callee->outlined == ir::Outlined::Group ? callee : nullptr;
}

std::pair<NodeId, std::string_view> Comparer::outputOf(NodeId user, NodeId operand) const {
  const auto* field = std::get_if<ir::Field>(&node(operand).payload);
  if (field == nullptr || field->ofEach || field->optional) return {};
  const NodeId maker = module_.operands(node(operand))[0];
  // What a group gives beside files comes in bundles.
  const bool made = std::holds_alternative<ir::Step>(node(maker).payload) ||
                    (groupOf(maker) != nullptr && isFile(module_.types.kind(node(operand).type)));
  if (!made || node(maker).region != node(user).region) return {};
  return {maker, module_.at(field->name)};
}

bool Comparer::reads(std::string_view text, std::string_view task, std::string_view kind, std::string_view output) {
  for (const char quote : {'"', '\''}) {
    scratch_.assign("tasks[").append(1, quote).append(task).append(1, quote);
    scratch_.append("].outputs.").append(kind).append("[").append(1, quote);
    scratch_.append(output).append(1, quote).append("]");
    if (text.find(scratch_) != std::string_view::npos) return true;
  }
  scratch_.assign("{{tasks.").append(task).append(".outputs.").append(kind);
  scratch_.append(".").append(output).append("}}");
  return text.find(scratch_) != std::string_view::npos;
}

bool Comparer::passesOn(std::string_view text, NodeId input, bool file) const {
  const ir::Node& n = node(input);
  if (module_.types.kind(n.type) == TypeKind::Record) return true;  // comes in pieces
  const std::string_view name = module_.at(n.name);
  const std::string_view kind = file ? "artifacts" : "parameters";
  return text.find(fmt::format("{}.{}}}}}", kind, name)) != text.npos ||
         text.find(fmt::format("{}['{}']", kind, name)) != text.npos ||
         text.find(fmt::format("{}[\"{}\"]", kind, name)) != text.npos;
}

void Comparer::arguments(NodeId id, const Dag& home, const Dag::Task& task, YamlNode given,
                         std::span<const ir::ParamDef> params) {
  const auto operands = module_.operands(node(id));
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const ir::ParamDef& param = params[i];
    const ir::TypeId type = module_.types.kind(param.type) == TypeKind::Optional
                                ? module_.types[param.type].element
                                : param.type;
    const TypeKind kind = module_.types.kind(type);
    const bool file = isFile(kind);
    if (bundleOf(operands[i]).valid()) {
      bundleArguments(task, home, operands[i], param.name);
      continue;
    }
    if (kind == TypeKind::Secret || (!file && holdsFiles(param.type))) continue;
    std::string_view text;
    if (!file) text = constant(task.node, given, param.name, operands[i]);
    if (const std::string wanted = partField(home, operands[i]); !wanted.empty()) {
      if (file) text = fileKey(given, param.name);
      if (text.find(wanted) == std::string_view::npos) {
        differ(task.node,
               fmt::format("`{}` is not `{}` of another part", param.name,
                           module_.at(std::get<ir::Field>(node(operands[i]).payload).name)));
      }
      continue;
    }
    if (const std::string_view no = missing(home, id, operands[i], text); !no.empty()) {
      differ(task.node, fmt::format("`{}` does not read `{}` where it must", param.name, no));
    }
    const RegionId region = node(operands[i]).region;
    if (region == node(id).region && groupBodies_.contains(region) &&
        module_.payload<ir::Param>(operands[i]) != nullptr &&
        !passesOn(file ? fileFrom(given, param.name) : text, operands[i], file)) {
      differ(task.node, fmt::format("`{}` is not the input `{}`", param.name,
                                    module_.at(node(operands[i]).name)));
    }
    const auto [maker, output] = outputOf(id, operands[i]);
    if (file && !maker.valid())
      chosen(id, operands[i], home, task, fileKey(given, param.name), param.name);
    if (file && !maker.valid()) {
      handedDown(operands[i], fileFrom(given, param.name), task, param.name);
    }
    if (!maker.valid() || called_[maker.index()] == Dag::kNone) continue;
    if (file) text = fileFrom(given, param.name);
    const std::string_view madeBy = home.tasks[called_[maker.index()]].name;
    if (reads(text, madeBy, file ? "artifacts" : "parameters", output)) continue;
    differ(task.node, fmt::format("{}`{}` is not output `{}` of `{}`", file ? "file " : "",
                                  param.name, output, madeBy));
  }
}

void Comparer::handedDown(NodeId operand, std::string_view text, const Dag::Task& task,
                          std::string_view name) {
  NodeId maker = operand;
  while (module_.payload<ir::Field>(maker) != nullptr) maker = module_.operands(node(maker))[0];
  if (!makesTask(maker) || called_[maker.index()] == Dag::kNone) return;
  const auto [from, dag] = passedDown(text, "artifacts", node(maker).region);
  if (dag == nullptr) return;
  const std::string_view madeBy = dag->tasks[called_[maker.index()]].name;
  if (from.find(fmt::format("tasks.{}.outputs.artifacts.", madeBy)) != from.npos) return;
  differ(task.node, fmt::format("file `{}` is not what `{}` makes", name, madeBy));
}

void Comparer::chosen(NodeId user, NodeId operand, const Dag& home, const Dag::Task& task, std::string_view key, std::string_view name) {
  ++mark_;
  bool chooses = false;
  std::vector<NodeId> makers;
  todo_.assign(1, operand);
  while (!todo_.empty()) {
    const NodeId id = todo_.back();
    todo_.pop_back();
    if (std::exchange(marks_[id.index()], mark_) == mark_) continue;
    const ir::Node& n = node(id);
    if (makesTask(id)) {
      makers.push_back(id);
      continue;
    }
    const auto* op = std::get_if<ir::Op>(&n.payload);
    chooses = chooses || (op != nullptr && op->op == ir::Builtin::Index);
    for (const NodeId part : module_.operands(n)) {
      if (holdsFiles(node(part).type)) todo_.push_back(part);
    }
    if (!ownsBodies(n)) continue;
    for (const RegionId r : module_.regionsOf(n)) {
      for (const NodeId result : module_.at(r).results) todo_.push_back(result);
    }
  }
  if (!chooses) return;
  for (const NodeId maker : makers) {
    if (node(maker).region != node(user).region || called_[maker.index()] == Dag::kNone) continue;
    const std::string_view madeBy = home.tasks[called_[maker.index()]].name;
    if (key.find(fmt::format("tasks[\"{}\"].outputs.parameters", madeBy)) != key.npos) continue;
    if (key.find(fmt::format("/{}/", madeBy)) != key.npos) continue;
    differ(task.node, fmt::format("`{}` is never what `{}` makes", name, madeBy));
  }
}

std::string_view Comparer::fileFrom(YamlNode given, std::string_view name) {
  for (YamlNode a = given["artifacts"].first(); a.exists(); a = a.next()) {
    if (a["name"].text() == name) return a["from"].text();
  }
  return {};
}

std::string_view Comparer::fileKey(YamlNode given, std::string_view name) {
  for (YamlNode a = given["artifacts"].first(); a.exists(); a = a.next()) {
    if (a["name"].text() == name) return a["s3"]["key"].text();
  }
  return {};
}

void Comparer::workflowArguments(YamlNode spec, const ir::FuncDef& entry) {
  for (const ir::ParamDef& param : entry.params) {
    if (module_.types.kind(param.type) == TypeKind::Secret || holdsFiles(param.type) ||
        module_.types.kind(param.type) == TypeKind::Record) {
      continue;
    }
    const YamlNode given = argument(spec["arguments"], param.name);
    if (!given.exists()) {
      differ(spec, fmt::format("input `{}` is missing", param.name));
      continue;
    }
    const ir::Value* value = nullptr;
    for (const auto& [name, v] : options_.arguments) {
      if (name == param.name) value = &v;
    }
    if (value == nullptr && param.fallback.valid()) value = &module_.at(param.fallback);
    if ((value != nullptr) != given["value"].exists()) {
      differ(given, fmt::format("input `{}` has a value where it should have none, or none where "
                                "it should have one",
                                param.name));
    } else if (value != nullptr) {
      sameValue(given, given["value"].text(), *value, param.type, param.name);
    }
  }
}

}  // namespace couler::backends::argo

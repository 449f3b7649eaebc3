#include <algorithm>

#include <fmt/format.h>

#include "backends/argo/emitter.h"

// Steps and calls: one task of a DAG each, and the files that they are given.
namespace couler::backends::argo {
namespace {

using ir::TypeKind;

void writeArguments(YamlWriter& w, const Arguments& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    w.beginMap();
    w.entry("name", arguments.name(i));
    w.entry("value", arguments.value(i));
    w.endMap();
  }
}

}  // namespace

std::string& Arguments::add(std::string_view name) {
  rows_.push_back({chars_.size(), name.size()});
  chars_ += name;
  return chars_;
}

void Emitter::writeArtifact(YamlWriter& w, const ArtifactArg& artifact) {
  w.beginMap();
  w.entry("name", artifact.name);
  if (artifact.from) w.entry("from", "{{" + artifact.from->dotted() + "}}");
  if (artifact.raw) {
    w.key("raw");
    w.beginMap();
    w.entry("data", *artifact.raw);
    w.endMap();
  }
  if (artifact.key) writeLocation(w, *artifact.key);
  if (artifact.optional) {
    w.key("optional");
    w.boolean(true);
  }
  w.endMap();
}

void Emitter::writeTask(YamlWriter& w, const TaskCall& call) {
  w.beginMap();
  w.entry("name", call.name);
  w.entry("template", call.templateName);
  if (!call.dependencies.empty()) {
    w.key("dependencies");
    w.flow(call.dependencies);
  }
  if (!call.depends.empty()) w.entry("depends", call.depends);
  if (!call.when.empty()) w.entry("when", call.when);
  if (call.continueOn) {
    w.key("continueOn");
    w.beginMap();
    w.key("failed");
    w.boolean(true);
    w.key("error");
    w.boolean(true);
    w.endMap();
  }
  if (!call.parameters.empty() || !call.artifacts.empty()) {
    w.key("arguments");
    w.beginMap();
    if (!call.parameters.empty()) {
      w.key("parameters");
      w.beginList();
      writeArguments(w, call.parameters);
      w.endList();
    }
    if (!call.artifacts.empty()) {
      w.key("artifacts");
      w.beginList();
      for (const ArtifactArg& artifact : call.artifacts) writeArtifact(w, artifact);
      w.endList();
    }
    w.endMap();
  }
  if (!call.withParam.empty()) w.entry("withParam", call.withParam);
  if (!call.exitTemplate.empty()) {
    w.key("hooks");
    w.beginMap();
    w.key("exit");
    w.beginMap();
    w.entry("template", call.exitTemplate);
    if (!call.exitParameters.empty()) {
      w.key("arguments");
      w.beginMap();
      w.key("parameters");
      w.beginList();
      writeArguments(w, call.exitParameters);
      w.endList();
      w.endMap();
    }
    w.endMap();
    w.endMap();
  }
  w.endMap();
}

std::string Emitter::baseName(ir::NodeId from, Path path, std::string_view fallback) const {
  const ir::NodeId id = origin(from, path);
  const ir::Node& n = node(id);
  std::string name(fallback);
  if (const auto* step = std::get_if<ir::Step>(&n.payload); step != nullptr && path.size() == 1) {
    for (const ir::OutputDef& output : module_.at(step->task).outputs) {
      if (output.name == path[0]) name = output.path.empty() ? output.name : output.path;
    }
  } else if (const ir::Value* value = module_.constant(id)) {
    for (const std::string& field : path) value = value == nullptr ? nullptr : value->field(field);
    if (const auto* file = value == nullptr ? nullptr : value->as<ir::FileRef>()) {
      name = file->path.substr(file->path.rfind('/') + 1);
    }
  }
  // The name becomes part of a path in a template.
  const bool plain = !name.empty() && name.find_first_of("{}/") == std::string::npos &&
                     name != "." && name != "..";
  return plain ? name : std::string(fallback);
}

std::string Emitter::collectFolder(std::string_view name) const {
  const std::string& prefix = settings_.artifacts->keyPrefix;
  return fmt::format("{}{}{{{{workflow.uid}}}}/{}", prefix, prefix.empty() ? "" : "/", name);
}

std::optional<Text> Emitter::fileKeys(Scope& scope, ir::NodeId from, Span at) {
  Path path;
  const ir::NodeId id = base(from, path);
  const ir::Node& n = node(id);
  if (!settings_.artifacts) {
    refuse<Diag::BackendNeedsArtifacts>(at, "add `artifacts: s3(bucket: \"…\")` to the target",
                                        "a list of files", "argo");
    return std::nullopt;
  }
  const bool fanOut = std::holds_alternative<ir::For>(n.payload);
  const bool input = std::holds_alternative<ir::Param>(n.payload) && path.empty();
  if (fanOut || input) {
    if (const auto where = place(id, path)) {
      Place keys = *where;
      keys.artifact = false;  // a parameter with the list of keys stands for the files
      if (const auto ref = reference(scope, id, keys)) return Text::ref(*ref);
    }
  }
  unsupported(at, "a list of files made by this expression",
              "use the list that a `for` gives, or one of constants, as it is");
  return std::nullopt;
}

bool Emitter::giveFiles(Scope& scope, ir::NodeId value, const ir::ParamDef& param,
                        std::size_t index, Shape& shape, TaskCall& call, Span at) {
  Path path;
  ir::NodeId id = base(value, path);
  Path field;  // of each item
  if (const auto* each = std::get_if<ir::Field>(&node(id).payload);
      each != nullptr && path.empty()) {
    field.emplace_back(module_.at(each->name));
    id = base(module_.operands(node(id))[0], path);
  }
  const ir::Node& n = node(id);
  const auto* op = std::get_if<ir::Op>(&n.payload);
  if (op != nullptr && op->op == ir::Builtin::MakeList && path.empty()) {
    shape.lists[index] = Shape::List::Each;
    std::string paths = "[";
    std::size_t k = 0;
    for (const ir::NodeId item : module_.operands(n)) {
      auto file = artifact(scope, item, field, at);
      if (!file) return false;
      const std::string name = baseName(item, field, param.name);
      file->name = fmt::format("{}-{}", param.name, k);
      call.artifacts.push_back(std::move(*file));
      paths +=
          fmt::format("{}\"{}/{}/{}/{}\"", k == 0 ? "" : ",", kInputFolder, param.name, k, name);
      shape.names[index].push_back(name);
      ++k;
    }
    call.parameters.add(param.name, safeJson(paths + "]"));
    return true;
  }
  if (const ir::Value* constant = module_.constant(id)) {
    if (constant->as<ir::ListValue>() != nullptr && constant->items().empty()) {
      shape.lists[index] = Shape::List::Each;
      call.parameters.add(param.name, "[]");
      return true;
    }
  }
  const auto* loop = std::get_if<ir::For>(&n.payload);
  if (loop == nullptr) {
    unsupported(at, "a list of files that comes to a step as one value",
                "go over it with `for`, or give the step a folder");
    return false;
  }
  const auto keys = fileKeys(scope, value, at);
  if (!keys) return false;
  shape.lists[index] = Shape::List::Folder;
  ArtifactArg folder;
  folder.name = param.name;
  folder.key = collectFolder(names_[taskName_[id.index()]]);
  const std::string& prefix = settings_.artifacts->keyPrefix;
  const std::string start = exprString(prefix.empty() ? "" : prefix + "/") + " + workflow.uid + " +
                            exprString(fmt::format("/{}/", names_[taskName_[id.index()]]));
  call.parameters.add(
      param.name, exprTag(fmt::format("sprig.replace({}, {}, {})", start,
                                      exprString(fmt::format("{}/{}/", kInputFolder, param.name)),
                                      keys->asExpr())));
  call.artifacts.push_back(std::move(folder));
  return true;
}

bool Emitter::giveOutput(Scope& scope, ir::NodeId operand, const ir::ParamDef& param,
                         TaskCall& call) {
  const auto* field = std::get_if<ir::Field>(&node(operand).payload);
  if (field == nullptr || field->ofEach || field->optional) return false;
  const ir::NodeId maker = module_.operands(node(operand))[0];
  const auto* step = std::get_if<ir::Step>(&node(maker).payload);
  if (step == nullptr || scopeOf_[node(maker).region.index()] != &scope) return false;
  const std::string_view name = module_.at(field->name);
  for (const ir::OutputDef& output : module_.at(step->task).outputs) {
    if (output.name != name || output.from == ir::OutputFrom::Path) continue;
    const TypeKind kind = module_.types.kind(output.type);
    if (kind == TypeKind::Optional || kind == TypeKind::Record) return false;
    dependOn(scope, maker);
    std::string& value = call.parameters.add(param.name);
    appendTag(value, {names_[taskName_[maker.index()]], name, false,
                      outputEncoding(output)});
    return true;
  }
  return false;
}

/// A constant, or the input that has it: bodies that differ by constants alone are one template.
std::string Emitter::constantText(Scope& scope, ir::NodeId id, const std::string& name) {
  if (!scope.unrolled) return text(scope, id, {}).asTag();
  const auto [known, isNew] =
      scope.captureIndex.try_emplace(std::pair(id, Path()), scope.captures.size());
  if (isNew) {
    scope.captures.push_back(
        {id, {}, std::string(scope.inputNames.unique(name)), false, false, node(id).type});
  }
  return inputTag(scope.captures[known->second].name);
}

void Emitter::giveValue(Scope& scope, ir::NodeId value, const ir::ParamDef& param, TaskCall& call) {
  const bool lifted = scope.unrolled && module_.constant(value) != nullptr &&
                      module_.types.kind(param.type) != TypeKind::Secret;
  call.parameters.add(
      param.name, lifted ? constantText(scope, value, fmt::format("{}-{}", call.name, param.name))
                         : text(scope, value, {}).asTag());
}

void Emitter::plainStepCall(Scope& scope, ir::NodeId id, TaskCall& call) {
  const ir::TaskId taskId = std::get<ir::Step>(node(id).payload).task;
  const ir::TaskDef& task = module_.at(taskId);
  const auto operands = module_.operands(node(id));
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (giveOutput(scope, operands[i], task.params[i], call)) continue;
    giveValue(scope, operands[i], task.params[i], call);
  }
  const Container*& made = taskFacts_[taskId.index()].plain;
  if (made == nullptr) {
    Shape shape;
    shape.lists.resize(task.params.size());
    shape.names.resize(task.params.size());
    made = &container(taskId, shape, std::vector<std::string>(task.params.size()));
  }
  call.templateName = made->name;
}

void Emitter::stepCall(Scope& scope, ir::NodeId id, TaskCall& call) {
  const ir::Node& n = node(id);
  const ir::TaskId taskId = std::get<ir::Step>(n.payload).task;
  const ir::TaskDef& task = module_.at(taskId);
  const TaskFacts& facts = taskFacts_[taskId.index()];
  const bool keyed = facts.filesOut && (scope.fileItems || (keyed_[id.index()] && scope.once));
  if (!facts.filesIn && !keyed) return plainStepCall(scope, id, call);
  const auto operands = module_.operands(n);
  Shape shape;
  shape.lists.resize(task.params.size());
  shape.names.resize(task.params.size());
  std::vector<std::string> baseNames(task.params.size());
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const ir::ParamDef& param = task.params[i];
    ir::TypeId type = param.type;
    const bool optional = module_.types.kind(type) == TypeKind::Optional;
    if (optional) type = module_.types[type].element;
    const TypeKind kind = module_.types.kind(type);
    if (isFileKind(kind)) {
      baseNames[i] = baseName(operands[i], {}, param.name);
      giveArgument(scope, call, {{}, param.type, true, optional}, param.name, operands[i], n.span);
    } else if (kind == TypeKind::List && holdsFiles(type)) {
      if (!isFileKind(module_.types.kind(module_.types[type].element))) {
        unsupported(n.span, fmt::format("a `{}` as the input of a step", module_.types.print(type)),
                    "give the step the files and the rest apart");
        continue;
      }
      giveFiles(scope, operands[i], param, i, shape, call, n.span);
    } else if (holdsFiles(type)) {
      unsupported(n.span, fmt::format("a `{}` as the input of a step", module_.types.print(type)),
                  "give the step the files and the rest apart");
    } else {
      giveValue(scope, operands[i], param, call);
    }
  }
  shape.keyed = keyed;
  const Container& made = container(taskId, shape, baseNames);
  call.templateName = made.name;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!baseNames[i].empty() && baseNames[i] != made.baseNames[i]) {
      call.parameters.add(task.params[i].name + "-name", baseNames[i]);
    }
  }
  if (shape.keyed && scope.fileItems) {
    call.parameters.add(kFilesKey,
                        fmt::format("{}/{}/{}", inputTag(kFolder), inputTag(kIndex), call.name));
  } else if (shape.keyed) {
    call.parameters.add(kFilesKey, stepFolder(scope, call.name));
  }
}

void Emitter::funcCall(Scope& scope, ir::NodeId id, TaskCall& call) {
  const ir::Node& n = node(id);
  const ir::FuncId funcId = std::get<ir::Call>(n.payload).callee;
  const ir::FuncDef& func = module_.at(funcId);
  if (func.outlined == ir::Outlined::Part) return partCall(scope, id, call);
  const auto operands = module_.operands(n);
  call.templateName = func.outlined == ir::Outlined::Group ? groupTemplate(scope, funcId)
                                                           : functionTemplate(funcId);
  const auto group = parts_.find(funcId);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (group != parts_.end() && group->second.sources[i].valid()) {
      giveBundle(scope, operands[i], func.params[i].name, call);
      continue;
    }
    for (const Leaf& leaf : leavesOf(func.params[i].type)) {
      giveArgument(scope, call, leaf, joined(func.params[i].name, leaf.path), operands[i], n.span);
    }
  }
  if (func.finally.valid() && hasSteps(func.finally)) {
    call.exitTemplate = call.templateName + "-exit";
    call.exitParameters = call.parameters;
    call.exitParameters.add("status", fmt::format("{{{{tasks.{}.status}}}}", call.name));
    if (!call.artifacts.empty()) {
      unsupported(n.span, "`finally` of a called workflow that takes files",
                  "move `finally` to the workflow that is run");
    }
  }
}

}  // namespace couler::backends::argo

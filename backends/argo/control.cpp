#include <algorithm>

#include <fmt/format.h>

#include "backends/argo/emitter.h"

namespace couler::backends::argo {
namespace {

using ir::TypeKind;

constexpr std::size_t kMaxRegionDepth = 64;

bool isFileKind(TypeKind kind) {
  return kind == TypeKind::File || kind == TypeKind::Dir || kind == TypeKind::Table;
}

std::string parameterTag(std::string_view name) {
  return fmt::format("{{{{inputs.parameters.{}}}}}", name);
}

}  // namespace

std::string Emitter::label(ir::NodeId id) const {
  const ir::Node& n = node(id);
  if (n.name.valid()) return std::string(module_.at(n.name));
  return std::visit(
      ir::Overloaded{
          [](std::monostate) -> std::string { return "none"; },
          [](const ir::Const&) -> std::string { return "const"; },
          [](const ir::Param& p) -> std::string { return fmt::format("p{}", p.index); },
          [](const ir::Op&) -> std::string { return "value"; },
          [](const ir::Field&) -> std::string { return "field"; },
          [&](const ir::Step& s) -> std::string { return module_.at(s.task).name; },
          [&](const ir::Call& c) -> std::string { return module_.at(c.callee).name; },
          [](const ir::For&) -> std::string { return "for"; },
          [](const ir::If&) -> std::string { return "if"; },
          [](const ir::Loop&) -> std::string { return "loop"; },
          [](const ir::Try&) -> std::string { return "try"; },
          [](const ir::Rows&) -> std::string { return "rows"; },
      },
      n.payload);
}

void Emitter::markStepful() {
  stepful_.assign(module_.regions.size(), false);
  used_.assign(module_.nodes.size(), false);
  const auto mark = [&](ir::RegionId region) {
    while (region.valid() && !stepful_[region.index()]) {
      stepful_[region.index()] = true;
      const ir::NodeId owner = module_.at(region).owner;
      if (!owner.valid()) return;
      region = node(owner).region;
    }
  };
  for (const ir::Node& n : module_.nodes) {
    if (std::holds_alternative<std::monostate>(n.payload)) continue;
    const auto* call = std::get_if<ir::Call>(&n.payload);
    if (std::holds_alternative<ir::Step>(n.payload) ||
        (call != nullptr && module_.at(call->callee).kind == ir::FuncKind::Workflow)) {
      mark(n.region);
    }
    for (const ir::NodeId operand : module_.operands(n)) used_[operand.index()] = true;
  }
  for (const ir::Region& region : module_.regions) {
    for (const ir::NodeId result : region.results) used_[result.index()] = true;
  }
}

void Emitter::adopt(Scope& scope, ir::RegionId region) { scopeOf_[region.index()] = &scope; }

Scope& Emitter::childScope(Scope& parent, ir::RegionId region, std::string_view name) {
  scopes_.push_back(std::make_unique<Scope>());
  Scope& child = *scopes_.back();
  child.parent = &parent;
  child.nesting = parent.nesting + 1;
  child.templateName = templateNames_.unique(name);
  if (region.valid()) adopt(child, region);
  return child;
}

std::vector<Emitter::Input> Emitter::inputsOf(const Scope& scope) const {
  std::vector<Input> out;
  for (const Capture& capture : scope.captures) {
    out.push_back({capture.name, capture.artifact, capture.optional, std::nullopt, std::nullopt});
  }
  return out;
}

std::vector<Emitter::Input> Emitter::paramInputs(Scope& scope, ir::NodeId param) {
  std::vector<Input> out;
  for (const Leaf& leaf : leavesOf(node(param).type)) {
    std::string name = joined(label(param), leaf.path);
    static_cast<void>(scope.inputNames.unique(name));
    out.push_back({std::move(name), leaf.artifact, leaf.optional, std::nullopt, std::nullopt});
  }
  return out;
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
      for (const auto& [name, value] : call.parameters) {
        w.beginMap();
        w.entry("name", name);
        w.entry("value", value);
        w.endMap();
      }
      w.endList();
    }
    if (!call.artifacts.empty()) {
      w.key("artifacts");
      w.beginList();
      for (const ArtifactArg& artifact : call.artifacts) {
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
      for (const auto& [name, value] : call.exitParameters) {
        w.beginMap();
        w.entry("name", name);
        w.entry("value", value);
        w.endMap();
      }
      w.endList();
      w.endMap();
    }
    w.endMap();
    w.endMap();
  }
  w.endMap();
}

void Emitter::writeInputs(YamlWriter& w, const std::vector<Input>& inputs) {
  if (inputs.empty()) return;
  w.key("inputs");
  w.beginMap();
  for (const bool artifacts : {false, true}) {
    bool first = true;
    for (const Input& input : inputs) {
      if (input.artifact != artifacts) continue;
      if (first) {
        w.key(artifacts ? "artifacts" : "parameters");
        w.beginList();
        first = false;
      }
      w.beginMap();
      w.entry("name", input.name);
      if (input.raw) {
        w.key("raw");
        w.beginMap();
        w.entry("data", *input.raw);
        w.endMap();
      }
      if (input.key) writeLocation(w, *input.key);
      if (input.optional) {
        w.key("optional");
        w.boolean(true);
      }
      w.endMap();
    }
    if (!first) w.endList();
  }
  w.endMap();
}

void Emitter::writeOutputs(YamlWriter& w, const std::vector<Output>& outputs) {
  if (outputs.empty()) return;
  w.key("outputs");
  w.beginMap();
  for (const bool artifacts : {false, true}) {
    bool first = true;
    for (const Output& output : outputs) {
      if (output.artifact != artifacts) continue;
      if (first) {
        w.key(artifacts ? "artifacts" : "parameters");
        w.beginList();
        first = false;
      }
      w.beginMap();
      w.entry("name", output.name);
      if (artifacts) {
        w.entry(output.parameter.empty() ? "fromExpression" : "from",
                output.parameter.empty() ? output.expression : output.parameter);
        if (output.optional) {
          w.key("optional");
          w.boolean(true);
        }
      } else {
        w.key("valueFrom");
        w.beginMap();
        w.entry(output.parameter.empty() ? "expression" : "parameter",
                output.parameter.empty() ? output.expression : output.parameter);
        w.endMap();
      }
      w.endMap();
    }
    if (!first) w.endList();
  }
  w.endMap();
}

void Emitter::writeDag(const std::string& name, const std::vector<Input>& inputs,
                       std::string_view tasks, const std::vector<Output>& outputs) {
  template_([&](YamlWriter& w) {
    w.beginMap();
    w.entry("name", name);
    writeInputs(w, inputs);
    writeOutputs(w, outputs);
    w.key("dag");
    w.beginMap();
    w.key("failFast");
    w.boolean(false);
    w.key("tasks");
    w.raw(tasks);
    w.endMap();
    w.endMap();
  });
}

void Emitter::resultOutputs(Scope& scope, const Result& result, std::vector<Output>& out) {
  const auto parameter = [&](std::string name, const Text& text) {
    Output output;
    output.name = std::move(name);
    if (result.wrapped) {
      output.expression = "toJson(" + text.asExpr() + ")";
    } else if (const Ref* single = text.single()) {
      output.parameter = "{{" + single->dotted() + "}}";
    } else {
      output.expression = text.asExpr();
    }
    out.push_back(std::move(output));
  };
  for (const Leaf& leaf : leavesOf(result.type)) {
    std::string name = joined(result.name, leaf.path);
    if (!leaf.artifact) {
      parameter(std::move(name), text(scope, result.node, leaf.path));
      continue;
    }
    if (result.wrapped) continue;  // collected by their keys
    const auto file = artifact(scope, result.node, leaf.path, node(result.node).span);
    if (!file) continue;
    if (!file->from) {
      if (file->raw) {
        unsupported(node(result.node).span, "a constant file as a result",
                    "give it to the step that uses it");
      }
      continue;
    }
    out.push_back({std::move(name),
                   true,
                   leaf.optional || file->optional,
                   {},
                   "{{" + file->from->dotted() + "}}"});
  }
  if (result.wrapped && module_.types.kind(result.type) == TypeKind::Record &&
      !holdsFiles(result.type)) {
    parameter(result.name, text(scope, result.node, {}));
  }
}

void Emitter::writeRegion(Scope& scope, ir::RegionId region, const std::vector<Input>& extra,
                          const std::vector<Result>& results) {
  std::vector<std::string>* const outerDeps = deps_;
  const std::uint32_t outerStamp = stampNow_;
  deps_ = nullptr;
  std::string tasks;
  if (++regionDepth_ > kMaxRegionDepth) {
    unsupported(node(module_.at(region).owner).span, "control flow nested this deep",
                "make a workflow of a part of it");
  } else {
    YamlWriter w([&tasks](std::string_view t) { tasks += t; }, 3);
    w.beginList();
    writeTasks(scope, region, w);
    w.endList();
    w.flush();
    std::vector<Output> outputs;
    for (const Result& result : results) resultOutputs(scope, result, outputs);
    std::vector<Input> inputs = extra;
    for (Input& input : inputsOf(scope)) inputs.push_back(std::move(input));
    writeDag(scope.templateName, inputs, tasks, outputs);
  }
  --regionDepth_;
  deps_ = outerDeps;
  stampNow_ = outerStamp;
}

void Emitter::giveArgument(Scope& scope, TaskCall& call, const Leaf& leaf, const std::string& name,
                           ir::NodeId value, Span at) {
  if (!leaf.artifact) {
    call.parameters.emplace_back(name, text(scope, value, leaf.path).asTag());
    return;
  }
  auto file = artifact(scope, value, leaf.path, at);
  if (!file || (!file->from && !file->raw && !file->key)) return;
  file->name = name;
  file->optional = file->optional || leaf.optional;
  call.artifacts.push_back(std::move(*file));
}

void Emitter::giveCaptures(Scope& outer, const Scope& inner, TaskCall& call) {
  for (const Capture& capture : inner.captures) {
    giveArgument(outer, call, {capture.path, capture.type, capture.artifact, capture.optional},
                 capture.name, capture.node, node(capture.node).span);
  }
  for (const ir::NodeId before : inner.orderCaptures) dependOnOrder(outer, before);
}

void Emitter::passInputs(const std::vector<Capture>& captures, TaskCall& call) {
  for (const Capture& capture : captures) {
    if (!capture.artifact) {
      call.parameters.emplace_back(capture.name, parameterTag(capture.name));
    } else {
      ArtifactArg arg;
      arg.name = capture.name;
      arg.from = Ref{{}, capture.name, true, Encoding::Json};
      arg.optional = capture.optional;
      call.artifacts.push_back(std::move(arg));
    }
  }
}

void Emitter::dependOnOrder(Scope& scope, ir::NodeId first) {
  std::vector<ir::NodeId> todo = {first};
  std::map<ir::NodeId, bool> seen;
  while (!todo.empty()) {
    const ir::NodeId id = todo.back();
    todo.pop_back();
    if (seen[id]) continue;
    seen[id] = true;
    const ir::Node& n = node(id);
    if (std::holds_alternative<ir::Op>(n.payload) || std::holds_alternative<ir::Field>(n.payload)) {
      for (const ir::NodeId operand : module_.operands(n)) todo.push_back(operand);
      continue;
    }
    if (std::holds_alternative<ir::Param>(n.payload) ||
        std::holds_alternative<ir::Const>(n.payload))
      continue;
    if (scopeOf_[n.region.index()] == &scope) {
      dependOn(scope, id);
    } else {
      scope.orderCaptures.push_back(id);
    }
  }
}

void Emitter::writeTasks(Scope& scope, ir::RegionId region, YamlWriter& w) {
  for (const ir::NodeId id : module_.at(region).nodes) writeNode(scope, id, w);
}

void Emitter::writeNode(Scope& scope, ir::NodeId id, YamlWriter& w) {
  const ir::Node& n = node(id);
  void (Emitter::*make)(Scope&, ir::NodeId, TaskCall&) = nullptr;
  std::visit(ir::Overloaded{
                 [](std::monostate) {},
                 [](const ir::Const&) {},
                 [](const ir::Param&) {},
                 [](const ir::Op&) {},
                 [](const ir::Field&) {},
                 [&](const ir::Step&) { make = &Emitter::stepCall; },
                 [&](const ir::Call& call) {
                   if (module_.at(call.callee).kind == ir::FuncKind::Workflow) {
                     make = &Emitter::funcCall;
                   } else {
                     unsupported(n.span, "a call of a function", "run the pass `inline` first");
                   }
                 },
                 [&](const ir::For& f) {
                   if (hasSteps(f.body)) make = &Emitter::forCall;
                 },
                 [&](const ir::If& f) {
                   if (hasSteps(f.then) || (f.otherwise.valid() && hasSteps(f.otherwise))) {
                     make = &Emitter::ifCall;
                   }
                 },
                 [&](const ir::Loop& l) {
                   if (hasSteps(l.body)) {
                     make = &Emitter::loopCall;
                   } else {
                     unsupported(n.span, "a loop without steps in it", "put it into a task");
                   }
                 },
                 [](const ir::Rows&) {},  // only in plans, which are steps here
                 [&](const ir::Try& t) {
                   if (hasSteps(t.body)) {
                     make = &Emitter::tryCall;
                   } else {
                     unsupported(n.span, "a `try` without steps in it", "leave `try` out");
                   }
                 },
             },
             n.payload);
  if (make == nullptr) return;
  TaskCall call;
  call.name = scope.taskNames.unique(label(id));
  stampNow_ = ++stamps_;
  deps_ = &call.dependencies;
  (this->*make)(scope, id, call);
  for (const ir::NodeId before : module_.order(n)) dependOnOrder(scope, before);
  deps_ = nullptr;
  taskName_[id.index()] = static_cast<std::uint32_t>(names_.size());
  names_.push_back(call.name);
  writeTask(w, call);
}

std::string Emitter::baseName(ir::NodeId from, Path path, std::string_view fallback) const {
  const ir::NodeId id = base(from, path);
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
    call.parameters.emplace_back(param.name, safeJson(paths + "]"));
    return true;
  }
  if (const ir::Value* constant = module_.constant(id)) {
    if (constant->as<ir::ListValue>() != nullptr && constant->items().empty()) {
      shape.lists[index] = Shape::List::Each;
      call.parameters.emplace_back(param.name, "[]");
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
                            exprString("/" + names_[taskName_[id.index()]] + "/");
  call.parameters.emplace_back(
      param.name, exprTag(fmt::format("sprig.replace({}, {}, {})", start,
                                      exprString(fmt::format("{}/{}/", kInputFolder, param.name)),
                                      keys->asExpr())));
  call.artifacts.push_back(std::move(folder));
  return true;
}

void Emitter::stepCall(Scope& scope, ir::NodeId id, TaskCall& call) {
  const ir::Node& n = node(id);
  const ir::TaskId taskId = std::get<ir::Step>(n.payload).task;
  const ir::TaskDef& task = module_.at(taskId);
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
      call.parameters.emplace_back(param.name, text(scope, operands[i], {}).asTag());
    }
  }
  const bool filesOut =
      std::any_of(task.outputs.begin(), task.outputs.end(),
                  [](const ir::OutputDef& o) { return o.from == ir::OutputFrom::Path; });
  shape.keyed = scope.fileItems && filesOut;
  const Container& made = container(taskId, shape, baseNames);
  call.templateName = made.name;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!baseNames[i].empty() && baseNames[i] != made.baseNames[i]) {
      call.parameters.emplace_back(task.params[i].name + "-name", baseNames[i]);
    }
  }
  if (shape.keyed) {
    call.parameters.emplace_back(
        "key", fmt::format("{}/{}/{}", parameterTag("folder"), parameterTag("index"), call.name));
  }
}

void Emitter::funcCall(Scope& scope, ir::NodeId id, TaskCall& call) {
  const ir::Node& n = node(id);
  const ir::FuncId funcId = std::get<ir::Call>(n.payload).callee;
  const ir::FuncDef& func = module_.at(funcId);
  const auto operands = module_.operands(n);
  call.templateName = functionTemplate(funcId);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    for (const Leaf& leaf : leavesOf(func.params[i].type)) {
      giveArgument(scope, call, leaf, joined(func.params[i].name, leaf.path), operands[i], n.span);
    }
  }
  if (func.finally.valid() && hasSteps(func.finally)) {
    call.exitTemplate = call.templateName + "-exit";
    call.exitParameters = call.parameters;
    call.exitParameters.emplace_back("status", fmt::format("{{{{tasks.{}.status}}}}", call.name));
    if (!call.artifacts.empty()) {
      unsupported(n.span, "`finally` of a called workflow that takes files",
                  "move `finally` to the workflow that is run");
    }
  }
}

void Emitter::ifCall(Scope& scope, ir::NodeId id, TaskCall& call) {
  const ir::Node& n = node(id);
  const auto& branch = std::get<ir::If>(n.payload);
  Scope& wrapper = childScope(scope, {}, call.name);
  const std::string condition = expr(scope, module_.operands(n)[0]);
  call.parameters.emplace_back("condition", exprTag("toJson(" + condition + ")"));
  static_cast<void>(wrapper.inputNames.unique("condition"));

  struct Side {
    ir::RegionId region;
    std::string_view task;
    std::string_view when;
    bool steps;
  };
  const bool otherwiseSteps = branch.otherwise.valid() && hasSteps(branch.otherwise);
  const Side sides[] = {
      {branch.then, "then", "{{inputs.parameters.condition}} == true", hasSteps(branch.then)},
      {branch.otherwise, "otherwise", "{{inputs.parameters.condition}} == false", otherwiseSteps}};
  const bool used = used_[id.index()];
  std::string tasks;
  YamlWriter w([&tasks](std::string_view t) { tasks += t; }, 3);
  w.beginList();
  for (const Side& side : sides) {
    if (!side.region.valid()) continue;
    if (!side.steps) {
      adopt(wrapper, side.region);
      continue;
    }
    Scope& child = childScope(wrapper, side.region, fmt::format("{}-{}", call.name, side.task));
    child.fileItems = false;
    std::vector<Result> results;
    if (used) results.push_back({module_.at(side.region).results[0], n.type, "value", false});
    writeRegion(child, side.region, {}, results);
    TaskCall inner;
    inner.name = side.task;
    inner.templateName = child.templateName;
    inner.when = side.when;
    giveCaptures(wrapper, child, inner);
    writeTask(w, inner);
  }
  w.endList();
  w.flush();

  std::vector<Output> outputs;
  if (used) {
    for (const Leaf& leaf : leavesOf(n.type)) {
      Output output;
      output.name = joined("value", leaf.path);
      output.artifact = leaf.artifact;
      output.optional = leaf.optional;
      const auto value = [&](const Side& side) -> std::string {
        const Ref made{std::string(side.task), output.name, leaf.artifact, Encoding::Json};
        if (!side.region.valid()) return leaf.artifact ? std::string() : "\"null\"";
        if (side.steps) return made.indexed();
        const ir::NodeId result = module_.at(side.region).results[0];
        if (!leaf.artifact) return text(wrapper, result, leaf.path).asExpr();
        const auto file = artifact(wrapper, result, leaf.path, n.span);
        return file && file->from ? file->from->indexed() : std::string();
      };
      const std::string yes = value(sides[0]);
      const std::string no = value(sides[1]);
      if (leaf.artifact && (yes.empty() || no.empty())) {
        output.optional = true;
        if (yes.empty() && no.empty()) continue;
        const Side& only = yes.empty() ? sides[1] : sides[0];
        if (!only.steps) {
          unsupported(n.span, "a file that only one branch gives and no step makes",
                      "make it in a step");
          continue;
        }
        output.parameter =
            "{{" + Ref{std::string(only.task), output.name, true, Encoding::Json}.dotted() + "}}";
      } else {
        output.expression =
            fmt::format("inputs.parameters['condition'] == \"true\" ? {} : {}", yes, no);
      }
      outputs.push_back(std::move(output));
    }
  }
  std::vector<Input> inputs = {{"condition", false, false, std::nullopt, std::nullopt}};
  for (Input& input : inputsOf(wrapper)) inputs.push_back(std::move(input));
  writeDag(wrapper.templateName, inputs, tasks, outputs);
  call.templateName = wrapper.templateName;
  giveCaptures(scope, wrapper, call);
}

void Emitter::tryCall(Scope& scope, ir::NodeId id, TaskCall& call) {
  const ir::Node& n = node(id);
  const ir::RegionId region = std::get<ir::Try>(n.payload).body;
  Scope& wrapper = childScope(scope, {}, call.name);
  Scope& child = childScope(wrapper, region, call.name + "-body");
  std::vector<Result> results;
  if (used_[id.index()]) results.push_back({module_.at(region).results[0], n.type, "value", false});
  writeRegion(child, region, {}, results);
  std::string tasks;
  YamlWriter w([&tasks](std::string_view t) { tasks += t; }, 3);
  w.beginList();
  TaskCall inner;
  inner.name = "body";
  inner.templateName = child.templateName;
  inner.continueOn = true;
  giveCaptures(wrapper, child, inner);
  writeTask(w, inner);
  w.endList();
  w.flush();
  std::vector<Output> outputs;
  if (used_[id.index()]) {
    for (const Leaf& leaf : leavesOf(n.type)) {
      Output output;
      output.name = joined("value", leaf.path);
      output.artifact = leaf.artifact;
      const Ref made{"body", output.name, leaf.artifact, Encoding::Json};
      if (leaf.artifact) {
        output.optional = true;
        output.parameter = "{{" + made.dotted() + "}}";
      } else {
        output.expression =
            fmt::format("tasks['body'].status == \"Succeeded\" ? {} : \"null\"", made.indexed());
      }
      outputs.push_back(std::move(output));
    }
  }
  writeDag(wrapper.templateName, inputsOf(wrapper), tasks, outputs);
  call.templateName = wrapper.templateName;
  giveCaptures(scope, wrapper, call);
}

}  // namespace couler::backends::argo

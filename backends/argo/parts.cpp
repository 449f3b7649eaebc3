#include <algorithm>

#include <fmt/format.h>

#include "backends/argo/emitter.h"
#include "support/hash.h"

// Groups are templates of the workflow that they are in. Parts are workflows of their own, each a
// WorkflowTemplate that a task of the parent submits and waits for. What a part gives leaves it as
// a few global outputs, each an object of JSON texts by name; the parent passes these on as they
// are.
namespace couler::backends::argo {
namespace {

using ir::TypeKind;

bool isChunk(const Path& path) { return path.size() == 1 && path[0].starts_with("values-"); }

/// What a task of the parent submits. Each value is a JSON string once Argo has filled it in, which
/// is YAML as it stands, whatever is in it.
std::string submission(std::string_view name, std::string_view ofTemplate,
                       const std::vector<std::string>& inputs) {
  std::string out = fmt::format(
      "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata:\n  generateName: {}-\nspec:\n"
      "  workflowTemplateRef:\n    name: {}\n",
      name, ofTemplate);
  if (!inputs.empty()) out += "  arguments:\n    parameters:\n";
  for (const std::string& input : inputs) {
    out += "    - name: ";
    appendYamlScalar(out, input);
    out += fmt::format("\n      value: {}\n",
                       exprTag(fmt::format("toJson(inputs.parameters[{}])", exprString(input))));
  }
  return out;
}

}  // namespace

std::string chunkName(std::size_t chunk) { return fmt::format("values-{}", chunk + 1); }

void Emitter::findParts() {
  partOf_.assign(module_.regions.size(), {});
  keyed_.assign(module_.nodes.size(), false);
  bool any = false;
  for (std::size_t i = 0; i < module_.funcs.size(); ++i) {
    if (module_.funcs[i].outlined == ir::Outlined::No) continue;
    any = true;
    partOf_[module_.funcs[i].body.index()] = ir::FuncId{i};
  }
  if (!any) return;
  const auto mark = [&](ir::NodeId value) {
    if (!isFileKind(kindOf(node(value).type))) return;
    Path path;
    const ir::NodeId maker = fileMaker(value, path);
    if (module_.payload<ir::Step>(maker) != nullptr) keyed_[maker.index()] = true;
  };
  const auto calleeOf = [&](ir::NodeId id) {
    const auto* call = module_.payload<ir::Call>(id);
    const bool is = call != nullptr && module_.at(call->callee).outlined != ir::Outlined::No;
    return is ? call->callee : ir::FuncId();
  };
  for (std::size_t i = 0; i < module_.nodes.size(); ++i) {
    if (const ir::FuncId callee = calleeOf(ir::NodeId{i}); callee.valid())
      parts_[callee].call = ir::NodeId{i};
  }
  /// The part whose whole result that is, by whatever bodies it came through.
  const auto sourceOf = [&](ir::NodeId id) {
    for (;;) {
      const auto* param = module_.payload<ir::Param>(id);
      if (param == nullptr) return calleeOf(id);
      const ir::FuncId around = partOf_[node(id).region.index()];
      if (!around.valid()) return around;
      id = module_.operands(node(parts_.at(around).call))[param->index];
    }
  };
  for (auto& [callee, part] : parts_) {
    const ir::NodeId id = part.call;
    const bool isGroup = module_.at(callee).outlined == ir::Outlined::Group;
    for (const ir::NodeId operand : module_.operands(node(id))) {
      part.sources.push_back(sourceOf(operand));
      if (!isGroup) mark(operand);
    }
    const ir::NodeId record = module_.at(module_.at(callee).body).results[0];
    const std::vector<ir::TypeField>& fields = module_.types[module_.at(callee).result].fields;
    std::size_t full = kValuesAtOnce;
    for (const ir::NodeId value : module_.operands(node(record))) {
      if (isGroup && isFileKind(kindOf(node(value).type))) {
        part.fields.emplace(fields[part.chunk.size()].name, part.chunk.size());
        part.chunk.push_back(kNoChunk);
        continue;
      }
      if (!isGroup) mark(value);
      const auto* op = module_.payload<ir::Op>(value);
      const bool isList = op != nullptr && op->op == ir::Builtin::MakeList;
      const std::size_t values = isList ? std::max<std::size_t>(node(value).operandCount, 1) : 1;
      if (full + values > kValuesAtOnce) {
        ++part.chunks;
        full = 0;
      }
      full += values;
      part.fields.emplace(fields[part.chunk.size()].name, part.chunk.size());
      part.chunk.push_back(part.chunks - 1);
    }
  }
}

bool Emitter::isPacked(ir::NodeId id) const {
  if (parts_.empty()) return false;
  const ir::Node& n = node(id);
  if (const auto* call = std::get_if<ir::Call>(&n.payload)) {
    return module_.at(call->callee).outlined != ir::Outlined::No;
  }
  const auto* param = std::get_if<ir::Param>(&n.payload);
  const ir::FuncId around = param == nullptr ? ir::FuncId() : partOf_[n.region.index()];
  if (!around.valid()) return false;
  return module_.at(around).outlined == ir::Outlined::Part ||
         parts_.at(around).sources[param->index].valid();
}

ir::FuncId Emitter::bundle(ir::NodeId id) const {
  const ir::Node& n = node(id);
  const auto* param = std::get_if<ir::Param>(&n.payload);
  if (param == nullptr) return std::get<ir::Call>(n.payload).callee;
  return parts_.at(partOf_[n.region.index()]).sources[param->index];
}

ir::TypeId Emitter::bundleField(ir::FuncId part, const std::string& name) const {
  return module_.types[module_.at(part).result].fields[parts_.at(part).fields.at(name)].type;
}

std::optional<Text> Emitter::joinedLists(Scope& scope, std::span<const ir::NodeId> lists) {
  const auto itemsOf = [&](ir::NodeId id) {
    const auto* op = module_.payload<ir::Op>(id);
    return op != nullptr && op->op == ir::Builtin::MakeList ? module_.operands(node(id))
                                                            : std::span<const ir::NodeId>();
  };
  Text out = Text::literal("[");
  for (std::size_t i = 0; i < lists.size(); ++i) {
    Path path;
    if (itemsOf(origin(lists[i], path)).empty() || !path.empty()) return std::nullopt;
    if (i != 0) out.add(",");
    const ir::NodeId id = base(lists[i], path);
    const auto items = itemsOf(id);
    for (std::size_t k = 0; k < items.size(); ++k) {
      if (k != 0) out.add(",");
      out.add(text(scope, items[k], {}));
    }
    if (!items.empty()) continue;
    out.add(Text::expression(fmt::format("sprig.trimPrefix(\"[\", sprig.trimSuffix(\"]\", {}))",
                                         packedText(scope, id, path).asExpr())));
  }
  return out.add("]");
}

ir::NodeId Emitter::origin(ir::NodeId from, Path& path) const {
  ir::NodeId id = base(from, path);
  while (isPacked(id)) {
    const ir::Node& n = node(id);
    if (const auto* param = std::get_if<ir::Param>(&n.payload)) {
      const ir::NodeId call = parts_.at(partOf_[n.region.index()]).call;
      id = base(module_.operands(node(call))[param->index], path);
      continue;
    }
    if (path.empty()) return id;
    id = base(module_.at(module_.at(std::get<ir::Call>(n.payload).callee).body).results[0], path);
  }
  return id;
}

ir::NodeId Emitter::fileMaker(ir::NodeId value, Path& path) const {
  ir::NodeId id = base(value, path);
  for (;;) {
    const auto* call = module_.payload<ir::Call>(id);
    if (call == nullptr || path.empty()) return id;
    const ir::FuncDef& callee = module_.at(call->callee);
    if (callee.outlined != ir::Outlined::Group) return id;
    id = base(module_.at(callee.body).results[0], path);
  }
}

std::string Emitter::runFolder() const {
  const std::string prefix = settings_.artifacts ? settings_.artifacts->keyPrefix : "";
  return prefix + (prefix.empty() ? "" : "/") + "{{workflow.uid}}";
}

std::string Emitter::filePlace(ir::NodeId step, std::string_view name) const {
  const ir::TaskDef& task = module_.at(std::get<ir::Step>(node(step).payload).task);
  for (const ir::OutputDef& output : task.outputs) {
    if (output.name != name) continue;
    const bool folder = module_.types.kind(output.type) == TypeKind::Dir;
    const Scope& home = *scopeOf_[node(step).region.index()];
    return fmt::format("{}/{}/{}/{}{}", home.place, names_[taskName_[step.index()]], output.name,
                       output.path.empty() ? output.name : output.path, folder ? ".tgz" : "");
  }
  return {};
}

/// An expression for the text of a field of a bundle, by the output that it is in.
std::string Emitter::packedKey(Scope& scope, ir::NodeId id, const Path& path) {
  const auto where = place(id, path);
  const auto ref = where ? reference(scope, id, *where) : std::nullopt;
  if (!ref) return "\"\"";
  if (path.empty()) return "{{" + ref->dotted() + "}}";
  return exprTag(fmt::format("fromJSON({})[{}]", ref->indexed(), exprString(path[0])));
}

Text Emitter::packedText(Scope& scope, ir::NodeId id, const Path& path) {
  const auto where = place(id, path);
  const auto ref = where ? reference(scope, id, *where) : std::nullopt;
  if (!ref) {
    unsupported(node(id).span, "all that a part gives as one value", "take a field of it");
    return Text::literal("null");
  }
  if (path.empty() || isChunk(path)) return Text::ref(*ref);
  if (bundle(id).valid() && path.size() == 1) {
    return Text::expression(fmt::format("fromJSON({})[{}]", ref->indexed(), exprString(path[0])));
  }
  return Text::expression(encode(packedExpr(scope, id, path), where->restType));
}

std::string Emitter::packedExpr(Scope& scope, ir::NodeId id, const Path& path) {
  const auto where = place(id, path);
  const auto ref = where && !where->artifact ? reference(scope, id, *where) : std::nullopt;
  const ir::FuncId from = bundle(id);
  if (!ref || (from.valid() && path.empty())) {
    refuse<Diag::BackendExpression>(node(id).span, "put it into a task", "argo", "this");
    return "nil";
  }
  if (!from.valid()) return members(decode(*ref, node(id).type), node(id).type, path);
  const ir::TypeId type = bundleField(from, path[0]);
  const std::string text = fmt::format("fromJSON({})[{}]", ref->indexed(), exprString(path[0]));
  return members(decode(text, type), type, std::span(path).subspan(1));
}

std::vector<std::string> Emitter::partInputs(ir::FuncId id) const {
  const ir::FuncDef& func = module_.at(id);
  const PartFacts& part = parts_.at(id);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < func.params.size(); ++i) {
    if (!part.sources[i].valid()) {
      names.push_back(func.params[i].name);
      continue;
    }
    for (std::size_t k = 0; k < parts_.at(part.sources[i]).chunks; ++k) {
      names.push_back(fmt::format("{}-{}", func.params[i].name, chunkName(k)));
    }
  }
  return names;
}

std::vector<Emitter::Output> Emitter::partOutputs(Scope& scope, ir::FuncId funcId) {
  std::vector<Output> out;
  const ir::FuncDef& func = module_.at(funcId);
  const auto values = module_.operands(node(module_.at(func.body).results[0]));
  const std::vector<ir::TypeField>& fields = module_.types[func.result].fields;
  const PartFacts& part = parts_.at(funcId);
  const bool isPart = func.outlined == ir::Outlined::Part;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (part.chunk[i] == kNoChunk) continue;
    const bool first = part.chunk[i] == out.size();
    if (first) {
      if (!out.empty()) out.back().expression += "})";
      out.push_back({chunkName(out.size()), false, false, "toJson({", {}, isPart});
    }
    std::string value;
    if (isFileKind(kindOf(fields[i].type))) {
      Path path;
      const ir::NodeId maker = fileMaker(values[i], path);
      if (!settings_.artifacts) refuseFiles(node(maker).span);
      value = fmt::format("inputs.parameters[\"{}\"] + ", kFolder) +
              exprString(filePlace(maker, path.front()));
    } else {
      value = text(scope, values[i], {}).asExpr();
    }
    out.back().expression +=
        fmt::format("{}{}: {}", first ? "" : ", ", exprString(fields[i].name), value);
  }
  if (!out.empty()) out.back().expression += "})";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (part.chunk[i] != kNoChunk) continue;
    const auto file = artifact(scope, values[i], {}, func.span);
    if (!file || !file->from) continue;
    out.push_back({fields[i].name, true, file->optional, {}, "{{" + file->from->dotted() + "}}"});
  }
  return out;
}

std::vector<Emitter::Input> Emitter::groupInputs(ir::FuncId id) const {
  const ir::FuncDef& func = module_.at(id);
  const PartFacts& group = parts_.at(id);
  std::vector<Input> inputs;
  for (std::size_t i = 0; i < func.params.size(); ++i) {
    const std::string& name = func.params[i].name;
    const std::size_t chunks = group.sources[i].valid() ? parts_.at(group.sources[i]).chunks : 0;
    for (std::size_t k = 0; k < chunks; ++k) {
      inputs.push_back({fmt::format("{}-{}", name, chunkName(k)), false, false, {}, {}});
    }
    if (group.sources[i].valid()) continue;
    for (const Leaf& leaf : leavesOf(func.params[i].type)) {
      inputs.push_back({joined(name, leaf.path), leaf.artifact, leaf.optional, {}, {}});
    }
  }
  return inputs;
}

void Emitter::refuseFiles(Span at) {
  refuse<Diag::BackendNeedsArtifacts>(at, "add `artifacts: s3(bucket: \"…\")` to the target",
                                      "a file that goes from one part of the workflow to another",
                                      "argo");
}

void Emitter::giveBundle(Scope& scope, ir::NodeId value, const std::string& param, TaskCall& call) {
  for (std::size_t k = 0; k < parts_.at(bundle(value)).chunks; ++k) {
    call.parameters.add(fmt::format("{}-{}", param, chunkName(k)),
                        packedText(scope, value, {chunkName(k)}).asTag());
  }
}

void Emitter::partCall(Scope& scope, ir::NodeId id, TaskCall& call) {
  const ir::FuncId funcId = std::get<ir::Call>(node(id).payload).callee;
  const ir::FuncDef& func = module_.at(funcId);
  PartFacts& part = parts_.at(funcId);
  const auto operands = module_.operands(node(id));
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const ir::ParamDef& param = func.params[i];
    if (part.sources[i].valid()) {
      giveBundle(scope, operands[i], param.name, call);
      continue;
    }
    if (!isFileKind(kindOf(param.type))) {
      call.parameters.add(param.name, text(scope, operands[i], {}).asTag());
      continue;
    }
    if (!settings_.artifacts) refuseFiles(node(operands[i]).span);
    Path path;
    const ir::NodeId maker = base(operands[i], path);
    if (module_.payload<ir::Step>(maker) != nullptr) {
      dependOn(scope, maker);
      call.parameters.add(param.name, runFolder() + filePlace(maker, path.front()));
    } else {  // an input of the workflow: its key below the prefix
      const std::string prefix = settings_.artifacts ? settings_.artifacts->keyPrefix : "";
      call.parameters.add(param.name,
                          fmt::format("{}{}{{{{workflow.parameters.{}}}}}", prefix,
                                      prefix.empty() ? "" : "/", joined(label(maker), path)));
    }
  }
  if (part.runner.empty()) part.runner = writeRunner(funcId);
  call.templateName = part.runner;
}

/// The template of the parent that submits a part, waits for it, and takes its outputs.
std::string Emitter::writeRunner(ir::FuncId funcId) {
  const ir::FuncDef& func = module_.at(funcId);
  const PartFacts& part = parts_.at(funcId);
  const std::string name(templateNames_.unique(func.name));
  const std::vector<std::string> inputs = partInputs(funcId);
  template_([&](YamlWriter& w) {
    w.beginMap();
    w.entry("name", name);
    std::vector<Input> declared;
    for (const std::string& input : inputs) {
      declared.push_back({input, false, false, std::nullopt, std::nullopt});
    }
    writeInputs(w, declared);
    if (part.chunks != 0) {
      w.key("outputs");
      w.beginMap();
      w.key("parameters");
      w.beginList();
      for (std::size_t k = 0; k < part.chunks; ++k) {
        w.beginMap();
        w.entry("name", chunkName(k));
        w.key("valueFrom");
        w.beginMap();
        w.entry("jsonPath",
                fmt::format("{{.status.outputs.parameters[?(@.name==\"{}\")].value}}", chunkName(k)));
        w.endMap();
        w.endMap();
      }
      w.endList();
      w.endMap();
    }
    w.key("resource");
    w.beginMap();
    w.entry("action", "create");
    w.key("setOwnerReference");
    w.boolean(true);
    w.entry("successCondition", "status.phase == Succeeded");
    w.entry("failureCondition", "status.phase in (Failed, Error)");
    w.entry("manifest", submission(name, part.name, inputs));
    w.endMap();
    w.endMap();
  });
  return name;
}

void Emitter::beginDocument() {
  templateNames_ = NameTable(50);
  containers_.clear();
  for (TaskFacts& facts : taskFacts_) facts.plain = nullptr;
  functions_.assign(module_.funcs.size(), std::string());
  functionQueue_.clear();
  rest_.clear();
  shared_.clear();
  templates_ = 0;
  bytes_ = 0;
}

/// The entry of a part is a DAG of one task, its steps: Argo takes global outputs from a DAG's tasks.
void Emitter::writePart(ir::FuncId funcId) {
  beginDocument();
  const ir::FuncDef& func = module_.at(funcId);
  const std::vector<std::string> inputs = partInputs(funcId);
  const std::string name(templateNames_.unique(func.name));
  const std::string start(templateNames_.unique("start"));
  scopes_.push_back(std::make_unique<Scope>());
  Scope& scope = *scopes_.back();
  scope.templateName = name;
  scope.isEntry = true;
  scope.isPart = true;
  adopt(scope, func.body);
  std::vector<Input> declared;
  for (const std::string& input : inputs) {
    static_cast<void>(scope.inputNames.unique(input));
    declared.push_back({input, false, false, std::nullopt, std::nullopt});
  }
  const bool keyed = std::any_of(module_.at(func.body).nodes.begin(), module_.at(func.body).nodes.end(),
                                 [&](ir::NodeId id) { return keyed_[id.index()]; });
  if (keyed) declared.push_back({std::string(kFolder), false, false, std::nullopt, std::nullopt});

  std::string tasks;
  {
    YamlWriter w([&tasks](std::string_view t) { tasks += t; }, 3);
    w.beginList();
    writeTasks(scope, func.body, w);
    w.endList();
  }
  const std::vector<Output> outputs = partOutputs(scope, funcId);
  for (std::size_t i = 0; i < functionQueue_.size(); ++i) writeFunction(functionQueue_[i]);
  std::string inner;
  std::swap(inner, rest_);
  writeDag(name, declared, tasks, outputs, false);

  std::string spec;
  YamlWriter w([&spec](std::string_view t) { spec += t; }, 0);
  w.beginMap();
  w.key("spec");
  w.beginMap();
  w.entry("entrypoint", start);
  writeSettings(w, true);
  if (!inputs.empty()) {
    w.key("arguments");
    w.beginMap();
    w.key("parameters");
    w.beginList();
    for (const std::string& input : inputs) {
      w.beginMap();
      w.entry("name", input);
      w.endMap();
    }
    w.endList();
    w.endMap();
  }
  w.key("templates");
  w.beginList();
  ++templates_;
  w.beginMap();
  w.entry("name", start);
  w.key("dag");
  w.beginMap();
  w.key("tasks");
  w.beginList();
  TaskCall call;
  call.name = "steps";
  call.templateName = name;
  for (const std::string& input : inputs) {
    call.parameters.add(input, fmt::format("{{{{workflow.parameters.{}}}}}", input));
  }
  if (keyed) call.parameters.add(kFolder, runFolder());
  writeTask(w, call);
  w.endList();
  w.endMap();
  w.endMap();
  w.raw(rest_);
  w.raw(inner);
  w.endList();
  w.endMap();
  w.endMap();
  w.flush();

  // Another content, another name: a run goes on with the parts that it began with.
  std::string& own = parts_.at(funcId).name;
  own = fmt::format("{}-{}", settings_.name.empty() ? name : settings_.name + "-" + name,
                    hashText(spec).hex().substr(0, 10));
  std::string head;
  YamlWriter h([&head](std::string_view t) { head += t; });
  h.beginMap();
  writeHead(h, "WorkflowTemplate", own);
  h.endMap();
  h.flush();
  out_(head);
  out_(spec);
  out_("---\n");
  endDocument(funcId, head.size() + spec.size());
}

}  // namespace couler::backends::argo

#include <algorithm>

#include <fmt/format.h>

#include "backends/argo/argo.h"
#include "backends/argo/emitter.h"
#include "support/text.h"

namespace couler::backends::argo {
namespace {

using ir::TypeKind;

constexpr std::size_t kMaxRegionDepth = 64;

}  // namespace

std::string Emitter::label(ir::NodeId id) const {
  const ir::Node& n = node(id);
  if (n.name.valid()) return std::string(module_.at(n.name));
  if (const auto* param = std::get_if<ir::Param>(&n.payload))
    return fmt::format("p{}", param->index);
  if (std::holds_alternative<ir::Const>(n.payload)) return "const";
  if (std::holds_alternative<ir::Op>(n.payload)) return "value";
  return std::string(nameOf(module_, id));
}

void Emitter::findTaskFacts() {
  taskFacts_.resize(module_.tasks.size());
  for (std::size_t i = 0; i < taskFacts_.size(); ++i) {
    const ir::TaskDef& task = module_.tasks[i];
    taskFacts_[i].filesIn =
        std::any_of(task.params.begin(), task.params.end(),
                    [&](const ir::ParamDef& param) { return holdsFiles(param.type); });
    taskFacts_[i].filesOut =
        std::any_of(task.outputs.begin(), task.outputs.end(),
                    [](const ir::OutputDef& o) { return o.from == ir::OutputFrom::Path; });
  }
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

Scope& Emitter::childScope(Scope& parent, ir::NodeId owner, ir::RegionId region,
                           std::string_view name, std::string_view task) {
  scopes_.push_back(std::make_unique<Scope>());
  Scope& child = *scopes_.back();
  child.parent = &parent;
  child.nesting = parent.nesting + 1;
  child.once = parent.once;
  child.templateName = templateNames_.unique(name);
  child.task = task;
  child.place = fmt::format("{}/{}", parent.place, task);
  child.unrolled = isUnrolled(nameOf(module_, owner));
  if (region.valid()) adopt(child, region);
  return child;
}

std::string Emitter::templateName(ir::NodeId id, const TaskCall& call,
                                  std::string_view kind) const {
  const std::string_view name = nameOf(module_, id);
  return isUnrolled(name) ? fmt::format("{}-{}", lastPart(name), kind) : call.name;
}

std::vector<Emitter::Input> Emitter::inputsOf(const Scope& scope) const {
  std::vector<Input> out;
  if (scope.folder) out.push_back({std::string(kFolder), false, false, std::nullopt, std::nullopt});
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
      if (input.optional && artifacts) {  // a parameter that is missing is `null`
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
      if (output.global) w.entry("globalName", output.name);
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

std::string Emitter::writeDag(const std::string& name, const std::vector<Input>& inputs,
                              std::string_view tasks, const std::vector<Output>& outputs,
                              bool share) {
  checkCount(module_.at(module_.entry).span, fmt::format("template `{}`", name),
             std::count_if(inputs.begin(), inputs.end(),
                           [](const Input& input) { return !input.artifact; }),
             "parameter", kLimits.inputs);
  const std::size_t begin = rest_.size();
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
  if (!share) return name;
  const std::string_view made = std::string_view(rest_).substr(begin);
  const auto [known, isNew] = shared_.try_emplace(hashText(made.substr(made.find('\n'))), name);
  if (isNew) return name;
  rest_.resize(begin);  // all but its name is there already
  --templates_;
  return known->second;
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
    if (result.keyed && settings_.artifacts) {
      uid_ = kUidInOutput;
      Output key;
      key.name = name;
      key.expression =
          "toJson(" + keyExpr(scope, result.node, leaf.path, node(result.node).span) + ")";
      uid_ = kUidInTag;
      out.push_back(std::move(key));
    }
    const auto file = artifact(scope, result.node, leaf.path, node(result.node).span);
    if (!file) continue;
    if (!file->from) {
      if (file->raw || file->key) {
        unsupported(node(result.node).span, "a file from elsewhere as a result",
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
  std::vector<std::string_view>* const outerDeps = deps_;
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
    scope.templateName = writeDag(scope.templateName, inputs, tasks, outputs, true);
  }
  --regionDepth_;
  deps_ = outerDeps;
  stampNow_ = outerStamp;
}

void Emitter::giveArgument(Scope& scope, TaskCall& call, const Leaf& leaf, const std::string& name,
                           ir::NodeId value, Span at) {
  if (!leaf.artifact) {
    call.parameters.add(name, text(scope, value, leaf.path).asTag());
    return;
  }
  auto file = artifact(scope, value, leaf.path, at);
  if (!file || (!file->from && !file->raw && !file->key)) return;
  file->name = name;
  file->optional = file->optional || leaf.optional;
  call.artifacts.push_back(std::move(*file));
}

void Emitter::giveCaptures(Scope& outer, const Scope& inner, TaskCall& call) {
  if (inner.folder) {
    call.parameters.add(kFolder, fmt::format("{}/{}", folderOf(outer), inner.task));
  }
  for (const Capture& capture : inner.captures) {
    if (module_.constant(capture.node) != nullptr) {
      call.parameters.add(capture.name, constantText(outer, capture.node, capture.name));
      continue;
    }
    giveArgument(outer, call, {capture.path, capture.type, capture.artifact, capture.optional},
                 capture.name, capture.node, node(capture.node).span);
  }
  for (const ir::NodeId before : inner.orderCaptures) dependOnOrder(outer, before);
}

void Emitter::passInputs(const std::vector<Capture>& captures, TaskCall& call) {
  for (const Capture& capture : captures) {
    if (!capture.artifact) {
      call.parameters.add(capture.name, inputTag(capture.name));
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
  const BodyNames names(module_, region);
  std::int64_t tasks = 0;
  for (const ir::NodeId id : module_.at(region).nodes) {
    if (sizes_ == nullptr) {
      tasks += writeNode(scope, id, names, w) ? 1 : 0;
      continue;
    }
    const std::size_t before = w.written() + rest_.size() - containerBytes_;
    const std::int64_t templates = templates_ - containerCount_;
    tasks += writeNode(scope, id, names, w) ? 1 : 0;
    sizes_->templates[id.index()] = templates_ - containerCount_ - templates;
    sizes_->ofNode[id.index()] =
        static_cast<std::int64_t>(w.written() + rest_.size() - containerBytes_ - before);
  }
  const ir::NodeId owner = module_.at(region).owner;
  checkCount(owner.valid() ? node(owner).span : module_.at(module_.entry).span,
             fmt::format("template `{}`", scope.templateName), tasks, "task", kLimits.tasks);
}

bool Emitter::writeNode(Scope& scope, ir::NodeId id, const BodyNames& names, YamlWriter& w) {
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
  if (make == nullptr) return false;
  // Steps hold nothing inside them, so they take turns with one call.
  const bool isStep = std::holds_alternative<ir::Step>(n.payload);
  TaskCall own;
  TaskCall& call = isStep ? stepCall_ : own;
  call.clear();
  const std::string_view name = scope.taskNames.unique(names.of(id));
  call.name = name;
  stampNow_ = ++stamps_;
  deps_ = &call.dependencies;
  (this->*make)(scope, id, call);
  for (const ir::NodeId before : module_.order(n)) dependOnOrder(scope, before);
  deps_ = nullptr;
  taskName_[id.index()] = static_cast<std::uint32_t>(names_.size());
  names_.push_back(name);
  writeTask(w, call);
  return true;
}

}  // namespace couler::backends::argo

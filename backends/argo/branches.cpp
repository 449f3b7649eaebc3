#include <fmt/format.h>

#include "backends/argo/emitter.h"

namespace couler::backends::argo {

void Emitter::ifCall(Scope& scope, ir::NodeId id, TaskCall& call) {
  const ir::Node& n = node(id);
  const auto& branch = std::get<ir::If>(n.payload);
  const std::string name = templateName(id, call, "if");
  Scope& wrapper = childScope(scope, id, {}, name, call.name);
  const std::string condition = expr(scope, module_.operands(n)[0]);
  call.parameters.add("condition", exprTag("toJson(" + condition + ")"));
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
  const bool keyed = keyed_[id.index()] && settings_.artifacts.has_value();
  std::string tasks;
  YamlWriter w([&tasks](std::string_view t) { tasks += t; }, 3);
  w.beginList();
  for (const Side& side : sides) {
    if (!side.region.valid()) continue;
    if (!side.steps) {
      adopt(wrapper, side.region);
      continue;
    }
    Scope& child =
        childScope(wrapper, id, side.region, fmt::format("{}-{}", name, side.task), side.task);
    child.fileItems = false;
    std::vector<Result> results;
    if (used)
      results.push_back({module_.at(side.region).results[0], n.type, "value", keyed_[id.index()]});
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
      if (leaf.artifact && keyed) {
        const auto key = [&](const Side& side) -> std::string {
          if (!side.region.valid()) return "\"null\"";
          if (side.steps)
            return Ref{std::string(side.task), output.name, false, Encoding::Json}.indexed();
          return "toJson(" +
                 keyExpr(wrapper, module_.at(side.region).results[0], leaf.path, n.span) + ")";
        };
        uid_ = kUidInOutput;
        outputs.push_back({output.name,
                           false,
                           false,
                           fmt::format("inputs.parameters['condition'] == \"true\" ? {} : {}",
                                       key(sides[0]), key(sides[1])),
                           {}});
        uid_ = kUidInTag;
      }
      const auto value = [&](const Side& side) -> std::string {
        const Ref made{std::string(side.task), output.name, leaf.artifact, Encoding::Json};
        if (!side.region.valid()) return leaf.artifact ? std::string() : "\"null\"";
        if (side.steps) return made.indexed();
        const ir::NodeId result = module_.at(side.region).results[0];
        if (!leaf.artifact) return text(wrapper, result, leaf.path).asExpr();
        const auto file = artifact(wrapper, result, leaf.path, n.span);
        if (file && file->key) {
          unsupported(n.span, "a file from elsewhere as a result", "give it to the step that uses it");
        }
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
  call.templateName = writeDag(wrapper.templateName, inputs, tasks, outputs, true);
  giveCaptures(scope, wrapper, call);
}

void Emitter::tryCall(Scope& scope, ir::NodeId id, TaskCall& call) {
  const ir::Node& n = node(id);
  const ir::RegionId region = std::get<ir::Try>(n.payload).body;
  const std::string name = templateName(id, call, "try");
  Scope& wrapper = childScope(scope, id, {}, name, call.name);
  Scope& child = childScope(wrapper, id, region, name + "-body", "body");
  std::vector<Result> results;
  if (used_[id.index()])
    results.push_back({module_.at(region).results[0], n.type, "value", keyed_[id.index()]});
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
      const auto ifMade = [](const Ref& ref) {
        return fmt::format("tasks['body'].status == \"Succeeded\" ? {} : \"null\"", ref.indexed());
      };
      if (leaf.artifact && keyed_[id.index()]) {
        outputs.push_back(
            {output.name, false, false, ifMade({"body", output.name, false, Encoding::Json}), {}});
      }
      if (leaf.artifact) {
        output.optional = true;
        output.parameter = "{{" + made.dotted() + "}}";
      } else {
        output.expression = ifMade(made);
      }
      outputs.push_back(std::move(output));
    }
  }
  call.templateName = writeDag(wrapper.templateName, inputsOf(wrapper), tasks, outputs, true);
  giveCaptures(scope, wrapper, call);
}

}  // namespace couler::backends::argo

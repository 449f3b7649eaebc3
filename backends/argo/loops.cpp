#include <algorithm>

#include <fmt/format.h>

#include "backends/argo/emitter.h"

namespace couler::backends::argo {
namespace {

using ir::TypeKind;

std::string escaped(std::string_view json) {
  return fmt::format("sprig.replace(\"\\u007b\\u007b\", \"\\u007b\\\\u007b\", {})", json);
}

}  // namespace

// A fan-out is a template of its own, so that what it gives can be put together by expressions with
// `? :`, which Argo takes only there. Its one task, `each`, runs the body once an item. Argo makes
// a list of what the bodies give; they give JSON strings of JSON text, which it leaves alone.
void Emitter::forCall(Scope& scope, ir::NodeId id, TaskCall& call) {
  const ir::Node& n = node(id);
  const ir::RegionId region = std::get<ir::For>(n.payload).body;
  const ir::NodeId listNode = module_.operands(n)[0];
  const ir::NodeId param = module_.at(region).params[0];
  const ir::NodeId result = module_.at(region).results[0];
  const ir::TypeId resultType = node(result).type;
  const bool used = used_[id.index()];
  const std::string own = templateName(id, call, "for");
  Scope& wrapper = childScope(scope, id, {}, own, call.name);
  Scope& child = childScope(wrapper, id, region, own + "-each", "each");
  child.once = false;

  const std::vector<Leaf> gives = used ? leavesOf(resultType) : std::vector<Leaf>();
  const bool collects =
      std::any_of(gives.begin(), gives.end(), [](const Leaf& l) { return l.artifact; });
  if (collects) {
    if (!settings_.artifacts) {
      refuse<Diag::BackendNeedsArtifacts>(n.span,
                                          "add `artifacts: s3(bucket: \"…\")` to the target",
                                          "a fan-out that gives files", "argo");
    } else if (!scope.isEntry) {
      unsupported(n.span, "a fan-out that gives files inside other control flow",
                  "move it to the top of the workflow");
    }
    child.fileItems = true;
  }

  // The body's template.
  const ir::TypeId itemType = node(param).type;
  const TypeKind itemKind = module_.types.kind(itemType);
  const bool items = isFileKind(itemKind);
  const std::vector<Leaf> takes = leavesOf(itemType);
  if (!items && holdsFiles(itemType)) {
    unsupported(n.span,
                fmt::format("a fan-out over `{}`", module_.types.print(node(listNode).type)),
                "go over a list of files, or of values without files");
    return;
  }
  std::vector<Input> extra = paramInputs(child, param);
  if (collects) {
    extra.push_back({std::string(kFolder), false, false, std::nullopt, std::nullopt});
    extra.push_back({std::string(kIndex), false, false, std::nullopt, std::nullopt});
  }
  std::vector<Result> results;
  if (used) results.push_back({result, resultType, "value", false, true});
  writeRegion(child, region, extra, results);

  // The list: one JSON text an item and leaf, so that `item` never is more than text.
  TaskCall each;
  each.name = "each";
  each.templateName = child.templateName;
  const std::string list = "fromJSON(inputs.parameters['items'])";
  const bool direct = isNumber(itemKind) && !collects;
  if (direct) {
    each.withParam = "{{inputs.parameters.items}}";
    each.parameters.add(joined(label(param), {}), "{{item}}");
  } else {
    std::string object;
    std::vector<std::string> keys;
    for (const Leaf& leaf : takes) {
      std::string value = list + "[#]";
      for (const std::string& field : leaf.path) value += "[" + exprString(field) + "]";
      const std::string key = joined("item", leaf.path);
      const std::string name = joined(label(param), leaf.path);
      object += fmt::format("{}{}: {}", object.empty() ? "" : ", ", exprString(key),
                            leaf.artifact ? value : escaped("toJson(" + value + ")"));
      if (leaf.artifact) {
        ArtifactArg arg;
        arg.name = name;
        arg.key = fmt::format("{{{{item.{}}}}}", key);
        each.artifacts.push_back(std::move(arg));
      } else {
        each.parameters.add(name, fmt::format("{{{{item.{}}}}}", key));
      }
    }
    object += fmt::format("{}\"index\": sprig.toString(#)", object.empty() ? "" : ", ");
    each.withParam =
        exprTag(fmt::format("toJson(map(0..(len({}) - 1), {{ {{{} }} }}))", list, object));
    if (collects) {
      each.parameters.add(kFolder, inputTag(kFolder));
      each.parameters.add(kIndex, "{{item.index}}");
    }
  }
  giveCaptures(wrapper, child, each);
  std::string tasks;
  YamlWriter w([&tasks](std::string_view t) { tasks += t; }, 3);
  w.beginList();
  writeTask(w, each);
  w.endList();
  w.flush();

  // What it gives: a list for each leaf, and the list of whole values where there are no files.
  std::vector<Output> outputs;
  std::vector<Leaf> lists = gives;
  const bool isRecord = module_.types.kind(resultType) == TypeKind::Record;
  if (used && isRecord && !holdsFiles(resultType)) lists.push_back({{}, resultType, false, false});
  for (const Leaf& leaf : lists) {
    Output output;
    output.name = joined("value", leaf.path);
    if (!leaf.artifact) {
      // Nothing ran for an empty list, and then Argo knows no outputs.
      output.expression = fmt::format(
          "len({}) == 0 ? \"[]\" : \"[\" + "
          "join(map(fromJSON(tasks['each'].outputs.parameters['{}']), "
          "{{fromJSON(#)}}), \",\") + \"]\"",
          list, output.name);
      outputs.push_back(std::move(output));
      continue;
    }
    if (!settings_.artifacts) continue;
    Path path = leaf.path;
    const ir::NodeId maker = base(result, path);
    const auto* step = std::get_if<ir::Step>(&node(maker).payload);
    const ir::OutputDef* made = nullptr;
    if (step != nullptr && node(maker).region == region && path.size() == 1) {
      for (const ir::OutputDef& candidate : module_.at(step->task).outputs) {
        if (candidate.name == path[0]) made = &candidate;
      }
    }
    if (made == nullptr || module_.types.kind(made->type) != TypeKind::File) {
      unsupported(
          n.span,
          fmt::format("a fan-out that gives `{}`, which no step of its body makes as a file",
                      joined("", leaf.path)),
          "give the file that a step of the body itself makes");
      continue;
    }
    const std::string tail = fmt::format("/{}/{}/{}", names_[taskName_[maker.index()]], made->name,
                                         made->path.empty() ? made->name : made->path);
    output.expression = fmt::format(
        "toJson(map(0..(len({}) - 1), {{inputs.parameters['{}'] + \"/\" + toJson(#) + {}}}))", list,
        kFolder, exprString(tail));
    outputs.push_back(std::move(output));
  }
  std::vector<Input> inputs = {{"items", false, false, std::nullopt, std::nullopt}};
  if (collects) inputs.push_back({std::string(kFolder), false, false, std::nullopt, std::nullopt});
  for (Input& input : inputsOf(wrapper)) inputs.push_back(std::move(input));
  call.templateName = writeDag(wrapper.templateName, inputs, tasks, outputs, true);

  if (items) {
    if (const auto keys = fileKeys(scope, listNode, n.span)) {
      call.parameters.add("items", keys->asTag());
    }
  } else {
    call.parameters.add("items", text(scope, listNode, {}).asTag());
  }
  if (collects && settings_.artifacts) call.parameters.add(kFolder, collectFolder(call.name));
  giveCaptures(scope, wrapper, call);
}

// A loop is a template that calls itself: `body`, then, unless the body said to stop or it was the
// last time, `again` with the next state.
void Emitter::loopCall(Scope& scope, ir::NodeId id, TaskCall& call) {
  const ir::Node& n = node(id);
  const ir::RegionId region = std::get<ir::Loop>(n.payload).body;
  const auto operands = module_.operands(n);
  const ir::Region& body = module_.at(region);
  const ir::NodeId param = body.params[0];
  const std::string own = templateName(id, call, "loop");
  Scope& wrapper = childScope(scope, id, {}, own, call.name);
  Scope& child = childScope(wrapper, id, region, own + "-body", "body");
  child.once = false;
  const std::vector<Leaf> leaves = leavesOf(n.type);
  const std::vector<Input> state = paramInputs(wrapper, param);
  writeRegion(child, region, paramInputs(child, param),
              {{body.results[0], n.type, "value", false},
               {body.results[1], ir::TypeTable::kBool, "stop", false}});

  const auto stateName = [&](const Leaf& leaf) { return joined(label(param), leaf.path); };
  const auto valueName = [&](const Leaf& leaf) { return joined("value", leaf.path); };
  const auto stateArgument = [&](TaskCall& to, const Leaf& leaf, std::string_view task) {
    const Ref from{std::string(task), task.empty() ? stateName(leaf) : valueName(leaf),
                   leaf.artifact, Encoding::Json};
    if (leaf.artifact) {
      ArtifactArg arg;
      arg.name = stateName(leaf);
      arg.from = from;
      arg.optional = leaf.optional;
      to.artifacts.push_back(std::move(arg));
    } else {
      to.parameters.add(stateName(leaf), "{{" + from.dotted() + "}}");
    }
  };
  TaskCall first;
  first.name = "body";
  first.templateName = child.templateName;
  first.when = exprTag(
      "asInt(inputs.parameters['loop-iteration']) < asInt(inputs.parameters['loop-limit'])");
  for (const Leaf& leaf : leaves) stateArgument(first, leaf, "");
  giveCaptures(wrapper, child, first);
  TaskCall again;
  again.name = "again";
  again.templateName = wrapper.templateName;
  again.depends = "body.Succeeded";  // not when it was skipped
  again.when = exprTag(
      "asInt(inputs.parameters['loop-iteration']) + 1 < asInt(inputs.parameters['loop-limit']) && "
      "tasks['body'].outputs.parameters['stop'] == \"false\"");
  for (const Leaf& leaf : leaves) stateArgument(again, leaf, "body");
  again.parameters.add("loop-iteration", exprTag("asInt(inputs.parameters['loop-iteration']) + 1"));
  again.parameters.add("loop-limit", inputTag("loop-limit"));
  passInputs(wrapper.captures, again);
  std::string tasks;
  YamlWriter w([&tasks](std::string_view t) { tasks += t; }, 3);
  w.beginList();
  writeTask(w, first);
  writeTask(w, again);
  w.endList();
  w.flush();

  std::vector<Output> outputs;
  for (const Leaf& leaf : leaves) {
    Output output;
    output.name = valueName(leaf);
    output.artifact = leaf.artifact;
    output.optional = leaf.optional;
    output.expression = fmt::format(
        "tasks['again'].status == \"Succeeded\" ? {} : (tasks['body'].status == \"Succeeded\" ? {} "
        ": {})",
        Ref{"again", output.name, leaf.artifact, Encoding::Json}.indexed(),
        Ref{"body", output.name, leaf.artifact, Encoding::Json}.indexed(),
        Ref{{}, stateName(leaf), leaf.artifact, Encoding::Json}.indexed());
    outputs.push_back(std::move(output));
  }
  std::vector<Input> inputs = state;
  inputs.push_back({"loop-iteration", false, false, std::nullopt, std::nullopt});
  inputs.push_back({"loop-limit", false, false, std::nullopt, std::nullopt});
  for (Input& input : inputsOf(wrapper)) inputs.push_back(std::move(input));
  call.templateName = writeDag(wrapper.templateName, inputs, tasks, outputs, true);

  for (const Leaf& leaf : leaves)
    giveArgument(scope, call, leaf, stateName(leaf), operands[0], n.span);
  call.parameters.add("loop-iteration", "0");
  call.parameters.add("loop-limit", text(scope, operands[1], {}).asTag());
  giveCaptures(scope, wrapper, call);
}

}  // namespace couler::backends::argo

#include <algorithm>

#include <fmt/format.h>

#include "backends/argo/comparer.h"

namespace couler::backends::argo {

void Comparer::findBundles() {
  // A bundle may go through a part to a group in it: so often until there is none more.
  for (std::size_t found = bundles_.size() + 1; found != bundles_.size();) {
    found = bundles_.size();
    for (std::size_t n = 0; n < module_.nodes.size(); ++n) {
      const NodeId id{n};
      const ir::FuncDef* callee = outlinedBy(id);
      if (callee == nullptr) continue;
      if (callee->outlined == ir::Outlined::Group) groupBodies_.insert(callee->body);
      const auto operands = module_.operands(node(id));
      for (std::size_t i = 0; i < operands.size(); ++i) {
        const ir::FuncId source = bundleOf(operands[i]);
        if (source.valid()) bundles_.emplace(module_.at(callee->body).params[i], source);
      }
    }
  }
}

ir::FuncId Comparer::bundleOf(NodeId id) const {
  if (outlinedBy(id) != nullptr) return module_.payload<ir::Call>(id)->callee;
  const auto known = bundles_.find(id);
  return known == bundles_.end() ? ir::FuncId() : known->second;
}

void Comparer::part(NodeId id, const Dag& home, const Dag::Task& task, const Template& runner) {
  const ir::FuncDef& callee = module_.at(std::get<ir::Call>(node(id).payload).callee);
  const Manifest* document = bundle_.submittedBy(runner);
  if (document == nullptr) return differ(task.node, fmt::format("`{}` submits no part", task.name));
  if (!task.plain) differ(task.node, "a part has a condition or a hook that the workflow does not give it");
  const auto operands = module_.operands(node(id));
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const std::string& name = callee.params[i].name;
    if (bundleOf(operands[i]).valid()) {
      bundleArguments(task, home, operands[i], name);
      continue;
    }
    const std::string_view text = argument(task.arguments, name)["value"].text();
    if (const std::string_view at = missing(home, id, operands[i], text); !at.empty()) {
      differ(task.node, fmt::format("`{}` does not read `{}` where it must", name, at));
    }
    const auto [maker, output] = outputOf(id, operands[i]);
    if (!maker.valid() || called_[maker.index()] == Dag::kNone) continue;
    const std::string_view madeBy = home.tasks[called_[maker.index()]].name;
    const bool file = isFile(module_.types.kind(node(operands[i]).type));
    if (file) scratch_ = filePlace(home, maker, output);
    if (file ? text.find(scratch_) != text.npos : reads(text, madeBy, "parameters", output)) continue;
    differ(task.node, fmt::format("`{}` is not output `{}` of `{}`", name, output, madeBy));
  }
  const Manifest* const outer = std::exchange(manifest_, document);
  const std::vector<Level> around = std::exchange(levels_, {});
  const Template* entry = find(document->spec(), document->spec()["entrypoint"].text());
  if (entry != nullptr && entry->dag.tasks.size() == 1 && entry->dag.tasks[0].callee != nullptr) {
    const Template& steps = *entry->dag.tasks[0].callee;
    inputsOfPart(entry->dag.tasks[0]);
    dag(&steps, callee.body);
    partOutputs(steps, callee);
  } else if (entry != nullptr) {
    differ(entry->node, "a part whose entry is not one task");
  }
  manifest_ = outer;
  levels_ = around;
}

void Comparer::bundleArguments(const Dag::Task& task, const Dag& home, NodeId source, std::string_view name) {
  if (module_.payload<ir::Param>(source) != nullptr) {  // what the body around it was given
    std::size_t given = 0;
    for (YamlNode p = task.arguments["parameters"].first(); p.exists(); p = p.next()) {
      const std::string begin = fmt::format("{}-values-", name);
      if (!p["name"].text().starts_with(begin)) continue;
      ++given;
      const std::string_view number = p["name"].text().substr(begin.size());
      if (p["value"].text() == fmt::format("{{{{inputs.parameters.{}-values-{}}}}}",
                                           module_.at(node(source).name), number)) {
        continue;
      }
      differ(p, fmt::format("`{}` is not what it was given", name));
    }
    if (given == 0) differ(task.node, fmt::format("`{}` is not given", name));
    return;
  }
  const std::uint32_t made = called_[source.index()];
  if (made == Dag::kNone) return;
  const Template* from = home.tasks[made].callee;
  if (from == nullptr) return;
  const YamlNode outputs = from->node["outputs"]["parameters"];
  for (YamlNode o = outputs.first(); o.exists(); o = o.next()) {
    const std::string wanted = fmt::format("{{{{tasks.{}.outputs.parameters.{}}}}}",
                                           home.tasks[made].name, o["name"].text());
    const YamlNode given = argument(task.arguments, fmt::format("{}-{}", name, o["name"].text()));
    if (given["value"].text() == wanted) continue;
    differ(task.node, fmt::format("`{}` is not `{}` of `{}`", name, o["name"].text(),
                                  home.tasks[made].name));
  }
}

void Comparer::keyed(const Dag::Task& task, std::string_view folder) {
  const std::string_view key = argument(task.arguments, kFilesKey)["value"].text();
  if (key.ends_with(fmt::format("{}/{}", folder, task.name))) return;
  differ(task.node,
         fmt::format("`{}` does not put its files where another part looks for them", task.name));
}

std::string Comparer::filePlace(const Dag& home, NodeId maker, std::string_view name) {
  const Dag::Task* task = &home.tasks[called_[maker.index()]];
  std::string folder;
  while (const ir::FuncDef* group = groupOf(maker)) {
    const NodeId record = module_.at(group->body).results[0];
    const auto field = module_.types.fieldIndex(group->result, name);
    if (!field || task->callee == nullptr) return {};
    const auto [made, output] = outputOf(record, module_.operands(node(record))[*field]);
    if (!made.valid() || called_[made.index()] == Dag::kNone) return {};
    folder = fmt::format("/{}", task->callee->name);
    task = &task->callee->dag.tasks[called_[made.index()]];
    maker = made;
    name = output;
  }
  keyed(*task, folder);
  for (const ir::OutputDef& output :
       module_.at(std::get<ir::Step>(node(maker).payload).task).outputs) {
    if (output.name != name) continue;
    return fmt::format("{}/{}/{}/{}{}", folder, task->name, name,
                       output.path.empty() ? output.name : output.path,
                       module_.types.kind(output.type) == TypeKind::Dir ? ".tgz" : "");
  }
  return {};
}

void Comparer::inputsOfPart(const Dag::Task& task) {
  for (YamlNode p = task.arguments["parameters"].first(); p.exists(); p = p.next()) {
    const std::string_view name = p["name"].text();
    const std::string_view text = p["value"].text();
    const bool folder = name == kFolder && text.ends_with("{{workflow.uid}}");
    if (folder || text == fmt::format("{{{{workflow.parameters.{}}}}}", name)) continue;
    differ(p, fmt::format("input `{}` of a part is not passed on", name));
  }
}

void Comparer::partOutputs(const Template& t, const ir::FuncDef& func) {
  const NodeId record = module_.at(func.body).results[0];
  const auto values = module_.operands(node(record));
  const std::vector<ir::TypeField>& fields = module_.types[func.result].fields;
  YamlNode output = t.node["outputs"]["parameters"].first();
  std::size_t at = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool file = isFile(module_.types.kind(node(values[i]).type));
    if (file && func.outlined == ir::Outlined::Group) {
      fileOutput(t, record, values[i], fields[i].name);
      continue;
    }
    scratch_.assign("\"").append(fields[i].name).append("\": ");
    std::size_t found = output["valueFrom"]["expression"].text().find(scratch_, at);
    if (found == std::string_view::npos) {
      output = output.next();
      found = output["valueFrom"]["expression"].text().find(scratch_);
    }
    if (found == std::string_view::npos) {
      return differ(t.node, fmt::format("output `{}` of `{}` is missing", fields[i].name, func.name));
    }
    const std::string_view text = output["valueFrom"]["expression"].text();
    at = found + scratch_.size();
    chunks_[{func.body, fields[i].name}] = output["name"].text();
    if (const std::string_view no = missing(t.dag, record, values[i], text.substr(at));
        !no.empty()) {
      differ(t.node, fmt::format("output `{}` of `{}` does not read `{}`", fields[i].name,
                                 func.name, no));
    }
    const auto [maker, name] = outputOf(record, values[i]);
    if (!maker.valid() || called_[maker.index()] == Dag::kNone) continue;
    const std::string_view madeBy = t.dag.tasks[called_[maker.index()]].name;
    const std::string_view rest = text.substr(at, madeBy.size() + name.size() + 64);
    if (file) scratch_ = filePlace(t.dag, maker, name);
    if (file ? rest.find(scratch_) != rest.npos : reads(rest, madeBy, "parameters", name)) continue;
    differ(t.node, fmt::format("output `{}` of `{}` is not `{}` of `{}`", fields[i].name, func.name,
                               name, madeBy));
  }
}

void Comparer::fileOutput(const Template& t, NodeId record, NodeId value, std::string_view name) {
  YamlNode output = t.node["outputs"]["artifacts"].first();
  while (output.exists() && output["name"].text() != name) output = output.next();
  if (!output.exists()) return differ(t.node, fmt::format("output `{}` is missing", name));
  const auto [maker, made] = outputOf(record, value);
  if (!maker.valid() || called_[maker.index()] == Dag::kNone) return;
  if (reads(output["from"].text(), t.dag.tasks[called_[maker.index()]].name, "artifacts", made))
    return;
  differ(output, fmt::format("output `{}` is not what it must be", name));
}

std::string Comparer::partField(const Dag& home, NodeId operand) const {
  const auto* field = std::get_if<ir::Field>(&node(operand).payload);
  if (field == nullptr || field->ofEach || field->optional) return {};
  const NodeId maker = module_.operands(node(operand))[0];
  const ir::Node& n = node(maker);
  const auto* call = std::get_if<ir::Call>(&n.payload);
  const auto bundle = bundles_.find(maker);
  std::string holder;
  ir::FuncId part;
  if (outlinedBy(maker) != nullptr && called_[maker.index()] != Dag::kNone) {
    part = call->callee;
    holder = fmt::format("tasks[\"{}\"].outputs.parameters[\"",
                         home.tasks[called_[maker.index()]].name);
  } else if (bundle != bundles_.end()) {
    part = bundle->second;
    holder = fmt::format("inputs.parameters[\"{}-", module_.at(n.name));
  } else {
    return {};
  }
  const std::string_view name = module_.at(field->name);
  const auto chunk = chunks_.find({module_.at(part).body, name});
  if (chunk == chunks_.end()) return {};
  return fmt::format("fromJSON({}{}\"])[\"{}\"]", holder, chunk->second, name);
}

std::string_view Comparer::missing(const Dag& home, NodeId user, NodeId operand, std::string_view text) {
  const auto* op = std::get_if<ir::Op>(&node(operand).payload);
  if (op == nullptr || (op->op != ir::Builtin::MakeList && op->op != ir::Builtin::SpreadList))
    return {};
  std::size_t at = 0;  // where the last one stands
  std::vector<NodeId> left(module_.operands(node(operand)).rbegin(),
                           module_.operands(node(operand)).rend());
  while (!left.empty()) {
    const NodeId item = left.back();
    left.pop_back();
    const auto* list = std::get_if<ir::Op>(&node(item).payload);
    if (list != nullptr && list->op == ir::Builtin::MakeList) {
      const auto items = module_.operands(node(item));
      left.insert(left.end(), items.rbegin(), items.rend());
      continue;
    }
    const auto [maker, output] = outputOf(user, item);
    const std::string crossing = partField(home, item);
    if (!crossing.empty()) {
      at = text.find(crossing, at);
    } else if (maker.valid() && called_[maker.index()] != Dag::kNone &&
               !isFile(module_.types.kind(node(item).type))) {
      const std::string_view task = home.tasks[called_[maker.index()]].name;
      const std::string dotted = fmt::format("tasks.{}.outputs.parameters.{}}}}}", task, output);
      const std::string indexed =
          fmt::format("tasks[\"{}\"].outputs.parameters[\"{}\"]", task, output);
      do {
        at = text.find("tasks", at == 0 ? 0 : at + 1);
      } while (at != text.npos && !text.substr(at).starts_with(dotted) &&
               !text.substr(at).starts_with(indexed));
    } else {
      continue;
    }
    if (at == text.npos) return module_.at(std::get<ir::Field>(node(item).payload).name);
  }
  return {};
}

void Comparer::workflowOutputs(const Template& t, const ir::FuncDef& entry) {
  const NodeId record = module_.at(entry.body).results[0];
  const auto* op = std::get_if<ir::Op>(&node(record).payload);
  if (op == nullptr || op->op != ir::Builtin::MakeRecord) return;
  const std::vector<ir::TypeField>& fields = module_.types[entry.result].fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const NodeId value = module_.operands(node(record))[i];
    if (holdsFiles(fields[i].type) || module_.types.kind(fields[i].type) == TypeKind::Record)
      continue;
    YamlNode output = t.node["outputs"]["parameters"].first();
    while (output.exists() && output["name"].text() != fields[i].name) output = output.next();
    if (!output.exists()) {
      differ(t.node, fmt::format("output `{}` is missing", fields[i].name));
      continue;
    }
    const YamlNode from = output["valueFrom"];
    const std::string_view text =
        (from["expression"].exists() ? from["expression"] : from["parameter"]).text();
    const std::string crossing = partField(t.dag, value);
    const auto [maker, name] = outputOf(record, value);
    const bool known = maker.valid() && called_[maker.index()] != Dag::kNone;
    if ((!crossing.empty() && text.find(crossing) == text.npos) ||
        !missing(t.dag, record, value, text).empty() ||
        (known && !reads(text, t.dag.tasks[called_[maker.index()]].name, "parameters", name))) {
      differ(output, fmt::format("output `{}` is not what it must be", fields[i].name));
    }
  }
}

}  // namespace couler::backends::argo

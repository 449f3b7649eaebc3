#include "backends/argo/compare.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "backends/argo/comparer.h"
#include "backends/argo/labels.h"
#include "backends/names.h"

namespace couler::backends::argo {

namespace {

/// Finds the tasks of a region's nodes by the names that NameTable would give them. As long as the
/// tasks stand in the order of the nodes and no two have one name, each node's plain label is that
/// name, and no table is needed to know.
class TaskNames {
 public:
  explicit TaskNames(const Dag& dag) : dag_(dag), inOrder_(dag.repeated.empty()) {}

  /// The task of the next node, or kNone.
  std::uint32_t next(std::string_view name) {
    const auto number = static_cast<std::uint32_t>(names_.size());
    names_.push_back(name);
    if (inOrder_) {
      makeLabel(label_, name);
      if (number < dag_.tasks.size() && sameText(dag_.tasks[number].name, label_)) return number;
      inOrder_ = false;
      for (const std::string_view earlier : std::span(names_).first(number)) table_.unique(earlier);
    }
    label_ = table_.unique(name);
    return dag_.find(label_);
  }
  [[nodiscard]] const std::string& last() const { return label_; }

 private:
  const Dag& dag_;
  bool inOrder_;
  std::vector<std::string_view> names_;
  NameTable table_;
  std::string label_;
};

}  // namespace

bool Comparer::run() {
  const YamlNode spec = manifest_->spec();
  if (!module_.entry.valid()) return ok_;
  if (options_.target != nullptr) {
    for (const auto& [name, value] : options_.target->settings) {
      const auto* text = module_.at(value).as<std::string>();
      if (name == "image" && text != nullptr) all_.image = *text;
      if (name == "memoize" && text != nullptr) all_.memoize = *text;
    }
  }
  findSteps();
  findBundles();
  const ir::FuncDef& entry = module_.at(module_.entry);
  workflowArguments(spec, entry);
  const Template* main = find(spec, spec["entrypoint"].text());
  dag(main, entry.body);
  if (main != nullptr) workflowOutputs(*main, entry);
  const bool wantsExit = entry.finally.valid() && stepful_[entry.finally.index()];
  if (wantsExit != spec["onExit"].exists()) {
    differ(spec, wantsExit ? "the steps of `finally` are missing"
                           : "`onExit` has no `finally` to come from");
  } else if (wantsExit) {
    dag(find(spec, spec["onExit"].text()), entry.finally);
  }
  return ok_;
}

void Comparer::differ(YamlNode at, std::string_view what) {
  diags_.take(diagnose<Diag::SpecDiffers>({}, at.line(), what));
  ok_ = false;
}

const Template* Comparer::find(YamlNode at, std::string_view name) {
  const Template* found = manifest_->find(name);
  if (found == nullptr) differ(at, fmt::format("there is no template `{}`", name));
  return found;
}

void Comparer::findSteps() {
  stepful_.assign(module_.regions.size(), false);
  for (const ir::Node& n : module_.nodes) {
    const bool call = std::holds_alternative<ir::Call>(n.payload);
    if (!std::holds_alternative<ir::Step>(n.payload) && !call) continue;
    for (RegionId r = n.region; r.valid() && !stepful_[r.index()];) {
      stepful_[r.index()] = true;
      const NodeId owner = module_.at(r).owner;
      if (!owner.valid()) break;
      r = node(owner).region;
    }
  }
}

bool Comparer::makesTask(NodeId id) const {
  const ir::Node& n = node(id);
  if (std::holds_alternative<ir::Step>(n.payload) || std::holds_alternative<ir::Call>(n.payload))
    return true;
  if (!ownsBodies(n)) return false;
  const std::vector<RegionId> bodies = module_.regionsOf(n);
  return std::any_of(bodies.begin(), bodies.end(),
                     [&](RegionId body) { return stepful_[body.index()]; });
}

bool Comparer::ownsBodies(const ir::Node& n) {
  return std::holds_alternative<ir::For>(n.payload) ||
         std::holds_alternative<ir::If>(n.payload) ||
         std::holds_alternative<ir::Loop>(n.payload) ||
         std::holds_alternative<ir::Try>(n.payload);
}

void Comparer::makers(NodeId first, bool exact, std::vector<NodeId>& out) {
  ++mark_;
  fields_.clear();
  parts_.assign(1, {first});
  while (!parts_.empty()) {
    const auto [id, fields] = parts_.back();
    parts_.pop_back();
    const ir::Node& n = node(id);
    if (fields == kNoFields && std::exchange(marks_[id.index()], mark_) == mark_) continue;
    if (makesTask(id)) {
      out.push_back(id);
      continue;
    }
    const auto* field = std::get_if<ir::Field>(&n.payload);
    const auto* op = std::get_if<ir::Op>(&n.payload);
    const std::uint32_t count = fields == kNoFields ? 0 : fields_[fields].count;
    if (field != nullptr && exact && !field->ofEach && count < kMaxFields) {
      fields_.push_back({module_.at(field->name), fields, count + 1});
      parts_.push_back({module_.operands(n)[0], static_cast<std::uint32_t>(fields_.size() - 1)});
      continue;
    }
    if (op != nullptr && op->op == ir::Builtin::MakeRecord && exact && count != 0) {
      if (const auto index = module_.types.fieldIndex(n.type, fields_[fields].name)) {
        parts_.push_back({module_.operands(n)[*index], fields_[fields].then});
        continue;
      }
    }
    for (const NodeId operand : module_.operands(n)) parts_.push_back({operand});
    if (!ownsBodies(n)) continue;
    for (const RegionId r : module_.regionsOf(n)) {
      for (const NodeId result : module_.at(r).results) parts_.push_back({result});
    }
  }
}

void Comparer::edges(NodeId id, RegionId home) {
  must_.clear();
  may_.clear();
  todo_.assign(1, id);
  while (!todo_.empty()) {
    const ir::Node& n = node(todo_.back());
    todo_.pop_back();
    const bool step = std::holds_alternative<ir::Step>(n.payload) ||
                      std::holds_alternative<ir::Call>(n.payload);
    for (const NodeId operand : module_.operands(n)) {
      if (step) makers(operand, true, must_);
      makers(operand, false, may_);
    }
    for (const NodeId before : module_.order(n)) {
      if (step) makers(before, false, must_);
      makers(before, false, may_);
    }
    if (!ownsBodies(n)) continue;
    for (const RegionId r : module_.regionsOf(n)) {
      for (const NodeId inner : module_.at(r).nodes) {
        if (!std::holds_alternative<std::monostate>(node(inner).payload)) todo_.push_back(inner);
      }
      for (const NodeId result : module_.at(r).results) makers(result, false, may_);
    }
  }
  for (std::vector<NodeId>* list : {&must_, &may_}) {
    std::erase_if(*list, [&](NodeId m) { return m == id || node(m).region != home; });
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
}

void Comparer::compareEdges(NodeId id, RegionId home, const Dag& dag, const Dag::Task& task) {
  edges(id, home);
  const auto waits = dag.waits(task);
  wanted_.clear();
  for (const NodeId m : may_) wanted_.push_back(called_[m.index()]);
  std::sort(wanted_.begin(), wanted_.end());
  for (const std::uint32_t wait : waits) {
    if (std::binary_search(wanted_.begin(), wanted_.end(), wait)) continue;
    differ(task.node,
           fmt::format("`{}` need not wait for `{}`", task.name, dag.tasks[wait].name));
  }
  wanted_.assign(waits.begin(), waits.end());
  std::sort(wanted_.begin(), wanted_.end());
  for (const NodeId m : must_) {
    const std::uint32_t wait = called_[m.index()];
    if (std::binary_search(wanted_.begin(), wanted_.end(), wait)) continue;
    differ(task.node, fmt::format("`{}` must wait for `{}`", task.name,
                                  wait == Dag::kNone ? nameOf(module_, m) : dag.tasks[wait].name));
  }
}

void Comparer::dag(const Template* t, RegionId region) {
  if (t == nullptr) return;
  if (++depth_ > 100) {
    --depth_;
    return;
  }
  if (t->node["dag"]["failFast"].text() != "false") {
    differ(t->node, "a failed step must not stop the others: `failFast: false` is missing");
  }
  TaskNames names(t->dag);
  const BodyNames labels(module_, region);
  const std::vector<NodeId>& nodes = module_.at(region).nodes;
  std::uint32_t count = 0;
  for (const NodeId id : nodes) {
    if (std::holds_alternative<std::monostate>(node(id).payload) || !makesTask(id)) continue;
    ++count;
    const std::uint32_t found = names.next(labels.of(id));
    called_[id.index()] = found;
    if (found == Dag::kNone) {
      differ(t->node, fmt::format("step `{}` is missing", names.last()));
      continue;
    }
    const Dag::Task& task = t->dag.tasks[found];
    compareEdges(id, region, t->dag, task);
    compareNode(id, t->dag, task);
  }
  if (t->dag.tasks.size() != count) {
    differ(t->node, fmt::format("there are {} tasks where the workflow has {} steps",
                                t->dag.tasks.size(), count));
  }
  --depth_;
}

void Comparer::compareNode(NodeId id, const Dag& home, const Dag::Task& task) {
  const ir::Node& n = node(id);
  const std::size_t level = levels_.size();
  levels_.push_back({task.arguments, n.region, &home});
  compareCallee(id, home, task);
  levels_.resize(level);
}

void Comparer::compareCallee(NodeId id, const Dag& home, const Dag::Task& task) {
  const ir::Node& n = node(id);
  const Template* t = task.callee;
  if (t == nullptr) {
    find(task.node, task.node["template"].text());
    return;
  }
  if (const auto* step = std::get_if<ir::Step>(&n.payload)) {
    if (!task.plain) {
      differ(
          task.node,
          "this step has a condition, a fan-out, a hook or leave to fail that the workflow does "
          "not give it");
    }
    const ir::TaskDef& def = module_.at(step->task);
    arguments(id, home, task, task.arguments, def.params);
    const std::string_view key = argument(task.arguments, kFilesKey)["value"].text();
    if (!key.empty() && !sameText(key.substr(key.rfind('/') + 1), task.name)) {
      differ(task.node, fmt::format("`{}` puts its files where another may", task.name));
    }
    const std::pair<const Template*, std::uint32_t> pair(t, step->task.index());
    if (pair != lastCompared_ && compared_.insert(pair).second) {
      ok_ = compareContainer(module_, module_.at(step->task), all_, t->node, diags_) && ok_;
    }
    lastCompared_ = pair;
    return;
  }
  if (const auto* call = std::get_if<ir::Call>(&n.payload)) {
    if (module_.at(call->callee).outlined == ir::Outlined::Part) return part(id, home, task, *t);
    called(*call, *t, task.node, task.node["hooks"]["exit"]);
    if (const ir::FuncDef* group = groupOf(id)) {
      if (!task.plain)
        differ(task.node, "a group has a condition or a hook that the workflow does not give it");
      arguments(id, home, task, task.arguments, group->params);
      partOutputs(*t, *group);
    }
    return;
  }
  if (const auto* loop = std::get_if<ir::For>(&n.payload)) {
    const YamlNode each = only(*t, "each");
    if (!each["withParam"].exists()) differ(t->node, "a fan-out without `withParam`");
    within(each, loop->body);
    return;
  }
  if (const auto* branch = std::get_if<ir::If>(&n.payload)) {
    folder(task.arguments, task.name);
    side(*t, "then", "true", branch->then);
    if (branch->otherwise.valid()) side(*t, "otherwise", "false", branch->otherwise);
    return;
  }
  if (const auto* loop = std::get_if<ir::Loop>(&n.payload)) {
    const YamlNode body = only(*t, "body"), again = only(*t, "again");
    if (again["template"].text() != t->name) differ(t->node, "a loop that does not call itself");
    if (again["when"].text().find("'stop'") == std::string_view::npos)
      differ(t->node, "a loop that looks at no end");
    constant(task.node, task.arguments, "loop-limit", module_.operands(n)[1]);
    within(body, loop->body);
    return;
  }
  if (const auto* attempt = std::get_if<ir::Try>(&n.payload)) {
    const YamlNode body = only(*t, "body");
    folder(task.arguments, task.name);
    folder(body["arguments"], "body");
    if (body["continueOn"]["failed"].text() != "true" ||
        body["continueOn"]["error"].text() != "true") {
      differ(t->node, "a `try` whose steps may not fail");
    }
    within(body, attempt->body);
  }
}

void Comparer::called(const ir::Call& call, const Template& t, YamlNode task, YamlNode exit) {
  const ir::FuncDef& callee = module_.at(call.callee);
  const std::pair<const Manifest*, std::uint32_t> function(manifest_, call.callee.index());
  const bool first = functions_.insert(function).second;
  if (first) dag(&t, callee.body);
  const bool wantsExit = callee.finally.valid() && stepful_[callee.finally.index()];
  if (wantsExit != exit.exists()) {
    differ(task, wantsExit ? "the steps of the called workflow's `finally` are missing"
                           : "`hooks.exit` has no `finally` to come from");
  } else if (wantsExit) {
    const Template* found = find(exit, exit["template"].text());
    if (first) exits_[function] = found;
    if (exits_[function] != found) {
      differ(exit, fmt::format("two ways to end `{}`", callee.name));
    } else if (first) {
      dag(found, callee.finally);
    }
  }
}

YamlNode Comparer::only(const Template& t, std::string_view taskName) {
  const std::uint32_t found = t.dag.find(taskName);
  if (found != Dag::kNone) return t.dag.tasks[found].node;
  differ(t.node, fmt::format("template `{}` has no task `{}`", t.name, taskName));
  return {};
}

void Comparer::side(const Template& t, std::string_view taskName, std::string_view when, RegionId region) {
  if (!stepful_[region.index()]) return;
  const YamlNode task = only(t, taskName);
  if (!task.exists()) return;
  if (task["when"].text() != fmt::format("{{{{inputs.parameters.condition}}}} == {}", when)) {
    differ(task, fmt::format("`{}` has not its condition", taskName));
  }
  folder(task["arguments"], taskName);
  within(task, region);
}

void Comparer::folder(YamlNode arguments, std::string_view task) {
  const YamlNode given = argument(arguments, kFolder);
  if (!given.exists() || given["value"].text().ends_with(fmt::format("}}}}/{}", task))) return;
  differ(given, fmt::format("files of `{}` are put where others may be", task));
}

void Comparer::within(YamlNode task, RegionId body) {
  levels_.push_back({task["arguments"], {}, nullptr});
  dag(find(task, task["template"].text()), body);
  levels_.pop_back();
}

bool compareWithModule(const ir::Module& module, const EmitOptions& options,
                       const Bundle& bundle, DiagnosticSink& diags) {
  return Comparer(module, options, bundle, diags).run();
}

}  // namespace couler::backends::argo

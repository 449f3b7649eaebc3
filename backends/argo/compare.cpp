#include "backends/argo/compare.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "backends/argo/text.h"
#include "backends/names.h"
#include "ir/shim.h"

namespace couler::backends::argo {
namespace {

using ir::NodeId;
using ir::RegionId;
using ir::TypeKind;

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

class Comparer {
 public:
  Comparer(const ir::Module& module, const EmitOptions& options, const Bundle& bundle,
           DiagnosticSink& diags)
      : module_(module),
        options_(options),
        bundle_(bundle),
        manifest_(&bundle.parent()),
        diags_(diags),
        marks_(module.nodes.size(), 0),
        called_(module.nodes.size(), Dag::kNone) {}

  bool run() {
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

 private:
  void differ(YamlNode at, std::string_view what) {
    diags_.take(diagnose<Diag::SpecDiffers>({}, at.line(), what));
    ok_ = false;
  }
  const Template* find(YamlNode at, std::string_view name) {
    const Template* found = manifest_->find(name);
    if (found == nullptr) differ(at, fmt::format("there is no template `{}`", name));
    return found;
  }
  const ir::Node& node(NodeId id) const { return module_.at(id); }

  void findSteps() {
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
  /// Parameters of parts that stand for all that another part gives.
  void findBundles() {
    for (std::size_t n = 0; n < module_.nodes.size(); ++n) {
      const NodeId id{n};
      const auto* call = module_.payload<ir::Call>(id);
      if (call == nullptr || !module_.at(call->callee).isPart) continue;
      const auto operands = module_.operands(node(id));
      for (std::size_t i = 0; i < operands.size(); ++i) {
        const auto* source = module_.payload<ir::Call>(operands[i]);
        if (source != nullptr && module_.at(source->callee).isPart) {
          bundles_[module_.at(module_.at(call->callee).body).params[i]] = source->callee;
        }
      }
    }
  }
  bool makesTask(NodeId id) const {
    const ir::Node& n = node(id);
    if (std::holds_alternative<ir::Step>(n.payload) || std::holds_alternative<ir::Call>(n.payload))
      return true;
    if (!ownsBodies(n)) return false;
    const std::vector<RegionId> bodies = module_.regionsOf(n);
    return std::any_of(bodies.begin(), bodies.end(),
                       [&](RegionId body) { return stepful_[body.index()]; });
  }
  static bool ownsBodies(const ir::Node& n) {
    return std::holds_alternative<ir::For>(n.payload) ||
           std::holds_alternative<ir::If>(n.payload) ||
           std::holds_alternative<ir::Loop>(n.payload) ||
           std::holds_alternative<ir::Try>(n.payload);
  }
  std::string_view name(NodeId id) const {
    const ir::Node& n = node(id);
    if (n.name.valid()) return module_.at(n.name);
    if (const auto* step = std::get_if<ir::Step>(&n.payload)) return module_.at(step->task).name;
    if (const auto* call = std::get_if<ir::Call>(&n.payload)) return module_.at(call->callee).name;
    if (std::holds_alternative<ir::For>(n.payload)) return "for";
    if (std::holds_alternative<ir::If>(n.payload)) return "if";
    return std::holds_alternative<ir::Loop>(n.payload) ? "loop" : "try";
  }

  // ---- order
  /// A field still to be taken of a value, and those after it.
  struct Fields {
    std::string_view name;
    std::uint32_t then;  ///< into fields_; kNoFields: none
    std::uint32_t count;
  };
  struct Part {
    NodeId node;
    std::uint32_t fields = kNoFields;
  };

  /// The nodes with tasks that a value is made of, whatever region they are in. `exact`: only those
  /// that it cannot be made without; else all that are in sight.
  void makers(NodeId first, bool exact, std::vector<NodeId>& out) {
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

  /// Tasks of `home` that the task of `id` waits for, each once: at least `must_`, at most `may_`.
  void edges(NodeId id, RegionId home) {
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

  void compareEdges(NodeId id, RegionId home, const Dag& dag, const Dag::Task& task) {
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
                                    wait == Dag::kNone ? name(m) : dag.tasks[wait].name));
    }
  }

  void dag(const Template* t, RegionId region) {
    if (t == nullptr) return;
    if (++depth_ > 100) {
      --depth_;
      return;
    }
    if (t->node["dag"]["failFast"].text() != "false") {
      differ(t->node, "a failed step must not stop the others: `failFast: false` is missing");
    }
    TaskNames names(t->dag);
    const std::vector<NodeId>& nodes = module_.at(region).nodes;
    std::uint32_t count = 0;
    for (const NodeId id : nodes) {
      if (std::holds_alternative<std::monostate>(node(id).payload) || !makesTask(id)) continue;
      ++count;
      const std::uint32_t found = names.next(name(id));
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

  void compareNode(NodeId id, const Dag& home, const Dag::Task& task) {
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
      arguments(id, home, task, task.arguments, def);
      const bool own = std::any_of(def.params.begin(), def.params.end(),
                                   [](const ir::ParamDef& param) { return param.name == "key"; });
      const std::string_view key = own ? "" : argument(task.arguments, "key")["value"].text();
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
      if (module_.at(call->callee).isPart) return part(id, home, task, *t);
      called(*call, *t, task.node, task.node["hooks"]["exit"]);
      return;
    }
    if (const auto* loop = std::get_if<ir::For>(&n.payload)) {
      const YamlNode each = only(*t, "each");
      if (!each["withParam"].exists()) differ(t->node, "a fan-out without `withParam`");
      dag(find(each, each["template"].text()), loop->body);
      return;
    }
    if (const auto* branch = std::get_if<ir::If>(&n.payload)) {
      side(*t, "then", "true", branch->then);
      if (branch->otherwise.valid()) side(*t, "otherwise", "false", branch->otherwise);
      return;
    }
    if (const auto* loop = std::get_if<ir::Loop>(&n.payload)) {
      const YamlNode body = only(*t, "body"), again = only(*t, "again");
      if (again["template"].text() != t->name) differ(t->node, "a loop that does not call itself");
      if (again["when"].text().find("'stop'") == std::string_view::npos)
        differ(t->node, "a loop that looks at no end");
      constant(task.node, task.arguments, "limit", module_.operands(n)[1]);
      dag(find(body, body["template"].text()), loop->body);
      return;
    }
    if (const auto* attempt = std::get_if<ir::Try>(&n.payload)) {
      const YamlNode body = only(*t, "body");
      if (body["continueOn"]["failed"].text() != "true" ||
          body["continueOn"]["error"].text() != "true") {
        differ(t->node, "a `try` whose steps may not fail");
      }
      dag(find(body, body["template"].text()), attempt->body);
    }
  }

  void called(const ir::Call& call, const Template& t, YamlNode task, YamlNode exit) {
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

  /// The call of a part: what it is given, then the part itself.
  void part(NodeId id, const Dag& home, const Dag::Task& task, const Template& runner) {
    const ir::FuncDef& callee = module_.at(std::get<ir::Call>(node(id).payload).callee);
    const Manifest* document = bundle_.submittedBy(runner);
    if (document == nullptr) return differ(task.node, fmt::format("`{}` submits no part", task.name));
    if (!task.plain) differ(task.node, "a part has a condition or a hook that the workflow does not give it");
    const auto operands = module_.operands(node(id));
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const std::string& name = callee.params[i].name;
      const auto* source = module_.payload<ir::Call>(operands[i]);
      if (source != nullptr && module_.at(source->callee).isPart) {
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
      if (file) keyed(home.tasks[called_[maker.index()]]);
      scratch_ = filePlace(maker, madeBy, output);
      if (file ? text.find(scratch_) != text.npos : reads(text, madeBy, "parameters", output)) continue;
      differ(task.node, fmt::format("`{}` is not output `{}` of `{}`", name, output, madeBy));
    }
    const Manifest* const outer = std::exchange(manifest_, document);
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
  }

  /// A part takes all outputs of another as they are.
  void bundleArguments(const Dag::Task& task, const Dag& home, NodeId source, std::string_view name) {
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

  /// A step whose files another part reads puts them where that looks for them.
  void keyed(const Dag::Task& task) {
    if (argument(task.arguments, "key")["value"].text().ends_with(fmt::format("/{}", task.name)))
      return;
    differ(task.node,
           fmt::format("`{}` does not put its files where another part looks for them", task.name));
  }

  /// How the place of a file ends that a step leaves for other parts.
  std::string filePlace(NodeId step, std::string_view task, std::string_view name) const {
    for (const ir::OutputDef& output :
         module_.at(std::get<ir::Step>(node(step).payload).task).outputs) {
      if (output.name != name) continue;
      return fmt::format("/{}/{}/{}{}", task, name, output.path.empty() ? output.name : output.path,
                         module_.types.kind(output.type) == TypeKind::Dir ? ".tgz" : "");
    }
    return {};
  }

  /// The one task of a part's entry passes each input on under its own name.
  void inputsOfPart(const Dag::Task& task) {
    for (YamlNode p = task.arguments["parameters"].first(); p.exists(); p = p.next()) {
      const std::string_view name = p["name"].text();
      const std::string_view text = p["value"].text();
      const bool folder = name == "folder" && text.ends_with("{{workflow.uid}}");
      if (folder || text == fmt::format("{{{{workflow.parameters.{}}}}}", name)) continue;
      differ(p, fmt::format("input `{}` of a part is not passed on", name));
    }
  }

  /// Each value that a part gives, in order, is there under its name, and made by its step.
  void partOutputs(const Template& t, const ir::FuncDef& func) {
    const NodeId record = module_.at(func.body).results[0];
    const auto values = module_.operands(node(record));
    const std::vector<ir::TypeField>& fields = module_.types[func.result].fields;
    YamlNode output = t.node["outputs"]["parameters"].first();
    std::size_t at = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
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
      scratch_ = filePlace(maker, madeBy, name);
      const bool file = isFile(module_.types.kind(node(values[i]).type));
      if (file) keyed(t.dag.tasks[called_[maker.index()]]);
      if (file ? rest.find(scratch_) != rest.npos : reads(rest, madeBy, "parameters", name)) continue;
      differ(t.node, fmt::format("output `{}` of `{}` is not `{}` of `{}`", fields[i].name, func.name,
                                 name, madeBy));
    }
  }

  /// Where a value is a field of what another part gives: how an expression reads it; else nothing.
  std::string partField(const Dag& home, NodeId operand) const {
    const auto* field = std::get_if<ir::Field>(&node(operand).payload);
    if (field == nullptr || field->ofEach || field->optional) return {};
    const NodeId maker = module_.operands(node(operand))[0];
    const ir::Node& n = node(maker);
    const auto* call = std::get_if<ir::Call>(&n.payload);
    const auto bundle = bundles_.find(maker);
    std::string holder;
    ir::FuncId part;
    if (call != nullptr && module_.at(call->callee).isPart &&
        called_[maker.index()] != Dag::kNone) {
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

  /// Where a value is a list of outputs of steps, or of lists from other parts: the first that
  /// `text` does not read in its turn; else nothing.
  std::string_view missing(const Dag& home, NodeId user, NodeId operand, std::string_view text) {
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

  YamlNode only(const Template& t, std::string_view taskName) {
    const std::uint32_t found = t.dag.find(taskName);
    if (found != Dag::kNone) return t.dag.tasks[found].node;
    differ(t.node, fmt::format("template `{}` has no task `{}`", t.name, taskName));
    return {};
  }

  void side(const Template& t, std::string_view taskName, std::string_view when, RegionId region) {
    if (!stepful_[region.index()]) return;
    const YamlNode task = only(t, taskName);
    if (!task.exists()) return;
    if (task["when"].text() != fmt::format("{{{{inputs.parameters.condition}}}} == {}", when)) {
      differ(task, fmt::format("`{}` has not its condition", taskName));
    }
    dag(find(task, task["template"].text()), region);
  }

  // ---- values
  static YamlNode argument(YamlNode arguments, std::string_view name) {
    for (YamlNode p = arguments["parameters"].first(); p.exists(); p = p.next()) {
      if (p["name"].text() == name) return p;
    }
    return {};
  }

  void sameValue(YamlNode at, std::string_view text, const ir::Value& value, ir::TypeId type,
                 std::string_view name) {
    std::string error;
    const auto read = ir::fromJson(text, type, module_.types, error);
    if (!read || !(*read == value)) {
      differ(at, fmt::format("`{}` is `{}`, not `{}`", name, text.substr(0, 80),
                             ir::toJson(value).substr(0, 80)));
    }
  }

  /// Gives the argument's text.
  std::string_view constant(YamlNode task, YamlNode arguments, std::string_view name,
                            NodeId operand) {
    const YamlNode given = argument(arguments, name);
    if (!given.exists()) {
      differ(task, fmt::format("`{}` is not given", name));
      return {};
    }
    const std::string_view text = given["value"].text();
    const ir::Value* value = module_.constant(operand);
    if (value == nullptr) return text;
    if (text.find("{{") != std::string_view::npos) {
      differ(given, fmt::format("`{}` is computed, but it is a constant", name));
    } else {
      sameValue(given, text, *value, node(operand).type, name);
    }
    return text;
  }

  static bool isFile(TypeKind kind) {
    return kind == TypeKind::File || kind == TypeKind::Dir || kind == TypeKind::Table;
  }
  bool holdsFiles(ir::TypeId type) const {
    return module_.types.holds(type, TypeKind::File) || module_.types.holds(type, TypeKind::Dir);
  }

  /// Where a value is one output of one step of the same DAG: the two, else no name.
  std::pair<NodeId, std::string_view> outputOf(NodeId user, NodeId operand) const {
    const auto* field = std::get_if<ir::Field>(&node(operand).payload);
    if (field == nullptr || field->ofEach || field->optional) return {};
    const NodeId maker = module_.operands(node(operand))[0];
    if (!std::holds_alternative<ir::Step>(node(maker).payload) ||
        node(maker).region != node(user).region)
      return {};
    return {maker, module_.at(field->name)};
  }

  /// Whether `text` reads that output, in one of the ways in which Argo lets it be written.
  bool reads(std::string_view text, std::string_view task, std::string_view kind,
             std::string_view output) {
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

  void arguments(NodeId id, const Dag& home, const Dag::Task& task, YamlNode given,
                 const ir::TaskDef& def) {
    const auto operands = module_.operands(node(id));
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const ir::ParamDef& param = def.params[i];
      const TypeKind kind = module_.types.kind(param.type);
      const bool file = isFile(kind);
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
      const auto [maker, output] = outputOf(id, operands[i]);
      if (file && !maker.valid())
        chosen(id, operands[i], home, task, fileKey(given, param.name), param.name);
      if (!maker.valid() || called_[maker.index()] == Dag::kNone) continue;
      if (file) text = fileFrom(given, param.name);
      const std::string_view madeBy = home.tasks[called_[maker.index()]].name;
      if (reads(text, madeBy, file ? "artifacts" : "parameters", output)) continue;
      differ(task.node, fmt::format("{}`{}` is not output `{}` of `{}`", file ? "file " : "",
                                    param.name, output, madeBy));
    }
  }

  /// Where an expression chooses a file, its key is made of those of all that it may be.
  void chosen(NodeId user, NodeId operand, const Dag& home, const Dag::Task& task,
              std::string_view key, std::string_view name) {
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

  static std::string_view fileFrom(YamlNode given, std::string_view name) {
    for (YamlNode a = given["artifacts"].first(); a.exists(); a = a.next()) {
      if (a["name"].text() == name) return a["from"].text();
    }
    return {};
  }

  static std::string_view fileKey(YamlNode given, std::string_view name) {
    for (YamlNode a = given["artifacts"].first(); a.exists(); a = a.next()) {
      if (a["name"].text() == name) return a["s3"]["key"].text();
    }
    return {};
  }

  void workflowArguments(YamlNode spec, const ir::FuncDef& entry) {
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

  /// Values that the workflow gives, each from the step or the part that makes it.
  void workflowOutputs(const Template& t, const ir::FuncDef& entry) {
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

  static constexpr std::uint32_t kMaxFields = 64;
  static constexpr std::uint32_t kNoFields = 0xffffffffU;

  const ir::Module& module_;
  const EmitOptions& options_;
  const Bundle& bundle_;
  const Manifest* manifest_;  ///< the document at hand
  DiagnosticSink& diags_;
  bool ok_ = true;
  ForAllTasks all_;
  std::size_t depth_ = 0;
  std::vector<bool> stepful_;
  std::map<NodeId, ir::FuncId> bundles_;  ///< parameters of parts: the part whose result they are
  /// By a part's body and a field of its result: the output that it is in.
  std::map<std::pair<RegionId, std::string_view>, std::string_view> chunks_;
  std::set<std::pair<const Template*, std::uint32_t>> compared_;
  std::pair<const Template*, std::uint32_t> lastCompared_{};
  /// Called workflows, each once a document, and the templates of their `finally`.
  std::set<std::pair<const Manifest*, std::uint32_t>> functions_;
  std::map<std::pair<const Manifest*, std::uint32_t>, const Template*> exits_;

  std::vector<std::uint32_t> marks_;  ///< a node: the last look for makers that came by
  std::uint32_t mark_ = 0;
  std::vector<std::uint32_t> called_;  ///< a node: its task in its DAG
  std::vector<Part> parts_;            // scratch, as the next ones
  std::vector<Fields> fields_;
  std::vector<NodeId> must_, may_, todo_;
  std::vector<std::uint32_t> wanted_;
  std::string scratch_;
};

}  // namespace

bool compareWithModule(const ir::Module& module, const EmitOptions& options,
                       const Bundle& bundle, DiagnosticSink& diags) {
  return Comparer(module, options, bundle, diags).run();
}

}  // namespace couler::backends::argo

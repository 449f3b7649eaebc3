#include "backends/argo/compare.h"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
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

class Comparer {
 public:
  Comparer(const ir::Module& module, const EmitOptions& options, const YamlDocument& document,
           DiagnosticSink& diags)
      : module_(module), options_(options), document_(document), diags_(diags) {}

  bool run() {
    const YamlNode spec = document_.root()["spec"];
    for (YamlNode t = spec["templates"].first(); t.exists(); t = t.next())
      templates_[t["name"].text()] = t;
    if (!module_.entry.valid()) return ok_;
    if (options_.target != nullptr) {
      for (const auto& [name, value] : options_.target->settings) {
        if (name == "image") {
          if (const auto* text = module_.at(value).as<std::string>()) image_ = *text;
        }
      }
    }
    findSteps();
    const ir::FuncDef& entry = module_.at(module_.entry);
    workflowArguments(spec, entry);
    dag(find(spec, spec["entrypoint"].text()), entry.body);
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
  YamlNode find(YamlNode at, std::string_view name) {
    const auto found = templates_.find(name);
    if (found != templates_.end()) return found->second;
    differ(at, fmt::format("there is no template `{}`", name));
    return {};
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
  bool makesTask(NodeId id) const {
    const ir::Node& n = node(id);
    if (std::holds_alternative<ir::Step>(n.payload) || std::holds_alternative<ir::Call>(n.payload))
      return true;
    for (const RegionId r : module_.regionsOf(n)) {
      if (stepful_[r.index()]) return true;
    }
    return false;
  }
  std::string name(NodeId id) const {
    const ir::Node& n = node(id);
    if (n.name.valid()) return std::string(module_.at(n.name));
    if (const auto* step = std::get_if<ir::Step>(&n.payload)) return module_.at(step->task).name;
    if (const auto* call = std::get_if<ir::Call>(&n.payload)) return module_.at(call->callee).name;
    if (std::holds_alternative<ir::For>(n.payload)) return "for";
    if (std::holds_alternative<ir::If>(n.payload)) return "if";
    return std::holds_alternative<ir::Loop>(n.payload) ? "loop" : "try";
  }

  /// The nodes with tasks that a value is made of, whatever region they are in. `exact`: only those
  /// that it cannot be made without; else all that are in sight.
  void makers(NodeId first, bool exact, std::vector<NodeId>& out) {
    std::vector<std::pair<NodeId, std::vector<std::string>>> todo = {{first, {}}};
    std::unordered_set<NodeId> seen;
    while (!todo.empty()) {
      auto [id, path] = std::move(todo.back());
      todo.pop_back();
      const ir::Node& n = node(id);
      if (path.empty() && !seen.insert(id).second) continue;
      if (makesTask(id)) {
        out.push_back(id);
        continue;
      }
      const auto* field = std::get_if<ir::Field>(&n.payload);
      const auto* op = std::get_if<ir::Op>(&n.payload);
      if (field != nullptr && exact && !field->ofEach && path.size() < 64) {
        path.insert(path.begin(), std::string(module_.at(field->name)));
        todo.emplace_back(module_.operands(n)[0], std::move(path));
        continue;
      }
      if (op != nullptr && op->op == ir::Builtin::MakeRecord && exact && !path.empty()) {
        if (const auto index = module_.types.fieldIndex(n.type, path[0])) {
          path.erase(path.begin());
          todo.emplace_back(module_.operands(n)[*index], std::move(path));
          continue;
        }
      }
      for (const NodeId operand : module_.operands(n))
        todo.emplace_back(operand, std::vector<std::string>());
      for (const RegionId r : module_.regionsOf(n)) {
        for (const NodeId result : module_.at(r).results)
          todo.emplace_back(result, std::vector<std::string>());
      }
    }
  }

  /// Tasks of `home` that the task of `id` waits for: at least `must`, at most `may`.
  void edges(NodeId id, RegionId home, std::set<NodeId>& must, std::set<NodeId>& may) {
    std::vector<NodeId> todo = {id};
    while (!todo.empty()) {
      const NodeId at = todo.back();
      todo.pop_back();
      const ir::Node& n = node(at);
      const bool step = std::holds_alternative<ir::Step>(n.payload) ||
                        std::holds_alternative<ir::Call>(n.payload);
      std::vector<NodeId> needed, seen;
      for (const NodeId operand : module_.operands(n)) {
        if (step) makers(operand, true, needed);
        makers(operand, false, seen);
      }
      for (const NodeId before : module_.order(n)) {
        makers(before, false, step ? needed : seen);
        makers(before, false, seen);
      }
      for (const NodeId m : needed) {
        if (node(m).region == home && m != id) must.insert(m);
      }
      for (const NodeId m : seen) {
        if (node(m).region == home && m != id) may.insert(m);
      }
      for (const RegionId r : module_.regionsOf(n)) {
        for (const NodeId inner : module_.at(r).nodes) {
          if (!std::holds_alternative<std::monostate>(node(inner).payload)) todo.push_back(inner);
        }
        for (const NodeId result : module_.at(r).results) {
          std::vector<NodeId> given;
          makers(result, false, given);
          for (const NodeId m : given) {
            if (node(m).region == home && m != id) may.insert(m);
          }
        }
      }
    }
  }

  void dag(YamlNode t, RegionId region) {
    if (!t.exists()) return;
    if (++depth_ > 100) {
      --depth_;
      return;
    }
    if (t["dag"]["failFast"].text() != "false") {
      differ(t, "a failed step must not stop the others: `failFast: false` is missing");
    }
    std::unordered_map<std::string_view, YamlNode> tasks;
    for (YamlNode task = t["dag"]["tasks"].first(); task.exists(); task = task.next())
      tasks[task["name"].text()] = task;
    NameTable names;
    std::unordered_map<NodeId, std::string> called;
    std::size_t count = 0;
    for (const NodeId id : module_.at(region).nodes) {
      if (std::holds_alternative<std::monostate>(node(id).payload) || !makesTask(id)) continue;
      ++count;
      const std::string taskName = names.unique(name(id));
      called[id] = taskName;
      const auto found = tasks.find(taskName);
      if (found == tasks.end()) {
        differ(t, fmt::format("step `{}` is missing", taskName));
        continue;
      }
      const YamlNode task = found->second;
      std::set<NodeId> must, may;
      edges(id, region, must, may);
      std::set<std::string_view> waits;
      for (YamlNode d = task["dependencies"].first(); d.exists(); d = d.next())
        waits.insert(d.text());
      for (const NodeId m : must) {
        if (!waits.contains(called[m]))
          differ(task, fmt::format("`{}` must wait for `{}`", taskName, called[m]));
      }
      std::set<std::string_view> allowed;
      for (const NodeId m : may) allowed.insert(called[m]);
      for (const std::string_view w : waits) {
        if (!allowed.contains(w))
          differ(task, fmt::format("`{}` need not wait for `{}`", taskName, w));
      }
      compareNode(id, task);
    }
    if (tasks.size() != count)
      differ(t, fmt::format("there are {} tasks where the workflow has {} steps", tasks.size(),
                            count));
    --depth_;
  }

  void compareNode(NodeId id, YamlNode task) {
    const ir::Node& n = node(id);
    const YamlNode t = find(task, task["template"].text());
    if (!t.exists()) return;
    if (const auto* step = std::get_if<ir::Step>(&n.payload)) {
      if (task["when"].exists() || task["withParam"].exists() || task["continueOn"].exists()) {
        differ(task,
               "this step has a condition, a fan-out or leave to fail that the workflow does not "
               "give it");
      }
      arguments(id, task, module_.at(step->task));
      if (compared_.insert({t.line(), step->task.index()}).second)
        container(t, module_.at(step->task));
      return;
    }
    if (const auto* call = std::get_if<ir::Call>(&n.payload)) {
      if (functions_.insert(call->callee.index()).second) dag(t, module_.at(call->callee).body);
      return;
    }
    if (const auto* loop = std::get_if<ir::For>(&n.payload)) {
      const YamlNode each = only(t, "each");
      if (!each["withParam"].exists()) differ(t, "a fan-out without `withParam`");
      dag(find(each, each["template"].text()), loop->body);
      return;
    }
    if (const auto* branch = std::get_if<ir::If>(&n.payload)) {
      side(t, "then", "true", branch->then);
      if (branch->otherwise.valid()) side(t, "otherwise", "false", branch->otherwise);
      return;
    }
    if (const auto* loop = std::get_if<ir::Loop>(&n.payload)) {
      const YamlNode body = only(t, "body"), again = only(t, "again");
      if (again["template"].text() != t["name"].text())
        differ(t, "a loop that does not call itself");
      if (again["when"].text().find("'stop'") == std::string_view::npos)
        differ(t, "a loop that looks at no end");
      constant(task, "limit", module_.operands(n)[1]);
      dag(find(body, body["template"].text()), loop->body);
      return;
    }
    if (const auto* attempt = std::get_if<ir::Try>(&n.payload)) {
      const YamlNode body = only(t, "body");
      if (body["continueOn"]["failed"].text() != "true" ||
          body["continueOn"]["error"].text() != "true") {
        differ(t, "a `try` whose steps may not fail");
      }
      dag(find(body, body["template"].text()), attempt->body);
    }
  }

  YamlNode only(YamlNode t, std::string_view name) {
    for (YamlNode task = t["dag"]["tasks"].first(); task.exists(); task = task.next()) {
      if (task["name"].text() == name) return task;
    }
    differ(t, fmt::format("template `{}` has no task `{}`", t["name"].text(), name));
    return {};
  }

  void side(YamlNode t, std::string_view taskName, std::string_view when, RegionId region) {
    if (!stepful_[region.index()]) return;
    const YamlNode task = only(t, taskName);
    if (!task.exists()) return;
    if (task["when"].text() != fmt::format("{{{{inputs.parameters.condition}}}} == {}", when)) {
      differ(task, fmt::format("`{}` has not its condition", taskName));
    }
    dag(find(task, task["template"].text()), region);
  }

  YamlNode argument(YamlNode task, std::string_view name) {
    for (YamlNode p = task["arguments"]["parameters"].first(); p.exists(); p = p.next()) {
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

  void constant(YamlNode task, std::string_view name, NodeId operand) {
    const ir::Value* value = module_.constant(operand);
    const YamlNode given = argument(task, name);
    if (!given.exists()) return differ(task, fmt::format("`{}` is not given", name));
    const bool tagged = given["value"].text().find("{{") != std::string_view::npos;
    if (value == nullptr) return;
    if (tagged) return differ(given, fmt::format("`{}` is computed, but it is a constant", name));
    sameValue(given, given["value"].text(), *value, node(operand).type, name);
  }

  static bool isFile(TypeKind kind) {
    return kind == TypeKind::File || kind == TypeKind::Dir || kind == TypeKind::Table;
  }
  bool holdsFiles(ir::TypeId type) const {
    return module_.types.holds(type, TypeKind::File) || module_.types.holds(type, TypeKind::Dir);
  }

  void arguments(NodeId id, YamlNode task, const ir::TaskDef& def) {
    const auto operands = module_.operands(node(id));
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const ir::ParamDef& param = def.params[i];
      const TypeKind kind = module_.types.kind(param.type);
      if (kind == TypeKind::Secret || holdsFiles(param.type)) continue;
      constant(task, param.name, operands[i]);
      NodeId operand = operands[i];
      // Where the value is one output of one step, that very output must be named.
      const auto* field = std::get_if<ir::Field>(&node(operand).payload);
      if (field == nullptr || field->ofEach || field->optional) continue;
      const NodeId maker = module_.operands(node(operand))[0];
      if (!std::holds_alternative<ir::Step>(node(maker).payload) ||
          node(maker).region != node(id).region)
        continue;
      const std::string output(module_.at(field->name));
      const std::string_view text = argument(task, param.name)["value"].text();
      if (text.find(".parameters." + output + "}}") == std::string_view::npos &&
          text.find("'" + output + "'") == std::string_view::npos) {
        differ(task, fmt::format("`{}` is not output `{}`", param.name, output));
      }
    }
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (!isFile(module_.types.kind(def.params[i].type))) continue;
      const auto* field = std::get_if<ir::Field>(&node(operands[i]).payload);
      if (field == nullptr) continue;
      const NodeId maker = module_.operands(node(operands[i]))[0];
      if (!std::holds_alternative<ir::Step>(node(maker).payload) ||
          node(maker).region != node(id).region)
        continue;
      bool found = false;
      for (YamlNode a = task["arguments"]["artifacts"].first(); a.exists(); a = a.next()) {
        if (a["name"].text() != def.params[i].name) continue;
        found =
            a["from"].text().ends_with(fmt::format(".artifacts.{}}}}}", module_.at(field->name)));
      }
      if (!found)
        differ(task, fmt::format("file `{}` is not output `{}`", def.params[i].name,
                                 module_.at(field->name)));
    }
  }

  void workflowArguments(YamlNode spec, const ir::FuncDef& entry) {
    for (const ir::ParamDef& param : entry.params) {
      if (module_.types.kind(param.type) == TypeKind::Secret || holdsFiles(param.type) ||
          module_.types.kind(param.type) == TypeKind::Record) {
        continue;
      }
      const YamlNode given = argument(spec, param.name);
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

  std::string_view variable(YamlNode container, std::string_view name) {
    for (YamlNode e = container["env"].first(); e.exists(); e = e.next()) {
      if (e["name"].text() == name) return e["value"].text();
    }
    return {};
  }

  void container(YamlNode t, const ir::TaskDef& task) {
    const YamlNode c = t["container"];
    if (!c.exists()) return differ(t, fmt::format("`{}` is no container", task.name));
    const auto same = [&](std::string_view what, std::string_view found, std::string_view wanted) {
      if (found != wanted)
        differ(t, fmt::format("{} of `{}` is `{}`, not `{}`", what, task.name, found.substr(0, 80),
                              wanted.substr(0, 80)));
    };
    same("the image", c["image"].text(),
         task.image.empty() ? std::string_view(image_) : std::string_view(task.image));
    same("the timeout", t["activeDeadlineSeconds"].text(),
         task.timeout.micros > 0 ? fmt::format("{}", wholeSeconds(task.timeout)) : "");
    same("the number of retries", t["retryStrategy"]["limit"].text(),
         task.retry.limit > 0 ? fmt::format("{}", task.retry.limit) : "");
    if (task.retry.limit > 0 && task.retry.backoff.micros > 0) {
      same("the wait before a retry", t["retryStrategy"]["backoff"]["duration"].text(),
           goDuration(task.retry.backoff));
    }
    const bool picky = !task.retry.on.empty() || !task.retry.exitCodes.empty();
    const bool all =
        task.retry.exitCodes.empty() &&
        std::set<ir::FailureClass>(task.retry.on.begin(), task.retry.on.end()).size() == 4;
    if (task.retry.limit > 0 && (picky && !all) != t["retryStrategy"]["expression"].exists()) {
      differ(t, fmt::format("`{}` is not retried for what it should be", task.name));
    }
    for (const std::int64_t code : task.retry.exitCodes) {
      if (t["retryStrategy"]["expression"].text().find(fmt::format("'{}'", code)) ==
          std::string_view::npos) {
        differ(t, fmt::format("`{}` is not retried for exit code {}", task.name, code));
      }
    }
    for (const char* kind : {"requests", "limits"}) {
      const YamlNode r = c["resources"][kind];
      same("cpu", r["cpu"].text(), cpuQuantity(task.cpu));
      same("memory", r["memory"].text(), task.memory > 0 ? bytesQuantity(task.memory) : "");
      same("disk", r["ephemeral-storage"].text(), task.disk > 0 ? bytesQuantity(task.disk) : "");
    }
    same("gpu", c["resources"]["limits"]["nvidia.com/gpu"].text(),
         task.gpu > 0 ? fmt::format("{}", task.gpu) : "");

    for (YamlNode word = c["command"].first(); word.exists(); word = word.next()) {
      if (word.text().find("{{") != std::string_view::npos) differ(word, "a tag inside a command");
    }
    if (task.run != ir::RunKind::Argv) {
      const std::string_view plain = variable(c, "COULER_SCRIPT");
      const std::string_view coded = variable(c, "COULER_SCRIPT_B64");
      if (plain != escapeDollar(task.script) && coded != base64(task.script)) {
        differ(t, fmt::format("the script of `{}` is another", task.name));
      }
    } else if (variable(c, "COULER_ARGV").empty()) {
      std::vector<std::string> words;
      for (const ir::TaskDef::Word& word : task.argv) {
        const ir::Value* value = module_.constant(module_.at(task.exprs).results[word.result]);
        words.push_back(value == nullptr ? std::string() : escapeDollar(ir::toText(*value)));
      }
      std::vector<std::string> found;
      std::size_t skip = 4;  // the launcher
      for (YamlNode word = c["command"].first(); word.exists(); word = word.next()) {
        if (skip != 0) {
          --skip;
        } else {
          found.emplace_back(word.text());
        }
      }
      if (words != found) differ(t, fmt::format("the words of `{}` are others", task.name));
    } else {
      // Constant words are among the coded ones, in order.
      std::size_t at = 0;
      const std::string_view coded = variable(c, "COULER_ARGV");
      for (const ir::TaskDef::Word& word : task.argv) {
        const ir::Value* value = module_.constant(module_.at(task.exprs).results[word.result]);
        if (value == nullptr || word.spread) continue;
        const std::string token = "w" + base64(ir::toText(*value));
        at = coded.find(token, at);
        if (at == std::string_view::npos) {
          differ(t, fmt::format("the words of `{}` are others", task.name));
          break;
        }
        at += token.size();
      }
    }
    for (const ir::ParamDef& param : task.params) {
      if (module_.types.kind(param.type) == TypeKind::Secret) continue;
      bool found = false;
      for (const char* kind : {"parameters", "artifacts"}) {
        for (YamlNode i = t["inputs"][kind].first(); i.exists(); i = i.next())
          found = found || i["name"].text() == param.name;
      }
      if (!found) differ(t, fmt::format("`{}` has no input `{}`", task.name, param.name));
    }
    for (const ir::OutputDef& output : task.outputs) {
      const char* kind = output.from == ir::OutputFrom::Path ? "artifacts" : "parameters";
      bool found = false;
      for (YamlNode o = t["outputs"][kind].first(); o.exists(); o = o.next())
        found = found || o["name"].text() == output.name;
      if (!found) differ(t, fmt::format("`{}` has no output `{}`", task.name, output.name));
    }
  }

  const ir::Module& module_;
  const EmitOptions& options_;
  const YamlDocument& document_;
  DiagnosticSink& diags_;
  bool ok_ = true;
  std::string image_;
  std::size_t depth_ = 0;
  std::vector<bool> stepful_;
  std::unordered_map<std::string_view, YamlNode> templates_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> compared_;
  std::set<std::uint32_t> functions_;
};

}  // namespace

bool compareWithModule(const ir::Module& module, const EmitOptions& options,
                       const YamlDocument& document, DiagnosticSink& diags) {
  return Comparer(module, options, document, diags).run();
}

}  // namespace couler::backends::argo

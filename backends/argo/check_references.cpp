#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "backends/argo/check.h"
#include "backends/argo/tags.h"
#include "backends/names.h"
#include "support/text.h"

namespace couler::backends::argo {
namespace {

class ReferenceChecker {
 public:
  ReferenceChecker(const Manifest& manifest, DiagnosticSink& diags)
      : manifest_(manifest), diags_(diags) {}

  bool run() {
    declarations();
    const YamlNode spec = manifest_.spec();
    if (spec["workflowTemplateRef"].exists()) return ok_;
    if (!spec["entrypoint"].exists()) field(spec, "`spec` lacks `entrypoint`");
    for (const char* place : {"entrypoint", "onExit"}) {
      const YamlNode name = spec[place];
      if (name.exists() && manifest_.find(name.text()) == nullptr) noTemplate(name, name.text());
    }
    arguments(spec);
    for (const Template& t : manifest_.templates()) checkTemplate(t);
    return ok_;
  }

 private:
  void field(YamlNode at, std::string_view what) {
    diags_.take(diagnose<Diag::SpecField>({}, at.line(), what));
    ok_ = false;
  }
  void reference(YamlNode at, std::string_view what) {
    diags_.take(diagnose<Diag::SpecReference>({}, at.line(), what));
    ok_ = false;
  }

  void noTemplate(YamlNode at, std::string_view name) {
    std::vector<std::string_view> all;
    for (const Template& t : manifest_.templates()) {
      if (all.size() == 1000) break;
      all.push_back(t.name);
    }
    const auto near = nearest(name, all);
    reference(at, fmt::format("there is no template `{}`{}", name,
                              near ? fmt::format("; did you mean `{}`?", *near) : ""));
  }

  void templateName(YamlNode at, std::string_view name) {
    if (isDnsLabel(name)) return;
    field(at, fmt::format("`{}` is no name for a template: small letters, digits and `-`, at most "
                          "63",
                          name));
  }

  void declarations() {
    for (const Manifest::Declaration& bad : manifest_.badDeclarations()) {
      field(bad.node, bad.name.empty() ? std::string("a parameter or artifact without `name`")
                                       : fmt::format("`{}` is declared twice", bad.name));
    }
    for (const Template& t : manifest_.templates()) templateName(t.node, t.name);
    for (const YamlNode t : manifest_.repeated()) {
      templateName(t, t["name"].text());
      field(t, fmt::format("there are two templates `{}`", t["name"].text()));
    }
  }

  void arguments(YamlNode spec) {
    const Template* entry = manifest_.find(spec["entrypoint"].text());
    if (entry == nullptr) return;
    for (const char* kind : {"parameters", "artifacts"}) {
      for (YamlNode p = spec["arguments"][kind].first(); p.exists(); p = p.next())
        workflow_.insert(p["name"].text());
    }
    for (const auto* list : {&entry->mustGive, &entry->mustGiveArtifacts}) {
      for (const std::string_view name : *list) {
        if (workflow_.contains(name)) continue;
        reference(entry->node, fmt::format("input `{}` of the entry is not among the workflow's "
                                           "arguments",
                                           name));
      }
    }
  }

  // ---- variables
  struct Context {
    const Template& in;
    const Dag::Task* task = nullptr;  ///< the one at hand, if any
    bool inDag = false;
    bool fansOut = false;
  };

  void tags(YamlNode at, std::string_view text, const Context& context) {
    if (text.find("{{") == std::string_view::npos) return;
    scanner_.scanTags(text);
    resolveAll(at, context);
  }
  void expression(YamlNode at, std::string_view text, const Context& context) {
    scanner_.scanExpression(text);
    resolveAll(at, context);
  }
  void resolveAll(YamlNode at, const Context& context) {
    if (!scanner_.error().empty()) reference(at, scanner_.error());
    for (std::size_t i = 0; i < scanner_.size(); ++i) resolve(at, scanner_[i], context);
  }

  void resolve(YamlNode at, const TagRef& ref, const Context& context) {
    const auto part = ref.parts;
    const auto unknown = [&] {
      reference(at, fmt::format("nothing is called `{}` here", ref.text));
    };
    const std::string_view head = part[0];
    if (head == "tasks") return resolveTask(at, ref, context);
    if (head == "inputs") {
      if (part.size() < 3) return;
      const bool known = part[1] == "artifacts"    ? context.in.inputArtifacts.contains(part[2])
                         : part[1] == "parameters" ? context.in.inputParameters.contains(part[2])
                                                   : false;
      if (!known) unknown();
      return;
    }
    if (head == "item") {
      if (!context.fansOut) reference(at, "`item` stands outside a fan-out");
      return;
    }
    if (head == "workflow") {
      if (part.size() >= 3 && part[1] == "parameters" && part[2] != "json" &&
          !workflow_.contains(part[2])) {
        reference(at, fmt::format("the workflow has no parameter `{}`", part[2]));
      }
      return;
    }
    constexpr std::string_view kOther[] = {
        "steps",    "outputs",           "pod",          "node",
        "retries",  "lastRetry",         "status",       "duration",
        "exitCode", "resourcesDuration", "cronworkflow", "sprig"};
    if (std::find(std::begin(kOther), std::end(kOther), head) == std::end(kOther)) unknown();
  }

  void resolveTask(YamlNode at, const TagRef& ref, const Context& context) {
    const auto part = ref.parts;
    if (part.size() == 2 && part[1] == "name") return;
    if (!context.inDag || part.size() < 2) {
      return reference(at, fmt::format("nothing is called `{}` here", ref.text));
    }
    const Dag& dag = context.in.dag;
    const Dag::Task* used = nullptr;
    if (context.task !=
        nullptr) {  // mostly it is one that the task waits for, after the one found last
      const auto waits = dag.waits(*context.task);
      for (std::size_t i = 0; i < waits.size() && used == nullptr; ++i) {
        if (++lastWait_ >= waits.size()) lastWait_ = 0;
        if (sameText(dag.tasks[waits[lastWait_]].name, part[1]))
          used = &dag.tasks[waits[lastWait_]];
      }
    }
    if (used == nullptr) {
      const std::uint32_t found = dag.find(part[1]);
      if (found == Dag::kNone) {
        return reference(at, fmt::format("there is no task `{}`", part[1]));
      }
      used = &dag.tasks[found];
      if (context.task != nullptr && part[1] != context.task->name &&
          !reaches(dag, *context.task, found)) {
        reference(at, fmt::format("`{}` uses `{}` but does not depend on it", context.task->name,
                                  part[1]));
      }
    }
    if (part.size() < 5 || part[2] != "outputs" || used->callee == nullptr) return;
    const bool artifact = part[3] == "artifacts";
    if (!artifact && part[3] != "parameters") return;
    const NameSet& outputs =
        artifact ? used->callee->outputArtifacts : used->callee->outputParameters;
    if (!outputs.contains(part[4])) {
      reference(at, fmt::format("task `{}` has no output `{}`", part[1], part[4]));
    }
  }

  /// Whether a task waits for another, directly or not.
  bool reaches(const Dag& dag, const Dag::Task& from, std::uint32_t to) {
    std::vector<bool> seen(dag.tasks.size(), false);
    const auto first = dag.waits(from);
    std::vector<std::uint32_t> todo(first.begin(), first.end());
    while (!todo.empty()) {
      const std::uint32_t at = todo.back();
      todo.pop_back();
      if (at == to) return true;
      if (seen[at]) continue;
      seen[at] = true;
      const auto next = dag.waits(dag.tasks[at]);
      todo.insert(todo.end(), next.begin(), next.end());
    }
    return false;
  }

  // ---- arguments of a task
  void given(YamlNode at, YamlNode arguments, const Template& callee, const Context& context) {
    givenParameters(at, arguments["parameters"], callee, context);
    givenArtifacts(at, arguments["artifacts"], callee, context);
  }

  void givenName(YamlNode at, std::string_view name, const NameSet& declared,
                 const Template& callee) {
    if (!given_.insert(name)) field(at, fmt::format("`{}` is given twice", name));
    if (!declared.contains(name)) {
      reference(at, fmt::format("template `{}` has no input `{}`", callee.name, name));
    }
  }
  void missing(YamlNode at, const std::vector<std::string_view>& required, const Template& callee) {
    for (const std::string_view name : required) {
      if (given_.contains(name)) continue;
      reference(at, fmt::format("input `{}` of template `{}` is not given", name, callee.name));
    }
  }

  void givenParameters(YamlNode at, YamlNode list, const Template& callee, const Context& context) {
    given_.clear();
    for (YamlNode p = list.first(); p.exists(); p = p.next()) {
      const std::string_view name = p["name"].text();
      const YamlNode value = p["value"];
      givenName(p, name, callee.inputParameters, callee);
      if (!value.exists() && !p["valueFrom"].exists())
        field(p, fmt::format("`{}` has no value", name));
      tags(p, value.text(), context);
    }
    missing(at, callee.mustGive, callee);
  }

  void givenArtifacts(YamlNode at, YamlNode list, const Template& callee, const Context& context) {
    given_.clear();
    for (YamlNode a = list.first(); a.exists(); a = a.next()) {
      givenName(a, a["name"].text(), callee.inputArtifacts, callee);
      tags(a, a["from"].text(), context);
      if (a["fromExpression"].exists()) expression(a, a["fromExpression"].text(), context);
      tags(a, a["raw"]["data"].text(), context);
      tags(a, a["s3"]["key"].text(), context);
    }
    missing(at, callee.mustGiveArtifacts, callee);
  }

  // ---- templates
  /// Whether no task waits for itself, by way of others.
  static bool acyclic(const Dag& dag) {
    bool ordered = true;  // each after those that it waits for, as the emitter writes them
    for (std::uint32_t i = 0; i < dag.tasks.size(); ++i) {
      const auto waits = dag.waits(dag.tasks[i]);
      ordered = ordered && std::all_of(waits.begin(), waits.end(),
                                       [&](std::uint32_t wait) { return wait < i; });
    }
    if (ordered) return true;
    std::vector<std::vector<std::uint32_t>> then(dag.tasks.size());
    std::vector<std::size_t> left(dag.tasks.size(), 0);
    std::vector<std::uint32_t> ready;
    for (std::uint32_t i = 0; i < dag.tasks.size(); ++i) {
      for (const std::uint32_t wait : dag.waits(dag.tasks[i])) {
        then[wait].push_back(i);
        ++left[i];
      }
      if (left[i] == 0) ready.push_back(i);
    }
    std::size_t done = 0;
    while (!ready.empty()) {
      const std::uint32_t i = ready.back();
      ready.pop_back();
      ++done;
      for (const std::uint32_t next : then[i]) {
        if (--left[next] == 0) ready.push_back(next);
      }
    }
    return done == dag.tasks.size();
  }

  void checkDag(const Template& t) {
    const Dag& dag = t.dag;
    if (dag.tasks.empty()) field(t.node["dag"], "a DAG without tasks");
    for (const Dag::Task& task : dag.tasks) {
      if (isDnsLabel(task.name)) continue;
      field(task.node, fmt::format("`{}` is no name for a task: small letters, digits and `-`, at "
                                   "most 63",
                                   task.name));
    }
    for (const std::uint32_t task : dag.repeated)
      field(dag.tasks[task].node, fmt::format("there are two tasks `{}`", dag.tasks[task].name));
    if (dag.usesDepends && dag.usesDependencies)
      field(t.node, "`depends` and `dependencies` in one DAG");
    for (const auto& [task, name] : dag.unknown) {
      reference(dag.tasks[task].node, fmt::format("task `{}` depends on `{}`, which is not there",
                                                  dag.tasks[task].name, name));
    }
    if (!acyclic(dag))
      reference(t.node, fmt::format("the tasks of `{}` wait for each other in a circle", t.name));
    for (const Dag::Task& task : dag.tasks) checkTask(t, task);
    dagOutputs(t);
  }

  void checkTask(const Template& t, const Dag::Task& task) {
    Context context{t, &task, true, false};
    if (task.plain && task.callee != nullptr) {
      return given(task.node, task.arguments, *task.callee, context);
    }
    const TaskParts parts(task.node);
    context.fansOut =
        parts.withParam.exists() || parts.withItems.exists() || parts.withSequence.exists();
    tags(parts.when, parts.when.text(), context);
    if (parts.withParam.exists()) {
      const std::string_view items = parts.withParam.text();
      tags(parts.withParam, items, context);
      if (items.find("{{") == std::string_view::npos &&
          !nlohmann::json::parse(items, nullptr, false).is_array()) {
        field(parts.withParam, "`withParam` is no JSON list");
      }
    }
    if (parts.templateRef.exists() || parts.inlined.exists()) return;
    if (task.callee == nullptr) {
      noTemplate(task.node, parts.templateName.text());
    } else {
      given(task.node, parts.arguments, *task.callee, context);
    }
    for (YamlNode hook = parts.hooks.first(); hook.exists(); hook = hook.next()) {
      const std::string_view name = hook["template"].text();
      if (const Template* callee = manifest_.find(name)) {
        given(hook, hook["arguments"], *callee, context);
      } else {
        noTemplate(hook, name);
      }
    }
  }

  void dagOutputs(const Template& t) {
    const Context after{t, nullptr, true, false};
    const YamlNode outputs = t.node["outputs"];
    for (YamlNode o = outputs["parameters"].first(); o.exists(); o = o.next()) {
      const YamlNode from = o["valueFrom"];
      if (from["parameter"].exists()) {
        tags(o, from["parameter"].text(), after);
      } else if (from["expression"].exists()) {
        expression(o, from["expression"].text(), after);
      } else {
        field(o,
              fmt::format("output `{}` of a DAG says not where it comes from", o["name"].text()));
      }
    }
    for (YamlNode o = outputs["artifacts"].first(); o.exists(); o = o.next()) {
      tags(o, o["from"].text(), after);
      if (o["fromExpression"].exists()) expression(o, o["fromExpression"].text(), after);
    }
  }

  void checkContainer(const Template& t, YamlNode container) {
    const Context context{t, nullptr, false, false};
    if (!container["image"].exists()) field(container, "a container without `image`");
    NameSet names;
    for (YamlNode e = container["env"].first(); e.exists(); e = e.next()) {
      const std::string_view name = e["name"].text();
      if (!names.insert(name)) field(e, fmt::format("variable `{}` is set twice", name));
      tags(e, e["value"].text(), context);
      tags(e, e["valueFrom"]["secretKeyRef"]["key"].text(), context);
    }
    for (const char* words : {"command", "args"}) {
      for (YamlNode word = container[words].first(); word.exists(); word = word.next())
        tags(word, word.text(), context);
    }
    tags(container["source"], container["source"].text(), context);
    NameSet paths;
    for (const char* side : {"inputs", "outputs"}) {
      for (YamlNode a = t.node[side]["artifacts"].first(); a.exists(); a = a.next()) {
        const std::string_view path = a["path"].text();
        if (path.empty()) {
          field(a, fmt::format("artifact `{}` has no `path`", a["name"].text()));
        } else if (std::string_view(side) == "inputs" && !paths.insert(path)) {
          field(a, fmt::format("two artifacts go to `{}`", path));
        }
        tags(a, path, context);
        tags(a, a["s3"]["key"].text(), context);
      }
    }
  }

  void checkTemplate(const Template& t) {
    constexpr std::string_view kKinds[] = {"container", "containerSet", "dag",      "data",
                                           "http",      "plugin",       "resource", "script",
                                           "steps",     "suspend"};
    std::size_t kinds = 0;
    for (const std::string_view kind : kKinds) kinds += t.node[kind].exists() ? 1 : 0;
    if (kinds != 1) {
      field(t.node, fmt::format("template `{}` must be of one kind, not {}", t.name, kinds));
    }
    if (t.node["dag"].isMap()) checkDag(t);
    if (t.node["container"].isMap()) checkContainer(t, t.node["container"]);
    if (t.node["script"].isMap()) checkContainer(t, t.node["script"]);
    const YamlNode retry = t.node["retryStrategy"];
    if (retry["retryPolicy"].exists()) {
      const std::string_view policy = retry["retryPolicy"].text();
      if (policy != "Always" && policy != "OnFailure" && policy != "OnError" &&
          policy != "OnTransientError") {
        field(retry, fmt::format("`{}` is no retry policy", policy));
      }
    }
  }

  const Manifest& manifest_;
  DiagnosticSink& diags_;
  bool ok_ = true;
  NameSet workflow_;  ///< what it is given when it is submitted
  NameSet given_;     ///< what a task gives: scratch
  TagScanner scanner_;
  std::size_t lastWait_ = 0;
};

}  // namespace

bool checkReferences(const Manifest& manifest, DiagnosticSink& diags) {
  return ReferenceChecker(manifest, diags).run();
}

}  // namespace couler::backends::argo

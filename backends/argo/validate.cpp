#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "backends/argo/argo.h"
#include "backends/argo/compare.h"
#include "backends/argo/fields.h"
#include "backends/argo/tags.h"
#include "backends/names.h"
#include "support/text.h"

namespace couler::backends::argo {
namespace {

using Names = std::unordered_set<std::string_view>;

struct TemplateInfo {
  YamlNode node;
  Names inputParameters, inputArtifacts;   // declared
  std::vector<std::string_view> mustGive;  // parameters without a value of their own
  std::vector<std::string_view> mustGiveArtifacts;
  Names outputParameters, outputArtifacts;
};

class Checker {
 public:
  Checker(const YamlDocument& document, DiagnosticSink& diags)
      : document_(document), diags_(diags) {}

  bool run() {
    const YamlNode root = document_.root();
    if (!root.isMap()) return field(root, "the manifest is no map");
    if (root["kind"].text() != "Workflow" || root["apiVersion"].text() != "argoproj.io/v1alpha1") {
      return field(root, "this is no `Workflow` of `argoproj.io/v1alpha1`");
    }
    object(root, "Root", 0);
    metadata(root["metadata"]);
    const YamlNode spec = root["spec"];
    for (YamlNode t = spec["templates"].first(); t.exists(); t = t.next()) addTemplate(t);
    if (spec["workflowTemplateRef"].exists()) return ok_;
    for (const char* place : {"entrypoint", "onExit"}) {
      const YamlNode name = spec[place];
      if (name.exists()) {
        requireTemplate(name, name.text());
      } else if (std::string_view(place) == "entrypoint") {
        field(spec, "`spec` lacks `entrypoint`");
      }
    }
    arguments(spec);
    for (const auto& name : order_) checkTemplate(templates_.at(name));
    return ok_;
  }

 private:
  bool field(YamlNode at, std::string_view what) {
    diags_.take(diagnose<Diag::SpecField>({}, at.line(), what));
    return ok_ = false;
  }
  bool reference(YamlNode at, std::string_view what) {
    diags_.take(diagnose<Diag::SpecReference>({}, at.line(), what));
    return ok_ = false;
  }

  // ---- fields
  static bool isNumber(std::string_view text) {
    if (text.empty()) return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
      return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
    });
  }
  static bool isBool(std::string_view text) { return text == "true" || text == "false"; }
  static bool readsAsText(YamlNode n) {
    return n.isScalar() && !(n.isBare() && (isNumber(n.text()) || isBool(n.text()) || n.isNull()));
  }

  void shape(YamlNode value, const Field& f, std::size_t depth) {
    const auto wrong = [&](std::string_view wanted) {
      field(value, fmt::format("`{}` must be {}", f.name, wanted));
    };
    switch (f.shape) {
      case Shape::Any:
        return;
      case Shape::Text:
        if (!readsAsText(value)) wrong("a string");
        return;
      case Shape::Number:
        if (!value.isBare() || !isNumber(value.text())) wrong("a number");
        return;
      case Shape::NumberOrText:
        if (!value.isScalar() || value.isNull()) wrong("a number or a string");
        return;
      case Shape::Bool:
        if (!value.isBare() || !isBool(value.text())) wrong("`true` or `false`");
        return;
      case Shape::Map:
        if (!value.isMap()) return wrong("a map");
        if (!f.of.empty()) object(value, f.of, depth + 1);
        return;
      case Shape::List:
        if (!value.isList()) return wrong("a list");
        for (YamlNode item = value.first(); item.exists(); item = item.next()) {
          if (!item.isMap()) {
            field(item, fmt::format("an item of `{}` must be a map", f.name));
          } else if (!f.of.empty()) {
            object(item, f.of, depth + 1);
          }
        }
        return;
      case Shape::TextList:
        if (!value.isList()) return wrong("a list of strings");
        for (YamlNode item = value.first(); item.exists(); item = item.next()) {
          if (!readsAsText(item))
            field(item, fmt::format("an item of `{}` must be a string", f.name));
        }
        return;
      case Shape::TextMap:
        if (!value.isMap()) return wrong("a map of strings");
        for (YamlNode item = value.first(); item.exists(); item = item.next()) {
          if (!readsAsText(item)) field(item, fmt::format("`{}` must be a string", item.key()));
        }
        return;
    }
  }

  void object(YamlNode map, std::string_view kind, std::size_t depth) {
    if (depth > 32) return;
    for (YamlNode value = map.first(); value.exists(); value = value.next()) {
      const Field* f = findField(kind, value.key());
      if (f == nullptr) {
        field(value, fmt::format("argo knows no field `{}` here", value.key()));
      } else {
        shape(value, *f, depth);
      }
    }
  }

  void metadata(YamlNode at) {
    const YamlNode name = at["name"], generate = at["generateName"];
    if (!name.exists() && !generate.exists())
      field(at, "`metadata` has neither `name` nor `generateName`");
    if (name.exists() && name.text().size() > 253)
      field(name, "`name` is longer than 253 characters");
    if (generate.exists() && !isDnsLabel(std::string(generate.text().substr(0, 57)) + "x")) {
      field(generate, fmt::format("`{}` does not begin a name of Kubernetes", generate.text()));
    }
  }

  // ---- templates
  void collect(YamlNode list, Names& names, std::vector<std::string_view>* required,
               bool artifact) {
    for (YamlNode item = list.first(); item.exists(); item = item.next()) {
      const std::string_view name = item["name"].text();
      if (name.empty()) {
        field(item, "a parameter or artifact without `name`");
        continue;
      }
      if (!names.insert(name).second) field(item, fmt::format("`{}` is declared twice", name));
      if (required == nullptr) continue;
      const bool given =
          artifact
              ? item["optional"].text() == "true" || item["raw"].exists() || item["s3"].exists() ||
                    item["http"].exists() || item["git"].exists() || item["gcs"].exists() ||
                    item["oss"].exists() || item["azure"].exists() || item["hdfs"].exists() ||
                    item["artifactory"].exists() || item["plugin"].exists()
              : item["value"].exists() || item["default"].exists() || item["valueFrom"].exists();
      if (!given) required->push_back(name);
    }
  }

  void addTemplate(YamlNode t) {
    const std::string_view name = t["name"].text();
    if (!isDnsLabel(name))
      field(t,
            fmt::format("`{}` is no name for a template: small letters, digits and `-`, at most 63",
                        name));
    TemplateInfo info;
    info.node = t;
    collect(t["inputs"]["parameters"], info.inputParameters, &info.mustGive, false);
    collect(t["inputs"]["artifacts"], info.inputArtifacts, &info.mustGiveArtifacts, true);
    collect(t["outputs"]["parameters"], info.outputParameters, nullptr, false);
    collect(t["outputs"]["artifacts"], info.outputArtifacts, nullptr, true);
    if (!templates_.emplace(name, std::move(info)).second) {
      field(t, fmt::format("there are two templates `{}`", name));
      return;
    }
    order_.push_back(name);
  }

  const TemplateInfo* requireTemplate(YamlNode at, std::string_view name) {
    const auto found = templates_.find(name);
    if (found != templates_.end()) return &found->second;
    std::vector<std::string_view> all = order_;
    if (all.size() > 1000) all.resize(1000);
    const auto near = nearest(name, all);
    reference(at, fmt::format("there is no template `{}`{}", name,
                              near ? fmt::format("; did you mean `{}`?", *near) : ""));
    return nullptr;
  }

  void arguments(YamlNode spec) {
    const auto entry = templates_.find(spec["entrypoint"].text());
    if (entry == templates_.end()) return;
    Names given;
    for (const char* kind : {"parameters", "artifacts"}) {
      for (YamlNode p = spec["arguments"][kind].first(); p.exists(); p = p.next()) {
        workflow_.insert(p["name"].text());
        given.insert(p["name"].text());
      }
    }
    for (const auto& list : {entry->second.mustGive, entry->second.mustGiveArtifacts}) {
      for (const std::string_view name : list) {
        if (!given.contains(name)) {
          reference(
              entry->second.node,
              fmt::format("input `{}` of the entry is not among the workflow's arguments", name));
        }
      }
    }
  }

  struct Context {
    const TemplateInfo* info = nullptr;
    const std::unordered_map<std::string_view, YamlNode>* tasks = nullptr;  // of a DAG
    YamlNode task;  // the one at hand, if any
    bool fansOut = false;
  };

  static const Names& outputs(const TemplateInfo& info, bool artifact) {
    return artifact ? info.outputArtifacts : info.outputParameters;
  }

  void tags(YamlNode at, std::string_view text, const Context& context) {
    const TagScan scan = scanTags(text);
    if (!scan.error.empty()) reference(at, scan.error);
    for (const TagRef& ref : scan.refs) resolve(at, ref, context);
  }
  void expression(YamlNode at, std::string_view text, const Context& context) {
    const TagScan scan = scanExpression(text);
    if (!scan.error.empty()) reference(at, scan.error);
    for (const TagRef& ref : scan.refs) resolve(at, ref, context);
  }

  void resolve(YamlNode at, const TagRef& ref, const Context& context) {
    const auto& part = ref.parts;
    const auto unknown = [&] {
      reference(at, fmt::format("nothing is called `{}` here", ref.text));
    };
    if (part.empty()) return unknown();
    const std::string& head = part[0];
    if (head == "inputs") {
      if (part.size() < 3) return;
      const Names& names =
          part[1] == "artifacts" ? context.info->inputArtifacts : context.info->inputParameters;
      if ((part[1] != "artifacts" && part[1] != "parameters") || !names.contains(part[2]))
        unknown();
      return;
    }
    if (head == "tasks") {
      if (part.size() == 2 && part[1] == "name") return;
      if (context.tasks == nullptr || part.size() < 2) return unknown();
      const auto found = context.tasks->find(part[1]);
      if (found == context.tasks->end()) {
        return static_cast<void>(reference(at, fmt::format("there is no task `{}`", part[1])));
      }
      if (context.task.exists() && part[1] != context.task["name"].text() &&
          !dependsOn(context, part[1])) {
        reference(at, fmt::format("`{}` uses `{}` but does not depend on it",
                                  context.task["name"].text(), part[1]));
      }
      if (part.size() >= 5 && part[2] == "outputs" &&
          (part[3] == "parameters" || part[3] == "artifacts")) {
        const auto made = templates_.find(found->second["template"].text());
        if (made != templates_.end() &&
            !outputs(made->second, part[3] == "artifacts").contains(part[4])) {
          reference(at, fmt::format("task `{}` has no output `{}`", part[1], part[4]));
        }
      }
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
    static const Names kOther = {"steps",    "outputs",           "pod",          "node",
                                 "retries",  "lastRetry",         "status",       "duration",
                                 "exitCode", "resourcesDuration", "cronworkflow", "sprig"};
    if (!kOther.contains(head)) unknown();
  }

  std::vector<std::string_view> dependencies(YamlNode task) {
    std::vector<std::string_view> out;
    for (YamlNode d = task["dependencies"].first(); d.exists(); d = d.next())
      out.push_back(d.text());
    const std::string_view logic = task["depends"].text();
    for (std::size_t i = 0; i < logic.size();) {
      const auto isName = [&](std::size_t k) {
        const char c = logic[k];
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
      };
      if (!isName(i)) {
        ++i;
        continue;
      }
      std::size_t end = i;
      while (end < logic.size() && isName(end)) ++end;
      out.push_back(logic.substr(i, end - i));
      if (end < logic.size() && logic[end] == '.') {  // `.Succeeded`
        ++end;
        while (end < logic.size() && isName(end)) ++end;
      }
      i = end;
    }
    return out;
  }

  bool dependsOn(const Context& context, std::string_view other) {
    std::vector<std::string_view> todo = dependencies(context.task);
    if (std::find(todo.begin(), todo.end(), other) != todo.end()) return true;
    Names seen;
    while (!todo.empty()) {
      const std::string_view name = todo.back();
      todo.pop_back();
      if (name == other) return true;
      if (!seen.insert(name).second) continue;
      const auto found = context.tasks->find(name);
      if (found == context.tasks->end()) continue;
      for (const std::string_view next : dependencies(found->second)) todo.push_back(next);
    }
    return false;
  }

  void given(YamlNode at, YamlNode arguments, const TemplateInfo& callee, const Context& context) {
    for (const bool artifact : {false, true}) {
      const Names& declared = artifact ? callee.inputArtifacts : callee.inputParameters;
      Names names;
      for (YamlNode a = arguments[artifact ? "artifacts" : "parameters"].first(); a.exists();
           a = a.next()) {
        const std::string_view name = a["name"].text();
        if (!names.insert(name).second) field(a, fmt::format("`{}` is given twice", name));
        if (!declared.contains(name)) {
          reference(
              a, fmt::format("template `{}` has no input `{}`", callee.node["name"].text(), name));
        }
        if (artifact) {
          if (a["from"].exists()) tags(a, a["from"].text(), context);
          if (a["fromExpression"].exists()) expression(a, a["fromExpression"].text(), context);
          if (a["raw"].exists() && a["raw"]["data"].text().find("{{") != std::string_view::npos) {
            tags(a, a["raw"]["data"].text(), context);
          }
          if (a["s3"].exists()) tags(a, a["s3"]["key"].text(), context);
        } else {
          if (!a["value"].exists() && !a["valueFrom"].exists())
            field(a, fmt::format("`{}` has no value", name));
          tags(a, a["value"].text(), context);
        }
      }
      for (const std::string_view name : artifact ? callee.mustGiveArtifacts : callee.mustGive) {
        if (!names.contains(name)) {
          reference(at, fmt::format("input `{}` of template `{}` is not given", name,
                                    callee.node["name"].text()));
        }
      }
    }
  }

  void checkDag(const TemplateInfo& info) {
    const YamlNode list = info.node["dag"]["tasks"];
    if (list.size() == 0) field(info.node["dag"], "a DAG without tasks");
    std::unordered_map<std::string_view, YamlNode> tasks;
    tasks.reserve(list.size());
    std::unordered_map<std::string_view, std::size_t> index;
    index.reserve(list.size());
    std::size_t count = 0;
    bool depends = false, dependenciesToo = false;
    for (YamlNode t = list.first(); t.exists(); t = t.next(), ++count) {
      const std::string_view name = t["name"].text();
      if (!isDnsLabel(name))
        field(t,
              fmt::format("`{}` is no name for a task: small letters, digits and `-`, at most 63",
                          name));
      if (!tasks.emplace(name, t).second) field(t, fmt::format("there are two tasks `{}`", name));
      index.emplace(name, count);
      depends = depends || t["depends"].exists();
      dependenciesToo = dependenciesToo || t["dependencies"].exists();
    }
    if (depends && dependenciesToo) field(info.node, "`depends` and `dependencies` in one DAG");

    std::vector<std::size_t> waits(count, 0);
    std::vector<std::vector<std::size_t>> then(count);
    std::size_t at = 0;
    for (YamlNode t = list.first(); t.exists(); t = t.next(), ++at) {
      for (const std::string_view name : dependencies(t)) {
        const auto found = index.find(name);
        if (found == index.end()) {
          reference(t, fmt::format("task `{}` depends on `{}`, which is not there",
                                   t["name"].text(), name));
          continue;
        }
        then[found->second].push_back(at);
        ++waits[at];
      }
    }
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < count; ++i) {
      if (waits[i] == 0) ready.push_back(i);
    }
    std::size_t done = 0;
    while (!ready.empty()) {
      const std::size_t i = ready.back();
      ready.pop_back();
      ++done;
      for (const std::size_t next : then[i]) {
        if (--waits[next] == 0) ready.push_back(next);
      }
    }
    if (done != count)
      reference(info.node, fmt::format("the tasks of `{}` wait for each other in a circle",
                                       info.node["name"].text()));

    for (YamlNode t = list.first(); t.exists(); t = t.next()) {
      Context context{&info, &tasks, t, false};
      context.fansOut =
          t["withParam"].exists() || t["withItems"].exists() || t["withSequence"].exists();
      if (t["when"].exists()) tags(t["when"], t["when"].text(), context);
      if (t["withParam"].exists()) {
        const std::string_view items = t["withParam"].text();
        tags(t["withParam"], items, context);
        if (items.find("{{") == std::string_view::npos &&
            !nlohmann::json::parse(items, nullptr, false).is_array()) {
          field(t["withParam"], "`withParam` is no JSON list");
        }
      }
      if (t["templateRef"].exists() || t["inline"].exists()) continue;
      if (const TemplateInfo* callee = requireTemplate(t, t["template"].text())) {
        given(t, t["arguments"], *callee, context);
      }
      for (YamlNode hook = t["hooks"].first(); hook.exists(); hook = hook.next()) {
        if (const TemplateInfo* callee = requireTemplate(hook, hook["template"].text())) {
          given(hook, hook["arguments"], *callee, context);
        }
      }
    }
    const Context after{&info, &tasks, {}, false};
    for (YamlNode o = info.node["outputs"]["parameters"].first(); o.exists(); o = o.next()) {
      const YamlNode from = o["valueFrom"];
      if (from["parameter"].exists()) tags(o, from["parameter"].text(), after);
      if (from["expression"].exists()) expression(o, from["expression"].text(), after);
      if (!from["parameter"].exists() && !from["expression"].exists()) {
        field(o,
              fmt::format("output `{}` of a DAG says not where it comes from", o["name"].text()));
      }
    }
    for (YamlNode o = info.node["outputs"]["artifacts"].first(); o.exists(); o = o.next()) {
      if (o["from"].exists()) tags(o, o["from"].text(), after);
      if (o["fromExpression"].exists()) expression(o, o["fromExpression"].text(), after);
    }
  }

  void checkContainer(const TemplateInfo& info, YamlNode container) {
    const Context context{&info, nullptr, {}, false};
    if (!container["image"].exists()) field(container, "a container without `image`");
    Names names;
    for (YamlNode e = container["env"].first(); e.exists(); e = e.next()) {
      if (!names.insert(e["name"].text()).second)
        field(e, fmt::format("variable `{}` is set twice", e["name"].text()));
      tags(e, e["value"].text(), context);
      tags(e, e["valueFrom"]["secretKeyRef"]["key"].text(), context);
    }
    for (const char* words : {"command", "args"}) {
      for (YamlNode word = container[words].first(); word.exists(); word = word.next())
        tags(word, word.text(), context);
    }
    tags(container["source"], container["source"].text(), context);
    Names paths;
    for (const char* side : {"inputs", "outputs"}) {
      for (YamlNode a = info.node[side]["artifacts"].first(); a.exists(); a = a.next()) {
        const std::string_view path = a["path"].text();
        if (path.empty()) {
          field(a, fmt::format("artifact `{}` has no `path`", a["name"].text()));
        } else if (std::string_view(side) == "inputs" && !paths.insert(path).second) {
          field(a, fmt::format("two artifacts go to `{}`", path));
        }
        tags(a, path, context);
        tags(a, a["s3"]["key"].text(), context);
      }
    }
  }

  void checkTemplate(const TemplateInfo& info) {
    static constexpr std::string_view kKinds[] = {"container", "containerSet", "dag",      "data",
                                                  "http",      "plugin",       "resource", "script",
                                                  "steps",     "suspend"};
    std::size_t kinds = 0;
    for (const std::string_view kind : kKinds) kinds += info.node[kind].exists() ? 1 : 0;
    if (kinds != 1)
      field(info.node, fmt::format("template `{}` must be of one kind, not {}",
                                   info.node["name"].text(), kinds));
    if (info.node["dag"].isMap()) checkDag(info);
    if (info.node["container"].isMap()) checkContainer(info, info.node["container"]);
    if (info.node["script"].isMap()) checkContainer(info, info.node["script"]);
    const YamlNode retry = info.node["retryStrategy"];
    if (retry["retryPolicy"].exists()) {
      const std::string_view policy = retry["retryPolicy"].text();
      if (policy != "Always" && policy != "OnFailure" && policy != "OnError" &&
          policy != "OnTransientError") {
        field(retry, fmt::format("`{}` is no retry policy", policy));
      }
    }
  }

  const YamlDocument& document_;
  DiagnosticSink& diags_;
  bool ok_ = true;
  std::unordered_map<std::string_view, TemplateInfo> templates_;
  std::vector<std::string_view> order_;
  Names workflow_;
};

bool readManifest(std::string_view text, YamlDocument& document, DiagnosticSink& diags) {
  std::string error;
  if (!document.read(text, error)) {
    diags.take(diagnose<Diag::SpecUnreadable>({}, error));
    return false;
  }
  if (document.count() != 1) {
    diags.take(diagnose<Diag::SpecUnreadable>(
        {}, fmt::format("it has {}", countOf(document.count(), "document"))));
    return false;
  }
  return true;
}

}  // namespace

bool validateManifest(std::string_view text, DiagnosticSink& diags) {
  YamlDocument document;
  return readManifest(text, document, diags) && Checker(document, diags).run();
}

bool validate(const ir::Module& module, const EmitOptions& options, std::string_view text,
              DiagnosticSink& diags) {
  YamlDocument document;
  if (!readManifest(text, document, diags)) return false;
  const bool sound = Checker(document, diags).run();
  return compareWithModule(module, options, document, diags) && sound;
}

}  // namespace couler::backends::argo

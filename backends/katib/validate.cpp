#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "backends/katib/katib.h"
#include "backends/katib/search.h"
#include "backends/kubernetes.h"
#include "backends/launcher.h"
#include "backends/yaml_reader.h"
#include "support/base64.h"
#include "support/text.h"

namespace couler::backends::katib {
namespace {

/// The fields of Katib's v1beta1 Experiment, by the field that holds them
/// (https://www.kubeflow.org/docs/components/katib/reference/).
struct Object {
  std::string_view name;
  std::string_view fields;
};
constexpr Object kObjects[] = {
    {"", "apiVersion kind metadata spec status"},
    {"metadata", "name namespace generateName labels annotations"},
    {"spec",
     "parameters objective algorithm earlyStopping trialTemplate parallelTrialCount maxTrialCount "
     "maxFailedTrialCount metricsCollectorSpec nasConfig resumePolicy"},
    {"objective", "type goal objectiveMetricName additionalMetricNames metricStrategies"},
    {"metricStrategies", "name value"},
    {"algorithm", "algorithmName algorithmSettings"},
    {"earlyStopping", "algorithmName algorithmSettings"},
    {"algorithmSettings", "name value"},
    {"parameters", "name parameterType feasibleSpace"},
    {"feasibleSpace", "min max list step distribution"},
    {"metricsCollectorSpec", "source collector"},
    {"source", "httpGet fileSystemPath filter"},
    {"fileSystemPath", "path kind format"},
    {"filter", "metricsFormat"},
    {"collector", "kind customCollector"},
    {"trialTemplate",
     "retain trialSpec configMap trialParameters primaryPodLabels primaryContainerName "
     "successCondition failureCondition"},
    {"trialParameters", "name description reference"},
};

class Reader {
 public:
  explicit Reader(DiagnosticSink& diags) : diags_(diags) {}

  bool read(std::string_view text) {
    std::string error;
    if (!document_.read(text, error)) {
      diags_.take(diagnose<Diag::SpecUnreadable>({}, error));
      return false;
    }
    if (document_.count() != 1) field({}, "one Experiment is wanted");
    root_ = document_.root();
    if (!ok_) return false;
    if (root_["apiVersion"].text() != "kubeflow.org/v1beta1")
      field(root_, "`apiVersion` is not `kubeflow.org/v1beta1`");
    if (root_["kind"].text() != "Experiment") field(root_, "`kind` is not `Experiment`");
    fields(root_);
    required();
    references();
    return ok_;
  }
  [[nodiscard]] YamlNode spec() const { return root_["spec"]; }

 private:
  void field(YamlNode at, std::string_view what) {
    diags_.take(diagnose<Diag::SpecField>({}, at.line(), what));
    ok_ = false;
  }
  void reference(YamlNode at, std::string_view what) {
    diags_.take(diagnose<Diag::SpecReference>({}, at.line(), what));
    ok_ = false;
  }

  /// All names are known where they stand; what a trial is, Kubernetes knows.
  void fields(YamlNode root) {
    std::vector<std::pair<YamlNode, std::string_view>> left{{root, ""}};
    while (!left.empty()) {
      const auto [at, name] = left.back();
      left.pop_back();
      if (at.isList()) {
        for (YamlNode item = at.first(); item.exists(); item = item.next())
          left.emplace_back(item, name);
        continue;
      }
      const auto* object = std::find_if(std::begin(kObjects), std::end(kObjects),
                                        [&](const Object& o) { return o.name == name; });
      if (object == std::end(kObjects) || !at.isMap()) continue;
      const std::vector<std::string_view> known = splitWords(object->fields);
      for (YamlNode value = at.first(); value.exists(); value = value.next()) {
        if (std::find(known.begin(), known.end(), value.key()) == known.end()) {
          const auto near = nearest(value.key(), known);
          field(value,
                fmt::format("`{}` has no field `{}`{}", name.empty() ? "Experiment" : name,
                            value.key(), near ? fmt::format("; did you mean `{}`?", *near) : ""));
        } else if (value.key() != "status" && value.key() != "trialSpec") {
          left.emplace_back(value, value.key());
        }
      }
    }
  }

  static std::vector<std::string_view> splitWords(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find(' '), text.size());
      out.push_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
  }

  void required() {
    const YamlNode spec = root_["spec"];
    for (const char* name : {"objective", "algorithm", "trialTemplate"}) {
      if (!spec[name].isMap()) field(spec, fmt::format("`spec` lacks `{}`", name));
    }
    const std::string_view type = spec["objective"]["type"].text();
    if (type != "maximize" && type != "minimize")
      field(spec["objective"], "`type` is `maximize` or `minimize`");
    if (spec["objective"]["objectiveMetricName"].text().empty())
      field(spec, "`objectiveMetricName` is missing");
    if (spec["algorithm"]["algorithmName"].text().empty())
      field(spec, "`algorithmName` is missing");
    const YamlNode all = spec["parameters"];
    if (all.size() == 0 && !spec["nasConfig"].exists()) field(spec, "there are no `parameters`");
    for (YamlNode p = all.first(); p.exists(); p = p.next()) {
      const std::string_view kind = p["parameterType"].text();
      const YamlNode space = p["feasibleSpace"];
      if (kind == "int" || kind == "double") {
        if (space["min"].text().empty() || space["max"].text().empty()) {
          field(p, fmt::format("`{}` lacks `min` or `max`", p["name"].text()));
        }
        if (space["list"].exists())
          field(p, fmt::format("`{}` is a range with a list", p["name"].text()));
      } else if (kind == "categorical" || kind == "discrete") {
        if (space["list"].size() == 0)
          field(p, fmt::format("`{}` lacks its `list`", p["name"].text()));
      } else {
        field(p, fmt::format("`{}` is no kind of parameter", kind));
      }
    }
  }

  void references() {
    const YamlNode all = root_["spec"]["trialTemplate"];
    std::set<std::string_view> searched;
    for (YamlNode p = root_["spec"]["parameters"].first(); p.exists(); p = p.next()) {
      if (!searched.insert(p["name"].text()).second)
        reference(p, fmt::format("two parameters `{}`", p["name"].text()));
    }
    std::map<std::string_view, bool> used;
    for (YamlNode p = all["trialParameters"].first(); p.exists(); p = p.next()) {
      const std::string_view name = p["name"].text();
      const std::string_view of = p["reference"].text();
      if (!used.emplace(name, false).second)
        reference(p, fmt::format("two trial parameters `{}`", name));
      if (!of.starts_with("${") && !searched.empty() && !searched.contains(of)) {
        reference(p, fmt::format("`{}` stands for `{}`, which is not searched", name, of));
      }
    }
    if (!all["trialSpec"].exists()) return;
    bool container = false;
    std::vector<YamlNode> left{all["trialSpec"]};
    while (!left.empty()) {
      const YamlNode at = left.back();
      left.pop_back();
      container =
          container || (at.key() == "name" && at.text() == all["primaryContainerName"].text());
      for (YamlNode inner = at.first(); inner.exists(); inner = inner.next()) left.push_back(inner);
      constexpr std::string_view kOpen = "${trialParameters.";
      const std::string_view text = at.text();
      for (std::size_t from = text.find(kOpen); from != text.npos;
           from = text.find(kOpen, from + 1)) {
        const std::size_t begin = from + kOpen.size();
        const std::string_view name = text.substr(begin, text.find('}', begin) - begin);
        const auto found = used.find(name);
        if (found == used.end()) {
          reference(at, fmt::format("`{}` is no trial parameter", name));
        } else {
          found->second = true;
        }
      }
    }
    for (const auto& [name, is] : used) {
      if (!is) reference(all, fmt::format("no trial takes `{}`", name));
    }
    if (!container)
      reference(all,
                fmt::format("no container is called `{}`", all["primaryContainerName"].text()));
  }

  DiagnosticSink& diags_;
  bool ok_ = true;
  YamlDocument document_;
  YamlNode root_;
};

/// Compares an Experiment with the search that it should make.
class Comparer {
 public:
  Comparer(const ir::Module& module, const Settings& settings, const Search& search,
           DiagnosticSink& diags)
      : module_(module),
        settings_(settings),
        search_(search),
        task_(module.at(search.task)),
        diags_(diags) {}

  bool run(YamlNode spec) {
    same(spec, "the objective", spec["objective"]["type"].text(),
         search_.maximize ? "maximize" : "minimize");
    same(spec, "the metric", spec["objective"]["objectiveMetricName"].text(), search_.objective);
    lists(spec, "the other metrics", spec["objective"]["additionalMetricNames"], search_.others);
    same(spec, "the algorithm", spec["algorithm"]["algorithmName"].text(), search_.algorithm);
    std::vector<std::string> settings;
    for (YamlNode s = spec["algorithm"]["algorithmSettings"].first(); s.exists(); s = s.next()) {
      settings.push_back(fmt::format("{}={}", s["name"].text(), s["value"].text()));
    }
    std::vector<std::string> wanted;
    for (const auto& [name, value] : search_.settings) wanted.push_back(name + "=" + value);
    if (settings != wanted) differ(spec["algorithm"], "the settings of the algorithm are others");
    same(spec, "the number of trials", spec["maxTrialCount"].text(),
         fmt::format("{}", search_.trials));
    same(spec, "the number of trials that may fail", spec["maxFailedTrialCount"].text(),
         fmt::format("{}", search_.trials));
    same(spec, "the number of trials at a time", spec["parallelTrialCount"].text(),
         fmt::format("{}", search_.parallel));
    parameters(spec);
    collector(spec["metricsCollectorSpec"]);
    trial(spec["trialTemplate"]);
    return ok_;
  }

 private:
  void differ(YamlNode at, std::string_view what) {
    diags_.take(diagnose<Diag::SpecDiffers>({}, at.line(), what));
    ok_ = false;
  }
  void same(YamlNode at, std::string_view what, std::string_view found, std::string_view wanted) {
    if (found == wanted) return;
    differ(at,
           fmt::format("{} is `{}`, not `{}`", what, found.substr(0, 80), wanted.substr(0, 80)));
  }
  void lists(YamlNode at, std::string_view what, YamlNode list,
             const std::vector<std::string>& wanted) {
    std::vector<std::string> found;
    for (YamlNode item = list.first(); item.exists(); item = item.next())
      found.emplace_back(item.text());
    if (found != wanted) differ(at, fmt::format("{} are others", what));
  }

  void parameters(YamlNode spec) {
    YamlNode p = spec["parameters"].first();
    for (const Parameter& wanted : search_.parameters) {
      same(spec, "a parameter", p["name"].text(), wanted.name);
      same(p, fmt::format("the type of `{}`", wanted.name), p["parameterType"].text(), wanted.type);
      const YamlNode space = p["feasibleSpace"];
      same(p, fmt::format("the least `{}`", wanted.name), space["min"].text(), wanted.low);
      same(p, fmt::format("the greatest `{}`", wanted.name), space["max"].text(), wanted.high);
      same(p, fmt::format("the distribution of `{}`", wanted.name), space["distribution"].text(),
           wanted.log ? "logUniform" : "");
      same(p, fmt::format("the step of `{}`", wanted.name), space["step"].text(), "");
      lists(p, fmt::format("the values of `{}`", wanted.name), space["list"], wanted.list);
      p = p.next();
    }
    if (p.exists()) differ(p, fmt::format("`{}` is not searched", p["name"].text()));
  }

  void collector(YamlNode spec) {
    same(spec, "the collector", spec["collector"]["kind"].text(), "File");
    same(spec, "the file of metrics", spec["source"]["fileSystemPath"]["path"].text(),
         kMetricsFile);
  }

  static std::string_view variable(YamlNode container, std::string_view name) {
    for (YamlNode e = container["env"].first(); e.exists(); e = e.next()) {
      if (e["name"].text() == name) return e["value"].text();
    }
    return {};
  }

  void trial(YamlNode t) {
    for (YamlNode p = t["trialParameters"].first(); p.exists(); p = p.next()) {
      same(p, "a trial parameter", p["reference"].text(), p["name"].text());
    }
    const YamlNode job = t["trialSpec"]["spec"];
    same(job, "the kind of a trial", t["trialSpec"]["kind"].text(), "Job");
    same(job, "the number of retries", job["backoffLimit"].text(),
         fmt::format("{}", task_.retry.limit));
    const YamlNode pod = job["template"]["spec"];
    same(pod, "`restartPolicy`", pod["restartPolicy"].text(), "Never");
    same(pod, "the account", pod["serviceAccountName"].text(), settings_.serviceAccount);
    same(pod, "the timeout", pod["activeDeadlineSeconds"].text(),
         task_.timeout.micros > 0 ? fmt::format("{}", wholeSeconds(task_.timeout)) : "");
    const YamlNode c = pod["containers"].first();
    if (!c.exists() || c.next().exists()) return differ(pod, "a trial is one container");
    same(c, "the image", c["image"].text(), task_.image.empty() ? settings_.image : task_.image);
    lists(c, "the words of the command", c["command"], {std::begin(kCommand), std::end(kCommand)});
    for (const char* kind : {"requests", "limits"}) {
      const YamlNode r = c["resources"][kind];
      same(r, "cpu", r["cpu"].text(), cpuQuantity(task_.cpu));
      same(r, "memory", r["memory"].text(), task_.memory > 0 ? bytesQuantity(task_.memory) : "");
      same(r, "disk", r["ephemeral-storage"].text(),
           task_.disk > 0 ? bytesQuantity(task_.disk) : "");
    }
    same(c, "gpu", c["resources"]["limits"]["nvidia.com/gpu"].text(),
         task_.gpu > 0 ? fmt::format("{}", task_.gpu) : "");
    program(c);
  }

  void program(YamlNode c) {
    if (task_.run != ir::RunKind::Argv) {
      const std::string_view plain = variable(c, "COULER_SCRIPT");
      if (plain != escapeDollar(task_.script) &&
          variable(c, "COULER_SCRIPT_B64") != encodeBase64(task_.script)) {
        differ(c, fmt::format("the script of `{}` is another", task_.name));
      }
      for (std::size_t i = 0; i < task_.params.size(); ++i) given(c, i);
    } else {
      words(c);
    }
    same(c, "the launcher", variable(c, "COULER_LAUNCHER"), escapeDollar(kLauncher));
    for (const ir::OutputDef& output : task_.outputs) {
      const ir::TypeKind kind = module_.types.kind(output.type);
      if (kind != ir::TypeKind::Int && kind != ir::TypeKind::Float) continue;
      if (variable(c, "COULER_METRICS").find(fmt::format("{}:", output.name)) ==
          std::string_view::npos) {
        differ(c, fmt::format("`{}` is not written as a metric", output.name));
      }
    }
    same(c, "the file of metrics", variable(c, "COULER_METRICS_FILE"), kMetricsFile);
  }

  /// The words that are the same in all trials, in their order.
  void words(YamlNode c) {
    const std::string_view coded = variable(c, "COULER_ARGV");
    std::size_t at = 0;
    for (const ir::TaskDef::Word& word : task_.argv) {
      const ir::Value* value = module_.constant(module_.at(task_.exprs).results[word.result]);
      if (value == nullptr) continue;
      const std::string wanted = "w" + encodeBase64(ir::toText(*value));
      at = coded.find(wanted, at);
      if (at == std::string_view::npos)
        return differ(c, fmt::format("the words of `{}` are others", task_.name));
      at += wanted.size();
    }
  }

  void given(YamlNode c, std::size_t i) {
    const std::string name = "COULER_IN_" + task_.params[i].name;
    const Given& wanted = search_.given[i];
    if (!wanted.value) {
      const std::string tag =
          "${trialParameters." + search_.parameters[wanted.parameter].name + "}";
      const bool quoted = search_.parameters[wanted.parameter].quoted;
      return same(c, fmt::format("`{}`", task_.params[i].name), variable(c, name),
                  quoted ? '"' + tag + '"' : tag);
    }
    const std::string json = ir::toJson(*wanted.value);
    if (variable(c, name) == escapeDollar(json) || variable(c, name + "_B64") == encodeBase64(json))
      return;
    differ(c, fmt::format("`{}` is not `{}`", task_.params[i].name, json.substr(0, 80)));
  }

  const ir::Module& module_;
  const Settings& settings_;
  const Search& search_;
  const ir::TaskDef& task_;
  DiagnosticSink& diags_;
  bool ok_ = true;
};

}  // namespace

bool validateExperiment(std::string_view text, DiagnosticSink& diags) {
  return Reader(diags).read(text);
}

bool validate(const ir::Module& module, const EmitOptions& options, std::string_view text,
              DiagnosticSink& diags) {
  Reader reader(diags);
  const bool sound = reader.read(text);
  if (!reader.spec().exists()) return false;
  const auto settings = readSettings(module, options.target, diags);
  DiagnosticList said;  // by `emit`
  const auto search = settings ? readSearch(module, options, *settings, said) : std::nullopt;
  return search && Comparer(module, *settings, *search, diags).run(reader.spec()) && sound;
}

}  // namespace couler::backends::katib

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backends/katib/katib.h"
#include "backends/katib/search.h"
#include "backends/kubernetes.h"
#include "backends/launcher.h"
#include "backends/names.h"
#include "backends/yaml_writer.h"
#include "ir/shim.h"
#include "support/base64.h"
#include "support/text.h"

namespace couler::backends::katib {
namespace {

using ir::OutputFrom;

class Emitter {
 public:
  Emitter(const ir::Module& module, const Settings& settings, const Search& search,
          DiagnosticSink& diags)
      : module_(module),
        settings_(settings),
        search_(search),
        task_(module.at(search.task)),
        diags_(diags) {}

  bool write(const TextSink& out) {
    if (task_.run == ir::RunKind::Argv) {
      words();
    } else {
      script();
    }
    environment();
    outputs();
    YamlWriter w(out);
    w.beginMap();
    w.entry("apiVersion", "kubeflow.org/v1beta1");
    w.entry("kind", "Experiment");
    w.key("metadata");
    w.beginMap();
    if (settings_.name.empty()) {
      NameTable names;
      w.entry("generateName", std::string(names.unique(module_.at(module_.entry).name)) + "-");
    } else {
      w.entry("name", settings_.name);
    }
    if (!settings_.nameSpace.empty()) w.entry("namespace", settings_.nameSpace);
    w.endMap();
    w.key("spec");
    w.beginMap();
    objective(w);
    algorithm(w);
    w.entry("parallelTrialCount", search_.parallel);
    w.entry("maxTrialCount", search_.trials);
    w.entry("maxFailedTrialCount", search_.trials);  // one that fails is worse than all others
    parameters(w);
    collector(w);
    trialTemplate(w);
    w.endMap();
    w.endMap();
    return ok_;
  }

 private:
  void refuse(Span at, std::string_view what, std::string note) {
    ok_ = false;
    Diagnostic d = diagnose<Diag::BackendUnsupported>(at, "katib", what);
    d.note(std::move(note));
    diags_.take(std::move(d));
  }

  // ---- what runs
  void set(std::string name, std::string value) {
    env_.emplace_back(std::move(name), std::move(value));
  }
  void setList(std::string name, const std::vector<std::string>& items) {
    if (!items.empty()) set(std::move(name), fmt::format("{}", fmt::join(items, " ")));
  }
  /// Known text, in which Kubernetes expands nothing, and Katib neither.
  void setConstant(const std::string& name, std::string_view value) {
    if (value.find("${") == std::string_view::npos) return set(name, escapeDollar(value));
    decoded_.push_back(name);
    set(name + "_B64", encodeBase64(value));
  }

  /// Sets a variable to text with values of the search in it; nothing but an evaluator could say
  /// more.
  void setPieces(const std::string& name, const std::optional<std::vector<Piece>>& pieces,
                 Span at) {
    if (!pieces) {
      return refuse(
          at,
          fmt::format("a word or variable of `{}` that is worked out for each trial", task_.name),
          "work it out inside the task");
    }
    const bool known =
        std::none_of(pieces->begin(), pieces->end(), [](const Piece& p) { return p.parameter; });
    std::string text;
    for (const Piece& piece : *pieces) {
      if (known || !piece.parameter) {
        if (!known && piece.text.find("${") != std::string::npos) {
          return refuse(at, "`${` beside a value of the search", "write it in a script");
        }
        text += known ? piece.text : escapeDollar(piece.text);
      } else {
        text += placeholder(search_.parameters[*piece.parameter].name);
      }
    }
    if (known) return setConstant(name, text);
    set(name, std::move(text));
  }

  void words() {
    const ir::Region& exprs = module_.at(task_.exprs);
    std::vector<std::string> words;
    for (const ir::TaskDef::Word& word : task_.argv) {
      const auto pieces = wordOf(module_, search_, exprs.results[word.result]);
      if (word.spread) {
        refuse(task_.span, fmt::format("a word of `{}` that is a list", task_.name),
               "write the words one by one");
        continue;
      }
      const bool known = pieces && std::none_of(pieces->begin(), pieces->end(),
                                                [](const Piece& p) { return p.parameter; });
      if (known) {
        std::string text;
        for (const Piece& piece : *pieces) text += piece.text;
        words.push_back("w" + encodeBase64(text));
        continue;
      }
      const std::string name = fmt::format("COULER_WORD_{}", words.size());
      setPieces(name, pieces, task_.span);
      words.push_back("v" + name);
    }
    setList("COULER_ARGV", words);
  }

  void script() {
    const ir::ProcessSpec spec = ir::scriptProcess(module_, task_);
    std::vector<std::string> words;
    for (const std::string& word : spec.argv) words.push_back("w" + encodeBase64(word));
    setList("COULER_ARGV", words);
    for (const auto& [name, value] : spec.env) setConstant(name, value);
    for (const auto& [name, value] : spec.labels) setConstant(name, value);
    if (task_.run == ir::RunKind::Sh) set("COULER_JSON", "1");
    for (std::size_t i = 0; i < task_.params.size(); ++i) {
      const std::string name = ir::inputVariable(task_.params[i].name);
      const Given& given = search_.given[i];
      if (given.value) {
        setConstant(name, ir::toJson(*given.value));
        continue;
      }
      const Parameter& p = search_.parameters[given.parameter];
      const std::string value = placeholder(p.name);
      set(name, p.quoted ? '"' + value + '"' : value);
    }
    for (const ir::OutputDef& output : task_.outputs) {
      if (output.from == OutputFrom::Path || output.from == OutputFrom::Variable) {
        set(ir::outputVariable(output.name), outputPath(output));
      }
    }
  }

  void environment() {
    const ir::Region& exprs = module_.at(task_.exprs);
    for (const ir::TaskDef::Env& variable : task_.env) {
      setPieces(variable.name, wordOf(module_, search_, exprs.results[variable.result]),
                task_.span);
    }
  }

  void outputs() {
    std::vector<std::string> folders, files, metrics;
    for (const ir::OutputDef& output : task_.outputs) {
      if (output.from == OutputFrom::Path) folders.push_back(output.name);
      if (output.from == OutputFrom::Stdout) set("COULER_STDOUT", outputPath(output));
      if (output.from == OutputFrom::File) files.push_back(output.path + ":" + outputPath(output));
      const bool metric = output.name == search_.objective ||
                          std::find(search_.others.begin(), search_.others.end(), output.name) !=
                              search_.others.end();
      if (metric) metrics.push_back(output.name + ":" + outputPath(output));
    }
    setList("COULER_MKDIR", folders);
    setList("COULER_FILES", files);
    setList("COULER_DECODE", decoded_);
    set("COULER_METRICS_FILE", std::string(kMetricsFile));
    setList("COULER_METRICS", metrics);
    set("COULER_LAUNCHER", escapeDollar(kLauncher));
  }

  // ---- the experiment
  void objective(YamlWriter& w) {
    w.key("objective");
    w.beginMap();
    w.entry("type", search_.maximize ? "maximize" : "minimize");
    w.entry("objectiveMetricName", search_.objective);
    if (!search_.others.empty()) {
      w.key("additionalMetricNames");
      w.beginList();
      for (const std::string& name : search_.others) w.string(name);
      w.endList();
    }
    w.endMap();
  }

  void algorithm(YamlWriter& w) {
    w.key("algorithm");
    w.beginMap();
    w.entry("algorithmName", search_.algorithm);
    if (!search_.settings.empty()) {
      w.key("algorithmSettings");
      w.beginList();
      for (const auto& [name, value] : search_.settings) {
        w.beginMap();
        w.entry("name", name);
        w.entry("value", value);
        w.endMap();
      }
      w.endList();
    }
    w.endMap();
  }

  void parameters(YamlWriter& w) {
    w.key("parameters");
    w.beginList();
    for (const Parameter& p : search_.parameters) {
      w.beginMap();
      w.entry("name", p.name);
      w.entry("parameterType", p.type);
      w.key("feasibleSpace");
      w.beginMap();
      if (p.list.empty()) {
        w.entry("min", p.low);
        w.entry("max", p.high);
        if (p.log) w.entry("distribution", "logUniform");
      } else {
        w.key("list");
        w.beginList();
        for (const std::string& value : p.list) w.string(value);
        w.endList();
      }
      w.endMap();
      w.endMap();
    }
    w.endList();
  }

  void collector(YamlWriter& w) {
    w.key("metricsCollectorSpec");
    w.beginMap();
    w.key("source");
    w.beginMap();
    w.key("fileSystemPath");
    w.beginMap();
    w.entry("path", kMetricsFile);
    w.entry("kind", "File");
    w.endMap();
    w.endMap();
    w.key("collector");
    w.beginMap();
    w.entry("kind", "File");
    w.endMap();
    w.endMap();
  }

  void trialTemplate(YamlWriter& w) {
    w.key("trialTemplate");
    w.beginMap();
    w.entry("primaryContainerName", kContainer);
    w.key("trialParameters");
    w.beginList();
    for (const Parameter& p : search_.parameters) {
      w.beginMap();
      w.entry("name", p.name);
      w.entry("description", fmt::format("`{}` of `{}`", p.name, task_.name));
      w.entry("reference", p.name);
      w.endMap();
    }
    w.endList();
    w.key("trialSpec");
    w.beginMap();
    w.entry("apiVersion", "batch/v1");
    w.entry("kind", "Job");
    w.key("spec");
    w.beginMap();
    w.entry("backoffLimit", task_.retry.limit);
    w.key("template");
    w.beginMap();
    w.key("spec");
    w.beginMap();
    if (!settings_.serviceAccount.empty()) w.entry("serviceAccountName", settings_.serviceAccount);
    if (task_.timeout.micros > 0) w.entry("activeDeadlineSeconds", wholeSeconds(task_.timeout));
    w.entry("restartPolicy", "Never");
    w.key("containers");
    w.beginList();
    container(w);
    w.endList();
    w.endMap();
    w.endMap();
    w.endMap();
    w.endMap();
    w.endMap();
  }

  void container(YamlWriter& w) {
    const std::string& image = task_.image.empty() ? settings_.image : task_.image;
    if (image.empty()) {
      ok_ = false;
      diags_.take(diagnose<Diag::BackendNeedsImage>(task_.span, task_.name, "katib")
                      .note("write `image \"…\"` in the task, or `image: \"…\"` in the target"));
    }
    const ir::RetryPolicy& retry = task_.retry;
    if (retry.limit > 0 &&
        (!retry.on.empty() || !retry.exitCodes.empty() || retry.backoff.micros > 0)) {
      diags_.take(diagnose<Diag::BackendLossy>(task_.span, "katib", "what is tried again, and when")
                      .note("a Job tries again whatever failed, after 10 s, 20 s, …"));
    }
    w.beginMap();
    w.entry("name", kContainer);
    w.entry("image", image);
    w.key("command");
    w.beginList();
    for (const std::string_view word : kCommand) w.string(word);
    w.endList();
    w.key("env");
    w.beginList();
    for (const auto& [name, value] : env_) {
      w.beginMap();
      w.entry("name", name);
      w.entry("value", value);
      w.endMap();
    }
    w.endList();
    writeResources(w, task_);
    w.endMap();
  }

  const ir::Module& module_;
  const Settings& settings_;
  const Search& search_;
  const ir::TaskDef& task_;
  DiagnosticSink& diags_;
  bool ok_ = true;
  std::vector<std::pair<std::string, std::string>> env_;
  std::vector<std::string> decoded_;
};

}  // namespace

bool emit(const ir::Module& module, const EmitOptions& options, const TextSink& out,
          DiagnosticSink& diags) {
  const auto settings = readSettings(module, options.target, diags);
  if (!settings) return false;
  const auto search = readSearch(module, options, *settings, diags);
  return search && Emitter(module, *settings, *search, diags).write(out);
}

std::optional<Sizes> measure(const ir::Module& module, const EmitOptions& options) {
  DiagnosticList unheard;
  Sizes sizes;
  sizes.ofNode.assign(module.nodes.size(), 0);
  sizes.ofTask.assign(module.tasks.size(), 0);
  const bool ok = emit(
      module, options,
      [&](std::string_view text) { sizes.base += static_cast<std::int64_t>(text.size()); },
      unheard);
  if (!ok) return std::nullopt;
  sizes.documents.push_back({module.entry, sizes.base, 0});
  return sizes;
}

}  // namespace couler::backends::katib

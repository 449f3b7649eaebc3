#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "backends/argo/compare.h"
#include "backends/argo/text.h"
#include "backends/kubernetes.h"
#include "support/base64.h"

namespace couler::backends::argo {
namespace {

using ir::TypeKind;

class ContainerComparer {
 public:
  ContainerComparer(const ir::Module& module, const ForAllTasks& all, DiagnosticSink& diags)
      : module_(module), all_(all), diags_(diags) {}

  bool run(YamlNode t, const ir::TaskDef& task) {
    const YamlNode c = t["container"];
    if (!c.exists()) {
      differ(t, fmt::format("`{}` is no container", task.name));
      return false;
    }
    limits(t, c, task);
    retries(t["retryStrategy"], task);
    program(t, c, task);
    borders(t, task);
    memoize(t, task);
    return ok_;
  }

 private:
  void differ(YamlNode at, std::string_view what) {
    diags_.take(diagnose<Diag::SpecDiffers>({}, at.line(), what));
    ok_ = false;
  }
  void same(YamlNode at, const ir::TaskDef& task, std::string_view what, std::string_view found,
            std::string_view wanted) {
    if (found == wanted) return;
    differ(at, fmt::format("{} of `{}` is `{}`, not `{}`", what, task.name, found.substr(0, 80),
                           wanted.substr(0, 80)));
  }

  static std::string_view variable(YamlNode container, std::string_view name) {
    for (YamlNode e = container["env"].first(); e.exists(); e = e.next()) {
      if (e["name"].text() == name) return e["value"].text();
    }
    return {};
  }

  void limits(YamlNode t, YamlNode c, const ir::TaskDef& task) {
    same(t, task, "the image", c["image"].text(), task.image.empty() ? all_.image : task.image);
    same(t, task, "the timeout", t["activeDeadlineSeconds"].text(),
         task.timeout.micros > 0 ? fmt::format("{}", wholeSeconds(task.timeout)) : "");
    for (const char* kind : {"requests", "limits"}) {
      const YamlNode r = c["resources"][kind];
      same(t, task, "cpu", r["cpu"].text(), cpuQuantity(task.cpu));
      same(t, task, "memory", r["memory"].text(),
           task.memory > 0 ? bytesQuantity(task.memory) : "");
      same(t, task, "disk", r["ephemeral-storage"].text(),
           task.disk > 0 ? bytesQuantity(task.disk) : "");
    }
    same(t, task, "gpu", c["resources"]["limits"]["nvidia.com/gpu"].text(),
         task.gpu > 0 ? fmt::format("{}", task.gpu) : "");
  }

  void retries(YamlNode strategy, const ir::TaskDef& task) {
    const ir::RetryPolicy& retry = task.retry;
    same(strategy, task, "the number of retries", strategy["limit"].text(),
         retry.limit > 0 ? fmt::format("{}", retry.limit) : "");
    if (retry.limit > 0 && retry.backoff.micros > 0) {
      same(strategy, task, "the wait before a retry", strategy["backoff"]["duration"].text(),
           goDuration(retry.backoff));
    }
    const bool picky = !retry.on.empty() || !retry.exitCodes.empty();
    const bool all = retry.exitCodes.empty() &&
                     std::set<ir::FailureClass>(retry.on.begin(), retry.on.end()).size() == 4;
    const YamlNode expression = strategy["expression"];
    if (retry.limit > 0 && (picky && !all) != expression.exists()) {
      differ(strategy, fmt::format("`{}` is not retried for what it should be", task.name));
    }
    for (const std::int64_t code : retry.exitCodes) {
      if (expression.text().find(fmt::format("'{}'", code)) == std::string_view::npos) {
        differ(strategy, fmt::format("`{}` is not retried for exit code {}", task.name, code));
      }
    }
  }

  void program(YamlNode t, YamlNode c, const ir::TaskDef& task) {
    for (YamlNode word = c["command"].first(); word.exists(); word = word.next()) {
      if (word.text().find("{{") != std::string_view::npos) differ(word, "a tag inside a command");
    }
    if (task.run != ir::RunKind::Argv) {
      const std::string_view plain = variable(c, "COULER_SCRIPT");
      const std::string_view coded = variable(c, "COULER_SCRIPT_B64");
      if (plain != escapeDollar(task.script) && coded != encodeBase64(task.script)) {
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
        const std::string token = "w" + encodeBase64(ir::toText(*value));
        at = coded.find(token, at);
        if (at == std::string_view::npos) {
          differ(t, fmt::format("the words of `{}` are others", task.name));
          break;
        }
        at += token.size();
      }
    }
  }

  /// Memoized is what the engine would reuse and has neither files nor secrets; the key has all
  /// inputs in it.
  void memoize(YamlNode t, const ir::TaskDef& task) {
    bool secrets = false;
    for (const ir::ParamDef& param : task.params) {
      secrets = secrets || module_.types.holds(param.type, TypeKind::Secret);
    }
    const bool wanted = !all_.memoize.empty() && task.cache && !task.isVolatile && !secrets &&
                        !t["inputs"]["artifacts"].exists() && t["outputs"].exists() &&
                        !t["outputs"]["artifacts"].exists();
    const YamlNode found = t["memoize"];
    if (found.exists() != wanted) {
      differ(t, fmt::format("`{}` is {}memoized", task.name, wanted ? "not " : ""));
    }
    if (!found.exists()) return;
    same(found, task, "the ConfigMap", found["cache"]["configMap"]["name"].text(), all_.memoize);
    const std::string_view key = found["key"].text();
    if (!key.starts_with("couler-")) differ(found, "a key of another program");
    for (const ir::ParamDef& param : task.params) {
      if (key.find(fmt::format("inputs.parameters['{}']", param.name)) == std::string_view::npos) {
        differ(found, fmt::format("the key of `{}` lacks its input `{}`", task.name, param.name));
      }
    }
  }

  void borders(YamlNode t, const ir::TaskDef& task) {
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
  const ForAllTasks& all_;
  DiagnosticSink& diags_;
  bool ok_ = true;
};

}  // namespace

bool compareContainer(const ir::Module& module, const ir::TaskDef& task, const ForAllTasks& all,
                      YamlNode found, DiagnosticSink& diags) {
  return ContainerComparer(module, all, diags).run(found, task);
}

}  // namespace couler::backends::argo

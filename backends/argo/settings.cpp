#include "backends/argo/settings.h"

#include <algorithm>
#include <array>

#include "backends/argo/text.h"
#include "backends/kubernetes.h"
#include "backends/names.h"
#include "support/text.h"

namespace couler::backends::argo {
namespace {

constexpr std::array<std::string_view, 14> kNames = {
    "name",          "namespace",          "service_account",
    "image",         "artifacts",          "secrets",
    "ttl",           "parallelism",        "priority",
    "node_selector", "image_pull_secrets", "archive_logs",
    "memoize",       "memoize_for"};

class Reader {
 public:
  Reader(const ir::TargetDef& target, DiagnosticSink& diags) : target_(target), diags_(diags) {}

  bool ok = true;

  void refuse(std::string_view setting, std::string_view what) {
    diags_.take(diagnose<Diag::BackendSetting>(target_.span, setting, what));
    ok = false;
  }

  void text(std::string_view setting, const ir::Value& value, std::string& out) {
    const auto* text = value.as<std::string>();
    if (text == nullptr || text->empty()) return refuse(setting, "a string is wanted");
    if (text->find("{{") != std::string::npos) return refuse(setting, "`{{` is a tag to argo");
    out = *text;
  }

  void label(std::string_view setting, const ir::Value& value, std::string& out) {
    text(setting, value, out);
    // Names of Kubernetes objects may have dots between labels.
    std::string_view rest = out;
    while (!rest.empty()) {
      const std::size_t dot = std::min(rest.find('.'), rest.size());
      if (!isDnsLabel(rest.substr(0, dot)) || dot + 1 == rest.size()) {
        return refuse(setting, "small letters, digits, `-` and `.` make a name in Kubernetes");
      }
      rest.remove_prefix(std::min(dot + 1, rest.size()));
    }
  }

  void number(std::string_view setting, const ir::Value& value, std::int64_t least,
              std::optional<std::int64_t>& out) {
    const auto* number = value.as<std::int64_t>();
    if (number == nullptr) return refuse(setting, "a whole number is wanted");
    if (*number < least || *number > 0x7fffffff) return refuse(setting, "out of range");
    out = *number;
  }

  void store(const ir::Value& value, std::optional<ObjectStore>& out) {
    if (value.as<ir::RecordValue>() == nullptr)
      return refuse("artifacts", "`s3(bucket: …)` is wanted");
    ObjectStore result;
    for (const auto& [field, content] : value.named()) {
      if (field == "kind") {
        const auto* kind = content.as<std::string>();
        if (kind == nullptr || *kind != "s3") return refuse("artifacts", "only `s3` is known");
      } else if (field == "bucket") {
        text("artifacts.bucket", content, result.bucket);
      } else if (field == "endpoint") {
        text("artifacts.endpoint", content, result.endpoint);
      } else if (field == "key_prefix") {
        text("artifacts.key_prefix", content, result.keyPrefix);
      } else if (field == "secret") {
        label("artifacts.secret", content, result.secret);
      } else {
        refuse("artifacts", fmt::format("`s3` has no `{}`", field));
      }
    }
    if (ok && result.bucket.empty()) return refuse("artifacts", "`s3` lacks `bucket`");
    while (result.keyPrefix.ends_with('/')) result.keyPrefix.pop_back();
    while (result.keyPrefix.starts_with('/')) result.keyPrefix.erase(0, 1);
    out = std::move(result);
  }

  void one(std::string_view name, const ir::Value& value, Settings& out) {
    if (name == "name") return label(name, value, out.name);
    if (name == "namespace") return label(name, value, out.nameSpace);
    if (name == "service_account") return label(name, value, out.serviceAccount);
    if (name == "image") return text(name, value, out.image);
    if (name == "secrets") return label(name, value, out.secrets);
    if (name == "artifacts") return store(value, out.artifacts);
    if (name == "memoize") return label(name, value, out.memoize);
    if (name == "memoize_for") {
      const auto* duration = value.as<ir::Duration>();
      if (duration == nullptr || duration->micros <= 0) return refuse(name, "a duration is wanted");
      out.memoizeFor = *duration;
      return;
    }
    if (name == "parallelism") return number(name, value, 1, out.parallelism);
    if (name == "priority") return number(name, value, -0x7fffffff, out.priority);
    if (name == "ttl") {
      const auto* duration = value.as<ir::Duration>();
      if (duration == nullptr || duration->micros < 0) return refuse(name, "a duration is wanted");
      out.ttlSeconds = duration->micros == 0 ? 0 : wholeSeconds(*duration);
      return;
    }
    if (name == "archive_logs") {
      const auto* flag = value.as<bool>();
      if (flag == nullptr) return refuse(name, "`true` or `false` is wanted");
      out.archiveLogs = *flag;
      return;
    }
    if (name == "image_pull_secrets") {
      if (value.as<ir::ListValue>() == nullptr) return refuse(name, "a list of strings is wanted");
      for (const ir::Value& item : value.items()) {
        label(name, item, out.imagePullSecrets.emplace_back());
      }
      return;
    }
    if (name == "node_selector") {
      if (value.as<ir::MapValue>() == nullptr) return refuse(name, "a map of strings is wanted");
      for (const auto& [key, item] : value.named()) {
        auto& entry = out.nodeSelector.emplace_back(key, std::string());
        text(name, item, entry.second);
      }
      return;
    }
    std::string what = "argo has no such setting";
    if (const auto near = nearest(name, {kNames.begin(), kNames.end()})) {
      what += fmt::format("; did you mean `{}`?", *near);
    }
    refuse(name, what);
  }

 private:
  const ir::TargetDef& target_;
  DiagnosticSink& diags_;
};

}  // namespace

std::optional<Settings> readSettings(const ir::Module& module, const ir::TargetDef* target,
                                     DiagnosticSink& diags) {
  Settings out;
  if (target == nullptr) return out;
  Reader reader(*target, diags);
  for (const auto& [name, constant] : target->settings) reader.one(name, module.at(constant), out);
  if (!reader.ok) return std::nullopt;
  return out;
}

}  // namespace couler::backends::argo

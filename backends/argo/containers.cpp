#include <algorithm>

#include <fmt/format.h>

#include "backends/argo/emitter.h"
#include "backends/kubernetes.h"

namespace couler::backends::argo {

using ir::OutputFrom;
using ir::TypeKind;

Encoding Emitter::outputEncoding(const ir::OutputDef& output) const {
  const auto isJson = [&](ir::TypeId type) {  // as ir::fromText reads it
    const TypeKind kind = module_.types.kind(type);
    return kind == TypeKind::Int || kind == TypeKind::Float || kind == TypeKind::Bool ||
           kind == TypeKind::Record;
  };
  const TypeKind kind = module_.types.kind(output.type);
  if (isNumber(kind) || output.from == OutputFrom::Variable) return Encoding::Json;
  if (isJson(output.type)) return Encoding::Base64Json;
  const bool list = kind == TypeKind::List && isJson(module_.types[output.type].element);
  return list ? Encoding::Base64Lines : Encoding::Base64Text;
}

void Emitter::writeLocation(YamlWriter& w, std::string_view key) {
  if (!settings_.artifacts) return;  // refused where the list of files was looked at
  const ObjectStore& store = *settings_.artifacts;
  w.key("s3");
  w.beginMap();
  if (!store.endpoint.empty()) w.entry("endpoint", store.endpoint);
  w.entry("bucket", store.bucket);
  w.entry("key", key);
  if (!store.secret.empty()) {
    for (const auto& [field, name] :
         {std::pair{"accessKeySecret", "accessKey"}, std::pair{"secretKeySecret", "secretKey"}}) {
      w.key(field);
      w.beginMap();
      w.entry("name", store.secret);
      w.entry("key", name);
      w.endMap();
    }
  }
  w.endMap();
}

const Emitter::Container& Emitter::container(ir::TaskId task, const Shape& shape,
                                             const std::vector<std::string>& baseNames) {
  const auto key = std::make_pair(task, shape);
  const auto found = containers_.find(key);
  if (found != containers_.end()) return found->second;
  Container made;
  made.name = templateNames_.unique(module_.at(task).name);
  made.baseNames = baseNames;
  const Container& kept = containers_.emplace(key, std::move(made)).first->second;
  const std::size_t before = rest_.size();
  writeContainer(task, shape, kept);
  ++containerCount_;
  containerBytes_ += rest_.size() - before;
  if (sizes_ != nullptr) {
    sizes_->ofTask[task.index()] += static_cast<std::int64_t>(rest_.size() - before);
  }
  return kept;
}

void Emitter::writeContainerInputs(YamlWriter& w, const ir::TaskDef& task, const Shape& shape,
                                   const Container& made) {
  struct Art {
    std::string name, path;
    bool optional;
  };
  std::vector<Art> artifacts;
  std::vector<std::pair<std::string, std::string>> parameters;  // name, default
  for (std::size_t i = 0; i < task.params.size(); ++i) {
    const ir::ParamDef& param = task.params[i];
    ir::TypeId type = param.type;
    const bool optional = module_.types.kind(type) == TypeKind::Optional;
    if (optional) type = module_.types[type].element;
    const TypeKind kind = module_.types.kind(type);
    if (kind == TypeKind::File || kind == TypeKind::Dir || kind == TypeKind::Table) {
      parameters.emplace_back(param.name + "-name", made.baseNames[i]);
      artifacts.push_back({param.name,
                           fmt::format("{}/{}/{{{{inputs.parameters.{}-name}}}}", kInputFolder,
                                       param.name, param.name),
                           optional});
    } else if (shape.lists[i] == Shape::List::Each) {
      parameters.emplace_back(param.name, "");
      for (std::size_t k = 0; k < shape.names[i].size(); ++k) {
        artifacts.push_back(
            {fmt::format("{}-{}", param.name, k),
             fmt::format("{}/{}/{}/{}", kInputFolder, param.name, k, shape.names[i][k]), false});
      }
    } else if (shape.lists[i] == Shape::List::Folder) {
      parameters.emplace_back(param.name, "");
      artifacts.push_back({param.name, fmt::format("{}/{}", kInputFolder, param.name), false});
    } else {
      parameters.emplace_back(param.name, "");
    }
  }
  if (shape.keyed) parameters.emplace_back(kFilesKey, "");
  if (parameters.empty() && artifacts.empty()) return;
  w.key("inputs");
  w.beginMap();
  if (!parameters.empty()) {
    w.key("parameters");
    w.beginList();
    for (const auto& [name, value] : parameters) {
      w.beginMap();
      w.entry("name", name);
      if (!value.empty()) w.entry("value", value);
      w.endMap();
    }
    w.endList();
  }
  if (!artifacts.empty()) {
    w.key("artifacts");
    w.beginList();
    for (const Art& artifact : artifacts) {
      w.beginMap();
      w.entry("name", artifact.name);
      w.entry("path", artifact.path);
      if (artifact.optional) {
        w.key("optional");
        w.boolean(true);
      }
      w.endMap();
    }
    w.endList();
  }
  w.endMap();
}

void Emitter::writeContainerOutputs(YamlWriter& w, const ir::TaskDef& task, const Shape& shape) {
  const auto isPath = [](const ir::OutputDef& o) { return o.from == OutputFrom::Path; };
  const auto paths = std::count_if(task.outputs.begin(), task.outputs.end(), isPath);
  if (task.outputs.empty()) return;
  w.key("outputs");
  w.beginMap();
  if (static_cast<std::size_t>(paths) < task.outputs.size()) {
    w.key("parameters");
    w.beginList();
    for (const ir::OutputDef& output : task.outputs) {
      if (isPath(output)) continue;
      w.beginMap();
      w.entry("name", output.name);
      w.key("valueFrom");
      w.beginMap();
      const bool plain = outputEncoding(output) == Encoding::Json;
      w.entry("path", outputPath(output) + (plain ? "" : ".b64"));
      w.endMap();
      w.endMap();
    }
    w.endList();
  }
  if (paths != 0) {
    w.key("artifacts");
    w.beginList();
    for (const ir::OutputDef& output : task.outputs) {
      if (!isPath(output)) continue;
      w.beginMap();
      w.entry("name", output.name);
      w.entry("path", outputPath(output));
      const bool folder = module_.types.kind(output.type) == TypeKind::Dir;
      if (!folder) {
        w.key("archive");
        w.beginMap();
        w.key("none");
        w.beginMap();
        w.endMap();
        w.endMap();
      }
      if (settings_.artifacts) {
        const std::string& prefix = settings_.artifacts->keyPrefix;
        const std::string file = output.path.empty() ? output.name : output.path;
        const std::string place =
            shape.keyed ? inputTag(kFilesKey)
                        : prefix + (prefix.empty() ? "" : "/") + "{{workflow.uid}}/{{pod.name}}";
        writeLocation(w, fmt::format("{}/{}/{}{}", place, output.name, file, folder ? ".tgz" : ""));
      }
      w.endMap();
    }
    w.endList();
  }
  w.endMap();
}

void Emitter::writeRetry(YamlWriter& w, const ir::TaskDef& task) {
  const ir::RetryPolicy& retry = task.retry;
  if (retry.limit <= 0) return;
  w.key("retryStrategy");
  w.beginMap();
  w.entry("limit", fmt::format("{}", retry.limit));
  w.entry("retryPolicy", "Always");
  if (retry.backoff.micros > 0) {
    w.key("backoff");
    w.beginMap();
    w.entry("duration", goDuration(retry.backoff));
    // Argo's factor is a whole number.
    const auto factor = static_cast<std::int64_t>(retry.factor);
    if (static_cast<double>(factor) != retry.factor || factor < 1) {
      diags_.take(
          diagnose<Diag::BackendLossy>(task.span, "argo",
                                       fmt::format("a backoff that grows {} times", retry.factor))
              .note(fmt::format("the manifest says {} times", std::max<std::int64_t>(1, factor))));
    }
    w.entry("factor", fmt::format("{}", std::max<std::int64_t>(1, factor)));
    if (retry.maxBackoff.micros > 0) w.entry("cap", goDuration(retry.maxBackoff));
    w.endMap();
  }
  // How each class shows in Argo: docs/backends/argo.md, "Retries".
  constexpr std::string_view kOom =
      "(lastRetry.exitCode == '137' || lastRetry.message contains 'OOMKilled')";
  constexpr std::string_view kTimeout =
      "(lastRetry.message contains 'deadline' || lastRetry.message contains 'DeadlineExceeded')";
  constexpr std::string_view kTransient = "lastRetry.status == 'Error'";
  const auto wants = [&](ir::FailureClass c) {
    return retry.on.empty() || std::find(retry.on.begin(), retry.on.end(), c) != retry.on.end();
  };
  std::vector<std::string> any;
  if (wants(ir::FailureClass::Transient)) any.emplace_back(kTransient);
  if (wants(ir::FailureClass::Oom)) any.emplace_back(kOom);
  if (wants(ir::FailureClass::Timeout)) any.emplace_back(kTimeout);
  if (wants(ir::FailureClass::Exit)) {
    std::string exit = fmt::format("(lastRetry.status == 'Failed' && !{} && !{}", kOom, kTimeout);
    if (!retry.exitCodes.empty()) {
      exit += " && lastRetry.exitCode in [";
      for (std::size_t i = 0; i < retry.exitCodes.size(); ++i) {
        exit += fmt::format("{}'{}'", i == 0 ? "" : ", ", retry.exitCodes[i]);
      }
      exit += "]";
    }
    any.push_back(exit + ")");
  }
  const bool all = any.size() == 4 && retry.exitCodes.empty();
  if (!all && !any.empty()) w.entry("expression", fmt::format("{}", fmt::join(any, " || ")));
  w.endMap();
}

void Emitter::writeContainer(ir::TaskId id, const Shape& shape, const Container& made) {
  const ir::TaskDef& task = module_.at(id);
  template_([&](YamlWriter& w) {
    w.beginMap();
    w.entry("name", made.name);
    writeContainerInputs(w, task, shape, made);
    writeContainerOutputs(w, task, shape);
    writeMemoize(w, task, writeProcess(w, task));
    if (task.timeout.micros > 0) w.entry("activeDeadlineSeconds", wholeSeconds(task.timeout));
    writeRetry(w, task);
    w.endMap();
  });
}

}  // namespace couler::backends::argo

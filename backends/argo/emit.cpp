#include <algorithm>

#include <fmt/format.h>

#include "backends/argo/argo.h"
#include "backends/argo/emitter.h"
#include "support/text.h"

namespace couler::backends::argo {

using ir::TypeKind;

namespace {

// Kubernetes stores objects in etcd, which takes requests of 1.5 MiB.
constexpr std::size_t kObjectLimit = std::size_t{3} << 19;

}  // namespace

Emitter::Emitter(const ir::Module& module, const EmitOptions& options, const Settings& settings,
                 const TextSink& out, DiagnosticSink& diags)
    : module_(module), options_(options), settings_(settings), out_(out), diags_(diags) {}

bool Emitter::prepare() {
  if (!module_.entry.valid()) {
    unsupported({}, "a program without a workflow", "declare one: `workflow main() { … }`");
    return false;
  }
  markStepful();
  findTaskFacts();
  scopeOf_.assign(module_.regions.size(), nullptr);
  taskName_.assign(module_.nodes.size(), 0);
  stamp_.assign(module_.nodes.size(), 0);
  names_.assign(1, std::string_view());
  findParts();
  findChosenFiles();
  const ir::FuncDef& entry = module_.at(module_.entry);
  if (!hasSteps(entry.body)) {
    unsupported(entry.span, fmt::format("workflow `{}`, which has no steps", entry.name),
                "call a task in it");
    return false;
  }
  return true;
}

std::string Emitter::functionTemplate(ir::FuncId func) {
  std::string& name = functions_[func.index()];
  if (name.empty()) {
    name = templateNames_.unique(module_.at(func).name);
    functionQueue_.push_back(func);
  }
  return name;
}

/// A group has one call. Where its steps put files is known to those who take them.
std::string Emitter::groupTemplate(const Scope& caller, ir::FuncId func) {
  std::vector<std::string_view>* const outerDeps = deps_;
  const std::uint32_t outerStamp = stampNow_;
  deps_ = nullptr;
  functions_[func.index()] = templateNames_.unique(module_.at(func).name);
  writeFunction(func, caller.once);
  deps_ = outerDeps;
  stampNow_ = outerStamp;
  return functions_[func.index()];
}

std::vector<Emitter::Input> Emitter::functionInputs(const ir::FuncDef& func, bool entry) {
  std::vector<Input> out;
  for (std::size_t i = 0; i < func.params.size(); ++i) {
    const ir::ParamDef& param = func.params[i];
    if (entry && module_.types.kind(param.type) == TypeKind::Secret) continue;  // by its name alone
    for (const Leaf& leaf : leavesOf(param.type)) {
      Input input;
      input.name = joined(param.name, leaf.path);
      input.artifact = leaf.artifact;
      input.optional = leaf.optional;
      if (entry && leaf.artifact) {
        const ir::Value* given = nullptr;
        for (const auto& [name, value] : options_.arguments) {
          if (name == param.name) given = &value;
        }
        const ir::Value* value = given;
        if (value == nullptr && param.fallback.valid()) value = &module_.at(param.fallback);
        for (const std::string& field : leaf.path)
          value = value == nullptr ? nullptr : value->field(field);
        const auto* file = value == nullptr ? nullptr : value->as<ir::FileRef>();
        if (file == nullptr && leaf.optional && value != nullptr) continue;
        if (!settings_.artifacts) {
          const auto content = file != nullptr && !file->isDir && options_.readFile
                                   ? options_.readFile(file->path)
                                   : std::nullopt;
          if (content && content->size() <= std::size_t{256} * 1024 &&
              content->find("{{") == std::string::npos && !findInvalidUtf8(*content) &&
              content->find('\0') == std::string::npos) {
            input.raw = *content;
          } else {
            refuse<Diag::BackendNeedsArtifacts>(param.span,
                                                "add `artifacts: s3(bucket: \"…\")` to the target; "
                                                "the file is then the object of that key",
                                                fmt::format("input `{}`, a file,", param.name),
                                                "argo");
          }
        } else {
          const std::string& prefix = settings_.artifacts->keyPrefix;
          input.key = fmt::format("{}{}{{{{workflow.parameters.{}}}}}", prefix,
                                  prefix.empty() ? "" : "/", input.name);
        }
      }
      out.push_back(std::move(input));
    }
  }
  return out;
}

std::vector<Emitter::Output> Emitter::functionOutputs(Scope& scope, const ir::FuncDef& func) {
  uid_ = kUidInOutput;
  std::vector<Output> out;
  const auto& results = module_.at(func.body).results;
  if (!results.empty()) {
    for (const ir::TypeField& field : module_.types[func.result].fields) {
      // Lists of files leave a workflow as the list of their keys.
      if (module_.types.kind(field.type) == TypeKind::List && holdsFiles(field.type)) {
        Path path = {field.name};
        const ir::NodeId maker = base(results[0], path);
        if (module_.payload<ir::For>(maker) != nullptr) {
          if (const auto where = place(maker, path)) {
            Place keys = *where;
            keys.artifact = false;
            if (const auto ref = reference(scope, maker, keys)) {
              out.push_back({field.name, false, false, {}, "{{" + ref->dotted() + "}}"});
              continue;
            }
          }
        }
        unsupported(func.span, fmt::format("output `{}`, a list of files", field.name),
                    "give the list that a `for` gives");
        continue;
      }
      std::vector<Leaf> leaves;
      Path path = {field.name};
      addLeaves(field.type, path, false, leaves);
      for (const Leaf& leaf : leaves) {
        Output output;
        output.name = joined("", leaf.path);
        output.artifact = leaf.artifact;
        output.optional = leaf.optional;
        if (leaf.artifact) {
          const auto file = artifact(scope, results[0], leaf.path, func.span);
          if (!file) continue;
          // A part made it, or it was chosen among others: its key, as text.
          if (scope.isEntry && file->key && file->key->starts_with("{{=")) {
            const std::string_view key = *file->key;
            output.artifact = false;
            output.expression = "toJson(" + std::string(key.substr(3, key.size() - 5)) + ")";
            out.push_back(std::move(output));
            continue;
          }
          if (!file->from) {
            unsupported(func.span, fmt::format("output `{}`, which no step makes", output.name),
                        "make it in a step");
            continue;
          }
          output.parameter = "{{" + file->from->dotted() + "}}";
          output.optional = output.optional || file->optional;
        } else {
          const Text value = text(scope, results[0], leaf.path);
          if (const Ref* single = value.single(); single != nullptr && !single->task.empty()) {
            output.parameter = "{{" + single->dotted() + "}}";
          } else {
            output.expression = value.asExpr();
          }
        }
        out.push_back(std::move(output));
      }
    }
  }
  uid_ = kUidInTag;
  return out;
}

void Emitter::writeFinally(ir::FuncId funcId, Scope& scope, const std::string& name, bool entry) {
  const ir::FuncDef& func = module_.at(funcId);
  // It takes the same inputs as the workflow, under the same names.
  scopes_.push_back(std::make_unique<Scope>());
  Scope& own = *scopes_.back();
  own.templateName = name;
  own.place = "/" + name;
  own.isEntry = false;
  adopt(own, func.finally);
  scopeOf_[func.body.index()] = &own;
  std::vector<Input> inputs = functionInputs(func, entry);
  for (const Input& input : inputs) static_cast<void>(own.inputNames.unique(input.name));
  for (const ir::NodeId param : module_.at(func.finally).params) {
    // Argo's word for it: Succeeded, or Failed or Error.
    bound_[param] =
        entry ? "sprig.ternary(\"succeeded\", \"failed\", workflow.status == \"Succeeded\")"
              : "sprig.ternary(\"succeeded\", \"failed\", inputs.parameters['status'] == "
                "\"Succeeded\")";
  }
  if (!entry) inputs.push_back({"status", false, false, std::nullopt, std::nullopt});
  writeRegion(own, func.finally, inputs, {});
  scopeOf_[func.body.index()] = &scope;
}

void Emitter::writeFunction(ir::FuncId funcId, bool once) {
  const ir::FuncDef& func = module_.at(funcId);
  const std::string name = functions_[funcId.index()];
  scopes_.push_back(std::make_unique<Scope>());
  Scope& scope = *scopes_.back();
  scope.templateName = name;
  scope.place = "/" + name;
  scope.once = once;
  adopt(scope, func.body);
  const bool isGroup = func.outlined == ir::Outlined::Group;
  const std::vector<Input> inputs = isGroup ? groupInputs(funcId) : functionInputs(func, false);
  for (const Input& input : inputs) static_cast<void>(scope.inputNames.unique(input.name));
  if (!hasSteps(func.body)) {
    unsupported(func.span, fmt::format("workflow `{}`, which has no steps", func.name),
                "make it a `fn`");
    return;
  }
  std::string tasks;
  YamlWriter w([&tasks](std::string_view t) { tasks += t; }, 3);
  w.beginList();
  writeTasks(scope, func.body, w);
  w.endList();
  w.flush();
  writeDag(name, inputs, tasks, isGroup ? partOutputs(scope, funcId) : functionOutputs(scope, func),
           false);
  if (func.finally.valid() && hasSteps(func.finally)) {
    writeFinally(funcId, scope, name + "-exit", false);
  }
}

void Emitter::writeHead(YamlWriter& w, std::string_view kind, std::string_view name) {
  w.entry("apiVersion", "argoproj.io/v1alpha1");
  w.entry("kind", kind);
  w.key("metadata");
  w.beginMap();
  w.entry(name.ends_with('-') ? "generateName" : "name", name);
  if (!settings_.nameSpace.empty()) w.entry("namespace", settings_.nameSpace);
  w.endMap();
}

void Emitter::writeSettings(YamlWriter& w, bool part) {
  if (!settings_.serviceAccount.empty()) w.entry("serviceAccountName", settings_.serviceAccount);
  if (settings_.priority) w.entry("priority", *settings_.priority);
  if (settings_.parallelism) w.entry("parallelism", *settings_.parallelism);
  if (settings_.archiveLogs) {
    w.key("archiveLogs");
    w.boolean(*settings_.archiveLogs);
  }
  if (settings_.ttlSeconds && !part) {  // a part goes with its parent
    w.key("ttlStrategy");
    w.beginMap();
    w.entry("secondsAfterCompletion", *settings_.ttlSeconds);
    w.endMap();
  }
  if (!settings_.nodeSelector.empty()) {
    w.key("nodeSelector");
    w.beginMap();
    for (const auto& [key, value] : settings_.nodeSelector) w.entry(key, value);
    w.endMap();
  }
  if (!settings_.imagePullSecrets.empty()) {
    w.key("imagePullSecrets");
    w.beginList();
    for (const std::string& name : settings_.imagePullSecrets) {
      w.beginMap();
      w.entry("name", name);
      w.endMap();
    }
    w.endList();
  }

}

/// The workflow's own inputs: JSON text, files by their key in the object store.
void Emitter::writeWorkflowArguments(YamlWriter& w) {
  const ir::FuncDef& entry = module_.at(module_.entry);
  std::vector<std::pair<std::string, std::optional<std::string>>> arguments;
  for (const ir::ParamDef& param : entry.params) {
    if (module_.types.kind(param.type) == TypeKind::Secret) continue;
    const ir::Value* value = nullptr;
    for (const auto& [name, given] : options_.arguments) {
      if (name == param.name) value = &given;
    }
    if (value == nullptr && param.fallback.valid()) value = &module_.at(param.fallback);
    for (const Leaf& leaf : leavesOf(param.type)) {
      const ir::Value* part = value;
      for (const std::string& field : leaf.path)
        part = part == nullptr ? nullptr : part->field(field);
      if (leaf.artifact) {
        if (!settings_.artifacts) continue;  // its content is in the manifest
        const auto* file = part == nullptr ? nullptr : part->as<ir::FileRef>();
        if (file != nullptr && file->path.find("{{") != std::string::npos) {
          refuse<Diag::BackendTag>(param.span, {}, fmt::format("the path of `{}`", param.name),
                                   "argo");
        }
        arguments.emplace_back(joined(param.name, leaf.path),
                               file == nullptr ? std::nullopt : std::optional(file->path));
      } else {
        arguments.emplace_back(joined(param.name, leaf.path),
                               part == nullptr ? std::nullopt : std::optional(jsonText(*part)));
      }
    }
  }
  if (arguments.empty()) return;
  w.key("arguments");
  w.beginMap();
  w.key("parameters");
  w.beginList();
  for (const auto& [name, value] : arguments) {
    w.beginMap();
    w.entry("name", name);
    if (value) w.entry("value", *value);
    w.endMap();
  }
  w.endList();
  w.endMap();
}

void Emitter::writeManifest() {
  beginDocument();
  const TextSink counted = [this](std::string_view text) {
    bytes_ += text.size();
    out_(text);
  };
  const ir::FuncDef& entry = module_.at(module_.entry);
  const std::string name(templateNames_.unique(entry.name));
  functions_[module_.entry.index()] = name;
  const bool onExit = entry.finally.valid() && hasSteps(entry.finally);
  const std::string exitName(onExit ? templateNames_.unique(entry.name + "-exit")
                                    : std::string_view());

  YamlWriter w(counted);
  w.beginMap();
  writeHead(w, "Workflow", settings_.name.empty() ? name + "-" : settings_.name);
  w.key("spec");
  w.beginMap();
  w.entry("entrypoint", name);
  if (onExit) w.entry("onExit", exitName);
  writeSettings(w, false);
  writeWorkflowArguments(w);
  w.key("templates");
  w.beginList();

  scopes_.push_back(std::make_unique<Scope>());
  Scope& scope = *scopes_.back();
  scope.templateName = name;
  scope.isEntry = true;
  adopt(scope, entry.body);
  const std::vector<Input> inputs = functionInputs(entry, true);
  for (const Input& input : inputs) static_cast<void>(scope.inputNames.unique(input.name));
  ++templates_;
  w.beginMap();
  w.entry("name", name);
  writeInputs(w, inputs);
  w.key("dag");
  w.beginMap();
  w.key("failFast");
  w.boolean(false);
  w.key("tasks");
  w.beginList();
  writeTasks(scope, entry.body, w);
  w.endList();
  w.endMap();
  const std::size_t before = w.written();
  writeOutputs(w, functionOutputs(scope, entry));
  if (sizes_ != nullptr) sizes_->results = static_cast<std::int64_t>(w.written() - before);
  w.endMap();
  if (onExit) writeFinally(module_.entry, scope, exitName, true);
  for (std::size_t i = 0; i < functionQueue_.size(); ++i) writeFunction(functionQueue_[i]);
  w.raw(rest_);
  w.endList();
  w.endMap();
  w.endMap();
  w.flush();
  endDocument(module_.entry, bytes_);
}

void Emitter::checkCount(Span at, std::string_view what, std::int64_t count, std::string_view of,
                         std::int64_t most) {
  if (count <= most) return;
  diags_.take(diagnose<Diag::BackendTooMany>(at, what, countOf(static_cast<std::size_t>(count), of),
                                             most, "Argo v4.0 and later")
                  .note("make workflows of parts of it, or `for` of steps that differ by a value"));
}

void Emitter::endDocument(ir::FuncId func, std::size_t bytes) {
  checkCount(module_.at(func).span, "the workflow", templates_, "template", kLimits.templates);
  if (sizes_ != nullptr)
    sizes_->documents.push_back({func, static_cast<std::int64_t>(bytes), templates_});
  if (!ok_ || bytes <= kObjectLimit) return;
  diags_.take(
      diagnose<Diag::BackendTooLarge>(module_.at(func).span, humanBytes(bytes), humanBytes(kObjectLimit))
          .note("make a workflow of a part of it, and `for` of steps that differ by a value"));
}

bool Emitter::run() {
  if (!prepare()) return false;
  for (std::size_t i = 0; i < module_.funcs.size(); ++i) {
    if (module_.funcs[i].outlined == ir::Outlined::Part) writePart(ir::FuncId{i});
  }
  writeManifest();
  return ok_;
}

std::optional<Sizes> measure(const ir::Module& module, const EmitOptions& options) {
  DiagnosticList unheard;
  const auto settings = readSettings(module, options.target, unheard);
  if (!settings) return std::nullopt;
  Sizes sizes;
  sizes.ofNode.assign(module.nodes.size(), 0);
  sizes.templates.assign(module.nodes.size(), 0);
  sizes.ofTask.assign(module.tasks.size(), 0);
  const TextSink nowhere = [](std::string_view) {};  // outlives the emitter
  Emitter emitter(module, options, *settings, nowhere, unheard);
  emitter.measureInto(sizes);
  if (!emitter.run()) return std::nullopt;
  std::int64_t steps = sizes.results;
  for (const ir::NodeId id : module.at(module.at(module.entry).body).nodes)
    steps += sizes.ofNode[id.index()];
  for (const std::int64_t bytes : sizes.ofTask) steps += bytes;
  sizes.base = std::max<std::int64_t>(0, sizes.documents.back().bytes - steps);
  return sizes;
}

bool emit(const ir::Module& module, const EmitOptions& options, const TextSink& out,
          DiagnosticSink& diags) {
  const auto settings = readSettings(module, options.target, diags);
  if (!settings) return false;
  return Emitter(module, options, *settings, out, diags).run();
}

}  // namespace couler::backends::argo

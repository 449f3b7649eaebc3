#include <algorithm>

#include <fmt/format.h>

#include "backends/argo/emitter.h"
#include "ir/shim.h"

namespace couler::backends::argo {
namespace {

using ir::OutputFrom;
using ir::TypeKind;

/// What every container runs first. Values come as base64 in the environment, so that neither Argo
/// nor Kubernetes nor this shell sees anything in them but letters. Results that a later template
/// is to carry go out as base64 where they are any text, and without `{{` where they are JSON. The
/// program then runs in an empty folder.
///   COULER_MKDIR    folders to make for outputs
///   COULER_DECODE   names of variables: NAME is set to what NAME_B64 spells
///   COULER_ARGV     the words to run, each `w` and its base64; not set: this shell's arguments
///   COULER_STDOUT   where to keep a copy of standard output
///   COULER_FILES    pairs of files `from:to` to copy when done (scalars read from files)
///   COULER_ENCODE   files to leave as base64, too, at PATH.b64
///   COULER_GUARD    files of JSON in which `{{` becomes `{\\u007b`, which means the same
constexpr std::string_view kLauncher = R"sh(set -eu
for couler_v in ${COULER_DECODE-}; do
  eval "couler_t=\$${couler_v}_B64"
  couler_t=$(printf %s "$couler_t" | base64 -d; printf x)
  export "$couler_v=${couler_t%x}"
  unset "${couler_v}_B64"
done
if [ -n "${COULER_ARGV+x}" ]; then
  set --
  for couler_w in $COULER_ARGV; do
    couler_t=$(printf %s "${couler_w#w}" | base64 -d; printf x)
    set -- "$@" "${couler_t%x}"
  done
fi
mkdir -p /tmp/couler/work /tmp/couler/out
for couler_d in ${COULER_MKDIR-}; do mkdir -p "/tmp/couler/out/$couler_d"; done
cd /tmp/couler/work
couler_encode=${COULER_ENCODE-} couler_guard=${COULER_GUARD-}
couler_stdout=${COULER_STDOUT-} couler_files=${COULER_FILES-}
unset COULER_DECODE COULER_ARGV COULER_MKDIR COULER_ENCODE COULER_GUARD COULER_STDOUT COULER_FILES
couler_e=0
if [ -n "$couler_stdout" ]; then
  "$@" >"$couler_stdout" || couler_e=$?
  cat "$couler_stdout"
else
  "$@" || couler_e=$?
fi
[ "$couler_e" = 0 ] || exit "$couler_e"
for couler_f in $couler_files; do cp "${couler_f%%:*}" "${couler_f#*:}"; done
for couler_f in $couler_encode; do
  couler_t=$(cat "$couler_f"; printf x)
  case $couler_f in *.line) couler_t=${couler_t%x}; couler_t=${couler_t%"
"}x ;; esac
  printf %s "${couler_t%x}" | base64 | tr -d '\n' >"$couler_f.b64"
done
for couler_f in $couler_guard; do
  LC_ALL=C sed 's/{\{2\}/{\\u007b/g' "$couler_f" >"$couler_f.json"
  mv "$couler_f.json" "$couler_f"
done
)sh";

bool isSpecial(char c) {
  return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_');
}

std::string outputPath(const ir::OutputDef& output) {
  const std::string folder = fmt::format("{}/{}", kOutputFolder, output.name);
  if (output.from == OutputFrom::Path) {
    return folder + "/" + (output.path.empty() ? output.name : output.path);
  }
  // `.line`: the launcher drops one final newline, as of what a program prints.
  return output.from == OutputFrom::Stdout ? folder + ".line" : folder;
}

}  // namespace

Encoding Emitter::outputEncoding(const ir::OutputDef& output) const {
  const bool number = isNumber(module_.types.kind(output.type));
  return number || output.from == OutputFrom::Variable ? Encoding::Json : Encoding::Base64Text;
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
  writeContainer(task, shape, kept);
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
  if (shape.keyed) parameters.emplace_back("key", "");
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
            shape.keyed ? "{{inputs.parameters.key}}"
                        : prefix + (prefix.empty() ? "" : "/") + "{{workflow.uid}}/{{pod.name}}";
        writeLocation(w, fmt::format("{}/{}/{}{}", place, output.name, file, folder ? ".tgz" : ""));
      }
      w.endMap();
    }
    w.endList();
  }
  w.endMap();
}

void Emitter::writeResources(YamlWriter& w, const ir::TaskDef& task) {
  const auto entries = [&](bool limits) {
    w.beginMap();
    w.entry("cpu", cpuQuantity(task.cpu));
    if (task.memory > 0) w.entry("memory", bytesQuantity(task.memory));
    if (task.disk > 0) w.entry("ephemeral-storage", bytesQuantity(task.disk));
    if (limits && task.gpu > 0) w.entry("nvidia.com/gpu", fmt::format("{}", task.gpu));
    w.endMap();
  };
  w.key("resources");
  w.beginMap();
  w.key("requests");
  entries(false);
  w.key("limits");
  entries(true);
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

void Emitter::writeProcess(YamlWriter& w, const ir::TaskDef& task) {
  struct Variable {
    std::string name, value;
    std::string secret;  // an input that holds the key within the Secret
  };
  std::vector<Variable> env;
  std::vector<std::string> decoded;
  const auto set = [&](std::string name, std::string value) {
    env.push_back({std::move(name), std::move(value), {}});
  };
  const auto setEncoded = [&](const std::string& name, std::string value) {
    decoded.push_back(name);
    set(name + "_B64", std::move(value));
  };
  // A constant, or base64 of it where Argo would find a tag in it.
  const auto setConstant = [&](const std::string& name, const std::string& value) {
    if (value.find("{{") == std::string::npos) {
      set(name, escapeDollar(value));
    } else {
      setEncoded(name, base64(value));
    }
  };

  // The task's own expressions see inputs and the paths of outputs.
  Scope scope;
  std::map<ir::NodeId, std::string> outerBound = std::move(bound_);
  bound_.clear();
  const ir::Region& exprs = module_.at(task.exprs);
  scopeOf_[task.exprs.index()] = &scope;
  std::vector<std::string> inputPath(task.params.size());
  for (std::size_t i = 0; i < task.params.size() && i < exprs.params.size(); ++i) {
    const ir::ParamDef& param = task.params[i];
    ir::TypeId type = param.type;
    const bool optional = module_.types.kind(type) == TypeKind::Optional;
    if (optional) type = module_.types[type].element;
    const TypeKind kind = module_.types.kind(type);
    const Ref ref{{}, param.name, false, Encoding::Json};
    if (kind == TypeKind::File || kind == TypeKind::Dir || kind == TypeKind::Table) {
      bound_[exprs.params[i]] = fmt::format("\"{}/{}/\" + inputs.parameters['{}-name']",
                                            kInputFolder, param.name, param.name);
      bound_[exprs.params[i]] = "(" + bound_[exprs.params[i]] + ")";
    } else {
      bound_[exprs.params[i]] = decode(ref, param.type);
      boundText_[exprs.params[i]] = ref.indexed();
    }
  }
  std::vector<std::string> folders;
  std::size_t next = task.params.size();
  for (const ir::OutputDef& output : task.outputs) {
    if (output.from != OutputFrom::Path) continue;
    folders.push_back(output.name);
    if (next < exprs.params.size()) bound_[exprs.params[next++]] = exprString(outputPath(output));
  }

  // A word or value as base64: of a constant at once, else while the workflow runs.
  const auto asText = [&](ir::NodeId id) -> std::string {
    if (const ir::Value* value = module_.constant(id)) return base64(ir::toText(*value));
    ir::TypeId type = node(id).type;
    if (module_.types.kind(type) == TypeKind::Optional) type = module_.types[type].element;
    if (const auto* param = std::get_if<ir::Param>(&node(id).payload);
        param != nullptr && param->index < task.params.size() &&
        isNumber(module_.types.kind(node(id).type))) {
      return exprTag(
          fmt::format("sprig.b64enc(inputs.parameters['{}'])", task.params[param->index].name));
    }
    std::string e = expr(scope, id);
    switch (module_.types.kind(type)) {
      case TypeKind::String:
      case TypeKind::Enum:
      case TypeKind::File:
      case TypeKind::Dir:
      case TypeKind::Table:
      case TypeKind::Timestamp:
        if (module_.types.kind(node(id).type) == TypeKind::Optional) {
          e = "sprig.toString(first(filter([" + e + ", \"\"], {# != nil})))";
        }
        break;
      case TypeKind::Int:
      case TypeKind::Bool:
      case TypeKind::Float:
        e = "toJson(" + e + ")";
        break;
      case TypeKind::Record:
      case TypeKind::List:
      case TypeKind::Map:
        e = text(scope, id, {}).asExpr();
        break;
      default:
        refuse<Diag::BackendExpression>(
            node(id).span, "make the text in an earlier step", "argo",
            fmt::format("the text of a `{}`", module_.types.print(node(id).type)));
        return {};
    }
    return exprTag("sprig.b64enc(" + e + ")");
  };

  std::vector<std::string> command = {"sh", "-c", escapeDollar(kLauncher), "couler"};
  if (task.run == ir::RunKind::Argv) {
    std::string words;
    bool constant = true;
    for (const ir::TaskDef::Word& word : task.argv) {
      constant =
          constant && !word.spread && module_.constant(exprs.results[word.result]) != nullptr;
    }
    for (const ir::TaskDef::Word& word : task.argv) {
      const ir::NodeId id = exprs.results[word.result];
      const ir::Value* value = module_.constant(id);
      if (constant) {
        const std::string text = ir::toText(*value);
        if (text.find("{{") == std::string::npos) continue;
        constant = false;
      }
    }
    for (const ir::TaskDef::Word& word : task.argv) {
      const ir::NodeId id = exprs.results[word.result];
      if (constant) {
        command.push_back(escapeDollar(ir::toText(*module_.constant(id))));
        continue;
      }
      if (!words.empty()) words += ' ';
      if (!word.spread) {
        words += "w" + asText(id);
        continue;
      }
      if (const ir::Value* value = module_.constant(id)) {
        for (std::size_t i = 0; i < value->items().size(); ++i) {
          words += (i == 0 ? "w" : " w") + base64(ir::toText(value->items()[i]));
        }
        continue;
      }
      const TypeKind kind = module_.types.kind(module_.types[node(id).type].element);
      const bool isText = kind == TypeKind::String || kind == TypeKind::Enum ||
                          kind == TypeKind::File || kind == TypeKind::Dir ||
                          kind == TypeKind::Table;
      words += exprTag(fmt::format("sprig.join(\" \", map({}, {{\"w\" + sprig.b64enc({})}}))",
                                   expr(scope, id), isText ? "#" : "toJson(#)"));
    }
    if (!constant) set("COULER_ARGV", words);
  } else {
    const ir::ProcessSpec process = ir::scriptProcess(module_, task);
    bool braces = false;
    for (const std::string& word : process.argv)
      braces = braces || word.find("{{") != std::string::npos;
    if (braces) {
      std::string words;
      for (const std::string& word : process.argv)
        words += (words.empty() ? "w" : " w") + base64(word);
      set("COULER_ARGV", words);
    } else {
      for (const std::string& word : process.argv) command.push_back(escapeDollar(word));
    }
    for (const auto& [name, value] : process.env) setConstant(name, value);
    for (const auto& [name, value] : process.labels) setConstant(name, value);
    if (task.run == ir::RunKind::Sh) set("COULER_JSON", "1");
    for (std::size_t i = 0; i < task.params.size(); ++i) {
      const ir::ParamDef& param = task.params[i];
      const std::string name = ir::inputVariable(param.name);
      ir::TypeId type = param.type;
      const bool optional = module_.types.kind(type) == TypeKind::Optional;
      if (optional) type = module_.types[type].element;
      switch (module_.types.kind(type)) {
        case TypeKind::Secret:
          break;
        case TypeKind::File:
        case TypeKind::Dir:
        case TypeKind::Table:
          setEncoded(name,
                     exprTag(fmt::format("sprig.b64enc(toJson({}))", bound_[exprs.params[i]])));
          break;
        default: {
          if (isNumber(module_.types.kind(type))) {
            set(name, fmt::format("{{{{inputs.parameters.{}}}}}", param.name));
          } else {
            setEncoded(name,
                       exprTag(fmt::format("sprig.b64enc(inputs.parameters['{}'])", param.name)));
          }
        }
      }
    }
    for (const ir::OutputDef& output : task.outputs) {
      if (output.from == OutputFrom::Path || output.from == OutputFrom::Variable) {
        set(ir::outputVariable(output.name), outputPath(output));
      }
    }
  }
  for (const ir::TaskDef::Env& variable : task.env) {
    const ir::NodeId id = exprs.results[variable.result];
    Path path;
    const ir::NodeId source = base(id, path);
    if (module_.types.kind(node(source).type) == TypeKind::Secret) {
      const auto* param = std::get_if<ir::Param>(&node(source).payload);
      if (settings_.secrets.empty()) {
        refuse<Diag::BackendSecret>(
            task.span, "add `secrets: \"name\"` to the target",
            param == nullptr ? variable.name : task.params[param->index].name);
      }
      env.push_back({variable.name, {}, param == nullptr ? "" : task.params[param->index].name});
      continue;
    }
    if (const ir::Value* value = module_.constant(id)) {
      setConstant(variable.name, ir::toText(*value));
    } else {
      setEncoded(variable.name, asText(id));
    }
  }
  std::string encodes, guards, files;
  for (const ir::OutputDef& output : task.outputs) {
    if (output.from == OutputFrom::Path) continue;
    if (output.from == OutputFrom::Stdout) set("COULER_STDOUT", outputPath(output));
    if (output.from == OutputFrom::File) {
      if (std::any_of(output.path.begin(), output.path.end(),
                      [](char c) { return isSpecial(c) && c != '/'; })) {
        unsupported(output.span.valid() ? output.span : task.span,
                    "an output read from a file with such a name",
                    "name the file with letters, digits, `.`, `-` and `_`");
      }
      files += fmt::format("{}{}:{}", files.empty() ? "" : " ", output.path, outputPath(output));
    }
    std::string* coded = nullptr;
    if (outputEncoding(output) != Encoding::Json) {
      coded = &encodes;
    } else if (!isNumber(module_.types.kind(output.type))) {
      coded = &guards;
    }
    if (coded != nullptr) *coded += (coded->empty() ? "" : " ") + outputPath(output);
  }
  if (!folders.empty()) set("COULER_MKDIR", fmt::format("{}", fmt::join(folders, " ")));
  if (!encodes.empty()) set("COULER_ENCODE", encodes);
  if (!guards.empty()) set("COULER_GUARD", guards);
  if (!files.empty()) set("COULER_FILES", files);
  if (!decoded.empty()) set("COULER_DECODE", fmt::format("{}", fmt::join(decoded, " ")));

  w.key("container");
  w.beginMap();
  const std::string& image = task.image.empty() ? settings_.image : task.image;
  if (image.empty()) {
    refuse<Diag::BackendNeedsImage>(
        task.span, "write `image \"…\"` in the task, or `image: \"…\"` in the target", task.name,
        "argo");
  } else if (image.find("{{") != std::string::npos) {
    refuse<Diag::BackendTag>(task.span, {}, "the image's name", "argo");
  }
  w.entry("image", image);
  w.key("command");
  w.beginList();
  for (const std::string& word : command) {
    if (word.find("{{") != std::string::npos)
      refuse<Diag::BackendTag>(task.span, {}, "a word", "argo");
    w.string(word);
  }
  w.endList();
  if (!env.empty()) {
    w.key("env");
    w.beginList();
    for (const Variable& variable : env) {
      w.beginMap();
      w.entry("name", variable.name);
      if (variable.secret.empty()) {
        w.entry("value", variable.value);
      } else {
        w.key("valueFrom");
        w.beginMap();
        w.key("secretKeyRef");
        w.beginMap();
        w.entry("name", settings_.secrets);
        w.entry("key", fmt::format("{{{{inputs.parameters.{}}}}}", variable.secret));
        w.endMap();
        w.endMap();
      }
      w.endMap();
    }
    w.endList();
  }
  writeResources(w, task);
  w.endMap();
  scopeOf_[task.exprs.index()] = nullptr;
  bound_.clear();
  boundText_.clear();
  bound_ = std::move(outerBound);
}

void Emitter::writeContainer(ir::TaskId id, const Shape& shape, const Container& made) {
  const ir::TaskDef& task = module_.at(id);
  template_([&](YamlWriter& w) {
    w.beginMap();
    w.entry("name", made.name);
    writeContainerInputs(w, task, shape, made);
    writeContainerOutputs(w, task, shape);
    writeProcess(w, task);
    if (task.timeout.micros > 0) w.entry("activeDeadlineSeconds", wholeSeconds(task.timeout));
    writeRetry(w, task);
    w.endMap();
  });
}

}  // namespace couler::backends::argo

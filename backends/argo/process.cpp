#include <algorithm>

#include <fmt/format.h>

#include "backends/argo/emitter.h"
#include "backends/kubernetes.h"
#include "ir/shim.h"
#include "support/base64.h"

// What a container runs: the launcher, then the words or the script of the task, and the environment that
// brings the values.
namespace couler::backends::argo {

using ir::OutputFrom;
using ir::TypeKind;

namespace {

bool isSpecial(char c) {
  return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_');
}

}  // namespace

TypeKind Emitter::kindOf(ir::TypeId type) const {
  const bool optional = module_.types.kind(type) == TypeKind::Optional;
  return module_.types.kind(optional ? module_.types[type].element : type);
}

/// A container under way.
struct Emitter::Process {
  struct Variable {
    std::string name, value;
    std::string secret;  // an input that holds the key within the Secret
  };
  Process(const ir::TaskDef& of, const ir::Region& expressions) : task(of), exprs(expressions) {}

  const ir::TaskDef& task;
  const ir::Region& exprs;
  Scope scope;  // the task's own expressions see inputs and the paths of outputs
  std::vector<std::string> command;
  std::vector<Variable> env;
  std::vector<std::string> decoded;
  std::vector<std::string> maybe;

  void set(std::string name, std::string value) {
    env.push_back({std::move(name), std::move(value), {}});
  }
  /// `value`: base64, or a tag that gives it.
  void setEncoded(const std::string& name, std::string value) {
    decoded.push_back(name);
    set(name + "_B64", std::move(value));
  }
  /// A constant, or base64 of it where Argo would find a tag in it.
  void setConstant(const std::string& name, const std::string& value) {
    if (value.find("{{") == std::string::npos) {
      set(name, escapeDollar(value));
    } else {
      setEncoded(name, encodeBase64(value));
    }
  }
  void setList(std::string_view name, const std::vector<std::string>& words) {
    if (!words.empty()) set(std::string(name), fmt::format("{}", fmt::join(words, " ")));
  }
};

/// What the parameters of the task's expressions stand for.
void Emitter::bindParameters(const Process& process) {
  const ir::TaskDef& task = process.task;
  const std::vector<ir::NodeId>& params = process.exprs.params;
  for (std::size_t i = 0; i < task.params.size() && i < params.size(); ++i) {
    const ir::ParamDef& param = task.params[i];
    if (isFileKind(kindOf(param.type))) {
      bound_[params[i]] = fmt::format("(\"{}/{}/\" + inputs.parameters['{}-name'])", kInputFolder,
                                      param.name, param.name);
    } else {
      const Ref ref{{}, param.name, false, Encoding::Json};
      bound_[params[i]] = decode(ref, param.type);
      boundText_[params[i]] = ref.indexed();
    }
  }
  std::size_t next = task.params.size();
  for (const ir::OutputDef& output : task.outputs) {
    if (output.from == OutputFrom::Path && next < params.size()) {
      bound_[params[next++]] = exprString(outputPath(output));
    }
  }
}

/// The text of a value as base64: of a constant at once, else by a tag.
std::string Emitter::encodedText(Process& process, ir::NodeId id) {
  if (const ir::Value* value = module_.constant(id)) return encodeBase64(ir::toText(*value));
  const bool optional = module_.types.kind(node(id).type) == TypeKind::Optional;
  const TypeKind kind = kindOf(node(id).type);
  const auto* param = std::get_if<ir::Param>(&node(id).payload);
  if (param != nullptr && param->index < process.task.params.size() && isNumber(kind) && !optional) {
    return exprTag(fmt::format("sprig.b64enc(inputs.parameters['{}'])",
                               process.task.params[param->index].name));
  }
  if (kind == TypeKind::Record || kind == TypeKind::List || kind == TypeKind::Map) {
    return exprTag("sprig.b64enc(" + text(process.scope, id, {}).asExpr() + ")");
  }
  std::string e = expr(process.scope, id);
  if (isNumber(kind)) {
    e = "toJson(" + e + ")";
  } else if (!isText(kind)) {
    refuse<Diag::BackendExpression>(
        node(id).span, "make the text in an earlier step", "argo",
        fmt::format("the text of a `{}`", module_.types.print(node(id).type)));
    return {};
  } else if (optional) {
    e = "sprig.toString(first(filter([" + e + ", \"\"], {# != nil})))";
  }
  return exprTag("sprig.b64enc(" + e + ")");
}

/// The words of a command: as they are where all are known, else encoded.
void Emitter::addWords(Process& process) {
  const auto result = [&](const ir::TaskDef::Word& word) {
    return process.exprs.results[word.result];
  };
  const bool plain =
      std::all_of(process.task.argv.begin(), process.task.argv.end(), [&](const auto& word) {
        const ir::Value* value = module_.constant(result(word));
        return !word.spread && value != nullptr && ir::toText(*value).find("{{") == std::string::npos;
      });
  std::vector<std::string> words;
  for (const ir::TaskDef::Word& word : process.task.argv) {
    const ir::NodeId id = result(word);
    const ir::Value* value = module_.constant(id);
    if (plain) {
      process.command.push_back(escapeDollar(ir::toText(*value)));
    } else if (!word.spread) {
      words.push_back("w" + encodedText(process, id));
    } else if (value != nullptr) {
      for (const ir::Value& item : value->items())
        words.push_back("w" + encodeBase64(ir::toText(item)));
    } else {
      const TypeKind item = module_.types.kind(module_.types[node(id).type].element);
      words.push_back(exprTag(fmt::format("sprig.join(\" \", map({}, {{\"w\" + sprig.b64enc({})}}))",
                                          expr(process.scope, id), isText(item) ? "#" : "toJson(#)")));
    }
  }
  process.setList("COULER_ARGV", words);
}

/// A script: the constant program that starts it, and its inputs and outputs as ir/shim.h says.
void Emitter::addScript(Process& process) {
  const ir::TaskDef& task = process.task;
  const ir::ProcessSpec spec = ir::scriptProcess(module_, task);
  const bool plain = std::all_of(spec.argv.begin(), spec.argv.end(), [](const std::string& word) {
    return word.find("{{") == std::string::npos;
  });
  std::vector<std::string> words;
  for (const std::string& word : spec.argv) {
    if (plain) {
      process.command.push_back(escapeDollar(word));
    } else {
      words.push_back("w" + encodeBase64(word));
    }
  }
  process.setList("COULER_ARGV", words);
  for (const auto& [name, value] : spec.env) process.setConstant(name, value);
  for (const auto& [name, value] : spec.labels) process.setConstant(name, value);
  if (task.run == ir::RunKind::Sh) process.set("COULER_JSON", "1");
  for (std::size_t i = 0; i < task.params.size(); ++i) {
    const ir::ParamDef& param = task.params[i];
    const std::string name = ir::inputVariable(param.name);
    const TypeKind kind = kindOf(param.type);
    if (kind == TypeKind::Secret) continue;
    if (isNumber(kind)) {
      process.set(name, inputTag(param.name));
    } else if (isFileKind(kind)) {
      process.setEncoded(
          name, exprTag(fmt::format("sprig.b64enc(toJson({}))", bound_[process.exprs.params[i]])));
      if (module_.types.kind(param.type) == TypeKind::Optional) {
        process.maybe.push_back(fmt::format("{}:{}/{}/", name, kInputFolder, param.name));
      }
    } else {
      process.setEncoded(name,
                         exprTag(fmt::format("sprig.b64enc(inputs.parameters['{}'])", param.name)));
    }
  }
  for (const ir::OutputDef& output : task.outputs) {
    if (output.from == OutputFrom::Path || output.from == OutputFrom::Variable) {
      process.set(ir::outputVariable(output.name), outputPath(output));
    }
  }
}

/// The task's own variables.
void Emitter::addEnvironment(Process& process) {
  const ir::TaskDef& task = process.task;
  for (const ir::TaskDef::Env& variable : task.env) {
    const ir::NodeId id = process.exprs.results[variable.result];
    Path path;
    const ir::NodeId source = base(id, path);
    if (module_.types.kind(node(source).type) == TypeKind::Secret) {
      const auto* param = std::get_if<ir::Param>(&node(source).payload);
      if (settings_.secrets.empty()) {
        refuse<Diag::BackendSecret>(
            task.span, "add `secrets: \"name\"` to the target",
            param == nullptr ? variable.name : task.params[param->index].name);
      }
      process.env.push_back(
          {variable.name, {}, param == nullptr ? "" : task.params[param->index].name});
    } else if (const ir::Value* value = module_.constant(id)) {
      process.setConstant(variable.name, ir::toText(*value));
    } else {
      process.setEncoded(variable.name, encodedText(process, id));
    }
  }
}

/// What the launcher is to do for the outputs.
void Emitter::addOutputs(Process& process) {
  const ir::TaskDef& task = process.task;
  std::vector<std::string> folders, encoded, guarded, files;
  for (const ir::OutputDef& output : task.outputs) {
    if (output.from == OutputFrom::Path) {
      folders.push_back(output.name);
      continue;
    }
    if (output.from == OutputFrom::Stdout) process.set("COULER_STDOUT", outputPath(output));
    if (output.from == OutputFrom::File) {
      if (std::any_of(output.path.begin(), output.path.end(),
                      [](char c) { return isSpecial(c) && c != '/'; })) {
        unsupported(output.span.valid() ? output.span : task.span,
                    "an output read from a file with such a name",
                    "name the file with letters, digits, `.`, `-` and `_`");
      }
      files.push_back(output.path + ":" + outputPath(output));
    }
    if (outputEncoding(output) != Encoding::Json) {
      encoded.push_back(outputPath(output));
    } else if (!isNumber(module_.types.kind(output.type))) {
      guarded.push_back(outputPath(output));
    }
  }
  process.setList("COULER_MKDIR", folders);
  process.setList("COULER_ENCODE", encoded);
  process.setList("COULER_GUARD", guarded);
  process.setList("COULER_FILES", files);
}

/// Linux starts no program that is given a longer word or variable.
void Emitter::checkLengths(const Process& process) {
  constexpr std::size_t kMost = 128 * 1024 - 1;
  std::size_t longest = 0;
  for (const std::string& word : process.command) longest = std::max(longest, word.size());
  for (const Process::Variable& variable : process.env) {
    longest = std::max(longest, variable.name.size() + 1 + variable.value.size());
  }
  if (longest <= kMost) return;
  unsupported(process.task.span,
              fmt::format("a step whose command or values take {} KiB in one word or variable",
                          longest / 1024),
              "Linux gives a program less than 128 KiB in one: put large data into a file");
}

void Emitter::writeEnvironment(YamlWriter& w, const Process& process) {
  if (process.env.empty()) return;
  w.key("env");
  w.beginList();
  for (const Process::Variable& variable : process.env) {
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
      w.entry("key", inputTag(variable.secret));
      w.endMap();
      w.endMap();
    }
    w.endMap();
  }
  w.endList();
}

Digest Emitter::writeProcess(YamlWriter& w, const ir::TaskDef& task) {
  std::map<ir::NodeId, std::string> outerBound = std::move(bound_);
  bound_.clear();
  Process process(task, module_.at(task.exprs));
  scopeOf_[task.exprs.index()] = &process.scope;
  bindParameters(process);
  process.command = {"sh", "-c", escapeDollar(kLauncher), "couler"};
  if (task.run == ir::RunKind::Argv) {
    addWords(process);
  } else {
    addScript(process);
  }
  addEnvironment(process);
  addOutputs(process);
  process.setList("COULER_DECODE", process.decoded);
  process.setList("COULER_MAYBE", process.maybe);
  checkLengths(process);
  scopeOf_[task.exprs.index()] = nullptr;
  boundText_.clear();
  bound_ = std::move(outerBound);

  const std::string& image = task.image.empty() ? settings_.image : task.image;
  if (image.empty()) {
    refuse<Diag::BackendNeedsImage>(
        task.span, "write `image \"…\"` in the task, or `image: \"…\"` in the target", task.name,
        "argo");
  } else if (image.find("{{") != std::string::npos) {
    refuse<Diag::BackendTag>(task.span, {}, "the image's name", "argo");
  }
  w.key("container");
  w.beginMap();
  w.entry("image", image);
  w.key("command");
  w.beginList();
  for (const std::string& word : process.command) {
    if (word.find("{{") != std::string::npos) {
      refuse<Diag::BackendTag>(task.span, {}, "a word", "argo");
    }
    w.string(word);
  }
  w.endList();
  writeEnvironment(w, process);
  writeResources(w, task);
  w.endMap();

  Hasher hash;
  hash.field(image);
  hash.field(process.command.size());
  for (const std::string& word : process.command) hash.field(word);
  for (const Process::Variable& variable : process.env) {
    hash.field(variable.name);
    hash.field(variable.value);
  }
  return hash.finish();
}

}  // namespace couler::backends::argo

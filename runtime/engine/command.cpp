#include "runtime/engine/command.h"

#include <cerrno>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ir/eval.h"
#include "runtime/engine/outputs.h"
#include "support/text.h"

namespace couler::runtime {
namespace {

/// Part of every key: raise it when the same key would give other outputs.
constexpr std::string_view kKeyVersion = "couler key 1";

bool holdsFiles(const ir::TypeTable& types, ir::TypeId type) {
  return types.holds(type, ir::TypeKind::File) || types.holds(type, ir::TypeKind::Dir);
}

/// A file by content and name, whatever folder it lies in.
std::optional<ir::FileRef> byContent(const ir::FileRef& file) {
  std::string path = file.digest;
  path.append(1, '/').append(baseName(file.path));
  return ir::FileRef{std::move(path), file.digest, file.isDir};
}

std::string outputsText(const ir::Module& module, const ir::TaskDef& task) {
  std::string text;
  for (const ir::OutputDef& output : task.outputs) {
    if (!text.empty()) text.append(", ");
    constexpr std::string_view kFrom[] = {"variable", "path", "stdout", "file"};
    text.append(fmt::format("{}: {} = {}", output.name, module.types.print(output.type),
                            kFrom[static_cast<std::size_t>(output.from)]));
    if (output.from == ir::OutputFrom::Path || output.from == ir::OutputFrom::File) {
      text.append(1, ' ').append(jsonQuote(outputBaseName(output)));
    }
  }
  return text;
}

ir::EvalError zeroByte(std::string_view what, Span at) {
  return {fmt::format("{} has a zero byte in it, which no program can be given", what), at};
}

void addParts(Hasher& hasher, const std::vector<std::pair<std::string, std::string>>& parts) {
  for (const auto& [name, text] : parts) {
    hasher.field(name);
    hasher.field(text);
  }
}

}  // namespace

Commands::Commands(const ir::Module& module, const RunOptions& options, Store& store,
                   const Secrets& secrets)
    : module_(module),
      options_(options),
      store_(store),
      secrets_(secrets),
      contexts_(module.tasks.size()) {}

const TaskContext& Commands::of(ir::TaskId id) {
  std::unique_ptr<TaskContext>& context = contexts_[id.index()];
  if (context) return *context;
  context = std::make_unique<TaskContext>();
  const ir::TaskDef& task = module_.at(id);
  context->task = &task;
  context->inContainer = options_.container != ContainerMode::Host && !task.image.empty();
  for (const ir::ParamDef& param : task.params) {
    context->usesFiles = context->usesFiles || holdsFiles(module_.types, param.type);
  }
  for (const ir::OutputDef& output : task.outputs) {
    context->needsStdout = context->needsStdout || output.from == ir::OutputFrom::Stdout;
  }
  auto& parts = context->parts;
  if (task.run != ir::RunKind::Argv) {
    context->process = ir::scriptProcess(module_, task);
    Hasher shim;
    for (const std::string& word : context->process.argv) shim.field(word);
    for (const auto& [name, value] : context->process.env) {
      if (name != "COULER_SCRIPT") shim.field(name + '=' + value);
    }
    parts.emplace_back("task script", hashText(task.script).hex());
    parts.emplace_back("script language", task.run == ir::RunKind::Sh ? "sh" : "python");
    parts.emplace_back("script start-up", shim.finish().hex());
  }
  parts.emplace_back("outputs", outputsText(module_, task));
  parts.emplace_back("image", task.image);
  parts.emplace_back("container", context->inContainer ? "yes" : "no");
  context->hashed.field(kKeyVersion);
  addParts(context->hashed, parts);
  for (const ir::ParamDef& param : task.params) {
    context->inputs.emplace_back("input " + param.name, module_.types.print(param.type) + ' ');
  }
  return *context;
}

std::optional<FileError> Commands::resolve(const TaskContext& context,
                                           std::vector<ir::Value>& arguments) {
  if (!context.usesFiles) return std::nullopt;
  std::optional<FileError> error;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!holdsFiles(module_.types, context.task->params[i].type)) continue;
    auto resolved =
        mapFiles(arguments[i], [&](const ir::FileRef& file) -> std::optional<ir::FileRef> {
          if (!file.digest.empty() && file.path.starts_with('/')) return file;
          const std::string path = absolutePath(file.path);
          auto digest = store_.digestOf(path, file.isDir);
          if (auto* bad = std::get_if<FileError>(&digest)) {
            error = std::move(*bad);
            return std::nullopt;
          }
          return ir::FileRef{path, std::get<Digest>(digest).hex(), file.isDir};
        });
    if (!resolved) return error;
    arguments[i] = std::move(*resolved);
  }
  return std::nullopt;
}

std::vector<ir::EvalResult> Commands::evaluate(const ir::TaskDef& task,
                                               const std::vector<ir::Value>& arguments,
                                               std::string_view folder) const {
  if (!task.exprs.valid()) return {};
  std::vector<ir::Value> params = arguments;
  for (const ir::OutputDef& output : task.outputs) {
    if (output.from == ir::OutputFrom::Path) params.emplace_back(outputPath(output, folder));
  }
  params.resize(module_.at(task.exprs).params.size());
  return ir::evaluateRegion(module_, task.exprs, params);
}

std::variant<StepKey, ir::EvalError> Commands::key(const TaskContext& context,
                                                   const std::vector<ir::Value>& arguments) {
  const ir::TaskDef& task = *context.task;
  StepKey result;
  const std::vector<ir::Value>* values = &arguments;
  std::vector<ir::Value> canonical;
  if (context.usesFiles) {
    for (const ir::Value& argument : arguments) canonical.push_back(*mapFiles(argument, byContent));
    values = &canonical;
  }
  for (std::size_t i = 0; i < task.params.size(); ++i) {
    const auto& [name, type] = context.inputs[i];
    const bool secret = (*values)[i].as<ir::SecretRef>() != nullptr;
    result.parts.emplace_back(name, type + (secret ? "secret" : ir::toJson((*values)[i])));
  }
  const std::vector<ir::EvalResult> exprs = evaluate(task, *values, "/out");
  for (const ir::EvalResult& expr : exprs) {
    if (const auto* error = std::get_if<ir::EvalError>(&expr)) return *error;
  }
  const auto value = [&](std::uint32_t index) -> const ir::Value& {
    return std::get<ir::Value>(exprs[index]);
  };
  if (task.run == ir::RunKind::Argv) {
    std::string words = "[";
    for (const ir::TaskDef::Word& word : task.argv) {
      const auto add = [&](const ir::Value& item) {
        if (words.size() > 1) words.append(1, ',');
        words.append(jsonQuote(ir::toText(item)));
      };
      if (word.spread) {
        for (const ir::Value& item : value(word.result).items()) add(item);
      } else {
        add(value(word.result));
      }
    }
    result.parts.emplace_back("command", words + ']');
  }
  for (const ir::TaskDef::Env& env : task.env) {
    const ir::Value& item = value(env.result);
    result.parts.emplace_back("env " + env.name,
                              item.as<ir::SecretRef>() != nullptr ? "secret" : ir::toText(item));
  }
  Hasher hasher = context.hashed;
  addParts(hasher, result.parts);
  result.key = hasher.finish();
  return result;
}

std::variant<StepCommand, ir::EvalError> Commands::command(const TaskContext& context,
                                                           const std::vector<ir::Value>& arguments,
                                                           const std::string& folder) {
  const ir::TaskDef& task = *context.task;
  StepCommand result;
  const std::vector<ir::EvalResult> exprs = evaluate(task, arguments, folder);
  for (const ir::EvalResult& expr : exprs) {
    if (const auto* error = std::get_if<ir::EvalError>(&expr)) return *error;
  }
  const auto value = [&](std::uint32_t index) -> const ir::Value& {
    return std::get<ir::Value>(exprs[index]);
  };
  std::optional<ir::EvalError> bad;
  const auto set = [&](const std::string& name, const std::string& text) {
    if (text.find('\0') != std::string::npos)
      bad = zeroByte(fmt::format("the value of `{}`", name), task.span);
    result.names.push_back(name);
    result.variables.push_back(name + '=' + text);
  };
  if (task.run == ir::RunKind::Argv) {
    const auto add = [&](const ir::Value& item) {
      result.words.push_back(ir::toText(item));
      if (result.words.back().find('\0') != std::string::npos) {
        bad = zeroByte(fmt::format("word {} of the command", result.words.size()), task.span);
      }
    };
    for (const ir::TaskDef::Word& word : task.argv) {
      if (word.spread) {
        for (const ir::Value& item : value(word.result).items()) add(item);
      } else {
        add(value(word.result));
      }
    }
    if (result.words.empty()) return ir::EvalError{"the command has no words", task.span};
    if (result.words[0] == "couler" && !options_.program.empty() && !context.inContainer) {
      result.words[0] = options_.program;
    }
  } else {
    result.words = context.process.argv;
    for (const auto& [name, text] : context.process.env) set(name, text);
    for (const auto& [name, text] : context.process.labels) set(name, text);
    for (std::size_t i = 0; i < task.params.size(); ++i) {
      if (arguments[i].as<ir::SecretRef>() != nullptr) continue;
      std::string why;
      const auto text = ir::encodeInput(task.run, arguments[i], why);
      if (!text) {
        return ir::EvalError{fmt::format("input `{}`: {}", task.params[i].name, why), task.span};
      }
      set(ir::inputVariable(task.params[i].name), *text);
    }
    for (const ir::OutputDef& output : task.outputs) {
      if (output.from == ir::OutputFrom::Path || output.from == ir::OutputFrom::Variable) {
        set(ir::outputVariable(output.name), outputPath(output, folder));
      }
    }
  }
  for (const ir::TaskDef::Env& env : task.env) {
    const ir::Value& item = value(env.result);
    if (const auto* secret = item.as<ir::SecretRef>()) {
      const std::string* text = secrets_.text(secret->source);
      set(env.name, text == nullptr ? "" : *text);
      if (text != nullptr) result.secrets.push_back(*text);
    } else {
      set(env.name, ir::toText(item));
    }
  }
  if (bad) return *bad;
  if (context.inContainer) {
    const std::string stored = store_.objects().folder() + '/';
    for (const ir::Value& argument : arguments) {
      static_cast<void>(mapFiles(argument, [&](const ir::FileRef& file) {
        if (!file.path.starts_with(stored)) result.inputs.push_back(file.path);
        return std::optional(file);
      }));
    }
  }
  return result;
}

std::string partsToJson(const std::vector<std::pair<std::string, std::string>>& parts) {
  std::string json = "{";
  for (const auto& [name, text] : parts) {
    if (json.size() > 1) json.append(1, ',');
    json.append(jsonQuote(name)).append(1, ':').append(jsonQuote(text));
  }
  return json + '}';
}

std::vector<std::pair<std::string, std::string>> partsFromJson(std::string_view json) {
  std::vector<std::pair<std::string, std::string>> parts;
  const auto object = nlohmann::ordered_json::parse(json, nullptr, false);
  if (!object.is_object()) return parts;
  for (const auto& [name, text] : object.items()) {
    if (text.is_string()) parts.emplace_back(name, text.get<std::string>());
  }
  return parts;
}

}  // namespace couler::runtime

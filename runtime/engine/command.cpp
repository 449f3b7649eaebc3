#include "runtime/engine/command.h"

#include <cerrno>

#include <fmt/format.h>

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

/// What Hasher::field feeds.
void addField(std::string& out, std::string_view text) {
  for (unsigned i = 0; i < 8; ++i) {
    out.push_back(static_cast<char>(std::uint64_t{text.size()} >> (8 * i) & 0xffU));
  }
  out.append(text);
}

/// Outputs have no place yet when a key is made.
constexpr std::string_view kKeyFolder = "/out";

/// Pre: the source is made of pieces.
std::string textOf(const ir::TaskDef& task, const TextSource& source,
                   const std::vector<ir::Value>& arguments, std::string_view folder) {
  std::string text;
  for (const TextSource::Piece& piece : source.pieces) {
    switch (piece.of) {
      case TextSource::Piece::Of::Text:
        text.append(piece.text);
        break;
      case TextSource::Piece::Of::Input:
        text.append(ir::toText(arguments[piece.index]));
        break;
      case TextSource::Piece::Of::Output:
        text.append(outputPath(task.outputs[piece.index], folder));
        break;
    }
  }
  return text;
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
  for (const auto& [name, text] : parts) {
    context->hashed.field(name);
    context->hashed.field(text);
  }
  for (const ir::ParamDef& param : task.params) {
    context->inputs.emplace_back("input " + param.name, module_.types.print(param.type) + ' ');
  }
  const auto source = [&](std::vector<TextSource>& sources, std::uint32_t result) {
    sources.push_back(sourceOf(task, result));
    context->evaluates = context->evaluates || sources.back().from == TextSource::From::Expr;
  };
  for (const ir::TaskDef::Word& word : task.argv) source(context->words, word.result);
  for (const ir::TaskDef::Env& env : task.env) source(context->env, env.result);
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

std::optional<TextSource::Piece> Commands::pieceOf(const ir::TaskDef& task, ir::NodeId id) const {
  using Of = TextSource::Piece::Of;
  const ir::Node* node = &module_.at(id);
  if (const auto* op = std::get_if<ir::Op>(&node->payload)) {
    if (op->op != ir::Builtin::ToString) return std::nullopt;
    node = &module_.at(module_.operands(*node)[0]);
  }
  if (const auto* fixed = std::get_if<ir::Const>(&node->payload)) {
    const ir::Value& value = module_.at(fixed->value);
    if (value.as<ir::SecretRef>() != nullptr) return std::nullopt;
    return TextSource::Piece{Of::Text, 0, ir::toText(value)};
  }
  const auto* param = std::get_if<ir::Param>(&node->payload);
  if (param == nullptr) return std::nullopt;
  if (param->index < task.params.size()) return TextSource::Piece{Of::Input, param->index, {}};
  // After the inputs come the outputs that have a path.
  std::size_t left = param->index - task.params.size();
  for (std::uint32_t i = 0; i < task.outputs.size(); ++i) {
    if (task.outputs[i].from != ir::OutputFrom::Path || left-- != 0) continue;
    return TextSource::Piece{Of::Output, i, {}};
  }
  return std::nullopt;
}

TextSource Commands::sourceOf(const ir::TaskDef& task, std::uint32_t result) const {
  using From = TextSource::From;
  using Of = TextSource::Piece::Of;
  TextSource source;
  source.index = result;
  const ir::NodeId id = module_.at(task.exprs).results[result];
  const ir::Node& node = module_.at(id);
  if (const auto* param = std::get_if<ir::Param>(&node.payload);
      param != nullptr && param->index < task.params.size()) {
    source.from = From::Input;
    source.index = param->index;
    return source;
  }
  if (module_.types.kind(node.type) != ir::TypeKind::String) return source;
  const auto* op = std::get_if<ir::Op>(&node.payload);
  const bool joined = op != nullptr && op->op == ir::Builtin::Concat;
  const std::span<const ir::NodeId> parts =
      joined ? module_.operands(node) : std::span<const ir::NodeId>(&id, 1);
  bool same = true;
  for (const ir::NodeId part : parts) {
    auto piece = pieceOf(task, part);
    if (!piece) return source;
    same = same && piece->of != Of::Input;
    source.pieces.push_back(std::move(*piece));
  }
  source.from = From::Pieces;
  if (same) source.quoted = jsonQuote(textOf(task, source, {}, kKeyFolder));
  return source;
}

std::vector<ir::EvalResult> Commands::evaluate(const TaskContext& context,
                                               const std::vector<ir::Value>& arguments,
                                               std::string_view folder) const {
  if (!context.evaluates) return {};
  const ir::TaskDef& task = *context.task;
  std::vector<ir::Value> params = arguments;
  for (const ir::OutputDef& output : task.outputs) {
    if (output.from == ir::OutputFrom::Path) params.emplace_back(outputPath(output, folder));
  }
  params.resize(module_.at(task.exprs).params.size());
  return ir::evaluateRegion(module_, task.exprs, params);
}

template <class Take>
std::optional<ir::EvalError> Commands::eachPart(const TaskContext& context,
                                                const std::vector<ir::Value>& arguments,
                                                Take&& take) {
  const ir::TaskDef& task = *context.task;
  const std::vector<ir::Value>* values = &arguments;
  std::vector<ir::Value> canonical;
  if (context.usesFiles) {
    for (const ir::Value& argument : arguments) canonical.push_back(*mapFiles(argument, byContent));
    values = &canonical;
  }
  const std::vector<ir::EvalResult> exprs = evaluate(context, *values, kKeyFolder);
  for (const ir::EvalResult& expr : exprs) {
    if (const auto* error = std::get_if<ir::EvalError>(&expr)) return *error;
  }
  const auto isSecret = [](const ir::Value& value) {
    return value.as<ir::SecretRef>() != nullptr;
  };
  for (std::size_t i = 0; i < task.params.size(); ++i) {
    if (task.params[i].unkeyed) continue;
    const auto& [name, type] = context.inputs[i];
    const ir::Value& value = (*values)[i];
    text_.assign(type).append(isSecret(value) ? "secret" : ir::toJson(value));
    take(name, text_);
  }
  const auto valueOf = [&](const TextSource& source) -> const ir::Value& {
    return source.from == TextSource::From::Input ? (*values)[source.index]
                                                  : std::get<ir::Value>(exprs[source.index]);
  };
  if (task.run == ir::RunKind::Argv) {
    text_.assign("[");
    const auto add = [&](std::string_view quoted) {
      if (text_.size() > 1) text_.append(1, ',');
      text_.append(quoted);
    };
    for (std::size_t i = 0; i < task.argv.size(); ++i) {
      const TextSource& source = context.words[i];
      if (task.argv[i].unkeyed) continue;
      if (!source.quoted.empty()) {
        add(source.quoted);
      } else if (source.from == TextSource::From::Pieces) {
        add(jsonQuote(textOf(task, source, *values, kKeyFolder)));
      } else if (task.argv[i].spread) {
        for (const ir::Value& item : valueOf(source).items()) add(jsonQuote(ir::toText(item)));
      } else {
        add(jsonQuote(ir::toText(valueOf(source))));
      }
    }
    text_.append(1, ']');
    take("command", text_);
  }
  for (std::size_t i = 0; i < task.env.size(); ++i) {
    const TextSource& source = context.env[i];
    text_.assign("env ").append(task.env[i].name);
    if (source.from == TextSource::From::Pieces) {
      take(text_, textOf(task, source, *values, kKeyFolder));
    } else {
      const ir::Value& value = valueOf(source);
      take(text_, isSecret(value) ? "secret" : ir::toText(value));
    }
  }
  return std::nullopt;
}

std::variant<Digest, ir::EvalError> Commands::key(const TaskContext& context,
                                                  const std::vector<ir::Value>& arguments) {
  // Gathered first: hashing few bytes at a time is most of the cost of a short key.
  fields_.clear();
  auto error = eachPart(context, arguments, [&](std::string_view name, std::string_view text) {
    addField(fields_, name);
    addField(fields_, text);
  });
  if (error) return std::move(*error);
  Hasher hasher = context.hashed;
  hasher.update(fields_);
  return hasher.finish();
}

std::string Commands::keyParts(const TaskContext& context,
                               const std::vector<ir::Value>& arguments) {
  std::string json = "{";
  eachKeyPart(context, arguments, [&](std::string_view name, std::string_view text) {
    if (json.size() > 1) json.append(1, ',');
    json.append(jsonQuote(name)).append(1, ':').append(jsonQuote(text));
  });
  return json + '}';
}

void Commands::eachKeyPart(const TaskContext& context, const std::vector<ir::Value>& arguments,
                           const std::function<void(std::string_view, std::string_view)>& take) {
  for (const auto& [name, text] : context.parts) take(name, text);
  static_cast<void>(eachPart(context, arguments, take));
}

std::variant<StepCommand, ir::EvalError> Commands::command(const TaskContext& context,
                                                           const std::vector<ir::Value>& arguments,
                                                           const std::string& folder) {
  const ir::TaskDef& task = *context.task;
  StepCommand result;
  const std::vector<ir::EvalResult> exprs = evaluate(context, arguments, folder);
  for (const ir::EvalResult& expr : exprs) {
    if (const auto* error = std::get_if<ir::EvalError>(&expr)) return *error;
  }
  const auto value = [&](const TextSource& source) -> ir::Value {
    switch (source.from) {
      case TextSource::From::Pieces:
        return textOf(task, source, arguments, folder);
      case TextSource::From::Input:
        return arguments[source.index];
      case TextSource::From::Expr:
        break;
    }
    return std::get<ir::Value>(exprs[source.index]);
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
    for (std::size_t i = 0; i < task.argv.size(); ++i) {
      const ir::Value word = value(context.words[i]);
      if (task.argv[i].spread) {
        for (const ir::Value& item : word.items()) add(item);
      } else {
        add(word);
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
  for (std::size_t i = 0; i < task.env.size(); ++i) {
    const ir::TaskDef::Env& env = task.env[i];
    const ir::Value item = value(context.env[i]);
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

}  // namespace couler::runtime

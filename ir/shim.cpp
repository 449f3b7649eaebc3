#include "ir/shim.h"

#include "ir/shim_text.h"
#include "support/text.h"

namespace couler::ir {
namespace {

std::string replaced(std::string_view text, std::string_view mark, std::string_view by) {
  std::string result(text);
  const std::size_t at = result.find(mark);
  return at == std::string::npos ? result : result.replace(at, mark.size(), by);
}

const std::string& shShim() {
  static const std::string text = replaced(kShShim, "@AWK@", kAwkProgram);
  return text;
}

/// A type as a word of COULER_TYPES for sh: nothing in it means anything to a shell.
std::string shType(const TypeTable& types, TypeId id, bool nested = false) {
  const Type& type = types[id];
  switch (type.kind) {
    case TypeKind::Bool:
    case TypeKind::Int:
    case TypeKind::Float:
    case TypeKind::String:
    case TypeKind::Timestamp:
    case TypeKind::Duration:
    case TypeKind::Size:
    case TypeKind::Dir:
      return types.print(id);
    case TypeKind::File:
      return "file";  // whatever is in it
    case TypeKind::Optional:
      return "opt:" + shType(types, type.element, nested);
    case TypeKind::List:
      if (nested) return "json";
      return "list:" + shType(types, type.element, true);
    case TypeKind::Enum: {
      std::string word = "enum=";
      for (const std::string& name : type.cases) {
        if (word.back() != '=') word += ',';
        word += name;
      }
      return word;
    }
    default:
      return "json";
  }
}

/// A type as JSON for the Python shim: a word, or a list that begins with one.
std::string pythonType(const TypeTable& types, TypeId id) {
  const Type& type = types[id];
  const auto around = [&](std::string_view word) {
    return "[" + jsonQuote(word) + "," + pythonType(types, type.element) + "]";
  };
  switch (type.kind) {
    case TypeKind::Optional:
      return around("opt");
    case TypeKind::List:
    case TypeKind::Table:
      return around("list");
    case TypeKind::Map:
      return around("map");
    case TypeKind::Enum: {
      std::string text = R"(["enum")";
      for (const std::string& name : type.cases) text += "," + jsonQuote(name);
      return text + "]";
    }
    case TypeKind::Record:
    case TypeKind::Schema: {
      std::string text = R"(["record",[)";
      for (std::size_t i = 0; i < type.fields.size(); ++i) {
        if (i != 0) text += ",";
        text += "[" + jsonQuote(type.fields[i].name) + "," +
                pythonType(types, type.fields[i].type) + "]";
      }
      return text + "]]";
    }
    default:
      return jsonQuote(shType(types, id));
  }
}

bool isScriptInput(const TypeTable& types, const ParamDef& param) {
  return !types.holds(param.type, TypeKind::Secret);
}

std::string shTypes(const Module& module, const TaskDef& task) {
  std::string words;
  const auto add = [&](std::string_view kind, std::string_view name, TypeId type) {
    if (!words.empty()) words += ' ';
    words.append(kind).append(":").append(name).append(":").append(shType(module.types, type));
  };
  for (const ParamDef& param : task.params) {
    if (isScriptInput(module.types, param)) add("in", param.name, param.type);
  }
  for (const OutputDef& output : task.outputs) {
    if (output.from == OutputFrom::Path) add("path", output.name, output.type);
    if (output.from == OutputFrom::Variable) add("out", output.name, output.type);
  }
  return words;
}

std::string pythonTypes(const Module& module, const TaskDef& task) {
  std::string in;
  std::string path;
  std::string out;
  const auto add = [](std::string& list, std::string_view item) {
    if (!list.empty()) list += ",";
    list += item;
  };
  const auto typed = [&](std::string_view name, TypeId type) {
    return "[" + jsonQuote(name) + "," + pythonType(module.types, type) + "]";
  };
  for (const ParamDef& param : task.params) {
    if (isScriptInput(module.types, param)) add(in, typed(param.name, param.type));
  }
  for (const OutputDef& output : task.outputs) {
    if (output.from == OutputFrom::Path) add(path, jsonQuote(output.name));
    if (output.from == OutputFrom::Variable) add(out, typed(output.name, output.type));
  }
  return R"({"in":[)" + in + R"(],"path":[)" + path + R"(],"out":[)" + out + "]}";
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<Value> fromShText(std::string_view text, TypeId id, const TypeTable& types,
                                std::string& error) {
  const Type& type = types[id];
  if (type.kind == TypeKind::Optional) {
    if (text.empty()) return Value(None{});
    return fromShText(text, type.element, types, error);
  }
  if (type.kind == TypeKind::String) return Value(std::string(text));
  if (type.kind != TypeKind::List) return fromText(trimmed(text), id, types, error);
  ListItems items;
  if (text.ends_with('\n')) text.remove_suffix(1);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::optional<Value> item = fromShText(text.substr(0, end), type.element, types, error);
    if (!item) {
      error = "item " + std::to_string(items.size()) + ": " + error;
      return std::nullopt;
    }
    items.push_back(std::move(*item));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
    // A newline at the very end was taken off above, so one here stands before an empty item.
    if (text.empty()) {
      item = fromShText(text, type.element, types, error);
      if (!item) return std::nullopt;
      items.push_back(std::move(*item));
    }
  }
  return Value::list(std::move(items));
}

}  // namespace

std::string inputVariable(std::string_view name) { return "COULER_IN_" + std::string(name); }
std::string outputVariable(std::string_view name) { return "COULER_OUT_" + std::string(name); }

ProcessSpec scriptProcess(const Module& module, const TaskDef& task) {
  ProcessSpec spec;
  const bool python = task.run == RunKind::Python;
  spec.argv = python ? std::vector<std::string>{"python3", "-c", std::string(kPythonShim)}
                     : std::vector<std::string>{"sh", "-eu", "-c", shShim(), "task"};
  spec.env = {{"COULER_SCRIPT", task.script},
              {"COULER_TYPES", python ? pythonTypes(module, task) : shTypes(module, task)}};
  spec.labels = {{"COULER_TASK", task.name}};
  return spec;
}

std::optional<std::string> encodeInput(RunKind kind, const Value& value, std::string& error) {
  if (kind == RunKind::Python) return toJson(value);
  std::string text;
  const auto add = [&](const Value& item) {
    if (!item.isNone()) text += toText(item);
  };
  if (value.as<ListValue>() == nullptr) {
    add(value);
  } else {
    bool first = true;
    for (const Value& item : value.items()) {
      if (!first) text += '\n';
      first = false;
      const std::size_t start = text.size();
      add(item);
      if (text.find('\n', start) != std::string::npos) {
        error = "an item with a newline in it cannot be given to sh";
        return std::nullopt;
      }
    }
  }
  if (text.find('\0') != std::string::npos) {
    error = "a NUL character cannot be given to sh";
    return std::nullopt;
  }
  return text;
}

std::optional<Value> decodeOutput(RunKind kind, std::string_view text, TypeId type,
                                  const TypeTable& types, std::string& error) {
  if (findInvalidUtf8(text)) {
    error = "text that is not UTF-8";
    return std::nullopt;
  }
  if (kind == RunKind::Python) return fromJson(text, type, types, error);
  return fromShText(text, type, types, error);
}

}  // namespace couler::ir

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "driver/files.h"
#include "driver/program.h"
#include "support/text.h"

namespace couler::driver {
namespace {

constexpr int kJsonDepth = 128;  // nlohmann's writer recurses

/// Every file and folder inside a value must be there. False and a message where one is not.
bool checkFiles(const std::string& name, const ir::Value& value, DiagnosticSink& diags) {
  namespace fs = std::filesystem;
  bool ok = true;
  std::vector<const ir::Value*> todo{&value};
  while (!todo.empty()) {
    const ir::Value* next = todo.back();
    todo.pop_back();
    if (const auto* ref = next->as<ir::FileRef>()) {
      std::error_code error;
      const fs::file_status status = fs::status(ref->path, error);
      std::string problem;
      if (!fs::exists(status)) {
        problem = fmt::format("there is no {} `{}`", ref->isDir ? "folder" : "file", ref->path);
      } else if (ref->isDir && !fs::is_directory(status)) {
        problem = fmt::format("`{}` is not a folder", ref->path);
      } else if (!ref->isDir && fs::is_directory(status)) {
        problem = fmt::format("`{}` is a folder, expected a file", ref->path);
      }
      if (!problem.empty()) {
        diags.take(diagnose<Diag::BadInput>({}, name, problem));
        ok = false;
      }
    } else if (next->as<ir::ListValue>() != nullptr) {
      for (const ir::Value& item : next->items()) todo.push_back(&item);
    } else if (next->as<ir::MapValue>() != nullptr || next->as<ir::RecordValue>() != nullptr) {
      for (const auto& [key, item] : next->named()) todo.push_back(&item);
    }
  }
  return ok;
}

/// The members of a JSON object, each as its own JSON text.
std::optional<std::vector<std::pair<std::string, std::string>>> jsonMembers(const std::string& path,
                                                                            DiagnosticSink& diags) {
  const auto bad = [&](const std::string& why) {
    diags.take(diagnose<Diag::CannotReadFile>({}, path, why));
    return std::nullopt;
  };
  const ReadResult read = readFile(path);
  if (!read.error.empty()) return bad(read.error);
  bool tooDeep = false;
  const auto limit = [&](int depth, nlohmann::ordered_json::parse_event_t,
                         nlohmann::ordered_json&) {
    tooDeep = tooDeep || depth > kJsonDepth;
    return depth <= kJsonDepth;
  };
  try {
    const auto json = nlohmann::ordered_json::parse(read.text, limit);
    if (tooDeep) return bad("it nests too deeply");
    if (!json.is_object()) return bad("expected one JSON object, `{\"name\": value, …}`");
    std::vector<std::pair<std::string, std::string>> result;
    for (const auto& [key, value] : json.items()) result.emplace_back(key, value.dump());
    return result;
  } catch (const nlohmann::json::exception& error) {
    std::string text = error.what();  // "[json.exception.parse_error.101] parse error at line 1, …"
    if (const std::size_t at = text.find("] "); at != std::string::npos) text.erase(0, at + 2);
    return bad("it is not JSON: " + text);
  }
}

class Collector {
 public:
  Collector(const ir::Module& module, DiagnosticSink& diags)
      : module_(module), workflow_(module.at(module.entry)), diags_(diags) {}

  [[nodiscard]] bool ok() const { return ok_; }

  const ir::ParamDef* find(const std::string& name) {
    const auto& params = workflow_.params;
    const auto at =
        std::find_if(params.begin(), params.end(), [&](const auto& p) { return p.name == name; });
    if (at != params.end()) return &*at;
    ok_ = false;
    Diagnostic diagnostic = diagnose<Diag::UnknownInput>({}, workflow_.name, name);
    std::vector<std::string_view> names;
    std::string list;
    for (const ir::ParamDef& param : params) {
      names.push_back(param.name);
      list +=
          (list.empty() ? "`" : ", `") + param.name + ": " + module_.types.print(param.type) + "`";
    }
    if (const auto near = nearest(name, names)) diagnostic.note("did you mean `" + *near + "`?");
    diagnostic.note(list.empty() ? "it has no inputs" : "its inputs are " + list);
    diags_.take(std::move(diagnostic));
    return nullptr;
  }

  void fromJson(const std::string& name, const std::string& json) {
    const ir::ParamDef* param = find(name);
    if (param == nullptr) return;
    std::string error;
    keep(*param, ir::fromJson(json, param->type, module_.types, error), error);
  }

  void fromText(const std::string& name, const std::string& text) {
    const ir::ParamDef* param = find(name);
    if (param == nullptr) return;
    if (!given_.insert(name).second) {
      ok_ = false;
      diags_.take(diagnose<Diag::RepeatedInput>({}, name));
      return;
    }
    std::string error;
    keep(*param, ir::fromText(text, param->type, module_.types, error), error);
  }

  /// Checks what must be there for a run.
  void needAll() {
    std::string missing;
    std::string hint;
    std::size_t count = 0;
    for (const ir::ParamDef& param : workflow_.params) {
      const auto at = values_.find(param.name);
      if (at != values_.end()) {
        ok_ = checkFiles(param.name, at->second, diags_) && ok_;
      } else if (param.fallback.valid()) {
        ok_ = checkFiles(param.name, module_.at(param.fallback), diags_) && ok_;
      } else if (!hasDefault(param)) {
        ++count;
        missing += (missing.empty() ? "`" : ", `") + param.name + ": " +
                   module_.types.print(param.type) + "`";
        hint += " " + param.name + "=…";
      }
    }
    if (count == 0) return;
    ok_ = false;
    diags_.take(diagnose<Diag::MissingInputs>({}, workflow_.name, missing).note("write" + hint));
  }

  [[nodiscard]] Inputs inputs() const {
    Inputs result;
    for (const ir::ParamDef& param : workflow_.params) {
      const auto at = values_.find(param.name);
      if (at != values_.end()) result.emplace_back(at->first, at->second);
    }
    return result;
  }

 private:
  /// A default that is no constant (`glob(…)`) is computed in the workflow's body, which then takes
  /// the parameter as optional.
  [[nodiscard]] bool hasDefault(const ir::ParamDef& param) const {
    const ir::TypeKind kind = module_.types.kind(param.type);
    return kind == ir::TypeKind::Optional || kind == ir::TypeKind::None;
  }

  void keep(const ir::ParamDef& param, std::optional<ir::Value> value, const std::string& error) {
    if (value) {
      values_[param.name] = std::move(*value);
      return;
    }
    ok_ = false;
    diags_.take(diagnose<Diag::BadInput>(param.span, param.name, error)
                    .note(fmt::format("its type is `{}`", module_.types.print(param.type))));
  }

  const ir::Module& module_;
  const ir::FuncDef& workflow_;
  DiagnosticSink& diags_;
  std::map<std::string, ir::Value> values_;
  std::set<std::string> given_;
  bool ok_ = true;
};

}  // namespace

std::optional<Inputs> workflowInputs(const Invocation& invocation, const ir::Module& module,
                                     const WorkflowWords& words, bool needAll,
                                     DiagnosticSink& diags) {
  Collector collector(module, diags);
  if (invocation.has("input")) {
    const auto members = jsonMembers(invocation.value("input"), diags);
    if (!members) return std::nullopt;
    for (const auto& [name, json] : *members) collector.fromJson(name, json);
  }
  for (const auto& [name, text] : words.arguments) collector.fromText(name, text);
  if (needAll && collector.ok()) collector.needAll();
  if (!collector.ok()) return std::nullopt;
  return collector.inputs();
}

}  // namespace couler::driver

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ir/eval.h"
#include "ir/module.h"
#include "ir/shim.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/secrets.h"
#include "runtime/store/store.h"
#include "support/hash.h"

/// From a task and its arguments to a key and to a process.
namespace couler::runtime {

/// What all steps of a task have in common.
struct TaskContext {
  const ir::TaskDef* task = nullptr;
  ir::ProcessSpec process;                                 ///< of a script
  std::vector<std::pair<std::string, std::string>> parts;  ///< of every key, and hashed first
  Hasher hashed;                                           ///< of these parts
  /// By parameter: the name of its part of the key, and how its text begins.
  std::vector<std::pair<std::string, std::string>> inputs;
  bool usesFiles = false;  ///< some argument holds files
  bool needsStdout = false;
  bool inContainer = false;
};

/// A step's key and what it is made of. Two steps of one key give the same outputs.
struct StepKey {
  Digest key;
  std::vector<std::pair<std::string, std::string>> parts;  ///< after those of the TaskContext
};

/// What is to run: words, and variables as `NAME=value`.
struct StepCommand {
  std::vector<std::string> words;
  std::vector<std::string> variables;
  std::vector<std::string> names;    ///< of the variables, in the same order
  std::vector<std::string> secrets;  ///< texts that must not be shown
  std::vector<std::string> inputs;   ///< files and folders outside the store
};

class Commands {
 public:
  Commands(const ir::Module& module, const RunOptions& options, Store& store,
           const Secrets& secrets);

  [[nodiscard]] const TaskContext& of(ir::TaskId task);
  /// Gives each file of the arguments its digest and absolute path.
  [[nodiscard]] std::optional<FileError> resolve(const TaskContext& context,
                                                 std::vector<ir::Value>& arguments);
  /// Pre: resolved. The error is that of an expression of the task.
  [[nodiscard]] std::variant<StepKey, ir::EvalError> key(const TaskContext& context,
                                                         const std::vector<ir::Value>& arguments);
  [[nodiscard]] std::variant<StepCommand, ir::EvalError> command(
      const TaskContext& context, const std::vector<ir::Value>& arguments,
      const std::string& folder);

 private:
  [[nodiscard]] std::vector<ir::EvalResult> evaluate(const ir::TaskDef& task,
                                                     const std::vector<ir::Value>& arguments,
                                                     std::string_view folder) const;

  const ir::Module& module_;
  const RunOptions& options_;
  Store& store_;
  const Secrets& secrets_;
  std::vector<std::unique_ptr<TaskContext>> contexts_;
};

/// The parts as one JSON object, in order; and back.
[[nodiscard]] std::string partsToJson(
    const std::vector<std::pair<std::string, std::string>>& parts);
[[nodiscard]] std::vector<std::pair<std::string, std::string>> partsFromJson(std::string_view json);

}  // namespace couler::runtime

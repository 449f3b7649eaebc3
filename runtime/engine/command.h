#pragma once

#include <functional>
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

/// Where a word of a command or the value of a variable comes from. Most are texts with inputs and
/// paths of outputs in them, so that a task's expressions need no evaluating for each of its steps.
struct TextSource {
  struct Piece {
    enum class Of : std::uint8_t { Text, Input, Output /* its path */ };
    Of of{};
    std::uint32_t index = 0;  ///< of the input or output
    std::string text;
  };
  enum class From : std::uint8_t { Pieces, Input /* as it is */, Expr };
  From from = From::Expr;
  std::uint32_t index = 0;  ///< of the input, or of the expression's result
  std::vector<Piece> pieces;
  std::string quoted;  ///< what the key has of it, where that is the same for all steps
};

/// What all steps of a task have in common.
struct TaskContext {
  const ir::TaskDef* task = nullptr;
  ir::ProcessSpec process;                                 ///< of a script
  std::vector<std::pair<std::string, std::string>> parts;  ///< of every key, and hashed first
  Hasher hashed;                                           ///< of these parts
  /// By parameter: the name of its part of the key, and how its text begins.
  std::vector<std::pair<std::string, std::string>> inputs;
  std::vector<TextSource> words;  ///< as TaskDef::argv
  std::vector<TextSource> env;    ///< as TaskDef::env
  bool evaluates = false;         ///< some word or variable is an expression
  bool usesFiles = false;         ///< some argument holds files
  bool needsStdout = false;
  bool inContainer = false;
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
  /// Two steps of one key give the same outputs. Pre: resolved. The error is that of an expression
  /// of the task.
  [[nodiscard]] std::variant<Digest, ir::EvalError> key(const TaskContext& context,
                                                        const std::vector<ir::Value>& arguments);
  /// What the key is made of, as one JSON object of names and texts. Pre: there is a key.
  [[nodiscard]] std::string keyParts(const TaskContext& context,
                                     const std::vector<ir::Value>& arguments);
  void eachKeyPart(const TaskContext& context, const std::vector<ir::Value>& arguments,
                   const std::function<void(std::string_view, std::string_view)>& take);
  [[nodiscard]] std::variant<StepCommand, ir::EvalError> command(
      const TaskContext& context, const std::vector<ir::Value>& arguments,
      const std::string& folder);

 private:
  [[nodiscard]] TextSource sourceOf(const ir::TaskDef& task, std::uint32_t result) const;
  [[nodiscard]] std::optional<TextSource::Piece> pieceOf(const ir::TaskDef& task,
                                                         ir::NodeId node) const;
  [[nodiscard]] std::vector<ir::EvalResult> evaluate(const TaskContext& context,
                                                     const std::vector<ir::Value>& arguments,
                                                     std::string_view folder) const;
  /// Calls `take` with name and text of each part of the key that is the step's own.
  template <class Take>
  std::optional<ir::EvalError> eachPart(const TaskContext& context,
                                        const std::vector<ir::Value>& arguments, Take&& take);

  const ir::Module& module_;
  const RunOptions& options_;
  Store& store_;
  const Secrets& secrets_;
  std::vector<std::unique_ptr<TaskContext>> contexts_;
  std::string text_;    // of the part at hand
  std::string fields_;  // of the key at hand
};

}  // namespace couler::runtime

#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ir/module.h"

namespace couler::ir {

/// Why an expression has no value: overflow, division by zero, an index out of range, …
struct EvalError {
  std::string message;  ///< lower case, no full stop
  Span at;
};
using EvalResult = std::variant<Value, EvalError>;

/// Applies one operator or function to values. Integers are checked: overflow and division by zero
/// are errors, never wrap. Floats follow IEEE 754; no fast-math. Strings are UTF-8; lengths and
/// positions count code points. `Or`, `And` and `Coalesce` look at their second operand only when
/// the first does not decide, so an error there does not matter then. `result` is the node's type,
/// which MakeRecord takes its field names from; other operations do without. Lists have at most 4
/// million items and strings at most 64 MiB; making a larger one is an error.
[[nodiscard]] EvalResult apply(Builtin op, std::span<const EvalResult> operands, Span at,
                               TypeId result = {}, const TypeTable* types = nullptr);

/// A field of a record (`Field` node).
[[nodiscard]] EvalResult applyField(const Module& module, const Field& field, const Value& object);

/// Whether a node, and all it owns, can be evaluated here: no Step inside, and no built-in that
/// looks at the outside world (`glob`: the engine answers that one).
[[nodiscard]] bool isEvaluable(const Module& module, NodeId id);

/// Evaluates a region of evaluable nodes with the given parameters. `outer` gives the values of
/// nodes outside the region (null: there are none). An error is the value of what depends on it,
/// not of the region: a result that does not need it has its value, and `try` makes none of it.
/// Recursion is bounded by the nesting of regions and calls, at most 256 deep; beyond it and after
/// 100 million operations, long lists and texts counted by their length, it is an error. Pre:
/// `verify` accepts the module.
[[nodiscard]] std::vector<EvalResult> evaluateRegion(
    const Module& module, RegionId region, std::span<const Value> params,
    const std::function<const EvalResult*(NodeId)>& outer = nullptr);

/// Evaluates the same bodies again and again: their order is worked out once. The module must not
/// change meanwhile.
class BodyEvaluator {
 public:
  explicit BodyEvaluator(const Module& module);
  ~BodyEvaluator();
  BodyEvaluator(const BodyEvaluator&) = delete;
  BodyEvaluator& operator=(const BodyEvaluator&) = delete;
  /// As `evaluateRegion`, with 100 million operations each time.
  [[nodiscard]] std::vector<EvalResult> evaluate(
      RegionId region, std::span<const Value> params,
      const std::function<const EvalResult*(NodeId)>& outer = nullptr);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace couler::ir

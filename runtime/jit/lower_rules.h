#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/jit/program.h"

/// What is known of each built-in when it is compiled.
namespace couler::jit {

/// How an Apply is computed; its operands are among `exprs`.
[[nodiscard]] Via viaOf(const Expr& apply, const std::vector<Expr>& exprs);
[[nodiscard]] bool isHeavy(const Expr& expr, const std::vector<Expr>& exprs);
[[nodiscard]] bool isDear(const Expr& expr, const Program& program);
/// Whether it may have an error of its own.
[[nodiscard]] bool canFail(const Expr& expr, const std::vector<Expr>& exprs);
/// Whether it takes none as a value, lifted or not.
[[nodiscard]] bool knowsNone(ir::Builtin op);
/// Whether operand 1 is a regular expression.
[[nodiscard]] bool takesPattern(ir::Builtin op);
/// That expression, where it is constant, RE2 takes it, and the rest of the operands with it: the
/// others' errors are the evaluator's.
[[nodiscard]] std::optional<std::string> knownPattern(ir::Builtin op,
                                                      const std::vector<ExprId>& operands,
                                                      const std::vector<Expr>& exprs);
/// Whether it gives the year, …, the second of a timestamp.
[[nodiscard]] bool isDatePart(ir::Builtin op);
/// Whether its operands are all of one kind.
[[nodiscard]] bool takesOneKind(ir::Builtin op);

/// What does the same as a Replace or ReplaceAll with those operands, a byte at a time.
[[nodiscard]] std::optional<Replacement> replacementOf(const Expr& expr,
                                                       const std::vector<Expr>& exprs);

/// An expression as one line of the canonical text.
[[nodiscard]] std::string lineOf(const Expr& expr);

}  // namespace couler::jit

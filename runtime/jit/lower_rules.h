#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/value.h"
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
/// Whether it gives the year, …, the second of a timestamp.
[[nodiscard]] bool isDatePart(ir::Builtin op);
/// Whether its operands are all of one kind.
[[nodiscard]] bool takesOneKind(ir::Builtin op);

/// An expression as one line of the canonical text.
[[nodiscard]] std::string lineOf(const Expr& expr);

/// A value of a kind other than String, as it lies in a column; nothing where it is of another.
[[nodiscard]] std::optional<std::int64_t> bitsOf(const ir::Value& value, Kind kind,
                                                 const std::vector<std::string>& cases);

}  // namespace couler::jit

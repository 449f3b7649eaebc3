#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "runtime/jit/program.h"

namespace couler::jit {

/// Thrown while a plan is lowered (lower.cpp catches it).
struct Unsupported {
  std::string why;
};
template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) {
  throw Unsupported{fmt::format(text, std::forward<Args>(args)...)};
}

/// A program's expressions while it is made: equal ones are there once, and of each is known what
/// may become of it.
class Graph {
 public:
  explicit Graph(Program& program) : program_(program) {}

  [[nodiscard]] const Expr& at(ExprId id) const { return program_.exprs[id]; }
  [[nodiscard]] bool mayBeNone(ExprId id) const { return facts_[id].none; }
  /// Whether it or an operand is a part of a timestamp.
  [[nodiscard]] bool hasDates(ExprId id) const { return facts_[id].dates; }
  ExprId add(Expr expr);

  ExprId column(std::uint32_t field, Kind kind, bool optional);
  ExprId outer(std::size_t index, Kind kind, bool optional);
  ExprId integer(std::int64_t n);
  ExprId boolean(bool b);
  ExprId text(std::string content);
  /// Kind::Value: of no kind yet.
  ExprId none(Kind kind = Kind::Value);

  /// Both of one kind; a none that has none yet takes that of the other.
  void agree(ExprId& a, ExprId& b);
  ExprId coerced(ExprId id, Kind kind);
  ExprId select(ExprId condition, ExprId then, ExprId otherwise);
  /// An operator that gives a bool.
  ExprId binary(ir::Builtin op, ExprId a, ExprId b, bool lifted = false);
  /// Whether it is one of values that have no error.
  ExprId isOneOf(ExprId x, const std::vector<ExprId>& items, bool lifted);
  /// To the power of a small exponent, by squaring as the evaluator does it, so that it overflows
  /// where that does.
  ExprId power(ExprId base, std::int64_t exponent, bool lifted);
  /// Whether a valid regular expression, a constant, matches; nothing where that needs RE2.
  std::optional<ExprId> matches(ExprId subject, ExprId pattern, bool lifted);
  ExprId withRequired(ExprId subject, const std::string& pattern, ExprId found, bool lifted);
  /// One more than its index among the program's; 0: it has none.
  std::uint32_t automaton(const std::string& pattern);

 private:
  struct Facts {
    std::uint32_t depth = 0;
    bool none = false;
    bool dates = false;
  };
  [[nodiscard]] bool isMaybeNone(const Expr& expr, bool operandNone) const;

  Program& program_;
  std::vector<Facts> facts_;
  std::vector<bool> outerOptional_;
  std::unordered_map<std::string, ExprId> ids_;
  std::unordered_map<std::string, std::uint32_t> automata_;
};

}  // namespace couler::jit

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/builtins.h"
#include "runtime/column/batch.h"
#include "runtime/jit/automaton.h"
#include "runtime/jit/replacement.h"

/// What is compiled: the expressions of a row plan as one graph over the columns of its input,
/// free of names, types and module ids, so that equal work has equal text.
namespace couler::jit {

inline constexpr std::int64_t kLongText = 4096;  ///< bytes up to which no replacement is too long

using column::Kind;
using ExprId = std::uint32_t;

enum class Code : std::uint8_t {
  Column,  ///< `index` into Program::inputs
  Outer,   ///< `index` into RowPlan::outer: known only when the kernel runs
  Const,   ///< `bits` (an int, a float's bits, a case's index) or `text`
  None,
  Apply,   ///< a built-in
  Select,  ///< operand 0: a bool; 1 where it is true, 2 where it is not
  Try,     ///< operand 0, none where that has an error
  Same     ///< whether two values of one kind are the same as keys are: a NaN is itself
};

/// How an Apply is computed.
enum class Via : std::uint8_t {
  Inline,  ///< machine code of its own
  Math,    ///< the function of the C library that the evaluator calls
  Text,    ///< a helper for that built-in (helpers.cpp)
  Any      ///< the evaluator, a call a row
};

/// A value a row: none, an error, or of `kind`.
struct Expr {
  Code code{};
  ir::Builtin op{};
  bool lifted = false;
  Via via{};
  Kind kind{};
  bool heavy = false;       ///< not for a vectorised loop; of this expression, its operands aside
  bool cost = false;        ///< it or an operand, theirs included, is heavy
  bool dear = false;        ///< heavy, and worth a branch around it
  bool fails = false;       ///< may have an error
  std::uint32_t index = 0;  ///< Column, Outer; a text: its literal; via Text or Any: its Site
  std::int64_t bits = 0;
  std::uint32_t automaton = 0;  ///< of its pattern, one more than the index; 0: none
  std::string text{};
  std::vector<ExprId> operands{};
};

/// What a helper must know of the Apply that calls it; not part of the code.
struct Site {
  ir::Builtin op{};
  struct Cell {
    Kind kind{};
    std::vector<std::string> cases;
  };
  std::vector<Cell> operands;
  Cell result;
  std::optional<std::string> pattern;  ///< a valid regular expression
  std::optional<Replacement> bytes;    ///< Replace, ReplaceAll: what does the same
};

/// A filter keeps the rows for which `exprs[0]` is true; a check wants all of them without error.
struct Step {
  bool filter = false;
  std::vector<ExprId> exprs;
};

struct Output {
  bool computed = false;
  bool optional = false;
  std::uint32_t field = 0;  ///< not computed: of the input, as it is
  ExprId expr = 0;
};

struct Program {
  struct Input {
    std::uint32_t field = 0;  ///< of RowPlan::input
    Kind kind{};
    bool optional = false;
  };
  std::vector<Input> inputs;
  std::vector<Expr> exprs;  ///< each after its operands
  std::vector<Step> steps;  ///< in order, for the rows that the filters before have kept
  std::vector<Output> outputs;
  std::vector<Site> sites;
  std::vector<Automaton> automata;
  std::vector<std::string> literals;  ///< of Const texts, by their `index`
  std::uint32_t outerCount = 0;
  bool filters = false;
};

/// The part of a program that decides its code, as text.
[[nodiscard]] std::string canonicalText(const Program& program);

/// A value in memory: an operand or a result of a helper, or an outer value.
struct Cell {
  std::int64_t a = 0;  ///< the value's bits; a text's address
  std::int64_t b = 0;  ///< a text's size
  std::int64_t valid = 0;
};

/// What compiled code reads and writes; every member is eight bytes, and the code knows them by
/// their order.
struct Frame {
  std::int64_t rows = 0;
  std::int64_t kept = 0;  ///< rows that the filters have left
  const void* const* columns = nullptr;
  const std::uint8_t* const* valid = nullptr;
  const Cell* outer = nullptr;     ///< the outer values, then the literals
  std::int32_t* picked = nullptr;  ///< the rows kept
  std::uint8_t* mask = nullptr;
  void* const* outputs = nullptr;
  std::uint8_t* const* outputValid = nullptr;
  void* const* spilled = nullptr;  ///< by expression: what the filters computed and the outputs use
  std::uint8_t* const* spilledFlags = nullptr;
  void* context = nullptr;  ///< for the helpers
  void* arena = nullptr;    ///< memory for texts: two pointers, from the one up to the other
};
using Function = std::int64_t (*)(Frame*);                     ///< -1: an error in some row
inline constexpr const char* kFilterName = "couler_filter";    ///< gives the number of rows kept
inline constexpr const char* kProjectName = "couler_project";  ///< gives 0

}  // namespace couler::jit

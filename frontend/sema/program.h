#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "frontend/sema/settings.h"
#include "frontend/syntax/tree.h"
#include "ir/builtins.h"
#include "ir/module.h"
#include "ir/types.h"

/// What the checker knows of a program, in side tables beside the syntax trees. Read by lowering,
/// by the language server and by tests; nothing in it points into ANTLR's data.
namespace couler::sema {

using SymbolId = StrongId<struct SymbolTag>;

enum class SymbolKind : std::uint8_t {
  Namespace,  ///< `text` after `import std.text`, or an `as` alias; `Symbol::file` is the module
  Enum,
  EnumCase,
  Schema,
  Fn,
  Task,
  Workflow,
  Transform,
  Labeler,
  Target,
  Param,
  Output,
  Local /* let */,
  LoopVariable,
  Column,
  BuiltinFn
};

/// As people call it: `task`, `param`, `let`, ….
[[nodiscard]] std::string_view wordOf(SymbolKind kind);
/// `compile`, `submit`, `run`.
[[nodiscard]] std::string_view wordOf(ir::Phase phase);

/// One parameter, output, column or record field with its resolved type.
struct FieldInfo {
  std::string_view name;
  ir::TypeId type;
  const syntax::Field* syntax = nullptr;
  SymbolId symbol;
  /// Of a schema's column: what it is called in files.
  [[nodiscard]] std::string_view inFile() const {
    return syntax != nullptr && syntax->fromSpan.valid() ? syntax->from : name;
  }
};
/// Of a Fn, Task, Workflow, Transform, Labeler; and of a Schema, whose constructor it is.
struct Signature {
  std::vector<FieldInfo> params;
  std::vector<FieldInfo> outputs;  ///< Task, Workflow
  /// Task, Workflow: the record of the outputs. Transform: the table of the rows it makes, whose
  /// row type is the symbol's type.
  ir::TypeId result;
  std::vector<FieldInfo> columns;  ///< Transform: of its rows; `syntax` is null
  bool perRow = false;             ///< Transform: its first parameter is a row, not a table
};

struct Symbol {
  SymbolKind kind{};
  std::string_view name;
  Span declared;                       ///< of the name; invalid for built-ins
  const syntax::Decl* decl = nullptr;  ///< the declaration it is, or stands in
  FileId file;                         ///< where declared
  ir::TypeId type;
  ir::Phase phase = ir::Phase::Compile;
  Signature* signature = nullptr;  ///< owned by Program::signatures
  std::uint32_t uses = 0;
};

/// How a call binds. Built-ins: `builtin`, arguments in order. `rows |> t(…)` is a call of `t`: its
/// binding is that of the pipe, a BinaryExpr.
struct CallBinding {
  enum class Form : std::uint8_t {
    Call,
    Row,   ///< makes a row of a transform's row type: `tidy(id: "1", text: "a")`
    Read,  ///< `read<S>(file)`: no callee
    Write,  ///< `write<csv>(rows, "name.csv")`: no callee
    Drift   ///< `drift(new, old)`: no callee; lists of rows in a test
  };
  static constexpr std::int32_t kDefault = -1;
  static constexpr std::int32_t kPiped = -2;  ///< the left side of `|>`
  static constexpr std::int32_t kSupplied = -3;  ///< what `tune` gives each trial by itself

  SymbolId callee;  ///< Fn, Task, Workflow, Schema, …; invalid for a built-in
  bool isBuiltin = false;
  bool lifted = false;  ///< over rows: none where an argument is none
  Form form = Form::Call;
  ir::BadRows onBad{};  ///< Read
  ir::Builtin builtin{};
  std::vector<ir::TypeId> paramTypes;  ///< what each argument is converted to, by parameter
  std::vector<std::int32_t> argument;  ///< by parameter: index into CallExpr::args
  /// A row is made of that of the first argument, but for the columns that others give.
  bool spread = false;
};

/// Types of expressions that their place decides:
///   - a string literal where a file or folder is wanted has that type, not string; so have
///   `file(…)`,
///     `dir(…)` and `glob(…)` where a format is wanted (`file<csv>`);
///   - a literal list, map or record where one is wanted has the wanted type: its items may still
///   be
///     int for float or T for T?, and the fields of a record may stand in another order;
///   - the output of a task named in its command is a string, its path;
///   - `if` whose value is not used has type none, whatever its branches give;
///   - a name or member known not to be none (`if x != none`) has type T where its symbol has T?.
struct ExprInfo {
  ir::TypeId type;  ///< of the expression itself, before conversion to its place
  ir::Phase phase = ir::Phase::Compile;
  SymbolId symbol;        ///< Name, and Member that names a symbol (enum case, module member)
  ir::Builtin builtin{};  ///< Unary, Binary, Index: the overload chosen
  bool hasBuiltin = false;
  bool lifted = false;  ///< over rows, with `builtin` or of text: none where an operand is none
};

/// A column of the rows that a transform makes.
struct OutputColumn {
  std::string_view name;
  ir::TypeId type;
  SymbolId symbol;          ///< the derived column or key; where it comes from a spread, the row
  std::string_view column;  ///< and which column of that; else empty
  Span at;
};
/// What the checker found out about a transform's statements, for lowering.
struct TransformPlan {
  std::vector<OutputColumn> output;
  /// Where rows become groups: a `group by`, or the first derived column with an aggregate in it.
  const syntax::TransformStmt* grouping = nullptr;
  /// `distinct`: the columns that it compares.
  std::unordered_map<const syntax::TransformStmt*, std::vector<OutputColumn>> compared;
};

/// A parameter that `tune` searches.
struct TuneSpace {
  std::size_t param = 0;  ///< of the callee
  const syntax::Argument* arg = nullptr;
  ir::TypeId type;                     ///< of a value of the space
  const syntax::Expr* low = nullptr;   ///< of a range; else null, and the argument is a list
  const syntax::Expr* high = nullptr;  ///< not in it
  bool log = false;
  SymbolId symbol;  ///< its value, for the conditions behind it
};
/// How a `tune` searches; the call itself is in FileInfo::calls.
struct TunePlan {
  TuneMethod method{};
  std::vector<TuneSpace> spaces;  ///< in the order written
  std::size_t objective = 0;      ///< index of the output
  std::unordered_map<std::string_view, const syntax::Expr*> settings;
  std::unordered_map<std::string_view, const syntax::Expr*> card;  ///< empty without a prior
  std::ptrdiff_t resource = -1;    ///< parameter; Asha
  std::ptrdiff_t resume = -1;      ///< parameter, or -1
  std::ptrdiff_t checkpoint = -1;  ///< output, or -1
  ir::TypeId point;                ///< record of what is searched
  ir::TypeId trial;                ///< record: a row of `trials`
};

struct FileInfo {
  const syntax::Tree* tree = nullptr;
  std::vector<ExprInfo> exprs;                           ///< by Expr::id
  std::unordered_map<std::uint32_t, CallBinding> calls;  ///< by id of the CallExpr
  std::unordered_map<std::uint32_t, TunePlan> tunes;     ///< by id of the TuneExpr
  std::map<std::string_view, SymbolId> names;  ///< top level: own declarations and imports
  std::unordered_map<const syntax::Field*, ir::TypeId> fieldTypes;
  /// LetStmt, ForExpr, LoopExpr, Field, Decl, EnumCase, TransformStmt (Derive), TransformKey
  /// (GroupBy) -> symbol; FinallyStmt -> its `status`.
  std::unordered_map<const void*, SymbolId> declared;
};

/// An import, resolved.
struct ImportEdge {
  const syntax::ImportDecl* decl = nullptr;
  FileId target;  ///< invalid when it could not be loaded
};

struct Program {
  ir::TypeTable types;
  std::vector<Symbol> symbols;
  std::vector<std::unique_ptr<Signature>> signatures;
  std::vector<FileInfo> files;  ///< by FileId::index
  std::unordered_map<SymbolId, TransformPlan> transforms;
  FileId root;

  [[nodiscard]] Symbol& at(SymbolId id) { return symbols[id.index()]; }
  [[nodiscard]] const Symbol& at(SymbolId id) const { return symbols[id.index()]; }
  [[nodiscard]] const ExprInfo& info(FileId file, const syntax::Expr& expr) const {
    return files[file.index()].exprs[expr.id];
  }
};

}  // namespace couler::sema

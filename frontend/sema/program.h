#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

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

/// One parameter, output, column or record field with its resolved type.
struct FieldInfo {
  std::string_view name;
  ir::TypeId type;
  const syntax::Field* syntax = nullptr;
  SymbolId symbol;
};
/// Of a Fn, Task, Workflow, Transform, Labeler; and of a Schema, whose constructor it is.
struct Signature {
  std::vector<FieldInfo> params;
  std::vector<FieldInfo> outputs;  ///< Task, Workflow
  ir::TypeId result;               ///< Task, Workflow: the record of the outputs
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

/// How a call binds. Built-ins: `builtin`, arguments in order.
struct CallBinding {
  SymbolId callee;  ///< Fn, Task, Workflow, Schema, …; invalid for a built-in
  bool isBuiltin = false;
  ir::Builtin builtin{};
  std::vector<ir::TypeId> paramTypes;  ///< what each argument is converted to, by parameter
  std::vector<std::int32_t> argument;  ///< by parameter: index into CallExpr::args; -1: the default
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
};

struct FileInfo {
  const syntax::Tree* tree = nullptr;
  std::vector<ExprInfo> exprs;                           ///< by Expr::id
  std::unordered_map<std::uint32_t, CallBinding> calls;  ///< by id of the CallExpr
  std::map<std::string_view, SymbolId> names;  ///< top level: own declarations and imports
  std::unordered_map<const syntax::Field*, ir::TypeId> fieldTypes;
  /// LetStmt, ForExpr, LoopExpr, Field, Decl, EnumCase -> symbol; FinallyStmt -> its `status`.
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
  FileId root;

  [[nodiscard]] Symbol& at(SymbolId id) { return symbols[id.index()]; }
  [[nodiscard]] const Symbol& at(SymbolId id) const { return symbols[id.index()]; }
  [[nodiscard]] const ExprInfo& info(FileId file, const syntax::Expr& expr) const {
    return files[file.index()].exprs[expr.id];
  }
};

}  // namespace couler::sema

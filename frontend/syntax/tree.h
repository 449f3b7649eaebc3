#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "support/arena.h"
#include "support/source.h"

/// The syntax tree: what the parser makes of one file. Nodes live in the tree's arena and need no
/// destructor; names are views into the source text; every node knows its span. The tree says what
/// was written, never what it means: no types, no names resolved (frontend/sema does that, in side
/// tables indexed by `Expr::id`). A missing part of an erroneous program is an `ErrorExpr` or a
/// null pointer where the comment says so.
namespace couler::syntax {

struct Name {
  std::string_view text;
  Span span;
};

struct Expr;
struct Block;
struct TypeExpr;

// ---------------------------------------------------------------- expressions

#define COULER_EXPR_KINDS(X)                                                                    \
  X(Error)                                                                                      \
  X(Int) X(Float) X(Quantity) X(Bool) X(None) X(String) X(RawString) X(Regex) X(Name) X(Member) \
      X(Index) X(Call) X(List) X(Map) X(Record) X(Unary) X(Binary) X(If) X(For) X(Loop) X(Try)  \
          X(After) X(Tune)

enum class ExprKind : std::uint8_t {
#define X(name) name,
  COULER_EXPR_KINDS(X)
#undef X
};

struct Expr {
  ExprKind kind;
  Span span;
  std::uint32_t id;  ///< dense within the tree: 0 … Tree::exprCount-1
};

struct ErrorExpr : Expr {};  ///< the parser has reported it; say nothing more about it
struct IntExpr : Expr {
  std::int64_t value;
};
struct FloatExpr : Expr {
  double value;
};
/// `30 min`, `1.5 h`, `4 GiB`: the number as written and the unit's name.
struct QuantityExpr : Expr {
  double number;
  bool isInt;
  std::int64_t integer;  ///< when isInt
  Name unit;
};
struct BoolExpr : Expr {
  bool value;
};
struct NoneExpr : Expr {};
/// A piece of `"text {expr} text"`: `expr` null for text. Text has its escapes resolved.
struct StringPart {
  std::string_view text;
  Expr* expr;
  Span span;
};
struct StringExpr : Expr {
  std::span<StringPart> parts;
};
/// `"""…"""`, dedented: the common leading white space of its lines is gone, and the first newline.
struct RawStringExpr : Expr {
  std::string_view text;
};
struct RegexExpr : Expr {
  std::string_view pattern;
};
struct NameExpr : Expr {
  Name name;
};
struct MemberExpr : Expr {
  Expr* object;
  Name member;
  bool optional;  ///< `?.`
};
struct IndexExpr : Expr {
  Expr* object;
  Expr* index;
};
struct Argument {
  Name name;  ///< empty text: positional
  Expr* value;
  Span span;
  bool spread;   ///< `...more`
  bool inSpace;  ///< `depth: in 2..8`, only in `tune`
  Expr* when;    ///< `… if kind == tree` behind a space; null if none
};
struct CallExpr : Expr {
  Expr* callee;
  std::span<Argument> args;
  Span parens;
  TypeExpr* typeArgument;  ///< `read<Comment>(…)`; null if none
};
struct ListItem {
  Expr* value;
  bool spread;
};
struct ListExpr : Expr {
  std::span<ListItem> items;
};
struct MapEntry {
  Expr* key;
  Expr* value;
};
struct MapExpr : Expr {  ///< `["key": value]`; the empty map is `[:]`
  std::span<MapEntry> entries;
};
struct RecordExpr : Expr {  ///< `(model: m, score: s)`; all arguments named
  std::span<Argument> fields;
};
enum class UnaryOp : std::uint8_t { Negate, Not };
struct UnaryExpr : Expr {
  UnaryOp op;
  Expr* operand;
};
enum class BinaryOp : std::uint8_t {
  Or,
  And,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  In,
  Coalesce /* ?? */,
  Range /* a..b, b excluded */,
  Add,
  Subtract,
  Multiply,
  Divide,
  IntDivide /* // is a comment: `div` */,
  Remainder /* % */,
  Power /* ** */,
  Pipe /* |> */
};
struct BinaryExpr : Expr {
  BinaryOp op;
  Span opSpan;
  Expr* left;
  Expr* right;
};
struct IfExpr : Expr {
  Expr* condition;
  Block* then;
  Block* otherwise;  ///< null without `else`; `else if` is a block of one If expression
};
struct ForExpr : Expr {
  Name variable;
  Expr* items;
  Block* body;
};
/// `loop state = start max n { … } until condition`. The body's value is the next state; the
/// condition sees the new state under the same name.
struct LoopExpr : Expr {
  Name state;
  Expr* start;
  Expr* max;
  Block* body;
  Expr* until;
};
struct TryExpr : Expr {
  Expr* operand;
};
/// `step(…) after a, b`: runs when those have ended well.
struct AfterExpr : Expr {
  Expr* operand;
  std::span<Expr*> after;
};
struct TuneClause {
  Name name;  ///< empty: not written
  std::span<Argument> settings;
  Span parens;  ///< of the settings; invalid without
};
struct TuneExpr : Expr {
  CallExpr* call;
  bool maximize;
  Name objective;
  TuneClause method;  ///< `using`
  TuneClause prior;   ///< `prior from`
};

// ---------------------------------------------------------------- statements

enum class StmtKind : std::uint8_t { Let, Expr, Return, Finally };
struct Stmt {
  StmtKind kind;
  Span span;
};
struct LetStmt : Stmt {
  Name name;
  TypeExpr* type;  ///< null when not written
  Expr* value;
};
struct ExprStmt : Stmt {
  Expr* value;
};
struct ReturnStmt : Stmt {
  Expr* value;  ///< null for a bare `return`
};
struct FinallyStmt : Stmt {
  Block* body;
};
struct Block {
  Span span;  ///< braces included
  std::span<Stmt*> statements;
};

// ---------------------------------------------------------------- types

enum class TypeKind : std::uint8_t { Error, Named, Optional, Record };
struct Field;
struct TypeExpr {
  TypeKind kind;
  Span span;
};
struct NamedType : TypeExpr {  ///< `int`, `list<T>`, `file<csv>`, `Comment`, `text.Span`
  Name module;                 ///< empty when not qualified
  Name name;
  std::span<TypeExpr*> args;
};
struct OptionalType : TypeExpr {
  TypeExpr* inner;
};
struct RecordType : TypeExpr {
  std::span<Field> fields;
};

/// A parameter, an output, a record field, a schema column.
struct Field {
  Name name;
  TypeExpr* type;
  Expr* value;  ///< `= …`: default of a parameter, source or file name of an output; null if none
  Expr* where;  ///< schema columns: `where …`; null if none
  std::string_view doc;
  Span span;
  /// Schema columns: `from "Body mass (g)"`, the column's name in files; `fromSpan` invalid: its own.
  std::string_view from;
  Span fromSpan;
};

// ---------------------------------------------------------------- declarations

enum class DeclKind : std::uint8_t {
  Import,
  Enum,
  Schema,
  Fn,
  Task,
  Workflow,
  Transform,
  Labeler,
  Target,
  Test,
  Error
};
struct Decl {
  DeclKind kind;
  Span span;             ///< doc comment excluded
  Name name;             ///< empty for imports and tests
  std::string_view doc;  ///< text of the `///` lines, without the slashes, newline separated
};
struct ImportedName {
  Name name;
  Name alias;  ///< `as x`; empty if none
};
struct ImportDecl : Decl {
  bool isStd;             ///< `import std.text`
  std::string_view path;  ///< "text" for std.text, or the path between the quotes
  Span pathSpan;
  Name alias;                     ///< `import "x.cwl" as x`; empty if none
  std::span<ImportedName> names;  ///< `{ train, fit as f }`
  bool hasNames;
};
struct EnumCase {
  Name name;
  std::string_view doc;
};
struct EnumDecl : Decl {
  std::span<EnumCase> cases;
};
struct SchemaDecl : Decl {
  std::span<Field> columns;
};
struct FnDecl : Decl {
  std::span<Field> params;
  TypeExpr* result;  ///< null: inferred
  Expr* body;
};
enum class RunKind : std::uint8_t { None, Argv, Sh, Python };
struct Setting {  ///< `key: value` in resources, env, retry, targets
  Name key;
  Expr* value;
};
/// What the steps of a task or a transform may take, and how often they are tried; null and empty
/// where absent.
struct StepSettings {
  std::span<Setting> resources;
  Expr* timeout;
  Expr* retryCount;
  std::span<Setting> retry;
};
struct TaskDecl : Decl, StepSettings {
  bool isVolatile;
  std::span<Field> params;
  std::span<Field> outputs;
  Span outputsSpan;  ///< invalid when no `->`
  Expr* image;       ///< null when absent
  std::span<Setting> env;
  Expr* cache;  ///< `cache false`; null when absent
  RunKind run;
  Span runSpan;
  Expr* runBody;  ///< ListExpr for Argv, RawStringExpr or StringExpr for scripts
};
struct WorkflowDecl : Decl {
  std::span<Field> params;
  std::span<Field> outputs;
  Span outputsSpan;
  Block* body;
};
enum class TransformKind : std::uint8_t {
  Where,
  Derive,
  Spread,
  GroupBy,
  OrderBy,
  Limit,
  Distinct,
  Join
};
enum class JoinKind : std::uint8_t { Inner, Left, Semi, Anti };
enum class Direction : std::uint8_t { None, Ascending, Descending };
/// What `group by` and `order by` go by.
struct TransformKey {
  Name name;  ///< GroupBy: `name = …`; empty if none
  Expr* value;
  Direction direction;  ///< OrderBy: as written
};
struct TransformStmt {
  TransformKind kind;
  Span span;
  Name name;                     ///< Derive: the column; Spread: the row; Join: the other table
  Expr* value;                   ///< Where, Derive, Limit, Join (`on`): the expression; else null
  JoinKind join;                 ///< Join
  std::span<TransformKey> keys;  ///< GroupBy, OrderBy
  std::span<Name> without;       ///< Spread
};
struct TransformDecl : Decl, StepSettings {
  std::span<Field> params;  ///< the first is the row or the table
  std::span<TransformStmt> statements;
};
struct Vote {
  Name label;
  Expr* when;
  Name rule;  ///< `as name`; empty if none
  Span span;
};
struct LabelerDecl : Decl {
  Field param;
  TypeExpr* result;
  std::span<Vote> votes;
};
struct TargetDecl : Decl {
  Name engine;
  std::span<Setting> settings;
};
struct TestDecl : Decl {
  std::string_view title;
  Span titleSpan;
  Block* body;                    ///< `let`s only
  std::span<Expr*> expectations;  ///< `expect` lines, in order
};

/// A comment that is no doc comment, for the formatter. `span` covers the slashes to the line's
/// end.
struct Comment {
  Span span;
  bool ownLine;  ///< nothing but white space before it on its line
};

/// One file, parsed.
struct Tree {
  FileId file;
  std::int64_t edition = 0;  ///< 0 when the edition line is missing (reported)
  std::vector<Decl*> decls;
  std::vector<Comment> comments;
  std::uint32_t exprCount = 0;
  Arena arena;
};

}  // namespace couler::syntax

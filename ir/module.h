#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "ir/builtins.h"
#include "ir/types.h"
#include "ir/value.h"
#include "support/source.h"

/// The typed workflow graph (docs/ir.md): a value type of flat vectors and dense ids. Copying a
/// Module is a snapshot; two equal modules print the same text.
namespace couler::ir {

using NodeId = StrongId<struct NodeTag>;
using RegionId = StrongId<struct RegionTag>;
using TaskId = StrongId<struct TaskTag>;
using FuncId = StrongId<struct FuncTag>;
using ConstId = StrongId<struct ConstTag>;
using NameId = StrongId<struct NameTag>;

/// What an operation does beside giving its value.
enum class Effect : std::uint8_t {
  Pure,
  SeededRandom,
  Source,
  ReadsState,
  WritesState,
  Sink,
  Opaque
};
/// Which rows of its input one row of its output needs.
enum class Footprint : std::uint8_t { Pointwise, Window, Partition, AssociativeReduce, All };
/// When a value is known.
enum class Phase : std::uint8_t { Compile, Submit, Run };

struct Const {
  ConstId value;
};
struct Param {
  std::uint32_t index = 0;
};
struct Op {
  Builtin op{};
  /// Over rows: none where an operand is none, so its type is `T?`; `and`, `or` and `not` follow
  /// Kleene's three-valued logic.
  bool lifted = false;
};
struct Field {
  NameId name;
  bool ofEach = false;    ///< operand is a list of records: the list of that field
  bool optional = false;  ///< `?.`: none of none
};
struct Step {
  TaskId task;
};
struct Call {
  FuncId callee;
};
struct For {
  RegionId body;  ///< one parameter: the item; one result
};
struct If {
  RegionId then;       ///< no parameters, one result
  RegionId otherwise;  ///< invalid: the value is none where the condition is false
};
struct Loop {
  RegionId body;  ///< one parameter: the state; results: the next state, whether to stop
};
struct Try {
  RegionId body;  ///< no parameters, one result
};
/// An operator over tables. Its body is evaluated for a row; what it may use beside the row are
/// the parameters of the function or task around it.
enum class RowsOp : std::uint8_t {
  Read,      ///< operands: a file, or also a `fileRangeType` and its digest; body: row -> a bool a
             ///< constraint; a result's name says which
  Filter,    ///< operand: a table; body: row -> bool or bool?; keeps rows for which it is true
  Map,       ///< operand: a table; body: row -> row
  Group,     ///< operand: a table; body: row -> `keys` key values, then aggregates (`#sum` …)
  Sort,      ///< operand: a table; body: row -> keys; stable; none last, NaN before it
  Limit,     ///< operands: a table, an int: its first rows
  Distinct,  ///< operand: a table: each row where it came first
  Join,      ///< operands: two tables; body: row, other row -> `keys` of the one, as many of the other
  Concat     ///< operand: a list of tables: the rows of the first, then of the second, …
};
[[nodiscard]] constexpr bool hasBody(RowsOp op) {
  return op != RowsOp::Limit && op != RowsOp::Distinct && op != RowsOp::Concat;
}
/// Which rows of a file are read: (head, from, to, row, line), all int. Bytes 0 to `head`, which
/// name the columns, then `from` to `to`; there are `row` rows and `line` line feeds from `head` to
/// `from`. The digest, a string, is that of column::rangeDigest (runtime/column/cut.h).
[[nodiscard]] TypeId fileRangeType(TypeTable& types);
enum class JoinKind : std::uint8_t { Inner, Left, Semi, Anti };
/// What a read does with a row that breaks its schema. Keep: a value that breaks a constraint stays,
/// one that is not of its column's type becomes none where the column is optional; the row is
/// dropped where it is not.
enum class BadRows : std::uint8_t { Fail, Drop, Keep };
inline constexpr std::uint32_t kMaxKeys = 32;
struct Rows {
  RowsOp op{};
  JoinKind join{};               ///< Join
  BadRows onBad{};               ///< Read
  std::uint8_t keys = 0;         ///< Group, Join: how many
  std::uint32_t descending = 0;  ///< Sort: bit i for key i; so at most 32 keys
  RegionId body;                 ///< invalid where the operator has none (`hasBody`)
};

/// monostate: an erased node, skipped by every walk.
using Payload = std::variant<std::monostate
#define NODE(Kind, word) , Kind
#include "ir/nodes.def"
                             >;

/// One node makes one value (of a record type where a step has outputs; an empty record when it
/// has none). Nodes of a region may use nodes of the same region that come before them, the
/// region's parameters, and whatever the region's owner may use.
struct Node {
  Payload payload;
  TypeId type;
  RegionId region;
  NameId name;  ///< a step's stable name within its region, or the `let` name; may be invalid
  Span span;
  Effect effect = Effect::Pure;
  Footprint footprint = Footprint::All;
  Phase phase = Phase::Run;
  std::uint32_t firstOperand = 0;  ///< into Module::operandPool: the operands, then the order
  std::uint32_t operandCount = 0;  ///< dependencies (`after`), which carry no value
  std::uint32_t orderCount = 0;
};

/// A body: straight-line nodes in an order in which each comes after what it uses.
struct Region {
  std::vector<NodeId> params;  ///< Param nodes; they are not in `nodes`
  std::vector<NodeId> nodes;
  std::vector<NodeId> results;
  NodeId
      owner;  ///< the For, If, Loop or Try it belongs to; invalid for bodies of functions and tasks
};

struct ParamDef {
  std::string name;
  TypeId type;
  ConstId fallback;  ///< default value; invalid: must be given
  std::string doc;
  Span span;
  /// Of a task: what is made is the same whatever it is, as long as the other parameters are the
  /// same, so no step runs again for it.
  bool unkeyed = false;
};

/// Where an output of a task comes from.
enum class OutputFrom : std::uint8_t {
  Variable,  ///< a scalar that the script sets under the output's name
  Path,  ///< a file or folder that the step writes at the path it is told; `path` is its base name
  Stdout,  ///< what it prints, less one final newline
  File     ///< a scalar read from the file `path`, relative to the step's folder
};
struct OutputDef {
  std::string name;
  TypeId type;
  OutputFrom from = OutputFrom::Variable;
  std::string path;
  std::string doc;
  Span span;
};

/// Table: the results of `exprs` are tables, one an output; nothing is left of it after the pass
/// `lower-tables`, which makes it a command.
enum class RunKind : std::uint8_t { Argv, Sh, Python, Table };

/// Why an attempt failed; which of these `retry { on: [...] }` names is retried.
enum class FailureClass : std::uint8_t { Transient, Oom, Timeout, Exit };

struct RetryPolicy {
  std::int64_t limit = 0;  ///< further attempts after the first
  Duration backoff{};      ///< before the second attempt; doubles each time
  double factor = 2;
  Duration maxBackoff{};                ///< 0: no cap
  std::vector<FailureClass> on;         ///< empty: every class
  std::vector<std::int64_t> exitCodes;  ///< where not empty, Exit failures retry for these alone
};

/// A task: what its steps run. `exprs` is a region whose parameters are the inputs, then the
/// outputs that are paths (as strings), and whose results are the words and values named below.
struct TaskDef {
  std::string name;  ///< as declared; unique in the module (`name-2` for a second of that name)
  std::vector<ParamDef> params;
  std::vector<OutputDef> outputs;
  TypeId result;  ///< record of the outputs
  bool isVolatile = false;
  bool cache = true;
  RunKind run = RunKind::Argv;
  std::string script;  ///< Sh, Python
  RegionId exprs;
  struct Word {
    std::uint32_t result;  ///< index into the region's results
    bool spread;           ///< the result is a list: one word an item
    /// The outputs are the same whatever it says (places for messages), so no step runs again for it.
    bool unkeyed = false;
  };
  std::vector<Word> argv;  ///< Argv
  struct Env {
    std::string name;
    std::uint32_t result;
  };
  std::vector<Env> env;
  std::string image;        ///< empty: none given
  double cpu = 1;           ///< cores
  std::int64_t memory = 0;  ///< bytes; 0: not given
  std::int64_t gpu = 0;
  std::int64_t disk = 0;  ///< bytes; 0: not given
  Duration timeout{};     ///< 0: none
  RetryPolicy retry;
  std::string doc;
  Span span;
};

enum class FuncKind : std::uint8_t { Fn, Workflow };
/// What `split` makes of steps: an engine runs a part as a workflow of its own, and a group within
/// the one that it is in, whose templates hold so many steps.
enum class Outlined : std::uint8_t { No, Part, Group };
struct FuncDef {
  std::string name;
  FuncKind kind = FuncKind::Workflow;
  std::vector<ParamDef> params;
  TypeId result;  ///< for a workflow, the record of its outputs
  RegionId body;  ///< parameters as `params`; one result
  /// Invalid when there is none. One parameter, a string: how all else ended, "succeeded" or
  /// "failed". It may use the parameters of `body`, none of its nodes; one result, an empty record.
  RegionId finally;
  /// Where `split` made it of steps of a body. These keep the names that they have without it.
  Outlined outlined = Outlined::No;
  std::string doc;
  Span span;
};

struct TargetDef {
  std::string name;
  std::string engine;
  std::vector<std::pair<std::string, ConstId>>
      settings;  ///< `s3(bucket: "b")` is a record with `kind`
  Span span;
};

/// `test "title" { … expect a == b }`: one result an expectation, in order.
struct TestDef {
  std::string title;
  RegionId body;
  std::vector<Span> expectations;
  Span span;
};

/// What a step is thought to cost, or was seen to cost.
struct Cost {
  double seconds = 0;
  std::int64_t bytesOut = 0;
  bool measured = false;
  bool drop = false;  ///< what it makes goes first when the store is to take less room (insert-cache)
};

class Module {
 public:
  TypeTable types;
  std::vector<Node> nodes;
  std::vector<Region> regions;
  std::vector<TaskDef> tasks;
  std::vector<FuncDef> funcs;
  std::vector<TargetDef> targets;
  std::vector<TestDef> tests;
  std::vector<NodeId> operandPool;
  std::map<NodeId, Cost> costs;
  FuncId entry;  ///< the workflow to run; invalid for a module of tests only

  [[nodiscard]] Node& at(NodeId id) { return nodes[id.index()]; }
  [[nodiscard]] const Node& at(NodeId id) const { return nodes[id.index()]; }
  [[nodiscard]] Region& at(RegionId id) { return regions[id.index()]; }
  [[nodiscard]] const Region& at(RegionId id) const { return regions[id.index()]; }
  [[nodiscard]] TaskDef& at(TaskId id) { return tasks[id.index()]; }
  [[nodiscard]] const TaskDef& at(TaskId id) const { return tasks[id.index()]; }
  [[nodiscard]] FuncDef& at(FuncId id) { return funcs[id.index()]; }
  [[nodiscard]] const FuncDef& at(FuncId id) const { return funcs[id.index()]; }
  [[nodiscard]] const Value& at(ConstId id) const { return constants_[id.index()]; }
  [[nodiscard]] std::string_view at(NameId id) const { return names_[id.index()]; }

  [[nodiscard]] std::span<const NodeId> operands(const Node& node) const {
    return {operandPool.data() + node.firstOperand, node.operandCount};
  }
  [[nodiscard]] std::span<NodeId> operands(const Node& node) {
    return {operandPool.data() + node.firstOperand, node.operandCount};
  }
  /// The `after` edges.
  [[nodiscard]] std::span<const NodeId> order(const Node& node) const {
    return {operandPool.data() + node.firstOperand + node.operandCount, node.orderCount};
  }
  [[nodiscard]] std::span<NodeId> order(const Node& node) {
    return {operandPool.data() + node.firstOperand + node.operandCount, node.orderCount};
  }
  template <class T>
  [[nodiscard]] const T* payload(NodeId id) const {
    return std::get_if<T>(&at(id).payload);
  }
  /// The value of a Const node, or null.
  [[nodiscard]] const Value* constant(NodeId id) const;
  /// The regions a node owns (body; then and otherwise), invalid ones left out.
  [[nodiscard]] std::vector<RegionId> regionsOf(const Node& node) const;

  NameId intern(std::string_view name);
  NameId intern(const std::string& name) { return intern(std::string_view(name)); }
  NameId intern(const char* name) { return intern(std::string_view(name)); }
  /// A name that is not looked up, for the many names that a pass composes: another of the same
  /// text has another id, and `intern` finds none of them. O(text).
  NameId addName(std::string_view name) {
    names_.emplace_back(name);
    return NameId{names_.size() - 1};
  }
  /// Equal values (of one type, which the caller keeps apart) share an id.
  ConstId intern(Value value);

  RegionId addRegion(NodeId owner = {});
  /// Appends a parameter to a region.
  NodeId addParam(RegionId region, TypeId type, std::string_view name, Span span, Phase phase);
  /// Appends a node to `region`. Effect, footprint and phase follow from the payload and the
  /// operands (ir/attributes.cpp); a caller that knows better sets them after.
  NodeId add(RegionId region, Payload payload, TypeId type, std::span<const NodeId> operands,
             std::span<const NodeId> order = {}, Span span = {}, NameId name = {});
  NodeId addConst(RegionId region, Value value, TypeId type, Span span = {});
  /// Works out effect, footprint and phase of one node again, from its operands and the nodes of
  /// the regions it owns as they are now. For Params nothing changes.
  void updateAttributes(NodeId id);
  /// The same for all nodes, callees before callers: once every body is complete. O(nodes + edges).
  void updateAllAttributes();
  /// Gives a node another list of operands and order dependencies (in new pool space).
  void setEdges(NodeId id, std::span<const NodeId> operands, std::span<const NodeId> order);

  /// Drops the constants not marked in `used` (by id) and gives the others new ids, in order; what
  /// holds a ConstId must follow the numbering returned.
  std::vector<ConstId> keepConstants(const std::vector<bool>& used);

  [[nodiscard]] std::optional<FuncId> findFunc(std::string_view name) const;
  [[nodiscard]] const TargetDef* findTarget(std::string_view name) const;
  [[nodiscard]] std::size_t nameCount() const { return names_.size(); }
  [[nodiscard]] std::size_t constantCount() const { return constants_.size(); }

 private:
  std::vector<std::string> names_;
  std::vector<std::uint32_t> nameSlots_;  ///< hash table of name ids; its size is a power of two
  std::vector<NameId> interned_;          ///< the names in it
  std::vector<Value> constants_;
  std::unordered_multimap<std::size_t, ConstId> constantIndex_;
};

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace couler::ir

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "frontend/sema/program.h"
#include "ir/eval.h"
#include "ir/module.h"
#include "support/diagnostic.h"

/// Inside of lowering: one class, its members spread over the files named in the comments. The
/// program was checked without errors, so every expression has a type and every name a symbol.
namespace couler::lower {

using ir::NodeId;
using ir::RegionId;
using ir::TypeId;
using sema::SymbolId;
using sema::SymbolKind;
using IrKind = ir::TypeKind;

class Lowerer {
 public:
  Lowerer(const SourceManager& sources, const sema::Program& program, DiagnosticSink& diags);
  std::optional<ir::Module> run(std::string_view entry, bool needEntry);

 private:
  using Expr = syntax::Expr;
  using Block = syntax::Block;

  // ---- lower.cpp: declarations
  void declareRoot();
  void drain();
  ir::FuncId requireFunc(SymbolId symbol);
  ir::TaskId requireTask(SymbolId symbol);
  std::string uniqueName(std::string_view name);
  void lowerFunc(ir::FuncId id);
  void lowerFn(ir::FuncId id, const syntax::FnDecl& decl);
  void lowerWorkflow(ir::FuncId id, const syntax::WorkflowDecl& decl);
  void lowerTarget(const syntax::TargetDecl& decl);
  void lowerTest(const syntax::TestDecl& decl);
  void chooseEntry(std::string_view entry, bool needEntry);
  [[nodiscard]] std::vector<const syntax::WorkflowDecl*> topWorkflows() const;
  /// Parameters of the functions that have none yet; true when there was one. Their defaults come
  /// after all bodies, since they may call any fn.
  bool nextParams();
  std::vector<ir::ParamDef> params(const std::vector<sema::FieldInfo>& fields);
  void addParams(RegionId region, const std::vector<sema::FieldInfo>& fields);

  // ---- tasks.cpp
  void lowerTask(ir::TaskId id);
  void lowerOutputs(ir::TaskDef& task, const std::vector<sema::FieldInfo>& outputs) const;
  void lowerCommand(ir::TaskDef& task, const syntax::TaskDecl& decl);
  /// Resources, timeout and retries.
  void lowerSettings(ir::TaskDef& task, const syntax::StepSettings& step);
  void lowerRetry(ir::TaskDef& task, const syntax::StepSettings& step);
  template <class T>
  T setting(const Expr* expr, TypeId type, T absent);
  void checkSetting(const Expr* at, bool ok, std::string_view what, std::string_view must);

  // ---- constants.cpp
  /// The value of a constant expression of `file`; nothing after an error (reported).
  std::optional<ir::Value> constant(FileId file, const Expr& expr, TypeId want);
  [[nodiscard]] std::optional<ir::Value> literal(FileId file, const Expr& expr, TypeId want) const;
  /// Looks for fns that evaluating `region` would call and whose bodies are not there: those not
  /// begun go to `needed_`. False when one is just being lowered, which makes a circle.
  bool findNeeded(RegionId region);
  /// The default of a parameter or column; none for a `T?` without one; invalid for neither.
  ir::ConstId fallback(const sema::FieldInfo& field, FileId file);
  /// Whether a workflow's parameter has a default known only at submit time (`= glob(…)`). Such a
  /// parameter is optional in the graph, and the body begins with `parameter ?? default`.
  [[nodiscard]] bool hasComputedDefault(const sema::FieldInfo& field, FileId file) const;
  TypeId paramType(const sema::FieldInfo& field, FileId file);

  // ---- expressions.cpp
  NodeId lower(const Expr& expr);
  NodeId lowerAs(const Expr& expr, TypeId want);
  NodeId lowerLeaf(const Expr& expr);
  [[nodiscard]] const Expr* spineOf(const Expr& expr) const;
  NodeId finish(const Expr& expr, NodeId left);
  NodeId finishMember(const syntax::MemberExpr& expr, NodeId object);
  NodeId lowerName(const Expr& expr);
  NodeId lowerString(const syntax::StringExpr& expr);
  NodeId lowerList(const syntax::ListExpr& expr);
  NodeId lowerMap(const syntax::MapExpr& expr);
  NodeId lowerRecord(const syntax::RecordExpr& expr);
  NodeId asText(NodeId node, Span span);
  /// `fresh`: a constant that no one else uses, which may take the type of its place itself.
  NodeId convert(NodeId node, TypeId to, Span span, bool fresh = false);
  NodeId unwrapped(NodeId node, TypeId seen, Span span);
  NodeId op(ir::Builtin builtin, TypeId type, std::span<const NodeId> operands, Span span);
  NodeId constNode(ir::Value value, TypeId type, Span span);
  NodeId emptyRecord(Span span);
  [[nodiscard]] const std::vector<TypeId>& operandTypes(ir::Builtin builtin,
                                                        const std::vector<TypeId>& args);

  // ---- calls.cpp
  NodeId lowerCall(const syntax::CallExpr& expr);
  NodeId lowerBuiltin(const syntax::CallExpr& expr, const sema::CallBinding& binding);
  NodeId lowerPath(const syntax::CallExpr& expr, ir::Builtin builtin);
  NodeId besideSource(NodeId path, Span span);
  NodeId lowerAfter(const syntax::AfterExpr& expr, bool used);
  void collectSteps(NodeId from, std::vector<NodeId>& into);
  bool holdsSteps(NodeId node);

  // ---- control.cpp
  /// A statement whose value nobody takes.
  void lowerUnused(const Expr& expr);
  NodeId lowerControl(const Expr& expr, bool used);
  NodeId lowerIf(const syntax::IfExpr& expr, bool used);
  NodeId lowerFor(const syntax::ForExpr& expr, bool used);
  NodeId lowerLoop(const syntax::LoopExpr& expr, bool used);
  NodeId lowerTry(const syntax::TryExpr& expr, bool used);
  /// The block's value as a `want`; where that is invalid nobody asks for one, and none is made.
  NodeId lowerBlock(const Block& block, TypeId want, bool used);
  void lowerLet(const syntax::LetStmt& stmt);
  void lowerBodyStatements(const Block& block, const sema::Signature& signature, RegionId body);
  NodeId lowerGiven(const Expr& expr, const sema::Signature& signature);
  /// Lowers into `region` what `body` does, then goes on where it was.
  template <class Body>
  void inRegion(RegionId region, Body&& body) {
    const RegionId before = std::exchange(region_, region);
    body();
    region_ = before;
  }

  // ---- tune.cpp
  class TuneLowering;
  friend class TuneLowering;
  NodeId lowerTune(const syntax::TuneExpr& expr);

  // ---- transforms.cpp, rows.cpp: functions over tables
  /// A column of the rows at hand: which it is for the source, and its field in the graph.
  struct RowSlot {
    SymbolId symbol;     ///< the rows that have it, or the derived column or key itself
    std::string column;  ///< of the rows; else empty
    std::string field;
  };
  /// The rows that the body being lowered is about.
  struct RowScope {
    ir::NameId transform;  ///< what their operators are called, for messages; invalid: a read
    std::vector<RowSlot> slots;
    TypeId row;
    NodeId param;
    SymbolId other;  ///< of a join: the other rows,
    NodeId otherParam;
    std::unordered_map<SymbolId, NodeId> made;  ///< derived columns that the body itself makes
    std::unordered_map<std::uint32_t, std::string> aggregates;  ///< field, by id of the CallExpr
  };
  class TransformLowering;
  friend class TransformLowering;
  void lowerTransform(ir::FuncId id);
  /// A node over rows of type `table`, whose body `lower` makes: it gives the results.
  NodeId rowsNode(ir::Rows payload, TypeId table, std::span<const NodeId> operands,
                  const std::function<std::vector<NodeId>()>& lower, Span span);
  [[nodiscard]] const RowSlot* slotOf(SymbolId symbol, std::string_view column) const;
  NodeId rowField(const RowSlot& slot, Span span);
  [[nodiscard]] bool isRowColumn(const Expr& expr) const;
  NodeId lowerRowColumn(const syntax::MemberExpr& expr);
  /// A name that stands for a row, or a column by its bare name; invalid for others.
  NodeId lowerRowName(const Expr& expr);
  /// `x in a..b` over rows: two comparisons rather than a list.
  NodeId lowerWithin(NodeId x, const syntax::BinaryExpr& range, Span span);
  NodeId liftedOp(ir::Builtin builtin, TypeId type, std::span<const NodeId> operands, Span span);
  NodeId lowerLiftedCall(const syntax::CallExpr& expr, const sema::CallBinding& binding);

  // ---- tables.cpp: steps that read, transform and write tables
  ir::TaskId requireTransformTask(SymbolId symbol);
  /// The task over tables with that key; made when it is first asked for, by `fill`, in the region
  /// of its plan.
  ir::TaskId tableTask(std::string key, std::string_view name, Span span,
                       const std::function<void(ir::TaskDef&)>& fill);
  NodeId tableParam(ir::TaskDef& task, std::string_view name, TypeId type);
  ir::TaskId readTask(TypeId table, TypeId file, ir::BadRows onBad, Span span);
  ir::TaskId writeTask(TypeId table, TypeId file, const std::string& name, Span span);
  void lowerConstraints(TypeId row, std::vector<NodeId>& results);
  NodeId constraint(std::span<const Expr* const> parts);
  NodeId lowerTransformCall(const Expr& expr, std::span<const syntax::Argument> args,
                            NodeId piped);
  NodeId tableStep(ir::TaskId task, std::string_view output, std::span<const NodeId> operands,
                   std::span<const NodeId> order, Span span, ir::NameId name);
  NodeId lowerDrift(const syntax::CallExpr& expr, const sema::CallBinding& binding);
  ir::TaskId driftTask(TypeId recent, TypeId before, Span span);
  NodeId driftNode(NodeId recent, NodeId before, Span span);
  NodeId lowerReadOrWrite(const syntax::CallExpr& expr, const sema::CallBinding& binding);
  NodeId readRows(NodeId file, TypeId table, Span span);
  NodeId writeRows(NodeId rows, TypeId file, Span span);
  void lowerTransformTask(ir::TaskId id);
  [[nodiscard]] SymbolId schemaOf(TypeId row) const;
  [[nodiscard]] std::vector<NodeId> takeOrder(const Expr& call);

  // ---- small ones
  [[nodiscard]] const sema::ExprInfo& info(const Expr& expr) const {
    return program_.info(file_, expr);
  }
  [[nodiscard]] TypeId typeOf(NodeId id) const { return m_.at(id).type; }
  [[nodiscard]] IrKind kind(TypeId id) const { return m_.types.kind(id); }
  /// The step's stable name within the function.
  ir::NameId stepName(const Expr& call, std::string_view callee);
  ir::NameId newStepName(std::string_view name);

  const SourceManager& sources_;
  const sema::Program& program_;
  DiagnosticSink& diags_;
  ir::Module m_;

  std::unordered_map<SymbolId, ir::FuncId> funcs_;
  std::unordered_map<SymbolId, ir::TaskId> tasks_;
  std::vector<SymbolId> funcSymbols_;  ///< by FuncId
  std::vector<SymbolId> taskSymbols_;  ///< by TaskId
  enum class Progress : std::uint8_t {
    New,
    Open,  ///< its body is being lowered
    Done,
    Closed  ///< and so are the bodies of all fns that it comes to call
  };
  std::vector<Progress> progress_;  ///< by FuncId
  std::vector<ir::FuncId> needed_;  ///< by the constants being worked out
  std::size_t paramsDone_ = 0;      ///< functions whose parameters are there
  std::vector<ir::FuncId> pendingFns_;
  std::vector<ir::FuncId> pendingWorkflows_;
  std::vector<ir::TaskId> pendingTasks_;
  std::vector<ir::TaskId> pendingTransforms_;
  std::unordered_map<std::string, std::uint32_t> globalNames_;
  std::unordered_map<const syntax::Field*, ir::ConstId> fallbacks_;
  std::unordered_set<const syntax::Field*> openFallbacks_;  ///< being worked out
  std::unordered_map<std::uint64_t, std::vector<TypeId>> operandTypes_;
  std::unordered_map<NodeId, bool> holdsSteps_;
  std::unordered_map<std::string, ir::TaskId> tableTasks_;  ///< readers, writers: by what they do
  std::unordered_map<SymbolId, ir::TaskId> transformTasks_;
  mutable std::unordered_map<TypeId, SymbolId> schemas_;  ///< filled at the first look
  std::uint32_t scratchDepth_ = 0;     ///< constants being worked out, one within the other
  std::uint32_t nestedConstants_ = 0;  ///< constants that wait for fns that wait for constants
  static constexpr std::uint32_t kMaxNestedConstants = 256;  ///< as calls in the evaluator

  // Where we are.
  FileId file_;
  RegionId region_;
  std::unordered_map<SymbolId, NodeId> values_;
  std::unordered_map<std::string, std::uint32_t> stepNames_;
  const Expr* namedCall_ = nullptr;  ///< the call that a `let` names
  std::string_view callName_;
  const Expr* orderedCall_ = nullptr;  ///< the call that an `after` follows
  std::vector<NodeId> order_;
  RowScope* rows_ = nullptr;  ///< within the body of an operator over rows
};

}  // namespace couler::lower

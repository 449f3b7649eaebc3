#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "frontend/sema/check.h"
#include "frontend/sema/settings.h"

/// Inside of the checker: one class, its members spread over the files named in the comments. Every
/// member that meets an error reports it and gives TypeTable::kError, which is taken anywhere, so
/// that one mistake is one message.
namespace couler::sema {

using ir::Phase;
using ir::TypeId;
using ir::TypeTable;

template <class Named>
std::vector<std::string_view> namesOf(const Named& all) {
  std::vector<std::string_view> names;
  for (const auto& one : all) names.push_back(one.name);
  return names;
}

/// What kind of code is being checked; decides which names and calls it may use.
enum class Place : std::uint8_t {
  Workflow,
  Finally,  ///< of a workflow: parameters and `status` only
  Fn,
  Command,    ///< words of a task's argument vector: its parameters and paths of its outputs
  Env,        ///< of a task: its parameters
  Attribute,  ///< of a task or target: constants
  Default,    ///< of a parameter: constants and files
  Column,     ///< `where` of a schema's column
  Row,        ///< a statement of a transform
  Test
};

/// Facts about a symbol that only the checker needs.
struct SymbolExtra {
  const syntax::Expr* origin = nullptr;  ///< the value that a local has
  bool poisoned = false;   ///< stands for something that could not be loaded: say nothing about it
  bool inferring = false;  ///< a fn whose result type is not known yet
  bool rowKnown = false;   ///< a transform that has been checked: its row type is known
  bool ofBody = false;     ///< a local of a workflow's body, not of its `finally`
  Span neededAt;           ///< a parameter that something needs before the run: where,
  std::string_view neededFor;  ///< and what
  SymbolId secretFrom;         ///< a secret parameter: what was first passed for it,
  Span secretAt;               ///< and where
};

class Checker {
 public:
  Checker(const SourceManager& sources, const std::vector<LoadedFile>& files, FileId root,
          DiagnosticSink& diags, FileStart fileStart);
  std::unique_ptr<Program> run();

 private:
  using Name = syntax::Name;
  using Expr = syntax::Expr;
  using Block = syntax::Block;
  using Decl = syntax::Decl;
  using Field = syntax::Field;

  /// What of a call there is to bind.
  struct CallParts {
    std::span<const syntax::Argument> args;
    Span callee;
    std::int32_t first = CallBinding::kDefault;  ///< what parameter 0 has, where that is checked
    TunePlan* tune = nullptr;  ///< the call is that of a `tune`
  };

  // ---- names.cpp: symbols, scopes, look-up, suggestions
  SymbolId addSymbol(SymbolKind kind, const Name& name, const Decl* decl, FileId file, TypeId type,
                     Phase phase);
  Signature* addSignature(SymbolId symbol);
  void declareTopLevel(FileId file);
  void declareEnumCases(SymbolId symbol, const syntax::EnumDecl& decl);
  [[nodiscard]] SymbolId findTop(FileId file, std::string_view name) const;
  /// The same in this file, and counts it as used.
  SymbolId useTop(std::string_view name);
  [[nodiscard]] SymbolId findLocal(std::string_view name) const;
  void pushScope();
  void popScope();
  SymbolId declareLocal(SymbolKind kind, const Name& name, TypeId type, Phase phase);
  void bindLocal(SymbolId symbol);
  void use(SymbolId symbol) { ++program_->at(symbol).uses; }
  void unknownName(std::string_view kind, const Name& name,
                   const std::vector<std::string_view>& candidates, std::string hint = {});
  [[nodiscard]] std::vector<std::string_view> visibleNames(bool callee, TypeId expected);
  [[nodiscard]] std::string describe(SymbolId symbol) const;
  [[nodiscard]] SymbolExtra& extra(SymbolId symbol) { return extras_[symbol.index()]; }

  // ---- imports.cpp
  void importInto(FileId file);
  void bindImport(FileId file, const Name& as, SymbolId symbol);
  void reportImportCycles();
  [[nodiscard]] SymbolId memberOf(SymbolId space, const Name& member, std::string_view kind);
  /// Names of a file that others may use.
  [[nodiscard]] std::vector<std::string_view> exportsOf(FileId file) const;

  // ---- types.cpp: written types, signatures, mismatches
  TypeId resolveType(const syntax::TypeExpr* type);
  TypeId resolveNamed(const syntax::NamedType& type);
  void declareSchema(SymbolId symbol);
  void resolveSignature(SymbolId symbol);
  void resolveFields(SymbolId owner, std::span<const Field> fields, SymbolKind kind,
                     std::vector<FieldInfo>& out);
  void checkDefaults(SymbolId symbol);
  void checkColumns(SymbolId symbol);
  /// Reports a type that may not stand there; gives the type, or Error.
  TypeId checkPlaceOfType(const Field& field, TypeId type, SymbolKind kind, const Decl& owner);
  TypeId checkPlaceOfTable(const Field& field, TypeId type, SymbolKind kind, const Decl& owner);
  TypeId checkColumnType(Span at, TypeId type);
  [[nodiscard]] std::string print(TypeId type) const { return types().print(type); }
  /// Whether `from` fits `to`; reports CW0301 at `expr` when not.
  bool fits(const Expr* expr, TypeId to, TypeId from, const FieldInfo* declared = nullptr);
  void mismatch(const Expr* expr, TypeId to, TypeId from, const FieldInfo* declared);
  [[nodiscard]] std::optional<std::string> rewriteAs(const Expr* expr, TypeId to) const;
  [[nodiscard]] bool textable(TypeId type) const;

  // ---- expressions.cpp, operators.cpp, control.cpp
  /// The type of an expression. `expected` (invalid: nothing known) only guides what is not typed
  /// by itself: bare enum cases, file literals, empty lists. `used` is false where the value is
  /// dropped.
  TypeId check(const Expr* expr, TypeId expected = {}, bool used = true);
  /// The same, and it must fit.
  TypeId checkAs(const Expr* expr, TypeId want, const FieldInfo* declared = nullptr);
  [[nodiscard]] const Expr* spineOf(const Expr* expr) const;
  TypeId checkNode(const Expr* expr, TypeId expected, bool used, bool secretAllowed);
  TypeId checkName(const syntax::NameExpr& expr, TypeId expected, bool secretAllowed);
  TypeId valueOf(const Expr& expr, SymbolId symbol, bool secretAllowed);
  TypeId checkString(const syntax::StringExpr& expr, TypeId expected);
  bool checkInterpolated(const Expr* expr);
  [[nodiscard]] bool isRowInTest(const Expr* object) const;
  /// `rows.carrier` for `carrier`, where a transform's rows have such a column; else nothing.
  [[nodiscard]] std::string columnNamed(std::string_view name) const;
  TypeId checkQuantity(const syntax::QuantityExpr& expr);
  TypeId checkRegex(const syntax::RegexExpr& expr);
  /// What the items of a list or map literal have in common so far.
  struct Elements {
    TypeId joined;
    const syntax::Expr* first = nullptr;
    bool failed = false;
  };
  void joinElement(Elements& elements, const syntax::Expr& value, TypeId type);
  TypeId checkList(const syntax::ListExpr& expr, TypeId expected);
  TypeId checkMap(const syntax::MapExpr& expr, TypeId expected);
  TypeId checkRecord(const syntax::RecordExpr& expr, TypeId expected);
  TypeId checkMember(const syntax::MemberExpr& expr);
  TypeId fieldOf(const syntax::MemberExpr& expr, TypeId object);
  [[nodiscard]] std::string columnsNote(TypeId row) const;
  void unknownMember(const Name& member, TypeId owner, const std::vector<std::string_view>& names);
  TypeId checkIndex(const syntax::IndexExpr& expr);
  TypeId checkUnary(const syntax::UnaryExpr& expr);
  TypeId checkBinary(const syntax::BinaryExpr& expr);
  void warnNeverNone(const syntax::BinaryExpr& expr);
  TypeId checkPipe(const syntax::BinaryExpr& expr, TypeId left);
  TypeId finishOperator(const Expr& expr, std::string_view name, Span at,
                        std::span<const TypeId> operands, Phase phase);
  TypeId checkIf(const syntax::IfExpr& expr, TypeId expected, bool used);
  TypeId checkFor(const syntax::ForExpr& expr, TypeId expected, bool used);
  TypeId checkLoop(const syntax::LoopExpr& expr, TypeId expected);
  TypeId checkTry(const syntax::TryExpr& expr, TypeId expected, bool used);
  TypeId checkAfter(const syntax::AfterExpr& expr);

  // ---- tune.cpp, tune_settings.cpp
  TypeId checkTune(const syntax::TuneExpr& expr);
  SymbolId tunedCallee(const Expr& callee);
  void checkClause(const syntax::TuneClause& clause, std::string_view name,
                   std::span<const SettingSpec> specs, std::string_view example,
                   const std::function<void(const SettingSpec&, const Expr*)>& take);
  const TuneMethodSpec* checkTuneSettings(const syntax::TuneExpr& expr, SymbolId callee,
                                          TunePlan& plan);
  void checkTuneNumber(const Expr* value, const SettingSpec& spec);
  std::ptrdiff_t tunedName(const Expr* value, const SettingSpec& spec, SymbolId callee);
  void checkAshaNames(SymbolId callee, TunePlan& plan);
  void checkSpace(TuneSpace& space, const FieldInfo& param);
  void checkRangeSpace(TuneSpace& space, Span at);
  void checkSpaceConditions(SymbolId callee, TunePlan& plan);
  void checkPrior(const syntax::TuneExpr& expr, const TuneMethodSpec* method, TunePlan& plan);
  bool checkObjective(const syntax::TuneExpr& expr, SymbolId callee, TunePlan& plan);
  TypeId tunedType(const syntax::TuneExpr& expr, SymbolId callee, TunePlan& plan);

  TypeId set(const Expr& expr, TypeId type, Phase phase);
  [[nodiscard]] const ExprInfo& info(const Expr& expr) const { return file_->exprs[expr.id]; }
  [[nodiscard]] Phase phaseOf(const Expr* expr) const {
    return expr == nullptr ? Phase::Compile : info(*expr).phase;
  }
  [[nodiscard]] static bool isError(TypeId type) { return type == TypeTable::kError; }
  /// The enum that bare cases may come from, where `expected` is one (or `T?` of one).
  [[nodiscard]] SymbolId caseOf(TypeId expected, std::string_view name) const;
  /// A name that stands for nothing by itself and so may be a bare enum case.
  [[nodiscard]] bool isFreeName(const Expr* expr) const;

  // ---- narrowing.cpp
  struct Path {
    SymbolId base;
    std::vector<std::string_view> members;
    friend bool operator==(const Path&, const Path&) = default;
  };
  [[nodiscard]] std::optional<Path> pathOf(const Expr* expr) const;
  /// What `condition` says about paths being there when it is `truth`.
  void addFacts(const Expr* condition, bool truth);
  [[nodiscard]] TypeId narrowed(const Expr& expr, TypeId type) const;

  // ---- calls.cpp
  TypeId checkCall(const syntax::CallExpr& expr, TypeId expected);
  TypeId checkCallOf(const syntax::CallExpr& expr, SymbolId callee);
  TypeId checkBuiltinCall(const syntax::CallExpr& expr, const Name& name, TypeId expected);
  void noOverload(const syntax::CallExpr& expr, const Name& name, const std::vector<TypeId>& types);
  void checkArgumentsAnyway(std::span<const syntax::Argument> args);
  void refuseSpread(std::span<const syntax::Argument> args);
  /// Binds arguments to parameters, checks each against its type; reports what is wrong.
  void bind(const CallParts& call, const std::vector<FieldInfo>& params, CallBinding& binding,
            Phase& phase);
  /// Reports an argument of an unknown name; gives the index of the parameter that must be meant,
  /// or the number of parameters.
  std::size_t unknownArgument(const CallParts& call, const syntax::Argument& arg,
                              const std::vector<FieldInfo>& params, const CallBinding& binding);
  void checkArgument(const Expr* value, const FieldInfo& param);
  void checkLiftedArgument(const Expr* value, const FieldInfo& param, CallBinding& binding);
  [[nodiscard]] const ir::BuiltinMatch* match(std::string_view name, std::span<const TypeId> args);

  // ---- statements.cpp
  struct BlockValue {
    TypeId type;
    Phase phase = Phase::Compile;
    const Expr* value = nullptr;  ///< the last expression
  };
  BlockValue checkBlock(const Block* block, TypeId expected, bool used, bool ownScope = true);
  void checkLet(const syntax::LetStmt& stmt);
  void checkStatement(const Expr* value);
  void checkWorkflow(SymbolId symbol);
  void checkGiven(const Expr* value, SymbolId workflow, bool isReturn);
  void missingOutputs(SymbolId workflow, Span end, std::string_view why);
  void checkFinally(const syntax::FinallyStmt& stmt);
  void checkFn(SymbolId symbol);
  void checkTest(const syntax::TestDecl& test);
  void bindParams(SymbolId symbol);

  // ---- order.cpp
  struct Stage {
    SymbolId symbol;
    bool body;  ///< of a fn or transform; else its signature
  };
  void checkInOrder();
  void finishStage(Stage stage);
  [[nodiscard]] std::vector<Stage> stagesBefore(Stage stage) const;
  void addCallees(FileId file, std::vector<const Expr*> open, std::vector<SymbolId>& into) const;
  void addRowTypes(FileId file, const syntax::TypeExpr* type, std::vector<SymbolId>& into) const;
  [[nodiscard]] SymbolId namedFrom(FileId file, std::string_view space,
                                   std::string_view name) const;

  // ---- transforms.cpp, transform_groups.cpp: statements over rows
  using TransformStmt = syntax::TransformStmt;
  /// Rows whose columns a statement may use: those of the first parameter, and of tables joined.
  struct RowSource {
    SymbolId symbol;
    TypeId row;  ///< a schema; a record of optional columns after `left join`; Error
  };
  /// A column that a statement uses.
  struct RowUse {
    SymbolId symbol;          ///< the rows, or a derived column
    std::string_view column;  ///< of the rows; empty: all of them
    const Expr* expr;
    bool inAggregate = false;
  };
  struct GroupKey {
    SymbolId symbol;
    SymbolId source;  ///< where the key is a column of those rows
    std::string_view column;
  };
  struct TransformScope {
    const syntax::TransformDecl* decl = nullptr;
    TransformPlan plan;
    bool perRow = false;
    std::vector<RowSource> sources;
    std::vector<RowUse> uses;              ///< of the statement at hand
    bool hasSpread = false;
    const TransformStmt* distinct = nullptr;  ///< the last one
    Span groupedAt;
    std::vector<GroupKey> keys;
    std::vector<SymbolId> ofGroups;     ///< columns derived from groups, and the keys
    std::vector<SymbolId> afterDistinct;  ///< columns derived after the last `distinct`
    const Expr* aggregate = nullptr;    ///< the first one seen in the statement
    std::string_view noAggregate;       ///< why the statement can have none; empty: it can
    [[nodiscard]] bool grouped() const { return plan.grouping != nullptr; }
  };
  void checkTransform(SymbolId symbol);
  bool bindRows(SymbolId symbol, TransformScope& scope);
  void checkTransformStmt(const TransformStmt& stmt);
  void checkRowCondition(const TransformStmt& stmt);
  void checkDerive(const TransformStmt& stmt);
  void checkSpread(const TransformStmt& stmt);
  void checkGroupBy(const TransformStmt& stmt);
  void checkOrderBy(const TransformStmt& stmt);
  void checkLimit(const TransformStmt& stmt);
  void checkDistinct(const TransformStmt& stmt);
  void checkJoin(const TransformStmt& stmt);
  void checkJoinCondition(const TransformStmt& stmt, SymbolId other);
  void finishTransform(SymbolId symbol, TransformScope& scope);
  void addOutput(OutputColumn column, const TransformStmt* spread);
  void addAllColumns();
  void addSpread(const RowSource& source, Span at, const TransformStmt* spread);
  [[nodiscard]] std::string_view columnName(TypeId row, std::size_t i) const {
    return types()[row].fields[i].name;  // stays where it is as long as the type table
  }
  [[nodiscard]] RowSource* sourceOf(SymbolId symbol);
  /// A row or table parameter named in a statement: the row that the statement is about.
  TypeId checkRowName(const Expr& expr, SymbolId symbol);
  void noteColumnUse(const syntax::MemberExpr& expr);
  void misplaced(Span at, std::string_view what, std::string_view why, std::string note = {});
  void startGroups(const TransformStmt& stmt, Span at);
  /// After a statement: reports the columns that it uses and that are not there.
  void settleUses();
  void reportGone(const RowUse& use);
  [[nodiscard]] bool isGone(const RowUse& use) const;
  [[nodiscard]] bool isLeftOut(const RowUse& use) const;
  [[nodiscard]] bool isAggregateCall(std::string_view name, std::span<const TypeId> args) const;
  TypeId checkAggregate(const syntax::CallExpr& expr, const Name& name,
                        std::vector<TypeId> args, std::size_t firstUse, const Expr* inner);
  [[nodiscard]] std::string_view builtinAggregate(std::string_view name) const;
  void checkQuantile(const Expr* part);
  [[nodiscard]] std::string_view localIn(const syntax::CallExpr& call) const;
  [[nodiscard]] bool isKeyType(TypeId type) const;
  [[nodiscard]] bool isUnique(const Expr* part) const;
  void checkConstraint(const FieldInfo& column);
  /// Whether operators and functions are lifted here: none where an operand is none.
  [[nodiscard]] bool lifts() const { return place_ == Place::Row || place_ == Place::Column; }
  /// The types with each `T?` as `T`; whether there was one.
  bool strip(std::vector<TypeId>& operands) const;

  // ---- tables.cpp: reading, writing and transforming tables
  TypeId checkRead(const syntax::CallExpr& expr);
  TypeId checkWrite(const syntax::CallExpr& expr);
  TypeId checkDrift(const syntax::CallExpr& expr);
  void checkShared(const syntax::CallExpr& expr, TypeId recent, TypeId before);
  void checkBadRows(const syntax::Argument& arg, CallBinding& binding);
  TypeId checkTransformCall(const Expr& expr, const CallParts& parts, SymbolId callee,
                            const Expr* piped);
  TypeId checkRowCall(const syntax::CallExpr& expr, SymbolId callee);
  [[nodiscard]] bool makesRow(const syntax::CallExpr& expr, SymbolId callee) const;
  [[nodiscard]] bool isTableFile(TypeId type) const;
  /// Whether a step turns the one into the other: a file that is read, a table that is written.
  [[nodiscard]] bool convertsTable(TypeId to, TypeId from) const;
  void checkHeader(const Expr* file, TypeId row);
  [[nodiscard]] std::optional<std::string> literalPath(const Expr* file) const;

  // ---- tasks.cpp, targets.cpp
  void checkTask(SymbolId symbol);
  void checkTaskSettings(const syntax::TaskDecl& task);
  void checkStepSettings(const syntax::StepSettings& step, bool overTables);
  void checkEnv(const syntax::TaskDecl& task);
  void checkOutputs(SymbolId symbol, const syntax::TaskDecl& task);
  void checkOutput(const syntax::TaskDecl& task, const FieldInfo& output);
  void checkScalarOutput(const syntax::TaskDecl& task, const FieldInfo& output);
  /// The name of the file that an output is, where its `= …` is a proper one.
  std::optional<std::string_view> outputFileName(const FieldInfo& output);
  void checkRun(const syntax::TaskDecl& task);
  void checkScriptNames(SymbolId symbol, const syntax::TaskDecl& task);
  void checkTarget(const syntax::TargetDecl& target);
  void checkS3(const syntax::CallExpr& call);
  /// A setting's value: of that type and known at compile time.
  void checkConstant(const Expr* value, TypeId want, std::string_view what);
  /// Unknown and repeated keys; null when this one is wrong.
  const SettingSpec* checkKey(const Name& key, std::string_view kind,
                              std::span<const SettingSpec> specs, std::vector<const Name*>& seen);
  void checkSetting(const Expr* value, const SettingSpec& spec);
  void checkFailureClasses(const Expr* value, std::string_view name);
  void checkWord(const Expr* value, TypeId type, bool spread);
  void checkUnbuilt(const syntax::LabelerDecl& labeler);
  void notBuilt(Span at, std::string_view what);

  // ---- graph.cpp: phases, recursion, secrets
  /// `expr` must be known by `limit`; `what` needs it.
  void needPhase(const Expr* expr, Phase limit, std::string_view what);
  void explainPhase(const Expr* expr, Phase limit, Diagnostic& diagnostic) const;
  void markNeeded(const Expr* expr, Span at, std::string_view what);
  void propagateNeeds();
  void secretMisused(SymbolId symbol, Span at);
  void reportSecrets();
  void reportRecursion();

  // ---- unused.cpp
  void reportUnused();

  [[nodiscard]] TypeTable& types() const { return program_->types; }
  void report(Diagnostic diagnostic);
  [[nodiscard]] std::string_view text(Span span) const { return sources_.text(span); }
  void enter(FileId file);
  /// Calls `visit` with every declaration of every file and its symbol (invalid for imports and
  /// tests), file by file; `visit` is in the declaration's file when it starts.
  template <class Visit>
  void eachDecl(Visit&& visit);

  const SourceManager& sources_;
  const std::vector<LoadedFile>& loaded_;
  DiagnosticSink& diags_;
  FileStart fileStart_;
  std::unique_ptr<Program> program_;
  std::vector<SymbolExtra> extras_;  ///< by SymbolId

  // Top-level names of each file, for look-up; FileInfo::names is filled from it at the end.
  struct TopName {
    SymbolId symbol;
    Span declared;  ///< here: for an import, the name in the import
    bool imported = false;
    std::uint32_t uses = 0;
  };
  std::vector<std::unordered_map<std::string_view, TopName>> top_;  ///< by FileId
  std::vector<bool> isStd_;                                         ///< by FileId
  std::unordered_set<std::string_view> builtins_;                   ///< names that may be called
  std::unordered_map<TypeId, SymbolId> nominal_;                    ///< enum, schema -> its symbol
  std::unordered_map<SymbolId, std::vector<SymbolId>> cases_;       ///< enum -> its cases

  // Where we are.
  FileId fileId_;
  FileInfo* file_ = nullptr;
  Place place_ = Place::Workflow;
  SymbolId owner_;                ///< the declaration whose body is being checked
  bool secretAllowed_ = false;    ///< the next expression may be a secret's name
  std::string_view secretPlace_;  ///< what happens to a secret here, for the message
  bool filesConstant_ = false;
  bool liftsArguments_ = false;   ///< the next call is of a fn over rows

  struct Binding {
    std::string_view name;
    SymbolId before;
  };
  std::unordered_map<std::string_view, SymbolId> locals_;
  std::vector<Binding> bound_;       ///< what to undo
  std::vector<std::size_t> scopes_;  ///< sizes of bound_
  std::vector<Path> facts_;          ///< known not to be none
  TransformScope* transform_ = nullptr;  ///< whose statements are being checked

  struct SpineNode {
    const Expr* expr;
    TypeId expected;
  };
  std::vector<SpineNode> spine_;  ///< left operands still to be combined

  struct CallSite {
    FileId file;
    const syntax::CallExpr* call;
    SymbolId caller;
    SymbolId callee;
  };
  std::vector<CallSite> callSites_;  ///< of fns and workflows
  struct SecretMisuse {
    SymbolId symbol;
    Span at;
    std::string_view place;
  };
  std::vector<SecretMisuse> secretMisuses_;
  std::vector<SymbolId> needed_;  ///< parameters with SymbolExtra::neededAt
  struct LateResult {
    SymbolId fn;
    Span at;
  };
  std::vector<LateResult> inferredLate_;  ///< calls of fns whose result was not known

  std::unordered_map<std::string_view, std::uint32_t> builtinGroups_;  ///< a number for each name
  /// Of a name's number and the types of the arguments.
  std::unordered_map<std::u32string, std::optional<ir::BuiltinMatch>> matches_;
  bool sawErrors_ = false;
  std::uint32_t suggestions_ = 0;  ///< made so far; they cost, so there is a limit
};

template <class Visit>
void Checker::eachDecl(Visit&& visit) {
  for (std::size_t i = 0; i < loaded_.size(); ++i) {
    if (loaded_[i].tree == nullptr) continue;
    for (const Decl* decl : loaded_[i].tree->decls) {
      enter(FileId(i));
      const auto it = file_->declared.find(decl);
      visit(decl, it == file_->declared.end() ? SymbolId{} : it->second);
    }
  }
}

/// A suggestion looks at every name in sight; a file full of errors must not make that quadratic.
inline constexpr std::uint32_t kMaxSuggestions = 200;

/// What a symbol is, as a message says it: "task", "local".
[[nodiscard]] std::string_view kindWord(SymbolKind kind);
/// A place, as a message says it: "a workflow", "a test".
[[nodiscard]] std::string_view placeOf(Place place);
/// Whether it is the name of an aggregate (`sum`, `count_distinct`); other functions may share it.
[[nodiscard]] bool isAggregateName(std::string_view name);
/// The number that a literal writes, in whatever unit.
[[nodiscard]] std::optional<double> literalNumber(const syntax::Expr* expr);
/// Whether `list`, `int`, `file`, …
[[nodiscard]] bool isBuiltinType(std::string_view name);

}  // namespace couler::sema

#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ir/eval.h"
#include "ir/module.h"
#include "passes/pass.h"
#include "support/id_table.h"

/// The one machine behind `fold`, `inline` and `unroll`: it copies bodies node by node, and what is
/// known about the operands decides whether a node is copied, evaluated, or replaced by a node that
/// is there already.
namespace couler::passes {

/// Nodes that one rewrite makes at most, and nodes it visits at most; calls and loops beyond these
/// stay what they are.
inline constexpr std::uint64_t kMaxNewNodes = std::uint64_t{1} << 24U;
inline constexpr std::uint64_t kMaxWork = std::uint64_t{1} << 26U;

struct RewriteOptions {
  bool inlineCalls = false;       ///< bodies of functions take the place of calls
  bool keepSubWorkflows = false;  ///< but not those of workflows
  bool unroll = false;            ///< a `for` over a list of known length becomes its iterations
  std::uint64_t maxNewNodes = kMaxNewNodes;
};

/// What a rewrite did, for the remarks.
struct RewriteStats {
  std::uint64_t evaluated = 0;         ///< operations with a known value
  std::uint64_t decided = 0;           ///< conditions known
  std::uint64_t forwarded = 0;         ///< fields and items seen through
  std::vector<std::uint64_t> inlined;  ///< by callee
  std::vector<std::uint64_t> kept;     ///< calls kept for the callee's `finally`, by callee
  struct Loop {
    ir::NodeId node;  ///< before the rewrite
    Span span;
    std::uint64_t iterations = 0;
    bool tooLarge = false;
  };
  std::vector<Loop> loops;
};

class Rewriter {
 public:
  Rewriter(ir::Module& module, Context& context, RewriteOptions options);

  /// Rewrites these functions, the bodies of all tasks, and the functions that kept calls lead to;
  /// copies the rest as it is. Tests are always copied: they show both sides of what they compare.
  void run(std::span<const ir::FuncId> funcs);
  [[nodiscard]] const RewriteStats& stats() const { return stats_; }

 private:
  /// What a node of the old graph is now.
  struct Ref {
    enum class Kind : std::uint8_t {
      Nothing,
      Node,  ///< a node of the new graph
      Pool,  ///< a constant of the module
      Slot,  ///< a constant that is in no graph yet, in `slots_`
      Error  ///< no value, in `errors_`
    };
    Kind kind = Kind::Nothing;
    std::uint32_t index = 0;
  };

  struct Frame {
    enum class Kind : std::uint8_t {
      Root,    ///< a body of a function, task or test
      Nested,  ///< a body that its node keeps
      Splice,  ///< a branch that takes the place of its `if`
      Call,    ///< a function's body that takes the place of a call
      Iterate  ///< one iteration after the other, in place of a `for`
    };
    Kind kind{};
    ir::RegionId from;
    ir::RegionId to;
    std::uint32_t next = 0;
    ir::NodeId owner;            ///< old node
    ir::NodeId newOwner;         ///< Nested
    std::uint32_t which = 0;     ///< Nested: which region of the owner
    std::uint32_t firstNew = 0;  ///< nodes made since then belong to the frame
    std::uint32_t context = kNone;
    // Iterate
    Ref list;
    std::uint64_t iteration = 0;
    std::uint64_t iterations = 0;
    std::size_t slotMark = 0;
    std::size_t slotsKept = 0;
    std::size_t resultMark = 0;
    // names to return to
    bool named = false;
    std::size_t prefixSize = 0;
    std::size_t suffixSize = 0;
  };

  /// The `after` of a call that was inlined: what its first steps wait for.
  struct OrderContext {
    std::uint32_t begin = 0;  ///< into inherited_
    std::uint32_t count = 0;
    std::uint32_t firstNew = 0;
  };

  /// New nodes that took the place of one old node.
  struct NewSpan {
    std::uint32_t first = 0;
    std::uint32_t end = 0;
    ir::RegionId region;
  };

  static constexpr std::uint32_t kNone = 0xffffffffU;

  // ---- rewrite.cpp: bodies and nodes
  ir::RegionId rewriteBody(ir::RegionId from);
  void rewriteFunc(ir::FuncId id);
  void copyParams(ir::RegionId from, ir::RegionId to);
  void drive();
  void visit(ir::NodeId id);
  void visitStep(ir::NodeId id);
  void visitCall(ir::NodeId id);
  void visitFor(ir::NodeId id);
  void visitIf(ir::NodeId id);
  void visitLoop(ir::NodeId id);
  void visitTry(ir::NodeId id);
  void visitRows(ir::NodeId id);
  [[nodiscard]] bool isRead(const Frame& frame) const;
  ir::NodeId ruleNamed(ir::NodeId fresh, ir::NameId name);
  [[nodiscard]] ir::NodeId oldOperand(const ir::Node& old, std::uint32_t i) const {
    return module_.operandPool[old.firstOperand + i];
  }
  void takeOperands(const ir::Node& old);
  void keepCost(ir::NodeId old, ir::NodeId fresh);
  [[nodiscard]] Frame frameFor(Frame::Kind kind, ir::NodeId owner, ir::RegionId from) const;
  void pushNested(ir::NodeId id);
  void openNested(ir::NodeId owner, ir::NodeId newOwner, std::uint32_t which);
  void pushSplice(ir::NodeId id, ir::RegionId branch);
  void pushCall(ir::NodeId id, ir::FuncId callee, bool named);
  void pushIterate(ir::NodeId id, ir::RegionId body, Ref list, std::uint64_t length);
  void beginIteration();
  void endRegion();
  void endIterate();
  void endNested(const Frame& frame);
  void compact();

  // ---- rewrite_values.cpp: constants and new nodes
  [[nodiscard]] Ref& env(ir::NodeId old) { return env_[old.index()]; }
  [[nodiscard]] static Ref nodeRef(ir::NodeId id) { return {Ref::Kind::Node, id.index()}; }
  Ref valueRef(ir::Value value);
  Ref resultRef(ir::NodeId at, ir::EvalResult result);
  /// The known value of a ref, or null. Good until the next value is made.
  const ir::Value* known(Ref ref);
  /// Whether `known` would find a value.
  [[nodiscard]] bool isValue(Ref ref) const;
  [[nodiscard]] bool isRange(ir::NodeId fresh) const;
  [[nodiscard]] bool operandsKnown(const ir::Node& old);
  std::vector<ir::EvalResult> evaluateBody(ir::NodeId owner, ir::RegionId body,
                                           std::span<const ir::Value> params);
  /// Notes that a node has no value; it counts only where something needs it.
  Ref errorRef(ir::NodeId at, ir::EvalError error);
  void report(const ir::EvalError& error);
  [[nodiscard]] bool isUsed(ir::NodeId old);
  ir::NodeId materialise(Ref ref, ir::TypeId type, Span span);
  ir::NodeId materialise(ir::NodeId old) {
    return materialise(env(old), module_.at(old).type, module_.at(old).span);
  }
  ir::NodeId emit(const ir::Payload& payload, ir::TypeId type, std::span<const ir::NodeId> operands,
                  std::span<const ir::NodeId> order, Span span, ir::NameId name);
  /// The same for a pure node; one that is in the body already is used again when unrolling.
  Ref emitPure(const ir::Payload& payload, ir::TypeId type, std::span<const ir::NodeId> operands,
               Span span, ir::NameId name);
  ir::NodeId reserve(const ir::Payload& payload, ir::TypeId type,
                     std::span<const ir::NodeId> operands, std::span<const ir::NodeId> order,
                     Span span, ir::NameId name, ir::RegionId region);
  /// Appends a reserved node to its body.
  void place(ir::NodeId fresh);
  [[nodiscard]] ir::NameId keptName(const ir::Node& old) const;
  [[nodiscard]] ir::NameId stepName(ir::NameId name);
  /// What the bodies of a node use from outside them, each once.
  const std::vector<ir::NodeId>& capturesOf(ir::NodeId id);
  [[nodiscard]] bool captureKnown(ir::NodeId id);
  [[nodiscard]] bool evaluable(ir::NodeId id);
  [[nodiscard]] std::uint64_t sizeOf(ir::RegionId region);
  [[nodiscard]] bool withinLimits(std::uint64_t more) const {
    return work_ + more <= kMaxWork &&
           module_.nodes.size() - oldNodes_ + more <= options_.maxNewNodes;
  }

  // ---- simplify.cpp: what is known about operations
  void visitOp(ir::NodeId id);
  void visitField(ir::NodeId id);
  [[nodiscard]] std::optional<Ref> simplify(ir::NodeId id, ir::Builtin op,
                                            std::span<const Ref> operands);
  Ref fieldOf(Ref object, const ir::Field& field, ir::TypeId type, Span span, ir::NameId name);
  [[nodiscard]] std::optional<std::uint64_t> lengthOf(Ref list);
  /// Item `index` of a list whose length is known and greater.
  Ref itemOf(Ref list, std::uint64_t index);
  [[nodiscard]] std::optional<Ref> joinLists(ir::NodeId id, std::span<const Ref> lists);
  [[nodiscard]] const ir::Node* madeBy(Ref ref, ir::Builtin op) const;
  [[nodiscard]] Ref refOf(ir::NodeId fresh) const;
  [[nodiscard]] bool neverNone(Ref ref) const;
  [[nodiscard]] bool isLongRange(ir::Builtin op, std::uint32_t operandCount);
  /// An int where a float is wanted becomes one.
  Ref convert(Ref ref, ir::TypeId to, Span span);

  // ---- rewrite_order.cpp: `after`
  void noteSpan(const Frame& frame);
  /// What a node is after, less what it uses (`operands_`), in `order_`.
  void mapOrder(const ir::Node& old);
  void mapOrderOf(ir::NodeId old, std::vector<ir::NodeId>& into);
  [[nodiscard]] std::uint32_t newContext(const ir::Node& call);
  void findLeaves(NewSpan span, std::vector<ir::NodeId>& into) const;
  void noteCovered(ir::NodeId fresh);
  [[nodiscard]] bool isCovered(ir::NodeId fresh, std::uint32_t firstNew) const {
    const std::size_t at = fresh.index() - oldNodes_;
    return fresh.index() >= firstNew && at < covered_.size() && covered_[at];
  }

  ir::Module& module_;
  Context& context_;
  RewriteOptions options_;
  RewriteStats stats_;
  bool verbatim_ = false;

  std::uint32_t oldNodes_ = 0;
  std::uint32_t oldRegions_ = 0;
  std::uint32_t oldPool_ = 0;
  std::uint64_t work_ = 0;

  std::vector<Ref> env_;
  std::vector<ir::Value> slots_;
  std::vector<ir::EvalError> errors_;
  std::set<std::tuple<Span, std::string>> reported_;
  std::vector<bool> used_;
  std::vector<Frame> stack_;
  std::vector<Ref> results_;  ///< of iterations under way
  std::string prefix_;        ///< `sub.` of the calls that were inlined
  std::string suffix_;        ///< `.3.*` of the loops since, as in ir/step_path.h
  std::vector<std::string> outerSuffixes_;  ///< of the calls that are being inlined
  std::string composed_;      ///< scratch
  std::vector<ir::FuncId> pending_;
  std::vector<bool> queued_;
  std::vector<std::pair<ir::RegionId, ir::RegionId>> bodies_;  ///< by function: new body, finally
  std::vector<std::pair<ir::NodeId, ir::Cost>> costs_;

  std::vector<std::uint8_t> evaluable_;  ///< by old node: 0 not asked yet, 1 yes, 2 no
  std::unordered_map<std::uint32_t, std::vector<ir::NodeId>> captures_;
  std::vector<std::uint64_t>
      sizes_;  ///< by old region: nodes with all that they own; 0 not counted
  std::unordered_map<std::uint32_t, ir::ConstId> ranges_;  ///< values of ranges that are nodes
  NearTable constants_;                                    ///< of the new graph; home: the value
  NearTable pure_;                                         ///< home: the latest operand
  std::unordered_map<std::uint32_t, std::size_t> loopStats_;

  std::vector<bool> orderUsed_;  ///< by old node: something is `after` it
  struct Leaves {
    NewSpan span;
    std::vector<ir::NodeId> nodes;
    bool known = false;
  };
  std::unordered_map<std::uint32_t, Leaves> spans_;  ///< old nodes that several nodes replaced
  std::vector<OrderContext> contexts_;
  std::vector<ir::NodeId> inherited_;
  std::vector<bool> covered_;  ///< by new node: a step of its context comes before it

  std::vector<ir::NodeId> operands_;  ///< scratch, as the next ones
  std::vector<ir::NodeId> order_;
  std::vector<Ref> refs_;
  std::vector<ir::EvalResult> arguments_;
};

}  // namespace couler::passes

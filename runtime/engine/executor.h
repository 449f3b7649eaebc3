#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ir/eval.h"
#include "ir/module.h"
#include "runtime/engine/plan.h"
#include "support/diagnostic.h"

namespace couler::runtime {

/// One execution of a step: a frame and a slot in it. Good while the step has not ended.
using Token = std::uint64_t;

/// Who runs steps (runtime/engine/step_runner.h). Both calls only take note; neither calls back.
class StepSink {
 public:
  virtual ~StepSink() = default;
  virtual void ready(Token token, ir::NodeId node, std::vector<ir::Value> arguments) = 0;
  /// It will never run, because of what it would have needed. Gives its number, as `succeed` takes.
  virtual std::uint32_t skipped(Token token, ir::NodeId node, bool cancelled) = 0;
  /// Whether it has enough ready steps to deal with for now.
  [[nodiscard]] virtual bool full() const { return false; }
};

/// Walks the graph as data becomes known: evaluates expressions, makes frames for the regions that
/// run, hands steps that have their inputs to the StepSink. Event driven and free of recursion; its
/// memory is that of the frames alive, about 130 bytes a node.
class Executor {
 public:
  Executor(const ir::Module& module, StepSink& steps, DiagnosticSink& diags);

  void start(std::vector<ir::Value> inputs);
  /// Does all that can be done without a step's end, or until the sink is full. True while something
  /// is left to wait for.
  bool advance();
  [[nodiscard]] bool finished() const { return finished_; }
  /// Whether `advance` would do nothing.
  [[nodiscard]] bool idle() const { return work_.empty() && ended_.empty(); }

  void succeed(Token token, ir::Value outputs, std::uint32_t seq);
  /// Whether the failure counts, that is, no `try` takes it.
  bool fail(Token token, std::uint32_t seq);
  /// From now on steps that become ready are cancelled, but for those of `finally`.
  void stopStarting() { stopping_ = true; }
  void cancel(Token token, std::uint32_t seq);

  /// Whether something failed that no `try` took.
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const ir::EvalResult& result() const { return result_; }
  [[nodiscard]] std::uint64_t totalSteps() const { return total_; }
  [[nodiscard]] bool inFinally(Token token) const;
  [[nodiscard]] bool insideTry(Token token) const { return insideTryFrame(frameOf(token)); }
  [[nodiscard]] std::string stepName(Token token) const;
  /// Program order.
  [[nodiscard]] bool before(Token a, Token b) const;
  /// Calls `take` with the values that steps still to come may read, and with those that become the
  /// workflow's outputs; some of them several times. O(nodes of the frames alive).
  void eachLive(const std::function<void(const ir::Value&)>& take) const;
  /// Numbers of the steps that it waited for, separated by spaces; at most 64, in order.
  [[nodiscard]] std::string after(Token token) const;

 private:
  enum class Role : std::uint8_t { Entry, Call, Branch, Item, Iteration, TryBody, Finally };
  struct Cell {
    ir::EvalResult value;
    std::uint32_t failure = 0;  // 1-based index into failures_: a step's failure led to this error
    std::uint32_t seq = 0;      // of the step that made it; of a region's node, index into joined_
    bool known = false;
    bool ended = false;
  };
  struct Frame {
    const RegionPlan* plan = nullptr;
    std::uint32_t parent = kNone;
    std::uint32_t ownerSlot = kNone;
    std::uint32_t index = 0;  // item or iteration
    std::uint32_t depth = 0;
    std::uint32_t open = 0;  // slots not ended
    std::uint32_t calls = 0;
    Role role{};
    bool failed = false;
    bool finallyRan = false;
    std::vector<Cell> cells;
    std::vector<std::uint32_t> pending;
  };
  /// A For, If, Loop, Try or Call under way.
  struct Compound {
    ir::Value items;                       // For
    std::vector<ir::Value> results;        // For: one an item
    std::size_t next = 0;                  // For: items begun
    std::size_t left = 0;                  // For: items without a result
    std::size_t active = 0;                // frames alive
    std::int64_t iteration = 0, most = 0;  // Loop
    ir::EvalResult error;                  // For: of the first item that has one
    std::size_t errorAt = ~std::size_t{0};
    std::uint32_t failure = 0;
    std::vector<std::uint32_t> seqs;  // steps behind the value
  };
  struct Waiter {
    std::uint32_t frame, slot;
    bool order;
  };
  static constexpr std::uint32_t kNone = 0xffffffffU;

  static Token tokenOf(std::uint32_t frame, std::uint32_t slot) {
    return (std::uint64_t{frame} << 32) | slot;
  }
  static std::uint32_t frameOf(Token token) { return static_cast<std::uint32_t>(token >> 32); }
  static std::uint32_t slotOf(Token token) { return static_cast<std::uint32_t>(token); }

  // executor.cpp: frames, values, expressions
  std::uint32_t makeFrame(ir::RegionId region, Role role, std::uint32_t parent,
                          std::uint32_t owner);
  void startFrame(std::uint32_t frame);
  void frameEnded(std::uint32_t frame) { ended_.push_back(frame); }
  void closeFrame(std::uint32_t frame);
  void freeFrame(std::uint32_t frame);
  [[nodiscard]] bool insideTryFrame(std::uint32_t frame) const;
  void setValue(std::uint32_t frame, std::uint32_t slot, ir::EvalResult value,
                std::uint32_t failure);
  void setEnded(std::uint32_t frame, std::uint32_t slot);
  void countDown(std::uint32_t frame, std::uint32_t slot);
  void link(std::uint32_t frame, std::uint32_t slot, std::uint32_t fromFrame,
            std::uint32_t fromSlot);
  [[nodiscard]] const Cell& cell(std::uint32_t frame, ir::NodeId node) const;
  [[nodiscard]] Token locate(std::uint32_t frame, ir::NodeId node) const;
  void run(std::uint32_t frame, std::uint32_t slot);
  void evaluate(std::uint32_t frame, std::uint32_t slot, const ir::Node& node);
  void evaluateField(std::uint32_t frame, std::uint32_t slot, const ir::Node& node,
                     const ir::Field& f);
  void evaluateInline(std::uint32_t frame, std::uint32_t slot, ir::NodeId id, const ir::Node& node);
  void stepReady(std::uint32_t frame, std::uint32_t slot, ir::NodeId id, const ir::Node& node);
  /// The failure behind an error that is needed now: reports an expression's own error, once.
  std::uint32_t need(std::uint32_t frame, const Cell& cell);
  std::uint32_t addFailure(std::uint32_t frame);
  void finish(std::uint32_t frame, std::uint32_t slot, ir::EvalResult value, std::uint32_t failure);

  // executor_regions.cpp: nodes that own regions
  void startFor(std::uint32_t frame, std::uint32_t slot, const ir::Node& node,
                const ir::For& payload);
  void moreItems(std::uint32_t frame, std::uint32_t slot, const ir::For& payload);
  void startIf(std::uint32_t frame, std::uint32_t slot, const ir::Node& node,
               const ir::If& payload);
  void startLoop(std::uint32_t frame, std::uint32_t slot, const ir::Node& node,
                 const ir::Loop& payload);
  void startTry(std::uint32_t frame, std::uint32_t slot, const ir::Try& payload);
  void startCall(std::uint32_t frame, std::uint32_t slot, const ir::Node& node,
                 const ir::Call& payload);
  void iterate(std::uint32_t frame, std::uint32_t slot, const ir::Loop& payload, ir::Value state);
  void resultsKnown(std::uint32_t frame);
  /// The value of a node that owns regions, and the steps it came from.
  void compoundValue(std::uint32_t frame, std::uint32_t slot, ir::EvalResult value,
                     std::uint32_t failure);
  bool startFinally(std::uint32_t frame);
  std::uint32_t makeChild(ir::RegionId region, Role role, std::uint32_t frame, std::uint32_t slot);
  void endIteration(std::uint32_t frame, std::uint32_t slot, std::uint32_t child);

  // executor_names.cpp
  [[nodiscard]] std::string pathOf(std::uint32_t frame, std::string_view name) const;
  void gatherSeqs(std::uint32_t frame, std::span<const ir::NodeId> nodes,
                  std::vector<std::uint32_t>& seqs) const;

  const ir::Module& module_;
  StepSink& steps_;
  DiagnosticSink& diags_;
  Plans plans_;
  std::deque<Frame> frames_;
  std::vector<std::uint32_t> freeFrames_;
  std::unordered_map<Token, Compound> compounds_;
  std::unordered_map<Token, std::vector<Waiter>> waiters_;
  std::vector<std::vector<std::uint32_t>> joined_;
  std::deque<Token> work_;
  std::deque<std::uint32_t> ended_;  // frames whose slots have all ended
  std::set<std::pair<Span, std::string>> reported_;
  std::uint32_t failures_ = 0;
  std::vector<ir::EvalResult> operands_;  // reused by `evaluate`
  ir::EvalResult result_;
  std::uint64_t total_ = 0;
  bool failed_ = false;
  bool finished_ = false;
  bool stopping_ = false;
};

/// The files that match a pattern with `*`, `?`, `[…]` and `**`, sorted bytewise; relative patterns
/// are taken from `folder`.
[[nodiscard]] ir::EvalResult globFiles(const std::string& pattern, const std::string& folder,
                                       Span at);

}  // namespace couler::runtime

#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/engine/command.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/executor.h"
#include "runtime/engine/failure.h"
#include "runtime/engine/folders.h"
#include "runtime/engine/logs.h"
#include "runtime/engine/process.h"
#include "runtime/engine/secrets.h"
#include "runtime/engine/slots.h"
#include "runtime/store/store.h"

namespace couler::runtime {

/// Runs the steps that the executor finds ready: looks their keys up, starts what is new within the
/// slots, waits, takes the outputs, retries. One thread, one epoll.
class StepRunner final : public StepSink {
 public:
  /// What a run that begins again goes on with.
  struct Before {
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    std::uint32_t seq = 0;
    RunCounts counts;
    Collected collected;
  };
  StepRunner(const ir::Module& module, const RunOptions& options, Store& store,
             const Secrets& secrets, DiagnosticSink& diags, const Before& before);
  ~StepRunner() override;

  /// Until everything has ended, was cancelled, or the store broke. Pre: the executor was started.
  void run(Executor& executor);

  void ready(Token token, ir::NodeId node, std::vector<ir::Value> arguments) override;
  std::uint32_t skipped(Token token, ir::NodeId node, bool cancelled) override;
  /// Steps are looked up in batches, so that many that are up to date need little memory.
  [[nodiscard]] bool full() const override { return inbox_.size() >= kBatch; }

  [[nodiscard]] const RunCounts& counts() const { return counts_; }
  /// What was evicted to keep the budget.
  [[nodiscard]] const Collected& collected() const { return collected_; }
  [[nodiscard]] bool cancelled() const { return cancelled_; }
  [[nodiscard]] bool aborted() const { return aborted_; }
  /// Whether an output of the workflow was evicted and could not be made again.
  [[nodiscard]] bool outputsLost() const { return outputsLost_; }
  /// Whether all has to be looked up again by a new runner and executor: an evicted result that was
  /// made again is another one now.
  [[nodiscard]] bool startsAgain() const { return restart_ && !cancelled_ && !aborted_; }
  [[nodiscard]] Before before() const { return {begin_, nextSeq_, counts_, collected_}; }
  /// Says once that the store cannot be written, and ends what runs.
  void reportBroken(const FileError& error) { brokenStore(error); }
  /// Seconds since the run began.
  [[nodiscard]] double now() const;
  void emit(Event event);
  void note(std::string step, std::string text);

 private:
  static constexpr std::size_t kBatch = 512;
  static constexpr std::uint32_t kNotAgain = 0xffffffffU;
  using Id = std::uint32_t;
  /// Asked: not yet looked up. Queued: wants a slot. Claimed elsewhere: another run works on its
  /// key. Following: another step of this run does. Pausing: between two attempts.
  enum class Stage : std::uint8_t { Free, Asked, Queued, Elsewhere, Following, Pausing, Running };
  struct StepRun {
    Token token = 0;
    ir::NodeId node;
    const TaskContext* context = nullptr;
    std::vector<ir::Value> arguments;
    Digest key;
    Stage stage = Stage::Free;
    bool reusable = false;
    bool claimed = false;
    std::uint32_t again = kNotAgain;  // index of what it makes again; it has no token then
    std::uint32_t seq = 0;
    std::int64_t attempt = 0;
    std::int64_t memoryFactor = 1;
    Slots slots;
    std::uint32_t passedOver = 0;
    std::string why;  // what made a stored result of no use
    // While it runs:
    double started = -1, attemptStarted = 0;
    double cpuSeconds = 0;
    std::uint64_t maxRssBytes = 0;
    Process process;
    Log log;
    Fd printed;  // standard output, where an output is made of it
    Fd pipe;     // what it writes, where secrets must be taken out
    std::unique_ptr<SecretFilter> filter;
    std::string folder;
    std::string container;  // name of the container it runs in
    bool timedOut = false;
    bool ended = false;        // a signal of ours is on its way
    std::uint32_t timers = 0;  // generation: older timers of this id are void
  };
  struct Timer {
    enum class Kind : std::uint8_t { Timeout, Kill, Resume };
    double at;
    Id id;
    Kind kind;
    std::uint32_t generation;
    friend bool operator>(const Timer& a, const Timer& b) { return a.at > b.at; }
  };

  /// A result of which only the outputs' digests are known.
  struct Evicted {
    ir::NodeId node;
    const TaskContext* context = nullptr;
    std::vector<ir::Value> arguments;
    Digest key;
    StepRow row;  // of the step as reused; written at the end, if it was never made again
    std::string outputs;
    bool made = false, failed = false;
  };

  // step_again.cpp
  void takeEvicted(StepRun& step, const StoredResult& stored, const ir::Value& value, StepRow row);
  /// The files in `value` are there, whatever was evicted before.
  void present(const ir::Value& value);
  void makeAgain(std::uint32_t evicted);
  /// Has files in `values` that are not there made again; whether there are any. `waiter` comes back
  /// to `look` when the first is. `lost`: why one cannot be made.
  bool awaitFiles(const std::vector<ir::Value>& values, std::optional<Id> waiter,
                  std::string& lost);
  bool awaitInputs(Id id);
  bool awaitOutputs();
  void madeAgain(Id id, const std::string& outputs, const ir::Value& value);
  void tellEvicted();
  /// Makes the store keep its budget.
  void shrink();

  // step_runner.cpp
  void runAll(Executor& executor);
  void drainInbox();
  void look(Id id);
  bool reuse(StepRun& step, Id id);
  void enqueue(Id id);
  void schedule();
  /// The pass `insert-cache` said that what it makes goes first when there is no room.
  bool goesFirst(const StepRun& step) const {
    const auto cost = module_.costs.find(step.node);
    return cost != module_.costs.end() && cost->second.drop;
  }
  bool startNext();
  void recheckElsewhere();
  void wait();
  void fireTimers();
  void onTimer(const Timer& timer);
  void stopAll();
  void cancelWaiting();
  void release(Id id);
  void free(Id id);
  Id allocate();
  /// Program order; what is made again comes first.
  bool earlier(Id a, Id b) const;
  std::string nameOf(const StepRun& step) const {
    return step.again == kNotAgain ? executor_->stepName(step.token)
                                   : evicted_[step.again].row.step;
  }

  // step_start.cpp
  bool start(Id id);
  bool launch(Id id, const StepCommand& command);
  std::vector<const char*> environmentFor(const StepCommand& command) const;
  std::string programPath(const std::string& word, const StepCommand& command);

  // step_finish.cpp
  void onExit(Id id);
  void drainPipe(StepRun& step, bool last);
  void succeed(Id id, ir::Value outputs);
  void failAttempt(Id id, Failure failure);
  void fail(Id id, const Failure& failure);
  /// Fails before there was any attempt.
  void failEarly(Id id, std::string reason);
  void endTimers(StepRun& step) { ++step.timers; }
  void endContainer(const StepRun& step);
  std::string printedText(StepRun& step);
  StepRow rowOf(const StepRun& step, RowStatus status) const;
  /// Tells that a step has ended, as its row says. `seconds`: of its last attempt.
  void emitEnd(const StepRow& row, double seconds, std::string message = {});
  std::string partsOf(const StepRun& step);
  void brokenStore(const FileError& error);
  void progress(Event& event);

  const ir::Module& module_;
  const RunOptions& options_;
  Store& store_;
  const Secrets& secrets_;
  DiagnosticSink& diags_;
  Executor* executor_ = nullptr;
  Commands commands_;
  Spawner spawner_;
  Logs logs_;
  Folders folders_;
  Fd epoll_;
  std::chrono::steady_clock::time_point begin_;

  std::deque<StepRun> steps_;
  std::vector<Id> freeIds_;
  std::vector<Id> inbox_;
  struct Later {
    StepRunner* runner;
    bool operator()(Id a, Id b) const;
  };
  using Queue = std::priority_queue<Id, std::vector<Id>, Later>;
  std::map<Slots, Queue> queues_;  // by what they need
  std::vector<Id> elsewhere_;
  std::unordered_map<Digest, std::vector<Id>> inFlight_;  // key -> those that wait for the first
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::set<Id> running_;
  Slots all_, free_;
  bool aloneRunning_ = false;
  std::uint32_t nextSeq_ = 0;
  RunCounts counts_;
  std::uint64_t announced_ = 0;  // total steps last told
  double lastLook_ = 0;
  bool cancelled_ = false;
  bool stopping_ = false;
  bool aborted_ = false;  // the store broke: end what runs and go
  bool imageNoted_ = false;
  bool restart_ = false;
  bool outputsLost_ = false;
  std::vector<Evicted> evicted_;
  std::unordered_map<std::string, std::uint32_t> madeBy_;  // absolute path -> what makes it again
  Collected collected_;
  std::vector<const char*> environment_;
  std::unordered_map<std::string, std::string> programs_;
};

}  // namespace couler::runtime

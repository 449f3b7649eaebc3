#include "runtime/engine/executor.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "runtime/store/files.h"

namespace couler::runtime {
namespace {

using Outer = std::function<const ir::EvalResult*(ir::NodeId)>;

/// The value of a For, If, Loop or Try without steps.
ir::EvalResult evaluateCompound(const ir::Module& module, const ir::Node& node,
                                const Outer& outer) {
  const std::span<const ir::NodeId> operands = module.operands(node);
  const auto region = [&](ir::RegionId id, std::span<const ir::Value> params) {
    return ir::evaluateRegion(module, id, params, outer);
  };
  // Operands that are errors are the value.
  std::vector<ir::Value> inputs;
  for (const ir::NodeId operand : operands) {
    const ir::EvalResult& value = *outer(operand);
    if (std::holds_alternative<ir::EvalError>(value)) return value;
    inputs.push_back(std::get<ir::Value>(value));
  }
  if (const auto* x = std::get_if<ir::For>(&node.payload)) {
    ir::ListItems items;
    for (const ir::Value& item : inputs[0].items()) {
      std::vector<ir::EvalResult> results = region(x->body, {&item, 1});
      if (std::holds_alternative<ir::EvalError>(results[0])) return std::move(results[0]);
      items.push_back(std::get<ir::Value>(std::move(results[0])));
    }
    return ir::Value::list(std::move(items));
  }
  if (const auto* x = std::get_if<ir::If>(&node.payload)) {
    const ir::RegionId branch = *inputs[0].as<bool>() ? x->then : x->otherwise;
    if (!branch.valid()) return ir::Value();
    return region(branch, {})[0];
  }
  if (const auto* x = std::get_if<ir::Loop>(&node.payload)) {
    ir::Value state = std::move(inputs[0]);
    for (std::int64_t i = 0; i < *inputs[1].as<std::int64_t>(); ++i) {
      std::vector<ir::EvalResult> results = region(x->body, {&state, 1});
      for (ir::EvalResult& result : results) {
        if (std::holds_alternative<ir::EvalError>(result)) return std::move(result);
      }
      state = std::get<ir::Value>(std::move(results[0]));
      if (*std::get<ir::Value>(results[1]).as<bool>()) break;
    }
    return state;
  }
  std::vector<ir::EvalResult> results = region(std::get<ir::Try>(node.payload).body, {});
  if (std::holds_alternative<ir::EvalError>(results[0])) return ir::Value();
  return std::move(results[0]);
}

/// What an error says when a step's failure is behind it; never shown, since the step's is.
ir::EvalError stepFailed(Span at) { return {"a step that this needs did not succeed", at}; }

}  // namespace

Executor::Executor(const ir::Module& module, StepSink& steps, DiagnosticSink& diags)
    : module_(module), steps_(steps), diags_(diags), plans_(module) {}

void Executor::start(std::vector<ir::Value> inputs) {
  const ir::FuncDef& entry = module_.at(module_.entry);
  const std::uint32_t frame = makeFrame(entry.body, Role::Entry, kNone, kNone);
  total_ += frames_[frame].plan->steps;
  startFrame(frame);
  for (std::uint32_t i = 0; i < inputs.size(); ++i) setValue(frame, i, std::move(inputs[i]), 0);
}

std::uint32_t Executor::makeFrame(ir::RegionId region, Role role, std::uint32_t parent,
                                  std::uint32_t owner) {
  std::uint32_t id = 0;
  if (freeFrames_.empty()) {
    id = static_cast<std::uint32_t>(frames_.size());
    frames_.emplace_back();
  } else {
    id = freeFrames_.back();
    freeFrames_.pop_back();
  }
  Frame& frame = frames_[id];
  frame = Frame{};
  frame.plan = &plans_.of(region);
  frame.role = role;
  frame.parent = parent;
  frame.ownerSlot = owner;
  if (parent != kNone) {
    frame.depth = frames_[parent].depth + 1;
    frame.calls = frames_[parent].calls + (role == Role::Call ? 1 : 0);
  }
  frame.cells.resize(frame.plan->slots.size());
  frame.pending = frame.plan->pending;
  frame.open = static_cast<std::uint32_t>(frame.plan->slots.size()) + 1;
  return id;
}

void Executor::startFrame(std::uint32_t id) {
  const RegionPlan& plan = *frames_[id].plan;
  for (const OuterUse& use : plan.outer) {
    std::uint32_t home = id;
    for (std::uint32_t i = 0; i < use.up; ++i) home = frames_[home].parent;
    const Cell& outer = frames_[home].cells[use.slot];
    if (use.order ? outer.ended : outer.known) {
      --frames_[id].pending[use.user];
    } else {
      waiters_[tokenOf(home, use.slot)].push_back({id, use.user, use.order});
    }
  }
  const Frame& frame = frames_[id];
  for (std::uint32_t slot = plan.params; slot <= plan.exit(); ++slot) {
    if (frame.pending[slot] == 0) work_.push_back(tokenOf(id, slot));
  }
}

void Executor::link(std::uint32_t frame, std::uint32_t slot, std::uint32_t fromFrame,
                    std::uint32_t fromSlot) {
  const Cell& from = frames_[fromFrame].cells[fromSlot];
  if (from.known) {
    setValue(frame, slot, from.value, from.failure);
    return;
  }
  waiters_[tokenOf(fromFrame, fromSlot)].push_back({frame, slot, false});
}

void Executor::countDown(std::uint32_t frame, std::uint32_t slot) {
  if (--frames_[frame].pending[slot] == 0) work_.push_back(tokenOf(frame, slot));
}

void Executor::setValue(std::uint32_t frame, std::uint32_t slot, ir::EvalResult value,
                        std::uint32_t failure) {
  // Arguments of calls within calls are passed on here, so this goes by a list, not by itself.
  struct Pending {
    std::uint32_t frame, slot;
    ir::EvalResult value;
    std::uint32_t failure;
  };
  std::vector<Pending> todo;
  todo.push_back({frame, slot, std::move(value), failure});
  while (!todo.empty()) {
    Pending next = std::move(todo.back());
    todo.pop_back();
    Frame& f = frames_[next.frame];
    Cell& target = f.cells[next.slot];
    target.value = std::move(next.value);
    target.failure = next.failure;
    target.known = true;
    for (const std::uint32_t user : f.plan->valueUsers(next.slot)) countDown(next.frame, user);
    const auto tell = [&](bool order) {
      const auto found = waiters_.find(tokenOf(next.frame, next.slot));
      if (found == waiters_.end()) return;
      std::vector<Waiter>& list = found->second;
      for (const Waiter& waiter : list) {
        if (waiter.order != order) continue;
        if (!order && waiter.slot < frames_[waiter.frame].plan->params) {
          todo.push_back({waiter.frame, waiter.slot, target.value, target.failure});
        } else {
          countDown(waiter.frame, waiter.slot);
        }
      }
      std::erase_if(list, [&](const Waiter& waiter) { return waiter.order == order; });
      if (list.empty()) waiters_.erase(found);
    };
    tell(false);
    if (next.slot < f.plan->params) {
      target.ended = true;
      for (const std::uint32_t user : f.plan->orderUsers(next.slot)) countDown(next.frame, user);
      tell(true);
      if (--f.open == 0) frameEnded(next.frame);
    }
  }
}

void Executor::setEnded(std::uint32_t frame, std::uint32_t slot) {
  Frame& f = frames_[frame];
  f.cells[slot].ended = true;
  for (const std::uint32_t user : f.plan->orderUsers(slot)) countDown(frame, user);
  if (const auto found = waiters_.find(tokenOf(frame, slot)); found != waiters_.end()) {
    for (const Waiter& waiter : found->second) countDown(waiter.frame, waiter.slot);
    waiters_.erase(found);
  }
  if (--f.open == 0) frameEnded(frame);
}

void Executor::finish(std::uint32_t frame, std::uint32_t slot, ir::EvalResult value,
                      std::uint32_t failure) {
  setValue(frame, slot, std::move(value), failure);
  setEnded(frame, slot);
}

bool Executor::insideTryFrame(std::uint32_t frame) const {
  for (; frame != kNone; frame = frames_[frame].parent) {
    if (frames_[frame].role == Role::TryBody) return true;
  }
  return false;
}

void Executor::freeFrame(std::uint32_t frame) {
  frames_[frame] = Frame{};
  freeFrames_.push_back(frame);
}

Token Executor::locate(std::uint32_t frame, ir::NodeId node) const {
  const ir::RegionId home = module_.at(node).region;
  while (frames_[frame].plan->region != home) frame = frames_[frame].parent;
  return tokenOf(frame, plans_.slotOf(node));
}

const Executor::Cell& Executor::cell(std::uint32_t frame, ir::NodeId node) const {
  const Token token = locate(frame, node);
  return frames_[frameOf(token)].cells[slotOf(token)];
}

bool Executor::advance() {
  while (true) {
    if (steps_.full()) return true;
    if (!work_.empty()) {
      const Token token = work_.front();
      work_.pop_front();
      run(frameOf(token), slotOf(token));
    } else if (!ended_.empty()) {
      const std::uint32_t frame = ended_.front();
      ended_.pop_front();
      closeFrame(frame);
    } else {
      return !finished_;
    }
  }
}

void Executor::run(std::uint32_t frame, std::uint32_t slot) {
  const RegionPlan& plan = *frames_[frame].plan;
  if (slot == plan.exit()) {
    resultsKnown(frame);
    if (--frames_[frame].open == 0) frameEnded(frame);
    return;
  }
  const ir::NodeId id = plan.slots[slot];
  const ir::Node& node = module_.at(id);
  if (plans_.inlineNode(id)) return evaluateInline(frame, slot, id, node);
  std::visit(
      ir::Overloaded{[](std::monostate) {}, [](const ir::Param&) {},
                     [&](const ir::Const& x) { finish(frame, slot, module_.at(x.value), 0); },
                     [&](const ir::Op&) { evaluate(frame, slot, node); },
                     [&](const ir::Field& x) { evaluateField(frame, slot, node, x); },
                     [&](const ir::Step&) { stepReady(frame, slot, id, node); },
                     [&](const ir::Call& x) { startCall(frame, slot, node, x); },
                     [&](const ir::For& x) { startFor(frame, slot, node, x); },
                     [&](const ir::If& x) { startIf(frame, slot, node, x); },
                     [&](const ir::Loop& x) { startLoop(frame, slot, node, x); },
                     [&](const ir::Try& x) { startTry(frame, slot, x); },
                     [](const ir::Rows&) {}},  // only in plans, which are steps here
      node.payload);
}

void Executor::evaluate(std::uint32_t frame, std::uint32_t slot, const ir::Node& node) {
  const ir::Op& op = std::get<ir::Op>(node.payload);
  operands_.clear();
  std::uint32_t failure = 0;
  for (const ir::NodeId operand : module_.operands(node)) {
    const Cell& from = cell(frame, operand);
    if (failure == 0) failure = from.failure;
    operands_.push_back(from.value);
  }
  if (op.op == ir::Builtin::Glob && !operands_.empty()) {
    if (const ir::Value* pattern = std::get_if<ir::Value>(&operands_[0])) {
      const std::string* text = pattern->as<std::string>();
      finish(frame, slot, globFiles(text == nullptr ? "" : *text, ".", node.span), 0);
      return;
    }
  }
  ir::EvalResult value = ir::apply(op.op, operands_, node.span, node.type, &module_.types);
  const bool error = std::holds_alternative<ir::EvalError>(value);
  finish(frame, slot, std::move(value), error ? failure : 0);
}

void Executor::evaluateField(std::uint32_t frame, std::uint32_t slot, const ir::Node& node,
                             const ir::Field& field) {
  const Cell& object = cell(frame, module_.operands(node)[0]);
  if (const ir::Value* value = std::get_if<ir::Value>(&object.value)) {
    finish(frame, slot, ir::applyField(module_, field, *value), 0);
  } else {
    finish(frame, slot, ir::EvalResult(object.value), object.failure);
  }
}

void Executor::evaluateInline(std::uint32_t frame, std::uint32_t slot, ir::NodeId id,
                              const ir::Node& node) {
  std::uint32_t failure = 0;
  for (const ir::NodeId used : plans_.captures(id)) {
    if (failure == 0) failure = cell(frame, used).failure;
  }
  for (const ir::NodeId used : module_.operands(node)) {
    if (failure == 0) failure = cell(frame, used).failure;
  }
  ir::EvalResult value =
      evaluateCompound(module_, node, [&](ir::NodeId used) { return &cell(frame, used).value; });
  const bool error = std::holds_alternative<ir::EvalError>(value);
  finish(frame, slot, std::move(value), error ? failure : 0);
}

std::uint32_t Executor::addFailure(std::uint32_t frame) {
  // The nearest `try` takes it; all the frames on the way know of it.
  bool taken = false;
  for (std::uint32_t at = frame; at != kNone && !taken; at = frames_[at].parent) {
    frames_[at].failed = true;
    taken = frames_[at].role == Role::TryBody;
  }
  failed_ = failed_ || !taken;
  return ++failures_;
}

std::uint32_t Executor::need(std::uint32_t frame, const Cell& needed) {
  if (needed.failure != 0) return needed.failure;
  const auto& error = std::get<ir::EvalError>(needed.value);
  const std::uint32_t failure = addFailure(frame);
  if (!insideTryFrame(frame)) {
    const auto place = std::make_pair(error.at, error.message);
    if (reported_.insert(place).second) {
      diags_.take(diagnose<Diag::ExpressionFailed>(error.at, error.message));
    }
  }
  return failure;
}

void Executor::stepReady(std::uint32_t frame, std::uint32_t slot, ir::NodeId id,
                         const ir::Node& node) {
  const Token token = tokenOf(frame, slot);
  std::vector<ir::Value> arguments;
  for (const ir::NodeId operand : module_.operands(node)) {
    const Cell& from = cell(frame, operand);
    const ir::Value* value = std::get_if<ir::Value>(&from.value);
    if (value == nullptr) {
      const std::uint32_t failure = need(frame, from);
      frames_[frame].cells[slot].seq = steps_.skipped(token, id, false);
      return finish(frame, slot, stepFailed(node.span), failure);
    }
    arguments.push_back(*value);
  }
  for (const ir::NodeId before : module_.order(node)) {
    const Cell& from = cell(frame, before);
    if (!std::holds_alternative<ir::Value>(from.value)) {
      const std::uint32_t failure = need(frame, from);
      frames_[frame].cells[slot].seq = steps_.skipped(token, id, false);
      return finish(frame, slot, stepFailed(node.span), failure);
    }
  }
  if (stopping_ && !inFinally(token)) {
    frames_[frame].cells[slot].seq = steps_.skipped(token, id, true);
    return finish(frame, slot, stepFailed(node.span), ++failures_);
  }
  steps_.ready(token, id, std::move(arguments));
}

void Executor::succeed(Token token, ir::Value outputs, std::uint32_t seq) {
  frames_[frameOf(token)].cells[slotOf(token)].seq = seq;
  finish(frameOf(token), slotOf(token), std::move(outputs), 0);
}

bool Executor::fail(Token token, std::uint32_t seq) {
  const std::uint32_t frame = frameOf(token);
  frames_[frame].cells[slotOf(token)].seq = seq;
  const std::uint32_t failure = addFailure(frame);
  const ir::NodeId node = frames_[frame].plan->slots[slotOf(token)];
  finish(frame, slotOf(token), stepFailed(module_.at(node).span), failure);
  return !insideTryFrame(frame);
}

void Executor::cancel(Token token, std::uint32_t seq) {
  const std::uint32_t frame = frameOf(token);
  frames_[frame].cells[slotOf(token)].seq = seq;
  const ir::NodeId node = frames_[frame].plan->slots[slotOf(token)];
  finish(frame, slotOf(token), stepFailed(module_.at(node).span), ++failures_);
}

}  // namespace couler::runtime

#include <algorithm>

#include "runtime/engine/executor.h"

namespace couler::runtime {
namespace {

/// Items of a `for` under way at once. More would only cost memory: no machine runs so many steps.
constexpr std::size_t kItemsAtOnce = 4096;
constexpr std::uint32_t kCallDepth = 256;

bool isError(const ir::EvalResult& value) { return std::holds_alternative<ir::EvalError>(value); }

}  // namespace

std::uint32_t Executor::makeChild(ir::RegionId region, Role role, std::uint32_t frame,
                                  std::uint32_t slot) {
  const std::uint32_t child = makeFrame(region, role, frame, slot);
  ++compounds_[tokenOf(frame, slot)].active;
  return child;
}

void Executor::compoundValue(std::uint32_t frame, std::uint32_t slot, ir::EvalResult value,
                             std::uint32_t failure) {
  Compound& compound = compounds_[tokenOf(frame, slot)];
  if (!compound.seqs.empty()) {
    joined_.push_back(std::move(compound.seqs));
    frames_[frame].cells[slot].seq = static_cast<std::uint32_t>(joined_.size());
    compound.seqs.clear();
  }
  setValue(frame, slot, std::move(value), failure);
}

void Executor::startFor(std::uint32_t frame, std::uint32_t slot, const ir::Node& node,
                        const ir::For& payload) {
  const Cell& list = cell(frame, module_.operands(node)[0]);
  if (isError(list.value)) {
    const std::uint32_t failure = need(frame, list);
    return finish(frame, slot, ir::EvalResult(list.value), failure);
  }
  const ir::Value items = std::get<ir::Value>(list.value);
  const std::size_t count = items.items().size();
  if (count == 0) return finish(frame, slot, ir::Value::list({}), 0);
  Compound& compound = compounds_[tokenOf(frame, slot)];
  compound.items = items;
  compound.results.resize(count);
  compound.left = count;
  total_ += count * plans_.of(payload.body).steps;
  moreItems(frame, slot, payload);
}

void Executor::moreItems(std::uint32_t frame, std::uint32_t slot, const ir::For& payload) {
  const Token token = tokenOf(frame, slot);
  while (true) {
    Compound& compound = compounds_[token];
    const std::size_t next = compound.next;
    if (next == compound.results.size() || compound.active >= kItemsAtOnce) return;
    ++compound.next;
    const ir::Value item = compound.items.items()[next];
    const std::uint32_t child = makeChild(payload.body, Role::Item, frame, slot);
    frames_[child].index = static_cast<std::uint32_t>(next);
    startFrame(child);
    setValue(child, 0, item, 0);
  }
}

void Executor::startIf(std::uint32_t frame, std::uint32_t slot, const ir::Node& node,
                       const ir::If& payload) {
  const Cell& condition = cell(frame, module_.operands(node)[0]);
  if (isError(condition.value)) {
    const std::uint32_t failure = need(frame, condition);
    return finish(frame, slot, ir::EvalResult(condition.value), failure);
  }
  const bool* holds = std::get<ir::Value>(condition.value).as<bool>();
  const ir::RegionId branch = holds != nullptr && *holds ? payload.then : payload.otherwise;
  if (!branch.valid()) return finish(frame, slot, ir::Value(), 0);
  total_ += plans_.of(branch).steps;
  startFrame(makeChild(branch, Role::Branch, frame, slot));
}

void Executor::startTry(std::uint32_t frame, std::uint32_t slot, const ir::Try& payload) {
  total_ += plans_.of(payload.body).steps;
  startFrame(makeChild(payload.body, Role::TryBody, frame, slot));
}

void Executor::startCall(std::uint32_t frame, std::uint32_t slot, const ir::Node& node,
                         const ir::Call& payload) {
  const ir::FuncDef& callee = module_.at(payload.callee);
  const std::span<const ir::NodeId> operands = module_.operands(node);
  if (callee.kind == ir::FuncKind::Fn) {
    std::vector<ir::Value> arguments;
    for (const ir::NodeId operand : operands) {
      const Cell& from = cell(frame, operand);
      if (isError(from.value)) return finish(frame, slot, ir::EvalResult(from.value), from.failure);
      arguments.push_back(std::get<ir::Value>(from.value));
    }
    return finish(frame, slot, ir::evaluateRegion(module_, callee.body, arguments)[0], 0);
  }
  for (const ir::NodeId before : module_.order(node)) {
    const Cell& from = cell(frame, before);
    if (isError(from.value)) {
      const std::uint32_t failure = need(frame, from);
      return finish(frame, slot, ir::EvalResult(from.value), failure);
    }
  }
  if (frames_[frame].calls >= kCallDepth) {
    diags_.take(diagnose<Diag::CallsTooDeep>(node.span, kCallDepth));
    return finish(frame, slot, ir::EvalError{"calls are nested too deep", node.span},
                  addFailure(frame));
  }
  total_ += plans_.of(callee.body).steps;
  const std::uint32_t child = makeChild(callee.body, Role::Call, frame, slot);
  startFrame(child);
  for (std::uint32_t i = 0; i < operands.size(); ++i) {
    const Token from = locate(frame, operands[i]);
    link(child, i, frameOf(from), slotOf(from));
  }
}

void Executor::startLoop(std::uint32_t frame, std::uint32_t slot, const ir::Node& node,
                         const ir::Loop& payload) {
  const std::span<const ir::NodeId> operands = module_.operands(node);
  for (const ir::NodeId operand : operands) {
    const Cell& from = cell(frame, operand);
    if (isError(from.value)) {
      const std::uint32_t failure = need(frame, from);
      return finish(frame, slot, ir::EvalResult(from.value), failure);
    }
  }
  ir::Value state = std::get<ir::Value>(cell(frame, operands[0]).value);
  const std::int64_t* most = std::get<ir::Value>(cell(frame, operands[1]).value).as<std::int64_t>();
  if (most == nullptr || *most <= 0) return finish(frame, slot, std::move(state), 0);
  compounds_[tokenOf(frame, slot)].most = *most;
  iterate(frame, slot, payload, std::move(state));
}

void Executor::iterate(std::uint32_t frame, std::uint32_t slot, const ir::Loop& payload,
                       ir::Value state) {
  total_ += plans_.of(payload.body).steps;
  const std::uint32_t child = makeChild(payload.body, Role::Iteration, frame, slot);
  frames_[child].index = static_cast<std::uint32_t>(compounds_[tokenOf(frame, slot)].iteration++);
  startFrame(child);
  setValue(child, 0, std::move(state), 0);
}

void Executor::resultsKnown(std::uint32_t id) {
  const Frame& frame = frames_[id];
  const ir::Region& region = module_.at(frame.plan->region);
  if (frame.role == Role::Finally) return;
  if (frame.role == Role::Entry) {
    if (region.results.empty()) return;
    const Cell& from = cell(id, region.results[0]);
    result_ = from.value;
    if (isError(from.value)) need(id, from);
    return;
  }
  Compound& compound = compounds_[tokenOf(frame.parent, frame.ownerSlot)];
  gatherSeqs(id, region.results, compound.seqs);
  // The body of a `try` or a loop gives its value when all in it has ended.
  if (frame.role == Role::TryBody || frame.role == Role::Iteration) return;
  static const Cell kNothing;
  const Cell& from = region.results.empty() ? kNothing : cell(id, region.results[0]);
  if (frame.role != Role::Item) {
    return compoundValue(frame.parent, frame.ownerSlot, ir::EvalResult(from.value), from.failure);
  }
  if (isError(from.value)) {
    if (frame.index < compound.errorAt) {
      compound.errorAt = frame.index;
      compound.error = from.value;
      compound.failure = from.failure;
    }
  } else {
    compound.results[frame.index] = std::get<ir::Value>(from.value);
  }
  if (--compound.left != 0) return;
  if (isError(compound.error)) {
    return compoundValue(frame.parent, frame.ownerSlot, std::move(compound.error),
                         compound.failure);
  }
  // The count of items stays readable: `moreItems` compares with it no more, as all have begun.
  ir::ListItems items = std::move(compound.results);
  compound.results.clear();
  compound.next = 0;
  compoundValue(frame.parent, frame.ownerSlot, ir::Value::list(std::move(items)), 0);
}

bool Executor::startFinally(std::uint32_t id) {
  Frame& frame = frames_[id];
  if (frame.finallyRan || (frame.role != Role::Entry && frame.role != Role::Call)) return false;
  frame.finallyRan = true;
  const ir::FuncDef* func = nullptr;
  if (frame.role == Role::Entry) {
    func = &module_.at(module_.entry);
  } else {
    const ir::NodeId call = frames_[frame.parent].plan->slots[frame.ownerSlot];
    func = &module_.at(module_.payload<ir::Call>(call)->callee);
  }
  if (!func->finally.valid()) return false;
  const std::uint32_t child = makeFrame(func->finally, Role::Finally, id, kNone);
  total_ += frames_[child].plan->steps;
  startFrame(child);
  for (std::uint32_t i = 0; i < frames_[child].plan->params; ++i) {
    setValue(child, i, ir::Value(std::string(frames_[id].failed ? "failed" : "succeeded")), 0);
  }
  return true;
}

void Executor::endIteration(std::uint32_t frame, std::uint32_t slot, std::uint32_t child) {
  const ir::Region& body = module_.at(frames_[child].plan->region);
  const ir::Loop& payload = *module_.payload<ir::Loop>(frames_[frame].plan->slots[slot]);
  const Compound& compound = compounds_[tokenOf(frame, slot)];
  ir::Value state;
  bool stop = false;
  for (std::size_t i = 0; i < body.results.size(); ++i) {
    const Cell& from = cell(child, body.results[i]);
    if (isError(from.value)) {
      const std::uint32_t failure = need(child, from);
      return compoundValue(frame, slot, ir::EvalResult(from.value), failure);
    }
    const ir::Value& value = std::get<ir::Value>(from.value);
    if (i == 0) {
      state = value;
    } else if (const bool* now = value.as<bool>()) {
      stop = *now;
    }
  }
  if (stop || compound.iteration >= compound.most) {
    return compoundValue(frame, slot, std::move(state), 0);
  }
  iterate(frame, slot, payload, std::move(state));
}

void Executor::closeFrame(std::uint32_t id) {
  if (startFinally(id)) return;  // comes back when that has ended
  const Role role = frames_[id].role;
  const std::uint32_t parent = frames_[id].parent;
  const std::uint32_t slot = frames_[id].ownerSlot;
  if (role == Role::Entry) {
    finished_ = true;
    return;
  }
  if (role == Role::Finally) {
    freeFrame(id);
    return frameEnded(parent);
  }
  const Token token = tokenOf(parent, slot);
  if (role == Role::Iteration) {
    endIteration(parent, slot, id);
  } else if (role == Role::TryBody) {
    const ir::Region& body = module_.at(frames_[id].plan->region);
    const Cell& from = cell(id, body.results[0]);
    // An error of an expression of the body (no step's failure is behind it) is taken as well.
    if (frames_[id].failed || (isError(from.value) && from.failure == 0)) {
      compoundValue(parent, slot, ir::Value(), 0);
    } else {
      compoundValue(parent, slot, ir::EvalResult(from.value), from.failure);
    }
  }
  freeFrame(id);
  Compound& compound = compounds_[token];
  --compound.active;
  if (role == Role::Item) {
    const ir::For& payload = *module_.payload<ir::For>(frames_[parent].plan->slots[slot]);
    if (compound.left != 0) moreItems(parent, slot, payload);
  }
  if (compounds_[token].active == 0 && frames_[parent].cells[slot].known) {
    compounds_.erase(token);
    setEnded(parent, slot);
  }
}

}  // namespace couler::runtime

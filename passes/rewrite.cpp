#include "passes/rewrite.h"

#include <algorithm>
#include <utility>

#include "ir/step_path.h"

// New nodes and regions are added behind the old ones in the same module, so that names, constants
// and types stay where they are and old bodies can still be evaluated; `compact` drops the old
// ones. Nothing here recurses over the graph: bodies under way are frames on `stack_`.
namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace): the passes are about nothing else

Rewriter::Rewriter(Module& module, Context& context, RewriteOptions options)
    : module_(module),
      context_(context),
      options_(options),
      oldNodes_(static_cast<std::uint32_t>(module.nodes.size())),
      oldRegions_(static_cast<std::uint32_t>(module.regions.size())),
      oldPool_(static_cast<std::uint32_t>(module.operandPool.size())),
      env_(module.nodes.size()),
      queued_(module.funcs.size(), false),
      bodies_(module.funcs.size()),
      evaluable_(module.nodes.size(), 0),
      sizes_(module.regions.size(), 0),
      orderUsed_(module.nodes.size(), false) {
  stats_.inlined.resize(module.funcs.size(), 0);
  stats_.kept.resize(module.funcs.size(), 0);
  for (const Node& node : module.nodes) {
    if (std::holds_alternative<std::monostate>(node.payload)) continue;
    for (const NodeId id : module.order(node)) orderUsed_[id.index()] = true;
  }
}

void Rewriter::run(std::span<const FuncId> funcs) {
  for (std::size_t i = 0; i < module_.tasks.size(); ++i) {
    const RegionId body = rewriteBody(module_.tasks[i].exprs);
    module_.tasks[i].exprs = body;
  }
  for (const FuncId id : funcs) {
    if (!queued_[id.index()]) pending_.push_back(id);
    queued_[id.index()] = true;
  }
  for (std::size_t next = 0; next < pending_.size(); ++next) rewriteFunc(pending_[next]);
  verbatim_ = true;
  for (std::size_t i = 0; i < module_.funcs.size(); ++i) {
    if (!queued_[i]) rewriteFunc(FuncId{i});
  }
  for (std::size_t i = 0; i < module_.tests.size(); ++i) {
    const RegionId body = rewriteBody(module_.tests[i].body);
    module_.tests[i].body = body;
  }
  compact();
}

void Rewriter::rewriteFunc(FuncId id) {
  // The parameters of the body stay known while `finally` is rewritten: no function calls itself.
  const RegionId body = rewriteBody(module_.at(id).body);
  RegionId finally = module_.at(id).finally;
  if (finally.valid()) finally = rewriteBody(finally);
  bodies_[id.index()] = {body, finally};  // others may still be about to inline the old ones
}

RegionId Rewriter::rewriteBody(RegionId from) {
  const RegionId to = module_.addRegion();
  Frame frame;
  frame.kind = Frame::Kind::Root;
  frame.from = from;
  frame.to = to;
  stack_.push_back(frame);
  copyParams(from, to);
  drive();
  slots_.clear();
  return to;
}

void Rewriter::copyParams(RegionId from, RegionId to) {
  for (std::size_t i = 0; i < module_.at(from).params.size(); ++i) {
    const NodeId old = module_.at(from).params[i];
    const Node& node = module_.at(old);
    const NodeId fresh = module_.addParam(
        to, node.type, node.name.valid() ? module_.at(node.name) : "", node.span, node.phase);
    env(old) = nodeRef(fresh);
  }
}

void Rewriter::drive() {
  while (!stack_.empty()) {
    Frame& frame = stack_.back();
    const Region& region = module_.at(frame.from);
    if (frame.next < region.nodes.size()) {
      ++work_;
      visit(region.nodes[frame.next++]);
    } else {
      endRegion();
    }
  }
}

void Rewriter::visit(NodeId id) {
  const Payload payload = module_.at(id).payload;
  std::visit(Overloaded{[](std::monostate) {}, [](const Param&) {},
                        [&](const Const& c) { env(id) = {Ref::Kind::Pool, c.value.index()}; },
                        [&](const Op&) { visitOp(id); }, [&](const Field&) { visitField(id); },
                        [&](const Step&) { visitStep(id); }, [&](const Call&) { visitCall(id); },
                        [&](const For&) { visitFor(id); }, [&](const If&) { visitIf(id); },
                        [&](const Loop&) { visitLoop(id); }, [&](const Try&) { visitTry(id); },
                        [&](const Rows&) { visitRows(id); }},
             payload);
}

/// Operands of an old node, as nodes of the new graph, in `operands_`.
void Rewriter::takeOperands(const Node& old) {
  operands_.clear();
  for (std::uint32_t i = 0; i < old.operandCount; ++i) {
    operands_.push_back(materialise(oldOperand(old, i)));
  }
}

void Rewriter::keepCost(NodeId old, NodeId fresh) {
  if (module_.costs.empty()) return;
  const auto found = module_.costs.find(old);
  if (found != module_.costs.end()) costs_.emplace_back(fresh, found->second);
}

void Rewriter::visitStep(NodeId id) {
  const Node old = module_.at(id);
  takeOperands(old);
  mapOrder(old);
  const NodeId fresh = emit(old.payload, old.type, operands_, order_, old.span, stepName(old.name));
  env(id) = nodeRef(fresh);
  keepCost(id, fresh);
}

void Rewriter::visitCall(NodeId id) {
  const Node old = module_.at(id);
  const FuncId callee = std::get<Call>(old.payload).callee;
  const bool isFn = module_.at(callee).kind == FuncKind::Fn;
  const bool hasFinally = module_.at(callee).finally.valid();
  bool replace = false;
  if (!verbatim_ && options_.inlineCalls) {
    replace = isFn || (!options_.keepSubWorkflows && !hasFinally);
  } else if (!verbatim_ && isFn && evaluable(id)) {
    replace = operandsKnown(old);
  }
  if (replace && withinLimits(sizeOf(module_.at(callee).body))) return pushCall(id, callee, !isFn);
  takeOperands(old);
  mapOrder(old);
  const NodeId fresh = reserve(old.payload, old.type, operands_, order_, old.span,
                               isFn ? keptName(old) : stepName(old.name), stack_.back().to);
  Node& made = module_.at(fresh);
  made.effect = old.effect;
  made.footprint = old.footprint;
  made.phase = old.phase;
  place(fresh);
  env(id) = nodeRef(fresh);
  keepCost(id, fresh);
  if (verbatim_) return;
  if (options_.inlineCalls && hasFinally) ++stats_.kept[callee.index()];
  if (!queued_[callee.index()]) {
    queued_[callee.index()] = true;
    pending_.push_back(callee);
  }
}

void Rewriter::visitFor(NodeId id) {
  const Node old = module_.at(id);
  const Ref list = env(oldOperand(old, 0));
  if (verbatim_) return pushNested(id);
  if (list.kind == Ref::Kind::Error) {
    env(id) = list;
    return;
  }
  const auto length = lengthOf(list);
  const bool evaluates = length && evaluable(id) && captureKnown(id);
  if (!length || (!options_.unroll && !evaluates)) return pushNested(id);
  const RegionId body = std::get<For>(old.payload).body;
  const bool tooLarge = *length > kMaxWork || !withinLimits(*length * sizeOf(body));
  if (!evaluates) {
    const auto [entry, added] = loopStats_.try_emplace(id.index(), stats_.loops.size());
    if (added) stats_.loops.push_back({id, old.span});
    RewriteStats::Loop& loop = stats_.loops[entry->second];
    if (tooLarge && !loop.tooLarge) loop.iterations = 0;
    loop.tooLarge = loop.tooLarge || tooLarge;
    if (loop.tooLarge == tooLarge) loop.iterations += *length;
  }
  if (tooLarge) return pushNested(id);
  pushIterate(id, body, list, *length);
}

void Rewriter::visitIf(NodeId id) {
  const Node old = module_.at(id);
  const Ref condition = env(oldOperand(old, 0));
  if (verbatim_) return pushNested(id);
  if (condition.kind == Ref::Kind::Error) {
    env(id) = condition;
    return;
  }
  const Value* value = known(condition);
  const bool* truth = value != nullptr ? value->as<bool>() : nullptr;
  if (truth == nullptr) return pushNested(id);
  const If& choice = std::get<If>(old.payload);
  const RegionId branch = *truth ? choice.then : choice.otherwise;
  ++stats_.decided;
  if (branch.valid()) return pushSplice(id, branch);
  env(id) = valueRef(Value());
  if (orderUsed_[id.index()]) spans_[id.index()] = {};
}

void Rewriter::visitLoop(NodeId id) {
  const Node old = module_.at(id);
  if (verbatim_) return pushNested(id);
  const RegionId body = std::get<Loop>(old.payload).body;
  const Value* max = known(env(oldOperand(old, 1)));
  const std::int64_t* most = max != nullptr ? max->as<std::int64_t>() : nullptr;
  if (most == nullptr) return pushNested(id);
  const std::int64_t limit = *most;
  if (limit <= 0) {
    ++stats_.decided;
    env(id) = env(oldOperand(old, 0));
    if (orderUsed_[id.index()]) spans_[id.index()] = {};
    return;
  }
  if (!evaluable(id) || !operandsKnown(old) || !captureKnown(id)) return pushNested(id);
  Value state = *known(env(oldOperand(old, 0)));
  for (std::int64_t i = 0; i < limit; ++i) {
    if (!withinLimits(sizeOf(body))) return pushNested(id);
    work_ += sizeOf(body);
    std::vector<EvalResult> results = evaluateBody(id, body, {&state, 1});
    for (EvalResult& result : results) {
      if (EvalError* error = std::get_if<EvalError>(&result)) {
        env(id) = errorRef(id, std::move(*error));
        return;
      }
    }
    state = std::get<Value>(results[0]);
    const bool* stop = std::get<Value>(results[1]).as<bool>();
    if (stop == nullptr || *stop) break;
  }
  ++stats_.evaluated;
  env(id) = valueRef(std::move(state));
}

void Rewriter::visitTry(NodeId id) {
  const Node old = module_.at(id);
  const RegionId body = std::get<Try>(old.payload).body;
  if (verbatim_ || !evaluable(id) || !captureKnown(id) || !withinLimits(sizeOf(body))) {
    return pushNested(id);
  }
  work_ += sizeOf(body);
  std::vector<EvalResult> results = evaluateBody(id, body, {});
  Value* value = std::get_if<Value>(&results[0]);
  ++stats_.evaluated;
  env(id) = valueRef(value != nullptr ? std::move(*value) : Value());
}

/// Tables are not looked into here: the rows are there only when the plan runs.
void Rewriter::visitRows(NodeId id) {
  const Node old = module_.at(id);
  if (std::get<Rows>(old.payload).body.valid()) return pushNested(id);
  takeOperands(old);
  mapOrder(old);
  env(id) =
      nodeRef(emit(old.payload, old.type, operands_, order_, old.span, keptName(old)));
}

// ---- frames

Rewriter::Frame Rewriter::frameFor(Frame::Kind kind, NodeId owner, RegionId from) const {
  Frame frame;
  frame.kind = kind;
  frame.owner = owner;
  frame.from = from;
  frame.to = stack_.back().to;
  frame.context = stack_.back().context;
  frame.firstNew = static_cast<std::uint32_t>(module_.nodes.size());
  frame.slotMark = slots_.size();
  frame.resultMark = results_.size();
  frame.prefixSize = prefix_.size();
  frame.suffixSize = suffix_.size();
  return frame;
}

void Rewriter::pushNested(NodeId id) {
  const Node old = module_.at(id);
  takeOperands(old);
  mapOrder(old);
  const NodeId fresh =
      reserve(old.payload, old.type, operands_, order_, old.span, keptName(old), stack_.back().to);
  openNested(id, fresh, 0);
}

void Rewriter::openNested(NodeId owner, NodeId newOwner, std::uint32_t which) {
  const RegionId from = module_.regionsOf(module_.at(owner))[which];
  const RegionId to = module_.addRegion(newOwner);
  std::visit(Overloaded{[&](For& x) { x.body = to; }, [&](Loop& x) { x.body = to; },
                        [&](Try& x) { x.body = to; }, [&](Rows& x) { x.body = to; },
                        [&](If& x) { (which == 0 ? x.then : x.otherwise) = to; }, [](auto&) {}},
             module_.at(newOwner).payload);
  Frame frame = frameFor(Frame::Kind::Nested, owner, from);
  frame.to = to;
  frame.newOwner = newOwner;
  frame.which = which;
  stack_.push_back(frame);
  const Payload& payload = module_.at(owner).payload;
  if (std::holds_alternative<For>(payload) || std::holds_alternative<Loop>(payload)) suffix_ += ".*";
  copyParams(from, to);
}

void Rewriter::pushSplice(NodeId id, RegionId branch) {
  stack_.push_back(frameFor(Frame::Kind::Splice, id, branch));
}

void Rewriter::pushCall(NodeId id, FuncId callee, bool named) {
  const Node old = module_.at(id);
  const RegionId body = module_.at(callee).body;
  Frame frame = frameFor(Frame::Kind::Call, id, body);
  for (std::uint32_t i = 0; i < old.operandCount; ++i) {
    const NodeId param = module_.at(frame.from).params[i];
    env(param) = convert(env(oldOperand(old, i)), module_.at(param).type, old.span);
  }
  if (named) {
    // `sub.3.` of call `sub` in iteration 3; steps inside begin with it, and count their own
    // iterations from nothing.
    ir::appendStepPath(prefix_, module_.at(old.name), suffix_);
    prefix_ += '.';
    outerSuffixes_.push_back(std::exchange(suffix_, {}));
    frame.named = true;
    frame.context = newContext(old);
  }
  ++stats_.inlined[callee.index()];
  stack_.push_back(frame);
}

void Rewriter::pushIterate(NodeId id, RegionId body, Ref list, std::uint64_t length) {
  Frame frame = frameFor(Frame::Kind::Iterate, id, body);
  frame.list = list;
  frame.iterations = length;
  stack_.push_back(frame);
  if (length == 0) {
    endIterate();
  } else {
    beginIteration();
  }
}

void Rewriter::beginIteration() {
  Frame& frame = stack_.back();
  frame.next = 0;
  suffix_.resize(frame.suffixSize);
  suffix_ += '.';
  suffix_ += std::to_string(frame.iteration);
  const NodeId param = module_.at(frame.from).params[0];
  env(param) = itemOf(frame.list, frame.iteration);
}

bool Rewriter::isRead(const Frame& frame) const {
  if (frame.kind != Frame::Kind::Nested) return false;
  const Rows* rows = module_.payload<Rows>(frame.owner);
  return rows != nullptr && rows->op == RowsOp::Read;
}

/// A rule of a read is known by the name of its node, so each keeps a node of its own.
NodeId Rewriter::ruleNamed(NodeId fresh, NameId name) {
  if (!name.valid() || module_.at(fresh).name == name) return fresh;
  const Node node = module_.at(fresh);
  if (std::holds_alternative<Const>(node.payload)) {
    return emit(node.payload, node.type, {}, {}, node.span, name);
  }
  const NodeId both[] = {fresh, materialise(valueRef(Value(true)), TypeTable::kBool, node.span)};
  return emit(Op{Builtin::And}, node.type, both, {}, node.span, name);
}

void Rewriter::endRegion() {
  const Frame frame = stack_.back();
  const auto result = [&](std::size_t i) { return module_.at(frame.from).results[i]; };
  switch (frame.kind) {
    case Frame::Kind::Root:
    case Frame::Kind::Nested:
      for (std::size_t i = 0; i < module_.at(frame.from).results.size(); ++i) {
        NodeId fresh = materialise(result(i));
        if (isRead(frame)) fresh = ruleNamed(fresh, module_.at(result(i)).name);
        module_.at(frame.to).results.push_back(fresh);
      }
      stack_.pop_back();
      if (frame.kind == Frame::Kind::Nested) endNested(frame);
      return;
    case Frame::Kind::Splice:
      stack_.pop_back();
      env(frame.owner) = env(result(0));
      noteSpan(frame);
      return;
    case Frame::Kind::Call: {
      if (frame.named) {
        suffix_ = std::move(outerSuffixes_.back());
        outerSuffixes_.pop_back();
        prefix_.resize(frame.prefixSize);
      }
      stack_.pop_back();
      const Node& call = module_.at(frame.owner);
      env(frame.owner) = convert(env(result(0)), call.type, call.span);
      noteSpan(frame);
      return;
    }
    case Frame::Kind::Iterate: {
      Ref value = env(result(0));
      Frame& top = stack_.back();
      if (value.kind == Ref::Kind::Slot && value.index >= frame.slotMark) {
        // The other constants of the iteration are dead: keep this one in their place.
        const std::size_t keep = frame.slotMark + frame.slotsKept;
        if (value.index != keep) slots_[keep] = std::move(slots_[value.index]);
        value.index = static_cast<std::uint32_t>(keep);
        ++top.slotsKept;
      }
      slots_.resize(top.slotMark + top.slotsKept);
      results_.push_back(value);
      if (++top.iteration < top.iterations) {
        beginIteration();
      } else {
        endIterate();
      }
      return;
    }
  }
}

/// The list of what the iterations gave.
void Rewriter::endIterate() {
  const Frame frame = stack_.back();
  stack_.pop_back();
  suffix_.resize(frame.suffixSize);
  const Node loop = module_.at(frame.owner);
  const std::span<const Ref> results(
      results_.begin() + static_cast<std::ptrdiff_t>(frame.resultMark), results_.end());
  const bool decided = std::all_of(results.begin(), results.end(), [&](const Ref& ref) {
    return ref.kind == Ref::Kind::Error || isValue(ref);
  });
  const auto error = std::find_if(results.begin(), results.end(),
                                  [](const Ref& ref) { return ref.kind == Ref::Kind::Error; });
  if (decided && error != results.end()) {
    env(frame.owner) = *error;
    slots_.resize(frame.slotMark);
  } else if (decided) {
    ListItems items;
    items.reserve(results.size());
    for (const Ref& ref : results) items.push_back(*known(ref));
    slots_.resize(frame.slotMark);
    env(frame.owner) = valueRef(Value::list(std::move(items)));
  } else {
    const TypeId type = module_.at(module_.at(frame.from).results[0]).type;
    operands_.clear();
    for (const Ref& ref : results) operands_.push_back(materialise(ref, type, loop.span));
    slots_.resize(frame.slotMark);
    env(frame.owner) =
        emitPure(Op{Builtin::MakeList}, loop.type, operands_, loop.span, keptName(loop));
  }
  results_.resize(frame.resultMark);
  noteSpan(frame);
}

void Rewriter::endNested(const Frame& frame) {
  suffix_.resize(frame.suffixSize);
  const std::size_t regions = module_.regionsOf(module_.at(frame.owner)).size();
  if (frame.which + 1 < regions) return openNested(frame.owner, frame.newOwner, frame.which + 1);
  module_.updateAttributes(frame.newOwner);
  place(frame.newOwner);
  env(frame.owner) = nodeRef(frame.newOwner);
  keepCost(frame.owner, frame.newOwner);
  if (orderUsed_[frame.owner.index()]) spans_.erase(frame.owner.index());
}

/// Drops what was there before the rewrite and gives the rest its final ids.
void Rewriter::compact() {
  const auto move = [&](NodeId& id) {
    if (id.valid()) id = NodeId{id.index() - oldNodes_};
  };
  const auto moveRegion = [&](RegionId& id) {
    if (id.valid()) id = RegionId{id.index() - oldRegions_};
  };
  const auto dropFront = [](auto& vector, std::uint32_t count) {
    vector.erase(vector.begin(), vector.begin() + count);
  };
  dropFront(module_.nodes, oldNodes_);
  dropFront(module_.regions, oldRegions_);
  dropFront(module_.operandPool, oldPool_);
  for (Node& node : module_.nodes) {
    moveRegion(node.region);
    node.firstOperand = node.operandCount + node.orderCount == 0 ? 0 : node.firstOperand - oldPool_;
    std::visit(Overloaded{[&](For& x) { moveRegion(x.body); }, [&](Loop& x) { moveRegion(x.body); },
                          [&](Try& x) { moveRegion(x.body); }, [&](Rows& x) { moveRegion(x.body); },
                          [&](If& x) {
                            moveRegion(x.then);
                            moveRegion(x.otherwise);
                          },
                          [](auto&) {}},
               node.payload);
  }
  for (Region& region : module_.regions) {
    for (NodeId& id : region.params) move(id);
    for (NodeId& id : region.nodes) move(id);
    for (NodeId& id : region.results) move(id);
    move(region.owner);
  }
  for (NodeId& id : module_.operandPool) move(id);
  for (TaskDef& task : module_.tasks) moveRegion(task.exprs);
  for (std::size_t i = 0; i < module_.funcs.size(); ++i) {
    FuncDef& func = module_.funcs[i];
    std::tie(func.body, func.finally) = bodies_[i];
    moveRegion(func.body);
    moveRegion(func.finally);
  }
  for (TestDef& test : module_.tests) moveRegion(test.body);
  module_.costs.clear();
  for (auto [id, cost] : costs_) {
    move(id);
    module_.costs.emplace(id, cost);
  }
}

}  // namespace couler::passes

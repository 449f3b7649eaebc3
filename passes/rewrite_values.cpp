#include <algorithm>
#include <utility>

#include "ir/step_path.h"
#include "passes/rewrite.h"

namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

// ---- known values

Rewriter::Ref Rewriter::valueRef(Value value) {
  slots_.push_back(std::move(value));
  return {Ref::Kind::Slot, static_cast<std::uint32_t>(slots_.size() - 1)};
}

Rewriter::Ref Rewriter::resultRef(NodeId at, EvalResult result) {
  if (EvalError* error = std::get_if<EvalError>(&result)) return errorRef(at, std::move(*error));
  ++stats_.evaluated;
  return valueRef(std::move(std::get<Value>(result)));
}

bool Rewriter::isRange(NodeId fresh) const {
  const Node& node = module_.at(fresh);
  const Op* op = std::get_if<Op>(&node.payload);
  if (op == nullptr ||
      (op->op != Builtin::Range && op->op != Builtin::RangeTo && op->op != Builtin::RangeFromTo)) {
    return false;
  }
  const auto operands = std::as_const(module_).operands(node);
  return std::all_of(operands.begin(), operands.end(),
                     [&](NodeId id) { return module_.payload<Const>(id) != nullptr; });
}

bool Rewriter::isValue(Ref ref) const {
  if (ref.kind == Ref::Kind::Pool || ref.kind == Ref::Kind::Slot) return true;
  if (ref.kind != Ref::Kind::Node) return false;
  const NodeId id{ref.index};
  return module_.payload<Const>(id) != nullptr || isRange(id);
}

const Value* Rewriter::known(Ref ref) {
  switch (ref.kind) {
    case Ref::Kind::Pool:
      return &module_.at(ConstId{ref.index});
    case Ref::Kind::Slot:
      return &slots_[ref.index];
    case Ref::Kind::Node:
      break;
    default:
      return nullptr;
  }
  const NodeId id{ref.index};
  if (const Value* value = module_.constant(id)) return value;
  if (!isRange(id)) return nullptr;
  // A long range stays a node for the sake of `for`; here somebody wants its items after all.
  const auto found = ranges_.find(ref.index);
  if (found != ranges_.end()) return &module_.at(found->second);
  const Node node = module_.at(id);
  std::vector<EvalResult> bounds;
  for (const NodeId operand : std::as_const(module_).operands(node)) {
    bounds.emplace_back(*module_.constant(operand));
  }
  EvalResult result = apply(std::get<Op>(node.payload).op, bounds, node.span);
  if (EvalError* error = std::get_if<EvalError>(&result)) {
    report(*error);
    return nullptr;
  }
  const ConstId made = module_.intern(std::move(std::get<Value>(result)));
  ranges_.emplace(ref.index, made);
  return &module_.at(made);
}

bool Rewriter::operandsKnown(const Node& old) {
  for (std::uint32_t i = 0; i < old.operandCount; ++i) {
    if (!isValue(env(oldOperand(old, i)))) return false;
  }
  return true;
}

bool Rewriter::evaluable(NodeId id) {
  std::uint8_t& answer = evaluable_[id.index()];
  if (answer == 0) answer = isEvaluable(module_, id) ? 1 : 2;
  return answer == 1;
}

const std::vector<NodeId>& Rewriter::capturesOf(NodeId id) {
  const auto [entry, added] = captures_.try_emplace(id.index());
  if (!added) return entry->second;
  std::vector<NodeId>& captures = entry->second;
  std::vector<RegionId> inside = module_.regionsOf(module_.at(id));
  for (std::size_t i = 0; i < inside.size(); ++i) {
    for (const NodeId node : module_.at(inside[i]).nodes) {
      for (const RegionId inner : module_.regionsOf(module_.at(node))) inside.push_back(inner);
    }
  }
  std::sort(inside.begin(), inside.end());
  const auto note = [&](NodeId used) {
    if (!std::binary_search(inside.begin(), inside.end(), module_.at(used).region)) {
      captures.push_back(used);
    }
  };
  for (const RegionId region : inside) {
    for (const NodeId node : module_.at(region).nodes) {
      for (const NodeId operand : std::as_const(module_).operands(module_.at(node))) note(operand);
    }
    for (const NodeId used : module_.at(region).results) note(used);
  }
  std::sort(captures.begin(), captures.end());
  captures.erase(std::unique(captures.begin(), captures.end()), captures.end());
  return captures;
}

bool Rewriter::captureKnown(NodeId id) {
  const std::vector<NodeId>& captures = capturesOf(id);
  return std::all_of(captures.begin(), captures.end(),
                     [&](NodeId used) { return isValue(env(used)); });
}

std::vector<EvalResult> Rewriter::evaluateBody(NodeId owner, RegionId body,
                                               std::span<const Value> params) {
  std::unordered_map<std::uint32_t, EvalResult> outer;
  for (const NodeId used : capturesOf(owner)) {
    if (const Value* value = known(env(used))) outer.emplace(used.index(), *value);
  }
  return evaluateRegion(module_, body, params, [&](NodeId id) -> const EvalResult* {
    const auto found = outer.find(id.index());
    return found == outer.end() ? nullptr : &found->second;
  });
}

std::uint64_t Rewriter::sizeOf(RegionId root) {
  if (root.index() >= sizes_.size() || sizes_[root.index()] != 0) return sizes_[root.index()];
  std::uint64_t size = 1;
  std::vector<RegionId> inside{root};
  for (std::size_t i = 0; i < inside.size(); ++i) {
    size += module_.at(inside[i]).nodes.size();
    for (const NodeId node : module_.at(inside[i]).nodes) {
      const Payload& payload = module_.at(node).payload;
      if (!std::holds_alternative<For>(payload) && !std::holds_alternative<If>(payload) &&
          !std::holds_alternative<Loop>(payload) && !std::holds_alternative<Try>(payload) &&
          !std::holds_alternative<Rows>(payload)) {
        continue;
      }
      for (const RegionId inner : module_.regionsOf(module_.at(node))) inside.push_back(inner);
    }
  }
  sizes_[root.index()] = size;
  return size;
}

// ---- errors

bool Rewriter::isUsed(NodeId old) {
  if (used_.empty()) {
    used_.resize(oldNodes_, false);
    for (std::uint32_t i = 0; i < oldPool_; ++i) {
      const NodeId id = module_.operandPool[i];
      if (id.valid()) used_[id.index()] = true;
    }
    for (std::uint32_t i = 0; i < oldRegions_; ++i) {
      for (const NodeId id : module_.regions[i].results) used_[id.index()] = true;
    }
  }
  return used_[old.index()];
}

Rewriter::Ref Rewriter::errorRef(NodeId at, EvalError error) {
  if (!error.at.valid()) error.at = module_.at(at).span;
  if (!isUsed(at)) report(error);
  errors_.push_back(std::move(error));
  return {Ref::Kind::Error, static_cast<std::uint32_t>(errors_.size() - 1)};
}

void Rewriter::report(const EvalError& error) {
  if (!reported_.emplace(error.at, error.message).second) return;
  context_.diags.take(diagnose<Diag::NoConstantValue>(error.at, error.message));
}

// ---- new nodes

NodeId Rewriter::materialise(Ref ref, TypeId type, Span span) {
  switch (ref.kind) {
    case Ref::Kind::Node:
      return NodeId{ref.index};
    case Ref::Kind::Error: {
      // The error ends the compilation; `none` of no type keeps the graph whole until then.
      report(errors_[ref.index]);
      ref = valueRef(Value());
      type = TypeTable::kError;
      break;
    }
    case Ref::Kind::Nothing:
      ref = valueRef(Value());
      type = TypeTable::kError;
      break;
    case Ref::Kind::Pool:
    case Ref::Kind::Slot:
      break;
  }
  const ConstId value =
      ref.kind == Ref::Kind::Pool ? ConstId{ref.index} : module_.intern(slots_[ref.index]);
  const RegionId to = stack_.back().to;
  const auto hash = [&] {
    Mixer mixer;
    mixer.add(value.index());
    mixer.add((std::uint64_t{to.index()} << 32U) | type.index());
    return mixer.finish();
  };
  const std::uint32_t found = constants_.find(value.index(), hash, [&](std::uint32_t other) {
    const Node& node = module_.nodes[other];
    return node.region == to && node.type == type && std::get<Const>(node.payload).value == value;
  });
  if (found != NearTable::kEmpty) return NodeId{found};
  const NodeId fresh = emit(Const{value}, type, {}, {}, span, {});
  constants_.add(value.index(), fresh.index(), hash);
  return fresh;
}

NodeId Rewriter::reserve(const Payload& payload, TypeId type, std::span<const NodeId> operands,
                         std::span<const NodeId> order, Span span, NameId name, RegionId region) {
  const NodeId id{module_.nodes.size()};
  Node& node = module_.nodes.emplace_back();
  node.payload = payload;
  node.type = type;
  node.region = region;
  node.name = name;
  node.span = span;
  node.firstOperand = static_cast<std::uint32_t>(module_.operandPool.size());
  node.operandCount = static_cast<std::uint32_t>(operands.size());
  node.orderCount = static_cast<std::uint32_t>(order.size());
  module_.operandPool.insert(module_.operandPool.end(), operands.begin(), operands.end());
  module_.operandPool.insert(module_.operandPool.end(), order.begin(), order.end());
  return id;
}

void Rewriter::place(NodeId fresh) {
  module_.at(module_.at(fresh).region).nodes.push_back(fresh);
  noteCovered(fresh);
}

NodeId Rewriter::emit(const Payload& payload, TypeId type, std::span<const NodeId> operands,
                      std::span<const NodeId> order, Span span, NameId name) {
  const NodeId id = reserve(payload, type, operands, order, span, name, stack_.back().to);
  module_.updateAttributes(id);
  place(id);
  return id;
}

Rewriter::Ref Rewriter::emitPure(const Payload& payload, TypeId type,
                                 std::span<const NodeId> operands, Span span, NameId name) {
  if (!options_.unroll) return nodeRef(emit(payload, type, operands, {}, span, name));
  const RegionId to = stack_.back().to;
  const auto payloadKey = [](const Payload& p) -> std::uint64_t {
    if (const Op* op = std::get_if<Op>(&p)) return (static_cast<std::uint64_t>(op->op) << 1U) | (op->lifted ? 1U : 0U);
    const Field& field = std::get<Field>(p);
    return (std::uint64_t{field.name.index()} << 20U) | (1U << 16U) | (field.ofEach ? 2U : 0U) |
           (field.optional ? 1U : 0U);
  };
  const std::uint64_t key = payloadKey(payload);
  const auto hash = [&] {
    Mixer mixer;
    mixer.add((std::uint64_t{to.index()} << 32U) | type.index());
    mixer.add(key);
    for (const NodeId operand : operands) mixer.add(operand.index());
    return mixer.finish();
  };
  std::uint32_t home = 0;
  for (const NodeId operand : operands) home = std::max(home, operand.index());
  const std::uint32_t found = pure_.find(home, hash, [&](std::uint32_t other) {
    const Node& node = module_.nodes[other];
    const auto others = std::as_const(module_).operands(node);
    return node.region == to && node.type == type && payloadKey(node.payload) == key &&
           std::equal(operands.begin(), operands.end(), others.begin(), others.end());
  });
  if (found != NearTable::kEmpty) return nodeRef(NodeId{found});
  const NodeId fresh = emit(payload, type, operands, {}, span, name);
  pure_.add(home, fresh.index(), hash);
  return nodeRef(fresh);
}

NameId Rewriter::keptName(const Node& old) const {
  return prefix_.empty() && ir::withoutOpenEnd(suffix_).empty() ? old.name : NameId{};
}

NameId Rewriter::stepName(NameId name) {
  if (prefix_.empty() && ir::withoutOpenEnd(suffix_).empty()) return name;
  composed_.assign(prefix_);
  ir::appendStepPath(composed_, name.valid() ? module_.at(name) : std::string_view(), suffix_);
  return module_.addName(ir::withoutOpenEnd(composed_));
}

}  // namespace couler::passes

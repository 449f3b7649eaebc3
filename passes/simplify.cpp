#include <array>
#include <utility>

#include "passes/rewrite.h"

// What is known about an operation before anything runs: its value, or which node already has it.
namespace couler::passes {

using namespace ir;  // NOLINT(google-build-using-namespace)

namespace {

/// A known list at most this long is written out as a constant; a longer range stays a range.
constexpr std::uint64_t kShortRange = 16;
/// Lists joined into one `MakeList` at most; longer ones stay joined at run time.
constexpr std::uint64_t kMaxJoined = 1U << 16U;

bool isRangeOp(Builtin op) {
  return op == Builtin::Range || op == Builtin::RangeTo || op == Builtin::RangeFromTo;
}

/// Items of the range, by its bounds; none when the second is not above the first.
std::uint64_t rangeLength(std::int64_t from, std::int64_t to) {
  return to <= from ? 0 : static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

}  // namespace

const Node* Rewriter::madeBy(Ref ref, Builtin op) const {
  if (ref.kind != Ref::Kind::Node) return nullptr;
  const Node& node = module_.nodes[ref.index];
  const Op* made = std::get_if<Op>(&node.payload);
  return made != nullptr && made->op == op ? &node : nullptr;
}

Rewriter::Ref Rewriter::refOf(NodeId fresh) const {
  const Const* constant = module_.payload<Const>(fresh);
  if (constant != nullptr) return {Ref::Kind::Pool, constant->value.index()};
  return nodeRef(fresh);
}

bool Rewriter::neverNone(Ref ref) const {
  if (ref.kind != Ref::Kind::Node) return false;
  const TypeKind kind = module_.types.kind(module_.nodes[ref.index].type);
  return kind != TypeKind::Optional && kind != TypeKind::None && kind != TypeKind::Error;
}

Rewriter::Ref Rewriter::convert(Ref ref, TypeId to, Span span) {
  const Type& want = module_.types[to];
  const TypeId plain = want.kind == TypeKind::Optional ? want.element : to;
  if (plain != TypeTable::kFloat) return ref;
  if (ref.kind == Ref::Kind::Node && module_.nodes[ref.index].type == TypeTable::kInt) {
    const NodeId operand{ref.index};
    return emitPure(Op{Builtin::IntToFloat}, TypeTable::kFloat, {&operand, 1}, span, {});
  }
  const Value* value = isValue(ref) ? known(ref) : nullptr;
  const std::int64_t* whole = value != nullptr ? value->as<std::int64_t>() : nullptr;
  return whole == nullptr ? ref : valueRef(static_cast<double>(*whole));
}

// ---- lists of known length

std::optional<std::uint64_t> Rewriter::lengthOf(Ref list) {
  for (;;) {
    if (list.kind == Ref::Kind::Pool || list.kind == Ref::Kind::Slot) {
      const Value* value = known(list);
      if (value->as<ListValue>() == nullptr) return std::nullopt;
      return value->items().size();
    }
    if (list.kind != Ref::Kind::Node) return std::nullopt;
    const Node& node = module_.nodes[list.index];
    const auto operands = std::as_const(module_).operands(node);
    if (const Field* field = std::get_if<Field>(&node.payload)) {
      if (!field->ofEach) return std::nullopt;
      list = refOf(operands[0]);
      continue;
    }
    const Op* op = std::get_if<Op>(&node.payload);
    if (op == nullptr) return std::nullopt;
    if (op->op == Builtin::MakeList) return node.operandCount;
    if (op->op == Builtin::Enumerate) {
      list = refOf(operands[0]);
      continue;
    }
    if (!isRange(NodeId{list.index})) return std::nullopt;
    const std::int64_t* last = module_.constant(operands.back())->as<std::int64_t>();
    const std::int64_t* first = module_.constant(operands.front())->as<std::int64_t>();
    if (first == nullptr || last == nullptr) return std::nullopt;
    return rangeLength(operands.size() == 1 ? 0 : *first, *last);
  }
}

Rewriter::Ref Rewriter::itemOf(Ref list, std::uint64_t index) {
  // Down to the list itself, then up again through what is done to each of its items.
  std::vector<NodeId> each;
  for (;;) {
    if (list.kind != Ref::Kind::Node) break;
    const Node& node = module_.nodes[list.index];
    const bool isEach = std::holds_alternative<Field>(node.payload);
    if (!isEach && madeBy(list, Builtin::Enumerate) == nullptr) break;
    each.push_back(NodeId{list.index});
    list = refOf(std::as_const(module_).operands(node)[0]);
  }
  Ref item;
  if (list.kind != Ref::Kind::Node) {
    item = valueRef(Value(known(list)->items()[index]));
  } else if (const Node* made = madeBy(list, Builtin::MakeList)) {
    item = refOf(std::as_const(module_).operands(*made)[index]);
  } else {
    const auto operands = std::as_const(module_).operands(module_.nodes[list.index]);
    const std::int64_t first =
        operands.size() == 1 ? 0 : *module_.constant(operands.front())->as<std::int64_t>();
    item = valueRef(Value(first + static_cast<std::int64_t>(index)));
  }
  for (std::size_t i = each.size(); i-- > 0;) {
    const Node node = module_.at(each[i]);
    const TypeId type = module_.types[node.type].element;
    if (const Field* field = std::get_if<Field>(&node.payload)) {
      item = fieldOf(item, {field->name, false, field->optional}, type, node.span, {});
      continue;
    }
    const TypeId itemType = module_.types[type].fields[1].type;
    const std::array<NodeId, 2> fields = {
        materialise(valueRef(Value(static_cast<std::int64_t>(index))), TypeTable::kInt, node.span),
        materialise(item, itemType, node.span)};
    item = emitPure(Op{Builtin::MakeRecord}, type, fields, node.span, {});
  }
  return item;
}

/// The items of lists of known length as one list.
std::optional<Rewriter::Ref> Rewriter::joinLists(NodeId id, std::span<const Ref> lists) {
  if (lists.size() == 1) return lists[0];
  std::uint64_t total = 0;
  for (const Ref list : lists) {
    const auto length = lengthOf(list);
    if (!length || *length > kMaxJoined) return std::nullopt;
    total += *length;
  }
  if (total > kMaxJoined || !withinLimits(total)) return std::nullopt;
  work_ += total;
  const Node old = module_.at(id);
  const std::vector<Ref> copy(lists.begin(), lists.end());
  const TypeId element = module_.types[old.type].element;
  std::vector<NodeId> items;
  for (const Ref list : copy) {
    const std::uint64_t length = *lengthOf(list);
    for (std::uint64_t i = 0; i < length; ++i) {
      items.push_back(materialise(itemOf(list, i), element, old.span));
    }
  }
  return emitPure(Op{Builtin::MakeList}, old.type, items, old.span, keptName(old));
}

// ---- fields

Rewriter::Ref Rewriter::fieldOf(Ref object, const Field& field, TypeId type, Span span,
                                NameId name) {
  Field plain = field;
  if (plain.optional && !plain.ofEach && neverNone(object)) plain.optional = false;
  const Node* record = plain.ofEach ? nullptr : madeBy(object, Builtin::MakeRecord);
  if (record != nullptr) {
    const auto index = module_.types.fieldIndex(record->type, module_.at(field.name));
    if (index) {
      ++stats_.forwarded;
      return convert(refOf(std::as_const(module_).operands(*record)[*index]), type, span);
    }
  }
  const NodeId operand = materialise(object, TypeTable::kError, span);
  return emitPure(plain, type, {&operand, 1}, span, name);
}

void Rewriter::visitField(NodeId id) {
  const Node old = module_.at(id);
  const Field field = std::get<Field>(old.payload);
  const Ref object = env(oldOperand(old, 0));
  if (!verbatim_ && object.kind == Ref::Kind::Error) {
    env(id) = object;
    return;
  }
  if (!verbatim_ && isValue(object)) {
    const Value value = *known(object);
    EvalResult result = applyField(module_, field, value);
    if (EvalError* error = std::get_if<EvalError>(&result)) error->at = old.span;
    env(id) = resultRef(id, std::move(result));
    return;
  }
  if (!verbatim_) {
    env(id) = fieldOf(object, field, old.type, old.span, keptName(old));
    return;
  }
  const NodeId operand = materialise(oldOperand(old, 0));
  env(id) = emitPure(field, old.type, {&operand, 1}, old.span, keptName(old));
}

// ---- operations

std::optional<Rewriter::Ref> Rewriter::simplify(NodeId id, Builtin op,
                                                std::span<const Ref> operands) {
  const auto truth = [&](std::size_t i) -> const bool* {
    const Value* value = known(operands[i]);
    return value != nullptr ? value->as<bool>() : nullptr;
  };
  switch (op) {
    case Builtin::Or:
    case Builtin::And: {
      const bool decides = op == Builtin::Or;
      if (const bool* first = truth(0)) return *first == decides ? operands[0] : operands[1];
      if (operands[0].kind == Ref::Kind::Error) return operands[0];
      if (const bool* second = truth(1)) return *second == decides ? operands[1] : operands[0];
      return std::nullopt;
    }
    case Builtin::Coalesce:
    case Builtin::CoalesceOptional:
      if (operands[0].kind == Ref::Kind::Error || neverNone(operands[0])) return operands[0];
      if (isValue(operands[0])) {
        const Value* first = known(operands[0]);
        if (first == nullptr) return std::nullopt;
        return first->isNone() ? operands[1] : operands[0];
      }
      return std::nullopt;
    case Builtin::Unwrap:
      if (neverNone(operands[0])) return operands[0];
      return std::nullopt;
    case Builtin::Equal:
    case Builtin::NotEqual:
      for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
        if (!neverNone(operands[1 - i]) || isValue(operands[1 - i]) || !isValue(operands[i])) {
          continue;
        }
        const Value* value = known(operands[i]);
        if (value != nullptr && value->isNone()) return valueRef(Value(op == Builtin::NotEqual));
      }
      return std::nullopt;
    case Builtin::LengthList:
      if (const auto length = lengthOf(operands[0])) {
        return valueRef(Value(static_cast<std::int64_t>(*length)));
      }
      return std::nullopt;
    case Builtin::Index:
    case Builtin::GetItem: {
      if (!isValue(operands[1])) return std::nullopt;
      const Value* value = known(operands[1]);
      const std::int64_t* index = value != nullptr ? value->as<std::int64_t>() : nullptr;
      const auto length = lengthOf(operands[0]);
      if (index == nullptr || !length) return std::nullopt;
      if (*index >= 0 && static_cast<std::uint64_t>(*index) < *length) {
        return itemOf(operands[0], static_cast<std::uint64_t>(*index));
      }
      if (op == Builtin::GetItem) return valueRef(Value());
      if (*length > kMaxJoined) return std::nullopt;
      // Only the length matters for what the evaluator says.
      const std::array<EvalResult, 2> like = {Value::list(ListItems(*length)), *value};
      EvalResult result = apply(op, like, module_.at(id).span);
      EvalError* error = std::get_if<EvalError>(&result);
      if (error == nullptr) return std::nullopt;
      return errorRef(id, std::move(*error));
    }
    case Builtin::First:
    case Builtin::Last:
      if (const auto length = lengthOf(operands[0])) {
        if (*length == 0) return valueRef(Value());
        return itemOf(operands[0], op == Builtin::First ? 0 : *length - 1);
      }
      return std::nullopt;
    case Builtin::SpreadList:
      if (operands.empty()) return std::nullopt;
      return joinLists(id, operands);
    case Builtin::ConcatLists:
      return joinLists(id, operands);
    default:
      return std::nullopt;
  }
}

void Rewriter::visitOp(NodeId id) {
  const Node old = module_.at(id);
  const Builtin op = std::get<Op>(old.payload).op;
  const bool searched =
      context_.searches == Searches::Whole &&
      (op == Builtin::TuneGrid || op == Builtin::TuneRandom || op == Builtin::TuneSobol);
  if (verbatim_ || searched || std::get<Op>(old.payload).lifted) {
    takeOperands(old);
    env(id) = emitPure(old.payload, old.type, operands_, old.span, keptName(old));
    return;
  }
  refs_.clear();
  bool allValues = true;
  Ref error;
  for (std::uint32_t i = 0; i < old.operandCount; ++i) {
    const Ref ref = env(oldOperand(old, i));
    refs_.push_back(ref);
    allValues = allValues && isValue(ref);
    if (ref.kind == Ref::Kind::Error && error.kind == Ref::Kind::Nothing) error = ref;
  }
  const bool looksFirst = op == Builtin::Or || op == Builtin::And || op == Builtin::Coalesce ||
                          op == Builtin::CoalesceOptional;
  // Lists come first, too: an item of a long range needs no list.
  const bool ofList = op == Builtin::Index || op == Builtin::LengthList;
  if (looksFirst || (!allValues && error.kind == Ref::Kind::Nothing) || (ofList && allValues)) {
    if (const auto simpler = simplify(id, op, refs_)) {
      ++(isValue(*simpler) ? stats_.evaluated : stats_.forwarded);
      env(id) = convert(*simpler, old.type, old.span);
      return;
    }
  }
  if (error.kind != Ref::Kind::Nothing && !looksFirst) {
    env(id) = error;
    return;
  }
  if (!allValues || !evaluable(id) || isLongRange(op, old.operandCount)) {
    takeOperands(old);
    env(id) = emitPure(old.payload, old.type, operands_, old.span, keptName(old));
    return;
  }
  arguments_.clear();
  for (const Ref ref : refs_) {
    const Value* value = known(ref);
    if (value == nullptr) {  // a range that is too long for a list: reported
      takeOperands(old);
      env(id) = emitPure(old.payload, old.type, operands_, old.span, keptName(old));
      return;
    }
    arguments_.emplace_back(*value);
  }
  env(id) = resultRef(id, apply(op, arguments_, old.span, old.type, &module_.types));
}

/// Whether `refs_` bound a range that stays one rather than become a list of its items.
bool Rewriter::isLongRange(Builtin op, std::uint32_t operandCount) {
  if (!isRangeOp(op) || operandCount == 0) return false;
  const std::int64_t* first = known(refs_.front())->as<std::int64_t>();
  const std::int64_t* last = known(refs_.back())->as<std::int64_t>();
  if (first == nullptr || last == nullptr) return false;
  return rangeLength(operandCount == 1 ? 0 : *first, *last) > kShortRange;
}

}  // namespace couler::passes

#include "ir/verify_internal.h"

namespace couler::ir {

std::string Verifier::say(NodeId id) const {
  const Node& node = m_.at(id);
  const std::string name = node.name.valid() ? fmt::format(" `{}`", m_.at(node.name)) : "";
  return fmt::format("node {}{} ({})", id.index(), name, word(node.payload));
}

std::string_view Verifier::word(const Payload& payload) {
  return std::visit(
      Overloaded{
          [](std::monostate) -> std::string_view { return "erased"; },
#define NODE(Kind, text) [](const Kind&) -> std::string_view { return text; },
#include "ir/nodes.def"
      },
      payload);
}

bool Verifier::count(NodeId id, std::size_t want) {
  if (m_.at(id).operandCount == want) return true;
  problem("{} has {} operands, not {}", say(id), m_.at(id).operandCount, want);
  return false;
}

void Verifier::expectType(NodeId id, std::string_view what, TypeId want, TypeId found) {
  if (types_.accepts(want, found)) return;
  problem("{}: {} is `{}`, not `{}`", say(id), what, type(found), type(want));
}

bool Verifier::shape(NodeId id, RegionId region, std::span<const TypeId> params,
                     std::size_t results) {
  verifyRegionParams(m_.at(region), params, say(id));
  if (m_.at(region).results.size() == results) return true;
  problem("a body of {} has {} results, not {}", say(id), m_.at(region).results.size(), results);
  return false;
}

TypeId Verifier::resultType(RegionId region, std::size_t i) const {
  return m_.at(m_.at(region).results[i]).type;
}

TypeId Verifier::operandType(const Node& node, std::size_t i) const {
  return m_.at(m_.operands(node)[i]).type;
}

TypeId Verifier::elementOf(TypeId list) const {
  const Type& t = types_[list];
  return t.kind == TypeKind::List ? t.element : TypeTable::kError;
}

void Verifier::verifyNode(NodeId id) {
  const Node& node = m_.at(id);
  std::visit(
      Overloaded{
          [](std::monostate) {},
          [&](const Const& c) {
            if (count(id, 0)) verifyValue(c.value, node.type, "value of", "a constant");
          },
          [&](const Param&) { problem("{} stands among the nodes of a region", say(id)); },
          [&](const Op& op) { verifyOp(id, op); }, [&](const Field& f) { verifyField(id, f); },
          [&](const Step& s) {
            verifyArguments(id, m_.at(s.task).params);
            if (node.type != m_.at(s.task).result) {
              problem("{} gives `{}`, its task `{}`", say(id), type(node.type),
                      type(m_.at(s.task).result));
            }
          },
          [&](const Call& c) {
            verifyArguments(id, m_.at(c.callee).params);
            if (node.type != m_.at(c.callee).result) {
              problem("{} gives `{}`, its callee `{}`", say(id), type(node.type),
                      type(m_.at(c.callee).result));
            }
          },
          [&](const For& x) {
            if (!count(id, 1)) return;
            const TypeId list = operandType(node, 0);
            if (types_.kind(list) != TypeKind::List && types_.kind(list) != TypeKind::Error) {
              problem("{} goes over `{}`, which is no list", say(id), type(list));
            }
            if (m_.at(x.body).params.size() != 1) {
              problem("the body of {} has {} parameters, not 1", say(id),
                      m_.at(x.body).params.size());
              return;
            }
            expectType(id, "an item", m_.at(m_.at(x.body).params[0]).type, elementOf(list));
            const TypeId item = m_.at(m_.at(x.body).params[0]).type;
            if (shape(id, x.body, {&item, 1}, 1)) {
              expectType(id, "the value", node.type, types_.list(resultType(x.body)));
            }
          },
          [&](const If& x) {
            if (!count(id, 1)) return;
            expectType(id, "the condition", TypeTable::kBool, operandType(node, 0));
            if (shape(id, x.then, {}, 1)) {
              expectType(id, "the value", node.type, resultType(x.then));
            }
            if (!x.otherwise.valid()) {
              expectType(id, "the value", node.type, TypeTable::kNone);
            } else if (shape(id, x.otherwise, {}, 1)) {
              expectType(id, "the other value", node.type, resultType(x.otherwise));
            }
          },
          [&](const Loop& x) {
            if (!count(id, 2)) return;
            expectType(id, "the start", node.type, operandType(node, 0));
            expectType(id, "the most iterations", TypeTable::kInt, operandType(node, 1));
            if (!shape(id, x.body, {&node.type, 1}, 2)) return;
            expectType(id, "the next state", node.type, resultType(x.body, 0));
            expectType(id, "whether to stop", TypeTable::kBool, resultType(x.body, 1));
          },
          [&](const Try& x) {
            if (!count(id, 0) || !shape(id, x.body, {}, 1)) return;
            expectType(id, "the value", node.type, types_.optional(resultType(x.body)));
          },
          [&](const Rows& x) { verifyRows(id, x); }},
      node.payload);
}

void Verifier::verifyArguments(NodeId id, const std::vector<ParamDef>& params) {
  if (!count(id, params.size())) return;
  for (std::size_t i = 0; i < params.size(); ++i) {
    const TypeId found = operandType(m_.at(id), i);
    if (types_.accepts(params[i].type, found)) continue;
    problem("{}: argument `{}` is `{}`, not `{}`", say(id), params[i].name, type(found),
            type(params[i].type));
  }
}

void Verifier::verifyOp(NodeId id, const Op& payload) {
  const Node& node = m_.at(id);
  const Builtin op = payload.op;
  const auto each = [&](TypeId want) {
    for (std::size_t i = 0; i < node.operandCount; ++i) {
      expectType(id, "an operand", want, operandType(node, i));
    }
  };
  // What makes a list, a map or a record converts its parts to the type that it has.
  if (op == Builtin::MakeList && types_.kind(node.type) == TypeKind::List) {
    return each(elementOf(node.type));
  }
  if (op == Builtin::SpreadList && types_.kind(node.type) == TypeKind::List) return each(node.type);
  if (op == Builtin::MakeMap && types_.kind(node.type) == TypeKind::Map) {
    if (node.operandCount % 2 != 0) problem("{} has a key without a value", say(id));
    for (std::size_t i = 0; i + 1 < node.operandCount; i += 2) {
      expectType(id, "a key", TypeTable::kString, operandType(node, i));
      expectType(id, "a value", types_[node.type].element, operandType(node, i + 1));
    }
    return;
  }
  if (op == Builtin::MakeRecord) {
    const std::vector<TypeField>& fields = types_[node.type].fields;
    if (!count(id, fields.size())) return;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      expectType(id, "a field", fields[i].type, operandType(node, i));
    }
    return;
  }
  if (op == Builtin::Drift) return verifyDrift(id);
  const TypeId result = opResult(id, payload);
  if (result.valid()) expectType(id, "the value", node.type, result);
}

/// The type an operation gives for its operands' types; invalid (and reported) when it takes
/// others. Remembered, since a graph has few different ones.
TypeId Verifier::opResult(NodeId id, const Op& payload) {
  const Node& node = m_.at(id);
  const Builtin op = payload.op;
  std::vector<std::uint32_t> key{static_cast<std::uint32_t>(op) * 2 + (payload.lifted ? 1 : 0)};
  std::vector<TypeId> args;
  for (std::size_t i = 0; i < node.operandCount; ++i) {
    args.push_back(operandType(node, i));
    key.push_back(args.back().index());
    if (payload.lifted && types_.kind(args.back()) == TypeKind::Optional) {
      args.back() = types_[args.back()].element;
    }
  }
  const auto [entry, added] = opResults_.try_emplace(std::move(key));
  if (added) {
    auto match = matchRow(op, args, types_);
    if (!match) {
      // A value known not to be none may stand beside an optional one: `x == y` of int and int?.
      for (TypeId& arg : args) arg = types_.optional(arg);
      match = matchRow(op, args, types_);
    }
    if (match) {
      const bool keeps = isAggregate(op) && !needsValue(op);
      entry->second = payload.lifted && !keeps ? types_.optional(match->result) : match->result;
    }
  }
  if (!entry->second.valid()) {
    problem("{}: `{}` does not take such operands", say(id), info(op).enumerator);
  }
  return entry->second;
}

void Verifier::verifyField(NodeId id, const Field& field) {
  const Node& node = m_.at(id);
  if (!count(id, 1)) return;
  TypeId object = operandType(node, 0);
  bool wraps = false;
  if (field.ofEach) object = elementOf(object);
  if (types_.kind(object) == TypeKind::Optional && field.optional) {
    object = types_[object].element;
    wraps = true;
  }
  if (object == TypeTable::kError) return;
  if (field.optional && object == TypeTable::kNone) return;
  const auto index = types_.fieldIndex(object, m_.at(field.name));
  if (!index) {
    problem("{}: `{}` has no field `{}`", say(id), type(object), m_.at(field.name));
    return;
  }
  TypeId found = types_[object].fields[*index].type;
  if (wraps) found = types_.optional(found);
  if (field.ofEach) found = types_.list(found);
  expectType(id, "the value", node.type, found);
}

}  // namespace couler::ir

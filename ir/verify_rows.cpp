// Operators over tables and the plans that they make.
#include "ir/drift.h"
#include "ir/verify_internal.h"

namespace couler::ir {

TypeId Verifier::rowOf(TypeId table) const {
  const Type& t = types_[table];
  return t.kind == TypeKind::Table ? t.element : TypeTable::kError;
}

void Verifier::verifyRows(NodeId id, const Rows& x) {
  const Node& node = m_.at(id);
  const bool ranged = x.op == RowsOp::Read && node.operandCount != 1;
  if (!count(id, ranged ? 3 : x.op == RowsOp::Limit || x.op == RowsOp::Join ? 2 : 1)) return;
  if (x.op == RowsOp::Concat) return verifyConcat(id);
  const TypeId input = operandType(node, 0);
  const TypeId row = x.op == RowsOp::Read ? rowOf(node.type) : rowOf(input);
  const TypeId made = rowOf(node.type);
  if (row == TypeTable::kError || made == TypeTable::kError) {
    return problem("{} is over `{}` and gives `{}`; both must be tables", say(id), type(input),
                   type(node.type));
  }
  const auto same = [&] { expectType(id, "the value", node.type, input); };
  std::vector<TypeId> params{row};
  if (x.op == RowsOp::Join) params.push_back(rowOf(operandType(node, 1)));
  if (x.body.valid()) verifyRegionParams(m_.at(x.body), params, say(id));
  const std::vector<NodeId> none;
  const std::vector<NodeId>& results = x.body.valid() ? m_.at(x.body).results : none;
  const auto resultCount = [&](std::size_t want) {
    if (results.size() == want) return true;
    problem("the body of {} has {} results, not {}", say(id), results.size(), want);
    return false;
  };
  switch (x.op) {
    case RowsOp::Read:
      if (types_.kind(input) != TypeKind::File) {
        problem("{} reads `{}`, which is no file", say(id), type(input));
      }
      if (ranged) {
        if (operandType(node, 1) != fileRangeType(types_)) {
          problem("{} reads the range `{}`", say(id), type(operandType(node, 1)));
        }
        expectType(id, "the digest of a range", TypeTable::kString, operandType(node, 2));
      }
      [[fallthrough]];
    case RowsOp::Filter:
      for (const NodeId result : results) {
        expectType(id, "a condition", types_.optional(TypeTable::kBool), m_.at(result).type);
      }
      if (x.op == RowsOp::Filter && resultCount(1)) same();
      return;
    case RowsOp::Map:
      if (resultCount(1)) expectType(id, "a row", made, m_.at(results[0]).type);
      return;
    case RowsOp::Group: {
      const std::vector<TypeField>& fields = types_[made].fields;
      if (!resultCount(fields.size())) return;
      if (x.keys > fields.size()) return problem("{} has more keys than columns", say(id));
      for (std::size_t i = 0; i < fields.size(); ++i) {
        expectType(id, "a column", fields[i].type, m_.at(results[i]).type);
        const Op* op = m_.payload<Op>(results[i]);
        if (i >= x.keys && (op == nullptr || !isAggregate(op->op))) {
          problem("column {} of {} is no aggregate", i, say(id));
        }
      }
      return;
    }
    case RowsOp::Sort:
      if (results.size() > kMaxKeys) problem("{} has more than 32 keys", say(id));
      return same();
    case RowsOp::Limit:
      expectType(id, "the number of rows", TypeTable::kInt, operandType(node, 1));
      return same();
    case RowsOp::Distinct:
      return same();
    case RowsOp::Join:
      return verifyJoin(id, x, row, params[1], made);
    case RowsOp::Concat:
      return;
  }
}

void Verifier::verifyConcat(NodeId id) {
  const TypeId list = operandType(m_.at(id), 0);
  const bool tables = types_.kind(list) == TypeKind::List &&
                      types_.kind(types_[list].element) == TypeKind::Table;
  if (!tables) return problem("{} is over `{}`, not a list of tables", say(id), type(list));
  expectType(id, "the value", types_[list].element, m_.at(id).type);
}

void Verifier::verifyJoin(NodeId id, const Rows& x, TypeId left, TypeId right, TypeId made) {
  if (right == TypeTable::kError) return problem("{} joins what is no table", say(id));
  const std::vector<NodeId>& results = m_.at(x.body).results;
  if (x.keys == 0 || results.size() != 2 * std::size_t{x.keys}) {
    return problem("{} has {} keys and {} results", say(id), x.keys, results.size());
  }
  for (std::size_t i = 0; i < x.keys; ++i) {
    const TypeId other = types_.optional(m_.at(results[x.keys + i]).type);
    expectType(id, "a key", other, m_.at(results[i]).type);
  }
  if (x.join == JoinKind::Semi || x.join == JoinKind::Anti) {
    return expectType(id, "the value", m_.at(id).type, operandType(m_.at(id), 0));
  }
  const std::vector<TypeField>& fields = types_[made].fields;
  const std::size_t width = types_[left].fields.size();
  if (fields.size() != width + types_[right].fields.size()) {
    return problem("{} has {} columns, not those of both tables", say(id), fields.size());
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const bool fromLeft = i < width;
    TypeId want = fromLeft ? types_[left].fields[i].type : types_[right].fields[i - width].type;
    if (!fromLeft && x.join == JoinKind::Left) want = types_.optional(want);
    expectType(id, "a column", fields[i].type, want);
  }
}

/// The columns that it names are in both tables and can be compared.
void Verifier::verifyDrift(NodeId id) {
  const Node& node = m_.at(id);
  if (!count(id, 4)) return;
  const Value* names = m_.constant(m_.operands(node)[2]);
  const Value* numeric = m_.constant(m_.operands(node)[3]);
  const auto isList = [](const Value* value) {
    return value != nullptr && value->as<ListValue>() != nullptr;
  };
  if (!isList(names) || !isList(numeric) || names->items().size() != numeric->items().size()) {
    return problem("{} does not say in constants which columns it is over", say(id));
  }
  for (std::size_t c = 0; c < names->items().size(); ++c) {
    const auto* name = names->items()[c].as<std::string>();
    const auto* number = numeric->items()[c].as<bool>();
    for (std::size_t i = 0; i < 2; ++i) {
      const TypeId row = rowOf(operandType(node, i));
      const auto field = name != nullptr && row != TypeTable::kError
                             ? types_.fieldIndex(row, *name)
                             : std::nullopt;
      const DriftKind kind =
          field ? driftKind(types_, types_[row].fields[*field].type) : DriftKind::None;
      if (number == nullptr ||
          kind != (*number ? DriftKind::Number : DriftKind::Category)) {
        return problem("{} compares column {}, which is none of one kind in both tables", say(id),
                       c);
      }
    }
  }
  expectType(id, "the value", driftType(types_), node.type);
}

/// A result an output, each a table, whichever way the output keeps it, or a value.
void Verifier::verifyPlan(const TaskDef& task) {
  const Region& exprs = m_.at(task.exprs);
  if (exprs.results.size() != task.outputs.size()) {
    problem("the plan of `{}` has {} results for {} outputs", task.name, exprs.results.size(),
            task.outputs.size());
    return;
  }
  for (std::size_t i = 0; i < exprs.results.size(); ++i) {
    const TypeId made = m_.at(exprs.results[i]).type;
    if (task.outputs[i].from == OutputFrom::File) {
      if (made != task.outputs[i].type) {
        problem("output `{}` of `{}` is made of `{}`", task.outputs[i].name, task.name,
                type(made));
      }
    } else if (types_.kind(made) != TypeKind::Table) {
      problem("output `{}` of `{}` is made of `{}`, no table", task.outputs[i].name, task.name,
              type(made));
    }
  }
}

}  // namespace couler::ir

#include "runtime/column/predicate.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace couler::column {

namespace {

using ir::Builtin;
using ir::NodeId;

/// `constant op column` as `column op constant`.
Builtin mirrored(Builtin op) {
  switch (op) {
    case Builtin::Less:
      return Builtin::Greater;
    case Builtin::LessEqual:
      return Builtin::GreaterEqual;
    case Builtin::Greater:
      return Builtin::Less;
    case Builtin::GreaterEqual:
      return Builtin::LessEqual;
    default:
      return op;
  }
}

bool isComparison(Builtin op) {
  return op == Builtin::Equal || op == Builtin::NotEqual || op == Builtin::Less ||
         op == Builtin::LessEqual || op == Builtin::Greater || op == Builtin::GreaterEqual;
}

/// A constant as the cells of `field` are kept; nothing where they are not of one type.
std::optional<std::variant<std::int64_t, double, std::string>> constantFor(const Field& field,
                                                                           const ir::Value& value) {
  switch (field.kind) {
    case Kind::Int:
      if (const auto* whole = value.as<std::int64_t>()) return *whole;
      break;
    case Kind::Float:
      if (const auto* real = value.as<double>()) return *real;
      break;
    case Kind::String:
      if (const auto* text = value.as<std::string>()) return *text;
      break;
    case Kind::Timestamp:
      if (const auto* time = value.as<ir::Timestamp>()) return time->micros;
      break;
    case Kind::Duration:
      if (const auto* span = value.as<ir::Duration>()) return span->micros;
      break;
    case Kind::Size:
      if (const auto* size = value.as<ir::Size>()) return size->bytes;
      break;
    case Kind::Enum:
      if (const auto* name = value.as<ir::EnumCase>()) {
        const auto found = std::find(field.cases.begin(), field.cases.end(), name->name);
        return found == field.cases.end() ? std::int64_t{-1} : found - field.cases.begin();
      }
      break;
    default:
      break;
  }
  return std::nullopt;
}

class Conditions {
 public:
  explicit Conditions(const RowPlan& plan) : plan_(plan), module_(*plan.module) {}

  Predicate all() {
    for (const NodeId stage : plan_.stages) {
      const ir::Rows& rows = *module_.payload<ir::Rows>(stage);
      if (rows.op != ir::RowsOp::Filter || !filter(rows.body)) break;
    }
    return std::move(predicate_);
  }

 private:
  /// False when there is more to the filter than conditions.
  bool filter(ir::RegionId body) {
    row_ = module_.at(body).params.at(0);
    const std::size_t before = predicate_.conditions.size();
    const bool whole = conjunct(module_.at(body).results.at(0));
    // Where a later operand may have an error, a row without a value in an earlier one has it.
    for (std::size_t i = before; i < predicate_.conditions.size() && !whole; ++i) {
      predicate_.conditions[i].keepsNone = true;
    }
    return whole;
  }

  /// Operands of `and` are looked at from left to right.
  bool conjunct(NodeId id) {
    const auto* op = module_.payload<ir::Op>(id);
    if (op == nullptr) return false;
    const auto operands = module_.operands(module_.at(id));
    if (op->op == Builtin::And) return conjunct(operands[0]) && conjunct(operands[1]);
    if (!isComparison(op->op)) return false;
    const bool columnFirst = columnOf(operands[0]) >= 0;
    const int column = columnOf(operands[columnFirst ? 0 : 1]);
    const ir::Value* value = valueOf(operands[columnFirst ? 1 : 0]);
    if (column < 0 || value == nullptr) return false;
    const Field& field = plan_.input.fields[static_cast<std::size_t>(column)];
    auto constant = constantFor(field, *value);
    if (!constant) return false;
    const bool ordered = op->op != Builtin::Equal && op->op != Builtin::NotEqual;
    if (ordered && field.kind == Kind::Enum) return false;
    predicate_.conditions.push_back({static_cast<std::size_t>(column),
                                     columnFirst ? op->op : mirrored(op->op), std::move(*constant),
                                     op->op == Builtin::NotEqual});
    return true;
  }

  [[nodiscard]] int columnOf(NodeId id) const {
    const auto* field = module_.payload<ir::Field>(id);
    if (field == nullptr || field->ofEach || module_.operands(module_.at(id))[0] != row_) return -1;
    return plan_.input.find(module_.at(field->name));
  }
  [[nodiscard]] const ir::Value* valueOf(NodeId id) const {
    if (const ir::Value* value = module_.constant(id)) return value;
    for (const auto& [node, value] : plan_.outer) {
      if (node == id) return &value;
    }
    return nullptr;
  }

  const RowPlan& plan_;
  const ir::Module& module_;
  NodeId row_;
  Predicate predicate_;
};

template <class T>
const T& as(const T& value) {
  return value;
}
std::string_view as(const Text& text) { return text.view(); }

/// Narrows `mask` by `values[i] op constant`.
template <class T, class C, class Compare>
void narrow(const T* values, const C& constant, Compare compare, const std::uint8_t* valid,
            bool keepsNone, std::vector<std::uint8_t>& mask) {
  const std::size_t rows = mask.size();
  std::uint8_t* out = mask.data();
  const auto holds = [&](std::size_t i) -> unsigned { return compare(as(values[i]), constant) ? 1 : 0; };
  if (valid == nullptr) {
    for (std::size_t i = 0; i < rows; ++i) out[i] = static_cast<std::uint8_t>(out[i] & holds(i));
  } else {
    const unsigned none = keepsNone ? 1 : 0;
    for (std::size_t i = 0; i < rows; ++i) {
      out[i] = static_cast<std::uint8_t>(out[i] & (valid[i] != 0 ? holds(i) : none));
    }
  }
}

template <class T, class C>
void narrowBy(const Condition& condition, const T* values, const C& constant,
              const std::uint8_t* valid, std::vector<std::uint8_t>& mask) {
  const auto by = [&](auto compare) {
    narrow(values, constant, compare, valid, condition.keepsNone, mask);
  };
  switch (condition.op) {
    case Builtin::Equal:
      return by([](const auto& a, const auto& b) { return a == b; });
    case Builtin::NotEqual:
      return by([](const auto& a, const auto& b) { return a != b; });
    case Builtin::Less:
      return by([](const auto& a, const auto& b) { return a < b; });
    case Builtin::LessEqual:
      return by([](const auto& a, const auto& b) { return a <= b; });
    case Builtin::Greater:
      return by([](const auto& a, const auto& b) { return a > b; });
    default:
      return by([](const auto& a, const auto& b) { return a >= b; });
  }
}

template <class T>
bool isOutside(Builtin op, const T& least, const T& greatest, const T& constant) {
  switch (op) {
    case Builtin::Equal:
      return !(least <= constant && constant <= greatest);
    case Builtin::Less:
      return !(least < constant);
    case Builtin::LessEqual:
      return !(least <= constant);
    case Builtin::Greater:
      return !(greatest > constant);
    case Builtin::GreaterEqual:
      return !(greatest >= constant);
    default:
      return false;
  }
}

}  // namespace

std::vector<bool> Predicate::fields(std::size_t count) const {
  std::vector<bool> used(count, false);
  for (const Condition& condition : conditions) used[condition.field] = true;
  return used;
}

Predicate predicateOf(const RowPlan& plan) { return Conditions(plan).all(); }

void pickRows(const Predicate& predicate, const Schema& schema, const Batch& batch,
              std::vector<std::int32_t>& picked) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(batch.rows), 1);
  for (const Condition& condition : predicate.conditions) {
    const Column& column = batch.columns[condition.field];
    const std::uint8_t* valid = column.valid ? column.valid->as<std::uint8_t>() : nullptr;
    const Buffer& values = *column.values;
    switch (schema.fields[condition.field].kind) {
      case Kind::Float:
        narrowBy(condition, values.as<double>(), std::get<double>(condition.constant), valid, mask);
        break;
      case Kind::String:
        narrowBy(condition, values.as<Text>(),
                 std::string_view(std::get<std::string>(condition.constant)), valid, mask);
        break;
      case Kind::Enum:
        narrowBy(condition, values.as<std::int32_t>(),
                 static_cast<std::int32_t>(std::get<std::int64_t>(condition.constant)), valid,
                 mask);
        break;
      default:
        narrowBy(condition, values.as<std::int64_t>(), std::get<std::int64_t>(condition.constant),
                 valid, mask);
        break;
    }
  }
  picked.resize(mask.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    picked[count] = static_cast<std::int32_t>(i);
    count += mask[i];
  }
  picked.resize(count);
}

bool excludes(const Condition& condition, const ValueRange& range) {
  if (condition.keepsNone && range.missing != 0) return false;
  if (const auto* constant = std::get_if<std::int64_t>(&condition.constant)) {
    return range.ints &&
           isOutside(condition.op, range.ints->first, range.ints->second, *constant);
  }
  if (const auto* constant = std::get_if<double>(&condition.constant)) {
    return range.floats &&
           isOutside(condition.op, range.floats->first, range.floats->second, *constant);
  }
  return false;
}

}  // namespace couler::column

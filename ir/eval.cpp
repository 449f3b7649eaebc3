#include "ir/eval.h"

#include <array>
#include <cmath>
#include <compare>

#include "ir/eval_internal.h"

namespace couler::ir {

namespace eval {

std::partial_ordering compare(const Value& a, const Value& b) {
  if (a.data().index() != b.data().index()) return std::partial_ordering::unordered;
  if (const std::int64_t* x = a.as<std::int64_t>()) return *x <=> *b.as<std::int64_t>();
  if (const double* x = a.as<double>()) return *x <=> *b.as<double>();
  if (const std::string* x = a.as<std::string>()) return *x <=> *b.as<std::string>();
  if (const Duration* x = a.as<Duration>()) return *x <=> *b.as<Duration>();
  if (const Size* x = a.as<Size>()) return *x <=> *b.as<Size>();
  if (const Timestamp* x = a.as<Timestamp>()) return *x <=> *b.as<Timestamp>();
  return std::partial_ordering::unordered;
}

namespace {

/// Two floats compare as IEEE 754 says; inside lists and records values are equal as keys are.
bool equal(const Value& a, const Value& b) {
  const double* x = a.as<double>();
  const double* y = b.as<double>();
  return x != nullptr && y != nullptr ? *x == *y : a == b;
}

bool applyComparison(Builtin op, const Operands& in, EvalResult& out) {
  switch (op) {
    case Builtin::Not:
      out = Value(!in.truth(0));
      return true;
    case Builtin::Equal:
      out = Value(equal(in[0], in[1]));
      return true;
    case Builtin::NotEqual:
      out = Value(!equal(in[0], in[1]));
      return true;
    case Builtin::Less:
      out = Value(compare(in[0], in[1]) < 0);
      return true;
    case Builtin::LessEqual:
      out = Value(compare(in[0], in[1]) <= 0);
      return true;
    case Builtin::Greater:
      out = Value(compare(in[0], in[1]) > 0);
      return true;
    case Builtin::GreaterEqual:
      out = Value(compare(in[0], in[1]) >= 0);
      return true;
    case Builtin::ToString:
      out = textResult(toText(in[0]));
      return true;
    case Builtin::Unwrap:
      out = in[0].isNone() ? fail("there is no value here, but none") : EvalResult(in[0]);
      return true;
    case Builtin::Hash: {
      Hasher hasher;
      hashInto(hasher, in[0]);
      out = Value(hasher.finish().hex());
      return true;
    }
    case Builtin::MakeRecord: {
      const std::span<const TypeField> fields = in.resultFields();
      if (fields.size() != in.count()) {
        in.markWrong();
        return true;
      }
      NamedItems items;
      items.reserve(fields.size());
      for (std::size_t i = 0; i < fields.size(); ++i) items.emplace_back(fields[i].name, in[i]);
      out = Value::record(std::move(items));
      return true;
    }
    default:
      return false;
  }
}

/// Or, And and Coalesce, which look at the second operand only when the first does not decide.
bool applyLazy(Builtin op, std::span<const EvalResult* const> operands, EvalResult& out) {
  const bool isOr = op == Builtin::Or;
  const bool isCoalesce = op == Builtin::Coalesce || op == Builtin::CoalesceOptional;
  if (!isOr && !isCoalesce && op != Builtin::And) return false;
  if (operands.size() != 2) return false;
  out = *operands[0];
  const Value* first = std::get_if<Value>(operands[0]);
  if (first == nullptr) return true;
  if (isCoalesce) {
    if (first->isNone()) out = *operands[1];
    return true;
  }
  const bool* truth = first->as<bool>();
  if (truth == nullptr) return false;
  if (*truth != isOr) out = *operands[1];
  return true;
}

EvalResult dispatch(Builtin op, const Operands& in) {
  EvalResult out;
  const bool known = applyComparison(op, in, out) || applyNumbers(op, in, out) ||
                     applyQuantities(op, in, out) || applyText(op, in, out) ||
                     applyPatterns(op, in, out) || applyLists(op, in, out) ||
                     applyMaps(op, in, out) || applySearch(op, in, out);
  if (!known) return fail("`{}` has no value here", info(op).name);
  if (in.wrong()) return fail("`{}` has operands of the wrong type", info(op).name);
  return out;
}

}  // namespace

EvalResult applyLifted(Builtin op, std::span<const EvalResult* const> operands, Span at,
                       TypeId result, const TypeTable* types) {
  const bool decides = op == Builtin::Or || op == Builtin::And;
  bool missing = false;
  for (const EvalResult* operand : operands) {
    const Value* value = std::get_if<Value>(operand);
    if (value == nullptr) return *operand;
    missing = missing || value->isNone();
    // The one that decides, decides, whatever the other is.
    if (decides && value->as<bool>() != nullptr && *value->as<bool>() == (op == Builtin::Or)) {
      return *value;
    }
  }
  if (missing) return Value();
  return applyTo(op, operands, at, result, types);
}

EvalResult applyTo(Builtin op, std::span<const EvalResult* const> operands, Span at, TypeId result,
                   const TypeTable* types) {
  EvalResult out;
  if (applyLazy(op, operands, out)) return out;
  constexpr std::size_t kInline = 4;
  std::array<const Value*, kInline> few{};
  std::vector<const Value*> many;
  if (operands.size() > kInline) many.resize(operands.size());
  const Value** values = operands.size() > kInline ? many.data() : few.data();
  for (std::size_t i = 0; i < operands.size(); ++i) {
    values[i] = std::get_if<Value>(operands[i]);
    if (values[i] == nullptr) return *operands[i];
  }
  out = dispatch(op, Operands({values, operands.size()}, result, types));
  if (EvalError* error = std::get_if<EvalError>(&out)) error->at = at;
  return out;
}

}  // namespace eval

EvalResult apply(Builtin op, std::span<const EvalResult> operands, Span at, TypeId result,
                 const TypeTable* types) {
  std::vector<const EvalResult*> pointers;
  pointers.reserve(operands.size());
  for (const EvalResult& operand : operands) pointers.push_back(&operand);
  return eval::applyTo(op, pointers, at, result, types);
}

namespace {

EvalResult fieldOf(std::string_view name, bool optional, const Value& object) {
  if (optional && object.isNone()) return Value();
  const Value* found = object.as<RecordValue>() != nullptr || object.as<MapValue>() != nullptr
                           ? object.field(name)
                           : nullptr;
  if (found == nullptr) return eval::fail("there is no field `{}`", name);
  return *found;
}

}  // namespace

EvalResult applyField(const Module& module, const Field& field, const Value& object) {
  const std::string_view name = module.at(field.name);
  if (!field.ofEach) return fieldOf(name, field.optional, object);
  if (field.optional && object.isNone()) return Value();
  if (object.as<ListValue>() == nullptr)
    return eval::fail("there is no list to take `{}` of", name);
  ListItems items;
  items.reserve(object.items().size());
  for (const Value& item : object.items()) {
    EvalResult one = fieldOf(name, field.optional, item);
    if (std::holds_alternative<EvalError>(one)) return one;
    items.push_back(std::move(std::get<Value>(one)));
  }
  return Value::list(std::move(items));
}

}  // namespace couler::ir

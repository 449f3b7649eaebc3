#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ir/eval.h"

/// What the files of the evaluator share; no part of its interface (ir/eval.h).
namespace couler::ir::eval {

inline constexpr std::size_t kMaxItems = 4'000'000;
inline constexpr std::size_t kMaxText = std::size_t{64} << 20;

/// The operands of one operation: all of them have values. Asking for one as another type than it
/// is, which only a graph that the verifier refuses can bring about, gives an empty value and is
/// noted.
class Operands {
 public:
  Operands(std::span<const Value* const> values, TypeId result, const TypeTable* types)
      : values_(values), result_(result), types_(types) {}

  [[nodiscard]] std::size_t count() const { return values_.size(); }
  [[nodiscard]] const Value& operator[](std::size_t i) const {
    static const Value kNothing;
    if (i < values_.size()) return *values_[i];
    wrong_ = true;
    return kNothing;
  }
  template <class T>
  [[nodiscard]] const T& as(std::size_t i) const {
    static const T kNothing{};
    const T* found = (*this)[i].as<T>();
    if (found == nullptr) wrong_ = true;
    return found == nullptr ? kNothing : *found;
  }
  [[nodiscard]] bool truth(std::size_t i) const { return as<bool>(i); }
  [[nodiscard]] std::int64_t integer(std::size_t i) const { return as<std::int64_t>(i); }
  [[nodiscard]] double real(std::size_t i) const { return as<double>(i); }
  [[nodiscard]] const std::string& text(std::size_t i) const { return as<std::string>(i); }
  [[nodiscard]] const ListItems& list(std::size_t i) const {
    static const ListItems kNothing;
    if ((*this)[i].as<ListValue>() != nullptr) return (*this)[i].items();
    wrong_ = true;
    return kNothing;
  }
  [[nodiscard]] const NamedItems& map(std::size_t i) const {
    static const NamedItems kNothing;
    if ((*this)[i].as<MapValue>() != nullptr) return (*this)[i].named();
    wrong_ = true;
    return kNothing;
  }
  /// An item of a list that must be of one type; noted likewise.
  template <class T>
  [[nodiscard]] const T& item(const Value& value) const {
    static const T kNothing{};
    const T* found = value.as<T>();
    if (found == nullptr) wrong_ = true;
    return found == nullptr ? kNothing : *found;
  }

  /// The fields of the type of the result; none where it is no record.
  [[nodiscard]] std::span<const TypeField> resultFields() const {
    if (types_ == nullptr || !result_.valid()) return {};
    return (*types_)[result_].fields;
  }
  void markWrong() const { wrong_ = true; }
  [[nodiscard]] bool wrong() const { return wrong_; }

 private:
  std::span<const Value* const> values_;
  TypeId result_;
  const TypeTable* types_;
  mutable bool wrong_ = false;
};

/// An error; `apply` adds the place.
template <class... Args>
[[nodiscard]] EvalResult fail(fmt::format_string<Args...> text, Args&&... args) {
  return EvalError{fmt::format(text, std::forward<Args>(args)...), {}};
}
[[nodiscard]] inline EvalResult tooLong(std::size_t items) {
  return fail("a list of {} items is longer than the {} that one may have", items, kMaxItems);
}
[[nodiscard]] inline EvalResult textTooLong() {
  return fail("the text is longer than the {} MiB that one may have", kMaxText >> 20);
}
[[nodiscard]] inline EvalResult textResult(std::string text) {
  if (text.size() > kMaxText) return textTooLong();
  return Value(std::move(text));
}

/// The text without white space, as Unicode has it, at its ends.
[[nodiscard]] std::string_view trim(std::string_view text);

/// Order of two values of one ordered type. Unordered (a NaN) is neither less, equal nor greater.
[[nodiscard]] std::partial_ordering compare(const Value& a, const Value& b);
/// Whether a float is within int, its fraction dropped.
[[nodiscard]] EvalResult toInt(double value);

/// Each family sets `out` and says true if `op` is one of its rows.
bool applyNumbers(Builtin op, const Operands& in, EvalResult& out);
bool applyQuantities(Builtin op, const Operands& in, EvalResult& out);
bool applyText(Builtin op, const Operands& in, EvalResult& out);
bool applyPatterns(Builtin op, const Operands& in, EvalResult& out);
bool applyLists(Builtin op, const Operands& in, EvalResult& out);
bool applyMaps(Builtin op, const Operands& in, EvalResult& out);
bool applySearch(Builtin op, const Operands& in, EvalResult& out);

/// The same for a lifted operation: none where an operand is none; `and`, `or` by Kleene.
[[nodiscard]] EvalResult applyLifted(Builtin op, std::span<const EvalResult* const> operands,
                                     Span at, TypeId result, const TypeTable* types);

/// Evaluates the body of an operator over rows for one row (two, of a join) and gives its results;
/// false when the evaluation has taken too long.
using RowBody = std::function<bool(std::span<const Value>, std::vector<EvalResult>&)>;
/// An operator over tables that are lists of records (ir/eval_rows.cpp).
[[nodiscard]] EvalResult applyRows(const Module& module, const Node& node,
                                   std::span<const EvalResult> operands, const RowBody& body);

/// `apply` without copies of the operands.
[[nodiscard]] EvalResult applyTo(Builtin op, std::span<const EvalResult* const> operands, Span at,
                                 TypeId result, const TypeTable* types);

/// Simple case mapping of Unicode, one code point to one (ir/case_map.cpp).
[[nodiscard]] char32_t toLower(char32_t c);
[[nodiscard]] char32_t toUpper(char32_t c);

}  // namespace couler::ir::eval

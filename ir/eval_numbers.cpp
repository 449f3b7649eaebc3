#include <charconv>
#include <cmath>
#include <limits>

#include "ir/eval_internal.h"

namespace couler::ir::eval {

EvalResult toInt(double value) {
  // Both bounds are exact doubles; the upper one is the first that does not fit.
  if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0)) {
    return fail("{} does not fit in an int", floatText(value));
  }
  return Value(static_cast<std::int64_t>(value));
}

namespace {

EvalResult overflow(std::int64_t a, std::string_view sign, std::int64_t b) {
  return fail("overflow: {} {} {} does not fit in an int", a, sign, b);
}

EvalResult intArithmetic(Builtin op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  switch (op) {
    case Builtin::AddInt:
      if (__builtin_add_overflow(a, b, &result)) return overflow(a, "+", b);
      return Value(result);
    case Builtin::SubInt:
      if (__builtin_sub_overflow(a, b, &result)) return overflow(a, "-", b);
      return Value(result);
    case Builtin::MulInt:
      if (__builtin_mul_overflow(a, b, &result)) return overflow(a, "*", b);
      return Value(result);
    case Builtin::DivInt:
      if (b == 0) return fail("division by zero: {} div 0", a);
      if (b == -1) {
        if (__builtin_sub_overflow(std::int64_t{0}, a, &result)) return overflow(a, "div", b);
        return Value(result);
      }
      result = a / b;
      if (a % b != 0 && (a < 0) != (b < 0)) --result;
      return Value(result);
    default:  // RemInt
      if (b == 0) return fail("division by zero: {} % 0", a);
      if (b == -1) return Value(std::int64_t{0});  // the machine would overflow for the least int
      result = a % b;
      if (result != 0 && (result < 0) != (b < 0)) result += b;
      return Value(result);
  }
}

EvalResult power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0)
    return fail("{} ** {}: the exponent of an int must not be negative", base, exponent);
  std::int64_t result = 1;
  std::int64_t square = base;
  for (std::int64_t left = exponent; left > 0; left >>= 1) {
    if ((left & 1) != 0 && __builtin_mul_overflow(result, square, &result)) {
      return overflow(base, "**", exponent);
    }
    // The last square is not used: it may well not fit.
    if (left > 1 && __builtin_mul_overflow(square, square, &square)) {
      return overflow(base, "**", exponent);
    }
  }
  return Value(result);
}

double remainder(double a, double b) {
  const double result = std::fmod(a, b);
  if (result == 0) return std::copysign(0.0, b);
  return (result < 0) != (b < 0) ? result + b : result;
}

std::string_view trimmed(std::string_view text) {
  const auto isSpace = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && isSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && isSpace(text.back())) text.remove_suffix(1);
  return text;
}

template <class T>
EvalResult parse(const std::string& text, std::string_view kind) {
  std::string_view rest = trimmed(text);
  if (rest.starts_with('+') && !rest.starts_with("+-")) rest.remove_prefix(1);
  T result{};
  const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), result);
  if (status == std::errc::result_out_of_range) return fail("`{}` does not fit in {}", text, kind);
  if (status != std::errc{} || end != rest.data() + rest.size()) {
    return fail("`{}` is not {}", text, kind);
  }
  return Value(result);
}

EvalResult roundTo(double value, std::int64_t digits) {
  if (digits < 0 || digits > 300) return fail("round to {} digits: it must be 0 to 300", digits);
  if (!std::isfinite(value)) return Value(value);
  // By way of text, which rounds the exact value of the float, as no multiplication would.
  const std::string text = fmt::format("{:.{}f}", value, static_cast<int>(digits));
  double result = 0;
  std::from_chars(text.data(), text.data() + text.size(), result);
  return Value(result);
}

bool applyMath(Builtin op, const Operands& in, EvalResult& out) {
  switch (op) {
    case Builtin::Sqrt:
      out = Value(std::sqrt(in.real(0)));
      return true;
    case Builtin::Exp:
      out = Value(std::exp(in.real(0)));
      return true;
    case Builtin::Log:
      out = Value(std::log(in.real(0)));
      return true;
    case Builtin::Log2:
      out = Value(std::log2(in.real(0)));
      return true;
    case Builtin::Log10:
      out = Value(std::log10(in.real(0)));
      return true;
    case Builtin::Sin:
      out = Value(std::sin(in.real(0)));
      return true;
    case Builtin::Cos:
      out = Value(std::cos(in.real(0)));
      return true;
    case Builtin::Pow:
      out = Value(std::pow(in.real(0), in.real(1)));
      return true;
    case Builtin::IsNan:
      out = Value(std::isnan(in.real(0)));
      return true;
    case Builtin::Round:
      out = toInt(std::round(in.real(0)));
      return true;
    case Builtin::RoundTo:
      out = roundTo(in.real(0), in.integer(1));
      return true;
    case Builtin::Floor:
      out = toInt(std::floor(in.real(0)));
      return true;
    case Builtin::Ceil:
      out = toInt(std::ceil(in.real(0)));
      return true;
    case Builtin::Trunc:
    case Builtin::FloatToInt:
      out = toInt(std::trunc(in.real(0)));
      return true;
    case Builtin::AbsFloat:
      out = Value(std::abs(in.real(0)));
      return true;
    case Builtin::AbsInt:
      out = in.integer(0) < 0 ? intArithmetic(Builtin::SubInt, 0, in.integer(0))
                              : Value(in.integer(0));
      return true;
    default:
      return false;
  }
}

}  // namespace

bool applyNumbers(Builtin op, const Operands& in, EvalResult& out) {
  switch (op) {
    case Builtin::AddInt:
    case Builtin::SubInt:
    case Builtin::MulInt:
    case Builtin::DivInt:
    case Builtin::RemInt:
      out = intArithmetic(op, in.integer(0), in.integer(1));
      return true;
    case Builtin::NegInt:
      out = intArithmetic(Builtin::SubInt, 0, in.integer(0));
      return true;
    case Builtin::PowInt:
      out = power(in.integer(0), in.integer(1));
      return true;
    case Builtin::AddFloat:
      out = Value(in.real(0) + in.real(1));
      return true;
    case Builtin::SubFloat:
      out = Value(in.real(0) - in.real(1));
      return true;
    case Builtin::MulFloat:
      out = Value(in.real(0) * in.real(1));
      return true;
    case Builtin::DivFloat:
      out = Value(in.real(0) / in.real(1));
      return true;
    case Builtin::RemFloat:
      out = Value(remainder(in.real(0), in.real(1)));
      return true;
    case Builtin::PowFloat:
      out = Value(std::pow(in.real(0), in.real(1)));
      return true;
    case Builtin::NegFloat:
      out = Value(-in.real(0));
      return true;
    case Builtin::IntToFloat:
      out = Value(static_cast<double>(in.integer(0)));
      return true;
    case Builtin::BoolToInt:
      out = Value(std::int64_t{in.truth(0) ? 1 : 0});
      return true;
    case Builtin::StringToInt:
      out = parse<std::int64_t>(in.text(0), "an int");
      return true;
    case Builtin::StringToFloat:
      out = parse<double>(in.text(0), "a float");
      return true;
    default:
      return applyMath(op, in, out);
  }
}

}  // namespace couler::ir::eval

#include <llvm/IR/Intrinsics.h>

#include "runtime/jit/llvm/emitter.h"

// What an operation computes, its operands being there. No instruction here may be undefined for
// any bits, since both sides of a condition are computed: divisors are made harmless, floats are
// brought into range before they become ints, and the error says that the result does not count.
namespace couler::jit {

using ir::Builtin;
using llvm::Value;

namespace {

constexpr std::int64_t kLeast = INT64_MIN;
constexpr std::int64_t kDayMicros = 86'400'000'000;
// 0001-01-01 and the last microsecond of 9999, as in ir/eval_quantities.cpp.
constexpr std::int64_t kFirstTime = -62'135'596'800'000'000;
constexpr std::int64_t kLastTime = 253'402'300'799'999'999;

}  // namespace

Cells Emitter::inlineOperation(const Expr& expr, const std::vector<Cells>& in) {
  Cells out;
  bool known = true;
  out = arithmetic(expr, in, known);
  if (!known) out = quantities(expr, in, known = true);
  if (!known) out = textOperation(expr, in, known = true);
  return out;
}

/// Sticky tests that a vectorised loop can do: the signs tell of an overflow.
Cells Emitter::sum(Value* a, Value* b) {
  Cells out;
  out.value = b_.CreateAdd(a, b);
  Value* signs = b_.CreateAnd(b_.CreateXor(a, out.value), b_.CreateXor(b, out.value));
  out.error = b_.CreateICmpSLT(signs, integer(0));
  return out;
}

Cells Emitter::difference(Value* a, Value* b) {
  Cells out;
  out.value = b_.CreateSub(a, b);
  Value* signs = b_.CreateAnd(b_.CreateXor(a, b), b_.CreateXor(a, out.value));
  out.error = b_.CreateICmpSLT(signs, integer(0));
  return out;
}

Cells Emitter::product(Value* a, Value* b) {
  Cells out;
  if (llvm::isa<llvm::ConstantInt>(a)) std::swap(a, b);
  if (const auto* factor = llvm::dyn_cast<llvm::ConstantInt>(b);
      factor != nullptr && factor->getSExtValue() > 0) {
    const std::int64_t by = factor->getSExtValue();
    out.value = b_.CreateMul(a, b);
    out.error = b_.CreateOr(b_.CreateICmpSGT(a, integer(INT64_MAX / by)),
                            b_.CreateICmpSLT(a, integer(kLeast / by)));
    return out;
  }
  if (vector_ && wideProducts_) {
    // What wraps is off by 2^64 at least; the product of the floats, by less than 2^14 where the
    // ints do not overflow, and by a 2^51st of the product where they do.
    out.value = b_.CreateMul(a, b);
    Value* about =
        b_.CreateFMul(b_.CreateSIToFP(a, b_.getDoubleTy()), b_.CreateSIToFP(b, b_.getDoubleTy()));
    Value* off = b_.CreateFSub(about, b_.CreateSIToFP(out.value, b_.getDoubleTy()));
    out.error = b_.CreateFCmpOGT(intrinsic(llvm::Intrinsic::fabs, {off}), real(0x1p62));
    return out;
  }
  Value* both = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smul_with_overflow, a, b);
  out.value = b_.CreateExtractValue(both, 0);
  out.error = b_.CreateExtractValue(both, 1);
  return out;
}

Cells Emitter::wholeOf(Value* x) {
  Cells out;
  Value* fits = b_.CreateAnd(b_.CreateFCmpOGE(x, real(-0x1p63)), b_.CreateFCmpOLT(x, real(0x1p63)));
  out.value = b_.CreateFPToSI(b_.CreateSelect(fits, x, real(0)), b_.getInt64Ty());
  out.error = b_.CreateNot(fits);
  return out;
}

/// Rounded down; `b` neither 0 nor -1.
Value* Emitter::floorDivide(Value* a, Value* b, bool remainder) {
  Value* rest = b_.CreateSRem(a, b);
  Value* off = b_.CreateAnd(b_.CreateICmpNE(rest, integer(0)),
                            b_.CreateICmpSLT(b_.CreateXor(rest, b), integer(0)));
  if (remainder) return b_.CreateAdd(rest, b_.CreateSelect(off, b, integer(0)));
  return b_.CreateSub(b_.CreateSDiv(a, b), b_.CreateZExt(off, b_.getInt64Ty()));
}

Cells Emitter::checkedSize(Cells size) {
  size.error = either(size.error, b_.CreateICmpSLT(size.value, integer(0)));
  return size;
}
Cells Emitter::checkedTime(Cells time) {
  Value* outside = b_.CreateOr(b_.CreateICmpSLT(time.value, integer(kFirstTime)),
                               b_.CreateICmpSGT(time.value, integer(kLastTime)));
  time.error = either(time.error, outside);
  return time;
}

Value* Emitter::compare(Builtin op, Kind kind, const Cells& a, const Cells& b) {
  using P = llvm::CmpInst::Predicate;
  if (kind == Kind::String) {
    Value* order = b_.CreateCall(textFunction("text_order"), {a.value, a.size, b.value, b.size});
    Value* zero = b_.getInt32(0);
    switch (op) {
      case Builtin::Less:
        return b_.CreateICmpSLT(order, zero);
      case Builtin::LessEqual:
        return b_.CreateICmpSLE(order, zero);
      case Builtin::Greater:
        return b_.CreateICmpSGT(order, zero);
      default:
        return b_.CreateICmpSGE(order, zero);
    }
  }
  const bool isFloat = kind == Kind::Float;
  switch (op) {
    case Builtin::Less:
      return b_.CreateCmp(isFloat ? P::FCMP_OLT : P::ICMP_SLT, a.value, b.value);
    case Builtin::LessEqual:
      return b_.CreateCmp(isFloat ? P::FCMP_OLE : P::ICMP_SLE, a.value, b.value);
    case Builtin::Greater:
      return b_.CreateCmp(isFloat ? P::FCMP_OGT : P::ICMP_SGT, a.value, b.value);
    default:
      return b_.CreateCmp(isFloat ? P::FCMP_OGE : P::ICMP_SGE, a.value, b.value);
  }
}

Value* Emitter::equalValues(const Expr& a, const Expr& b, const Cells& x, const Cells& y) {
  switch (a.kind) {
    case Kind::String:
      return textEquals(a, b, x, y);
    case Kind::Float:
      return b_.CreateFCmpOEQ(x.value, y.value);
    default:
      return b_.CreateICmpEQ(x.value, y.value);
  }
}

/// The first where it is NaN, else the second where that is, else the one that comes first (last).
Cells Emitter::lesser(Kind kind, const Cells& a, const Cells& b, bool greater) {
  using P = llvm::CmpInst::Predicate;
  Cells out;
  if (kind == Kind::Float) {
    Value* second = b_.CreateCmp(greater ? P::FCMP_UGT : P::FCMP_ULT, b.value, a.value);
    Value* first = b_.CreateFCmpUNO(a.value, a.value);
    out.value = b_.CreateSelect(b_.CreateAnd(b_.CreateNot(first), second), b.value, a.value);
  } else {
    Value* second = b_.CreateCmp(greater ? P::ICMP_SGT : P::ICMP_SLT, b.value, a.value);
    out.value = b_.CreateSelect(second, b.value, a.value);
  }
  return out;
}

Cells Emitter::arithmetic(const Expr& expr, const std::vector<Cells>& in, bool& known) {
  Cells out;
  Value* a = in.empty() ? nullptr : in[0].value;
  Value* b = in.size() < 2 ? nullptr : in[1].value;
  const auto kind = [&](std::size_t i) { return program_.exprs[expr.operands[i]].kind; };
  const auto rounded = [&](unsigned how) { return wholeOf(intrinsic(how, {a})); };
  switch (expr.op) {
    case Builtin::Not:
      out.value = b_.CreateNot(a);
      return out;
    case Builtin::Equal:
    case Builtin::NotEqual: {
      const Expr& left = program_.exprs[expr.operands[0]];
      const Expr& right = program_.exprs[expr.operands[1]];
      out.value = equalValues(left, right, in[0], in[1]);
      if (expr.op == Builtin::NotEqual) out.value = b_.CreateNot(out.value);
      return out;
    }
    case Builtin::Less:
    case Builtin::LessEqual:
    case Builtin::Greater:
    case Builtin::GreaterEqual:
      out.value = compare(expr.op, kind(0), in[0], in[1]);
      return out;
    case Builtin::AddInt:
      return sum(a, b);
    case Builtin::SubInt:
      return difference(a, b);
    case Builtin::MulInt:
      return product(a, b);
    case Builtin::NegInt:
      out.value = b_.CreateNeg(a);
      out.error = b_.CreateICmpEQ(a, integer(kLeast));
      return out;
    case Builtin::DivInt:
    case Builtin::RemInt: {
      const bool remainder = expr.op == Builtin::RemInt;
      Value* zero = b_.CreateICmpEQ(b, integer(0));
      Value* minus = b_.CreateICmpEQ(b, integer(-1));
      Value* safe = b_.CreateSelect(b_.CreateOr(zero, minus), integer(1), b);
      Value* byMinus = remainder ? integer(0) : b_.CreateNeg(a);
      out.value = b_.CreateSelect(minus, byMinus, floorDivide(a, safe, remainder));
      out.error = zero;
      if (!remainder) {
        out.error = b_.CreateOr(zero, b_.CreateAnd(minus, b_.CreateICmpEQ(a, integer(kLeast))));
      }
      return out;
    }
    case Builtin::AddFloat:
      out.value = b_.CreateFAdd(a, b);
      return out;
    case Builtin::SubFloat:
      out.value = b_.CreateFSub(a, b);
      return out;
    case Builtin::MulFloat:
      out.value = b_.CreateFMul(a, b);
      return out;
    case Builtin::DivFloat:
      out.value = b_.CreateFDiv(a, b);
      return out;
    case Builtin::NegFloat:
      out.value = b_.CreateFNeg(a);
      return out;
    case Builtin::IntToFloat:
      out.value = b_.CreateSIToFP(a, b_.getDoubleTy());
      return out;
    case Builtin::BoolToInt:
      out.value = b_.CreateZExt(a, b_.getInt64Ty());
      return out;
    case Builtin::FloatToInt:
    case Builtin::Trunc:
      return rounded(llvm::Intrinsic::trunc);
    case Builtin::Round:
      return rounded(llvm::Intrinsic::round);
    case Builtin::Floor:
      return rounded(llvm::Intrinsic::floor);
    case Builtin::Ceil:
      return rounded(llvm::Intrinsic::ceil);
    case Builtin::AbsFloat:
      out.value = intrinsic(llvm::Intrinsic::fabs, {a});
      return out;
    case Builtin::AbsInt:
    case Builtin::AbsDuration:
      out.value = b_.CreateSelect(b_.CreateICmpSLT(a, integer(0)), b_.CreateNeg(a), a);
      out.error = b_.CreateICmpEQ(a, integer(kLeast));
      return out;
    case Builtin::Sqrt:
      out.value = intrinsic(llvm::Intrinsic::sqrt, {a});
      return out;
    case Builtin::IsNan:
      out.value = b_.CreateFCmpUNO(a, a);
      return out;
    case Builtin::Min:
    case Builtin::Max:
      return lesser(kind(0), in[0], in[1], expr.op == Builtin::Max);
    case Builtin::Clamp:
      out = lesser(kind(0), lesser(kind(0), in[0], in[2], false), in[1], true);
      out.error = compare(Builtin::Greater, kind(0), in[1], in[2]);
      return out;
    case Builtin::Unwrap:
      out = in[0];
      out.error = in[0].valid == nullptr ? nullptr : b_.CreateNot(in[0].valid);
      out.valid = nullptr;
      return out;
    default:
      known = false;
      return out;
  }
}

Cells Emitter::quantities(const Expr& expr, const std::vector<Cells>& in, bool& known) {
  Cells out;
  Value* a = in.empty() ? nullptr : in[0].value;
  Value* b = in.size() < 2 ? nullptr : in[1].value;
  const auto toReal = [&](Value* n) { return b_.CreateSIToFP(n, b_.getDoubleTy()); };
  const auto scaled = [&](Value* amount, Value* factor) {
    return wholeOf(intrinsic(llvm::Intrinsic::round, {b_.CreateFMul(toReal(amount), factor)}));
  };
  const auto divided = [&](Value* amount, Value* by) {
    return wholeOf(intrinsic(llvm::Intrinsic::round, {b_.CreateFDiv(toReal(amount), by)}));
  };
  switch (expr.op) {
    case Builtin::AddDuration:
      return sum(a, b);
    case Builtin::AddSize:
      return checkedSize(sum(a, b));
    case Builtin::AddTimestamp:
      return checkedTime(sum(a, b));
    case Builtin::SubDuration:
    case Builtin::TimeBetween:
      return difference(a, b);
    case Builtin::SubSize:
      return checkedSize(difference(a, b));
    case Builtin::SubTimestamp:
      return checkedTime(difference(a, b));
    case Builtin::NegDuration:
      out.value = b_.CreateNeg(a);
      out.error = b_.CreateICmpEQ(a, integer(kLeast));
      return out;
    case Builtin::MulDurationInt:
    case Builtin::MulIntDuration:
      return product(a, b);
    case Builtin::MulSizeInt:
    case Builtin::MulIntSize:
      return checkedSize(product(a, b));
    case Builtin::MulDurationFloat:
      return scaled(a, b);
    case Builtin::MulFloatDuration:
      return scaled(b, a);
    case Builtin::MulSizeFloat:
      return checkedSize(scaled(a, b));
    case Builtin::MulFloatSize:
      return checkedSize(scaled(b, a));
    case Builtin::DivDurationFloat:
      return divided(a, b);
    case Builtin::DivSizeFloat:
      return checkedSize(divided(a, b));
    case Builtin::DivDuration:
    case Builtin::DivSize:
      out.value = b_.CreateFDiv(toReal(a), toReal(b));
      return out;
    case Builtin::Seconds:
      out.value = b_.CreateFDiv(toReal(a), real(1e6));
      return out;
    case Builtin::Bytes:
      out.value = a;
      return out;
    case Builtin::Year:
    case Builtin::Month:
    case Builtin::Day:
    case Builtin::Hour:
    case Builtin::Minute:
    case Builtin::Second:
      return calendar(expr.op, a);
    default:
      known = false;
      return out;
  }
}

/// Of a time within the years 1 to 9999; others are left to the evaluator. The date by Howard
/// Hinnant's days_from_civil, the other way round
/// (https://howardhinnant.github.io/date_algorithms.html).
Cells Emitter::calendar(Builtin op, Value* time) {
  Cells out;
  out.value = time;
  out = checkedTime(out);
  Value* inside = b_.CreateSelect(out.error, integer(0), time);
  // From the first midnight of year 1, so that nothing is below zero.
  Value* since = b_.CreateSub(inside, integer(kFirstTime));
  const auto whole = [&](std::int64_t by) { return b_.CreateUDiv(since, integer(by)); };
  if (op == Builtin::Hour || op == Builtin::Minute || op == Builtin::Second) {
    const std::int64_t unit = op == Builtin::Hour     ? 3'600'000'000
                              : op == Builtin::Minute ? 60'000'000
                                                      : 1'000'000;
    out.value = b_.CreateURem(whole(unit), integer(op == Builtin::Hour ? 24 : 60));
    return out;
  }
  const auto number = [&](std::uint32_t n) { return b_.getInt32(n); };
  const auto quotient = [&](Value* a, std::uint32_t by) { return b_.CreateUDiv(a, number(by)); };
  const auto times = [&](Value* a, std::uint32_t by) { return b_.CreateMul(a, number(by)); };
  // Days since 0000-03-01: year 1 begins 306 days after it.
  Value* days = b_.CreateAdd(b_.CreateTrunc(whole(kDayMicros), b_.getInt32Ty()), number(306));
  Value* era = quotient(days, 146'097);
  Value* dayOfEra = b_.CreateSub(days, times(era, 146'097));
  Value* fixed = b_.CreateSub(
      b_.CreateAdd(b_.CreateSub(dayOfEra, quotient(dayOfEra, 1'460)), quotient(dayOfEra, 36'524)),
      quotient(dayOfEra, 146'096));
  Value* yearOfEra = quotient(fixed, 365);
  Value* before = b_.CreateSub(b_.CreateAdd(times(yearOfEra, 365), quotient(yearOfEra, 4)),
                               quotient(yearOfEra, 100));
  Value* dayOfYear = b_.CreateSub(dayOfEra, before);  // from the first of March
  Value* month = quotient(b_.CreateAdd(times(dayOfYear, 5), number(2)), 153);
  Value* isLate = b_.CreateICmpUGE(month, number(10));  // January, February
  Value* result = nullptr;
  if (op == Builtin::Day) {
    Value* first = quotient(b_.CreateAdd(times(month, 153), number(2)), 5);
    result = b_.CreateAdd(b_.CreateSub(dayOfYear, first), number(1));
  } else if (op == Builtin::Month) {
    result =
        b_.CreateSelect(isLate, b_.CreateSub(month, number(9)), b_.CreateAdd(month, number(3)));
  } else {
    result = b_.CreateAdd(b_.CreateAdd(times(era, 400), yearOfEra),
                          b_.CreateZExt(isLate, b_.getInt32Ty()));
  }
  out.value = b_.CreateZExt(result, b_.getInt64Ty());
  return out;
}

}  // namespace couler::jit

#include "ir/eval.h"

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace couler::ir {
namespace {

using B = Builtin;
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max();

std::string show(const EvalResult& result) {
  if (const EvalError* error = std::get_if<EvalError>(&result)) return "error: " + error->message;
  return toSource(std::get<Value>(result));
}

std::string eval(B op, const std::vector<Value>& operands) {
  const std::vector<EvalResult> in(operands.begin(), operands.end());
  return show(apply(op, in, {}));
}

Value i(std::int64_t n) { return n; }
Value s(std::string text) { return text; }
Value ints(std::vector<std::int64_t> items) {
  return Value::list(ListItems(items.begin(), items.end()));
}
Value floats(std::vector<double> items) {
  return Value::list(ListItems(items.begin(), items.end()));
}
Value strings(std::vector<std::string> items) {
  return Value::list(ListItems(items.begin(), items.end()));
}
Value seconds(std::int64_t n) { return Duration{n * 1'000'000}; }
Value at(std::string_view text) { return *parseTimestamp(text); }
const double kNan = std::nan("");

TEST(EvalTest, TruthIsLazyAboutErrors) {
  const EvalResult bad = EvalError{"bad", {}};
  const auto lazy = [&](B op, const EvalResult& a, const EvalResult& b) {
    return show(apply(op, std::vector<EvalResult>{a, b}, {}));
  };
  EXPECT_EQ(lazy(B::Or, Value(true), bad), "true");
  EXPECT_EQ(lazy(B::Or, Value(false), bad), "error: bad");
  EXPECT_EQ(lazy(B::Or, bad, Value(true)), "error: bad");
  EXPECT_EQ(lazy(B::Or, Value(false), Value(true)), "true");
  EXPECT_EQ(lazy(B::And, Value(false), bad), "false");
  EXPECT_EQ(lazy(B::And, Value(true), bad), "error: bad");
  EXPECT_EQ(lazy(B::And, Value(true), Value(false)), "false");
  EXPECT_EQ(lazy(B::Coalesce, i(1), bad), "1");
  EXPECT_EQ(lazy(B::Coalesce, Value(), i(2)), "2");
  EXPECT_EQ(lazy(B::CoalesceOptional, Value(), Value()), "none");
  EXPECT_EQ(lazy(B::AddInt, i(1), bad), "error: bad");
  EXPECT_EQ(eval(B::Not, {true}), "false");
  EXPECT_EQ(eval(B::Unwrap, {i(1)}), "1");
  EXPECT_TRUE(eval(B::Unwrap, {Value()}).starts_with("error"));
}

TEST(EvalTest, Comparison) {
  EXPECT_EQ(eval(B::Equal, {i(1), i(1)}), "true");
  EXPECT_EQ(eval(B::Equal, {kNan, kNan}), "false");
  EXPECT_EQ(eval(B::Equal, {floats({kNan}), floats({kNan})}), "true");
  EXPECT_EQ(eval(B::Equal, {Value(), i(1)}), "false");
  EXPECT_EQ(eval(B::NotEqual, {kNan, kNan}), "true");
  EXPECT_EQ(eval(B::Less, {s("Z"), s("a")}), "true");
  EXPECT_EQ(eval(B::Less, {kNan, 1.0}), "false");
  EXPECT_EQ(eval(B::LessEqual, {seconds(1), seconds(1)}), "true");
  EXPECT_EQ(eval(B::Greater, {Size{2}, Size{1}}), "true");
  EXPECT_EQ(eval(B::GreaterEqual, {at("2024-01-01"), at("2024-01-02")}), "false");
  EXPECT_EQ(eval(B::InList, {i(2), ints({1, 2})}), "true");
  EXPECT_EQ(eval(B::InMap, {s("a"), Value::map({{"a", i(1)}})}), "true");
  EXPECT_EQ(eval(B::InString, {s("ell"), s("hello")}), "true");
}

TEST(EvalTest, IntArithmeticAtTheEdges) {
  EXPECT_EQ(eval(B::AddInt, {i(kGreatest), i(1)}),
            "error: overflow: 9223372036854775807 + 1 does not fit in an int");
  EXPECT_EQ(eval(B::NegInt, {i(kLeast)}),
            "error: overflow: 0 - -9223372036854775808 does not fit in an int");
  EXPECT_EQ(eval(B::DivInt, {i(kLeast), i(-1)}),
            "error: overflow: -9223372036854775808 div -1 does not fit in an int");
  EXPECT_EQ(eval(B::RemInt, {i(kLeast), i(-1)}), "0");
  EXPECT_EQ(eval(B::DivInt, {i(1), i(0)}), "error: division by zero: 1 div 0");
  EXPECT_EQ(eval(B::RemInt, {i(1), i(0)}), "error: division by zero: 1 % 0");
  EXPECT_EQ(eval(B::DivInt, {i(-7), i(2)}), "-4");
  EXPECT_EQ(eval(B::RemInt, {i(-7), i(2)}), "1");
  EXPECT_EQ(eval(B::RemInt, {i(7), i(-2)}), "-1");
  EXPECT_EQ(eval(B::PowInt, {i(2), i(62)}), "4611686018427387904");
  EXPECT_EQ(eval(B::PowInt, {i(-2), i(63)}), "(-9223372036854775807 - 1)");
  EXPECT_EQ(eval(B::PowInt, {i(2), i(63)}), "error: overflow: 2 ** 63 does not fit in an int");
  EXPECT_EQ(eval(B::PowInt, {i(0), i(0)}), "1");
  EXPECT_EQ(eval(B::PowInt, {i(-1), i(kGreatest)}), "-1");
  EXPECT_EQ(eval(B::PowInt, {i(2), i(-1)}),
            "error: 2 ** -1: the exponent of an int must not be negative");
  EXPECT_EQ(eval(B::AbsInt, {i(-3)}), "3");
  EXPECT_TRUE(eval(B::AbsInt, {i(kLeast)}).starts_with("error"));
}

/// What 128 bits say, where it fits in 64.
TEST(EvalTest, IntArithmeticAgreesWithWiderInts) {
  __extension__ using Wide = __int128;
  std::mt19937_64 random(7);
  const auto number = [&] {
    const auto n = static_cast<std::int64_t>(random()) >> (random() % 64);
    return random() % 16 == 0 ? (n < 0 ? kLeast : kGreatest) : n;
  };
  const auto floorDiv = [](Wide a, Wide b) {
    const Wide q = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
  };
  for (int round = 0; round < 200'000; ++round) {
    const std::int64_t a = number();
    const std::int64_t b = number();
    for (const B op : {B::AddInt, B::SubInt, B::MulInt, B::DivInt, B::RemInt}) {
      const EvalResult result = apply(op, std::vector<EvalResult>{i(a), i(b)}, {});
      Wide want = 0;
      bool fails = false;
      const Wide x = a;
      const Wide y = b;
      if (op == B::AddInt) want = x + y;
      if (op == B::SubInt) want = x - y;
      if (op == B::MulInt) want = x * y;
      if (op == B::DivInt || op == B::RemInt) {
        fails = b == 0;
        if (!fails) want = op == B::DivInt ? floorDiv(x, y) : x - y * floorDiv(x, y);
      }
      fails = fails || want < kLeast || want > kGreatest;
      ASSERT_EQ(std::holds_alternative<EvalError>(result), fails) << a << ' ' << b;
      if (!fails) {
        ASSERT_EQ(std::get<Value>(result), Value(static_cast<std::int64_t>(want))) << a << ' ' << b;
      }
    }
  }
}

TEST(EvalTest, FloatArithmetic) {
  EXPECT_EQ(eval(B::AddFloat, {0.1, 0.2}), "0.30000000000000004");
  EXPECT_EQ(eval(B::SubFloat, {1.0, 0.5}), "0.5");
  EXPECT_EQ(eval(B::MulFloat, {1e200, 1e200}), "float(\"inf\")");
  EXPECT_EQ(eval(B::DivFloat, {7.0, 2.0}), "3.5");
  EXPECT_EQ(eval(B::DivFloat, {1.0, 0.0}), "float(\"inf\")");
  EXPECT_EQ(eval(B::RemFloat, {-7.5, 2.0}), "0.5");
  EXPECT_EQ(eval(B::RemFloat, {6.0, -3.0}), "-0.0");
  EXPECT_EQ(eval(B::PowFloat, {2.0, 0.5}), "1.4142135623730951");
  EXPECT_EQ(eval(B::NegFloat, {0.0}), "-0.0");
  EXPECT_EQ(eval(B::Pow, {2.0, 10.0}), "1024.0");
  EXPECT_EQ(eval(B::Sqrt, {9.0}), "3.0");
  EXPECT_EQ(eval(B::Exp, {0.0}), "1.0");
  EXPECT_EQ(eval(B::Log, {1.0}), "0.0");
  EXPECT_EQ(eval(B::Log2, {8.0}), "3.0");
  EXPECT_EQ(eval(B::Log10, {1000.0}), "3.0");
  EXPECT_EQ(eval(B::Sin, {0.0}), "0.0");
  EXPECT_EQ(eval(B::Cos, {0.0}), "1.0");
  EXPECT_EQ(eval(B::AbsFloat, {-0.5}), "0.5");
  EXPECT_EQ(eval(B::IsNan, {kNan}), "true");
}

TEST(EvalTest, Conversion) {
  EXPECT_EQ(eval(B::IntToFloat, {i(3)}), "3.0");
  EXPECT_EQ(eval(B::FloatToInt, {-2.9}), "-2");
  EXPECT_EQ(eval(B::FloatToInt, {9223372036854775808.0}),
            "error: 9223372036854775808.0 does not fit in an int");
  EXPECT_EQ(eval(B::FloatToInt, {-9223372036854775808.0}), "(-9223372036854775807 - 1)");
  EXPECT_EQ(eval(B::FloatToInt, {kNan}), "error: nan does not fit in an int");
  EXPECT_EQ(eval(B::StringToInt, {s(" +12\n")}), "12");
  EXPECT_EQ(eval(B::StringToInt, {s("1.5")}), "error: `1.5` is not an int");
  EXPECT_EQ(eval(B::StringToInt, {s("9223372036854775808")}),
            "error: `9223372036854775808` does not fit in an int");
  EXPECT_EQ(eval(B::StringToFloat, {s("1e3")}), "1000.0");
  EXPECT_EQ(eval(B::StringToFloat, {s("")}), "error: `` is not a float");
  EXPECT_EQ(eval(B::BoolToInt, {true}), "1");
  EXPECT_EQ(eval(B::ToString, {1.0}), "\"1.0\"");
  EXPECT_EQ(eval(B::ToString, {seconds(90)}), "\"90 s\"");
  EXPECT_EQ(eval(B::Round, {2.5}), "3");
  EXPECT_EQ(eval(B::Round, {-2.5}), "-3");
  EXPECT_EQ(eval(B::RoundTo, {2.675, i(2)}), "2.67");
  EXPECT_EQ(eval(B::RoundTo, {1.0, i(-1)}), "error: round to -1 digits: it must be 0 to 300");
  EXPECT_EQ(eval(B::Floor, {-0.5}), "-1");
  EXPECT_EQ(eval(B::Ceil, {0.5}), "1");
  EXPECT_EQ(eval(B::Trunc, {-1.5}), "-1");
}

TEST(EvalTest, ExtremesAndSums) {
  EXPECT_EQ(eval(B::Min, {i(2), i(1)}), "1");
  EXPECT_EQ(eval(B::Max, {1.0, kNan}), "float(\"nan\")");
  EXPECT_EQ(eval(B::MinList, {strings({"b", "a"})}), "\"a\"");
  EXPECT_EQ(eval(B::MaxList, {floats({1, kNan, 3})}), "float(\"nan\")");
  EXPECT_EQ(eval(B::MaxList, {ints({})}), "error: `max` of an empty list");
  EXPECT_EQ(eval(B::Clamp, {i(12), i(0), i(10)}), "10");
  EXPECT_EQ(eval(B::Clamp, {i(-1), i(0), i(10)}), "0");
  EXPECT_EQ(eval(B::Clamp, {i(1), i(2), i(0)}), "error: `clamp` between 2 and 0, which is less");
  EXPECT_EQ(eval(B::SumInt, {ints({1, 2, 3})}), "6");
  EXPECT_EQ(eval(B::SumInt, {ints({kGreatest, 1})}),
            "error: overflow: the sum does not fit in an int");
  EXPECT_EQ(eval(B::SumFloat, {floats({})}), "0.0");
  EXPECT_EQ(eval(B::SumDuration, {Value::list({seconds(30), seconds(30)})}), "1 min");
  EXPECT_EQ(eval(B::SumSize, {Value::list({Size{1}, Size{2}})}), "3 B");
  EXPECT_EQ(eval(B::MeanInt, {ints({1, 2})}), "1.5");
  EXPECT_EQ(eval(B::MeanFloat, {floats({})}), "error: `mean` of an empty list");
}

TEST(EvalTest, Quantities) {
  EXPECT_EQ(eval(B::AddDuration, {seconds(30), seconds(30)}), "1 min");
  EXPECT_EQ(eval(B::SubDuration, {seconds(30), seconds(90)}), "-1 min");
  EXPECT_EQ(eval(B::NegDuration, {seconds(1)}), "-1 s");
  EXPECT_EQ(eval(B::AbsDuration, {seconds(-1)}), "1 s");
  EXPECT_TRUE(eval(B::AbsDuration, {Duration{kLeast}}).starts_with("error: overflow"));
  EXPECT_EQ(eval(B::MulDurationInt, {seconds(1), i(60)}), "1 min");
  EXPECT_EQ(eval(B::MulIntDuration, {i(60), seconds(1)}), "1 min");
  EXPECT_EQ(eval(B::MulDurationFloat, {seconds(1), 1.5}), "1500 ms");
  EXPECT_EQ(eval(B::MulFloatDuration, {1e30, seconds(1)}),
            "error: overflow: the duration is over 290,000 years");
  EXPECT_EQ(eval(B::DivDuration, {seconds(3), seconds(2)}), "1.5");
  EXPECT_EQ(eval(B::DivDurationFloat, {seconds(3), 2.0}), "1500 ms");
  EXPECT_TRUE(eval(B::DivDurationFloat, {seconds(3), 0.0}).starts_with("error: overflow"));
  EXPECT_EQ(eval(B::Seconds, {Duration{1'500'000}}), "1.5");
  EXPECT_EQ(eval(B::AddSize, {Size{512}, Size{512}}), "1 KiB");
  EXPECT_EQ(eval(B::SubSize, {Size{1}, Size{2}}), "error: the size would be below zero");
  EXPECT_EQ(eval(B::MulSizeInt, {Size{kGreatest}, i(2)}),
            "error: overflow: the size is over 8 EiB");
  EXPECT_EQ(eval(B::MulIntSize, {i(2), Size{512}}), "1 KiB");
  EXPECT_EQ(eval(B::MulSizeFloat, {Size{1024}, 0.5}), "512 B");
  EXPECT_EQ(eval(B::MulFloatSize, {0.5, Size{1024}}), "512 B");
  EXPECT_EQ(eval(B::DivSize, {Size{1}, Size{2}}), "0.5");
  EXPECT_EQ(eval(B::DivSizeFloat, {Size{1024}, 2.0}), "512 B");
  EXPECT_EQ(eval(B::Bytes, {Size{7}}), "7");
}

TEST(EvalTest, Time) {
  const Value noon = at("2024-03-01T12:34:56.000789Z");
  EXPECT_EQ(eval(B::AddTimestamp, {noon, seconds(86400)}),
            "timestamp(\"2024-03-02T12:34:56.000789Z\")");
  EXPECT_EQ(eval(B::SubTimestamp, {at("2024-03-01"), seconds(1)}),
            "timestamp(\"2024-02-29T23:59:59Z\")");
  EXPECT_EQ(eval(B::AddTimestamp, {at("9999-12-31"), seconds(86400)}),
            "error: the time is not within the years 1 to 9999");
  EXPECT_EQ(eval(B::TimeBetween, {at("2024-03-02"), at("2024-03-01")}), "1 d");
  EXPECT_EQ(eval(B::StringToTimestamp, {s("2024-03-01")}), "timestamp(\"2024-03-01T00:00:00Z\")");
  EXPECT_TRUE(
      eval(B::StringToTimestamp, {s("yesterday")}).starts_with("error: `yesterday` is not"));
  EXPECT_EQ(eval(B::FormatTimestamp, {noon, s("%Y%m%d %H:%M:%S.%f %j %%")}),
            "\"20240301 12:34:56.000789 061 %\"");
  EXPECT_TRUE(
      eval(B::FormatTimestamp, {noon, s("%q")}).starts_with("error: `%q` in a time pattern"));
  EXPECT_TRUE(eval(B::FormatTimestamp, {noon, s("%")}).starts_with("error: `%` in a time pattern"));
  EXPECT_EQ(eval(B::Year, {noon}), "2024");
  EXPECT_EQ(eval(B::Month, {noon}), "3");
  EXPECT_EQ(eval(B::Day, {noon}), "1");
  EXPECT_EQ(eval(B::Hour, {noon}), "12");
  EXPECT_EQ(eval(B::Minute, {noon}), "34");
  EXPECT_EQ(eval(B::Second, {noon}), "56");
}

TEST(EvalTest, Text) {
  const Value word = s("h\u00e9llo");
  EXPECT_EQ(eval(B::AddString, {s("a"), s("b")}), "\"ab\"");
  EXPECT_EQ(eval(B::Concat, {s("a"), s("b"), s("c"), s("d"), s("e")}), "\"abcde\"");
  EXPECT_EQ(eval(B::Concat, {}), "\"\"");
  EXPECT_EQ(eval(B::LengthString, {word}), "5");
  EXPECT_EQ(eval(B::Upper, {s("h\u00e9\u0436\u00df")}), toSource(s("H\u00c9\u0416\u00df")));
  EXPECT_EQ(eval(B::Lower, {s("H\u00c9\u0416\u03a3")}), toSource(s("h\u00e9\u0436\u03c3")));
  EXPECT_EQ(eval(B::Trim, {s(" \t\u00a0a b\u3000\n")}), "\"a b\"");
  EXPECT_EQ(eval(B::Trim, {s(" ")}), "\"\"");
  EXPECT_EQ(eval(B::Split, {s("a,,b"), s(",")}), R"(["a", "", "b"])");
  EXPECT_EQ(eval(B::Split, {s(""), s(",")}), R"([""])");
  EXPECT_EQ(eval(B::Split, {s("a"), s("")}), "error: `split` by an empty text");
  EXPECT_EQ(eval(B::SplitSpace, {s("  a\tb ")}), R"(["a", "b"])");
  EXPECT_EQ(eval(B::Lines, {s("a\r\n\nb\n")}), R"(["a", "", "b"])");
  EXPECT_EQ(eval(B::Lines, {s("")}), "[]");
  EXPECT_EQ(eval(B::Join, {strings({"a", "b"}), s(", ")}), "\"a, b\"");
  EXPECT_EQ(eval(B::Join, {strings({}), s(",")}), "\"\"");
  EXPECT_EQ(eval(B::Replace, {s("aaa"), s("aa"), s("b")}), "\"ba\"");
  EXPECT_EQ(eval(B::Replace, {s("a"), s(""), s("b")}), "error: `replace` of an empty text");
  EXPECT_EQ(eval(B::Contains, {s("abc"), s("")}), "true");
  EXPECT_EQ(eval(B::StartsWith, {s("abc"), s("ab")}), "true");
  EXPECT_EQ(eval(B::EndsWith, {s("abc"), s("ab")}), "false");
  EXPECT_EQ(eval(B::CountText, {s("aaaa"), s("aa")}), "2");
  EXPECT_EQ(eval(B::CountText, {s("a"), s("")}), "error: `count` of an empty text");
  EXPECT_EQ(eval(B::Substring, {word, i(1), i(3)}), toSource(s("\u00e9l")));
  EXPECT_EQ(eval(B::Substring, {word, i(3), i(99)}), "\"lo\"");
  EXPECT_EQ(eval(B::Substring, {word, i(3), i(1)}), "\"\"");
  EXPECT_TRUE(eval(B::Substring, {word, i(-1), i(1)}).starts_with("error"));
  EXPECT_EQ(eval(B::SubstringFrom, {word, i(4)}), "\"o\"");
  EXPECT_EQ(eval(B::Repeat, {s("ab"), i(2)}), "\"abab\"");
  EXPECT_EQ(eval(B::Repeat, {s(""), i(kGreatest)}), "\"\"");
  EXPECT_EQ(eval(B::Repeat, {s("ab"), i(kGreatest)}),
            "error: the text is longer than the 64 MiB that one may have");
  EXPECT_EQ(eval(B::PadLeft, {s("7"), i(3)}), "\"  7\"");
  EXPECT_EQ(eval(B::PadLeftWith, {s("7"), i(3), s("0")}), "\"007\"");
  EXPECT_TRUE(eval(B::PadLeftWith, {s("7"), i(3), s("00")}).starts_with("error"));
  EXPECT_EQ(eval(B::PadRight, {word, i(6)}), toSource(s("h\u00e9llo ")));
  EXPECT_EQ(eval(B::ReverseString, {word}), toSource(s("oll\u00e9h")));
}

TEST(EvalTest, Patterns) {
  EXPECT_EQ(eval(B::Matches, {s("see http://x"), s("https?://")}), "true");
  EXPECT_EQ(eval(B::Matches, {s("x"), s("^y$")}), "false");
  EXPECT_TRUE(
      eval(B::Matches, {s("x"), s("(")}).starts_with("error: malformed regular expression `(`"));
  EXPECT_EQ(eval(B::Find, {s("a12b3"), s("[0-9]+")}), "\"12\"");
  EXPECT_EQ(eval(B::Find, {s("ab"), s("[0-9]+")}), "none");
  EXPECT_EQ(eval(B::FindAll, {s("a12b3"), s("[0-9]+")}), R"(["12", "3"])");
  EXPECT_EQ(eval(B::FindAll, {s("\u00e9b"), s("x*")}), R"(["", "", ""])");
  EXPECT_EQ(eval(B::Extract, {s("v=12"), s("v=([0-9]+)")}), "\"12\"");
  EXPECT_EQ(eval(B::Extract, {s("b"), s("(a)|b")}), "none");
  EXPECT_TRUE(eval(B::Extract, {s("b"), s("b")}).starts_with("error: `b` has no group"));
  EXPECT_EQ(eval(B::ReplaceAll, {s("a1b2"), s("([a-z])([0-9])"), s("\\2\\1")}), "\"1a2b\"");
  EXPECT_TRUE(eval(B::ReplaceAll, {s("a"), s("a"), s("\\1")}).starts_with("error"));
}

TEST(EvalTest, Lists) {
  EXPECT_EQ(eval(B::Range, {i(2), i(5)}), "[2, 3, 4]");
  EXPECT_EQ(eval(B::Range, {i(5), i(2)}), "[]");
  EXPECT_EQ(
      eval(B::Range, {i(kLeast), i(kGreatest)}),
      "error: a list of 18446744073709551615 items is longer than the 4000000 that one may have");
  EXPECT_EQ(eval(B::RangeTo, {i(3)}), "[0, 1, 2]");
  EXPECT_EQ(eval(B::RangeFromTo, {i(1), i(3)}), "[1, 2]");
  EXPECT_EQ(eval(B::RangeStep, {i(5), i(0), i(-2)}), "[5, 3, 1]");
  EXPECT_EQ(eval(B::RangeStep, {i(kGreatest), i(kLeast), i(kLeast)}), "[9223372036854775807, -1]");
  EXPECT_EQ(eval(B::RangeStep, {i(0), i(1), i(0)}), "error: `range` with a step of 0");
  EXPECT_EQ(eval(B::Index, {ints({1, 2}), i(1)}), "2");
  EXPECT_EQ(eval(B::Index, {ints({1, 2}), i(2)}), "error: index 2 of a list of 2 items");
  EXPECT_EQ(eval(B::Index, {ints({1}), i(-1)}), "error: index -1 of a list of 1 item");
  EXPECT_EQ(eval(B::GetItem, {ints({1}), i(-1)}), "none");
  EXPECT_EQ(eval(B::LengthList, {ints({1, 2})}), "2");
  EXPECT_EQ(eval(B::Sort, {floats({2, kNan, 1})}), "[1.0, 2.0, float(\"nan\")]");
  EXPECT_EQ(eval(B::Sort, {strings({"b", "a"})}), R"(["a", "b"])");
  EXPECT_EQ(eval(B::Distinct, {ints({2, 1, 2, 1})}), "[2, 1]");
  EXPECT_EQ(eval(B::ReverseList, {ints({1, 2})}), "[2, 1]");
  EXPECT_EQ(eval(B::Flatten, {Value::list({ints({1}), ints({}), ints({2})})}), "[1, 2]");
  EXPECT_EQ(eval(B::ConcatLists, {ints({1}), ints({2})}), "[1, 2]");
  EXPECT_EQ(eval(B::SpreadList, {ints({1}), ints({}), ints({2})}), "[1, 2]");
  EXPECT_EQ(eval(B::MakeList, {i(1), i(2)}), "[1, 2]");
  EXPECT_EQ(eval(B::Append, {ints({1}), i(2)}), "[1, 2]");
  EXPECT_EQ(eval(B::First, {ints({1, 2})}), "1");
  EXPECT_EQ(eval(B::First, {ints({})}), "none");
  EXPECT_EQ(eval(B::Last, {ints({1, 2})}), "2");
  EXPECT_EQ(eval(B::Take, {ints({1, 2}), i(5)}), "[1, 2]");
  EXPECT_EQ(eval(B::Take, {ints({1, 2}), i(1)}), "[1]");
  EXPECT_TRUE(eval(B::Take, {ints({1}), i(-1)}).starts_with("error"));
  EXPECT_EQ(eval(B::Drop, {ints({1, 2}), i(1)}), "[2]");
  EXPECT_EQ(eval(B::Slice, {ints({1, 2, 3}), i(1), i(2)}), "[2]");
  EXPECT_EQ(eval(B::Slice, {ints({1, 2, 3}), i(2), i(1)}), "[]");
  EXPECT_EQ(eval(B::Zip, {ints({1}), strings({"x"})}), "[(a: 1, b: \"x\")]");
  EXPECT_EQ(eval(B::Zip, {ints({1}), ints({})}), "error: `zip` of 1 item with 0");
  EXPECT_EQ(eval(B::Enumerate, {strings({"x"})}), "[(index: 0, item: \"x\")]");
  EXPECT_EQ(eval(B::IndexOf, {ints({5, 6}), i(6)}), "1");
  EXPECT_EQ(eval(B::IndexOf, {ints({5}), i(6)}), "none");
  EXPECT_EQ(eval(B::Any, {Value::list({})}), "false");
  EXPECT_EQ(eval(B::Any, {Value::list({false, true})}), "true");
  EXPECT_EQ(eval(B::All, {Value::list({})}), "true");
  EXPECT_EQ(eval(B::All, {Value::list({false, true})}), "false");
}

TEST(EvalTest, MapsAndRecords) {
  const Value map = Value::map({{"b", i(2)}, {"a", i(1)}});
  EXPECT_EQ(eval(B::MakeMap, {s("b"), i(2), s("a"), i(1), s("b"), i(3)}), R"(["a": 1, "b": 3])");
  EXPECT_EQ(eval(B::IndexMap, {map, s("a")}), "1");
  EXPECT_EQ(eval(B::IndexMap, {map, s("c")}), "error: the map has no key `c`");
  EXPECT_EQ(eval(B::Get, {map, s("c")}), "none");
  EXPECT_EQ(eval(B::Has, {map, s("b")}), "true");
  EXPECT_EQ(eval(B::LengthMap, {map}), "2");
  EXPECT_EQ(eval(B::Keys, {map}), R"(["a", "b"])");
  EXPECT_EQ(eval(B::Values, {map}), "[1, 2]");
  EXPECT_EQ(eval(B::Entries, {map}), R"([(key: "a", value: 1), (key: "b", value: 2)])");

  TypeTable types;
  const TypeId pair = types.record({{"x", TypeTable::kInt}, {"y", TypeTable::kString}});
  const std::vector<EvalResult> operands = {i(1), s("z")};
  EXPECT_EQ(show(apply(B::MakeRecord, operands, {}, pair, &types)), "(x: 1, y: \"z\")");
  EXPECT_TRUE(show(apply(B::MakeRecord, operands, {})).starts_with("error"));
}

TEST(EvalTest, Paths) {
  EXPECT_EQ(eval(B::MakeFile, {s("a.csv")}), "file(\"a.csv\")");
  EXPECT_EQ(eval(B::MakeFile, {s("")}), "error: `` is not a path");
  EXPECT_EQ(eval(B::MakeDir, {s("a")}), "dir(\"a\")");
  EXPECT_EQ(eval(B::Basename, {s("a/b/c.tar.gz")}), "\"c.tar.gz\"");
  EXPECT_EQ(eval(B::Basename, {s("a/b/")}), "\"b\"");
  EXPECT_EQ(eval(B::Basename, {s("/")}), "\"\"");
  EXPECT_EQ(eval(B::Basename, {FileRef{"x/y.csv", "", false}}), "\"y.csv\"");
  EXPECT_EQ(eval(B::Stem, {s("a/c.tar.gz")}), "\"c.tar\"");
  EXPECT_EQ(eval(B::Stem, {s(".bashrc")}), "\".bashrc\"");
  EXPECT_EQ(eval(B::Extension, {s("a.b/c")}), "\"\"");
  EXPECT_EQ(eval(B::Extension, {s("c.tar.gz")}), "\".gz\"");
  EXPECT_EQ(eval(B::Extension, {s("..")}), "\"\"");
  EXPECT_EQ(eval(B::Parent, {s("a/b/c")}), "\"a/b\"");
  EXPECT_EQ(eval(B::Parent, {s("/c")}), "\"/\"");
  EXPECT_EQ(eval(B::Parent, {s("c")}), "\"\"");
  EXPECT_EQ(eval(B::Glob, {s("*.csv")}), "error: `glob` has no value here");
}

TEST(EvalTest, Hashes) {
  EXPECT_EQ(eval(B::Hash, {i(1)}).size(), 66U);
  EXPECT_NE(eval(B::Hash, {i(1)}), eval(B::Hash, {s("1")}));
}

/// Operands that no checked program gives: an error, never worse.
TEST(EvalTest, WrongOperandsAreErrors) {
  const std::vector<Value> samples = {Value(),
                                      true,
                                      i(1),
                                      1.5,
                                      s("x"),
                                      seconds(1),
                                      Size{1},
                                      Timestamp{0},
                                      ints({1}),
                                      Value::map({{"a", i(1)}}),
                                      Value::record({{"a", i(1)}}),
                                      Value::list({ints({1}), i(1)})};
  for (const BuiltinInfo& row : builtinTable()) {
    for (std::size_t count = 0; count <= 3; ++count) {
      for (const Value& a : samples) {
        for (const Value& b : samples) {
          std::vector<EvalResult> operands;
          for (std::size_t k = 0; k < count; ++k) operands.push_back(k == 1 ? b : a);
          const EvalResult result = apply(row.id, operands, {});
          if (const EvalError* error = std::get_if<EvalError>(&result)) {
            EXPECT_FALSE(error->message.empty());
          }
        }
      }
    }
  }
}

TEST(EvalTest, EveryRowIsNamedInTheTests) {
  std::string text;
  for (const char* name : {"drift_test.cpp", "eval_test.cpp", "rows_test.cpp", "search_test.cpp"}) {
    std::ifstream file(std::string(COULER_SOURCE_DIR "/tests/unit/ir/") + name, std::ios::binary);
    ASSERT_TRUE(file);
    text.append(std::istreambuf_iterator<char>(file), {});
  }
  for (const BuiltinInfo& row : builtinTable()) {
    const std::string word = "B::" + std::string(row.enumerator);
    EXPECT_TRUE(text.find(word + ",") != std::string::npos) << row.enumerator;
  }
}

}  // namespace
}  // namespace couler::ir

#include <chrono>
#include <cmath>

#include "ir/eval_internal.h"

// Durations, sizes and timestamps.
namespace couler::ir::eval {

namespace {

// 0001-01-01 and the last microsecond of 9999, the years that the text form has.
constexpr std::int64_t kFirstTime = -62'135'596'800'000'000;
constexpr std::int64_t kLastTime = 253'402'300'799'999'999;

EvalResult durationResult(bool overflowed, std::int64_t micros) {
  if (overflowed) return fail("overflow: the duration is over 290,000 years");
  return Value(Duration{micros});
}

EvalResult sizeResult(bool overflowed, std::int64_t bytes) {
  if (overflowed) return fail("overflow: the size is over 8 EiB");
  if (bytes < 0) return fail("the size would be below zero");
  return Value(Size{bytes});
}

EvalResult timeResult(bool overflowed, std::int64_t micros) {
  if (overflowed || micros < kFirstTime || micros > kLastTime) {
    return fail("the time is not within the years 1 to 9999");
  }
  return Value(Timestamp{micros});
}

/// `amount * factor`, rounded; the flag says that it does not fit.
std::pair<bool, std::int64_t> scale(std::int64_t amount, double factor) {
  const double scaled = std::round(static_cast<double>(amount) * factor);
  const EvalResult whole = toInt(scaled);
  const Value* value = std::get_if<Value>(&whole);
  if (value == nullptr) return {true, 0};
  return {false, *value->as<std::int64_t>()};
}
std::pair<bool, std::int64_t> divide(std::int64_t amount, double by) {
  const EvalResult whole = toInt(std::round(static_cast<double>(amount) / by));
  const Value* value = std::get_if<Value>(&whole);
  if (value == nullptr) return {true, 0};
  return {false, *value->as<std::int64_t>()};
}

struct Civil {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::microseconds> clock;
  int dayOfYear;
};

Civil civil(Timestamp time) {
  using namespace std::chrono;
  const sys_time<microseconds> point{microseconds{time.micros}};
  const sys_days midnight = floor<days>(point);
  const year_month_day date{midnight};
  const sys_days newYear{date.year() / January / 1};
  return {date, hh_mm_ss<microseconds>{point - midnight},
          static_cast<int>((midnight - newYear).count()) + 1};
}

EvalResult formatTime(Timestamp time, std::string_view pattern) {
  const Civil c = civil(time);
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      out += pattern[i];
      continue;
    }
    const char code = ++i < pattern.size() ? pattern[i] : '\0';
    switch (code) {
      case 'Y':
        out += fmt::format("{:04}", static_cast<int>(c.date.year()));
        break;
      case 'm':
        out += fmt::format("{:02}", static_cast<unsigned>(c.date.month()));
        break;
      case 'd':
        out += fmt::format("{:02}", static_cast<unsigned>(c.date.day()));
        break;
      case 'H':
        out += fmt::format("{:02}", c.clock.hours().count());
        break;
      case 'M':
        out += fmt::format("{:02}", c.clock.minutes().count());
        break;
      case 'S':
        out += fmt::format("{:02}", c.clock.seconds().count());
        break;
      case 'f':
        out += fmt::format("{:06}", c.clock.subseconds().count());
        break;
      case 'j':
        out += fmt::format("{:03}", c.dayOfYear);
        break;
      case '%':
        out += '%';
        break;
      default:
        return fail("`{}` in a time pattern: it must be one of %Y %m %d %H %M %S %f %j %%",
                    pattern.substr(i - 1, 2));
    }
  }
  return textResult(std::move(out));
}

bool applyTime(Builtin op, const Operands& in, EvalResult& out) {
  const auto time = [&](std::size_t i) { return in.as<Timestamp>(i); };
  const auto whole = [&](auto n) {
    out = Value(static_cast<std::int64_t>(n));
    return true;
  };
  std::int64_t n = 0;
  switch (op) {
    case Builtin::AddTimestamp: {
      const bool bad = __builtin_add_overflow(time(0).micros, in.as<Duration>(1).micros, &n);
      out = timeResult(bad, n);
      return true;
    }
    case Builtin::SubTimestamp: {
      const bool bad = __builtin_sub_overflow(time(0).micros, in.as<Duration>(1).micros, &n);
      out = timeResult(bad, n);
      return true;
    }
    case Builtin::TimeBetween: {
      const bool bad = __builtin_sub_overflow(time(0).micros, time(1).micros, &n);
      out = durationResult(bad, n);
      return true;
    }
    case Builtin::StringToTimestamp: {
      const std::optional<Timestamp> parsed = parseTimestamp(in.text(0));
      if (parsed) {
        out = Value(*parsed);
      } else {
        out = fail("`{}` is not a time such as `2024-05-01T12:00:00Z`", in.text(0));
      }
      return true;
    }
    case Builtin::FormatTimestamp:
      out = formatTime(time(0), in.text(1));
      return true;
    case Builtin::Year:
      return whole(static_cast<int>(civil(time(0)).date.year()));
    case Builtin::Month:
      return whole(static_cast<unsigned>(civil(time(0)).date.month()));
    case Builtin::Day:
      return whole(static_cast<unsigned>(civil(time(0)).date.day()));
    case Builtin::Hour:
      return whole(civil(time(0)).clock.hours().count());
    case Builtin::Minute:
      return whole(civil(time(0)).clock.minutes().count());
    case Builtin::Second:
      return whole(civil(time(0)).clock.seconds().count());
    default:
      return false;
  }
}

bool applySize(Builtin op, const Operands& in, EvalResult& out) {
  const auto bytes = [&](std::size_t i) { return in.as<Size>(i).bytes; };
  const auto give = [&](std::pair<bool, std::int64_t> result) {
    out = sizeResult(result.first, result.second);
    return true;
  };
  std::int64_t n = 0;
  switch (op) {
    case Builtin::AddSize: {
      const bool bad = __builtin_add_overflow(bytes(0), bytes(1), &n);
      return give({bad, n});
    }
    case Builtin::SubSize: {
      const bool bad = __builtin_sub_overflow(bytes(0), bytes(1), &n);
      return give({bad, n});
    }
    case Builtin::MulSizeInt: {
      const bool bad = __builtin_mul_overflow(bytes(0), in.integer(1), &n);
      return give({bad, n});
    }
    case Builtin::MulIntSize: {
      const bool bad = __builtin_mul_overflow(in.integer(0), bytes(1), &n);
      return give({bad, n});
    }
    case Builtin::MulSizeFloat:
      return give(scale(bytes(0), in.real(1)));
    case Builtin::MulFloatSize:
      return give(scale(bytes(1), in.real(0)));
    case Builtin::DivSizeFloat:
      return give(divide(bytes(0), in.real(1)));
    case Builtin::DivSize:
      out = Value(static_cast<double>(bytes(0)) / static_cast<double>(bytes(1)));
      return true;
    case Builtin::Bytes:
      out = Value(bytes(0));
      return true;
    default:
      return applyTime(op, in, out);
  }
}

}  // namespace

bool applyQuantities(Builtin op, const Operands& in, EvalResult& out) {
  const auto micros = [&](std::size_t i) { return in.as<Duration>(i).micros; };
  const auto give = [&](std::pair<bool, std::int64_t> result) {
    out = durationResult(result.first, result.second);
    return true;
  };
  std::int64_t n = 0;
  switch (op) {
    case Builtin::AddDuration: {
      const bool bad = __builtin_add_overflow(micros(0), micros(1), &n);
      return give({bad, n});
    }
    case Builtin::SubDuration: {
      const bool bad = __builtin_sub_overflow(micros(0), micros(1), &n);
      return give({bad, n});
    }
    case Builtin::NegDuration: {
      const bool bad = __builtin_sub_overflow(std::int64_t{0}, micros(0), &n);
      return give({bad, n});
    }
    case Builtin::AbsDuration: {
      const bool bad = micros(0) < 0 && __builtin_sub_overflow(std::int64_t{0}, micros(0), &n);
      return give({bad, micros(0) < 0 ? n : micros(0)});
    }
    case Builtin::MulDurationInt: {
      const bool bad = __builtin_mul_overflow(micros(0), in.integer(1), &n);
      return give({bad, n});
    }
    case Builtin::MulIntDuration: {
      const bool bad = __builtin_mul_overflow(in.integer(0), micros(1), &n);
      return give({bad, n});
    }
    case Builtin::MulDurationFloat:
      return give(scale(micros(0), in.real(1)));
    case Builtin::MulFloatDuration:
      return give(scale(micros(1), in.real(0)));
    case Builtin::DivDurationFloat:
      return give(divide(micros(0), in.real(1)));
    case Builtin::DivDuration:
      out = Value(static_cast<double>(micros(0)) / static_cast<double>(micros(1)));
      return true;
    case Builtin::Seconds:
      out = Value(static_cast<double>(micros(0)) / 1e6);
      return true;
    default:
      return applySize(op, in, out);
  }
}

}  // namespace couler::ir::eval

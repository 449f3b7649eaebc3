#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "ir/drift.h"
#include "ir/eval_internal.h"

namespace couler::ir::eval {

namespace {

EvalResult range(std::int64_t from, std::int64_t to, std::int64_t step) {
  if (step == 0) return fail("`range` with a step of 0");
  const bool empty = step > 0 ? from >= to : from <= to;
  if (empty) return Value::list({});
  // Unsigned, since the distance of two ints may not fit in one; `0 - step` also for the least int.
  const auto at = [](std::int64_t n) { return static_cast<std::uint64_t>(n); };
  const std::uint64_t distance = step > 0 ? at(to) - at(from) : at(from) - at(to);
  const std::uint64_t stride = step > 0 ? at(step) : std::uint64_t{0} - at(step);
  const std::uint64_t count = (distance - 1) / stride + 1;
  if (count > kMaxItems) return tooLong(count);
  ListItems items;
  items.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t value = step > 0 ? at(from) + i * stride : at(from) - i * stride;
    items.emplace_back(static_cast<std::int64_t>(value));
  }
  return Value::list(std::move(items));
}

/// The items of all lists, one list after the other.
EvalResult concat(const std::vector<const ListItems*>& lists) {
  std::size_t total = 0;
  for (const ListItems* list : lists) total += list->size();
  if (total > kMaxItems) return tooLong(total);
  ListItems items;
  items.reserve(total);
  for (const ListItems* list : lists) items.insert(items.end(), list->begin(), list->end());
  return Value::list(std::move(items));
}

EvalResult part(const ListItems& items, std::int64_t from, std::int64_t to) {
  if (from < 0 || to < 0)
    return fail("items {} to {} of a list: neither may be negative", from, to);
  const auto size = static_cast<std::int64_t>(items.size());
  const std::int64_t first = std::min(from, size);
  const std::int64_t last = std::max(first, std::min(to, size));
  return Value::list(ListItems(items.begin() + first, items.begin() + last));
}

/// NaN after all others, so that this is an order.
bool before(const Value& a, const Value& b) {
  const double* x = a.as<double>();
  const double* y = b.as<double>();
  if (x != nullptr && y != nullptr && (std::isnan(*x) || std::isnan(*y))) {
    return !std::isnan(*x) && std::isnan(*y);
  }
  return compare(a, b) < 0;
}

bool isNan(const Value& value) {
  const double* x = value.as<double>();
  return x != nullptr && std::isnan(*x);
}

const Value& lesser(const Value& a, const Value& b) {
  return isNan(a) ? a : isNan(b) || compare(b, a) < 0 ? b : a;
}
const Value& greater(const Value& a, const Value& b) {
  return isNan(a) ? a : isNan(b) || compare(b, a) > 0 ? b : a;
}

EvalResult extreme(const Operands& in, bool least) {
  const ListItems& items = in.list(0);
  if (items.empty()) return fail("`{}` of an empty list", least ? "min" : "max");
  const Value* best = &items.front();
  for (const Value& item : items) best = least ? &lesser(*best, item) : &greater(*best, item);
  return *best;
}

EvalResult clamp(const Value& x, const Value& low, const Value& high) {
  if (compare(low, high) > 0) {
    return fail("`clamp` between {} and {}, which is less", toText(low), toText(high));
  }
  return greater(lesser(x, high), low);
}

struct Hashed {
  std::size_t operator()(const Value* value) const { return hashOf(*value); }
};
struct Same {
  bool operator()(const Value* a, const Value* b) const { return *a == *b; }
};

EvalResult distinct(const ListItems& items) {
  std::unordered_set<const Value*, Hashed, Same> seen;
  ListItems kept;
  for (const Value& item : items) {
    if (seen.insert(&item).second) kept.push_back(item);
  }
  return Value::list(std::move(kept));
}

std::string_view plural(std::size_t n) { return n == 1 ? "" : "s"; }

EvalResult zip(const ListItems& a, const ListItems& b) {
  if (a.size() != b.size()) {
    return fail("`zip` of {} item{} with {}", a.size(), plural(a.size()), b.size());
  }
  ListItems items;
  items.reserve(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    items.push_back(Value::record({{"a", a[i]}, {"b", b[i]}}));
  }
  return Value::list(std::move(items));
}

EvalResult enumerate(const ListItems& xs) {
  ListItems items;
  items.reserve(xs.size());
  for (std::size_t i = 0; i < xs.size(); ++i) {
    items.push_back(Value::record({{"index", static_cast<std::int64_t>(i)}, {"item", xs[i]}}));
  }
  return Value::list(std::move(items));
}

EvalResult indexed(const ListItems& items, std::int64_t i) {
  if (i < 0 || i >= static_cast<std::int64_t>(items.size())) {
    return fail("index {} of a list of {} item{}", i, items.size(), plural(items.size()));
  }
  return items[static_cast<std::size_t>(i)];
}

template <class T, class Get>
EvalResult sumOf(const Operands& in, std::string_view what, Get&& get) {
  std::int64_t total = 0;
  for (const Value& item : in.list(0)) {
    if (__builtin_add_overflow(total, get(in.item<T>(item)), &total)) {
      return fail("overflow: the sum does not fit in {}", what);
    }
  }
  return Value(total);
}

double sumReal(const Operands& in) {
  double total = 0;
  for (const Value& item : in.list(0)) total += in.item<double>(item);
  return total;
}

EvalResult mean(const Operands& in, bool ints) {
  const ListItems& items = in.list(0);
  if (items.empty()) return fail("`mean` of an empty list");
  const auto count = static_cast<double>(items.size());
  if (!ints) return Value(sumReal(in) / count);
  double total = 0;
  for (const Value& item : items) total += static_cast<double>(in.item<std::int64_t>(item));
  return Value(total / count);
}

bool applyNumberLists(Builtin op, const Operands& in, EvalResult& out) {
  const auto wrap = [&](auto make) {
    if (const Value* total = std::get_if<Value>(&out))
      out = Value(make(*total->as<std::int64_t>()));
    return true;
  };
  switch (op) {
    case Builtin::Min:
      out = lesser(in[0], in[1]);
      return true;
    case Builtin::Max:
      out = greater(in[0], in[1]);
      return true;
    case Builtin::MinList:
      out = extreme(in, true);
      return true;
    case Builtin::MaxList:
      out = extreme(in, false);
      return true;
    case Builtin::Clamp:
      out = clamp(in[0], in[1], in[2]);
      return true;
    case Builtin::SumInt:
      out = sumOf<std::int64_t>(in, "an int", [](std::int64_t n) { return n; });
      return true;
    case Builtin::SumFloat:
      out = Value(sumReal(in));
      return true;
    case Builtin::SumDuration:
      out = sumOf<Duration>(in, "a duration", [](Duration d) { return d.micros; });
      return wrap([](std::int64_t n) { return Duration{n}; });
    case Builtin::SumSize:
      out = sumOf<Size>(in, "a size", [](Size s) { return s.bytes; });
      return wrap([](std::int64_t n) { return Size{n}; });
    case Builtin::MeanInt:
      out = mean(in, true);
      return true;
    case Builtin::MeanFloat:
      out = mean(in, false);
      return true;
    case Builtin::Range:
    case Builtin::RangeFromTo:
      out = range(in.integer(0), in.integer(1), 1);
      return true;
    case Builtin::RangeTo:
      out = range(0, in.integer(0), 1);
      return true;
    case Builtin::RangeStep:
      out = range(in.integer(0), in.integer(1), in.integer(2));
      return true;
    default:
      return false;
  }
}

/// Lists made of other lists.
bool applyMakers(Builtin op, const Operands& in, EvalResult& out) {
  std::vector<const ListItems*> lists;
  switch (op) {
    case Builtin::MakeList: {
      ListItems items;
      items.reserve(in.count());
      for (std::size_t i = 0; i < in.count(); ++i) items.push_back(in[i]);
      out = Value::list(std::move(items));
      return true;
    }
    case Builtin::SpreadList:
    case Builtin::ConcatLists:
      for (std::size_t i = 0; i < in.count(); ++i) lists.push_back(&in.list(i));
      out = concat(lists);
      return true;
    case Builtin::Flatten:
      for (const Value& item : in.list(0)) {
        if (item.as<ListValue>() == nullptr) {
          in.markWrong();
          return true;
        }
        lists.push_back(&item.items());
      }
      out = concat(lists);
      return true;
    case Builtin::Append: {
      const ListItems last{in[1]};
      out = concat({&in.list(0), &last});
      return true;
    }
    case Builtin::Sort: {
      ListItems items = in.list(0);
      std::stable_sort(items.begin(), items.end(), before);
      out = Value::list(std::move(items));
      return true;
    }
    case Builtin::Distinct:
      out = distinct(in.list(0));
      return true;
    case Builtin::ReverseList:
      out = Value::list(ListItems(in.list(0).rbegin(), in.list(0).rend()));
      return true;
    case Builtin::Zip:
      out = zip(in.list(0), in.list(1));
      return true;
    case Builtin::Enumerate:
      out = enumerate(in.list(0));
      return true;
    default:
      return applyNumberLists(op, in, out);
  }
}

}  // namespace

bool applyLists(Builtin op, const Operands& in, EvalResult& out) {
  constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
  switch (op) {
    case Builtin::ListOfRows:
    case Builtin::RowsOfList:
      static_cast<void>(in.list(0));  // noted if it is none
      out = in[0];
      return true;
    case Builtin::Drift: {
      std::vector<std::string> names;
      std::vector<bool> numeric;
      for (const Value& name : in.list(2)) {
        if (const auto* text = name.as<std::string>()) names.push_back(*text);
      }
      for (const Value& flag : in.list(3)) {
        if (const auto* truth = flag.as<bool>()) numeric.push_back(*truth);
      }
      if (names.size() != numeric.size()) {
        in.markWrong();
      } else {
        out = driftOf(in.list(0), in.list(1), names, numeric);
      }
      return true;
    }
    case Builtin::LengthList:
      out = Value(static_cast<std::int64_t>(in.list(0).size()));
      return true;
    case Builtin::Index:
      out = indexed(in.list(0), in.integer(1));
      return true;
    case Builtin::GetItem: {
      const std::int64_t i = in.integer(1);
      const bool there = i >= 0 && i < static_cast<std::int64_t>(in.list(0).size());
      out = there ? in.list(0)[static_cast<std::size_t>(i)] : Value();
      return true;
    }
    case Builtin::First:
      out = in.list(0).empty() ? Value() : in.list(0).front();
      return true;
    case Builtin::Last:
      out = in.list(0).empty() ? Value() : in.list(0).back();
      return true;
    case Builtin::Take:
      out = part(in.list(0), 0, in.integer(1));
      return true;
    case Builtin::Drop:
      out = part(in.list(0), in.integer(1), kAll);
      return true;
    case Builtin::Slice:
      out = part(in.list(0), in.integer(1), in.integer(2));
      return true;
    case Builtin::InList: {
      const ListItems& items = in.list(1);
      out = Value(std::find(items.begin(), items.end(), in[0]) != items.end());
      return true;
    }
    case Builtin::IndexOf: {
      const ListItems& items = in.list(0);
      const auto it = std::find(items.begin(), items.end(), in[1]);
      out = it == items.end() ? Value() : Value(static_cast<std::int64_t>(it - items.begin()));
      return true;
    }
    case Builtin::Any:
    case Builtin::All: {
      const bool wanted = op == Builtin::Any;
      const ListItems& items = in.list(0);
      const bool found = std::any_of(items.begin(), items.end(), [&](const Value& item) {
        return in.item<bool>(item) == wanted;
      });
      out = Value(found == wanted);
      return true;
    }
    default:
      return applyMakers(op, in, out);
  }
}

bool applyMaps(Builtin op, const Operands& in, EvalResult& out) {
  switch (op) {
    case Builtin::MakeMap: {
      if (in.count() % 2 != 0) {
        in.markWrong();
        return true;
      }
      NamedItems entries;
      entries.reserve(in.count() / 2);
      for (std::size_t i = 0; i < in.count(); i += 2) entries.emplace_back(in.text(i), in[i + 1]);
      out = Value::map(std::move(entries));
      return true;
    }
    case Builtin::LengthMap:
      out = Value(static_cast<std::int64_t>(in.map(0).size()));
      return true;
    case Builtin::Keys:
    case Builtin::Values:
    case Builtin::Entries: {
      ListItems items;
      items.reserve(in.map(0).size());
      for (const auto& [key, value] : in.map(0)) {
        if (op == Builtin::Keys) {
          items.emplace_back(key);
        } else if (op == Builtin::Values) {
          items.push_back(value);
        } else {
          items.push_back(Value::record({{"key", key}, {"value", value}}));
        }
      }
      out = Value::list(std::move(items));
      return true;
    }
    case Builtin::IndexMap:
    case Builtin::Get:
    case Builtin::Has:
    case Builtin::InMap: {
      const std::size_t place = op == Builtin::InMap ? 1 : 0;
      const std::string& key = in.text(1 - place);
      static_cast<void>(in.map(place));  // noted if it is none
      if (in.wrong()) return true;
      const Value* found = in[place].field(key);
      if (op == Builtin::Has || op == Builtin::InMap) {
        out = Value(found != nullptr);
      } else if (found != nullptr) {
        out = *found;
      } else if (op == Builtin::Get) {
        out = Value();
      } else {
        out = fail("the map has no key `{}`", key);
      }
      return true;
    }
    default:
      return false;
  }
}

}  // namespace couler::ir::eval

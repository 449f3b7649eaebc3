#pragma once

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ir/module.h"
#include "runtime/column/kernel.h"

/// Random rows, and random expressions over them.
namespace couler::jit::test {

using column::Kind;
using ir::Builtin;
using ir::NodeId;
using ir::TypeId;
using ir::TypeTable;
using ir::Value;

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  /// 0 to n - 1.
  std::size_t below(std::size_t n) { return engine_() % n; }
  bool oneIn(std::size_t n) { return below(n) == 0; }
  std::uint64_t bits() { return engine_(); }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::mt19937_64 engine_;
};

inline const std::vector<std::string>& someTexts() {
  static const std::vector<std::string> kTexts = {
      "", "a", "b", "abc", "us-", "us-east-1", "us", "Äpfel", "ÄPFEL", "  pad\t ", "\u00a0x\u2003",
      "straße", "0", "42", " -7 ", "+12", "1e5", "nan", "0x10", "9223372036854775808",
      "12345678", "123456789", "1234567812345678", "12345678123456789", "12345678x", "aaaaab",
      "x.y", "日本語", "😀 and 😀", std::string("\0z", 2), std::string("12345678\0", 9),
      "the quick brown fox jumps over the lazy dog, twice: the quick brown fox",
      "the quick brown fox jumps over the lazy dog, once", "2024-05-01T12:00:00Z", "2024-02-30",
      "dir/file.tar.gz", "/", "b|a", "west-us-", "The Quick Brown FOX, Jumps Over: 32",
      "1234567890123456789012345678901", "12345678901234567890123456789012",
      "123456789012345678901234567890us-", "ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz Ä"};
  return kTexts;
}
inline const std::vector<std::string>& somePatterns() {
  static const std::vector<std::string> kPatterns = {
      "^us-", "a|b",    "[0-9]+", "^a.*b$", "(",    "ab*",       "8$",      "^$",    "(?i)US",
      "st[r]", "x\\.y", "quick",  "^abc$",  "fox$", "quick\\s+b", "(qu)ick", "日本?", "Ä|ß",
      "fox jumps over", "[a-z]+ [a-z]+ fox", "\\bus\\b", "^\\s*$", "[^a-z]+", "(\\d+)(\\w*)", "a(b)?",
      "^[a-z]+(-[a-z]+)*-[0-9]$", "(?i)the (quick|slow)", "\\pL+", ""};
  return kPatterns;
}

inline Value randomValue(Random& r, Kind kind, const std::vector<std::string>& cases) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  static const std::vector<std::int64_t> kInts = {
      0, 1, -1, 2, -2, 3, 7, -7, 10, 100, 1000, 65536, 3037000499, 3037000500, -3037000500,
      4294967296, 1LL << 62, -(1LL << 62), kLeast, kLeast + 1, -(kLeast + 1), 9007199254740993};
  static const std::vector<double> kFloats = {
      0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, 0.49999999999999994, 1e300, -1e300, 5e-324,
      9.2233720368547758e18, -9.2233720368547758e18, 9223372036854774784.0, 4503599627370497.5,
      std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
      std::numeric_limits<double>::quiet_NaN(), 3.25, 1e-10, 100, 12345.678};
  const auto whole = [&]() -> std::int64_t {
    switch (r.below(3)) {
      case 0:
        return r.pick(kInts);
      case 1:
        return static_cast<std::int64_t>(r.below(40)) - 20;
      default:
        return static_cast<std::int64_t>(r.bits()) >> r.below(60);
    }
  };
  switch (kind) {
    case Kind::Bool:
      return r.oneIn(2);
    case Kind::Int:
      return whole();
    case Kind::Float:
      return r.oneIn(2) ? r.pick(kFloats) : static_cast<double>(whole()) / 64;
    case Kind::String: {
      if (!r.oneIn(3)) return r.pick(someTexts());
      std::string text;
      for (std::size_t n = r.below(40); n > 0; --n) {
        text += static_cast<char>("abus- 18"[r.below(8)]);
      }
      return text;
    }
    case Kind::Timestamp: {
      const std::int64_t first = -62'135'596'800'000'000;
      const std::int64_t last = 253'402'300'799'999'999;
      if (r.oneIn(8)) return ir::Timestamp{r.oneIn(2) ? first : last};
      return ir::Timestamp{first +
                           static_cast<std::int64_t>(
                               r.bits() % static_cast<std::uint64_t>(last - first))};
    }
    case Kind::Duration:
      return ir::Duration{whole()};
    case Kind::Size: {
      const std::int64_t n = whole();
      return ir::Size{n < 0 ? ~n : n};
    }
    case Kind::Enum:
      return ir::EnumCase{r.pick(cases)};
    default:
      return {};
  }
}

inline constexpr Kind kKinds[] = {Kind::Bool,      Kind::Int,      Kind::Float, Kind::String,
                                  Kind::Timestamp, Kind::Duration, Kind::Size,  Kind::Enum};

/// A module with a row type of two columns of each kind, one optional, and pipelines over it.
class Rows {
 public:
  explicit Rows(std::uint64_t seed) : random(seed) {
    ir::Type colour;
    colour.kind = ir::TypeKind::Enum;
    colour.name = "Colour";
    colour.origin = "test.cwl";
    colour.cases = {"red", "green", "blue"};
    colours = colour.cases;
    enumType_ = module.types.intern(colour);
    std::vector<ir::TypeField> fields;
    for (const Kind kind : kKinds) {
      const std::string name = "k" + std::to_string(static_cast<int>(kind));
      fields.push_back({name, typeOf(kind)});
      fields.push_back({name + "o", module.types.optional(typeOf(kind))});
    }
    rowType = module.types.record(fields);
    outside = module.addRegion();
  }

  [[nodiscard]] TypeId typeOf(Kind kind) const {
    switch (kind) {
      case Kind::Bool:
        return TypeTable::kBool;
      case Kind::Int:
        return TypeTable::kInt;
      case Kind::Float:
        return TypeTable::kFloat;
      case Kind::String:
        return TypeTable::kString;
      case Kind::Timestamp:
        return TypeTable::kTimestamp;
      case Kind::Duration:
        return TypeTable::kDuration;
      case Kind::Size:
        return TypeTable::kSize;
      default:
        return enumType_;
    }
  }

  /// A stage over rows of `in`; `make` fills its body and gives the result.
  template <class F>
  NodeId stage(ir::RowsOp op, TypeId in, F&& make) {
    ir::Rows rows;
    rows.op = op;
    rows.body = module.addRegion();
    const NodeId row = module.addParam(rows.body, in, "row", {}, ir::Phase::Run);
    const NodeId result = make(rows.body, row);
    module.at(rows.body).results = {result};
    const TypeId made = op == ir::RowsOp::Map ? module.at(result).type : in;
    const NodeId node = module.add(outside, rows, module.types.table(made), {});
    module.at(rows.body).owner = node;
    return node;
  }

  column::RowPlan plan(std::vector<NodeId> stages) {
    column::RowPlan plan;
    plan.module = &module;
    plan.input = column::schemaOf(module.types, rowType);
    TypeId out = rowType;
    for (const NodeId id : stages) out = module.types[module.at(id).type].element;
    plan.output = column::schemaOf(module.types, out);
    plan.stages = std::move(stages);
    return plan;
  }

  column::Batch batch(std::size_t rows) {
    std::vector<Value> made;
    const auto fields = module.types[rowType].fields;
    for (std::size_t i = 0; i < rows; ++i) {
      ir::NamedItems items;
      for (std::size_t k = 0; k < fields.size(); ++k) {
        const bool none = k % 2 == 1 && random.oneIn(4);
        items.emplace_back(fields[k].name,
                           none ? Value() : randomValue(random, kKinds[k / 2], colours));
      }
      made.push_back(Value::record(std::move(items)));
    }
    return column::batchOf(column::schemaOf(module.types, rowType), made);
  }

  ir::Module module;
  Random random;
  TypeId rowType;
  ir::RegionId outside;
  std::vector<std::string> colours;

 private:
  TypeId enumType_;
};

}  // namespace couler::jit::test

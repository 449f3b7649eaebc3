#include "ir/value.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace couler::ir {
namespace {

class ValueTest : public testing::Test {
 protected:
  std::string parse(std::string_view json, TypeId type) {
    std::string error;
    const std::optional<Value> value = fromJson(json, type, types, error);
    EXPECT_EQ(value.has_value(), error.empty());
    return value ? toJson(*value) : "error: " + error;
  }
  std::string read(std::string_view text, TypeId type) {
    std::string error;
    const std::optional<Value> value = fromText(text, type, types, error);
    EXPECT_EQ(value.has_value(), error.empty());
    return value ? toText(*value) : "error: " + error;
  }
  TypeId enumeration() {
    Type type;
    type.kind = TypeKind::Enum;
    type.name = "Class";
    type.origin = "a.cwl";
    type.cases = {"ham", "spam"};
    return types.intern(std::move(type));
  }

  TypeTable types;
};

TEST_F(ValueTest, FloatsReadBackAndLookLikeFloats) {
  EXPECT_EQ(floatText(1), "1.0");
  EXPECT_EQ(floatText(-0.0), "-0.0");
  EXPECT_EQ(floatText(0.1), "0.1");
  EXPECT_EQ(floatText(1e300), "1e+300");
  EXPECT_EQ(floatText(std::nan("")), "nan");
  EXPECT_EQ(floatText(-std::numeric_limits<double>::infinity()), "-inf");
}

TEST_F(ValueTest, MapsAreSortedAndTheLaterKeyWins) {
  const Value map =
      Value::map({{"b", std::int64_t{1}}, {"a", std::int64_t{2}}, {"b", std::int64_t{3}}});
  EXPECT_EQ(toJson(map), R"({"a":2,"b":3})");
  ASSERT_NE(map.field("b"), nullptr);
  EXPECT_EQ(*map.field("b"), Value(std::int64_t{3}));
  EXPECT_EQ(map.field("c"), nullptr);
}

TEST_F(ValueTest, EqualityIsThatOfKeys) {
  EXPECT_EQ(Value(std::nan("")), Value(std::nan("")));
  EXPECT_EQ(Value(0.0), Value(-0.0));
  EXPECT_EQ(hashOf(Value(0.0)), hashOf(Value(-0.0)));
  EXPECT_FALSE(identical(Value(0.0), Value(-0.0)));
  EXPECT_NE(Value(std::int64_t{1}), Value(1.0));
  EXPECT_NE(Value(std::string("1")), Value(EnumCase{"1"}));
  EXPECT_EQ(Value(FileRef{"a/x.csv", "d1", false}), Value(FileRef{"b/x.csv", "d1", false}));
  EXPECT_NE(Value(FileRef{"a/x.csv", "d1", false}), Value(FileRef{"a/y.csv", "d1", false}));
  EXPECT_NE(Value(FileRef{"a/x.csv", "", false}), Value(FileRef{"b/x.csv", "", false}));
  EXPECT_EQ(hashOf(Value(FileRef{"a/x.csv", "d1", false})),
            hashOf(Value(FileRef{"b/x.csv", "d1", false})));
}

TEST_F(ValueTest, HashesTellKindsAndShapesApart) {
  const auto digest = [](const Value& value) {
    Hasher hasher;
    hashInto(hasher, value);
    return hasher.finish().hex();
  };
  const std::string x = "x";
  const std::vector<Value> all = {None{},
                                  true,
                                  std::int64_t{1},
                                  1.0,
                                  std::string("1"),
                                  Duration{1},
                                  Size{1},
                                  Timestamp{1},
                                  EnumCase{"1"},
                                  FileRef{"1", "", false},
                                  FileRef{"1", "", true},
                                  FileRef{"1", "1", false},
                                  FileRef{"2", "1", false},
                                  FileRef{"1", "1", true},
                                  SecretRef{"1"},
                                  0.0,
                                  -0.0,
                                  Value::list({}),
                                  Value::list({std::int64_t{1}}),
                                  Value::list({Value::list({std::int64_t{1}})}),
                                  Value::list({Value::list({}), Value::list({})}),
                                  Value::list({Value::list({Value::list({})})}),
                                  Value::map({}),
                                  Value::record({}),
                                  Value::map({{x, x}}),
                                  Value::record({{x, x}}),
                                  Value::list({x, x})};
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t k = i + 1; k < all.size(); ++k) {
      EXPECT_NE(digest(all[i]), digest(all[k])) << i << " and " << k;
    }
  }
  EXPECT_EQ(digest(FileRef{"a/1", "d", false}), digest(FileRef{"b/1", "d", false}));
}

TEST_F(ValueTest, JsonErrorsSayWhatAndWhere) {
  const TypeId ints = types.list(TypeTable::kInt);
  const TypeId record = types.record({{"n", ints}, {"s", types.optional(TypeTable::kString)}});
  EXPECT_EQ(parse("[1,2]", ints), "[1,2]");
  EXPECT_EQ(parse("[1,\"x\"]", ints), "error: expected `int`, found a string at byte 3, in `[1]`");
  EXPECT_EQ(parse("[1.5]", ints), "error: expected `int`, found `1.5` at byte 1, in `[0]`");
  EXPECT_EQ(parse("[9223372036854775808]", ints),
            "error: `9223372036854775808` does not fit in 64 bits at byte 1, in `[0]`");
  EXPECT_EQ(parse("[1,]", ints),
            "error: expected `int`, found something that is not JSON at byte 3, in `[1]`");
  EXPECT_EQ(parse("[1] 2", ints), "error: expected the end of the text at byte 4");
  EXPECT_EQ(parse("[1", ints), "error: expected `,` or `]` at byte 2");
  EXPECT_EQ(parse("", ints), "error: expected `list<int>`, found the end of the text at byte 0");
  EXPECT_EQ(parse(R"( { "s" : null , "n" : [ ] } )", record), R"({"n":[],"s":null})");
  EXPECT_EQ(parse(R"({"n":[1]})", record), R"({"n":[1],"s":null})");
  EXPECT_EQ(parse(R"({"s":"x"})", record),
            "error: `(n: list<int>, s: string?)` lacks field `n` at byte 9");
  EXPECT_EQ(parse(R"({"n":[],"m":1})", record),
            "error: `(n: list<int>, s: string?)` has no field `m` at byte 12, in `.m`");
  EXPECT_EQ(parse(R"({"n":[],"n":[]})", record),
            "error: field `n` is given twice at byte 12, in `.n`");
  EXPECT_EQ(parse(R"({"n":[1,true]})", record),
            "error: expected `int`, found a bool at byte 8, in `.n[1]`");
  EXPECT_EQ(parse("{\"a\":1,\"a\":2}", types.map(TypeTable::kInt)),
            "error: a key is given twice at byte 13");
  EXPECT_EQ(parse("\"\xff\"", TypeTable::kString), "error: not UTF-8 at byte 1");
}

TEST_F(ValueTest, JsonNumbersFollowTheGrammar) {
  for (const char* bad : {"01", "+1", ".5", "1.", "1e", "-", "0x1", "nan", "1_0", "Infinity"}) {
    EXPECT_TRUE(parse(bad, TypeTable::kFloat).starts_with("error")) << bad;
  }
  EXPECT_EQ(parse("-0", TypeTable::kFloat), "-0.0");
  EXPECT_EQ(parse("1E2", TypeTable::kFloat), "100.0");
  EXPECT_EQ(parse("\"-inf\"", TypeTable::kFloat), "\"-inf\"");
  EXPECT_TRUE(parse("1e999", TypeTable::kFloat).starts_with("error"));
}

TEST_F(ValueTest, JsonStringsAndTheirEscapes) {
  EXPECT_EQ(parse(R"("a\n\u00e9\ud83d\ude00\/")", TypeTable::kString),
            "\"a\\n\xc3\xa9\xf0\x9f\x98\x80/\"");
  for (const char* bad : {R"("\ud83d")", R"("\ude00")", R"("\ud83dx")", R"("\x")", R"("\u12")",
                          "\"a\nb\"", "\"a", R"("a\)"}) {
    EXPECT_TRUE(parse(bad, TypeTable::kString).starts_with("error")) << bad;
  }
}

TEST_F(ValueTest, JsonDeeperThanTheLimitIsAnError) {
  TypeId type = TypeTable::kInt;
  for (int i = 0; i < 300; ++i) type = types.list(type);
  EXPECT_TRUE(parse(std::string(300, '[') + std::string(300, ']'), type)
                  .starts_with("error: nested more than 256 deep"));
}

TEST_F(ValueTest, TextOfEachKind) {
  EXPECT_EQ(read("30 min", TypeTable::kDuration), "30 min");
  EXPECT_EQ(read("1.5h", TypeTable::kDuration), "90 min");
  EXPECT_EQ(read("0s", TypeTable::kDuration), "0 s");
  EXPECT_EQ(read("48 h", TypeTable::kDuration), "2 d");
  EXPECT_EQ(read("2048 MiB", TypeTable::kSize), "2 GiB");
  EXPECT_EQ(read("500_000_000 B", TypeTable::kSize), "500 MB");
  EXPECT_EQ(read("10_000", TypeTable::kInt), "10000");
  EXPECT_EQ(read("-3", TypeTable::kInt), "-3");
  EXPECT_EQ(read("3", TypeTable::kFloat), "3.0");
  EXPECT_EQ(read("none", types.optional(TypeTable::kInt)), "");
  EXPECT_EQ(read("[1,2]", types.list(TypeTable::kInt)), "[1,2]");
  EXPECT_EQ(read("env:TOKEN", TypeTable::kSecret), "env:TOKEN");
  EXPECT_EQ(read("spam", enumeration()), "spam");
  EXPECT_EQ(read("a b", TypeTable::kString), "a b");
  EXPECT_EQ(read("4 GiB", TypeTable::kDuration),
            "error: expected `duration`, such as `30 min`, found `4 GiB`");
  EXPECT_EQ(read("1__0", TypeTable::kInt), "error: expected `int`, such as `16`, found `1__0`");
  EXPECT_EQ(read("-1 B", TypeTable::kSize),
            "error: expected `size`, such as `4 GiB`, found `-1 B`");
  EXPECT_EQ(read("9999999999 d", TypeTable::kDuration),
            "error: expected `duration`, such as `30 min`, found `9999999999 d`");
  EXPECT_EQ(read("hunter2", TypeTable::kSecret),
            "error: expected a secret as `env:NAME` or `file:PATH`, never its text");
  EXPECT_EQ(read("spma", enumeration()),
            "error: `spma` is no case of `Class`; did you mean `spam`?");
  EXPECT_EQ(read("egg", enumeration()), "error: `egg` is no case of `Class`; it has ham, spam");
}

TEST_F(ValueTest, Timestamps) {
  const auto text = [](std::string_view from) {
    const std::optional<Timestamp> t = parseTimestamp(from);
    return t ? timestampText(*t) : "error";
  };
  EXPECT_EQ(text("2024-02-29T12:34:56Z"), "2024-02-29T12:34:56Z");
  EXPECT_EQ(text("2024-02-29 12:34:56.25+02:00"), "2024-02-29T10:34:56.25Z");
  EXPECT_EQ(text("1969-12-31T23:59:59.999999Z"), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(text("0001-01-01"), "0001-01-01T00:00:00Z");
  EXPECT_EQ(text("9999-12-31T23:59:59.999999Z"), "9999-12-31T23:59:59.999999Z");
  for (const char* bad :
       {"2023-02-29", "2024-13-01", "2024-01-01T24:00:00Z", "2024-1-1", "2024-01-01T",
        "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00Zx",
        "2024-01-01T00:00:00.1234567Z", "0001-01-01T00:00:00+01:00", "", "x"}) {
    EXPECT_EQ(text(bad), "error") << bad;
  }
}

TEST_F(ValueTest, SourceText) {
  EXPECT_EQ(toSource(std::string("a\"{b}\\\n\x01")), R"("a\"\{b\}\\\n\u{1}")");
  EXPECT_EQ(toSource(std::numeric_limits<std::int64_t>::min()), "(-9223372036854775807 - 1)");
  EXPECT_EQ(toSource(std::nan("")), "float(\"nan\")");
  EXPECT_EQ(toSource(Value::map({})), "[:]");
  EXPECT_EQ(toSource(Value::map({{"k", Value::list({1.5, None{}})}})), R"(["k": [1.5, none]])");
  EXPECT_EQ(toSource(Value::record({{"d", Duration{60'000'000}}, {"f", FileRef{"a", "", false}}})),
            R"((d: 1 min, f: file("a")))");
}

/// Random values of random types.
class Maker {
 public:
  Maker(TypeTable& types, unsigned seed) : types_(types), random_(seed) {}

  TypeId type(int depth) {
    switch (below(depth > 0 ? 12 : 9)) {
      case 0:
        return TypeTable::kBool;
      case 1:
        return TypeTable::kInt;
      case 2:
        return TypeTable::kFloat;
      case 3:
        return TypeTable::kString;
      case 4:
        return TypeTable::kTimestamp;
      case 5:
        return TypeTable::kDuration;
      case 6:
        return TypeTable::kSize;
      case 7:
        return TypeTable::kFile;
      case 8:
        return types_.optional(TypeTable::kInt);
      case 9:
        return types_.list(type(depth - 1));
      case 10:
        return types_.map(type(depth - 1));
      default:
        return types_.record({{"a", type(depth - 1)}, {"b c", type(depth - 1)}});
    }
  }

  Value value(TypeId id) {
    const Type type = types_[id];
    switch (type.kind) {
      case TypeKind::Bool:
        return below(2) == 1;
      case TypeKind::Int:
        return integer();
      case TypeKind::Float:
        return std::bit_cast<double>(random_());
      case TypeKind::String:
        return text();
      case TypeKind::Timestamp:
        return Timestamp{static_cast<std::int64_t>(random_() % 300'000'000'000'000'000ULL) -
                         60'000'000'000'000'000};
      case TypeKind::Duration:
        return Duration{integer()};
      case TypeKind::Size:
        return Size{static_cast<std::int64_t>(random_() >> 1)};
      case TypeKind::File:
        return FileRef{"p" + text(), {}, false};
      case TypeKind::Optional:
        return below(2) == 0 ? Value() : value(type.element);
      case TypeKind::List: {
        ListItems items;
        for (auto n = below(4); n > 0; --n) items.push_back(value(type.element));
        return Value::list(std::move(items));
      }
      case TypeKind::Map: {
        NamedItems items;
        for (auto n = below(4); n > 0; --n) items.emplace_back(text(), value(type.element));
        return Value::map(std::move(items));
      }
      default: {
        NamedItems items;
        for (const TypeField& field : type.fields)
          items.emplace_back(field.name, value(field.type));
        return Value::record(std::move(items));
      }
    }
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  std::int64_t integer() { return static_cast<std::int64_t>(random_()) >> below(64); }
  std::string text() {
    static const std::vector<std::string> kPieces = {
        "a", "\"", "\\", "\n", "\x01", "{", "\xc3\xa9", "\xf0\x9f\x98\x80", "\x7f", " "};
    std::string out;
    for (auto n = below(6); n > 0; --n) out += kPieces[below(kPieces.size())];
    return out;
  }

  TypeTable& types_;
  std::mt19937_64 random_;
};

TEST_F(ValueTest, JsonReadsBackWhatItWrote) {
  Maker make(types, 1);
  for (int i = 0; i < 20'000; ++i) {
    const TypeId type = make.type(3);
    const Value value = make.value(type);
    const std::string json = toJson(value);
    std::string error;
    const std::optional<Value> back = fromJson(json, type, types, error);
    ASSERT_TRUE(back) << error << "\n" << types.print(type) << "\n" << json;
    ASSERT_EQ(*back, value) << json;
    ASSERT_EQ(hashOf(*back), hashOf(value)) << json;
    ASSERT_EQ(toJson(*back), json);
  }
}

/// Whatever is cut from or changed in valid text is read or refused, never worse.
TEST_F(ValueTest, BrokenJsonIsRefused) {
  Maker make(types, 2);
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const TypeId type = make.type(3);
    std::string json = toJson(make.value(type));
    if (random() % 2 == 0) {
      json.resize(random() % json.size());
    } else {
      json[random() % json.size()] = static_cast<char>(random());
    }
    std::string error;
    const std::optional<Value> back = fromJson(json, type, types, error);
    ASSERT_EQ(back.has_value(), error.empty()) << json;
  }
}

TEST_F(ValueTest, LongListsAreRead) {
  std::string json = "[0";
  for (int i = 1; i < 200'000; ++i) json += "," + std::to_string(i);
  json += "]";
  std::string error;
  const std::optional<Value> value = fromJson(json, types.list(TypeTable::kInt), types, error);
  ASSERT_TRUE(value) << error;
  EXPECT_EQ(value->items().size(), 200'000U);
  EXPECT_EQ(toJson(*value), json);
}

}  // namespace
}  // namespace couler::ir

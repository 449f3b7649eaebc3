#include "ir/builtins.h"

#include <set>

#include <gtest/gtest.h>

namespace couler::ir {
namespace {

class BuiltinsTest : public testing::Test {
 protected:
  std::string match(std::string_view name, std::vector<TypeId> args) {
    const std::optional<BuiltinMatch> found = matchBuiltin(name, args, types);
    if (!found) return "no match";
    return std::string(info(found->id).enumerator) + " " + types.print(found->result);
  }

  TypeTable types;
  const TypeId b = TypeTable::kBool, i = TypeTable::kInt, f = TypeTable::kFloat,
               s = TypeTable::kString, d = TypeTable::kDuration, z = TypeTable::kSize,
               t = TypeTable::kTimestamp, none = TypeTable::kNone;
};

TEST_F(BuiltinsTest, RowsAreInOrderAndTold) {
  std::set<std::string_view> names;
  std::size_t index = 0;
  for (const BuiltinInfo& row : builtinTable()) {
    EXPECT_EQ(static_cast<std::size_t>(row.id), index++);
    EXPECT_TRUE(names.insert(row.enumerator).second) << row.enumerator;
    EXPECT_FALSE(row.doc.empty()) << row.enumerator;
    EXPECT_FALSE(row.doc.ends_with('.')) << row.enumerator;
    EXPECT_EQ(findBuiltin(row.enumerator), &row);
  }
  EXPECT_EQ(findBuiltin("Nonsense"), nullptr);
}

/// Every signature is well formed: filled with plain types it matches its own row. A signature that
/// the reader misunderstands has no or too many parameters, or wants `any` of each.
TEST_F(BuiltinsTest, EverySignatureReadsBack) {
  for (const BuiltinInfo& row : builtinTable()) {
    const std::string_view text = row.signature;
    EXPECT_TRUE(text.starts_with("(")) << row.enumerator;
    EXPECT_NE(text.find(" -> "), std::string_view::npos) << row.enumerator;
    // As many arguments of the error type, which fits all but letters nowhere, as parameters.
    std::size_t params = 0;
    std::size_t depth = 0;
    std::size_t at = 0;
    for (; at < text.size() && (at == 0 || depth != 0); ++at) {
      if (text[at] == '(') ++depth;
      if (text[at] == ')') --depth;
      if (text[at] == ':' && depth == 1) ++params;
    }
    const std::vector<TypeId> args(params, TypeTable::kError);
    EXPECT_TRUE(matchRow(row.id, args, types)) << row.enumerator;
    if (text.find("...") == std::string_view::npos) {
      const std::vector<TypeId> more(params + 1, TypeTable::kError);
      EXPECT_FALSE(matchRow(row.id, more, types)) << row.enumerator;
    }
  }
}

TEST_F(BuiltinsTest, ExactRowsComeFirst) {
  EXPECT_EQ(match("+", {i, i}), "AddInt int");
  EXPECT_EQ(match("+", {i, f}), "AddFloat float");
  EXPECT_EQ(match("+", {f, i}), "AddFloat float");
  EXPECT_EQ(match("+", {d, d}), "AddDuration duration");
  EXPECT_EQ(match("+", {t, d}), "AddTimestamp timestamp");
  EXPECT_EQ(match("+", {s, s}), "AddString string");
  EXPECT_EQ(match("-", {t, t}), "TimeBetween duration");
  EXPECT_EQ(match("-", {i}), "NegInt int");
  EXPECT_EQ(match("*", {i, d}), "MulIntDuration duration");
  EXPECT_EQ(match("*", {z, f}), "MulSizeFloat size");
  EXPECT_EQ(match("/", {i, i}), "DivFloat float");
  EXPECT_EQ(match("/", {d, d}), "DivDuration float");
  EXPECT_EQ(match("/", {d, i}), "DivDurationFloat duration");
}

TEST_F(BuiltinsTest, UnitsDoNotMix) {
  EXPECT_EQ(match("+", {d, z}), "no match");
  EXPECT_EQ(match("+", {d, i}), "no match");
  EXPECT_EQ(match("+", {t, t}), "no match");
  EXPECT_EQ(match("<", {d, z}), "no match");
  EXPECT_EQ(match("<", {d, i}), "no match");
  EXPECT_EQ(match("==", {d, z}), "no match");
  EXPECT_EQ(match("*", {d, d}), "no match");
}

TEST_F(BuiltinsTest, LettersStandForOneType) {
  const TypeId optInt = types.optional(i);
  EXPECT_EQ(match("==", {i, f}), "Equal bool");
  EXPECT_EQ(match("==", {optInt, none}), "Equal bool");
  EXPECT_EQ(match("==", {i, s}), "no match");
  EXPECT_EQ(match("<", {i, f}), "Less bool");
  EXPECT_EQ(match("<", {b, b}), "no match");
  EXPECT_EQ(match("<", {optInt, i}), "no match");
  EXPECT_EQ(match("in", {s, types.list(s)}), "InList bool");
  EXPECT_EQ(match("in", {s, s}), "InString bool");
  EXPECT_EQ(match("in", {s, types.map(i)}), "InMap bool");
  EXPECT_EQ(match("in", {i, types.list(s)}), "no match");
  EXPECT_EQ(match("??", {optInt, i}), "Coalesce int");
  EXPECT_EQ(match("??", {optInt, optInt}), "CoalesceOptional int?");
  EXPECT_EQ(match("??", {types.optional(f), i}), "Coalesce float");
  EXPECT_EQ(match("[]", {types.list(f), i}), "Index float");
  EXPECT_EQ(match("[]", {types.map(f), s}), "IndexMap float");
  EXPECT_EQ(match("zip", {types.list(i), types.list(s)}), "Zip list<(a: int, b: string)>");
  EXPECT_EQ(match("enumerate", {types.list(s)}), "Enumerate list<(index: int, item: string)>");
  EXPECT_EQ(match("first", {types.list(optInt)}), "First int?");
  EXPECT_EQ(match("max", {i, f}), "Max float");
  EXPECT_EQ(match("max", {types.list(i)}), "MaxList int");
  EXPECT_EQ(match("sort", {types.list(b)}), "no match");
  EXPECT_EQ(match("flatten", {types.list(types.list(s))}), "Flatten list<string>");
  EXPECT_EQ(match("basename", {types.file("csv")}), "Basename string");
  EXPECT_EQ(match("basename", {i}), "no match");
  EXPECT_EQ(match("append", {types.list(TypeTable::kFile), types.file("csv")}),
            "Append list<file>");
}

TEST_F(BuiltinsTest, AMatchSaysWhatToConvertTo) {
  const std::vector<TypeId> args = {i, f};
  const std::optional<BuiltinMatch> found = matchBuiltin("+", args, types);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->params, (std::vector<TypeId>{f, f}));
}

TEST_F(BuiltinsTest, VariadicRowsTakeAnyNumber) {
  const auto result = [&](Builtin row, std::vector<TypeId> args) {
    const std::optional<BuiltinMatch> found = matchRow(row, args, types);
    return found ? types.print(found->result) : "no match";
  };
  EXPECT_EQ(result(Builtin::MakeList, {}), "list<?>");
  EXPECT_EQ(result(Builtin::MakeList, {i, i, none}), "list<int?>");
  EXPECT_EQ(result(Builtin::MakeList, {i, s}), "no match");
  EXPECT_EQ(result(Builtin::MakeMap, {s, i, s, i}), "map<string, int>");
  EXPECT_EQ(result(Builtin::MakeMap, {s, i, s}), "no match");
  EXPECT_EQ(result(Builtin::MakeRecord, {s, i, s}), "?");
  EXPECT_EQ(result(Builtin::Concat, {s, s, s}), "string");
  EXPECT_EQ(result(Builtin::Concat, {s, i}), "no match");
  EXPECT_EQ(result(Builtin::SpreadList, {types.list(i), types.list(i)}), "list<int>");
}

TEST_F(BuiltinsTest, CallableNamesLeaveOutOperatorsAndInternals) {
  const std::vector<std::string_view> names = callableNames();
  const std::set<std::string_view> set(names.begin(), names.end());
  EXPECT_EQ(set.size(), names.size());
  EXPECT_TRUE(set.contains("length"));
  EXPECT_TRUE(set.contains("glob"));
  for (const std::string_view word : {"or", "and", "not", "in", "div", "+", "#list", "[]"}) {
    EXPECT_FALSE(set.contains(word)) << word;
  }
  EXPECT_EQ(overloads("length").size(), 3U);
  EXPECT_TRUE(overloads("nonsense").empty());
}

}  // namespace
}  // namespace couler::ir

#include "ir/types.h"

#include <gtest/gtest.h>

namespace couler::ir {
namespace {

class TypesTest : public testing::Test {
 protected:
  TypeId schema(std::string name, std::string origin) {
    Type type;
    type.kind = TypeKind::Schema;
    type.name = std::move(name);
    type.origin = std::move(origin);
    type.fields = {{"id", TypeTable::kString}};
    return types.intern(std::move(type));
  }
  TypeTable types;
};

TEST_F(TypesTest, FixedIdsAreWhatTheySay) {
  EXPECT_EQ(types.print(TypeTable::kNone), "none");
  EXPECT_EQ(types.print(TypeTable::kBool), "bool");
  EXPECT_EQ(types.print(TypeTable::kInt), "int");
  EXPECT_EQ(types.print(TypeTable::kFloat), "float");
  EXPECT_EQ(types.print(TypeTable::kString), "string");
  EXPECT_EQ(types.print(TypeTable::kTimestamp), "timestamp");
  EXPECT_EQ(types.print(TypeTable::kDuration), "duration");
  EXPECT_EQ(types.print(TypeTable::kSize), "size");
  EXPECT_EQ(types.print(TypeTable::kSecret), "secret");
  EXPECT_EQ(types.print(TypeTable::kFile), "file");
  EXPECT_EQ(types.print(TypeTable::kDir), "dir");
  EXPECT_EQ(types.file(""), TypeTable::kFile);
}

TEST_F(TypesTest, EqualTypesHaveOneId) {
  EXPECT_EQ(types.list(types.file("csv")), types.list(types.file("csv")));
  EXPECT_NE(types.list(types.file("csv")), types.list(types.file("json")));
  const std::vector<TypeField> fields = {{"a", TypeTable::kInt}, {"b", TypeTable::kFile}};
  EXPECT_EQ(types.record(fields), types.record(fields));
  EXPECT_NE(types.record(fields), types.record({fields[1], fields[0]}));
}

TEST_F(TypesTest, SchemasAreToldApartByWhereTheyAre) {
  EXPECT_EQ(schema("Row", "a.cwl"), schema("Row", "a.cwl"));
  EXPECT_NE(schema("Row", "a.cwl"), schema("Row", "b.cwl"));
  EXPECT_FALSE(types.accepts(schema("Row", "a.cwl"), schema("Row", "b.cwl")));
}

TEST_F(TypesTest, OptionalNeverNests) {
  const TypeId once = types.optional(TypeTable::kInt);
  EXPECT_EQ(types.optional(once), once);
  EXPECT_EQ(types.optional(TypeTable::kNone), TypeTable::kNone);
}

TEST_F(TypesTest, PrintsAsSource) {
  const TypeId record =
      types.record({{"model", TypeTable::kFile}, {"score", types.optional(TypeTable::kFloat)}});
  EXPECT_EQ(types.print(types.optional(record)), "(model: file, score: float?)?");
  EXPECT_EQ(types.print(types.map(types.list(types.file("csv")))), "map<string, list<file<csv>>>");
  EXPECT_EQ(types.print(types.table(schema("Row", "a.cwl"))), "table<Row>");
}

TEST_F(TypesTest, AcceptsOnlyWhatItSays) {
  const TypeId optInt = types.optional(TypeTable::kInt);
  const TypeId optFloat = types.optional(TypeTable::kFloat);
  EXPECT_TRUE(types.accepts(TypeTable::kFloat, TypeTable::kInt));
  EXPECT_FALSE(types.accepts(TypeTable::kInt, TypeTable::kFloat));
  EXPECT_TRUE(types.accepts(optFloat, TypeTable::kInt));
  EXPECT_FALSE(types.accepts(optFloat, optInt));
  EXPECT_TRUE(types.accepts(optInt, TypeTable::kNone));
  EXPECT_FALSE(types.accepts(TypeTable::kInt, optInt));
  EXPECT_TRUE(types.accepts(TypeTable::kFile, types.file("csv")));
  EXPECT_FALSE(types.accepts(types.file("csv"), TypeTable::kFile));
  EXPECT_TRUE(types.accepts(types.list(TypeTable::kFile), types.list(types.file("csv"))));
  EXPECT_FALSE(types.accepts(types.list(TypeTable::kFloat), types.list(TypeTable::kInt)));
  EXPECT_TRUE(types.accepts(types.map(optInt), types.map(TypeTable::kInt)));
  EXPECT_TRUE(types.accepts(TypeTable::kSecret, TypeTable::kError));
  EXPECT_FALSE(types.accepts(TypeTable::kSecret, TypeTable::kString));
}

TEST_F(TypesTest, JoinsToTheLeast) {
  EXPECT_EQ(types.join(TypeTable::kInt, TypeTable::kFloat), TypeTable::kFloat);
  EXPECT_EQ(types.join(TypeTable::kNone, TypeTable::kInt), types.optional(TypeTable::kInt));
  EXPECT_EQ(types.join(types.file("csv"), types.file("json")), TypeTable::kFile);
  EXPECT_EQ(types.join(types.list(types.file("csv")), types.list(types.file("json"))),
            types.list(TypeTable::kFile));
  EXPECT_EQ(types.join(TypeTable::kInt, TypeTable::kString), std::nullopt);
  EXPECT_EQ(types.join(types.list(TypeTable::kInt), types.list(TypeTable::kFloat)), std::nullopt);
  EXPECT_EQ(types.join(types.optional(TypeTable::kInt), TypeTable::kFloat), std::nullopt);
}

TEST_F(TypesTest, WhatTwoTypesJoinToAcceptsBoth) {
  std::vector<TypeId> all = {TypeTable::kNone,  TypeTable::kInt,   TypeTable::kFloat,
                             TypeTable::kFile,  types.file("csv"), types.file("json"),
                             TypeTable::kString};
  for (int round = 0; round < 2; ++round) {
    const std::vector<TypeId> before = all;
    for (const TypeId type : before) {
      all.push_back(types.optional(type));
      all.push_back(types.list(type));
      all.push_back(types.record({{"x", type}}));
    }
  }
  for (const TypeId a : all) {
    EXPECT_TRUE(types.accepts(a, a));
    for (const TypeId b : all) {
      const std::optional<TypeId> both = types.join(a, b);
      EXPECT_EQ(both, types.join(b, a)) << types.print(a) << " and " << types.print(b);
      if (!both) continue;
      EXPECT_TRUE(types.accepts(*both, a)) << types.print(*both) << " from " << types.print(a);
      EXPECT_TRUE(types.accepts(*both, b)) << types.print(*both) << " from " << types.print(b);
    }
  }
}

TEST_F(TypesTest, HoldsLooksInside) {
  const TypeId deep = types.list(types.optional(types.record({{"key", TypeTable::kSecret}})));
  EXPECT_TRUE(types.holds(deep, TypeKind::Secret));
  EXPECT_FALSE(types.holds(deep, TypeKind::File));
}

TEST_F(TypesTest, FieldIndexFindsByName) {
  const TypeId record = types.record({{"a", TypeTable::kInt}, {"b", TypeTable::kInt}});
  EXPECT_EQ(types.fieldIndex(record, "b"), 1U);
  EXPECT_EQ(types.fieldIndex(record, "c"), std::nullopt);
  EXPECT_EQ(types.fieldIndex(TypeTable::kInt, "a"), std::nullopt);
}

}  // namespace
}  // namespace couler::ir

#include "backends/names.h"

#include <set>

#include <gtest/gtest.h>

namespace couler::backends {
namespace {

TEST(Names, MakesLabels) {
  EXPECT_EQ(dnsLabel("count"), "count");
  EXPECT_EQ(dnsLabel("Train_Model.3"), "train-model-3");
  EXPECT_EQ(dnsLabel("--a--b--"), "a-b");
  EXPECT_EQ(dnsLabel("3d"), "x3d");
  EXPECT_EQ(dnsLabel(""), "x");
  EXPECT_EQ(dnsLabel("é"), "x");
}

TEST(Names, CutsWithAHash) {
  const std::string a = dnsLabel(std::string(80, 'a') + "1");
  const std::string b = dnsLabel(std::string(80, 'a') + "2");
  EXPECT_EQ(a.size(), 63U);
  EXPECT_TRUE(isDnsLabel(a));
  EXPECT_NE(a, b);
  EXPECT_EQ(a, dnsLabel(std::string(80, 'a') + "1"));
}

TEST(Names, TellsLabels) {
  EXPECT_TRUE(isDnsLabel("a-1"));
  EXPECT_TRUE(isDnsLabel("1a"));
  EXPECT_FALSE(isDnsLabel(""));
  EXPECT_FALSE(isDnsLabel("-a"));
  EXPECT_FALSE(isDnsLabel("a-"));
  EXPECT_FALSE(isDnsLabel("A"));
  EXPECT_FALSE(isDnsLabel("a.b"));
  EXPECT_FALSE(isDnsLabel(std::string(64, 'a')));
}

TEST(Names, NeverGivesOneTwice) {
  NameTable first, second;
  std::set<std::string> seen;
  for (const char* text : {"x-2", "x.2", "x", "x_2", "x", "X", "x-2", "", "x"}) {
    const std::string name(first.unique(text));
    EXPECT_TRUE(isDnsLabel(name)) << name;
    EXPECT_TRUE(seen.insert(name).second) << name;
    EXPECT_EQ(name, second.unique(text));
  }
  EXPECT_TRUE(seen.contains("x-2"));
  EXPECT_TRUE(seen.contains("x"));
}

}  // namespace
}  // namespace couler::backends

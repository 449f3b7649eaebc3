#include <gtest/gtest.h>

#include <set>

#include "random_expression.h"
#include "runtime/jit/lower.h"
#include "runtime/jit/patterns.h"

namespace couler::jit::test {

namespace {

TEST(Rules, EveryBuiltinIsCompiledOrNamedAsNot) {
  // Lists, maps and files, which no column holds, and what is the compiler's own.
  const std::set<Builtin> without = {
      Builtin::InMap,      Builtin::Range,        Builtin::RangeTo,     Builtin::RangeFromTo,
      Builtin::RangeStep,  Builtin::Index,        Builtin::IndexMap,    Builtin::MinList,
      Builtin::MaxList,    Builtin::SumInt,       Builtin::SumFloat,    Builtin::SumDuration,
      Builtin::SumSize,    Builtin::MeanInt,      Builtin::MeanFloat,   Builtin::Split,
      Builtin::SplitSpace, Builtin::Lines,        Builtin::Join,        Builtin::FindAll,
      Builtin::LengthList, Builtin::Sort,         Builtin::Distinct,    Builtin::ReverseList,
      Builtin::Flatten,    Builtin::ConcatLists,  Builtin::Append,      Builtin::First,
      Builtin::Last,       Builtin::Take,         Builtin::Drop,        Builtin::Slice,
      Builtin::Zip,        Builtin::Enumerate,    Builtin::IndexOf,     Builtin::GetItem,
      Builtin::Any,        Builtin::All,          Builtin::LengthMap,   Builtin::Keys,
      Builtin::Values,     Builtin::Entries,      Builtin::Get,         Builtin::Has,
      Builtin::MakeFile,   Builtin::MakeDir,      Builtin::Glob,        Builtin::ListOfRows,
      Builtin::RowsOfList, Builtin::MakeList,     Builtin::SpreadList,  Builtin::MakeMap,
      Builtin::Drift,      Builtin::TuneGrid,     Builtin::TuneRandom,  Builtin::TuneSobol,
      Builtin::TuneNext,   Builtin::TunePromoted, Builtin::TuneBest,
      Builtin::TunePrior};
  // What the random expressions make beside their table.
  std::set<Builtin> tried = {
      Builtin::Coalesce, Builtin::CoalesceOptional, Builtin::Equal,     Builtin::NotEqual,
      Builtin::Less,     Builtin::LessEqual,        Builtin::Greater,   Builtin::GreaterEqual,
      Builtin::InList,   Builtin::ToString,         Builtin::Min,       Builtin::Max,
      Builtin::Clamp,    Builtin::Hash,             Builtin::MakeRecord, Builtin::Unwrap};
  for (const Operation& operation : operations()) tried.insert(operation.op);
  tried.insert(dateParts().begin(), dateParts().end());
  for (const ir::BuiltinInfo& info : ir::builtinTable()) {
    EXPECT_EQ(isSupported(info.id), !without.contains(info.id)) << info.enumerator;
    if (isSupported(info.id) && !ir::isAggregate(info.id)) {
      EXPECT_TRUE(tried.contains(info.id)) << info.enumerator << " is in no random expression";
    }
  }
}

TEST(Rules, PlainPatternsAreTextsToLookFor) {
  const auto one = [](std::string_view pattern) { return plainAlternatives(pattern); };
  ASSERT_TRUE(one("^us-"));
  EXPECT_TRUE((*one("^us-"))[0].fromStart);
  EXPECT_EQ((*one("x\\.y$"))[0].text, "x.y");
  EXPECT_TRUE((*one("x\\.y$"))[0].toEnd);
  EXPECT_EQ(one("a|b|^c$")->size(), 3U);
  for (const char* pattern : {"a.b", "a*", "(a)", "[a]", "a{2}", "\\d", "a^b", "(?i)a", "a$b"}) {
    EXPECT_FALSE(one(pattern)) << pattern;
  }
}

TEST(Rules, RequiredTextIsInEveryMatch) {
  const std::pair<const char*, const char*> cases[] = {
      {"[0-9]{4} Del", " Del"}, {"^abc.*longer", "longer"}, {"abc|abd", ""},     {"abc*", "ab"},
      {"(abc|x)def", "def"},    {"(?i)abc", ""},            {"[]abc]de", "de"},  {"ab+cde", "cde"},
      {"\\d+km", "km"},         {"\\pLabc", ""},            {"x{2}abc", "abc"},  {"日本?", "日"},
      {"[[:alpha:]]ab", "ab"},  {"a", ""},                  {"ab\\.c", "ab.c"}};
  for (const auto& [pattern, text] : cases) EXPECT_EQ(requiredText(pattern), text) << pattern;
}

}  // namespace

}  // namespace couler::jit::test

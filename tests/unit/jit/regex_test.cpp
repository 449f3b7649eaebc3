#include <algorithm>

#include <gtest/gtest.h>
#include <re2/re2.h>

#include "compare.h"
#include "random_expression.h"
#include "runtime/jit/automaton.h"
#include "runtime/jit/replacement.h"
#include "support/text.h"

// RE2 is the oracle: an automaton tells of every text what RE2 does.
namespace couler::jit::test {

namespace {

bool run(const Automaton& automaton, std::string_view text) {
  std::uint32_t state = 0;
  for (const char c : text) state = automaton.step(state, static_cast<std::uint8_t>(c));
  return automaton.accepts[state];
}

/// Whether a sequence of bytes is in a text, at the ends where it is to be.
bool isIn(const ByteSequence& sequence, std::string_view text) {
  const std::size_t size = sequence.bytes.size();
  for (std::size_t at = 0; at + size <= text.size(); ++at) {
    if ((sequence.fromStart && at > 0) || (sequence.toEnd && at + size < text.size())) continue;
    bool all = true;
    for (std::size_t i = 0; i < size; ++i) {
      const auto byte = static_cast<std::uint8_t>(text[at + i]);
      all = all && std::any_of(sequence.bytes[i].begin(), sequence.bytes[i].end(),
                               [&](const auto& r) { return r.first <= byte && byte <= r.second; });
    }
    if (all) return true;
  }
  return false;
}

class Patterns {
 public:
  explicit Patterns(Random& random) : r_(random) {}

  std::string pattern(int depth) {
    std::string made;
    if (r_.oneIn(8)) made += "^";
    const std::size_t pieces = 1 + r_.below(4);
    for (std::size_t i = 0; i < pieces; ++i) made += piece(depth);
    if (r_.oneIn(8)) made += "$";
    if (depth > 0 && r_.oneIn(5)) made += "|" + pattern(depth - 1);
    return made;
  }

  std::string text() {
    static const std::vector<std::string> kParts = {
        "a",      "b",      "ab",     "K",         "k",  "S",  "s",  "0",
        "7",      " ",      "\n",     "_",         "-",  ".",  "é",  "É",
        "ſ",      "\u212a", "日",     "本",        "😀", "\t", "zz", std::string("\0", 1),
        "\u07ff", "\u0800", "\uffff", "\U0010ffff"};
    std::string made;
    for (std::size_t n = r_.below(r_.oneIn(10) ? 120 : 14); n > 0; --n) made += r_.pick(kParts);
    return made;
  }

 private:
  std::string piece(int depth) {
    std::string made = atom(depth);
    static const std::vector<std::string> kTimes = {"*",   "+",     "?",    "*?",
                                                    "{2}", "{1,3}", "{2,}", "{0}"};
    return r_.oneIn(3) ? made + r_.pick(kTimes) : made;
  }
  std::string atom(int depth) {
    static const std::vector<std::string> kAtoms = {"a",
                                                    "b",
                                                    "k",
                                                    "S",
                                                    "z",
                                                    "é",
                                                    "日",
                                                    "😀",
                                                    ".",
                                                    "\\d",
                                                    "\\D",
                                                    "\\w",
                                                    "\\W",
                                                    "\\s",
                                                    "\\S",
                                                    "\\b",
                                                    "\\B",
                                                    "\\A",
                                                    "\\z",
                                                    "\\.",
                                                    "\\n",
                                                    "[ab]",
                                                    "[^ab]",
                                                    "[a-k0-9]",
                                                    "[^\\d_]",
                                                    "[[:alpha:]-]",
                                                    "[[:^space:]]",
                                                    "[é-日]",
                                                    "[]k]",
                                                    "[\\w.]",
                                                    "[^é]",
                                                    "_",
                                                    "(?i)",
                                                    "(?s)",
                                                    "(?m)",
                                                    "(?-i)",
                                                    "^",
                                                    "$",
                                                    "[\\x]",
                                                    "\\pL",
                                                    "\\Qa\\E",
                                                    "[a\\-z]",
                                                    "[+--]",
                                                    "x**",
                                                    "{",
                                                    "\\C",
                                                    "(?i:s)",
                                                    "[s-z]"};
    if (depth > 0 && r_.oneIn(4)) {
      static const std::vector<std::string> kGroups = {
          "(", "(?:", "(?i:", "(?s:", "(?m:", "(?P<n>"};
      return r_.pick(kGroups) + pattern(depth - 1) + ")";
    }
    return r_.pick(kAtoms);
  }

  Random& r_;
};

class Regexes : public ::testing::TestWithParam<int> {};

TEST_P(Regexes, MatchWhatTheyMatchInRe2) {
  Random random(static_cast<std::uint64_t>(GetParam()));
  Patterns patterns(random);
  std::size_t known = 0;
  std::size_t tried = 0;
  for (int i = 0; i < 400; ++i) {
    const std::string pattern = patterns.pattern(2);
    re2::RE2::Options options;
    options.set_log_errors(false);
    const re2::RE2 oracle(pattern, options);
    if (!oracle.ok()) continue;  // an automaton is only asked for where it is
    ++tried;
    const auto automaton = automatonOf(pattern);
    if (!automaton) continue;
    ++known;
    for (int k = 0; k < 40; ++k) {
      const std::string text = patterns.text();
      const bool expected = re2::RE2::PartialMatch(text, oracle);
      ASSERT_EQ(run(*automaton, text), expected) << jsonQuote(pattern) << " in " << jsonQuote(text);
      if (!automaton->sequence) continue;
      ASSERT_EQ(isIn(*automaton->sequence, text), expected)
          << jsonQuote(pattern) << " in " << jsonQuote(text);
    }
  }
  EXPECT_GT(known, tried / 3);
}

TEST_P(Regexes, MatchCompiledWhatTheEvaluatorSays) {
  Rows rows(static_cast<std::uint64_t>(5000 + GetParam()));
  ir::Module& m = rows.module;
  Patterns patterns(rows.random);
  const NodeId map = rows.stage(ir::RowsOp::Map, rows.rowType, [&](ir::RegionId body, NodeId row) {
    Expressions expressions(rows, body, row);
    std::vector<NodeId> values;
    while (values.size() < 12) {
      const std::string pattern = patterns.pattern(2);
      re2::RE2::Options options;
      options.set_log_errors(false);
      if (!re2::RE2(pattern, options).ok()) continue;
      const NodeId literal = m.addConst(body, Value(pattern), TypeTable::kString);
      const bool optional = rows.random.oneIn(3);
      const TypeId type = optional ? m.types.optional(TypeTable::kBool) : TypeTable::kBool;
      values.push_back(
          m.add(body, ir::Op{Builtin::Matches, optional}, type,
                std::vector<NodeId>{expressions.column(Kind::String, optional), literal}));
    }
    return expressions.record(values);
  });
  const auto fields = m.types[rows.rowType].fields;
  std::vector<Value> made;
  for (int i = 0; i < 300; ++i) {
    ir::NamedItems items;
    for (std::size_t k = 0; k < fields.size(); ++k) {
      const Kind kind = kKinds[k / 2];
      Value value = kind == Kind::String ? Value(patterns.text())
                                         : randomValue(rows.random, kind, rows.colours);
      const bool none = k % 2 == 1 && rows.random.oneIn(4);
      items.emplace_back(fields[k].name, none ? Value() : std::move(value));
    }
    made.push_back(Value::record(std::move(items)));
  }
  compareRuns(rows.plan({map}), column::batchOf(column::schemaOf(m.types, rows.rowType), made));
}

INSTANTIATE_TEST_SUITE_P(Jit, Regexes, ::testing::Range(0, 12));

TEST_P(Regexes, ReplaceByBytesWhatRe2Replaces) {
  Random random(static_cast<std::uint64_t>(9000 + GetParam()));
  Patterns patterns(random);
  for (const char* pattern : {"[^a-z]+", "[^a-z]", "\\s+", "(?:[ab])+", "a", "\\W", "\\W+",
                              "([0-9._-])", "(?i)k+", ".+", "(?s)."}) {
    for (const char* with : {"", "_", "-x-", "12345678"}) {
      const auto replacement = replacementOfAll(pattern, with);
      if (!replacement) {
        EXPECT_STREQ(pattern, "(?i)k+");  // one letter of it is beyond ASCII
        continue;
      }
      for (int k = 0; k < 50; ++k) {
        const std::string text = patterns.text();
        std::string room(replacement->room(text.size()), '\0');
        room.resize(static_cast<std::size_t>(replacement->apply(text, room.data()) - room.data()));
        std::string expected = text;
        re2::RE2::GlobalReplace(&expected, re2::RE2(pattern), with);
        ASSERT_EQ(room, expected) << pattern << " by " << with << " in " << jsonQuote(text);
      }
    }
  }
  for (const char* pattern :
       {"[a-z]+?", "(?U)[a-z]+", "[a-z]*", "[é]", "ab", "[a-z]{2}", "^a", "a|b"}) {
    EXPECT_FALSE(replacementOfAll(pattern, "_")) << pattern;
  }
  EXPECT_FALSE(replacementOfAll("a+", "\\0"));
  EXPECT_FALSE(replacementOfAll("a+", "123456789"));
}

TEST(Sequences, AreOfBytesOneAfterTheOther) {
  for (const char* pattern : {"[0-9]{4} Del", "^ab", "a[bc]$", "^x$", "\\d+km", "é+", "(ab)c"}) {
    const auto automaton = automatonOf(pattern);
    EXPECT_TRUE(automaton && automaton->sequence) << pattern;
  }
  for (const char* pattern : {"a.b", "a|b", "ab*c", "^a+$", "[^a]b", "\\ba", "a{20}", ""}) {
    const auto automaton = automatonOf(pattern);
    ASSERT_TRUE(automaton) << pattern;
    EXPECT_FALSE(automaton->sequence) << pattern;
  }
}

TEST(Automata, AreAsSmallAsTheyCanBe) {
  const std::pair<const char*, std::uint32_t> cases[] = {
      {"a", 2}, {"", 1}, {"[0-9]{4} Del", 9}, {"^abc", 5}, {"x.*y", 3}, {"^a+$", 3}, {"[^\\n]", 5}};
  for (const auto& [pattern, states] : cases) {
    const auto automaton = automatonOf(pattern);
    ASSERT_TRUE(automaton) << pattern;
    EXPECT_EQ(automaton->states, states) << pattern;
  }
}

TEST(Automata, WhatIsNotKnownIsLeftToRe2) {
  for (const char* pattern : {"\\pL", "(?i)é", "a**", "\\C", "(?<n>a)", "a{200}", "(", "[z-a]",
                              "\\x41", "(a|b)*a(a|b){12}", "\\8", "^*"}) {
    EXPECT_FALSE(automatonOf(pattern)) << pattern;
  }
}

}  // namespace

}  // namespace couler::jit::test

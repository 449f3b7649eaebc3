#include "support/text.h"

#include <gtest/gtest.h>

namespace couler {
namespace {

TEST(Utf8, FindsTheFirstBadByte) {
  EXPECT_FALSE(findInvalidUtf8("plain, \xC3\xA9, \xE2\x82\xAC, \xF0\x9F\x98\x80"));
  EXPECT_EQ(findInvalidUtf8("ab\xFFz"), 2U);
  EXPECT_EQ(findInvalidUtf8("\xC0\xAF"), 0U) << "overlong";
  EXPECT_EQ(findInvalidUtf8("x\xED\xA0\x80"), 1U) << "surrogate";
  EXPECT_EQ(findInvalidUtf8("\xF4\x90\x80\x80"), 0U) << "past U+10FFFF";
  EXPECT_EQ(findInvalidUtf8("ab\xE2\x82"), 2U) << "cut short";
}

TEST(Utf8, WritesCodePoints) {
  std::string out;
  for (const char32_t code : {U'z', U'\x7f', U'\x80', U'\x7ff', U'\x800', U'\xffff'}) {
    appendUtf8(out, code);
  }
  appendUtf8(out, 0x10000);
  appendUtf8(out, 0x10ffff);
  EXPECT_EQ(out, "z\x7f\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
  EXPECT_FALSE(findInvalidUtf8(out));
}

TEST(Escapes, LettersAndCharactersArePairs) {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    if (const char letter = escapeLetter(c); letter != 0) {
      EXPECT_EQ(unescapeLetter(letter), c) << i;
    }
    if (const char read = unescapeLetter(c); read != 0) {
      EXPECT_EQ(escapeLetter(read), c) << i;
    }
  }
  EXPECT_EQ(escapeLetter('\n'), 'n');
  EXPECT_EQ(unescapeLetter('"'), '"');
  EXPECT_EQ(escapeLetter('a'), 0);
  EXPECT_EQ(unescapeLetter('x'), 0);
}

TEST(Nearest, OffersWhatIsNear) {
  EXPECT_EQ(nearest("epoch", {"epochs", "rate"}), "epochs");
  EXPECT_EQ(nearest("tset", {"rest", "test"}), "test") << "a swap counts once";
  EXPECT_EQ(nearest("best", {"rest", "test"}), "rest") << "equal distance: the earlier";

  EXPECT_EQ(nearest("TRAIN", {"drain", "train"}), "train");
  EXPECT_EQ(nearest("xyz", {"epochs"}), std::nullopt);
  EXPECT_EQ(nearest("a", {"b"}), std::nullopt) << "nothing in common";
  EXPECT_EQ(nearest("same", {"same"}), std::nullopt) << "not itself";
}

TEST(CodePoints, AreCountedAndFound) {
  constexpr std::string_view kText = "a\u00e9\u20ac\U0001f600z";  // 1, 2, 3, 4 and 1 bytes
  EXPECT_EQ(countCodePoints(kText), 5U);
  EXPECT_EQ(countCodePoints(""), 0U);
  EXPECT_EQ(codePointOffset(kText, 0), 0U);
  EXPECT_EQ(codePointOffset(kText, 3), 6U);
  EXPECT_EQ(codePointOffset(kText, 4), 10U);
  EXPECT_EQ(codePointOffset(kText, 9), kText.size()) << "past the end";
}

TEST(CodePoints, AreNotCutInTwo) {
  EXPECT_EQ(shortened("\u00e9\u00e9\u00e9", 3), "\u00e9\u00e9\u00e9");
  EXPECT_EQ(shortened("\u00e9\u00e9\u00e9\u00e9", 3), "\u00e9\u00e9…");
  EXPECT_EQ(shortened("abcd", 3), "ab…");
}

TEST(JsonQuote, EscapesWhatMustBe) {
  EXPECT_EQ(jsonQuote("a\"b\\c\n\t\x01\x7f\xC3\xA9"),
            "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\xC3\xA9\"");
}

TEST(Human, SecondsAndBytes) {
  EXPECT_EQ(humanSeconds(0.34), "340 ms");
  EXPECT_EQ(humanSeconds(12.34), "12.3 s");
  EXPECT_EQ(humanSeconds(59.96), "1 min 0 s");
  EXPECT_EQ(humanSeconds(7500), "2 h 5 min");
  EXPECT_EQ(humanBytes(512), "512 B");
  EXPECT_EQ(humanBytes(1536), "1.5 KiB");
  EXPECT_EQ(countOf(1, "error"), "1 error");
  EXPECT_EQ(countOf(0, "error"), "0 errors");
}

}  // namespace
}  // namespace couler

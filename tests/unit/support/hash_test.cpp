#include "support/hash.h"

#include <gtest/gtest.h>

namespace couler {
namespace {

// Vectors of https://github.com/BLAKE3-team/BLAKE3/blob/master/test_vectors/test_vectors.json: the
// input of length n is the bytes 0, 1, … 250, 0, 1, …
std::string vectorInput(std::size_t n) {
  std::string text(n, '\0');
  for (std::size_t i = 0; i < n; ++i) text[i] = static_cast<char>(i % 251);
  return text;
}

TEST(Blake3, MatchesThePublishedVectors) {
  EXPECT_EQ(hashText("").hex(), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
  EXPECT_EQ(hashText(vectorInput(1)).hex(),
            "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213");
  EXPECT_EQ(hashText(vectorInput(1024)).hex(),
            "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7");
  EXPECT_EQ(hashText(vectorInput(31744)).hex(),
            "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47");
}

TEST(Blake3, PiecesDoNotMatter) {
  const std::string text = vectorInput(100000);
  Hasher hasher;
  for (std::size_t at = 0, step = 1; at < text.size(); at += step, step = step * 3 % 7001 + 1) {
    step = std::min(step, text.size() - at);
    hasher.update(std::string_view(text).substr(at, step));
    if (at + step == text.size()) break;
  }
  EXPECT_EQ(hasher.finish(), hashText(text));
}

TEST(Blake3, FieldsKeepTheirBounds) {
  Hasher a;
  a.field("ab");
  a.field("c");
  Hasher b;
  b.field("a");
  b.field("bc");
  EXPECT_NE(a.finish(), b.finish());
}

TEST(Digest, HexReadsBack) {
  const Digest digest = hashText("x");
  EXPECT_EQ(Digest::fromHex(digest.hex()), digest);
  EXPECT_FALSE(Digest::fromHex("12"));
  EXPECT_FALSE(Digest::fromHex(std::string(64, 'g')));
}

}  // namespace
}  // namespace couler

#include "support/packed_text.h"

#include <string>

#include <gtest/gtest.h>

#include "support/base64.h"

namespace couler {
namespace {

// RFC 4648, section 10.
TEST(Base64, HasTheDigitsOfItsStandard) {
  const std::string bytes = "foobar";
  const char* const texts[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    EXPECT_EQ(encodeBase64(bytes.substr(0, i)), texts[i]);
    EXPECT_EQ(decodeBase64(texts[i]), bytes.substr(0, i));
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(decodeBase64(encodeBase64(all)), all);
}

TEST(Base64, RefusesWhatItNeverWrites) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "====", "Zm9v\n", "Zm 9", "Z=9v", "Zm=v",
                           "Zh==", "Zm9=", "Zm9vZg==Zm9v"}) {
    EXPECT_FALSE(decodeBase64(text)) << text;
  }
}

TEST(PackedText, KeepsShortTextsAndPacksLongOnes) {
  EXPECT_EQ(packedText(""), "");
  const std::string limit(kPlainText, 'x');
  EXPECT_EQ(packedText(limit), limit);
  EXPECT_EQ(unpackedText(limit), limit);
  std::string text;
  for (int i = 0; text.size() < 3'000'000; ++i) text += "%" + std::to_string(i) + " = field x\n";
  const std::string packed = packedText(text);
  EXPECT_TRUE(packed.starts_with("zstd:"));
  EXPECT_LT(packed.size(), text.size() / 4);
  EXPECT_TRUE(unpackedText(packed) == text);
  EXPECT_EQ(packedText(text), packed);
}

TEST(PackedText, NeverTrustsAWord) {
  const std::string packed = packedText(std::string(100'000, 'x'));
  EXPECT_FALSE(unpackedText("zstd:"));
  EXPECT_FALSE(unpackedText("zstd:AAAA"));
  EXPECT_FALSE(unpackedText(packed.substr(0, packed.size() - 4)));
  for (std::size_t i = 5; i < packed.size(); ++i) {
    std::string damaged = packed;
    damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
    const auto text = unpackedText(damaged);
    EXPECT_TRUE(!text || text->size() == 100'000U) << i;
  }
  // A frame that says it holds 2^62 bytes.
  EXPECT_FALSE(unpackedText("zstd:" + encodeBase64(std::string("\x28\xb5\x2f\xfd\xe0\0\0\0\0\0\0\0\x40", 13))));
}

}  // namespace
}  // namespace couler

#include "support/packed_text.h"

#include <zstd.h>

#include "support/base64.h"

namespace couler {

namespace {

constexpr std::string_view kMark = "zstd:";
constexpr int kLevel = 9;  // 350 kB of a graph's text: 40 ms, a fourteenth; by 3 an eleventh, 19 a fifteenth
constexpr unsigned long long kMost = 1ULL << 30U;

}  // namespace

std::string packedText(std::string text) {
  if (text.size() <= kPlainText) return text;
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size =
      ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), kLevel);
  if (ZSTD_isError(size) != 0) return text;  // no memory
  packed.resize(size);
  return std::string(kMark) + encodeBase64(packed);
}

std::optional<std::string> unpackedText(std::string_view word) {
  if (!word.starts_with(kMark)) return std::string(word);
  const std::optional<std::string> packed = decodeBase64(word.substr(kMark.size()));
  if (!packed) return std::nullopt;
  const unsigned long long size = ZSTD_getFrameContentSize(packed->data(), packed->size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kMost) {
    return std::nullopt;
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  const std::size_t made =
      ZSTD_decompress(text.data(), text.size(), packed->data(), packed->size());
  if (ZSTD_isError(made) != 0 || made != text.size()) return std::nullopt;
  return text;
}

}  // namespace couler

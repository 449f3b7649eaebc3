#include "runtime/column/csv_scan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace couler::column {

namespace {

using Block = CsvScanner::Block;

/// Bit i of the result: byte i of the word is `byte`. Exact for every byte.
std::uint64_t equalBits(std::uint64_t word, std::uint8_t byte) {
  constexpr std::uint64_t kLow7 = 0x7F7F7F7F7F7F7F7FU;
  word ^= 0x0101010101010101U * byte;
  const std::uint64_t zero = ~(((word & kLow7) + kLow7) | word | kLow7);  // 0x80 where it is
  return ((zero >> 7U) * 0x0102040810204080U) >> 56U;
}

bool classifyPortable(const char* text, std::size_t blocks, Block* out) {
  std::uint64_t high = 0;
  for (std::size_t b = 0; b < blocks; ++b, text += 64) {
    Block block{};
    for (unsigned i = 0; i < 8; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, text + 8 * i, sizeof word);
      high |= word;
      block.quotes |= equalBits(word, '"') << (8 * i);
      block.commas |= equalBits(word, ',') << (8 * i);
      block.feeds |= equalBits(word, '\n') << (8 * i);
    }
    out[b] = block;
  }
  return (high & 0x8080808080808080U) != 0;
}

#if defined(__x86_64__)
bool classifySse2(const char* text, std::size_t blocks, Block* out) {
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i comma = _mm_set1_epi8(',');
  const __m128i feed = _mm_set1_epi8('\n');
  __m128i high = _mm_setzero_si128();
  for (std::size_t b = 0; b < blocks; ++b, text += 64) {
    Block block{};
    for (unsigned i = 0; i < 4; ++i) {
      const __m128i in = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + 16 * i));
      const auto bits = [&](__m128i what) {
        const int mask = _mm_movemask_epi8(_mm_cmpeq_epi8(in, what));
        return static_cast<std::uint64_t>(static_cast<unsigned>(mask)) << (16 * i);
      };
      high = _mm_or_si128(high, in);
      block.quotes |= bits(quote);
      block.commas |= bits(comma);
      block.feeds |= bits(feed);
    }
    out[b] = block;
  }
  return _mm_movemask_epi8(high) != 0;
}

#define COULER_WIDE __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))

COULER_WIDE bool classifyAvx2(const char* text, std::size_t blocks, Block* out) {
  const __m256i quote = _mm256_set1_epi8('"');
  const __m256i comma = _mm256_set1_epi8(',');
  const __m256i feed = _mm256_set1_epi8('\n');
  __m256i high = _mm256_setzero_si256();
  for (std::size_t b = 0; b < blocks; ++b, text += 64) {
    const __m256i in0 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
    const __m256i in1 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + 32));
    high = _mm256_or_si256(high, _mm256_or_si256(in0, in1));
#define COULER_BITS(what)                                                           \
  (static_cast<std::uint64_t>(                                                      \
       static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(in0, what)))) | \
   static_cast<std::uint64_t>(                                                      \
       static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(in1, what))))   \
       << 32U)
    out[b] = {COULER_BITS(quote), COULER_BITS(comma), COULER_BITS(feed)};
#undef COULER_BITS
  }
  return _mm256_movemask_epi8(high) != 0;
}

bool hasWide() {
  static const bool has = __builtin_cpu_supports("avx2") != 0 &&
                          __builtin_cpu_supports("bmi2") != 0 &&
                          __builtin_cpu_supports("popcnt") != 0;
  return has;
}
#endif

/// Bit i: whether an odd number of the bits up to and including i are set.
std::uint64_t parity(std::uint64_t bits) {
  for (unsigned shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

constexpr std::size_t kGroup = 64;  // blocks classified at once: their bits stay in the L1 cache

}  // namespace

std::size_t CsvScanner::openRow() const {
  return static_cast<std::uint32_t>(ends_[rowCount_ == 0 ? 0 : rows_[rowCount_ - 1]] + 1);
}

void CsvScanner::usePortable() { portable_ = true; }

bool CsvScanner::reserve(std::size_t cells) {
  // The index writes in eights.
  const std::size_t wanted = cellCount_ + cells + 16;
  if (wanted <= capacity_) return true;
  const std::size_t capacity = std::max(wanted, capacity_ * 2);
  std::unique_ptr<std::uint32_t[]> ends(new (std::nothrow) std::uint32_t[capacity]);
  std::unique_ptr<std::uint32_t[]> rows(new (std::nothrow) std::uint32_t[capacity]);
  if (!ends || !rows) return false;
  if (ends_) std::copy_n(ends_.get(), cellCount_ + 1, ends.get());
  if (rows_) std::copy_n(rows_.get(), rowCount_, rows.get());
  ends_ = std::move(ends);
  rows_ = std::move(rows);
  capacity_ = capacity;
  return true;
}

bool CsvScanner::begin(std::size_t offset, std::size_t sliceBytes) {
  cellCount_ = rowCount_ = 0;
  if (!reserve(sliceBytes)) return false;
  ends_[0] = static_cast<std::uint32_t>(offset) - 1;  // wraps at 0, and back when 1 is added
  return true;
}

void CsvScanner::consume(std::size_t by) {
  const std::size_t done = rowCount_ == 0 ? 0 : rows_[rowCount_ - 1];
  for (std::size_t i = done; i <= cellCount_; ++i) {
    ends_[i - done] = ends_[i] - static_cast<std::uint32_t>(by);
  }
  cellCount_ -= done;
  rowCount_ = 0;
}

std::uint64_t CsvScanner::structureByBytes(const Block& block, std::size_t size) {
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t bit = std::uint64_t{1} << i;
    const bool quote = (block.quotes & bit) != 0;
    if (state_ == State::Quoted) {
      if (quote) state_ = State::QuoteInQuoted;
    } else if (((block.commas | block.feeds) & bit) != 0) {
      result |= bit;
      state_ = State::CellStart;
    } else if (quote && state_ != State::Plain) {
      state_ = State::Quoted;
    } else {
      state_ = State::Plain;
    }
  }
  return result;
}

std::uint64_t CsvScanner::structure(const Block& block, std::size_t size) {
  if (size < 64) return structureByBytes(block, size);
  const std::uint64_t before = state_ == State::Quoted ? ~std::uint64_t{0} : 0;
  const std::uint64_t inside = parity(block.quotes) ^ before;  // from an opening quote on
  const std::uint64_t closing = block.quotes & ~inside;
  const std::uint64_t result = (block.commas | block.feeds) & ~inside;
  const std::uint64_t mayOpen =
      ((result | closing) << 1U) |
      static_cast<std::uint64_t>(state_ == State::CellStart || state_ == State::QuoteInQuoted);
  // A quote within a plain cell: none of the above holds.
  if ((block.quotes & inside & ~mayOpen) != 0) return structureByBytes(block, size);
  constexpr std::uint64_t kLast = std::uint64_t{1} << 63U;
  state_ = (inside & kLast) != 0    ? State::Quoted
           : (closing & kLast) != 0 ? State::QuoteInQuoted
           : (result & kLast) != 0  ? State::CellStart
                                    : State::Plain;
  return result;
}

void CsvScanner::index(const Block* blocks, std::size_t from, std::size_t size) {
  for (std::size_t done = 0; done < size; done += 64, ++blocks) {
    const std::size_t left = size - done;
    Block block = *blocks;
    if (left < 64) {
      const std::uint64_t mask = (std::uint64_t{1} << left) - 1;
      block = {block.quotes & mask, block.commas & mask, block.feeds & mask};
    }
    std::uint64_t bits = block.commas | block.feeds;
    if (block.quotes != 0 || state_ == State::Quoted || left < 64) {
      bits = structure(block, std::min<std::size_t>(left, 64));
    } else {
      state_ = (bits >> 63U) != 0 ? State::CellStart : State::Plain;
    }
    lines_ += std::popcount(block.feeds);
    for (std::uint64_t feeds = block.feeds & bits; feeds != 0; feeds &= feeds - 1) {
      const std::uint64_t upTo = feeds ^ (feeds - 1);  // the lowest feed and all below it
      rows_[rowCount_++] = static_cast<std::uint32_t>(cellCount_) +
                           static_cast<std::uint32_t>(std::popcount(bits & upTo));
    }
    const auto count = static_cast<std::size_t>(std::popcount(bits));
    std::uint32_t* to = ends_.get() + cellCount_ + 1;
    const auto base = static_cast<std::uint32_t>(from + done);
    for (std::size_t at = 0; at < count; at += 8) {  // eight at a time, whether there or not
      for (std::size_t i = 0; i < 8; ++i) {
        to[at + i] = base + static_cast<std::uint32_t>(std::countr_zero(bits));
        bits &= bits - 1;
      }
    }
    cellCount_ += count;
  }
}

#if defined(__x86_64__)
COULER_WIDE void CsvScanner::indexWide(CsvScanner& scanner, const Block* blocks, std::size_t from,
                                       std::size_t size) {
  scanner.index(blocks, from, size);
}
#endif

void CsvScanner::indexPlain(CsvScanner& scanner, const Block* blocks, std::size_t from,
                            std::size_t size) {
  scanner.index(blocks, from, size);
}

bool CsvScanner::scan(const char* text, std::size_t from, std::size_t size) {
  if (!reserve(size)) return false;
  const std::size_t rowsBefore = rowCount_;
  bool high = false;
  Classify classify = classifyPortable;
  auto* index = indexPlain;
#if defined(__x86_64__)
  if (!portable_) {
    classify = hasWide() ? classifyAvx2 : classifySse2;
    if (hasWide()) index = indexWide;
  }
#endif
  std::array<Block, kGroup> blocks;
  for (std::size_t done = 0; done < size; done += kGroup * 64) {
    const std::size_t bytes = std::min(size - done, kGroup * 64);
    if (classify(text + from + done, (bytes + 63) / 64, blocks.data())) high = true;
    index(*this, blocks.data(), from + done, bytes);
  }
  highBytes_ = high || openHighBytes_;
  openHighBytes_ = rowCount_ == rowsBefore ? highBytes_ : high;
  return true;
}

}  // namespace couler::column

#include "runtime/column/value_counts.h"
#include "support/text.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

namespace couler::column {

namespace {

constexpr std::uint64_t kHighs = 0x8080808080808080U;

__extension__ using Wide = unsigned __int128;

/// Both halves of a product of 128 bits, as wyhash mixes (https://github.com/wangyi-fudan/wyhash,
/// public domain).
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

struct Hashed {
  std::uint64_t hash;
  std::int64_t letters;
};
/// The hash and the code points of UTF-8; 8 bytes past its end are readable.
Hashed look(const char* at, std::int64_t size) {
  constexpr std::uint64_t kFirst = 0xa0761d6478bd642fU;
  constexpr std::uint64_t kSecond = 0xe7037ed1a0b428dbU;
  std::uint64_t hash = static_cast<std::uint64_t>(size) ^ kFirst;
  std::uint64_t high = 0;
  std::int64_t following = 0;  // bytes 10xxxxxx
  const auto take = [&](std::uint64_t word) {
    hash = fold(hash ^ word, kSecond);
    high |= word;
  };
  std::int64_t left = size;
  const char* p = at;
  for (; left >= 8; p += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, sizeof word);
    take(word);
  }
  if (left > 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, sizeof word);
    take(word & (~std::uint64_t{0} >> (64 - 8 * static_cast<unsigned>(left))));
  }
  if ((high & kHighs) != 0) {
    for (std::int64_t i = 0; i < size; ++i) {
      following += isUtf8Tail(at[i]) ? 1 : 0;
    }
  }
  return {spread(hash), size - following};
}

}  // namespace

bool ValueCounts::same(const Entry& entry, std::string_view text, std::int64_t whole) const {
  return entry.whole == whole &&
         (entry.size == 0 ||
          std::memcmp(bytes_.data() + entry.start, text.data(), entry.size) == 0);
}

void ValueCounts::add(const Text* texts, const std::uint8_t* valid, std::int64_t rows) {
  if (slots_.empty()) rehash(1024);
  for (std::int64_t i = 0; i < rows; ++i) {
    if (valid != nullptr && valid[i] == 0) continue;
    const Text& text = texts[i];
    const Hashed hashed = look(text.data, text.size);
    ++count_;
    letters_ += hashed.letters;
    shortest_ = std::min(shortest_, text.size);
    longest_ = std::max(longest_, text.size);
    const auto kept = static_cast<std::size_t>(
        std::min(text.size, static_cast<std::int64_t>(kLongest)));
    insert(hashed.hash, {text.data, kept}, text.size, 1);
  }
}

void ValueCounts::add(std::string_view text, std::int64_t times) {
  if (slots_.empty()) rehash(1024);
  std::string padded(text);
  padded.append(8, '\0');
  const auto size = static_cast<std::int64_t>(text.size());
  const Hashed hashed = look(padded.data(), size);
  count_ += times;
  letters_ += hashed.letters * times;
  shortest_ = std::min(shortest_, size);
  longest_ = std::max(longest_, size);
  insert(hashed.hash, text.substr(0, kLongest), size, times);
}

void ValueCounts::insert(std::uint64_t hash, std::string_view text, std::int64_t whole,
                         std::int64_t times) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  for (; slots_[at] != 0; at = (at + 1) & mask) {
    Entry& entry = entries_[slots_[at] - 1];
    if (entry.hash == hash && same(entry, text, whole)) {
      entry.count += times;
      return;
    }
  }
  distinct_.add(hash);
  entries_.push_back({hash, times, static_cast<std::uint32_t>(bytes_.size()),
                      static_cast<std::uint32_t>(text.size()), whole});
  bytes_ += text;
  slots_[at] = static_cast<std::uint32_t>(entries_.size());
  if (entries_.size() > most_) {
    prune();
  } else if (entries_.size() * 2 > slots_.size()) {
    rehash(slots_.size() * 4);
  }
}

void ValueCounts::rehash(std::size_t slots) {
  slots_.assign(slots, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t at = entries_[i].hash & (slots - 1);
    while (slots_[at] != 0) at = (at + 1) & (slots - 1);
    slots_[at] = static_cast<std::uint32_t>(i + 1);
  }
}

/// Takes the count of the first that is not kept from all.
void ValueCounts::prune() {
  const std::size_t keep = most_ / 4;
  std::vector<std::int64_t> counts;
  for (const Entry& entry : entries_) counts.push_back(entry.count);
  const auto place = counts.begin() + static_cast<std::ptrdiff_t>(keep);
  std::nth_element(counts.begin(), place, counts.end(), std::greater<>());
  const std::int64_t taken = *place;
  std::vector<Entry> kept;
  std::string bytes;
  for (Entry entry : entries_) {
    if (entry.count <= taken) continue;
    const std::uint32_t start = entry.start;
    entry.count -= taken;
    entry.start = static_cast<std::uint32_t>(bytes.size());
    bytes.append(bytes_, start, entry.size);
    kept.push_back(entry);
  }
  entries_ = std::move(kept);
  bytes_ = std::move(bytes);
  error_ += taken;
  pruned_ = true;
  rehash(slots_.size());
}

void ValueCounts::merge(const ValueCounts& other) {
  if (slots_.empty()) rehash(1024);
  count_ += other.count_;
  letters_ += other.letters_;
  shortest_ = std::min(shortest_, other.shortest_);
  longest_ = std::max(longest_, other.longest_);
  error_ += other.error_;
  pruned_ = pruned_ || other.pruned_;
  for (const Entry& entry : other.entries_) {
    insert(entry.hash, {other.bytes_.data() + entry.start, entry.size}, entry.whole, entry.count);
  }
  distinct_.merge(other.distinct_);
}

std::int64_t ValueCounts::distinct() const {
  return exact() ? static_cast<std::int64_t>(entries_.size()) : distinct_.estimate();
}

std::vector<ValueCounts::Item> ValueCounts::all() const {
  std::vector<Item> items;
  for (const Entry& entry : entries_) {
    items.push_back({{bytes_.data() + entry.start, entry.size},
                     entry.count,
                     entry.whole > static_cast<std::int64_t>(entry.size)});
  }
  std::sort(items.begin(), items.end(),
            [](const Item& a, const Item& b) { return a.text < b.text; });
  return items;
}

std::vector<ValueCounts::Item> ValueCounts::top(std::size_t most) const {
  std::vector<Item> items = all();
  std::erase_if(items, [this](const Item& item) { return item.count <= error_; });
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return a.count > b.count; });
  if (items.size() > most) items.resize(most);
  return items;
}

}  // namespace couler::column
